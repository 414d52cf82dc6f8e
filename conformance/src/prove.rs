//! The comparison put to the test: right answers must pass, wrong ones must not, but for what is permitted.

use std::collections::BTreeMap;

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::Element;

use crate::bindings::Bindings;
use crate::case::{Case, Way};
use crate::compare::Course;
use crate::node::{Content, Node, NodeError};
use crate::permit::Variation;
use crate::play::settle;

mod mutate;

pub use mutate::{Kind, Random};

/// A time that `$NOW` is when answers are replayed.
const NOW: i64 = 1_700_000_000;

/// What came of a proof.
#[derive(Debug, Default)]
pub struct Proof {
    /// Cases whose expected answers passed.
    pub replayed: usize,
    /// Cases whose expected answers did not pass, with the difference.
    pub rejected: Vec<(String, String)>,
    /// Cases that nobody can play, with the reason.
    pub unplayable: Vec<(String, String)>,
    /// Wrong answers that were tried.
    pub mutations: usize,
    /// Those that passed, by the variation that permits them.
    pub survivors: BTreeMap<(Variation, Tag, Kind), usize>,
    /// Those that passed although nothing permits them: case, step, tag, kind.
    pub unexplained: Vec<(String, usize, Tag, Kind)>,
}

impl Proof {
    /// How many wrong answers passed.
    pub fn survived(&self) -> usize {
        self.survivors.values().sum::<usize>() + self.unexplained.len()
    }

    /// Wrong answers that failed, of a thousand.
    pub fn killed_per_mille(&self) -> usize {
        (self.mutations - self.survived()) * 1000 / self.mutations.max(1)
    }

    /// Whether right answers pass, and of the wrong ones at most 3 %, each for a reason.
    pub fn is_sound(&self) -> bool {
        self.rejected.is_empty() && self.unexplained.is_empty() && self.mutations > 0 && self.killed_per_mille() >= 970
    }
}

/// A case with what the server says in it, and the state before each step.
struct Replay<'c> {
    case: &'c Case,
    answers: Vec<Element>,
    before: Vec<Course>,
}

/// Replays every case, then so many wrong answers, chosen by `seed`.
pub fn prove(cases: &[Case], mutations: usize, seed: u64) -> Proof {
    let mut proof = Proof::default();
    let mut replays = Vec::new();
    for case in cases {
        match replay(case) {
            Ok(Ok(replay)) => replays.push(replay),
            Ok(Err(difference)) => proof.rejected.push((case.name.clone(), difference)),
            Err(error) => proof.unplayable.push((case.name.clone(), error.to_string())),
        }
    }
    proof.replayed = replays.len();
    let mut random = Random::new(seed);
    while proof.mutations < mutations && !replays.is_empty() {
        let Some(replay) = replays.get(random.below(replays.len())) else { break };
        let step = random.below(replay.answers.len());
        let Some(answer) = replay.answers.get(step) else { break };
        let Some((wrong, tag, kind)) = mutate::mutate(answer, &mut random) else { continue };
        proof.mutations += 1;
        if let Some(used) = replay.passes(step, &wrong, tag) {
            match used {
                Some(variation) => *proof.survivors.entry((variation, tag, kind)).or_default() += 1,
                None => proof.unexplained.push((replay.case.name.clone(), step + 1, tag, kind)),
            }
        }
    }
    proof
}

/// Plays a case against its own answers; the outer error is a case that cannot be played.
fn replay(case: &Case) -> Result<Result<Replay<'_>, String>, NodeError> {
    let mut course = Course::new(case.version, NOW, 1);
    // The server of the replay has variables of its own.
    let mut server = course.bindings.clone();
    let (mut answers, mut before) = (Vec::new(), Vec::new());
    for (i, step) in case.steps.iter().enumerate() {
        before.push(course.clone());
        let (sent, got) = match step.way {
            Way::ToServer => {
                let request = step.request.fill(&mut course.bindings)?;
                bind(&step.expected, &mut server);
                let mut answer = step.expected.fill(&mut server)?;
                settle(&mut answer, Some(&request), NOW);
                (Some(request), answer)
            }
            Way::ToClient => {
                bind(&step.request, &mut server);
                (None, step.request.fill(&mut server)?)
            }
        };
        if let Err(difference) = course.step(step, sent.as_ref(), &got) {
            return Ok(Err(format!("step {}: {difference}", i + 1)));
        }
        answers.push(got);
    }
    Ok(Ok(Replay { case, answers, before }))
}

/// Makes values for the variables of an answer.
fn bind(expected: &Node, server: &mut Bindings) {
    match &expected.content {
        Content::Variable(name, item) if server.get(name).is_none() => {
            server.invent(name, *item);
        }
        _ => expected.inner().iter().for_each(|inner| bind(inner, server)),
    }
}

impl Replay<'_> {
    /// Whether the case passes with that answer to that step; then with the variation that permits it.
    fn passes(&self, step: usize, wrong: &Element, tag: Tag) -> Option<Option<Variation>> {
        let mut right = self.before.get(step)?.clone();
        right.used.clear();
        let mut course = right.clone();
        let mut explained = None;
        for (i, (asked, answer)) in self.case.steps.iter().zip(&self.answers).enumerate().skip(step) {
            // An unbound variable stops the case.
            let request = match asked.way {
                Way::ToServer => Some(asked.request.fill(&mut course.bindings).ok()?),
                Way::ToClient => None,
            };
            let got = if i == step { wrong } else { answer };
            course.step(asked, request.as_ref(), got).ok()?;
            if i == step {
                right.step(asked, request.as_ref(), answer).ok()?;
                let besides = course.used.difference(&right.used).next();
                let same = || course.used.iter().find(|(_, of)| *of == tag);
                explained = besides.or_else(same).map(|(variation, _)| *variation);
            }
        }
        Some(explained)
    }
}

#[cfg(test)]
mod tests;
