//! A bounded number of threads that take work from asynchronous tasks, and answer them.
//!
//! The threads live as long as the pool, and sleep while there is nothing to do. To hand a short piece of work to one of
//! them and wait for its answer costs 2 to 6 µs; a task on tokio's blocking threads costs 10 to 20, because each wakes a
//! thread of its own, and `block_in_place` as much. So at most one thread is on its way from its sleep at a time: before
//! it works it wakes the next one, if there is more to do. Threads that look around for work before they sleep took
//! twice the processor's time and saved none.
//!
//! The one that has slept for the shortest time is woken first: what it works with, memory that it has freed above all, is
//! still near the processor. Where one thread can do everything, one does.

use std::collections::VecDeque;
use std::mem::take;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::{Semaphore, oneshot};

use crate::failure::{Failure, Outcome};

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and who waits for them.
#[derive(Debug)]
pub(super) struct Pool {
    /// Who waits stands in line here, and leaves the line when its request is dropped.
    places: Arc<Semaphore>,
    threads: Arc<Threads>,
}

impl Pool {
    /// At most this many pieces of work at a time. The threads begin when there is work for them.
    pub(super) fn new(name: &'static str, places: usize) -> Self {
        let places = places.max(1);
        let threads = Threads { name, most: places, state: Mutex::default() };
        Self { places: Arc::new(Semaphore::new(places)), threads: Arc::new(threads) }
    }

    /// Waits for a place and runs the work there.
    ///
    /// # Errors
    /// Work that panicked: what it held is gone. No thread can be had.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let (answer, answered) = oneshot::channel();
        self.threads.take(Box::new(move || {
            let done = work();
            drop(place);
            // Nobody listens any more where the request was dropped.
            let _unheard = answer.send(done);
        }));
        answered.await.map_err(|_| Failure::internal("slow work ended early"))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.threads.lock();
        state.is_closed = true;
        take(&mut state.asleep).iter().for_each(|bed| bed.notify_one());
    }
}

#[derive(Debug)]
struct Threads {
    name: &'static str,
    most: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that were begun and have not ended.
    all: usize,
    /// Those of them that sleep, the last to do so at the end. Whoever wakes one takes it off.
    asleep: Vec<Arc<Condvar>>,
    /// Whether one is on its way to the jobs.
    is_coming: bool,
    is_closed: bool,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("jobs", &self.jobs.len()).field("all", &self.all).finish_non_exhaustive()
    }
}

/// How a further thread comes to the jobs.
enum Help {
    Wake(Arc<Condvar>),
    Begin,
}

impl State {
    /// What must be done for the jobs that are left, once the lock is let go.
    fn help(&mut self, most: usize) -> Option<Help> {
        if self.jobs.is_empty() || self.is_coming {
            return None;
        }
        let help = match self.asleep.pop() {
            Some(bed) => Help::Wake(bed),
            None if self.all == most => return None,
            None => {
                self.all += 1;
                Help::Begin
            }
        };
        self.is_coming = true;
        Some(help)
    }
}

impl Threads {
    fn take(self: &Arc<Self>, job: Job) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        let help = state.help(self.most);
        drop(state);
        self.bring(help);
    }

    fn bring(self: &Arc<Self>, help: Option<Help>) {
        match help {
            None => {}
            Some(Help::Wake(bed)) => bed.notify_one(),
            Some(Help::Begin) => {
                let threads = Arc::clone(self);
                if let Err(error) = thread::Builder::new().name(self.name.into()).spawn(move || threads.work()) {
                    tracing::error!(%error, "no thread can be had for slow work");
                    let mut state = self.lock();
                    state.all -= 1;
                    state.is_coming = false;
                    // Those who wait hear that it ended early, unless somebody is there to come to it.
                    let dropped = if state.all == 0 { take(&mut state.jobs) } else { VecDeque::new() };
                    drop(state);
                    drop(dropped);
                }
            }
        }
    }

    /// The life of a thread.
    fn work(self: Arc<Self>) {
        let bed = Arc::new(Condvar::new());
        let mut state = self.lock();
        state.is_coming = false;
        loop {
            if let Some(job) = state.jobs.pop_front() {
                let help = state.help(self.most);
                drop(state);
                self.bring(help);
                // A panic was reported where it happened; whoever waits hears of it, and the thread stays.
                let _panicked = catch_unwind(AssertUnwindSafe(job));
                state = self.lock();
            } else if state.is_closed {
                state.all -= 1;
                return;
            } else {
                state.asleep.push(Arc::clone(&bed));
                let is_asleep = |state: &mut State| state.asleep.iter().any(|other| Arc::ptr_eq(other, &bed));
                state = bed.wait_while(state, is_asleep).unwrap_or_else(PoisonError::into_inner);
                state.is_coming = false;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use kmip_codec::spec::ResultReason;

    use super::*;

    #[tokio::test]
    async fn as_many_pieces_of_work_run_at_a_time_as_there_are_places() {
        let pool = Arc::new(Pool::new("test", 3));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // The first three go on once all of them are there: fewer threads would never come to that.
        let meeting = Arc::new(std::sync::Barrier::new(3));
        let work = (0..30).map(|number| {
            let (pool, running, most, meeting) =
                (Arc::clone(&pool), Arc::clone(&running), Arc::clone(&most), Arc::clone(&meeting));
            tokio::spawn(async move {
                pool.run(move || {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    meeting.wait();
                    running.fetch_sub(1, Ordering::SeqCst);
                    number
                })
                .await
                .unwrap()
            })
        });
        let mut done = Vec::new();
        for work in work.collect::<Vec<_>>() {
            done.push(work.await.unwrap());
        }
        assert_eq!(done, (0..30).collect::<Vec<_>>());
        assert_eq!(most.load(Ordering::SeqCst), 3);
        assert_eq!(pool.threads.lock().all, 3);
    }

    #[tokio::test]
    async fn work_that_panics_takes_no_place_and_no_thread_with_it() {
        let pool = Pool::new("test", 1);
        let failure = pool.run(|| assert_eq!(1, 2, "a panic that the test wants")).await.unwrap_err();
        assert_eq!(failure.reason, ResultReason::InternalServerError);
        assert_eq!(pool.run(|| 7).await.unwrap(), 7);
        assert_eq!(pool.threads.lock().all, 1);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_to_do() {
        let pool = Arc::new(Pool::new("test", 1));
        let (release, released) = mpsc::channel::<()>();
        let busy = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(move || released.recv()).await }
        });
        while pool.places.available_permits() > 0 || !pool.threads.lock().jobs.is_empty() {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn({
            let pool = Arc::clone(&pool);
            async move { pool.run(|| panic!("nobody wants this any more")).await }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
        assert_eq!(pool.threads.lock().jobs.len(), 0);
        release.send(()).unwrap();
        busy.await.unwrap().unwrap().unwrap();
        assert_eq!(pool.run(|| 1).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn one_thread_does_what_one_can_do() {
        let pool = Arc::new(Pool::new("test", 3));
        let meeting = Arc::new(std::sync::Barrier::new(3));
        let begun = [(); 3].map(|()| {
            let (pool, meeting) = (Arc::clone(&pool), Arc::clone(&meeting));
            tokio::spawn(async move { pool.run(move || meeting.wait()).await })
        });
        for begun in begun {
            begun.await.unwrap().unwrap();
        }
        let mut who = Vec::new();
        for _ in 0..10 {
            while pool.threads.lock().asleep.len() < 3 {
                thread::yield_now();
            }
            who.push(pool.run(|| thread::current().id()).await.unwrap());
        }
        assert!(who.iter().all(|one| *one == who[0]), "{who:?}");
    }

    #[tokio::test]
    async fn the_threads_end_with_the_pool() {
        let pool = Pool::new("test", 2);
        pool.run(|| ()).await.unwrap();
        let threads = Arc::downgrade(&pool.threads);
        drop(pool);
        while threads.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    }
}
