//! Finding objects by their attributes, through the index rows and through what this message has changed.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use kmip_codec::spec::{AttributeKind, EnumValue, StorageStatusMask, Tag, attribute_by_tag, enumeration_of};
use kmip_codec::ttlv::Text;
use kmip_codec::types::Attribute;
use kmip_codec::{Element, Value};

use super::View;
use super::index::{self, PRINT};
use super::overlay::TURNS;
use super::search::{Marked, Set};
use crate::failure::{Failure, Outcome};
use crate::object::Managed;
use crate::object::spans::{self, DATE, SHARED};
use crate::object::terms::{self, Index, Term};
use crate::store::vault::{Likeness, List};
use crate::trust::policy;

/// After so many objects that were opened for nothing their classes are looked at first.
const MANY: usize = 16;

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

    /// The terms of the storage statuses that a match may have.
    fn statuses(&self, owner: &str) -> Vec<Term> {
        let statuses = [
            StorageStatusMask::ON_LINE_STORAGE,
            StorageStatusMask::ARCHIVAL_STORAGE,
            StorageStatusMask::DESTROYED_STORAGE,
        ];
        let wanted = statuses.into_iter().filter(|&status| self.storage.0.contains(status));
        wanted.map(|status| terms::status(owner, status)).collect()
    }

    fn stored_so(&self, object: &Managed) -> bool {
        self.storage.0.contains(object.storage_status())
    }
}

/// What a match is like, by what its class and variant say.
#[derive(Default)]
struct Wanted {
    /// What its class says, all of it.
    class: Vec<Term>,
    /// What its variant says, all of it.
    variant: Vec<Term>,
    /// Which storage statuses it may have.
    statuses: Vec<Term>,
}

/// How a filter is answered from the index.
struct Plan {
    /// The only objects that can match.
    only: Option<Vec<u64>>,
    /// Sets that a match is in, each.
    sets: Vec<Set>,
    /// What else a match is like. It is looked at when the sets turn out to hold much else.
    wanted: Option<Wanted>,
}

impl View {
    /// Finds the requester's objects, the newest first: `maximum` of them behind the first `offset`; `count` asks how many
    /// there are in all.
    ///
    /// # Errors
    /// A store that cannot be read; Server Limit Exceeded.
    pub fn locate(&mut self, filter: &Filter, offset: usize, maximum: usize, count: bool) -> Outcome<Found> {
        let Plan { only, mut sets, mut wanted } = self.plan(filter)?;
        let shared = Arc::clone(&self.shared);
        let mut changed = match only {
            Some(_) => Vec::new(),
            None => self.changed()?,
        };
        if let Some(only) = only {
            (sets, wanted) = (vec![Set::Given(only)], None);
        }
        let mut set = Set::All(sets);
        let mut found = Found { identifiers: Vec::new(), located: None };
        let (mut seen, mut rejected) = (0, 0);
        let enough = offset.saturating_add(maximum);
        let mut most = u64::MAX;
        while seen < enough || count {
            changed.truncate(changed.partition_point(|&sequence| sequence <= most));
            let Some(sequence) = set.next(&shared.vault, most)?.max(changed.last().copied()) else { break };
            match self.candidate(sequence, filter)? {
                Some(object) => {
                    if seen >= offset && seen < enough {
                        found.identifiers.push(object.identifier());
                    }
                    seen += 1;
                }
                None => rejected += 1,
            }
            // What a class says of many objects at once is cheaper than opening each.
            if rejected == MANY
                && let (Some(wanted), Set::All(sets)) = (wanted.take(), &mut set)
            {
                sets.push(self.alike(&wanted, None)?);
            }
            let Some(next) = sequence.checked_sub(1) else { break };
            most = next;
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
            let sequence = self.overlay.load(&self.shared, &self.requester.owner, &identifier, self.now)?.sequence;
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
        let mut plan = Plan { only: None, sets: Vec::new(), wanted: None };
        let mut wanted = Wanted { statuses: filter.statuses(&self.requester.owner), ..Wanted::default() };
        if filter.fresh {
            wanted
                .variant
                .extend(terms::parts(&self.requester.owner, &Attribute::new(Tag::Fresh, Value::Boolean(true))));
        }
        for attribute in &filter.values {
            match terms::index_of(attribute) {
                _ if attribute.tag == Tag::UniqueIdentifier => plan.keep_only(self.identified(&attribute.value)),
                Index::Unique => self.plan_name(&mut plan, filter, attribute)?,
                Index::Posting => self.plan_posting(&mut plan, attribute),
                Index::Class => wanted.class.extend(terms::parts(&self.requester.owner, attribute)),
                Index::Variant => wanted.variant.extend(terms::parts(&self.requester.owner, attribute)),
                // What the index says nothing about is compared with the record.
                Index::Date | Index::None => {}
            }
        }
        if plan.only.is_some() {
            return Ok(plan);
        }
        let is_asked = !wanted.class.is_empty() || !wanted.variant.is_empty();
        // The rows that objects share say about where they are, and not whether there are any.
        let is_enough = !plan.sets.is_empty() || filter.dates.keys().any(|&tag| terms::is_volatile(tag));
        for (&tag, &(from, to)) in &filter.dates {
            plan.sets.push(self.dated(&wanted, tag, from, to)?);
        }
        if is_asked || !is_enough {
            plan.sets.push(self.alike(&wanted, None)?);
        } else {
            plan.wanted = Some(wanted);
        }
        Ok(plan)
    }

    /// Who has an identifier.
    fn identified(&mut self, value: &Value) -> Vec<u64> {
        let Value::TextString(identifier) = value else { return Vec::new() };
        let now = self.now;
        let object = self.overlay.load(&self.shared, &self.requester.owner, identifier, now).ok();
        object.map(|object| object.sequence).into_iter().collect()
    }

    /// A name is one object's, but for those of destroyed objects, which are free again. Without its type it may be of any.
    fn plan_name(&mut self, plan: &mut Plan, filter: &Filter, wanted: &Attribute) -> Outcome<()> {
        let terms: Vec<Term> =
            typed(wanted, Tag::NameType).iter().map(|name| terms::term(&self.requester.owner, name)).collect();
        if terms.is_empty() {
            return Ok(());
        }
        let mut holders = Vec::new();
        for term in &terms {
            holders.extend(self.overlay.holder(&self.shared, term)?);
        }
        holders.sort_unstable();
        if !filter.storage.0.contains(StorageStatusMask::DESTROYED_STORAGE) {
            plan.keep_only(holders);
        } else {
            let destroyed = terms.iter().map(|term| self.posted(term));
            plan.sets.push(Set::any(destroyed.chain([Set::Given(holders)])));
        }
        Ok(())
    }

    fn plan_posting(&self, plan: &mut Plan, wanted: &Attribute) {
        let types = match wanted.tag {
            Tag::AlternativeName => typed(wanted, Tag::AlternativeNameType),
            _ => Vec::new(),
        };
        if !types.is_empty() {
            plan.sets.push(Set::any(types.iter().map(|name| self.posted(&terms::term(&self.requester.owner, name)))));
        } else if terms::is_exact(wanted) {
            plan.sets.push(self.posted(&terms::term(&self.requester.owner, wanted)));
        } else {
            plan.sets.extend(terms::parts(&self.requester.owner, wanted).iter().map(|part| self.posted(part)));
        }
    }

    fn posted(&self, term: &Term) -> Set {
        Set::list(List::Posting(index::posting(&self.shared, term)), Marked::Any)
    }

    /// Where a date lies in a range: it has rows of its own, or it is the Initial Date.
    fn dated(&self, wanted: &Wanted, tag: Tag, from: i64, to: i64) -> Outcome<Set> {
        let (shared, owner) = (&*self.shared, &*self.requester.owner);
        let listed = |hash, marked| Set::list(List::Posting(hash), marked);
        let mut sets = Vec::new();
        if terms::is_volatile(tag) {
            for span in spans::cover(from, to, &DATE) {
                let second = |seconds| index::second(shared, owner, tag, seconds).to_vec();
                let marked = match spans::part(span, from, to) {
                    Some(part) => Marked::With(part.map(second).collect()),
                    None => Marked::Any,
                };
                sets.push(listed(index::date(shared, owner, tag, span), marked));
            }
        } else if tag != Tag::InitialDate {
            let spans = spans::cover(from, to, &SHARED).into_iter();
            let lists = spans.map(|span| listed(index::date(shared, owner, tag, span), Marked::Any));
            sets.push(Set::Granules(Box::new(Set::any(lists))));
        }
        if tag == Tag::InitialDate || terms::may_be_born(tag) {
            let spans = spans::cover(from, to, &SHARED).into_iter();
            let births = spans.map(|span| listed(index::birth(shared, span), Marked::Any));
            let born = Set::Granules(Box::new(Set::any(births)));
            sets.push(match tag {
                Tag::InitialDate => born,
                _ => Set::All(vec![born, self.alike(wanted, Some(tag))?]),
            });
        }
        Ok(Set::any(sets))
    }

    /// All objects of the requester that are like this by their classes and variants, and, if it is asked for, whose date is
    /// the Initial Date.
    fn alike(&self, wanted: &Wanted, born_with: Option<Tag>) -> Outcome<Set> {
        let shared = &*self.shared;
        let owner = index::owner(shared, &self.requester.owner);
        let prints = |terms: &[Term]| -> Vec<_> { terms.iter().map(|term| index::print(shared, term)).collect() };
        let (class, mut variant, statuses) = (prints(&wanted.class), prints(&wanted.variant), prints(&wanted.statuses));
        variant.extend(born_with.map(|tag| index::print(shared, &terms::born_with(&self.requester.owner, tag))));
        let (mut variants, mut is_every) = (HashSet::new(), true);
        shared.vault.likenesses(&owner, Likeness::Variant, &mut |hash, prints| {
            let fits = variant.iter().all(|wanted| has_print(prints, wanted))
                && statuses.iter().any(|status| has_print(prints, status));
            if fits {
                variants.insert(hash.0.to_vec());
            }
            is_every &= fits;
        })?;
        let mut classes = Vec::new();
        shared.vault.likenesses(&owner, Likeness::Class, &mut |hash, prints| {
            if class.iter().all(|wanted| has_print(prints, wanted)) {
                classes.push(hash);
            }
        })?;
        let marked = |variants| if is_every { Marked::Any } else { Marked::With(variants) };
        Ok(Set::any(classes.into_iter().map(|hash| Set::list(List::Class(hash), marked(variants.clone())))))
    }

    /// What time or this message has changed since the index was written, the oldest first.
    fn changed(&self) -> Outcome<Vec<u64>> {
        let shared = &*self.shared;
        let changed = self.overlay.entries.iter().filter(|(_, entry)| entry.changed).map(|(&sequence, _)| sequence);
        let mut changed: Vec<u64> = changed.collect();
        let mut due = Vec::new();
        shared.vault.due(u64::try_from(self.now).unwrap_or(0), &mut |_, sequence| {
            due.push(sequence);
            ControlFlow::Continue(())
        })?;
        if !due.is_empty() {
            // Those of others are none of the requester's: they are not even opened.
            let owner = index::owner(shared, &self.requester.owner);
            for sequence in due {
                if shared.vault.record_owner(sequence)? == Some(owner) {
                    changed.push(sequence);
                }
            }
        }
        changed.sort_unstable();
        changed.dedup();
        Ok(changed)
    }
}

impl Plan {
    /// Nothing but these can match.
    fn keep_only(&mut self, mut sequences: Vec<u64>) {
        if let Some(others) = &self.only {
            sequences.retain(|sequence| others.contains(sequence));
        }
        self.only = Some(sequences);
    }
}

/// A name in each type that it may have, if it says none; nothing if it does not say what matters.
fn typed(name: &Attribute, type_tag: Tag) -> Vec<Attribute> {
    if terms::is_exact(name) {
        return vec![name.clone()];
    }
    let (Value::Structure(fields), Some(types)) = (&name.value, enumeration_of(type_tag)) else { return Vec::new() };
    let of_type = |value: &EnumValue| {
        let mut fields = fields.clone();
        fields.push(Element::new(type_tag, Value::Enumeration(value.value)));
        Attribute::new(name.tag, Value::Structure(fields))
    };
    types.values.iter().map(of_type).filter(terms::is_exact).collect()
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

#[cfg(test)]
mod tests;
