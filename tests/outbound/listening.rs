//! A client that listens.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kmip_codec::Element;
use kmip_codec::message::{RequestMessage, ResponseBatchItem, ResponseHeader, ResponseMessage};
use kmip_codec::schema::{DateTime, Decode, decode};
use kmip_codec::spec::{Operation, ResultReason, ResultStatus};
use kmip_codec::ttlv::Limits;
use kmipd_certs::{Profile, Usage};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::harness::Kmipd;

/// Where a client listens. Only servers of the folder's authority get in.
pub(crate) struct Listening {
    tcp: TcpListener,
    config: Arc<ServerConfig>,
}

impl Listening {
    pub(crate) fn new(kmipd: &Kmipd) -> Self {
        let issued = kmipd.authority().issue_server(&["listener.example"]).unwrap();
        let ca = fs::read(kmipd.dir.join("ca.pem")).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&ca).unwrap()).unwrap();
        let provider = Arc::new(default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(
                vec![CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap(),
            )
            .unwrap();
        Self { tcp: TcpListener::bind("127.0.0.1:0").unwrap(), config: Arc::new(config) }
    }

    /// The section of the configuration that sends kmipd here.
    pub(crate) fn section(&self, kind: &str, version: &str) -> String {
        let address = self.tcp.local_addr().unwrap();
        format!(
            "\n[[{kind}]]\nname = \"{kind} {address}\"\naddress = \"{address}\"\ncertificate_name = \"listener.example\"\n\
             identities = [\"alice\"]\nversion = \"{version}\"\n"
        )
    }

    /// Waits for a connection of the server.
    pub(crate) fn accept(&self) -> Heard {
        let (tcp, _) = self.tcp.accept().unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Heard(StreamOwned::new(ServerConnection::new(Arc::clone(&self.config)).unwrap(), tcp))
    }
}

/// A connection of the server.
pub(crate) struct Heard(StreamOwned<ServerConnection, TcpStream>);

impl Heard {
    /// The next request; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<RequestMessage> {
        let mut message = vec![0; 8];
        if self.0.read(&mut message[..1]).unwrap_or(0) == 0 {
            return None;
        }
        self.0.read_exact(&mut message[1..]).unwrap();
        let length = u32::from_be_bytes([message[4], message[5], message[6], message[7]]) as usize;
        message.resize(8 + length, 0);
        self.0.read_exact(&mut message[8..]).unwrap();
        Some(RequestMessage::read(&Bytes::from(message), &Limits::default()).unwrap())
    }

    /// The next request's payload, which is one of this operation.
    #[track_caller]
    pub(crate) fn request(&mut self, operation: Operation) -> (RequestMessage, Element) {
        let message = self.next().expect("a request");
        assert_eq!(message.items.len(), 1);
        assert_eq!(message.items[0].operation.0, operation);
        let payload = message.items[0].request_payload.clone().unwrap();
        (message, payload)
    }

    /// The next request, which is one of this operation, and is answered with success.
    #[track_caller]
    pub(crate) fn take<R: Decode>(&mut self, operation: Operation) -> R {
        let (message, payload) = self.request(operation);
        self.answer(&message, None);
        decode(payload, message.version).unwrap()
    }

    /// Answers as the standard says: without a payload.
    pub(crate) fn answer(&mut self, message: &RequestMessage, refused: Option<ResultReason>) {
        self.0.write_all(&answer(message, refused, None).write()).unwrap();
        self.0.flush().unwrap();
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
        self.0.flush().unwrap();
    }
}

/// An answer to a request with one item.
pub(crate) fn answer(
    message: &RequestMessage,
    refused: Option<ResultReason>,
    payload: Option<Element>,
) -> ResponseMessage {
    let header = ResponseHeader {
        protocol_version: message.version.into(),
        time_stamp: DateTime(crate::harness::kmip::now()),
        nonce: None,
        server_hashed_password: None,
        attestation_type: Vec::new(),
        client_correlation_value: None,
        server_correlation_value: None,
        batch_count: 1,
    };
    let item = ResponseBatchItem {
        operation: Some(message.items[0].operation),
        unique_batch_item_id: None,
        result_status: if refused.is_some() { ResultStatus::OperationFailed } else { ResultStatus::Success },
        result_reason: refused,
        result_message: None,
        asynchronous_correlation_value: None,
        response_payload: payload,
        message_extension: Vec::new(),
    };
    ResponseMessage { version: message.version, header, items: vec![item] }
}

/// A server whose certificate may be a client's too, and that sends to these.
pub(crate) fn kmipd(sections: impl FnOnce(&Kmipd) -> String) -> Kmipd {
    let mut kmipd = Kmipd::dev();
    let section = sections(&kmipd);
    assert!(kmipd.terminate().success());
    let profile = Profile::server(&["127.0.0.1", "localhost"]).unwrap().usages(&[Usage::Server, Usage::Client]);
    let issued = kmipd.authority().issue(&profile).unwrap();
    fs::write(kmipd.dir.join("server.pem"), &*issued.cert_pem).unwrap();
    fs::write(kmipd.dir.join("server.key"), issued.key_pem.as_bytes()).unwrap();
    let mut file = OpenOptions::new().append(true).open(kmipd.dir.join("kmipd.toml")).unwrap();
    file.write_all(section.as_bytes()).unwrap();
    kmipd.restart();
    kmipd
}
