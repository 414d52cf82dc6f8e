//! What only this store can get wrong.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::writer::GROUP_ROWS;
use super::*;
use crate::store::{Change, suite};

fn small() -> SledOptions {
    SledOptions { cache_bytes: 8 * 1024 * 1024, ..SledOptions::default() }
}

fn put(key: &[u8]) -> Batch {
    put_value(key, b"value")
}

fn put_value(key: &[u8], value: &[u8]) -> Batch {
    let row = Row { revision: 1, value: value.to_vec() };
    Batch { expect: vec![], changes: vec![Change::Put { key: key.into(), row }] }
}

fn done(committed: Committed) -> Result<(), CommitError> {
    committed.blocking_recv().unwrap()
}

fn refused(folder: &Path) -> String {
    match SledStore::open(folder, &small()) {
        Ok(_) => panic!("opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn sled_passes_the_store_suite() {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicU32::new(0);
    suite::run(&|| {
        let path = folder.path().join(count.fetch_add(1, Ordering::SeqCst).to_string());
        Box::new(SledStore::open(&path, &small()).unwrap())
    });
    suite::run_persistent(&|path| Box::new(SledStore::open(path, &small()).unwrap()));
}

#[test]
fn a_second_opener_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path(), &small()).unwrap();
    assert!(matches!(SledStore::open(folder.path(), &small()), Err(StoreError::Locked(_))));
    store.close().unwrap();
    SledStore::open(folder.path(), &small()).unwrap();
}

#[test]
fn the_id_stays_and_differs_between_stores() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = SledStore::open(one.path(), &small()).unwrap().id();
    assert_eq!(SledStore::open(one.path(), &small()).unwrap().id(), id);
    assert_ne!(SledStore::open(other.path(), &small()).unwrap().id(), id);
}

/// The rows vanish, or go back to an earlier state, or the marker vanishes.
#[test]
fn a_store_that_lost_rows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    done(SledStore::open(path, &small()).unwrap().commit(put(b"a"))).unwrap();
    let copy = || {
        std::process::Command::new("cp").arg("-a").arg(path.join("sled")).arg(path.join("earlier")).status().unwrap();
    };
    copy();
    done(SledStore::open(path, &small()).unwrap().commit(put(b"b"))).unwrap();
    fs::rename(path.join("sled"), path.join("right")).unwrap();
    let text = refused(path);
    assert!(text.contains("has lost data") && text.contains("holds 0"), "{text}");
    assert!(!path.join("sled").exists(), "no empty store was made in its place");

    fs::rename(path.join("earlier"), path.join("sled")).unwrap();
    let text = refused(path);
    assert!(text.contains("holds 1") && text.contains("had 2"), "{text}");

    fs::remove_dir_all(path.join("sled")).unwrap();
    fs::rename(path.join("right"), path.join("sled")).unwrap();
    fs::rename(path.join("store.toml"), path.join("kept")).unwrap();
    assert!(matches!(SledStore::open(path, &small()), Err(StoreError::Lost(_))));
    fs::rename(path.join("kept"), path.join("store.toml")).unwrap();
    assert!(SledStore::open(path, &small()).unwrap().get(b"b").unwrap().is_some());
}

/// What a start would have to read is written down by the stop before it.
#[test]
fn a_close_after_many_rows_leaves_a_snapshot_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = || {
        let files = fs::read_dir(folder.path().join("sled")).unwrap().map(|file| file.unwrap().file_name());
        files.filter(|name| name.to_string_lossy().starts_with("snap.")).collect::<Vec<_>>()
    };
    let store = SledStore::open(folder.path(), &small()).unwrap();
    let before = snapshots();
    let key = |i: usize| [&b"k"[..], &i.to_be_bytes()].concat();
    for i in 0..REMEMBER {
        done(store.commit(put(&key(i)))).unwrap();
    }
    store.close().unwrap();
    assert_ne!(snapshots(), before);
    let store = SledStore::open(folder.path(), &small()).unwrap();
    assert!((0..REMEMBER).all(|i| store.get(&key(i)).unwrap().is_some()));
    let before = snapshots();
    done(store.commit(put(b"one more"))).unwrap();
    store.close().unwrap();
    assert_eq!(snapshots(), before, "few rows are not worth it");
}

/// The first commit is marked at once, without waiting for a close.
#[test]
fn the_first_commit_is_marked() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path(), &small()).unwrap();
    done(store.commit(put(b"a"))).unwrap();
    assert_eq!(Marker::read(folder.path()).unwrap().unwrap().commits, 1);
}

#[test]
fn a_damaged_store_is_refused_without_a_panic() {
    for (name, damage) in [("db", &[0xaa; 64][..]), ("store.toml", b"nonsense")] {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path(), &small()).unwrap();
        for i in 0..100 {
            done(store.commit(put(&[b'k', i]))).unwrap();
        }
        drop(store);
        let file = if name == "store.toml" { folder.path().join(name) } else { folder.path().join("sled").join(name) };
        fs::write(file, damage).unwrap();
        refused(folder.path());
    }
}

#[test]
fn another_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path(), &small()).unwrap());
    fs::write(folder.path().join("store.toml"), "schema = 3\nrows = \"elsewhere\"\n").unwrap();
    match SledStore::open(folder.path(), &small()) {
        Err(StoreError::Schema { found, known, .. }) => {
            assert_eq!((found.as_str(), known), ("3", 2))
        }
        other => panic!("{:?}", other.err()),
    }
}

/// The folder is ours from then on: an older server would not see what we write.
#[test]
fn an_older_schema_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open(folder.path(), &small()).unwrap());
    let path = folder.path().join("store.toml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("schema = 2", "schema = 1")).unwrap();
    drop(SledStore::open(folder.path(), &small()).unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// A start that was cut while making the store, or while sled wrote a snapshot, does not matter to the next one.
#[test]
fn leftovers_of_a_cut_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("sled.new")).unwrap();
    fs::write(path.join("sled.new/conf"), "half a f").unwrap();
    done(SledStore::open(path, &small()).unwrap().commit(put(b"a"))).unwrap();
    fs::write(path.join("sled/snap.7FFFFFFFFFFFFFFF.generating"), "half a snapshot").unwrap();
    fs::write(path.join("store.toml.new"), "half a marker").unwrap();
    assert!(SledStore::open(path, &small()).unwrap().get(b"a").unwrap().is_some());
}

/// After one failed sync nothing is accepted, not even when syncs work again.
#[test]
fn a_failed_sync_breaks_the_store_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let fail = Arc::new(AtomicBool::new(false));
    let failing = Arc::clone(&fail);
    let sync: Sync = Box::new(move |file| match failing.load(Ordering::SeqCst) {
        true => Err(io::Error::other("the disk is gone")),
        false => file.sync_data(),
    });
    let store = SledStore::open_with_sync(folder.path(), &small(), sync).unwrap();
    done(store.commit(put(b"a"))).unwrap();
    fail.store(true, Ordering::SeqCst);
    let broken = Err(CommitError::Broken("the disk is gone".to_owned()));
    assert_eq!(done(store.commit(put(b"b"))), broken);
    fail.store(false, Ordering::SeqCst);
    assert_eq!(done(store.commit(put(b"c"))), broken);
    let look = Batch { expect: vec![(b"a".into(), 1)], changes: vec![] };
    assert_eq!(done(store.commit(look)), broken, "what was read is not known to be durable");
    assert!(store.close().is_err());
}

/// Many commits share a sync, and what only looks needs none.
#[test]
fn commits_share_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let syncs = Arc::new(AtomicU32::new(0));
    let counting = Arc::clone(&syncs);
    let (entered, inside) = std::sync::mpsc::channel();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let sync: Sync = Box::new(move |file| {
        // The second sync, the first commit's, lasts until two groups of others wait behind it.
        if counting.fetch_add(1, Ordering::SeqCst) == 1 {
            entered.send(()).unwrap();
            let _ = held.recv();
        }
        file.sync_data()
    });
    let store = SledStore::open_with_sync(folder.path(), &small(), sync).unwrap();
    // Taken into this scope after the store, so that a failed assertion lets the writer go before it closes the store.
    let hold = hold;
    let first = store.commit(put(b"first"));
    inside.recv().unwrap();
    let key = |i: usize| [&b"k"[..], &i.to_be_bytes()].concat();
    let waiting: Vec<_> = (0..2 * GROUP_ROWS).map(|i| store.commit(put(&key(i)))).collect();
    let look = |revision| Batch { expect: vec![(b"first".into(), revision)], changes: vec![] };
    let mut looking = store.commit(look(1));
    assert!(looking.try_recv().is_err(), "a look waits for what it may have seen");
    hold.send(()).unwrap();
    done(first).unwrap();
    for committed in waiting {
        done(committed).unwrap();
    }
    done(looking).unwrap();
    let before = syncs.load(Ordering::SeqCst);
    assert_eq!(before, 4, "one at open, one for the first, two groups");
    for _ in 0..100 {
        done(store.commit(look(1))).unwrap();
        assert_eq!(done(store.commit(look(2))), Err(CommitError::Conflict));
    }
    assert_eq!(syncs.load(Ordering::SeqCst), before);
}

/// The largest rows side by side, written, changed and deleted: none may leave the log, where our sync does not reach.
#[test]
fn no_page_leaves_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let store = SledStore::open(folder.path(), &small()).unwrap();
    let key = |i: u8| [vec![b'k'; MAX_KEY - 1], vec![i]].concat();
    for round in 0..3 {
        for i in 0..60 {
            done(store.commit(put_value(&key(i), &vec![round; MAX_VALUE]))).unwrap();
        }
        for i in (0..60).filter(|i| i % 7 != 0) {
            done(store.commit(Batch { expect: vec![], changes: vec![Change::Delete { key: key(i).into() }] })).unwrap();
        }
    }
    assert_eq!(fs::read_dir(folder.path().join("sled/blobs")).unwrap().count(), 0);
}
