//! Put and Notify.

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask, Operation, PutFunction, ResultReason, Tag, Version,
};
use kmip_codec::types::{Attribute, AttributeReference, Object};
use kmipd::ops::{attribute, notify, put};

use crate::harness::kmip::{
    Kmip, boolean, create, delete, key_of, mask, modify, name, new_attribute, object, secret, vendor,
};
use crate::listening::{Listening, kmipd};

const KEY: &[u8; 16] = b"0123456789abcdef";

fn tags(attributes: &[Attribute]) -> Vec<Tag> {
    let mut tags: Vec<Tag> = attributes.iter().map(|attribute| attribute.tag).collect();
    tags.sort_by_key(|tag| tag.code());
    tags
}

fn bytes_of(object: &Object) -> Vec<u8> {
    let block = object.key_block().unwrap();
    let mut writer = kmip_codec::ttlv::Writer::new(Version::V2_1);
    kmip_codec::schema::Encode::encode(block, Tag::KeyBlock, &mut writer);
    writer.finish()
}

#[test]
fn a_new_object_is_put_and_its_changes_are_notified() {
    for version in [Version::V1_0, Version::V1_4, Version::V2_1] {
        let mut listeners = None;
        let kmipd = kmipd(|kmipd| {
            let (put, notify) = (Listening::new(kmipd), Listening::new(kmipd));
            let said = version.to_string();
            let sections = put.section("put", &said) + &notify.section("notify", &said);
            listeners = Some((put, notify));
            sections
        });
        let (puts, notifies) = listeners.unwrap();
        let mut kmip = Kmip::new(kmipd.client_named("alice").connect().unwrap(), version);
        let uses = mask(CryptographicUsageMask::ENCRYPT);
        let note = |text: &str| vendor("x", "provider", Value::TextString(text.into()));
        // Whose objects nobody asked for; and what is gone before anybody could be told of it.
        let mut other = Kmip::new(kmipd.client_named("bob").connect().unwrap(), version);
        let foreign = other.create(vec![]);
        let brief = kmip
            .items(vec![kmip.item(Operation::Create, &create(vec![])), kmip.item(Operation::Destroy, &object(None))]);
        assert!(brief.iter().all(Result::is_ok), "{brief:?}");
        let key = kmip.register(key_of(CryptographicAlgorithm::AES, KEY), vec![uses, name("pushed")]);

        let mut heard = puts.accept();
        let (message, payload) = heard.request(Operation::Put);
        assert_eq!(message.version, version);
        assert_eq!(message.header.maximum_response_size, None);
        heard.answer(&message, None);
        let request: put::Request = kmip_codec::schema::decode(payload, version).unwrap();
        assert_eq!((&request.unique_identifier, request.put_function), (&key, PutFunction::New));
        assert_eq!(request.replaced_unique_identifier, None);
        assert!(bytes_of(&request.object).windows(KEY.len()).any(|window| window == KEY));
        let told = tags(&request.attributes.0);
        for tag in [Tag::Name, Tag::ObjectType, Tag::UniqueIdentifier, Tag::State, Tag::CryptographicAlgorithm] {
            assert!(told.contains(&tag), "{tag} in {told:?}");
        }

        other.ask::<attribute::Response>(
            Operation::AddAttribute,
            &new_attribute(Some(&foreign), note("not to be told")),
        );
        kmip.ask::<attribute::Response>(Operation::AddAttribute, &new_attribute(Some(&key), note("one")));
        let mut heard = notifies.accept();
        let told: notify::Request = heard.take(Operation::Notify);
        assert_eq!(told.unique_identifier, key);
        assert_eq!(tags(&told.attributes.0), [Tag::Attribute, Tag::LastChangeDate]);
        kmip.ask::<attribute::Response>(Operation::ModifyAttribute, &modify(Some(&key), None, note("two")));
        let next = |heard: &mut crate::listening::Heard| match heard.next() {
            Some(message) => message,
            None => {
                *heard = notifies.accept();
                heard.next().unwrap()
            }
        };
        let message = next(&mut heard);
        heard.answer(&message, None);
        let payload = message.items[0].request_payload.clone().unwrap();
        let told: notify::Request = kmip_codec::schema::decode(payload, version).unwrap();
        let changed = told.attributes.0.iter().find(|attribute| attribute.tag == Tag::Attribute).unwrap();
        assert_eq!(changed.value, note("two").value);

        // What is deleted is named, in each dialect in its own way.
        let reference = AttributeReference::Vendor { vendor: "x".into(), name: "provider".into() };
        kmip.ask::<attribute::Response>(Operation::DeleteAttribute, &delete(Some(&key), reference.clone(), None));
        let message = next(&mut heard);
        heard.answer(&message, None);
        let payload = message.items[0].request_payload.clone().unwrap();
        if version.is_v2() {
            let told: notify::Request = kmip_codec::schema::decode(payload, version).unwrap();
            assert_eq!(told.deleted.0, [reference]);
        } else {
            let bare =
                payload.value.elements().iter().filter(|element| {
                    element.tag == Tag::Attribute && element.value.find(Tag::AttributeValue).is_none()
                });
            let names: Vec<_> =
                bare.map(|element| element.value.find(Tag::AttributeName).and_then(Value::text)).collect();
            assert_eq!(names, [Some("x-provider")]);
        }

        kmip.ask::<kmipd::ops::activate::Response>(Operation::Destroy, &object(Some(&key)));
        let message = next(&mut heard);
        heard.answer(&message, None);
        let payload = message.items[0].request_payload.clone().unwrap();
        let told: notify::Request = kmip_codec::schema::decode(payload, version).unwrap();
        let told = tags(&told.attributes.0);
        assert!(told.contains(&Tag::State) && told.contains(&Tag::LastChangeDate), "{told:?}");
    }
}

#[test]
fn what_was_not_answered_is_sent_again_after_a_kill_and_in_its_order() {
    let mut listener = None;
    let mut kmipd = kmipd(|kmipd| {
        let put = Listening::new(kmipd);
        let section = put.section("put", "2.1");
        listener = Some(put);
        section
    });
    let listener = listener.unwrap();
    let mut kmip = Kmip::new(kmipd.client_named("alice").connect().unwrap(), Version::V2_1);
    let bare = || mask(CryptographicUsageMask::empty());
    let first = kmip.register(secret(b"first"), vec![bare()]);
    // What must not leave is not sent, and stands in nobody's way.
    kmip.register(secret(b"sensitive"), vec![bare(), boolean(Tag::Sensitive, true)]);
    let second = kmip.register(secret(b"second"), vec![bare()]);
    let third = kmip.register(secret(b"third"), vec![bare()]);

    let mut heard = listener.accept();
    let (_, payload) = heard.request(Operation::Put);
    assert_eq!(payload.value.find(Tag::UniqueIdentifier).and_then(Value::text), Some(&*first));
    kmipd.kill();
    kmipd.restart();
    let mut heard = listener.accept();
    let (message, payload) = heard.request(Operation::Put);
    assert_eq!(payload.value.find(Tag::UniqueIdentifier).and_then(Value::text), Some(&*first));
    // A refusal is an answer, too.
    heard.answer(&message, Some(ResultReason::PermissionDenied));
    let (_, payload) = heard.request(Operation::Put);
    assert_eq!(payload.value.find(Tag::UniqueIdentifier).and_then(Value::text), Some(&*second));
    // What is no answer leaves the message where it is.
    heard.send(b"HTTP/1.1 200 OK\r\n\r\n");
    assert!(heard.next().is_none());
    let mut heard = listener.accept();
    let again: put::Request = heard.take(Operation::Put);
    assert_eq!(again.unique_identifier, second);
    let last: put::Request = heard.take(Operation::Put);
    assert_eq!(last.unique_identifier, third);
    assert!(heard.next().is_none());
    // Meanwhile the clients were served.
    let mut kmip = Kmip::new(kmipd.client_named("alice").connect().unwrap(), Version::V2_1);
    assert_eq!(kmip.value(&third, Tag::Fresh), Value::Boolean(false));
    assert_eq!(kmip.value(&first, Tag::Fresh), Value::Boolean(true));
}
