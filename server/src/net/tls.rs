//! The server's side of TLS 1.2 (RFC 5246) and 1.3 (RFC 8446): certificates loaded and loaded anew, handshakes,
//! resumption.

use std::cell::RefCell;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use aws_lc_rs::digest::{Context, Digest, SHA256};
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, UnixTime};
use rustls::server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CipherSuite, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use x509_cert::Version;

use super::admission::{Admission, Doorkeeper, VERDICT};
use super::known::Known;
use super::refusal::{Described, MAKE_V3, Refusal};
use super::revoked::Revoked;
use super::turns::Bustle;
use crate::config;
use crate::crypto::authority::Authority;
use crate::trust::identity::{Admitted, Identity, Peer};
use crate::trust::link::Admits;

/// Sessions kept for clients of TLS 1.2 that know no tickets.
const SESSION_CACHE: usize = 4096;

/// The versions that are spoken, as far as there are cipher suites for them.
pub(super) const PROTOCOLS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13, &rustls::version::TLS12];

/// Why the files of `[tls]` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[tls] {key} = {path:?}: {reason}")]
pub struct TlsError {
    /// The key in the configuration.
    pub key: &'static str,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// TLS as it stands now, and the way to its next state.
pub struct Tls {
    files: config::Tls,
    identity: config::IdentitySource,
    certification: Option<Arc<Authority>>,
    pub(super) present: RwLock<Arc<Setup>>,
    epoch: AtomicU64,
    /// Whether clients that are in already are at work: who comes steps back for them.
    pub(super) others: Bustle,
    /// The files' marks when they were last looked at; reloads wait for each other here.
    marks: Mutex<Vec<Mark>>,
}

/// One state: what new connections begin with.
pub(super) struct Setup {
    pub(super) server: Arc<ServerConfig>,
    pub(super) own: Arc<CertifiedKey>,
    pub(super) provider: Arc<CryptoProvider>,
    pub(super) admission: Arc<Admission>,
    pub(super) certificate: Vec<u8>,
    pub(super) trust: Vec<u8>,
}

/// What tells that a file has changed.
type Mark = Option<(SystemTime, u64)>;

/// The encrypted stream of a client. It is passed on some times, and has a few KiB of state: it stays where it is.
pub(super) type Stream = Box<TlsStream<TcpStream>>;

/// A connection after its handshake.
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) peer: Peer,
    pub(crate) resumed: bool,
}

impl Tls {
    /// Loads the files. Whoever may use the certification authority of this server could have it make a certificate in any
    /// name: it must not be trusted, and nobody comes in with a certificate of its making.
    ///
    /// # Errors
    /// A file cannot be read, does not hold what it should, or does not fit the others.
    pub fn load(
        files: &config::Tls,
        identity: config::IdentitySource,
        certification: Option<Arc<Authority>>,
    ) -> Result<Self, TlsError> {
        let marks = marks(files);
        let loaded = Loaded::read(files, certification.as_deref())?;
        let setup = loaded.setup(files, (identity, certification.clone()), 1, None)?;
        Ok(Self {
            files: files.clone(),
            identity,
            certification,
            present: RwLock::new(Arc::new(setup)),
            epoch: AtomicU64::new(1),
            others: Bustle::default(),
            marks: Mutex::new(marks),
        })
    }

    /// What connections begin with under these settings: versions and cipher suites of TLS.
    pub fn spoken(suite: config::AuthenticationSuite) -> (Vec<u16>, Vec<u16>) {
        let ciphers = offered(suite).cipher_suites;
        let is_spoken = |protocol: &&&SupportedProtocolVersion| {
            ciphers.iter().any(|cipher| cipher.version().version == protocol.version)
        };
        let protocols = PROTOCOLS.iter().filter(is_spoken).map(|protocol| protocol.version.into()).collect();
        (protocols, ciphers.iter().map(|cipher| cipher.suite().into()).collect())
    }

    /// Loads the files anew. If the trusted authorities, the revocation lists or the refused clients changed, every
    /// ticket and session ends, and open connections are judged anew at their next request. Answers whether anything
    /// changed.
    ///
    /// # Errors
    /// As for [`Tls::load`]; everything stays as it was.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let mut seen = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = marks(&self.files);
        self.replace()
    }

    /// [`Tls::reload`], if a file looks different from the last time.
    ///
    /// # Errors
    /// As for [`Tls::reload`], once for each change.
    pub fn reload_if_touched(&self) -> Result<bool, TlsError> {
        let mut seen = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = marks(&self.files);
        if *seen == marks {
            return Ok(false);
        }
        *seen = marks;
        self.replace()
    }

    fn replace(&self) -> Result<bool, TlsError> {
        let before = self.present();
        let loaded = Loaded::read(&self.files, self.certification.as_deref())?;
        let same_trust = loaded.trust == before.trust;
        if same_trust && loaded.certificate_digest == before.certificate {
            return Ok(false);
        }
        let epoch = if same_trust { before.admission.epoch } else { before.admission.epoch + 1 };
        let setup = loaded.setup(
            &self.files,
            (self.identity, self.certification.clone()),
            epoch,
            same_trust.then_some(&*before),
        )?;
        *self.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
        // After the setup: whoever sees the new epoch finds the new trust.
        self.epoch.store(epoch, Ordering::Release);
        Ok(true)
    }

    pub(super) fn present(&self) -> Arc<Setup> {
        Arc::clone(&self.present.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the server's own connections begin with: cryptography, and its certificate.
    pub(super) fn own(&self) -> (Arc<CryptoProvider>, Arc<CertifiedKey>) {
        let present = self.present();
        (Arc::clone(&present.provider), Arc::clone(&present.own))
    }

    /// The file of the authorities whose clients are admitted.
    pub(super) const fn client_ca(&self) -> &PathBuf {
        &self.files.client_ca
    }

    /// Whether a client would have to be judged anew.
    pub(crate) fn is_outdated(&self, admitted: &Admitted) -> bool {
        admitted.epoch != self.epoch.load(Ordering::Acquire) || SystemTime::now() >= admitted.until
    }

    /// Judges a client on an open connection by the trust of this moment.
    pub(crate) fn judge(&self, chain: &[CertificateDer<'_>]) -> Result<Arc<Admitted>, Box<Refusal>> {
        self.present().admission.judge(chain, UnixTime::now())
    }

    /// Makes the handshake and lets the client in, or says why not.
    pub(crate) async fn accept(&self, tcp: TcpStream, address: SocketAddr) -> Result<Accepted, Box<Refusal>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.present().server));
        let handshake = async {
            let result = acceptor.accept(tcp).await;
            (result, VERDICT.with(RefCell::take))
        };
        let (result, verdict) = VERDICT.scope(RefCell::new(None), handshake).await;
        let (stream, verdict) = match (result, verdict) {
            (Err(_), Some(Err(refusal))) => return Err(refusal),
            (Err(error), _) => return Err(Box::new(Refusal::handshake(&error))),
            (Ok(stream), verdict) => (Box::new(stream), verdict),
        };
        let session = stream.get_ref().1;
        let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        let admitted = match verdict {
            // A full handshake has judged these certificates a moment ago, by the trust of now.
            Some(Ok(admitted)) if !resumed && admitted.epoch == self.epoch.load(Ordering::Acquire) => admitted,
            // A resumed one never asked the verifier.
            _ => self.judge(session.peer_certificates().unwrap_or_default())?,
        };
        Ok(Accepted { stream, peer: Peer { admitted, address, is_askable: true }, resumed })
    }
}

impl Admits for Tls {
    fn identity_of(&self, certificate: &[u8], above: &[Vec<u8>]) -> Option<Identity> {
        let chain = std::iter::once(certificate).chain(above.iter().map(Vec::as_slice));
        let chain: Vec<CertificateDer<'_>> = chain.map(CertificateDer::from).collect();
        match self.judge(&chain) {
            Ok(admitted) => Some(admitted.identity.clone()),
            Err(refusal) => {
                tracing::info!("a certificate of a client that is not there would not be admitted: {refusal}");
                None
            }
        }
    }
}

/// The contents of the files.
struct Loaded {
    provider: Arc<CryptoProvider>,
    own: Arc<CertifiedKey>,
    certificate_digest: Vec<u8>,
    roots: RootCertStore,
    lists: Vec<CertificateRevocationListDer<'static>>,
    revoked: Revoked,
    trust: Vec<u8>,
}

impl Loaded {
    fn read(files: &config::Tls, certification: Option<&Authority>) -> Result<Self, TlsError> {
        let provider = Arc::new(offered(files.authentication_suite));

        let chain_pem = read("certificate", &files.certificate)?;
        let key_pem = zeroize::Zeroizing::new(read("key", &files.key)?);
        let chain = certificates("certificate", &files.certificate, &chain_pem)?;
        let key = private_key(&files.key, &key_pem)?;
        let own = CertifiedKey::from_der(chain, key, &provider).map_err(|error| TlsError {
            key: "key",
            path: files.key.clone(),
            reason: match error {
                rustls::Error::InconsistentKeys(_) => {
                    format!("the key does not belong to the certificate {}", files.certificate.display())
                }
                // The text of other errors could speak of the key.
                _ => "not a private key that TLS can use".to_owned(),
            },
        })?;

        let ca_pem = read("client_ca", &files.client_ca)?;
        let mut trust = vec![ca_pem.clone()];
        let mut roots = RootCertStore::empty();
        for der in certificates("client_ca", &files.client_ca, &ca_pem)? {
            if certification.is_some_and(|authority| authority.is_key_of(&der)) {
                return Err(TlsError {
                    key: "client_ca",
                    path: files.client_ca.clone(),
                    reason:
                        "it holds the authority of [certification], from which every client gets certificates in any \
                             name; it needs one of its own"
                            .to_owned(),
                });
            }
            roots.add(der).map_err(|error| TlsError {
                key: "client_ca",
                path: files.client_ca.clone(),
                reason: format!("a certificate cannot be trusted: {error}"),
            })?;
        }
        let mut lists = Vec::new();
        for path in &files.crl {
            let pem = read("crl", path)?;
            let wrong = |reason: String| TlsError { key: "crl", path: path.clone(), reason };
            let found = CertificateRevocationListDer::pem_slice_iter(&pem)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| wrong(format!("not a revocation list in PEM: {error}")))?;
            if found.is_empty() {
                return Err(wrong("it holds no revocation list in PEM".to_owned()));
            }
            lists.extend(found);
            trust.push(pem);
        }
        let mut revoked = Revoked::default();
        if let Some(path) = &files.revoked {
            let text = read("revoked", path)?;
            revoked = Revoked::parse(&String::from_utf8_lossy(&text)).map_err(|reason| TlsError {
                key: "revoked",
                path: path.clone(),
                reason,
            })?;
            trust.push(text);
        }
        Ok(Self {
            provider,
            own: Arc::new(own),
            certificate_digest: digest([&*chain_pem, &key_pem]).as_ref().to_vec(),
            roots,
            lists,
            revoked,
            trust: digest(trust.iter().map(Vec::as_slice)).as_ref().to_vec(),
        })
    }

    /// Makes the state. With the state before it, whose trust is the same, its tickets and sessions stay good.
    fn setup(
        self,
        files: &config::Tls,
        (source, certification): (config::IdentitySource, Option<Arc<Authority>>),
        epoch: u64,
        before: Option<&Setup>,
    ) -> Result<Setup, TlsError> {
        let fail = |key, path: &Path, reason| TlsError { key, path: path.to_owned(), reason };
        let certificate = |reason| fail("certificate", &files.certificate, reason);
        let (admission, tickets, sessions) = match before {
            Some(before) => (
                Arc::clone(&before.admission),
                Arc::clone(&before.server.ticketer),
                Arc::clone(&before.server.session_storage),
            ),
            None => {
                let known = Known::new(&self.lists);
                let builder =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots), Arc::clone(&self.provider))
                        .with_crls(self.lists)
                        .allow_unknown_revocation_status()
                        .enforce_revocation_expiration();
                let verifier = builder.build().map_err(|error| {
                    let path = files.crl.first().unwrap_or(&files.client_ca);
                    fail("crl", path, error.to_string())
                })?;
                let admission =
                    Arc::new(Admission { verifier, revoked: self.revoked, source, certification, epoch, known });
                let tickets: Arc<dyn ProducesTickets> =
                    provider::Ticketer::new().map_err(|error| certificate(error.to_string()))?;
                let sessions: Arc<dyn StoresServerSessions> = ServerSessionMemoryCache::new(SESSION_CACHE);
                (admission, tickets, sessions)
            }
        };
        let (own, provider) = (Arc::clone(&self.own), Arc::clone(&self.provider));
        let mut server = ServerConfig::builder_with_provider(self.provider)
            .with_protocol_versions(PROTOCOLS)
            .map_err(|error| certificate(error.to_string()))?
            .with_client_cert_verifier(Arc::new(Doorkeeper(Arc::clone(&admission))))
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(self.own)));
        server.ticketer = tickets;
        server.session_storage = sessions;
        // A ticket is used once, and the connection that it opens brings the next one: a second one would only be for clients
        // that open more connections than they had, and costs a resumption a twentieth of its time.
        server.send_tls13_tickets = 1;
        // Early data could be replayed (RFC 8446 section 8).
        server.max_early_data_size = 0;
        let server = Arc::new(server);
        Ok(Setup { server, own, provider, admission, certificate: self.certificate_digest, trust: self.trust })
    }
}

/// The cryptography of a suite.
fn offered(suite: config::AuthenticationSuite) -> CryptoProvider {
    let mut provider = provider::default_provider();
    match suite {
        config::AuthenticationSuite::Any => {}
        config::AuthenticationSuite::Basic => provider.cipher_suites.retain(|cipher| {
            matches!(
                cipher.suite(),
                CipherSuite::TLS13_AES_256_GCM_SHA384 | CipherSuite::TLS13_CHACHA20_POLY1305_SHA256
            )
        }),
    }
    provider
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError { key, path: path.to_owned(), reason: format!("cannot be read: {error}") })
}

/// The certificates of a file in PEM, at least one, each of version 3.
pub(crate) fn certificates(
    key: &'static str,
    path: &Path,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |reason: String| TlsError { key, path: path.to_owned(), reason };
    let found = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(format!("not certificates in PEM: {error}")))?;
    if found.is_empty() {
        return Err(wrong("it holds no certificate in PEM".to_owned()));
    }
    for der in &found {
        let (described, certificate) = Described::of(der);
        let Some(certificate) = certificate else {
            return Err(wrong("it holds something that is not an X.509 certificate".to_owned()));
        };
        // An authority may be of version 1: nothing of it but its name and key is used.
        if key == "certificate" && certificate.tbs_certificate.version != Version::V3 {
            return Err(wrong(format!(
                "\"{}\" is an X.509 version 1 certificate, which clients refuse; {MAKE_V3}",
                described.subject
            )));
        }
    }
    Ok(found)
}

fn private_key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let wrong = |reason: &str| TlsError { key: "key", path: path.to_owned(), reason: reason.to_owned() };
    let text = String::from_utf8_lossy(pem);
    if text.contains("ENCRYPTED") {
        return Err(wrong("the key is encrypted; decrypt it: openssl pkey -in old.key -out new.key"));
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| wrong("it holds no private key in PEM"))
}

/// SHA-256 of these parts, and of no others that are the same bytes in a row.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish()
}

fn marks(files: &config::Tls) -> Vec<Mark> {
    [&files.certificate, &files.key, &files.client_ca]
        .into_iter()
        .chain(&files.crl)
        .chain(&files.revoked)
        .map(|path| {
            let data = fs::metadata(path).ok()?;
            Some((data.modified().ok()?, data.len()))
        })
        .collect()
}
