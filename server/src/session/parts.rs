//! What lives between the parts of an operation, under its Correlation Value (KMIP 2.1 §7.8).
//!
//! A state belongs to who began it, is taken while it is worked on, and comes back only when the message's commit stands:
//! two messages never step the same state, and one that failed is gone. Nothing here is stored. How many there are is
//! bounded for each client and in all; one that nobody goes on with for a while is dropped.
//!
//! A client has so many places, and a Correlation Value names one of them: it comes again when the place is free again, as
//! the number of a file does. It means nothing to another client, another operation or another key.

use std::any::Any;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::crypto::algorithm::Hash;
use crate::crypto::public;

/// How many there may be, how long, and of what size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most that one client has under way.
    pub per_client: usize,
    /// The most that there are.
    pub all: usize,
    /// How long nobody needs to go on with one, in seconds.
    pub idle: u32,
    /// The most that waits in one of them for its last part, in bytes.
    pub bytes: usize,
    /// The most memory that all of one client take, in bytes, with what it has open as a PKCS #11 token.
    pub bytes_per_client: usize,
    /// The most that those of all clients take.
    pub bytes_in_all: usize,
    /// The most of one client for which the module keeps a session.
    pub held_per_client: usize,
    /// The most for which it keeps one.
    pub held: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            per_client: 64,
            all: 4096,
            idle: 600,
            bytes: 16 * MIB,
            bytes_per_client: 64 * MIB,
            bytes_in_all: 512 * MIB,
            held_per_client: 4,
            held: 64,
        }
    }
}

/// What names a state.
pub type Correlation = [u8; 16];

/// A state of any operation.
pub type State = Box<dyn Any + Send + Sync>;

/// What takes memory between two messages.
pub trait Weighs {
    /// How much, in bytes: what grows with the data exactly, the rest roughly.
    fn weight(&self) -> usize;
}

/// All states.
#[derive(Default)]
pub struct Parts {
    held: Mutex<HashMap<Correlation, Held>>,
    seats: Arc<Seats>,
    /// Of those for which the module keeps a session.
    held_seats: Arc<Seats>,
    budget: Arc<Budget>,
    /// Keeps what one server gave from meaning anything to the next.
    salt: OnceLock<Vec<u8>>,
    limits: Limits,
}

/// A state and who began it.
pub struct Held {
    owner: Arc<str>,
    until: i64,
    state: State,
    seat: Seat,
}

impl Held {
    /// The state with its place, so that the next one can have it.
    pub fn into_parts(self) -> (State, Seat) {
        (self.state, self.seat)
    }
}

impl Parts {
    /// None yet, and so many and no more.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// How many there may be, how long, and of what size.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// A place for a new state, if the owner may have one more.
    pub fn reserve(&self, owner: &Arc<str>, now: i64) -> Option<Seat> {
        drop(self.lost(now));
        Seats::sit(&self.seats, owner, self.limits.per_client, self.limits.all)
    }

    /// A place for a state of which the module keeps a part in a session of its own.
    pub fn reserve_held(&self, owner: &Arc<str>) -> Option<Seat> {
        Seats::sit(&self.held_seats, owner, self.limits.held_per_client, self.limits.held)
    }

    /// Notes how much memory what stands in a place takes; whether there is room for so much.
    pub fn weigh(&self, seat: &mut Seat, bytes: usize) -> bool {
        match &mut seat.charge {
            Some(charge) => charge.resize(bytes, &self.limits),
            none => {
                *none = self.charge(&seat.owner, bytes);
                none.is_some()
            }
        }
    }

    /// Counts memory that an owner takes, for as long as the answer lives; nothing if there is no room for so much more.
    pub fn charge(&self, owner: &Arc<str>, bytes: usize) -> Option<Charge> {
        let is_there = self.budget.take(owner, bytes, &self.limits);
        is_there.then(|| Charge { budget: Arc::clone(&self.budget), owner: Arc::clone(owner), bytes })
    }

    /// Takes out the states that nobody has gone on with for too long.
    pub fn lost(&self, now: i64) -> Vec<Held> {
        lock(&self.held).extract_if(|_, held| held.until <= now).map(|(_, held)| held).collect()
    }

    /// The name of a place. `salt` is random, and used once.
    pub fn name(&self, seat: &Seat, salt: &[u8]) -> Correlation {
        let salt = self.salt.get_or_init(|| salt.to_vec());
        let number = (seat.number as u64).to_be_bytes();
        let digest = public::hash(Hash::Sha256, &[salt, &number[..], seat.owner.as_bytes()].concat());
        digest.first_chunk().copied().unwrap_or_default()
    }

    /// Takes a state that is the owner's and fits; it is nobody else's business whether there is one.
    pub fn take(
        &self,
        correlation: &Correlation,
        owner: &str,
        now: i64,
        fits: impl FnOnce(&State) -> bool,
    ) -> Option<Held> {
        let mut held = lock(&self.held);
        let found = held.get(correlation)?;
        if *found.owner != *owner || found.until <= now || !fits(&found.state) {
            return None;
        }
        held.remove(correlation)
    }

    /// Drops all of them.
    pub fn clear(&self) {
        lock(&self.held).clear();
    }

    /// Puts a state where the next part finds it.
    pub fn put(&self, correlation: Correlation, state: State, seat: Seat, now: i64) {
        let owner = Arc::clone(&seat.owner);
        let until = now.saturating_add(self.limits.idle.into());
        lock(&self.held).insert(correlation, Held { owner, until, state, seat });
    }
}

/// A place among the states; it is free again when this goes.
pub struct Seat {
    seats: Arc<Seats>,
    owner: Arc<str>,
    number: usize,
    /// Of what stands in it.
    charge: Option<Charge>,
}

/// Memory that is counted for an owner; it is free again when this goes.
pub struct Charge {
    budget: Arc<Budget>,
    owner: Arc<str>,
    bytes: usize,
}

/// The memory that is taken: by everybody, and by each.
#[derive(Default)]
struct Budget {
    taken: Mutex<(usize, HashMap<Arc<str>, usize>)>,
}

impl Budget {
    fn take(&self, owner: &Arc<str>, bytes: usize, limits: &Limits) -> bool {
        let mut taken = lock(&self.taken);
        let (all, each) = &mut *taken;
        let own = each.get(owner).copied().unwrap_or(0).saturating_add(bytes);
        let most = all.saturating_add(bytes);
        if own > limits.bytes_per_client || most > limits.bytes_in_all {
            return false;
        }
        *all = most;
        each.insert(Arc::clone(owner), own);
        true
    }

    fn give(&self, owner: &Arc<str>, bytes: usize) {
        let mut taken = lock(&self.taken);
        let (all, each) = &mut *taken;
        *all = all.saturating_sub(bytes);
        if let Some(own) = each.get_mut(owner) {
            *own = own.saturating_sub(bytes);
            if *own == 0 {
                each.remove(owner);
            }
        }
    }
}

impl Charge {
    /// How much it is, in bytes.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes it another one; whether there is room for so much. Less always has.
    fn resize(&mut self, bytes: usize, limits: &Limits) -> bool {
        if let Some(more) = bytes.checked_sub(self.bytes) {
            if more > 0 && !self.budget.take(&self.owner, more, limits) {
                return false;
            }
        } else {
            self.budget.give(&self.owner, self.bytes.saturating_sub(bytes));
        }
        self.bytes = bytes;
        true
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.give(&self.owner, self.bytes);
    }
}

#[derive(Default)]
struct Seats {
    taken: Mutex<HashMap<Arc<str>, BTreeSet<usize>>>,
}

impl Seats {
    fn sit(seats: &Arc<Self>, owner: &Arc<str>, per_client: usize, most: usize) -> Option<Seat> {
        let mut taken = lock(&seats.taken);
        let all: usize = taken.values().map(BTreeSet::len).sum();
        let number = (0..per_client).find(|number| taken.get(owner).is_none_or(|own| !own.contains(number)))?;
        if all >= most {
            return None;
        }
        taken.entry(Arc::clone(owner)).or_default().insert(number);
        Some(Seat { seats: Arc::clone(seats), owner: Arc::clone(owner), number, charge: None })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = lock(&self.seats.taken);
        if let Some(own) = taken.get_mut(&self.owner) {
            own.remove(&self.number);
            if own.is_empty() {
                taken.remove(&self.owner);
            }
        }
    }
}

/// Whoever panicked with the lock held left maps that are whole: each change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_its_owners_once_and_for_a_while() {
        let parts = Parts::default();
        let alice: Arc<str> = "alice".into();
        let begin = |now| parts.put([1; 16], Box::new(7_u8), parts.reserve(&alice, now).unwrap(), now);
        let take = |owner, now| parts.take(&[1; 16], owner, now, |state| state.is::<u8>()).is_some();
        begin(0);
        assert!(!take("bob", 1));
        assert!(parts.take(&[1; 16], "alice", 1, |state| state.is::<u16>()).is_none());
        assert!(take("alice", 1) && !take("alice", 1));
        begin(0);
        assert!(!take("alice", parts.limits().idle.into()));
    }

    #[test]
    fn a_name_comes_again_when_its_place_is_free() {
        let parts = Parts::default();
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let (first, second) = (parts.reserve(&alice, 0).unwrap(), parts.reserve(&alice, 0).unwrap());
        let name = parts.name(&first, b"salt");
        assert_ne!(name, parts.name(&second, b"salt"));
        assert_ne!(name, parts.name(&parts.reserve(&bob, 0).unwrap(), b"salt"));
        drop(first);
        assert_eq!(name, parts.name(&parts.reserve(&alice, 0).unwrap(), b"another salt"));
    }

    #[test]
    fn there_are_so_many_and_no_more() {
        let parts = Parts::new(Limits { per_client: 3, all: 4, idle: 10, ..Limits::default() });
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let mut seats: Vec<Seat> = (0..3).map(|_| parts.reserve(&alice, 0).unwrap()).collect();
        assert!(parts.reserve(&alice, 0).is_none());
        let of_bob = parts.reserve(&bob, 0).unwrap();
        // Bob has room, and the server has none.
        assert!(parts.reserve(&bob, 0).is_none());
        seats.pop();
        assert!(parts.reserve(&bob, 0).is_some());
        drop(of_bob);
        // What nobody went on with makes room.
        for (number, seat) in seats.into_iter().enumerate() {
            parts.put([u8::try_from(number).unwrap(); 16], Box::new(()), seat, 0);
        }
        let _last = parts.reserve(&alice, 9).unwrap();
        assert!(parts.reserve(&alice, 9).is_none());
        assert!(parts.reserve(&alice, 10).is_some());
    }

    #[test]
    fn memory_is_counted_for_each_and_for_all() {
        let parts = Parts::new(Limits { bytes_per_client: 10, bytes_in_all: 15, idle: 10, ..Limits::default() });
        let (alice, bob): (Arc<str>, Arc<str>) = ("alice".into(), "bob".into());
        let (mut first, mut second) = (parts.reserve(&alice, 0).unwrap(), parts.reserve(&alice, 0).unwrap());
        assert!(parts.weigh(&mut first, 6) && parts.weigh(&mut second, 4));
        assert!(!parts.weigh(&mut second, 5));
        // What was refused changes nothing; what gets smaller makes room.
        assert!(parts.weigh(&mut first, 5) && parts.weigh(&mut second, 5));
        assert!(parts.charge(&alice, 1).is_none());
        // Bob has room for ten, and the server for five.
        assert!(parts.charge(&bob, 6).is_none());
        let of_bob = parts.charge(&bob, 5).unwrap();
        assert_eq!(of_bob.bytes(), 5);
        drop(first);
        assert!(parts.charge(&bob, 6).is_none());
        drop(of_bob);
        let of_bob = parts.charge(&bob, 10).unwrap();
        assert!(parts.charge(&alice, 1).is_none());
        // A state keeps its charge, and gives it back with its place.
        parts.put([1; 16], Box::new(()), second, 0);
        assert!(parts.charge(&alice, 1).is_none());
        drop(parts.lost(10));
        drop(parts.charge(&alice, 5).unwrap());
        drop(of_bob);
        assert_eq!(lock(&parts.budget.taken).0, 0);
        assert!(lock(&parts.budget.taken).1.is_empty());
    }

    #[test]
    fn what_is_lost_is_let_go() {
        let parts = Parts::new(Limits { idle: 10, held_per_client: 1, held: 2, ..Limits::default() });
        let (alice, bob, carol): (Arc<str>, Arc<str>, Arc<str>) = ("alice".into(), "bob".into(), "carol".into());
        let state = Arc::new(());
        let held = parts.reserve_held(&alice).unwrap();
        assert!(parts.reserve_held(&alice).is_none());
        let _of_bob = parts.reserve_held(&bob).unwrap();
        assert!(parts.reserve_held(&carol).is_none());
        parts.put([1; 16], Box::new((Arc::clone(&state), held)), parts.reserve(&alice, 0).unwrap(), 0);
        assert!(parts.lost(9).is_empty());
        assert_eq!(Arc::strong_count(&state), 2);
        drop(parts.lost(10));
        assert_eq!(Arc::strong_count(&state), 1);
        assert!(parts.reserve_held(&carol).is_some());
    }
}
