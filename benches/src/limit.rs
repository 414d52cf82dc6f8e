//! The limit: a server with kmipd's TLS and runtime that does nothing. It finds the end of a message and answers with bytes
//! that were there before.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use kmip_codec::spec::{Tag, Version};
use kmip_codec::ttlv::{Writer, frame};
use rustls::ServerConfig;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The longest request that is taken, in bytes.
const LONGEST: usize = 4 << 20;

/// The bytes of an answer of this length, or of the next that is possible.
pub fn answer(length: usize) -> Vec<u8> {
    message(Tag::ResponseMessage, length)
}

/// The bytes of a request of this length, or of the next that is possible.
pub fn request(length: usize) -> Vec<u8> {
    message(Tag::RequestMessage, length)
}

fn message(tag: Tag, length: usize) -> Vec<u8> {
    let filling: Vec<u8> = (0..length.next_multiple_of(8).saturating_sub(2 * frame::HEADER)).map(|n| n as u8).collect();
    let mut writer = Writer::new(Version::V2_1);
    writer.structure(tag, |w| w.bytes(Tag::Data, &filling));
    writer.finish()
}

/// Answers on every connection, until the runtime ends.
///
/// # Errors
/// No connection can be accepted.
pub async fn serve(listener: TcpListener, config: Arc<ServerConfig>, answer: Vec<u8>) -> io::Result<()> {
    let (acceptor, answer): (_, Arc<[u8]>) = (TlsAcceptor::from(config), answer.into());
    loop {
        let (socket, _): (_, SocketAddr) = listener.accept().await?;
        let (acceptor, answer) = (acceptor.clone(), Arc::clone(&answer));
        // A connection that ends, however, is none of ours.
        tokio::spawn(async move { connection(socket, acceptor, &answer).await.ok() });
    }
}

async fn connection(socket: TcpStream, acceptor: TlsAcceptor, answer: &[u8]) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let mut stream = acceptor.accept(socket).await?;
    // What arrived of a message that is not complete.
    let mut begun = Vec::new();
    let mut answers = Vec::new();
    loop {
        let arrived = stream.fill_buf().await?;
        if arrived.is_empty() {
            return stream.shutdown().await;
        }
        let length = arrived.len();
        let mut rest = if begun.is_empty() {
            arrived
        } else {
            begun.extend_from_slice(arrived);
            &begun
        };
        answers.clear();
        while let Some(length) = frame::length(rest, LONGEST).map_err(io::Error::other)? {
            let Some(after) = rest.get(length..) else { break };
            answers.extend_from_slice(answer);
            rest = after;
        }
        begun = rest.to_vec();
        stream.consume(length);
        if !answers.is_empty() {
            stream.write_all(&answers).await?;
            stream.flush().await?;
        }
    }
}
