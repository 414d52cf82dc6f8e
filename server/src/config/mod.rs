//! The configuration file: TOML, every section documented here and in the sample `deploy/kmipd.toml`.
//!
//! An unknown key is an error, never ignored. Relative paths are relative to the folder of the file.

mod address;
mod algorithms;
mod attestation;
mod certification;
mod client_token;
pub mod conformance;
mod load;
mod provisioning;
mod query;
mod tickets;
mod users;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use kmip_codec::spec::Version;
use serde::Deserialize;

pub use algorithms::Algorithms;
pub use attestation::{Attestation, Tpm};
pub use certification::{Certification, SigningKey, Validation};
pub use client_token::ClientToken;
pub use load::ConfigError;
pub use provisioning::Provisioning;
pub use query::Query;
pub use tickets::Tickets;
pub use users::{Device, Hidden, Right, User};

use crate::session::parts;

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file that it was read from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// Where to listen.
    #[serde(default)]
    pub listen: Listen,
    /// Where to listen for HTTPS.
    #[serde(default)]
    pub https: Https,
    /// The server's certificate and the clients that are trusted.
    pub tls: Tls,
    /// What in a client's certificate says who it is.
    #[serde(default)]
    pub identity: Identity,
    /// Where the data rest.
    pub store: Store,
    /// What opens the store.
    pub root_key: RootKey,
    /// The PKCS#11 module, if there is one.
    #[serde(default)]
    pub hsm: Option<Hsm>,
    /// Where keys live.
    #[serde(default)]
    pub keys: Keys,
    /// What is done that one should not do any more.
    #[serde(default)]
    pub algorithms: Algorithms,
    /// What clients may ask for at the most.
    #[serde(default)]
    pub limits: Limits,
    /// Requests that are answered later.
    #[serde(default)]
    pub asynchronous: Asynchronous,
    /// Clients that are told of changes (Notify).
    #[serde(default)]
    pub notify: Vec<Listener>,
    /// Clients to which new objects are sent (Put).
    #[serde(default)]
    pub put: Vec<Listener>,
    /// The log.
    #[serde(default)]
    pub log: Log,
    /// What Query answers.
    #[serde(default)]
    pub query: Query,
    /// Leniency for clients that stray from the standard.
    #[serde(default)]
    pub compatibility: Compatibility,
    /// Tickets that clients get for later requests.
    #[serde(default)]
    pub tickets: Tickets,
    /// The authority that certifies clients' keys; without it Certify and Re-certify are not offered.
    #[serde(default)]
    pub certification: Option<Certification>,
    /// Which certificates Validate trusts.
    #[serde(default)]
    pub validation: Validation,
    /// What clients to whom the server is a PKCS #11 token read of it.
    #[serde(default)]
    pub client_token: ClientToken,
    /// Who may ask with a user's credential.
    #[serde(default)]
    pub users: Vec<User>,
    /// Who may ask with a device's credential.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// How clients change their certificates; without it Re-Provision is not offered.
    #[serde(default)]
    pub provisioning: Option<Provisioning>,
    /// What a client must show of its machine.
    #[serde(default)]
    pub attestation: Attestation,
    /// The TPMs whose word is taken for it.
    #[serde(default)]
    pub tpm: Vec<Tpm>,
}

/// `[listen]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// One address with its port, or a list of them. Port 0 lets the system choose.
    #[serde(deserialize_with = "address::one_or_many")]
    pub address: Vec<SocketAddr>,
}

impl Default for Listen {
    fn default() -> Self {
        Self { address: vec![SocketAddr::from(([0, 0, 0, 0], 5696))] }
    }
}

/// `[https]`: messages in binary, XML or JSON, sent to `/kmip` with POST by the clients that `[tls]` admits.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Https {
    /// One address with its port, or a list of them; not served if there is none.
    #[serde(deserialize_with = "address::one_or_many")]
    pub address: Vec<SocketAddr>,
}

/// `[tls]`. All files are PEM, and are read anew on SIGHUP and when they change.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The server's certificate, followed by those between it and its root, if any.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
    /// The authorities whose clients are admitted.
    pub client_ca: PathBuf,
    /// Revocation lists of these authorities.
    #[serde(default)]
    pub crl: Vec<PathBuf>,
    /// A text file of clients that are refused: on each line `sha256 <fingerprint>` or `serial <hexadecimal>`, then
    /// anything one wants to remember.
    #[serde(default)]
    pub revoked: Option<PathBuf>,
    /// Which versions and cipher suites are spoken.
    #[serde(default)]
    pub authentication_suite: AuthenticationSuite,
}

/// Which versions and cipher suites of TLS are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthenticationSuite {
    /// TLS 1.2 and 1.3, with every cipher suite that is safe.
    #[default]
    Any,
    /// The Basic Authentication Suite of the KMIP Profiles 2.1 (section 3.1): TLS 1.3, with the two cipher suites that
    /// it names.
    Basic,
}

/// `[identity]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// Which part of the certificate is the identity.
    pub from: IdentitySource,
    /// Identities of certificates whose clients may set the server's defaults and constraints.
    pub administrators: Vec<String>,
    /// Whether an object of somebody else answers Permission Denied, and so shows that it is there; otherwise it is not
    /// found.
    pub tell_of_others: bool,
}

/// Which part of a client's certificate is its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentitySource {
    /// The Common Name of the subject.
    #[default]
    Cn,
    /// The first DNS name of the Subject Alternative Name.
    SanDns,
    /// The first URI of the Subject Alternative Name.
    SanUri,
    /// The first mail address of the Subject Alternative Name.
    SanEmail,
    /// SHA-256 of the certificate, in hexadecimal digits.
    Fingerprint,
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The folder.
    pub path: PathBuf,
    /// Memory for rows as they are on disk, in MiB.
    #[serde(default = "cache_mib")]
    pub cache_mib: u64,
    /// Memory for opened objects, in MiB.
    #[serde(default = "hot_mib")]
    pub hot_mib: usize,
    /// Whether a conformance suite may empty the store with the operation Interop (KMIP 2.1 section 6.1.26). A store is
    /// made for that or never is, and `kmipd serve` refuses it.
    #[serde(default)]
    pub interop: bool,
}

fn cache_mib() -> u64 {
    64
}

fn hot_mib() -> usize {
    64
}

/// `[root_key]`: what opens the key-encryption keys of the store. Which fields are needed depends on the kind.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootKey {
    /// Its kind.
    pub kind: RootKeyKind,
    /// For `file`: the file that holds the key, readable by its owner only.
    #[serde(default)]
    pub path: Option<PathBuf>,
    /// For `passphrase`: a file that holds it.
    #[serde(default)]
    pub passphrase_file: Option<PathBuf>,
    /// For `passphrase` (the passphrase) and `credential` (the key): the name of a credential that the service manager
    /// passes in `$CREDENTIALS_DIRECTORY`.
    #[serde(default)]
    pub credential: Option<String>,
}

/// Where the root key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootKeyKind {
    /// In a file.
    File,
    /// Derived from a passphrase with Argon2id.
    Passphrase,
    /// In a credential of the service manager.
    Credential,
    /// In the HSM.
    Hsm,
    /// In the folder of the store, as `kmipd dev` makes it: whoever has the folder has every key.
    DevFile,
}

/// `[hsm]`: a PKCS#11 module and one of its tokens. Exactly one of `token` and `slot`, and one source of the PIN.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hsm {
    /// The module's shared library.
    pub module: PathBuf,
    /// The token's label.
    #[serde(default)]
    pub token: Option<String>,
    /// The slot's number.
    #[serde(default)]
    pub slot: Option<u64>,
    /// A file that holds the user PIN.
    #[serde(default)]
    pub pin_file: Option<PathBuf>,
    /// An environment variable that holds the user PIN.
    #[serde(default)]
    pub pin_env: Option<String>,
    /// A credential of the service manager that holds the user PIN.
    #[serde(default)]
    pub pin_credential: Option<String>,
    /// Sessions that work at the same time, at most.
    #[serde(default = "hsm_sessions")]
    pub sessions: usize,
    /// Handles of unwrapped keys that stay in the module, at most.
    #[serde(default = "hsm_handles")]
    pub handles: usize,
    /// What the module is given when it is initialised, in its own words.
    #[serde(default)]
    pub arguments: Option<String>,
    /// SoftHSM's configuration file, if it is not the one of the environment.
    #[serde(default)]
    pub softhsm_conf: Option<PathBuf>,
}

fn hsm_sessions() -> usize {
    8
}

fn hsm_handles() -> usize {
    20_000
}

/// `[keys]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keys {
    /// Whether a new key may leave the server if its request does not say (Extractable, KMIP 2.1 section 4.22).
    /// `false` lets all new keys live in the HSM.
    pub extractable_by_default: bool,
    /// Which member of an Object Group is its default (Locate, KMIP 2.1 section 6.1.28).
    pub group_default: GroupDefault,
    /// Which residency stands for an alternative of Protection Storage Masks, by the names of its bits.
    pub protection_storage: BTreeMap<String, Residency>,
    /// How long a client may use an object before it must ask again (Lease Time, KMIP 2.1 section 4.30), in seconds; 0
    /// for without limit.
    pub lease_seconds: u32,
    /// The Object Groups that defaults and constraints may name; none named: all.
    pub object_groups: Vec<String>,
    /// Whether a client may choose the nonce (IV/Counter/Nonce) of an encryption under a key that is not Extractable, in a
    /// mode where the same nonce twice gives away what was encrypted. Otherwise the server makes it (Random IV).
    pub client_nonces: bool,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            extractable_by_default: true,
            group_default: GroupDefault::default(),
            protection_storage: BTreeMap::new(),
            lease_seconds: 3600,
            object_groups: Vec::new(),
            client_nonces: false,
        }
    }
}

/// Which member of a group is its default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupDefault {
    /// The one that was made last.
    #[default]
    Newest,
    /// Each in its turn, from the oldest on.
    InTurn,
}

/// Where a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Residency {
    /// In the store, sealed.
    Sealed,
    /// In the store, wrapped by a key of the HSM.
    Wrapped,
    /// On the token.
    Token,
}

/// `[limits]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at the same time.
    pub connections: usize,
    /// TLS handshakes at the same time; further ones wait.
    pub handshakes: usize,
    /// Seconds for a handshake, the wait included.
    pub handshake_seconds: u64,
    /// Bytes of a request.
    pub request_bytes: usize,
    /// Seconds from the first byte of a request to its last.
    pub request_seconds: u64,
    /// Seconds in which a client must take an answer.
    pub answer_seconds: u64,
    /// Seconds of silence after which the system asks whether an idle client is still there. An idle connection that
    /// answers is kept without limit.
    pub keepalive_seconds: u64,
    /// Seconds that requests have to finish when the server stops.
    pub drain_seconds: u64,
    /// Structures within structures in a request.
    pub depth: usize,
    /// Items in a request, counting every tag.
    pub items: usize,
    /// Batch items in a request.
    pub batch_items: usize,
    /// Attributes of an object, counting every instance.
    pub attributes: usize,
    /// Operations in several parts that are under way.
    pub parts: usize,
    /// Those of one client.
    pub parts_per_client: usize,
    /// Seconds after which one is dropped that nobody goes on with.
    pub parts_seconds: u32,
    /// Bytes of one that wait for its last part.
    pub parts_bytes: usize,
    /// Bytes of memory of all that one client has under way, with what it has open as a PKCS #11 token.
    pub parts_bytes_per_client: usize,
    /// The same of all clients.
    pub parts_bytes_in_all: usize,
    /// Those for which the module keeps a session: MACs, and encryption that authenticates, with keys in it.
    pub parts_in_module: usize,
    /// Those of one client. The data of a further one waits in the server.
    pub parts_in_module_per_client: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let parts = parts::Limits::default();
        Self {
            connections: 16384,
            handshakes: 64,
            handshake_seconds: 10,
            request_bytes: 4 * 1024 * 1024,
            request_seconds: 60,
            answer_seconds: 60,
            keepalive_seconds: 60,
            drain_seconds: 20,
            depth: 32,
            items: 100_000,
            batch_items: 1000,
            attributes: 1000,
            parts: parts.all,
            parts_per_client: parts.per_client,
            parts_seconds: parts.idle,
            parts_bytes: parts.bytes,
            parts_bytes_per_client: parts.bytes_per_client,
            parts_bytes_in_all: parts.bytes_in_all,
            parts_in_module: parts.held,
            parts_in_module_per_client: parts.held_per_client,
        }
    }
}

impl Limits {
    /// Time for a handshake.
    pub fn handshake_time(&self) -> Duration {
        Duration::from_secs(self.handshake_seconds)
    }

    /// Time for the bytes of a request.
    pub fn request_time(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }

    /// Time for a client to take an answer.
    pub fn answer_time(&self) -> Duration {
        Duration::from_secs(self.answer_seconds)
    }

    /// Silence before the first keep-alive probe.
    pub fn keepalive_time(&self) -> Duration {
        Duration::from_secs(self.keepalive_seconds)
    }

    /// Time for requests in flight when the server stops.
    pub fn drain_time(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

/// `[asynchronous]`: requests that are answered later, where the client asks for that.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asynchronous {
    /// Seconds after which a request is processed that no Process or Poll has asked for.
    pub delay_seconds: u32,
    /// Seconds for which an answer waits for a Poll.
    pub keep_seconds: u32,
    /// Requests of one client that wait or whose answers wait, at the most.
    pub waiting_per_client: usize,
    /// Answer later also where the client leaves it to the server (Asynchronous Indicator Optional, and true in 1.x).
    pub whenever_possible: bool,
}

impl Default for Asynchronous {
    fn default() -> Self {
        Self { delay_seconds: 5, keep_seconds: 86_400, waiting_per_client: 100, whenever_possible: false }
    }
}

/// `[[notify]]` and `[[put]]`: a client that listens for the server (KMIP 2.1 section 6.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Its name, in the log and for the messages that wait for it. No two listeners have the same.
    pub name: String,
    /// Host and port.
    pub address: String,
    /// The name in its certificate, if it is not the host.
    #[serde(default)]
    pub certificate_name: Option<String>,
    /// The authorities of its certificate, if they are not `[tls]` client_ca.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// The identities of whose objects it is told.
    pub identities: Vec<String>,
    /// For `[[put]]`: the types of objects that it is sent, by their names; all where there is none.
    #[serde(default)]
    pub object_types: Vec<String>,
    /// The version that it speaks.
    #[serde(default = "newest")]
    pub version: String,
    /// Seconds after which a message is dropped that could not be delivered.
    #[serde(default = "week")]
    pub keep_seconds: u32,
}

fn newest() -> String {
    "2.1".to_owned()
}

fn week() -> u32 {
    7 * 24 * 3600
}

impl Listener {
    /// The version that it speaks, if it is one of ours.
    pub fn version(&self) -> Option<Version> {
        Version::ALL.iter().copied().find(|version| version.to_string() == self.version)
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A level (`error`, `warn`, `info`, `debug`, `trace`), or levels by module as in `info,kmipd::net=debug`.
    /// The environment variable KMIPD_LOG goes first.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Auto }
    }
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// Text.
    Text,
    /// JSON, one object a line.
    Json,
}

/// `[compatibility]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compatibility {
    /// Accept a Cryptographic Length that contradicts the registered material, and store the material's own.
    pub accept_wrong_length: bool,
    /// Pass over credentials in request headers, tickets aside: the client's certificate alone says who asks. Otherwise
    /// they are checked against `[[users]]` and `[[devices]]`.
    pub ignore_credentials: bool,
    /// Take the attributes that a Locate of 1.x has in a Template-Attribute, where the standard has them by themselves.
    pub locate_by_template_attribute: bool,
    /// Take a certificate request that was made for another key than the one that Certify or Re-certify names: the
    /// certificate has the named key and the request's names.
    pub accept_foreign_request: bool,
    /// Seconds by which a request's Time Stamp may differ from the server's clock.
    pub time_skew_seconds: u64,
}

impl Default for Compatibility {
    fn default() -> Self {
        Self {
            accept_wrong_length: false,
            ignore_credentials: false,
            locate_by_template_attribute: false,
            accept_foreign_request: false,
            time_skew_seconds: 300,
        }
    }
}

#[cfg(test)]
mod tests;
