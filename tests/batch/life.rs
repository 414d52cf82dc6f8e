//! The life of a key as clients see it: dates, counted uses, and an end that counts at once (KMIP 2.1 §4.57, §4.59).

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use kmip_codec::spec::{
    CryptographicUsageMask, Operation, ResultReason, RevocationReasonCode, State, Tag, UsageLimitsUnit, Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::Attribute;
use kmip_codec::{Element, Value};
use kmipd::ops;

use crate::common::{VERSIONS, wrapped, wrapping};
use crate::harness::Kmipd;
use crate::harness::kmip::{
    Kmip, create, date, enumeration, get_attributes, mask, new_attribute, now, object, structure, text,
};

/// How long something may take that takes a second or two. Reached only when the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn dates_of_the_past_count_at_creation() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let moment = now() - 100;
        let past = |tag| date(tag, moment);
        let active = kmip.create(vec![past(Tag::ActivationDate)]);
        assert_eq!(kmip.state(&active), State::Active);
        assert_eq!(kmip.value(&active, Tag::ActivationDate), past(Tag::ActivationDate).value);
        let over = kmip.create(vec![date(Tag::ActivationDate, now() - 200), past(Tag::DeactivationDate)]);
        assert_eq!(kmip.state(&over), State::Deactivated);
        let later = kmip.create(vec![date(Tag::ActivationDate, now() + 1000)]);
        assert_eq!(kmip.state(&later), State::PreActive);
        // In Active only a revocation leads on; and the date of an active key stands.
        assert_eq!(kmip.refusal(Operation::Activate, &object(Some(&active))), wrong_state(version));
        assert_eq!(kmip.refusal(Operation::Destroy, &object(Some(&active))), wrong_state(version));
        let other = date(Tag::ActivationDate, now());
        let change = crate::harness::kmip::modify(Some(&active), None, other);
        assert_eq!(kmip.refusal(Operation::ModifyAttribute, &change), wrong_state(version));
    }
}

fn wrong_state(version: Version) -> ResultReason {
    if version.is_v2() { ResultReason::WrongKeyLifecycleState } else { ResultReason::PermissionDenied }
}

#[test]
fn every_transition_that_there_is_and_none_that_there_is_not() {
    const STOPPED: RevocationReasonCode = RevocationReasonCode::CessationOfOperation;
    const STOLEN: RevocationReasonCode = RevocationReasonCode::KeyCompromise;
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let stop = crate::harness::kmip::revoke;
        let key = kmip.create(vec![]);
        assert_eq!(kmip.refusal(Operation::Revoke, &stop(Some(&key), STOPPED)), wrong_state(version));
        kmip.activate(&key);
        assert_eq!(kmip.state(&key), State::Active);
        kmip.revoke(&key, STOPPED);
        assert_eq!(kmip.state(&key), State::Deactivated);
        assert_eq!(kmip.refusal(Operation::Activate, &object(Some(&key))), wrong_state(version));
        kmip.revoke(&key, STOLEN);
        assert_eq!(kmip.state(&key), State::Compromised);
        assert_eq!(kmip.refusal(Operation::Revoke, &stop(Some(&key), STOPPED)), wrong_state(version));
        kmip.destroy(&key);
        assert_eq!(kmip.state(&key), State::DestroyedCompromised);
        let gone = if version.is_v2() { ResultReason::ObjectDestroyed } else { ResultReason::ItemNotFound };
        for operation in [Operation::Get, Operation::Activate, Operation::Destroy] {
            assert_eq!(kmip.refusal(operation, &object(Some(&key))), gone, "{operation}");
        }
        for tag in [Tag::ActivationDate, Tag::DeactivationDate, Tag::CompromiseDate, Tag::DestroyDate] {
            let Value::DateTime(date) = kmip.value(&key, tag) else { panic!("{tag}") };
            assert!(date.abs_diff(now()) < 60, "{tag}");
        }
        let early = kmip.create(vec![]);
        kmip.destroy(&early);
        assert_eq!(kmip.state(&early), State::Destroyed);
        kmip.revoke(&early, STOLEN);
        assert_eq!(kmip.state(&early), State::DestroyedCompromised);
    }
}

#[test]
fn time_turns_a_key_without_anybody_asking_for_it() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    let begin = now();
    let group = text(Tag::ObjectGroup, "turning");
    let key = kmip.create(vec![
        wrapping(),
        group.clone(),
        date(Tag::ActivationDate, begin + 2),
        date(Tag::DeactivationDate, begin + 4),
    ]);
    let data = kmip.create(vec![]);
    let found = |kmip: &mut Kmip, state: State| kmip.locate(vec![group.clone(), enumeration(Tag::State, state)]);
    let use_it = |kmip: &mut Kmip| kmip.attempt::<Element>(Operation::Get, &wrapped(&data, &key, Version::V2_1));

    // What is seen in between is seen whole: found by the state that it has, and used as that state allows.
    let mut seen = Vec::new();
    until("Deactivated", || {
        let before = now();
        let state = kmip.state(&key);
        let is_found = [State::PreActive, State::Active, State::Deactivated].map(|state| found(&mut kmip, state).len());
        let used = use_it(&mut kmip).map(|_| ()).map_err(|refused| refused.reason());
        if before == now() {
            let expected = match before - begin {
                ..2 => State::PreActive,
                2..4 => State::Active,
                _ => State::Deactivated,
            };
            assert_eq!(state, expected);
            let wrong = Err(ResultReason::WrongKeyLifecycleState);
            assert_eq!(used, if state == State::Active { Ok(()) } else { wrong });
            assert_eq!(
                is_found,
                [State::PreActive, State::Active, State::Deactivated].map(|s| usize::from(s == state))
            );
        }
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        state == State::Deactivated
    });
    assert_eq!(seen, [State::PreActive, State::Active, State::Deactivated]);
}

#[test]
fn a_date_is_reached_while_nobody_is_there() {
    let mut kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V1_2);
    let reached = now() + 1;
    let key = kmip.create(vec![date(Tag::ActivationDate, reached)]);
    kmipd.kill();
    until("the date", || now() > reached);
    kmipd.restart();
    let mut kmip = kmipd.kmip(Version::V1_2);
    assert_eq!(kmip.locate(vec![enumeration(Tag::State, State::Active)]), std::slice::from_ref(&key));
    assert_eq!(kmip.state(&key), State::Active);
}

#[test]
fn a_date_that_is_set_later_counts_too() {
    let kmipd = Kmipd::dev();
    for version in [Version::V1_2, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let key = kmip.create(vec![]);
        let soon = date(Tag::ActivationDate, now() + 1);
        kmip.ask::<ops::attribute::Response>(Operation::AddAttribute, &new_attribute(Some(&key), soon));
        until("Active", || kmip.state(&key) == State::Active);
        let passed = date(Tag::DeactivationDate, now());
        kmip.ask::<ops::attribute::Response>(Operation::AddAttribute, &new_attribute(Some(&key), passed));
        assert_eq!(kmip.state(&key), State::Deactivated);
    }
}

fn limits(total: i64, unit: UsageLimitsUnit) -> Attribute {
    structure(
        Tag::UsageLimits,
        vec![(Tag::UsageLimitsTotal, Value::LongInteger(total)), (Tag::UsageLimitsUnit, Value::Enumeration(unit.0))],
    )
}

fn left(kmip: &mut Kmip, key: &Text) -> i64 {
    match kmip.value(key, Tag::UsageLimits).find(Tag::UsageLimitsCount) {
        Some(Value::LongInteger(count)) => *count,
        other => panic!("{other:?}"),
    }
}

#[test]
fn uses_are_counted_exactly_by_all_clients_together() {
    let mut kmipd = Kmipd::dev();
    for (version, unit, total, uses, remainder) in [
        (Version::V2_1, UsageLimitsUnit::Object, 25, 25, 0),
        // A key of 32 bytes at a time: a remainder is left that is not enough.
        (Version::V1_2, UsageLimitsUnit::Byte, 32 * 20 + 31, 20, 31),
    ] {
        let mut kmip = kmipd.kmip(version);
        let key = kmip.create(vec![wrapping(), limits(total, unit)]);
        kmip.activate(&key);
        let data = kmip.create(vec![]);
        let (threads, each) = (4, 10);
        let start = Barrier::new(threads);
        let used: usize = thread::scope(|scope| {
            let runs: Vec<_> = (0..threads)
                .map(|_| {
                    let (kmipd, key, data, start) = (&kmipd, &key, &data, &start);
                    scope.spawn(move || {
                        let mut kmip = kmipd.kmip(version);
                        start.wait();
                        (0..each)
                            .filter(|_| match kmip.attempt::<Element>(Operation::Get, &wrapped(data, key, version)) {
                                Ok(_) => true,
                                Err(refused) => {
                                    assert_eq!(refused.reason(), exceeded(version), "{}", refused.message);
                                    false
                                }
                            })
                            .count()
                    })
                })
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).sum()
        });
        assert_eq!(used, uses);
        assert_eq!(left(&mut kmip, &key), remainder);
        // And after a crash.
        kmipd.kill();
        kmipd.restart();
        let mut kmip = kmipd.kmip(version);
        assert_eq!(left(&mut kmip, &key), remainder);
        assert_eq!(kmip.refusal(Operation::Get, &wrapped(&data, &key, version)), exceeded(version));
    }
}

#[test]
fn the_last_use_is_given_to_one() {
    let kmipd = Kmipd::dev();
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let data = kmip.create(vec![]);
    let keys: Vec<Text> = (0..40)
        .map(|_| {
            let once = limits(1, UsageLimitsUnit::Object);
            kmip.create(vec![wrapping(), once, date(Tag::ActivationDate, now() - 10)])
        })
        .collect();
    let threads = 4;
    let start = Barrier::new(threads);
    let used: Vec<Vec<bool>> = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads)
            .map(|_| {
                let (kmipd, keys, data, start) = (&kmipd, &keys, &data, &start);
                scope.spawn(move || {
                    let mut kmip = kmipd.kmip(version);
                    let mut try_it = |key| {
                        start.wait();
                        kmip.attempt::<Element>(Operation::Get, &wrapped(data, key, version)).is_ok()
                    };
                    keys.iter().map(&mut try_it).collect()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for (place, key) in keys.iter().enumerate() {
        assert_eq!(used.iter().filter(|of_thread| of_thread[place]).count(), 1, "key {place}");
        assert_eq!(left(&mut kmip, key), 0);
    }
}

fn exceeded(version: Version) -> ResultReason {
    if version.is_v2() { ResultReason::UsageLimitExceeded } else { ResultReason::PermissionDenied }
}

#[test]
fn a_revoked_key_is_refused_by_the_very_next_request_of_others() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut one = kmipd.kmip(version);
        let mut other = kmipd.kmip(version);
        let data = one.create(vec![]);
        for round in 0..20 {
            let key = one.create(vec![wrapping()]);
            one.activate(&key);
            other.ask::<Element>(Operation::Get, &wrapped(&data, &key, version));
            let why = [RevocationReasonCode::CessationOfOperation, RevocationReasonCode::KeyCompromise][round % 2];
            one.revoke(&key, why);
            assert_eq!(other.refusal(Operation::Get, &wrapped(&data, &key, version)), wrong_state(version));
            one.destroy(&key);
            let gone = if version.is_v2() { ResultReason::WrappingObjectDestroyed } else { ResultReason::ItemNotFound };
            assert_eq!(other.refusal(Operation::Get, &wrapped(&data, &key, version)), gone);
        }
    }
}

#[test]
fn a_key_is_used_for_what_it_is_for_and_when() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let data = kmip.create(vec![]);
        let incompatible = if version.is_v2() {
            ResultReason::IncompatibleCryptographicUsageMask
        } else {
            ResultReason::PermissionDenied
        };
        let other = kmip.create(vec![mask(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::UNWRAP_KEY)]);
        kmip.activate(&other);
        assert_eq!(kmip.refusal(Operation::Get, &wrapped(&data, &other, version)), incompatible);
        let early = kmip.create(vec![wrapping()]);
        assert_eq!(kmip.refusal(Operation::Get, &wrapped(&data, &early, version)), wrong_state(version));
        // Up to the Protect Stop Date.
        let stopped = kmip.create(vec![
            wrapping(),
            date(Tag::ActivationDate, now() - 100),
            date(Tag::ProtectStopDate, now() - 10),
        ]);
        assert_eq!(kmip.state(&stopped), State::Active);
        assert_eq!(kmip.refusal(Operation::Get, &wrapped(&data, &stopped, version)), wrong_state(version));
        // Get itself works before a key is active.
        kmip.get(&early);
        let list: ops::get_attributes::Response =
            kmip.ask(Operation::GetAttributes, &get_attributes(Some(&early), vec![Tag::State.into()]));
        assert_eq!(list.attributes.0.len(), 1);
        kmip.ask::<Element>(Operation::Create, &create(vec![]));
    }
}
