//! Triple DES with keys in the module.

use std::fs;

use kmip_codec::Value;
use kmip_codec::spec::{ResultReason, Tag};

use crate::guarded::{not_asked, nothing_came_in_or_out};
use crate::house::{House, Module};
use crate::protection::ON_TOKEN;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, identifier, new, octets, stays, wrapped_with};
use crate::xml::{bo, bytes, en, id, int, st, text};

const ALLOWED: &str = "[algorithms]\nallow = [\"3DES\"]";
const BOTH: &str = "Encrypt Decrypt";
/// CKM_DES3_ECB and CKM_DES3_CBC.
const ECB: u64 = 0x132;
const CBC: u64 = 0x133;
/// SP 800-67 appendix B.1.
const KEY: &str = "0123456789abcdef23456789abcdef01456789abcdef0123";
const PLAIN: &str = "54686520717566636b2062726f776e20666f78206a756d70";
const TEXT: &str = "a826fd8ce53b855fcce21c8112256fe668d5c05dd9b6b900";

fn parameters(mode: &str, padding: &str) -> String {
    st("CryptographicParameters", &[en("BlockCipherMode", mode), en("PaddingMethod", padding)])
}

fn encrypt(key: &str, data: &[u8]) -> [String; 3] {
    [id(key), parameters("ECB", "None"), bytes("Data", data)]
}

/// Registers a key of triple DES, and activates it.
fn register(speaker: &mut Speaker, key: &[u8], more: &[String]) -> String {
    let block = [
        en("KeyFormatType", "Raw"),
        st("KeyValue", &[bytes("KeyMaterial", key)]),
        en("CryptographicAlgorithm", "DES3"),
        int("CryptographicLength", &(key.len() * 8).to_string()),
    ];
    let attributes = [&[int("CryptographicUsageMask", "Encrypt Decrypt WrapKey")], more].concat();
    let request = [
        en("ObjectType", "SymmetricKey"),
        st("Attributes", &attributes),
        st("SymmetricKey", &[st("KeyBlock", &block)]),
    ];
    let made = identifier(&speaker.ask("Register", &request));
    speaker.ask("Activate", &[id(&made)]);
    made
}

/// That the key is the known one.
fn is_known(speaker: &mut Speaker, key: &str) {
    let out = speaker.ask("Encrypt", &encrypt(key, &hex::decode(PLAIN).unwrap()));
    assert_eq!(hex::encode(octets(&out, Tag::Data)), TEXT);
    let back = speaker.ask("Decrypt", &encrypt(key, &hex::decode(TEXT).unwrap()));
    assert_eq!(hex::encode(octets(&back, Tag::Data)), PLAIN);
}

/// The bytes of a key that leaves.
fn given(speaker: &mut Speaker, key: &str) -> Vec<u8> {
    let answer = speaker.ask("Get", &[id(key)]);
    let within = [Tag::SymmetricKey, Tag::KeyBlock, Tag::KeyValue];
    let value = within.into_iter().fold(&answer, |value, tag| value.find(tag).unwrap());
    octets(value, Tag::KeyMaterial)
}

/// The Key Value of one that leaves wrapped.
fn value(answer: &Value) -> Vec<u8> {
    let within = [Tag::SymmetricKey, Tag::KeyBlock];
    octets(within.into_iter().fold(answer, |value, tag| value.find(tag).unwrap()), Tag::KeyValue)
}

fn does_not_leave(speaker: &mut Speaker, key: &str, by: &str) {
    for more in [String::new(), en("KeyFormatType", "TransparentSymmetricKey"), wrapped_with(by, "NoEncoding")] {
        assert_eq!(speaker.refusal("Get", &[id(key), more]), ResultReason::NotExtractable);
    }
}

#[test]
fn keys_of_it_work_in_the_module_and_stay_there() {
    let house = House::with(&format!("{ALLOWED}\n{ON_TOKEN}"));
    let mut speaker = Speaker::of(&house.kmipd);
    let by = speaker.register(&[7; 32], &[]);
    for (bits, place) in [("112", "Hardware"), ("168", "Hardware"), ("168", "OnProcessor")] {
        house.forget_calls();
        let attributes = [
            en("CryptographicAlgorithm", "DES3"),
            int("CryptographicLength", bits),
            int("CryptographicUsageMask", BOTH),
            bo("Extractable", false),
        ];
        let masks = st("ProtectionStorageMasks", &[int("ProtectionStorageMask", place)]);
        let create = [en("ObjectType", "SymmetricKey"), st("Attributes", &attributes), masks];
        let key = identifier(&speaker.ask("Create", &create));
        speaker.ask("Activate", &[id(&key)]);
        // In one, and in parts: each step begins and ends, and the chain goes through them.
        let data: Vec<u8> = (0..100).collect();
        let iv = bytes("IVCounterNonce", b"8 bytes!");
        let how = [id(&key), parameters("CBC", "PKCS5"), iv];
        let whole = speaker.ask("Encrypt", &[&how[..], &[bytes("Data", &data)]].concat());
        let whole = octets(&whole, Tag::Data);
        assert_eq!(whole.len(), 104);
        for (operation, data, expected) in [("Encrypt", &data, &whole), ("Decrypt", &whole, &data)] {
            let begin = [&how[..], &[bytes("Data", &data[..21]), bo("InitIndicator", true)]].concat();
            let first = speaker.ask(operation, &begin);
            let mut out = octets(&first, Tag::Data);
            for (part, last) in [(&data[21..70], false), (&data[70..], true)] {
                let correlation = bytes("CorrelationValue", &octets(&first, Tag::CorrelationValue));
                let step = [id(&key), bytes("Data", part), correlation, bo("FinalIndicator", last)];
                out.extend(octets(&speaker.ask(operation, &step), Tag::Data));
            }
            assert_eq!(&out, expected, "{operation}");
        }
        let made = calls(&house.calls);
        nothing_came_in_or_out(&made);
        let asked = |function| -> Vec<_> { named(&made, function).map(|call| call["mechanism"].as_u64()).collect() };
        assert_eq!((asked("C_EncryptInit"), asked("C_DecryptInit")), (vec![Some(CBC); 4], vec![Some(CBC); 3]));
        assert!(named(&made, "C_EncryptUpdate").next().is_none());
        does_not_leave(&mut speaker, &key, &by);
    }
}

#[test]
fn what_is_registered_and_derived_is_the_same_there() {
    let house = House::with(ALLOWED);
    let mut speaker = Speaker::of(&house.kmipd);
    let known = hex::decode(KEY).unwrap();
    let by = speaker.register(&[7; 32], &[]);
    // Whatever the bits of parity say, which only the client sees.
    let odd: Vec<u8> = known.iter().map(|byte| byte ^ 1).collect();
    for bytes_of_it in [&known, &odd] {
        let inside = register(&mut speaker, bytes_of_it, &stays());
        house.forget_calls();
        is_known(&mut speaker, &inside);
        assert_eq!(named(&calls(&house.calls), "C_EncryptInit").next().unwrap()["mechanism"], ECB);
        does_not_leave(&mut speaker, &inside, &by);
        // One that may leave comes back as it was, until it may no more: then it moves.
        let open = register(&mut speaker, bytes_of_it, &[]);
        assert_eq!(given(&mut speaker, &open), *bytes_of_it);
        speaker.ask("ModifyAttribute", &[id(&open), new(bo("Extractable", false))]);
        assert_eq!(speaker.protection(&open), 2);
        is_known(&mut speaker, &open);
        does_not_leave(&mut speaker, &open, &by);
    }
    // Another key leaves wrapped by it.
    let kek = register(&mut speaker, &known, &stays());
    let encryption = [id(&kek), st("CryptographicParameters", &[en("BlockCipherMode", "ECB")])];
    let wrapping = [
        en("WrappingMethod", "Encrypt"),
        st("EncryptionKeyInformation", &encryption),
        en("EncodingOption", "NoEncoding"),
    ];
    let wrapped = speaker.ask("Get", &[id(&by), st("KeyWrappingSpecification", &wrapping)]);
    let wrapped = value(&wrapped);
    let opened = speaker.ask("Decrypt", &encrypt(&kek, &wrapped));
    assert_eq!(octets(&opened, Tag::Data), [7; 32]);

    // Derived in the module and outside.
    let derived = |speaker: &mut Speaker, more: &[String]| {
        let base = [
            en("KeyFormatType", "Raw"),
            st("KeyValue", &[bytes("KeyMaterial", &[0x41; 32])]),
            en("CryptographicAlgorithm", "AES"),
            int("CryptographicLength", "256"),
        ];
        let attributes = [&[int("CryptographicUsageMask", "DeriveKey")], more].concat();
        let base = identifier(&speaker.ask(
            "Register",
            &[
                en("ObjectType", "SymmetricKey"),
                st("Attributes", &attributes),
                st("SymmetricKey", &[st("KeyBlock", &base)]),
            ],
        ));
        speaker.ask("Activate", &[id(&base)]);
        let how = st("CryptographicParameters", &[en("BlockCipherMode", "ECB")]);
        let attributes = [
            en("CryptographicAlgorithm", "DES3"),
            int("CryptographicLength", "168"),
            int("CryptographicUsageMask", BOTH),
        ];
        let asked = [
            en("ObjectType", "SymmetricKey"),
            id(&base),
            en("DerivationMethod", "ENCRYPT"),
            st("DerivationParameters", &[how, bytes("DerivationData", &[5; 32])]),
            st("Attributes", &attributes),
        ];
        let key = identifier(&speaker.ask("DeriveKey", &asked));
        speaker.ask("Activate", &[id(&key)]);
        let out = octets(&speaker.ask("Encrypt", &encrypt(&key, &[9; 16])), Tag::Data);
        (speaker.protection(&key), out)
    };
    let (inside, outside) = (derived(&mut speaker, &stays()), derived(&mut speaker, &[]));
    assert_eq!((inside.0, outside.0), (2, 1));
    assert_eq!(inside.1, outside.1);
}

/// What a key that must not leave has opened does not leave, and is what it is.
#[test]
fn one_that_comes_wrapped_is_opened_and_works_there() {
    let house = House::with(ALLOWED);
    let mut speaker = Speaker::of(&house.kmipd);
    let kek = speaker.create("AES", "256", "WrapKey UnwrapKey", &stays());
    let open = register(&mut speaker, &hex::decode(KEY).unwrap(), &[]);
    let how = st("CryptographicParameters", &[en("BlockCipherMode", "NISTKeyWrap")]);
    let wrapping = [
        en("WrappingMethod", "Encrypt"),
        st("EncryptionKeyInformation", &[id(&kek), how]),
        en("EncodingOption", "NoEncoding"),
    ];
    let wrapped = value(&speaker.ask("Get", &[id(&open), st("KeyWrappingSpecification", &wrapping)]));
    let block = [
        en("KeyFormatType", "Raw"),
        bytes("KeyValue", &wrapped),
        en("CryptographicAlgorithm", "DES3"),
        int("CryptographicLength", "192"),
        st("KeyWrappingData", &wrapping),
    ];
    let import = [
        text("UniqueIdentifier", "imported"),
        en("ObjectType", "SymmetricKey"),
        en("KeyWrapType", "NotWrapped"),
        st("Attributes", &[int("CryptographicUsageMask", BOTH)]),
        st("SymmetricKey", &[st("KeyBlock", &block)]),
    ];
    let imported = identifier(&speaker.ask("Import", &import));
    speaker.ask("Activate", &[id(&imported)]);
    assert_eq!(speaker.protection(&imported), 2);
    house.forget_calls();
    is_known(&mut speaker, &imported);
    assert_eq!(named(&calls(&house.calls), "C_EncryptInit").next().unwrap()["mechanism"], ECB);
    let by = speaker.register(&[7; 32], &[]);
    does_not_leave(&mut speaker, &imported, &by);
}

/// Without leave nothing is encrypted with it, and the module is asked for nothing.
#[test]
fn the_configuration_permits_it_there_too() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("DES3", "168", BOTH, &stays());
    house.forget_calls();
    for operation in ["Encrypt", "Decrypt"] {
        let refused = speaker.refusal(operation, &encrypt(&key, &[0; 8]));
        assert_eq!(refused, ResultReason::UnsupportedCryptographicParameters);
    }
    not_asked(&calls(&house.calls));
}

/// kryoptic has none: the keys are bytes there, and neither work nor leave.
#[test]
fn a_module_without_it_keeps_the_keys_and_does_nothing_with_them() {
    let house = House::of(Module::Kryoptic, ALLOWED);
    let mut speaker = Speaker::of(&house.kmipd);
    let by = speaker.register(&[7; 32], &[]);
    let keys = [
        speaker.create("DES3", "112", BOTH, &stays()),
        speaker.create("DES3", "168", BOTH, &stays()),
        register(&mut speaker, &hex::decode(KEY).unwrap(), &stays()),
    ];
    house.forget_calls();
    for key in keys {
        assert_eq!(speaker.protection(&key), 2);
        for operation in ["Encrypt", "Decrypt"] {
            let refused = speaker.refusal(operation, &encrypt(&key, &[0; 8]));
            assert_eq!(refused, ResultReason::UnsupportedCryptographicParameters);
        }
        does_not_leave(&mut speaker, &key, &by);
    }
    not_asked(&calls(&house.calls));
}

/// Keys that came into the module when they were but bytes there.
#[test]
fn keys_from_before_work_when_the_module_has_it_and_none_is_lost() {
    let mut house = House::with(&format!("{ALLOWED}\n{ON_TOKEN}"));
    fs::write(&house.lacks, "304 305 306 307").unwrap();
    assert!(house.kmipd.terminate().success());
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    let known = hex::decode(KEY).unwrap();
    let open = register(&mut speaker, &known, &[]);
    let wrapped = register(&mut speaker, &known, &stays());
    let made = speaker.create("DES3", "112", BOTH, &stays());
    let attributes = [
        en("CryptographicAlgorithm", "DES3"),
        int("CryptographicLength", "168"),
        int("CryptographicUsageMask", BOTH),
        bo("Extractable", false),
    ];
    let masks = st("ProtectionStorageMasks", &[int("ProtectionStorageMask", "OnProcessor")]);
    let token =
        identifier(&speaker.ask("Create", &[en("ObjectType", "SymmetricKey"), st("Attributes", &attributes), masks]));
    speaker.ask("Activate", &[id(&token)]);
    let lacks = |speaker: &mut Speaker, key: &str| {
        let refused = speaker.refusal("Encrypt", &encrypt(key, &[0; 8]));
        assert_eq!(refused, ResultReason::UnsupportedCryptographicParameters);
    };
    [&wrapped, &made, &token].into_iter().for_each(|key| lacks(&mut speaker, key));
    is_known(&mut speaker, &open);
    drop(speaker);

    fs::remove_file(&house.lacks).unwrap();
    assert!(house.kmipd.terminate().success());
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    is_known(&mut speaker, &wrapped);
    let block = octets(&speaker.ask("Encrypt", &encrypt(&made, &[1; 8])), Tag::Data);
    assert_eq!(octets(&speaker.ask("Decrypt", &encrypt(&made, &block)), Tag::Data), [1; 8]);
    // What was made on the token stays what it was made as.
    lacks(&mut speaker, &token);
    is_known(&mut speaker, &open);
    assert_eq!(given(&mut speaker, &open), known);
    let by = speaker.register(&[7; 32], &[]);
    for key in [&wrapped, &made, &token] {
        does_not_leave(&mut speaker, key, &by);
        assert_eq!(speaker.values(key, "CryptographicAlgorithm").len(), 1);
    }
    // New ones are what they are.
    let block = octets(&speaker.ask("Encrypt", &encrypt(&wrapped, &[1; 8])), Tag::Data);
    let other = register(&mut speaker, &known, &stays());
    assert_eq!(octets(&speaker.ask("Encrypt", &encrypt(&other, &[1; 8])), Tag::Data), block);
}
