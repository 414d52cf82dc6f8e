//! The fields of the request, one by one and together.

use kmip_codec::spec::{
    CryptographicUsageMask, ObjectGroupMember, ObjectType, Operation, ResultReason, State, StorageStatusMask, Tag,
    Version,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::Attribute;
use kmip_codec::{Element, Value};
use kmipd::ops;

use crate::harness::Kmipd;
use crate::harness::kmip::{
    Came, Kmip, create, date, enumeration, identifier, locate, mask, modify, name, number, object, register, secret,
    structure, text, vendor,
};

const VERSIONS: [Version; 5] = [Version::V1_0, Version::V1_2, Version::V1_4, Version::V2_0, Version::V2_1];

fn group(of: &str) -> Attribute {
    text(Tag::ObjectGroup, of)
}

/// Keys of a group, the newest first.
fn keys(kmip: &mut Kmip, group_name: &str, count: usize) -> Vec<Text> {
    let mut made: Vec<Text> = (0..count).map(|_| kmip.create(vec![group(group_name)])).collect();
    made.reverse();
    made
}

#[test]
fn the_newest_come_first_and_are_counted() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let mark = version.to_string();
        let made = keys(&mut kmip, &mark, 6);
        assert_eq!(kmip.locate(vec![group(&mark)]), made);
        let mut ask = |maximum: Option<i32>, offset: Option<i32>| -> (Vec<Text>, Option<i32>) {
            let request =
                ops::locate::Request { maximum_items: maximum, offset_items: offset, ..locate(vec![group(&mark)]) };
            let answer: ops::locate::Response = kmip.ask(Operation::Locate, &request);
            (answer.unique_identifiers, answer.located_items)
        };
        assert_eq!(ask(Some(4), None), (made[..4].to_vec(), None));
        assert_eq!(ask(Some(0), None), (vec![], None));
        assert_eq!(ask(Some(100), None), (made.clone(), None));
        // Offset Items and Located Items came with 1.3; clients of PyKMIP's kind do not expect the count unasked.
        if version >= Version::V1_3 {
            assert_eq!(ask(None, Some(0)), (made.clone(), Some(6)));
            assert_eq!(ask(Some(2), Some(3)), (made[3..5].to_vec(), Some(6)));
            assert_eq!(ask(None, Some(5)), (made[5..].to_vec(), Some(6)));
            assert_eq!(ask(Some(2), Some(6)), (vec![], Some(6)));
            assert_eq!(ask(Some(0), Some(0)), (vec![], Some(6)));
            let negative = ops::locate::Request { offset_items: Some(-1), ..locate(vec![]) };
            assert_eq!(kmip.refusal(Operation::Locate, &negative), ResultReason::InvalidField);
        }
        let negative = ops::locate::Request { maximum_items: Some(-1), ..locate(vec![]) };
        assert_eq!(kmip.refusal(Operation::Locate, &negative), ResultReason::InvalidField);
    }
}

#[test]
fn storage_status_says_whether_destroyed_objects_count() {
    let kmipd = Kmipd::dev();
    for version in [Version::V2_0, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let mark = version.to_string();
        let named = name(&format!("destroyed in {mark}"));
        let there = kmip.create(vec![group(&mark)]);
        let gone = kmip.create(vec![group(&mark), named.clone()]);
        kmip.destroy(&gone);
        let bits = StorageStatusMask::from_bits_retain;
        for (bits, expected) in [
            (None, vec![there.clone()]),
            (Some(bits(1)), vec![there.clone()]),
            (Some(bits(2)), vec![]),
            (Some(bits(4)), vec![gone.clone()]),
            (Some(bits(3)), vec![there.clone()]),
            (Some(bits(5)), vec![gone.clone(), there.clone()]),
            (Some(bits(7)), vec![gone.clone(), there.clone()]),
            (Some(bits(0)), vec![]),
        ] {
            let request = ops::locate::Request { storage_status_mask: bits, ..locate(vec![group(&mark)]) };
            let found: ops::locate::Response = kmip.ask(Operation::Locate, &request);
            assert_eq!(found.unique_identifiers, expected, "{bits:?}");
        }
        // By the name that it had, though another object has it now.
        let heir = kmip.create(vec![named.clone()]);
        for (mask, expected) in [(4, vec![gone.clone()]), (5, vec![heir.clone(), gone.clone()]), (1, vec![heir])] {
            let request = ops::locate::Request { storage_status_mask: Some(bits(mask)), ..locate(vec![named.clone()]) };
            let found: ops::locate::Response = kmip.ask(Operation::Locate, &request);
            assert_eq!(found.unique_identifiers, expected, "mask {mask}");
        }
    }
}

#[test]
fn a_fresh_member_of_a_group_is_one_that_nobody_got() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS.into_iter().filter(|version| *version >= Version::V1_1) {
        let mut kmip = kmipd.kmip(version);
        let mark = version.to_string();
        let made = keys(&mut kmip, &mark, 3);
        let member = |member| ops::locate::Request { object_group_member: Some(member), ..locate(vec![group(&mark)]) };
        let fresh = member(ObjectGroupMember::GroupMemberFresh);
        let found = |kmip: &mut Kmip, request: &ops::locate::Request| {
            kmip.ask::<ops::locate::Response>(Operation::Locate, request).unique_identifiers
        };
        assert_eq!(found(&mut kmip, &fresh), made);
        kmip.get(&made[0]);
        assert_eq!(found(&mut kmip, &fresh), made[1..]);
        kmip.get(&made[2]);
        assert_eq!(found(&mut kmip, &fresh), made[1..2]);
        assert_eq!(found(&mut kmip, &member(ObjectGroupMember::GroupMemberDefault)), made[..1]);
        assert_eq!(kmip.locate(vec![group(&mark)]), made);
        let groupless =
            ops::locate::Request { object_group_member: Some(ObjectGroupMember::GroupMemberFresh), ..locate(vec![]) };
        assert_eq!(kmip.refusal(Operation::Locate, &groupless), ResultReason::InvalidField);
    }
}

#[test]
fn dates_match_exactly_or_within_two() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let mark = group(&version.to_string());
        let base = 4_000_000_000;
        let tag = Tag::ActivationDate;
        let made: Vec<Text> =
            [0, 10, 20].iter().map(|after| kmip.create(vec![mark.clone(), date(tag, base + after)])).collect();
        let dateless = kmip.create(vec![mark.clone()]);
        let mut found = |dates: &[i64]| -> Vec<usize> {
            let mut filter = vec![mark.clone()];
            filter.extend(dates.iter().map(|after| date(tag, base + after)));
            let found = kmip.locate(filter);
            assert!(dates.is_empty() || !found.contains(&dateless));
            (0..made.len()).filter(|place| found.contains(&made[*place])).collect()
        };
        assert_eq!(found(&[]), [0, 1, 2]);
        assert_eq!(found(&[10]), [1]);
        assert_eq!(found(&[11]), [] as [usize; 0]);
        assert_eq!(found(&[0, 10]), [0, 1]);
        assert_eq!(found(&[10, 0]), [0, 1]);
        assert_eq!(found(&[1, 30]), [1, 2]);
        assert_eq!(found(&[10, 10]), [1]);
        assert_eq!(found(&[-10, -1]), [] as [usize; 0]);
        let three = vec![date(tag, base), date(tag, base + 1), date(tag, base + 2)];
        assert_eq!(kmip.refusal(Operation::Locate, &locate(three)), ResultReason::InvalidField);
        // Two kinds of dates narrow each other.
        let both = kmip.create(vec![mark.clone(), date(tag, base + 5), date(Tag::DeactivationDate, base + 50)]);
        let range = vec![mark.clone(), date(tag, base), date(tag, base + 100), date(Tag::DeactivationDate, base + 50)];
        assert_eq!(kmip.locate(range), [both]);
    }
}

#[test]
fn a_usage_mask_is_matched_by_its_bits() {
    use CryptographicUsageMask as Mask;
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let mark = group(&version.to_string());
        let both = kmip.create(vec![mark.clone(), mask(Mask::ENCRYPT | Mask::DECRYPT)]);
        let one = kmip.create(vec![mark.clone(), mask(Mask::ENCRYPT)]);
        let none = kmip.create(vec![mark.clone(), mask(Mask::empty())]);
        for (asked, expected) in [
            (Mask::ENCRYPT, vec![&one, &both]),
            (Mask::DECRYPT, vec![&both]),
            (Mask::ENCRYPT | Mask::DECRYPT, vec![&both]),
            (Mask::ENCRYPT | Mask::SIGN, vec![]),
            (Mask::empty(), vec![&none, &one, &both]),
        ] {
            let found = kmip.locate(vec![mark.clone(), mask(asked)]);
            assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{asked:?}");
        }
    }
}

#[test]
fn filters_narrow_each_other() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let own = |what: &str| format!("{what} {version}");
        let color = |color: &str| vendor("x", "color", Value::TextString(own(color).into()));
        let size = |size: i32| vendor("x", "size", Value::Integer(size));
        let contact = text(Tag::ContactInformation, &own("contact"));
        // Every object has some of eight properties, by the bits of its number.
        let its = i32::from(version.major) * 10 + i32::from(version.minor);
        let properties: Vec<Attribute> = vec![
            group(&own("one")),
            group(&own("two")),
            color("red"),
            size(its),
            contact,
            date(Tag::ActivationDate, 4_000_000_000 + i64::from(its)),
        ];
        let made: Vec<(usize, Text)> = (0..64_usize)
            .filter(|number| number.count_ones() != 2)
            .map(|number| {
                let has = |place: &usize| number & (1 << place) != 0;
                let list = (0..properties.len()).filter(has).map(|place| properties[place].clone()).collect();
                (number, kmip.create(list))
            })
            .collect();
        for asked in 1..64_usize {
            let filter = (0..properties.len())
                .filter(|place| asked & (1 << place) != 0)
                .map(|place| properties[place].clone())
                .collect();
            let expected: Vec<Text> = made
                .iter()
                .rev()
                .filter(|(number, _)| number & asked == asked)
                .map(|(_, identifier)| identifier.clone())
                .collect();
            assert_eq!(kmip.locate(filter), expected, "{asked:#b}");
        }
        // The name of a vendor's attribute is a part of it, and so is the type of its value.
        assert!(kmip.locate(vec![vendor("x", "colour", Value::TextString(own("red").into()))]).is_empty());
        assert!(kmip.locate(vec![vendor("x", "size", Value::LongInteger(its.into())), group(&own("one"))]).is_empty());
        if version.is_v2() {
            assert!(kmip.locate(vec![vendor("y", "size", Value::Integer(its)), group(&own("one"))]).is_empty());
        }
    }
}

#[test]
fn an_identifier_is_a_filter_too() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let one = kmip.create(vec![group("one")]);
        kmip.create(vec![group("two")]);
        let by = |identifier: &str| text(Tag::UniqueIdentifier, identifier);
        assert_eq!(kmip.locate(vec![by(&one)]), std::slice::from_ref(&one));
        assert_eq!(kmip.locate(vec![by(&one), group("one")]), std::slice::from_ref(&one));
        assert!(kmip.locate(vec![by(&one), group("two")]).is_empty());
        assert!(kmip.locate(vec![by("nobody")]).is_empty());
        assert!(kmip.locate(vec![by(&one.to_uppercase())]).is_empty());
    }
}

#[test]
fn the_message_sees_what_it_has_done() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let own = |what: &str| format!("{what} {version}");
        let found = |came: &Came| -> Vec<String> {
            let elements = came.as_ref().unwrap().value.elements().iter();
            let identifiers = elements.filter(|element| element.tag == Tag::UniqueIdentifier);
            identifiers.map(|element| element.value.text().unwrap().to_owned()).collect()
        };
        let before = kmip.create(vec![group(&own("g")), name(&own("before"))]);
        let state = |state: State| enumeration(Tag::State, state);
        let find = |kmip: &Kmip, filter| kmip.item(Operation::Locate, &locate(filter));
        let bare = mask(CryptographicUsageMask::empty());
        let came = kmip.items(vec![
            kmip.item(Operation::Create, &create(vec![group(&own("g")), name(&own("new"))])),
            find(&kmip, vec![group(&own("g"))]),
            find(&kmip, vec![name(&own("new"))]),
            kmip.item(Operation::Activate, &object(None)),
            find(&kmip, vec![group(&own("g")), state(State::Active)]),
            find(&kmip, vec![group(&own("g")), state(State::PreActive)]),
            kmip.item(Operation::Register, &register(secret(b"seed"), vec![group(&own("g")), bare])),
            find(&kmip, vec![group(&own("g")), enumeration(Tag::ObjectType, ObjectType::SecretData)]),
            kmip.item(Operation::Destroy, &object(None)),
            find(&kmip, vec![group(&own("g"))]),
        ]);
        let (new, registered) = (identifier(&came[0]).to_string(), identifier(&came[6]).to_string());
        let before = before.to_string();
        assert_eq!(found(&came[1]), [new.clone(), before.clone()]);
        assert_eq!(found(&came[2]), std::slice::from_ref(&new));
        assert_eq!(found(&came[4]), std::slice::from_ref(&new));
        assert_eq!(found(&came[5]), std::slice::from_ref(&before));
        assert_eq!(found(&came[7]), [registered]);
        assert_eq!(found(&came[9]), [new.clone(), before.clone()]);

        // A name that passes from one object to another within the message.
        let current = version.is_v2().then(|| name(&own("before")));
        let old: Text = before.as_str().into();
        let came = kmip.items(vec![
            kmip.item(Operation::ModifyAttribute, &modify(Some(&old), current, name(&own("after")))),
            find(&kmip, vec![name(&own("before"))]),
            find(&kmip, vec![name(&own("after"))]),
            kmip.item(Operation::Create, &create(vec![name(&own("before"))])),
            find(&kmip, vec![name(&own("before"))]),
        ]);
        assert_eq!(found(&came[1]), [] as [String; 0]);
        assert_eq!(found(&came[2]), [before]);
        let heir = identifier(&came[3]);
        assert_eq!(found(&came[4]), [heir.to_string()]);
        assert_eq!(kmip.locate(vec![name(&own("before"))]), [heir]);
    }
}

#[test]
fn a_filter_that_is_not_understood_is_refused() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        kmip.create(vec![]);
        let mut refused = |fields: Vec<Element>| -> ResultReason {
            let mut item = kmip.item(Operation::Locate, &locate(vec![]));
            item.request_payload = Some(Element::new(Tag::RequestPayload, Value::Structure(fields)));
            kmip.items(vec![item])[0].as_ref().unwrap_err().reason()
        };
        let one = |element: Element| {
            let wrap = |elements| Element::new(Tag::Attributes, Value::Structure(elements));
            if version.is_v2() { vec![wrap(vec![element])] } else { vec![element] }
        };
        let of_v1 = |name: &str, value: Value| {
            Element::new(
                Tag::Attribute,
                Value::Structure(vec![
                    Element::new(Tag::AttributeName, Value::TextString(name.into())),
                    Element::new(Tag::AttributeValue, value),
                ]),
            )
        };
        let reasons = if version.is_v2() {
            vec![
                // A tag that is no attribute, one that nobody knows, a value of the wrong type or of no meaning.
                refused(one(Element::new(Tag::BatchCount, Value::Integer(1)))),
                refused(one(Element::new(Tag::new(0x42_0FFF), Value::Integer(1)))),
                refused(one(Element::new(Tag::State, Value::TextString("Active".into())))),
                refused(one(Element::new(Tag::ObjectType, Value::Enumeration(0x77)))),
                refused(one(structure(Tag::Name, vec![(Tag::Comment, Value::TextString("a".into()))]).into_element())),
                refused(vec![of_v1("Name", Value::Integer(1))]),
            ]
        } else {
            vec![
                refused(one(of_v1("Colour", Value::TextString("red".into())))),
                refused(one(of_v1("name", Value::TextString("a".into())))),
                refused(one(of_v1("State", Value::TextString("Active".into())))),
                refused(one(of_v1("Object Type", Value::Enumeration(0x77)))),
                refused(one(of_v1("Rotate Latest", Value::Boolean(true)))),
                refused(vec![Element::new(Tag::State, Value::Enumeration(1))]),
            ]
        };
        for reason in reasons {
            assert!(
                matches!(
                    reason,
                    ResultReason::InvalidField | ResultReason::InvalidMessage | ResultReason::InvalidAttribute
                ),
                "{reason}"
            );
        }
        // A field of the request that is not known, or not in this version.
        let unknown = if version.is_v2() { ResultReason::InvalidMessage } else { ResultReason::InvalidField };
        assert_eq!(refused(vec![Element::new(Tag::new(0x42_0FFF), Value::Integer(1))]), unknown);
        if version < Version::V1_3 {
            assert_eq!(refused(vec![Element::new(Tag::OffsetItems, Value::Integer(0))]), unknown);
        }
    }
}

trait IntoElement {
    fn into_element(self) -> Element;
}

impl IntoElement for Attribute {
    fn into_element(self) -> Element {
        Element::new(self.tag, self.value)
    }
}

#[test]
fn lengths_and_states_are_found_after_a_restart() {
    let mut kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V1_2);
    let short = kmip.create(vec![number(Tag::CryptographicLength, 128)]);
    let long = kmip.create(vec![]);
    kmip.activate(&long);
    for _ in 0..2 {
        assert_eq!(kmip.locate(vec![number(Tag::CryptographicLength, 128)]), std::slice::from_ref(&short));
        assert_eq!(kmip.locate(vec![enumeration(Tag::State, State::Active)]), std::slice::from_ref(&long));
        assert_eq!(kmip.locate(vec![]), [long.clone(), short.clone()]);
        kmipd.kill();
        kmipd.restart();
        kmip = kmipd.kmip(Version::V1_2);
    }
}
