//! A module whose answers are cut short: nothing of them goes on to anybody.

use std::fs;

use kmip_codec::spec::{ResultReason, Tag};

use crate::guarded::pair;
use crate::house::{House, Module};
use crate::parts::Stream;
use crate::speaker::{Speaker, V2_1, ecb, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st};

const DATA: &[u8] = b"sixteen letters.";

fn parameters(items: &[String]) -> String {
    st("CryptographicParameters", items)
}

/// Asks while answers are cut, or are not.
fn asks(house: &House, speaker: &mut Speaker, operation: &str, payload: &[String], is_cut: bool) {
    if is_cut {
        fs::write(&house.cut, "").unwrap();
    }
    let came = speaker.attempt(V2_1, operation, payload).map(drop);
    let expected = if is_cut { Err(ResultReason::GeneralFailure) } else { Ok(()) };
    assert_eq!(came, expected, "{operation} {payload:?}");
    if is_cut {
        fs::remove_file(&house.cut).unwrap();
    }
}

fn cut_answers_go_to_nobody(module: Module) {
    let house = House::of(module, "[keys]\nclient_nonces = true");
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate MACVerify", &stays());
    let [rsa, ec] = [("RSA", "2048"), ("ECDSA", "256")].map(|(algorithm, bits)| pair(&mut speaker, algorithm, bits).0);
    let gcm = parameters(&[en("BlockCipherMode", "GCM"), en("CryptographicAlgorithm", "AES"), int("TagLength", "16")]);
    let cbc = parameters(&[en("BlockCipherMode", "CBC"), en("PaddingMethod", "PKCS5")]);
    let ctr = parameters(&[en("BlockCipherMode", "CTR")]);
    let sha256 = en("HashingAlgorithm", "SHA_256");
    let pkcs1 = [en("PaddingMethod", "PKCS1V1_5"), sha256.clone(), en("CryptographicAlgorithm", "RSA")];
    let (iv, nonce) = (bytes("IVCounterNonce", &[7; 16]), bytes("IVCounterNonce", &[7; 12]));
    let data = bytes("Data", DATA);

    let sealed = speaker.ask("Encrypt", &[id(&key), gcm.clone(), data.clone(), nonce.clone()]);
    let tag = bytes("AuthenticatedEncryptionTag", &octets(&sealed, Tag::AuthenticatedEncryptionTag));
    let sealed = bytes("Data", &octets(&sealed, Tag::Data));
    let works = [
        ("Encrypt", vec![id(&key), ecb(), data.clone()]),
        ("Encrypt", vec![id(&key), cbc, data.clone(), iv.clone()]),
        ("Encrypt", vec![id(&key), ctr.clone(), data.clone(), iv.clone()]),
        ("Encrypt", vec![id(&key), gcm.clone(), data.clone(), nonce.clone()]),
        ("Decrypt", vec![id(&key), ecb(), data.clone()]),
        ("Decrypt", vec![id(&key), ctr, data.clone(), iv]),
        ("Decrypt", vec![id(&key), gcm.clone(), sealed, nonce.clone(), tag]),
        ("MAC", vec![id(&mac), data.clone()]),
        ("MACVerify", vec![id(&mac), data.clone(), bytes("MACData", &[7; 32])]),
        ("Sign", vec![id(&rsa), parameters(&pkcs1), data.clone()]),
        ("Sign", vec![id(&ec), parameters(&[sha256, en("CryptographicAlgorithm", "ECDSA")]), data]),
    ];
    for (operation, payload) in &works {
        for is_cut in [true, false] {
            asks(&house, &mut speaker, operation, payload, is_cut);
        }
    }

    // What the module keeps of work in parts: the last answer is what is left of all of it.
    let part = || bytes("Data", &[3; 40]);
    for (operation, key, begin) in
        [("MAC", &mac, vec![id(&mac), part()]), ("Encrypt", &key, vec![id(&key), gcm, part(), nonce])]
    {
        for is_cut in [true, false] {
            let begun = speaker.ask(operation, &[&begin[..], &[bo("InitIndicator", true)]].concat());
            let stream = Stream::going_on(operation, key, octets(&begun, Tag::CorrelationValue));
            asks(&house, &mut speaker, operation, &stream.payload(DATA, true), is_cut);
        }
    }
}

#[test]
fn cut_answers_of_softhsm_go_to_nobody() {
    cut_answers_go_to_nobody(Module::SoftHsm);
}

#[test]
fn cut_answers_of_kryoptic_go_to_nobody() {
    cut_answers_go_to_nobody(Module::Kryoptic);
}
