//! Add Attribute, Set Attribute, Modify Attribute, Delete Attribute (KMIP 2.1 §6.1.2, §6.1.51, §6.1.34, §6.1.13; 1.4
//! §4.14 to §4.16).

use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{
    Attribute, AttributeReference, AttributeReferences, ChangedAttribute, CurrentAttribute, NewAttribute,
    UniqueIdentifier,
};

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::object::rules;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request of Add Attribute and Set Attribute.
    pub struct NewRequest {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The attribute.
        pub new_attribute: NewAttribute = NewAttribute,
    }

    /// The request of Modify Attribute.
    pub struct ModifyRequest {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The instance, by its value; 1.x names it by its index in the new attribute.
        pub current_attribute: CurrentAttribute = CurrentAttribute,
        /// What it becomes.
        pub new_attribute: NewAttribute = NewAttribute,
    }

    /// The request of Delete Attribute.
    pub struct DeleteRequest {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The instance, by its value.
        pub current_attribute: CurrentAttribute = CurrentAttribute,
        /// The attribute: all instances in 2.x; in 1.x the one with the index.
        pub attribute: AttributeReferences = AttributeReference,
        /// The index; 0 if absent.
        pub attribute_index: Option<i32> = AttributeIndex until V1_4,
    }

    /// The answer of all four.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// The instance, in 1.x.
        pub attribute: ChangedAttribute = Attribute,
    }
}

/// Add Attribute.
pub struct AddAttribute;

/// Set Attribute.
pub struct SetAttribute;

/// Modify Attribute.
pub struct ModifyAttribute;

/// Delete Attribute.
pub struct DeleteAttribute;

impl Handler for AddAttribute {
    type Request = NewRequest;
    type Response = Response;

    fn run(view: &mut View, request: NewRequest) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ChangeAttributes)?;
        let NewAttribute(attribute) = request.new_attribute;
        if attribute.index.is_some() {
            return Err(Failure::invalid_field("the server gives the Attribute Index of a new attribute"));
        }
        add(view, &object, attribute)
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

impl Handler for SetAttribute {
    type Request = NewRequest;
    type Response = Response;

    fn run(view: &mut View, request: NewRequest) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ChangeAttributes)?;
        let NewAttribute(attribute) = request.new_attribute;
        put(view, &object, attribute)
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

impl Handler for ModifyAttribute {
    type Request = ModifyRequest;
    type Response = Response;

    fn run(view: &mut View, request: ModifyRequest) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ChangeAttributes)?;
        let NewAttribute(attribute) = request.new_attribute;
        let reference = attribute.reference();
        let present = instances(&object, &reference);
        if present.is_empty() {
            return Err(absent(&reference));
        }
        let index = match (&request.current_attribute.0, view.version().is_v2()) {
            (Some(current), _) if current.reference() != reference => {
                return Err(Failure::invalid_field("Current Attribute and New Attribute are different attributes"));
            }
            (Some(current), _) => instance(&object, current)?,
            (None, false) => attribute.index.unwrap_or(0),
            (None, true) => match present.as_slice() {
                [only] => *only,
                _ => return Err(many(&reference)),
            },
        };
        modify(view, &object, &reference, index, attribute)
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

impl Handler for DeleteAttribute {
    type Request = DeleteRequest;
    type Response = Response;

    fn run(view: &mut View, request: DeleteRequest) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ChangeAttributes)?;
        let (reference, indexes) = match (request.current_attribute.0, request.attribute.0.as_slice()) {
            (Some(current), []) => (current.reference(), vec![instance(&object, &current)?]),
            (None, [reference]) if view.version().is_v2() => (reference.clone(), instances(&object, reference)),
            (None, [reference]) => {
                let index = request.attribute_index.unwrap_or(0);
                let present = instances(&object, reference);
                if !present.is_empty() && !present.contains(&index) {
                    return Err(no_instance(reference));
                }
                (reference.clone(), present.into_iter().filter(|&present| present == index).collect())
            }
            _ => return Err(Failure::invalid_field("one attribute must be named, by value or by reference")),
        };
        if indexes.is_empty() {
            return Err(absent(&reference));
        }
        let (version, used, now) = (view.version(), view.is_used(&object), view.now());
        let removed = view.edit(&object, |object| {
            let mut removed = None;
            for index in indexes {
                removed = Some(rules::delete(object, &reference, index, version, used, now)?);
            }
            Ok(removed)
        })?;
        Ok(Response { unique_identifier: object.identifier(), attribute: ChangedAttribute(removed) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// Sets an attribute: adds it, or changes the only instance.
///
/// # Errors
/// Multi Valued Attribute, and what the rules say.
pub(super) fn put(view: &mut View, object: &Permitted, attribute: Attribute) -> Outcome<Response> {
    let reference = attribute.reference();
    match instances(object, &reference).as_slice() {
        [] => add(view, object, attribute),
        [only] => modify(view, object, &reference, *only, attribute),
        _ => Err(many(&reference)),
    }
}

fn add(view: &mut View, object: &Permitted, attribute: Attribute) -> Outcome<Response> {
    let (version, now) = (view.version(), view.now());
    let reference = attribute.reference();
    let attribute = view.complete(attribute)?;
    let index = view.edit(object, |object| rules::add(object, attribute, version, now))?;
    changed(view, object, &reference, index)
}

fn modify(
    view: &mut View,
    object: &Permitted,
    reference: &AttributeReference,
    index: i32,
    attribute: Attribute,
) -> Outcome<Response> {
    let (version, used, now) = (view.version(), view.is_used(object), view.now());
    let attribute = view.complete(attribute)?;
    view.edit(object, |object| rules::modify(object, reference, index, attribute.value, version, used, now))?;
    changed(view, object, reference, index)
}

/// The answer; and what a change of Sensitive or Extractable means for where the key lives.
fn changed(view: &mut View, object: &Permitted, reference: &AttributeReference, index: i32) -> Outcome<Response> {
    if matches!(reference, AttributeReference::Tag(Tag::Sensitive | Tag::Extractable)) {
        view.protect(object)?;
    }
    let identifier = object.identifier();
    let object = view.open(Some(&UniqueIdentifier::Text(identifier.clone())), Use::ReadAttributes)?;
    let instance = object.attributes.all(reference).find(|attribute| attribute.index == Some(index)).cloned();
    Ok(Response { unique_identifier: identifier, attribute: ChangedAttribute(instance) })
}

fn instances(object: &Permitted, reference: &AttributeReference) -> Vec<i32> {
    object.attributes.all(reference).filter_map(|attribute| attribute.index).collect()
}

/// The number of the instance that has this value.
fn instance(object: &Permitted, current: &Attribute) -> Outcome<i32> {
    let reference = current.reference();
    let mut all = object.attributes.all(&reference).peekable();
    if all.peek().is_none() {
        return Err(absent(&reference));
    }
    all.find(|attribute| attribute.value == current.value)
        .and_then(|attribute| attribute.index)
        .ok_or_else(|| no_instance(&reference))
}

fn named(reference: &AttributeReference) -> String {
    match reference {
        AttributeReference::Tag(tag) => tag.to_string(),
        AttributeReference::Vendor { vendor, name } => format!("{vendor}-{name}"),
    }
}

fn absent(reference: &AttributeReference) -> Failure {
    Failure::new(ResultReason::AttributeNotFound, format!("the object has no {}", named(reference)))
}

fn no_instance(reference: &AttributeReference) -> Failure {
    Failure::new(
        ResultReason::AttributeInstanceNotFound,
        format!("the object has no such instance of {}", named(reference)),
    )
}

fn many(reference: &AttributeReference) -> Failure {
    Failure::new(
        ResultReason::MultiValuedAttribute,
        format!("the object has several instances of {}; one must be named", named(reference)),
    )
}
