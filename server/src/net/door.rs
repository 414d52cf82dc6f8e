//! Where handshakes are computed: on threads of their own, which the system runs after those that answer requests. However
//! many clients come at once, and however long their signatures take, who is in already is served first.
//!
//! The way there and back costs half of what a resumed handshake does. Whoever asks for an earlier session is therefore
//! served where the bytes arrived, in turns with everything else there, as long as those who are in already ask for
//! nothing. Who asks for a session and has none, or does not go on, makes the next ones take the long way.

use std::io;
use std::pin::Pin;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use super::turns::{Bustle, Turns};
use crate::system;

/// The threads of handshakes, and the turns of those that need none.
pub(super) struct Door {
    threads: Option<Runtime>,
    turns: Turns,
}

impl Door {
    /// Starts as many threads as there are processors: with nobody to be answered, handshakes have all of them.
    ///
    /// # Errors
    /// The system gives no threads.
    pub(super) fn open() -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        // Sockets and clocks belong to the runtime of the connections, which goes on with them.
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("handshake")
            .on_thread_start(system::step_back)
            .build()?;
        Ok(Self { threads: Some(runtime), turns: Turns::new(threads) })
    }

    /// Does the work of a handshake, which ends with the future that waits for it. Work that is said to be short is done
    /// here, as long as what was said to be so `was_short` in the end, and `others` are not at work.
    ///
    /// # Errors
    /// The work panicked on another thread.
    pub(super) async fn pass<T: Send + 'static>(
        &self,
        work: Pin<Box<impl Future<Output = T> + Send + 'static>>,
        is_short: bool,
        others: &Bustle,
        was_short: impl FnOnce(&T) -> bool,
    ) -> Result<T, JoinError> {
        if is_short && let Some(loan) = self.turns.lend(Instant::now(), others) {
            let done = self.turns.take(work).await;
            if was_short(&done) {
                loan.repay();
            }
            return Ok(done);
        }
        match &self.threads {
            Some(runtime) => (&mut Passing(runtime.spawn(work)).0).await,
            // Only on the way out.
            None => tokio::spawn(work).await,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // To wait for the threads is nothing for a thread that answers.
        if let Some(runtime) = self.threads.take() {
            runtime.shutdown_background();
        }
    }
}

/// Work that ends when nobody waits for it any more.
struct Passing<T>(JoinHandle<T>);

impl<T> Drop for Passing<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    async fn place() -> Option<String> {
        thread::current().name().map(str::to_owned)
    }

    #[tokio::test]
    async fn only_work_that_keeps_its_promise_is_done_here() {
        let door = Door::open().unwrap();
        let others = Bustle::default();
        let (here, there) = (place().await, Some("handshake".to_owned()));
        for _ in 0..200 {
            assert_eq!(door.pass(Box::pin(place()), true, &others, |_| true).await.unwrap(), here);
            assert_eq!(door.pass(Box::pin(place()), false, &others, |_| true).await.unwrap(), there);
        }
        others.note();
        assert_eq!(door.pass(Box::pin(place()), true, &others, |_| true).await.unwrap(), there);
        let others = Bustle::default();
        while door.pass(Box::pin(place()), true, &others, |_| true).await.unwrap() == there {}
        let mut broken = 0;
        while door.pass(Box::pin(place()), true, &others, |_| false).await.unwrap() == here {
            broken += 1;
        }
        assert!(broken >= 64, "{broken}");
    }
}
