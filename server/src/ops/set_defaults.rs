//! Set Defaults (KMIP 2.1 §6.1.53).

use kmip_codec::spec::{ObjectType, ResultReason};
use kmip_codec::structure;
use kmip_codec::types::{Attribute, DefaultsInformation, Object, ObjectGroups};

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::object::rules;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The defaults from now on; none removes them all.
        pub defaults_information: Option<DefaultsInformation> = DefaultsInformation,
    }

    /// The answer.
    pub struct Response {
    }
}

/// Set Defaults.
pub struct SetDefaults;

impl Handler for SetDefaults {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let defaults = request.defaults_information.unwrap_or(DefaultsInformation { object_defaults: Vec::new() });
        for object in &defaults.object_defaults {
            if object.object_type.is_some() == object.object_types.is_some() || object.types().next().is_none() {
                return Err(Failure::invalid_field("Object Defaults are for an Object Type or for Object Types"));
            }
            check(view, object.types(), &object.attributes.list, object.object_groups.as_ref())?;
            for kind in object.types() {
                rules::admit(object.attributes.list.clone(), kind, view.version()).map_err(as_field)?;
            }
        }
        view.set_defaults(&defaults)?;
        Ok(Response {})
    }
}

/// What defaults and constraints are for must be there.
///
/// # Errors
/// Invalid Object Type; Unknown Object Group; Invalid Field for an attribute that such objects do not have.
pub(super) fn check(
    view: &View,
    types: impl IntoIterator<Item = ObjectType>,
    attributes: &[Attribute],
    groups: Option<&ObjectGroups>,
) -> Outcome<()> {
    view.check_groups(groups.iter().flat_map(|groups| &groups.groups))?;
    for kind in types {
        if !Object::TYPES.contains(&kind) || !kind.known_in(view.version()) {
            return Err(Failure::new(ResultReason::InvalidObjectType, format!("this server has no {kind}")));
        }
        for attribute in attributes {
            rules::applicable(&attribute.reference(), kind, view.version()).map_err(as_field)?;
        }
    }
    Ok(())
}

/// The tables of these operations know Invalid Field for what is wrong with an attribute.
fn as_field(failure: Failure) -> Failure {
    Failure { reason: ResultReason::InvalidField, ..failure }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask, Tag, Version};
    use kmip_codec::types::{Attributes, ObjectDefaults, ObjectTypes};

    use super::*;
    use crate::ops::create::{self, Create};
    use crate::trust::policy::Use;
    use crate::trust::requester::Requester;
    use crate::view::Settings;
    use crate::view::testing::Bench;

    fn length(bits: i32) -> Attribute {
        Attribute::new(Tag::CryptographicLength, Value::Integer(bits))
    }

    fn group(name: &str) -> Attribute {
        Attribute::new(Tag::ObjectGroup, Value::TextString(name.into()))
    }

    fn defaults(kind: ObjectType, list: Vec<Attribute>, groups: &[&str]) -> ObjectDefaults {
        let object_groups: Vec<_> = groups.iter().map(|name| (*name).into()).collect();
        ObjectDefaults {
            object_type: None,
            object_types: Some(ObjectTypes { object_types: vec![kind] }),
            attributes: Attributes { list, ..Attributes::default() },
            object_groups: (!groups.is_empty()).then_some(ObjectGroups { groups: object_groups }),
        }
    }

    fn set(bench: &Bench, object_defaults: Option<Vec<ObjectDefaults>>) -> Outcome<Response> {
        let mut view = bench.view(Version::V2_1);
        view.set_requester(Requester { administrator: true, ..Requester::new("alice") });
        let defaults_information = object_defaults.map(|object_defaults| DefaultsInformation { object_defaults });
        let outcome = SetDefaults::run(&mut view, Request { defaults_information });
        if outcome.is_ok() {
            bench.commit(&view);
        }
        outcome
    }

    /// The length of an AES key that is made so.
    fn made(bench: &Bench, mut list: Vec<Attribute>) -> Option<i32> {
        let algorithm = Value::Enumeration(CryptographicAlgorithm::AES.into());
        list.push(Attribute::new(Tag::CryptographicAlgorithm, algorithm));
        let mask = CryptographicUsageMask::ENCRYPT.bits().cast_signed();
        list.push(Attribute::new(Tag::CryptographicUsageMask, Value::Integer(mask)));
        let request = create::Request {
            object_type: ObjectType::SymmetricKey,
            attributes: Attributes { list, ..Attributes::default() },
            protection_storage_masks: None,
        };
        let response = bench.run::<Create>(Version::V2_1, request).unwrap();
        let identifier = kmip_codec::types::UniqueIdentifier::Text(response.unique_identifier);
        let mut view = bench.view(Version::V2_1);
        view.open(Some(&identifier), Use::ReadAttributes).unwrap().attributes.integer(Tag::CryptographicLength)
    }

    #[test]
    fn a_new_object_has_what_the_defaults_say_and_its_client_does_not() {
        let bench = Bench::new();
        let symmetric = ObjectType::SymmetricKey;
        set(
            &bench,
            Some(vec![
                defaults(symmetric, vec![length(192)], &[]),
                defaults(symmetric, vec![length(128)], &["short", "other"]),
                defaults(ObjectType::SecretData, vec![length(64)], &[]),
            ]),
        )
        .unwrap();
        assert_eq!(made(&bench, vec![]), Some(192));
        assert_eq!(made(&bench, vec![length(256)]), Some(256));
        assert_eq!(made(&bench, vec![group("short")]), Some(128));
        assert_eq!(made(&bench, vec![group("long")]), Some(192));
        set(&bench, None).unwrap();
        assert_eq!(bench.view(Version::V2_1).defaults().unwrap().object_defaults, []);
    }

    #[test]
    fn errors_are_those_of_the_table() {
        let settings = Settings { object_groups: vec!["known".to_owned()], ..Settings::default() };
        let bench = Bench::with(settings, None);
        let symmetric = ObjectType::SymmetricKey;
        let state = Attribute::new(Tag::State, Value::Enumeration(2));
        let foreign = Attribute::new(Tag::CertificateType, Value::Enumeration(1));
        let both = ObjectDefaults { object_type: Some(symmetric), ..defaults(symmetric, vec![], &[]) };
        let neither = ObjectDefaults { object_types: None, ..defaults(symmetric, vec![], &[]) };
        for (wrong, expected) in [
            (both, ResultReason::InvalidField),
            (neither, ResultReason::InvalidField),
            (defaults(symmetric, vec![state], &[]), ResultReason::InvalidField),
            (defaults(symmetric, vec![foreign], &[]), ResultReason::InvalidField),
            (defaults(ObjectType::Template, vec![], &[]), ResultReason::InvalidObjectType),
            (defaults(symmetric, vec![length(128)], &["unknown"]), ResultReason::UnknownObjectGroup),
        ] {
            let failure = set(&bench, Some(vec![wrong.clone()])).unwrap_err();
            assert_eq!(failure.reason, expected, "{wrong:?}: {failure}");
        }
        set(&bench, Some(vec![defaults(symmetric, vec![length(128)], &["known"])])).unwrap();
        let denied = bench.run::<SetDefaults>(Version::V2_1, Request { defaults_information: None }).unwrap_err();
        assert_eq!(denied.reason, ResultReason::PermissionDenied);
    }
}
