//! RSA signatures, verified (RFC 8017 §8.1.2, §8.2.2): aws-lc-rs for the common hashes and lengths, and for all others
//! the public operation followed by the comparison or the check that the standard describes.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, VerificationAlgorithm};
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};

use super::{aws_digest, hash};
use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Hash, Signature};
use crate::crypto::keyformat::RsaPublicParts;

/// The longest modulus in bits that is worked with: beyond, one request costs too much.
const MAX_BITS: usize = 16384;

/// Verifies a signature of a digest that has the length of the scheme's hash.
pub(super) fn verify(
    spki: &[u8],
    bits: u32,
    scheme: Signature,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    if let (Some(algorithm), Some(hash)) = (native(scheme), scheme.hash())
        && (2048..=8192).contains(&bits)
    {
        return verify_native(spki, algorithm, hash, digest, signature);
    }
    let Some(encoded) = public_operation(spki, signature)? else {
        return Ok(false);
    };
    Ok(match scheme {
        Signature::RsaPkcs1(hash) => digest_info(hash)
            .and_then(|info| encode_pkcs1(&info, digest, encoded.len()))
            .is_some_and(|it| it == encoded),
        Signature::RsaPkcs1Bare => encode_pkcs1(&[], digest, encoded.len()).is_some_and(|it| it == encoded),
        Signature::RsaPss { hash, mgf, salt } => verify_pss(&encoded, bits, hash, mgf, salt, digest).unwrap_or(false),
        Signature::Ecdsa(_) | Signature::EcdsaBare | Signature::MlDsa | Signature::SlhDsa | Signature::Eddsa => false,
    })
}

fn native(scheme: Signature) -> Option<&'static RsaParameters> {
    Some(match scheme {
        Signature::RsaPkcs1(Hash::Sha1) => &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        Signature::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        Signature::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        Signature::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        Signature::RsaPss { hash, mgf, salt } if hash == mgf && salt == hash.len() => match hash {
            Hash::Sha256 => &signature::RSA_PSS_2048_8192_SHA256,
            Hash::Sha384 => &signature::RSA_PSS_2048_8192_SHA384,
            Hash::Sha512 => &signature::RSA_PSS_2048_8192_SHA512,
            _ => return None,
        },
        _ => return None,
    })
}

fn verify_native(
    spki: &[u8],
    algorithm: &'static dyn VerificationAlgorithm,
    hash: Hash,
    digest: &[u8],
    signature: &[u8],
) -> Result<bool, CryptoError> {
    let key = ParsedPublicKey::new(algorithm, spki)
        .map_err(|_| CryptoError::BadParameters("the RSA public key cannot be used".into()))?;
    let digest = aws_digest(hash)
        .and_then(|algorithm| Digest::import_less_safe(digest, algorithm).ok())
        .ok_or(CryptoError::Failed("the digest does not have the length of the hash"))?;
    Ok(key.verify_digest_sig(&digest, signature).is_ok())
}

/// RSAVP1 (RFC 8017 §5.2.2): the encoded message, as long as the modulus; `None` if the signature is out of range.
fn public_operation(spki: &[u8], signature: &[u8]) -> Result<Option<Vec<u8>>, CryptoError> {
    let parts = RsaPublicParts::from_spki(spki)?;
    let modulus = BigUint::from_bytes_be(&parts.modulus);
    let exponent = BigUint::from_bytes_be(&parts.exponent);
    let key = RsaPublicKey::new_with_max_size(modulus, exponent, MAX_BITS)
        .map_err(|_| CryptoError::BadParameters("the RSA public key cannot be used".into()))?;
    let value = BigUint::from_bytes_be(signature);
    if signature.len() != key.size() || value >= *key.n() {
        return Ok(None);
    }
    let bytes = value.modpow(key.e(), key.n()).to_bytes_be();
    let mut encoded = vec![0; key.size().saturating_sub(bytes.len())];
    encoded.extend_from_slice(&bytes);
    Ok(Some(encoded))
}

/// What a signature of PKCS #1 v1.5 was made of, whatever that is; `None` if it is none.
///
/// # Errors
/// A public key that cannot be used.
pub fn recover(spki: &[u8], signature: &[u8]) -> Result<Option<Vec<u8>>, CryptoError> {
    let Some(encoded) = public_operation(spki, signature)? else { return Ok(None) };
    let data = encoded.strip_prefix(&[0, 1]).and_then(|rest| {
        let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
        let (_, rest) = rest.split_at_checked(fill).filter(|_| fill >= 8)?;
        rest.strip_prefix(&[0])
    });
    Ok(data.map(<[u8]>::to_vec))
}

/// EMSA-PKCS1-v1_5 (RFC 8017 §9.2) of a digest and what stands before it, `len` bytes long; `None` if it does not fit.
fn encode_pkcs1(info: &[u8], digest: &[u8], len: usize) -> Option<Vec<u8>> {
    let fill = len.checked_sub(3 + info.len() + digest.len()).filter(|fill| *fill >= 8)?;
    let mut encoded = Vec::with_capacity(len);
    encoded.extend_from_slice(&[0, 1]);
    encoded.resize(2 + fill, 0xff);
    encoded.push(0);
    encoded.extend_from_slice(info);
    encoded.extend_from_slice(digest);
    Some(encoded)
}

/// All of the DER DigestInfo that stands before the digest (RFC 8017 §9.2 note 1). NIST's hashes differ in the last
/// arc of 2.16.840.1.101.3.4.2 and in the length alone.
pub(in crate::crypto) fn digest_info(hash: Hash) -> Option<Vec<u8>> {
    let arc = match hash {
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => return None,
        Hash::Sha1 => {
            return Some(vec![0x30, 33, 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0, 4, 20]);
        }
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
    let len = u8::try_from(hash.len()).ok()?;
    Some(vec![0x30, 17 + len, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc, 5, 0, 4, len])
}

/// EMSA-PSS-VERIFY (RFC 8017 §9.1.2) with a salt of exactly the given length; `None` if the lengths do not fit.
fn verify_pss(encoded: &[u8], bits: u32, hash_: Hash, mgf: Hash, salt: usize, digest: &[u8]) -> Option<bool> {
    let em_bits = bits.checked_sub(1)? as usize;
    let em_len = em_bits.div_ceil(8);
    // Where the modulus has a byte more than the encoded message, that byte must be zero.
    let (lead, em) = encoded.split_at_checked(encoded.len().checked_sub(em_len)?)?;
    let (em, trailer) = em.split_at_checked(em_len.checked_sub(1)?)?;
    let (masked, h) = em.split_at_checked(em.len().checked_sub(hash_.len())?)?;
    let clear = 8 * em_len - em_bits;
    let keep = 0xff_u8.checked_shr(u32::try_from(clear).ok()?).unwrap_or(0);
    let mut db: Vec<u8> = masked.iter().zip(mgf1(mgf, h, masked.len())).map(|(a, b)| a ^ b).collect();
    let first = db.first_mut()?;
    let unused_clear = masked.first()? & !keep == 0;
    *first &= keep;
    let (padding, salt) = db.split_at_checked(db.len().checked_sub(salt)?)?;
    let (one, zeros) = padding.split_last()?;

    let mut message = vec![0; 8];
    message.extend_from_slice(digest);
    message.extend_from_slice(salt);
    Some(
        lead.iter().all(|byte| *byte == 0)
            && trailer == [0xbc]
            && unused_clear
            && *one == 1
            && zeros.iter().all(|byte| *byte == 0)
            && hash(hash_, &message) == h,
    )
}

/// MGF1 (RFC 8017 §B.2.1).
fn mgf1(hash_: Hash, seed: &[u8], len: usize) -> Vec<u8> {
    let mut mask = Vec::with_capacity(len + hash_.len());
    let mut counter = 0_u32;
    while mask.len() < len {
        mask.extend(hash(hash_, &[seed, &counter.to_be_bytes()].concat()));
        counter += 1;
    }
    mask.truncate(len);
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: [u8; 32] = [5; 32];

    /// EMSA-PSS-ENCODE (RFC 8017 §9.1.1), into as many bytes as the modulus has.
    fn encode_pss(bits: usize, salt: &[u8]) -> Vec<u8> {
        let len = (bits - 1).div_ceil(8);
        let h = hash(Hash::Sha256, &[&[0; 8], &DIGEST[..], salt].concat());
        let mut db = vec![0; len - h.len() - salt.len() - 2];
        db.push(1);
        db.extend_from_slice(salt);
        let mask = mgf1(Hash::Sha256, &h, db.len());
        db.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        db[0] &= 0xff >> (8 * len - (bits - 1));
        let lead = vec![0; bits.div_ceil(8) - len];
        [lead, db, h, vec![0xbc]].concat()
    }

    fn verify(bits: usize, encoded: &[u8]) -> bool {
        verify_pss(encoded, bits as u32, Hash::Sha256, Hash::Sha256, 20, &DIGEST).unwrap_or(false)
    }

    /// Whoever can choose the encoded message (small exponents) must not get through with one that is nearly right.
    #[test]
    fn each_bit_of_the_pss_encoding_counts() {
        for bits in [1024, 1025, 1031] {
            let good = encode_pss(bits, &[7; 20]);
            assert!(verify(bits, &good), "{bits} bits");
            for at in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[at / 8] ^= 0x80 >> (at % 8);
                assert!(!verify(bits, &bad), "bit {at} of {bits}");
            }
            for salt in [&[7; 19][..], &[7; 21], &[]] {
                assert!(!verify(bits, &encode_pss(bits, salt)));
            }
            assert!(!verify(bits, &good[..40]) && !verify(bits, &[]));
        }
    }
}
