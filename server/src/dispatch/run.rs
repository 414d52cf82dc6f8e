//! One run of a message: its items in their order, each in its lane, until the answer is whole or an item's failure ends it.

use std::iter;

use kmip_codec::Element;
use kmip_codec::message::{RequestBatchItem, RequestMessage};
use kmip_codec::spec::{BatchErrorContinuationOption, Operation, ResultReason, Tag, Version};
use kmip_codec::ttlv::{Text, Writer};
use kmip_codec::wipe::Wiped;

use super::answer::{self, Extras, Failed, ItemAnswer, Success};
use super::asynchronous::{self, Ledger, When};
use super::references::References;
use super::{Asker, Dispatcher, lane, own, short};
use crate::failure::{Failure, Outcome};
use crate::ops::{self, Answered, Effect, Follow, OperationRow, Placeholder};
use crate::trust::attestation;
use crate::view::{Shared, View};

/// One run of a message.
pub(super) struct Run<'d> {
    pub(super) dispatcher: &'d Dispatcher,
    pub(super) asker: &'d Asker,
    pub(super) version: Version,
    pub(super) when: When,
    /// Away only while the slow lane has it.
    pub(super) view: Option<Box<View>>,
    pub(super) references: References,
    /// What it does to requests that are answered later.
    pub(super) ledger: Ledger,
}

impl Run<'_> {
    /// Runs its items in their order.
    pub(super) async fn items(&mut self, message: &RequestMessage) -> Vec<ItemAnswer> {
        let on_error = message.header.batch_error_continuation_option.unwrap_or(BatchErrorContinuationOption::Stop);
        let mut budget = Budget::new(message, &self.dispatcher.shared);
        let mut answers: Vec<ItemAnswer> = Vec::with_capacity(message.items.len());
        for (place, item) in message.items.iter().enumerate() {
            let follow = if place + 1 == message.items.len() { Follow::Nothing } else { Follow::Items };
            let before = answers.len();
            self.item((place, follow), item, &mut budget, &mut answers).await;
            let Some(failed) = answers.iter().skip(before).position(|answer| answer.result.is_err()) else { continue };
            if self.view.as_ref().is_some_and(|view| !view.has_wanted_intents())
                && on_error == BatchErrorContinuationOption::Continue
            {
                continue;
            }
            answers.truncate(before + failed + 1);
            if let Some(view) = self.view.as_mut().filter(|view| !view.has_wanted_intents())
                && on_error == BatchErrorContinuationOption::Undo
            {
                view.undo();
                self.ledger = Ledger::default();
                return answers.into_iter().map(ItemAnswer::undone).collect();
            }
            return answers;
        }
        answers
    }

    /// One item: one answer, or one for each object that its Unique Identifier means.
    async fn item(
        &mut self,
        (place, follow): (usize, Follow),
        item: &RequestBatchItem,
        budget: &mut Budget,
        answers: &mut Vec<ItemAnswer>,
    ) {
        let (operation, mark) = (Some(item.operation.0), item.unique_batch_item_id.clone());
        let answer = |result| ItemAnswer { item: place, operation, mark: mark.clone(), result };
        let failed = |failure| answer(Err(Failed::Failure(failure)));
        let row = match self.check(item) {
            Ok(row) => row,
            Err(failure) => return answers.push(failed(failure)),
        };
        // A step of a session is done at once: the next one goes on from it.
        let at_once = row.effect == Effect::Once || matches!(row.run, ops::Run::Dispatcher(_));
        match (self.when, at_once) {
            (When::Now, _) | (When::Later, true) => {}
            (When::AllLater, true) => return answers.push(failed(asynchronous::not_later(row.operation))),
            (When::Later | When::AllLater, false) => {
                let submitted = self.ledger.submit(item, &self.dispatcher.shared);
                let pending = submitted.map(Success::Pending).map_err(Failed::Failure);
                return answers.push(answer(pending));
            }
        }
        let (first, others) = match self.payloads(item) {
            Ok(payloads) => payloads,
            Err(failure) => return answers.push(failed(failure)),
        };
        for payload in iter::once(first).chain(others) {
            let before = matches!(row.run, ops::Run::Dispatcher(_)).then(|| self.ledger.clone());
            let (mut data, mut identifiers) = (None, Vec::new());
            let from = answers.len();
            match self.work(row, payload, follow).await {
                Ok(Done::Answered(answered)) => {
                    (data, identifiers) = (answered.data, answered.identifiers);
                    // What is ephemeral is for later items of the message alone (§9.12).
                    let is_ephemeral = item.ephemeral == Some(true);
                    let payload = if is_ephemeral { nothing(self.version) } else { answered.payload };
                    answers.push(answer(Ok(Success::Payload(payload))));
                }
                // An answer from before, with the mark of the item that asks for it.
                Ok(Done::Earlier(earlier)) => {
                    let own = |answer| ItemAnswer { item: place, mark: mark.clone(), ..answer };
                    answers.extend(earlier.into_iter().map(own));
                }
                Err(failure) => {
                    self.take_back(before);
                    return answers.push(failed(failure));
                }
            }
            if let Err(failure) = budget.spend(answers.iter().skip(from)) {
                self.take_back(before);
                answers.truncate(from);
                return answers.push(failed(failure));
            }
            if follow == Follow::Items {
                self.references.note_data(row.operation, data);
                self.refer(row, &identifiers);
            }
        }
    }

    /// What must hold before an operation runs.
    fn check(&self, item: &RequestBatchItem) -> Outcome<&'static OperationRow> {
        let (operation, version) = (item.operation.0, self.version);
        let offered = |row: &&OperationRow| row.is_offered(&self.dispatcher.shared.settings);
        let row = ops::row_of(operation, version).filter(offered).ok_or_else(|| {
            Failure::new(
                ResultReason::OperationNotSupported,
                format!("the operation {operation} is not supported in KMIP {version}"),
            )
        })?;
        self.check_attestation(operation)?;
        if let Some(extension) = item.message_extension.iter().find(|extension| extension.criticality_indicator) {
            return Err(Failure::new(
                ResultReason::UnknownMessageExtension,
                format!(
                    "the critical Message Extension of \"{}\" is not known",
                    short(&extension.vendor_identification)
                ),
            ));
        }
        Ok(row)
    }

    /// An operation that requires an attestation is not done without one (KMIP 2.1 §9.3). What was submitted to be done
    /// later was asked with it.
    fn check_attestation(&self, operation: Operation) -> Outcome<()> {
        match &self.asker.requester {
            Some(requester) => {
                let attestation = self.dispatcher.shared.settings.attestation.as_deref();
                attestation::permit(attestation, requester.attested, operation)
            }
            None => Ok(()),
        }
    }

    /// The payload, with what it refers to: one for each object that it is about, the first one apart.
    fn payloads(&self, item: &RequestBatchItem) -> Outcome<(Element, Vec<Element>)> {
        let payload = item
            .request_payload
            .clone()
            .ok_or_else(|| Failure::new(ResultReason::InvalidMessage, "the Request Payload is missing"))?;
        let placeholder = self.view.as_ref().and_then(|view| view.placeholder());
        if self.version.is_v2() { self.references.resolve(payload, placeholder) } else { Ok((payload, Vec::new())) }
    }

    /// Runs the handler where it belongs, and writes its answer.
    async fn work(&mut self, row: &'static OperationRow, payload: Element, follow: Follow) -> Outcome<Done> {
        let handler = match row.run {
            ops::Run::Handler(handler) => handler,
            ops::Run::Dispatcher(own) => {
                if let Some(view) = &mut self.view {
                    view.begin_item();
                    view.begin_operation(row.operation)?;
                }
                let done = Box::pin(own::run(self, own, payload)).await?;
                if let Some(view) = &mut self.view {
                    view.finish_operation()?;
                }
                return Ok(done);
            }
        };
        let mut view = self.view.take().ok_or_else(|| Failure::internal("a view was lost in slow work"))?;
        let slow = lane::of(row.lane, &mut view, &payload);
        let work = move || {
            view.begin_item();
            let outcome = view
                .begin_operation(row.operation)
                .and_then(|()| handler(&mut view, payload, follow))
                .and_then(|answered| view.finish_operation().map(|()| Done::Answered(answered)));
            (view, outcome)
        };
        let (view, outcome) = match slow {
            // In a place of its own, as all that seldom happens: what every request carries along is copied with it.
            Some(kind) => Box::pin(self.dispatcher.lane.run(kind, work)).await?,
            None => work(),
        };
        self.view = Some(view);
        outcome
    }

    fn take_back(&mut self, before: Option<Ledger>) {
        if let Some(view) = &mut self.view {
            view.fail_item();
        }
        if let Some(ledger) = before {
            self.ledger = ledger;
        }
    }

    fn refer(&mut self, row: &OperationRow, identifiers: &[Text]) {
        self.references.note(row.operation, identifiers);
        let Some(view) = &mut self.view else { return };
        match (row.placeholder, identifiers) {
            (Placeholder::Keep, _) => {}
            (Placeholder::First, [first, ..]) | (Placeholder::Only, [first]) => {
                view.set_placeholder(Some(first.clone()))
            }
            (Placeholder::First | Placeholder::Only, _) => view.clear_placeholder(),
        }
    }
}

/// A Response Payload without anything.
fn nothing(version: Version) -> Wiped {
    let mut writer = Writer::new(version);
    writer.structure(Tag::ResponsePayload, |_| {});
    Wiped::from(writer.finish())
}

/// What an operation gave.
pub(super) enum Done {
    /// Its own answer.
    Answered(Answered),
    /// The answers of another operation that was asked earlier.
    Earlier(Vec<ItemAnswer>),
}

/// How long the answer may be, in bytes.
struct Budget {
    maximum: usize,
    /// The response so far.
    length: usize,
}

impl Budget {
    fn new(message: &RequestMessage, shared: &Shared) -> Self {
        let asked = message.header.maximum_response_size.and_then(|size| usize::try_from(size).ok());
        let maximum = shared.settings.maximum_response.min(asked.unwrap_or(usize::MAX));
        let expected = Extras::expected(message, shared.settings.attestation.as_deref());
        Self { maximum, length: answer::length(message.version, expected) }
    }

    /// Takes room for what an item answers.
    ///
    /// # Errors
    /// Response Too Large; nothing is taken.
    fn spend<'a>(&mut self, answers: impl Iterator<Item = &'a ItemAnswer>) -> Outcome<()> {
        let longer = answers.fold(self.length, |sum, answer| sum.saturating_add(answer.length()));
        if longer > self.maximum {
            return Err(Failure::new(
                ResultReason::ResponseTooLarge,
                format!("the answer would have more than {} bytes", self.maximum),
            ));
        }
        self.length = longer;
        Ok(())
    }
}
