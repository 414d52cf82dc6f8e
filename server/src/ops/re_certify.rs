//! Re-certify (KMIP 2.1 §6.1.45, 1.4 §4.8).

use kmip_codec::schema::Interval;
use kmip_codec::spec::{
    CertificateRequestType, CertificateType, LinkType, ObjectType, ResultReason, State, Tag, Version, attribute_by_tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Attributes, Link, Object, ProtectionStorageMasks, UniqueIdentifier};

use x509_cert::der::asn1::ObjectIdentifier;

use super::Handler;
use super::activate::Response;
use super::certification::{self, Case, Subject, Uses, certify};
use super::new_object::{self, Given, link};
use super::re_key::{link_both, retire};
use crate::crypto::authority::Authority;
use crate::crypto::certificate;
use crate::crypto::signing_request::SigningRequest;
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::replacement;
use crate::trust::policy::{Permitted, Use};
use crate::view::{View, value_of};

structure! {
    /// The request.
    pub struct Request {
        /// The certificate that is renewed, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The Certificate Request object.
        pub certificate_request_identifier: Option<UniqueIdentifier> = CertificateRequestUniqueIdentifier since V2_0,
        /// The format of the certificate request.
        pub certificate_request_type: Option<CertificateRequestType> = CertificateRequestType,
        /// The certificate request, as 1.x calls it and clients of 2.x too.
        pub certificate_request: Option<Blob> = CertificateRequest,
        /// The certificate request.
        pub certificate_request_value: Option<Blob> = CertificateRequestValue since V2_0,
        /// From now to the Activation Date of the new certificate, in seconds.
        pub offset: Option<Interval> = Offset,
        /// Attributes that the new certificate has instead of, or besides, those of the existing one.
        pub attributes: Attributes = Attributes,
        /// Where the new certificate may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }
}

/// Re-certify. The answer is that of Activate, and names the new certificate.
pub struct ReCertify;

impl Handler for ReCertify {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        view.authority()?;
        let existing = view.open(request.unique_identifier.as_ref(), Use::Replace)?;
        let enclosed = certification::requested(
            request.certificate_request_type,
            request.certificate_request,
            request.certificate_request_value,
        )?;
        let asked = match (request.certificate_request_identifier, enclosed) {
            (None, enclosed) => enclosed,
            (Some(_), Some(_)) => return Err(Failure::invalid_field("there are two certificate requests")),
            (Some(identifier), None) => Some(held(view, &identifier)?),
        };
        let mut list = new_object::resolve(view, request.attributes, ObjectType::Certificate)?;
        let subject = Subject::take(&mut list, view.version())?;
        let attributes = Attributes { templates: Vec::new(), list };
        let renewal = Renewal {
            request: asked,
            subject,
            attributes: Given::admit(view, attributes, ObjectType::Certificate)?.attributes,
            offset: request.offset.map(|Interval(seconds)| seconds),
            masks: request.protection_storage_masks,
        };
        Ok(Response { unique_identifier: replace(view, &existing, renewal)? })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// What is wanted of a new certificate.
#[derive(Default)]
pub(super) struct Renewal {
    /// The certificate request.
    pub(super) request: Option<SigningRequest>,
    /// Whom the attributes name.
    pub(super) subject: Subject,
    /// Attributes instead of, or besides, those of the existing one.
    pub(super) attributes: Vec<Attribute>,
    /// From now to the new Activation Date, in seconds.
    pub(super) offset: Option<u32>,
    /// Where it may live.
    pub(super) masks: Option<ProtectionStorageMasks>,
}

/// Renews a certificate, for a client or because it is time. Answers the new one.
///
/// # Errors
/// What [`renewable`], [`replacement::inherit`] and the authority say; Invalid CSR for a request of another key.
pub(super) fn replace(view: &mut View, existing: &Permitted, renewal: Renewal) -> Outcome<Text> {
    let authority = view.authority()?;
    let der = renewable(view, existing)?;
    let Renewal { request, subject, attributes, offset, masks } = renewal;
    let public_key = certificate::public_key(&der)?;
    if let Some(request) = &request {
        certification::for_key(view, request, &public_key)?;
    }
    let before = uses(&authority, &der, &attributes)?;
    let own: Vec<Attribute> = attributes.iter().filter(|attribute| attribute.tag == Tag::Name).cloned().collect();
    let mut attributes = replacement::inherit(existing, attributes, offset, view.now())?;
    // Where instances have numbers, the names of the request have the first ones: those of the existing certificate are moved
    // to the new one once it is there.
    if !view.version().is_v2() {
        attributes.sort_by_key(|attribute| {
            attribute.tag == Tag::Name && !own.iter().any(|name| name.value == attribute.value)
        });
    }
    // What the certificate says of itself is found out anew; what it is said to be stays.
    attributes.retain(|attribute| attribute.tag == Tag::CertificateType || !is_of_certificate(attribute.tag));
    let given = Given::inherited(view, attributes, ObjectType::Certificate);
    let (name, names) = certificate::subject(&der)?;
    let otherwise = Subject { name: Some(name), names };
    let case = Case { public_key, request, subject, otherwise, before };
    let new = certify(view, &authority, case, given, masks.as_ref())?;
    retire(view, existing)?;
    let renewed = view.insert(new)?;
    if let Some(key) = key_of(existing) {
        link(view, &renewed, LinkType::PublicKeyLink, &key)?;
        relink(view, &key, &existing.identifier(), &renewed)?;
    }
    link_both(view, existing, &renewed)?;
    Ok(renewed)
}

/// The certificate in DER, if it can be renewed: one of X.509 whose key nobody else has, as far as is known.
///
/// # Errors
/// Invalid Object Type, Permission Denied, Feature Not Supported.
fn renewable(view: &mut View, existing: &Permitted) -> Outcome<Vec<u8>> {
    if existing.object_type() != ObjectType::Certificate {
        let why = format!("a {} is no certificate that could be renewed", existing.object_type());
        return Err(
            Failure::new(ResultReason::InvalidObjectType, why).before(Version::V2_0, ResultReason::PermissionDenied)
        );
    }
    let state = existing.state();
    if matches!(state, State::Destroyed | State::DestroyedCompromised | State::Compromised) {
        let why = format!("a certificate in the state {state} is not renewed");
        return Err(Failure::new(ResultReason::PermissionDenied, why));
    }
    if let Some(key) = key_of(existing) {
        let key = view.open(Some(&UniqueIdentifier::Text(key)), Use::ReadAttributes);
        if key.is_ok_and(|key| matches!(key.state(), State::Compromised | State::DestroyedCompromised)) {
            return Err(Failure::new(ResultReason::PermissionDenied, "the key of the certificate is compromised"));
        }
    }
    match &*view.material(existing)? {
        Material::Open(object) => match &**object {
            Object::Certificate(certificate) if certificate.certificate_type == CertificateType::X509 => {
                Ok(certificate.certificate_value.to_vec())
            }
            _ => Err(Failure::unsupported("certificates of other types than X.509 are not renewed here")),
        },
        Material::Guarded(_) => Err(Failure::internal("a certificate is in the module")),
    }
}

/// What the key was certified for, as far as the attributes that are wanted say nothing else. Extended uses that the authority
/// does not certify any more are left out, but never the last one: without any, a certificate would be for all of them.
fn uses(authority: &Authority, der: &[u8], wanted: &[Attribute]) -> Outcome<Uses> {
    let says_mask = wanted.iter().any(|attribute| attribute.tag == Tag::CryptographicUsageMask);
    let key_usage = if says_mask { None } else { certificate::key_usage(der)? };
    let extended = certificate::extended_key_usage(der)?.map(|all| {
        let certified = |used: &&ObjectIdentifier| authority.terms().extended.contains(used);
        let still: Vec<ObjectIdentifier> = all.iter().filter(certified).copied().collect();
        if still.is_empty() { all } else { still }
    });
    Ok(Uses { key_usage, extended })
}

/// The public key that the certificate is linked with.
fn key_of(certificate: &Permitted) -> Option<Text> {
    let mut links = certificate.attributes.structures::<Link>(Tag::Link);
    match links.find(|link| link.kind == LinkType::PublicKeyLink)?.linked {
        UniqueIdentifier::Text(key) => Some(key),
        _ => None,
    }
}

/// The certificate request that an object holds.
fn held(view: &mut View, identifier: &UniqueIdentifier) -> Outcome<SigningRequest> {
    let object = view.open(Some(identifier), Use::Certify)?;
    if object.object_type() != ObjectType::CertificateRequest {
        return Err(Failure::new(
            ResultReason::InvalidObjectType,
            format!("a {} is no Certificate Request", object.object_type()),
        ));
    }
    if object.is_destroyed() {
        return Err(Failure::new(ResultReason::PermissionDenied, "the Certificate Request is destroyed"));
    }
    certification::registered(view, &object)
}

/// Whether an attribute is one that certificates have and keys do not.
fn is_of_certificate(tag: Tag) -> bool {
    let row = attribute_by_tag(tag);
    row.is_some_and(|row| {
        [Version::V1_4, Version::V2_1].iter().any(|&version| {
            row.applies_to(ObjectType::Certificate, version) && !row.applies_to(ObjectType::PublicKey, version)
        })
    })
}

/// Lets the Link of a public key to its certificate lead to the new one. A key that is gone has none.
fn relink(view: &mut View, key: &Text, former: &Text, renewed: &Text) -> Outcome<()> {
    let key = match view.open(Some(&UniqueIdentifier::Text(key.clone())), Use::ChangeAttributes) {
        Ok(key) if !key.is_destroyed() => key,
        Err(failure) if failure.reason != ResultReason::ObjectNotFound => return Err(failure),
        _ => return Ok(()),
    };
    let to = |linked: &Text| {
        let linked = UniqueIdentifier::Text(linked.clone());
        value_of(&Link { kind: LinkType::CertificateLink, linked }, Tag::Link)
            .ok_or_else(|| Failure::internal("a Link cannot be written"))
    };
    let (before, after) = (to(former)?, to(renewed)?);
    view.edit(&key, |object| {
        let is_link = |attribute: &&Attribute| attribute.tag == Tag::Link && attribute.value == before;
        let place = object.attributes.iter().find(is_link).and_then(|link| link.index);
        match place {
            Some(index) => {
                object.attributes.change(&Tag::Link.into(), index, after);
            }
            None => {
                object.attributes.add(Attribute::new(Tag::Link, after));
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;
