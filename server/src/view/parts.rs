//! Operations in several parts: a step of one is done once, however often the message runs (design: effect class "once").

use std::any::Any;
use std::sync::Arc;

use kmip_codec::spec::ResultReason;
use kmip_codec::ttlv::Blob;

use super::View;
use crate::failure::{Failure, Outcome};
use crate::session::parts::{Charge, Correlation, Seat, State, Weighs};

/// A step that one run of a message has done.
pub(super) struct KeptStep {
    /// What was asked for.
    print: Vec<u8>,
    answer: Outcome<Arc<dyn Any + Send + Sync>>,
    /// The name under which it goes on.
    correlation: Option<Correlation>,
    /// The state that the next part finds, once the commit stands.
    next: Option<(State, Seat)>,
    /// Whether the run at hand has come to it.
    pub(super) taken: bool,
    /// Whether the item, or the message, failed in the run at hand.
    pub(super) dropped: bool,
}

impl View {
    /// Does one part of an operation: with the state that the part before left, or with none to begin. The work answers
    /// the state for the next part, if it goes on, and its answer; with it comes the Correlation Value of what goes on.
    ///
    /// # Errors
    /// Invalid Correlation Value for a state that is not there, not the asker's, or does not fit; Server Limit Exceeded
    /// for too many of them, and for too much that waits in them; what the work says. A state whose step fails is gone.
    pub fn part<S, R>(
        &mut self,
        print: Vec<u8>,
        correlation: Option<&Blob>,
        fits: impl FnOnce(&S) -> bool,
        work: impl FnOnce(&mut Self, Option<S>) -> Outcome<(Option<S>, R)>,
    ) -> Outcome<(R, Option<Blob>)>
    where
        S: Any + Send + Sync + Weighs,
        R: Any + Clone + Send + Sync,
    {
        let answers = |step: &KeptStep| !step.taken && step.print == print;
        if let Some(place) = self.kept.steps.iter().position(answers) {
            self.steps.push(place);
            let step = self.kept.steps.get_mut(place).ok_or_else(|| Failure::internal("a kept step is gone"))?;
            step.taken = true;
            return repeated(step);
        }
        let (name, state, mut seat) = match correlation {
            None => {
                let seat = self.shared.parts.reserve(&self.requester.owner, self.now).ok_or_else(|| {
                    Failure::new(ResultReason::ServerLimitExceeded, "too many operations in parts are under way")
                })?;
                let salt = self.random(32)?;
                (self.shared.parts.name(&seat, salt.expose()), None, seat)
            }
            Some(value) => {
                let invalid = || {
                    Failure::new(
                        ResultReason::InvalidCorrelationValue,
                        "there is no such operation in parts, or it has ended",
                    )
                };
                let name = Correlation::try_from(&**value).map_err(|_| invalid())?;
                let fits = |state: &State| state.downcast_ref::<S>().is_some_and(fits);
                let held = self.shared.parts.take(&name, &self.requester.owner, self.now, fits).ok_or_else(invalid)?;
                let (state, seat) = held.into_parts();
                let state = state.downcast::<S>().map_err(|_| invalid())?;
                (name, Some(*state), seat)
            }
        };
        let (answer, next) = match work(self, state) {
            Ok((Some(next), _)) if !self.shared.parts.weigh(&mut seat, next.weight()) => (Err(too_much()), None),
            Ok((next, answer)) => (Ok(Arc::new(answer) as Arc<dyn Any + Send + Sync>), next),
            Err(failure) => (Err(failure), None),
        };
        let next = next.map(|state| (Box::new(state) as State, seat));
        let correlation = next.is_some().then_some(name);
        self.steps.push(self.kept.steps.len());
        let step = KeptStep { print, answer, correlation, next, taken: true, dropped: false };
        let came = repeated(&step);
        self.kept.steps.push(step);
        came
    }

    /// Counts memory that outlives the message, in bytes; nothing if there is no room for so much more.
    pub fn charge(&self, bytes: usize) -> Option<Charge> {
        self.shared.parts.charge(&self.requester.owner, bytes)
    }

    /// Lets the next parts begin, and instances be what was made of them: the commit stands.
    pub fn settle(&mut self) {
        self.settle_instances();
        self.kept.nonces.settle();
        for step in &mut self.kept.steps {
            if let (Some((state, seat)), Some(name), true, false) =
                (step.next.take(), step.correlation, step.taken, step.dropped)
            {
                self.shared.parts.put(name, state, seat, self.now);
            }
        }
    }
}

fn too_much() -> Failure {
    Failure::new(
        ResultReason::ServerLimitExceeded,
        "too much waits for the last parts of operations; [limits] says how much there is room for",
    )
}

fn repeated<R: Any + Clone>(step: &KeptStep) -> Outcome<(R, Option<Blob>)> {
    let answer = step.answer.as_ref().map_err(Clone::clone)?;
    let answer = answer.downcast_ref::<R>().cloned().ok_or_else(|| Failure::internal("a kept answer is another's"))?;
    Ok((answer, step.correlation.map(|name| Blob::copy_of(&name))))
}
