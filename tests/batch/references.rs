//! What an item may refer to: the ID Placeholder (KMIP 2.1 §6), and the forms of Unique Identifier of 2.x (§4.58, §11.58).

use kmip_codec::message::RequestHeader;
use kmip_codec::schema::{Encode, decode};
use kmip_codec::spec::{
    BatchErrorContinuationOption, CryptographicAlgorithm, CryptographicUsageMask, ObjectType, Operation, ResultReason,
    RevocationReasonCode, State, Tag, UniqueIdentifierEnumeration as Named, Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attributes, Object, UniqueIdentifier};
use kmip_codec::{Element, Value};
use kmipd::ops;

use crate::common::{VERSIONS, export, import, join, split};
use crate::harness::Kmipd;
use crate::harness::kmip::{
    Came, Kmip, adjust, allocation, check, create, delete, enumeration, get, get_attributes, header, identifier,
    limits, locate, mask, modify, name, new_attribute, number, object, opaque, re_key, re_key_key_pair, register,
    revoke, secret, text,
};

/// The operations that take no object that exists.
const WITHOUT: &[Operation] = &[
    Operation::Create,
    Operation::CreateKeyPair,
    Operation::Register,
    Operation::Locate,
    Operation::Query,
    Operation::DelegatedLogin,
    Operation::DiscoverVersions,
    Operation::GetConstraints,
    Operation::Log,
    Operation::Login,
    Operation::Logout,
    Operation::Ping,
    // They are about certificates, and tested with them; and about the client's own.
    Operation::Certify,
    Operation::ReCertify,
    Operation::Validate,
    Operation::ReProvision,
    // It has objects of its own.
    Operation::Pkcs11,
    Operation::SetConstraints,
    Operation::SetDefaults,
    Operation::Hash,
    Operation::RNGRetrieve,
    Operation::RNGSeed,
    // The standard keeps the ID Placeholder out of it.
    Operation::DeriveKey,
    Operation::Interop,
    // Without a key it makes one for the parts.
    Operation::CreateSplitKey,
    // It names every part.
    Operation::JoinSplitKey,
    // It names an object that is to be.
    Operation::Import,
];

/// The operations that need a key for some cryptography: what they make of it is tested elsewhere.
const CRYPTOGRAPHY: [Operation; 6] = [
    Operation::Encrypt,
    Operation::Decrypt,
    Operation::Sign,
    Operation::SignatureVerify,
    Operation::MAC,
    Operation::MACVerify,
];

/// The operations that leave another object behind: what they make of the ID Placeholder is tested with them.
const REPLACING: [Operation; 2] = [Operation::ReKey, Operation::ReKeyKeyPair];

/// Items that name no object, in an order in which each can be done.
fn unnamed(kmip: &Kmip) -> Vec<(Operation, kmip_codec::message::RequestBatchItem)> {
    let first = text(Tag::ContactInformation, "first");
    let second = text(Tag::ContactInformation, "second");
    let mut items = vec![
        (Operation::Get, kmip.item(Operation::Get, &get(None))),
        (Operation::GetAttributes, kmip.item(Operation::GetAttributes, &get_attributes(None, vec![Tag::State.into()]))),
        (Operation::GetAttributeList, kmip.item(Operation::GetAttributeList, &object(None))),
        (Operation::AddAttribute, kmip.item(Operation::AddAttribute, &new_attribute(None, first.clone()))),
        (Operation::ModifyAttribute, kmip.item(Operation::ModifyAttribute, &modify(None, None, second))),
        (
            Operation::DeleteAttribute,
            kmip.item(Operation::DeleteAttribute, &delete(None, Tag::ContactInformation.into(), None)),
        ),
        (Operation::Check, kmip.item(Operation::Check, &check(None, CryptographicUsageMask::ENCRYPT))),
        (Operation::ObtainLease, kmip.item(Operation::ObtainLease, &object(None))),
        (Operation::Archive, kmip.item(Operation::Archive, &object(None))),
        (Operation::Recover, kmip.item(Operation::Recover, &object(None))),
    ];
    if Operation::Export.known_in(kmip.version) {
        items.push((Operation::Export, kmip.item(Operation::Export, &export(None))));
    }
    if Operation::SetAttribute.known_in(kmip.version) {
        items.push((Operation::SetAttribute, kmip.item(Operation::SetAttribute, &new_attribute(None, first))));
        let up = adjust(None, Tag::ProtectionPeriod.into(), None);
        items.push((Operation::AdjustAttribute, kmip.item(Operation::AdjustAttribute, &up)));
    }
    items.push((Operation::Activate, kmip.item(Operation::Activate, &object(None))));
    items.push((Operation::GetUsageAllocation, kmip.item(Operation::GetUsageAllocation, &allocation(None, 1))));
    let why = RevocationReasonCode::CessationOfOperation;
    items.push((Operation::Revoke, kmip.item(Operation::Revoke, &revoke(None, why))));
    items.push((Operation::Destroy, kmip.item(Operation::Destroy, &object(None))));
    items
}

#[test]
fn the_id_placeholder_goes_through_every_operation() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let chain = unnamed(&kmip);
        for row in ops::OPERATIONS.iter().filter(|row| row.operation.known_in(version)) {
            let operation = row.operation;
            let is_known = matches!(row.run, ops::Run::Dispatcher(_))
                || WITHOUT.contains(&operation)
                || CRYPTOGRAPHY.contains(&operation)
                || REPLACING.contains(&operation)
                || chain.iter().any(|(other, _)| *other == operation);
            assert!(is_known, "{operation} has no item in this test");
        }
        let operations: Vec<Operation> = chain.iter().map(|(operation, _)| *operation).collect();
        let mut items = vec![kmip.item(Operation::Create, &create(vec![limits(1)]))];
        items.extend(chain.into_iter().map(|(_, item)| item));
        let came = kmip.items(items);
        assert_eq!(came.len(), operations.len() + 1, "{:?}", came.last());
        let made = identifier(&came[0]);
        for (operation, came) in operations.iter().zip(&came[1..]) {
            assert!(came.is_ok(), "{operation} in {version}: {came:?}");
            assert_eq!(identifier(came), made, "{operation} in {version}");
        }
        assert_eq!(kmip.state(&made), State::Destroyed);
    }
}

fn pair() -> ops::create_key_pair::Request {
    let both = vec![
        enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::ECDSA),
        number(Tag::CryptographicLength, 256),
    ];
    let list = |list| Attributes { templates: Vec::new(), list };
    ops::create_key_pair::Request {
        common: list(both),
        private: list(vec![mask(CryptographicUsageMask::SIGN)]),
        public: list(vec![mask(CryptographicUsageMask::VERIFY)]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    }
}

fn types_of(kmip: &Kmip, came: &[Came]) -> Vec<ObjectType> {
    let object_type = |came: &Came| {
        let response: ops::get_attributes::Response = decode(came.clone().unwrap(), kmip.version).unwrap();
        match response.attributes.0.as_slice() {
            [only] if only.tag == Tag::ObjectType => match only.value {
                Value::Enumeration(code) => ObjectType(code),
                _ => panic!("{only:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    came.iter().map(object_type).collect()
}

#[test]
fn what_sets_the_id_placeholder_and_what_empties_it() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let its_type =
            |kmip: &Kmip| kmip.item(Operation::GetAttributes, &get_attributes(None, vec![Tag::ObjectType.into()]));
        // A pair leaves the private key there, whatever came before it.
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![])),
            kmip.item(Operation::CreateKeyPair, &pair()),
            its_type(&kmip),
        ]);
        assert_eq!(types_of(&kmip, &came[2..]), [ObjectType::PrivateKey]);

        let group = text(Tag::ObjectGroup, &format!("group {version}"));
        let bare = mask(CryptographicUsageMask::empty());
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![group.clone()])),
            kmip.item(Operation::Register, &register(secret(b"seed"), vec![group.clone(), bare])),
            its_type(&kmip),
        ]);
        assert_eq!(types_of(&kmip, &came[2..]), [ObjectType::SecretData]);

        // One match is the placeholder, several or none empty it.
        let only = enumeration(Tag::ObjectType, ObjectType::SecretData);
        let came = kmip.items(vec![
            kmip.item(Operation::Locate, &locate(vec![group.clone(), only])),
            its_type(&kmip),
            kmip.item(Operation::Locate, &locate(vec![group.clone()])),
            its_type(&kmip),
        ]);
        assert_eq!(types_of(&kmip, &came[1..2]), [ObjectType::SecretData]);
        assert_eq!(
            came[3].as_ref().unwrap_err().reason(),
            kmipd::failure::reason_in(version, ResultReason::ObjectNotFound)
        );
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![])),
            kmip.item(Operation::Locate, &locate(vec![name("nobody has it")])),
            its_type(&kmip),
        ]);
        assert_eq!(
            came[2].as_ref().unwrap_err().reason(),
            kmipd::failure::reason_in(version, ResultReason::ObjectNotFound)
        );

        // A replacement takes its place; of a pair the private key.
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![])),
            kmip.item(Operation::ReKey, &re_key(None, vec![])),
            its_type(&kmip),
        ]);
        assert_ne!(identifier(&came[0]), identifier(&came[1]));
        assert_eq!(identifier(&came[1]), identifier(&came[2]));
        if Operation::ReKeyKeyPair.known_in(version) {
            let came = kmip.items(vec![
                kmip.item(Operation::CreateKeyPair, &pair()),
                kmip.item(Operation::ReKeyKeyPair, &re_key_key_pair(None)),
                its_type(&kmip),
            ]);
            assert_eq!(types_of(&kmip, &came[2..]), [ObjectType::PrivateKey]);
        }

        // A Check that refuses empties it.
        let go_on = RequestHeader {
            batch_error_continuation_option: Some(BatchErrorContinuationOption::Continue),
            ..header(version)
        };
        let items = vec![
            kmip.item(Operation::Create, &create(vec![])),
            kmip.item(Operation::Check, &check(None, CryptographicUsageMask::SIGN)),
            its_type(&kmip),
        ];
        let came = kmip.batch(go_on, items);
        let wrong = ResultReason::IncompatibleCryptographicUsageMask;
        assert_eq!(came[1].as_ref().unwrap_err().reason(), kmipd::failure::reason_in(version, wrong));
        assert_eq!(
            came[2].as_ref().unwrap_err().reason(),
            kmipd::failure::reason_in(version, ResultReason::ObjectNotFound)
        );

        // It ends with its message.
        kmip.create(vec![]);
        assert_eq!(
            kmip.refusal(Operation::Get, &get(None)),
            kmipd::failure::reason_in(version, ResultReason::ObjectNotFound)
        );
    }
}

#[test]
fn parts_and_what_travels_set_the_id_placeholder() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS.into_iter().filter(|&version| Operation::CreateSplitKey.known_in(version)) {
        let mut kmip = kmipd.kmip(version);
        let its_type =
            |kmip: &Kmip| kmip.item(Operation::GetAttributes, &get_attributes(None, vec![Tag::ObjectType.into()]));
        // The first part takes the place of what was there, which nobody asked to split, and which could not be.
        let came = kmip.items(vec![
            kmip.item(Operation::Register, &register(opaque(b"whole"), vec![])),
            kmip.item(Operation::CreateSplitKey, &split(None)),
            its_type(&kmip),
            kmip.item(Operation::Get, &get(None)),
        ]);
        let made: ops::create_split_key::Response = decode(came[1].clone().unwrap(), version).unwrap();
        let parts = made.unique_identifiers;
        assert_eq!(types_of(&kmip, &came[2..3]), [ObjectType::SplitKey]);
        assert_eq!(identifier(&came[2]), parts[0]);
        let got: ops::get::Response = decode(came[3].clone().unwrap(), version).unwrap();
        let Object::SplitKey(first) = got.object else { panic!("no Split Key") };
        assert_eq!(first.key_part_identifier, 1);

        // What they are joined to does.
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![])),
            kmip.item(Operation::JoinSplitKey, &join(&parts[1..])),
            its_type(&kmip),
        ]);
        assert_ne!(identifier(&came[0]), identifier(&came[1]));
        assert_eq!(identifier(&came[1]), identifier(&came[2]));
        assert_eq!(types_of(&kmip, &came[2..]), [ObjectType::SymmetricKey]);
        // A part that is there alone is not joined.
        let part = get_attributes(Some(&parts[0]), vec![Tag::ObjectType.into()]);
        let came = kmip.items(vec![
            kmip.item(Operation::CreateSplitKey, &split(None)),
            kmip.item(Operation::GetAttributes, &part),
            kmip.item(Operation::JoinSplitKey, &join(&[])),
        ]);
        assert_eq!(came[2].as_ref().unwrap_err().reason(), ResultReason::InvalidField);

        if Operation::Import.known_in(version) {
            // What comes does, and what goes.
            let known = Text::from(format!("from elsewhere in {version}").as_str());
            let other = kmip.create(vec![]);
            let came = kmip.items(vec![
                kmip.item(Operation::Create, &create(vec![])),
                kmip.item(Operation::Import, &import(&known, secret(b"s"), false, version)),
                its_type(&kmip),
                kmip.item(Operation::Export, &export(Some(&other))),
                its_type(&kmip),
                kmip.item(Operation::Import, &import(&known, secret(b"t"), true, version)),
                kmip.item(Operation::Export, &export(None)),
            ]);
            assert_eq!(identifier(&came[2]), known);
            assert_eq!(types_of(&kmip, &came[2..3]), [ObjectType::SecretData]);
            assert_eq!(identifier(&came[4]), other);
            let sent: ops::export::Response = decode(came[6].clone().unwrap(), version).unwrap();
            assert_eq!((sent.unique_identifier, sent.object), (known, secret(b"t")));
        }
    }
}

fn whose(identifier: UniqueIdentifier) -> ops::activate::Request {
    ops::activate::Request { unique_identifier: Some(identifier) }
}

fn type_of(identifier: UniqueIdentifier) -> ops::get_attributes::Request {
    ops::get_attributes::Request {
        unique_identifier: Some(identifier),
        ..get_attributes(None, vec![Tag::ObjectType.into()])
    }
}

#[test]
fn names_and_numbers_stand_for_identifiers_in_2_x() {
    let kmipd = Kmipd::dev();
    for version in [Version::V2_0, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let list = |kmip: &Kmip, identifier| kmip.item(Operation::GetAttributeList, &whose(identifier));
        let named = UniqueIdentifier::Named;
        let bare = || mask(CryptographicUsageMask::empty());
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![])),
            kmip.item(Operation::Register, &register(secret(b"one"), vec![bare()])),
            kmip.item(Operation::Create, &create(vec![])),
            list(&kmip, named(Named::IDPlaceholder)),
            list(&kmip, named(Named::Register)),
            list(&kmip, named(Named::Create)),
            list(&kmip, UniqueIdentifier::Number(0)),
            list(&kmip, UniqueIdentifier::Number(1)),
            // The identifiers of all answers count: the last is the one just above.
            list(&kmip, UniqueIdentifier::Number(-1)),
            list(&kmip, UniqueIdentifier::Number(-9)),
        ]);
        let [first, registered, last] = [0, 1, 2].map(|place| identifier(&came[place]));
        let listed: Vec<Text> = came[3..].iter().map(identifier).collect();
        let expected = [&last, &registered, &last, &first, &registered, &registered, &first];
        assert_eq!(listed.iter().collect::<Vec<_>>(), expected);

        for absent in [
            named(Named::Locate),
            named(Named::ReKey),
            named(Named::CreateKeyPairPublicKey),
            UniqueIdentifier::Number(1),
            UniqueIdentifier::Number(-2),
        ] {
            let came = kmip.items(vec![kmip.item(Operation::Create, &create(vec![])), list(&kmip, absent.clone())]);
            assert_eq!(came[1].as_ref().unwrap_err().reason(), ResultReason::ObjectNotFound, "{absent:?}");
        }
    }
    // 1.x has text alone.
    let mut kmip = kmipd.kmip(Version::V1_4);
    for value in [Value::Enumeration(Named::Create.0), Value::Integer(0)] {
        let payload =
            Element::new(Tag::RequestPayload, Value::Structure(vec![Element::new(Tag::UniqueIdentifier, value)]));
        let came =
            kmip.items(vec![kmip.item(Operation::Create, &create(vec![])), kmip.item(Operation::Get, &AsIs(payload))]);
        assert_eq!(came[1].as_ref().unwrap_err().reason(), ResultReason::InvalidMessage);
    }
}

/// A payload as it is.
struct AsIs(Element);

impl Encode for AsIs {
    fn encode(&self, tag: Tag, writer: &mut kmip_codec::ttlv::Writer) {
        writer.value(tag, &self.0.value);
    }
}

#[test]
fn an_operation_is_repeated_for_each_of_several() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    let named = UniqueIdentifier::Named;
    let came = kmip.items(vec![
        kmip.item(Operation::CreateKeyPair, &pair()),
        kmip.item(Operation::GetAttributes, &type_of(named(Named::CreateKeyPair))),
        kmip.item(Operation::GetAttributes, &type_of(named(Named::CreateKeyPairPrivateKey))),
        kmip.item(Operation::GetAttributes, &type_of(named(Named::CreateKeyPairPublicKey))),
    ]);
    let both = [ObjectType::PrivateKey, ObjectType::PublicKey];
    assert_eq!(types_of(&kmip, &came[1..]), [both, both].concat());

    let group = text(Tag::ObjectGroup, "several");
    let mut made: Vec<Text> = (0..3).map(|_| kmip.create(vec![group.clone()])).collect();
    made.reverse();
    let request = crate::harness::kmip::message(
        kmip.version,
        crate::harness::kmip::header(kmip.version),
        vec![
            kmip.item(Operation::Locate, &locate(vec![group.clone()])),
            kmip.item(Operation::Activate, &whose(named(Named::Locate))),
        ],
    );
    let answer = kmip.exchange(&request);
    assert_eq!(answer.header.batch_count, 4);
    for item in &answer.items[1..] {
        assert_eq!(item.unique_batch_item_id, request.items[1].unique_batch_item_id);
    }
    let came = crate::harness::kmip::came(answer);
    assert_eq!(came[1..].iter().map(identifier).collect::<Vec<_>>(), made);
    for identifier in &made {
        assert_eq!(kmip.state(identifier), State::Active);
    }
    // One that fails ends the repetition; with Undo all of it is taken back.
    let more = kmip.create(vec![group.clone()]);
    let header = kmip_codec::message::RequestHeader {
        batch_error_continuation_option: Some(BatchErrorContinuationOption::Undo),
        ..crate::harness::kmip::header(kmip.version)
    };
    let came = kmip.batch(
        header,
        vec![
            kmip.item(Operation::Locate, &locate(vec![group])),
            kmip.item(Operation::Activate, &whose(named(Named::Locate))),
        ],
    );
    assert_eq!(came.len(), 3, "{came:?}");
    assert_eq!(came[2].as_ref().unwrap_err().reason(), ResultReason::WrongKeyLifecycleState);
    assert_eq!(kmip.state(&more), State::PreActive);
    // Where one must be meant, several are refused.
    let wrapping = kmip.create(vec![crate::common::wrapping()]);
    let mut request = crate::common::wrapped(&more, &wrapping, kmip.version);
    let specification = request.key_wrapping_specification.as_mut().unwrap();
    specification.encryption_key_information.as_mut().unwrap().unique_identifier = named(Named::Locate);
    let came = kmip.items(vec![
        kmip.item(Operation::Locate, &locate(vec![text(Tag::ObjectGroup, "several")])),
        kmip.item(Operation::Get, &request),
    ]);
    assert_eq!(came[1].as_ref().unwrap_err().reason(), ResultReason::InvalidField);
}
