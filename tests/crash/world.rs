//! What there should be: the objects of a writer as they were acknowledged, and as they are if its last message counts.

use std::collections::BTreeMap;

use kmip_codec::Value;
use kmip_codec::message::{RequestBatchItem, RequestHeader, ResponseBatchItem};
use kmip_codec::schema::decode;
use kmip_codec::spec::{
    BatchErrorContinuationOption, CryptographicUsageMask, ObjectType, Operation, ResultReason, ResultStatus, State,
    StorageStatusMask, Tag, Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::AttributeReference;
use kmipd::ops;

use crate::harness::Kmip;
use crate::harness::kmip::{
    bytes_of, create, get, get_attributes, header, item, locate, mask, modify, name, object, register, secret, text,
};

/// Objects by their names.
pub(crate) type World = BTreeMap<String, Thing>;

/// An object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thing {
    /// Its identifier, once it was acknowledged.
    pub(crate) identifier: Option<Text>,
    pub(crate) state: State,
    pub(crate) contact: String,
    /// The length of a secret, whose bytes follow from its name; none for a key.
    pub(crate) length: Option<usize>,
}

/// What is done to an object.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    Create(String),
    Register(String, usize),
    Activate(String),
    Modify(String, String),
    Destroy(String),
}

/// The bytes of a secret: what is cut off or mixed up shows.
fn bytes(name: &str, length: usize) -> Vec<u8> {
    let seed = name.bytes().fold(7_u32, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    (0..length).map(|place| (seed.wrapping_add(place as u32).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

impl Deed {
    fn name(&self) -> &str {
        match self {
            Self::Create(name)
            | Self::Register(name, _)
            | Self::Activate(name)
            | Self::Modify(name, _)
            | Self::Destroy(name) => name,
        }
    }

    /// What it makes of the world. The identifier of a new object is not known yet.
    pub(crate) fn done_in(&self, world: &mut World) {
        let new = |length| Thing { identifier: None, state: State::PreActive, contact: "new".to_owned(), length };
        match self {
            Self::Create(name) => {
                world.insert(name.clone(), new(None));
            }
            Self::Register(name, length) => {
                world.insert(name.clone(), new(Some(*length)));
            }
            Self::Activate(name) => world.get_mut(name).unwrap().state = State::Active,
            Self::Modify(name, contact) => world.get_mut(name).unwrap().contact.clone_from(contact),
            Self::Destroy(name) => world.get_mut(name).unwrap().state = State::Destroyed,
        }
    }

    /// The item that asks for it. Of an object that the same message makes, the ID Placeholder speaks.
    pub(crate) fn item(&self, world: &World) -> RequestBatchItem {
        let version = Version::V2_1;
        let named = world.get(self.name()).and_then(|thing| thing.identifier.clone());
        let given = |length: Option<usize>| {
            let mut list = vec![name(self.name()), text(Tag::ContactInformation, "new")];
            list.extend(length.map(|_| mask(CryptographicUsageMask::empty())));
            list
        };
        match self {
            Self::Create(_) => item(version, Operation::Create, &create(given(None))),
            Self::Register(name, length) => {
                let object = secret(&bytes(name, *length));
                item(version, Operation::Register, &register(object, given(Some(*length))))
            }
            Self::Activate(_) => item(version, Operation::Activate, &object(named.as_ref())),
            Self::Modify(_, contact) => {
                let new = text(Tag::ContactInformation, contact);
                item(version, Operation::ModifyAttribute, &modify(named.as_ref(), None, new))
            }
            Self::Destroy(_) => item(version, Operation::Destroy, &object(named.as_ref())),
        }
    }

    /// Notes the identifier that an answer says.
    pub(crate) fn acknowledged(&self, answer: &ResponseBatchItem, world: &mut World) {
        assert_eq!(answer.result_status, ResultStatus::Success, "{self:?}: {answer:?}");
        let payload = answer.response_payload.as_ref().unwrap();
        let Some(Value::TextString(identifier)) = payload.value.find(Tag::UniqueIdentifier) else { panic!("{self:?}") };
        let thing = world.get_mut(self.name()).unwrap();
        assert_eq!(thing.identifier.get_or_insert_with(|| identifier.clone()), identifier);
    }
}

/// The objects of these names as the server shows them.
pub(crate) fn observe<'a>(kmip: &mut Kmip, names: impl Iterator<Item = &'a String>) -> World {
    let names: Vec<&String> = names.collect();
    let mut world = World::new();
    // Many in a message: what is asked is much, and the machine is small.
    for names in names.chunks(25) {
        let named = |called: &&String| {
            let request = ops::locate::Request {
                storage_status_mask: Some(StorageStatusMask::all()),
                ..locate(vec![name(called)])
            };
            kmip.item(Operation::Locate, &request)
        };
        let items = names.iter().map(named).collect();
        let mut found: Vec<(&String, Text)> = Vec::new();
        for (called, came) in names.iter().zip(kmip.items(items)) {
            let response: ops::locate::Response = decode(came.unwrap(), kmip.version).unwrap();
            assert!(response.unique_identifiers.len() <= 1, "{called}");
            found.extend(response.unique_identifiers.into_iter().map(|identifier| (*called, identifier)));
        }
        for (called, thing) in look(kmip, found) {
            world.insert(called.clone(), thing);
        }
    }
    world
}

/// Looks at objects: their attributes, their values, and whether the index agrees with them.
fn look<'a>(kmip: &mut Kmip, found: Vec<(&'a String, Text)>) -> Vec<(&'a String, Thing)> {
    if found.is_empty() {
        return Vec::new();
    }
    let wanted = [Tag::State, Tag::ContactInformation, Tag::ObjectType, Tag::Digest].map(AttributeReference::Tag);
    let header = RequestHeader {
        batch_error_continuation_option: Some(BatchErrorContinuationOption::Continue),
        ..header(kmip.version)
    };
    let of_each = |(_, identifier): &(&String, Text)| {
        [
            kmip.item(Operation::GetAttributes, &get_attributes(Some(identifier), wanted.to_vec())),
            kmip.item(Operation::Get, &get(Some(identifier))),
        ]
    };
    let came = kmip.batch(header, found.iter().flat_map(of_each).collect());
    let mut things = Vec::new();
    for ((called, identifier), came) in found.into_iter().zip(came.chunks(2)) {
        let attributes: ops::get_attributes::Response = decode(came[0].clone().unwrap(), kmip.version).unwrap();
        let value = |tag| {
            let of = attributes.attributes.0.iter().find(|attribute| attribute.tag == tag);
            of.map(|attribute| attribute.value.clone()).unwrap()
        };
        let Value::Enumeration(state) = value(Tag::State) else { panic!("{called}") };
        let Value::TextString(contact) = value(Tag::ContactInformation) else { panic!("{called}") };
        let mut length = None;
        if State(state) == State::Destroyed {
            assert_eq!(came[1].as_ref().unwrap_err().reason(), ResultReason::ObjectDestroyed, "{called}");
        } else {
            // The value is there, and whole.
            let got: ops::get::Response = decode(came[1].clone().unwrap(), kmip.version).unwrap();
            let held = bytes_of(&got.object);
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &held);
            let kept = value(Tag::Digest);
            let Some(Value::ByteString(kept)) = kept.find(Tag::DigestValue) else { panic!("{called}") };
            assert_eq!(**kept, *digest.as_ref(), "{called}");
            if value(Tag::ObjectType) == Value::Enumeration(ObjectType::SecretData.0) {
                assert_eq!(held, bytes(called, held.len()), "{called}");
                length = Some(held.len());
            } else {
                assert_eq!(held.len(), 32, "{called}");
            }
        }
        let contact = contact.to_string();
        things.push((called, Thing { identifier: Some(identifier), state: State(state), contact, length }));
    }
    things
}

/// Whether what is seen is what should be: an identifier that was never told is not compared, nor what a destroyed object
/// held.
pub(crate) fn is_same(seen: &World, should: &World) -> bool {
    let same = |seen: &Thing, should: &Thing| {
        (should.identifier.is_none() || seen.identifier == should.identifier)
            && seen.state == should.state
            && seen.contact == should.contact
            && (seen.state == State::Destroyed || seen.length == should.length)
    };
    seen.len() == should.len()
        && seen.iter().all(|(name, seen)| should.get(name).is_some_and(|should| same(seen, should)))
}
