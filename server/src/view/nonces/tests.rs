//! Encryptions under one key, counted over messages, runs, threads and restarts.

use std::sync::Arc;

use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, EncodingOption, Version,
    WrappingMethod,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    CryptographicParameters as Parameters, EncryptionKeyInformation, KeyWrappingSpecification, UniqueIdentifier,
};

use super::*;
use crate::ops::Handler;
use crate::ops::data::Data;
use crate::ops::encrypt::{Encrypt, Request, Response};
use crate::ops::get;
use crate::store::CommitError;
use crate::trust::policy::Use;
use crate::view::testing::Bench;
use crate::view::{Kept, Shared};

/// What the first and the second allowance of a key come to.
const FIRST: u64 = 1 << 8;
const SECOND: u64 = 1 << 12;

fn key(bench: &Bench) -> UniqueIdentifier {
    bench.key(Algorithm::AES, &[7; 16], Mask::ENCRYPT | Mask::DECRYPT, Vec::new())
}

fn request(key: &UniqueIdentifier) -> Request {
    let parameters = Parameters {
        block_cipher_mode: Some(BlockCipherMode::GCM),
        tag_length: Some(16),
        random_iv: Some(true),
        ..Parameters::default()
    };
    Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: Some(parameters),
        data: Some(Data::Bytes(Blob::copy_of(b"data"))),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: None,
    }
}

fn encrypt(bench: &Bench, key: &UniqueIdentifier) -> Outcome<Response> {
    bench.run::<Encrypt>(Version::V2_1, request(key))
}

fn sequence(bench: &Bench, key: &UniqueIdentifier) -> u64 {
    bench.view(Version::V2_1).open(Some(key), Use::ReadAttributes).unwrap().sequence
}

/// What the store has counted.
fn counted(shared: &Shared, sequence: u64) -> u64 {
    shared.vault.counter(sequence, NONCES).unwrap().map_or(0, |(count, _)| count)
}

fn set(shared: &Shared, sequence: u64, count: u64) {
    let mut batch = shared.vault.batch();
    batch.update_counter(sequence, NONCES, move |_| Count::Set(count));
    shared.vault.commit(batch).try_recv().unwrap().unwrap();
}

#[test]
fn most_encryptions_write_nothing() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    let mut nonces = std::collections::HashSet::new();
    let mut written = Vec::new();
    for round in 0..FIRST + SECOND + 2 {
        let mut view = bench.view(Version::V2_1);
        view.begin_item();
        let answer = Encrypt::run(&mut view, request(&key)).unwrap();
        assert!(nonces.insert(answer.iv_counter_nonce.unwrap().to_vec()));
        if !view.commit().unwrap().batch.is_comparison() {
            written.push(round);
        }
        bench.commit(&view);
        view.settle();
        assert!(counted(bench.shared(), sequence) > round, "counted short");
    }
    // Whoever finds nothing left counts its own and reserves more.
    assert_eq!(written, [0, FIRST + 1]);
    assert_eq!(counted(bench.shared(), sequence), 2 + FIRST + SECOND);
}

#[test]
fn a_key_has_so_many_and_no_more() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    set(bench.shared(), sequence, MOST - 3);
    (0..3).for_each(|_| drop(encrypt(&bench, &key).unwrap()));
    for _ in 0..2 {
        let refused = encrypt(&bench, &key).unwrap_err();
        assert_eq!(refused.reason, ResultReason::UsageLimitExceeded);
        assert!(refused.message.contains("Re-key"), "{refused}");
        assert_eq!(counted(bench.shared(), sequence), MOST);
    }
    // A nonce of the client's, and a mode whose IVs may be many, go on.
    let mut own = request(&key);
    own.iv_counter_nonce = Some(Blob::copy_of(&[1; 12]));
    bench.run::<Encrypt>(Version::V2_1, own).unwrap();
    let mut counter = request(&key);
    counter.cryptographic_parameters = Some(Parameters {
        block_cipher_mode: Some(BlockCipherMode::CTR),
        random_iv: Some(true),
        ..Parameters::default()
    });
    bench.run::<Encrypt>(Version::V2_1, counter).unwrap();
}

/// What is encrypted in parts has one nonce, and it is counted with the first part.
#[test]
fn parts_count_like_the_whole() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    let part = |correlation: Option<Blob>, last: bool| {
        let mut asked = request(&key);
        if correlation.is_some() {
            asked.cryptographic_parameters = None;
        } else {
            asked.init_indicator = Some(true);
        }
        asked.final_indicator = last.then_some(true);
        asked.correlation_value = correlation;
        bench.run::<Encrypt>(Version::V2_1, asked)
    };
    let begun = part(None, false).unwrap().correlation_value;
    assert_eq!(counted(bench.shared(), sequence), 1 + FIRST);
    set(bench.shared(), sequence, MOST);
    // What has its nonce goes on; what would need another one does not begin once what was reserved is used up.
    let begun = part(begun, false).unwrap().correlation_value.unwrap();
    part(Some(begun), true).unwrap();
    for _ in 0..FIRST {
        let begun = part(None, false).unwrap().correlation_value;
        part(begun, true).unwrap();
    }
    assert_eq!(part(None, false).unwrap_err().reason, ResultReason::UsageLimitExceeded);
}

/// A block whose counter begins at zero has as much that is random as the nonce before it.
#[test]
fn short_counters_count_too() {
    let bench = Bench::new();
    for (length, counts) in [(None, false), (Some(32), true), (Some(33), false)] {
        let key = key(&bench);
        let mut asked = request(&key);
        asked.cryptographic_parameters = Some(Parameters {
            block_cipher_mode: Some(BlockCipherMode::CTR),
            random_iv: Some(true),
            counter_length: length,
            ..Parameters::default()
        });
        bench.run::<Encrypt>(Version::V2_1, asked).unwrap();
        assert_eq!(bench.nonces(sequence(&bench, &key)) > 0, counts, "{length:?}");
    }
}

/// A key that wraps others uses up its nonces, too.
#[test]
fn wrapping_counts_like_encryption() {
    let bench = Bench::new();
    let by = bench.key(Algorithm::AES, &[7; 16], Mask::WRAP_KEY, Vec::new());
    let wrapped = bench.key(Algorithm::AES, &[8; 16], Mask::ENCRYPT, Vec::new());
    let sequence = sequence(&bench, &by);
    let information = |mode| EncryptionKeyInformation {
        unique_identifier: by.clone(),
        cryptographic_parameters: Some(Parameters {
            block_cipher_mode: Some(mode),
            tag_length: (mode == BlockCipherMode::GCM).then_some(16),
            ..Parameters::default()
        }),
    };
    let get = |mode| {
        let specification = KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(information(mode)),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: Some(EncodingOption::NoEncoding),
        };
        let request =
            get::Request { key_wrapping_specification: Some(specification), ..get::Request::of(wrapped.clone()) };
        bench.run::<get::Get>(Version::V2_1, request)
    };
    get(BlockCipherMode::NISTKeyWrap).unwrap();
    assert_eq!(counted(bench.shared(), sequence), 0);
    get(BlockCipherMode::GCM).unwrap();
    assert_eq!(counted(bench.shared(), sequence), 1 + FIRST);
    (0..FIRST).for_each(|_| drop(get(BlockCipherMode::GCM).unwrap()));
    set(bench.shared(), sequence, MOST);
    assert_eq!(get(BlockCipherMode::GCM).unwrap_err().reason, ResultReason::UsageLimitExceeded);
    get(BlockCipherMode::NISTKeyWrap).unwrap();
}

/// The last ones are several messages': the writer lets as many through as there are.
#[test]
fn the_writer_has_the_last_word() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    set(bench.shared(), sequence, MOST - 1);
    let (mut one, mut other) = (bench.view(Version::V2_1), bench.view(Version::V2_1));
    for view in [&mut one, &mut other] {
        view.begin_item();
        Encrypt::run(view, request(&key)).unwrap();
    }
    bench.commit(&one);
    one.settle();
    let mut refused = bench.shared().vault.commit(other.commit().unwrap().batch);
    assert!(matches!(refused.try_recv().unwrap(), Err(CommitError::Refused(_))));
    let mut again = View::new(Arc::clone(bench.shared()), "alice".into(), Version::V2_1, other.into_kept());
    again.begin_item();
    let said = Encrypt::run(&mut again, request(&key)).unwrap_err();
    assert_eq!(said.reason, ResultReason::UsageLimitExceeded);
    // It has nothing to count any more: its other items' answers leave.
    again.fail_item();
    bench.commit(&again);
}

/// A message that conflicts encrypts anew; a step of an operation in parts is not done again, and counted all the same.
#[test]
fn a_second_run_counts_what_it_answers() {
    for in_parts in [false, true] {
        let bench = Bench::new();
        let key = key(&bench);
        let sequence = sequence(&bench, &key);
        let mut asked = request(&key);
        asked.init_indicator = in_parts.then_some(true);
        let mut first = bench.view(Version::V2_1);
        first.begin_item();
        let before = Encrypt::run(&mut first, asked.clone()).unwrap();
        // Its commit does not happen.
        let mut second = View::new(Arc::clone(bench.shared()), "alice".into(), Version::V2_1, first.into_kept());
        second.begin_item();
        let after = Encrypt::run(&mut second, asked).unwrap();
        assert_eq!(before.iv_counter_nonce == after.iv_counter_nonce, in_parts);
        bench.commit(&second);
        second.settle();
        // The first run's step reserves nothing further; the second run of a whole does.
        assert_eq!(counted(bench.shared(), sequence), if in_parts { 1 } else { 1 + FIRST });
        encrypt(&bench, &key).unwrap();
        assert_eq!(counted(bench.shared(), sequence), if in_parts { 2 + FIRST } else { 1 + FIRST });
    }
}

#[test]
fn a_batch_counts_each_and_what_is_undone_counts_nothing() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    let mut view = bench.view(Version::V2_1);
    for _ in 0..5 {
        view.begin_item();
        Encrypt::run(&mut view, request(&key)).unwrap();
    }
    bench.commit(&view);
    view.settle();
    assert_eq!(counted(bench.shared(), sequence), 5 + FIRST);

    let other = self::key(&bench);
    let sequence = self::sequence(&bench, &other);
    let mut view = bench.view(Version::V2_1);
    view.begin_item();
    Encrypt::run(&mut view, request(&other)).unwrap();
    view.undo();
    bench.commit(&view);
    view.settle();
    assert_eq!(counted(bench.shared(), sequence), 0);
    // Whoever comes next may reserve.
    encrypt(&bench, &other).unwrap();
    assert_eq!(counted(bench.shared(), sequence), 1 + FIRST);
}

#[test]
fn a_message_that_never_ends_holds_nobody_up() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    let mut slow = bench.view(Version::V2_1);
    slow.begin_item();
    Encrypt::run(&mut slow, request(&key)).unwrap();
    for round in 1..=3 {
        encrypt(&bench, &key).unwrap();
        assert_eq!(counted(bench.shared(), sequence), round);
    }
    drop(slow);
    encrypt(&bench, &key).unwrap();
    assert_eq!(counted(bench.shared(), sequence), 4 + FIRST);
}

#[test]
fn what_is_destroyed_is_counted_no_more() {
    let bench = Bench::new();
    let key = bench.key(
        Algorithm::AES,
        &[7; 16],
        Mask::ENCRYPT,
        vec![(kmip_codec::spec::Tag::ActivationDate, kmip_codec::Value::DateTime(crate::view::testing::NOW - 60))],
    );
    let sequence = sequence(&bench, &key);
    encrypt(&bench, &key).unwrap();
    assert_eq!(counted(bench.shared(), sequence), 1 + FIRST);
    let reserved = counted(bench.shared(), sequence);
    (1..reserved).for_each(|_| drop(encrypt(&bench, &key).unwrap()));
    bench.pass(1);
    // The last one is counted in the message that destroys the key.
    let mut view = bench.view(Version::V2_1);
    view.begin_item();
    Encrypt::run(&mut view, request(&key)).unwrap();
    let permitted = view.open(Some(&key), Use::Revoke).unwrap();
    let compromised = crate::object::state::Event::Compromise;
    view.edit(&permitted, |object| Ok(object.happen(compromised, crate::view::testing::NOW)?)).unwrap();
    let permitted = view.open(Some(&key), Use::Destroy).unwrap();
    view.destroy(&permitted).unwrap();
    bench.commit(&view);
    assert!(bench.shared().vault.counter(sequence, NONCES).unwrap().is_none());
}

#[test]
fn many_threads_count_together() {
    let bench = Bench::new();
    let key = key(&bench);
    let sequence = sequence(&bench, &key);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| drop(encrypt(&bench, &key).unwrap())));
        }
    });
    let total = counted(bench.shared(), sequence);
    // Never short, and at most an allowance long.
    assert!((2000..=2000 + FIRST + SECOND).contains(&total), "{total}");
    let kept = Kept::default();
    assert!(kept.nonces.is_empty());
}
