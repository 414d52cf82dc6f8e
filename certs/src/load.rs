//! Reads what an authority needs to know of certificates that exist already.

use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
};
use time::OffsetDateTime;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Ia5StringRef, PrintableStringRef, Utf8StringRef};
use x509_cert::der::{DecodePem, Encode, Tag, Tagged};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use x509_cert::name::Name;

use crate::Error;

/// The issuing side of an authority: its subject, key identifier, uses and end. The key must be its own.
pub(crate) fn authority(cert_pem: &str, key: &KeyPair) -> Result<CertificateParams, Error> {
    let cert = parse(cert_pem)?.tbs_certificate;

    let public_key = cert.subject_public_key_info.to_der().map_err(unreadable)?;
    if public_key != key.subject_public_key_info() {
        return Err(Error::KeyMismatch);
    }

    match cert.get::<BasicConstraints>().map_err(unreadable)? {
        Some((_, BasicConstraints { ca: true, .. })) => {}
        _ => return Err(Error::NotAuthority("its basic constraints do not say CA")),
    }

    let mut params = CertificateParams::default();
    if let Some((_, usage)) = cert.get::<KeyUsage>().map_err(unreadable)? {
        if !usage.key_cert_sign() {
            return Err(Error::NotAuthority("its key usage lacks certificate signing"));
        }
        params.key_usages.push(KeyUsagePurpose::KeyCertSign);
        if usage.crl_sign() {
            params.key_usages.push(KeyUsagePurpose::CrlSign);
        }
    }
    if let Some((_, id)) = cert.get::<SubjectKeyIdentifier>().map_err(unreadable)? {
        params.key_identifier_method = KeyIdMethod::PreSpecified(id.0.as_bytes().to_vec());
    }
    params.distinguished_name = subject(&cert.subject)?;
    params.not_before = cert.validity.not_before.to_system_time().into();
    params.not_after = OffsetDateTime::from(cert.validity.not_after.to_system_time());
    Ok(params)
}

/// The serial number of a certificate, as an unsigned integer without leading zeros.
pub(crate) fn serial(cert_pem: &str) -> Result<Vec<u8>, Error> {
    let serial = parse(cert_pem)?.tbs_certificate.serial_number;
    Ok(serial.as_bytes().iter().copied().skip_while(|byte| *byte == 0).collect())
}

fn parse(cert_pem: &str) -> Result<Certificate, Error> {
    Certificate::from_pem(cert_pem).map_err(unreadable)
}

fn unreadable(error: x509_cert::der::Error) -> Error {
    Error::Certificate(error.to_string())
}

/// The same distinguished name in the types of the certificate library, or a refusal: a name that came out
/// differently would break every chain.
fn subject(name: &Name) -> Result<DistinguishedName, Error> {
    let mut subject = DistinguishedName::new();
    for part in &name.0 {
        let mut attributes = part.0.iter();
        let (Some(attribute), None) = (attributes.next(), attributes.next()) else {
            return Err(Error::Subject("a part has more than one attribute"));
        };
        let kind = DnType::from_oid(&attribute.oid.arcs().map(u64::from).collect::<Vec<_>>());
        if subject.get(&kind).is_some() {
            return Err(Error::Subject("an attribute comes twice"));
        }
        subject.push(kind, value(attribute)?);
    }
    Ok(subject)
}

fn value(attribute: &AttributeTypeAndValue) -> Result<DnValue, Error> {
    let value = &attribute.value;
    let malformed = |_| Error::Subject("a text is malformed");
    Ok(match value.tag() {
        Tag::Utf8String => DnValue::Utf8String(value.decode_as::<Utf8StringRef<'_>>().map_err(malformed)?.to_string()),
        Tag::PrintableString => {
            let text = value.decode_as::<PrintableStringRef<'_>>().map_err(malformed)?;
            DnValue::PrintableString(text.as_str().try_into()?)
        }
        Tag::Ia5String => {
            let text = value.decode_as::<Ia5StringRef<'_>>().map_err(malformed)?;
            DnValue::Ia5String(text.as_str().try_into()?)
        }
        _ => {
            return Err(Error::Subject("a text has a type other than UTF8String, PrintableString and IA5String"));
        }
    })
}
