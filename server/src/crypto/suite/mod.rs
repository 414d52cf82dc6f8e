//! What every provider must do, for each residency that it offers.
//!
//! A provider may lack something; then it must say Unsupported, and the suite says so in what [`try_all`] answers.
//! The provider's own test compares that with its column in docs/modules.md: neither a wrong answer nor a silent loss of
//! something passes.

mod chacha;
mod ciphers;
mod derived;
mod keys;
mod modes;
pub(crate) mod names;
mod parts;
mod rest;
mod signatures;
pub(crate) mod table;
mod tdes;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};

use super::algorithm::KeyKind;
use super::{ClearKey, CryptoError, Key, Made, Place, Provider, Residency};
use crate::secret::Secret;

/// Runs everything. `residency` is asked before each key: a token object needs a new identity each time.
/// Answers what was tried, and whether the provider has it.
pub(crate) fn try_all(provider: &dyn Provider, residency: &dyn Fn() -> Residency) -> BTreeMap<String, bool> {
    try_watched(provider, residency, &mut |_| {})
}

/// The same, and says after each attempt, whether it went through or not, what it was.
pub(crate) fn try_watched(
    provider: &dyn Provider,
    residency: &dyn Fn() -> Residency,
    watch: &mut dyn FnMut(&str),
) -> BTreeMap<String, bool> {
    let mut suite = Suite { provider, residency, watch, lacking: BTreeSet::new(), tried: BTreeSet::new() };
    keys::run(&mut suite);
    ciphers::run(&mut suite);
    modes::run(&mut suite);
    tdes::run(&mut suite);
    chacha::run(&mut suite);
    signatures::run(&mut suite);
    rest::run(&mut suite);
    derived::run(&mut suite);
    parts::kept(&mut suite);
    let Suite { lacking, tried, .. } = suite;
    let has = |what: &String| !lacking.contains(what);
    tried.union(&lacking).map(|what| (what.clone(), has(what))).collect()
}

struct Suite<'a> {
    provider: &'a dyn Provider,
    residency: &'a dyn Fn() -> Residency,
    watch: &'a mut dyn FnMut(&str),
    lacking: BTreeSet<String>,
    tried: BTreeSet<String>,
}

/// How a refusal must be classed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    BadParameters,
    Failed,
}

impl Suite<'_> {
    /// The answer, or `None` with a note if the provider lacks it. Any other error fails the test.
    fn need<T>(&mut self, what: &str, answer: Result<T, CryptoError>) -> Option<T> {
        self.tried.insert(what.to_owned());
        (self.watch)(what);
        match answer {
            Ok(answer) => Some(answer),
            Err(CryptoError::Unsupported(_)) => {
                self.lacking.insert(what.to_owned());
                None
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }

    /// Brings a key in, does something with it, and destroys it.
    fn with_key(&mut self, kind: KeyKind, bytes: &[u8], work: impl FnOnce(&mut Self, Key<'_>)) {
        let residency = (self.residency)();
        self.tried.insert(names::keys(kind, ""));
        if !self.provider.offers(kind, residency) {
            self.lacking.insert(names::keys(kind, ""));
            return;
        }
        let adopted = self.provider.adopt(kind, &Secret::copy_of(bytes), residency);
        if let Some(made) = self.need(&names::keys(kind, " brought in"), adopted) {
            self.with_made(kind, residency, made, work);
        }
    }

    /// Does something with a key that was just made, and destroys it.
    fn with_made(&mut self, kind: KeyKind, residency: Residency, made: Made, work: impl FnOnce(&mut Self, Key<'_>)) {
        check_made(kind, residency, &made);
        with(kind, &made, |key| work(self, key));
        if let Made::Guarded(guarded) = made {
            self.provider.destroy(&guarded).expect("destroy");
            self.provider.destroy(&guarded).expect("what is gone can be destroyed again");
        }
    }
}

fn with(kind: KeyKind, made: &Made, work: impl FnOnce(Key<'_>)) {
    match made {
        Made::Clear(bytes) => work(Key::Clear(&ClearKey::new(kind, bytes.clone()))),
        Made::Guarded(guarded) => work(Key::Guarded(guarded)),
    }
}

/// A key must be where it was asked to be.
fn check_made(kind: KeyKind, residency: Residency, made: &Made) {
    match (residency, made) {
        (Residency::Sealed, Made::Clear(_)) => {}
        (Residency::Wrapped, Made::Guarded(guarded)) => {
            assert_eq!(guarded.kind, kind);
            assert!(matches!(guarded.place, Place::Wrapped(_)), "{guarded:?} is not wrapped");
        }
        (Residency::Token(id), Made::Guarded(guarded)) => {
            assert_eq!((guarded.kind, guarded.id), (kind, id));
            assert!(guarded.place == Place::Token, "{guarded:?} is not on the token");
        }
        _ => panic!("{kind:?} asked for {residency:?} became {made:?}"),
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, CryptoError>, as_: Refusal) {
    let class = match &answer {
        Err(CryptoError::BadParameters(_)) => Some(Refusal::BadParameters),
        Err(CryptoError::Failed(_)) => Some(Refusal::Failed),
        _ => None,
    };
    assert_eq!(class, Some(as_), "{what}: {answer:?}");
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    hex::decode(digits).expect("hexadecimal digits")
}
