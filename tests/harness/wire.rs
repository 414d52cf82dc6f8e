//! A client's side of TLS and of framing.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned, SupportedProtocolVersion};

/// Who connects. It keeps its TLS sessions, so that its later connections resume.
pub(crate) struct Client {
    address: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Client {
    /// A client of the server at this address. The authority of the server, the client's certificate and its key are PEM.
    pub(crate) fn new(address: SocketAddr, ca: &str, own: Option<(&str, &str)>) -> Self {
        Self::with_versions(address, ca, own, rustls::ALL_VERSIONS)
    }

    /// The same with these versions of TLS only.
    pub(crate) fn with_versions(
        address: SocketAddr,
        ca: &str,
        own: Option<(&str, &str)>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let config = match own {
            Some((cert, key)) => {
                let chain = vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()];
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                let key = default_provider().key_provider.load_private_key(key).unwrap();
                // Not the ready-made way, which looks at the certificate: what is wrong with it, the server must see.
                builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))))
            }
            None => builder.with_no_client_auth(),
        };
        Self { address, config: Arc::new(config) }
    }

    /// The same client for a server that moved.
    pub(crate) fn at(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Connects and makes the handshake. In TLS 1.3 a refused client learns it only when it reads.
    pub(crate) fn connect(&self) -> io::Result<Wire> {
        let mut tcp = TcpStream::connect(self.address)?;
        tcp.set_nodelay(true)?;
        tcp.set_read_timeout(Some(Duration::from_secs(60)))?;
        let name = ServerName::from(self.address.ip());
        let mut tls = ClientConnection::new(Arc::clone(&self.config), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        Ok(Wire(StreamOwned::new(tls, tcp)))
    }

    /// One request on a connection of its own.
    pub(crate) fn ask(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.connect()?.ask(request)
    }
}

/// A connection.
pub(crate) struct Wire(pub(crate) StreamOwned<ClientConnection, TcpStream>);

impl Wire {
    /// Sends bytes, whatever they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        record(bytes);
        self.0.write_all(bytes)?;
        self.0.flush()
    }

    /// Receives one message, header included.
    pub(crate) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut message = vec![0; 8];
        self.0.read_exact(&mut message)?;
        let length = u32::from_be_bytes([message[4], message[5], message[6], message[7]]) as usize;
        message.resize(8 + length, 0);
        self.0.read_exact(&mut message[8..])?;
        Ok(message)
    }

    /// Sends a request and receives its answer.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.send(request)?;
        self.receive()
    }

    /// Waits for the end; an error if something else comes.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        match self.0.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(io::Error::other("there is more to read")),
        }
    }

    /// Whether the handshake resumed an earlier session.
    pub(crate) fn resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(HandshakeKind::Resumed)
    }
}

/// A Request Message (KMIP 1.0 section 7.1) with Discover Versions and nothing in it.
pub(crate) fn message() -> Vec<u8> {
    let item = |tag: u32, kind: u8, value: &[u8]| {
        let mut bytes = tag.to_be_bytes()[1..].to_vec();
        bytes.push(kind);
        bytes.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let number = |tag, value: u32| item(tag, 2, &value.to_be_bytes());
    let version = item(0x42_0069, 1, &[number(0x42_006a, 1), number(0x42_006b, 1)].concat());
    let header = item(0x42_0077, 1, &[version, number(0x42_000d, 1)].concat());
    let operation = item(0x42_005c, 5, &0x1e_u32.to_be_bytes());
    let batch_item = item(0x42_000f, 1, &[operation, item(0x42_0079, 1, &[])].concat());
    item(0x42_0078, 1, &[header, batch_item].concat())
}

/// Keeps what is sent in the folder that `KMIPD_FRAMES` names, for the fuzz targets to start from. Files are named after
/// their content: the same request is kept once.
fn record(bytes: &[u8]) {
    let Some(folder) = std::env::var_os("KMIPD_FRAMES") else { return };
    if bytes.len() > 16 * 1024 || !bytes.starts_with(&[0x42, 0x00, 0x78]) {
        return;
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let folder = std::path::PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(hex::encode(digest.as_ref())), bytes).unwrap();
}
