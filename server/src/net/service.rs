//! What stands behind the connections.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use kmip_codec::text::TextError;
use kmip_codec::types::ProtocolVersion;

pub use crate::trust::identity::Peer;

/// An answer to one request.
pub struct Answer {
    /// The response message.
    pub bytes: Vec<u8>,
    /// Whether the connection ends after it.
    pub close: bool,
    /// What is asked of the client after it: the client has taken the server's role (KMIP 2.1 §6.1.54). Only where it can
    /// be asked.
    pub interview: Option<Box<dyn Interview>>,
}

/// Why bytes are not the beginning of a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// They are not TTLV, or not a structure.
    #[error("these bytes do not begin a KMIP message: {0}")]
    NotAMessage(String),
    /// The message is longer than the limit.
    #[error("the message declares {length} bytes; {limit} are allowed")]
    TooLong {
        /// Its length in bytes, header included.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// They are XML or JSON that no message can be read from.
    #[error("the text of the message cannot be read: {0}")]
    Text(TextError),
}

/// Asks a client that has taken the server's role.
pub trait Interview: Send {
    /// Takes the answer to the last question, and says the next one. `None`: the roles are as they were before.
    ///
    /// # Errors
    /// Why the connection cannot go on.
    fn next(&mut self, heard: Option<&Bytes>) -> Result<Option<zeroize::Zeroizing<Vec<u8>>>, String>;
}

/// Answers requests. One service stands behind all connections.
pub trait Service: Send + Sync + 'static {
    /// Answers one request: `frame` is one whole element by its header, and nothing else of it was looked at.
    fn answer(&self, peer: Arc<Peer>, frame: Bytes) -> impl Future<Output = Answer> + Send;

    /// Answers what cannot be a request. `head` is what had arrived of it, 256 bytes at most: the version may stand
    /// in it. A raw connection ends after this answer, since nobody knows where the next message begins.
    fn unreadable(&self, reason: Unreadable, head: Bytes) -> Answer;

    /// The answer in the place of one that cannot be given in the encoding of its request: what was asked is done.
    fn undeliverable(&self, version: Option<ProtocolVersion>, why: &str) -> Answer;

    /// Lets go of everything, after the last answer has left.
    fn close(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}
