//! Puts the house together from its configuration: root key, store, HSM, service, network.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use kmip_codec::spec::{Tag, mask_of, xml_name};
use kmip_codec::ttlv::Limits;

use crate::config::{self, Config, RootKeyKind};
use crate::crypto::Provider;
use crate::crypto::pkcs11::{self, HsmRoot, Pkcs11Error, Token, TokenChoice};
use crate::crypto::providers::Providers;
use crate::dispatch::{Dispatcher, Lane, asynchronous};
use crate::net::{BindError, Server, Tls, TlsError, outbound};
use crate::secret::Secret;
use crate::session::parts::{self, Parts};
use crate::store::StoreError;
use crate::store::keyring::{self, KeysError};
use crate::store::root::{FileRoot, RootError, RootKey, service_credential};
use crate::store::sled::{SledOptions, SledStore};
use crate::store::vault::{Vault, VaultError};
use crate::system;
use crate::trust::accounts::Accounts;
use crate::trust::attestation::Attestation;
use crate::trust::link::{Admits, Provisioning};
use crate::view::{About, Endpoint, Listener, Protection, Settings, Shared, Spoken, SystemClock, Told, reindex};

pub mod certification;
mod interop;
pub mod module;
pub mod provisioning;
mod service;

pub use service::KmipService;

/// Slow operations at the same time that need no HSM: RSA in software, passwords, certificates.
const SLOW_PLACES: usize = 4;

/// The label of the root key on a token.
const ROOT_LABEL: &str = "kmipd-root";

/// The variable in which SoftHSM looks for its configuration.
const SOFTHSM_VARIABLE: &str = "SOFTHSM2_CONF";

/// Where glibc reads what its malloc is to do; others do not know it. SoftHSM copies the list of its mechanisms, about
/// eighty pieces of memory, each time that it begins something. A thread keeps seven pieces of a size unless more is said;
/// to give back the rest and fetch it again took as long as the encryption.
const MEMORY_VARIABLE: &str = "GLIBC_TUNABLES";
const MEMORY: &str = "glibc.malloc.tcache_count=128";

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
    #[error("[listen] or [https] {0}")]
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
        let options = SledOptions {
            cache_bytes: config.store.cache_mib.saturating_mul(1024 * 1024),
            hot_bytes: config.store.hot_mib.saturating_mul(1024 * 1024),
        };
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
pub async fn build(config: &Config) -> Result<Server<KmipService>, StartError> {
    let mut settings = settings(config)?;
    let tls = Arc::new(Tls::load(&config.tls, config.identity.from, settings.authority.clone())?);
    if config.provisioning.is_some() {
        let admits: Arc<dyn Admits> = tls.clone();
        settings.provisioning = Some(Provisioning { admits, authority: provisioning::authority(config)? });
    }
    let Storage { vault, token } = Storage::open(config)?;
    // Before anything else is written: the mark is the first row of a store.
    interop::settle(&vault, &config.store).await?;
    let module: Option<Arc<dyn Provider>> = match token {
        Some(token) => Some(Arc::new(module::open(token, &vault, config).await?)),
        None => None,
    };
    let shared = Arc::new(Shared {
        vault,
        providers: Providers::new(module),
        clock: Box::new(SystemClock),
        settings,
        parts: Parts::new(parts_limits(&config.limits)),
        instances: Arc::default(),
    });
    reindex::ensure(&shared).await.map_err(|failure| StartError::Refused(format!("[store] {}", failure.message)))?;
    let limits = Limits { depth: config.limits.depth, items: config.limits.items };
    let lane = Lane::new(SLOW_PLACES, config.hsm.as_ref().map_or(1, |hsm| hsm.sessions));
    let dispatcher = Dispatcher::new(shared, limits, config.limits.batch_items, lane);
    let issuers: Arc<dyn Admits> = Arc::clone(&tls) as _;
    let dispatcher = dispatcher.with_asynchronous(later(config)).with_issuers(issuers);
    let service = Arc::new(KmipService::start(dispatcher));
    for listener in config.notify.iter().chain(&config.put) {
        service.start_task(outbound::deliver(service.dispatcher(), Arc::clone(&tls), listener.clone()));
    }
    let (wanted, allowed) = (config.limits.connections, system::allow_connections(config.limits.connections));
    if allowed < wanted {
        tracing::warn!(
            wanted,
            allowed,
            "the system allows fewer open files than [limits] connections needs (ulimit -Hn)"
        );
    }
    let server = Server::bind(&config.listen.address, tls, service, config.limits).await?;
    Ok(server.with_https(&config.https.address).await?)
}

/// What the configuration says of requests that are answered later.
fn later(config: &Config) -> asynchronous::Settings {
    let config::Asynchronous { delay_seconds, keep_seconds, waiting_per_client, whenever_possible } =
        config.asynchronous;
    asynchronous::Settings {
        delay: delay_seconds,
        keep: keep_seconds,
        per_client: waiting_per_client,
        when_optional: whenever_possible,
    }
}

/// What the configuration says of operations in several parts.
const fn parts_limits(limits: &config::Limits) -> parts::Limits {
    parts::Limits {
        per_client: limits.parts_per_client,
        all: limits.parts,
        idle: limits.parts_seconds,
        bytes: limits.parts_bytes,
        bytes_per_client: limits.parts_bytes_per_client,
        bytes_in_all: limits.parts_bytes_in_all,
        held_per_client: limits.parts_in_module_per_client,
        held: limits.parts_in_module,
    }
}

/// Who is told of changes, and who is sent new objects.
fn listeners(config: &Config) -> Result<Vec<Listener>, StartError> {
    let none = |name| StartError::Refused(format!("[[put]] object_types: there is no type of objects \"{name}\""));
    let listener = |listener: &config::Listener, told| Listener {
        name: listener.name.clone(),
        identities: listener.identities.clone(),
        told,
    };
    let notify = config.notify.iter().map(|notify| Ok(listener(notify, Told::Changes)));
    let put = config.put.iter().map(|put| Ok(listener(put, Told::Objects(put.object_types().map_err(none)?))));
    notify.chain(put).collect()
}

/// What the configuration says of keys and answers, for the view.
///
/// # Errors
/// What the server would not start with.
pub fn settings(config: &Config) -> Result<Settings, StartError> {
    let default = Settings::default();
    let mut protection = default.protection;
    for (name, residency) in &config.keys.protection_storage {
        let bits = mask_of(Tag::ProtectionStorageMask).and_then(|mask| mask.from_xml_name(&xml_name(name)));
        let bits = bits.ok_or_else(|| {
            StartError::Refused(format!("[keys] protection_storage: there is no Protection Storage Mask \"{name}\""))
        })?;
        // A kind of storage is one place, and the configuration says which.
        let Protection { sealed, wrapped, token } = &mut protection;
        [&mut *sealed, &mut *wrapped, &mut *token].into_iter().for_each(|place| *place &= !bits);
        match residency {
            config::Residency::Sealed => *sealed |= bits,
            config::Residency::Wrapped => *wrapped |= bits,
            config::Residency::Token => *token |= bits,
        }
    }
    let skew = u32::try_from(config.compatibility.time_skew_seconds).unwrap_or(u32::MAX);
    let mut about = About::new(config.query.elements().map_err(StartError::Refused)?);
    about.https = https_endpoints(&config.https);
    about.spoken = spoken(config);
    let authority = certification::authority(config)?;
    Ok(Settings {
        anchors: certification::anchors(config, authority.as_deref())?,
        revocation: Arc::new(certification::revocation(config)?),
        authority,
        accept_foreign_request: config.compatibility.accept_foreign_request,
        extractable: config.keys.extractable_by_default,
        default_in_turn: config.keys.group_default == config::GroupDefault::InTurn,
        client_nonces: config.keys.client_nonces,
        accept_wrong_length: config.compatibility.accept_wrong_length,
        ignore_credentials: config.compatibility.ignore_credentials,
        locate_by_template_attribute: config.compatibility.locate_by_template_attribute,
        interop: config.store.interop,
        accounts: Some(Arc::new(Accounts::new(config).map_err(StartError::Refused)?)),
        attestation: Attestation::new(config).map_err(StartError::Refused)?.map(Arc::new),
        tell_of_others: config.identity.tell_of_others,
        object_groups: config.keys.object_groups.clone(),
        longest_ticket: config.tickets.longest_seconds,
        most_tickets: config.tickets.most,
        clock_skew: Some(skew),
        permits: config.algorithms.permits().map_err(StartError::Refused)?,
        protection,
        listeners: listeners(config)?,
        about,
        client_token: config.client_token.read().map_err(StartError::Refused)?,
        longest_lease: config.keys.lease_seconds,
        maximum_attributes: config.limits.attributes,
        ..default
    })
}

/// What clients can count on before their first message.
fn spoken(config: &Config) -> Spoken {
    let (protocols, cipher_suites) = Tls::spoken(config.tls.authentication_suite);
    let ports = config.listen.address.iter().map(SocketAddr::port).collect();
    Spoken { protocols, cipher_suites, ports, batch_items: config.limits.batch_items }
}

/// Where clients reach HTTPS, as far as the addresses say: one that stands for all of this machine's says nothing.
fn https_endpoints(https: &config::Https) -> Vec<Endpoint> {
    let known = https.address.iter().filter(|address| !address.ip().is_unspecified() && address.port() != 0);
    known.map(|address| Endpoint { uri: format!("https://{address}/kmip").into(), port: address.port() }).collect()
}

/// Refuses what is for development only: a store that a conformance suite may empty, and what `kmipd dev` made, whose
/// root key lies in the folder of the store.
///
/// # Errors
/// The words.
pub fn refuse_dev(config: &Config) -> Result<(), StartError> {
    if config.store.interop {
        return Err(StartError::Refused(
            "[store] interop = true lets every client empty the store, for conformance suites: `kmipd serve` refuses it; \
             `kmipd dev --conformance` is there for them"
                .to_owned(),
        ));
    }
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
/// (To change the environment of a process that has threads is unsound.) What is set there for memory stays.
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
    let memory = std::env::var_os(MEMORY_VARIABLE).unwrap_or_else(|| MEMORY.into());
    let mut again = Command::new(program);
    again.args(std::env::args_os().skip(1)).env(SOFTHSM_VARIABLE, file).env(MEMORY_VARIABLE, memory);
    Err(fail(again.exec()))
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
    settings.arguments.clone_from(&hsm.arguments);
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
