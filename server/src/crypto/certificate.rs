//! What a certificate says about itself, as the attributes that the server sets (KMIP 2.1 §4.8, §4.20, §4.61 to §4.63).

use kmip_codec::Value;
use kmip_codec::spec::{CertificateRequestType, CryptographicAlgorithm, ResultReason, Tag};
use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralNames;
use x509_cert::ext::pkix::{KeyUsage, SubjectAltName};
use x509_cert::name::Name;

use super::{keyblock, keyformat, names, signed, signing_request};
use crate::failure::{Failure, Outcome};

/// The attributes of an X.509 certificate in DER.
///
/// # Errors
/// Invalid Field for bytes that are no certificate.
pub fn attributes(der: &[u8]) -> Outcome<Vec<(Tag, Value)>> {
    let wrong = |_| Failure::new(ResultReason::InvalidField, "the Certificate Value is no X.509 certificate in DER");
    let certificate = Certificate::from_der(der).map_err(wrong)?;
    let body = &certificate.tbs_certificate;
    let length = Value::Integer(i32::try_from(der.len()).unwrap_or(i32::MAX));
    let mut found = vec![(Tag::CertificateLength, length)];
    found.extend(names::attributes(&certificate).map_err(wrong)?);
    found.extend(of_key(&body.subject_public_key_info.to_der().map_err(wrong)?));
    if let Some(algorithm) = signed::named(&certificate.signature_algorithm.oid.to_string()) {
        found.push((Tag::DigitalSignatureAlgorithm, Value::Enumeration(algorithm.into())));
    }
    Ok(found)
}

/// The attributes of a certificate request: what its public key is, where the request is PKCS#10 (RFC 2986).
///
/// # Errors
/// Invalid Field for bytes that are no such request.
pub fn request_attributes(kind: CertificateRequestType, bytes: &[u8]) -> Outcome<Vec<(Tag, Value)>> {
    let wrong =
        || Failure::new(ResultReason::InvalidField, format!("the Certificate Request Value is no {kind} request"));
    // Of other formats the server reads nothing.
    if !matches!(kind, CertificateRequestType::Pkcs10 | CertificateRequestType::PEM) {
        return Ok(Vec::new());
    }
    let request = signing_request::parse(kind, bytes).map_err(|_| wrong())?;
    Ok(of_key(&request.info.public_key.to_der().map_err(|_| wrong())?))
}

/// What a public key is. One of a kind that we do not know is no reason to refuse what holds it.
fn of_key(spki: &[u8]) -> Vec<(Tag, Value)> {
    let Ok(kind) = keyformat::identify_public(spki) else { return Vec::new() };
    let algorithm = keyblock::algorithm_of(kind).unwrap_or(CryptographicAlgorithm::EC);
    let length = i32::try_from(keyblock::length_of(kind)).unwrap_or(i32::MAX);
    vec![
        (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
        (Tag::CryptographicLength, Value::Integer(length)),
    ]
}

/// The public key of an X.509 certificate in DER, as SubjectPublicKeyInfo DER.
///
/// # Errors
/// Invalid Field for bytes that are no certificate.
pub fn public_key(der: &[u8]) -> Outcome<Vec<u8>> {
    let key =
        Certificate::from_der(der).and_then(|certificate| certificate.tbs_certificate.subject_public_key_info.to_der());
    key.map_err(|_| Failure::new(ResultReason::InvalidField, "the Certificate Value is no X.509 certificate in DER"))
}

/// What the key of a certificate in DER is for; `None` where it does not say.
///
/// # Errors
/// Invalid Field for bytes that are no certificate.
pub fn key_usage(der: &[u8]) -> Outcome<Option<KeyUsage>> {
    let usage = Certificate::from_der(der).and_then(|certificate| certificate.tbs_certificate.get::<KeyUsage>());
    let usage = usage
        .map_err(|_| Failure::new(ResultReason::InvalidField, "the Key Usage of the certificate cannot be read"))?;
    Ok(usage.map(|(_, usage)| usage))
}

/// Whom a certificate in DER is for: its subject and the alternative names.
///
/// # Errors
/// Invalid Field for bytes that are no certificate.
pub fn subject(der: &[u8]) -> Outcome<(Name, GeneralNames)> {
    let wrong = |_| Failure::new(ResultReason::InvalidField, "the names of the certificate cannot be read");
    let body = Certificate::from_der(der).map_err(wrong)?.tbs_certificate;
    let names = body.get::<SubjectAltName>().map_err(wrong)?;
    Ok((body.subject, names.map(|(_, SubjectAltName(names))| names).unwrap_or_default()))
}
