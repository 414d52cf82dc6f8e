//! What time does to requests that are answered later: they are processed after their delay, and answers expire.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use super::{Group, time};
use crate::dispatch::Dispatcher;
use crate::failure::{Failure, Outcome};
use crate::store::CommitError;

/// How often it is looked.
const INTERVAL: Duration = Duration::from_secs(1);

/// Requests looked at in one go.
const AT_ONCE: usize = 100;

/// Looks for ever.
pub async fn run(dispatcher: Arc<Dispatcher>) {
    let mut stuck = HashSet::new();
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(failure) = look(&dispatcher, &mut stuck).await {
            tracing::error!(detail = ?failure.log, "requests cannot be answered later: {}", failure.message);
        }
    }
}

/// Processes what waits long enough, and drops what nobody has fetched. What cannot be processed is passed over from then
/// on; its client can still ask for it.
pub(in crate::dispatch) async fn look(dispatcher: &Dispatcher, stuck: &mut HashSet<(u64, u64)>) -> Outcome<()> {
    let shared = &dispatcher.shared;
    let now = shared.clock.now();
    let mut due = Vec::new();
    shared.vault.wakes(time(now), &mut |at, sequence| {
        if !stuck.contains(&(at, sequence)) {
            due.push((at, sequence));
        }
        if due.len() < AT_ONCE { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    for (at, sequence) in due {
        if let Err(failure) = wake(dispatcher, at, sequence).await {
            tracing::error!(sequence, detail = ?failure.log, "a request cannot be processed: {}", failure.message);
            stuck.insert((at, sequence));
        }
    }
    Ok(())
}

async fn wake(dispatcher: &Dispatcher, at: u64, sequence: u64) -> Outcome<()> {
    let vault = &dispatcher.shared.vault;
    let mut batch = vault.batch();
    match Group::load(vault, sequence)? {
        Some(group) if time(group.stored.wake) != at => batch.delete_wake(at, sequence),
        None => batch.delete_wake(at, sequence),
        Some(group) if group.stored.is_submitted() => return dispatcher.run_stored(&group, false).await,
        Some(group) => group.delete(&mut batch, vault)?,
    }
    match vault.commit(batch).await {
        Ok(Ok(())) | Ok(Err(CommitError::Conflict)) => Ok(()),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Failure::internal("the store's writer has ended")),
    }
}
