//! Private keys that come and go in PKCS#12 containers (KMIP 2.1 §4.39, §6.1.19, §6.1.43; 1.4 §4.11): the password is a
//! Secret Data object that the key links to, and the certificates are objects of their own.

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateType, CryptographicAlgorithm, KeyFormatType, LinkType, ObjectType, ResultReason, SecretDataType, State,
    Tag, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Attribute, Attributes, Certificate, KeyBlock, KeyMaterial, KeyValue, Link, Object, UniqueIdentifier,
};

use super::incoming::{self, Incoming};
use super::new_object::{self, Given};
use crate::crypto::keyblock;
use crate::crypto::pkcs12::{self, bad_password};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{AttributeSet, Origin};
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// The name of a key in a container where nobody gave it one (KMIP 2.1 §4.39).
const ALIAS: &str = "alias";

/// How many certificates a chain may have.
const LONGEST: usize = 32;

/// Opens a private key that comes in a container: gives it back as PKCS#8, and the certificates that came with it. Any
/// other object stays as it is. The friendly name that the container has becomes the key's if the request names none.
///
/// # Errors
/// Bad Password for a key that is not linked to one password that is Active, or to the wrong one; Invalid Field for what
/// is no container, or has no key of that name.
pub fn open(view: &mut View, object: Object, given: &mut Given) -> Outcome<(Object, Vec<Vec<u8>>)> {
    let Object::PrivateKey(block) = &object else { return Ok((object, Vec::new())) };
    if block.key_format_type != KeyFormatType::Pkcs12 || block.key_wrapping_data.is_some() {
        return Ok((object, Vec::new()));
    }
    // 1.4 has the container as the whole Key Value, 2.x as its Key Material.
    let container = match &block.key_value {
        Some(KeyValue::Wrapped(bytes) | KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => bytes,
        Some(KeyValue::Plain { .. }) => return Err(Failure::invalid_field("a PKCS#12 container is bytes")),
        None => return Ok((object, Vec::new())),
    };
    let mut attributes = AttributeSet::default();
    for attribute in &given.attributes {
        attributes.add(attribute.clone());
    }
    let password = password(view, &attributes)?;
    let name = attributes.text(Tag::Pkcs12FriendlyName).map(ToOwned::to_owned);
    let contents = pkcs12::read(container, &password, name.as_deref())?;
    if let (None, Some(found)) = (name, contents.name) {
        given.attributes.push(Attribute::new(Tag::Pkcs12FriendlyName, Value::TextString(found.as_str().into())));
    }
    let key = keyblock::private(contents.pkcs8)?;
    // A container does not say whether a key on a curve signs or agrees on keys.
    let said = block.cryptographic_algorithm.or_else(|| given.stated_algorithm());
    let algorithm = said.or(keyblock::algorithm_of(key.kind())).unwrap_or(CryptographicAlgorithm::EC);
    let opened = keyblock::block(&key, Some(algorithm), KeyFormatType::Pkcs8)?;
    Ok((Object::PrivateKey(opened), contents.chain))
}

/// Registers the certificates that came with a key, and links them: the key with its own, and each with its issuer's.
///
/// # Errors
/// What is wrong with a certificate, or stands against a new object.
pub fn keep_chain(view: &mut View, key: &Text, chain: Vec<Vec<u8>>) -> Outcome<()> {
    let (mut from, mut kind) = (key.clone(), LinkType::Pkcs12CertificateLink);
    for der in chain {
        let object = Object::Certificate(Certificate {
            certificate_type: CertificateType::X509,
            certificate_value: Blob::copy_of(&der),
        });
        let said = incoming::said(&object);
        let given = Given::with_defaults(view, Attributes::default(), ObjectType::Certificate, &said)?;
        let new = Incoming::examine(view, object, &given)?.keep(view, given, None, Origin::Registered)?;
        let certificate = view.insert(new)?;
        new_object::link(view, &from, kind, &certificate)?;
        (from, kind) = (certificate, LinkType::CertificateLink);
    }
    Ok(())
}

/// Puts a private key that leaves into a container, with its chain, under the password that it is linked to; since 2.0 a
/// certificate too, which has no key beside it.
///
/// # Errors
/// Bad Password; Invalid Field where several chains are linked; Key Format Type Not Supported for other objects, or a
/// key that the server cannot take apart.
pub fn close(view: &mut View, permitted: &Permitted, object: &mut Object) -> Outcome<()> {
    if let Object::Certificate(certificate) = object
        && certificate.certificate_type == CertificateType::X509
        && view.version().is_v2()
    {
        let password = password(view, &permitted.attributes)?;
        let chain = follow(view, Some(UniqueIdentifier::Text(permitted.identifier())))?;
        let name = permitted.attributes.text(Tag::Pkcs12FriendlyName).unwrap_or(ALIAS);
        certificate.certificate_value = Blob::copy_of(&pkcs12::write_certificates(&chain, name, &password)?);
        return Ok(());
    }
    keyblock::convert(object, Some(KeyFormatType::Pkcs8), None)?;
    let Object::PrivateKey(block) = object else {
        return Err(keyblock::not_given_in(object.object_type(), KeyFormatType::Pkcs12));
    };
    let KeyMaterial::Bytes(pkcs8) = keyblock::material(block)? else {
        return Err(Failure::internal("a key in PKCS#8 is no bytes"));
    };
    let password = password(view, &permitted.attributes)?;
    let chain = chain(view, permitted)?;
    let name = permitted.attributes.text(Tag::Pkcs12FriendlyName).unwrap_or(ALIAS);
    let container = pkcs12::write(&Secret::copy_of(pkcs8), &chain, name, &password)?;
    let bytes = Blob::copy_of(&container);
    *block = KeyBlock {
        key_format_type: KeyFormatType::Pkcs12,
        key_compression_type: None,
        // What is encrypted under the password is a wrapped Key Value to 1.4, and Key Material to 2.x.
        key_value: Some(if view.version().is_v2() { KeyValue::bytes(bytes) } else { KeyValue::Wrapped(bytes) }),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    };
    Ok(())
}

/// The password that a key is linked to.
fn password(view: &mut View, attributes: &AttributeSet) -> Outcome<Secret> {
    let linked = linked(attributes, LinkType::Pkcs12PasswordLink);
    let [linked] = &linked[..] else {
        return Err(bad_password(
            "a PKCS#12 container needs one Link to its password, of the type PKCS#12 Password Link",
        ));
    };
    let permitted = view.open(Some(linked), Use::Password)?;
    if permitted.object_type() != ObjectType::SecretData {
        return Err(bad_password("the PKCS#12 Password Link is not one to Secret Data"));
    }
    if permitted.state() != State::Active {
        let why = format!("the password of a PKCS#12 container must be Active, and is {}", permitted.state());
        return Err(bad_password(why).before(Version::V2_0, ResultReason::PermissionDenied));
    }
    match &*view.material(&permitted)? {
        Material::Open(object) => match &**object {
            Object::SecretData(secret) if secret.secret_data_type == SecretDataType::Password => {
                match keyblock::material(&secret.key_block)? {
                    KeyMaterial::Bytes(bytes) => Ok(Secret::copy_of(bytes)),
                    KeyMaterial::Structure(_) => Err(bad_password("the password is no bytes")),
                }
            }
            _ => Err(bad_password("the PKCS#12 Password Link is not one to a password")),
        },
        Material::Guarded(_) => Err(bad_password("the password lives in the module and cannot leave it")),
    }
}

/// The certificates of a private key, its own first: the one that it or its public key is linked to, and from there each
/// one's issuer.
fn chain(view: &mut View, key: &Permitted) -> Outcome<Vec<Vec<u8>>> {
    let mut next = certificate_of(&key.attributes)?;
    if let (None, [public]) = (&next, &linked(&key.attributes, LinkType::PublicKeyLink)[..]) {
        next = certificate_of(&view.open(Some(public), Use::Get)?.attributes)?;
    }
    follow(view, next)
}

/// A certificate, and each one's issuer from there.
fn follow(view: &mut View, mut next: Option<UniqueIdentifier>) -> Outcome<Vec<Vec<u8>>> {
    let (mut chain, mut seen) = (Vec::new(), Vec::new());
    while let Some(identifier) = next {
        if seen.contains(&identifier) || chain.len() == LONGEST {
            return Err(Failure::invalid_field(format!("the chain of certificates has no end within {LONGEST}")));
        }
        let permitted = view.open(Some(&identifier), Use::Get)?;
        match view.export(&permitted, false)?.into_object() {
            Object::Certificate(certificate) => chain.push(certificate.certificate_value.to_vec()),
            other => {
                let why = format!("a {} stands in the chain of certificates", other.object_type());
                return Err(Failure::invalid_field(why));
            }
        }
        seen.push(identifier);
        next = certificate_of(&permitted.attributes)?;
    }
    Ok(chain)
}

/// The certificate that an object is linked to, if it is to one.
fn certificate_of(attributes: &AttributeSet) -> Outcome<Option<UniqueIdentifier>> {
    for kind in [LinkType::Pkcs12CertificateLink, LinkType::CertificateLink] {
        match &linked(attributes, kind)[..] {
            [] => {}
            [one] => return Ok(Some(one.clone())),
            _ => return Err(Failure::invalid_field(format!("there are several Links of the type {kind}"))),
        }
    }
    Ok(None)
}

fn linked(attributes: &AttributeSet, kind: LinkType) -> Vec<UniqueIdentifier> {
    attributes.structures(Tag::Link).filter(|link: &Link| link.kind == kind).map(|link| link.linked).collect()
}
