//! Register (KMIP 2.1 §6.1.43, 1.4 §4.3).

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateType, CryptographicAlgorithm as Algorithm, KeyFormatType, LinkType, ObjectType, ResultReason, Tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{
    Attribute, Attributes, KeyBlock, KeyValue, Link, Object, ProtectionStorageMasks, UniqueIdentifier,
};

use super::Handler;
use super::new_object::Given;
use crate::crypto::Made;
use crate::crypto::certificate;
use crate::crypto::keyblock::{self, Canonical};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{Origin, Residency};
use crate::view::{New, View, value_of};

structure! {
    /// The request.
    pub struct Request {
        /// What is registered.
        pub object_type: ObjectType = ObjectType,
        /// Its attributes.
        pub attributes: Attributes = Attributes,
        /// The object.
        pub object: Object = Objects,
        /// Where it may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// The answer.
    pub struct Response {
        /// The object's identifier.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Attributes that the server set without being told, 1.x; none.
        pub attributes: Option<Attributes> = Attributes until V1_4,
    }
}

/// Register.
pub struct Register;

impl Handler for Register {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { object_type, mut attributes, object, protection_storage_masks } = request;
        if object.object_type() != object_type {
            return Err(Failure::invalid_field(format!(
                "the Object Type says {object_type}, the object is a {}",
                object.object_type()
            )));
        }
        if let Some(KeyValue::Plain { attributes: inner, .. }) =
            object.key_block().and_then(|block| block.key_value.as_ref())
        {
            // Attributes that travel with the key are the object's, unless the request says otherwise.
            for attribute in &inner.0 {
                if !attributes.list.iter().any(|other| other.reference() == attribute.reference()) {
                    attributes.list.push(attribute.clone());
                }
            }
        }
        let mut given = Given::admit(view, attributes, object_type)?;
        let mut found = Vec::new();
        let canonical = match &object {
            Object::Certificate(certificate) => {
                found.push((Tag::KeyFormatType, Value::Enumeration(KeyFormatType::X509.into())));
                found.push((Tag::CertificateType, Value::Enumeration(certificate.certificate_type.into())));
                if certificate.certificate_type == CertificateType::X509 {
                    found.extend(certificate::attributes(&certificate.certificate_value)?);
                }
                None
            }
            Object::OpaqueObject(opaque) => {
                found.push((Tag::KeyFormatType, Value::Enumeration(KeyFormatType::Opaque.into())));
                found.push((Tag::OpaqueDataType, Value::Enumeration(opaque.opaque_data_type.into())));
                None
            }
            _ => key(view, &object, &given, &mut found)?,
        };
        for (tag, value) in &found {
            let said = given.attributes.iter().find(|attribute| attribute.tag == *tag);
            agree(Some(value.clone()), said.map(|attribute| attribute.value.clone()), *tag)?;
        }
        if let Some(block) = object.key_block() {
            wrapped_link(block, &mut given.attributes);
        }
        let format = object.key_block().map(|block| block.key_format_type);
        // A public key hides nothing: it rests with us, whatever may be done with it.
        let guardable = match &canonical {
            Some(Canonical::Secret { kind, .. }) => Some(*kind),
            Some(Canonical::Public { .. }) | None => None,
        };
        let home = view.home(guardable, given.extractable(), protection_storage_masks.as_ref())?;
        let material = match (canonical, home.residency) {
            (Some(Canonical::Secret { kind, bytes }), Residency::Wrapped | Residency::Token) => {
                match view.adopt(kind, &bytes, home.residency)? {
                    Made::Guarded(guarded) => Material::Guarded(guarded),
                    Made::Clear(_) => return Err(Failure::internal("a provider gave back a key that it was to guard")),
                }
            }
            _ => Material::Open(Box::new(object)),
        };
        let is_present = !matches!(&material, Material::Open(object)
            if object.key_block().is_some_and(|block| block.key_value.is_none()));
        let unique_identifier = view.insert(New {
            object_type,
            attributes: given.attributes,
            found,
            material: is_present.then_some(material),
            format,
            home,
            origin: Origin::Registered,
        })?;
        Ok(Response { unique_identifier, attributes: None })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// What a key block says of its key, held against the attributes; and the key as providers take it, if the server can
/// see and use it.
fn key(view: &View, object: &Object, given: &Given, found: &mut Vec<(Tag, Value)>) -> Outcome<Option<Canonical>> {
    let object_type = object.object_type();
    let Some(block) = object.key_block() else { return Ok(None) };
    // Clients leave it out for secrets that are for no cryptographic use; a mask that the server supplies permits none.
    if !given.has(Tag::CryptographicUsageMask) {
        found.push((Tag::CryptographicUsageMask, Value::Integer(0)));
    }
    if let Object::SecretData(secret) = object {
        found.push((Tag::SecretDataType, Value::Enumeration(secret.secret_data_type.into())));
    }
    let said =
        |tag| given.attributes.iter().find(|attribute| attribute.tag == tag).map(|attribute| attribute.value.clone());
    agree(
        block.cryptographic_algorithm.map(|value| Value::Enumeration(value.into())),
        said(Tag::CryptographicAlgorithm),
        Tag::CryptographicAlgorithm,
    )?;
    agree(block.cryptographic_length.map(Value::Integer), said(Tag::CryptographicLength), Tag::CryptographicLength)?;
    let algorithm = block.cryptographic_algorithm.or(match said(Tag::CryptographicAlgorithm) {
        Some(Value::Enumeration(code)) => Some(Algorithm(code)),
        _ => None,
    });
    let length = block.cryptographic_length.or(match said(Tag::CryptographicLength) {
        Some(Value::Integer(bits)) => Some(bits),
        _ => None,
    });
    let is_open = block.key_value.is_some() && block.key_wrapping_data.is_none();
    if block.key_wrapping_data.is_none() && matches!(block.key_value, Some(KeyValue::Wrapped(_))) {
        return Err(Failure::invalid_field("a Key Value of bytes is a wrapped one, and needs Key Wrapping Data"));
    }
    // Opaque formats are their owner's; so are keys of formats that we keep and do not understand.
    let usable = is_open && !(block.key_format_type == KeyFormatType::Opaque && object_type != ObjectType::SecretData);
    let mut canonical = None;
    if usable {
        let mut block = block.clone();
        block.cryptographic_algorithm = algorithm;
        match keyblock::canonical(object_type, &block) {
            Ok(key) => canonical = Some(key),
            Err(failure) if failure.reason == ResultReason::KeyFormatTypeNotSupported => {}
            Err(failure) => return Err(failure),
        }
    }
    let kind_algorithm = canonical.as_ref().and_then(|key| keyblock::algorithm_of(key.kind()));
    let algorithm = algorithm.or(kind_algorithm.filter(|_| object_type != ObjectType::SecretData));
    if object_type != ObjectType::SecretData && algorithm.is_none() {
        return Err(Failure::new(ResultReason::InvalidAttribute, "Cryptographic Algorithm is missing"));
    }
    if let Some(key) = &canonical {
        check_algorithm(algorithm, kind_algorithm)?;
        check_length(view, algorithm, length, key)?;
    }
    let length = length.or_else(|| {
        canonical
            .as_ref()
            .filter(|_| algorithm.is_some())
            .and_then(|key| i32::try_from(keyblock::length_of(key.kind())).ok())
    });
    found.extend(algorithm.map(|value| (Tag::CryptographicAlgorithm, Value::Enumeration(value.into()))));
    found.extend(length.map(|value| (Tag::CryptographicLength, Value::Integer(value))));
    Ok(canonical)
}

/// What the key block says and what the attributes say.
fn agree(block: Option<Value>, attribute: Option<Value>, tag: Tag) -> Outcome<()> {
    match (block, attribute) {
        (Some(block), Some(attribute)) if block != attribute => {
            let why = format!("the object and its attributes disagree on {tag}");
            Err(Failure::new(ResultReason::InvalidAttributeValue, why))
        }
        _ => Ok(()),
    }
}

fn check_algorithm(said: Option<Algorithm>, is: Option<Algorithm>) -> Outcome<()> {
    match (said, is) {
        (Some(said), Some(is)) if said != is => {
            Err(Failure::invalid_field(format!("the key is said to be {said}, and is {is}")))
        }
        _ => Ok(()),
    }
}

/// A length that contradicts the material is refused, unless the configuration takes it for clients that cannot do better.
fn check_length(view: &View, algorithm: Option<Algorithm>, said: Option<i32>, key: &Canonical) -> Outcome<()> {
    let is = keyblock::length_of(key.kind());
    let Some(said) = said else { return Ok(()) };
    let fits = match (algorithm, u32::try_from(said)) {
        (_, Ok(said)) if said == is => true,
        // With their parity bits, or as they are counted without.
        (Some(Algorithm::DES3 | Algorithm::DES), Ok(said)) => said.checked_mul(8) == is.checked_mul(7),
        _ => false,
    };
    if fits || view.shared().settings.accept_wrong_length {
        Ok(())
    } else {
        Err(Failure::invalid_field(format!("the key is said to have {said} bits, and has {is}")))
    }
}

/// A key that comes wrapped is linked with the key that wraps it.
fn wrapped_link(block: &KeyBlock, attributes: &mut Vec<Attribute>) {
    let Some(data) = &block.key_wrapping_data else { return };
    let wrapping = data.encryption_key_information.as_ref().map(|information| &information.unique_identifier);
    let Some(UniqueIdentifier::Text(linked)) = wrapping else { return };
    let link = Link { kind: LinkType::WrappingKeyLink, linked: UniqueIdentifier::Text(linked.clone()) };
    attributes.extend(value_of(&link, Tag::Link).map(|value| Attribute::new(Tag::Link, value)));
}
