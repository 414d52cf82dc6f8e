//! Where handshakes are computed: on threads of their own, which the system runs after those that answer requests. However
//! many clients come at once, and however long their signatures take, who is in already is served first.

use std::io;

use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinError, JoinHandle};

use crate::system;

/// The threads of handshakes.
pub(super) struct Door(Option<Runtime>);

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
        Ok(Self(Some(runtime)))
    }

    /// Does the work of a handshake there. It ends with the future that waits for it.
    ///
    /// # Errors
    /// The work panicked.
    pub(super) async fn pass<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        match &self.0 {
            Some(runtime) => (&mut Passing(runtime.spawn(work)).0).await,
            // Only on the way out.
            None => tokio::spawn(work).await,
        }
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // To wait for the threads is nothing for a thread that answers.
        if let Some(runtime) = self.0.take() {
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
