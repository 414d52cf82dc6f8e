//! What lives between the calls of a client to whom the server is a PKCS #11 token, under the Correlation Value that
//! C_Initialize answered (KMIP 2.1 §6.1.37).
//!
//! An instance belongs to who initialised it. A message takes it, and what the message made of it is put in its place when
//! the commit stands; until then, and if the message fails, it is as it was. So a message that runs a second time begins
//! where it began the first time. Nothing here is stored. How many there are is bounded for each client and in all; one
//! that nobody calls for a while is dropped.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::parts::Correlation;

/// The most that one client has.
const MOST_OF_ONE: usize = 64;
/// The most that there are.
const MOST: usize = 4096;
/// How long nobody needs to call one, in seconds. Applications keep their token open for long.
const IDLE: i64 = 3600;

/// An instance as it was at one time.
pub type Snapshot = Arc<dyn Any + Send + Sync>;

/// All instances.
#[derive(Default)]
pub struct Instances {
    held: Mutex<HashMap<Correlation, Held>>,
}

struct Held {
    owner: Arc<str>,
    until: i64,
    /// Nothing while a message has it that began it.
    snapshot: Option<Snapshot>,
    is_taken: bool,
}

/// Why a message does not get an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is none of this name, or it is somebody else's.
    Absent,
    /// Another message has it.
    Busy,
}

/// An instance that a message has. It goes back as it was, unless it is settled.
pub struct Lease {
    instances: Arc<Instances>,
    name: Correlation,
    before: Option<Snapshot>,
}

impl Instances {
    /// Room for a new instance of this name, if the owner may have one more.
    pub fn reserve(instances: &Arc<Self>, name: Correlation, owner: &Arc<str>, now: i64) -> Option<Lease> {
        let mut held = instances.lock();
        held.retain(|_, held| held.is_taken || held.until > now);
        let own = held.values().filter(|held| held.owner == *owner).count();
        if held.len() >= MOST || own >= MOST_OF_ONE || held.contains_key(&name) {
            return None;
        }
        held.insert(name, Held { owner: Arc::clone(owner), until: now, snapshot: None, is_taken: true });
        drop(held);
        Some(Lease { instances: Arc::clone(instances), name, before: None })
    }

    /// Takes an instance that is the owner's; it is nobody else's business whether there is one.
    ///
    /// # Errors
    /// Why not.
    pub fn take(instances: &Arc<Self>, name: Correlation, owner: &str, now: i64) -> Result<Lease, Refused> {
        let mut held = instances.lock();
        let found = held.get_mut(&name).filter(|held| *held.owner == *owner).ok_or(Refused::Absent)?;
        if found.is_taken {
            return Err(Refused::Busy);
        }
        if found.until <= now {
            held.remove(&name);
            return Err(Refused::Absent);
        }
        found.is_taken = true;
        let before = found.snapshot.clone();
        drop(held);
        Ok(Lease { instances: Arc::clone(instances), name, before })
    }

    /// Whether there is an instance of this name.
    pub fn has(&self, name: &Correlation, now: i64) -> bool {
        self.lock().get(name).is_some_and(|held| held.is_taken || held.until > now)
    }

    /// Drops all of them.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Whoever panicked with the lock held left a map that is whole: each change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<Correlation, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// As the message found it; nothing for a new one.
    pub fn before(&self) -> Option<&Snapshot> {
        self.before.as_ref()
    }

    /// Puts back what the message made of it: nothing if it is finished.
    pub fn settle(&mut self, after: Option<Snapshot>, now: i64) {
        if let Some(held) = self.instances.lock().get_mut(&self.name) {
            held.until = now.saturating_add(IDLE);
        }
        self.before = after;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut held = self.instances.lock();
        match self.before.take() {
            None => {
                held.remove(&self.name);
            }
            // It is gone where all of them were dropped meanwhile.
            before @ Some(_) => {
                if let Some(held) = held.get_mut(&self.name) {
                    (held.snapshot, held.is_taken) = (before, false);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(instances: &Arc<Instances>, name: u8, owner: &Arc<str>, now: i64) {
        let mut lease = Instances::reserve(instances, [name; 16], owner, now).unwrap();
        lease.settle(Some(Arc::new(name)), now);
    }

    fn take(instances: &Arc<Instances>, owner: &str, now: i64) -> Result<u8, Refused> {
        let lease = Instances::take(instances, [1; 16], owner, now)?;
        Ok(*lease.before().unwrap().downcast_ref::<u8>().unwrap())
    }

    #[test]
    fn an_instance_is_its_owners_for_a_while() {
        let (instances, alice) = (Arc::new(Instances::default()), "alice".into());
        begin(&instances, 1, &alice, 0);
        assert_eq!(take(&instances, "bob", 1), Err(Refused::Absent));
        assert_eq!(take(&instances, "alice", 1), Ok(1));
        assert_eq!(take(&instances, "alice", IDLE), Err(Refused::Absent));
    }

    #[test]
    fn what_is_not_settled_is_as_it_was() {
        let (instances, alice) = (Arc::new(Instances::default()), "alice".into());
        begin(&instances, 1, &alice, 0);
        let mut lease = Instances::take(&instances, [1; 16], "alice", 1).unwrap();
        assert_eq!(take(&instances, "alice", 1), Err(Refused::Busy));
        lease.settle(Some(Arc::new(2_u8)), 1);
        drop(lease);
        assert_eq!(take(&instances, "alice", 1), Ok(2));
        let mut last = Instances::take(&instances, [1; 16], "alice", 1).unwrap();
        last.settle(None, 1);
        drop(last);
        assert_eq!(take(&instances, "alice", 1), Err(Refused::Absent));
        // One that its message did not settle was never there.
        drop(Instances::reserve(&instances, [1; 16], &alice, 1).unwrap());
        assert!(!instances.has(&[1; 16], 1));
    }

    #[test]
    fn one_client_has_so_many_and_none_after_a_reset() {
        let (instances, alice, bob) = (Arc::new(Instances::default()), "alice".into(), "bob".into());
        let most = u8::try_from(MOST_OF_ONE).unwrap();
        (0..most).for_each(|name| begin(&instances, name, &alice, 0));
        assert!(Instances::reserve(&instances, [most; 16], &alice, 1).is_none());
        assert!(Instances::reserve(&instances, [most; 16], &bob, 1).is_some());
        // What nobody calls makes room.
        assert!(Instances::reserve(&instances, [most; 16], &alice, IDLE).is_some());
        begin(&instances, 1, &alice, IDLE);
        let lease = Instances::take(&instances, [1; 16], "alice", IDLE).unwrap();
        instances.clear();
        drop(lease);
        assert_eq!(take(&instances, "alice", IDLE), Err(Refused::Absent));
    }
}
