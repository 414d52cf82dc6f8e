//! The client against a server of a few lines, which answers what it is told to.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use kmipd_certs::{Authority, Profile, Validity};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tempfile::TempDir;

use super::*;
use crate::ops::activate;

/// What the server says to one request.
struct Said {
    version: (i32, i32),
    operation: Option<Operation>,
    status: ResultStatus,
    reason: Option<ResultReason>,
    message: &'static str,
    payload: Vec<Element>,
}

impl Said {
    fn done(version: (i32, i32), operation: Operation, payload: Vec<Element>) -> Self {
        Self { version, operation: Some(operation), status: ResultStatus::Success, reason: None, message: "", payload }
    }

    fn refused(version: (i32, i32), operation: Option<Operation>, reason: ResultReason, message: &'static str) -> Self {
        let status = ResultStatus::OperationFailed;
        Self { version, operation, status, reason: Some(reason), message, payload: Vec::new() }
    }

    fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new(Version::V2_1);
        writer.structure(Tag::ResponseMessage, |w| {
            w.structure(Tag::ResponseHeader, |w| {
                w.structure(Tag::ProtocolVersion, |w| {
                    w.integer(Tag::ProtocolVersionMajor, self.version.0);
                    w.integer(Tag::ProtocolVersionMinor, self.version.1);
                });
                w.date_time(Tag::TimeStamp, 0);
                w.integer(Tag::BatchCount, 1);
            });
            w.structure(Tag::BatchItem, |w| {
                if let Some(operation) = self.operation {
                    w.enumeration(Tag::Operation, operation.into());
                }
                w.enumeration(Tag::ResultStatus, self.status.into());
                if let Some(reason) = self.reason {
                    w.enumeration(Tag::ResultReason, reason.into());
                    w.text(Tag::ResultMessage, self.message);
                }
                if self.status == ResultStatus::Success {
                    w.structure(Tag::ResponsePayload, |w| self.payload.iter().for_each(|element| w.element(element)));
                }
            });
        });
        writer.finish()
    }
}

struct Setting {
    folder: TempDir,
    authority: Authority,
}

impl Setting {
    fn new() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), Authority::new().unwrap());
        let client = authority.issue_client("alice").unwrap();
        fs::write(folder.path().join("ca.pem"), authority.cert_pem()).unwrap();
        fs::write(folder.path().join("client.pem"), &client.cert_pem).unwrap();
        fs::write(folder.path().join("client.key"), client.key_pem.as_str()).unwrap();
        Self { folder, authority }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn settings(&self, port: u16) -> Settings {
        Settings {
            host: "127.0.0.1".to_owned(),
            port,
            ca: self.path("ca.pem"),
            cert: self.path("client.pem"),
            key: self.path("client.key"),
            version: None,
            timeout: Duration::from_secs(60),
        }
    }

    /// Serves one connection; answers the requests that came.
    fn serve(&self, said: Vec<Said>) -> (u16, JoinHandle<Vec<RequestMessage>>) {
        self.serve_as(&Profile::server(&["127.0.0.1"]).unwrap(), said)
    }

    fn serve_as(&self, profile: &Profile, said: Vec<Said>) -> (u16, JoinHandle<Vec<RequestMessage>>) {
        let issued = self.authority.issue(profile).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.cert_pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket);
            let mut came = Vec::new();
            // What is wrong with the handshake is the client's to say.
            let _ = stream.conn.complete_io(&mut stream.sock);
            for said in said {
                let mut head = [0; frame::HEADER];
                if stream.read_exact(&mut head).is_err() {
                    break;
                }
                let length = frame::length(&head, LONGEST).unwrap().unwrap();
                let mut request = head.to_vec();
                request.resize(length, 0);
                stream.read_exact(&mut request[frame::HEADER..]).unwrap();
                came.push(RequestMessage::read(&frame::protect(request), &Limits::default()).unwrap());
                stream.write_all(&said.write()).unwrap();
                stream.flush().unwrap();
            }
            came
        });
        (port, thread)
    }
}

fn activate(client: &mut Client) -> Outcome<String> {
    let done: activate::Response =
        client.call(Operation::Activate, |_| Ok(activate::Request { unique_identifier: Some("42".into()) }))?;
    Ok(done.unique_identifier.to_string())
}

fn identifier() -> Vec<Element> {
    vec![Element::new(Tag::UniqueIdentifier, Value::TextString("42".into()))]
}

fn version(major: i32, minor: i32) -> Element {
    let number = |tag, number| Element::new(tag, Value::Integer(number));
    let numbers = vec![number(Tag::ProtocolVersionMajor, major), number(Tag::ProtocolVersionMinor, minor)];
    Element::new(Tag::ProtocolVersion, Value::Structure(numbers))
}

#[test]
fn a_request_and_its_answer() {
    let setting = Setting::new();
    let said = vec![
        Said::done((2, 1), Operation::Activate, identifier()),
        Said::refused((2, 1), Some(Operation::Activate), ResultReason::ObjectNotFound, "there is no such object"),
    ];
    let (port, server) = setting.serve(said);
    let mut client = Client::new(setting.settings(port)).unwrap();
    assert_eq!(activate(&mut client).unwrap(), "42");
    let refused = activate(&mut client).unwrap_err();
    assert_eq!(refused.to_string(), "Object Not Found: there is no such object");
    let came = server.join().unwrap();
    assert_eq!(came.len(), 2, "both on one connection");
    assert_eq!(came[0].version, Version::V2_1);
    assert_eq!(came[0].items[0].operation, RequestedOperation(Operation::Activate));
}

#[test]
fn an_older_server_is_asked_what_it_speaks() {
    let setting = Setting::new();
    let said = vec![
        Said::refused((1, 4), None, ResultReason::InvalidMessage, "2.1 is not spoken here"),
        Said::done((1, 4), Operation::DiscoverVersions, vec![version(1, 2), version(1, 0), version(1, 9)]),
        Said::done((1, 2), Operation::Activate, identifier()),
    ];
    let (port, server) = setting.serve(said);
    let mut client = Client::new(setting.settings(port)).unwrap();
    assert_eq!(activate(&mut client).unwrap(), "42");
    assert_eq!(client.version(), Version::V1_2);
    let versions: Vec<Version> = server.join().unwrap().iter().map(|request| request.version).collect();
    assert_eq!(versions, [Version::V2_1, Version::V1_4, Version::V1_2]);
}

#[test]
fn a_server_of_the_first_version_is_believed() {
    let setting = Setting::new();
    let refusal = || Said::refused((1, 0), None, ResultReason::InvalidMessage, "no");
    let said = vec![refusal(), refusal(), refusal(), refusal(), Said::done((1, 0), Operation::Activate, identifier())];
    let (port, server) = setting.serve(said);
    let mut client = Client::new(setting.settings(port)).unwrap();
    assert_eq!(activate(&mut client).unwrap(), "42");
    assert_eq!(server.join().unwrap().last().unwrap().version, Version::V1_0);
}

#[test]
fn a_version_that_was_asked_for_is_the_only_one() {
    let setting = Setting::new();
    let (port, _) = setting.serve(vec![Said::refused((1, 4), None, ResultReason::InvalidMessage, "2.0 is too new")]);
    let settings = Settings { version: Some(Version::V2_0), ..setting.settings(port) };
    let refused = activate(&mut Client::new(settings).unwrap()).unwrap_err();
    assert_eq!(refused.to_string(), "Invalid Message: 2.0 is too new");
}

#[test]
fn an_answer_to_something_else_is_none() {
    let setting = Setting::new();
    let (port, _) = setting.serve(vec![Said::done((2, 1), Operation::Destroy, identifier())]);
    let error = activate(&mut Client::new(setting.settings(port)).unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "the server did not answer Activate but something else");
}

#[test]
fn an_operation_that_the_version_does_not_have_is_not_sent() {
    let setting = Setting::new();
    let settings = Settings { version: Some(Version::V1_0), ..setting.settings(1) };
    let error = Client::new(settings)
        .unwrap()
        .call::<_, Element>(Operation::Encrypt, |_| Ok(activate::Request { unique_identifier: None }))
        .unwrap_err();
    assert_eq!(error.to_string(), "KMIP 1.0 has no operation Encrypt");
}

fn problem(settings: Settings) -> String {
    Client::new(settings).and_then(|mut client| activate(&mut client)).unwrap_err().to_string()
}

#[test]
fn certificates_that_do_not_fit_are_explained() {
    let setting = Setting::new();

    let other = Authority::new().unwrap();
    fs::write(setting.path("other.pem"), other.cert_pem()).unwrap();
    let (port, _) = setting.serve(Vec::new());
    let said = problem(Settings { ca: setting.path("other.pem"), ..setting.settings(port) });
    assert!(
        said.ends_with(&format!("was not issued by the authority in {}", setting.path("other.pem").display())),
        "{said}"
    );

    let (port, _) = setting.serve_as(&Profile::server(&["kms.example.com"]).unwrap(), Vec::new());
    let said = problem(setting.settings(port));
    assert!(said.contains("does not name 127.0.0.1: it names") && said.contains("kms.example.com"), "{said}");

    let (port, _) = setting.serve_as(&Profile::server(&["127.0.0.1"]).unwrap().valid(Validity::expired()), Vec::new());
    assert!(problem(setting.settings(port)).ends_with("has expired"));

    let (port, _) = setting.serve_as(&Profile::client("bob").names(&["127.0.0.1"]), Vec::new());
    assert!(problem(setting.settings(port)).ends_with("is not a server's"));
}

#[test]
fn a_client_that_the_server_does_not_trust_is_told_so() {
    let setting = Setting::new();
    let stranger = Authority::new().unwrap().issue_client("mallory").unwrap();
    fs::write(setting.path("stranger.pem"), &stranger.cert_pem).unwrap();
    fs::write(setting.path("stranger.key"), stranger.key_pem.as_str()).unwrap();
    let (port, _) = setting.serve(vec![Said::done((2, 1), Operation::Activate, identifier())]);
    let (cert, key) = (setting.path("stranger.pem"), setting.path("stranger.key"));
    let said = problem(Settings { cert, key, ..setting.settings(port) });
    assert!(said.contains("stranger.pem"), "{said}");
}

#[test]
fn files_that_do_not_fit_are_named() {
    let setting = Setting::new();
    let missing = problem(Settings { ca: "/nowhere/ca.pem".into(), ..setting.settings(1) });
    assert_eq!(missing, "there is no file /nowhere/ca.pem");
    let swapped = problem(Settings { cert: setting.path("client.key"), ..setting.settings(1) });
    assert_eq!(swapped, format!("{} holds no PEM of a certificate", setting.path("client.key").display()));
    let other = setting.authority.issue_client("bob").unwrap();
    fs::write(setting.path("bob.key"), other.key_pem.as_str()).unwrap();
    let mismatch = problem(Settings { key: setting.path("bob.key"), ..setting.settings(1) });
    assert!(mismatch.contains("does not belong to the certificate"), "{mismatch}");
}

#[test]
fn nobody_there_and_somebody_else_there() {
    let setting = Setting::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let other = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"220 mail.example.com ESMTP\r\n").unwrap();
        // Until the client goes: a close would overtake what was said.
        let _ = io::copy(&mut socket, &mut io::sink());
    });
    assert_eq!(problem(setting.settings(port)), format!("127.0.0.1:{port} does not speak TLS"));
    other.join().unwrap();
    // The listener is gone.
    let said = problem(setting.settings(port));
    assert!(said.contains("connection refused") && said.contains("kmipd dev"), "{said}");
}

#[test]
fn keys_do_not_show_in_what_the_client_says() {
    let setting = Setting::new();
    fs::write(setting.path("broken.key"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0!!!\n-----END PRIVATE KEY-----\n")
        .unwrap();
    let said = problem(Settings { key: setting.path("broken.key"), ..setting.settings(1) });
    assert!(!said.contains("c2VjcmV0"), "{said}");
    assert!(Path::new(&setting.path("broken.key")).exists());
}
