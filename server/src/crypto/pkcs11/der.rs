//! The DER that PKCS#11 does not speak: public keys, private keys that are brought in, signatures and digests.

use rsa::pkcs1::RsaPrivateKey;
use rsa::pkcs8::PrivateKeyInfo;
use rsa::pkcs8::der::asn1::OctetStringRef;
use rsa::pkcs8::der::{Encode, Header, Reader, SliceReader, Tag};

use super::template::curve_parameters;
use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Curve, Hash};

/// The content of the object identifiers rsaEncryption (RFC 8017) and id-ecPublicKey (RFC 5480), with their tags.
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
];
const EC: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const NULL: &[u8] = &[0x05, 0x00];

/// SubjectPublicKeyInfo of an RSA key (RFC 3279 §2.3.1), from modulus and exponent, big-endian.
pub(super) fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = tlv(SEQUENCE, &[&integer(modulus), &integer(exponent)]);
    tlv(
        SEQUENCE,
        &[
            &tlv(SEQUENCE, &[RSA, NULL]),
            &tlv(BIT_STRING, &[&[0], &key]),
        ],
    )
}

/// SubjectPublicKeyInfo of an EC key (RFC 5480 §2), from CKA_EC_POINT. Modules give the point as it is, or in an octet
/// string, as the standard says.
pub(super) fn ec_public(curve: Curve, point: &[u8]) -> Option<Vec<u8>> {
    let bytes = super::template::curve_bytes(curve);
    let is_point = |point: &[u8]| point.len() == 1 + 2 * bytes && point.first() == Some(&4);
    let point = if is_point(point) {
        point
    } else {
        let mut reader = SliceReader::new(point).ok()?;
        let inner = reader.decode::<OctetStringRef<'_>>().ok()?.as_bytes();
        if !is_point(inner) {
            return None;
        }
        inner
    };
    let algorithm = tlv(SEQUENCE, &[EC, curve_parameters(curve)]);
    Some(tlv(
        SEQUENCE,
        &[&algorithm, &tlv(BIT_STRING, &[&[0], point])],
    ))
}

/// The parts of an RSA private key, big-endian, in the order of RFC 8017 §A.1.2 without the version.
pub(super) struct RsaParts<'a> {
    pub(super) modulus: &'a [u8],
    pub(super) public_exponent: &'a [u8],
    pub(super) private_exponent: &'a [u8],
    pub(super) prime_1: &'a [u8],
    pub(super) prime_2: &'a [u8],
    pub(super) exponent_1: &'a [u8],
    pub(super) exponent_2: &'a [u8],
    pub(super) coefficient: &'a [u8],
}

const NO_PRIVATE_KEY: &str = "the bytes are not a private key in PKCS#8 of this kind";

/// Takes an RSA private key out of its PKCS#8.
pub(super) fn rsa_private(pkcs8: &[u8]) -> Result<RsaParts<'_>, CryptoError> {
    let failed = || CryptoError::BadParameters(NO_PRIVATE_KEY.to_owned());
    let info = PrivateKeyInfo::try_from(pkcs8).map_err(|_| failed())?;
    if !is_oid(&info.algorithm.oid, RSA) {
        return Err(failed());
    }
    let key = RsaPrivateKey::try_from(info.private_key).map_err(|_| failed())?;
    Ok(RsaParts {
        modulus: key.modulus.as_bytes(),
        public_exponent: key.public_exponent.as_bytes(),
        private_exponent: key.private_exponent.as_bytes(),
        prime_1: key.prime1.as_bytes(),
        prime_2: key.prime2.as_bytes(),
        exponent_1: key.exponent1.as_bytes(),
        exponent_2: key.exponent2.as_bytes(),
        coefficient: key.coefficient.as_bytes(),
    })
}

/// Takes the private scalar of a key on this curve out of its PKCS#8 (RFC 5915 §3).
pub(super) fn ec_private(pkcs8: &[u8], curve: Curve) -> Result<&[u8], CryptoError> {
    let failed = || CryptoError::BadParameters(NO_PRIVATE_KEY.to_owned());
    let info = PrivateKeyInfo::try_from(pkcs8).map_err(|_| failed())?;
    let named = info.algorithm.parameters_oid().map_err(|_| failed())?;
    if !is_oid(&info.algorithm.oid, EC) || !is_oid(&named, curve_parameters(curve)) {
        return Err(failed());
    }
    let mut reader = SliceReader::new(info.private_key).map_err(|_| failed())?;
    let header = reader.decode::<Header>().map_err(|_| failed())?;
    let version = reader.decode::<u8>().map_err(|_| failed())?;
    let scalar = reader
        .decode::<OctetStringRef<'_>>()
        .map_err(|_| failed())?
        .as_bytes();
    let fits =
        scalar.len() <= super::template::curve_bytes(curve) && scalar.iter().any(|byte| *byte != 0);
    if header.tag != Tag::Sequence || version != 1 || !fits {
        Err(failed())
    } else {
        Ok(scalar)
    }
}

fn is_oid(found: &rsa::pkcs8::ObjectIdentifier, wanted: &[u8]) -> bool {
    found.to_der().is_ok_and(|found| found == wanted)
}

/// DigestInfo (RFC 8017 §9.2). `None` for a hash that signs nothing here.
pub(super) fn digest_info(hash: Hash, digest: &[u8]) -> Option<Vec<u8>> {
    const NIST: [u8; 10] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    const SHA1: [u8; 7] = [0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let last = match hash {
        Hash::Md5 => return None,
        Hash::Sha1 => 0,
        Hash::Sha256 => 1,
        Hash::Sha384 => 2,
        Hash::Sha512 => 3,
        Hash::Sha224 => 4,
        Hash::Sha512_224 => 5,
        Hash::Sha512_256 => 6,
        Hash::Sha3_224 => 7,
        Hash::Sha3_256 => 8,
        Hash::Sha3_384 => 9,
        Hash::Sha3_512 => 10,
    };
    let algorithm = if last == 0 {
        tlv(SEQUENCE, &[&SHA1, NULL])
    } else {
        tlv(SEQUENCE, &[&NIST, &[last], NULL])
    };
    Some(tlv(SEQUENCE, &[&algorithm, &tlv(OCTET_STRING, &[digest])]))
}

/// Ecdsa-Sig-Value (RFC 3279 §2.2.3) of the two halves that PKCS#11 puts side by side.
pub(super) fn ecdsa_signature(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.is_empty() || !raw.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = raw.split_at_checked(raw.len() / 2)?;
    Some(tlv(SEQUENCE, &[&integer(r), &integer(s)]))
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// A positive integer from big-endian bytes, in as few bytes as it takes.
fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(bytes.len());
    let bytes = bytes.get(start..).unwrap_or_default();
    let pad: &[u8] = if bytes.first().is_none_or(|byte| *byte >= 0x80) {
        &[0]
    } else {
        &[]
    };
    tlv(INTEGER, &[pad, bytes])
}

/// Tag, length and value.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if let Ok(short @ 0..=0x7f) = u8::try_from(len) {
        out.push(short);
    } else {
        let bytes = len.to_be_bytes();
        let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
        out.extend(
            [0x80]
                .iter()
                .map(|form| form | u8::try_from(significant.len()).unwrap_or(0)),
        );
        out.extend(significant);
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_integers_are_minimal() {
        assert_eq!(integer(&[]), [2, 1, 0]);
        assert_eq!(integer(&[0, 0, 0x7f]), [2, 1, 0x7f]);
        assert_eq!(integer(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(tlv(4, &[&[0; 127]])[..2], [4, 127]);
        assert_eq!(tlv(4, &[&[0; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[&[0; 256]])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn digest_info_of_sha256_is_that_of_rfc_8017() {
        let info = digest_info(Hash::Sha256, &[0xaa; 32]).unwrap();
        assert_eq!(
            hex::encode(&info[..19]),
            "3031300d060960864801650304020105000420"
        );
        assert_eq!(
            hex::encode(&digest_info(Hash::Sha1, &[0; 20]).unwrap()[..15]),
            "3021300906052b0e03021a05000414"
        );
        assert!(digest_info(Hash::Md5, &[0; 16]).is_none());
    }

    #[test]
    fn a_signature_of_odd_length_is_none() {
        assert!(ecdsa_signature(&[1, 2, 3]).is_none());
        assert_eq!(
            ecdsa_signature(&[0, 1, 0, 0xff]).unwrap(),
            [0x30, 7, 2, 1, 1, 2, 2, 0, 0xff]
        );
    }
}
