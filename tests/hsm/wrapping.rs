//! Keys wrapped by keys in the module: it does the work, and nothing but what is wrapped leaves.

use kmip_codec::spec::{ResultReason, Tag};

use crate::guarded::pair;
use crate::house::House;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, identifier, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st, text};

fn parameters(items: &[String]) -> String {
    st("CryptographicParameters", items)
}

fn specification(method: &str, encrypting: Option<(&str, String)>, signing: Option<(&str, String)>) -> String {
    let mut items = vec![en("WrappingMethod", method)];
    items.extend(encrypting.map(|(key, how)| st("EncryptionKeyInformation", &[id(key), how])));
    items.extend(signing.map(|(key, how)| st("MACSignatureKeyInformation", &[id(key), how])));
    items.push(en("EncodingOption", "NoEncoding"));
    st("KeyWrappingSpecification", &items)
}

#[test]
fn keys_in_the_module_wrap_and_unwrap_by_every_method() {
    let house = House::new();
    let mut speaker = Speaker::of(&house.kmipd);
    let kek = speaker.create("AES", "256", "WrapKey UnwrapKey", &stays());
    let mac = speaker.create("HMAC_SHA256", "256", "MACGenerate MACVerify", &stays());
    let (private, public) = pair(&mut speaker, "ECDSA", "256");
    let key = speaker.register(&[0x5a; 32], &[]);
    let print = speaker.block(&key);
    let guarded = speaker.create("AES", "256", "Encrypt", &stays());
    let cbc = parameters(&[en("BlockCipherMode", "CBC"), en("PaddingMethod", "PKCS5")]);
    let key_wrap = parameters(&[en("BlockCipherMode", "NISTKeyWrap")]);
    let hmac = parameters(&[en("CryptographicAlgorithm", "HMAC_SHA256")]);
    let ecdsa = parameters(&[en("DigitalSignatureAlgorithm", "ECDSAWithSHA256")]);

    for (method, encrypting, signing) in [
        ("Encrypt", Some((&*kek, cbc.clone())), None),
        ("Encrypt", Some((&*kek, key_wrap.clone())), None),
        ("EncryptThenMACSign", Some((&*kek, cbc.clone())), Some((&*mac, hmac.clone()))),
        ("MACSignThenEncrypt", Some((&*kek, key_wrap)), Some((&*private, ecdsa.clone()))),
        ("MACSign", None, Some((&*public, ecdsa))),
        ("MACSignThenEncrypt", Some((&*kek, cbc)), Some((&*mac, hmac))),
    ] {
        let specification = specification(method, encrypting.clone(), signing.clone());
        house.forget_calls();
        let got = speaker.ask("Get", &[id(&key), specification.clone()]);
        let block = got.find(Tag::SymmetricKey).and_then(|key| key.find(Tag::KeyBlock)).unwrap();
        let wrapped = octets(block, Tag::KeyValue);
        let data = block.find(Tag::KeyWrappingData).unwrap();
        let signature = data.find(Tag::MACSignature).map(|_| octets(data, Tag::MACSignature));
        let iv = data.find(Tag::IVCounterNonce).map(|_| octets(data, Tag::IVCounterNonce));
        assert_eq!((signature.is_some(), wrapped == [0x5a; 32]), (signing.is_some(), method == "MACSign"));
        // The module did both.
        let log = calls(&house.calls);
        assert_eq!(named(&log, "C_Encrypt").count() > 0, encrypting.is_some());
        assert_eq!(named(&log, "C_Sign").count() > 0, signing.is_some());
        // Keys that wrap never come out of the module by it.
        assert_eq!(named(&log, "C_WrapKey").count(), 0);

        let import = |signature: Option<&[u8]>| {
            let mut items = vec![en("WrappingMethod", method)];
            items.extend(encrypting.clone().map(|(key, how)| st("EncryptionKeyInformation", &[id(key), how])));
            items.extend(signing.clone().map(|(key, how)| st("MACSignatureKeyInformation", &[id(key), how])));
            items.extend(signature.map(|signature| bytes("MACSignature", signature)));
            items.extend(iv.as_ref().map(|iv| bytes("IVCounterNonce", iv)));
            items.push(en("EncodingOption", "NoEncoding"));
            let key_block = [
                en("KeyFormatType", "Raw"),
                bytes("KeyValue", &wrapped),
                en("CryptographicAlgorithm", "AES"),
                int("CryptographicLength", "256"),
                st("KeyWrappingData", &items),
            ];
            [
                text("UniqueIdentifier", "imported"),
                en("ObjectType", "SymmetricKey"),
                bo("ReplaceExisting", true),
                en("KeyWrapType", "NotWrapped"),
                st("Attributes", &[int("CryptographicUsageMask", "Encrypt")]),
                st("SymmetricKey", &[st("KeyBlock", &key_block)]),
            ]
        };
        let imported = identifier(&speaker.ask("Import", &import(signature.as_deref())));
        // What a key that must not leave has opened does not leave either; one that is signed alone it has not opened.
        if method == "MACSign" {
            let got = speaker.ask("Get", &[id(&imported)]);
            let value = got.find(Tag::SymmetricKey).and_then(|key| key.find(Tag::KeyBlock)).unwrap();
            assert_eq!(octets(value.find(Tag::KeyValue).unwrap(), Tag::KeyMaterial), [0x5a; 32]);
        } else {
            assert_eq!(speaker.refusal("Get", &[id(&imported)]), ResultReason::NotExtractable, "{method}");
        }
        speaker.ask("Activate", &[id(&imported)]);
        assert_eq!(speaker.block(&imported), print, "{method}");
        if let Some(mut signature) = signature {
            *signature.last_mut().unwrap() ^= 1;
            assert_eq!(speaker.refusal("Import", &import(Some(&signature))), ResultReason::InvalidField, "{method}");
        }
        // What must not leave does not, whatever wraps it.
        assert_eq!(speaker.refusal("Get", &[id(&guarded), specification]), ResultReason::NotExtractable, "{method}");
    }
}
