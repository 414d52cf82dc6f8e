//! An object that comes from a client: what it says of itself, held against its attributes, and how it is kept. Register
//! and Import have it in common.

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, KeyFormatType, LinkType, ObjectType, RecommendedCurve, ResultReason,
    SplitKeyMethod, Tag,
};
use kmip_codec::types::{
    Attribute, Attributes, KeyBlock, KeyValue, Link, Object, ProtectionStorageMasks, SplitKey, UniqueIdentifier,
};

use super::new_object::Given;
use crate::crypto::Made;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::certificate;
use crate::crypto::keyblock::{self, Canonical};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{Origin, Residency};
use crate::view::{New, View, value_of};

/// An object from a client, looked through.
pub struct Incoming {
    object: Object,
    /// What it says of itself, as attributes.
    found: Vec<(Tag, Value)>,
    /// The key as providers take it, if the server can see and use it.
    canonical: Option<Canonical>,
}

/// The object is of the type that the request says.
///
/// # Errors
/// Invalid Field.
pub fn same_type(said: ObjectType, object: &Object) -> Outcome<()> {
    let is = object.object_type();
    if said == is {
        Ok(())
    } else {
        Err(Failure::invalid_field(format!("the Object Type says {said}, the object is a {is}")))
    }
}

/// The attributes of which an object speaks itself, so that no default of the server says something else.
pub fn said(object: &Object) -> Vec<Tag> {
    let mut said = vec![Tag::KeyFormatType, Tag::CertificateType, Tag::SecretDataType, Tag::OpaqueDataType];
    if let Object::Certificate(certificate) = object {
        // One that cannot be read is refused later, with better words.
        let found = certificate::said(certificate).unwrap_or_default();
        said.extend(found.into_iter().map(|(tag, _)| tag));
    }
    let Some(block) = object.key_block() else { return said };
    said.extend(block.cryptographic_algorithm.map(|_| Tag::CryptographicAlgorithm));
    said.extend(block.cryptographic_length.map(|_| Tag::CryptographicLength));
    if block.key_format_type == KeyFormatType::Pkcs12 {
        // What is within is seen when the container is opened.
        said.extend([Tag::CryptographicAlgorithm, Tag::CryptographicLength, Tag::CryptographicDomainParameters]);
        said.push(Tag::Pkcs12FriendlyName);
        return said;
    }
    let is_open = block.key_value.is_some() && block.key_wrapping_data.is_none();
    if let Ok(Some(_)) = keyblock::kept(object.object_type(), block) {
        said.extend([Tag::CryptographicAlgorithm, Tag::CryptographicLength]);
    } else if let Some(key) = is_open.then(|| keyblock::canonical(object.object_type(), block).ok()).flatten() {
        said.extend([Tag::CryptographicLength, Tag::CryptographicDomainParameters]);
        said.extend(keyblock::algorithm_of(key.kind()).map(|_| Tag::CryptographicAlgorithm));
    }
    said
}

/// Attributes that travel within the key are the object's, unless the request says otherwise.
pub fn take_inner(object: &Object, attributes: &mut Attributes) {
    let value = object.key_block().and_then(|block| block.key_value.as_ref());
    let Some(KeyValue::Plain { attributes: inner, .. }) = value else { return };
    for attribute in &inner.0 {
        if !attributes.list.iter().any(|other| other.reference() == attribute.reference()) {
            attributes.list.push(attribute.clone());
        }
    }
}

impl Incoming {
    /// Looks an object through.
    ///
    /// # Errors
    /// Invalid Field for what is not what it says it is, or contradicts its attributes; Invalid Attribute for a key
    /// without an algorithm.
    pub fn examine(view: &View, object: Object, given: &Given) -> Outcome<Self> {
        let mut found = Vec::new();
        let mut canonical = None;
        let format = keyblock::format_without_block(&object);
        found.extend(format.map(|format| (Tag::KeyFormatType, Value::Enumeration(format.into()))));
        match &object {
            Object::Certificate(certificate) => {
                found.push((Tag::CertificateType, Value::Enumeration(certificate.certificate_type.into())));
                found.extend(certificate::said(certificate)?);
            }
            Object::CertificateRequest(request) => {
                found.extend(certificate::request_attributes(
                    request.certificate_request_type,
                    &request.certificate_request_value,
                )?);
            }
            Object::OpaqueObject(opaque) => {
                found.push((Tag::OpaqueDataType, Value::Enumeration(opaque.opaque_data_type.into())));
            }
            Object::Template(_) => {}
            Object::SplitKey(split) => {
                check_split(split)?;
                canonical = key(view, &object, given, &mut found)?;
            }
            Object::PGPKey(pgp) if !matches!(pgp.pgp_key_version, 3 | 4) => {
                return Err(Failure::invalid_field("the PGP Key Version is 3 or 4"));
            }
            Object::SymmetricKey(_)
            | Object::PublicKey(_)
            | Object::PrivateKey(_)
            | Object::SecretData(_)
            | Object::PGPKey(_) => canonical = key(view, &object, given, &mut found)?,
        }
        // What an object brings stands, whatever the server would have said of it.
        for (tag, value) in found.iter().filter(|_| !given.is_carried()) {
            let said = given.attributes.iter().find(|attribute| attribute.tag == *tag);
            agree(Some(value.clone()), said.map(|attribute| attribute.value.clone()), *tag)?;
        }
        Ok(Self { object, found, canonical })
    }

    /// The new object, its key brought where it is to live.
    ///
    /// # Errors
    /// Protection Storage Unavailable; what the provider says.
    pub fn keep(
        self,
        view: &mut View,
        given: Given,
        masks: Option<&ProtectionStorageMasks>,
        origin: Origin,
    ) -> Outcome<New> {
        let Self { object, found, canonical } = self;
        let object_type = object.object_type();
        let extractable = given.extractable();
        let mut attributes = given.attributes;
        if let Some(block) = object.key_block() {
            wrapped_link(block, &mut attributes);
        }
        let format = object.key_block().map(|block| block.key_format_type);
        // A public key hides nothing: it rests with us, whatever may be done with it.
        let guardable = match &canonical {
            Some(Canonical::Secret { kind, .. }) => Some(*kind),
            Some(Canonical::Public { .. }) | None => None,
        };
        let home = view.home(guardable, extractable, masks)?;
        let material = match (canonical, home.residency) {
            (Some(Canonical::Secret { kind, bytes }), Residency::Wrapped | Residency::Token) => {
                match view.adopt(kind, &bytes, home.residency)? {
                    Made::Guarded(guarded) => Material::Guarded(guarded),
                    Made::Clear(_) => return Err(Failure::internal("a provider gave back a key that it was to guard")),
                }
            }
            _ => Material::open(object),
        };
        // A key block without a Key Value is material too: what the server knows of a key that is elsewhere.
        Ok(New { object_type, attributes, found, material: Some(material), format, home, origin })
    }
}

/// A part is one of its parts, and the method has what it needs (KMIP 2.1 §2.8).
fn check_split(split: &SplitKey) -> Outcome<()> {
    let (parts, threshold, part) = (split.split_key_parts, split.split_key_threshold, split.key_part_identifier);
    if parts < 1 || !(1..=parts).contains(&part) || !(1..=parts).contains(&threshold) {
        return Err(Failure::invalid_field(
            "Key Part Identifier and Split Key Threshold are at least 1 and at most Split Key Parts",
        ));
    }
    match (split.split_key_method, &split.prime_field_size) {
        (SplitKeyMethod::PolynomialSharingPrimeField, None) => {
            Err(Failure::invalid_field("the method Polynomial Sharing Prime Field needs a Prime Field Size"))
        }
        (SplitKeyMethod::XOR, _) if threshold != parts => {
            Err(Failure::invalid_field("the method XOR needs all parts: the threshold is their number"))
        }
        _ => Ok(()),
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
    if block.key_value.is_none() {
        found.push((Tag::KeyValuePresent, Value::Boolean(false)));
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
    // What the material is, and its length in bits.
    let (mut kind_algorithm, mut bits) = (None, None);
    if usable && let Some((algorithm, length)) = keyblock::kept(object_type, block)? {
        (kind_algorithm, bits) = (Some(algorithm), Some(length));
    } else if usable {
        let mut block = block.clone();
        block.cryptographic_algorithm = algorithm;
        match keyblock::canonical(object_type, &block) {
            Ok(key) => {
                keyblock::examine(object_type, &block)?;
                (kind_algorithm, bits) = (keyblock::algorithm_of(key.kind()), Some(keyblock::length_of(key.kind())));
                canonical = Some(key);
            }
            Err(failure) if failure.reason == ResultReason::KeyFormatTypeNotSupported => {}
            Err(failure) => return Err(failure),
        }
    }
    let algorithm = algorithm.or(kind_algorithm.filter(|_| object_type != ObjectType::SecretData));
    // Nor does a secret have one, nor a part of it; a PGP key has its own within the text, which is not ours to read.
    let may_lack = matches!(object_type, ObjectType::SecretData | ObjectType::SplitKey | ObjectType::PGPKey);
    if !may_lack && algorithm.is_none() {
        return Err(Failure::new(ResultReason::InvalidAttribute, "Cryptographic Algorithm is missing"));
    }
    if let Some(key) = &canonical {
        check_curve(given.curve(), key.kind())?;
    }
    if let Some(bits) = bits {
        check_algorithm(algorithm, kind_algorithm)?;
        check_length(view, algorithm, length, bits)?;
    }
    let length = length.or_else(|| bits.filter(|_| algorithm.is_some()).and_then(|bits| i32::try_from(bits).ok()));
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

fn check_curve(said: Option<RecommendedCurve>, kind: KeyKind) -> Outcome<()> {
    match (said, keyblock::recommended_of(kind)) {
        (Some(said), Some(is)) if said != is => {
            let why = format!("the key is said to be on the curve {said}, and is on {is}");
            Err(Failure::new(ResultReason::InvalidAttributeValue, why))
        }
        _ => Ok(()),
    }
}

/// A length that contradicts the material is refused, unless the configuration takes it for clients that cannot do better.
fn check_length(view: &View, algorithm: Option<Algorithm>, said: Option<i32>, is: u32) -> Outcome<()> {
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

/// A key that comes wrapped is linked with the key that wraps it: the one that encrypts, where there are two.
fn wrapped_link(block: &KeyBlock, attributes: &mut Vec<Attribute>) {
    let Some(data) = &block.key_wrapping_data else { return };
    let encrypting = data.encryption_key_information.as_ref().map(|information| &information.unique_identifier);
    let signing = data.mac_signature_key_information.as_ref().map(|information| &information.unique_identifier);
    let wrapping = encrypting.or(signing);
    let Some(UniqueIdentifier::Text(linked)) = wrapping else { return };
    let link = Link { kind: LinkType::WrappingKeyLink, linked: UniqueIdentifier::Text(linked.clone()) };
    attributes.extend(value_of(&link, Tag::Link).map(|value| Attribute::new(Tag::Link, value)));
}
