//! A peer over TLS (KMIP 2.1 §10.2) or HTTPS, with a certificate for each client, and an address to which it can send
//! requests of its own.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kmip_codec::text::{json, xml};
use kmip_codec::ttlv::{Element, Limits, frame, parse, write};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::case::Encoding;
use crate::play::Peer;

mod listen;
mod tls;
mod web;

use listen::Listener;
use tls::{Place, Stream, receive, send};
use web::Page;

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
    #[error("{0:?} is not {1}")]
    Place(String, &'static str),
    /// The address at which the server is to be heard.
    #[error("nothing can be heard at {0}: {1}")]
    Listen(String, io::Error),
}

/// A chain of certificates and its private key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// A server, and the clients that ask it. Clients connect when they are first needed.
pub struct Server {
    place: Place,
    page: Option<Page>,
    /// How messages are written over HTTPS; over TLS if nothing.
    encoding: Option<Encoding>,
    patience: Duration,
    roots: RootCertStore,
    configs: Vec<Arc<ClientConfig>>,
    open: Vec<Option<Stream>>,
    listener: Option<Listener>,
}

impl Server {
    /// A server at `HOST:PORT`, whose certificate `ca` issued, and clients with these certificates and keys.
    ///
    /// # Errors
    /// Files and certificates that cannot be used.
    pub fn new(place: &str, ca: &Path, clients: &[(&Path, &Path)], patience: Duration) -> Result<Self, ConnectError> {
        let place = Place::read(place).ok_or_else(|| ConnectError::Place(place.to_owned(), "HOST:PORT"))?;
        let mut roots = RootCertStore::empty();
        for certificate in certificates(ca)? {
            roots.add(certificate)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots.clone());
        let mut configs = Vec::new();
        for (certificate, key) in clients {
            let (chain, key) = identity(certificate, key)?;
            configs.push(Arc::new(builder.clone().with_client_auth_cert(chain, key)?));
        }
        let open = configs.iter().map(|_| None).collect();
        Ok(Self { place, page: None, encoding: None, patience, roots, configs, open, listener: None })
    }

    /// The same server over HTTPS, at `https://HOST:PORT/PATH`; [`speak`](Self::speak) says when it is used.
    ///
    /// # Errors
    /// Another URL.
    pub fn with_https(mut self, url: &str) -> Result<Self, ConnectError> {
        let page = Page::read(url).ok_or_else(|| ConnectError::Place(url.to_owned(), "https://HOST:PORT/PATH"))?;
        self.page = Some(page);
        Ok(self)
    }

    /// Listens at `HOST:PORT` for what the server sends by itself, with this certificate and key.
    ///
    /// # Errors
    /// Files that cannot be used, and an address at which nobody can listen.
    pub fn listening(mut self, address: &str, certificate: &Path, key: &Path) -> Result<Self, ConnectError> {
        let own = identity(certificate, key)?;
        self.listener = Some(Listener::open(address, &self.roots, own, self.patience)?);
        Ok(self)
    }

    /// Where it listens for the server.
    pub fn heard_at(&self) -> Option<SocketAddr> {
        self.listener.as_ref().map(Listener::address)
    }

    /// Whether it can be spoken to over HTTPS.
    pub fn has_https(&self) -> bool {
        self.page.is_some()
    }

    /// From now on speaks over HTTPS in that encoding, or over TLS if there is none.
    pub fn speak(&mut self, encoding: Option<Encoding>) {
        self.close();
        self.encoding = encoding;
    }

    /// Ends all connections: the next request opens new ones.
    pub fn close(&mut self) {
        self.open.iter_mut().for_each(|stream| *stream = None);
        if let Some(listener) = &mut self.listener {
            listener.forget();
        }
    }

    fn exchange(&mut self, client: usize, request: &Element) -> Result<Element, String> {
        let lost = |error: io::Error| format!("no answer: {error}");
        let page = self.page.as_ref().zip(self.encoding);
        let place = page.map_or(&self.place, |(page, _)| &page.place);
        let mut stream = match self.open.get_mut(client).and_then(Option::take) {
            Some(stream) => stream,
            None => {
                let config = self.configs.get(client).ok_or("there is no such client")?;
                place.connect(config, self.patience).map_err(lost)?
            }
        };
        let answer = match page {
            Some((page, encoding)) => {
                let body = encode(request, encoding)?;
                let answer = page.post(&mut stream, encoding, &body).map_err(lost)?;
                decode(answer, encoding)
            }
            None => {
                send(&mut stream, &write(request)).map_err(lost)?;
                decode(receive(&mut stream).map_err(lost)?, Encoding::Binary)
            }
        };
        if let Some(place) = self.open.get_mut(client) {
            *place = Some(stream);
        }
        answer.map_err(|error| format!("the answer is malformed: {error}"))
    }
}

impl Peer for Server {
    fn ask(&mut self, client: usize, request: &Element) -> Result<Element, String> {
        self.exchange(client, request)
    }

    fn clients(&self) -> usize {
        self.configs.len()
    }

    fn deaf(&self, same: bool) -> Option<String> {
        if same {
            return self.encoding.map(|_| "over HTTPS the server asks nothing on the client's connection".to_owned());
        }
        self.listener.is_none().then(|| "the server sends requests, and nobody listens for them".to_owned())
    }

    fn hear(&mut self, client: usize, same: bool) -> Result<Element, String> {
        let request = match &mut self.listener {
            Some(listener) if !same => listener.hear(),
            _ => receive(self.stream(client)?),
        };
        let request = request.map_err(|error| format!("no request: {error}"))?;
        decode(request, Encoding::Binary).map_err(|error| format!("the request is malformed: {error}"))
    }

    fn reply(&mut self, client: usize, same: bool, answer: &Element) -> Result<(), String> {
        let answer = write(answer);
        let sent = match &mut self.listener {
            Some(listener) if !same => listener.reply(answer),
            _ => send(self.stream(client)?, &answer),
        };
        sent.map_err(|error| format!("the answer was not taken: {error}"))
    }
}

impl Server {
    fn stream(&mut self, client: usize) -> Result<&mut Stream, &'static str> {
        self.open.get_mut(client).and_then(Option::as_mut).ok_or("there is no connection to hear the server on")
    }
}

fn encode(message: &Element, encoding: Encoding) -> Result<Vec<u8>, String> {
    match encoding {
        Encoding::Binary => Ok(write(message)),
        Encoding::Xml => xml::write(message).map(String::into_bytes).map_err(|error| error.to_string()),
        Encoding::Json => json::write(message).map(String::into_bytes).map_err(|error| error.to_string()),
    }
}

fn decode(message: Vec<u8>, encoding: Encoding) -> Result<Element, String> {
    let text = |message| String::from_utf8(message).map_err(|_| "it is no UTF-8".to_owned());
    let limits = Limits::default();
    match encoding {
        Encoding::Binary => parse(&frame::protect(message), &limits).map_err(|error| error.to_string()),
        Encoding::Xml => xml::read(&text(message)?, &limits).map_err(|error| error.to_string()),
        Encoding::Json => json::read(&text(message)?, &limits).map_err(|error| error.to_string()),
    }
}

fn identity(certificate: &Path, key: &Path) -> Result<Identity, ConnectError> {
    let private = PrivateKeyDer::from_pem_file(key);
    let private = private.map_err(|_| ConnectError::File(key.display().to_string(), "a private key"))?;
    Ok((certificates(certificate)?, private))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConnectError> {
    let list: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let list = list.ok().filter(|list| !list.is_empty());
    list.ok_or_else(|| ConnectError::File(path.display().to_string(), "a certificate"))
}
