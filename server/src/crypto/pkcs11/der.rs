//! The DER around what PKCS#11 gives and takes bare: points, signatures and digests.

use der::Decode;
use der::asn1::OctetStringRef;

use crate::crypto::algorithm::{Curve, Hash};
pub(super) use crate::crypto::keyformat::ecdsa_signature;

const NULL: &[u8] = &[0x05, 0x00];

/// The point in CKA_EC_POINT. Modules give it as it is, or in an octet string, as the standard says.
pub(super) fn ec_point(curve: Curve, attribute: &[u8]) -> Option<&[u8]> {
    let is_point = |point: &&[u8]| point.len() == 1 + 2 * curve.coordinate_len() && point.first() == Some(&4);
    Some(attribute)
        .filter(is_point)
        .or_else(|| <&OctetStringRef>::from_der(attribute).ok().map(OctetStringRef::as_bytes).filter(is_point))
}

/// DigestInfo (RFC 8017 §9.2). `None` for a hash that signs nothing here.
pub(super) fn digest_info(hash: Hash, digest: &[u8]) -> Option<Vec<u8>> {
    const NIST: [u8; 10] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
    const SHA1: [u8; 7] = [0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a];
    let last = match hash {
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => return None,
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
    let algorithm = if last == 0 { tlv(SEQUENCE, &[&SHA1, NULL]) } else { tlv(SEQUENCE, &[&NIST, &[last], NULL]) };
    Some(tlv(SEQUENCE, &[&algorithm, &tlv(OCTET_STRING, &[digest])]))
}

const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Tag, length and value.
fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = vec![tag];
    if let Ok(short @ 0..=0x7f) = u8::try_from(len) {
        out.push(short);
    } else {
        let bytes = len.to_be_bytes();
        let significant: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
        out.extend([0x80].iter().map(|form| form | u8::try_from(significant.len()).unwrap_or(0)));
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
        assert_eq!(tlv(4, &[&[0; 127]])[..2], [4, 127]);
        assert_eq!(tlv(4, &[&[0; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(tlv(4, &[&[0; 256]])[..4], [4, 0x82, 1, 0]);
    }

    #[test]
    fn digest_info_of_sha256_is_that_of_rfc_8017() {
        let info = digest_info(Hash::Sha256, &[0xaa; 32]).unwrap();
        assert_eq!(hex::encode(&info[..19]), "3031300d060960864801650304020105000420");
        assert_eq!(hex::encode(&digest_info(Hash::Sha1, &[0; 20]).unwrap()[..15]), "3021300906052b0e03021a05000414");
        assert!(digest_info(Hash::Md5, &[0; 16]).is_none());
    }

    #[test]
    fn a_signature_of_odd_length_is_none() {
        assert!(ecdsa_signature(&[1, 2, 3]).is_none());
        assert_eq!(ecdsa_signature(&[0, 1, 0, 0xff]).unwrap(), [0x30, 7, 2, 1, 1, 2, 2, 0, 0xff]);
    }
}
