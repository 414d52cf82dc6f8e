//! Sets of objects by their sequences, put together from lists of the index and walked from the newest object down. A
//! step goes straight to the next sequence that is in all lists: what a list has in between is not read.

use std::collections::{HashSet, VecDeque};
use std::ops::ControlFlow;

use super::index::GRANULE;
use crate::failure::Outcome;
use crate::store::vault::{List, Vault};

/// The most sequences that are read from a list at a time.
const PAGE: usize = 256;

/// How many are read first, and after a step that had no use for the most.
const FIRST_PAGE: usize = 4;

/// What must be kept with a sequence in its list.
#[derive(Debug)]
pub(super) enum Marked {
    /// Anything.
    Any,
    /// One of these. Each is as long as the others.
    With(HashSet<Vec<u8>>),
}

/// A set of sequences.
pub(super) enum Set {
    /// These, the oldest first.
    Given(Vec<u64>),
    /// Those of a list.
    Listed(Cursor),
    /// Those that are in one of the sets.
    Any(Vec<Branch>),
    /// Those that are in each of the sets.
    All(Vec<Set>),
    /// Those of all granules that are in the set.
    Granules(Box<Set>),
}

/// One of the sets of a union, and the sequence that it has come to.
pub(super) struct Branch {
    set: Set,
    head: Option<u64>,
    is_ended: bool,
}

impl Set {
    /// What is in a list.
    pub(super) fn list(list: List, marked: Marked) -> Self {
        Self::Listed(Cursor { list, marked, ahead: VecDeque::new(), page: FIRST_PAGE, used: 0, is_read: false })
    }

    /// What is in one of the sets.
    pub(super) fn any(sets: impl IntoIterator<Item = Self>) -> Self {
        Self::Any(sets.into_iter().map(|set| Branch { set, head: None, is_ended: false }).collect())
    }

    /// The highest sequence that is not above `most`, which must not rise from one call to the next.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub(super) fn next(&mut self, vault: &Vault, most: u64) -> Outcome<Option<u64>> {
        match self {
            Self::Given(sequences) => {
                while sequences.last().is_some_and(|&last| last > most) {
                    sequences.pop();
                }
                Ok(sequences.last().copied())
            }
            Self::Listed(cursor) => cursor.next(vault, most),
            Self::Any(branches) => {
                let mut highest = None;
                for branch in branches {
                    if !branch.is_ended && branch.head.is_none_or(|head| head > most) {
                        branch.head = branch.set.next(vault, most)?;
                        branch.is_ended = branch.head.is_none();
                    }
                    highest = highest.max(branch.head);
                }
                Ok(highest)
            }
            Self::All(sets) => {
                let mut candidate = most;
                'again: loop {
                    for set in &mut *sets {
                        match set.next(vault, candidate)? {
                            None => return Ok(None),
                            Some(next) if next < candidate => {
                                candidate = next;
                                continue 'again;
                            }
                            Some(_) => {}
                        }
                    }
                    return Ok(Some(candidate));
                }
            }
            Self::Granules(granules) => {
                let granule = most >> GRANULE;
                let last = |found: u64| (found << GRANULE) | ((1 << GRANULE) - 1);
                Ok(granules.next(vault, granule)?.map(|found| if found == granule { most } else { last(found) }))
            }
        }
    }
}

/// A place in a list.
pub(super) struct Cursor {
    list: List,
    marked: Marked,
    /// What was read and lies before us, the newest first.
    ahead: VecDeque<u64>,
    /// How many are read at a time.
    page: usize,
    /// How many of the last page were stepped on.
    used: usize,
    /// Whether the list was read to its end.
    is_read: bool,
}

impl Cursor {
    fn next(&mut self, vault: &Vault, most: u64) -> Outcome<Option<u64>> {
        while let Some(&front) = self.ahead.front() {
            if front <= most {
                self.used += 1;
                return Ok(Some(front));
            }
            self.ahead.pop_front();
        }
        if self.is_read {
            return Ok(None);
        }
        // Long pages for who walks, short ones for who jumps.
        self.page = if self.used * 2 >= self.page { (self.page * 4).min(PAGE) } else { FIRST_PAGE };
        self.used = 1;
        let page = self.page;
        let (ahead, marked) = (&mut self.ahead, &self.marked);
        vault.list(&self.list, most.checked_add(1), &mut |sequence, mark| {
            if marked.has(mark) {
                ahead.push_back(sequence);
            }
            if ahead.len() < page { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        self.is_read = self.ahead.len() < page;
        Ok(self.ahead.front().copied())
    }
}

impl Marked {
    fn has(&self, mark: &[u8]) -> bool {
        match self {
            Self::Any => true,
            Self::With(wanted) => wanted.contains(mark),
        }
    }
}
