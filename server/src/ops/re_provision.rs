//! Re-Provision (KMIP 2.1 §6.1.48, 2.0 §6.1.44): another certificate for the client that asks, in the place of the one that
//! it came with.
//!
//! Who a client is stays as it is. The new certificate is one that the listeners would let in now, as the same client; one
//! that is made here has the names of the old one, and of a certificate request no more than its key.

use std::sync::Arc;

use kmip_codec::spec::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm, CryptographicUsageMask as Mask, LinkType,
    ObjectType, ResultReason, State, Tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Attributes, Certificate, CertificateRequest, Object, UniqueIdentifier};
use kmip_codec::{Element, Value};
use x509_cert::ext::pkix::name::GeneralNames;

use super::Handler;
use super::create_key_pair::make;
use super::incoming::Incoming;
use super::new_object::{Given, link as set_link};
use crate::crypto::algorithm::{Curve, KeyKind};
use crate::crypto::authority::{Authority, Wanted};
use crate::crypto::signing_request::SigningRequest;
use crate::crypto::{certificate, keyblock, keyformat};
use crate::failure::{Failure, Outcome};
use crate::object::Origin;
use crate::trust::identity::Fingerprint;
use crate::trust::link::{Link, Provisioning};
use crate::trust::policy::Use;
use crate::view::{Filter, View};

/// The most certificates of one name that are looked through for the client's own.
const MOST_ALIKE: usize = 100;

structure! {
    /// The request: at most one of both.
    pub struct Request {
        /// A request for a certificate: the object, or its bytes alone in PKCS#10.
        pub certificate_request: Option<Element> = CertificateRequest,
        /// The certificate that the client has got from elsewhere.
        pub certificate: Option<Certificate> = Certificate,
    }

    /// The answer.
    pub struct Response {
        /// The certificate; or the private key, where the server has made it.
        pub unique_identifier: Text = UniqueIdentifier,
    }
}

/// Re-Provision.
pub struct ReProvision;

impl Handler for ReProvision {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let provisioning = view.shared().settings.provisioning.clone();
        let provisioning = provisioning.ok_or_else(|| Failure::from(ResultReason::OperationNotSupported))?;
        let link = present(view)?;
        let unique_identifier = match (request.certificate_request, request.certificate) {
            (Some(_), Some(_)) => {
                return Err(Failure::invalid_field("there is a certificate, and a request for another one"));
            }
            (None, Some(Certificate { certificate_type: CertificateType::X509, certificate_value })) => {
                follow(view, &provisioning, &link, &certificate_value, &[])?;
                keep(view, &certificate_value, Origin::Registered)?
            }
            (None, Some(_)) => return Err(Failure::unsupported("certificates of clients are X.509 certificates")),
            (Some(asked), None) => {
                let authority = authority(&provisioning)?;
                let request = opened(asked, view)?;
                let certificate = issue(view, authority, &link, Asked::By(request))?;
                follow(view, &provisioning, &link, &certificate, authority.chain())?;
                keep(view, &certificate, Origin::Generated)?
            }
            (None, None) => made(view, &provisioning, &link)?,
        };
        Ok(Response { unique_identifier })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// The certificate that the client came with, if it may be replaced. Whether it has expired, or is refused by a list, the
/// listener has looked at before this request.
fn present(view: &mut View) -> Outcome<Arc<Link>> {
    let requester = view.requester();
    let Some(link) = requester.shown.link().cloned() else {
        return Err(Failure::unsupported("a client's certificate is replaced at once, on its own connection"));
    };
    if *requester.owner != *link.identity {
        return Err(denied("a client's certificate is replaced for the client itself, not for a user or device"));
    }
    // The certificate as a managed object, where the client has registered it or got it here.
    let attributes = certificate::attributes(&link.certificate)?;
    let named = attributes.into_iter().find(|(tag, _)| *tag == Tag::X509CertificateIdentifier);
    let kind = Attribute::new(Tag::ObjectType, Value::Enumeration(ObjectType::Certificate.into()));
    let filter = Filter::new(named.into_iter().map(|(tag, value)| Attribute::new(tag, value)).chain([kind]).collect())?;
    for identifier in view.locate(&filter, 0, MOST_ALIKE, false)?.identifiers {
        let object = view.open(Some(&UniqueIdentifier::Text(identifier)), Use::ReadAttributes)?;
        if matches!(object.state(), State::Deactivated | State::Compromised | State::DestroyedCompromised) {
            return Err(denied("the client's certificate was revoked, or is compromised"));
        }
    }
    Ok(link)
}

/// Lets a certificate follow the present one, from the next message on. `above` are those between it and its root.
fn follow(
    view: &mut View,
    provisioning: &Provisioning,
    link: &Link,
    certificate: &[u8],
    above: &[Vec<u8>],
) -> Outcome<()> {
    let fingerprint = Fingerprint::of(certificate);
    if fingerprint == link.fingerprint {
        return Err(Failure::invalid_field("this is the certificate that the client has"));
    }
    if view.is_replaced(&fingerprint)? {
        return Err(denied("the certificate was itself replaced by another one"));
    }
    match provisioning.admits.identity_of(certificate, above) {
        None => return Err(denied("the certificate is not one of a client that this server would let in")),
        Some(identity) if identity.as_str() != &*link.identity => {
            return Err(denied("the certificate is one of another client"));
        }
        Some(_) => {}
    }
    view.replace_link(&link.fingerprint, &fingerprint)
}

/// Keeps a certificate as an object of the client.
fn keep(view: &mut View, der: &[u8], origin: Origin) -> Outcome<Text> {
    let given = given(view, ObjectType::Certificate, Mask::VERIFY, &[])?;
    let certificate = Certificate { certificate_type: CertificateType::X509, certificate_value: Blob::copy_of(der) };
    let new = Incoming::examine(view, Object::Certificate(certificate), &given)?.keep(view, given, None, origin)?;
    view.insert(new)
}

/// Makes a pair of keys and its certificate; answers the private key.
fn made(view: &mut View, provisioning: &Provisioning, link: &Link) -> Outcome<Text> {
    let authority = authority(provisioning)?;
    // A key like the one before, which the client can use; or one that every client can.
    let before = certificate::public_key(&link.certificate)?;
    let kind = match keyformat::identify_public(&before) {
        Ok(kind @ (KeyKind::Rsa { .. } | KeyKind::Ec { curve: Curve::P256 | Curve::P384 | Curve::P521 })) => kind,
        _ => KeyKind::Ec { curve: Curve::P256 },
    };
    // A key on a curve may be of several.
    let algorithm = keyblock::algorithm_of(kind).unwrap_or(CryptographicAlgorithm::ECDSA);
    // The client is to get it.
    let leaves = [(Tag::Extractable, true), (Tag::Sensitive, false)];
    let private = given(view, ObjectType::PrivateKey, Mask::SIGN, &leaves)?;
    let public = given(view, ObjectType::PublicKey, Mask::VERIFY, &[])?;
    let homes = [view.home(Some(kind), Some(true), None)?, view.home(None, Some(true), None)?];
    let (private, public) = make(view, algorithm, kind, homes, [private, public])?;
    let (private, public) = (view.insert(private)?, view.insert(public)?);
    set_link(view, &private, LinkType::PublicKeyLink, &public)?;
    set_link(view, &public, LinkType::PrivateKeyLink, &private)?;
    let object = view.open(Some(&UniqueIdentifier::Text(public.clone())), Use::ReadAttributes)?;
    let public_key = view.public_key(&object)?;
    let der = issue(view, authority, link, Asked::For(public_key))?;
    follow(view, provisioning, link, &der, authority.chain())?;
    let certificate = keep(view, &der, Origin::Generated)?;
    set_link(view, &public, LinkType::CertificateLink, &certificate)?;
    set_link(view, &certificate, LinkType::PublicKeyLink, &public)?;
    Ok(private)
}

/// What is certified.
enum Asked {
    /// The key of a certificate request.
    By(SigningRequest),
    /// This key, as SubjectPublicKeyInfo DER.
    For(Vec<u8>),
}

/// Makes the client's next certificate, in DER, with the names of the present one.
fn issue(view: &mut View, authority: &Authority, link: &Link, asked: Asked) -> Outcome<Vec<u8>> {
    let (subject, names) = certificate::subject(&link.certificate)?;
    let (public_key, request) = match asked {
        Asked::For(public_key) => (public_key, None),
        Asked::By(request) => {
            let is_other = |said: &GeneralNames| {
                !said.is_empty() && (said.len() != names.len() || said.iter().any(|name| !names.contains(name)))
            };
            if (!request.subject.is_empty() && request.subject.to_string() != subject.to_string())
                || is_other(&request.names)
            {
                return Err(denied("the certificate request has other names than the client's certificate"));
            }
            (request.public_key.clone(), Some(request))
        }
    };
    let wanted = Wanted {
        subject,
        names,
        public_key,
        key_usage: request.as_ref().and_then(|request| request.key_usage),
        extended: request.as_ref().and_then(|request| request.extended.clone()),
        key_identifier: request.and_then(|request| request.key_identifier),
        validity: authority.terms().validity(view.now(), None, None)?,
    };
    view.issue(authority, &wanted)
}

/// Who makes certificates of clients.
fn authority(provisioning: &Provisioning) -> Outcome<&Authority> {
    let none = || Failure::unsupported("no certificates of clients are made here: bring one ([provisioning])");
    provisioning.authority.as_deref().ok_or_else(none)
}

/// A certificate request, its signature verified.
fn opened(element: Element, view: &View) -> Outcome<SigningRequest> {
    let request = match element.value {
        // What stood under this tag before it was an object.
        Value::ByteString(bytes) => {
            let kind =
                if bytes.starts_with(b"-----") { CertificateRequestType::PEM } else { CertificateRequestType::Pkcs10 };
            CertificateRequest { certificate_request_type: kind, certificate_request_value: bytes }
        }
        _ => kmip_codec::schema::decode(element, view.version())?,
    };
    SigningRequest::open(request.certificate_request_type, &request.certificate_request_value).map_err(|failure| {
        match failure.reason {
            // The table of this operation has no Invalid CSR.
            ResultReason::InvalidCSR => Failure { reason: ResultReason::InvalidField, ..failure },
            _ => failure,
        }
    })
}

/// The attributes of a new object that is in use from now on.
fn given(view: &mut View, kind: ObjectType, mask: Mask, more: &[(Tag, bool)]) -> Outcome<Given> {
    let mut list = vec![
        Attribute::new(Tag::CryptographicUsageMask, Value::Integer(mask.bits().cast_signed())),
        Attribute::new(Tag::ActivationDate, Value::DateTime(view.now())),
    ];
    list.extend(more.iter().map(|&(tag, value)| Attribute::new(tag, Value::Boolean(value))));
    Given::admit(view, Attributes { templates: Vec::new(), list }, kind)
}

fn denied(why: &str) -> Failure {
    Failure::new(ResultReason::PermissionDenied, why)
}
