//! Set Constraints (KMIP 2.1 §6.1.52).

use kmip_codec::structure;
use kmip_codec::types::Constraints;

use super::Handler;
use super::set_defaults::check;
use crate::failure::Outcome;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The constraints from now on; none removes them all, as the published cases have it.
        pub constraints: Option<Constraints> = Constraints,
    }

    /// The answer.
    pub struct Response {
    }
}

/// Set Constraints.
pub struct SetConstraints;

impl Handler for SetConstraints {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let constraints = request.constraints.unwrap_or(Constraints { constraints: Vec::new() });
        for constraint in &constraints.constraints {
            let types = constraint.object_types.iter().flat_map(|types| types.object_types.iter().copied());
            let attributes = constraint.attributes.as_ref().map(|attributes| attributes.list.as_slice());
            check(view, types, attributes.unwrap_or_default(), constraint.object_groups.as_ref())?;
        }
        view.set_constraints(&constraints)?;
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{ObjectType, ResultReason, Tag, Version};
    use kmip_codec::types::{Attribute, Attributes, Constraint, ObjectGroups, ObjectTypes};

    use super::*;
    use crate::ops::get_constraints::{self, GetConstraints};
    use crate::trust::requester::Requester;
    use crate::view::testing::{Bench, secret};

    fn constraint(kinds: &[ObjectType], groups: &[&str], list: Vec<(Tag, Value)>) -> Constraint {
        let object_groups = groups.iter().map(|name| (*name).into()).collect();
        let list = list.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
        Constraint {
            object_types: (!kinds.is_empty()).then(|| ObjectTypes { object_types: kinds.to_vec() }),
            object_groups: (!groups.is_empty()).then_some(ObjectGroups { groups: object_groups }),
            attributes: Some(Attributes { list, ..Attributes::default() }),
        }
    }

    fn set(bench: &Bench, constraints: Option<Vec<Constraint>>) -> Outcome<()> {
        let mut view = bench.view(Version::V2_1);
        view.set_requester(Requester { administrator: true, ..Requester::new("alice") });
        let constraints = constraints.map(|constraints| Constraints { constraints });
        SetConstraints::run(&mut view, Request { constraints })?;
        bench.commit(&view);
        Ok(())
    }

    fn comment(text: &str) -> (Tag, Value) {
        (Tag::Comment, Value::TextString(text.into()))
    }

    /// Whether a secret with these attributes may be made.
    fn may(bench: &Bench, attributes: Vec<(Tag, Value)>) -> bool {
        match bench.try_object(secret(b"s"), attributes) {
            Ok(_) => true,
            Err(failure) => {
                assert_eq!(failure.reason, ResultReason::ConstraintViolation, "{failure}");
                false
            }
        }
    }

    #[test]
    fn what_a_constraint_is_for_must_be_what_it_says() {
        let bench = Bench::new();
        let group = |name: &str| (Tag::ObjectGroup, Value::TextString(name.into()));
        assert!(may(&bench, vec![]));
        set(
            &bench,
            Some(vec![
                constraint(&[ObjectType::SecretData], &[], vec![comment("one"), comment("two")]),
                constraint(&[ObjectType::SecretData], &["red"], vec![comment("red")]),
                constraint(&[ObjectType::SymmetricKey], &[], vec![comment("never")]),
            ]),
        )
        .unwrap();
        // Several values are alternatives; a group's constraint goes before that for all.
        for (attributes, expected) in [
            (vec![], false),
            (vec![comment("three")], false),
            (vec![comment("one")], true),
            (vec![comment("two")], true),
            (vec![comment("one"), group("red")], false),
            (vec![comment("red"), group("red")], true),
            (vec![comment("two"), group("blue")], true),
        ] {
            assert_eq!(may(&bench, attributes.clone()), expected, "{attributes:?}");
        }
        let known = bench.run::<GetConstraints>(Version::V2_1, get_constraints::Request {}).unwrap();
        assert_eq!(known.constraints.unwrap().constraints.len(), 3);
        set(&bench, None).unwrap();
        assert!(may(&bench, vec![]));
        assert_eq!(bench.run::<GetConstraints>(Version::V2_1, get_constraints::Request {}).unwrap().constraints, None);
    }

    #[test]
    fn errors_are_those_of_the_table() {
        let bench = Bench::new();
        let foreign = (Tag::CertificateType, Value::Enumeration(1));
        for (wrong, expected) in [
            (constraint(&[ObjectType::SymmetricKey], &[], vec![foreign]), ResultReason::InvalidField),
            (constraint(&[ObjectType::Template], &[], vec![]), ResultReason::InvalidObjectType),
        ] {
            assert_eq!(set(&bench, Some(vec![wrong])).unwrap_err().reason, expected);
        }
        let denied = bench.run::<SetConstraints>(Version::V2_1, Request { constraints: None }).unwrap_err();
        assert_eq!(denied.reason, ResultReason::PermissionDenied);
    }
}
