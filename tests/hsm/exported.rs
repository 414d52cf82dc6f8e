//! Keys that one server exports wrapped, and another one imports: by every Wrapping Method and Encoding Option.

use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::{Element, Value, text};

use crate::guarded::pair;
use crate::harness::Kmipd;
use crate::house::House;
use crate::shim::{calls, named};
use crate::speaker::{Speaker, identifier, octets, stays};
use crate::xml::{bo, bytes, en, id, int, st, text as txt};

const BYTES: [u8; 32] = *b"the bytes of a key to be carried";

/// A symmetric key with these bytes, brought in under this identifier.
fn import(speaker: &mut Speaker, as_: &str, algorithm: &str, key: &[u8], attributes: &[String]) {
    let block = [
        en("KeyFormatType", "Raw"),
        st("KeyValue", &[bytes("KeyMaterial", key)]),
        en("CryptographicAlgorithm", algorithm),
        int("CryptographicLength", &(key.len() * 8).to_string()),
    ];
    let object = st("SymmetricKey", &[st("KeyBlock", &block)]);
    speaker.ask(
        "Import",
        &[txt("UniqueIdentifier", as_), en("ObjectType", "SymmetricKey"), st("Attributes", attributes), object],
    );
    speaker.ask("Activate", &[id(as_)]);
}

/// The object in the answer of Get or Export, as it is said in a request.
fn said(answer: &Value, tag: Tag) -> String {
    let object = answer.find(tag).unwrap().clone();
    let xml = text::xml::write(&Element::new(tag, object)).unwrap();
    let name = if tag == Tag::PublicKey { "<PublicKey" } else { "<SymmetricKey" };
    xml.get(xml.find(name).unwrap()..).unwrap().to_owned()
}

/// Carries a public key over, under its identifier.
fn carry(from: &mut Speaker, to: &mut Speaker, public: &str, mask: &str) {
    let got = from.ask("Export", &[id(public)]);
    let attributes = st("Attributes", &[int("CryptographicUsageMask", mask)]);
    let object = said(&got, Tag::PublicKey);
    to.ask("Import", &[txt("UniqueIdentifier", public), en("ObjectType", "PublicKey"), attributes, object]);
    to.ask("Activate", &[id(public)]);
}

#[test]
fn what_one_server_exports_wrapped_another_imports() {
    let house = House::new();
    let elsewhere = Kmipd::dev();
    let (mut one, mut other) = (Speaker::of(&house.kmipd), Speaker::of(&elsewhere));
    let mask = |mask: &str| int("CryptographicUsageMask", mask);
    // The same keys at both: in the module here, in the other server's store there.
    for (name, algorithm, here, there) in
        [("kek", "AES", "WrapKey", "UnwrapKey"), ("mac", "HMAC_SHA256", "MACGenerate", "MACVerify")]
    {
        import(&mut one, name, algorithm, &[0x77; 32], &[mask(here), bo("Extractable", false)]);
        import(&mut other, name, algorithm, &[0x77; 32], &[mask(there)]);
    }
    // Who signs is here, and who verifies there; and the other way round for RSA.
    let (_, signer) = pair(&mut one, "ECDSA", "256");
    carry(&mut one, &mut other, &signer, "Verify");
    let rsa = [
        st("CommonAttributes", &[en("CryptographicAlgorithm", "RSA"), int("CryptographicLength", "2048")]),
        st("PrivateKeyAttributes", &[mask("UnwrapKey")]),
        st("PublicKeyAttributes", &[mask("WrapKey")]),
    ];
    let made = other.ask("CreateKeyPair", &rsa);
    let [private, recipient] = [Tag::PrivateKeyUniqueIdentifier, Tag::PublicKeyUniqueIdentifier]
        .map(|tag| made.find(tag).unwrap().text().unwrap().to_owned());
    for half in [&private, &recipient] {
        other.ask("Activate", &[id(half)]);
    }
    carry(&mut other, &mut one, &recipient, "WrapKey");

    let key = one.register(&BYTES, &[]);
    let stays = one.create("AES", "256", "Encrypt", &stays());
    let how = |items: &[String]| st("CryptographicParameters", items);
    let mode = |mode: &str, more: &[String]| how(&[&[en("BlockCipherMode", mode)][..], more].concat());
    let ciphers = [
        ("kek", mode("NISTKeyWrap", &[])),
        ("kek", mode("AESKeyWrapPadding", &[])),
        ("kek", mode("CBC", &[en("PaddingMethod", "PKCS5")])),
        ("kek", mode("CTR", &[])),
        ("kek", mode("GCM", &[int("TagLength", "16")])),
        (recipient.as_str(), how(&[en("PaddingMethod", "OAEP"), en("HashingAlgorithm", "SHA_256")])),
    ];
    let signatures = [
        ("mac", how(&[en("CryptographicAlgorithm", "HMAC_SHA256")])),
        (signer.as_str(), how(&[en("DigitalSignatureAlgorithm", "ECDSAWithSHA256")])),
    ];
    let encrypting = |(key, how): &(&str, String)| st("EncryptionKeyInformation", &[id(key), how.clone()]);
    let signing = |(key, how): &(&str, String)| st("MACSignatureKeyInformation", &[id(key), how.clone()]);
    let mut ways: Vec<(&str, String)> = Vec::new();
    for cipher in &ciphers {
        ways.push(("Encrypt", encrypting(cipher)));
        for signature in &signatures {
            ways.push(("EncryptThenMACSign", encrypting(cipher) + &signing(signature)));
            ways.push(("MACSignThenEncrypt", encrypting(cipher) + &signing(signature)));
        }
    }
    ways.extend(signatures.iter().map(|signature| ("MACSign", signing(signature))));

    house.forget_calls();
    let mut carried = 0;
    for (method, keys) in &ways {
        for encoding in ["NoEncoding", "TTLVEncoding"] {
            let specification = st(
                "KeyWrappingSpecification",
                &[en("WrappingMethod", method), keys.clone(), en("EncodingOption", encoding)],
            );
            let exported = one.ask("Export", &[id(&key), specification.clone()]);
            let block = exported.find(Tag::SymmetricKey).and_then(|key| key.find(Tag::KeyBlock)).unwrap();
            let value = octets(block, Tag::KeyValue);
            let shows = value.windows(BYTES.len()).any(|window| window == BYTES);
            assert_eq!(shows, *method == "MACSign", "{method} {encoding} {keys}");
            let object = said(&exported, Tag::SymmetricKey);
            let mut asked = vec![
                txt("UniqueIdentifier", "carried"),
                en("ObjectType", "SymmetricKey"),
                bo("ReplaceExisting", true),
                en("KeyWrapType", "NotWrapped"),
                st("Attributes", &[mask("Encrypt")]),
                object.clone(),
            ];
            let imported = identifier(&other.ask("Import", &asked));
            let got = other.ask("Get", &[id(&imported)]);
            let value = got.find(Tag::SymmetricKey).and_then(|key| key.find(Tag::KeyBlock)).unwrap();
            let value = octets(value.find(Tag::KeyValue).unwrap(), Tag::KeyMaterial);
            assert_eq!(value, BYTES, "{method} {encoding} {keys}");
            carried += 1;
            // A bit turned round is noticed where anything authenticates.
            if method.contains("MACSign") {
                let value = hex::encode(octets(block.find(Tag::KeyWrappingData).unwrap(), Tag::MACSignature));
                let mut turned = value.clone();
                turned.pop();
                turned.push(if value.ends_with('0') { '1' } else { '0' });
                asked[5] = object
                    .to_lowercase()
                    .find(&value)
                    .map(|at| {
                        let mut changed = object.clone();
                        changed.replace_range(at..at + value.len(), &turned);
                        changed
                    })
                    .unwrap();
                assert_eq!(other.refusal("Import", &asked), ResultReason::InvalidField, "{method} {encoding} {keys}");
            }
            assert_eq!(one.refusal("Export", &[id(&stays), specification]), ResultReason::PermissionDenied, "{method}");
        }
    }
    assert_eq!(carried, 64);
    // Keys of the module worked there, and none was wrapped by it.
    let log = calls(&house.calls);
    assert!(named(&log, "C_Encrypt").count() > 20 && named(&log, "C_Sign").count() > 20);
    assert_eq!(named(&log, "C_WrapKey").count(), 0);
}
