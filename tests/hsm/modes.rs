//! Modes, paddings, MACs and nonces of keys that do not leave: what the module has it does, and what it lacks is refused
//! without a key leaving it.

use kmip_codec::spec::{ResultReason, Tag};

use crate::house::House;
use crate::shim::calls;
use crate::speaker::{Speaker, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st};

const PLAIN: &[u8] = b"twenty-four letters long";

fn mode(mode: &str, more: &[String]) -> String {
    st("CryptographicParameters", &[&[en("BlockCipherMode", mode)], more].concat())
}

#[test]
fn what_the_module_has_it_does_and_nothing_else_is_done() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    // SP 800-38B, and what RFC 3394 wraps with: known keys, to be seen from outside.
    let known = hex::decode("2b7e151628aed2a6abf7158809cf4f3c").unwrap();
    let mask = int("CryptographicUsageMask", "Encrypt Decrypt MACGenerate MACVerify");
    let block = [
        en("KeyFormatType", "Raw"),
        st("KeyValue", &[bytes("KeyMaterial", &known)]),
        en("CryptographicAlgorithm", "AES"),
        int("CryptographicLength", "128"),
    ];
    let attributes = [vec![mask], stays()].concat();
    let register = [
        en("ObjectType", "SymmetricKey"),
        st("Attributes", &attributes),
        st("SymmetricKey", &[st("KeyBlock", &block)]),
    ];
    let made = speaker.ask("Register", &register);
    let key = made.find(Tag::UniqueIdentifier).unwrap().text().unwrap().to_owned();
    speaker.ask("Activate", &[id(&key)]);

    let data = hex::decode("6bc1bee22e409f96e93d7e117393172a").unwrap();
    let cmac = [id(&key), mode("CMAC", &[]), bytes("Data", &data)];
    let mac = speaker.ask("MAC", &cmac);
    assert_eq!(hex::encode(octets(&mac, Tag::MACData)), "070a16b46b4d4144f79bdd9dd04a287c");
    house.forget_calls();
    speaker.ask("MAC", &cmac);
    let asked: Vec<_> = calls(&house.calls).iter().map(|call| call["function"].as_str().unwrap().to_owned()).collect();
    assert_eq!(asked, ["C_SignInit", "C_Sign"]);

    // A wrap as a mode, and every padding, both ways.
    let padded = |name: &str, method: &str| mode(name, &[en("PaddingMethod", method)]);
    for parameters in [
        mode("NISTKeyWrap", &[]),
        mode("AESKeyWrapPadding", &[]),
        padded("ECB", "PKCS5"),
        padded("ECB", "ANSIX9_23"),
        padded("ECB", "ISO10126"),
    ] {
        let sealed = speaker.ask("Encrypt", &[id(&key), parameters.clone(), bytes("Data", PLAIN)]);
        let sealed = octets(&sealed, Tag::Data);
        let opened = speaker.ask("Decrypt", &[id(&key), parameters.clone(), bytes("Data", &sealed)]);
        assert_eq!(octets(&opened, Tag::Data), PLAIN, "{parameters}");
        for wrong in [&sealed[1..], &[0; 32]] {
            let refused = speaker.refusal("Decrypt", &[id(&key), parameters.clone(), bytes("Data", wrong)]);
            assert_eq!(refused, ResultReason::CryptographicFailure, "{parameters}");
        }
    }

    // What SoftHSM lacks is refused, and no key is looked at for it.
    house.forget_calls();
    let (nonce, tag, random) = (bytes("IVCounterNonce", &[1; 16]), int("TagLength", "16"), bo("RandomIV", true));
    for payload in [
        vec![id(&key), mode("CCM", &[random, tag]), bytes("Data", PLAIN)],
        vec![id(&key), mode("CFB", &[]), bytes("Data", PLAIN), nonce],
    ] {
        let refused = speaker.refusal("Encrypt", &payload);
        assert_eq!(refused, ResultReason::UnsupportedCryptographicParameters);
    }
    assert!(calls(&house.calls).is_empty());
}

#[test]
fn the_server_makes_the_nonces_unless_the_configuration_leaves_them_to_clients() {
    for leave in [false, true] {
        let house = House::with(if leave { "[keys]\nclient_nonces = true" } else { "" });
        let mut speaker = Speaker::of(&house.kmipd);
        let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
        let open = speaker.create("AES", "256", "Encrypt Decrypt", &[]);
        let gcm = |more: &[String]| mode("GCM", &[more, &[int("TagLength", "16")]].concat());
        let own = |key: &str| vec![id(key), gcm(&[]), bytes("Data", PLAIN), bytes("IVCounterNonce", &[1; 12])];
        if leave {
            speaker.ask("Encrypt", &own(&key));
        } else {
            assert_eq!(speaker.refusal("Encrypt", &own(&key)), ResultReason::PermissionDenied);
        }
        speaker.ask("Encrypt", &own(&open));
        let made = speaker.ask("Encrypt", &[id(&key), gcm(&[bo("RandomIV", true)]), bytes("Data", PLAIN)]);
        let decrypt = [
            id(&key),
            gcm(&[]),
            bytes("Data", &octets(&made, Tag::Data)),
            bytes("IVCounterNonce", &octets(&made, Tag::IVCounterNonce)),
            bytes("AuthenticatedEncryptionTag", &octets(&made, Tag::AuthenticatedEncryptionTag)),
        ];
        assert_eq!(octets(&speaker.ask("Decrypt", &decrypt), Tag::Data), PLAIN);
    }
}
