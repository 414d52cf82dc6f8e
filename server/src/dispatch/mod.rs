//! One path for every request: version, header, items, commit, answer (KMIP 2.1 §8).
//!
//! Handlers decide and the dispatcher commits: once for each message, checked against everything that the message has
//! read. No answer leaves before the commit is on disk. A conflict runs the message again; what it generated is kept.

mod answer;
pub mod asynchronous;
mod authenticate;
mod lane;
mod outgoing;
mod own;
mod references;
mod run;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use kmip_codec::message::{Asynchronous, RequestBatchItem, RequestMessage, Unreadable};
use kmip_codec::schema::DateTime;
use kmip_codec::spec::{AsynchronousIndicator, EndpointRole, Operation, ResultReason, Tag, Version};
use kmip_codec::ttlv::Limits;
use kmip_codec::types::ProtocolVersion;
use kmip_codec::{ErrorKind, Value};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::crypto::{self, Guarded};
use crate::failure::{Failure, Outcome};
use crate::ops::interop::is_reset;
use crate::store::CommitError;
use crate::store::vault::{LASTING, Vault};
use crate::trust::link::Admits;
use crate::trust::requester::{Requester, Shown};
use crate::view::{Commit, Kept, Shared, Slow, Turned, View};
use answer::{Extras, Failed, ItemAnswer, Success};
use asynchronous::{Group, Ledger, Running, When};
use authenticate::Correlation;
pub use lane::Lane;
pub use outgoing::{Interview, Ready};
use references::References;
use run::Run;

/// How often a message runs beside others before it runs alone.
const ATTEMPTS: usize = 3;

/// From where somebody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On a connection from this address.
    Address(SocketAddr),
    /// Nowhere: it was asked before.
    Earlier,
    /// The listener has logged it.
    Unknown,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Earlier => f.write_str("answered later"),
            Self::Unknown => Ok(()),
        }
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Asker {
    /// The identity.
    pub identity: Arc<str>,
    /// From where, for the log.
    pub place: Place,
    /// The certificates that it came with.
    pub shown: Shown,
    /// Whether the server could ask on its connection.
    pub is_askable: bool,
    /// What the request's credentials have shown, once they were looked at.
    pub requester: Option<Requester>,
}

impl Asker {
    /// Who asked what cannot be read; the listener has logged from where it came.
    pub fn nobody() -> Self {
        let place = Place::Unknown;
        Self { identity: "".into(), place, shown: Shown::Nothing, is_askable: false, requester: None }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The response message.
    pub bytes: Vec<u8>,
    /// Whether the connection should end: where the next message begins is not certain.
    pub close: bool,
    /// What the server asks on this connection before it is asked again: the client has given it the role.
    pub interview: Option<Interview>,
}

/// Answers requests.
pub struct Dispatcher {
    shared: Arc<Shared>,
    limits: Limits,
    /// The most items of a message.
    items: usize,
    lane: Lane,
    asynchronous: asynchronous::Settings,
    running: Running,
    /// Messages that commit share it; one that has met too many conflicts has it for itself, from its first look on.
    turn: RwLock<()>,
    /// Marks each exchange for the logs of both sides.
    correlation: Correlation,
    /// Says whether those who got tickets would be let in still.
    issuers: Option<Arc<dyn Admits>>,
}

impl Dispatcher {
    /// A dispatcher over what all messages share.
    pub fn new(shared: Arc<Shared>, limits: Limits, items: usize, lane: Lane) -> Self {
        let (asynchronous, running) = (asynchronous::Settings::default(), Running::default());
        let (turn, correlation) = (RwLock::new(()), Correlation::default());
        Self { shared, limits, items, lane, asynchronous, running, turn, correlation, issuers: None }
    }

    /// With somebody who says whether those who got tickets would be let in still. Without, tickets live by themselves.
    #[must_use]
    pub fn with_issuers(mut self, issuers: Arc<dyn Admits>) -> Self {
        self.issuers = Some(issuers);
        self
    }

    /// With what the configuration says of requests that are answered later.
    #[must_use]
    pub fn with_asynchronous(mut self, settings: asynchronous::Settings) -> Self {
        self.asynchronous = settings;
        self
    }

    /// What all messages share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Answers a request.
    pub async fn answer(&self, asker: &Asker, frame: &Bytes) -> Answer {
        let message = match RequestMessage::read(frame, &self.limits) {
            Ok(message) => message,
            Err(unreadable) => return self.unreadable(asker, &unreadable),
        };
        let version = message.version;
        let now = self.shared.clock.now();
        let mut extras = Extras { server_correlation_value: Some(self.correlation.next()), ..Extras::default() };
        if let Err(failure) = self.check_header(&message, now) {
            log_failure(asker, Some(&message), None, &failure);
            return Answer { bytes: answer::refusal(version, now, extras, failure), close: false, interview: None };
        }
        if let Err(failure) = self.check_link(asker, &message) {
            log_failure(asker, Some(&message), None, &failure);
            let bytes = answer::message(version, now, extras, &failed(&message, failure));
            return Answer { bytes, close: true, interview: None };
        }
        let certificate = asker;
        let asker = match self.authenticate(certificate, &message, now).await {
            Ok((asker, proof)) => {
                extras.server_hashed_password = proof;
                asker
            }
            Err(failure) => {
                log_failure(certificate, Some(&message), None, &failure);
                let items = failed(&message, failure);
                extras.invitation = self.invite(certificate, &message, now, &items);
                let bytes = answer::message(version, now, extras, &items);
                return Answer { bytes, close: false, interview: None };
            }
        };
        let when = match resets(&message) {
            true => Ok(When::Now),
            false => When::of(&message, &self.asynchronous, &self.shared, &asker.identity),
        };
        let items = match when {
            Ok(when) => self.until_committed(&asker, &message, Task::Answer { when, asked: now }).await,
            Err(failure) => Err(failure),
        };
        let items = items.unwrap_or_else(|failure| failed(&message, failure));
        log_failures(&asker, &message, &items);
        extras.invitation = self.invite(certificate, &message, now, &items);
        let interview = given_role(&message, &items).then(|| Interview::new(version, asker.identity.to_string()));
        Answer { bytes: answer::message(version, now, extras, &items), close: false, interview }
    }

    /// The answer to what cannot be read: in the version that the message says it has, as far as that is ours.
    pub fn unreadable(&self, asker: &Asker, unreadable: &Unreadable) -> Answer {
        let failure = Failure { reason: ResultReason::InvalidMessage, ..Failure::from(unreadable.error.clone()) };
        let bytes = self.refuse(asker, unreadable.version, failure);
        // The frame was whole: the next message begins behind it. Bytes that are no elements are another matter.
        let close = !matches!(
            unreadable.error.kind,
            ErrorKind::InvalidValue(_)
                | ErrorKind::Missing(_)
                | ErrorKind::Unexpected(_)
                | ErrorKind::Repeated(_)
                | ErrorKind::NotInVersion { .. }
                | ErrorKind::UnknownEnumeration { .. }
                | ErrorKind::WrongType { .. }
        );
        Answer { bytes, close, interview: None }
    }

    /// Refuses a message as a whole, in the version that it says it has as far as that is ours: a message of another version
    /// is refused for that.
    pub fn refuse(&self, asker: &Asker, said: Option<ProtocolVersion>, failure: Failure) -> Vec<u8> {
        let supported = said.and_then(|said| Version::supported(said.major, said.minor));
        let failure = match (said, supported) {
            (Some(said), None) => Failure::new(
                ResultReason::UnsupportedProtocolVersion,
                format!("KMIP {}.{} is not spoken here", said.major, said.minor),
            ),
            _ => failure,
        };
        log_failure(asker, None, None, &failure);
        let extras = Extras { server_correlation_value: Some(self.correlation.next()), ..Extras::default() };
        answer::refusal(supported.unwrap_or_else(|| nearest(said)), self.shared.clock.now(), extras, failure)
    }

    fn check_header(&self, message: &RequestMessage, now: i64) -> Outcome<()> {
        let header = &message.header;
        let settings = &self.shared.settings;
        if message.items.is_empty() {
            return Err(Failure::new(ResultReason::InvalidMessage, "a request has at least one Batch Item"));
        }
        if message.items.len() > self.items {
            return Err(Failure::new(
                ResultReason::ServerLimitExceeded,
                format!("a request has at most {} Batch Items here", self.items),
            ));
        }
        if header.maximum_response_size.is_some_and(|size| size < 0) {
            return Err(Failure::invalid_field("Maximum Response Size is negative"));
        }
        if let (Some(DateTime(said)), Some(skew)) = (header.time_stamp, settings.clock_skew)
            && said.abs_diff(now) > u64::from(skew)
        {
            return Err(Failure::invalid_field(format!(
                "the Time Stamp is more than {skew} seconds from this server's time"
            )));
        }
        if resets(message) && message.items.len() > 1 {
            return Err(Failure::new(ResultReason::InvalidMessage, "Reset stands alone in its message"));
        }
        let mandatory = |indicator: Asynchronous| indicator.0 == AsynchronousIndicator::Mandatory;
        if resets(message) && header.asynchronous_indicator.is_some_and(mandatory) {
            return Err(Failure::unsupported("Reset is done at once, and never later"));
        }
        if message.items.len() > 1 && message.items.iter().any(|item| item.unique_batch_item_id.is_none()) {
            return Err(Failure::new(
                ResultReason::InvalidMessage,
                "with several Batch Items each needs a Unique Batch Item ID",
            ));
        }
        Ok(())
    }

    /// Runs the message until its commit stands.
    ///
    /// # Errors
    /// What fails it as a whole.
    async fn until_committed(
        &self,
        asker: &Asker,
        message: &RequestMessage,
        task: Task<'_>,
    ) -> Outcome<Vec<ItemAnswer>> {
        let mut kept = Kept::default();
        // Whoever empties the store has it for itself: nothing that ran beside it writes into the new one.
        let mut attempt = if resets(message) { ATTEMPTS } else { 0 };
        loop {
            let turn = match task {
                Task::Stored { has_turn: true, .. } => Turn::Had,
                _ if attempt >= ATTEMPTS => Turn::Alone(self.turn.write().await),
                // What runs beside a message that empties the store must not write into the empty one.
                _ if self.shared.settings.interop => Turn::Shared(self.turn.read().await),
                _ => Turn::ToCome,
            };
            let nobody = || Requester::new(Arc::clone(&asker.identity));
            let (requester, mut admitted) = match asker.requester.as_ref().map(|requester| self.again(requester)) {
                Some(Ok(requester)) => (requester, Ok(())),
                Some(Err(failure)) => (nobody(), Err(failure)),
                None => (nobody(), Ok(())),
            };
            let now = match task {
                Task::Answer { asked, .. } if attempt == 0 => asked,
                _ => self.shared.clock.now(),
            };
            let mut view = Box::new(View::of(Arc::clone(&self.shared), requester, message.version, kept, now));
            if !is_excepted(&self.shared, message) {
                // It was good when the message arrived. Another message may have replaced it since: the commit sees it, and
                // the next run looks.
                if attempt > 0 {
                    admitted = admitted.and_then(|()| view.check_link());
                }
                if admitted.is_ok() {
                    view.rely_on_link();
                }
            }
            let mut run = Run {
                dispatcher: self,
                asker,
                version: message.version,
                when: task.when(),
                view: Some(view),
                references: References::default(),
                ledger: Ledger::default(),
            };
            let outcome = match admitted {
                Ok(()) => run.items(message).await,
                Err(failure) => failed(message, failure),
            };
            let Run { view, ledger, .. } = run;
            let mut view = view.ok_or_else(|| Failure::internal("a view was lost in slow work"))?;
            let wanted = view.wanted_intents(message.items.len())?;
            if !wanted.is_empty() {
                Box::pin(self.commit_intents(&wanted)).await?;
                kept = view.into_kept();
                continue;
            }
            let mut commit = view.commit()?;
            let (now, vault) = (view.now(), &self.shared.vault);
            ledger.write(message, asker, now, &self.asynchronous, &mut commit.batch, vault)?;
            if let Task::Stored { group, places, .. } = task {
                let expires = now.saturating_add(self.asynchronous.keep.into());
                group.complete(&outcome, places, expires, &mut commit.batch, vault)?;
            }
            // A message alone meets no conflict if nobody else commits. Others may run meanwhile, for as long as it takes them
            // to make a key: they wait here, and nobody waits for them.
            let _turn = match turn {
                Turn::ToCome if !commit.batch.is_comparison() => Turn::Shared(self.turn.read().await),
                turn => turn,
            };
            match self.commit(commit).await {
                Ok(()) if view.is_emptied() => {
                    Box::pin(self.empty_rest()).await?;
                    // What was begun with objects of before is not gone on with.
                    self.shared.parts.clear();
                    self.shared.instances.clear();
                    return Ok(outcome);
                }
                Ok(()) => {
                    log_notes(asker, message, view.notes());
                    if let Some((before, after)) = view.followed() {
                        let (identity, address) = (&*asker.identity, &asker.place);
                        tracing::info!(identity, %address, %before, %after, "the client's certificate is replaced");
                    }
                    view.settle();
                    return Ok(outcome);
                }
                Err(CommitError::Conflict) if task.is_outdated(vault) => {
                    // Somebody else was faster, and has its answers; what was made here for it goes.
                    let view = View::new(
                        Arc::clone(&self.shared),
                        Arc::clone(&asker.identity),
                        message.version,
                        view.into_kept(),
                    );
                    Box::pin(self.commit(view.commit()?)).await?;
                    return Ok(Vec::new());
                }
                Err(CommitError::Conflict | CommitError::Refused(_)) if attempt <= task.attempts() => {
                    attempt += 1;
                    kept = view.into_kept();
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn commit(&self, commit: Commit) -> Result<(), CommitError> {
        let stopped = |_| CommitError::Broken("its writer has ended".into());
        match self.shared.vault.compare(&commit.batch) {
            Some(known) => known?,
            None => self.shared.vault.commit(commit.batch).await.map_err(stopped)??,
        }
        self.release(&commit.turned);
        if !commit.destroyed.is_empty() {
            Box::pin(self.forget(commit.destroyed)).await;
        }
        Ok(())
    }

    async fn commit_intents(&self, identities: &[[u8; 16]]) -> Outcome<()> {
        let mut batch = self.shared.vault.batch();
        for identity in identities {
            batch.put_intent(identity)?;
        }
        Ok(self.commit(Commit::of(batch)).await?)
    }

    /// Takes away what the sweeper has written while the store was emptied. It works on objects that were there: one that is
    /// gone is a conflict to it, so that this comes to an end.
    async fn empty_rest(&self) -> Outcome<()> {
        loop {
            let mut batch = self.shared.vault.batch();
            if batch.delete_all_but(&LASTING)? == 0 {
                return Ok(());
            }
            self.commit(Commit::of(batch)).await?;
        }
    }

    /// Lets go of what the module has ready for keys that have changed. From here on nobody finds it; that it also goes in the
    /// module is not waited for.
    fn release(&self, turned: &[Turned]) {
        let released = release(&self.shared, turned);
        if !released.is_empty() {
            let lane = self.lane.clone();
            tokio::spawn(async move { lane.run(Slow::Module, move || drop(released)).await });
        }
    }

    /// Drops the handles and token objects of destroyed keys. The commit stands already: what cannot be reached now keeps
    /// its intent, and the sweeper tries again.
    async fn forget(&self, destroyed: Vec<Guarded>) {
        let shared = Arc::clone(&self.shared);
        let forgotten = self.lane.run(Slow::Module, move || {
            let (forgotten, left): (Vec<_>, Vec<_>) =
                destroyed.into_iter().partition(|guarded| forget(&shared, guarded));
            let on_token = |guarded: &Guarded| (guarded.place == crypto::Place::Token).then_some(guarded.id);
            left.iter().filter_map(on_token).for_each(|id| shared.providers.note_remaining(id));
            forgotten.iter().filter_map(on_token).collect::<Vec<_>>()
        });
        let Ok(identities) = forgotten.await else { return };
        if identities.is_empty() {
            return;
        }
        let mut batch = self.shared.vault.batch();
        identities.iter().for_each(|identity| batch.delete_intent(identity));
        if let Ok(Err(error)) = self.shared.vault.commit(batch).await {
            tracing::warn!(%error, "the intent of a destroyed token key stays until the next start");
        }
    }
}

/// Lets go of the handles of keys. What is answered is to be dropped where a thread may wait for the module.
pub fn release(shared: &Shared, turned: &[Turned]) -> Vec<Box<dyn Send>> {
    let Some(module) = shared.providers.module() else { return Vec::new() };
    turned.iter().filter_map(|turned| module.release(&turned.guarded, turned.ends_work)).collect()
}

/// Destroys a key in the module. Answers whether it is gone.
pub fn forget(shared: &Shared, guarded: &Guarded) -> bool {
    let Some(module) = shared.providers.module() else { return false };
    match module.destroy(guarded) {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(key = ?guarded, %error, "a destroyed key is still in the module");
            false
        }
    }
}

/// Whose turn it is while a message runs.
#[expect(dead_code, reason = "the guards are held, not looked at")]
enum Turn<'d> {
    /// That of the message within which it runs.
    Had,
    /// Its own alone.
    Alone(RwLockWriteGuard<'d, ()>),
    /// One of many.
    Shared(RwLockReadGuard<'d, ()>),
    /// Nobody's: it runs without, and commits in its turn.
    ToCome,
}

/// What a message is run for.
#[derive(Clone, Copy)]
enum Task<'a> {
    /// To be answered.
    Answer {
        /// Now or later.
        when: When,
        /// The time at which it arrived.
        asked: i64,
    },
    /// To write down its answers: it was stored to be answered later. The places are those of its items there.
    Stored {
        group: &'a Group,
        places: &'a [usize],
        /// Whether it runs within another message, which has the turn.
        has_turn: bool,
    },
}

impl Task<'_> {
    const fn when(self) -> When {
        match self {
            Self::Answer { when, .. } => when,
            Self::Stored { .. } => When::Now,
        }
    }

    /// How often a conflict lets it run again. Within another message it never runs alone, and may need more.
    const fn attempts(self) -> usize {
        match self {
            Self::Stored { has_turn: true, .. } => 10 * ATTEMPTS,
            _ => ATTEMPTS,
        }
    }

    /// Whether there is nothing to do any more.
    fn is_outdated(self, vault: &Vault) -> bool {
        matches!(self, Self::Stored { group, .. } if group.is_outdated(vault))
    }
}

/// Whether a message is done whatever became of its client's certificate: one that empties a store that is there for that,
/// and all that was replaced is as it was before.
fn is_excepted(shared: &Shared, message: &RequestMessage) -> bool {
    shared.settings.interop && resets(message)
}

/// Whether a message asks for the store to be emptied.
fn resets(message: &RequestMessage) -> bool {
    message.items.iter().any(|item| is_reset(item.operation.0, item.request_payload.as_ref()))
}

/// Every item fails, because the message as a whole did.
fn failed(message: &RequestMessage, failure: Failure) -> Vec<ItemAnswer> {
    let answer = |(place, item): (usize, &RequestBatchItem)| ItemAnswer {
        item: place,
        operation: Some(item.operation.0),
        mark: item.unique_batch_item_id.clone(),
        result: Err(Failed::Failure(failure.clone())),
    };
    message.items.iter().enumerate().map(answer).collect()
}

/// Whether the client has made the server the one that asks.
fn given_role(message: &RequestMessage, items: &[ItemAnswer]) -> bool {
    let last = items.iter().rev().find(|answer| {
        answer.operation == Some(Operation::SetEndpointRole) && matches!(answer.result, Ok(Success::Payload(_)))
    });
    let payload = last.and_then(|answer| message.items.get(answer.item)?.request_payload.as_ref());
    let role = payload.and_then(|payload| payload.value.find(Tag::EndpointRole));
    matches!(role, Some(&Value::Enumeration(code)) if EndpointRole::from(code) == EndpointRole::Client)
}

/// The version of ours that a peer of another version understands best.
fn nearest(said: Option<ProtocolVersion>) -> Version {
    match said {
        Some(said) if said.major >= 2 => Version::V2_1,
        Some(said) if said.major == 1 => Version::V1_4,
        _ => Version::V1_0,
    }
}

fn log_failures(asker: &Asker, message: &RequestMessage, items: &[ItemAnswer]) {
    for item in items {
        if let Err(Failed::Failure(failure)) = &item.result {
            log_failure(asker, Some(message), item.operation, failure);
        }
    }
}

/// What clients wanted to stand in the log, one line each.
fn log_notes(asker: &Asker, message: &RequestMessage, notes: &[String]) {
    if notes.is_empty() {
        return;
    }
    let (identity, address) = (&*asker.identity, &asker.place);
    let correlation = message.header.client_correlation_value.as_ref().map(|text| short(text));
    for note in notes {
        tracing::info!(target: "kmipd::client", identity, %address, correlation, "logged by a client: {note}");
    }
}

fn log_failure(asker: &Asker, message: Option<&RequestMessage>, operation: Option<Operation>, failure: &Failure) {
    let operation = operation.map_or_else(|| "message".to_owned(), |operation| operation.to_string());
    let (identity, address, reason) = (&*asker.identity, &asker.place, failure.reason);
    // What the client sends for this purpose (KMIP 2.1 §9.9).
    let correlation = message.and_then(|message| message.header.client_correlation_value.as_ref());
    let correlation = correlation.map(|text| short(text));
    let correlation = correlation.as_deref();
    match &failure.log {
        Some(log) => {
            tracing::error!(%identity, %address, %operation, %reason, correlation, detail = %log, "request failed: {}", failure.message);
        }
        None => {
            tracing::info!(%identity, %address, %operation, %reason, correlation, "request refused: {}", failure.message);
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}
