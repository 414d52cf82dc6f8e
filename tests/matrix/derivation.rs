//! Derive Key, with vectors of the standards that define the methods.

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, DerivationMethod, HashingAlgorithm, LinkType,
    ObjectType, Operation, ResultReason, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attributes, CryptographicParameters as Parameters, UniqueIdentifier};
use kmipd::ops::derive_key::{DerivationParameters, Request, Response};

use crate::cell::{Cell, Provider};
use crate::harness::kmip::{boolean, bytes_of, enumeration, key_of, mask, number, secret};

fn request(cell: &Cell, base: &Text, method: DerivationMethod, parameters: DerivationParameters) -> Request {
    let mut list =
        vec![enumeration(Tag::CryptographicAlgorithm, Algorithm::AES), number(Tag::CryptographicLength, 128)];
    list.push(mask(Mask::ENCRYPT));
    // Of a key that may not leave comes none that may.
    if cell.version() >= Version::V1_4 && cell.provider == Provider::Software {
        list.push(boolean(Tag::Extractable, true));
    }
    Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: vec![UniqueIdentifier::Text(base.clone())],
        derivation_method: method,
        derivation_parameters: parameters,
        attributes: Attributes { list, ..Attributes::default() },
        protection_storage_masks: None,
    }
}

pub(crate) fn derive_key(cell: &mut Cell) {
    let hash = DerivationParameters {
        cryptographic_parameters: Some(Parameters {
            hashing_algorithm: Some(HashingAlgorithm::SHA256),
            ..Parameters::default()
        }),
        ..DerivationParameters::default()
    };
    let bytes = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    if cell.provider == Provider::SoftHsm {
        // The module has no such derivation, and nobody else has its key.
        let key = cell.known(key_of(Algorithm::AES, &bytes), Mask::DERIVE_KEY);
        let guarded = request(cell, &key, DerivationMethod::HASH, hash);
        let unsupported = cell.reason(ResultReason::UnsupportedCryptographicParameters);
        assert_eq!(cell.kmip.refusal(Operation::DeriveKey, &guarded), unsupported);
        return;
    }
    // RFC 6070: PBKDF2 with HMAC and SHA-1.
    let password = cell.known(secret(b"password"), Mask::DERIVE_KEY);
    let parameters = DerivationParameters {
        salt: Some(Blob::copy_of(b"salt")),
        iteration_count: Some(4096),
        ..DerivationParameters::default()
    };
    let asked = request(cell, &password, DerivationMethod::PBKDF2, parameters);
    let made: Response = cell.kmip.ask(Operation::DeriveKey, &asked);
    assert_eq!(hex::encode(bytes_of(&cell.kmip.get(&made.unique_identifier))), "4b007901b765489abead49d926f721d0");
    let links = [
        (&password, LinkType::DerivedKeyLink, &made.unique_identifier),
        (&made.unique_identifier, LinkType::DerivationBaseObjectLink, &password),
    ];
    for (from, kind, to) in links {
        let link = cell.newest(|kmip| kmip.value(from, Tag::Link));
        assert_eq!(link.find(Tag::LinkType), Some(&Value::Enumeration(kind.into())));
        assert_eq!(link.find(Tag::LinkedObjectIdentifier), Some(&Value::TextString(to.clone())));
    }
    // FIPS 180-4: the digest of the key.
    let key = cell.known(key_of(Algorithm::AES, &bytes), Mask::DERIVE_KEY);
    let asked = request(cell, &key, DerivationMethod::HASH, hash);
    let made: Response = cell.kmip.ask(Operation::DeriveKey, &asked);
    assert_eq!(hex::encode(bytes_of(&cell.kmip.get(&made.unique_identifier))), "a8faed6abbf35c12a4b26e40f6feb19d");
    let other = cell.known(key_of(Algorithm::AES, &bytes), Mask::ENCRYPT);
    let asked = Request { unique_identifiers: vec![UniqueIdentifier::Text(other)], ..asked };
    let incompatible = cell.reason(ResultReason::IncompatibleCryptographicUsageMask);
    assert_eq!(cell.kmip.refusal(Operation::DeriveKey, &asked), incompatible);
}
