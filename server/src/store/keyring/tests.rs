//! The keys file, with every root key of this folder.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::store::memory::MemoryStore;
use crate::store::root::FileRoot;
use crate::store::{Batch, Change, Row};

const ID: [u8; 16] = [3; 16];

fn secret_file(folder: &Path, name: &str, content: &[u8]) -> std::path::PathBuf {
    let path = folder.join(name);
    durable::write(&path, content).unwrap();
    path
}

fn same(one: &KeyRing, other: &KeyRing) -> bool {
    let mut sealed = Vec::new();
    one.key(one.current()).unwrap().seal(b"c", b"text", &mut sealed).unwrap();
    let opened = other.key(one.current()).map(|key| key.open(b"c", &sealed));
    matches!(opened, Some(Ok(_))) && one.hash(1, &[b"a"]) == other.hash(1, &[b"a"])
}

#[test]
fn each_root_key_opens_its_store_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let hex = hex::encode([7; 32]);
    let wrong = FileRoot::credential(&secret_file(path, "wrong", &[8; 32])).unwrap();
    let passphrase = secret_file(path, "passphrase", b"correct horse\n");
    let makers: [&dyn Fn(&Path) -> FileRoot; 5] = [
        &|store| FileRoot::beside(store).unwrap(),
        &|_| FileRoot::credential(&secret_file(path, "raw", &[7; 32])).unwrap(),
        &|_| FileRoot::credential(&secret_file(path, "hex", format!("{hex}\n").as_bytes())).unwrap(),
        &|_| {
            FileRoot::credential(&secret_file(path, "base64", b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=")).unwrap()
        },
        &|store| FileRoot::passphrase(store, &passphrase).unwrap(),
    ];
    for (i, root) in makers.iter().enumerate() {
        let store = path.join(i.to_string());
        fs::create_dir(&store).unwrap();
        let ring = open(&store, ID, &MemoryStore::new(), &root(&store)).unwrap();
        assert!(same(&ring, &open(&store, ID, &MemoryStore::new(), &root(&store)).unwrap()));
        match open(&store, ID, &MemoryStore::new(), &wrong) {
            Err(error @ KeysError::WrongRoot { .. }) => {
                assert!(error.to_string().starts_with("the root key does not open this store"), "{error}");
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(open(&store, [4; 16], &MemoryStore::new(), &root(&store)), Err(KeysError::Damaged { .. })));
    }
    // Three spellings of one key.
    let one = open(&path.join("1"), ID, &MemoryStore::new(), &makers[2](path)).unwrap();
    assert!(same(&one, &open(&path.join("1"), ID, &MemoryStore::new(), &makers[3](path)).unwrap()));
    let other = secret_file(path, "other passphrase", b"incorrect horse");
    let other = FileRoot::passphrase(&path.join("4"), &other).unwrap();
    assert!(matches!(open(&path.join("4"), ID, &MemoryStore::new(), &other), Err(KeysError::WrongRoot { .. })));
}

#[test]
fn generations_come_and_go_and_the_root_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let root = FileRoot::beside(path).unwrap();
    let new = FileRoot::credential(&secret_file(path, "new", &[1; 32])).unwrap();
    let first = open(path, ID, &MemoryStore::new(), &root).unwrap();
    let second = add_generation(path, ID, &root).unwrap();
    assert_eq!((first.current(), second.current()), (1, 2));
    assert!(same(&first, &second), "the older generation and the index key stay");
    assert!(same(&second, &change_root(path, ID, &root, &new).unwrap()));
    assert!(matches!(add_generation(path, ID, &root), Err(KeysError::WrongRoot { .. })));
    let erased = drop_generations(path, ID, &new).unwrap();
    assert!(same(&second, &erased) && !same(&first, &erased));
    assert!(same(&second, &open(path, ID, &MemoryStore::new(), &new).unwrap()));
}

#[test]
fn keys_are_never_made_over_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let root = FileRoot::credential(&secret_file(path, "key", &[1; 32])).unwrap();
    let store = MemoryStore::new();
    let row = Row { revision: 1, value: vec![] };
    let batch = Batch { expect: vec![], changes: vec![Change::Put { key: [1].into(), row }] };
    store.commit(batch).blocking_recv().unwrap().unwrap();
    assert!(matches!(open(path, ID, &store, &root), Err(KeysError::Missing(_))));
    assert!(!path.join(NAME).exists());
    // And what the keys are sealed with is not made again beside them.
    open(path, ID, &MemoryStore::new(), &root).unwrap();
    let text = FileRoot::beside(path).unwrap_err().to_string();
    assert!(text.contains("root.key is missing"), "{text}");
    let passphrase = secret_file(path, "passphrase", b"x");
    let text = FileRoot::passphrase(path, &passphrase).unwrap_err().to_string();
    assert!(text.contains("root.toml is missing"), "{text}");
}

#[test]
fn a_changed_keys_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let root = FileRoot::beside(path).unwrap();
    open(path, ID, &MemoryStore::new(), &root).unwrap();
    add_generation(path, ID, &root).unwrap();
    let text = fs::read_to_string(path.join(NAME)).unwrap();
    let index = text.split("index = \"").nth(1).unwrap().split('"').next().unwrap();
    let changes = [
        text.replace("current = 2", "current = 1"),
        text.replace("version = 1", "version = 2"),
        text.replace("number = 1", "number = 3"),
        text.replace("number = 2", "nummer = 2"),
        text.replace(index, &index.chars().rev().collect::<String>()),
        text.chars().take(text.len() / 2).collect(),
        String::new(),
    ];
    for changed in changes {
        assert_ne!(changed, text);
        durable::write(&path.join(NAME), changed.as_bytes()).unwrap();
        let error = open(path, ID, &MemoryStore::new(), &root).unwrap_err();
        assert!(matches!(error, KeysError::Damaged { .. } | KeysError::Version { .. }), "{error}");
    }
    durable::write(&path.join(NAME), text.as_bytes()).unwrap();
    open(path, ID, &MemoryStore::new(), &root).unwrap();
}

#[test]
fn files_that_others_may_read_or_that_hold_no_key_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret_file(folder.path(), "key", &[1; 32]);
    for mode in [0o640, 0o604, 0o620, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(FileRoot::credential(&path), Err(RootError::Permissions { .. })));
        assert!(matches!(FileRoot::passphrase(folder.path(), &path), Err(RootError::Permissions { .. })));
    }
    for content in [&[1; 31][..], &[1; 33], b"", b"00", b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw=="] {
        let path = secret_file(folder.path(), "other", content);
        assert!(matches!(FileRoot::credential(&path), Err(RootError::Content { .. })), "{content:?}");
    }
    let empty = secret_file(folder.path(), "empty", b" \n");
    assert!(matches!(FileRoot::passphrase(folder.path(), &empty), Err(RootError::Content { .. })));
    // The dev key is private from the start.
    FileRoot::beside(folder.path()).unwrap();
    let mode = fs::metadata(folder.path().join("root.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn weak_parameters_of_a_passphrase_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = secret_file(folder.path(), "passphrase", b"x");
    for memory in [8, LEAST - 1, 1 << 31] {
        let text = format!("salt = \"{}\"\nmemory_kib = {memory}\npasses = 3\nlanes = 1\n", hex::encode([1; 16]));
        durable::write(&folder.path().join("root.toml"), text.as_bytes()).unwrap();
        assert!(matches!(FileRoot::passphrase(folder.path(), &passphrase), Err(RootError::Content { .. })));
    }
}

const LEAST: u64 = 64 * 1024;
