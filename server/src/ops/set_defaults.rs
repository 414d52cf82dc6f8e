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
mod tests;
