//! The module and its wrapping key: found or made, never made twice for one store, and proven by another process before
//! anything is wrapped with it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::{StartError, token};
use crate::config::Config;
use crate::crypto::pkcs11::{Claims, Pkcs11Provider, Token, WrappingKey};
use crate::secret::Secret;
use crate::store::vault::{Vault, WRAPPING_KEY_CHECK};

/// The label of the wrapping key on a token.
const WRAPPING_LABEL: &str = "kmipd-wrapping";

/// The hidden command that opens a check blob, given on standard input.
pub const CHECK_COMMAND: &str = "check-wrapping-key";

/// Opens the wrapping key, or makes it for a store that has none, and tests the module.
///
/// # Errors
/// The token does not have the wrapping key of this store; the module does not work.
pub async fn open(token: Token, vault: &Vault, config: &Config) -> Result<Pkcs11Provider, StartError> {
    let found = WrappingKey::find(&token, WRAPPING_LABEL);
    let wrapping = match vault.meta(WRAPPING_KEY_CHECK)? {
        Some((blob, _)) => {
            let wrapping = found?.ok_or_else(|| {
                StartError::Refused(format!(
                    "[hsm] the token has no key \"{WRAPPING_LABEL}\", with which the keys of the store {} are wrapped; is \
                     it the right token?",
                    config.store.path.display()
                ))
            })?;
            wrapping.verify_check_blob(blob.expose())?;
            wrapping
        }
        None => {
            let (wrapping, blob) = match found {
                // Made by a start that ended before it was noted: nothing is wrapped with it in this store.
                Ok(Some(wrapping)) => {
                    let blob = wrapping.check_blob()?;
                    (wrapping, blob)
                }
                // Nothing is there, or a part that such a start has left: both are for `create` to deal with.
                Ok(None) | Err(_) => match WrappingKey::create(&token, WRAPPING_LABEL) {
                    Ok(made) => made,
                    Err(refused) => {
                        let provider = Pkcs11Provider::without_keys(token, refused)?;
                        tell(&provider);
                        return Ok(provider);
                    }
                },
            };
            prove(config, &blob)?;
            note(vault, &blob).await?;
            wrapping
        }
    };
    let provider = Pkcs11Provider::new(token, wrapping)?;
    tell(&provider);
    Ok(provider)
}

/// Says in the log what the self-test saw.
fn tell(provider: &Pkcs11Provider) {
    let Claims { findings, non_exportable } = provider.claims();
    for finding in findings {
        tracing::debug!("module self-test: {finding}");
    }
    if !non_exportable {
        let through = findings.iter().filter(|finding| !finding.withstood).count();
        tracing::warn!(
            "the module does not keep keys from leaving ({through} of {} attempts of the self-test went through): keys \
             that are not Extractable stay sealed in the store instead",
            findings.len()
        );
    }
}

/// A software token may hold a new key in memory alone: another process opens the blob before the key is used.
fn prove(config: &Config, blob: &[u8]) -> Result<(), StartError> {
    let failed = |why: String| StartError::Refused(format!("[hsm] a fresh process cannot use the wrapping key: {why}"));
    let Some(file) = config.file.as_deref() else {
        return Err(failed("the configuration has no file".to_owned()));
    };
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut child = Command::new(program)
        .arg(CHECK_COMMAND)
        .arg("--config")
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(blob).map_err(|error| failed(error.to_string()))?;
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }
}

/// The other process: opens the token and the blob that comes on standard input.
///
/// # Errors
/// The blob does not open.
pub fn check(file: &Path) -> Result<(), StartError> {
    let refused = |why: String| StartError::Refused(why);
    let config = Config::load(file).map_err(|error| refused(error.to_string()))?;
    let hsm = config.hsm.as_ref().ok_or_else(|| refused("there is no [hsm]".to_owned()))?;
    let mut blob = Vec::new();
    std::io::stdin().take(64 * 1024).read_to_end(&mut blob).map_err(|error| refused(error.to_string()))?;
    let wrapping = WrappingKey::find(&token(hsm)?, WRAPPING_LABEL)?;
    let wrapping = wrapping.ok_or_else(|| refused(format!("the token has no key \"{WRAPPING_LABEL}\"")))?;
    Ok(wrapping.verify_check_blob(&blob)?)
}

async fn note(vault: &Vault, blob: &[u8]) -> Result<(), StartError> {
    let mut batch = vault.batch();
    batch.put_meta(WRAPPING_KEY_CHECK, 0, &Secret::copy_of(blob))?;
    let noted = vault.commit(batch).await;
    let failed = |why: String| StartError::Refused(format!("[store] the wrapping key cannot be noted: {why}"));
    noted.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}
