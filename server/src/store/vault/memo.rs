//! Keyed hashes that were asked for lately. A hash depends on nothing but the index key, which a store keeps for its life:
//! what was computed once stays right.

use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

use foldhash::HashMap;
use foldhash::fast::RandomState;

use super::Hash16;

/// Parts that are locked apart.
const SHARDS: usize = 16;

/// Values of a generation of a shard, where it is not said. Two generations of all shards take about 3 MiB when they are
/// full.
const VALUES: usize = 1024;

/// Longer values, in bytes, are not kept, where it is not said.
const LONGEST: usize = 64;

/// What is used moves into the young generation; when that is full, the old one goes.
#[derive(Default)]
struct Shard {
    young: HashMap<Box<[u8]>, Hash16>,
    old: HashMap<Box<[u8]>, Hash16>,
}

/// The hashes of values in one domain.
pub(super) struct Memo {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    values: usize,
    longest: usize,
}

impl Default for Memo {
    fn default() -> Self {
        Self::new(VALUES, LONGEST)
    }
}

impl Memo {
    /// For so many values in a generation of a shard, none longer than so many bytes.
    pub(super) fn new(values: usize, longest: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: RandomState::default(), values, longest }
    }

    /// The hash of a value, computed if it is not known.
    pub(super) fn hash(&self, value: &[u8], compute: impl FnOnce() -> Hash16) -> Hash16 {
        let place = usize::try_from(self.hasher.hash_one(value) % SHARDS as u64).ok();
        let shard = place.and_then(|place| self.shards.get(place)).filter(|_| value.len() <= self.longest);
        let Some(shard) = shard else { return compute() };
        let known = {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(&hash) = shard.young.get(value) {
                return hash;
            }
            shard.old.remove(value)
        };
        let hash = known.unwrap_or_else(compute);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.young.len() >= self.values {
            shard.old = std::mem::take(&mut shard.young);
        }
        shard.young.insert(value.into(), hash);
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(memo: &Memo, value: u64, computed: &mut u64) -> Hash16 {
        memo.hash(&value.to_be_bytes(), || {
            *computed += 1;
            Hash16(u128::from(value).to_be_bytes())
        })
    }

    #[test]
    fn a_value_is_hashed_once_and_memory_is_bounded() {
        let (memo, mut computed) = (Memo::default(), 0);
        for round in 0..3 {
            for value in 0..1000 {
                assert_eq!(hash(&memo, value, &mut computed), Hash16(u128::from(value).to_be_bytes()), "{round}");
            }
        }
        assert_eq!(computed, 1000);
        for value in 1000..200_000 {
            hash(&memo, value, &mut computed);
            // What is in use stays, whatever comes and goes.
            assert_eq!(hash(&memo, 7, &mut computed), Hash16(7u128.to_be_bytes()));
        }
        assert_eq!(computed, 200_000);
        let kept = |shard: &Mutex<Shard>| shard.lock().map(|shard| shard.young.len() + shard.old.len()).unwrap();
        assert!(memo.shards.iter().map(kept).sum::<usize>() <= 2 * SHARDS * VALUES);
        let mut long = 0;
        for _ in 0..2 {
            memo.hash(&[7; LONGEST + 1], || {
                long += 1;
                Hash16([7; 16])
            });
        }
        assert_eq!(long, 2, "long values are hashed each time");
    }
}
