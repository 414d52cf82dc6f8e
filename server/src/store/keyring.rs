//! The keys file: a store's index key and key-encryption keys, sealed by the root key.
//!
//! It is made once, with the store, and never over an existing one: a store whose keys are lost is lost, and new keys would
//! only hide that.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::root::{RootError, RootKey};
use super::seal::{KEY, KeyRing, SealError, random};
use super::{Store, StoreError, durable};
use crate::secret::Secret;

/// The file's name in the store's folder.
pub(super) const NAME: &str = "keys";

const VERSION: u32 = 1;

/// Why the keys of a store cannot be had. No secret is in the text.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The root key is another one.
    #[error("the root key does not open this store: {root} (the store was made with: {made})")]
    WrongRoot {
        /// What was tried.
        root: String,
        /// What the file names.
        made: String,
    },
    /// The keys file is not what was written.
    #[error("{path} was changed or is damaged: {why}; restore it from a backup")]
    Damaged {
        /// Which file.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The file has another version.
    #[error("{path} has version {found}; this kmipd reads version {VERSION}")]
    Version {
        /// Which file.
        path: String,
        /// What stands there.
        found: u32,
    },
    /// There are rows and no keys.
    #[error(
        "{0} is missing, and the store holds rows; restore it from a backup: new keys would open none of them"
    )]
    Missing(String),
    /// The file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which file.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// The root key failed.
    #[error("the root key failed: {0}")]
    Root(#[from] RootError),
    /// Sealing failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The content of the file; blobs in hexadecimal.
#[derive(Serialize, Deserialize)]
struct Text {
    version: u32,
    store: String,
    root: String,
    current: u32,
    index: String,
    /// The digest of everything else, sealed: tells a wrong root key from a changed file.
    check: String,
    generation: Vec<Generation>,
}

#[derive(Serialize, Deserialize)]
struct Generation {
    number: u32,
    key: String,
}

/// Opens the keys of the store in this folder, or makes them if the store is new.
pub fn open(
    folder: &Path,
    store_id: [u8; 16],
    store: &dyn Store,
    root: &dyn RootKey,
) -> Result<KeyRing, KeysError> {
    let file = KeysFile {
        folder,
        id: store_id,
        root,
    };
    match fs::read_to_string(folder.join(NAME)) {
        Ok(text) => file.read(&text)?.ring(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut rows = false;
            store.scan(b"", None, &mut |_, _| {
                rows = true;
                ControlFlow::Break(())
            })?;
            if rows {
                return Err(KeysError::Missing(file.path()));
            }
            let keys = Keys {
                index: fresh()?,
                generations: BTreeMap::from([(1, fresh()?)]),
                current: 1,
            };
            file.write(&keys)?;
            keys.ring()
        }
        Err(error) => Err(file.error(error)),
    }
}

/// Adds a key-encryption key that seals from now on, and returns the new ring. The older ones still open.
pub fn add_generation(
    folder: &Path,
    store_id: [u8; 16],
    root: &dyn RootKey,
) -> Result<KeyRing, KeysError> {
    change(folder, store_id, root, root, |keys| {
        let next = keys.current + 1;
        keys.generations.insert(next, fresh()?);
        keys.current = next;
        Ok(())
    })
}

/// Forgets every generation but the current one: what was sealed with them is erased.
pub fn drop_generations(
    folder: &Path,
    store_id: [u8; 16],
    root: &dyn RootKey,
) -> Result<KeyRing, KeysError> {
    change(folder, store_id, root, root, |keys| {
        let current = keys.current;
        keys.generations.retain(|number, _| *number == current);
        Ok(())
    })
}

/// Seals the keys with another root key.
pub fn change_root(
    folder: &Path,
    store_id: [u8; 16],
    root: &dyn RootKey,
    new: &dyn RootKey,
) -> Result<KeyRing, KeysError> {
    change(folder, store_id, root, new, |_| Ok(()))
}

fn change(
    folder: &Path,
    id: [u8; 16],
    root: &dyn RootKey,
    new: &dyn RootKey,
    change: impl FnOnce(&mut Keys) -> Result<(), SealError>,
) -> Result<KeyRing, KeysError> {
    let file = KeysFile { folder, id, root };
    let text = fs::read_to_string(folder.join(NAME)).map_err(|error| file.error(error))?;
    let mut keys = file.read(&text)?;
    change(&mut keys)?;
    KeysFile {
        folder,
        id,
        root: new,
    }
    .write(&keys)?;
    keys.ring()
}

struct Keys {
    index: Secret,
    generations: BTreeMap<u32, Secret>,
    current: u32,
}

impl Keys {
    fn ring(&self) -> Result<KeyRing, KeysError> {
        Ok(KeyRing::new(&self.index, &self.generations, self.current)?)
    }
}

struct KeysFile<'a> {
    folder: &'a Path,
    id: [u8; 16],
    root: &'a dyn RootKey,
}

impl KeysFile<'_> {
    fn read(&self, text: &str) -> Result<Keys, KeysError> {
        let table: toml::Table = text.parse().map_err(|_| self.damaged("it is not TOML"))?;
        let found = table
            .get("version")
            .and_then(toml::Value::as_integer)
            .and_then(|number| u32::try_from(number).ok());
        let found = found.ok_or_else(|| self.damaged("it has no version"))?;
        if found != VERSION {
            return Err(KeysError::Version {
                path: self.path(),
                found,
            });
        }
        let text: Text = table
            .try_into()
            .map_err(|_| self.damaged("a field is missing or of another type"))?;
        if text.store != hex::encode(self.id) {
            return Err(self.damaged("it belongs to another store"));
        }
        let check = self
            .root
            .open(&self.context("check", 0), &self.blob(&text.check)?);
        let check = check.map_err(|error| match error {
            RootError::Seal(SealError::Open) => KeysError::WrongRoot {
                root: self.root.name().to_owned(),
                made: text.root.clone(),
            },
            other => KeysError::Root(other),
        })?;
        if check != digest(&text) {
            return Err(self.damaged("its parts do not belong together"));
        }
        let index = self.key("index", 0, &text.index)?;
        let generations = text.generation.iter().map(|entry| {
            Ok((
                entry.number,
                self.key("generation", entry.number, &entry.key)?,
            ))
        });
        let generations = generations.collect::<Result<_, KeysError>>()?;
        Ok(Keys {
            index,
            generations,
            current: text.current,
        })
    }

    fn write(&self, keys: &Keys) -> Result<(), KeysError> {
        let seal = |what, number, key: &Secret| {
            Ok::<_, KeysError>(hex::encode(
                self.root.seal(&self.context(what, number), key)?,
            ))
        };
        let generation = keys.generations.iter().map(|(number, key)| {
            Ok(Generation {
                number: *number,
                key: seal("generation", *number, key)?,
            })
        });
        let mut text = Text {
            version: VERSION,
            store: hex::encode(self.id),
            root: self.root.name().to_owned(),
            current: keys.current,
            index: seal("index", 0, &keys.index)?,
            check: String::new(),
            generation: generation.collect::<Result<_, KeysError>>()?,
        };
        text.check = seal("check", 0, &digest(&text))?;
        let text = toml::to_string(&text).map_err(|error| self.error(io::Error::other(error)))?;
        // What cannot be opened again must not replace what can.
        self.read(&text)?;
        durable::write(&self.folder.join(NAME), text.as_bytes()).map_err(|error| self.error(error))
    }

    fn key(&self, what: &str, number: u32, blob: &str) -> Result<Secret, KeysError> {
        Ok(self
            .root
            .open(&self.context(what, number), &self.blob(blob)?)?)
    }

    fn blob(&self, text: &str) -> Result<Vec<u8>, KeysError> {
        hex::decode(text).map_err(|_| self.damaged("a field is not hexadecimal"))
    }

    fn context(&self, what: &str, number: u32) -> Vec<u8> {
        [
            b"kmipd keys\0",
            &self.id[..],
            &number.to_be_bytes(),
            what.as_bytes(),
        ]
        .concat()
    }

    fn path(&self) -> String {
        self.folder.join(NAME).display().to_string()
    }

    fn damaged(&self, why: &'static str) -> KeysError {
        KeysError::Damaged {
            path: self.path(),
            why,
        }
    }

    fn error(&self, error: io::Error) -> KeysError {
        KeysError::File {
            path: self.path(),
            error,
        }
    }
}

/// Over everything but the check itself and the root key's name, which is for people.
fn digest(text: &Text) -> Secret {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut add = |part: &[u8]| {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    };
    add(&text.version.to_be_bytes());
    add(text.store.as_bytes());
    add(&text.current.to_be_bytes());
    add(text.index.as_bytes());
    for Generation { number, key } in &text.generation {
        add(&number.to_be_bytes());
        add(key.as_bytes());
    }
    Secret::copy_of(context.finish().as_ref())
}

fn fresh() -> Result<Secret, SealError> {
    Ok(Secret::copy_of(random::<KEY>()?.as_slice()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::root::FileRoot;
    use super::*;
    use crate::store::memory::MemoryStore;
    use crate::store::{Batch, Change, Row};

    const ID: [u8; 16] = [3; 16];

    fn secret_file(folder: &Path, name: &str, content: &[u8]) -> std::path::PathBuf {
        let path = folder.join(name);
        durable::write(&path, content).unwrap();
        path
    }

    fn same(one: &KeyRing, other: &KeyRing) -> bool {
        let mut sealed = Vec::new();
        one.key(one.current())
            .unwrap()
            .seal(b"c", b"text", &mut sealed)
            .unwrap();
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
            &|_| {
                FileRoot::credential(&secret_file(path, "hex", format!("{hex}\n").as_bytes()))
                    .unwrap()
            },
            &|_| {
                FileRoot::credential(&secret_file(
                    path,
                    "base64",
                    b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
                ))
                .unwrap()
            },
            &|store| FileRoot::passphrase(store, &passphrase).unwrap(),
        ];
        for (i, root) in makers.iter().enumerate() {
            let store = path.join(i.to_string());
            fs::create_dir(&store).unwrap();
            let ring = open(&store, ID, &MemoryStore::new(), &root(&store)).unwrap();
            assert!(same(
                &ring,
                &open(&store, ID, &MemoryStore::new(), &root(&store)).unwrap()
            ));
            match open(&store, ID, &MemoryStore::new(), &wrong) {
                Err(error @ KeysError::WrongRoot { .. }) => {
                    assert!(
                        error
                            .to_string()
                            .starts_with("the root key does not open this store"),
                        "{error}"
                    );
                }
                other => panic!("{other:?}"),
            }
            assert!(matches!(
                open(&store, [4; 16], &MemoryStore::new(), &root(&store)),
                Err(KeysError::Damaged { .. })
            ));
        }
        // Three spellings of one key.
        let one = open(&path.join("1"), ID, &MemoryStore::new(), &makers[2](path)).unwrap();
        assert!(same(
            &one,
            &open(&path.join("1"), ID, &MemoryStore::new(), &makers[3](path)).unwrap()
        ));
        let other = secret_file(path, "other passphrase", b"incorrect horse");
        let other = FileRoot::passphrase(&path.join("4"), &other).unwrap();
        assert!(matches!(
            open(&path.join("4"), ID, &MemoryStore::new(), &other),
            Err(KeysError::WrongRoot { .. })
        ));
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
        assert!(
            same(&first, &second),
            "the older generation and the index key stay"
        );
        assert!(same(&second, &change_root(path, ID, &root, &new).unwrap()));
        assert!(matches!(
            add_generation(path, ID, &root),
            Err(KeysError::WrongRoot { .. })
        ));
        let erased = drop_generations(path, ID, &new).unwrap();
        assert!(same(&second, &erased) && !same(&first, &erased));
        assert!(same(
            &second,
            &open(path, ID, &MemoryStore::new(), &new).unwrap()
        ));
    }

    #[test]
    fn keys_are_never_made_over_a_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let root = FileRoot::credential(&secret_file(path, "key", &[1; 32])).unwrap();
        let store = MemoryStore::new();
        let row = Row {
            revision: 1,
            value: vec![],
        };
        let batch = Batch {
            expect: vec![],
            changes: vec![Change::Put { key: vec![1], row }],
        };
        store.commit(batch).blocking_recv().unwrap().unwrap();
        assert!(matches!(
            open(path, ID, &store, &root),
            Err(KeysError::Missing(_))
        ));
        assert!(!path.join(NAME).exists());
        // And what the keys are sealed with is not made again beside them.
        open(path, ID, &MemoryStore::new(), &root).unwrap();
        let text = FileRoot::beside(path).unwrap_err().to_string();
        assert!(text.contains("root.key is missing"), "{text}");
        let passphrase = secret_file(path, "passphrase", b"x");
        let text = FileRoot::passphrase(path, &passphrase)
            .unwrap_err()
            .to_string();
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
        let index = text
            .split("index = \"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        let changes = [
            text.replace("current = 2", "current = 1"),
            text.replace("version = 1", "version = 2"),
            text.replace("number = 1", "number = 3"),
            text.replace("number = 2", "nummer = 2"),
            text.replace(index, &format!("{}{}", &index[2..], &index[..2])),
            text[..text.len() / 2].to_owned(),
            String::new(),
        ];
        for changed in changes {
            assert_ne!(changed, text);
            durable::write(&path.join(NAME), changed.as_bytes()).unwrap();
            let error = open(path, ID, &MemoryStore::new(), &root).unwrap_err();
            assert!(
                matches!(error, KeysError::Damaged { .. } | KeysError::Version { .. }),
                "{error}"
            );
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
            assert!(matches!(
                FileRoot::credential(&path),
                Err(RootError::Permissions { .. })
            ));
            assert!(matches!(
                FileRoot::passphrase(folder.path(), &path),
                Err(RootError::Permissions { .. })
            ));
        }
        for content in [
            &[1; 31][..],
            &[1; 33],
            b"",
            b"00",
            b"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw==",
        ] {
            let path = secret_file(folder.path(), "other", content);
            assert!(
                matches!(FileRoot::credential(&path), Err(RootError::Content { .. })),
                "{content:?}"
            );
        }
        let empty = secret_file(folder.path(), "empty", b" \n");
        assert!(matches!(
            FileRoot::passphrase(folder.path(), &empty),
            Err(RootError::Content { .. })
        ));
        // The dev key is private from the start.
        FileRoot::beside(folder.path()).unwrap();
        let mode = fs::metadata(folder.path().join("root.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn weak_parameters_of_a_passphrase_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let passphrase = secret_file(folder.path(), "passphrase", b"x");
        for memory in [8, LEAST - 1, 1 << 31] {
            let text = format!(
                "salt = \"{}\"\nmemory_kib = {memory}\npasses = 3\nlanes = 1\n",
                hex::encode([1; 16])
            );
            durable::write(&folder.path().join("root.toml"), text.as_bytes()).unwrap();
            assert!(matches!(
                FileRoot::passphrase(folder.path(), &passphrase),
                Err(RootError::Content { .. })
            ));
        }
    }

    const LEAST: u64 = 64 * 1024;
}
