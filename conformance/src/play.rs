//! A case against a peer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kmip_codec::spec::{InteropFunction, Operation, ResultStatus, Tag};
use kmip_codec::ttlv::{Element, Value};

use crate::case::{Case, Step, Way, operation, wants_role};
use crate::compare::Course;
use crate::node::{Content, Node};
use crate::subject::Facts;

/// The longest time that a case may let pass, in seconds.
const LONGEST_WAIT: i64 = 180;

/// How long a step that is to be repeated is repeated where the case does not say until when, in seconds.
const REPEATED: i64 = 30;

/// Somebody who answers requests.
pub trait Peer {
    /// Sends a request as that client, counted from 0, and answers what comes back.
    ///
    /// # Errors
    /// What went wrong on the way, for people.
    fn ask(&mut self, client: usize, request: &Element) -> Result<Element, String>;

    /// How many clients it can be asked as.
    fn clients(&self) -> usize;

    /// Why no request of the peer can be received, if so. `same` if it is one on the connection of a client, after Set
    /// Endpoint Role.
    fn deaf(&self, same: bool) -> Option<String>;

    /// Waits for a request of the peer to that client.
    ///
    /// # Errors
    /// What went wrong on the way, for people.
    fn hear(&mut self, client: usize, same: bool) -> Result<Element, String>;

    /// Answers the request that was heard last.
    ///
    /// # Errors
    /// What went wrong on the way, for people.
    fn reply(&mut self, client: usize, same: bool, answer: &Element) -> Result<(), String>;

    /// Seconds since the epoch, and nanoseconds of the current one.
    fn time(&self) -> (i64, u32) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (i64::try_from(now.as_secs()).unwrap_or_default(), now.subsec_nanos())
    }

    /// Lets a second pass.
    fn pause(&mut self) {
        std::thread::sleep(Duration::from_secs(1));
    }
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every answer agreed.
    Passed,
    /// The first thing that did not.
    Failed(String),
    /// It was not played.
    Skipped(String),
}

/// Plays a case to its first difference. The rest is then sent nevertheless, so far as it can be, so that nothing of the
/// case stays on the server. `facts` is what earlier cases on the same server told of the objects there. Where a case lets
/// time pass, the player waits if `waits`.
pub fn play(case: &Case, peer: &mut dyn Peer, facts: &mut Facts, waits: bool) -> Verdict {
    let needed = case.steps.iter().map(|step| step.client + 1).max().unwrap_or_default();
    if needed > peer.clients() {
        return Verdict::Skipped(format!("needs {needed} clients"));
    }
    let heard =
        case.steps.iter().filter(|step| step.way == Way::ToClient || step.request.all(Tag::BatchItem).any(wants_role));
    if let Some(why) = heard.filter_map(|step| peer.deaf(!pushed(step))).next() {
        return Verdict::Skipped(why);
    }
    if case.steps.first().is_some_and(|step| step.way == Way::ToClient) {
        return Verdict::Skipped("the server begins, and nothing in the case is an occasion for it".to_owned());
    }
    let (start, salt) = peer.time();
    let mut course = Course::new(case.version, start, u64::from(salt));
    facts.forget_dates();
    course.facts = std::mem::take(facts);
    let mut failure = None;
    // The next date that the case has set, in seconds from its start.
    let mut dates = Vec::new();
    for (i, step) in case.steps.iter().enumerate() {
        if !looks(step) {
            future(&step.request, &mut dates);
        }
        let before = course.clone();
        let mut outcome = take(step, &mut course, peer);
        let end = start + until(step, &dates, peer.time().0 - start);
        while outcome.is_err() && failure.is_none() && waits && peer.time().0 <= end {
            peer.pause();
            course = before.clone();
            outcome = take(step, &mut course, peer);
        }
        if let Err(text) = outcome {
            failure.get_or_insert_with(|| format!("step {}: {text}", i + 1));
        }
    }
    *facts = course.facts;
    failure.map_or(Verdict::Passed, Verdict::Failed)
}

/// Asks the server to forget what earlier cases left (Interop with the function Reset, KMIP 2.1 §6.1.26).
///
/// # Errors
/// A server that does not.
pub fn reset(peer: &mut dyn Peer, case: &str) -> Result<(), String> {
    let element = Element::new;
    let structure = |tag, inner| Element::new(tag, Value::Structure(inner));
    let version = vec![
        element(Tag::ProtocolVersionMajor, Value::Integer(2)),
        element(Tag::ProtocolVersionMinor, Value::Integer(1)),
    ];
    let header = vec![structure(Tag::ProtocolVersion, version), element(Tag::BatchCount, Value::Integer(1))];
    let payload = vec![
        element(Tag::InteropFunction, Value::Enumeration(InteropFunction::Reset.into())),
        element(Tag::InteropIdentifier, Value::TextString(case.into())),
    ];
    let item = vec![
        element(Tag::Operation, Value::Enumeration(Operation::Interop.into())),
        structure(Tag::RequestPayload, payload),
    ];
    let message = vec![structure(Tag::RequestHeader, header), structure(Tag::BatchItem, item)];
    let answer = peer.ask(0, &structure(Tag::RequestMessage, message))?;
    let status = answer.value.find(Tag::BatchItem).and_then(|item| item.find(Tag::ResultStatus));
    match status {
        Some(Value::Enumeration(code)) if *code == u32::from(ResultStatus::Success) => Ok(()),
        _ => Err(format!("the server does not reset itself{}", said(&answer))),
    }
}

/// One step: says it, hears what comes, compares.
fn take(step: &Step, course: &mut Course, peer: &mut dyn Peer) -> Result<(), String> {
    let unbound = |error: crate::node::NodeError| error.to_string();
    if step.way == Way::ToServer {
        let request = step.request.fill(&mut course.bindings).map_err(unbound)?;
        let got = peer.ask(step.client, &request)?;
        let compared = course.step(step, Some(&request), &got);
        return compared.map_err(|difference| format!("{difference}{}", said(&got)));
    }
    let got = peer.hear(step.client, !pushed(step))?;
    let compared = course.step(step, None, &got).map_err(|difference| difference.to_string());
    let mut answer = step.expected.fill(&mut course.bindings).map_err(unbound)?;
    settle(&mut answer, None, peer.time().0);
    let replied = peer.reply(step.client, !pushed(step), &answer);
    compared.and(replied)
}

/// Whether the request is one that servers send by themselves, to an address that they are told beforehand (KMIP 2.1
/// §6.2.2, §6.2.3); the others come on the client's connection.
fn pushed(step: &Step) -> bool {
    let known = [Some(Operation::Put), Some(Operation::Notify)];
    step.request.all(Tag::BatchItem).any(|item| known.contains(&operation(item)))
}

/// Gives an answer the time, and the client's own value back.
pub(crate) fn settle(answer: &mut Element, request: Option<&Element>, now: i64) {
    let header = request.and_then(|request| request.value.find(Tag::RequestHeader));
    let sent = header.and_then(|header| header.find(Tag::ClientCorrelationValue)).cloned();
    let Value::Structure(parts) = &mut answer.value else { return };
    let header = parts.iter_mut().find(|part| part.tag == Tag::ResponseHeader);
    let Some(Value::Structure(items)) = header.map(|header| &mut header.value) else { return };
    for item in items {
        match (&mut item.value, &sent) {
            (Value::DateTime(time), _) if item.tag == Tag::TimeStamp => *time = now,
            (value, Some(sent)) if item.tag == Tag::ClientCorrelationValue => *value = sent.clone(),
            _ => {}
        }
    }
}

/// The dates to come that a request gives, in seconds from the start.
fn future(request: &Node, dates: &mut Vec<i64>) {
    match request.content {
        Content::Now(offset, _) if (1..=LONGEST_WAIT).contains(&offset) => dates.push(offset),
        _ => request.inner().iter().for_each(|inner| future(inner, dates)),
    }
}

/// Until when a step that did not agree may still come right, in seconds from the start: a date that the case set is about
/// to come, and the step only looks; or the case has it repeated. `passed` is the time that has gone by.
fn until(step: &Step, dates: &[i64], passed: i64) -> i64 {
    // The server may be a second behind.
    let next = dates.iter().map(|date| date + 2).filter(|date| *date > passed).max();
    match next {
        Some(next) if step.repeat || looks(step) => next,
        _ if step.repeat => passed + REPEATED,
        _ => -1,
    }
}

/// Whether the step asks for what is there, and changes nothing.
fn looks(step: &Step) -> bool {
    let only = [Operation::Get, Operation::GetAttributes, Operation::GetAttributeList, Operation::Locate];
    let mut operations = step.request.all(Tag::BatchItem).filter_map(operation);
    step.way == Way::ToServer && operations.all(|operation| only.contains(&operation))
}

/// What the server says of its refusal.
fn said(answer: &Element) -> String {
    let items = answer.value.elements().iter().filter(|element| element.tag == Tag::BatchItem);
    let messages = items.filter_map(|item| item.value.find(Tag::ResultMessage)?.text());
    messages.fold(String::new(), |all, message| format!("{all} ({message})"))
}

#[cfg(test)]
mod tests;
