//! One client's connection after its handshake: requests are answered one after the other, in their order.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};
use zeroize::Zeroizing;

use super::frame::{self, Incoming};
use super::guest::Guest;
use super::refusal::Refusal;
use super::service::{Answer, Interview, Peer, Service};
use super::tls::{Accepted, Tls};
use crate::config::Limits;
use crate::trust::identity::Admitted;

/// A connection.
pub(super) struct Connection<S> {
    stream: TlsStream<TcpStream>,
    guest: Guest,
    service: Arc<S>,
    limits: Limits,
    stop: watch::Receiver<bool>,
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// The client left, or the server stops, or an answer asked for it.
    Done,
    /// The client is not admitted any more.
    Refused(Box<Refusal>),
    /// The client did not send the rest of a request, or did not take an answer, in time.
    TooSlow(&'static str),
    /// The network.
    Broken(io::Error),
}

/// What the log says of a request that was not complete in time.
pub(super) const SLOW_REQUEST: &str = "a request was not complete in time ([limits] request_seconds)";

/// What the log says of an answer that was not taken in time.
pub(super) const SLOW_ANSWER: &str = "the client did not take the answer in time ([limits] answer_seconds)";

impl End {
    /// Says how the connection ended.
    pub(super) fn log(&self, peer: &Peer) {
        let Peer { admitted, address, .. } = peer;
        let Admitted { identity, link, .. } = &**admitted;
        match self {
            Self::Done => debug!(client = %identity, %address, "disconnected"),
            Self::Refused(refusal) => warn!(
                client = %identity, %address, fingerprint = %link.fingerprint,
                "connection closed: the client's certificate is not accepted any more: {refusal}"
            ),
            Self::TooSlow(what) => info!(client = %identity, %address, "connection closed: {what}"),
            Self::Broken(error) => debug!(client = %identity, %address, %error, "connection lost"),
        }
    }
}

impl<S: Service> Connection<S> {
    pub(super) fn new(
        accepted: Accepted,
        tls: Arc<Tls>,
        service: Arc<S>,
        limits: Limits,
        stop: watch::Receiver<bool>,
    ) -> Self {
        let Accepted { stream, peer, resumed } = accepted;
        debug!(client = %peer.admitted.identity, address = %peer.address, resumed, "connected");
        Self { stream, guest: Guest::new(peer, tls), service, limits, stop }
    }

    /// Answers until the end.
    pub(super) async fn serve(mut self) {
        let end = self.requests().await;
        end.log(self.guest.peer());
        // Tells the client that nothing was cut off. It may be gone, or not listen: no reason to wait for it.
        let _ = timeout(self.limits.answer_time(), self.stream.shutdown()).await;
    }

    async fn requests(&mut self) -> End {
        loop {
            tokio::select! {
                biased;
                _ = self.stop.wait_for(|stop| *stop) => return End::Done,
                arrived = frame::arrival(&mut self.stream) => {
                    if let Err(error) = arrived {
                        return End::Broken(error);
                    }
                }
            }
            let reading = frame::read(&mut self.stream, self.limits.request_bytes);
            let incoming = match timeout(self.limits.request_time(), reading).await {
                Err(_) => return End::TooSlow(SLOW_REQUEST),
                Ok(Err(error)) => return End::Broken(error),
                Ok(Ok(Incoming::End)) => return End::Done,
                Ok(Ok(incoming)) => incoming,
            };
            let peer = match self.guest.admit() {
                Ok(peer) => peer,
                Err(refusal) => return End::Refused(refusal),
            };
            let (answer, readable) = match incoming {
                Incoming::Message(bytes) => (self.service.answer(peer, bytes).await, true),
                Incoming::Unreadable(reason, head) => {
                    info!(client = %peer.admitted.identity, address = %peer.address, "unreadable request: {reason}");
                    (self.service.unreadable(reason, head), false)
                }
                Incoming::End => return End::Done,
            };
            let Answer { bytes, close, interview } = answer;
            let bytes = Zeroizing::new(bytes);
            match timeout(self.limits.answer_time(), self.write(&bytes)).await {
                Err(_) => return End::TooSlow(SLOW_ANSWER),
                Ok(Err(error)) => return End::Broken(error),
                Ok(Ok(())) => {}
            }
            if close || !readable {
                return End::Done;
            }
            if let Some(interview) = interview
                && let Some(end) = self.ask(interview).await
            {
                return end;
            }
        }
    }

    /// Asks instead of answering, until the client asks again. Answers how the connection ended, if it did.
    async fn ask(&mut self, mut interview: Box<dyn Interview>) -> Option<End> {
        let mut heard = None;
        loop {
            let question = match interview.next(heard.as_ref()) {
                Ok(Some(question)) => question,
                Ok(None) => return None,
                Err(why) => {
                    let peer = self.guest.peer();
                    info!(client = %peer.admitted.identity, address = %peer.address, "the client in the server's role: {why}");
                    return Some(End::Done);
                }
            };
            let (patience, longest) = (self.limits.answer_time(), self.limits.request_bytes);
            let exchange = async {
                self.write(&question).await?;
                frame::read(&mut self.stream, longest).await
            };
            heard = match timeout(patience, exchange).await {
                Err(_) => return Some(End::TooSlow("a client in the server's role did not answer in time")),
                Ok(Err(error)) => return Some(End::Broken(error)),
                Ok(Ok(Incoming::Message(bytes))) => Some(bytes),
                Ok(Ok(Incoming::Unreadable(..) | Incoming::End)) => return Some(End::Done),
            };
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }
}
