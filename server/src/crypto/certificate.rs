//! What a certificate says about itself, as the attributes that the server sets (KMIP 2.1 §4.8, §4.20, §4.61 to §4.63).

use kmip_codec::Value;
use kmip_codec::spec::{CertificateRequestType, CryptographicAlgorithm, DigitalSignatureAlgorithm, ResultReason, Tag};
use x509_cert::Certificate;
use x509_cert::der::{Decode, DecodePem, Encode};
use x509_cert::request::CertReq;

use super::{keyblock, keyformat, names};
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
    if let Some(algorithm) = signature(&certificate.signature_algorithm.oid.to_string()) {
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
        |_| Failure::new(ResultReason::InvalidField, format!("the Certificate Request Value is no {kind} request"));
    let request = match kind {
        CertificateRequestType::Pkcs10 => CertReq::from_der(bytes).map_err(wrong)?,
        CertificateRequestType::PEM => CertReq::from_pem(bytes).map_err(wrong)?,
        // Of other formats the server reads nothing.
        _ => return Ok(Vec::new()),
    };
    Ok(of_key(&request.info.public_key.to_der().map_err(wrong)?))
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

/// The signature algorithm by its object identifier (RFC 8017, RFC 5758).
fn signature(oid: &str) -> Option<DigitalSignatureAlgorithm> {
    Some(match oid {
        "1.2.840.113549.1.1.4" => DigitalSignatureAlgorithm::MD5WithRSAEncryption,
        "1.2.840.113549.1.1.5" => DigitalSignatureAlgorithm::SHA1WithRSAEncryption,
        "1.2.840.113549.1.1.14" => DigitalSignatureAlgorithm::SHA224WithRSAEncryption,
        "1.2.840.113549.1.1.11" => DigitalSignatureAlgorithm::SHA256WithRSAEncryption,
        "1.2.840.113549.1.1.12" => DigitalSignatureAlgorithm::SHA384WithRSAEncryption,
        "1.2.840.113549.1.1.13" => DigitalSignatureAlgorithm::SHA512WithRSAEncryption,
        "1.2.840.113549.1.1.10" => DigitalSignatureAlgorithm::RSASSAPSS,
        "1.2.840.10045.4.1" => DigitalSignatureAlgorithm::ECDSAWithSHA1,
        "1.2.840.10045.4.3.1" => DigitalSignatureAlgorithm::ECDSAWithSHA224,
        "1.2.840.10045.4.3.2" => DigitalSignatureAlgorithm::ECDSAWithSHA256,
        "1.2.840.10045.4.3.3" => DigitalSignatureAlgorithm::ECDSAWithSHA384,
        "1.2.840.10045.4.3.4" => DigitalSignatureAlgorithm::ECDSAWithSHA512,
        _ => return None,
    })
}
