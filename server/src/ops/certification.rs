//! What Certify and Re-certify have in common (KMIP 2.1 §6.1.6, §6.1.45): the request for a certificate, whom it is for, and
//! the certificate as an object.

use std::str::FromStr;

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateRequestType, CertificateType, CryptographicUsageMask as Mask, KeyFormatType, ObjectType, ResultReason,
    Tag, Version, attribute_by_tag,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Certificate, Object, ProtectionStorageMasks};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Any, Ia5StringRef, ObjectIdentifier, SetOfVec, Utf8StringRef};
use x509_cert::der::{Decode, Tag as Type};
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};
use x509_cert::name::{Name, RelativeDistinguishedName};

use super::new_object::Given;
use crate::crypto::authority::{Authority, Wanted, mask_of, usage_of};
use crate::crypto::signing_request::SigningRequest;
use crate::crypto::{certificate, keyformat, names};
use crate::failure::{Failure, Outcome};
use crate::object::Origin;
use crate::object::material::Material;
use crate::trust::policy::Permitted;
use crate::view::{New, View};

/// The certificate request of a payload: its type and its bytes, both or neither.
///
/// # Errors
/// Invalid Field for one without the other, and for two requests; what [`SigningRequest::open`] says.
pub(super) fn requested(
    kind: Option<CertificateRequestType>,
    request: Option<Blob>,
    value: Option<Blob>,
) -> Outcome<Option<SigningRequest>> {
    match (kind, request, value) {
        (None, None, None) => Ok(None),
        (_, Some(_), Some(_)) => Err(Failure::invalid_field("there are two certificate requests")),
        (Some(kind), Some(bytes), None) | (Some(kind), None, Some(bytes)) => {
            SigningRequest::open(kind, &bytes).map(Some)
        }
        (None, ..) => Err(Failure::invalid_field("a certificate request needs its Certificate Request Type")),
        (Some(_), None, None) => Err(Failure::invalid_field("there is a Certificate Request Type and no request")),
    }
}

/// The certificate request that an object holds.
///
/// # Errors
/// As [`SigningRequest::open`].
pub(super) fn registered(view: &mut View, object: &Permitted) -> Outcome<SigningRequest> {
    match &*view.material(object)? {
        Material::Open(material) => match &**material {
            Object::CertificateRequest(request) => {
                SigningRequest::open(request.certificate_request_type, &request.certificate_request_value)
            }
            _ => Err(Failure::internal("a Certificate Request is none")),
        },
        Material::Guarded(_) => Err(Failure::internal("a Certificate Request is in the module")),
    }
}

/// Refuses a request that was made for another key, unless the configuration takes the names of such a one.
///
/// # Errors
/// Invalid CSR.
pub(super) fn for_key(view: &View, request: &SigningRequest, public_key: &[u8]) -> Outcome<()> {
    if request.public_key == public_key || view.shared().settings.accept_foreign_request {
        return Ok(());
    }
    Err(Failure::new(
        ResultReason::InvalidCSR,
        "the Certificate Request was made for another key than the one that is to be certified",
    ))
}

/// Whom a certificate is for.
#[derive(Debug, Clone, Default)]
pub(super) struct Subject {
    /// The name.
    pub(super) name: Option<Name>,
    /// Further names.
    pub(super) names: GeneralNames,
}

impl Subject {
    /// Takes out of a request's attributes those that say whom the certificate is for: they are set from the certificate, once
    /// it is made.
    ///
    /// # Errors
    /// Invalid Field for what is no name.
    pub(super) fn take(list: &mut Vec<Attribute>, version: Version) -> Outcome<Self> {
        let says = |attribute: &Attribute| {
            matches!(attribute.tag, Tag::CertificateSubject | Tag::X509CertificateSubject)
                || names::subject_part(attribute.tag).is_some()
        };
        let has = |attribute: &Attribute| {
            let row = attribute_by_tag(attribute.tag);
            says(attribute) && row.is_some_and(|row| row.applies_to(ObjectType::Certificate, version))
        };
        let (said, rest): (Vec<_>, Vec<_>) = std::mem::take(list).into_iter().partition(has);
        *list = rest;
        let mut subject = Self::default();
        let mut parts = Vec::new();
        for attribute in &said {
            match (attribute.tag, &attribute.value) {
                (Tag::X509CertificateSubject, Value::Structure(fields)) => {
                    for field in fields {
                        let Value::ByteString(bytes) = &field.value else { return Err(no_name(attribute.tag)) };
                        let wrong = |_| no_name(attribute.tag);
                        match field.tag {
                            Tag::SubjectDistinguishedName => {
                                subject.name = Some(Name::from_der(bytes).map_err(wrong)?);
                            }
                            _ => subject.names.push(GeneralName::from_der(bytes).map_err(wrong)?),
                        }
                    }
                }
                (Tag::CertificateSubject, value) => {
                    let name = value.find(Tag::CertificateSubjectDistinguishedName).and_then(Value::text);
                    let name = name.ok_or_else(|| no_name(attribute.tag))?;
                    subject.name = Some(Name::from_str(name).map_err(|_| no_name(attribute.tag))?);
                    if value.elements().len() > 1 {
                        return Err(Failure::unsupported(
                            "alternative names are taken from the X.509 Certificate Subject, where they are bytes",
                        ));
                    }
                }
                (tag, Value::TextString(text)) => {
                    if let Some(oid) = names::subject_part(tag) {
                        parts.push(part(oid, text).ok_or_else(|| no_name(tag))?);
                    }
                }
                (tag, _) => return Err(no_name(tag)),
            }
        }
        if !parts.is_empty() {
            subject.name.get_or_insert_default().0.extend(parts);
        }
        Ok(subject)
    }
}

fn no_name(tag: Tag) -> Failure {
    Failure::invalid_field(format!("{tag} is not a name that a certificate can have"))
}

/// A part of a name. Those that RFC 4519 and RFC 2985 have as IA5String are that, and others text.
fn part(oid: &str, text: &str) -> Option<RelativeDistinguishedName> {
    const IN_ASCII: [&str; 2] = ["1.2.840.113549.1.9.1", "0.9.2342.19200300.100.1.25"];
    let value = if IN_ASCII.contains(&oid) {
        Any::new(Type::Ia5String, Ia5StringRef::new(text).ok()?.as_bytes())
    } else {
        Any::new(Type::Utf8String, Utf8StringRef::new(text).ok()?.as_bytes())
    };
    let part = AttributeTypeAndValue { oid: ObjectIdentifier::new(oid).ok()?, value: value.ok()? };
    Some(RelativeDistinguishedName(SetOfVec::try_from(vec![part]).ok()?))
}

/// What is to be certified: the key, and what there is of names.
pub(super) struct Case {
    /// The key, as SubjectPublicKeyInfo DER.
    pub(super) public_key: Vec<u8>,
    /// The request, which goes before everything else.
    pub(super) request: Option<SigningRequest>,
    /// What the attributes say.
    pub(super) subject: Subject,
    /// The name where nobody says one.
    pub(super) otherwise: Subject,
    /// What the key was certified for before, and still is where nobody says otherwise.
    pub(super) before: Uses,
}

/// What a certificate says its key is for; nothing where it does not say.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses {
    pub(super) key_usage: Option<KeyUsage>,
    pub(super) extended: Option<Vec<ObjectIdentifier>>,
}

/// Makes a certificate with what a client gives it, as an object that is to be inserted.
///
/// # Errors
/// Feature Not Supported for a Certificate Type other than X.509; Invalid CSR for a request to another authority; what the
/// authority says.
pub(super) fn certify(
    view: &mut View,
    authority: &Authority,
    case: Case,
    mut given: Given,
    masks: Option<&ProtectionStorageMasks>,
) -> Outcome<New> {
    let Case { public_key, mut request, subject, otherwise, before } = case;
    // A request for another key gives the names alone.
    if let Some(request) = request.as_mut().filter(|request| request.public_key != public_key) {
        (request.key_usage, request.extended, request.key_identifier) = (None, None, None);
        request.validity = (None, None);
    }
    let request = request.as_ref();
    if request.and_then(|request| request.issuer.as_ref()).is_some_and(|issuer| issuer != authority.name()) {
        return Err(Failure::new(ResultReason::InvalidCSR, "the Certificate Request is one to another authority"));
    }
    if given.certificate_type().is_some_and(|kind| kind != CertificateType::X509) {
        return Err(Failure::unsupported("certificates of other types than X.509 are not made here"));
    }
    let home = view.home(None, Some(true), masks)?;
    let mask = given.integer(Tag::CryptographicUsageMask).map(|bits| Mask::from_bits_retain(bits.cast_unsigned()));
    // The dates that a request says go before those of the attributes, which say them too then.
    let (from, until) = request.map(|request| request.validity).unwrap_or_default();
    let mut date = |tag, asked: Option<i64>| {
        let Some(date) = asked else { return given.date(tag) };
        for attribute in given.attributes.iter_mut().filter(|attribute| attribute.tag == tag) {
            attribute.value = Value::DateTime(date);
        }
        Some(date)
    };
    let (from, until) = (date(Tag::ActivationDate, from), date(Tag::DeactivationDate, until));
    let validity = authority.terms().validity(view.now(), from, until)?;
    let kind = keyformat::identify_public(&public_key)?;
    let said = request.filter(|request| !request.subject.is_empty() || !request.names.is_empty());
    let wanted = Wanted {
        subject: said.map(|request| request.subject.clone()).or(subject.name).or(otherwise.name).unwrap_or_default(),
        names: match said {
            Some(request) if !request.names.is_empty() => request.names.clone(),
            _ if !subject.names.is_empty() => subject.names,
            // Names that were for another subject are nobody's now.
            None => otherwise.names,
            Some(_) => GeneralNames::new(),
        },
        public_key,
        key_usage: request.and_then(|request| request.key_usage).or(before.key_usage).or_else(|| usage_of(mask?, kind)),
        extended: request.and_then(|request| request.extended.clone()).or(before.extended),
        key_identifier: request.and_then(|request| request.key_identifier.clone()),
        validity,
    };
    let der = view.issue(authority, &wanted)?;
    let mut found = certificate::attributes(&der)?;
    found.push((Tag::KeyFormatType, Value::Enumeration(KeyFormatType::X509.into())));
    found.push((Tag::CertificateType, Value::Enumeration(CertificateType::X509.into())));
    let usage = certificate::key_usage(&der)?;
    // What the request says goes before the attributes; and where neither does, the certificate does.
    if mask.is_none() || request.is_some_and(|request| request.key_usage.is_some()) {
        let mask = usage.map_or(Mask::empty(), mask_of);
        found.push((Tag::CryptographicUsageMask, Value::Integer(mask.bits().cast_signed())));
    }
    let certificate = Certificate { certificate_type: CertificateType::X509, certificate_value: Blob::new(der) };
    Ok(New {
        object_type: ObjectType::Certificate,
        attributes: given.attributes,
        found,
        material: Some(Material::open(Object::Certificate(certificate))),
        format: None,
        home,
        origin: Origin::Generated,
    })
}

/// A name that is a Common Name alone.
pub(super) fn common_name(text: &Text) -> Subject {
    let name = part("2.5.4.3", text).map(|part| Name::from(vec![part]));
    Subject { name, names: GeneralNames::new() }
}
