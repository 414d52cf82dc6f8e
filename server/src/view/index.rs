//! The index rows of an object: hashes of its terms, and what a search must look under.

use kmip_codec::spec::Tag;

use super::Shared;
use crate::failure::Outcome;
use crate::object::spans::{self, DATE, SHARED, Span};
use crate::object::terms::{self, TermList, Terms};
use crate::store::vault::{Domain, Hash16, Likeness, VaultBatch};

/// Bytes of a fingerprint: eight of the sixteen of a hash.
pub(super) const PRINT: usize = 8;

/// So many sequences share a row in a span of time, as a power of two.
pub(super) const GRANULE: u32 = 4;

/// Writes what an object's index rows become, from what they were.
///
/// # Errors
/// A store that cannot be read.
pub(super) fn write(
    shared: &Shared,
    batch: &mut VaultBatch,
    (owner, sequence): (&str, u64),
    before: Option<&Terms>,
    after: &Terms,
) -> Outcome<()> {
    let none = Terms::default();
    let old = before.unwrap_or(&none);
    for term in missing(&old.postings, &after.postings) {
        batch.delete_posting(&posting(shared, term), sequence);
    }
    for term in missing(&after.postings, &old.postings) {
        batch.put_posting(&posting(shared, term), sequence);
    }
    write_dates(shared, batch, (owner, sequence), &old.dates, &after.dates)?;
    if let Some(born) = after.born.filter(|_| old.born != after.born) {
        write_granules(shared, batch, sequence, born, |span| birth(shared, span))?;
    }
    if before.is_none() || old.class != after.class || old.variant != after.variant {
        write_likeness(shared, batch, (owner, sequence), before, after)?;
    }
    if old.due != after.due {
        if let Some(due) = old.due {
            batch.delete_due(due_time(due), sequence);
        }
        if let Some(due) = after.due {
            batch.put_due(due_time(due), sequence);
        }
    }
    Ok(())
}

/// What is here and not there.
pub(super) fn missing<'a>(from: &'a TermList, other: &'a TermList) -> impl Iterator<Item = &'a [u8]> {
    from.iter().filter(move |term| !other.contains(term))
}

/// Dates that change with every change of an object have rows of its own, which go when they change. Others seldom change,
/// and many objects made one after the other have the same: they share rows, which stay.
fn write_dates(
    shared: &Shared,
    batch: &mut VaultBatch,
    (owner, sequence): (&str, u64),
    before: &[(Tag, i64)],
    after: &[(Tag, i64)],
) -> Outcome<()> {
    for &(tag, old) in before.iter().filter(|date| terms::is_volatile(date.0) && !after.contains(date)) {
        for span in spans::of(old, &DATE) {
            batch.delete_posting(&date(shared, owner, tag, span), sequence);
        }
    }
    for &(tag, new) in after.iter().filter(|date| !before.contains(date)) {
        if !terms::is_volatile(tag) {
            write_granules(shared, batch, sequence, new, |span| date(shared, owner, tag, span))?;
            continue;
        }
        for span in spans::of(new, &DATE) {
            let mark = second(shared, owner, tag, new);
            let mark = if spans::is_smallest(span) { &mark[..] } else { &[] };
            batch.put_marked(&date(shared, owner, tag, span), sequence, mark);
        }
    }
    Ok(())
}

/// Many objects are made in one span of time, one after the other: they share rows.
fn write_granules(
    shared: &Shared,
    batch: &mut VaultBatch,
    sequence: u64,
    date: i64,
    list: impl Fn(Span) -> Hash16,
) -> Outcome<()> {
    let granule = sequence >> GRANULE;
    for (place, span) in spans::of(date, &SHARED).enumerate() {
        let row = list(span);
        // They stay, and those of the larger spans are written together.
        if place <= 1 && shared.vault.has_posting(&row, granule)? {
            break;
        }
        batch.put_posting(&row, granule);
    }
    Ok(())
}

fn write_likeness(
    shared: &Shared,
    batch: &mut VaultBatch,
    (owner, sequence): (&str, u64),
    before: Option<&Terms>,
    after: &Terms,
) -> Outcome<()> {
    let class = class(shared, owner, after);
    let variant = variant(shared, owner, after);
    if let Some(before) = before.filter(|before| before.class != after.class) {
        let old = self::class(shared, owner, before);
        batch.delete_member(&old, sequence);
    }
    batch.put_member(&class, sequence, &variant);
    let owner = self::owner(shared, owner);
    for (which, hash, terms) in [(Likeness::Class, class, &after.class), (Likeness::Variant, variant, &after.variant)] {
        if !shared.vault.has_likeness(&owner, which, &hash)? {
            let prints: Vec<u8> = terms.iter().flat_map(|term| print(shared, term)).collect();
            batch.put_likeness(&owner, which, &hash, &prints);
        }
    }
    Ok(())
}

pub(super) fn owner(shared: &Shared, owner: &str) -> Hash16 {
    shared.vault.hash(Domain::Owner, &[owner.as_bytes()])
}

pub(super) fn posting(shared: &Shared, term: &[u8]) -> Hash16 {
    shared.vault.hash(Domain::Posting, &[term])
}

pub(super) fn print(shared: &Shared, term: &[u8]) -> [u8; PRINT] {
    cut(shared.vault.hash(Domain::Fingerprint, &[term]))
}

/// The list of what has a date in a span.
pub(super) fn date(shared: &Shared, owner: &str, tag: Tag, span: Span) -> Hash16 {
    shared.vault.hash(Domain::Date, &[owner.as_bytes(), &tag.code().to_be_bytes(), &span.bytes()])
}

/// What stands for a date in a list that is of several.
pub(super) fn second(shared: &Shared, owner: &str, tag: Tag, seconds: i64) -> [u8; PRINT] {
    let parts: &[&[u8]] = &[owner.as_bytes(), &tag.code().to_be_bytes(), &seconds.to_be_bytes()];
    cut(shared.vault.hash(Domain::Fingerprint, parts))
}

/// The list of the granules of what was made in a span, whoever made it.
pub(super) fn birth(shared: &Shared, span: Span) -> Hash16 {
    shared.vault.hash(Domain::Birth, &[&span.bytes()])
}

fn class(shared: &Shared, owner: &str, terms: &Terms) -> Hash16 {
    likeness(shared, Likeness::Class, owner, &terms.class)
}

fn variant(shared: &Shared, owner: &str, terms: &Terms) -> Hash16 {
    likeness(shared, Likeness::Variant, owner, &terms.variant)
}

/// The order in which attributes were set does not count.
fn likeness(shared: &Shared, which: Likeness, owner: &str, terms: &TermList) -> Hash16 {
    // Every term says whose it is, so that the bytes of all stand for the owner, too.
    shared.vault.hash_likeness(which, terms.bytes(), || {
        let mut parts: Vec<&[u8]> = terms.iter().collect();
        parts.sort_unstable();
        parts.push(owner.as_bytes());
        parts
    })
}

fn cut(Hash16(hash): Hash16) -> [u8; PRINT] {
    hash.first_chunk().copied().unwrap_or_default()
}

/// Dates before 1970 are due at once.
fn due_time(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}
