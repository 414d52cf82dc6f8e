//! Puts the house together from its configuration: root key, store, HSM, service, network.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use bytes::Bytes;

use crate::config::{self, Config, RootKeyKind};
use crate::crypto::pkcs11::{self, HsmRoot, Pkcs11Error, Token, TokenChoice};
use crate::net::service::{Answer, Peer, Service, Unreadable};
use crate::net::{BindError, Server, Tls, TlsError};
use crate::secret::Secret;
use crate::store::keyring::{self, KeysError};
use crate::store::root::{FileRoot, RootError, RootKey, service_credential};
use crate::store::sled::{SledOptions, SledStore};
use crate::store::vault::{Vault, VaultError};
use crate::store::{Store, StoreError};

/// The label of the root key on a token.
const ROOT_LABEL: &str = "kmipd-root";

/// The variable in which SoftHSM looks for its configuration.
const SOFTHSM_VARIABLE: &str = "SOFTHSM2_CONF";

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The root key.
    #[error("[root_key] {0}")]
    Root(#[from] RootError),
    /// The keys of the store.
    #[error("[store] {0}")]
    Keys(#[from] KeysError),
    /// The store.
    #[error("[store] {0}")]
    Store(#[from] StoreError),
    /// The rows of the store.
    #[error("[store] {0}")]
    Vault(#[from] VaultError),
    /// The HSM.
    #[error("[hsm] {0}")]
    Hsm(#[from] Pkcs11Error),
    /// Certificates and trust.
    #[error("{0}")]
    Tls(#[from] TlsError),
    /// The address.
    #[error("[listen] {0}")]
    Bind(#[from] BindError),
    /// Something that the configuration says and that cannot be.
    #[error("{0}")]
    Refused(String),
}

/// What rests: the sealed store, and the token if there is one.
pub struct Storage {
    /// The store, sealed.
    pub vault: Vault,
    /// The HSM's token.
    pub token: Option<Token>,
}

impl Storage {
    /// Opens the root key, the store and the HSM. A new store is made where there is none.
    ///
    /// # Errors
    /// Which of them cannot be opened, and why.
    pub fn open(config: &Config) -> Result<Self, StartError> {
        let token = config.hsm.as_ref().map(token).transpose()?;
        let options = SledOptions { cache_bytes: config.store.cache_mib.saturating_mul(1024 * 1024) };
        // First the store: its lock keeps others from the files that are made beside it.
        let store = SledStore::open(&config.store.path, &options)?;
        let id = store.id();
        let root = root_key(config, token.as_ref())?;
        let keys = keyring::open(&config.store.path, id, &store, &*root)?;
        let vault = Vault::open(Arc::new(store), id, keys)?;
        Ok(Self { vault, token })
    }
}

/// Builds the server from its configuration, bound to its addresses and ready to serve.
///
/// # Errors
/// What cannot be opened, read or bound.
pub async fn build(config: &Config) -> Result<Server<impl Service>, StartError> {
    let tls = Arc::new(Tls::load(&config.tls, config.identity.from)?);
    let storage = Storage::open(config)?;
    let service = Arc::new(Unwired { store: Arc::clone(storage.vault.store()) });
    Ok(Server::bind(&config.listen.address, tls, service, config.limits).await?)
}

/// Refuses what `kmipd dev` made: its root key lies in the folder of the store.
///
/// # Errors
/// The words.
pub fn refuse_dev(config: &Config) -> Result<(), StartError> {
    let made_by_dev = config.root_key.kind == RootKeyKind::DevFile || config.store.path.join("root.key").exists();
    let inside = config.root_key.path.as_ref().is_some_and(|path| path.starts_with(&config.store.path));
    if made_by_dev || inside {
        return Err(StartError::Refused(format!(
            "the root key lies in the store's folder {}, as `kmipd dev` makes it: whoever copies the folder has every \
             key. `kmipd serve` refuses such a store; make a new one with another [root_key] (passphrase, credential, \
             file elsewhere, hsm)",
            config.store.path.display()
        )));
    }
    Ok(())
}

/// Replaces the process by itself, once, with SoftHSM's configuration in the environment, where the module looks for it.
/// (To change the environment of a process that has threads is unsound.)
///
/// # Errors
/// The process cannot be replaced.
pub fn enter_softhsm(config: &Config) -> Result<(), StartError> {
    let Some(file) = config.hsm.as_ref().and_then(|hsm| hsm.softhsm_conf.as_ref()) else { return Ok(()) };
    if std::env::var_os(SOFTHSM_VARIABLE).is_some() {
        return Ok(());
    }
    let fail = |error: std::io::Error| StartError::Refused(format!("[hsm] softhsm_conf: {error}"));
    let file = file.canonicalize().map_err(fail)?;
    let program = std::env::current_exe().map_err(fail)?;
    Err(fail(Command::new(program).args(std::env::args_os().skip(1)).env(SOFTHSM_VARIABLE, file).exec()))
}

/// Opens the token that `[hsm]` names.
///
/// # Errors
/// What is wrong with module, token or PIN.
pub fn token(hsm: &config::Hsm) -> Result<Token, StartError> {
    let choice = match (&hsm.token, hsm.slot) {
        (Some(label), _) => TokenChoice::Label(label.clone()),
        (None, Some(slot)) => TokenChoice::Slot(slot),
        (None, None) => return Err(StartError::Refused("[hsm] needs `token` or `slot`".to_owned())),
    };
    let pin = match (&hsm.pin_file, &hsm.pin_env, &hsm.pin_credential) {
        (Some(path), _, _) => pkcs11::read_pin(path)?,
        (None, Some(variable), _) => {
            let value = std::env::var(variable).map_err(|_| {
                StartError::Refused(format!("[hsm] pin_env: the environment variable {variable} is not set"))
            })?;
            Secret::new(value.into_bytes())
        }
        (None, None, Some(name)) => pkcs11::read_pin(&service_credential(name)?)?,
        (None, None, None) => return Err(StartError::Refused("[hsm] needs a PIN".to_owned())),
    };
    let mut settings = pkcs11::Config::new(hsm.module.clone(), choice, pin);
    settings.pool = hsm.sessions;
    settings.handles = hsm.handles;
    Ok(Token::open(&settings)?)
}

fn root_key(config: &Config, token: Option<&Token>) -> Result<Box<dyn RootKey>, StartError> {
    let (root, folder) = (&config.root_key, &config.store.path);
    let path = || -> Result<PathBuf, StartError> {
        match (&root.path, &root.passphrase_file, &root.credential) {
            (Some(path), _, _) | (None, Some(path), _) => Ok(path.clone()),
            (None, None, Some(name)) => Ok(service_credential(name)?),
            (None, None, None) => Err(StartError::Refused("[root_key] says no file".to_owned())),
        }
    };
    Ok(match root.kind {
        RootKeyKind::DevFile => Box::new(FileRoot::beside(folder)?),
        RootKeyKind::File | RootKeyKind::Credential => Box::new(FileRoot::credential(&path()?)?),
        RootKeyKind::Passphrase => Box::new(FileRoot::passphrase(folder, &path()?)?),
        RootKeyKind::Hsm => {
            let token = token.ok_or_else(|| StartError::Refused("[root_key] kind = \"hsm\" needs [hsm]".to_owned()))?;
            Box::new(InHsm(hsm_root(token, folder)?))
        }
    })
}

/// A root key is made only for a store that has no keys yet: keys sealed by another one could never be opened.
fn hsm_root(token: &Token, folder: &Path) -> Result<HsmRoot, StartError> {
    match HsmRoot::find(token, ROOT_LABEL)? {
        Some(root) => Ok(root),
        None if folder.join(keyring::NAME).exists() => Err(StartError::Refused(format!(
            "[root_key] the token has no key \"{ROOT_LABEL}\", which opens {}; is it the right token?",
            folder.display()
        ))),
        None => Ok(HsmRoot::create(token, ROOT_LABEL)?),
    }
}

/// The root key of the token, as the store sees it.
struct InHsm(HsmRoot);

impl RootKey for InHsm {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn seal(&self, context: &[u8], secret: &Secret) -> Result<Vec<u8>, RootError> {
        self.0.seal(context, secret).map_err(|error| RootError::Other(error.to_string()))
    }

    fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, RootError> {
        self.0.open(context, sealed).map_err(|error| RootError::Other(error.to_string()))
    }
}

/// Answers every request with Operation Failed, General Failure, of version 1.0.
struct Unwired {
    store: Arc<dyn Store>,
}

/// A Response Message (KMIP 1.0 section 7.2) whose Time Stamp is the beginning of time.
const FAILED: &str = "42007b010000009042007a0100000048420069010000002042006a0200000004000000010000000042006b0200000004\
    00000000000000004200920900000008000000000000000042000d0200000004000000010000000042000f0100000038\
    42007f0500000004000000010000000042007e0500000004000001000000000042007d07000000096e6f742077697265\
    6400000000000000";

impl Unwired {
    fn failed() -> Answer {
        Answer { bytes: hex::decode(FAILED).unwrap_or_default(), close: false }
    }
}

impl Service for Unwired {
    async fn answer(&self, _peer: Arc<Peer>, _frame: Bytes) -> Answer {
        Self::failed()
    }

    fn unreadable(&self, _reason: Unreadable, _head: Bytes) -> Answer {
        Self::failed()
    }

    async fn close(&self) {
        if let Err(error) = self.store.close() {
            tracing::error!(%error, "the store did not close well");
        }
    }
}
