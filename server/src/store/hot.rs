//! Rows that were read or written lately: their revisions, and what readers made of them.
//!
//! It belongs to one store and changes with its commits: the writer tells it of every row before the row is applied, so
//! that what was made of an older revision is gone (and wiped) from that moment on, and nobody is served from it. Whether
//! a row is on disk is known here too, so that a message that only read need not wait for rows that it has not read.

use std::any::Any;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;
use foldhash::fast::RandomState;

use super::{Batch, CommitError, Key, Revision, StoreError};

/// What a reader made of a row, to be found again as long as the row has the same revision.
pub type Made = Arc<dyn Any + Send + Sync>;

/// Parts that are locked apart: readers of different rows seldom meet.
const SHARDS: usize = 64;

/// About what a row takes here beside its key and what was made of it, in bytes.
const SLOT: usize = 128;

/// The rows, in a bounded number of bytes.
pub(super) struct Hot {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    /// Odd while the writer changes revisions; odd for good when a group failed.
    turn: AtomicU64,
    /// The last group of commits that is on disk.
    durable: AtomicU64,
    /// How many bytes each generation of a shard may have.
    share: usize,
}

/// What is known of a row.
struct Slot {
    /// 0 for a row that is not there.
    revision: Revision,
    /// The group of commits that wrote it; 0 for one that was read from disk.
    group: u64,
    made: Option<Made>,
    cost: usize,
}

/// Two generations: what is used moves into the young one; when that is full, the old one goes.
#[derive(Default)]
struct Shard {
    young: HashMap<Key, Slot>,
    old: HashMap<Key, Slot>,
    /// Bytes of the young ones.
    bytes: usize,
    /// How many rows the writer has changed: who read the store beside it sees that it must not note what it read.
    written: u64,
}

impl Shard {
    /// Looks at a row that is known, in one search where it was used lately.
    fn with<T>(&mut self, key: &[u8], look: impl FnOnce(&Slot) -> T) -> Option<T> {
        if let Some(slot) = self.young.get(key) {
            return Some(look(slot));
        }
        let (key, slot) = self.old.remove_entry(key)?;
        self.bytes += slot.cost;
        let seen = look(&slot);
        self.young.insert(key, slot);
        Some(seen)
    }

    fn put(&mut self, key: Key, slot: Slot, share: usize, durable: u64) {
        if self.bytes + slot.cost > share {
            // What is not on disk yet must be known: nobody may read it from the store and take it for lasting.
            let (stay, go) = std::mem::take(&mut self.young).into_iter().partition(|(_, slot)| slot.group > durable);
            self.young = stay;
            self.bytes = self.young.values().map(|slot| slot.cost).sum();
            let before = std::mem::replace(&mut self.old, go);
            for (key, slot) in before.into_iter().filter(|(_, slot)| slot.group > durable) {
                self.bytes += slot.cost;
                self.young.insert(key, slot);
            }
        }
        // In one generation only: a row has one revision.
        self.old.remove(&*key);
        self.bytes += slot.cost;
        if let Some(before) = self.young.insert(key, slot) {
            self.bytes -= before.cost;
        }
    }
}

impl Hot {
    /// For so many bytes, over a store whose last group is on disk.
    pub(super) fn new(bytes: usize, durable: u64) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::default(),
            turn: AtomicU64::new(0),
            durable: AtomicU64::new(durable),
            share: bytes / SHARDS / 2,
        }
    }

    /// The revision of a row, if it is known.
    pub(super) fn revision(&self, key: &[u8]) -> Option<Revision> {
        self.shard(key)?.with(key, |slot| slot.revision)
    }

    /// What was made of the row as it is now.
    pub(super) fn made(&self, key: &[u8]) -> Option<Made> {
        self.shard(key)?.with(key, |slot| slot.made.clone())?
    }

    /// Keeps what was made of a row of this revision, which takes about so many bytes.
    pub(super) fn keep(&self, key: &[u8], revision: Revision, made: Made, bytes: usize) {
        let Some(mut shard) = self.shard(key) else { return };
        let known = shard.with(key, |slot| (slot.revision, slot.group));
        let Some((_, group)) = known.filter(|(known, _)| *known == revision) else { return };
        let cost = SLOT + key.len() + bytes;
        let slot = Slot { revision, group, made: Some(made), cost };
        shard.put(key.into(), slot, self.share, self.durable.load(Ordering::SeqCst));
    }

    /// Reads a row's revision from the store and notes it. Answers what was read, and whether it is known to be on disk:
    /// not while the writer was at these rows.
    pub(super) fn note<T>(
        &self,
        key: &[u8],
        read: impl FnOnce() -> Result<T, StoreError>,
        revision: impl FnOnce(&T) -> Revision,
    ) -> Result<(T, bool), StoreError> {
        let before = self.shard(key).map(|shard| shard.written);
        let row = read()?;
        let Some(mut shard) = self.shard(key) else { return Ok((row, false)) };
        let durable = self.durable.load(Ordering::SeqCst);
        let is_undisturbed = before == Some(shard.written);
        match shard.with(key, |slot| (slot.revision, slot.group)) {
            Some((known, group)) => {
                let is_on_disk = group <= durable && known == revision(&row);
                Ok((row, is_on_disk))
            }
            None if is_undisturbed => {
                let slot = Slot { revision: revision(&row), group: 0, made: None, cost: SLOT + key.len() };
                shard.put(key.into(), slot, self.share, durable);
                Ok((row, true))
            }
            None => Ok((row, false)),
        }
    }

    /// Compares what was read with what is; `None` if that is not known here now: a row is not on disk yet.
    pub(super) fn compare(
        &self,
        batch: &Batch,
        read: impl Fn(&[u8]) -> Result<Revision, StoreError>,
    ) -> Option<Result<(), CommitError>> {
        let turn = self.turn.load(Ordering::SeqCst);
        if !turn.is_multiple_of(2) {
            return None;
        }
        for (key, expected) in &batch.expect {
            let known = self.shard(key)?.with(key, |slot| (slot.revision, slot.group));
            let revision = match known {
                Some((revision, group)) if group <= self.durable.load(Ordering::SeqCst) => revision,
                Some(_) => return None,
                None => match self.note(key, || read(key), |revision| *revision).ok()? {
                    (revision, true) => revision,
                    (_, false) => return None,
                },
            };
            if revision != *expected {
                return Some(Err(CommitError::Conflict));
            }
        }
        // All of them were so at one moment: nothing was changed between the first look and the last.
        (self.turn.load(Ordering::SeqCst) == turn).then_some(Ok(()))
    }

    /// The writer is about to apply a group: these rows get these revisions, 0 for those that go.
    pub(super) fn begin<'r>(&self, group: u64, rows: impl Iterator<Item = (&'r Key, Revision)>) {
        let durable = self.durable.load(Ordering::SeqCst);
        self.turn.fetch_add(1, Ordering::SeqCst);
        for (key, revision) in rows {
            if let Some(mut shard) = self.shard(key) {
                shard.written += 1;
                let slot = Slot { revision, group, made: None, cost: SLOT + key.len() };
                shard.put(key.clone(), slot, self.share, durable);
            }
        }
        self.turn.fetch_add(1, Ordering::SeqCst);
    }

    /// The group is on disk.
    pub(super) fn finish(&self, group: u64) {
        self.durable.store(group, Ordering::SeqCst);
    }

    /// The group failed: what is on disk is not known any more, and nothing is compared here from now on.
    pub(super) fn fail(&self) {
        self.turn.fetch_or(1, Ordering::SeqCst);
    }

    fn shard(&self, key: &[u8]) -> Option<MutexGuard<'_, Shard>> {
        let place = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).ok()?;
        // Whoever panicked with the lock has left a whole map behind.
        Some(self.shards.get(place)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expecting(rows: &[(&[u8], Revision)]) -> Batch {
        Batch { expect: rows.iter().map(|(key, revision)| ((*key).into(), *revision)).collect(), changes: Vec::new() }
    }

    fn noted(hot: &Hot, key: &[u8], revision: Revision) -> bool {
        hot.note(key, || Ok(revision), |revision| *revision).unwrap().1
    }

    #[test]
    fn what_was_made_of_a_row_goes_when_the_writer_begins() {
        let hot = Hot::new(1 << 20, 7);
        assert!(noted(&hot, b"a", 3));
        let made: Made = Arc::new("plaintext");
        hot.keep(b"a", 2, Arc::clone(&made), 10);
        assert!(hot.made(b"a").is_none(), "it was made of another revision");
        hot.keep(b"a", 3, Arc::clone(&made), 10);
        assert!(hot.made(b"a").is_some());
        hot.begin(8, [(&Key::from(b"a"), 4)].into_iter());
        assert!(hot.made(b"a").is_none());
        assert_eq!(Arc::strong_count(&made), 1, "nothing holds it any more");
        // Who read the older row beside the writer keeps nothing of it.
        hot.keep(b"a", 3, made, 10);
        assert!(hot.made(b"a").is_none());
    }

    #[test]
    fn only_rows_that_are_not_on_disk_are_waited_for() {
        let hot = Hot::new(1 << 20, 7);
        let read = |_: &[u8]| Ok(5);
        assert_eq!(hot.compare(&expecting(&[(b"a", 5), (b"b", 5)]), read), Some(Ok(())));
        assert_eq!(hot.compare(&expecting(&[(b"a", 5), (b"b", 4)]), read), Some(Err(CommitError::Conflict)));
        hot.begin(8, [(&Key::from(b"a"), 6)].into_iter());
        assert_eq!(hot.compare(&expecting(&[(b"b", 5)]), read), Some(Ok(())));
        assert_eq!(hot.compare(&expecting(&[(b"a", 6)]), read), None);
        hot.finish(8);
        assert_eq!(hot.compare(&expecting(&[(b"a", 6)]), read), Some(Ok(())));
        hot.begin(9, std::iter::empty());
        hot.fail();
        assert_eq!(hot.compare(&expecting(&[(b"b", 5)]), read), None);
    }

    #[test]
    fn a_row_that_was_read_beside_the_writer_is_not_noted() {
        let hot = Hot::new(1 << 20, 7);
        let disturbed = hot.note(
            b"a",
            || {
                hot.begin(8, [(&Key::from(b"a"), 2)].into_iter());
                Ok(1)
            },
            |revision| *revision,
        );
        assert!(!disturbed.unwrap().1);
        assert_eq!(hot.revision(b"a"), Some(2));
        // The other way round: applied already, known only here to be not on disk.
        assert!(!noted(&hot, b"a", 2));
        hot.finish(8);
        assert!(noted(&hot, b"a", 2));
    }

    #[test]
    fn memory_is_bounded_and_what_is_not_on_disk_stays() {
        let hot = Hot::new(1 << 16, 0);
        hot.begin(1, [(&Key::from(b"pending"), 1)].into_iter());
        for number in 0..10_000u32 {
            let key = number.to_be_bytes();
            assert!(noted(&hot, &key, 1));
            hot.keep(&key, 1, Arc::new(number), 100);
        }
        let known = (0..10_000u32).filter(|number| hot.revision(&number.to_be_bytes()).is_some()).count();
        assert!(known > 0 && known * (SLOT + 100) <= (1 << 16), "{known}");
        assert_eq!(hot.revision(b"pending"), Some(1));
        hot.finish(1);
    }
}
