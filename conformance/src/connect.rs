//! A peer over TLS (KMIP 2.1 §10.2), with a certificate for each client.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kmip_codec::ttlv::{Element, Limits, frame, parse, write};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::play::Peer;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 20;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file that does not hold what it should.
    #[error("{0} cannot be used as {1}")]
    File(String, &'static str),
    /// The certificates do not fit.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The place of the server.
    #[error("{0:?} is not HOST:PORT")]
    Place(String),
}

/// A server, and the clients that ask it. Clients connect when they are first needed.
pub struct Server {
    place: String,
    name: ServerName<'static>,
    patience: Duration,
    configs: Vec<Arc<ClientConfig>>,
    open: Vec<Option<StreamOwned<ClientConnection, TcpStream>>>,
}

impl Server {
    /// A server at `HOST:PORT`, whose certificate `ca` issued, and clients with these certificates and keys.
    ///
    /// # Errors
    /// Files and certificates that cannot be used.
    pub fn new(place: &str, ca: &Path, clients: &[(&Path, &Path)], patience: Duration) -> Result<Self, ConnectError> {
        let unknown = || ConnectError::Place(place.to_owned());
        let (host, _port) = place.rsplit_once(':').ok_or_else(unknown)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(|_| unknown())?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(ca)? {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots);
        let mut configs = Vec::new();
        for (certificate, key) in clients {
            let chain = certificates(certificate)?;
            let key = PrivateKeyDer::from_pem_file(key)
                .map_err(|_| ConnectError::File(key.display().to_string(), "a private key"))?;
            configs.push(Arc::new(builder.clone().with_client_auth_cert(chain, key)?));
        }
        let open = configs.iter().map(|_| None).collect();
        Ok(Self { place: place.to_owned(), name, patience, configs, open })
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.configs.len()
    }

    /// Ends all connections: the next request opens new ones.
    pub fn close(&mut self) {
        self.open.iter_mut().for_each(|stream| *stream = None);
    }

    fn connect(&self, client: usize) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
        let config = self.configs.get(client).ok_or_else(|| io::Error::other("there is no such client"))?;
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in self.place.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.patience) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    socket.set_read_timeout(Some(self.patience))?;
                    let tls = ClientConnection::new(Arc::clone(config), self.name.clone()).map_err(io::Error::other)?;
                    return Ok(StreamOwned::new(tls, socket));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn exchange(&mut self, client: usize, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = match self.open.get_mut(client).and_then(Option::take) {
            Some(stream) => stream,
            None => self.connect(client)?,
        };
        send(&mut stream, request)?;
        let answer = receive(&mut stream)?;
        if let Some(place) = self.open.get_mut(client) {
            *place = Some(stream);
        }
        Ok(answer)
    }
}

impl Peer for Server {
    fn ask(&mut self, client: usize, request: &Element) -> Result<Element, String> {
        let answer = self.exchange(client, &write(request)).map_err(|error| format!("no answer: {error}"))?;
        read(answer).map_err(|error| format!("the answer is malformed: {error}"))
    }

    fn clients(&self) -> usize {
        Self::clients(self)
    }

    fn deaf(&self, same: bool) -> Option<String> {
        (!same).then(|| "the server sends requests to an address of the client".to_owned())
    }

    fn hear(&mut self, client: usize, _same: bool) -> Result<Element, String> {
        let stream = self.open.get_mut(client).and_then(Option::as_mut).ok_or("there is no connection to hear on")?;
        let request = receive(stream).map_err(|error| format!("no request: {error}"))?;
        read(request).map_err(|error| format!("the request is malformed: {error}"))
    }

    fn reply(&mut self, client: usize, answer: &Element) -> Result<(), String> {
        let stream = self.open.get_mut(client).and_then(Option::as_mut).ok_or("there is no connection to answer on")?;
        send(stream, &write(answer)).map_err(|error| format!("the answer was not taken: {error}"))
    }
}

fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    stream.write_all(message)?;
    stream.flush()
}

/// Receives a message, header included.
fn receive(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; frame::HEADER];
    stream.read_exact(&mut head)?;
    let length = frame::length(&head, LONGEST).map_err(io::Error::other)?.unwrap_or_default();
    let mut message = head.to_vec();
    message.resize(length.max(frame::HEADER), 0);
    stream.read_exact(message.get_mut(frame::HEADER..).unwrap_or_default())?;
    Ok(message)
}

fn read(message: Vec<u8>) -> Result<Element, String> {
    parse(&frame::protect(message), &Limits::default()).map_err(|error| error.to_string())
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let list = list.ok().filter(|list| !list.is_empty());
    list.ok_or_else(|| ConnectError::File(path.display().to_string(), "a certificate"))
}
