//! The index rows of an object: hashes of its terms, and what a search must look under.

use kmip_codec::spec::Tag;

use super::Shared;
use crate::failure::Outcome;
use crate::object::spans::{self, BIRTH, DATE, Span};
use crate::object::terms::{Term, Terms};
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
    write_dates(shared, batch, (owner, sequence), &old.dates, &after.dates);
    if before.is_none() || old.born != after.born {
        write_birth(shared, batch, sequence, after.born)?;
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
pub(super) fn missing<'a>(from: &'a [Term], other: &'a [Term]) -> impl Iterator<Item = &'a Term> {
    from.iter().filter(move |term| !other.contains(term))
}

fn write_dates(
    shared: &Shared,
    batch: &mut VaultBatch,
    (owner, sequence): (&str, u64),
    before: &[(Tag, i64)],
    after: &[(Tag, i64)],
) {
    let rows = |dates: &[(Tag, i64)]| -> Vec<(Tag, Span, i64)> {
        let rows =
            dates.iter().flat_map(|&(tag, date)| spans::of(date, &DATE).into_iter().map(move |s| (tag, s, date)));
        rows.collect()
    };
    let (before, after) = (rows(before), rows(after));
    for &(tag, span, _) in
        before.iter().filter(|(tag, span, _)| !after.iter().any(|row| (row.0, row.1) == (*tag, *span)))
    {
        batch.delete_posting(&date(shared, owner, tag, span), sequence);
    }
    for &(tag, span, seconds) in
        after.iter().filter(|row| row.1.size == DATE[0] || !before.iter().any(|old| (old.0, old.1) == (row.0, row.1)))
    {
        if before.contains(&(tag, span, seconds)) {
            continue;
        }
        let hash = date(shared, owner, tag, span);
        match span.size == DATE[0] {
            true => batch.put_marked(&hash, sequence, &second(shared, owner, tag, seconds)),
            false => batch.put_posting(&hash, sequence),
        }
    }
}

/// Many objects are made in one span of time, one after the other: they share rows.
fn write_birth(shared: &Shared, batch: &mut VaultBatch, sequence: u64, born: Option<i64>) -> Outcome<()> {
    let Some(born) = born else { return Ok(()) };
    let granule = sequence >> GRANULE;
    let spans = spans::of(born, &BIRTH);
    for (place, &span) in spans.iter().enumerate() {
        let row = birth(shared, span);
        // The rows of the larger spans are written together and stay.
        if place == 1 && shared.vault.has_posting(&row, granule)? {
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

pub(super) fn posting(shared: &Shared, term: &Term) -> Hash16 {
    shared.vault.hash(Domain::Posting, &[term])
}

pub(super) fn print(shared: &Shared, term: &Term) -> [u8; PRINT] {
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
    likeness(shared, Domain::Class, owner, &terms.class)
}

fn variant(shared: &Shared, owner: &str, terms: &Terms) -> Hash16 {
    likeness(shared, Domain::Variant, owner, &terms.variant)
}

/// The order in which attributes were set does not count.
fn likeness(shared: &Shared, domain: Domain, owner: &str, terms: &[Term]) -> Hash16 {
    let mut parts: Vec<&[u8]> = terms.iter().map(Vec::as_slice).collect();
    parts.sort_unstable();
    parts.push(owner.as_bytes());
    shared.vault.hash(domain, &parts)
}

fn cut(Hash16(hash): Hash16) -> [u8; PRINT] {
    hash.first_chunk().copied().unwrap_or_default()
}

/// Dates before 1970 are due at once.
fn due_time(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}
