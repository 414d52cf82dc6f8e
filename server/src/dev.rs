//! `kmipd dev`: everything that a server and its first client need, made in one folder, and served at once.
//!
//! The keys of this folder protect nothing: whoever can read it has them all.

mod guide;

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use kmipd_certs::{Authority, Issued, write_private};
use rustix::fs::{FlockOperation, flock};

use crate::config::{Certification, Config, ConfigError, conformance};
use crate::crypto::pkcs11::{self, DevToken, Pkcs11Error, TokenChoice};

pub use guide::Guide;

/// Where `dev` listens if nothing says otherwise.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5696);

/// The names of the server's certificate.
const NAMES: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

/// The file of the first client, and the Common Name of all.
const CLIENT: &str = "client";

/// Why the folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// A file or folder.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Another server works there.
    #[error("{0} is in use by another process: a `kmipd dev` runs there already; stop it, or choose another --dir")]
    InUse(PathBuf),
    /// Half of a pair.
    #[error("{present} is there, and {missing} is not; remove {present} to have both made anew")]
    Half {
        /// The one.
        present: PathBuf,
        /// The other.
        missing: PathBuf,
    },
    /// Certificates.
    #[error("{path}: {error}")]
    Certificate {
        /// Of which file.
        path: PathBuf,
        /// What is wrong.
        error: kmipd_certs::Error,
    },
    /// SoftHSM.
    #[error("{0}")]
    Hsm(#[from] Pkcs11Error),
    /// The configuration.
    #[error("{0}")]
    Config(#[from] ConfigError),
}

/// What the command line asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Where to listen; it goes before the folder's configuration.
    pub listen: Option<SocketAddr>,
    /// Whether keys live in a token of SoftHSM.
    pub hsm: bool,
    /// Whether a conformance suite is to be pointed at the server: see [`conformance`].
    pub conformance: bool,
}

/// A folder that is ready to be served, and locked as long as this lives.
pub struct Folder {
    path: PathBuf,
    /// The configuration, with the address that the command line asked for.
    pub config: Config,
    _lock: File,
}

impl Folder {
    /// Makes what is missing in the folder, and nothing else.
    ///
    /// With `hsm`, the process may replace itself once, with SoftHSM's configuration in its environment.
    ///
    /// # Errors
    /// The folder cannot be written, is in use, or holds half of something.
    pub fn prepare(path: &Path, options: &Options) -> Result<Self, DevError> {
        let Options { listen, hsm, conformance } = *options;
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| file_error(path, error))?;
        let path = path.canonicalize().map_err(|error| file_error(path, error))?;
        let lock = lock(&path)?;
        let token = if hsm { Some(token(&path)?) } else { None };
        certificates(&path, listen, if conformance { &conformance::MORE_CLIENTS } else { &[] })?;
        certification(&path, conformance)?;
        let file = path.join("kmipd.toml");
        if !file.exists() {
            create(&file, &configuration(listen.unwrap_or(DEFAULT_LISTEN)))?;
        }
        let mut config = Config::load(&file)?;
        if let (Some(token), None) = (&token, &config.hsm) {
            append(&file, &hsm_section(token))?;
            config = Config::load(&file)?;
        }
        if let Some(listen) = listen {
            config.listen.address = vec![listen];
        }
        if conformance {
            // The folder may be older than its authority.
            config.certification.get_or_insert_with(|| {
                Certification::with_files(path.join("issuing-ca.pem"), path.join("issuing-ca.key"))
            });
            conformance::configure(&mut config);
        }
        Ok(Self { path, config, _lock: lock })
    }

    /// Writes PyKMIP's configuration for a server at this address, and says how to connect to it and to HTTPS.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn guide(&self, address: SocketAddr, https: Option<SocketAddr>) -> Result<Guide, DevError> {
        let more_clients: &[&str] = if self.config.store.interop { &conformance::MORE_CLIENTS } else { &[] };
        let guide = Guide::new(&self.path, address, https, more_clients);
        let file = self.path.join("pykmip.conf");
        let draft = self.path.join("pykmip.conf.new");
        // A client that reads it at this moment sees the old one or the new one.
        fs::write(&draft, guide.pykmip_conf())
            .and_then(|()| fs::rename(&draft, &file))
            .map_err(|error| file_error(&file, error))?;
        Ok(guide)
    }
}

fn file_error(path: &Path, error: io::Error) -> DevError {
    DevError::File { path: path.to_owned(), error }
}

fn lock(folder: &Path) -> Result<File, DevError> {
    let path = folder.join(".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| file_error(&path, error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(DevError::InUse(folder.to_owned())),
        Err(error) => Err(file_error(&path, error.into())),
    }
}

/// SoftHSM's token in the folder.
fn token(folder: &Path) -> Result<pkcs11::Config, DevError> {
    let token = DevToken::prepare(&folder.join("hsm"))?;
    token.enter()?;
    Ok(token.config()?)
}

fn certificates(folder: &Path, listen: Option<SocketAddr>, more_clients: &[&str]) -> Result<(), DevError> {
    let (ca, ca_key) = (folder.join("ca.pem"), folder.join("ca.key"));
    let wrong = |error| DevError::Certificate { path: ca.clone(), error };
    let authority = if pair_is_there(&ca, &ca_key)? {
        let read = |path: &Path| fs::read_to_string(path).map_err(|error| file_error(path, error));
        Authority::from_pem(&read(&ca)?, &zeroize::Zeroizing::new(read(&ca_key)?)).map_err(wrong)?
    } else {
        let authority = Authority::new().map_err(wrong)?;
        create_key(&ca_key, &authority.key_pem())?;
        create(&ca, authority.cert_pem())?;
        authority
    };
    pair(folder, "server", || {
        let own = listen.map(|address| address.ip()).filter(|ip| !ip.is_unspecified()).map(|ip| ip.to_string());
        let names: Vec<&str> = NAMES.into_iter().chain(own.as_deref().filter(|own| !NAMES.contains(own))).collect();
        authority.issue_server(&names)
    })?;
    // One name in all of them: one client, as far as the server knows.
    [CLIENT].iter().chain(more_clients).try_for_each(|file| pair(folder, file, || authority.issue_client(CLIENT)))
}

/// The authority of Certify, apart from the one whose clients are admitted: every client can have it make certificates, and
/// in any name.
fn certification(folder: &Path, conformance: bool) -> Result<(), DevError> {
    let (ca, ca_key) = (folder.join("issuing-ca.pem"), folder.join("issuing-ca.key"));
    if pair_is_there(&ca, &ca_key)? {
        return Ok(());
    }
    let made =
        if conformance { Authority::with_rsa(&conformance::AUTHORITY) } else { Authority::named("kmipd issuing CA") };
    let authority = made.map_err(|error| DevError::Certificate { path: ca.clone(), error })?;
    create_key(&ca_key, &authority.key_pem())?;
    create(&ca, authority.cert_pem())
}

fn pair(folder: &Path, name: &str, issue: impl FnOnce() -> Result<Issued, kmipd_certs::Error>) -> Result<(), DevError> {
    let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
    if pair_is_there(&cert, &key)? {
        return Ok(());
    }
    let issued = issue().map_err(|error| DevError::Certificate { path: cert.clone(), error })?;
    create_key(&key, &issued.key_pem)?;
    create(&cert, &issued.cert_pem)
}

fn pair_is_there(cert: &Path, key: &Path) -> Result<bool, DevError> {
    match (cert.exists(), key.exists()) {
        (true, true) => Ok(true),
        (false, false) => Ok(false),
        (true, false) => Err(DevError::Half { present: cert.to_owned(), missing: key.to_owned() }),
        (false, true) => Err(DevError::Half { present: key.to_owned(), missing: cert.to_owned() }),
    }
}

fn create(path: &Path, text: &str) -> Result<(), DevError> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(|error| file_error(path, error))
}

fn create_key(path: &Path, pem: &str) -> Result<(), DevError> {
    write_private(path, pem).map_err(|error| file_error(path, error))
}

fn append(path: &Path, text: &str) -> Result<(), DevError> {
    OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| file_error(path, error))
}

fn configuration(listen: SocketAddr) -> String {
    format!(
        r#"# Made by `kmipd dev`, for development: the root key lies in the folder of the store and protects nothing.
# `kmipd serve` refuses it.

[listen]
address = "{listen}"

[tls]
certificate = "server.pem"
key = "server.key"
client_ca = "ca.pem"

# Certify makes certificates with it. It is not the authority of the clients: nobody logs in with what it makes.
[certification]
certificate = "issuing-ca.pem"
key = "issuing-ca.key"

[identity]
administrators = ["client"]

[store]
path = "store"

[root_key]
kind = "dev-file"

[provisioning]
certificate = "ca.pem"
key = "ca.key"
"#
    )
}

fn hsm_section(token: &pkcs11::Config) -> String {
    // A string of TOML is quoted as one of JSON is.
    let module = serde_json::Value::from(token.module.to_string_lossy());
    let choice = match &token.token {
        TokenChoice::Label(label) => format!("token = {}", serde_json::Value::from(label.as_str())),
        TokenChoice::Slot(slot) => format!("slot = {slot}"),
    };
    format!(
        r#"
# A token of SoftHSM, made by `kmipd dev --hsm`.
[hsm]
module = {module}
{choice}
pin_file = "hsm/pin"
softhsm_conf = "hsm/softhsm2.conf"
"#
    )
}
