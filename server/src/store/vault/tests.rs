//! The vault over a store in memory, honest and tampered with.

use std::collections::BTreeMap;

use super::*;
use crate::store::memory::MemoryStore;
use crate::store::{Batch, Change, CommitError};

const ID: [u8; 16] = [9; 16];

fn secret(byte: u8) -> Secret {
    Secret::copy_of(&[byte; 32])
}

fn ring(generations: &[u32], current: u32) -> KeyRing {
    let keys: BTreeMap<_, _> = generations.iter().map(|number| (*number, secret(*number as u8))).collect();
    KeyRing::new(&secret(100), &keys, current).unwrap()
}

fn vault() -> Vault {
    Vault::open(Arc::new(MemoryStore::new()), ID, ring(&[1], 1)).unwrap()
}

fn belongs(vault: &Vault) -> Belongs {
    Belongs { owner: vault.hash(Domain::Owner, &[b"alice"]), identifier: vault.hash(Domain::Identifier, &[b"key-1"]) }
}

fn commit(vault: &Vault, fill: impl FnOnce(&mut VaultBatch)) -> Result<(), CommitError> {
    let mut batch = vault.batch();
    fill(&mut batch);
    vault.commit(batch).blocking_recv().unwrap()
}

fn text(length: usize) -> Secret {
    Secret::new((0..length).map(|i| (i / 3) as u8).collect())
}

/// Every length around the borders of chunks, written, replaced by a shorter one and a longer one, and dropped.
#[test]
fn records_and_material_come_back_in_any_length() {
    let vault = vault();
    let to = belongs(&vault);
    let lengths = [0, 1, 1000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 300 * 1024];
    for (i, length) in lengths.into_iter().enumerate() {
        let seq = vault.next_seq();
        assert_eq!(seq, i as u64 + 1);
        let mut before = None;
        for (round, length) in [length, 5, length + 7].into_iter().enumerate() {
            let plaintext = text(length);
            commit(&vault, |batch| {
                assert_eq!(batch.put_record(seq, before.as_ref(), to, &plaintext).unwrap(), round as u64 + 1);
                batch.put_material(seq, to, &plaintext).unwrap();
            })
            .unwrap();
            let record = vault.record(seq).unwrap().unwrap();
            assert_eq!(
                (record.stamp.seq, record.stamp.revision, record.stamp.belongs, record.stamp.generation),
                (seq, round as u64 + 1, to, 1)
            );
            assert_eq!(record.plaintext, plaintext);
            assert_eq!(vault.material(seq).unwrap().unwrap().plaintext, plaintext);
            before = Some(record.stamp);
        }
        commit(&vault, |batch| {
            batch.delete_record(before.as_ref().unwrap());
            assert!(batch.delete_material(seq).unwrap());
        })
        .unwrap();
        assert!(vault.record(seq).unwrap().is_none());
        assert!(vault.material(seq).unwrap().is_none());
    }
    assert!(vault.store.last(b"O").unwrap().is_none(), "no chunk stays behind");
    assert!(vault.store.last(b"M").unwrap().is_none(), "no chunk stays behind");
    let next = vault.next_seq();
    let again = Vault::open(Arc::clone(&vault.store), ID, ring(&[1], 1)).unwrap();
    assert_eq!(again.next_seq(), next, "a sequence is not given out again, even when its record is gone");
}

#[test]
fn what_was_read_is_expected() {
    let vault = vault();
    let to = belongs(&vault);
    let new = |batch: &mut VaultBatch| {
        batch.put_record(1, None, to, &text(9)).unwrap();
    };
    commit(&vault, new).unwrap();
    assert_eq!(commit(&vault, new), Err(CommitError::Conflict));
    let read = vault.record(1).unwrap().unwrap();
    let change = |batch: &mut VaultBatch| {
        batch.put_record(1, Some(&read.stamp), to, &text(8)).unwrap();
    };
    commit(&vault, change).unwrap();
    assert_eq!(commit(&vault, change), Err(CommitError::Conflict));
    assert_eq!(commit(&vault, |batch| batch.delete_record(&read.stamp)), Err(CommitError::Conflict));
    assert_eq!(commit(&vault, |batch| batch.expect_record(1, 1)), Err(CommitError::Conflict));
    commit(&vault, |batch| batch.expect_record(1, 2)).unwrap();
    commit(&vault, |batch| batch.expect_material(1, 0)).unwrap();
}

#[test]
fn something_unique_is_claimed_once() {
    let vault = vault();
    let name = vault.hash(Domain::Unique, &[b"alice", b"disk"]);
    assert_ne!(name, vault.hash(Domain::Unique, &[b"alicedisk", b""]));
    assert_ne!(name, vault.hash(Domain::Posting, &[b"alice", b"disk"]));
    assert_eq!(vault.lookup_unique(&name).unwrap(), None);
    commit(&vault, |batch| batch.put_unique(&name, 7).unwrap()).unwrap();
    assert_eq!(commit(&vault, |batch| batch.put_unique(&name, 8).unwrap()), Err(CommitError::Conflict));
    let (seq, revision) = vault.lookup_unique(&name).unwrap().unwrap();
    assert_eq!(seq, 7);
    commit(&vault, |batch| batch.delete_unique(&name, revision)).unwrap();
    commit(&vault, |batch| batch.put_unique(&name, 8).unwrap()).unwrap();
    let stale = commit(&vault, |batch| batch.expect_unique(&name, revision));
    assert_eq!(stale, Err(CommitError::Conflict), "claimed anew, though never absent for who looked twice");
}

#[test]
fn postings_and_classes_are_newest_first_and_due_rows_oldest_first() {
    let vault = vault();
    let (one, other) = (vault.hash(Domain::Posting, &[b"AES"]), vault.hash(Domain::Posting, &[b"RSA"]));
    commit(&vault, |batch| {
        for seq in [3, 1, 2, 255, 256, 70_000] {
            batch.put_posting(&one, seq);
            batch.put_member(&one, seq, &Hash16([seq as u8; 16]));
            batch.put_due(1000 - seq % 1000, seq);
        }
        batch.put_posting(&other, 5);
        batch.delete_posting(&one, 2);
        batch.delete_member(&one, 2);
        batch.delete_due(998, 2);
    })
    .unwrap();
    let list = |after, most| {
        let mut seen = Vec::new();
        vault
            .postings(&one, after, &mut |seq| {
                seen.push(seq);
                if seen.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
            .unwrap();
        seen
    };
    assert_eq!(list(None, 99), [70_000, 256, 255, 3, 1]);
    assert_eq!(list(Some(256), 2), [255, 3]);
    let mut order = Vec::new();
    vault
        .list(&List::Class(one), Some(70_000), &mut |seq, value| {
            assert_eq!(value, [seq as u8; 16]);
            order.push(seq);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(order, [256, 255, 3, 1]);
    let mut due = Vec::new();
    vault
        .due(997, &mut |time, seq| {
            due.push((time, seq));
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(due, [(744, 256), (745, 255), (997, 3)]);
    assert_eq!(vault.opened(), 0, "nothing was opened for it");
}

#[test]
fn sequences_are_visited_once_whatever_their_chunks() {
    let vault = vault();
    let to = belongs(&vault);
    commit(&vault, |batch| {
        for (seq, length) in [(1, 3 * CHUNK), (2, 1), (300, CHUNK + 1)] {
            batch.put_record(seq, None, to, &text(length)).unwrap();
        }
    })
    .unwrap();
    for (after, expected) in [(None, &[1, 2, 300][..]), (Some(1), &[2, 300]), (Some(300), &[])] {
        let mut seen = Vec::new();
        vault
            .sequences(after, &mut |seq| {
                seen.push(seq);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(seen, expected);
    }
}

#[test]
fn counters_count_and_refuse() {
    let vault = vault();
    let take = |count: Option<u64>| match count {
        None => Count::Set(2),
        Some(0) => Count::Refuse("used up"),
        Some(left) => Count::Set(left - 1),
    };
    for left in [2, 1, 0] {
        commit(&vault, |batch| batch.update_counter(4, 1, take)).unwrap();
        assert_eq!(vault.counter(4, 1).unwrap().unwrap().0, left);
    }
    assert_eq!(commit(&vault, |batch| batch.update_counter(4, 1, take)), Err(CommitError::Refused("used up")));
    assert_eq!(vault.counter(4, 2).unwrap(), None);
    commit(&vault, |batch| batch.delete_counter(4, 1)).unwrap();
    assert_eq!(vault.counter(4, 1).unwrap(), None);
}

#[test]
fn named_values_come_back() {
    let vault = vault();
    commit(&vault, |batch| batch.put_meta("audit head", 0, &text(50)).unwrap()).unwrap();
    let (value, revision) = vault.meta("audit head").unwrap().unwrap();
    assert_eq!((value, revision), (text(50), 1));
    commit(&vault, |batch| batch.put_meta("audit head", 1, &text(51)).unwrap()).unwrap();
    assert_eq!(commit(&vault, |batch| batch.put_meta("audit head", 1, &text(5)).unwrap()), Err(CommitError::Conflict));
    assert!(vault.meta("audit").unwrap().is_none());
}

#[test]
fn an_older_generation_still_opens_and_the_current_one_seals() {
    let vault = vault();
    let to = belongs(&vault);
    commit(&vault, |batch| {
        batch.put_record(1, None, to, &text(40)).unwrap();
    })
    .unwrap();
    let next = Vault::open(Arc::clone(&vault.store), ID, ring(&[1, 2], 2)).unwrap();
    let old = next.record(1).unwrap().unwrap();
    assert_eq!(old.stamp.generation, 1);
    commit(&next, |batch| {
        batch.put_record(1, Some(&old.stamp), to, &old.plaintext).unwrap();
    })
    .unwrap();
    assert_eq!(next.record(1).unwrap().unwrap().stamp.generation, 2);
    assert_eq!(next.hash(Domain::Owner, &[b"alice"]), to.owner, "the index key stays");
    let error = vault.record(1).unwrap_err();
    assert!(matches!(error, VaultError::Generation { kind: "record", generation: 2 }), "{error}");
    assert_eq!(next.opened(), 2);
}

/// What an attacker may do to rows, and what is asked afterwards.
fn tamper(change: impl FnOnce(&dyn Store)) -> Vault {
    let vault = vault();
    let to = belongs(&vault);
    commit(&vault, |batch| {
        for seq in [1, 2] {
            batch.put_record(seq, None, to, &text(100)).unwrap();
            batch.put_material(seq, to, &text(2 * CHUNK + 10)).unwrap();
            batch.update_counter(seq, 0, move |_| Count::Set(seq));
            batch.put_unique(&Hash16([seq as u8; 16]), seq).unwrap();
        }
        batch.put_meta("a", 0, &text(3)).unwrap();
        batch.put_meta("b", 0, &text(3)).unwrap();
    })
    .unwrap();
    assert!(reads(&vault).iter().all(Result::is_ok));
    change(vault.store.as_ref());
    vault
}

fn reads(vault: &Vault) -> [Result<(), VaultError>; 5] {
    [
        vault.record(1).map(drop),
        vault.material(1).map(drop),
        vault.lookup_unique(&Hash16([1; 16])).map(drop),
        vault.counter(1, 0).map(drop),
        vault.meta("a").map(drop),
    ]
}

fn put(store: &dyn Store, key: &[u8], row: Option<Row>) {
    let key = key.into();
    let change = match row {
        Some(row) => Change::Put { key, row },
        None => Change::Delete { key },
    };
    store.commit(Batch { expect: vec![], changes: vec![change] }).blocking_recv().unwrap().unwrap();
}

/// The read at `which` fails and says its kind; no other does.
fn caught(vault: &Vault, which: usize) {
    for (i, result) in reads(vault).into_iter().enumerate() {
        match result {
            Err(error) if i == which => {
                let kind = ["record", "material", "unique", "counter", "meta"][i];
                assert!(error.to_string().contains(&format!("a {kind} row")), "{error}");
            }
            other => assert_eq!(other.is_err(), i == which, "read {i}"),
        }
    }
}

fn keys_of(seq: u64) -> [Vec<u8>; 5] {
    let name = if seq == 1 { "a" } else { "b" };
    [
        rows::chunk(Kind::Record, seq, 0).to_vec(),
        rows::chunk(Kind::Material, seq, 0).to_vec(),
        rows::unique(&Hash16([seq as u8; 16])).to_vec(),
        rows::counter(seq, 0).to_vec(),
        rows::meta(name).to_vec(),
    ]
}

#[test]
fn a_row_of_another_place_does_not_open() {
    for (which, (here, there)) in keys_of(1).into_iter().zip(keys_of(2)).enumerate() {
        caught(&tamper(|store| put(store, &here, store.get(&there).unwrap())), which);
    }
    // Another kind of the same object.
    let [record, material, ..] = keys_of(1);
    caught(&tamper(|store| put(store, &record, store.get(&material).unwrap())), 0);
}

#[test]
fn a_row_with_another_revision_or_another_header_does_not_open() {
    for (which, key) in keys_of(1).into_iter().enumerate() {
        let change = |change: &dyn Fn(&mut Row)| {
            let vault = tamper(|store| {
                let mut row = store.get(&key).unwrap().unwrap();
                change(&mut row);
                put(store, &key, Some(row));
            });
            caught(&vault, which);
        };
        change(&|row| row.revision += 1);
        let length = vault_row_length(&key);
        // Format, generation, owner, identifier, chunks, nonce, ciphertext, tag: each byte of the small rows, and of a
        // large one the borders.
        for at in (0..length).filter(|at| length < 300 || *at < 80 || *at > length - 20) {
            change(&|row| row.value[at] ^= 1);
        }
        for keep in [0, 1, 38, 39, 62, 63, 78, 79, length - 1] {
            change(&|row| row.value.truncate(keep));
        }
        change(&|row| row.value.push(0));
    }
}

fn vault_row_length(key: &[u8]) -> usize {
    tamper(|_| {}).store.get(key).unwrap().unwrap().value.len()
}

#[test]
fn chunks_out_of_order_missing_or_of_another_write_do_not_open() {
    let chunk = |number| rows::chunk(Kind::Material, 1, number);
    caught(
        &tamper(|store| {
            let (one, two) = (store.get(&chunk(1)).unwrap(), store.get(&chunk(2)).unwrap());
            put(store, &chunk(1), two);
            put(store, &chunk(2), one);
        }),
        1,
    );
    caught(&tamper(|store| put(store, &chunk(2), None)), 1);
    // The last chunk, and the count in the first one made to fit.
    caught(
        &tamper(|store| {
            put(store, &chunk(2), None);
            let mut row = store.get(&chunk(0)).unwrap().unwrap();
            row.value[38] = 2;
            put(store, &chunk(0), Some(row));
        }),
        1,
    );
    // A chunk of an earlier write, with the revision of then and of now.
    for revision in [1, 2] {
        let vault = tamper(|_| {});
        let mut old = vault.store.get(&chunk(1)).unwrap().unwrap();
        let to = belongs(&vault);
        commit(&vault, |batch| {
            batch.put_material(1, to, &text(2 * CHUNK + 10)).unwrap();
        })
        .unwrap();
        old.revision = revision;
        put(vault.store.as_ref(), &chunk(1), Some(old));
        caught(&vault, 1);
    }
}

#[test]
fn rows_of_another_store_do_not_open() {
    let vault = tamper(|_| {});
    let other = Vault::open(Arc::clone(&vault.store), [8; 16], ring(&[1], 1)).unwrap();
    assert!(reads(&other).iter().all(Result::is_err));
    let other_key = Vault::open(Arc::clone(&vault.store), ID, {
        KeyRing::new(&secret(100), &BTreeMap::from([(1, secret(55))]), 1).unwrap()
    });
    assert!(reads(&other_key.unwrap()).iter().all(Result::is_err));
    let refused = commit(&other, |batch| batch.update_counter(1, 0, |_| Count::Set(1_000)));
    assert!(matches!(refused, Err(CommitError::Refused(_))), "a counter that does not open is not set anew");
}

/// Readers never see half of a material that is being replaced.
#[test]
fn material_is_read_whole_while_it_is_replaced() {
    let vault = vault();
    let to = belongs(&vault);
    let write = |round: u8| {
        let plaintext = Secret::new(vec![round; 2 * CHUNK + usize::from(round) * 500]);
        commit(&vault, |batch| {
            batch.put_material(1, to, &plaintext).unwrap();
        })
        .unwrap();
    };
    write(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| (1..100).for_each(write));
        while !writer.is_finished() {
            let material = vault.material(1).unwrap().unwrap();
            let round = material.plaintext.expose()[0];
            assert!(material.plaintext.expose().iter().all(|byte| *byte == round));
            assert_eq!(material.plaintext.len(), 2 * CHUNK + usize::from(round) * 500);
        }
    });
}

/// Stored classes are found again, however their hash is looked up.
#[test]
fn a_remembered_likeness_is_the_hash_of_its_parts() {
    let vault = vault();
    for _ in 0..2 {
        for (which, domain) in [(Likeness::Class, Domain::Class), (Likeness::Variant, Domain::Variant)] {
            for (bytes, parts) in [(&b"ab"[..], vec![&b"a"[..], b"b"]), (b"c", vec![b"c"]), (b"", vec![])] {
                assert_eq!(vault.hash_likeness(which, bytes, || parts.clone()), vault.hash(domain, &parts));
            }
        }
    }
    assert_ne!(
        vault.hash_likeness(Likeness::Class, b"", || vec![b"alice"]),
        vault.hash_likeness(Likeness::Class, b"", || vec![b"bob"]),
        "no bytes stand for nobody"
    );
}
