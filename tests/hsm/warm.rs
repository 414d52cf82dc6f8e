//! What a key in the module costs: how often the module is asked, and who waits for it. On a network each call is a round
//! trip.

use std::fs;
use std::thread;

use kmip_codec::spec::Tag;

use crate::guarded::pair;
use crate::house::House;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, ecb, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st};

/// AES-GCM with a nonce that the server makes, unless it is given.
fn gcm(random: bool) -> String {
    let mode = [en("BlockCipherMode", "GCM"), en("CryptographicAlgorithm", "AES"), int("TagLength", "16")];
    let random = if random { bo("RandomIV", true) } else { String::new() };
    st("CryptographicParameters", &[&mode[..], &[random]].concat())
}

/// What the module is asked for a piece of work, when it has been asked for it before.
#[track_caller]
fn asked(house: &House, work: impl FnOnce()) -> Vec<String> {
    house.forget_calls();
    work();
    calls(&house.calls).iter().map(|call| call["function"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_key_that_was_used_before_takes_two_calls_and_one_of_the_server_none() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate", &stays());
    let rsa = pair(&mut speaker, "RSA", "2048");
    let ec = pair(&mut speaker, "ECDSA", "256");
    let data = vec![7; 1024];

    let mut encrypted = Vec::new();
    for warm in [false, true] {
        let asked = asked(&house, || {
            let answer = speaker.ask("Encrypt", &[id(&key), gcm(true), bytes("Data", &data)]);
            encrypted = [Tag::Data, Tag::IVCounterNonce, Tag::AuthenticatedEncryptionTag]
                .map(|tag| octets(&answer, tag))
                .into();
        });
        assert!(!warm || asked == ["C_EncryptInit", "C_Encrypt"], "{asked:?}");
    }
    // What was ready of a key is let go when it is activated: the first use has it opened again.
    let asked_once = |payload: &[String], speaker: &mut Speaker, operation: &str| {
        speaker.ask(operation, payload);
        asked(&house, || drop(speaker.ask(operation, payload)))
    };
    let decrypt = [
        id(&key),
        gcm(false),
        bytes("Data", &encrypted[0]),
        bytes("IVCounterNonce", &encrypted[1]),
        bytes("AuthenticatedEncryptionTag", &encrypted[2]),
    ];
    assert_eq!(asked_once(&decrypt, &mut speaker, "Decrypt"), ["C_DecryptInit", "C_Decrypt"]);
    let code =
        [id(&mac), st("CryptographicParameters", &[en("CryptographicAlgorithm", "HMAC_SHA256")]), bytes("Data", &data)];
    assert_eq!(asked_once(&code, &mut speaker, "MAC"), ["C_SignInit", "C_Sign"]);
    let sha256 = en("HashingAlgorithm", "SHA_256");
    for (private, parameters) in [
        (&rsa.0, vec![en("PaddingMethod", "PKCS1V1_5"), sha256.clone(), en("CryptographicAlgorithm", "RSA")]),
        (&ec.0, vec![sha256, en("CryptographicAlgorithm", "ECDSA")]),
    ] {
        let sign = [id(private), st("CryptographicParameters", &parameters), bytes("Data", &data)];
        assert_eq!(asked_once(&sign, &mut speaker, "Sign"), ["C_SignInit", "C_Sign"]);
    }

    // Keys of the server ask nothing of it, whoever makes their nonces.
    let open = speaker.create("AES", "256", "Encrypt", &[]);
    assert!(asked_once(&[id(&open), gcm(true), bytes("Data", &data)], &mut speaker, "Encrypt").is_empty());
    // Random bytes are the module's where a client asks for them.
    assert_eq!(asked_once(&[int("DataLength", "32")], &mut speaker, "RNGRetrieve"), ["C_GenerateRandom"]);
}

/// More clients wait for a module that does not come back than it has sessions, and the server has threads. Everybody else
/// is answered meanwhile, and they are in the end.
#[test]
fn a_module_that_does_not_come_back_holds_up_its_own_keys_alone() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt", &stays());
    let open = speaker.create("AES", "256", "Encrypt", &[]);
    let of_server = |algorithm, bits| {
        let attributes = [en("CryptographicAlgorithm", algorithm), int("CryptographicLength", bits)];
        let usage = |mask| int("CryptographicUsageMask", mask);
        vec![
            st("CommonAttributes", &attributes),
            st("PrivateKeyAttributes", &[usage("Sign")]),
            st("PublicKeyAttributes", &[usage("Verify")]),
        ]
    };
    let parameters = |more: &[String]| {
        let common = [en("HashingAlgorithm", "SHA_256")];
        st("CryptographicParameters", &[&common[..], more].concat())
    };
    let mut signing = Vec::new();
    for (algorithm, bits, more) in [("RSA", "2048", Some("PKCS1V1_5")), ("ECDSA", "256", None)] {
        let made = speaker.ask("CreateKeyPair", &of_server(algorithm, bits));
        let private = made.find(Tag::PrivateKeyUniqueIdentifier).unwrap().text().unwrap().to_owned();
        speaker.ask("Activate", &[id(&private)]);
        let more: Vec<_> = more.into_iter().map(|padding| en("PaddingMethod", padding)).collect();
        signing.push([id(&private), parameters(&more), bytes("Data", b"a message")]);
    }
    let block = speaker.block(&key);

    house.forget_calls();
    fs::write(&house.stuck, "").unwrap();
    let waiting: Vec<_> = (0..24)
        .map(|_| {
            let (mut speaker, key) = (Speaker::of(&house.kmipd), key.clone());
            thread::spawn(move || speaker.block(&key))
        })
        .collect();
    // As many as have sessions are in the module: the others stand behind them.
    while named(&calls(&house.calls), "stuck").count() < 8 {
        thread::yield_now();
    }
    let mut other = Speaker::of(&house.kmipd);
    other.ask("Query", &[en("QueryFunction", "QueryOperations")]);
    other.ask("Get", &[id(&open)]);
    other.ask("Encrypt", &[id(&open), ecb(), bytes("Data", b"sixteen letters.")]);
    other.ask("Encrypt", &[id(&open), gcm(true), bytes("Data", b"sixteen letters.")]);
    for sign in &signing {
        other.ask("Sign", sign);
    }
    other.ask("CreateKeyPair", &of_server("RSA", "2048"));
    assert!(waiting.iter().all(|waiting| !waiting.is_finished()));
    fs::remove_file(&house.stuck).unwrap();
    for waiting in waiting {
        assert_eq!(waiting.join().unwrap(), block);
    }
}
