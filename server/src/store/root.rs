//! The root key: what opens a store's keys. It is used at start, and when keys are made.
//!
//! Here are the root keys that need no HSM: a passphrase, a credential file, and a file beside the store for development.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::durable;
use super::seal::{KEY, SealError, SealKey, random};
use crate::secret::Secret;

/// Why a root key cannot be had or used. No secret is in the text.
#[derive(Debug, thiserror::Error)]
pub enum RootError {
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// A file can be read by others than its owner.
    #[error("{path} can be read or written by group or others (mode {mode:o}); it must be its owner's alone")]
    Permissions {
        /// Which.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// A file does not hold what it should.
    #[error("{path} {why}")]
    Content {
        /// Which.
        path: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Sealing or opening failed.
    #[error("{0}")]
    Seal(#[from] SealError),
    /// Something else, such as an HSM, failed.
    #[error("{0}")]
    Other(String),
}

/// A key that seals the keys of a store.
pub trait RootKey: Send + Sync {
    /// What it is called in errors and in the keys file.
    fn name(&self) -> &str;
    /// Seals a secret, bound to a context.
    fn seal(&self, context: &[u8], secret: &Secret) -> Result<Vec<u8>, RootError>;
    /// Opens what [`seal`](Self::seal) made for the same context.
    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, RootError>;
}

/// A root key in memory, from a file.
#[derive(Debug)]
pub struct FileRoot {
    name: String,
    key: SealKey,
}

impl RootKey for FileRoot {
    fn name(&self) -> &str {
        &self.name
    }

    fn seal(&self, context: &[u8], secret: &Secret) -> Result<Vec<u8>, RootError> {
        let mut sealed = Vec::new();
        self.key.seal(context, secret.expose(), &mut sealed)?;
        Ok(sealed)
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, RootError> {
        Ok(self.key.open(context, sealed)?)
    }
}

/// Argon2id's memory in KiB, passes and lanes for a new store. At least 64 MiB, whatever the file says.
const MEMORY: u32 = 128 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
const LEAST_MEMORY: u32 = 64 * 1024;
/// What a changed file may make us allocate at most, in KiB, and compute.
const MOST_MEMORY: u32 = 4 * 1024 * 1024;
const MOST_PASSES: u32 = 100;

/// The longest file with a key or a passphrase, in bytes.
const MOST_CONTENT: u64 = 64 * 1024;

/// How a passphrase becomes a key: kept beside the store, no secret.
#[derive(Serialize, Deserialize)]
struct Stretch {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl FileRoot {
    /// A key beside the store, made at the first start: for development. It protects nothing.
    pub fn beside(folder: &Path) -> Result<Self, RootError> {
        let path = folder.join("root.key");
        if !path.exists() {
            refuse_beside_keys(folder, &path)?;
            let key = random::<KEY>()?;
            let text = Zeroizing::new(hex::encode(key.as_slice()) + "\n");
            durable::write(&path, text.as_bytes()).map_err(|error| file_error(&path, error))?;
        }
        Self::credential(&path)
    }

    /// A key in a file: 32 bytes, or their 64 hexadecimal digits or base64. Only its owner may have access to it.
    pub fn credential(path: &Path) -> Result<Self, RootError> {
        let content = read_private(path)?;
        let key = decode_key(content.expose())
            .ok_or(RootError::Content { path: path.display().to_string(), why: "does not hold a key of 32 bytes" })?;
        Ok(Self { name: format!("key file {}", path.display()), key: SealKey::new(&key)? })
    }

    /// A passphrase in a file; white space at its end does not count. Salt and parameters are in `root.toml` beside the
    /// store, made at the first start.
    pub fn passphrase(folder: &Path, path: &Path) -> Result<Self, RootError> {
        let content = read_private(path)?;
        let passphrase = content.expose().trim_ascii_end();
        if passphrase.is_empty() {
            return Err(RootError::Content { path: path.display().to_string(), why: "is empty" });
        }
        let stretch = Stretch::open(folder)?;
        let key = stretch.key(folder, passphrase)?;
        Ok(Self { name: format!("passphrase in {}", path.display()), key: SealKey::new(&key)? })
    }
}

/// The path of a credential that the service manager hands over (`LoadCredential=`, `$CREDENTIALS_DIRECTORY`).
pub fn service_credential(name: &str) -> Result<PathBuf, RootError> {
    let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
    let folder = folder.ok_or_else(|| RootError::Other("$CREDENTIALS_DIRECTORY is not set".to_owned()))?;
    if name.is_empty() || name.contains('/') || name.starts_with('.') {
        return Err(RootError::Other("not the name of a credential".to_owned()));
    }
    Ok(Path::new(&folder).join(name))
}

impl Stretch {
    fn open(folder: &Path) -> Result<Self, RootError> {
        let path = folder.join("root.toml");
        match fs::read_to_string(&path) {
            Ok(text) => {
                toml::from_str(&text).map_err(|_| Self::content(folder, "cannot be read as parameters of Argon2id"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                refuse_beside_keys(folder, &path)?;
                let salt = hex::encode(random::<16>()?.as_slice());
                let stretch = Self { salt, memory_kib: MEMORY, passes: PASSES, lanes: LANES };
                let text = toml::to_string(&stretch).map_err(|error| RootError::Other(error.to_string()))?;
                durable::write(&path, text.as_bytes()).map_err(|error| file_error(&path, error))?;
                Ok(stretch)
            }
            Err(error) => Err(file_error(&path, error)),
        }
    }

    fn key(&self, folder: &Path, passphrase: &[u8]) -> Result<Secret, RootError> {
        let within =
            (LEAST_MEMORY..=MOST_MEMORY).contains(&self.memory_kib) && (1..=MOST_PASSES).contains(&self.passes);
        let salt = hex::decode(&self.salt).ok().filter(|salt| within && salt.len() >= 16);
        let salt = salt.ok_or_else(|| Self::content(folder, "has a salt, a memory size or a count out of bounds"))?;
        let wrong = |_| Self::content(folder, "has parameters that Argon2id refuses");
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY)).map_err(wrong)?;
        let mut key = Zeroizing::new([0; KEY]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(passphrase, &salt, key.as_mut_slice()).map_err(wrong)?;
        Ok(Secret::copy_of(key.as_slice()))
    }

    fn content(folder: &Path, why: &'static str) -> RootError {
        RootError::Content { path: folder.join("root.toml").display().to_string(), why }
    }
}

/// What the keys were sealed with cannot be made a second time.
fn refuse_beside_keys(folder: &Path, path: &Path) -> Result<(), RootError> {
    if folder.join(super::keyring::NAME).exists() {
        let why = "is missing, and the store's keys were sealed with it; restore it from a backup";
        return Err(RootError::Content { path: path.display().to_string(), why });
    }
    Ok(())
}

fn read_private(path: &Path) -> Result<Secret, RootError> {
    let mut file = File::open(path).map_err(|error| file_error(path, error))?;
    let metadata = file.metadata().map_err(|error| file_error(path, error))?;
    let mode = metadata.permissions().mode() & 0o7777;
    let manager = std::env::var_os("CREDENTIALS_DIRECTORY");
    if mode & others(path, manager.as_deref().map(Path::new)) != 0 {
        return Err(RootError::Permissions { path: path.display().to_string(), mode });
    }
    if !metadata.is_file() || metadata.len() > MOST_CONTENT {
        return Err(RootError::Content { path: path.display().to_string(), why: "is no file, or too large" });
    }
    // One more byte than there is, so that reading does not grow the buffer and leave a copy behind.
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1));
    file.by_ref().take(MOST_CONTENT).read_to_end(&mut content).map_err(|error| file_error(path, error))?;
    Ok(Secret::copy_of(&content))
}

/// The permission bits that a secret file may not have. The service manager gives its credentials to a user by an access
/// control list, whose mask shows as the group's right to read.
fn others(path: &Path, manager: Option<&Path>) -> u32 {
    if manager.is_some() && path.parent() == manager { 0o037 } else { 0o077 }
}

fn decode_key(content: &[u8]) -> Option<Secret> {
    if content.len() == KEY {
        return Some(Secret::copy_of(content));
    }
    let text = content.trim_ascii();
    let mut key = Zeroizing::new([0; KEY]);
    if hex::decode_to_slice(text, key.as_mut_slice()).is_ok() {
        return Some(Secret::copy_of(key.as_slice()));
    }
    let decoded = Zeroizing::new(base64(text)?);
    (decoded.len() == KEY).then(|| Secret::copy_of(&decoded))
}

/// Base64 of RFC 4648 §4 with padding.
fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = text.split_at_checked(text.len().checked_sub(padding)?)?.0;
    // Sized before, so that growing leaves no copy behind.
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut held) = (0_u32, 0);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    (padding <= 2 && bits == 0).then_some(bytes)
}

fn file_error(path: &Path, error: io::Error) -> RootError {
    RootError::File { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_service_manager_may_show_a_mask() {
        let folder = Path::new("/run/credentials/kmipd.service");
        assert_eq!(others(&folder.join("root"), Some(folder)), 0o037);
        assert_eq!(others(&folder.join("below/root"), Some(folder)), 0o077);
        assert_eq!(others(Path::new("/etc/kmipd/root"), Some(folder)), 0o077);
        assert_eq!(others(Path::new("/etc/kmipd/root"), None), 0o077);
    }

    #[test]
    fn base64_of_rfc_4648() {
        let vectors = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"];
        for (length, text) in vectors.into_iter().enumerate() {
            assert_eq!(base64(text.as_bytes()).as_deref(), b"foobar".get(..length), "{text}");
        }
        for wrong in ["Zg", "Zg=", "Z===", "====", "Zh==", "Zm9v!a==", "=Zg="] {
            assert_eq!(base64(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
