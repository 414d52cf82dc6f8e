//! Operations in parts with keys in the module: what keeps a session there, what does not, and when it goes.

use std::time::{Duration, Instant};

use kmip_codec::Value;
use kmip_codec::spec::Tag;
use serde_json::Value as Json;

use crate::house::House;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st};

fn parameters(items: &[String]) -> String {
    st("CryptographicParameters", items)
}

/// A stream that is under way.
pub(crate) struct Stream<'a> {
    operation: &'a str,
    key: &'a str,
    correlation: Vec<u8>,
    data: Vec<u8>,
}

impl<'a> Stream<'a> {
    pub(crate) fn begin(speaker: &mut Speaker, operation: &'a str, key: &'a str, more: &[String], data: &[u8]) -> Self {
        let payload = [&[id(key)], more, &[bytes("Data", data), bo("InitIndicator", true)]].concat();
        let answer = speaker.ask(operation, &payload);
        let data = answer.find(Tag::Data).map(|_| octets(&answer, Tag::Data)).unwrap_or_default();
        Self { operation, key, correlation: octets(&answer, Tag::CorrelationValue), data }
    }

    /// One that was begun.
    pub(crate) const fn going_on(operation: &'a str, key: &'a str, correlation: Vec<u8>) -> Self {
        Self { operation, key, correlation, data: Vec::new() }
    }

    pub(crate) fn payload(&self, data: &[u8], last: bool) -> Vec<String> {
        let mut payload = vec![id(self.key), bytes("Data", data), bytes("CorrelationValue", &self.correlation)];
        payload.extend(last.then(|| bo("FinalIndicator", true)));
        payload
    }

    pub(crate) fn step(&mut self, speaker: &mut Speaker, data: &[u8], last: bool) -> Value {
        let answer = speaker.ask(self.operation, &self.payload(data, last));
        if answer.find(Tag::Data).is_some() {
            self.data.extend(octets(&answer, Tag::Data));
        }
        answer
    }
}

pub(crate) fn count(house: &House, function: &str) -> usize {
    named(&calls(&house.calls), function).count()
}

/// Sessions that were opened and are not closed.
pub(crate) fn open_sessions(house: &House) -> usize {
    let calls = calls(&house.calls);
    let of = |function| named(&calls, function).map(|call| call["session"].clone()).collect::<Vec<Json>>();
    let closed = of("C_CloseSession");
    of("C_OpenSession").iter().filter(|session| !closed.contains(session)).count()
}

#[test]
fn chaining_modes_keep_nothing_in_the_module() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
    let cbc = parameters(&[en("BlockCipherMode", "CBC"), en("PaddingMethod", "PKCS5")]);
    let ctr = parameters(&[en("BlockCipherMode", "CTR")]);
    let data: Vec<u8> = (0..100).collect();
    for (how, leave) in [(cbc, false), (ctr, true)] {
        let how = if leave { [how.replace("</Crypt", &(bo("RandomIV", true) + "</Crypt"))] } else { [how] };
        let iv = bytes("IVCounterNonce", &[7; 16]);
        let more = if leave { how.to_vec() } else { vec![how[0].clone(), iv] };
        house.forget_calls();
        let mut payload = vec![id(&key)];
        payload.extend(more);
        payload.extend([bytes("Data", &data[..20]), bo("InitIndicator", true)]);
        let first = speaker.ask("Encrypt", &payload);
        let made = first.find(Tag::IVCounterNonce).map(|_| octets(&first, Tag::IVCounterNonce));
        let mut stream = Stream {
            operation: "Encrypt",
            key: &key,
            correlation: octets(&first, Tag::CorrelationValue),
            data: octets(&first, Tag::Data),
        };
        stream.step(&mut speaker, &data[20..70], false);
        stream.step(&mut speaker, &data[70..], true);
        // Each step begins and ends, in a session of the pool.
        assert_eq!((count(&house, "C_EncryptInit"), count(&house, "C_Encrypt")), (3, 3));
        assert_eq!((count(&house, "C_EncryptUpdate"), count(&house, "C_EncryptFinal")), (0, 0));
        assert_eq!(open_sessions(&house), 0);
        let iv = bytes("IVCounterNonce", &made.unwrap_or_else(|| vec![7; 16]));
        let opened = speaker.ask("Decrypt", &[id(&key), how[0].clone(), bytes("Data", &stream.data), iv]);
        assert_eq!(octets(&opened, Tag::Data), data);
    }
}

#[test]
fn what_must_keep_a_session_does_and_gives_the_same() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate MACVerify", &stays());
    let data: Vec<u8> = (0..200).collect();
    let whole = octets(&speaker.ask("MAC", &[id(&mac), bytes("Data", &data)]), Tag::MACData);

    // Two at a time, whose parts come in turns.
    house.forget_calls();
    let gcm = parameters(&[en("BlockCipherMode", "GCM"), bo("RandomIV", true), int("TagLength", "16")]);
    let mut code = Stream::begin(&mut speaker, "MAC", &mac, &[], &data[..50]);
    let payload = [id(&key), gcm.clone(), bytes("Data", &data[..50]), bo("InitIndicator", true)];
    let first = speaker.ask("Encrypt", &payload);
    let nonce = octets(&first, Tag::IVCounterNonce);
    let mut sealed = Stream {
        operation: "Encrypt",
        key: &key,
        correlation: octets(&first, Tag::CorrelationValue),
        data: octets(&first, Tag::Data),
    };
    assert_eq!(open_sessions(&house), 2);
    code.step(&mut speaker, &data[50..], false);
    let tag = sealed.step(&mut speaker, &data[50..], true);
    let made = code.step(&mut speaker, &[], true);
    assert_eq!(octets(&made, Tag::MACData), whole);
    let tag = bytes("AuthenticatedEncryptionTag", &octets(&tag, Tag::AuthenticatedEncryptionTag));
    let decrypting = [id(&key), gcm, bytes("Data", &sealed.data), bytes("IVCounterNonce", &nonce), tag];
    assert_eq!(octets(&speaker.ask("Decrypt", &decrypting), Tag::Data), data);
    assert_eq!((count(&house, "C_SignUpdate"), count(&house, "C_SignFinal"), count(&house, "C_Sign")), (2, 1, 0));
    assert_eq!((count(&house, "C_EncryptUpdate"), count(&house, "C_EncryptFinal")), (2, 1));
    assert_eq!(open_sessions(&house), 0);

    // A MAC is verified so, too; and what is wrong is Invalid.
    let wrong = [&whole[..31], &[whole[31] ^ 1]].concat();
    for (claimed, expected) in [(&whole, 1), (&wrong, 2)] {
        let mut stream = Stream::begin(&mut speaker, "MACVerify", &mac, &[], &data[..50]);
        stream.step(&mut speaker, &data[50..150], false);
        let payload = [stream.payload(&data[150..], true), vec![bytes("MACData", claimed)]].concat();
        let verdict = speaker.ask("MACVerify", &payload);
        assert_eq!(verdict.find(Tag::ValidityIndicator), Some(&Value::Enumeration(expected)));
    }
}

#[test]
fn a_client_has_so_many_sessions_and_the_data_of_others_waits() {
    let house = House::with("[limits]\nparts_in_module_per_client = 1");
    let mut speaker = Speaker::of(&house.kmipd);
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate", &stays());
    let whole = octets(&speaker.ask("MAC", &[id(&mac), bytes("Data", b"a message")]), Tag::MACData);
    house.forget_calls();
    let mut first = Stream::begin(&mut speaker, "MAC", &mac, &[], b"a mess");
    let mut second = Stream::begin(&mut speaker, "MAC", &mac, &[], b"a mess");
    assert_eq!((open_sessions(&house), count(&house, "C_SignInit")), (1, 1));
    for stream in [&mut second, &mut first] {
        assert_eq!(octets(&stream.step(&mut speaker, b"age", true), Tag::MACData), whole);
    }
    assert_eq!((count(&house, "C_SignFinal"), count(&house, "C_Sign")), (1, 1));
    // The place is free again.
    let mut third = Stream::begin(&mut speaker, "MAC", &mac, &[], b"a mess");
    assert_eq!(octets(&third.step(&mut speaker, b"age", true), Tag::MACData), whole);
    assert_eq!(count(&house, "C_SignFinal"), 2);
}

#[test]
fn a_session_goes_with_a_lost_stream_and_with_its_key() {
    let house = House::with("[limits]\nparts_seconds = 1");
    let mut speaker = Speaker::of(&house.kmipd);
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate", &stays());
    let other = speaker.create("HMAC_SHA256", "256", "MACGenerate", &stays());
    house.forget_calls();
    let _lost = Stream::begin(&mut speaker, "MAC", &mac, &[], b"a message");
    assert_eq!(open_sessions(&house), 1);
    let deadline = Instant::now() + Duration::from_secs(60);
    // Whoever works with the module next closes it, once the sweeper has let it go.
    while open_sessions(&house) > 0 {
        assert!(Instant::now() < deadline, "the session of a lost stream stays open");
        speaker.ask("MAC", &[id(&other), bytes("Data", b"a message")]);
    }

    let stream = Stream::begin(&mut speaker, "MAC", &mac, &[], b"a message");
    let why = st("RevocationReason", &[en("RevocationReasonCode", "CessationOfOperation")]);
    speaker.ask("Revoke", &[id(&mac), why]);
    speaker.ask("Destroy", &[id(&mac)]);
    speaker.refusal("MAC", &stream.payload(b"", true));
    speaker.ask("MAC", &[id(&other), bytes("Data", b"a message")]);
    assert_eq!(open_sessions(&house), 0);
}
