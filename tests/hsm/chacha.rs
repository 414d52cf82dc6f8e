//! ChaCha20 with keys in the module.

use std::fs;

use kmip_codec::spec::{ResultReason, Tag};

use crate::guarded::{not_asked, nothing_came_in_or_out};
use crate::house::{House, Module};
use crate::shim::{calls, named};
use crate::speaker::{Speaker, identifier, octets, stays, wrapped_with};
use crate::xml::{bo, bytes, en, id, int, st};

const BOTH: &str = "Encrypt Decrypt";
/// CKM_CHACHA20 and CKM_CHACHA20_POLY1305.
const STREAM: u64 = 0x1226;
const SEALED: u64 = 0x4021;
/// RFC 8439 section 2.4.2, the first block of it.
const TEXT: &str = "6e2e359a2568f98041ba0728dd0d6981";

fn parameters(items: &[String]) -> String {
    st("CryptographicParameters", items)
}

/// The server makes the nonces of keys that do not leave.
fn random(algorithm: &str) -> String {
    parameters(&[en("CryptographicAlgorithm", algorithm), bo("RandomIV", true)])
}

fn does_not_leave(speaker: &mut Speaker, key: &str, by: &str) {
    for more in [String::new(), en("KeyFormatType", "TransparentSymmetricKey"), wrapped_with(by, "NoEncoding")] {
        assert_eq!(speaker.refusal("Get", &[id(key), more]), ResultReason::NotExtractable);
    }
}

#[test]
fn keys_of_it_work_in_the_module_and_stay_there() {
    let house = House::of(Module::Kryoptic, "");
    let mut speaker = Speaker::of(&house.kmipd);
    let by = speaker.register(&[7; 32], &[]);
    let data: Vec<u8> = (0..200).collect();
    for algorithm in ["ChaCha20", "ChaCha20Poly1305"] {
        house.forget_calls();
        let key = speaker.create(algorithm, "256", BOTH, &stays());
        let seals = algorithm == "ChaCha20Poly1305";
        let aad = bytes("AuthenticatedEncryptionAdditionalData", b"header");
        let mut asked = vec![id(&key), random(algorithm), bytes("Data", &data)];
        asked.extend(seals.then(|| aad.clone()));
        let made = speaker.ask("Encrypt", &asked);
        let (text, nonce) = (octets(&made, Tag::Data), octets(&made, Tag::IVCounterNonce));
        assert_eq!((text.len(), nonce.len()), (200, 12));
        assert_ne!(text, data);
        let how = parameters(&[en("CryptographicAlgorithm", algorithm)]);
        let mut asked = vec![id(&key), how, bytes("Data", &text), bytes("IVCounterNonce", &nonce)];
        if seals {
            let tag = octets(&made, Tag::AuthenticatedEncryptionTag);
            let wrong = [&tag[..15], &[tag[15] ^ 1]].concat();
            asked.push(aad);
            for wrong in [wrong, vec![0; 16]] {
                let wrong = [&asked[..], &[bytes("AuthenticatedEncryptionTag", &wrong)]].concat();
                assert_eq!(speaker.refusal("Decrypt", &wrong), ResultReason::CryptographicFailure);
            }
            asked.push(bytes("AuthenticatedEncryptionTag", &tag));
        }
        assert_eq!(octets(&speaker.ask("Decrypt", &asked), Tag::Data), data, "{algorithm}");
        let made = calls(&house.calls);
        nothing_came_in_or_out(&made);
        let mechanism = if seals { SEALED } else { STREAM };
        let asked: Vec<_> = named(&made, "C_EncryptInit").map(|call| call["mechanism"].as_u64()).collect();
        assert_eq!(asked, [Some(mechanism)]);
        assert!(named(&made, "C_DecryptInit").all(|call| call["mechanism"].as_u64() == Some(mechanism)));
        assert_eq!(speaker.protection(&key), 2);
        does_not_leave(&mut speaker, &key, &by);
        // Its nonces are the server's, there as elsewhere.
        let own = [id(&key), bytes("Data", &data), bytes("IVCounterNonce", &[1; 12])];
        assert_eq!(speaker.refusal("Encrypt", &own), ResultReason::PermissionDenied);
    }
}

/// In parts the counter goes on, and each part begins and ends in the module.
#[test]
fn a_stream_is_in_parts_what_it_is_as_a_whole() {
    let house = House::of(Module::Kryoptic, "[keys]\nclient_nonces = true");
    let mut speaker = Speaker::of(&house.kmipd);
    let block = [
        en("KeyFormatType", "Raw"),
        st("KeyValue", &[bytes("KeyMaterial", &(0..32).collect::<Vec<u8>>())]),
        en("CryptographicAlgorithm", "ChaCha20"),
        int("CryptographicLength", "256"),
    ];
    let attributes = [&[int("CryptographicUsageMask", BOTH)], &stays()[..]].concat();
    let register = [
        en("ObjectType", "SymmetricKey"),
        st("Attributes", &attributes),
        st("SymmetricKey", &[st("KeyBlock", &block)]),
    ];
    let key = identifier(&speaker.ask("Register", &register));
    speaker.ask("Activate", &[id(&key)]);
    let nonce = bytes("IVCounterNonce", &hex::decode("000000000000004a00000000").unwrap());
    let how = [id(&key), parameters(&[int("InitialCounterValue", "1")]), nonce];
    let known = speaker.ask("Encrypt", &[&how[..], &[bytes("Data", b"Ladies and Gentl")]].concat());
    assert_eq!(hex::encode(octets(&known, Tag::Data)), TEXT);
    let data: Vec<u8> = (0..250).collect();
    let whole = octets(&speaker.ask("Encrypt", &[&how[..], &[bytes("Data", &data)]].concat()), Tag::Data);
    house.forget_calls();
    for (operation, data, expected) in [("Encrypt", &data, &whole), ("Decrypt", &whole, &data)] {
        let begin = [&how[..], &[bytes("Data", &data[..70]), bo("InitIndicator", true)]].concat();
        let first = speaker.ask(operation, &begin);
        let mut out = octets(&first, Tag::Data);
        for (part, last) in [(&data[70..200], false), (&data[200..], true)] {
            let correlation = bytes("CorrelationValue", &octets(&first, Tag::CorrelationValue));
            let step = [id(&key), bytes("Data", part), correlation, bo("FinalIndicator", last)];
            out.extend(octets(&speaker.ask(operation, &step), Tag::Data));
        }
        assert_eq!(&out, expected, "{operation}");
    }
    let made = calls(&house.calls);
    assert_eq!((named(&made, "C_EncryptInit").count(), named(&made, "C_DecryptInit").count()), (3, 3));
    assert!(named(&made, "C_EncryptUpdate").next().is_none());
    // What the module lacks of it: the first ChaCha20, and a tag that is cut.
    let short = bytes("IVCounterNonce", &[1; 8]);
    let old = [id(&key), bytes("Data", &data), short];
    assert_eq!(speaker.refusal("Encrypt", &old), ResultReason::UnsupportedCryptographicParameters);
    let cut = parameters(&[en("CryptographicAlgorithm", "ChaCha20Poly1305"), int("TagLength", "12")]);
    let cut = [id(&key), cut, bytes("Data", &data), bytes("IVCounterNonce", &[1; 12])];
    assert_eq!(speaker.refusal("Encrypt", &cut), ResultReason::UnsupportedCryptographicParameters);
}

/// SoftHSM2 has none: the keys are bytes there, and neither work nor leave.
#[test]
fn a_module_without_it_keeps_the_keys_and_does_nothing_with_them() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let by = speaker.register(&[7; 32], &[]);
    let keys = ["ChaCha20", "ChaCha20Poly1305"].map(|algorithm| {
        let key = speaker.create(algorithm, "256", BOTH, &stays());
        (key, algorithm)
    });
    house.forget_calls();
    for (key, algorithm) in keys {
        assert_eq!(speaker.protection(&key), 2);
        let refused = speaker.refusal("Encrypt", &[id(&key), random(algorithm), bytes("Data", b"data")]);
        assert_eq!(refused, ResultReason::UnsupportedCryptographicParameters);
        does_not_leave(&mut speaker, &key, &by);
    }
    not_asked(&calls(&house.calls));
}

/// Keys that came into the module when they were but bytes there.
#[test]
fn keys_from_before_work_when_the_module_has_it() {
    let mut house = House::of(Module::Kryoptic, "");
    fs::write(&house.lacks, "4645 4646 16417").unwrap();
    assert!(house.kmipd.terminate().success());
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("ChaCha20Poly1305", "256", BOTH, &stays());
    let asked = [id(&key), random("ChaCha20Poly1305"), bytes("Data", b"data")];
    assert_eq!(speaker.refusal("Encrypt", &asked), ResultReason::UnsupportedCryptographicParameters);
    drop(speaker);
    fs::remove_file(&house.lacks).unwrap();
    assert!(house.kmipd.terminate().success());
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    let made = speaker.ask("Encrypt", &asked);
    let opened = [
        id(&key),
        bytes("Data", &octets(&made, Tag::Data)),
        bytes("IVCounterNonce", &octets(&made, Tag::IVCounterNonce)),
        bytes("AuthenticatedEncryptionTag", &octets(&made, Tag::AuthenticatedEncryptionTag)),
    ];
    assert_eq!(octets(&speaker.ask("Decrypt", &opened), Tag::Data), b"data");
    let by = speaker.register(&[7; 32], &[]);
    does_not_leave(&mut speaker, &key, &by);
}
