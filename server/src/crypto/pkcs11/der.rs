//! The DER around what PKCS#11 gives and takes bare: points, signatures and digests.

use der::Decode;
use der::asn1::OctetStringRef;

use crate::crypto::algorithm::{Curve, Edwards, Hash};
pub(super) use crate::crypto::keyformat::ecdsa_signature;
use crate::crypto::public;

/// The point in CKA_EC_POINT. Modules give it as it is, or in an octet string, as the standard says.
pub(super) fn ec_point(curve: Curve, attribute: &[u8]) -> Option<&[u8]> {
    let is_point = |point: &&[u8]| point.len() == 1 + 2 * curve.coordinate_len() && point.first() == Some(&4);
    Some(attribute)
        .filter(is_point)
        .or_else(|| <&OctetStringRef>::from_der(attribute).ok().map(OctetStringRef::as_bytes).filter(is_point))
}

/// The same of a curve of RFC 8410, whose public keys are bytes.
pub(super) fn edwards_point(curve: Edwards, attribute: &[u8]) -> Option<&[u8]> {
    let is_point = |point: &&[u8]| point.len() == curve.len();
    Some(attribute)
        .filter(is_point)
        .or_else(|| <&OctetStringRef>::from_der(attribute).ok().map(OctetStringRef::as_bytes).filter(is_point))
}

/// DigestInfo (RFC 8017 §9.2). `None` for a hash that signs nothing here.
pub(super) fn digest_info(hash: Hash, digest: &[u8]) -> Option<Vec<u8>> {
    Some([&*public::digest_info(hash)?, digest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

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
