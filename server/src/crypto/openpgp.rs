//! OpenPGP certificates: transferable public keys (RFC 4880 §11.1, RFC 9580 §10.1), and what the protocol takes from them
//! (KMIP 1.4 §3.13, §3.14, §3.16).
//!
//! The packets are taken apart, and nothing of them is believed more than their form: the signatures are not verified.

use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm, Tag};
use kmip_codec::{Element, Value};
use x509_cert::der::pem;

use super::algorithm::{Hash, Signature as Scheme};
use super::signed;
use crate::failure::{Failure, Outcome};

/// How a certificate begins that is in armor (RFC 9580 §6.2).
const ARMOR: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/// The attributes of an OpenPGP certificate, in packets or in armor.
///
/// # Errors
/// Invalid Field for what is no transferable public key: not made of whole packets, without a primary key or with several,
/// with a secret key, or with packets that have no place in it.
pub(super) fn attributes(bytes: &[u8]) -> Outcome<Vec<(Tag, Value)>> {
    let wrong = |why| Failure::invalid_field(format!("the Certificate Value is no OpenPGP certificate: {why}"));
    let certificate = match unarmored(bytes).map_err(wrong)? {
        Some(packets) => Certificate::read(&packets),
        None => Certificate::read(bytes),
    };
    let Certificate { key, user, signature } = certificate.map_err(wrong)?;
    let length = Value::Integer(i32::try_from(bytes.len()).unwrap_or(i32::MAX));
    let mut found = vec![(Tag::CertificateLength, length)];
    let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
    let name = text(Tag::CertificateSubjectDistinguishedName, &user.unwrap_or_default());
    found.push((Tag::CertificateSubject, Value::Structure(vec![name])));
    if let Some((algorithm, bits)) = key {
        found.push((Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())));
        found.push((Tag::CryptographicLength, Value::Integer(i32::from(bits))));
    }
    let Some(Signature { issuer, algorithm, .. }) = signature else { return Ok(found) };
    if let Some(issuer) = issuer {
        let issuer = text(Tag::Issuer, &hex::encode_upper(issuer));
        found.push((Tag::CertificateIdentifier, Value::Structure(vec![issuer])));
    }
    found.extend(algorithm.map(|named| (Tag::DigitalSignatureAlgorithm, Value::Enumeration(named.into()))));
    Ok(found)
}

/// The packets of a certificate in armor; `None` for one that has none. Armor is PEM, but for headers and a checksum, which
/// says nothing (RFC 9580 §6.1).
fn unarmored(bytes: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.starts_with(ARMOR)) else { return Ok(None) };
    let lines = text.lines().map(str::trim_end);
    let kept = lines.filter(|line| !line.is_empty() && !line.starts_with('=') && !line.contains(": "));
    let plain: String = kept.flat_map(|line| [line, "\n"]).collect();
    pem::decode_vec(plain.as_bytes()).map(|(_, packets)| Some(packets)).map_err(|_| "its armor cannot be read")
}

/// What is taken from a certificate.
#[derive(Debug)]
struct Certificate {
    /// What the primary key is, and its length in bits, as far as there are names for it.
    key: Option<(Algorithm, u16)>,
    /// The first User ID.
    user: Option<String>,
    /// The signature that makes it a certificate: the first one that certifies the first User ID, or where there is none the
    /// first one over the key itself.
    signature: Option<Signature>,
}

impl Certificate {
    fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader(bytes);
        let key = match reader.packet()? {
            (PUBLIC_KEY, body) => primary(body)?,
            (SECRET_KEY, _) => return Err(SECRET),
            _ => return Err("it does not begin with a public key"),
        };
        let mut certificate = Self { key, user: None, signature: None };
        let mut users = 0_usize;
        while !reader.0.is_empty() {
            match reader.packet()? {
                (SIGNATURE, body) => certificate.take(Signature::read(body)?, users),
                (USER_ID, body) => {
                    users = users.saturating_add(1);
                    certificate.user.get_or_insert_with(|| String::from_utf8_lossy(body).into_owned());
                }
                (USER_ATTRIBUTE, _) => users = users.saturating_add(1),
                (PUBLIC_SUBKEY, body) => {
                    primary(body)?;
                    // What follows belongs to the subkey.
                    users = usize::MAX;
                }
                (PUBLIC_KEY, _) => return Err("it has several primary keys"),
                (SECRET_KEY | SECRET_SUBKEY, _) => return Err(SECRET),
                // Marker, Trust, Padding, and what readers who do not know it pass over (RFC 9580 §4.3).
                (10 | 12 | 21 | 40.., _) => {}
                _ => return Err("it has a packet that has no place in it"),
            }
        }
        Ok(certificate)
    }

    /// Takes a signature that comes after so many users.
    fn take(&mut self, signature: Signature, users: usize) {
        let is_certification = users == 1 && self.user.is_some() && (0x10..=0x13).contains(&signature.kind);
        let is_direct = users == 0 && signature.kind == 0x1F;
        let had = self.signature.as_ref().map(|had| had.kind);
        if (is_certification && had.is_none_or(|kind| kind == 0x1F)) || (is_direct && had.is_none()) {
            self.signature = Some(signature);
        }
    }
}

/// The types of packets (RFC 9580 §5).
const SIGNATURE: u8 = 2;
const SECRET_KEY: u8 = 5;
const PUBLIC_KEY: u8 = 6;
const SECRET_SUBKEY: u8 = 7;
const USER_ID: u8 = 13;
const PUBLIC_SUBKEY: u8 = 14;
const USER_ATTRIBUTE: u8 = 17;

/// What a Public-Key packet holds (RFC 9580 §5.5.2); `None` where there are no names for it.
fn primary(body: &[u8]) -> Result<Option<(Algorithm, u16)>, &'static str> {
    let mut reader = Reader(body);
    let version = reader.byte()?;
    // When it was made, and how long older keys are good for.
    reader.take(if version < 4 { 6 } else { 4 })?;
    let algorithm = reader.byte()?;
    match version {
        2..=4 => {}
        5 | 6 if usize::try_from(reader.number(4)?) == Ok(reader.0.len()) => {}
        _ => return Err("its key is of a version that is not known, or too short"),
    }
    let (named, numbers) = match algorithm {
        1..=3 => (Algorithm::RSA, 2),
        17 => (Algorithm::DSA, 4),
        18 | 19 | 22 => {
            let length = reader.byte()?;
            let oid = reader.take(length.into())?;
            if reader.0.is_empty() {
                return Err("its key has no point");
            }
            return Ok(CURVES
                .iter()
                .find(|(of, known, ..)| *of == algorithm && *known == oid)
                .map(|row| (row.2, row.3)));
        }
        27 => return (reader.0.len() == 32).then_some(Some((Algorithm::Ed25519, 256))).ok_or(SHORT),
        28 => return (reader.0.len() == 57).then_some(Some((Algorithm::Ed448, 456))).ok_or(SHORT),
        _ => return Ok(None),
    };
    let bits = reader.integer()?;
    for _ in 1..numbers {
        reader.integer()?;
    }
    if reader.0.is_empty() { Ok(Some((named, bits))) } else { Err("its key has more numbers than it should") }
}

/// The curves by the algorithm that they are for and the object identifier without its frame (RFC 9580 §9.2).
const CURVES: [(u8, &[u8], Algorithm, u16); 6] = [
    (19, &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7], Algorithm::ECDSA, 256),
    (19, &[0x2B, 0x81, 4, 0, 0x22], Algorithm::ECDSA, 384),
    (19, &[0x2B, 0x81, 4, 0, 0x23], Algorithm::ECDSA, 521),
    (19, &[0x2B, 0x81, 4, 0, 0x0A], Algorithm::ECDSA, 256),
    (22, &[0x2B, 6, 1, 4, 1, 0xDA, 0x47, 0x0F, 1], Algorithm::Ed25519, 256),
    (22, &[0x2B, 0x65, 0x71], Algorithm::Ed448, 456),
];

/// A Signature packet (RFC 9580 §5.2).
#[derive(Debug)]
struct Signature {
    /// What is signed.
    kind: u8,
    /// What the protocol calls its algorithm.
    algorithm: Option<DigitalSignatureAlgorithm>,
    /// The Key ID of the key that has made it, as far as it says so.
    issuer: Option<Vec<u8>>,
}

impl Signature {
    fn read(body: &[u8]) -> Result<Self, &'static str> {
        let mut reader = Reader(body);
        let version = reader.byte()?;
        if matches!(version, 2 | 3) {
            let (5, kind) = (reader.byte()?, reader.byte()?) else { return Err("it has a signature that is none") };
            reader.take(4)?;
            let issuer = Some(reader.take(8)?.to_vec());
            return Ok(Self { kind, issuer, algorithm: named(reader.byte()?, reader.byte()?) });
        }
        let counted = match version {
            4 | 5 => 2,
            6 => 4,
            _ => return Err("it has a signature of a version that is not known"),
        };
        let kind = reader.byte()?;
        let algorithm = named(reader.byte()?, reader.byte()?);
        let mut issuer = None;
        // What is signed says more than what is not.
        for _ in 0..2 {
            let length = usize::try_from(reader.number(counted)?).map_err(|_| SHORT)?;
            let said = said_issuer(Reader(reader.take(length)?))?;
            issuer = issuer.or(said);
        }
        // The beginning of the digest.
        reader.take(2)?;
        Ok(Self { kind, algorithm, issuer })
    }
}

/// The Key ID that the subpackets of a signature say, by the fingerprint or by itself (RFC 9580 §5.2.3.12, §5.2.3.35).
fn said_issuer(mut reader: Reader<'_>) -> Result<Option<Vec<u8>>, &'static str> {
    let mut found = None;
    while !reader.0.is_empty() {
        let length = match reader.byte()? {
            short @ ..192 => usize::from(short),
            255 => usize::try_from(reader.number(4)?).map_err(|_| SHORT)?,
            high => reader.two(high)?,
        };
        let mut body = Reader(reader.take(length)?);
        // The highest bit says that the subpacket is critical.
        let said = match body.byte()? & 0x7F {
            16 => body.0.get(..8).filter(|_| body.0.len() == 8),
            33 => match (body.byte()?, body.0.len()) {
                (4, 20) => body.0.last_chunk::<8>().map(<[u8; 8]>::as_slice),
                (5 | 6, 32) => body.0.get(..8),
                _ => None,
            },
            _ => None,
        };
        found = found.or(said.map(<[u8]>::to_vec));
    }
    Ok(found)
}

/// What the protocol calls a signature algorithm, by the numbers of the key's and of the hash (RFC 9580 §9.1, §9.5).
fn named(key: u8, hash: u8) -> Option<DigitalSignatureAlgorithm> {
    use DigitalSignatureAlgorithm as Named;
    match (key, hash) {
        (1 | 3, 1) => Some(Named::MD5WithRSAEncryption),
        (17, 2) => Some(Named::DSAWithSHA1),
        (17, 8) => Some(Named::DSAWithSHA256),
        (17, 11) => Some(Named::DSAWithSHA224),
        (1 | 3, hash) => signed::name_of(Scheme::RsaPkcs1(hash_of(hash)?)),
        (19, hash) => signed::name_of(Scheme::Ecdsa(hash_of(hash)?)),
        _ => None,
    }
}

fn hash_of(number: u8) -> Option<Hash> {
    Some(match number {
        2 => Hash::Sha1,
        8 => Hash::Sha256,
        9 => Hash::Sha384,
        10 => Hash::Sha512,
        11 => Hash::Sha224,
        12 => Hash::Sha3_256,
        14 => Hash::Sha3_512,
        _ => return None,
    })
}

const SECRET: &str = "it holds a private key";
const SHORT: &str = "it ends within a packet, or a packet has not the length that it should have";

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, &'static str> {
        self.take(1)?.first().copied().ok_or(SHORT)
    }

    /// A number of so many bytes, at most four.
    fn number(&mut self, bytes: usize) -> Result<u32, &'static str> {
        Ok(self.take(bytes)?.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
    }

    /// The rest of a length in two bytes.
    fn two(&mut self, high: u8) -> Result<usize, &'static str> {
        Ok(((usize::from(high) - 192) << 8) + usize::from(self.byte()?) + 192)
    }

    /// A multiprecision integer (RFC 9580 §3.2). Answers its bits.
    fn integer(&mut self) -> Result<u16, &'static str> {
        let bits = u16::try_from(self.number(2)?).map_err(|_| SHORT)?;
        let bytes = self.take(bits.div_ceil(8).into())?;
        let first = bytes.first().map_or(0, |byte| byte.leading_zeros());
        let is_exact = bits == 0 || (u32::from(bits) + first).is_multiple_of(8);
        if is_exact { Ok(bits) } else { Err("a number of its key has not the length that it says") }
    }

    /// A packet (RFC 9580 §4.2): its type, and its body. Only data comes in parts, or without a length.
    fn packet(&mut self) -> Result<(u8, &'a [u8]), &'static str> {
        let (kind, length) = match self.byte()? {
            first @ 0xC0.. => {
                let length = match self.byte()? {
                    short @ ..192 => usize::from(short),
                    high @ 192..224 => self.two(high)?,
                    255 => usize::try_from(self.number(4)?).map_err(|_| SHORT)?,
                    _ => return Err("it has a packet in parts"),
                };
                (first & 0x3F, length)
            }
            first @ 0x80.. => {
                let bytes = match first & 3 {
                    3 => return Err("it has a packet without a length"),
                    size => 1 << size,
                };
                ((first >> 2) & 0xF, usize::try_from(self.number(bytes)?).map_err(|_| SHORT)?)
            }
            _ => return Err("it is not made of packets"),
        };
        Ok((kind, self.take(length)?))
    }
}

#[cfg(test)]
mod tests;
