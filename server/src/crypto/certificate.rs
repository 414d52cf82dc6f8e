//! What a certificate says about itself, as the attributes that the server sets (KMIP 2.1 §4.8, §4.20, §4.61 to §4.63).

use kmip_codec::Value;
use kmip_codec::spec::{CertificateRequestType, CertificateType, CryptographicAlgorithm, ResultReason, Tag};
use x509_cert::certificate::{CertificateInner, Profile};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{self, Decode, Encode, FixedTag as _};
use x509_cert::ext::pkix::name::GeneralNames;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;

use super::{crmf, keyblock, keyformat, names, openpgp, signed, signing_request};
use crate::failure::{Failure, Outcome};

/// The longest serial number that is kept, in bytes. Authorities shall use 20 at the most (RFC 5280 §4.1.2.2), and some use
/// more: such a certificate is a client's to keep all the same.
const LONGEST_SERIAL: usize = 128;

/// A certificate as others have made it, whose serial number may be one that RFC 5280 does not allow: long, negative or zero.
pub(super) type Certificate = CertificateInner<AsMade>;

/// What is asked of the serial number of a [`Certificate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AsMade;

impl Profile for AsMade {
    fn check_serial_number(serial: &SerialNumber<Self>) -> der::Result<()> {
        if serial.as_bytes().len() > LONGEST_SERIAL {
            return Err(SerialNumber::<Self>::TAG.value_error());
        }
        Ok(())
    }
}

/// The attributes of a certificate of whatever type.
///
/// # Errors
/// Invalid Field for a value that is no certificate of its type.
pub fn said(certificate: &kmip_codec::types::Certificate) -> Outcome<Vec<(Tag, Value)>> {
    let value = &certificate.certificate_value;
    match certificate.certificate_type {
        CertificateType::X509 => attributes(value),
        CertificateType::PGP => openpgp::attributes(value),
        // The standard has no other.
        _ => Ok(vec![(Tag::CertificateLength, length(value))]),
    }
}

fn length(value: &[u8]) -> Value {
    Value::Integer(i32::try_from(value.len()).unwrap_or(i32::MAX))
}

/// The attributes of an X.509 certificate in DER.
///
/// # Errors
/// Invalid Field for bytes that are no certificate.
pub fn attributes(der: &[u8]) -> Outcome<Vec<(Tag, Value)>> {
    let wrong = |_| Failure::new(ResultReason::InvalidField, "the Certificate Value is no X.509 certificate in DER");
    let certificate = Certificate::from_der(der).map_err(wrong)?;
    let body = &certificate.tbs_certificate;
    let mut found = vec![(Tag::CertificateLength, length(der))];
    found.extend(names::attributes(&certificate).map_err(wrong)?);
    found.extend(of_key(&body.subject_public_key_info.to_der().map_err(wrong)?));
    if let Some(algorithm) = signed::named(&certificate.signature_algorithm.oid.to_string()) {
        found.push((Tag::DigitalSignatureAlgorithm, Value::Enumeration(algorithm.into())));
    }
    Ok(found)
}

/// The attributes of a certificate request: what its public key is, where the request is PKCS#10 (RFC 2986) or CRMF (RFC 4211).
///
/// # Errors
/// Invalid Field for bytes that are no PKCS#10 request.
pub fn request_attributes(kind: CertificateRequestType, bytes: &[u8]) -> Outcome<Vec<(Tag, Value)>> {
    let wrong =
        || Failure::new(ResultReason::InvalidField, format!("the Certificate Request Value is no {kind} request"));
    // One in CRMF may have its key elsewhere, or hold several requests.
    if kind == CertificateRequestType::CRMF {
        return Ok(crmf::public_key(bytes).map(|key| of_key(&key)).unwrap_or_default());
    }
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

/// What the key of a certificate in DER is for, more exactly; `None` where it does not say.
///
/// # Errors
/// Invalid Field for bytes that are no certificate.
pub fn extended_key_usage(der: &[u8]) -> Outcome<Option<Vec<ObjectIdentifier>>> {
    let uses = Certificate::from_der(der).and_then(|own| own.tbs_certificate.get::<ExtendedKeyUsage>());
    let uses = uses.map_err(|_| {
        Failure::new(ResultReason::InvalidField, "the Extended Key Usage of the certificate cannot be read")
    })?;
    Ok(uses.map(|(_, ExtendedKeyUsage(uses))| uses))
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

#[cfg(test)]
mod tests {
    use kmip_codec::spec::DigitalSignatureAlgorithm as Named;

    use super::*;
    use crate::crypto::chain::{Linked, Validity, order, validate};
    use crate::crypto::testing::{Entity, tlv};
    use crate::view::testing::NOW;

    /// Signed with RSA and SHA3-256; made with OpenSSL.
    const SHA3: &str = "308202ff308201e7a00302010202146a0093fc853a8756532f693602ed387f7120f67c300d060960864801650304030e0500300f310d300b06035504030c0473686133301e170d3236313132333030313732375a170d3336313132303030313732375a300f310d300b06035504030c047368613330820122300d06092a864886f70d01010105000382010f003082010a0282010100ea896bf3dd460d5f76f43aaa815b5cf4a712ea01e821ca4262a0ff55e49f5bc1bc22abbfb27353149329266511843437aeab61d30a4aa3b7bd8b54f73277cc923e64e1dbf1820b10f24791d341eb633c70909f38670e1d484faf52953e7172f2d3d1ac84cb8f79f226aa44246d3a7a48bc23a6e01f65ba4f4f7ab248d11db531bb9ca44cda4644ee05cf27dbb87f1518beb6005ea384000dc20cc8327fae37e0a328a20f23cc846c91410412f4ac6bdab2956b20fa5d42d2ac2dab1fb06c37dff05f8f3bff3f4c15ebaff921037c8ec042a7d2e767f8c4e411544e21985dbad941a1182e3c3294c2154d9d888dfa107f7c95dabc5c9ba1b47f78012a05495b5b0203010001a3533051301d0603551d0e0416041423597fa8639b2ff1db261e62b75df6a8dfc0b095301f0603551d2304183016801423597fa8639b2ff1db261e62b75df6a8dfc0b095300f0603551d130101ff040530030101ff300d060960864801650304030e0500038201010035d82a0f66cfbd171da563f2a9ea1838c96c0c64233195810a26143d28a033167e860db68a5d836ce4195d6ab0645e8c01d7437abb046d57acf7fdd1eb8141347d2b435f42f67e6896b65a39442f86d85ae32389cdfb02a6433c8aa9c76de04b2839f358dc36598b49cb1102ff19cb26421c88e2c0755c5945b9b53b15d4c758c4f3dcf59ffca8f4d251108d9585ccf18e99797abcfed948ca8b403a9775c943f54586c835e422681813be850b13fefaf4c15fd950403c54b398e4784638810a61d7af056cb309b64de644aff753e2c9051b28bafa10be9612b5d6239719b336ff3287a94d9a658f5f472a9ddee3e79eda6bab501500e85eede09d47dd09e48d";

    #[test]
    fn a_signature_with_sha3_has_its_name() {
        let found = attributes(&hex::decode(SHA3).unwrap()).unwrap();
        let named = Value::Enumeration(Named::SHA3256WithRSAEncryption.into());
        assert!(found.contains(&(Tag::DigitalSignatureAlgorithm, named)), "{found:?}");
    }

    #[test]
    fn a_serial_number_is_kept_whatever_its_length_and_its_sign() {
        let entity = Entity::new("CN=odd");
        let longest = [0x51; LONGEST_SERIAL];
        for octets in [&[0][..], &[1], &[0x80], &[0xFF], &[0, 0x80], &[0x7F; 21], &[0xC0; 22], &longest] {
            let der = entity.numbered(octets);
            let found = attributes(&der).unwrap();
            let get = |tag| &found.iter().find(|(found, _)| *found == tag).unwrap().1;
            let text = get(Tag::CertificateIdentifier).find(Tag::SerialNumber).and_then(Value::text);
            assert_eq!(text, Some(&*hex::encode_upper(octets)));
            let Some(Value::ByteString(serial)) =
                get(Tag::X509CertificateIdentifier).find(Tag::CertificateSerialNumber)
            else {
                panic!("no number")
            };
            assert_eq!(**serial, tlv(2, octets));
            // Whether it was certified as it should have been does not lie in that.
            let chain = order(vec![Linked::new(der).unwrap()]).unwrap();
            assert_eq!(validate(&chain, &[], NOW), Validity::Unknown);
        }
        // Neither more than that, nor what is no number at all in DER.
        for octets in [&[0x51; LONGEST_SERIAL + 1][..], &[0, 1], &[]] {
            assert_eq!(attributes(&entity.numbered(octets)).unwrap_err().reason, ResultReason::InvalidField);
        }
    }
}
