//! Real sockets, real TLS, and a service that echoes.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use bytes::Bytes;
use kmip_codec::types::ProtocolVersion;
use kmipd_certs::{Authority, Issued, Profile, Validity};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, HandshakeKind, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::certificate::TbsCertificate;
use x509_cert::time::Validity as Dates;

use super::admission::Admission;
use super::known::Known;
use super::revoked::Revoked;
use super::service::{Answer, Peer, Service, Unreadable};
use super::tls::Setup;
use super::{BindError, Server, Tls};
use crate::config::{self, AuthenticationSuite, IdentitySource, Limits};
use crate::crypto::authority::{Authority as MakesCertificates, SigningKey};
use crate::crypto::testing::{self, DAY, Entity, time};
use crate::trust::identity::{Admitted, Fingerprint};
use crate::view::testing::NOW;

mod crowd;
mod trust;

/// Answers with the request. A request whose content begins with `W` waits at the gate first; one with `I` is answered
/// with the client's identity.
struct Echo {
    gate: Semaphore,
    waiting: mpsc::UnboundedSender<()>,
}

impl Service for Echo {
    async fn answer(&self, peer: Arc<Peer>, frame: Bytes) -> Answer {
        let bytes = match frame.get(8) {
            Some(b'W') => {
                self.waiting.send(()).unwrap();
                self.gate.acquire().await.unwrap().forget();
                frame.to_vec()
            }
            Some(b'I') => message(peer.admitted.identity.as_str().as_bytes()),
            _ => frame.to_vec(),
        };
        Answer { bytes, close: frame.get(8) == Some(&b'C'), interview: None }
    }

    fn unreadable(&self, reason: Unreadable, head: Bytes) -> Answer {
        Answer { bytes: message(format!("{reason} | {} bytes", head.len()).as_bytes()), close: false, interview: None }
    }

    fn undeliverable(&self, _: Option<ProtocolVersion>, why: &str) -> Answer {
        Answer { bytes: message(why.as_bytes()), close: false, interview: None }
    }
}

fn message(content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x42, 0x00, 0x78, 0x01];
    bytes.extend(u32::try_from(content.len()).unwrap().to_be_bytes());
    bytes.extend(content);
    bytes
}

struct Bench {
    folder: TempDir,
    authority: Authority,
    tls: Arc<Tls>,
    address: SocketAddr,
    service: Arc<Echo>,
    waiting: mpsc::UnboundedReceiver<()>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        Self::speaking(AuthenticationSuite::Any, limits).await
    }

    async fn speaking(suite: AuthenticationSuite, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::new().unwrap();
        let server = authority.issue_server(&["127.0.0.1"]).unwrap();
        for (name, text) in [
            ("ca.pem", authority.cert_pem()),
            ("server.pem", &server.cert_pem),
            ("server.key", &server.key_pem),
            ("ca.crl", &authority.revocation_list(1, &[]).unwrap()),
            ("revoked.txt", ""),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let tls = Arc::new(Tls::load(&files(&folder, suite), IdentitySource::Cn, None).unwrap());
        let (sender, waiting) = mpsc::unbounded_channel();
        let service = Arc::new(Echo { gate: Semaphore::new(0), waiting: sender });
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(&[any], Arc::clone(&tls), Arc::clone(&service), limits).await.unwrap();
        let address = server.addresses()[0];
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(server.serve(stopped));
        Self { folder, authority, tls, address, service, waiting, stop, serving }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn revoke(&self, issued: &Issued) {
        self.write("revoked.txt", &format!("sha256 {} test\n", fingerprint(issued)));
        assert!(self.tls.reload().unwrap());
    }

    fn client(&self, name: &str) -> Client {
        self.client_with(&self.authority.issue_client(name).unwrap(), rustls::ALL_VERSIONS)
    }

    fn client_with(&self, issued: &Issued, versions: &[&'static SupportedProtocolVersion]) -> Client {
        self.client_of(rustls::crypto::aws_lc_rs::default_provider(), issued, versions)
    }

    fn client_of(
        &self,
        provider: CryptoProvider,
        issued: &Issued,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Client {
        let chain = vec![CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
        let config = self.config(provider, versions).with_client_auth_cert(chain, key).unwrap();
        Client { config: Arc::new(config), address: self.address }
    }

    fn anonymous(&self) -> Client {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let config = self.config(provider, rustls::ALL_VERSIONS).with_no_client_auth();
        Client { config: Arc::new(config), address: self.address }
    }

    fn config(
        &self,
        provider: CryptoProvider,
        versions: &[&'static SupportedProtocolVersion],
    ) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.cert_pem().as_bytes()).unwrap()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
    }
}

fn files(folder: &TempDir, authentication_suite: AuthenticationSuite) -> config::Tls {
    let path = |name: &str| folder.path().join(name);
    config::Tls {
        certificate: path("server.pem"),
        key: path("server.key"),
        client_ca: path("ca.pem"),
        crl: vec![path("ca.crl")],
        revoked: Some(path("revoked.txt")),
        authentication_suite,
    }
}

fn fingerprint(issued: &Issued) -> Fingerprint {
    Fingerprint::of(&CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap())
}

/// A client keeps its sessions, so that its later connections resume.
struct Client {
    config: Arc<ClientConfig>,
    address: SocketAddr,
}

impl Client {
    async fn connect(&self) -> io::Result<Wire> {
        let tcp = TcpStream::connect(self.address).await?;
        let name = ServerName::from(self.address.ip());
        Ok(Wire(TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp).await?))
    }

    /// In TLS 1.3 a client learns that it was refused only when it reads.
    async fn refused(&self) -> String {
        let attempt = async { self.connect().await?.ask(b"hello").await };
        attempt.await.expect_err("the client was let in").to_string()
    }
}

struct Wire(TlsStream<TcpStream>);

impl Wire {
    async fn ask(&mut self, content: &[u8]) -> io::Result<Vec<u8>> {
        self.0.write_all(&message(content)).await?;
        self.read().await
    }

    async fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut head = [0; 8];
        self.0.read_exact(&mut head).await?;
        let mut content = vec![0; u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize];
        self.0.read_exact(&mut content).await?;
        Ok(content)
    }

    async fn ended(&mut self) -> bool {
        matches!(self.0.read_u8().await, Err(error) if error.kind() == io::ErrorKind::UnexpectedEof)
    }

    fn resumed(&self) -> bool {
        self.0.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

#[tokio::test]
async fn a_client_is_let_in_by_either_version_and_resumes() {
    let bench = Bench::new().await;
    for version in BOTH {
        let issued = bench.authority.issue_client("backup").unwrap();
        let client = bench.client_with(&issued, &[version]);
        let mut first = client.connect().await.unwrap();
        assert_eq!(first.ask(b"I").await.unwrap(), b"backup");
        assert!(!first.resumed());
        for _ in 0..3 {
            let mut again = client.connect().await.unwrap();
            assert_eq!(again.ask(b"I").await.unwrap(), b"backup");
            assert!(again.resumed(), "{version:?}");
        }
    }
}

#[tokio::test]
async fn what_is_said_of_tls_is_what_is_spoken() {
    for (suite, most) in [(AuthenticationSuite::Any, 9), (AuthenticationSuite::Basic, 2)] {
        let bench = Bench::speaking(suite, Limits::default()).await;
        let issued = bench.authority.issue_client("backup").unwrap();
        let (protocols, said) = Tls::spoken(suite);
        assert!(said.len() <= most && said.len() >= 2, "{said:?}");
        assert_eq!(protocols.contains(&0x0303), suite == AuthenticationSuite::Any);
        let all = rustls::crypto::aws_lc_rs::default_provider().cipher_suites;
        // The bench's certificate is one of elliptic curves.
        for cipher in all.iter().filter(|cipher| !format!("{:?}", cipher.suite()).contains("_RSA_")) {
            let version = BOTH.into_iter().find(|version| version.version == cipher.version().version).unwrap();
            let only = CryptoProvider { cipher_suites: vec![*cipher], ..rustls::crypto::aws_lc_rs::default_provider() };
            let taken = bench.client_of(only, &issued, &[version]).connect().await.is_ok();
            assert_eq!(taken, said.contains(&cipher.suite().into()), "{:?}", cipher.suite());
        }
    }
}

#[tokio::test]
async fn who_has_no_good_certificate_is_told_so() {
    let bench = Bench::new().await;
    let issue = |profile: Profile| bench.authority.issue(&profile).unwrap();
    let elsewhere = Authority::named("elsewhere").unwrap().issue_client("backup").unwrap();
    let expired = issue(Profile::client("late").valid(Validity::expired()));
    let nameless = issue(Profile::client("a\tb"));
    for version in BOTH {
        let refused = async |issued: &Issued| bench.client_with(issued, &[version]).refused().await;
        assert!(refused(&elsewhere).await.contains("UnknownCA"));
        assert!(refused(&expired).await.contains("CertificateExpired"));
        assert!(refused(&nameless).await.contains("AccessDenied"));
    }
    let said = bench.anonymous().refused().await;
    assert!(said.contains("CertificateRequired"), "{said}");
    // The door still works.
    assert_eq!(bench.client("backup").connect().await.unwrap().ask(b"I").await.unwrap(), b"backup");
}

#[tokio::test]
async fn requests_in_pieces_and_in_heaps_are_answered_in_order() {
    let bench = Bench::new().await;
    let mut wire = bench.client("backup").connect().await.unwrap();
    for byte in message(b"slowly") {
        wire.0.write_all(&[byte]).await.unwrap();
        wire.0.flush().await.unwrap();
    }
    assert_eq!(wire.read().await.unwrap(), b"slowly");
    let heap: Vec<u8> = (0..100_u8).flat_map(|i| message(&[&[b'.'; 200], &[i][..]].concat())).collect();
    wire.0.write_all(&heap).await.unwrap();
    for i in 0..100_u8 {
        assert_eq!(wire.read().await.unwrap().last(), Some(&i));
    }
}

#[tokio::test]
async fn large_messages_go_through_whole() {
    let bench = Bench::new().await;
    let mut wire = bench.client("backup").connect().await.unwrap();
    let content: Vec<u8> = (0..Limits::default().request_bytes - 8).map(|i| (i % 251).to_le_bytes()[0]).collect();
    let request = message(&content);
    let (mut reader, mut writer) = tokio::io::split(wire.0);
    let writing = tokio::spawn(async move {
        writer.write_all(&request).await.unwrap();
        writer.flush().await.unwrap();
        writer
    });
    let mut answer = vec![0; 8 + content.len()];
    reader.read_exact(&mut answer).await.unwrap();
    assert!(answer[8..] == content[..]);
    wire = Wire(reader.unsplit(writing.await.unwrap()));
    assert_eq!(wire.ask(b"more").await.unwrap(), b"more");
}

#[tokio::test]
async fn answers_to_what_came_together_leave_together() {
    let bench = Bench::new().await;
    let mut wire = bench.client("backup").connect().await.unwrap();
    // As many as leave together, and one more. They come in one record, and so do their answers.
    let requests: Vec<Vec<u8>> = (0..33).map(|i| message(&[b'.', i])).collect();
    wire.0.write_all(&requests.concat()).await.unwrap();
    for together in [32, 1] {
        let length = together * requests[0].len();
        assert_eq!(wire.0.fill_buf().await.unwrap().len(), length);
        wire.0.consume(length);
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_one_that_is_not_ready() {
    let mut bench = Bench::new().await;
    let mut wire = bench.client("backup").connect().await.unwrap();
    let requests = [message(b"one"), message(b"Wait"), message(b"two"), message(b"half")[..9].to_vec()];
    wire.0.write_all(&requests.concat()).await.unwrap();
    bench.waiting.recv().await.unwrap();
    assert_eq!(wire.read().await.unwrap(), b"one");
    bench.service.gate.add_permits(1);
    assert_eq!(wire.read().await.unwrap(), b"Wait");
    // Nor for one whose request is not whole.
    assert_eq!(wire.read().await.unwrap(), b"two");
    wire.0.write_all(b"alf").await.unwrap();
    assert_eq!(wire.read().await.unwrap(), b"half");
}

#[tokio::test]
async fn what_was_answered_leaves_before_the_end() {
    let bench = Bench::new().await;
    for last in [&b"GET / HTTP/1.1"[..], &message(b"Close")] {
        let mut wire = bench.client("backup").connect().await.unwrap();
        wire.0.write_all(&[&message(b"one"), last].concat()).await.unwrap();
        assert_eq!(wire.read().await.unwrap(), b"one");
        wire.read().await.unwrap();
        assert!(wire.ended().await);
    }
}

#[tokio::test]
async fn what_is_no_message_is_answered_and_ends_the_connection() {
    let bench = Bench::new().await;
    let client = bench.client("backup");
    let mut wire = client.connect().await.unwrap();
    wire.0.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let said = String::from_utf8(wire.read().await.unwrap()).unwrap();
    assert!(said.starts_with("these bytes do not begin a KMIP message"), "{said}");
    assert!(wire.ended().await);

    let mut wire = client.connect().await.unwrap();
    wire.0.write_all(&[0x42, 0, 0x78, 1, 0x7f, 0xff, 0xff, 0xf8]).await.unwrap();
    let said = String::from_utf8(wire.read().await.unwrap()).unwrap();
    assert_eq!(said, "the message declares 2147483648 bytes; 4194304 are allowed | 8 bytes");
    assert!(wire.ended().await);

    let mut wire = client.connect().await.unwrap();
    assert_eq!(wire.ask(b"Close").await.unwrap(), b"Close");
    assert!(wire.ended().await);
}

#[tokio::test]
async fn who_does_not_finish_is_sent_away() {
    let bench = Bench::with(Limits { request_seconds: 1, handshake_seconds: 1, ..Limits::default() }).await;
    // An idle client is not one that does not finish.
    let mut idle = bench.client("idle").connect().await.unwrap();
    idle.ask(b"here").await.unwrap();
    let mut wire = bench.client("slow").connect().await.unwrap();
    wire.0.write_all(&message(b"half a message")[..9]).await.unwrap();
    wire.0.flush().await.unwrap();
    assert!(wire.ended().await);
    let mut silent = TcpStream::connect(bench.address).await.unwrap();
    assert_eq!(silent.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(idle.ask(b"still here").await.unwrap(), b"still here");
}

#[tokio::test]
async fn connections_are_limited() {
    let bench = Bench::with(Limits { connections: 2, ..Limits::default() }).await;
    let client = bench.client("backup");
    let mut wires = [client.connect().await.unwrap(), client.connect().await.unwrap()];
    for wire in &mut wires {
        wire.ask(b"here").await.unwrap();
    }
    let mut third = TcpStream::connect(bench.address).await.unwrap();
    assert_eq!(third.read(&mut [0; 8]).await.unwrap(), 0);
    for wire in &mut wires {
        wire.ask(b"still here").await.unwrap();
    }
}

#[tokio::test]
async fn a_handshake_waits_for_its_turn() {
    let bench = Bench::with(Limits { handshakes: 1, ..Limits::default() }).await;
    let client = bench.client("backup");
    let mut open = client.connect().await.unwrap();
    open.ask(b"hello").await.unwrap();
    let silent = TcpStream::connect(bench.address).await.unwrap();
    let waiting = tokio::spawn(async move { client.connect().await.unwrap().ask(b"I").await.unwrap() });
    // Time enough for a handshake that does not wait. Who is in already is not held up.
    tokio::time::sleep(Duration::from_millis(100)).await;
    open.ask(b"hello").await.unwrap();
    assert!(!waiting.is_finished());
    drop(silent);
    assert_eq!(waiting.await.unwrap(), b"backup");
}

#[tokio::test]
async fn a_client_is_judged_anew_when_its_certificate_has_ended() {
    let bench = Bench::new().await;
    let issued = bench.authority.issue_client("backup").unwrap();
    let chain = [CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()];
    let mut admitted = Admitted::clone(&bench.tls.judge(&chain).unwrap());
    assert!(!bench.tls.is_outdated(&admitted));
    admitted.until = SystemTime::now();
    assert!(bench.tls.is_outdated(&admitted));
}

#[tokio::test]
async fn many_idle_clients_are_kept() {
    let bench = Bench::new().await;
    let client = bench.client("backup");
    let mut wires = Vec::new();
    for _ in 0..200 {
        wires.push(client.connect().await.unwrap());
    }
    for (i, wire) in (0..200_u8).zip(&mut wires) {
        assert_eq!(wire.ask(&[b'.', i]).await.unwrap(), [b'.', i]);
    }
}

#[tokio::test]
async fn a_stop_lets_requests_finish() {
    let mut bench = Bench::new().await;
    let client = bench.client("backup");
    let mut idle = client.connect().await.unwrap();
    idle.ask(b"hello").await.unwrap();
    let mut busy = client.connect().await.unwrap();
    busy.0.write_all(&message(b"Wait")).await.unwrap();
    busy.0.flush().await.unwrap();
    bench.waiting.recv().await.unwrap();

    bench.stop.send(true).unwrap();
    assert!(idle.ended().await);
    // Time enough for a server that does not wait to cut the request off.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!bench.serving.is_finished());
    bench.service.gate.add_permits(1);
    assert_eq!(busy.read().await.unwrap(), b"Wait");
    assert!(busy.ended().await);
    bench.serving.await.unwrap();
    assert!(TcpStream::connect(bench.address).await.is_err());
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let mut bench = Bench::with(Limits { drain_seconds: 0, ..Limits::default() }).await;
    let mut busy = bench.client("backup").connect().await.unwrap();
    busy.0.write_all(&message(b"Wait")).await.unwrap();
    busy.0.flush().await.unwrap();
    bench.waiting.recv().await.unwrap();
    bench.stop.send(true).unwrap();
    bench.serving.await.unwrap();
    assert!(busy.read().await.is_err());
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let bench = Bench::new().await;
    let again =
        Server::bind(&[bench.address], Arc::clone(&bench.tls), Arc::clone(&bench.service), Limits::default()).await;
    assert!(matches!(again.err(), Some(BindError::InUse(address)) if address == bench.address));
}

#[tokio::test]
async fn files_that_do_not_fit_are_named() {
    let bench = Bench::new().await;
    let load = || {
        Tls::load(&files(&bench.folder, AuthenticationSuite::Any), IdentitySource::Cn, None)
            .err()
            .map(|error| error.to_string())
            .unwrap()
    };
    let key = fs::read_to_string(bench.folder.path().join("server.key")).unwrap();
    bench.write("server.key", &key.replace("PRIVATE", "ENCRYPTED PRIVATE"));
    assert!(load().contains("the key is encrypted"));
    bench.write("server.key", "nothing");
    assert!(load().contains("no private key in PEM"));
    fs::remove_file(bench.folder.path().join("server.key")).unwrap();
    assert!(load().contains("[tls] key ="), "{}", load());
    bench.write("server.key", &key);
    bench.write("ca.pem", &key);
    assert!(load().contains("it holds no certificate"));
    bench.write("ca.pem", bench.authority.cert_pem());
    bench.write("revoked.txt", "somebody");
    assert!(load().contains("line 1: expected"));
}
