//! A TLS connection, and messages on it.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use kmip_codec::ttlv::frame;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// The longest message that is read, in bytes.
pub(super) const LONGEST: usize = 64 << 20;

/// A client's connection.
pub(super) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Where a server is.
#[derive(Clone)]
pub(super) struct Place {
    /// `HOST:PORT`.
    pub(super) address: String,
    /// The host, as its certificate has it.
    pub(super) name: ServerName<'static>,
}

impl Place {
    /// Reads `HOST:PORT`.
    pub(super) fn read(address: &str) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        port.parse::<u16>().ok()?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).ok()?;
        Some(Self { address: address.to_owned(), name })
    }

    /// Connects; the handshake follows with the first byte.
    pub(super) fn connect(&self, config: &Arc<ClientConfig>, patience: Duration) -> io::Result<Stream> {
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, patience) {
                Ok(socket) => {
                    socket.set_nodelay(true)?;
                    socket.set_read_timeout(Some(patience))?;
                    let tls = ClientConnection::new(Arc::clone(config), self.name.clone()).map_err(io::Error::other)?;
                    return Ok(StreamOwned::new(tls, socket));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

pub(super) fn send(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    stream.write_all(message)?;
    stream.flush()
}

/// Receives a message in TTLV, header included.
pub(super) fn receive(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = [0; frame::HEADER];
    stream.read_exact(&mut head)?;
    let length = frame::length(&head, LONGEST).map_err(io::Error::other)?.unwrap_or_default();
    let mut message = head.to_vec();
    message.resize(length.max(frame::HEADER), 0);
    stream.read_exact(message.get_mut(frame::HEADER..).unwrap_or_default())?;
    Ok(message)
}
