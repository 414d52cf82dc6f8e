//! PEM and DER: what kind of key or certificate a file holds (RFC 7468, RFC 5280, RFC 5915, RFC 5958, RFC 8017).

use kmip_codec::spec::{KeyFormatType, ObjectType};
use x509_cert::der::pem::{self, LineEnding};

use super::{Error, Outcome};
use crate::secret::Secret;

/// A label of PEM, and what stands under it. Certificates have no Key Format Type; they go as X.509 here.
const LABELS: [(&str, ObjectType, KeyFormatType); 6] = [
    ("CERTIFICATE", ObjectType::Certificate, KeyFormatType::X509),
    ("PRIVATE KEY", ObjectType::PrivateKey, KeyFormatType::Pkcs8),
    ("RSA PRIVATE KEY", ObjectType::PrivateKey, KeyFormatType::Pkcs1),
    ("EC PRIVATE KEY", ObjectType::PrivateKey, KeyFormatType::ECPrivateKey),
    ("PUBLIC KEY", ObjectType::PublicKey, KeyFormatType::X509),
    ("RSA PUBLIC KEY", ObjectType::PublicKey, KeyFormatType::Pkcs1),
];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;

/// A key or certificate in DER, and its format.
#[derive(Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The format of the key.
    pub format: KeyFormatType,
    /// The bytes.
    pub der: Secret,
}

/// Finds an object of that type in a file, PEM or DER.
///
/// # Errors
/// Usage: the file holds something else, or several.
pub fn open(file: &Secret, object: ObjectType) -> Outcome<Encoded> {
    match std::str::from_utf8(file.expose()) {
        Ok(text) if text.contains("-----BEGIN ") => open_pem(text, object),
        _ => {
            let format = format_of_der(file.expose(), object)
                .ok_or_else(|| Error::usage(format!("the input is neither PEM nor DER of a {object}")))?;
            Ok(Encoded { format, der: file.clone() })
        }
    }
}

/// The PEM of an object in DER; none for what has no label.
pub fn to_pem(object: ObjectType, format: KeyFormatType, der: &[u8]) -> Option<Secret> {
    let (label, _, _) = LABELS.into_iter().find(|(_, of, has)| (*of, *has) == (object, format))?;
    pem::encode_string(label, LineEnding::LF, der).ok().map(|text| Secret::new(text.into_bytes()))
}

fn open_pem(text: &str, object: ObjectType) -> Outcome<Encoded> {
    let mut found = None;
    let mut others = Vec::new();
    for (label, block) in blocks(text) {
        match LABELS.into_iter().find(|(known, of, _)| *known == label && *of == object) {
            Some(_) if found.is_some() => {
                return Err(Error::usage(format!("the input holds several of {label}: one is registered at a time")));
            }
            Some((_, _, format)) => {
                let (_, der) = pem::decode_vec(block.as_bytes())
                    .map_err(|_| Error::usage(format!("the {label} in the input is not well-formed PEM")))?;
                found = Some(Encoded { format, der: Secret::new(der) });
            }
            None => others.push(label),
        }
    }
    found.ok_or_else(|| {
        if others.contains(&"ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Error::usage("the private key is encrypted with a passphrase: decrypt it first (openssl pkey)");
        }
        Error::usage(format!("the input holds no {object} but {}", others.join(", ")))
    })
}

/// The labelled blocks of a text, from BEGIN to END.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let mut blocks = Vec::new();
    for (begin, _) in text.match_indices("-----BEGIN ") {
        let rest = text.get(begin..).unwrap_or_default();
        let label = rest.strip_prefix("-----BEGIN ").and_then(|rest| rest.split_once("-----"));
        let Some((label, _)) = label else { continue };
        let end = format!("-----END {label}-----");
        let block = rest.find(&end).and_then(|place| rest.get(..place + end.len()));
        blocks.push((label, block.unwrap_or(rest)));
    }
    blocks
}

/// What the first elements within the outer sequence say.
fn format_of_der(der: &[u8], object: ObjectType) -> Option<KeyFormatType> {
    let (SEQUENCE, content, []) = element(der)? else { return None };
    let (first, inner, rest) = element(content)?;
    let second = element(rest).map(|(tag, ..)| tag);
    match (object, first, second) {
        (ObjectType::Certificate, SEQUENCE, Some(SEQUENCE)) => Some(KeyFormatType::X509),
        (ObjectType::PrivateKey, INTEGER, Some(SEQUENCE)) => Some(KeyFormatType::Pkcs8),
        (ObjectType::PrivateKey, INTEGER, Some(INTEGER)) if inner.len() == 1 => Some(KeyFormatType::Pkcs1),
        (ObjectType::PrivateKey, INTEGER, Some(OCTET_STRING)) => Some(KeyFormatType::ECPrivateKey),
        (ObjectType::PublicKey, INTEGER, Some(INTEGER)) => Some(KeyFormatType::Pkcs1),
        (ObjectType::PublicKey, SEQUENCE, Some(_)) => Some(KeyFormatType::X509),
        _ => None,
    }
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests;
