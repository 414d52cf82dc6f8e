//! What time does: dates that are reached, and token keys that a crash has left unfinished.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use kmip_codec::spec::Version;
use kmip_codec::types::UniqueIdentifier;

use crate::crypto::Guarded;
use crate::dispatch::forget;
use crate::failure::{Failure, Outcome};
use crate::object::record;
use crate::store::CommitError;
use crate::store::vault::VaultBatch;
use crate::trust::policy::Use;
use crate::view::{Kept, Shared, View};

/// How often dates are looked at. A request that comes before the sweeper sees the new state all the same.
const INTERVAL: Duration = Duration::from_secs(1);

/// Objects looked at in one go.
const AT_ONCE: usize = 1_000;

/// Sweeps for ever. `left` is what [`Vault::intents`](crate::store::vault::Vault::intents) gave before the first request
/// was answered: later intents are those of requests at work, whose token keys must stay.
pub async fn run(shared: Arc<Shared>, left: Outcome<Vec<[u8; 16]>>) {
    if let Err(failure) = finish_intents(&shared, left).await {
        tracing::warn!(detail = ?failure.log, "token keys that a crash left behind were not looked at: {}", failure.message);
    }
    let mut stuck = HashSet::new();
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(failure) = sweep(&shared, &mut stuck).await {
            tracing::error!(detail = ?failure.log, "dates cannot be acted on: {}", failure.message);
        }
    }
}

/// Lets every date take effect that has been reached. Answers how many objects changed. An object that cannot be read is
/// noted as stuck and passed over from then on: it must not stand in the way of the others.
///
/// # Errors
/// A store that cannot be read or written.
pub async fn sweep(shared: &Arc<Shared>, stuck: &mut HashSet<(u64, u64)>) -> Outcome<usize> {
    let now = u64::try_from(shared.clock.now()).unwrap_or(0);
    let mut due = Vec::new();
    shared.vault.due(now, &mut |time, sequence| {
        if !stuck.contains(&(time, sequence)) {
            due.push((time, sequence));
        }
        if due.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut changed = 0;
    for (time, sequence) in due {
        let commit = match advance(shared, time, sequence) {
            Ok(commit) => commit,
            Err(failure) => {
                tracing::error!(sequence, detail = ?failure.log, "an object's dates cannot be acted on: {}", failure.message);
                stuck.insert((time, sequence));
                continue;
            }
        };
        match shared.vault.commit(commit.0).await {
            Ok(Ok(())) => changed += usize::from(commit.1),
            // A request was faster; it has seen the date, too.
            Ok(Err(CommitError::Conflict)) => {}
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(Failure::internal("the store's writer has ended")),
        }
    }
    Ok(changed)
}

/// What time does to an object, and whether it changes it.
fn advance(shared: &Arc<Shared>, time: u64, sequence: u64) -> Outcome<(VaultBatch, bool)> {
    let Some(opened) = shared.vault.record(sequence)? else {
        let mut batch = shared.vault.batch();
        batch.expect_record(sequence, 0);
        batch.delete_due(time, sequence);
        return Ok((batch, false));
    };
    let object = record::read(sequence, &opened.plaintext).map_err(|error| Failure::internal(error.to_string()))?;
    let identifier = UniqueIdentifier::Text(object.identifier());
    let mut view = View::new(Arc::clone(shared), Arc::clone(&object.owner), Version::V2_1, Kept::default());
    let permitted = view.open(Some(&identifier), Use::ChangeAttributes)?;
    let has_changed = permitted.state() != object.state();
    // Brings time to bear, and writes what it did.
    view.edit(&permitted, |_| Ok(()))?;
    let mut commit = view.commit()?;
    let due = permitted.dates().due(permitted.state()).map(|date| u64::try_from(date).unwrap_or(0));
    // A row that no date accounts for. One that does may be here too: the clock was set back since it was found.
    if due != Some(time) {
        commit.batch.delete_due(time, sequence);
    }
    Ok((commit.batch, has_changed))
}

/// Destroys token keys whose making or destruction a crash has cut off. Objects that exist have no intent any more.
async fn finish_intents(shared: &Arc<Shared>, left: Outcome<Vec<[u8; 16]>>) -> Outcome<()> {
    let identities = left?;
    if identities.is_empty() || shared.providers.module().is_none() {
        return Ok(());
    }
    let worker = Arc::clone(shared);
    let gone = tokio::task::spawn_blocking(move || {
        let gone = identities.into_iter().filter(|&id| forget(&worker, &Guarded::unknown_on_token(id)));
        gone.collect::<Vec<_>>()
    });
    let gone = gone.await.map_err(|error| Failure::internal(error.to_string()))?;
    let mut batch = shared.vault.batch();
    gone.iter().for_each(|identity| batch.delete_intent(identity));
    match shared.vault.commit(batch).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Failure::internal("the store's writer has ended")),
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{State, Tag};

    use super::*;
    use crate::store::{Batch, Change, Row};
    use crate::view::testing::{Bench, NOW, secret};

    #[tokio::test]
    async fn an_object_that_cannot_be_read_does_not_stop_the_others() {
        let bench = Bench::new();
        let at = |date| vec![(Tag::ActivationDate, Value::DateTime(date))];
        bench.object(secret(b"broken"), at(NOW + 1));
        let whole = bench.object(secret(b"whole"), at(NOW + 2));
        bench.pass(10);
        let shared = Arc::clone(bench.view(Version::V2_1).shared());
        let mut broken = Batch::default();
        let key = [&b"O"[..], &1_u64.to_be_bytes(), &0_u16.to_be_bytes()].concat();
        broken.changes.push(Change::Put { key, row: Row { revision: 9, value: vec![0; 80] } });
        // And a row that leads nowhere.
        let mut batch = shared.vault.batch();
        batch.put_due(0, 77);
        shared.vault.commit(batch).await.unwrap().unwrap();
        shared.vault.store().commit(broken).await.unwrap().unwrap();

        let mut stuck = HashSet::new();
        assert_eq!(sweep(&shared, &mut stuck).await, Ok(1));
        assert_eq!(stuck.len(), 1);
        let mut left = Vec::new();
        let mut note = |_, sequence| {
            left.push(sequence);
            ControlFlow::Continue(())
        };
        shared.vault.due(u64::MAX, &mut note).unwrap();
        assert_eq!(left, [1]);
        // And nobody else's Locate meets it.
        let object = bench.view(Version::V2_1).open(Some(&whole), Use::Locate).unwrap();
        assert_eq!(object.state(), State::Active);
        let filter = crate::view::Filter::new(Vec::new()).unwrap();
        let found = bench.view_of("bob", Version::V2_1).locate(&filter, 0, 9, false);
        assert!(found.unwrap().identifiers.is_empty());
    }
}
