//! The keys file: a store's index key and key-encryption keys, sealed by the root key.
//!
//! It is made once, with the store, and never over an existing one: a store whose keys are lost is lost, and new keys would
//! only hide that.

#[cfg(test)]
mod tests;

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
pub(crate) const NAME: &str = "keys";

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
    #[error("{0} is missing, and the store holds rows; restore it from a backup: new keys would open none of them")]
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
pub fn open(folder: &Path, store_id: [u8; 16], store: &dyn Store, root: &dyn RootKey) -> Result<KeyRing, KeysError> {
    let file = KeysFile { folder, id: store_id, root };
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
            let keys = Keys { index: fresh()?, generations: BTreeMap::from([(1, fresh()?)]), current: 1 };
            file.write(&keys)?;
            keys.ring()
        }
        Err(error) => Err(file.error(error)),
    }
}

/// Adds a key-encryption key that seals from now on, and returns the new ring. The older ones still open.
pub fn add_generation(folder: &Path, store_id: [u8; 16], root: &dyn RootKey) -> Result<KeyRing, KeysError> {
    change(folder, store_id, root, root, |keys| {
        let next = keys.current + 1;
        keys.generations.insert(next, fresh()?);
        keys.current = next;
        Ok(())
    })
}

/// Forgets every generation but the current one: what was sealed with them is erased.
pub fn drop_generations(folder: &Path, store_id: [u8; 16], root: &dyn RootKey) -> Result<KeyRing, KeysError> {
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
    KeysFile { folder, id, root: new }.write(&keys)?;
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
        let found =
            table.get("version").and_then(toml::Value::as_integer).and_then(|number| u32::try_from(number).ok());
        let found = found.ok_or_else(|| self.damaged("it has no version"))?;
        if found != VERSION {
            return Err(KeysError::Version { path: self.path(), found });
        }
        let text: Text = table.try_into().map_err(|_| self.damaged("a field is missing or of another type"))?;
        if text.store != hex::encode(self.id) {
            return Err(self.damaged("it belongs to another store"));
        }
        let check = self.root.open(&self.context("check", 0), &self.blob(&text.check)?);
        let check = check.map_err(|error| match error {
            RootError::Seal(SealError::Open) => {
                KeysError::WrongRoot { root: self.root.name().to_owned(), made: text.root.clone() }
            }
            other => KeysError::Root(other),
        })?;
        if check != digest(&text) {
            return Err(self.damaged("its parts do not belong together"));
        }
        let index = self.key("index", 0, &text.index)?;
        let generations =
            text.generation.iter().map(|entry| Ok((entry.number, self.key("generation", entry.number, &entry.key)?)));
        let generations = generations.collect::<Result<_, KeysError>>()?;
        Ok(Keys { index, generations, current: text.current })
    }

    fn write(&self, keys: &Keys) -> Result<(), KeysError> {
        let seal = |what, number, key: &Secret| {
            Ok::<_, KeysError>(hex::encode(self.root.seal(&self.context(what, number), key)?))
        };
        let generation = keys
            .generations
            .iter()
            .map(|(number, key)| Ok(Generation { number: *number, key: seal("generation", *number, key)? }));
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
        Ok(self.root.open(&self.context(what, number), &self.blob(blob)?)?)
    }

    fn blob(&self, text: &str) -> Result<Vec<u8>, KeysError> {
        hex::decode(text).map_err(|_| self.damaged("a field is not hexadecimal"))
    }

    fn context(&self, what: &str, number: u32) -> Vec<u8> {
        [b"kmipd keys\0", &self.id[..], &number.to_be_bytes(), what.as_bytes()].concat()
    }

    fn path(&self) -> String {
        self.folder.join(NAME).display().to_string()
    }

    fn damaged(&self, why: &'static str) -> KeysError {
        KeysError::Damaged { path: self.path(), why }
    }

    fn error(&self, error: io::Error) -> KeysError {
        KeysError::File { path: self.path(), error }
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
