//! Writes the index of a store anew that an older kmipd has written in another form.

use std::ops::ControlFlow;

use super::{Shared, index};
use crate::failure::{Failure, Outcome};
use crate::object::{record, terms};
use crate::secret::Secret;
use crate::store::vault::{INDEX_FORMAT, VaultBatch};

/// The form of the index rows that we write and read.
const FORMAT: u8 = 3;

/// How many objects or rows go into one commit.
const AT_ONCE: usize = 200;

/// Sees to it that the index is in our form. A crash in between lets the next start begin again. Answers how many objects
/// were indexed.
///
/// # Errors
/// A store that cannot be read or written.
pub async fn ensure(shared: &Shared) -> Outcome<usize> {
    let vault = &shared.vault;
    let known = vault.meta(INDEX_FORMAT)?;
    if known.as_ref().is_some_and(|(format, _)| format.expose() == [FORMAT]) {
        return Ok(0);
    }
    let mut page = sequences(shared, None)?;
    if !page.is_empty() {
        tracing::warn!(
            "the index of the store is of an older form: it is written anew, which takes some minutes for a million objects"
        );
        loop {
            let rows = vault.index_rows(AT_ONCE)?;
            if rows.is_empty() {
                break;
            }
            let mut batch = vault.batch();
            rows.into_iter().for_each(|row| batch.delete_index_row(row));
            commit(shared, batch).await?;
        }
    }
    let mut indexed = 0;
    while let Some(&last) = page.last() {
        let mut batch = vault.batch();
        for &sequence in &page {
            match add(shared, &mut batch, sequence) {
                Ok(()) => indexed += 1,
                Err(failure) => {
                    tracing::error!(sequence, detail = ?failure.log, "an object cannot be indexed: {}", failure.message);
                }
            }
        }
        commit(shared, batch).await?;
        page = sequences(shared, Some(last))?;
    }
    let mut batch = vault.batch();
    batch.put_meta(INDEX_FORMAT, known.map_or(0, |(_, revision)| revision), &Secret::copy_of(&[FORMAT]))?;
    commit(shared, batch).await?;
    Ok(indexed)
}

fn add(shared: &Shared, batch: &mut VaultBatch, sequence: u64) -> Outcome<()> {
    let Some(opened) = shared.vault.record(sequence)? else { return Ok(()) };
    let object = record::read(sequence, &opened.plaintext).map_err(|error| Failure::internal(error.to_string()))?;
    index::write(shared, batch, (&object.owner, sequence), None, &terms::terms(&object))
}

fn sequences(shared: &Shared, after: Option<u64>) -> Outcome<Vec<u64>> {
    let mut page = Vec::new();
    shared.vault.sequences(after, &mut |sequence| {
        page.push(sequence);
        if page.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(page)
}

async fn commit(shared: &Shared, batch: VaultBatch) -> Outcome<()> {
    let stopped = |_| Failure::internal("the store's writer has ended");
    Ok(shared.vault.commit(batch).await.map_err(stopped)??)
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{Tag, Version};

    use super::super::testing::{Bench, secret};
    use super::super::{Filter, View};
    use super::*;
    use crate::store::vault::{Domain, Likeness};

    #[tokio::test]
    async fn an_older_index_is_written_anew() {
        let bench = Bench::new();
        for i in 0..450 {
            let group = Value::TextString(if i % 2 == 0 { "even" } else { "odd" }.into());
            bench.object(secret(b"s"), vec![(Tag::ObjectGroup, group)]);
        }
        let shared = std::sync::Arc::clone(bench.view(Version::V2_1).shared());
        let vault = &shared.vault;
        // The rows of another form, and a list that is no index of objects.
        let (stale, other) = (vault.hash(Domain::Posting, &[b"stale"]), vault.hash(Domain::Posting, &[b"requests"]));
        loop {
            let rows = vault.index_rows(AT_ONCE).unwrap();
            let mut batch = vault.batch();
            let is_last = rows.is_empty();
            rows.into_iter().for_each(|row| batch.delete_index_row(row));
            if is_last {
                batch.put_posting(&stale, 7);
                batch.put_member(&stale, 8, &stale);
                batch.put_posting(&other, 9_000);
            }
            commit(&shared, batch).await.unwrap();
            if is_last {
                break;
            }
        }
        let located = |view: &mut View, group: &str| {
            let group = kmip_codec::types::Attribute::new(Tag::ObjectGroup, Value::TextString(group.into()));
            view.locate(&Filter::new(vec![group]).unwrap(), 0, usize::MAX, false).unwrap().identifiers.len()
        };
        let all = |view: &mut View| {
            view.locate(&Filter::new(Vec::new()).unwrap(), 0, usize::MAX, false).unwrap().identifiers.len()
        };
        assert_eq!((located(&mut bench.view(Version::V2_1), "odd"), all(&mut bench.view(Version::V2_1))), (0, 0));
        assert_eq!(ensure(&shared).await, Ok(450));
        assert_eq!((located(&mut bench.view(Version::V2_1), "odd"), all(&mut bench.view(Version::V2_1))), (225, 450));
        assert!(!vault.has_posting(&stale, 7).unwrap());
        assert!(vault.has_posting(&other, 9_000).unwrap());
        let mut classes = 0;
        let owner = index::owner(&shared, "alice");
        vault.likenesses(&owner, Likeness::Class, &mut |_, _| classes += 1).unwrap();
        assert_eq!(classes, 1);
        assert_eq!(ensure(&shared).await, Ok(0), "it is done once");
    }
}
