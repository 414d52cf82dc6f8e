//! Handles of keys in the module: a bounded cache from identity to object, least recently used first out.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::raw::Handle;
use super::session::Sessions;
use crate::crypto::{Guarded, Place};

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

/// How the cache fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleCount {
    /// Handles in the cache now.
    pub held: usize,
    /// Uses that found a handle.
    pub hits: u64,
    /// Uses that had to unwrap or find the key.
    pub misses: u64,
}

/// The cache.
pub(super) struct Handles {
    bound: usize,
    held: Mutex<Held>,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct Held {
    entries: HashMap<[u8; 16], Entry>,
    /// By time of last use.
    order: BTreeMap<u64, [u8; 16]>,
    clock: u64,
    /// Grows with every removal, so that an unwrap that began before it is not cached after it.
    removals: u64,
}

struct Entry {
    key: Guarded,
    object: Arc<Object>,
    used: u64,
}

/// What must not have changed between a miss and the insert that follows it.
#[derive(Clone, Copy)]
pub(super) struct Since(u64);

impl Handles {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, held: Mutex::default(), hits: AtomicU64::new(0), misses: AtomicU64::new(0) }
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
        let mut held = self.lock();
        held.clock += 1;
        let now = held.clock;
        let held = &mut *held;
        match held.entries.get_mut(&key.id) {
            Some(entry) if entry.object.epoch == epoch && same(&entry.key, key) => {
                held.order.remove(&entry.used);
                held.order.insert(now, key.id);
                entry.used = now;
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
            held.clock += 1;
            let now = held.clock;
            let entry = Entry { key: key.clone(), object: Arc::clone(object), used: now };
            if let Some(old) = held.entries.insert(key.id, entry) {
                held.order.remove(&old.used);
                gone.push(old);
            }
            held.order.insert(now, key.id);
            while held.entries.len() > self.bound {
                let Some((_, id)) = held.order.pop_first() else {
                    break;
                };
                gone.extend(held.entries.remove(&id));
            }
        }
        drop(gone);
    }

    /// Forgets a key. Whoever is using it now finishes first.
    pub(super) fn remove(&self, id: &[u8; 16]) {
        let gone = {
            let mut held = self.lock();
            held.removals += 1;
            let gone = held.entries.remove(id);
            if let Some(entry) = &gone {
                held.order.remove(&entry.used);
            }
            gone
        };
        drop(gone);
    }

    pub(super) fn count(&self) -> HandleCount {
        HandleCount {
            held: self.lock().entries.len(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
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
