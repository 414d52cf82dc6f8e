//! What every store must do. A store's tests call [`run`], and [`run_persistent`] if it keeps anything.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::{Batch, Change, CommitError, Committed, MAX_KEY, MAX_VALUE, Row, Store, Update, Updated};

type Part = fn(&dyn Store);

/// Runs everything, each part on a store of its own.
pub(super) fn run(make: &dyn Fn() -> Box<dyn Store>) {
    let parts: [(&str, Part); 15] = [
        ("revisions", revisions),
        ("conflicts", conflicts),
        ("absent rows", absent),
        ("deletes", deletes),
        ("updates", updates),
        ("counted", counted),
        ("order of scans", scans),
        ("visitors may use the store", visitors),
        ("last", last),
        ("all or nothing", atomic),
        ("own changes", own_changes),
        ("limits", limits),
        ("read-only commits", read_only),
        ("concurrent commits", concurrent),
        ("one of many wins", one_wins),
    ];
    for (name, part) in parts {
        println!("store suite: {name}");
        let store = make();
        part(store.as_ref());
        store.close().expect("close");
        store.close().expect("close again");
    }
}

/// Runs what concerns stores that keep their rows. `open` opens the store in a folder.
pub(super) fn run_persistent(open: &dyn Fn(&Path) -> Box<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    for round in 1..=4_u64 {
        let store = open(&path);
        for i in 0..50_u8 {
            let row = store.get(&[b'k', i]).unwrap();
            assert_eq!(row.map_or(0, |row| row.revision), round - 1);
        }
        let puts = (0..50).map(|i| put(&[b'k', i], round, &[i; 300])).collect();
        let delete = Change::Delete { key: key("gone", round - 1).into() };
        let kept = put(&key("gone", round), 1, b"");
        ok(store.commit(Batch { expect: vec![], changes: puts }));
        ok(store.commit(batch(vec![delete, kept])));
        assert_eq!(keys(store.as_ref(), b"gone", None), [key("gone", round)]);
        // Not closed in one round of two: dropping must do as well.
        if round % 2 == 0 {
            store.close().unwrap();
            let refused = done(store.commit(batch(vec![put(b"late", 1, b"")])));
            assert!(matches!(refused, Err(CommitError::Broken(_))), "{refused:?}");
        }
    }
}

fn done(committed: Committed) -> Result<(), CommitError> {
    committed.blocking_recv().expect("an answer")
}

fn ok(committed: Committed) {
    done(committed).expect("a commit");
}

fn batch(changes: Vec<Change>) -> Batch {
    Batch { expect: vec![], changes }
}

fn put(key: &[u8], revision: u64, value: &[u8]) -> Change {
    Change::Put { key: key.into(), row: Row { revision, value: value.to_vec() } }
}

fn update(key: &[u8], update: impl FnMut(Option<&Row>) -> Updated + Send + 'static) -> Change {
    let update: Update = Box::new(update);
    Change::Update { key: key.into(), update }
}

fn key(name: &str, number: u64) -> Vec<u8> {
    [name.as_bytes(), &number.to_be_bytes()].concat()
}

fn keys(store: &dyn Store, prefix: &[u8], after: Option<&[u8]>) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    store
        .scan(prefix, after, &mut |key, _| {
            keys.push(key.to_vec());
            ControlFlow::Continue(())
        })
        .unwrap();
    keys
}

fn number(row: Option<&Row>) -> u64 {
    row.map_or(0, |row| u64::from_be_bytes(row.value.as_slice().try_into().unwrap()))
}

fn revisions(store: &dyn Store) {
    assert_eq!(store.get(b"a").unwrap(), None);
    ok(store.commit(Batch { expect: vec![(b"a".into(), 0)], changes: vec![put(b"a", 1, b"one")] }));
    assert_eq!(store.get(b"a").unwrap(), Some(Row { revision: 1, value: b"one".to_vec() }));
    ok(store.commit(Batch { expect: vec![(b"a".into(), 1)], changes: vec![put(b"a", 7, b"")] }));
    assert_eq!(store.get(b"a").unwrap(), Some(Row { revision: 7, value: vec![] }));
    ok(store.commit(batch(vec![put(b"a", u64::MAX, b"x")])));
    assert_eq!(store.get(b"a").unwrap().unwrap().revision, u64::MAX);
}

fn conflicts(store: &dyn Store) {
    ok(store.commit(batch(vec![put(b"a", 5, b""), put(b"b", 1, b"")])));
    for revision in [0, 4, 6] {
        let conflict = Batch {
            expect: vec![(b"b".into(), 1), (b"a".into(), revision)],
            changes: vec![put(b"b", 2, b""), put(b"c", 1, b""), Change::Delete { key: b"a".into() }],
        };
        assert_eq!(done(store.commit(conflict)), Err(CommitError::Conflict));
    }
    assert_eq!(store.get(b"a").unwrap().unwrap().revision, 5);
    assert_eq!(store.get(b"b").unwrap().unwrap().revision, 1);
    assert_eq!(store.get(b"c").unwrap(), None);
}

fn absent(store: &dyn Store) {
    let claim = || Batch { expect: vec![(b"name".into(), 0)], changes: vec![put(b"name", 1, b"")] };
    ok(store.commit(claim()));
    assert_eq!(done(store.commit(claim())), Err(CommitError::Conflict));
    ok(store.commit(batch(vec![Change::Delete { key: b"name".into() }])));
    ok(store.commit(claim()));
}

fn deletes(store: &dyn Store) {
    ok(store.commit(batch(vec![Change::Delete { key: b"never".into() }])));
    ok(store.commit(batch(vec![put(b"a", 1, b""), put(b"b", 1, b"")])));
    ok(store.commit(Batch { expect: vec![(b"a".into(), 1)], changes: vec![Change::Delete { key: b"a".into() }] }));
    assert_eq!(store.get(b"a").unwrap(), None);
    assert_eq!(keys(store, b"", None), [b"b"]);
}

fn updates(store: &dyn Store) {
    let add = |row: Option<&Row>| {
        let next = number(row) + 1;
        Updated::Put(Row { revision: next, value: next.to_be_bytes().to_vec() })
    };
    ok(store.commit(batch(vec![update(b"n", add)])));
    ok(store.commit(batch(vec![update(b"n", add), update(b"n", add)])));
    assert_eq!(number(store.get(b"n").unwrap().as_ref()), 3);
    ok(store.commit(batch(vec![update(b"n", |_| Updated::Keep), put(b"side", 1, b"")])));
    assert_eq!(store.get(b"n").unwrap().unwrap().revision, 3);
    assert!(store.get(b"side").unwrap().is_some());
    let refused = batch(vec![put(b"other", 1, b""), update(b"n", add), update(b"n", |_| Updated::Refuse("empty"))]);
    assert_eq!(done(store.commit(refused)), Err(CommitError::Refused("empty")));
    assert_eq!(store.get(b"n").unwrap().unwrap().revision, 3);
    assert_eq!(store.get(b"other").unwrap(), None);
    let panicking = batch(vec![put(b"other", 1, b""), update(b"n", |_| panic!("on purpose"))]);
    assert!(matches!(done(store.commit(panicking)), Err(CommitError::Refused(_))));
    assert_eq!(store.get(b"other").unwrap(), None);
    ok(store.commit(batch(vec![put(b"other", 1, b"")])));
}

/// 400 threads' takes of a count of 150: exactly 150 succeed.
fn counted(store: &dyn Store) {
    const GIVEN: u64 = 150;
    ok(store.commit(batch(vec![put(b"left", 1, &GIVEN.to_be_bytes())])));
    let taken = AtomicU32::new(0);
    let start = Barrier::new(20);
    thread::scope(|scope| {
        for worker in 0..20_u64 {
            let (taken, start) = (&taken, &start);
            scope.spawn(move || {
                start.wait();
                for i in 0..20 {
                    let take = update(b"left", |row| match (row, number(row)) {
                        (Some(row), left @ 1..) => {
                            Updated::Put(Row { revision: row.revision + 1, value: (left - 1).to_be_bytes().to_vec() })
                        }
                        _ => Updated::Refuse("none left"),
                    });
                    let use_of_it = put(&key("use", worker * 1000 + i), 1, b"");
                    match done(store.commit(batch(vec![use_of_it, take]))) {
                        Ok(()) => taken.fetch_add(1, Ordering::SeqCst),
                        Err(CommitError::Refused("none left")) => 0,
                        Err(error) => panic!("{error}"),
                    };
                }
            });
        }
    });
    assert_eq!(u64::from(taken.load(Ordering::SeqCst)), GIVEN);
    assert_eq!(keys(store, b"use", None).len() as u64, GIVEN);
    assert_eq!(number(store.get(b"left").unwrap().as_ref()), 0);
}

fn scans(store: &dyn Store) {
    let all: Vec<Vec<u8>> =
        [&b"a"[..], b"b", b"b\0", b"b\x01", b"b\xff", b"b\xff\xff", b"ba", b"c"].map(<[u8]>::to_vec).into();
    let mut sorted = all.clone();
    sorted.sort();
    for key in &all {
        ok(store.commit(batch(vec![put(key, 1, key)])));
    }
    assert_eq!(keys(store, b"", None), sorted);
    let with_b: Vec<_> = sorted.iter().filter(|key| key.starts_with(b"b")).cloned().collect();
    assert_eq!(keys(store, b"b", None), with_b);
    assert_eq!(keys(store, b"b", Some(b"a")), with_b, "a start before the prefix");
    assert_eq!(keys(store, b"b", Some(b"b")), with_b[1..]);
    assert_eq!(keys(store, b"b", Some(b"b\x01\x01")), with_b[3..], "a start that is no row");
    assert_eq!(keys(store, b"b", Some(b"c")), Vec::<Vec<u8>>::new(), "a start behind the prefix");
    assert_eq!(keys(store, b"b\xff", None), [&b"b\xff"[..], b"b\xff\xff"]);
    assert_eq!(keys(store, b"x", None), Vec::<Vec<u8>>::new());
    let mut seen = 0;
    store
        .scan(b"", None, &mut |key, row| {
            assert_eq!(key, row.value);
            seen += 1;
            if seen == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    assert_eq!(seen, 3);
}

fn visitors(store: &dyn Store) {
    for i in 0..100 {
        ok(store.commit(batch(vec![put(&key("v", i), 1, b"")])));
    }
    let mut seen = 0;
    store
        .scan(b"v", None, &mut |key, row| {
            assert_eq!(store.get(key).unwrap(), Some(row));
            ok(store.commit(batch(vec![Change::Delete { key: key.into() }])));
            seen += 1;
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, 100);
    assert_eq!(keys(store, b"", None).len(), 0);
}

fn last(store: &dyn Store) {
    assert_eq!(store.last(b"").unwrap(), None);
    for key in [&b"a"[..], b"b\x01", b"b\xff\xfe", b"c"] {
        ok(store.commit(batch(vec![put(key, 1, key)])));
    }
    let last = |prefix: &[u8]| store.last(prefix).unwrap().map(|(key, row)| (key, row.value));
    assert_eq!(last(b"b"), Some((b"b\xff\xfe".to_vec(), b"b\xff\xfe".to_vec())));
    assert_eq!(last(b""), Some((b"c".to_vec(), b"c".to_vec())));
    assert_eq!(last(b"a"), Some((b"a".to_vec(), b"a".to_vec())));
    assert_eq!(last(b"aa"), None);
    assert_eq!(last(b"z"), None);
}

/// Two rows always change together; nobody may read a commit's answer and see only one.
fn atomic(store: &dyn Store) {
    thread::scope(|scope| {
        for worker in 0..4_u8 {
            scope.spawn(move || {
                for round in 1..=50_u64 {
                    let changes = (0..10).map(|i| put(&[b'p', worker, i], round, &round.to_be_bytes())).collect();
                    let refused = round % 5 == 0;
                    let expect = vec![([b'p', worker, 9].into(), if refused { 999 } else { round - 1 })];
                    let result = done(store.commit(Batch { expect, changes }));
                    let stands = if refused { round - 1 } else { round };
                    assert_eq!(result.is_err(), refused);
                    for i in 0..10 {
                        assert_eq!(store.get(&[b'p', worker, i]).unwrap().map_or(0, |row| row.revision), stands);
                    }
                    if refused {
                        let changes = (0..10).map(|i| put(&[b'p', worker, i], round, b"")).collect();
                        ok(store.commit(batch(changes)));
                    }
                }
            });
        }
    });
}

fn own_changes(store: &dyn Store) {
    let grow = |row: Option<&Row>| {
        let row = row.unwrap();
        Updated::Put(Row { revision: row.revision + 1, value: [&row.value[..], b"+"].concat() })
    };
    ok(store.commit(Batch {
        expect: vec![(b"a".into(), 0)],
        changes: vec![put(b"a", 1, b"1"), update(b"a", grow), put(b"b", 1, b""), Change::Delete { key: b"b".into() }],
    }));
    assert_eq!(store.get(b"a").unwrap(), Some(Row { revision: 2, value: b"1+".to_vec() }));
    assert_eq!(store.get(b"b").unwrap(), None);
    ok(store.commit(batch(vec![Change::Delete { key: b"a".into() }, put(b"a", 9, b"9")])));
    assert_eq!(store.get(b"a").unwrap(), Some(Row { revision: 9, value: b"9".to_vec() }));
}

fn limits(store: &dyn Store) {
    let longest = vec![7; MAX_VALUE];
    let long_key = vec![b'k'; MAX_KEY];
    ok(store.commit(batch(vec![put(&long_key, 1, &longest)])));
    assert_eq!(store.get(&long_key).unwrap().unwrap().value, longest);
    let too_long = [longest, vec![7]].concat();
    let try_it = |changes| done(store.commit(batch(changes)));
    assert_eq!(try_it(vec![put(b"o", 1, b""), put(b"l", 1, &too_long)]), Err(CommitError::TooLong(MAX_VALUE + 1)));
    let growing = too_long.clone();
    let grow = update(b"l", move |_| Updated::Put(Row { revision: 1, value: growing.clone() }));
    assert_eq!(try_it(vec![put(b"o", 1, b""), grow]), Err(CommitError::TooLong(MAX_VALUE + 1)));
    let key = vec![b'k'; MAX_KEY + 1];
    assert_eq!(try_it(vec![put(b"o", 1, b""), put(&key, 1, b"")]), Err(CommitError::TooLong(MAX_KEY + 1)));
    for key in [&b""[..], b"\0", b"\0commit"] {
        assert_eq!(try_it(vec![put(b"o", 1, b""), put(key, 1, b"")]), Err(CommitError::Malformed));
        assert_eq!(try_it(vec![Change::Delete { key: key.into() }]), Err(CommitError::Malformed));
    }
    assert_eq!(try_it(vec![put(b"o", 0, b"")]), Err(CommitError::Malformed));
    assert_eq!(store.get(b"o").unwrap(), None);
    ok(store.commit(batch(vec![])));
}

fn read_only(store: &dyn Store) {
    let look =
        |key: &[u8], revision| done(store.commit(Batch { expect: vec![(key.into(), revision)], changes: vec![] }));
    assert_eq!(look(b"a", 0), Ok(()));
    let writing = store.commit(batch(vec![put(b"a", 1, b"")]));
    // Either order is right while the other is not answered; none may fail for another reason.
    assert!(matches!(look(b"a", 0), Ok(()) | Err(CommitError::Conflict)));
    ok(writing);
    assert_eq!(look(b"a", 1), Ok(()));
    assert_eq!(look(b"a", 0), Err(CommitError::Conflict));
    assert_eq!(look(b"b", 1), Err(CommitError::Conflict));
}

fn concurrent(store: &dyn Store) {
    thread::scope(|scope| {
        for worker in 0..16_u64 {
            scope.spawn(move || {
                for i in 0..40 {
                    let key = key("c", worker * 100 + i);
                    ok(store.commit(Batch { expect: vec![(key[..].into(), 0)], changes: vec![put(&key, 1, &key)] }));
                    assert_eq!(store.get(&key).unwrap().unwrap().value, key, "what was answered can be read");
                }
            });
        }
    });
    assert_eq!(keys(store, b"c", None).len(), 16 * 40);
}

/// Threads add to the same row by expectation, and try again after a conflict: no addition is lost.
fn one_wins(store: &dyn Store) {
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                let mut added = 0;
                while added < 25 {
                    let row = store.get(b"sum").unwrap();
                    let revision = row.as_ref().map_or(0, |row| row.revision);
                    let sum = number(row.as_ref()) + 1;
                    let add = put(b"sum", revision + 1, &sum.to_be_bytes());
                    match done(store.commit(Batch { expect: vec![(b"sum".into(), revision)], changes: vec![add] })) {
                        Ok(()) => added += 1,
                        Err(CommitError::Conflict) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(number(store.get(b"sum").unwrap().as_ref()), 100);
}
