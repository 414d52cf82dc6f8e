//! The lane for slow work: a bounded number of threads beside those that serve connections.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::failure::{Failure, Outcome};

/// Runs slow work, so many pieces at a time.
#[derive(Debug, Clone)]
pub struct Lane {
    places: Arc<Semaphore>,
}

impl Lane {
    /// A lane with this many places.
    pub fn new(places: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(places.max(1))) }
    }

    /// Waits for a place and runs the work there.
    ///
    /// # Errors
    /// Work that panicked: what it held is gone.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(place);
            done
        });
        done.await.map_err(|error| Failure::internal(format!("slow work ended early: {error}")))
    }
}
