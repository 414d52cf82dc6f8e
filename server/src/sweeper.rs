//! What time does: dates that are reached, and token keys that a crash has left unfinished.

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
use crate::trust::policy::Use;
use crate::view::{Kept, Shared, View};

/// How often dates are looked at. A request that comes before the sweeper sees the new state all the same.
const INTERVAL: Duration = Duration::from_secs(1);

/// Objects looked at in one go.
const AT_ONCE: usize = 1_000;

/// Sweeps for ever.
pub async fn run(shared: Arc<Shared>) {
    if let Err(failure) = finish_intents(&shared).await {
        tracing::warn!(detail = ?failure.log, "token keys that a crash left behind were not looked at: {}", failure.message);
    }
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(failure) = sweep(&shared).await {
            tracing::error!(detail = ?failure.log, "dates cannot be acted on: {}", failure.message);
        }
    }
}

/// Lets every date take effect that has been reached. Answers how many objects changed.
///
/// # Errors
/// A store that cannot be read or written.
pub async fn sweep(shared: &Arc<Shared>) -> Outcome<usize> {
    let now = u64::try_from(shared.clock.now()).unwrap_or(0);
    let mut due = Vec::new();
    shared.vault.due(now, &mut |time, sequence| {
        due.push((time, sequence));
        if due.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut changed = 0;
    for (time, sequence) in due {
        changed += usize::from(advance(shared, time, sequence).await?);
    }
    Ok(changed)
}

async fn advance(shared: &Arc<Shared>, time: u64, sequence: u64) -> Outcome<bool> {
    let Some(opened) = shared.vault.record(sequence)? else { return Ok(false) };
    let object = record::read(sequence, &opened.plaintext).map_err(|error| Failure::internal(error.to_string()))?;
    let identifier = UniqueIdentifier::Text(object.identifier());
    let mut view = View::new(Arc::clone(shared), Arc::clone(&object.owner), Version::V2_1, Kept::default());
    let permitted = view.open(Some(&identifier), Use::ChangeAttributes)?;
    let has_changed = permitted.state() != object.state();
    // Brings time to bear, and writes what it did.
    view.edit(&permitted, |_| Ok(()))?;
    let mut commit = view.commit()?;
    if !has_changed {
        // A row that no date accounts for any more.
        commit.batch.delete_due(time, sequence);
    }
    match shared.vault.commit(commit.batch).await {
        Ok(Ok(())) => Ok(has_changed),
        // A request was faster; it has seen the date, too.
        Ok(Err(CommitError::Conflict)) => Ok(false),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Failure::internal("the store's writer has ended")),
    }
}

/// Destroys token keys whose making or destruction a crash has cut off. Objects that exist have no intent any more.
async fn finish_intents(shared: &Arc<Shared>) -> Outcome<()> {
    let identities = shared.vault.intents()?;
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
