//! A connection, and messages on it.

use std::io;
use std::sync::Arc;

use kmip_codec::spec::Operation;
use kmip_codec::ttlv::{Value, frame};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::answer;
use crate::options::Options;
use crate::request::{Form, Head};
use crate::tls::{self, Files};
use crate::{Error, Outcome};

/// The longest answer that is taken, in bytes.
const LONGEST: usize = 64 << 20;

/// Where a server is, and how it is spoken to.
#[derive(Clone)]
pub struct Target {
    address: String,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Target {
    /// The server of the options; sessions are resumed or not.
    ///
    /// # Errors
    /// An address or file that cannot be used.
    pub fn new(options: &Options, resume: bool) -> Outcome<Self> {
        let wrong = || Error::new(format!("{} is not HOST:PORT", options.address));
        let (host, _) = options.address.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let files = Files { ca: &options.ca, certificate: &options.cert, key: &options.key };
        Ok(Self {
            address: options.address.clone(),
            name: ServerName::try_from(host).map_err(|_| wrong())?,
            config: tls::client(files, options.tls, resume)?,
        })
    }

    /// The same server with sessions of its own, none yet.
    #[must_use]
    pub fn with_own_sessions(&self) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = tls::sessions();
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// Connects, handshake included.
    ///
    /// # Errors
    /// Whatever the network or TLS says.
    pub async fn connect(&self) -> io::Result<Connection> {
        let socket = TcpStream::connect(&self.address).await?;
        socket.set_nodelay(true)?;
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let stream = connector.connect(self.name.clone(), socket).await?;
        Ok(Connection { stream, inbox: Vec::new(), taken: 0 })
    }
}

/// A connection.
pub struct Connection {
    stream: TlsStream<TcpStream>,
    inbox: Vec<u8>,
    /// How much of the inbox was given out.
    taken: usize,
}

impl Connection {
    /// Whether its session was resumed.
    pub fn is_resumed(&self) -> bool {
        self.stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed)
    }

    /// Sends.
    ///
    /// # Errors
    /// Whatever the network says.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Waits for more to read.
    ///
    /// # Errors
    /// Whatever the network says; `UnexpectedEof` at the end.
    pub async fn receive(&mut self) -> io::Result<()> {
        self.inbox.drain(..self.taken);
        self.taken = 0;
        let arrived = self.stream.fill_buf().await?;
        if arrived.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inbox.extend_from_slice(arrived);
        let length = arrived.len();
        self.stream.consume(length);
        Ok(())
    }

    /// The next whole message that has arrived.
    ///
    /// # Errors
    /// It is no message.
    pub fn take(&mut self) -> io::Result<Option<&[u8]>> {
        let rest = self.inbox.get(self.taken..).unwrap_or_default();
        let length = frame::length(rest, LONGEST).map_err(io::Error::other)?;
        let Some(message) = length.and_then(|length| rest.get(..length)) else { return Ok(None) };
        self.taken += message.len();
        Ok(Some(message))
    }

    /// Sends a message and reads its answer.
    ///
    /// # Errors
    /// Whatever the network says.
    pub async fn ask(&mut self, message: &[u8]) -> io::Result<Vec<u8>> {
        self.send(message).await?;
        loop {
            self.receive().await?;
            if let Some(answer) = self.take()? {
                return Ok(answer.to_vec());
            }
        }
    }

    /// Sends `count` items, each made for its place, and answers their payloads, or what the server said instead.
    ///
    /// # Errors
    /// Whatever the network says; an answer that is none.
    pub async fn items(
        &mut self,
        form: Form,
        operation: Operation,
        count: usize,
        item: impl Fn(Form, usize) -> Vec<u8>,
    ) -> Outcome<Vec<Result<Value, String>>> {
        let form = Form { several: count > 1, ..form };
        let items: Vec<Vec<u8>> = (0..count).map(|place| item(form, place)).collect();
        let answer = self.ask(&Head::of(form.version, &items)).await?;
        let replies = answer::replies(&answer, count).map_err(Error::new)?;
        let read = |(place, reply): (usize, answer::Reply<'_>)| {
            answer::read(reply.payload(operation, form.several.then_some(place))?)
        };
        let read: Vec<_> = replies.enumerate().map(read).collect();
        if read.len() == count { Ok(read) } else { Err(Error::new("items are missing in an answer")) }
    }

    /// Sends one item, which succeeds.
    ///
    /// # Errors
    /// What the server or the network says.
    pub async fn one(&mut self, form: Form, operation: Operation, item: impl Fn(Form) -> Vec<u8>) -> Outcome<Value> {
        let answers = self.items(form, operation, 1, |form, _| item(form)).await?;
        answers.into_iter().next().unwrap_or_else(|| Err("nothing".to_owned())).map_err(Error::new)
    }

    /// Ends the connection in order.
    pub async fn close(mut self) {
        // The other side may be gone already.
        let _ = self.stream.shutdown().await;
    }
}
