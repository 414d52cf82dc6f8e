//! Finding objects by their attributes, through the index rows and through what this message has changed.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use kmip_codec::spec::{AttributeKind, StorageStatusMask, Tag, attribute_by_tag};
use kmip_codec::ttlv::Text;
use kmip_codec::types::Attribute;
use kmip_codec::{Element, Value};

use super::commit::{PRINT, posting, print};
use super::overlay::TURNS;
use super::{Shared, View};
use crate::failure::{Failure, Outcome};
use crate::object::Managed;
use crate::object::terms::{self, Index};
use crate::store::vault::{Domain, Hash16};
use crate::trust::policy;

/// How many numbers of objects are read from the index at a time.
const PAGE: usize = 256;

/// What an object must be to be found (KMIP 2.1 §6.1.28).
#[derive(Debug, Clone)]
pub struct Filter {
    /// Values that an object must have.
    values: Vec<Attribute>,
    /// Dates that must lie within both ends.
    dates: BTreeMap<Tag, (i64, i64)>,
    /// Which of on-line, archived and destroyed objects.
    storage: Storage,
    /// Whether only objects that nobody has got yet.
    fresh: bool,
}

/// Which objects by their storage status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage(StorageStatusMask);

impl Default for Storage {
    fn default() -> Self {
        Self(StorageStatusMask::ON_LINE_STORAGE)
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Unique Identifiers, the newest object first.
    pub identifiers: Vec<Text>,
    /// How many there are in all, if it was asked for.
    pub located: Option<usize>,
}

impl Filter {
    /// A filter from the attributes of a request.
    ///
    /// # Errors
    /// Invalid Field for a third date of an attribute.
    pub fn new(attributes: Vec<Attribute>) -> Outcome<Self> {
        let mut filter = Self { values: Vec::new(), dates: BTreeMap::new(), storage: Storage::default(), fresh: false };
        let mut seen: BTreeMap<Tag, usize> = BTreeMap::new();
        for attribute in attributes {
            let Some(date) = date(&attribute) else {
                filter.values.push(attribute);
                continue;
            };
            let count = seen.entry(attribute.tag).or_default();
            *count += 1;
            match (*count, filter.dates.get(&attribute.tag).copied()) {
                (1, _) => filter.dates.insert(attribute.tag, (date, date)),
                (2, Some((one, _))) => filter.dates.insert(attribute.tag, (one.min(date), one.max(date))),
                _ => return Err(Failure::invalid_field(format!("{} has more than two dates", attribute.tag))),
            };
        }
        // The largest date stands for one that is not given.
        filter.dates.retain(|_, &mut (from, to)| from != i64::MAX || to != i64::MAX);
        Ok(filter)
    }

    /// Which storage status objects have; on-line alone where nothing is said.
    #[must_use]
    pub fn stored(self, mask: Option<StorageStatusMask>) -> Self {
        Self { storage: mask.map_or(Storage::default(), Storage), ..self }
    }

    /// Only objects that nobody has got yet.
    #[must_use]
    pub fn fresh(self) -> Self {
        Self { fresh: true, ..self }
    }

    /// Whether the filter has this attribute.
    pub fn names(&self, tag: Tag) -> bool {
        self.values.iter().any(|attribute| attribute.tag == tag)
    }

    /// Whether an object, brought up to now, is what is looked for.
    pub fn matches(&self, object: &Managed) -> bool {
        self.stored_so(object)
            && (!self.fresh || object.attributes.boolean(Tag::Fresh) == Some(true))
            && self.values.iter().all(|wanted| matches(object, wanted))
            && self
                .dates
                .iter()
                .all(|(&tag, &(from, to))| object.attributes.date(tag).is_some_and(|date| from <= date && date <= to))
    }

    fn stored_so(&self, object: &Managed) -> bool {
        self.storage.0.contains(object.storage_status())
    }
}

/// How a filter is answered from the index.
struct Plan {
    /// The only object that can match.
    only: Option<Option<u64>>,
    /// Postings that a match is in, each.
    postings: Vec<Hash16>,
    /// Fingerprints that a match has, each.
    prints: Vec<[u8; PRINT]>,
}

impl View {
    /// Finds the requester's objects, the newest first: `maximum` of them behind the first `offset`; `count` asks how many
    /// there are in all.
    ///
    /// # Errors
    /// A store that cannot be read; Server Limit Exceeded.
    pub fn locate(&mut self, filter: &Filter, offset: usize, maximum: usize, count: bool) -> Outcome<Found> {
        let plan = self.plan(filter)?;
        let mut found = Found { identifiers: Vec::new(), located: None };
        let mut seen = 0;
        let enough = offset.saturating_add(maximum);
        let mut source = self.source(plan)?;
        // What the index says is read a page at a time: most searches have enough after the first.
        while seen < enough || count {
            let Some(page) = source.page(&self.shared)? else { break };
            for sequence in page {
                if seen >= enough && !count {
                    break;
                }
                let Some(object) = self.candidate(sequence, filter)? else { continue };
                if seen >= offset && seen < enough {
                    found.identifiers.push(object.identifier());
                }
                seen += 1;
            }
        }
        found.located = count.then_some(seen);
        Ok(found)
    }

    /// The member of a group whose turn it is to be its default: the one that was it least often, of those the oldest.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn take_turn(&mut self, filter: &Filter) -> Outcome<Found> {
        let members = self.locate(filter, 0, usize::MAX, false)?.identifiers;
        let mut next: Option<(u64, u64, Text)> = None;
        for identifier in members.into_iter().rev() {
            let sequence = self.overlay.load(&self.shared, &self.asker, &identifier, self.now)?.sequence;
            let stored = self.shared.vault.counter(sequence, TURNS)?.map_or(0, |(turns, _)| turns);
            let turns = stored.saturating_add(self.overlay.turns.get(&sequence).copied().unwrap_or(0));
            if next.as_ref().is_none_or(|(fewest, ..)| turns < *fewest) {
                next = Some((turns, sequence, identifier));
            }
        }
        let Some((_, sequence, identifier)) = next else { return Ok(Found::default()) };
        *self.overlay.turns.entry(sequence).or_default() += 1;
        Ok(Found { identifiers: vec![identifier], located: None })
    }

    /// The object with this number, if it matches and the requester may know of it.
    fn candidate(&mut self, sequence: u64, filter: &Filter) -> Outcome<Option<Arc<Managed>>> {
        let is_new = !self.overlay.entries.contains_key(&sequence);
        let Some(object) = self.overlay.by_sequence(&self.shared, sequence, self.now)? else { return Ok(None) };
        let is_known = object.object_type().known_in(self.version);
        if !is_known || !filter.matches(&object) || !self.shows(&object) {
            // The answer says nothing of it: a message need not hold, nor its commit check, all that it looked through.
            if is_new {
                self.overlay.forget(sequence);
            }
            return Ok(None);
        }
        Ok(Some(object))
    }

    fn shows(&self, object: &Managed) -> bool {
        let by = |operation| policy::shows(&self.requester, operation, object);
        by(self.operation) && (self.deed.is_none() || by(self.deed))
    }

    fn plan(&mut self, filter: &Filter) -> Outcome<Plan> {
        let mut plan = Plan { only: None, postings: Vec::new(), prints: Vec::new() };
        let statuses = [
            StorageStatusMask::ON_LINE_STORAGE,
            StorageStatusMask::ARCHIVAL_STORAGE,
            StorageStatusMask::DESTROYED_STORAGE,
        ];
        if let Some(&status) = statuses.iter().find(|&&status| status == filter.storage.0) {
            plan.prints.push(print(&self.shared, &terms::status(&self.asker, status)));
        }
        let destroyed = filter.storage.0.contains(StorageStatusMask::DESTROYED_STORAGE);
        for wanted in &filter.values {
            if wanted.tag == Tag::UniqueIdentifier {
                let Value::TextString(identifier) = &wanted.value else {
                    plan.only = Some(None);
                    continue;
                };
                let now = self.now;
                let object = self.overlay.load(&self.shared, &self.asker, identifier, now).ok();
                plan.only = Some(object.map(|object| object.sequence));
                continue;
            }
            // What the index says nothing about is compared with the record.
            if !terms::is_exact(wanted) {
                continue;
            }
            let term = terms::term(&self.asker, wanted);
            match terms::index_of(wanted.tag) {
                // The names of destroyed objects are free again: they are postings.
                Index::Unique if destroyed => {}
                Index::Unique => plan.only = Some(self.overlay.holder(&self.shared, &term)?),
                Index::Posting => plan.postings.push(posting(&self.shared, &term)),
                Index::Print => plan.prints.push(print(&self.shared, &term)),
                Index::None => {}
            }
        }
        Ok(plan)
    }

    /// Where the numbers of objects that may match come from: the index, and what time or this message has changed since
    /// the index was written.
    fn source(&self, plan: Plan) -> Outcome<Source> {
        let shared = &*self.shared;
        let owner = shared.vault.hash(Domain::Owner, &[self.asker.as_bytes()]);
        if let Some(only) = plan.only {
            return Ok(Source { owner, plan, after: None, is_read: true, changed: only.into_iter().collect() });
        }
        let changed = self.overlay.entries.iter().filter(|(_, entry)| entry.changed).map(|(&sequence, _)| sequence);
        let mut changed: Vec<u64> = changed.collect();
        let mut due = Vec::new();
        shared.vault.due(u64::try_from(self.now).unwrap_or(0), &mut |_, sequence| {
            due.push(sequence);
            ControlFlow::Continue(())
        })?;
        // Those of others are none of the requester's: they are not even opened.
        for sequence in due {
            if shared.vault.order_of(&owner, sequence)?.is_some() {
                changed.push(sequence);
            }
        }
        changed.sort_unstable();
        changed.dedup();
        Ok(Source { owner, plan, after: None, is_read: false, changed })
    }
}

/// Numbers of objects that may match, the newest first, a page at a time.
struct Source {
    owner: Hash16,
    plan: Plan,
    /// The last number that was read from the index.
    after: Option<u64>,
    /// Whether the index is read to its end.
    is_read: bool,
    /// What time or this message has changed, the newest at the end.
    changed: Vec<u64>,
}

impl Source {
    /// The next page; `None` behind the last.
    fn page(&mut self, shared: &Shared) -> Outcome<Option<Vec<u64>>> {
        if self.is_read && self.changed.is_empty() {
            return Ok(None);
        }
        let mut page = Vec::with_capacity(PAGE);
        if !self.is_read {
            self.read(shared, &mut page)?;
        }
        // What is newer than the rest of the index stands among this page.
        let rest = self.after.filter(|_| !self.is_read);
        let place = self.changed.partition_point(|&sequence| rest.is_some_and(|rest| sequence < rest));
        page.extend(self.changed.drain(place..));
        page.sort_unstable_by(|a, b| b.cmp(a));
        page.dedup();
        Ok(Some(page))
    }

    /// Reads a page of the index: what is in the first posting, or in the owner's order, and has all the rest.
    fn read(&mut self, shared: &Shared, page: &mut Vec<u64>) -> Outcome<()> {
        let (mut read, mut last) = (0, None);
        let mut next = |sequence| {
            read += 1;
            last = Some(sequence);
            if read < PAGE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        match self.plan.postings.first() {
            Some(first) => shared.vault.postings(first, self.after, &mut |sequence| {
                page.push(sequence);
                next(sequence)
            })?,
            None => shared.vault.order(&self.owner, self.after, &mut |sequence, prints| {
                if self.plan.prints.iter().all(|wanted| has_print(prints, wanted)) {
                    page.push(sequence);
                }
                next(sequence)
            })?,
        }
        self.is_read = read < PAGE;
        self.after = last.or(self.after);
        self.narrow(shared, page)
    }

    /// Keeps what is in the other postings too, and has the fingerprints.
    fn narrow(&self, shared: &Shared, page: &mut Vec<u64>) -> Outcome<()> {
        let Some((_, others)) = self.plan.postings.split_first() else { return Ok(()) };
        let mut kept = Vec::with_capacity(page.len());
        'candidates: for &sequence in page.iter() {
            for other in others {
                if !shared.vault.has_posting(other, sequence)? {
                    continue 'candidates;
                }
            }
            if !self.plan.prints.is_empty() {
                let prints = shared.vault.order_of(&self.owner, sequence)?.unwrap_or_default();
                if !self.plan.prints.iter().all(|wanted| has_print(&prints, wanted)) {
                    continue;
                }
            }
            kept.push(sequence);
        }
        *page = kept;
        Ok(())
    }
}

fn has_print(prints: &[u8], wanted: &[u8; PRINT]) -> bool {
    prints.chunks_exact(PRINT).any(|print| print == wanted)
}

/// Whether an object has a wanted value; each attribute by its own rule.
fn matches(object: &Managed, wanted: &Attribute) -> bool {
    match (wanted.tag, &wanted.value) {
        (Tag::CryptographicUsageMask, Value::Integer(bits)) => {
            object.attributes.integer(wanted.tag).is_some_and(|mask| mask & bits == *bits)
        }
        (Tag::UsageLimits, Value::Structure(fields)) => {
            object.attributes.values(wanted.tag).any(|value| fields.iter().all(|field| at_least(value, field)))
        }
        _ => object.attributes.iter().any(|present| present.tag == wanted.tag && covers(&present.value, &wanted.value)),
    }
}

/// Usage Limits match if as much is left, and in all, as is asked for.
fn at_least(value: &Value, field: &Element) -> bool {
    match (value.find(field.tag), &field.value) {
        (Some(Value::LongInteger(present)), Value::LongInteger(wanted)) => present >= wanted,
        (Some(present), wanted) => present == wanted,
        (None, _) => false,
    }
}

/// A structure matches if every field that is given does.
fn covers(present: &Value, wanted: &Value) -> bool {
    match (present, wanted) {
        (Value::Structure(_), Value::Structure(fields)) => fields
            .iter()
            .all(|field| present.elements().iter().any(|e| e.tag == field.tag && covers(&e.value, &field.value))),
        _ => present == wanted,
    }
}

/// The date of a Date attribute.
fn date(attribute: &Attribute) -> Option<i64> {
    let row = attribute_by_tag(attribute.tag)?;
    match (row.kind, &attribute.value) {
        (AttributeKind::DateTime, Value::DateTime(seconds)) => Some(*seconds),
        _ => None,
    }
}
