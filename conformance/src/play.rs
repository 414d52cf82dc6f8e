//! A case against a peer.

use std::time::{SystemTime, UNIX_EPOCH};

use kmip_codec::ttlv::Element;

use crate::case::Case;
use crate::compare::Course;
use crate::subject::Facts;

/// Somebody who answers requests.
pub trait Peer {
    /// Sends a request as that client, counted from 0, and answers what comes back.
    ///
    /// # Errors
    /// What went wrong on the way, for people.
    fn ask(&mut self, client: usize, request: &Element) -> Result<Element, String>;

    /// How many clients it can be asked as.
    fn clients(&self) -> usize;
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
/// case stays on the server. `facts` is what earlier cases on the same server told of the objects there.
pub fn play(case: &Case, peer: &mut dyn Peer, facts: &mut Facts) -> Verdict {
    let needed = case.steps.iter().map(|step| step.client + 1).max().unwrap_or_default();
    if needed > peer.clients() {
        return Verdict::Skipped(format!("needs {needed} clients"));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = i64::try_from(now.as_secs()).unwrap_or_default();
    let mut course = Course::new(case.version, start, u64::from(now.subsec_nanos()));
    facts.forget_dates();
    course.facts = std::mem::take(facts);
    let mut failure = None;
    for (i, step) in case.steps.iter().enumerate() {
        let outcome = step.request.fill(&mut course.bindings).map_err(|error| error.to_string()).and_then(|request| {
            let got = peer.ask(step.client, &request)?;
            let compared = course.compare(&step.request, &request, &step.expected, &got);
            compared.map_err(|difference| format!("{difference}{}", said(&got)))
        });
        if let Err(text) = outcome {
            failure.get_or_insert_with(|| format!("step {}: {text}", i + 1));
        }
    }
    *facts = course.facts;
    failure.map_or(Verdict::Passed, Verdict::Failed)
}

/// What the server says of its refusal.
fn said(answer: &Element) -> String {
    use kmip_codec::spec::Tag;
    let items = answer.value.elements().iter().filter(|element| element.tag == Tag::BatchItem);
    let messages = items.filter_map(|item| item.value.find(Tag::ResultMessage)?.text());
    messages.fold(String::new(), |all, message| format!("{all} ({message})"))
}
