//! Requests that are answered later (KMIP 2.1 §9.1, §9.2, §11.3).
//!
//! The items of a message that may wait are stored sealed, bound to who asked, in the commit that answers Operation
//! Pending. They are run by the dispatcher's one path, together and in their order: when the client asks for it by
//! Process, when it polls in a version that has no Process, or after a set delay. What they change and what they answer
//! is one batch, which expects the stored request to be as it was: it is run once, whatever crashes or races.

mod due;
mod operations;
mod stored;

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use kmip_codec::message::{Asynchronous, RequestBatchItem, RequestMessage};
use kmip_codec::spec::{AsynchronousIndicator, Operation, ResultReason};
use kmip_codec::ttlv::Blob;

use super::answer::{Failed, ItemAnswer};
use crate::dispatch::Asker;
use crate::failure::{Failure, Outcome};
use crate::store::vault::{Belongs, Domain, Hash16, Later, Opened, Vault, VaultBatch};
use crate::view::Shared;
pub use due::run as run_due;
pub(super) use operations::{cancel, poll, process, query};
use stored::{CORRELATION, Correlation, Stage, Stored, StoredItem};

/// What the configuration says, as `[asynchronous]`.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Seconds after which a request is processed that nobody asked for.
    pub delay: u32,
    /// Seconds for which an answer is kept.
    pub keep: u32,
    /// Messages of one client that wait, at the most.
    pub per_client: usize,
    /// Whether requests wait whose client leaves it to the server.
    pub when_optional: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delay: 5, keep: 24 * 3600, per_client: 100, when_optional: false }
    }
}

/// When the items of a message are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// At once.
    Now,
    /// Later, those that can.
    Later,
    /// Later, all of them.
    AllLater,
}

impl When {
    /// What the Asynchronous Indicator and the configuration say.
    ///
    /// # Errors
    /// Server Limit Exceeded: too many requests of the client wait already.
    pub(super) fn of(message: &RequestMessage, settings: &Settings, shared: &Shared, asker: &str) -> Outcome<Self> {
        let Some(Asynchronous(indicator)) = message.header.asynchronous_indicator else { return Ok(Self::Now) };
        let is_full = || -> Outcome<bool> {
            let mut waiting = 0;
            shared.vault.postings(&owner_hash(&shared.vault, asker), None, &mut |_| {
                waiting += 1;
                if waiting < settings.per_client { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            Ok(waiting >= settings.per_client)
        };
        match indicator {
            AsynchronousIndicator::Mandatory if is_full()? => Err(Failure::new(
                ResultReason::ServerLimitExceeded,
                format!("{} requests of this client wait already", settings.per_client),
            )),
            AsynchronousIndicator::Mandatory => Ok(Self::AllLater),
            AsynchronousIndicator::Optional if settings.when_optional && !is_full()? => Ok(Self::Later),
            _ => Ok(Self::Now),
        }
    }
}

/// A stored message, and what a message does to it.
#[derive(Clone)]
pub(super) struct Group {
    opened: Arc<Opened>,
    stored: Stored,
    is_changed: bool,
}

impl Group {
    /// Opens the stored message of this number.
    fn load(vault: &Vault, sequence: u64) -> Outcome<Option<Self>> {
        let Some(opened) = vault.later(Later::Request, sequence)? else { return Ok(None) };
        let stored = Stored::read(&opened.plaintext)?;
        Ok(Some(Self { opened: Arc::new(opened), stored, is_changed: false }))
    }

    /// Whether the store has another one by now, or none.
    pub(super) fn is_outdated(&self, vault: &Vault) -> bool {
        let now = vault.later(Later::Request, self.opened.stamp.seq);
        !matches!(now, Ok(Some(now)) if now.stamp.revision == self.opened.stamp.revision)
    }

    /// The message as it is to be run: what was canceled is left out. The places are those of its items here.
    fn message(&self, limits: &kmip_codec::ttlv::Limits) -> Outcome<(RequestMessage, Vec<usize>)> {
        let frame = kmip_codec::ttlv::frame::protect(self.stored.request.to_vec());
        let mut message = RequestMessage::read(&frame, limits)
            .map_err(|unreadable| Failure::internal(format!("a stored request: {}", unreadable.error)))?;
        let waits =
            |place: &usize| self.stored.items.get(*place).is_some_and(|item| matches!(item.stage, Stage::Submitted));
        let places: Vec<usize> = (0..message.items.len()).filter(waits).collect();
        message.items = places.iter().filter_map(|&place| message.items.get(place).cloned()).collect();
        Ok((message, places))
    }

    /// Writes what came of the items, which expire from now on.
    pub(super) fn complete(
        &self,
        answers: &[ItemAnswer],
        places: &[usize],
        expires: i64,
        batch: &mut VaultBatch,
        vault: &Vault,
    ) -> Outcome<()> {
        let mut group = self.clone();
        for (number, &place) in places.iter().enumerate() {
            let mut own: Vec<ItemAnswer> = answers.iter().filter(|answer| answer.item == number).cloned().collect();
            let Some(item) = group.stored.items.get_mut(place) else { continue };
            if own.is_empty() {
                let failure = Failure::new(
                    ResultReason::GeneralFailure,
                    "an earlier item of the batch failed, and the batch asked to stop there",
                );
                let (operation, result) = (Some(item.operation), Err(Failed::Failure(failure)));
                own.push(ItemAnswer { item: number, operation, mark: None, result });
            }
            item.stage = Stage::Completed(own);
        }
        group.stored.wake = expires;
        group.is_changed = true;
        group.write(batch, vault)
    }

    /// Writes it, if it was changed: it goes when nobody waits for anything of it.
    fn write(&self, batch: &mut VaultBatch, vault: &Vault) -> Outcome<()> {
        if !self.is_changed {
            return Ok(());
        }
        if self.stored.is_over() {
            return self.delete(batch, vault);
        }
        let sequence = self.opened.stamp.seq;
        // The wake that the row in the store has; a stale one does no harm, and goes when it is met.
        let before = Stored::read(&self.opened.plaintext)?.wake;
        if before != self.stored.wake {
            batch.delete_wake(time(before), sequence);
            batch.put_wake(time(self.stored.wake), sequence);
        }
        let belongs = self.opened.stamp.belongs;
        Ok(batch.put_later(Later::Request, sequence, Some(&self.opened), belongs, &self.stored.write())?)
    }

    /// Removes it and all that leads to it.
    fn delete(&self, batch: &mut VaultBatch, vault: &Vault) -> Outcome<()> {
        let (owner, sequence) = (&self.stored.owner, self.opened.stamp.seq);
        batch.delete_later(Later::Request, &self.opened);
        batch.delete_wake(time(Stored::read(&self.opened.plaintext)?.wake), sequence);
        batch.delete_posting(&owner_hash(vault, owner), sequence);
        for item in &self.stored.items {
            batch.delete_unique(&item_hash(vault, owner, &item.correlation), sequence);
        }
        Ok(())
    }
}

/// What a message does to requests that are answered later. Nothing of it is in the store.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    submitted: Vec<(RequestBatchItem, Correlation)>,
    groups: HashMap<u64, Group>,
}

impl Ledger {
    /// Takes an item that is to be answered later. Answers what the client polls for.
    pub(super) fn submit(&mut self, item: &RequestBatchItem, shared: &Shared) -> Outcome<Blob> {
        let mut correlation = [0; CORRELATION];
        shared.providers.own_random().random(&mut correlation)?;
        self.submitted.push((item.clone(), correlation));
        Ok(Blob::copy_of(&correlation))
    }

    /// Writes everything.
    pub(super) fn write(
        &self,
        message: &RequestMessage,
        asker: &Asker,
        now: i64,
        settings: &Settings,
        batch: &mut VaultBatch,
        vault: &Vault,
    ) -> Outcome<()> {
        self.groups.values().try_for_each(|group| group.write(batch, vault))?;
        let grant = asker.requester.as_ref().and_then(|requester| requester.grant.as_ref());
        if self.submitted.is_empty() {
            return Ok(());
        }
        let mut request = RequestMessage {
            version: message.version,
            header: message.header.clone(),
            items: self.submitted.iter().map(|(item, _)| item.clone()).collect(),
        };
        // Who asks was settled when it was asked; and each Poll has a Maximum Response Size of its own.
        request.header.authentication = None;
        request.header.maximum_response_size = None;
        request.header.asynchronous_indicator = None;
        request.header.batch_count = i32::try_from(request.items.len()).unwrap_or(i32::MAX);
        let item = |(item, correlation): &(RequestBatchItem, Correlation)| StoredItem {
            correlation: *correlation,
            operation: item.operation.0,
            is_asked: false,
            stage: Stage::Submitted,
        };
        let stored = Stored {
            owner: Arc::clone(&asker.identity),
            ticket: grant.map(|grant| grant.name().into()),
            certificates: asker.shown.certificates().to_vec(),
            version: message.version,
            submitted: now,
            wake: now.saturating_add(settings.delay.into()),
            request: Blob::new(request.write()),
            items: self.submitted.iter().map(item).collect(),
        };
        let asker = &asker.identity;
        let sequence = vault.next_seq();
        let owner = vault.hash(Domain::Owner, &[asker.as_bytes()]);
        let belongs = Belongs { owner, identifier: Hash16([0; 16]) };
        batch.put_later(Later::Request, sequence, None, belongs, &stored.write())?;
        batch.put_wake(time(stored.wake), sequence);
        batch.put_posting(&owner_hash(vault, asker), sequence);
        for item in &stored.items {
            batch.put_unique(&item_hash(vault, asker, &item.correlation), sequence)?;
        }
        Ok(())
    }

    /// The stored message of an item of the asker, and the item's place in it.
    fn find(&mut self, vault: &Vault, asker: &str, correlation: &Blob) -> Outcome<Option<(&mut Group, usize)>> {
        let Ok(correlation) = Correlation::try_from(&correlation[..]) else { return Ok(None) };
        let Some((sequence, _)) = vault.lookup_unique(&item_hash(vault, asker, &correlation))? else {
            return Ok(None);
        };
        self.load(vault, sequence)?;
        let Some(group) = self.groups.get_mut(&sequence).filter(|group| &*group.stored.owner == asker) else {
            return Ok(None);
        };
        let place = group
            .stored
            .items
            .iter()
            .position(|item| item.correlation == correlation && !matches!(item.stage, Stage::Over));
        Ok(place.map(|place| (group, place)))
    }

    fn load(&mut self, vault: &Vault, sequence: u64) -> Outcome<()> {
        if !self.groups.contains_key(&sequence)
            && let Some(group) = Group::load(vault, sequence)?
        {
            self.groups.insert(sequence, group);
        }
        Ok(())
    }
}

/// The stored messages that are being run, for who asks how far they are.
#[derive(Debug, Default)]
pub(super) struct Running(Mutex<HashSet<u64>>);

impl Running {
    fn enter(&self, sequence: u64) -> AtWork<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(sequence);
        AtWork { running: self, sequence }
    }

    fn has(&self, sequence: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&sequence)
    }
}

struct AtWork<'r> {
    running: &'r Running,
    sequence: u64,
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sequence);
    }
}

/// Why an item cannot be answered later.
pub(super) fn not_later(operation: Operation) -> Failure {
    Failure::unsupported(format!("{operation} is answered at once, and the Asynchronous Indicator is Mandatory"))
}

/// All that wait for one requester.
fn owner_hash(vault: &Vault, owner: &str) -> Hash16 {
    vault.hash(Domain::Later, &[owner.as_bytes()])
}

/// One item of one requester.
fn item_hash(vault: &Vault, owner: &str, correlation: &Correlation) -> Hash16 {
    vault.hash(Domain::Later, &[owner.as_bytes(), correlation])
}

fn time(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0)
}
