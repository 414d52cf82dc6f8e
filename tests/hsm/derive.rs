//! Keys derived from keys in the module: born there, and never seen outside.

use kmip_codec::spec::{ResultReason, Tag};
use serde_json::Value as Json;

use crate::house::House;
use crate::protection::ON_TOKEN;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, aes, identifier, new, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st};

/// Derive Key's payload for an active AES-256 key.
fn derive(bases: &[&str], method: &str, parameters: &[String], more: &[String]) -> Vec<String> {
    let attributes = [
        &[en("CryptographicAlgorithm", "AES"), int("CryptographicLength", "256")][..],
        &[int("CryptographicUsageMask", "Encrypt Decrypt DeriveKey")],
        more,
    ];
    let mut payload = vec![en("ObjectType", "SymmetricKey")];
    payload.extend(bases.iter().map(|base| id(base)));
    payload.push(en("DerivationMethod", method));
    payload.push(st("DerivationParameters", parameters));
    payload.push(st("Attributes", &attributes.concat()));
    payload
}

fn derived(speaker: &mut Speaker, payload: &[String]) -> String {
    let made = identifier(&speaker.ask("DeriveKey", payload));
    speaker.ask("Activate", &[id(&made)]);
    made
}

/// By encryption of these data in ECB.
fn by_encryption(data: &[u8]) -> Vec<String> {
    vec![st("CryptographicParameters", &[en("BlockCipherMode", "ECB")]), bytes("DerivationData", data)]
}

/// A key with these bytes that may derive.
fn parent(speaker: &mut Speaker, key: &[u8], more: &[String], place: &str) -> String {
    let mut asked = aes(key, more);
    asked.iter_mut().for_each(|item| *item = item.replace("WrapKey", "DeriveKey"));
    asked.push(place.to_owned());
    let made = identifier(&speaker.ask("Register", &asked));
    speaker.ask("Activate", &[id(&made)]);
    made
}

/// A key with the same bytes outside derives the same; nothing that is derived inside is seen.
#[test]
fn a_key_is_derived_where_its_parent_lives() {
    for (configuration, is_token) in [("", false), (ON_TOKEN, true)] {
        let house = House::with(configuration);
        let mut speaker = Speaker::of(&house.kmipd);
        let place = if is_token { "OnProcessor" } else { "Hardware" };
        let place = st("ProtectionStorageMasks", &[int("ProtectionStorageMask", place)]);
        let inside = parent(&mut speaker, &[0x41; 32], &stays(), &place);
        let outside = parent(&mut speaker, &[0x41; 32], &[], "");

        // The first of a shape is compared with one of a known key; later ones are not.
        let mut asked = derive(&[&inside], "ENCRYPT", &by_encryption(&[1; 32]), &[]);
        asked.push(place);
        derived(&mut speaker, &asked);
        house.forget_calls();
        let data: Vec<u8> = (0..32).collect();
        let parameters = asked.iter_mut().find(|item| item.starts_with("<DerivationParameters")).unwrap();
        *parameters = st("DerivationParameters", &by_encryption(&data));
        let one = derived(&mut speaker, &asked);
        born_inside(&calls(&house.calls), is_token);
        let other = derived(&mut speaker, &derive(&[&outside], "ENCRYPT", &by_encryption(&data), &[]));
        assert_eq!(speaker.block(&one), speaker.block(&other));

        assert_eq!(speaker.protection(&one), if is_token { 4 } else { 2 });
        assert_eq!(speaker.refusal("Get", &[id(&one)]), ResultReason::NotExtractable);
        assert!(!speaker.flag(&one, "Extractable") && speaker.flag(&one, "NeverExtractable"));
        // Who asks for less protection gets nothing.
        for loose in [bo("Extractable", true), bo("Sensitive", false)] {
            speaker.ask("ModifyAttribute", &[id(&inside), new(bo("Sensitive", true))]);
            let asked = derive(&[&inside], "ENCRYPT", &by_encryption(&data), &[loose]);
            assert_eq!(speaker.refusal("DeriveKey", &asked), ResultReason::InvalidAttribute);
        }
        let sensitive = derived(&mut speaker, &derive(&[&inside], "ENCRYPT", &by_encryption(&data), &[]));
        assert!(speaker.flag(&sensitive, "Sensitive") && !speaker.flag(&sensitive, "AlwaysSensitive"));

        // What SoftHSM2 has no mechanism for is refused, and the module is asked for nothing.
        let sha256 = st("CryptographicParameters", &[en("HashingAlgorithm", "SHA_256")]);
        house.forget_calls();
        for (method, parameters) in [
            ("HMAC", vec![sha256.clone(), bytes("DerivationData", b"data")]),
            ("HASH", vec![sha256.clone()]),
            ("0x00000005", vec![sha256.clone(), bytes("DerivationData", b"data")]),
            ("HKDF", vec![sha256.clone(), bytes("Salt", b"salt")]),
        ] {
            let reason = speaker.refusal("DeriveKey", &derive(&[&inside], method, &parameters, &[]));
            assert_eq!(reason, ResultReason::UnsupportedCryptographicParameters, "{method}");
        }
        let asked: Vec<_> = calls(&house.calls).iter().map(|call| call["function"].clone()).collect();
        assert!(asked.is_empty(), "{asked:?}");
    }
}

#[test]
fn two_that_never_leave_agree() {
    let x25519 = st("CryptographicDomainParameters", &[en("RecommendedCurve", "CURVE25519")]);
    for (house, curve) in [(House::new(), int("CryptographicLength", "256")), (House::kryoptic(), x25519)] {
        let mut speaker = Speaker::of(&house.kmipd);
        let (one, other) = (agreeing(&mut speaker, "EC", &curve), agreeing(&mut speaker, "EC", &curve));
        let secrets = [[&one[0], &other[1]], [&one[1], &other[0]]].map(|[first, second]| {
            let made = derived(&mut speaker, &derive(&[first, second], "AsymmetricKey", &[], &[]));
            assert_eq!(speaker.refusal("Get", &[id(&made)]), ResultReason::NotExtractable);
            assert!(speaker.flag(&made, "NeverExtractable"));
            speaker.block(&made)
        });
        assert_eq!(secrets[0], secrets[1]);
    }
}

/// A pair that derives, and whose private half stays: that one and the public one.
fn agreeing(speaker: &mut Speaker, algorithm: &str, more: &str) -> [String; 2] {
    let mask = || int("CryptographicUsageMask", "DeriveKey");
    let asked = [
        st("CommonAttributes", &[en("CryptographicAlgorithm", algorithm), more.to_owned()]),
        st("PrivateKeyAttributes", &[mask(), bo("Extractable", false)]),
        st("PublicKeyAttributes", &[mask()]),
    ];
    let made = speaker.ask("CreateKeyPair", &asked);
    [Tag::PrivateKeyUniqueIdentifier, Tag::PublicKeyUniqueIdentifier].map(|tag| {
        let half = made.find(tag).unwrap().text().unwrap().to_owned();
        speaker.ask("Activate", &[id(&half)]);
        half
    })
}

/// Who encapsulates has the bytes and may give them away; who decapsulates in the module has a key there.
#[test]
fn a_shared_secret_of_ml_kem_is_born_in_the_module() {
    let house = House::kryoptic();
    let mut speaker = Speaker::of(&house.kmipd);
    let [private, public] = agreeing(&mut speaker, "ML_KEM_768", &int("CryptographicLength", "9472"));
    // What is made outside may leave, and the client gives the other side its ciphertext.
    let encapsulated = |speaker: &mut Speaker| {
        let outside = derived(speaker, &derive(&[&public], "AsymmetricKey", &[], &[bo("Extractable", true)]));
        let answer = speaker.ask("GetAttributes", &[id(&outside)]);
        let attributes = answer.find(Tag::Attributes).unwrap().elements().to_vec();
        let vendor = attributes.iter().find(|attribute| attribute.value.find(Tag::AttributeName).is_some());
        (outside, octets(&vendor.unwrap().value, Tag::AttributeValue))
    };
    let within = |ciphertext: &[u8]| derive(&[&private], "AsymmetricKey", &[bytes("DerivationData", ciphertext)], &[]);
    // The first of a shape is compared with one of a known key; later ones are not.
    let (_, first) = encapsulated(&mut speaker);
    derived(&mut speaker, &within(&first));
    let (outside, mut ciphertext) = encapsulated(&mut speaker);
    house.forget_calls();
    let inside = derived(&mut speaker, &within(&ciphertext));
    born_by("C_DecapsulateKey", &calls(&house.calls), false);
    assert_eq!(speaker.block(&inside), speaker.block(&outside));

    assert_eq!(speaker.protection(&inside), 2);
    assert_eq!(speaker.refusal("Get", &[id(&inside)]), ResultReason::NotExtractable);
    assert!(!speaker.flag(&inside, "Extractable") && speaker.flag(&inside, "NeverExtractable"));
    let mut loose = within(&ciphertext);
    let attributes = loose.last_mut().unwrap();
    *attributes = attributes.replace("</Attributes>", &format!("{}</Attributes>", bo("Extractable", true)));
    assert_eq!(speaker.refusal("DeriveKey", &loose), ResultReason::InvalidAttribute);
    assert_eq!(speaker.refusal("DeriveKey", &within(&ciphertext[1..])), ResultReason::CryptographicFailure);
    ciphertext[7] ^= 1;
    let other = derived(&mut speaker, &within(&ciphertext));
    assert_ne!(speaker.block(&other), speaker.block(&inside));
}

/// One key was derived; it was wrapped by our key and destroyed, or stays on the token. Nothing else was made, and nothing
/// read.
fn born_inside(calls: &[Json], on_token: bool) {
    born_by("C_DeriveKey", calls, on_token);
}

fn born_by(function: &str, calls: &[Json], on_token: bool) {
    let with_material = |function| named(calls, function).filter(|call| call["template"]["material"] == true).count();
    assert_eq!((with_material("C_CreateObject"), with_material("C_GetAttributeValue")), (0, 0));
    let born: Vec<_> = named(calls, function).collect();
    assert_eq!(born.len(), 1, "{born:?}");
    assert_eq!(born[0]["template"]["sensitive"], true);
    let wrapped: Vec<_> = named(calls, "C_WrapKey").collect();
    if on_token {
        assert_eq!(born[0]["template"]["extractable"], false);
        assert!(wrapped.is_empty());
        // What SoftHSM2 has to copy to the token stays as it is.
        for copy in named(calls, "C_CopyObject") {
            assert_eq!((&copy["from"], &copy["template"]["modifiable"]), (&born[0]["object"], &Json::Bool(false)));
            assert!(copy["template"]["extractable"].is_null() && copy["template"]["sensitive"].is_null());
        }
        return;
    }
    assert_eq!((wrapped.len(), &wrapped[0]["key"]), (1, &born[0]["object"]));
    assert!(named(calls, "C_DestroyObject").any(|gone| gone["object"] == born[0]["object"]));
    for unwrap in named(calls, "C_UnwrapKey") {
        assert_eq!(unwrap["by"], wrapped[0]["by"]);
        assert_eq!(unwrap["template"]["extractable"], false);
    }
}
