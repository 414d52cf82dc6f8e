//! Keys in parts, and objects that move from server to server.

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask as Mask, KeyWrapType, ObjectType, Operation, ResultReason,
    SplitKeyMethod, State, Tag, Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, AttributeList, Attributes, Object, UniqueIdentifier};
use kmipd::ops;

use crate::cell::{Cell, Provider};
use crate::cryptography::ecb;
use crate::harness::kmip::{self, boolean, bytes_of, enumeration, key_of, mask, number, secret};

/// To split a key, or one that is made for it.
fn splitting(key: Option<&Text>, list: Vec<Attribute>) -> ops::create_split_key::Request {
    ops::create_split_key::Request {
        object_type: ObjectType::SplitKey,
        unique_identifier: key.map(|key| UniqueIdentifier::Text(key.clone())),
        split_key_parts: 5,
        split_key_threshold: 3,
        split_key_method: SplitKeyMethod::PolynomialSharingGF216,
        prime_field_size: None,
        attributes: Attributes { templates: Vec::new(), list },
        protection_storage_masks: None,
    }
}

/// To join parts to a key that encrypts.
fn joining(parts: &[&Text]) -> ops::join_split_key::Request {
    ops::join_split_key::Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: parts.iter().map(|part| UniqueIdentifier::Text((*part).clone())).collect(),
        secret_data_type: None,
        attributes: Attributes { templates: Vec::new(), list: vec![mask(Mask::ENCRYPT)] },
        protection_storage_masks: None,
    }
}

fn new_key() -> Vec<Attribute> {
    vec![enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES), number(Tag::CryptographicLength, 128)]
}

/// The key of FIPS 197, appendix C.1, and what it encrypts there.
const KEY: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const CIPHER: &str = "69c4e0d86a7b0430d8cdb78070b4c55a";

fn plain() -> Vec<u8> {
    (0..16).map(|byte| byte * 0x11).collect()
}

fn encrypted(cell: &mut Cell, key: &Text) -> String {
    cell.kmip.activate(key);
    cell.newest(|kmip| hex::encode(ecb(kmip, key, &plain())))
}

pub(crate) fn create_split_key(cell: &mut Cell) {
    let own = cell.known(key_of(CryptographicAlgorithm::AES, &KEY), Mask::ENCRYPT);
    let request = splitting(Some(&own), vec![]);
    // A key that may not leave is not split; one that is made for its parts never was whole anywhere.
    match cell.provider {
        Provider::Software => {
            let made: ops::create_split_key::Response = cell.kmip.ask(Operation::CreateSplitKey, &request);
            let parts = made.unique_identifiers;
            assert_eq!(parts.len(), 5);
            let Object::SplitKey(first) = cell.kmip.get(&parts[0]) else { panic!("no Split Key") };
            assert_eq!((first.key_part_identifier, first.split_key_parts, first.split_key_threshold), (1, 5, 3));
            let length = cell.kmip.value(&parts[4], Tag::CryptographicLength);
            assert_eq!(length, Value::Integer(128));
        }
        Provider::SoftHsm => {
            let denied = cell.reason(ResultReason::PermissionDenied);
            assert_eq!(cell.kmip.refusal(Operation::CreateSplitKey, &request), denied);
        }
    }
    let made: ops::create_split_key::Response = cell.kmip.ask(Operation::CreateSplitKey, &splitting(None, new_key()));
    let parts = made.unique_identifiers;
    let mut keys = [[0, 1, 2], [4, 2, 0]].map(|places| {
        let joining = joining(&places.map(|place: usize| &parts[place]));
        cell.kmip.ask::<ops::join_split_key::Response>(Operation::JoinSplitKey, &joining).unique_identifier
    });
    let [one, other] = keys.each_mut();
    assert_eq!(encrypted(cell, one), encrypted(cell, other));
    let wrong = ops::create_split_key::Request { object_type: ObjectType::SymmetricKey, ..request };
    let reason = cell.reason(ResultReason::InvalidObjectType);
    assert_eq!(cell.kmip.refusal(Operation::CreateSplitKey, &wrong), reason);
}

pub(crate) fn join_split_key(cell: &mut Cell) {
    // The parts may leave, or not, as the cell's keys do: what is joined of them lives where such keys live.
    let made = splitting(None, cell.protected(new_key()));
    let made: ops::create_split_key::Response = cell.kmip.ask(Operation::CreateSplitKey, &made);
    let parts: Vec<&Text> = made.unique_identifiers.iter().collect();
    let joined: ops::join_split_key::Response = cell.kmip.ask(Operation::JoinSplitKey, &joining(&parts[1..4]));
    cell.assert_home(&joined.unique_identifier);
    assert_eq!(encrypted(cell, &joined.unique_identifier).len(), 32);
    let few = joining(&parts[..2]);
    assert_eq!(cell.kmip.refusal(Operation::JoinSplitKey, &few), ResultReason::CryptographicFailure);
    let missing = Text::from("nobody");
    let reason = cell.reason(ResultReason::ObjectNotFound);
    assert_eq!(cell.kmip.refusal(Operation::JoinSplitKey, &joining(&[&missing])), reason);
}

fn exporting(key: &Text) -> ops::export::Request {
    ops::export::Request {
        unique_identifier: Some(UniqueIdentifier::Text(key.clone())),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

pub(crate) fn export(cell: &mut Cell) {
    let key = cell.known(key_of(CryptographicAlgorithm::AES, &KEY), Mask::ENCRYPT);
    match cell.provider {
        Provider::Software => {
            let sent: ops::export::Response = cell.kmip.ask(Operation::Export, &exporting(&key));
            assert_eq!(bytes_of(&sent.object), KEY);
            let state = enumeration(Tag::State, State::Active);
            assert!(sent.attributes.0.iter().any(|one| (one.tag, &one.value) == (state.tag, &state.value)));
        }
        Provider::SoftHsm => {
            let denied = cell.reason(ResultReason::PermissionDenied);
            assert_eq!(cell.kmip.refusal(Operation::Export, &exporting(&key)), denied);
        }
    }
    let missing = cell.reason(ResultReason::ObjectNotFound);
    assert_eq!(cell.kmip.refusal(Operation::Export, &exporting(&"nobody".into())), missing);
}

pub(crate) fn import(cell: &mut Cell) {
    let identifier = Text::from(cell.mark());
    let (known, is_v2) = (cell.version() >= Version::V1_4, cell.is_v2());
    assert!(known);
    let extractable = boolean(Tag::Extractable, cell.provider == Provider::Software);
    let request = |replace: bool, object: Object| ops::import::Request {
        unique_identifier: identifier.clone(),
        object_type: is_v2.then_some(object.object_type()),
        replace_existing: Some(replace),
        key_wrap_type: None,
        attributes: AttributeList(vec![
            mask(Mask::ENCRYPT),
            kmip::date(Tag::InitialDate, 1_000_000_000),
            extractable.clone(),
        ]),
        object,
    };
    let key = key_of(CryptographicAlgorithm::AES, &KEY);
    let made: ops::import::Response = cell.kmip.ask(Operation::Import, &request(false, key.clone()));
    assert_eq!(made.unique_identifier, identifier);
    cell.assert_home(&identifier);
    assert_eq!(cell.kmip.value(&identifier, Tag::InitialDate), Value::DateTime(1_000_000_000));
    assert_eq!(encrypted(cell, &identifier), CIPHER);
    let again = cell.reason(ResultReason::ObjectAlreadyExists);
    assert_eq!(cell.kmip.refusal(Operation::Import, &request(false, key)), again);
    // Replaced, it is another key, and the handle of the former one is gone.
    let other = key_of(CryptographicAlgorithm::AES, &[7; 16]);
    cell.kmip.ask::<ops::import::Response>(Operation::Import, &request(true, other));
    cell.assert_home(&identifier);
    assert_ne!(encrypted(cell, &identifier), CIPHER);
    let mut wrong = request(true, secret(b"s"));
    wrong.object_type = Some(ObjectType::SymmetricKey);
    assert_eq!(cell.kmip.refusal(Operation::Import, &wrong), ResultReason::InvalidField);
    let mut wrapped = request(true, secret(b"s"));
    wrapped.key_wrap_type = Some(KeyWrapType(0x8000_0001));
    assert_eq!(cell.kmip.refusal(Operation::Import, &wrapped), ResultReason::InvalidField);
}
