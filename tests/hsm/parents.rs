//! What comes of keys that must not leave does not leave either: by Derive Key, Join Split Key, Re-key, Import and C_UnwrapKey.

use kmip_codec::spec::{ResultReason, Tag};

use crate::house::House;
use crate::speaker::{Speaker, ecb, identifier, new, octets, wrapped_with};
use crate::xml::{bo, bytes, en, id, int, st, text};

const FLAGS: [&str; 4] = ["Sensitive", "Extractable", "AlwaysSensitive", "NeverExtractable"];

fn flags(speaker: &mut Speaker, key: &str) -> [bool; 4] {
    FLAGS.map(|flag| speaker.flag(key, flag))
}

/// An AES key, as it may be asked for, with more of its attributes.
fn attributes(mask: &str, more: &[String]) -> String {
    let own = [en("CryptographicAlgorithm", "AES"), int("CryptographicLength", "256")];
    st("Attributes", &[&own[..], &[int("CryptographicUsageMask", mask)], more].concat())
}

/// Both at once.
fn strict() -> Vec<String> {
    vec![bo("Sensitive", true), bo("Extractable", false)]
}

#[test]
fn what_is_derived_or_replaces_is_as_strict() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let derive = |base: &str, more: &[String]| {
        let parameters =
            [st("CryptographicParameters", &[en("BlockCipherMode", "ECB")]), bytes("DerivationData", &[7; 32])];
        vec![
            en("ObjectType", "SymmetricKey"),
            id(base),
            en("DerivationMethod", "ENCRYPT"),
            st("DerivationParameters", &parameters),
            attributes("Encrypt", more),
        ]
    };
    let loose = [bo("Sensitive", false), bo("Extractable", true)];
    // One that was always so, one that came to be so, one that is not.
    let always = speaker.create("AES", "256", "DeriveKey Encrypt", &strict());
    let lately = speaker.create("AES", "256", "DeriveKey Encrypt", &[]);
    for flag in strict() {
        speaker.ask("ModifyAttribute", &[id(&lately), new(flag)]);
    }
    let open = speaker.create("AES", "256", "DeriveKey Encrypt", &[]);
    for (base, expected) in [
        (&always, [true, false, true, true]),
        (&lately, [true, false, false, false]),
        (&open, [false, true, false, false]),
    ] {
        let derived = identifier(&speaker.ask("DeriveKey", &derive(base, &[])));
        assert_eq!(flags(&mut speaker, &derived), expected);
        for flag in &loose {
            let asked = derive(base, std::slice::from_ref(flag));
            match expected[0] {
                true => assert_eq!(speaker.refusal("DeriveKey", &asked), ResultReason::InvalidAttribute),
                false => drop(speaker.ask("DeriveKey", &asked)),
            }
        }
        // A replacement has bytes of its own: its history begins with it.
        let history = [expected[0], expected[1], expected[0], expected[0]];
        for flag in &loose {
            let asked = [id(base), st("Attributes", std::slice::from_ref(flag))];
            if expected[0] {
                assert_eq!(speaker.refusal("ReKey", &asked), ResultReason::InvalidField);
            }
        }
        let replacement = identifier(&speaker.ask("ReKey", &[id(base)]));
        assert_eq!(flags(&mut speaker, &replacement), history);
    }
}

#[test]
fn what_is_joined_is_as_strict_as_its_parts() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    for (own, expected) in [
        (vec![bo("Sensitive", true)], [true, true, true, false]),
        (vec![bo("Extractable", false)], [false, false, false, true]),
        (strict(), [true, false, true, true]),
        (Vec::new(), [false, true, false, false]),
    ] {
        let split = [
            en("ObjectType", "SplitKey"),
            int("SplitKeyParts", "2"),
            int("SplitKeyThreshold", "2"),
            en("SplitKeyMethod", "XOR"),
            attributes("Encrypt", &own),
        ];
        let made = speaker.ask("CreateSplitKey", &split);
        let parts: Vec<String> = made
            .elements()
            .iter()
            .filter(|element| element.tag == Tag::UniqueIdentifier)
            .map(|element| id(element.value.text().unwrap()))
            .collect();
        assert_eq!(parts.len(), 2);
        for loose in [Vec::new(), vec![bo("Sensitive", false), bo("Extractable", true)]] {
            let join = [en("ObjectType", "SymmetricKey"), parts.concat(), attributes("Encrypt", &loose)];
            let joined = identifier(&speaker.ask("JoinSplitKey", &join));
            assert_eq!(flags(&mut speaker, &joined), expected, "{own:?} {loose:?}");
            assert_eq!(speaker.protection(&joined), if expected[1] { 1 } else { 2 });
        }
    }
}

/// A key comes wrapped and is opened: it is guarded as the key that opens it is, whatever it was elsewhere.
#[test]
fn what_is_unwrapped_is_as_strict_as_what_unwraps() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let key = speaker.register(&[0x2f; 32], &[]);
    let block = speaker.block(&key);
    let said = |flags: [bool; 4]| FLAGS.iter().zip(flags).map(|(flag, value)| bo(flag, value)).collect::<Vec<_>>();
    let cases: [(&[String], Vec<String>, [bool; 4]); 8] = [
        // What must not leave, and what says otherwise.
        (&strict(), Vec::new(), [true, false, false, false]),
        (&strict(), said([false, true, false, false]), [true, false, false, false]),
        (&[bo("Sensitive", true)], Vec::new(), [true, true, false, false]),
        (&[bo("Extractable", false)], Vec::new(), [false, false, false, false]),
        // Its history, where both have one.
        (&strict(), said([true, false, true, true]), [true, false, true, true]),
        (&[], said([true, false, true, true]), [true, false, false, false]),
        (&strict(), said([false, true, true, true]), [true, false, false, false]),
        // A key that may leave decides nothing.
        (&[], Vec::new(), [false, true, false, false]),
    ];
    for (number, (own, carried, expected)) in cases.into_iter().enumerate() {
        let kek = speaker.create("AES", "256", "WrapKey UnwrapKey", own);
        let got = speaker.ask("Get", &[id(&key), wrapped_with(&kek, "NoEncoding")]);
        let wrapped =
            octets(got.find(Tag::SymmetricKey).and_then(|key| key.find(Tag::KeyBlock)).unwrap(), Tag::KeyValue);
        let key_wrap = st("CryptographicParameters", &[en("BlockCipherMode", "NISTKeyWrap")]);
        let wrapping = [
            en("WrappingMethod", "Encrypt"),
            st("EncryptionKeyInformation", &[id(&kek), key_wrap]),
            en("EncodingOption", "NoEncoding"),
        ];
        let key_block = [
            en("KeyFormatType", "Raw"),
            bytes("KeyValue", &wrapped),
            en("CryptographicAlgorithm", "AES"),
            int("CryptographicLength", "256"),
            st("KeyWrappingData", &wrapping),
        ];
        let name = format!("imported {number}");
        let import = [
            text("UniqueIdentifier", &name),
            en("ObjectType", "SymmetricKey"),
            en("KeyWrapType", "NotWrapped"),
            st("Attributes", &[&[int("CryptographicUsageMask", "Encrypt Decrypt")][..], &carried].concat()),
            st("SymmetricKey", &[st("KeyBlock", &key_block)]),
        ];
        speaker.ask("Import", &import);
        assert_eq!(flags(&mut speaker, &name), expected, "{number}");
        assert_eq!(speaker.protection(&name), if expected[1] { 1 } else { 2 }, "{number}");
        speaker.ask("Activate", &[id(&name)]);
        assert_eq!(speaker.block(&name), block);
        let left = speaker.attempt(crate::speaker::V2_1, "Get", &[id(&name)]).map(drop);
        let wanted = match expected {
            [_, false, ..] => Err(ResultReason::NotExtractable),
            [true, ..] => Err(ResultReason::Sensitive),
            _ => Ok(()),
        };
        assert_eq!(left, wanted, "{number}");
        let again = [id(&name), ecb(), bytes("Data", b"sixteen letters.")];
        speaker.ask("Encrypt", &again);
    }
}
