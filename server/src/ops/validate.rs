//! Validate (KMIP 2.1 §6.1.57, 1.4 §4.24).

use kmip_codec::Value;
use kmip_codec::schema::DateTime;
use kmip_codec::spec::{
    CertificateType, CryptographicUsageMask as Mask, ObjectType, ResultReason, State, StorageStatusMask, Tag,
    ValidityIndicator, Version,
};
use kmip_codec::structure;
use kmip_codec::types::{Attribute, Certificate, Digest, Object, UniqueIdentifier};

use super::Handler;
use crate::crypto::algorithm::Hash;
use crate::crypto::chain::{self, Linked, Validity};
use crate::crypto::{certificate, public};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::trust::policy::{Permitted, Use};
use crate::view::{Filter, View};

structure! {
    /// The request.
    pub struct Request {
        /// Certificates of the chain.
        pub certificates: Vec<Certificate> = Certificate,
        /// Certificate objects of the chain.
        pub unique_identifiers: Vec<UniqueIdentifier> = UniqueIdentifier,
        /// When all of them must be valid; now if it is not said.
        pub validity_date: Option<DateTime> = ValidityDate,
    }

    /// The answer.
    pub struct Response {
        /// Whether the chain is valid.
        pub validity_indicator: ValidityIndicator = ValidityIndicator,
    }
}

/// Validate.
///
/// A chain is valid if it leads to a certificate that the configuration trusts, and nothing in it is wrong: neither
/// signatures, dates and what certificates may certify, nor the life of those that the requester has among the managed objects,
/// nor what `[validation]` crl says of them. A list that should have been renewed by then makes it Unknown.
pub struct Validate;

impl Handler for Validate {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let date = request.validity_date.map_or(view.now(), |DateTime(date)| date);
        // The certificates that can be read, what is known of their lives, and which of them are objects.
        let (mut given, mut lives, mut named) = (Vec::new(), Validity::Valid, Vec::new());
        for certificate in request.certificates {
            match linked(certificate)? {
                Some(linked) => {
                    lives = lives.max(known(view, &linked, date)?);
                    given.push(linked);
                }
                None => lives = lives.max(Validity::Unknown),
            }
        }
        for identifier in request.unique_identifiers {
            let (object, certificate) = opened(view, &identifier)?;
            lives = lives.max(life(&object, date));
            match linked(certificate)? {
                Some(linked) => {
                    named.push((object, linked.clone()));
                    given.push(linked);
                }
                None => lives = lives.max(Validity::Unknown),
            }
        }
        if given.is_empty() {
            return match lives {
                Validity::Valid => Err(no_chain("no certificate is given that could be validated")),
                other => Ok(answer(other)),
            };
        }
        let chain = chain::order(given).ok_or_else(|| no_chain("the certificates are not one chain"))?;
        for (object, certificate) in &named {
            let verifies = chain.iter().skip(1).any(|one| one == certificate);
            if verifies && !object.usage_mask().contains(Mask::VERIFY) {
                return Err(Failure::new(
                    ResultReason::PermissionDenied,
                    "the Cryptographic Usage Mask of a certificate of the chain does not let it verify another",
                ));
            }
        }
        let settings = &view.shared().settings;
        let holds = chain::validate(&chain, &settings.anchors, date);
        let revoked = chain::revocation(&chain, &settings.anchors, &settings.revocation.present(), date);
        Ok(answer(holds.max(revoked).max(lives)))
    }
}

fn answer(validity: Validity) -> Response {
    let validity_indicator = match validity {
        Validity::Valid => ValidityIndicator::Valid,
        Validity::Unknown => ValidityIndicator::Unknown,
        Validity::Invalid => ValidityIndicator::Invalid,
    };
    Response { validity_indicator }
}

/// What is given is no list of certificates (KMIP 1.4 §11.25).
fn no_chain(why: &str) -> Failure {
    Failure::new(ResultReason::InvalidMessage, why)
}

/// A certificate as one of a chain; `None` for one of which the server reads nothing.
fn linked(certificate: Certificate) -> Outcome<Option<Linked>> {
    match certificate.certificate_type {
        CertificateType::X509 => Linked::new(certificate.certificate_value.to_vec()).map(Some),
        _ => Ok(None),
    }
}

/// The Certificate object of an identifier, and what it holds.
fn opened(view: &mut View, identifier: &UniqueIdentifier) -> Outcome<(Permitted, Certificate)> {
    let object = view.open(Some(identifier), Use::Validate)?;
    if object.object_type() != ObjectType::Certificate {
        let why = format!("a {} is no Certificate", object.object_type());
        return Err(
            Failure::new(ResultReason::InvalidObjectType, why).before(Version::V2_0, ResultReason::InvalidMessage)
        );
    }
    if object.is_destroyed() {
        return Err(Failure::new(ResultReason::ObjectNotFound, "the certificate is destroyed"));
    }
    match &*view.material(&object)? {
        Material::Open(material) => match &**material {
            Object::Certificate(certificate) => {
                let certificate = certificate.clone();
                Ok((object, certificate))
            }
            _ => Err(Failure::internal("a Certificate is none")),
        },
        Material::Guarded(_) => Err(Failure::internal("a certificate is in the module")),
    }
}

/// What the requester's managed objects say of a certificate that is given by itself: it was revoked if one of them was.
fn known(view: &mut View, linked: &Linked, date: i64) -> Outcome<Validity> {
    let said = certificate::attributes(linked.der())?;
    let Some((tag, identifier)) = said.into_iter().find(|(tag, _)| *tag == Tag::X509CertificateIdentifier) else {
        return Ok(Validity::Valid);
    };
    let kind = Attribute::new(Tag::ObjectType, Value::Enumeration(ObjectType::Certificate.into()));
    let filter = Filter::new(vec![Attribute::new(tag, identifier), kind])?.stored(Some(StorageStatusMask::all()));
    let digest = public::hash(Hash::Sha256, linked.der());
    let is_same = |object: &Permitted| {
        let mut digests = object.attributes.structures::<Digest>(Tag::Digest);
        digests.any(|said| said.value.is_some_and(|value| *value == *digest))
    };
    let mut worst = Validity::Valid;
    for identifier in view.locate(&filter, 0, MANAGED, false)?.identifiers {
        let object = view.open(Some(&UniqueIdentifier::Text(identifier)), Use::ReadAttributes)?;
        if is_same(&object) {
            worst = worst.max(life(&object, date));
        }
    }
    Ok(worst)
}

/// Of so many objects that are the same certificate the life is looked at.
const MANAGED: usize = 100;

/// Whether the life of a managed certificate lets it be valid at a date: not one whose key somebody else has, nor outside of
/// the time between activation and deactivation.
fn life(object: &Permitted, date: i64) -> Validity {
    let before = object.attributes.date(Tag::ActivationDate).is_some_and(|from| date < from);
    let after = object.attributes.date(Tag::DeactivationDate).is_some_and(|until| date >= until);
    match object.state() {
        State::Compromised | State::DestroyedCompromised => Validity::Invalid,
        _ if before || after => Validity::Invalid,
        _ => Validity::Valid,
    }
}

#[cfg(test)]
mod tests;
