//! Work that is begun in turns on the threads that answer requests. Whatever else is ready there is done before the next
//! one begins, however many of them there are.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::patience::at_once;

/// How many pieces of work may be about that have not paid back yet.
const MOST: u64 = 64;

/// After which time one of them is forgiven.
const FORGIVEN: Duration = Duration::from_millis(10);

/// For how long there are no turns once others were seen at work.
const BUSY: Duration = Duration::from_millis(10);

/// Whether those who are in already are at work.
#[derive(Debug, Default)]
pub(super) struct Bustle(AtomicBool);

impl Bustle {
    /// They are.
    pub(super) fn note(&self) {
        // What is only read is no matter between processors.
        if !self.0.load(Ordering::Relaxed) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Turns, and the trust in those who ask for them. Work that promises to be short borrows trust, and pays it back by having
/// been short. What does not keep its promise costs others no more than [`MOST`] pieces of work, and one for each
/// [`FORGIVEN`] that has gone by.
#[derive(Debug)]
pub(super) struct Turns {
    first_steps: Semaphore,
    begun: Instant,
    /// Until when all trust is given back if nobody pays, in nanoseconds since it began.
    debt: AtomicU64,
    /// Until when others are taken to be at work, in nanoseconds since it began.
    busy: AtomicU64,
}

/// Trust that was borrowed.
#[derive(Debug)]
pub(super) struct Loan<'a>(&'a Turns);

impl Turns {
    /// Turns for so many steps at a time.
    pub(super) fn new(at_a_time: usize) -> Self {
        Self {
            first_steps: Semaphore::new(at_a_time),
            begun: Instant::now(),
            debt: AtomicU64::new(0),
            busy: AtomicU64::new(0),
        }
    }

    /// Trust for a piece of work, unless too much of it is lost, or there is somebody to step back for.
    pub(super) fn lend(&self, now: Instant, others: &Bustle) -> Option<Loan<'_>> {
        let now = nanoseconds(now.saturating_duration_since(self.begun));
        if others.0.swap(false, Ordering::Relaxed) {
            self.busy.store(now + nanoseconds(BUSY), Ordering::Relaxed);
        }
        if now < self.busy.load(Ordering::Relaxed) {
            return None;
        }
        let one = nanoseconds(FORGIVEN);
        let more = |debt: u64| Some(debt.max(now) + one).filter(|debt| *debt <= now + MOST * one);
        self.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Loan(self))
    }

    /// Does the work, its first step when it is its turn. What comes after it is like a request.
    pub(super) async fn take<T>(&self, mut work: Pin<Box<impl Future<Output = T>>>) -> T {
        // The semaphore is never closed.
        let turn = self.first_steps.acquire().await.ok();
        // This goes on after all that is ready and all that arrives now, and the next one waits.
        yield_now().await;
        let first = at_once(work.as_mut()).await;
        drop(turn);
        match first {
            Poll::Ready(output) => output,
            Poll::Pending => work.await,
        }
    }
}

impl Loan<'_> {
    /// Gives it back.
    pub(super) fn repay(self) {
        let less = |debt: u64| Some(debt.saturating_sub(nanoseconds(FORGIVEN)));
        // It never fails.
        let _ = self.0.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;
    use std::sync::{Arc, Mutex};

    use tokio::task::JoinSet;

    use super::*;

    /// Thirty pieces of work, all of them ready, beside something else that is.
    #[tokio::test]
    async fn what_else_is_ready_goes_between_two() {
        let turns = Arc::new(Turns::new(1));
        let (others, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let mut all = JoinSet::new();
        for _ in 0..30 {
            let (turns, others, begun) = (Arc::clone(&turns), Arc::clone(&others), Arc::clone(&begun));
            all.spawn(async move {
                let work = async {
                    begun.lock().unwrap().push(others.load(Ordering::Relaxed));
                    yield_now().await;
                };
                turns.take(Box::pin(work)).await;
            });
        }
        while !all.is_empty() {
            yield_now().await;
            others.fetch_add(1, Ordering::Relaxed);
            while all.try_join_next().is_some() {}
        }
        let begun = begun.lock().unwrap();
        assert_eq!(begun.len(), 30);
        assert!(begun.windows(2).all(|pair| pair[0] < pair[1]), "{begun:?}");
    }

    #[tokio::test]
    async fn who_gives_up_leaves_the_turn() {
        let turns = Turns::new(1);
        {
            let mut work = pin!(turns.take(Box::pin(async {})));
            assert!(at_once(work.as_mut()).await.is_pending());
            assert_eq!(turns.first_steps.available_permits(), 0);
        }
        turns.take(Box::pin(async {})).await;
    }

    #[test]
    fn trust_that_is_not_paid_back_comes_slowly() {
        let turns = Turns::new(1);
        let now = turns.begun;
        let lent: Vec<_> = (0..MOST).map(|_| turns.lend(now, &Bustle::default()).unwrap()).collect();
        assert!(turns.lend(now, &Bustle::default()).is_none());
        // Who pays makes room for one.
        lent.into_iter().next().unwrap().repay();
        assert!(turns.lend(now, &Bustle::default()).is_some());
        assert!(turns.lend(now + FORGIVEN - Duration::from_nanos(1), &Bustle::default()).is_none());
        assert!(turns.lend(now + FORGIVEN, &Bustle::default()).is_some());
        assert!(turns.lend(now + FORGIVEN, &Bustle::default()).is_none());
        // A long time makes no more trust than there was.
        let later = now + 10_000 * FORGIVEN;
        assert_eq!((0..2 * MOST).filter_map(|_| turns.lend(later, &Bustle::default())).count() as u64, MOST);
    }

    #[test]
    fn while_others_are_at_work_there_are_no_turns() {
        let (turns, others) = (Turns::new(1), Bustle::default());
        let now = turns.begun;
        assert!(turns.lend(now, &others).is_some());
        others.note();
        assert!(turns.lend(now, &others).is_none());
        assert!(turns.lend(now + BUSY - Duration::from_nanos(1), &others).is_none());
        assert!(turns.lend(now + BUSY, &others).is_some());
    }

    #[test]
    fn who_pays_is_trusted_without_end() {
        let turns = Turns::new(1);
        for _ in 0..10 * MOST {
            turns.lend(turns.begun, &Bustle::default()).unwrap().repay();
        }
    }
}
