//! Defaults and constraints: who sets them, and that they stay.

use kmip_codec::Value;
use kmip_codec::spec::{ObjectType, Operation, QueryFunction, ResultReason, Tag, Version};
use kmip_codec::types::{
    Attributes, Constraint, Constraints, DefaultsInformation, ObjectDefaults, ObjectGroups, ObjectTypes,
};
use kmipd::ops;

use crate::harness::kmip::{Nothing, create, number, secret, text};
use crate::harness::{Kmip, Kmipd};

fn attributes(bits: i32) -> Attributes {
    Attributes { list: vec![number(Tag::CryptographicLength, bits)], ..Attributes::default() }
}

fn types() -> ObjectTypes {
    ObjectTypes { object_types: vec![ObjectType::SymmetricKey] }
}

fn groups(name: &str) -> Option<ObjectGroups> {
    Some(ObjectGroups { groups: vec![name.into()] })
}

fn defaults(bits: i32, group: Option<ObjectGroups>) -> ObjectDefaults {
    ObjectDefaults {
        object_type: None,
        object_types: Some(types()),
        attributes: attributes(bits),
        object_groups: group,
    }
}

fn ask_defaults(kmip: &mut Kmip, groups: Option<ObjectGroups>) -> Option<DefaultsInformation> {
    let functions = vec![QueryFunction::QueryDefaultsInformation];
    let request = ops::query::Request { functions, object_groups: groups };
    kmip.ask::<ops::query::Response>(Operation::Query, &request).defaults
}

#[test]
fn an_administrator_sets_defaults_for_all_and_they_stay() {
    let mut kmipd = Kmipd::dev();
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), Version::V2_1);
    let information =
        DefaultsInformation { object_defaults: vec![defaults(192, None), defaults(128, groups("short"))] };
    let request = ops::set_defaults::Request { defaults_information: Some(information.clone()) };
    assert_eq!(other.refusal(Operation::SetDefaults, &request), ResultReason::PermissionDenied);
    kmipd.kmip(Version::V2_1).ask::<ops::set_defaults::Response>(Operation::SetDefaults, &request);
    kmipd.kill();
    kmipd.restart();
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), Version::V2_1);
    assert_eq!(ask_defaults(&mut other, None), Some(information.clone()));
    let short = DefaultsInformation { object_defaults: information.object_defaults[1..].to_vec() };
    assert_eq!(ask_defaults(&mut other, groups("short")), Some(short));
    let long =
        ops::query::Request { functions: vec![QueryFunction::QueryDefaultsInformation], object_groups: groups("long") };
    assert_eq!(other.refusal(Operation::Query, &long), ResultReason::UnknownObjectGroup);
    // 2.0 knows one Object Type and no groups.
    other.version = Version::V2_0;
    let seen = ask_defaults(&mut other, None).unwrap();
    let [seen] = seen.object_defaults.as_slice() else { panic!("{seen:?}") };
    assert_eq!((seen.object_type, &seen.object_types), (Some(ObjectType::SymmetricKey), &None));
    // They hold in every version.
    for version in [Version::V1_2, Version::V2_1] {
        other.version = version;
        for (more, bits) in [(vec![], 192), (vec![text(Tag::ObjectGroup, "short")], 128)] {
            let mut request = create(more);
            request.attributes.list.retain(|attribute| attribute.tag != Tag::CryptographicLength);
            let made: ops::create::Response = other.ask(Operation::Create, &request);
            assert_eq!(other.value(&made.unique_identifier, Tag::CryptographicLength), Value::Integer(bits));
        }
    }
}

#[test]
fn constraints_hold_for_all_who_make_objects() {
    let mut kmipd = Kmipd::dev();
    let comment = Attributes { list: vec![text(Tag::Comment, "labelled")], ..Attributes::default() };
    let constraints = Constraints {
        constraints: vec![
            Constraint { object_types: Some(types()), object_groups: None, attributes: Some(attributes(256)) },
            Constraint {
                object_types: Some(ObjectTypes { object_types: vec![ObjectType::SecretData] }),
                object_groups: groups("red"),
                attributes: Some(comment),
            },
        ],
    };
    let request = ops::set_constraints::Request { constraints: Some(constraints.clone()) };
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), Version::V2_1);
    assert_eq!(other.refusal(Operation::SetConstraints, &request), ResultReason::PermissionDenied);
    kmipd.kmip(Version::V2_1).ask::<ops::set_constraints::Response>(Operation::SetConstraints, &request);
    kmipd.kill();
    kmipd.restart();
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), Version::V2_1);
    let said: ops::get_constraints::Response = other.ask(Operation::GetConstraints, &Nothing);
    assert_eq!(said.constraints, Some(constraints));
    let violation = ResultReason::ConstraintViolation;
    assert_eq!(other.refusal(Operation::Create, &create(vec![number(Tag::CryptographicLength, 128)])), violation);
    other.create(vec![]);
    let red = || vec![text(Tag::ObjectGroup, "red")];
    let register = |attributes| crate::harness::kmip::register(secret(b"a secret"), attributes);
    assert_eq!(other.refusal(Operation::Register, &register(red())), violation);
    other.register(secret(b"a secret"), vec![]);
    other.register(secret(b"a secret"), [red(), vec![text(Tag::Comment, "labelled")]].concat());
}
