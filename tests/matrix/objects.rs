//! The operations that make, find, give and end objects.

use aes_kw::KwAes128;
use cipher::KeyInit;
use kmip_codec::schema::decode;
use kmip_codec::spec::{
    BlockCipherMode, CertificateRequestType, CryptographicAlgorithm, CryptographicUsageMask as Mask, EncodingOption,
    InteropFunction, KeyFormatType, LinkType, ObjectType, Operation, QueryFunction, ResultReason, RevocationReasonCode,
    SplitKeyMethod, State, Tag, Version, WrappingMethod,
};
use kmip_codec::ttlv::{Blob, Limits, Text, parse};
use kmip_codec::types::{
    AttributeList, Attributes, CertificateRequest, CryptographicParameters, EncryptionKeyInformation, KeyMaterial,
    KeyValue, KeyWrappingSpecification, Object, PgpKey, ProtocolVersion, SplitKey, Template, UniqueIdentifier,
};
use kmip_codec::{Element, Value};
use kmipd::ops;

use crate::cell::{Cell, Provider};
use crate::harness::kmip::{
    self, boolean, bytes_of, date, enumeration, key_of, mask, number, object, opaque, secret, text,
};

pub(crate) fn create(cell: &mut Cell) {
    let name = cell.name();
    let request = kmip::create(cell.protected(vec![name.clone(), number(Tag::CryptographicLength, 192)]));
    let made: ops::create::Response = cell.kmip.ask(Operation::Create, &request);
    assert_eq!(made.object_type, ObjectType::SymmetricKey);
    let key = made.unique_identifier;
    cell.assert_home(&key);
    for (tag, expected) in [
        (Tag::ObjectType, Value::Enumeration(ObjectType::SymmetricKey.0)),
        (Tag::CryptographicAlgorithm, Value::Enumeration(CryptographicAlgorithm::AES.0)),
        (Tag::CryptographicLength, Value::Integer(192)),
        (Tag::CryptographicUsageMask, Value::Integer((Mask::ENCRYPT | Mask::DECRYPT).bits().cast_signed())),
        (Tag::State, Value::Enumeration(State::PreActive.0)),
        (Tag::Name, name.value.clone()),
        (Tag::UniqueIdentifier, Value::TextString(key.clone())),
    ] {
        assert_eq!(cell.kmip.value(&key, tag), expected, "{tag}");
    }
    match cell.provider {
        Provider::Software => {
            let Object::SymmetricKey(block) = cell.kmip.get(&key) else { panic!("no Symmetric Key") };
            assert_eq!(block.key_format_type, KeyFormatType::Raw);
            assert_eq!(block.cryptographic_length, Some(192));
            assert_eq!(bytes_of(&Object::SymmetricKey(block)).len(), 24);
        }
        Provider::SoftHsm => refuse_to_give(cell, &key),
    }
    // Two keys are two keys; a name is taken once; a length that no AES key has is refused.
    let taken = cell.reason(ResultReason::NonUniqueNameAttribute);
    assert_eq!(cell.kmip.refusal(Operation::Create, &request), taken);
    let wrong = kmip::create(vec![number(Tag::CryptographicLength, 200)]);
    let invalid = cell.reason(ResultReason::InvalidAttributeValue);
    assert_eq!(cell.kmip.refusal(Operation::Create, &wrong), invalid);
}

/// A key of the module is not given, wrapped or not.
fn refuse_to_give(cell: &mut Cell, key: &Text) {
    let reason = cell.reason(ResultReason::NotExtractable);
    assert_eq!(cell.kmip.refusal(Operation::Get, &kmip::get(Some(key))), reason);
}

pub(crate) fn create_key_pair(cell: &mut Cell) {
    let names = [cell.name(), cell.name()];
    let pair = pair(cell, &names);
    let both = [(&pair.private_key, &names[0]), (&pair.public_key, &names[1])];
    let types = [ObjectType::PrivateKey, ObjectType::PublicKey];
    let links = [LinkType::PublicKeyLink, LinkType::PrivateKeyLink];
    let masks = [Mask::SIGN, Mask::VERIFY];
    for (place, (key, name)) in both.into_iter().enumerate() {
        let other = both[1 - place].0;
        let mut value = |tag| cell.kmip.value(key, tag);
        assert_eq!(value(Tag::ObjectType), Value::Enumeration(types[place].0));
        assert_eq!(value(Tag::Name), name.value);
        assert_eq!(value(Tag::CryptographicAlgorithm), Value::Enumeration(CryptographicAlgorithm::ECDSA.0));
        assert_eq!(value(Tag::CryptographicLength), Value::Integer(256));
        assert_eq!(value(Tag::CryptographicUsageMask), Value::Integer(masks[place].bits().cast_signed()));
        let link = value(Tag::Link);
        assert_eq!(link.find(Tag::LinkType), Some(&Value::Enumeration(links[place].0)));
        assert_eq!(link.find(Tag::LinkedObjectIdentifier), Some(&Value::TextString(other.clone())));
    }
    cell.assert_home(&pair.private_key);
    // The public half is a point on the curve, wherever the other half is.
    public_key(cell, &pair.public_key);
    match cell.provider {
        Provider::Software => {
            // As bytes: 2.x gives the numbers of such a key unless it is told otherwise.
            let mut request = kmip::get(Some(&pair.private_key));
            request.key_format_type = Some(KeyFormatType::Pkcs8);
            let got: ops::get::Response = cell.kmip.ask(Operation::Get, &request);
            assert!(!bytes_of(&got.object).is_empty());
        }
        Provider::SoftHsm => refuse_to_give(cell, &pair.private_key),
    }
}

/// An ECDSA pair on P-256.
pub(crate) fn pair(cell: &mut Cell, names: &[kmip_codec::types::Attribute; 2]) -> ops::create_key_pair::Response {
    let list = |list| Attributes { templates: Vec::new(), list };
    let private = cell.protected(vec![mask(Mask::SIGN), names[0].clone()]);
    let request = ops::create_key_pair::Request {
        common: list(vec![
            enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::ECDSA),
            number(Tag::CryptographicLength, 256),
        ]),
        private: list(private),
        public: list(vec![mask(Mask::VERIFY), names[1].clone()]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    cell.kmip.ask(Operation::CreateKeyPair, &request)
}

/// Gets a public key on P-256.
pub(crate) fn public_key(cell: &mut Cell, key: &Text) -> p256::ecdsa::VerifyingKey {
    use p256::pkcs8::DecodePublicKey;
    let request = ops::get::Request { key_format_type: Some(KeyFormatType::X509), ..kmip::get(Some(key)) };
    let got: ops::get::Response = cell.kmip.ask(Operation::Get, &request);
    assert_eq!(got.object_type, ObjectType::PublicKey);
    p256::ecdsa::VerifyingKey::from_public_key_der(&bytes_of(&got.object)).unwrap()
}

pub(crate) fn register(cell: &mut Cell) {
    let bytes: Vec<u8> = (0..16).collect();
    let key = key_of(CryptographicAlgorithm::AES, &bytes);
    let identifier = cell.known(key.clone(), Mask::ENCRYPT | Mask::DECRYPT);
    assert_eq!(cell.kmip.value(&identifier, Tag::CryptographicLength), Value::Integer(128));
    match cell.provider {
        Provider::Software => assert_eq!(cell.kmip.get(&identifier), key),
        Provider::SoftHsm => refuse_to_give(cell, &identifier),
    }
    // It is the key that was given: its ciphertext is that of FIPS 197, appendix C.1.
    let plain: Vec<u8> = (0..16).map(|byte| byte * 0x11).collect();
    let cipher = cell.newest(|kmip| crate::cryptography::ecb(kmip, &identifier, &plain));
    assert_eq!(hex::encode(cipher), "69c4e0d86a7b0430d8cdb78070b4c55a");

    // What is no key of the module's kind is kept as it came.
    let bare = mask(Mask::empty());
    let may = |cell: &Cell| (cell.version() >= Version::V1_4).then(|| boolean(Tag::Extractable, true));
    let further = [split_key(b"part"), pgp_key("armour"), template(), certificate_request()];
    let all = [secret(b"password"), opaque(b"bytes")].into_iter().chain(further);
    let version = cell.version();
    for object in all.filter(|object| object.object_type().known_in(version)) {
        let masked = !matches!(
            object.object_type(),
            ObjectType::OpaqueObject | ObjectType::Template | ObjectType::CertificateRequest
        );
        let seen = matches!(object.object_type(), ObjectType::Template | ObjectType::CertificateRequest);
        let mut attributes = vec![cell.name()];
        attributes.extend(masked.then(|| bare.clone()));
        attributes.extend(may(cell));
        let identifier = cell.kmip.register(object.clone(), attributes);
        let object_type = Value::Enumeration(object.object_type().0);
        assert_eq!(cell.kmip.value(&identifier, Tag::ObjectType), object_type);
        if cell.provider == Provider::Software || may(cell).is_some() || seen {
            assert_eq!(cell.kmip.get(&identifier), object);
        } else {
            refuse_to_give(cell, &identifier);
        }
    }
    let mut wrong = kmip::register(key, vec![mask(Mask::ENCRYPT)]);
    wrong.object_type = ObjectType::SecretData;
    assert_eq!(cell.kmip.refusal(Operation::Register, &wrong), ResultReason::InvalidField);
}

/// A part of a secret.
fn split_key(part: &[u8]) -> Object {
    let Object::SecretData(whole) = secret(part) else { panic!("no secret") };
    Object::SplitKey(SplitKey {
        split_key_parts: 3,
        key_part_identifier: 2,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::PolynomialSharingGF216,
        prime_field_size: None,
        key_block: whole.key_block,
    })
}

fn pgp_key(armour: &str) -> Object {
    let Object::SecretData(whole) = secret(armour.as_bytes()) else { panic!("no secret") };
    Object::PGPKey(PgpKey { pgp_key_version: 4, key_block: whole.key_block })
}

fn template() -> Object {
    Object::Template(Template { attributes: AttributeList(vec![text(Tag::ObjectGroup, "shelf")]) })
}

/// A request in a format of which the server keeps what it does not read, too.
fn certificate_request() -> Object {
    Object::CertificateRequest(CertificateRequest {
        certificate_request_type: CertificateRequestType::CRMF,
        certificate_request_value: Blob::copy_of(b"request"),
    })
}

pub(crate) fn locate(cell: &mut Cell) {
    let group = text(Tag::ObjectGroup, &cell.mark());
    let first = cell.key(Mask::ENCRYPT, vec![group.clone()]);
    let second = cell.key(Mask::DECRYPT, vec![group.clone()]);
    assert_eq!(cell.kmip.locate(vec![group.clone()]), [second.clone(), first.clone()]);
    assert_eq!(cell.kmip.locate(vec![group.clone(), mask(Mask::ENCRYPT)]), std::slice::from_ref(&first));
    let name = cell.kmip.value(&second, Tag::Name);
    let name = kmip_codec::types::Attribute::new(Tag::Name, name);
    assert_eq!(cell.kmip.locate(vec![name]), std::slice::from_ref(&second));
    cell.kmip.activate(&first);
    assert_eq!(cell.kmip.locate(vec![group.clone(), enumeration(Tag::State, State::Active)]), [first]);
    let one = ops::locate::Request { maximum_items: Some(1), ..kmip::locate(vec![group]) };
    assert_eq!(cell.kmip.ask::<ops::locate::Response>(Operation::Locate, &one).unique_identifiers, [second]);
}

pub(crate) fn check(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    let may: ops::activate::Response = cell.kmip.ask(Operation::Check, &kmip::check(Some(&key), Mask::ENCRYPT));
    assert_eq!(may.unique_identifier, key);
    let wrong = cell.reason(ResultReason::IncompatibleCryptographicUsageMask);
    assert_eq!(cell.kmip.refusal(Operation::Check, &kmip::check(Some(&key), Mask::DECRYPT)), wrong);
}

pub(crate) fn get(cell: &mut Cell) {
    let bytes: Vec<u8> = (0..16).map(|byte| byte * 0x11).collect();
    let key = key_of(CryptographicAlgorithm::AES, &bytes);
    let own = cell.known(key.clone(), Mask::ENCRYPT);
    match cell.provider {
        Provider::Software => assert_eq!(cell.kmip.get(&own), key),
        Provider::SoftHsm => refuse_to_give(cell, &own),
    }
    // A key that may leave, wrapped by one that lives with the provider: both of RFC 3394 §4.1.
    let wrapping: Vec<u8> = (0..16).collect();
    let kek = cell.known(key_of(CryptographicAlgorithm::AES, &wrapping), Mask::WRAP_KEY);
    let name = cell.name();
    let leaving =
        cell.newest(|kmip| kmip.register(key, vec![mask(Mask::ENCRYPT), name, boolean(Tag::Extractable, true)]));
    let has_options = cell.version() >= Version::V1_1;
    let request = ops::get::Request {
        key_wrapping_specification: Some(KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: UniqueIdentifier::Text(kek.clone()),
                cryptographic_parameters: Some(CryptographicParameters {
                    block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
                    ..CryptographicParameters::default()
                }),
            }),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: has_options.then_some(EncodingOption::NoEncoding),
        }),
        ..kmip::get(Some(&leaving))
    };
    let got: ops::get::Response = cell.kmip.ask(Operation::Get, &request);
    let block = got.object.key_block().unwrap();
    let data = block.key_wrapping_data.as_ref().unwrap();
    assert_eq!(data.wrapping_method, WrappingMethod::Encrypt);
    let information = data.encryption_key_information.as_ref().unwrap();
    assert_eq!(information.unique_identifier, UniqueIdentifier::Text(kek));
    let Some(KeyValue::Wrapped(wrapped)) = &block.key_value else { panic!("not wrapped") };
    if has_options {
        assert_eq!(hex::encode(&**wrapped), "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5");
    } else {
        // 1.0 wraps the Key Value structure.
        let wrapping = KwAes128::new_from_slice(&wrapping).unwrap();
        let mut buffer = vec![0; wrapped.len()];
        let opened = wrapping.unwrap_key(wrapped, &mut buffer).unwrap().to_vec();
        let element: Element = parse(&opened.into(), &Limits::default()).unwrap();
        assert_eq!(element.tag, Tag::KeyValue);
        let KeyValue::Plain { material: KeyMaterial::Bytes(material), .. } = decode(element, Version::V1_0).unwrap()
        else {
            panic!("no bytes")
        };
        assert_eq!(*material, *bytes);
    }
    let missing = cell.reason(ResultReason::ObjectNotFound);
    assert_eq!(cell.kmip.refusal(Operation::Get, &kmip::get(Some(&"nobody".into()))), missing);
}

pub(crate) fn activate(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    assert_eq!(cell.kmip.state(&key), State::PreActive);
    let before = kmip::now();
    cell.kmip.activate(&key);
    assert_eq!(cell.kmip.state(&key), State::Active);
    let Value::DateTime(since) = cell.kmip.value(&key, Tag::ActivationDate) else { panic!("no date") };
    assert!((before - 1..=kmip::now()).contains(&since));
    let wrong = cell.reason(ResultReason::WrongKeyLifecycleState);
    assert_eq!(cell.kmip.refusal(Operation::Activate, &object(Some(&key))), wrong);
}

pub(crate) fn revoke(cell: &mut Cell) {
    let stopped = cell.key(Mask::ENCRYPT, vec![date(Tag::ActivationDate, kmip::now() - 10)]);
    cell.kmip.revoke(&stopped, RevocationReasonCode::Superseded);
    assert_eq!(cell.kmip.state(&stopped), State::Deactivated);
    let why = cell.kmip.value(&stopped, Tag::RevocationReason);
    let code = why.find(Tag::RevocationReasonCode);
    assert_eq!(code, Some(&Value::Enumeration(RevocationReasonCode::Superseded.0)));

    let stolen = cell.key(Mask::ENCRYPT, vec![]);
    let when = kmip_codec::schema::DateTime(kmip::now() - 1000);
    let request = ops::revoke::Request {
        compromise_occurrence_date: Some(when),
        ..kmip::revoke(Some(&stolen), RevocationReasonCode::KeyCompromise)
    };
    let revoked: ops::activate::Response = cell.kmip.ask(Operation::Revoke, &request);
    assert_eq!(revoked.unique_identifier, stolen);
    assert_eq!(cell.kmip.state(&stolen), State::Compromised);
    assert_eq!(cell.kmip.value(&stolen, Tag::CompromiseOccurrenceDate), Value::DateTime(when.0));
    assert!(matches!(cell.kmip.value(&stolen, Tag::CompromiseDate), Value::DateTime(date) if date > when.0));
}

pub(crate) fn destroy(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    cell.kmip.destroy(&key);
    assert_eq!(cell.kmip.state(&key), State::Destroyed);
    assert!(matches!(cell.kmip.value(&key, Tag::DestroyDate), Value::DateTime(date) if date > 0));
    let gone = cell.reason(ResultReason::ObjectDestroyed);
    assert_eq!(cell.kmip.refusal(Operation::Get, &kmip::get(Some(&key))), gone);
    // An active key must be revoked first.
    let active = cell.key(Mask::ENCRYPT, vec![]);
    cell.kmip.activate(&active);
    let wrong = cell.reason(ResultReason::WrongKeyLifecycleState);
    assert_eq!(cell.kmip.refusal(Operation::Destroy, &object(Some(&active))), wrong);
}

pub(crate) fn query(cell: &mut Cell) {
    let version = cell.version();
    let request = ops::query::Request {
        functions: vec![
            QueryFunction::QueryOperations,
            QueryFunction::QueryObjects,
            QueryFunction::QueryServerInformation,
        ],
        object_groups: None,
    };
    let answer: ops::query::Response = cell.kmip.ask(Operation::Query, &request);
    assert_eq!(answer.operations, kmip::offered(version));
    assert!(answer.operations.contains(&Operation::Put));
    for object_type in [ObjectType::SymmetricKey, ObjectType::Certificate, ObjectType::OpaqueObject] {
        assert!(answer.object_types.contains(&object_type));
    }
    assert!(answer.vendor_identification.unwrap().contains("kmipd"));
    if version.is_v2() {
        let request =
            ops::query::Request { functions: vec![QueryFunction::QueryStorageProtectionMasks], object_groups: None };
        let answer: ops::query::Response = cell.kmip.ask(Operation::Query, &request);
        let places = answer.protection.unwrap().masks.len();
        assert_eq!(places, if cell.provider == Provider::Software { 1 } else { 2 });
    }
    let nothing = ops::query::Request { functions: Vec::new(), object_groups: None };
    assert_eq!(cell.kmip.refusal(Operation::Query, &nothing), ResultReason::InvalidField);
}

pub(crate) fn discover_versions(cell: &mut Cell) {
    let mut ask = |versions: Vec<ProtocolVersion>| {
        let request = ops::discover_versions::Versions { versions };
        cell.kmip.ask::<ops::discover_versions::Versions>(Operation::DiscoverVersions, &request).versions
    };
    let numbered = |major, minor| ProtocolVersion { major, minor };
    let all = [(2, 1), (2, 0), (1, 4), (1, 3), (1, 2), (1, 1), (1, 0)].map(|(major, minor)| numbered(major, minor));
    assert_eq!(ask(vec![]), all);
    assert_eq!(ask(vec![numbered(1, 4)]), [numbered(1, 4)]);
    assert_eq!(ask(vec![numbered(3, 0), numbered(1, 0), numbered(2, 0)]), [numbered(2, 0), numbered(1, 0)]);
    assert_eq!(ask(vec![numbered(3, 0)]), []);
}

/// These servers were not made for it: what it does is in tests/interop.rs.
pub(crate) fn interop(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    for function in [InteropFunction::Begin, InteropFunction::End, InteropFunction::Reset] {
        let request = ops::interop::Request { function, identifier: "a test".into() };
        assert_eq!(cell.kmip.refusal(Operation::Interop, &request), ResultReason::OperationNotSupported);
    }
    assert_eq!(cell.kmip.state(&key), State::PreActive);
}
