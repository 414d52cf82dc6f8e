//! How far a connection is with its request, so that a client that is too slow is noticed, and one that is silent is kept.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncBufRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::config::Limits;
use crate::net::connection::{SLOW_ANSWER, SLOW_REQUEST};

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between two requests.
    Idle,
    /// A request has begun, and has this time.
    Reading(Instant),
    /// It is whole, and being answered.
    Working,
    /// The client is taking the answer, and has this time.
    Answering(Instant),
}

/// The phases of one connection.
pub(super) struct Pace {
    phase: Mutex<Phase>,
    changed: Notify,
    request: Duration,
    answer: Duration,
}

impl Pace {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            phase: Mutex::new(Phase::Idle),
            changed: Notify::new(),
            request: limits.request_time(),
            answer: limits.answer_time(),
        }
    }

    fn phase(&self) -> Phase {
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, next: impl FnOnce(Phase) -> Phase) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *phase;
        *phase = next(before);
        if *phase != before {
            self.changed.notify_one();
        }
    }

    /// Bytes have come.
    fn arrived(&self) {
        self.step(|phase| if phase == Phase::Idle { Phase::Reading(Instant::now() + self.request) } else { phase });
    }

    /// The request is whole.
    pub(super) fn working(&self) {
        self.step(|_| Phase::Working);
    }

    /// There is an answer.
    pub(super) fn answering(&self) {
        self.step(|_| Phase::Answering(Instant::now() + self.answer));
    }

    /// Everything that was written has left.
    fn flushed(&self) {
        self.step(|phase| if matches!(phase, Phase::Answering(_)) { Phase::Idle } else { phase });
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.phase() == Phase::Idle
    }

    /// Waits until the client has taken too long, and says for what.
    pub(super) async fn overdue(&self) -> &'static str {
        loop {
            let (deadline, what) = match self.phase() {
                Phase::Reading(deadline) => (deadline, SLOW_REQUEST),
                Phase::Answering(deadline) => (deadline, SLOW_ANSWER),
                Phase::Idle | Phase::Working => {
                    self.changed.notified().await;
                    continue;
                }
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = sleep_until(deadline) => return what,
            }
        }
    }
}

/// A stream that tells its pace.
pub(super) struct Paced<T> {
    stream: T,
    pace: Arc<Pace>,
}

impl<T> Paced<T> {
    pub(super) fn new(stream: T, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }

    /// The stream alone.
    pub(super) fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: AsyncBufRead + Unpin> Read for Paced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let arrived = ready!(Pin::new(&mut this.stream).poll_fill_buf(context))?;
        let (taken, _) = arrived.split_at(arrived.len().min(buffer.remaining()));
        let taken = {
            buffer.put_slice(taken);
            taken.len()
        };
        if taken > 0 {
            this.pace.arrived();
        }
        Pin::new(&mut this.stream).consume(taken);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Write for Paced<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.pace.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
