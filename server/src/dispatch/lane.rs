//! The lanes for slow work: threads beside those that serve connections. What waits for one thing never stands in the way
//! of what waits for another, and none of it in the way of quick work.

mod choice;
mod pool;

use std::num::NonZero;
use std::sync::Arc;
use std::thread::available_parallelism;

use crate::failure::Outcome;
use crate::view::Slow;
pub(super) use choice::of;
use pool::Pool;

/// Runs slow work, so many pieces of each kind at a time. The others wait their turn, in the order in which they came:
/// nothing is dropped, and there are never more than requests under way.
#[derive(Debug, Clone)]
pub struct Lane {
    processor: Arc<Pool>,
    module: Arc<Pool>,
    generation: Arc<Pool>,
}

impl Lane {
    /// Lanes with so many places for work in this process, and so many for the module: as many as it has sessions.
    ///
    /// Half of the processors may make long keys at a time. That work has a low priority where the system knows such a
    /// thing (`crypto::software`), and a processor that makes a key is still slower for others where two share a core.
    pub fn new(processor: usize, module: usize) -> Self {
        let generation = available_parallelism().map_or(1, NonZero::get) / 2;
        Self {
            processor: Arc::new(Pool::new("slow", processor)),
            module: Arc::new(Pool::new("module", module)),
            generation: Arc::new(Pool::new("generation", generation)),
        }
    }

    /// Waits for a place and runs the work there.
    ///
    /// # Errors
    /// Work that panicked: what it held is gone. No thread can be had.
    pub async fn run<T: Send + 'static>(&self, kind: Slow, work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let pool = match kind {
            Slow::Processor => &self.processor,
            Slow::Module => &self.module,
            Slow::Generation => &self.generation,
        };
        pool.run(work).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Every place of one kind is taken, and more is waiting: work of the others is done all the same.
    #[tokio::test]
    async fn one_kind_of_slow_work_does_not_wait_for_another() {
        let lane = Lane::new(2, 2);
        let kinds = [Slow::Processor, Slow::Module, Slow::Generation];
        for stuck in kinds {
            let (releases, waiting): (Vec<_>, Vec<_>) = (0..64)
                .map(|_| {
                    let (release, released) = mpsc::channel::<()>();
                    let lane = lane.clone();
                    (release, tokio::spawn(async move { lane.run(stuck, move || released.recv()).await }))
                })
                .unzip();
            tokio::task::yield_now().await;
            for other in kinds.into_iter().filter(|other| *other != stuck) {
                assert_eq!(lane.run(other, || 7).await.unwrap(), 7, "{other:?} beside {stuck:?}");
            }
            for (release, waiting) in releases.into_iter().zip(waiting) {
                release.send(()).unwrap();
                waiting.await.unwrap().unwrap().unwrap();
            }
        }
    }
}
