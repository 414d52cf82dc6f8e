//! A key that is not Extractable: made in the module, used there, and never seen outside.

use std::collections::BTreeSet;
use std::fs;

use aws_lc_rs::rand::{SystemRandom, generate};
use kmip_codec::spec::{ResultReason, Tag};
use serde_json::Value as Json;

use crate::house::{House, Module, files};
use crate::protection::ON_TOKEN;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, V2_1, Version, aes, ecb, identifier, name, new, octets, stays, wrapped_with};
use crate::xml::{bo, bytes, en, id, int, st};

const VERSIONS: [Version; 7] = [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (2, 0), (2, 1)];

/// Why a key that must not leave does not: versions before 1.4 have no better word.
fn not_extractable(version: Version) -> ResultReason {
    if version >= (1, 4) { ResultReason::NotExtractable } else { ResultReason::PermissionDenied }
}

/// Pairs whose private half stays; the halves are active.
pub(crate) fn pair(speaker: &mut Speaker, algorithm: &str, bits: &str) -> (String, String) {
    let mask = |mask| int("CryptographicUsageMask", mask);
    let made = speaker.ask(
        "CreateKeyPair",
        &[
            st("CommonAttributes", &[en("CryptographicAlgorithm", algorithm), int("CryptographicLength", bits)]),
            st("PrivateKeyAttributes", &[mask("Sign"), bo("Extractable", false)]),
            st("PublicKeyAttributes", &[mask("Verify")]),
        ],
    );
    let [private, public] = [Tag::PrivateKeyUniqueIdentifier, Tag::PublicKeyUniqueIdentifier]
        .map(|tag| made.find(tag).unwrap().text().unwrap().to_owned());
    for half in [&private, &public] {
        speaker.ask("Activate", &[id(half)]);
    }
    (private, public)
}

/// Signs with the one half and verifies with the other.
pub(crate) fn signs(speaker: &mut Speaker, (private, public): &(String, String), parameters: &[String]) {
    let parameters = st("CryptographicParameters", parameters);
    let data = bytes("Data", b"a message");
    let signed = speaker.ask("Sign", &[id(private), parameters.clone(), data.clone()]);
    let signature = octets(&signed, Tag::SignatureData);
    let verified = |speaker: &mut Speaker, signature: &[u8]| {
        let payload = [id(public), parameters.clone(), data.clone(), bytes("SignatureData", signature)];
        speaker.ask("SignatureVerify", &payload).find(Tag::ValidityIndicator).cloned().unwrap()
    };
    let mut wrong = signature.clone();
    *wrong.last_mut().unwrap() ^= 1;
    assert_ne!(verified(speaker, &signature), verified(speaker, &wrong));
}

/// Every way to ask for a key's bytes, in every version, from its owner.
fn stays_inside(speaker: &mut Speaker, key: &str, by: &str) {
    for version in VERSIONS {
        let reason = Err(not_extractable(version));
        assert_eq!(speaker.attempt(version, "Get", &[id(key)]), reason, "{version:?}");
        for format in ["Raw", "Opaque", "TransparentSymmetricKey", "PKCS_1", "PKCS_8", "ECPrivateKey", "X_509"] {
            let came = speaker.attempt(version, "Get", &[id(key), en("KeyFormatType", format)]);
            assert_eq!(came, reason, "{version:?} {format}");
        }
        if version >= (1, 1) {
            for encoding in ["NoEncoding", "TTLVEncoding"] {
                let specification = wrapped_with(by, encoding);
                assert_eq!(speaker.attempt(version, "Get", &[id(key), specification]), reason, "{version:?}");
            }
        }
        if version >= (1, 4) {
            for kind in ["NotWrapped", "AsRegistered"] {
                let came = speaker.attempt(version, "Get", &[id(key), en("KeyWrapType", kind)]);
                assert_eq!(came, reason, "{version:?} {kind}");
            }
        }
    }
    // Through a batch: the key is found, its state is read, and it does not come.
    let reference = en("AttributeReference", "State");
    let came = speaker.batch(V2_1, &[("GetAttributes", id(key) + &reference), ("Get", id(key))]);
    assert!(came[0].is_ok() && came[1] == Err(ResultReason::NotExtractable), "{came:?}");
}

/// Every way to loosen what protects a key.
fn cannot_be_loosened(speaker: &mut Speaker, key: &str) {
    let loose = |name: &str| bo(name, name == "Extractable");
    for attribute in ["Extractable", "Sensitive"] {
        if attribute == "Sensitive" {
            // It may become Sensitive, and not be so no more.
            speaker.ask("ModifyAttribute", &[id(key), new(bo("Sensitive", true))]);
        }
        for operation in ["ModifyAttribute", "SetAttribute", "AddAttribute"] {
            let reason = speaker.refusal(operation, &[id(key), new(loose(attribute))]);
            let expected = match operation {
                "AddAttribute" => ResultReason::AttributeSingleValued,
                "ModifyAttribute" => ResultReason::AttributeReadOnly,
                _ => ResultReason::ReadOnlyAttribute,
            };
            assert_eq!(reason, expected, "{operation} {attribute}");
        }
        let reason = speaker.refusal("DeleteAttribute", &[id(key), en("AttributeReference", attribute)]);
        assert_eq!(reason, ResultReason::AttributeReadOnly, "{attribute}");
        assert_ne!(speaker.flag(key, attribute), attribute == "Extractable");
    }
    for history in ["NeverExtractable", "AlwaysSensitive"] {
        let reason = speaker.refusal("ModifyAttribute", &[id(key), new(bo(history, true))]);
        assert_eq!(reason, ResultReason::AttributeReadOnly);
    }
    // In one message: what is refused first is not there for what follows.
    let items = [("ModifyAttribute", id(key) + &new(bo("Extractable", true))), ("Get", id(key))];
    let came = speaker.batch(V2_1, &items);
    assert_eq!(came, [Err(ResultReason::AttributeReadOnly)]);
}

#[test]
fn a_key_is_made_in_the_module_and_works_there_alone() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt Decrypt", &stays());
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate MACVerify", &stays());
    let rsa = pair(&mut speaker, "RSA", "2048");
    let ec = pair(&mut speaker, "ECDSA", "256");

    let encrypted = speaker.block(&key);
    let decrypted = speaker.ask("Decrypt", &[id(&key), ecb(), bytes("Data", &encrypted)]);
    assert_eq!(octets(&decrypted, Tag::Data), b"sixteen letters.");
    let parameters = st("CryptographicParameters", &[en("CryptographicAlgorithm", "HMAC_SHA256")]);
    let code = speaker.ask("MAC", &[id(&mac), parameters, bytes("Data", b"a message")]);
    assert_eq!(octets(&code, Tag::MACData).len(), 32);
    let sha256 = en("HashingAlgorithm", "SHA_256");
    let pkcs1 = [en("PaddingMethod", "PKCS1V1_5"), sha256.clone(), en("CryptographicAlgorithm", "RSA")];
    signs(&mut speaker, &rsa, &pkcs1);
    signs(&mut speaker, &ec, &[sha256, en("CryptographicAlgorithm", "ECDSA")]);

    let made = calls(&house.calls);
    nothing_came_in_or_out(&made);
    assert_eq!(made_and_wrapped(&made), 4);

    // A client that has it can wrap other keys with a guarded one, but no guarded one.
    let by = speaker.register(&[7; 32], &[]);
    for guarded in [&key, &mac, &rsa.0, &ec.0] {
        assert_eq!(speaker.protection(guarded), 2);
        assert!(speaker.flag(guarded, "NeverExtractable"));
        stays_inside(&mut speaker, guarded, &by);
        cannot_be_loosened(&mut speaker, guarded);
    }
    // The public halves are there for all to see.
    for public in [&rsa.1, &ec.1] {
        speaker.ask("Get", &[id(public)]);
    }
    // A message that makes one and asks for it at once.
    let attributes =
        [en("CryptographicAlgorithm", "AES"), int("CryptographicUsageMask", "Encrypt"), bo("Extractable", false)];
    let create = en("ObjectType", "SymmetricKey") + &st("Attributes", &attributes);
    let came = speaker.batch(V2_1, &[("Create", create), ("Get", String::new())]);
    assert!(came[0].is_ok() && came[1] == Err(ResultReason::NotExtractable), "{came:?}");

    // Somebody else does not even see it.
    let mut other = Speaker::with(&house.kmipd.client_named("other"));
    for version in VERSIONS {
        let reason = if version >= (2, 0) { ResultReason::ObjectNotFound } else { ResultReason::ItemNotFound };
        assert_eq!(other.attempt(version, "Get", &[id(&key)]), Err(reason));
    }
    nothing_came_in_or_out(&calls(&house.calls));
}

/// What lives in the module fails while the module is away, and the rest goes on; then it works again.
#[test]
fn the_server_outlives_a_token_that_goes_away() {
    outlives(Module::SoftHsm);
}

#[test]
fn the_server_outlives_a_token_of_kryoptic_that_goes_away() {
    outlives(Module::Kryoptic);
}

fn outlives(module: Module) {
    const AWAY: &[u8] = b"the cryptographic module is not available at the moment";
    let house = House::of(module, ON_TOKEN);
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.create("AES", "256", "Encrypt DeriveKey", &stays());
    let attributes =
        [en("CryptographicAlgorithm", "AES"), int("CryptographicUsageMask", "Encrypt"), bo("Extractable", false)];
    let on_token = [
        en("ObjectType", "SymmetricKey"),
        st("Attributes", &attributes),
        st("ProtectionStorageMasks", &[int("ProtectionStorageMask", "OnProcessor")]),
    ];
    let token = identifier(&speaker.ask("Create", &on_token));
    speaker.ask("Activate", &[id(&token)]);
    let (_, public) = pair(&mut speaker, "ECDSA", "256");
    let open = speaker.create("AES", "256", "Encrypt", &[]);
    let blocks = [&key, &token].map(|key| speaker.block(key));
    let derive = [
        en("ObjectType", "SymmetricKey"),
        id(&key),
        en("DerivationMethod", "ENCRYPT"),
        st(
            "DerivationParameters",
            &[st("CryptographicParameters", &[en("BlockCipherMode", "ECB")]), bytes("DerivationData", &[5; 32])],
        ),
        st(
            "Attributes",
            &[
                en("CryptographicAlgorithm", "AES"),
                int("CryptographicLength", "256"),
                int("CryptographicUsageMask", "Encrypt"),
            ],
        ),
    ];
    // It goes and comes back twice: the second time finds what the first has opened anew.
    for _ in 0..2 {
        fs::write(&house.gone, "").unwrap();
        speaker.heard.clear();
        for refused in [&key, &token] {
            let reason = speaker.refusal("Encrypt", &[id(refused), ecb(), bytes("Data", b"sixteen letters.")]);
            assert_eq!(reason, ResultReason::GeneralFailure);
        }
        assert_eq!(speaker.refusal("DeriveKey", &derive), ResultReason::GeneralFailure);
        assert_eq!(speaker.refusal("Create", &on_token), ResultReason::GeneralFailure);
        assert_eq!(speaker.heard.windows(AWAY.len()).filter(|window| *window == AWAY).count(), 4);
        assert_eq!(speaker.refusal("Get", &[id(&key)]), ResultReason::NotExtractable);
        assert!(speaker.flag(&token, "NeverExtractable"));
        speaker.block(&open);
        for there in [&open, &public] {
            speaker.ask("Get", &[id(there)]);
        }
        fs::remove_file(&house.gone).unwrap();
        assert_eq!([&key, &token].map(|key| speaker.block(key)), blocks);
        let derived = identifier(&speaker.ask("DeriveKey", &derive));
        speaker.ask("Activate", &[id(&derived)]);
        speaker.block(&derived);
    }
}

/// No secret was brought in, read, copied or derived, and what was wrapped was so by the two halves of the wrapping key.
pub(crate) fn nothing_came_in_or_out(calls: &[Json]) {
    assert!(!calls.is_empty());
    let with_material = |function| named(calls, function).filter(|call| call["template"]["material"] == true).count();
    assert_eq!((with_material("C_CreateObject"), with_material("C_GetAttributeValue")), (0, 0));
    assert_eq!(named(calls, "C_CopyObject").count() + named(calls, "C_DeriveKey").count(), 0);
    let by: BTreeSet<_> = named(calls, "C_WrapKey").map(|call| call["by"].as_u64()).collect();
    assert!(by.len() <= 2, "{by:?}");
    for unwrap in named(calls, "C_UnwrapKey") {
        let template = &unwrap["template"];
        let flags = (&template["extractable"], &template["sensitive"], &template["token"]);
        assert_eq!(flags, (&Json::Bool(false), &Json::Bool(true), &Json::Bool(false)));
        assert!(by.contains(&unwrap["by"].as_u64()));
    }
}

/// That the module was asked to do nothing with a key. What it does for itself meanwhile is another matter.
pub(crate) fn not_asked(calls: &[Json]) {
    for function in ["C_EncryptInit", "C_DecryptInit", "C_SignInit", "C_WrapKey", "C_DeriveKey", "C_GetAttributeValue"]
    {
        assert!(named(calls, function).next().is_none(), "{function}");
    }
}

/// How many keys were generated in the module, wrapped and unwrapped there.
fn made_and_wrapped(calls: &[Json]) -> usize {
    let generated: Vec<_> = named(calls, "C_GenerateKey").chain(named(calls, "C_GenerateKeyPair")).collect();
    for wrap in named(calls, "C_WrapKey") {
        assert!(generated.iter().any(|made| made["object"] == wrap["key"]), "{wrap}");
        assert!(named(calls, "C_DestroyObject").any(|gone| gone["object"] == wrap["key"]), "{wrap}");
    }
    let (wrapped, unwrapped) = (named(calls, "C_WrapKey").count(), named(calls, "C_UnwrapKey").count());
    assert!(unwrapped >= wrapped);
    wrapped
}

/// Keys whose bytes the test knows: where they were said to the server is the only place where they are to be seen.
#[test]
fn bytes_are_nowhere_to_be_seen() {
    let mut house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let random = || -> [u8; 32] { generate(&SystemRandom::new()).unwrap().expose() };
    let (adopted, tightened, sealed, by) = (random(), random(), random(), random());
    let wrapping = speaker.register(&by, &[]);

    // Registered as not Extractable: it is brought into the module.
    house.forget_calls();
    let one = speaker.register(&adopted, &stays());
    assert_eq!(named(&calls(&house.calls), "C_WrapKey").count(), 1);
    assert_eq!(speaker.protection(&one), 2);
    assert!(speaker.flag(&one, "NeverExtractable"));

    // Tightened: it moves into the module in the same message, and goes on working.
    let two = speaker.register(&tightened, &[]);
    assert_eq!(speaker.protection(&two), 1);
    speaker.ask("Get", &[id(&two)]);
    let before = speaker.block(&two);
    house.forget_calls();
    let items = [
        ("ModifyAttribute", id(&two) + &new(bo("Extractable", false))),
        ("GetAttributes", id(&two) + &en("AttributeReference", "ProtectionStorageMask")),
        ("Encrypt", id(&two) + &ecb() + &bytes("Data", b"sixteen letters.")),
    ];
    let came = speaker.batch(V2_1, &items);
    let mask = came[1].as_ref().unwrap().find(Tag::Attributes).unwrap().find(Tag::ProtectionStorageMask).cloned();
    assert_eq!(mask, Some(kmip_codec::Value::Integer(2)));
    assert_eq!(octets(came[2].as_ref().unwrap(), Tag::Data), before);
    assert_eq!(named(&calls(&house.calls), "C_WrapKey").count(), 1);
    assert!(!speaker.flag(&two, "NeverExtractable"));

    // Sealed: it is to be had, and rests only sealed. If it is Sensitive it leaves wrapped, and only so.
    let three = speaker.register(&sealed, &[]);
    speaker.ask("ModifyAttribute", &[id(&three), new(bo("Sensitive", true))]);
    assert!(!speaker.flag(&three, "AlwaysSensitive"));
    assert_eq!(speaker.refusal("Get", &[id(&three)]), ResultReason::Sensitive);
    speaker.ask("Get", &[id(&three), wrapped_with(&wrapping, "NoEncoding")]);

    // A key of the module's wraps as the same key outside does.
    let inside = speaker.register(&by, &stays());
    let [outside, inside] = [&wrapping, &inside].map(|by| {
        let got = speaker.ask("Get", &[id(&three), wrapped_with(by, "NoEncoding")]);
        octets(got.find(Tag::SymmetricKey).unwrap().find(Tag::KeyBlock).unwrap(), Tag::KeyValue)
    });
    assert_eq!((outside.len(), &outside), (40, &inside));

    // The search finds what is there.
    assert!(holds(&speaker.heard, &tightened));
    speaker.heard.clear();
    for key in [&one, &two] {
        stays_inside(&mut speaker, key, &wrapping);
        cannot_be_loosened(&mut speaker, key);
        speaker.ask("GetAttributes", &[id(key)]);
        speaker.block(key);
    }
    let known = [adopted, tightened, sealed, by];
    let pin = fs::read(house.dir.join("hsm/pin")).unwrap();
    let (log, heard) = (house.kmipd.log(), std::mem::take(&mut speaker.heard));
    assert!(log.contains("\"DEBUG\"") && log.contains("request refused"));
    for key in &known {
        assert!(!holds(&heard, key) && !holds(log.as_bytes(), key));
    }
    assert!(!holds(log.as_bytes(), &pin));
    drop(speaker);

    // Nor after all that rests has been written out, in the middle of work and at its end.
    house.kmipd.kill();
    nowhere(&house, &known);
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    assert_eq!(speaker.block(&two), before);
    for key in [&one, &two] {
        assert_eq!(speaker.refusal("Get", &[id(key)]), ResultReason::NotExtractable);
    }
    assert!(house.kmipd.terminate().success());
    nowhere(&house, &known);
    house.kmipd.restart();
    let mut speaker = Speaker::of(&house.kmipd);
    assert_eq!(speaker.block(&two), before);
    assert_eq!(speaker.refusal("Get", &[id(&three)]), ResultReason::Sensitive);
    assert_eq!(speaker.refusal("Get", &[id(&two)]), ResultReason::NotExtractable);

    // The bytes that somebody has make another key, which the first has nothing to do with.
    let again = identifier(&speaker.ask("Register", &aes(&adopted, &[name("again")])));
    speaker.ask("Get", &[id(&again)]);
    assert_eq!(speaker.refusal("Get", &[id(&one)]), ResultReason::NotExtractable);
    // Destroyed, it works no more.
    speaker.ask("Revoke", &[id(&two), st("RevocationReason", &[en("RevocationReasonCode", "CessationOfOperation")])]);
    speaker.ask("Destroy", &[id(&two)]);
    let reason = speaker.refusal("Encrypt", &[id(&two), ecb(), bytes("Data", b"sixteen letters.")]);
    assert_eq!(reason, ResultReason::ObjectDestroyed);
}

fn nowhere(house: &House, keys: &[[u8; 32]]) {
    let files = files(&house.dir);
    assert!(files.len() > 10, "{files:?}");
    for file in files.iter().chain([&house.calls]) {
        let content = fs::read(file).unwrap();
        for key in keys {
            assert!(!holds(&content, key), "{}", file.display());
        }
    }
}

/// Whether text or bytes hold a half of a key, as it is or in digits, or a PIN.
fn holds(content: &[u8], key: &[u8]) -> bool {
    let part = &key[..16];
    let hex: String = hex::encode(part);
    let list = part.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let has = |wanted: &[u8]| content.windows(wanted.len()).any(|window| window == wanted);
    has(part) || has(hex.as_bytes()) || has(hex.to_uppercase().as_bytes()) || has(list.as_bytes())
}
