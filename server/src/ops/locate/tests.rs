//! Members of groups, and searches that the index answers a page at a time.

use kmip_codec::Value;
use kmip_codec::spec::{NameType, ResultReason, Version};
use kmip_codec::types::{Attribute, Name, UniqueIdentifier};

use super::*;
use crate::ops::get;
use crate::view::Settings;
use crate::view::testing::{Bench, secret, structured};

fn group() -> Attribute {
    Attribute::new(Tag::ObjectGroup, Value::TextString("tapes".into()))
}

fn members(bench: &Bench, count: u8) -> Vec<Text> {
    let text = |identifier| match identifier {
        UniqueIdentifier::Text(text) => text,
        other => panic!("{other:?}"),
    };
    (0..count).map(|number| text(bench.object(secret(&[number]), vec![(Tag::ObjectGroup, group().value)]))).collect()
}

fn request() -> Request {
    Request {
        maximum_items: None,
        offset_items: None,
        storage_status_mask: None,
        object_group_member: None,
        template_attribute: None,
        attributes: AttributeList(vec![group()]),
    }
}

fn find(bench: &Bench, request: Request) -> Vec<Text> {
    bench.run::<Locate>(Version::V2_1, request).unwrap().unique_identifiers
}

#[test]
fn fresh_members_are_given_out_in_the_order_of_their_making() {
    let bench = Bench::new();
    let made = members(&bench, 3);
    let fresh = |maximum| Request {
        maximum_items: maximum,
        object_group_member: Some(ObjectGroupMember::GroupMemberFresh),
        ..request()
    };
    // Several in one answer have the newest first (KMIP 2.1 §6.1.28).
    assert_eq!(find(&bench, fresh(None)), [made[2].clone(), made[1].clone(), made[0].clone()]);
    assert_eq!(find(&bench, fresh(Some(2))), [made[1].clone(), made[0].clone()]);
    let second = Request { offset_items: Some(1), ..fresh(Some(1)) };
    let answer = bench.run::<Locate>(Version::V2_1, second).unwrap();
    assert_eq!((answer.located_items, answer.unique_identifiers), (Some(3), vec![made[1].clone()]));
    for expected in &made {
        assert_eq!(find(&bench, fresh(Some(1))), [expected.clone()]);
        let request = get::Request::of(UniqueIdentifier::Text(expected.clone()));
        bench.run::<get::Get>(Version::V2_1, request).unwrap();
    }
    assert!(find(&bench, fresh(Some(1))).is_empty());
}

#[test]
fn the_default_of_a_group_is_its_newest_or_each_in_turn() {
    let default = || Request { object_group_member: Some(ObjectGroupMember::GroupMemberDefault), ..request() };
    let bench = Bench::new();
    let made = members(&bench, 3);
    assert_eq!(find(&bench, default()), [made[2].clone()]);
    assert_eq!(find(&bench, default()), [made[2].clone()]);

    let bench = Bench::with(Settings { default_in_turn: true, ..Settings::default() }, None);
    assert!(find(&bench, default()).is_empty());
    let made = members(&bench, 3);
    let mut turns: Vec<Text> = (0..4).flat_map(|_| find(&bench, default())).collect();
    assert_eq!(turns.pop().unwrap(), made[0]);
    assert_eq!(turns, made);
    // In one message, too; and a failed item takes no turn.
    let mut view = bench.view(Version::V2_1);
    let mut next = |fails: bool| {
        view.begin_item();
        let found = Locate::run(&mut view, default()).unwrap().unique_identifiers;
        if fails {
            view.fail_item();
        }
        found
    };
    assert_eq!(next(false), [made[1].clone()]);
    assert_eq!(next(true), [made[2].clone()]);
    assert_eq!(next(false), [made[2].clone()]);
    assert_eq!(next(false), [made[0].clone()]);
    let refused = Request { attributes: AttributeList(Vec::new()), ..default() };
    assert_eq!(bench.run::<Locate>(Version::V2_1, refused).unwrap_err().reason, ResultReason::InvalidField);
}

#[test]
fn pages_of_the_index_make_one_answer() {
    let bench = Bench::new();
    let made: Vec<Text> = (0..3).flat_map(|_| members(&bench, 250)).collect();
    let mut newest = made.clone();
    newest.reverse();
    assert_eq!(find(&bench, request()), newest);
    assert_eq!(find(&bench, Request { maximum_items: Some(300), ..request() }), newest[..300]);
    let everything = Request { attributes: AttributeList(Vec::new()), ..request() };
    assert_eq!(find(&bench, everything), newest);
    let offset = Request { maximum_items: Some(10), offset_items: Some(510), ..request() };
    let answer = bench.run::<Locate>(Version::V2_1, offset).unwrap();
    assert_eq!((answer.located_items, &answer.unique_identifiers[..]), (Some(750), &newest[510..520]));
    // What this message has changed stands in its place: a member of the last page goes, a new one comes first.
    let mut view = bench.view(Version::V2_1);
    let identifier = UniqueIdentifier::Text(made[3].clone());
    let permitted = view.open(Some(&identifier), crate::trust::policy::Use::ChangeAttributes).unwrap();
    view.edit(&permitted, |object| {
        object.attributes.set(Tag::ObjectGroup, Value::TextString("disks".into()));
        Ok(())
    })
    .unwrap();
    let found = Locate::run(&mut view, request()).unwrap().unique_identifiers;
    newest.retain(|identifier| *identifier != made[3]);
    assert_eq!(found, newest);
}

#[test]
fn a_name_is_free_again_when_its_item_fails() {
    let bench = Bench::new();
    let named = |name: &str| Name { value: name.into(), kind: NameType::UninterpretedTextString };
    let mut identifiers = Vec::new();
    for name in ["one", "two"] {
        identifiers.push(bench.object(secret(name.as_bytes()), vec![structured(Tag::Name, &named(name))]));
    }
    let mut view = bench.view(Version::V2_1);
    let rename = |view: &mut View, object: usize, name: &str| {
        let permitted = view.open(Some(&identifiers[object]), crate::trust::policy::Use::ChangeAttributes)?;
        let (_, value) = structured(Tag::Name, &named(name));
        view.edit(&permitted, |object| {
            object.attributes.set(Tag::Name, value);
            Ok(())
        })
    };
    let taken = |outcome: Outcome<()>| outcome.map_err(|failure| failure.reason).unwrap_err();
    view.begin_item();
    assert_eq!(taken(rename(&mut view, 1, "one")), ResultReason::NonUniqueNameAttribute);
    view.begin_item();
    rename(&mut view, 0, "three").unwrap();
    view.begin_item();
    assert_eq!(taken(rename(&mut view, 1, "three")), ResultReason::NonUniqueNameAttribute);
    rename(&mut view, 1, "one").unwrap();
    view.fail_item();
    view.begin_item();
    rename(&mut view, 1, "four").unwrap();
    rename(&mut view, 0, "one").unwrap();
    rename(&mut view, 1, "two").unwrap();
    bench.commit(&view);
}
