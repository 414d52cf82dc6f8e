//! One client's connection after its handshake: requests are answered one after the other, in their order. Answers to
//! requests that came together leave together, as far as they are ready.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use kmip_codec::wipe::Wiped;
use tokio::io::AsyncWriteExt;
use tokio::join;
use tokio::sync::watch;
use tokio::task::yield_now;
use tracing::{debug, info, warn};

use super::frame::{Incoming, Reader, append};
use super::guest::Guest;
use super::patience::{at_once, within};
use super::refusal::Refusal;
use super::service::{Answer, Interview, Peer, Service};
use super::tls::{Accepted, Stream, Tls};
use crate::config::Limits;
use crate::trust::identity::Admitted;

/// Answers that leave together at the most, and their bytes from which on no further one is waited for.
const TOGETHER: usize = 32;
const BYTES_TOGETHER: usize = 64 * 1024;

/// A connection.
pub(super) struct Connection<S> {
    stream: Stream,
    reader: Reader,
    answers: Answers,
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
        let (reader, answers) = (Reader::default(), Answers::default());
        Self { stream, reader, answers, guest: Guest::new(peer, tls), service, limits, stop }
    }

    /// Answers until the end.
    pub(super) async fn serve(mut self) {
        let Err(end) = self.requests().await;
        // What was answered leaves, whatever came after it.
        let end = self.answers.send(&mut self.stream, &self.limits).await.err().unwrap_or(end);
        end.log(self.guest.peer());
        // Tells the client that nothing was cut off. It may be gone, or not listen: no reason to wait for it.
        let _ = within(self.limits.answer_time(), self.stream.shutdown()).await;
    }

    async fn requests(&mut self) -> Result<Infallible, End> {
        let mut stop = self.stop.clone();
        let mut stopped = pin!(async move {
            let _ = stop.wait_for(|stop| *stop).await;
        });
        let service = Arc::clone(&self.service);
        loop {
            let (answer, readable) = match self.next(stopped.as_mut()).await? {
                Incoming::Message(bytes) => {
                    let peer = self.guest.admit().map_err(End::Refused)?;
                    // Here and in no function of its own: what it takes to answer is some kilobytes, and would be moved.
                    let mut answering = pin!(service.answer(peer, bytes));
                    let answer = match at_once(answering.as_mut()).await {
                        Poll::Ready(answer) => answer,
                        Poll::Pending => self.answer_later(answering).await?,
                    };
                    (answer, true)
                }
                Incoming::Unreadable(reason, head) => {
                    let peer = self.guest.admit().map_err(End::Refused)?;
                    info!(client = %peer.admitted.identity, address = %peer.address, "unreadable request: {reason}");
                    (self.service.unreadable(reason, head), false)
                }
                Incoming::End => return Err(End::Done),
            };
            let Answer { bytes, close, interview } = answer;
            self.answers.add(bytes);
            if close || !readable {
                return Err(End::Done);
            }
            if let Some(interview) = interview {
                self.answers.send(&mut self.stream, &self.limits).await?;
                self.ask(interview).await?;
            }
        }
    }

    /// The next message. If it has not been received yet, what was answered leaves first.
    async fn next(&mut self, mut stopped: Pin<&mut impl Future<Output = ()>>) -> Result<Incoming, End> {
        let Self { stream, reader, answers, limits, .. } = self;
        if answers.are_enough() {
            answers.send(stream, limits).await?;
            // Who sends without end does not keep this thread from the others.
            yield_now().await;
        }
        if !matches!(self.stop.has_changed(), Ok(false)) {
            return Err(End::Done);
        }
        let longest = limits.request_bytes;
        let has_more = !stream.get_ref().1.wants_read();
        if has_more
            && let Poll::Ready(incoming) = at_once(pin!(poll_fn(|context| reader.poll(stream, longest, context)))).await
        {
            return incoming.map_err(End::Broken);
        }
        answers.send(stream, limits).await?;
        // For the first byte of a message it waits as long as it takes.
        let begun = poll_fn(|context| match reader.poll(stream, longest, context) {
            Poll::Ready(incoming) => Poll::Ready(Some(incoming.map_err(End::Broken))),
            Poll::Pending if reader.has_begun() => Poll::Ready(None),
            Poll::Pending => stopped.as_mut().poll(context).map(|()| Some(Err(End::Done))),
        });
        if let Some(incoming) = begun.await {
            return incoming;
        }
        let rest = poll_fn(|context| reader.poll(stream, longest, context));
        let rest = within(limits.request_time(), rest).await;
        rest.ok_or(End::TooSlow(SLOW_REQUEST))?.map_err(End::Broken)
    }

    /// An answer that is not ready at once: those before it leave meanwhile.
    async fn answer_later(&mut self, answering: Pin<&mut impl Future<Output = Answer>>) -> Result<Answer, End> {
        // Side by side: what is being answered may hold what others wait for, and does not wait for this client.
        let (sent, answer) = join!(self.answers.send(&mut self.stream, &self.limits), answering);
        sent.map(|()| answer)
    }

    /// Asks instead of answering, until the client asks again.
    async fn ask(&mut self, mut interview: Box<dyn Interview>) -> Result<(), End> {
        let mut heard = None;
        loop {
            let question = match interview.next(heard.as_ref()) {
                Ok(Some(question)) => question,
                Ok(None) => return Ok(()),
                Err(why) => {
                    let Peer { admitted, address, .. } = &**self.guest.peer();
                    info!(client = %admitted.identity, %address, "the client in the server's role: {why}");
                    return Err(End::Done);
                }
            };
            let (patience, longest) = (self.limits.answer_time(), self.limits.request_bytes);
            let exchange = async {
                write(&mut self.stream, &question).await?;
                poll_fn(|context| self.reader.poll(&mut self.stream, longest, context)).await
            };
            heard = match within(patience, exchange).await {
                None => return Err(End::TooSlow("a client in the server's role did not answer in time")),
                Some(Err(error)) => return Err(End::Broken(error)),
                Some(Ok(Incoming::Message(bytes))) => Some(bytes),
                Some(Ok(Incoming::Unreadable(..) | Incoming::End)) => return Err(End::Done),
            };
        }
    }
}

/// Answers that have not left yet, in their order.
#[derive(Default)]
struct Answers {
    bytes: Wiped,
    count: usize,
}

impl Answers {
    fn add(&mut self, answer: Vec<u8>) {
        let answer = Wiped::from(answer);
        self.count += 1;
        if self.bytes.is_empty() {
            self.bytes = answer;
        } else {
            append(&mut self.bytes, &answer, usize::MAX);
        }
    }

    /// Whether these leave before there is another one.
    fn are_enough(&self) -> bool {
        self.count >= TOGETHER || self.bytes.len() >= BYTES_TOGETHER
    }

    /// Sends them, if there are any. Nothing is left of them afterwards.
    async fn send(&mut self, stream: &mut Stream, limits: &Limits) -> Result<(), End> {
        let Self { bytes, count } = std::mem::take(self);
        if count == 0 {
            return Ok(());
        }
        let written = within(limits.answer_time(), write(stream, &bytes)).await;
        written.ok_or(End::TooSlow(SLOW_ANSWER))?.map_err(End::Broken)
    }
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
