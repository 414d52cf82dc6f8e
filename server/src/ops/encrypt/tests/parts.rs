//! Encryption and decryption in several parts.

use super::*;

#[test]
fn in_parts_comes_what_comes_of_the_whole() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let plain = PLAIN.repeat(2) + "aabbcc";
    let mut asked = request(&key, Some(cbc_padded()), &plain);
    asked.iv_counter_nonce = blob(IV);
    let whole = encrypt(&bench, asked.clone()).unwrap();
    // Half a block, one and a half, the rest.
    let part = |from: usize, to: usize, init: bool, last: bool, correlation: Option<Blob>| {
        let mut part = request(&key, None, plain.get(from..to).unwrap());
        if init {
            part.cryptographic_parameters = Some(cbc_padded());
            part.iv_counter_nonce = blob(IV);
        }
        (part.init_indicator, part.final_indicator) = (Some(init), Some(last));
        part.correlation_value = correlation;
        encrypt(&bench, part)
    };
    let first = part(0, 16, true, false, None).unwrap();
    assert_eq!(first.data, None);
    let second = part(16, 64, false, false, first.correlation_value.clone()).unwrap();
    assert_eq!(second.data.as_deref().map(<[u8]>::len), Some(32));
    assert_eq!(second.correlation_value, first.correlation_value);
    let third = part(64, plain.len(), false, true, second.correlation_value).unwrap();
    assert_eq!(third.correlation_value, None);
    let joined = [second.data.unwrap().to_vec(), third.data.unwrap().to_vec()].concat();
    assert_eq!(Some(&*joined), whole.data.as_deref());
    // It has ended.
    refused(part(0, 2, false, true, first.correlation_value), Reason::InvalidCorrelationValue, "ended");
}

#[test]
fn a_part_belongs_to_its_operation_its_key_and_its_client() {
    let bench = Bench::new();
    let (key, other) = (aes(&bench, SP800_38A), aes(&bench, SP800_38A));
    let begin = || {
        let mut asked = request(&key, Some(mode(Mode::ECB)), PLAIN);
        asked.init_indicator = Some(true);
        encrypt(&bench, asked).unwrap().correlation_value
    };
    let last = |key: &UniqueIdentifier, correlation_value| {
        let mut asked = request(key, None, PLAIN);
        asked.correlation_value = correlation_value;
        asked.final_indicator = Some(true);
        asked
    };
    let invalid = Reason::InvalidCorrelationValue;
    let begun = begin();
    refused(encrypt(&bench, last(&other, begun.clone())), invalid, "");
    let asked = last(&key, begun.clone());
    let back = decrypt::Request { authenticated_encryption_tag: None, ..reverse_of(&asked) };
    assert_eq!(decrypt(&bench, back).unwrap_err().reason, invalid);
    let mut bob = bench.view_of("bob", Version::V2_1);
    assert!(<Encrypt as crate::ops::Handler>::run(&mut bob, asked.clone()).is_err());
    // None of them has ended it.
    assert!(encrypt(&bench, asked).is_ok());
    refused(encrypt(&bench, last(&key, None)), invalid, "");
    refused(encrypt(&bench, last(&key, blob("01"))), invalid, "");
    let mut both = last(&key, begin());
    both.init_indicator = Some(true);
    refused(encrypt(&bench, both), Reason::InvalidField, "");
    let mut differs = last(&key, begin());
    differs.cryptographic_parameters = Some(mode(Mode::CTR));
    refused(encrypt(&bench, differs), Reason::BadCryptographicParameters, "before");
    let mut again = last(&key, begin());
    again.iv_counter_nonce = blob(IV);
    refused(encrypt(&bench, again), Reason::InvalidField, "first part");
    // A part that failed was the last.
    let begun = begin();
    let mut odd = last(&key, begun.clone());
    odd.data = Some(Data::Bytes(Blob::copy_of(&[1])));
    refused(encrypt(&bench, odd), Reason::CryptographicFailure, "");
    refused(encrypt(&bench, last(&key, begun)), invalid, "");
}

#[test]
fn a_second_run_of_the_message_does_not_step_again() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let mut asked = request(&key, Some(mode(Mode::ECB)), PLAIN);
    asked.init_indicator = Some(true);
    let begun = encrypt(&bench, asked).unwrap().correlation_value;
    let mut further = request(&key, None, PLAIN);
    further.correlation_value = begun;
    let run = |view: &mut crate::view::View| {
        view.begin_item();
        <Encrypt as crate::ops::Handler>::run(view, further.clone()).unwrap()
    };
    let mut view = bench.view(Version::V2_1);
    let shared = std::sync::Arc::clone(view.shared());
    let first = run(&mut view);
    let mut again = crate::view::View::new(shared, "alice".into(), Version::V2_1, view.into_kept());
    assert_eq!(run(&mut again), first);
    again.settle();
    // The next part finds one step done, and not two.
    assert!(encrypt(&bench, further).is_ok());
}
