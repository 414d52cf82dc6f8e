//! What the module has ready of a key goes when something changes that its use is decided by, and comes again when it is used.

use std::thread;
use std::time::{Duration, Instant};

use kmip_codec::spec::{ResultReason, Tag};
use serde_json::Value as Json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::house::House;
use crate::parts::{Stream, open_sessions};
use crate::protection::ON_TOKEN;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, ecb, identifier, new, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st};

/// The session object that a key was unwrapped into last.
#[track_caller]
fn unwrapped(house: &House) -> Json {
    named(&calls(&house.calls), "C_UnwrapKey").last().expect("a key was unwrapped")["object"].clone()
}

/// Waits until a session object is destroyed. Nobody asks the server for anything meanwhile.
#[track_caller]
fn is_destroyed(house: &House, object: &Json) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !named(&calls(&house.calls), "C_DestroyObject").any(|call| call["object"] == *object) {
        assert!(Instant::now() < deadline, "the handle {object} stays");
        thread::yield_now();
    }
}

/// Uses a key, which is opened for it in the module; answers the session object.
#[track_caller]
fn opened(house: &House, speaker: &mut Speaker, key: &str) -> Json {
    house.forget_calls();
    speaker.block(key);
    speaker.block(key);
    assert_eq!(named(&calls(&house.calls), "C_UnwrapKey").count(), 1, "once for both");
    unwrapped(house)
}

fn revoke(speaker: &mut Speaker, key: &str) {
    let why = st("RevocationReason", &[en("RevocationReasonCode", "CessationOfOperation")]);
    speaker.ask("Revoke", &[id(key), why]);
}

#[test]
fn a_handle_goes_when_its_key_turns() {
    let mut house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);

    // Made and activated: what it was first opened into is gone.
    house.forget_calls();
    let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
    is_destroyed(&house, &unwrapped(&house));

    // What decides nothing of its use changes nothing.
    let object = opened(&house, &mut speaker, &key);
    speaker.ask("AddAttribute", &[id(&key), new(crate::speaker::name("a name"))]);
    house.forget_calls();
    let block = speaker.block(&key);
    assert_eq!(named(&calls(&house.calls), "C_UnwrapKey").count(), 0);

    // Archived, and recovered: another one.
    speaker.ask("Archive", &[id(&key)]);
    is_destroyed(&house, &object);
    speaker.ask("Recover", &[id(&key)]);
    let object = opened(&house, &mut speaker, &key);

    // Replaced: it still works.
    let replacement = identifier(&speaker.ask("ReKey", &[id(&key)]));
    is_destroyed(&house, &object);
    let of_replacement = unwrapped(&house);
    assert_ne!(of_replacement, object);
    house.forget_calls();
    assert_eq!(speaker.block(&key), block);
    let object = unwrapped(&house);

    // Revoked.
    speaker.block(&replacement);
    revoke(&mut speaker, &replacement);
    is_destroyed(&house, &of_replacement);
    let encrypt = [id(&replacement), ecb(), bytes("Data", b"sixteen letters.")];
    assert_eq!(speaker.refusal("Encrypt", &encrypt), ResultReason::WrongKeyLifecycleState);

    // By date, though nobody asks for it.
    let soon = (OffsetDateTime::now_utc() + Duration::from_secs(2)).format(&Rfc3339).unwrap();
    let soon = format!("<DeactivationDate type=\"DateTime\" value=\"{soon}\"/>");
    speaker.ask("AddAttribute", &[id(&key), new(soon)]);
    is_destroyed(&house, &object);

    // Who found a handle, and who did not, is counted.
    assert!(house.kmipd.terminate().success());
    let log = house.kmipd.log();
    let line = log.lines().rfind(|line| line.contains("handles of keys in the module")).expect("the count of handles");
    let line: Json = serde_json::from_str(line).unwrap();
    let count = |name: &str| line[name].as_u64().unwrap_or_else(|| panic!("{name}: {line}"));
    assert!(count("hits") >= 4 && count("misses") >= 5 && count("held") <= 2, "{line}");
}

/// A token object stays where it is, and is looked for again.
#[test]
fn a_handle_of_the_token_goes_and_the_object_stays() {
    let house = House::with(ON_TOKEN);
    let mut speaker = Speaker::of(&house.kmipd);
    let attributes =
        [en("CryptographicAlgorithm", "AES"), int("CryptographicUsageMask", "Encrypt"), bo("Extractable", false)];
    let masks = st("ProtectionStorageMasks", &[int("ProtectionStorageMask", "OnProcessor")]);
    let made = speaker.ask("Create", &[en("ObjectType", "SymmetricKey"), st("Attributes", &attributes), masks]);
    let key = identifier(&made);
    let looks = |speaker: &mut Speaker| {
        house.forget_calls();
        speaker.block(&key);
        named(&calls(&house.calls), "C_FindObjects").count()
    };
    speaker.ask("Activate", &[id(&key)]);
    assert!(looks(&mut speaker) > 0);
    assert_eq!(looks(&mut speaker), 0);
    speaker.ask("Archive", &[id(&key)]);
    speaker.ask("Recover", &[id(&key)]);
    assert!(looks(&mut speaker) > 0);
    assert_eq!(looks(&mut speaker), 0);
}

#[test]
fn work_in_parts_ends_with_the_state_of_its_key() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let mac = |speaker: &mut Speaker| speaker.create("HMAC_SHA256", "256", "MACGenerate", &stays());
    let [revoked, archived, replaced, other] = [(); 4].map(|()| mac(&mut speaker));
    let whole = octets(&speaker.ask("MAC", &[id(&replaced), bytes("Data", b"a message")]), Tag::MACData);
    let closes = |speaker: &mut Speaker, left: usize| {
        let deadline = Instant::now() + Duration::from_secs(60);
        // Whoever works with the module next closes the session.
        while open_sessions(&house) > left {
            assert!(Instant::now() < deadline, "the session stays open");
            speaker.ask("MAC", &[id(&other), bytes("Data", b"a message")]);
        }
    };
    house.forget_calls();
    let of_revoked = Stream::begin(&mut speaker, "MAC", &revoked, &[], b"a mess");
    let of_archived = Stream::begin(&mut speaker, "MAC", &archived, &[], b"a mess");
    let mut of_replaced = Stream::begin(&mut speaker, "MAC", &replaced, &[], b"a mess");
    assert_eq!(open_sessions(&house), 3);
    revoke(&mut speaker, &revoked);
    closes(&mut speaker, 2);
    speaker.ask("Archive", &[id(&archived)]);
    closes(&mut speaker, 1);
    speaker.ask("Recover", &[id(&archived)]);
    for stream in [&of_revoked, &of_archived] {
        speaker.refusal("MAC", &stream.payload(b"age", true));
    }
    // One that has a replacement goes on, in parts too.
    speaker.ask("ReKey", &[id(&replaced)]);
    let code = of_replaced.step(&mut speaker, b"age", true);
    assert_eq!(octets(&code, Tag::MACData), whole);
}

/// What is begun in the message that activates its key goes on after it.
#[test]
fn work_that_begins_with_the_state_of_its_key_goes_on() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let attributes = [
        en("CryptographicAlgorithm", "HMAC_SHA256"),
        int("CryptographicLength", "256"),
        int("CryptographicUsageMask", "MACGenerate"),
        bo("Extractable", false),
    ];
    let made = speaker.ask("Create", &[en("ObjectType", "SymmetricKey"), st("Attributes", &attributes)]);
    let key = identifier(&made);
    let begin = [id(&key), bytes("Data", b"a mess"), bo("InitIndicator", true)].concat();
    let came = speaker.batch(crate::speaker::V2_1, &[("Activate", id(&key)), ("MAC", begin)]);
    let correlation = octets(came[1].as_ref().unwrap(), Tag::CorrelationValue);
    let rest = [id(&key), bytes("Data", b"age"), bytes("CorrelationValue", &correlation), bo("FinalIndicator", true)];
    let code = octets(&speaker.ask("MAC", &rest), Tag::MACData);
    let whole = speaker.ask("MAC", &[id(&key), bytes("Data", b"a message")]);
    assert_eq!(octets(&whole, Tag::MACData), code);
}
