//! Handles of keys in the module: a bounded cache from identity to object.
//!
//! Whoever finds a handle marks it, and changes nothing else: uses of different keys do not wait for each other. What came
//! first is the first that goes, unless it was marked since it was last looked at; then it gets another round ("second
//! chance").

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use super::raw::Handle;
use super::session::Sessions;
use crate::crypto::{Guarded, HandleCount, Place};

/// A key in the module. The session object is destroyed when the last one who uses it lets go.
pub(super) struct Object {
    pub(super) handle: Handle,
    pub(super) epoch: u64,
    /// Where a session object is to be destroyed; a token object stays.
    sessions: Option<Arc<Sessions>>,
}

impl Object {
    /// A session object.
    pub(super) fn of_session(handle: Handle, epoch: u64, sessions: &Arc<Sessions>) -> Self {
        Self { handle, epoch, sessions: Some(Arc::clone(sessions)) }
    }

    /// A token object.
    pub(super) fn of_token(handle: Handle, epoch: u64) -> Self {
        Self { handle, epoch, sessions: None }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        if let Some(sessions) = &self.sessions {
            sessions.bury(self.epoch, self.handle);
        }
    }
}

/// The cache.
pub(super) struct Handles {
    bound: usize,
    held: RwLock<Held>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct Held {
    entries: HashMap<[u8; 16], Entry>,
    /// In the order in which they came, or got another round. A number that is no entry's any more stands for nothing.
    order: VecDeque<(u64, [u8; 16])>,
    /// The number of the last entry.
    last: u64,
    /// Grows with every removal, so that an unwrap that began before it is not cached after it.
    removals: u64,
}

struct Entry {
    key: Guarded,
    object: Arc<Object>,
    number: u64,
    used: AtomicBool,
}

impl Held {
    /// Takes out the first entry that was not used since it was last looked at.
    fn evict(&mut self) -> Option<Entry> {
        loop {
            let (number, id) = self.order.pop_front()?;
            let Some(entry) = self.entries.get(&id).filter(|entry| entry.number == number) else { continue };
            if entry.used.swap(false, Ordering::Relaxed) {
                self.order.push_back((number, id));
            } else {
                return self.entries.remove(&id);
            }
        }
    }

    /// Forgets the places of entries that are gone, before there are more of them than of others.
    fn tidy(&mut self) {
        if self.order.len() > 2 * self.entries.len() + 64 {
            let entries = &self.entries;
            self.order.retain(|(number, id)| entries.get(id).is_some_and(|entry| entry.number == *number));
        }
    }
}

/// What must not have changed between a miss and the insert that follows it.
#[derive(Clone, Copy)]
pub(super) struct Since(u64);

impl Handles {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, held: RwLock::default(), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
    }

    /// The handle of a key, if it is of this epoch. The whole key must be the same, not its identity alone: another kind
    /// or another wrapped blob under the same identity is another key.
    pub(super) fn get(&self, key: &Guarded, epoch: u64) -> Result<Arc<Object>, Since> {
        let found = self.again(key, epoch);
        let counter = if found.is_ok() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// The same without counting: for who waited while another one may have unwrapped the key.
    pub(super) fn again(&self, key: &Guarded, epoch: u64) -> Result<Arc<Object>, Since> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        match held.entries.get(&key.id) {
            Some(entry) if entry.object.epoch == epoch && same(&entry.key, key) => {
                if !entry.used.load(Ordering::Relaxed) {
                    entry.used.store(true, Ordering::Relaxed);
                }
                Ok(Arc::clone(&entry.object))
            }
            _ => Err(Since(held.removals)),
        }
    }

    /// Keeps a handle, unless a key was removed since. What makes room is dropped after the lock.
    pub(super) fn insert(&self, key: &Guarded, object: &Arc<Object>, since: Since) {
        let mut gone = Vec::new();
        {
            let mut held = self.lock();
            if self.bound == 0 || held.removals != since.0 {
                return;
            }
            held.last += 1;
            let number = held.last;
            let used = AtomicBool::new(false);
            let entry = Entry { key: key.clone(), object: Arc::clone(object), number, used };
            gone.extend(held.entries.remove(&key.id));
            while held.entries.len() >= self.bound {
                let Some(entry) = held.evict() else { break };
                gone.push(entry);
            }
            held.entries.insert(key.id, entry);
            held.order.push_back((number, key.id));
            held.tidy();
        }
        drop(gone);
    }

    /// Forgets a key; answers its handle. Whoever is using it now finishes first.
    pub(super) fn remove(&self, id: &[u8; 16]) -> Option<Arc<Object>> {
        let mut held = self.lock();
        held.removals += 1;
        let gone = held.entries.remove(id);
        held.tidy();
        gone.map(|entry| entry.object)
    }

    pub(super) fn count(&self) -> HandleCount {
        HandleCount {
            held: self.held.read().unwrap_or_else(PoisonError::into_inner).entries.len(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn same(one: &Guarded, other: &Guarded) -> bool {
    one.kind == other.kind
        && match (&one.place, &other.place) {
            (Place::Wrapped(one), Place::Wrapped(other)) => Arc::ptr_eq(one, other) || one == other,
            (Place::Token, Place::Token) => true,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::algorithm::KeyKind;

    fn key(id: u8) -> Guarded {
        Guarded { id: [id; 16], kind: KeyKind::Aes { bits: 256 }, place: Place::Token }
    }

    fn put(handles: &Handles, id: u8) {
        let Err(since) = handles.get(&key(id), 0) else { panic!("{id} is there") };
        handles.insert(&key(id), &Arc::new(Object::of_token(id.into(), 0)), since);
    }

    fn has(handles: &Handles, id: u8) -> bool {
        handles.lock().entries.contains_key(&[id; 16])
    }

    #[test]
    fn what_is_used_stays_and_what_is_not_goes_first() {
        let handles = Handles::new(3);
        (1..=3).for_each(|id| put(&handles, id));
        assert_eq!(handles.get(&key(1), 0).map_err(drop).unwrap().handle, 1);
        put(&handles, 4);
        assert_eq!([1, 2, 3, 4].map(|id| has(&handles, id)), [true, false, true, true]);
        // A use is good for one round.
        put(&handles, 5);
        assert_eq!([1, 3, 4, 5].map(|id| has(&handles, id)), [true, false, true, true]);
        put(&handles, 6);
        assert_eq!([1, 4, 5, 6].map(|id| has(&handles, id)), [false, true, true, true]);
        assert_eq!(handles.count(), HandleCount { held: 3, hits: 1, misses: 6 });
    }

    #[test]
    fn every_handle_in_use_leaves_room_for_one_more() {
        let handles = Handles::new(2);
        put(&handles, 1);
        put(&handles, 2);
        for id in [1, 2] {
            assert!(handles.get(&key(id), 0).is_ok());
        }
        put(&handles, 3);
        assert_eq!([1, 2, 3].map(|id| has(&handles, id)), [false, true, true]);
    }

    #[test]
    fn what_is_removed_leaves_nothing_behind() {
        let handles = Handles::new(4);
        for _ in 0..1000 {
            put(&handles, 1);
            assert!(handles.remove(&[1; 16]).is_some());
        }
        let held = handles.lock();
        assert!(held.entries.is_empty() && held.order.len() < 100, "{}", held.order.len());
    }

    #[test]
    fn another_key_or_epoch_or_a_removal_meanwhile_is_a_miss() {
        let handles = Handles::new(4);
        put(&handles, 1);
        let other = Guarded { kind: KeyKind::Aes { bits: 128 }, ..key(1) };
        let wrapped = Guarded { place: Place::Wrapped([0; 40].into()), ..key(1) };
        assert!(
            handles.get(&other, 0).is_err() && handles.get(&wrapped, 0).is_err() && handles.get(&key(1), 1).is_err()
        );
        let Err(since) = handles.get(&key(2), 0) else { panic!() };
        assert!(handles.remove(&[3; 16]).is_none());
        handles.insert(&key(2), &Arc::new(Object::of_token(2, 0)), since);
        assert!(!has(&handles, 2));
    }
}
