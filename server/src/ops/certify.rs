//! Certify (KMIP 2.1 §6.1.6, 1.4 §4.7).

use kmip_codec::spec::{CertificateRequestType, LinkType, ObjectType, ResultReason, State, Tag, Version};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attributes, ProtectionStorageMasks, UniqueIdentifier};

use super::Handler;
use super::activate::Response;
use super::certification::{self, Case, Subject, Uses, certify, common_name};
use super::new_object::{self, Given, link};
use crate::crypto::signing_request::SigningRequest;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The public key, or since 2.0 the Certificate Request, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The format of the certificate request.
        pub certificate_request_type: Option<CertificateRequestType> = CertificateRequestType,
        /// The certificate request, as 1.x calls it and clients of 2.x too.
        pub certificate_request: Option<Blob> = CertificateRequest,
        /// The certificate request.
        pub certificate_request_value: Option<Blob> = CertificateRequestValue since V2_0,
        /// Attributes of the certificate.
        pub attributes: Attributes = Attributes,
        /// Where the certificate may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }
}

/// Certify. The answer is that of Activate, and names the certificate.
pub struct Certify;

impl Handler for Certify {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let authority = view.authority()?;
        let named = request.unique_identifier;
        let enclosed = certification::requested(
            request.certificate_request_type,
            request.certificate_request,
            request.certificate_request_value,
        )?;
        let Certified { key, request: asked, public_key } = whom(view, named.as_ref(), enclosed)?;
        let mut list = new_object::resolve(view, request.attributes, ObjectType::Certificate)?;
        let subject = Subject::take(&mut list, view.version())?;
        let attributes = Attributes { templates: Vec::new(), list };
        let given = Given::with_defaults(view, attributes, ObjectType::Certificate, &OF_KEY)?;
        if asked.is_none() && !given.has(Tag::CertificateType) {
            return Err(Failure::invalid_field("without a certificate request, the Certificate Type must be said"));
        }
        let otherwise = key.as_ref().map(|key| common_name(&key.identifier())).unwrap_or_default();
        let case = Case { public_key, request: asked, subject, otherwise, before: Uses::default() };
        let new = certify(view, &authority, case, given, request.protection_storage_masks.as_ref())?;
        let unique_identifier = view.insert(new)?;
        if let Some(key) = key {
            let key = key.identifier();
            link(view, &unique_identifier, LinkType::PublicKeyLink, &key)?;
            link(view, &key, LinkType::CertificateLink, &unique_identifier)?;
        }
        Ok(Response { unique_identifier })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// What the key that is certified says of its certificate.
const OF_KEY: [Tag; 3] = [Tag::CryptographicAlgorithm, Tag::CryptographicLength, Tag::CryptographicDomainParameters];

/// What is certified.
struct Certified {
    /// The Public Key object, as far as there is one.
    key: Option<Permitted>,
    /// The certificate request.
    request: Option<SigningRequest>,
    /// The key, as SubjectPublicKeyInfo DER.
    public_key: Vec<u8>,
}

/// What a request is about: a public key, with a certificate request or without; a Certificate Request; or nothing but the
/// request that it brings (2.x).
fn whom(view: &mut View, named: Option<&UniqueIdentifier>, enclosed: Option<SigningRequest>) -> Outcome<Certified> {
    let by_itself = |view: &mut View, request: SigningRequest| {
        let public_key = request.public_key.clone();
        let key = view.public_key_object(&public_key)?;
        if let Some(key) = &key {
            certifiable(key)?;
        }
        Ok(Certified { key, request: Some(request), public_key })
    };
    let enclosed = match (named, enclosed) {
        (None, Some(request)) if view.version().is_v2() => return by_itself(view, request),
        (_, enclosed) => enclosed,
    };
    let object = view.open(named, Use::Certify)?;
    match (object.object_type(), enclosed) {
        (ObjectType::PublicKey, request) => {
            certifiable(&object)?;
            let public_key = view.public_key(&object).map_err(|failure| {
                Failure::new(
                    ResultReason::PermissionDenied,
                    format!("the key cannot be certified: {}", failure.message),
                )
            })?;
            if let Some(request) = &request {
                certification::for_key(view, request, &public_key)?;
            }
            Ok(Certified { key: Some(object), request, public_key })
        }
        (ObjectType::CertificateRequest, None) => {
            certifiable(&object)?;
            let request = certification::registered(view, &object)?;
            by_itself(view, request)
        }
        (ObjectType::CertificateRequest, Some(_)) => {
            Err(Failure::invalid_field("there are two certificate requests: an object, and one in the request"))
        }
        (other, _) => Err(Failure::new(
            ResultReason::InvalidObjectType,
            format!("a {other} cannot be certified: a Public Key can, and a Certificate Request"),
        )
        .before(Version::V2_0, ResultReason::PermissionDenied)),
    }
}

/// Whether the state of a key lets it be certified: not one that is over.
fn certifiable(key: &Permitted) -> Outcome<()> {
    match key.state() {
        State::PreActive | State::Active => Ok(()),
        state => Err(Failure::new(
            ResultReason::PermissionDenied,
            format!("a {} in the state {state} is not certified", key.object_type()),
        )),
    }
}

#[cfg(test)]
mod tests;
