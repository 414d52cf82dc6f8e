//! Objects: finding them and reading what they are (PKCS #11 3.0 §5.7).

use kmip_codec::Value as Kmip;
use kmip_codec::spec::{LinkType, Operation, Pkcs11ReturnCode as Code, Tag};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, Link, UniqueIdentifier};

use super::Call;
use super::attributes::{self, Read};
use super::classes::{self, Class};
use super::codec::{Entry, Given, Value, Writer};
use super::codes::{Done, Trouble};
use crate::trust::policy::{Permitted, Use};
use crate::view::{Filter, View, value_of};
use cryptoki_sys as ck;

/// The most objects that a search finds.
const MOST_FOUND: usize = 10_000;

/// Opens an object on the token by its handle.
///
/// # Errors
/// OBJECT_HANDLE_INVALID for one that is not there, is somebody else's, or is of no class; what the use is refused for.
pub fn open(view: &mut View, handle: u64, deed: Operation, intent: Use) -> Done<(Permitted, Class)> {
    view.do_as(deed)?;
    let object = view.open_numbered(handle, intent)?;
    match Class::of(&object) {
        Some(class) if !object.is_destroyed() && !object.is_archived() => Ok((object, class)),
        _ => Err(Code::ObjectHandleInvalid.into()),
    }
}

/// C_GetObjectSize: of its values, as far as they may be known.
pub fn get_object_size(call: &mut Call<'_>) -> Done {
    let (session, handle) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    call.instance.session(session)?;
    let (object, _) = open(call.view, handle, Operation::GetAttributes, Use::ReadAttributes)?;
    let bits =
        object.attributes.integer(Tag::CryptographicLength).or(object.attributes.integer(Tag::CertificateLength));
    match bits.and_then(|bits| u64::try_from(bits).ok()) {
        Some(bits) if object.attributes.has(Tag::CryptographicLength) => {
            Ok(Writer::default().ulong(bits.div_ceil(8)).finish())
        }
        Some(bytes) => Ok(Writer::default().ulong(bytes).finish()),
        None => Ok(Writer::default().ulong(ck::CK_UNAVAILABLE_INFORMATION).finish()),
    }
}

/// C_GetAttributeValue. What cannot be answered has neither a value nor a length.
pub fn get_attribute_value(call: &mut Call<'_>) -> Done {
    let (session, handle, template) = call.read(|input| Ok((input.ulong()?, input.ulong()?, input.template()?)))?;
    call.instance.session(session)?;
    let (object, class) = open(call.view, handle, Operation::GetAttributes, Use::ReadAttributes)?;
    let mut out = Writer::default().count(template.len());
    let mut worst = None;
    for entry in template {
        out = out.ulong(entry.kind);
        let refused = match (attributes::read(call.view, &object, class, entry.kind)?, &entry.given) {
            (_, Given::Value(_)) => return Err(Code::ArgumentsBad.into()),
            (Read::Sensitive, _) => Code::AttributeSensitive,
            (Read::Unknown, _) => Code::AttributeTypeInvalid,
            (Read::Value(value), Given::Nothing) => {
                out = out.flag(false).flag(true);
                out = value.length().into_iter().fold(out, Writer::count);
                continue;
            }
            (Read::Value(value), Given::Length(room)) => {
                if room.zip(value.length()).is_none_or(|(room, length)| length <= room) {
                    out = value.write(out.flag(true).flag(true));
                    continue;
                }
                Code::BufferTooSmall
            }
        };
        out = out.flag(false).flag(false);
        worst = worst.or(Some(refused));
    }
    match worst {
        None => Ok(out.finish()),
        Some(code) => Err(Trouble::Code(code, out.finish())),
    }
}

/// C_FindObjectsInit: what is found is found now.
pub fn find_objects_init(call: &mut Call<'_>) -> Done {
    let (session, template) = call.read(|input| Ok((input.ulong()?, input.template()?)))?;
    if call.instance.session(session)?.found.is_some() {
        return Err(Code::OperationActive.into());
    }
    let mut wanted = Vec::with_capacity(template.len());
    for Entry { kind, given } in template {
        match given {
            Given::Value(value) => wanted.push((kind, value)),
            _ => return Err(Code::ArgumentsBad.into()),
        }
    }
    call.view.do_as(Operation::Locate)?;
    let mut found = Vec::new();
    for identifier in candidates(call.view, &wanted)? {
        let object = match call.view.open(Some(&UniqueIdentifier::Text(identifier)), Use::Locate).map_err(Trouble::from)
        {
            Ok(object) => object,
            Err(Trouble::Code(..)) => continue,
            Err(failure) => return Err(failure),
        };
        let Some(class) = Class::of(&object).filter(|_| !object.is_destroyed() && !object.is_archived()) else {
            continue;
        };
        if fits(call.view, &object, class, &wanted)? && !found.contains(&object.sequence) {
            found.push(object.sequence);
        }
        if found.len() > MOST_FOUND {
            return Err(Code::DeviceMemory.into());
        }
    }
    found.reverse();
    call.instance.session(session)?.found = Some(found);
    Ok(Vec::new())
}

/// Whether an object has all attributes of a template. What is secret is not compared: who may not read it would learn it.
fn fits(view: &mut View, object: &Permitted, class: Class, wanted: &[(u64, Value<'_>)]) -> Done<bool> {
    for (kind, value) in wanted {
        if attributes::is_secret(class, *kind) {
            return Ok(false);
        }
        match attributes::read(view, object, class, *kind)? {
            Read::Value(own) if own.is(value) => {}
            Read::Value(_) if *kind == ck::CKA_KEY_TYPE && is_type(object, value) => {}
            _ => return Ok(false),
        }
        view.do_as(Operation::Locate)?;
    }
    Ok(true)
}

fn is_type(object: &Permitted, value: &Value<'_>) -> bool {
    matches!(value, Value::Ulong(named) if classes::is_of_type(object, *named))
}

/// The objects among which all that fit are: those that the index gives for what it knows of the template.
fn candidates(view: &mut View, wanted: &[(u64, Value<'_>)]) -> Done<Vec<Text>> {
    let mut values = Vec::new();
    let mut either: Option<Vec<Attribute>> = None;
    let mut named = Vec::new();
    for (kind, value) in wanted {
        match (*kind, value) {
            (ck::CKA_CLASS, Value::Ulong(number)) => match Class::numbered(*number) {
                Some(class) => {
                    values.push(Attribute::new(Tag::ObjectType, Kmip::Enumeration(class.object_type().into())))
                }
                None => return Ok(Vec::new()),
            },
            (ck::CKA_KEY_TYPE, Value::Ulong(number)) => match classes::algorithms(*number) {
                [] => return Ok(Vec::new()),
                [one] => values.push(Attribute::new(Tag::CryptographicAlgorithm, Kmip::Enumeration((*one).into()))),
                _ => {}
            },
            (ck::CKA_LABEL, Value::Bytes(label)) if !label.is_empty() && either.is_none() => {
                let Ok(label) = std::str::from_utf8(label) else { return Ok(Vec::new()) };
                either = Some(classes::name(label).into_iter().chain([classes::alternative_name(label)]).collect());
            }
            (ck::CKA_UNIQUE_ID | ck::CKA_ID, Value::Bytes(id)) if either.is_none() => {
                if let Ok(id) = std::str::from_utf8(id) {
                    named.push(Text::from(id));
                }
                let link = std::str::from_utf8(id).ok().and_then(|id| {
                    let linked = UniqueIdentifier::Text(id.into());
                    value_of(&Link { kind: LinkType::PrivateKeyLink, linked }, Tag::Link)
                });
                let link = link.map(|value| Attribute::new(Tag::Link, value));
                either = Some(link.into_iter().chain([classes::id(id)]).collect());
            }
            _ => {}
        }
    }
    let mut filters = match either {
        None => vec![values],
        Some(each) => each.into_iter().map(|one| values.iter().cloned().chain([one]).collect()).collect(),
    };
    let mut found = named;
    for filter in filters.drain(..) {
        found.extend(view.locate(&Filter::new(filter)?, 0, MOST_FOUND.saturating_add(1), false)?.identifiers);
    }
    Ok(found)
}

/// C_FindObjects.
pub fn find_objects(call: &mut Call<'_>) -> Done {
    let (session, most) = call.read(|input| Ok((input.ulong()?, input.count()?)))?;
    let found = call.instance.session(session)?.found.as_mut().ok_or(Code::OperationNotInitialized)?;
    let rest = found.len().saturating_sub(most);
    let mut handles = found.split_off(rest);
    handles.reverse();
    let out = Writer::default().count(handles.len());
    Ok(handles.into_iter().fold(out, Writer::ulong).finish())
}

/// C_FindObjectsFinal.
pub fn find_objects_final(call: &mut Call<'_>) -> Done {
    let session = call.read(|input| input.ulong())?;
    match call.instance.session(session)?.found.take() {
        Some(_) => Ok(Vec::new()),
        None => Err(Code::OperationNotInitialized.into()),
    }
}
