//! What was reserved of an object's counter ahead of its use, so that most uses cost no commit.
//!
//! The counter's row says how much was reserved, durably, before any of it is used; how much of that is left stands here
//! alone. What is forgotten, by a crash or to make room, counts as used. An allowance grows with its use: a key that is used
//! once in a while loses little, and one that is used all the time seldom waits for a commit.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;
use foldhash::fast::RandomState;

/// The first allowance of an object, and how much larger each further one is, up to the largest.
const FIRST: u64 = 1 << 8;
const GROWTH: u64 = 1 << 4;
const LARGEST: u64 = 1 << 16;

/// Parts that are locked apart.
const SHARDS: usize = 16;
/// Objects of a generation of a shard: two generations of all shards take about 2 MiB.
const OBJECTS: usize = 2048;

/// What is left of objects' allowances.
#[derive(Default)]
pub(super) struct Allowances {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
}

/// What is used moves into the young generation; when that is full, the old one goes.
#[derive(Default)]
struct Shard {
    young: HashMap<u64, Allowance>,
    old: HashMap<u64, Allowance>,
}

#[derive(Clone, Copy)]
struct Allowance {
    left: u64,
    /// How large the next one is.
    next: u64,
    /// Whether a message is about to reserve it.
    is_reserving: bool,
}

/// What a draw comes to.
pub enum Drawn {
    /// It was reserved, and is used now.
    Reserved,
    /// Nothing is left: it is counted with the commit. Whoever has the reservation, and nobody else meanwhile, reserves more.
    Uncounted(Option<Reservation>),
}

/// The right to reserve an object's next allowance: one at a time, so that a crash loses no more than one.
pub struct Reservation {
    allowances: Arc<Allowances>,
    object: u64,
    size: u64,
    granted: Arc<AtomicU64>,
}

impl Allowances {
    /// Uses one of an object's allowance.
    pub(super) fn draw(allowances: &Arc<Self>, object: u64) -> Drawn {
        let mut shard = allowances.shard(object);
        if let Some(allowance) = shard.young.get_mut(&object)
            && let Some(left) = allowance.left.checked_sub(1)
        {
            allowance.left = left;
            return Drawn::Reserved;
        }
        let mut allowance = shard.get(object).unwrap_or(Allowance { left: 0, next: FIRST, is_reserving: false });
        let drawn = match allowance.left.checked_sub(1) {
            Some(left) => {
                allowance.left = left;
                Drawn::Reserved
            }
            None if allowance.is_reserving => Drawn::Uncounted(None),
            None => {
                allowance.is_reserving = true;
                Drawn::Uncounted(Some(Reservation {
                    allowances: Arc::clone(allowances),
                    object,
                    size: allowance.next,
                    granted: Arc::default(),
                }))
            }
        };
        shard.put(object, allowance);
        drawn
    }

    fn shard(&self, object: u64) -> MutexGuard<'_, Shard> {
        let place = usize::try_from(self.hasher.hash_one(object) % SHARDS as u64).unwrap_or(0);
        let [first, ..] = &self.shards;
        // Whoever panicked with the lock has left a whole map behind.
        self.shards.get(place).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn get(&self, object: u64) -> Option<Allowance> {
        self.young.get(&object).or_else(|| self.old.get(&object)).copied()
    }

    fn put(&mut self, object: u64, allowance: Allowance) {
        if self.young.len() >= OBJECTS && !self.young.contains_key(&object) {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&object);
        self.young.insert(object, allowance);
    }
}

impl Reservation {
    /// How much is to be reserved.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Where the commit says how much it has reserved.
    pub fn granted(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.granted)
    }

    /// The commit stands: what it reserved may be used.
    pub fn settle(self) {
        let granted = self.granted.load(Ordering::Acquire);
        let mut shard = self.allowances.shard(self.object);
        let left = shard.get(self.object).map_or(0, |allowance| allowance.left);
        let next = self.size.saturating_mul(GROWTH).min(LARGEST);
        shard.put(self.object, Allowance { left: left.saturating_add(granted), next, is_reserving: true });
        // Dropping it lets the next one in.
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut shard = self.allowances.shard(self.object);
        if let Some(allowance) = shard.get(self.object) {
            shard.put(self.object, Allowance { is_reserving: false, ..allowance });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(allowances: &Arc<Allowances>, object: u64) -> Option<Option<Reservation>> {
        match Allowances::draw(allowances, object) {
            Drawn::Reserved => None,
            Drawn::Uncounted(reservation) => Some(reservation),
        }
    }

    /// Uses all that is left, and reserves again. Answers how much was left.
    fn use_up(allowances: &Arc<Allowances>, object: u64) -> u64 {
        let mut count = 0;
        loop {
            match draw(allowances, object) {
                None => count += 1,
                Some(reservation) => {
                    let reservation = reservation.expect("nobody else reserves");
                    reservation.granted().store(reservation.size(), Ordering::Release);
                    reservation.settle();
                    return count;
                }
            }
        }
    }

    #[test]
    fn allowances_grow_with_their_use() {
        let allowances = Arc::default();
        let sizes: Vec<u64> = (0..5).map(|_| use_up(&allowances, 7)).collect();
        assert_eq!(sizes, [0, FIRST, FIRST * GROWTH, LARGEST, LARGEST]);
        assert_eq!(use_up(&allowances, 8), 0, "each object has its own");
    }

    #[test]
    fn one_reserves_and_the_others_count_for_themselves() {
        let allowances = Arc::default();
        let first = draw(&allowances, 7).unwrap().unwrap();
        assert!(draw(&allowances, 7).unwrap().is_none());
        // It came to nothing: the next one reserves.
        drop(first);
        let second = draw(&allowances, 7).unwrap().unwrap();
        second.granted().store(2, Ordering::Release);
        second.settle();
        assert!(draw(&allowances, 7).is_none() && draw(&allowances, 7).is_none());
        assert!(draw(&allowances, 7).unwrap().is_some());
    }

    #[test]
    fn memory_is_bounded_and_what_is_forgotten_is_used() {
        let allowances: Arc<Allowances> = Arc::default();
        for object in 0..4 * (SHARDS * OBJECTS) as u64 {
            let reservation = draw(&allowances, object).unwrap().unwrap();
            reservation.granted().store(1, Ordering::Release);
            reservation.settle();
        }
        let known: usize = allowances
            .shards
            .iter()
            .map(|shard| {
                let shard = shard.lock().unwrap();
                shard.young.len() + shard.old.len()
            })
            .sum();
        assert!(known <= 2 * SHARDS * OBJECTS, "{known}");
        assert!(known >= SHARDS * OBJECTS, "{known}");
        assert!(draw(&allowances, 0).unwrap().is_some());
    }

    #[test]
    fn threads_share_what_is_reserved() {
        let allowances: Arc<Allowances> = Arc::default();
        let reserved = AtomicU64::new(0);
        let used = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        used.fetch_add(1, Ordering::Relaxed);
                        let Some(reservation) = draw(&allowances, 7) else { continue };
                        // What is not covered counts for itself.
                        reserved.fetch_add(1, Ordering::Relaxed);
                        if let Some(reservation) = reservation {
                            reserved.fetch_add(reservation.size(), Ordering::Relaxed);
                            reservation.granted().store(reservation.size(), Ordering::Release);
                            reservation.settle();
                        }
                    }
                });
            }
        });
        let mut left = 0;
        while draw(&allowances, 7).is_none() {
            left += 1;
        }
        assert_eq!(reserved.into_inner() - left, used.into_inner());
    }
}
