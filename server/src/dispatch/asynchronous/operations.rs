//! Poll, Process, Cancel and Query Asynchronous Requests (KMIP 2.1 §6.1.38, §6.1.39, §6.1.5, §6.1.41).

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use kmip_codec::schema::DateTimeExtended;
use kmip_codec::spec::{CancellationResult, Operation, ProcessingStage, ResultReason};
use kmip_codec::ttlv::Blob;

use super::{Group, Stage, owner_hash};
use crate::dispatch::answer::{ItemAnswer, Success};
use crate::dispatch::{Asker, Dispatcher, Place, Run, Task, log_failures};
use crate::failure::{Failure, Outcome};
use crate::ops::{cancel, poll, process, query_asynchronous_requests as query};

const MICROSECONDS: i64 = 1_000_000;

impl Dispatcher {
    /// Runs what waits in a stored message. `has_turn` says that it is done within another message, which has the turn.
    ///
    /// # Errors
    /// What could not be committed: it waits still.
    pub(in crate::dispatch) fn run_stored<'a>(
        &'a self,
        group: &'a Group,
        has_turn: bool,
    ) -> Pin<Box<dyn Future<Output = Outcome<()>> + Send + 'a>> {
        Box::pin(async move {
            let _at_work = self.running.enter(group.opened.stamp.seq);
            let (message, places) = group.message(&self.limits)?;
            let stored = &group.stored;
            let requester = self.later(&stored.owner, stored.ticket.as_deref(), &stored.certificates);
            let asker = Asker {
                identity: Arc::clone(&stored.owner),
                place: Place::Earlier,
                shown: requester.shown.clone(),
                is_askable: false,
                requester: Some(requester),
            };
            let task = Task::Stored { group, places: &places, has_turn };
            let answers = self.until_committed(&asker, &message, task).await?;
            log_failures(&asker, &message, &answers);
            Ok(())
        })
    }
}

/// Poll: the answer of the operation that is polled for, or that it is pending.
pub(in crate::dispatch) async fn poll(run: &mut Run<'_>, request: poll::Request) -> Outcome<Vec<ItemAnswer>> {
    let correlation = request.asynchronous_correlation_value;
    let version = run.version;
    // Where the version has no Process, a client has no other way to say that it wants the answer now.
    if !Operation::Process.known_in(version) {
        run_now(run, &correlation).await?;
    }
    let (group, place) = find(run, &correlation)?.ok_or_else(unknown)?;
    if group.stored.version != version {
        return Err(Failure::invalid_field(format!(
            "the request was made in KMIP {}, and so is its answer",
            group.stored.version
        )));
    }
    let item = group.stored.items.get_mut(place).ok_or_else(unknown)?;
    match std::mem::replace(&mut item.stage, Stage::Over) {
        Stage::Completed(answers) => {
            group.is_changed = true;
            Ok(answers)
        }
        waits => {
            item.stage = waits;
            let result = Ok(Success::Pending(correlation));
            Ok(vec![ItemAnswer { item: 0, operation: Some(item.operation), mark: None, result }])
        }
    }
}

/// Process: the next Poll has the answer.
pub(in crate::dispatch) async fn process(run: &mut Run<'_>, request: process::Request) -> Outcome<process::Response> {
    let correlation = request.asynchronous_correlation_value;
    run_now(run, &correlation).await?;
    let (group, place) = find(run, &correlation)?.ok_or_else(unknown)?;
    let item = group.stored.items.get_mut(place).ok_or_else(unknown)?;
    if item.is_asked {
        return Err(Failure::new(ResultReason::DuplicateProcessRequest, "the request was processed before"));
    }
    item.is_asked = true;
    group.is_changed = true;
    Ok(process::Response { asynchronous_correlation_value: correlation })
}

/// Cancel.
pub(in crate::dispatch) fn cancel(run: &mut Run<'_>, request: cancel::Request) -> Outcome<cancel::Response> {
    let correlation = request.asynchronous_correlation_value;
    let has_reason = ResultReason::InvalidAsynchronousCorrelationValue.known_in(run.version);
    let cancellation_result = match find(run, &correlation)? {
        Some((group, place)) => {
            let item = group.stored.items.get_mut(place).ok_or_else(unknown)?;
            match &item.stage {
                Stage::Completed(answers) if answers.iter().any(|answer| answer.result.is_err()) => {
                    CancellationResult::Failed
                }
                Stage::Completed(_) => CancellationResult::Completed,
                // If it is at work just now, its commit meets this one and gives way.
                _ => {
                    item.stage = Stage::Over;
                    group.is_changed = true;
                    CancellationResult::Canceled
                }
            }
        }
        // 1.x has no error for it, and so says it in the answer.
        None if !has_reason => CancellationResult::Unavailable,
        None => return Err(unknown()),
    };
    Ok(cancel::Response { asynchronous_correlation_value: correlation, cancellation_result })
}

/// Query Asynchronous Requests.
pub(in crate::dispatch) fn query(run: &mut Run<'_>, request: &query::Request) -> Outcome<query::Response> {
    let (vault, asker) = (&run.dispatcher.shared.vault, &*run.asker.identity);
    let mut sequences = Vec::new();
    vault.postings(&owner_hash(vault, asker), None, &mut |sequence| {
        sequences.push(sequence);
        ControlFlow::Continue(())
    })?;
    let mut requests = Vec::new();
    // The posting has the newest first.
    for sequence in sequences.into_iter().rev() {
        run.ledger.load(vault, sequence)?;
        let Some(group) = run.ledger.groups.get(&sequence).filter(|group| &*group.stored.owner == asker) else {
            continue;
        };
        for item in &group.stored.items {
            let processing_stage = match item.stage {
                Stage::Over => continue,
                Stage::Completed(_) => ProcessingStage::Completed,
                Stage::Submitted if run.dispatcher.running.has(sequence) => ProcessingStage::InProcess,
                Stage::Submitted => ProcessingStage::Submitted,
            };
            let values = request.asynchronous_correlation_values.as_ref();
            let operations = request.operations.as_ref();
            if values.is_some_and(|wanted| !wanted.values.iter().any(|value| value[..] == item.correlation))
                || operations.is_some_and(|wanted| !wanted.operations.contains(&item.operation))
            {
                continue;
            }
            requests.push(query::AsynchronousRequest {
                asynchronous_correlation_value: Blob::copy_of(&item.correlation),
                operation: item.operation,
                submission_date: DateTimeExtended(group.stored.submitted.saturating_mul(MICROSECONDS)),
                processing_stage,
            });
        }
    }
    Ok(query::Response { requests })
}

fn find<'r>(run: &'r mut Run<'_>, correlation: &Blob) -> Outcome<Option<(&'r mut Group, usize)>> {
    run.ledger.find(&run.dispatcher.shared.vault, &run.asker.identity, correlation)
}

/// Runs the message of an item if it waits still.
async fn run_now(run: &mut Run<'_>, correlation: &Blob) -> Outcome<()> {
    let (group, place) = find(run, correlation)?.ok_or_else(unknown)?;
    let waits = group.stored.items.get(place).is_some_and(|item| matches!(item.stage, Stage::Submitted));
    if !waits {
        return Ok(());
    }
    let group = group.clone();
    run.dispatcher.run_stored(&group, true).await?;
    // What this message did to it was written with it.
    run.ledger.groups.remove(&group.opened.stamp.seq);
    Ok(())
}

fn unknown() -> Failure {
    Failure::new(
        ResultReason::InvalidAsynchronousCorrelationValue,
        "no request of yours waits under this Asynchronous Correlation Value",
    )
}
