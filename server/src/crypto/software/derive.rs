//! Key derivation: PBKDF2 and ECDH by AWS-LC; what is made of HMACs alone (SP 800-108, RFC 5869, AWS Signature
//! Version 4) by the HMAC of this provider.

use std::num::NonZeroU32;

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::pbkdf2;
use zeroize::Zeroizing;

use super::edwards::EdwardsKey;
use super::mac::hmac;
use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Curve, Derivation, Hash, Iteration, KeyKind};
use crate::crypto::ec::EcKey;
use crate::crypto::keyformat::{self, EcPrivateParts, EcPublicParts};
use crate::crypto::public::hash;
use crate::crypto::stream::Hmac;
use crate::secret::Secret;

/// The most HMACs that one PBKDF2 computes: some seconds of work.
const MOST_ITERATIONS: u64 = 10_000_000;
/// The same with a hash function for which AWS-LC has no PBKDF2.
const MOST_SLOW_ITERATIONS: u64 = 2_000_000;

/// Derives `len` bytes. The key is raw, or PKCS#8 for [`Derivation::Ecdh`].
pub(super) fn derive(kind: KeyKind, bytes: &Secret, how: &Derivation<'_>, len: usize) -> Result<Secret, CryptoError> {
    let key = bytes.expose();
    if kind.is_pair() != matches!(how, Derivation::Ecdh { .. }) {
        return Err(CryptoError::BadParameters(format!("this derivation does not go with a key that is {kind:?}")));
    }
    match *how {
        Derivation::Hash(algorithm) if algorithm.is_for_digests_alone() => {
            Err(CryptoError::Unsupported(format!("deriving keys with {algorithm:?}")))
        }
        Derivation::Hash(algorithm) => leftmost(&Zeroizing::new(hash(algorithm, key)), len),
        Derivation::Hmac { hash, data } => leftmost(&Zeroizing::new(hmac(key, hash, data)?), len),
        Derivation::Encrypt { .. } | Derivation::Decapsulate { .. } => Err(CryptoError::Failed("the cipher failed")),
        Derivation::Pbkdf2 { hash, salt, iterations } => pbkdf2(key, hash, salt, iterations, len),
        Derivation::Nist800108 { mode, hash, data } => nist_800_108(key, mode, hash, data, len),
        Derivation::Hkdf { hash, salt, info } => hkdf(key, hash, salt, info, len),
        Derivation::AwsSignature4 { scope } => {
            let mut signing = Zeroizing::new([b"AWS4", key].concat());
            for part in scope.into_iter().chain([b"aws4_request".as_slice()]) {
                signing = Zeroizing::new(hmac(&signing, Hash::Sha256, part)?);
            }
            leftmost(&signing, len)
        }
        Derivation::Ecdh { peer } => leftmost(shared_secret(bytes, peer)?.expose(), len),
    }
}

/// The first `len` bytes of what came out.
pub(super) fn leftmost(out: &[u8], len: usize) -> Result<Secret, CryptoError> {
    out.get(..len).map(Secret::copy_of).ok_or(TOO_LONG)
}

const TOO_LONG: CryptoError = CryptoError::Failed("the length exceeds the output of the derivation method");

fn pbkdf2(password: &[u8], hash: Hash, salt: &[u8], iterations: NonZeroU32, len: usize) -> Result<Secret, CryptoError> {
    let algorithm = match hash {
        Hash::Sha1 => Some(pbkdf2::PBKDF2_HMAC_SHA1),
        Hash::Sha256 => Some(pbkdf2::PBKDF2_HMAC_SHA256),
        Hash::Sha384 => Some(pbkdf2::PBKDF2_HMAC_SHA384),
        Hash::Sha512 => Some(pbkdf2::PBKDF2_HMAC_SHA512),
        // Whatever else has an HMAC.
        _ => hmac(&[], hash, &[]).map(|_| None)?,
    };
    let most = if algorithm.is_some() { MOST_ITERATIONS } else { MOST_SLOW_ITERATIONS };
    let blocks = len.div_ceil(hash.len()) as u64;
    if blocks.saturating_mul(iterations.get().into()) > most {
        return Err(CryptoError::BadParameters(format!("more than {most} iterations of PBKDF2")));
    }
    let mut out = Zeroizing::new(vec![0; len]);
    match algorithm {
        Some(algorithm) => pbkdf2::derive(algorithm, iterations, salt, password, &mut out),
        None => iterate(&Hmac::begin(hash, password), salt, iterations, &mut out),
    }
    Ok(Secret::new(std::mem::take(&mut *out)))
}

/// RFC 8018 §5.2, with the HMAC of the password before any data.
fn iterate(keyed: &Hmac, salt: &[u8], iterations: NonZeroU32, out: &mut [u8]) {
    let code = |data: &[u8]| {
        let mut hmac = keyed.clone();
        hmac.update(data);
        Zeroizing::new(hmac.finish())
    };
    let hash_len = code(&[]).len();
    for (block, number) in out.chunks_mut(hash_len).zip(1_u32..) {
        let mut step = code(&[salt, &number.to_be_bytes()].concat());
        let mut sum = step.clone();
        for _ in 1..iterations.get() {
            step = code(&step);
            sum.iter_mut().zip(step.iter()).for_each(|(sum, step)| *sum ^= step);
        }
        block.iter_mut().zip(sum.iter()).for_each(|(to, from)| *to = *from);
    }
}

/// The key derivation functions of SP 800-108, with their names.
fn nist_800_108(key: &[u8], mode: Iteration<'_>, hash: Hash, data: &[u8], len: usize) -> Result<Secret, CryptoError> {
    let bits = u32::try_from(len).ok().and_then(|len| len.checked_mul(8)).ok_or(TOO_LONG)?;
    let fixed = [data, &bits.to_be_bytes()].concat();
    let mut out = Zeroizing::new(Vec::with_capacity(len.saturating_add(hash.len())));
    let mut a = Zeroizing::new(match mode {
        Iteration::Counter => Vec::new(),
        Iteration::Feedback(iv) => iv.to_vec(),
        Iteration::DoublePipeline => fixed.clone(),
    });
    let mut counter = 0_u32;
    while out.len() < len {
        counter = counter.checked_add(1).ok_or(TOO_LONG)?;
        if mode == Iteration::DoublePipeline {
            a = Zeroizing::new(hmac(key, hash, &a)?);
        }
        let input = Zeroizing::new([&a, &counter.to_be_bytes()[..], &fixed].concat());
        let block = Zeroizing::new(hmac(key, hash, &input)?);
        out.extend_from_slice(&block);
        if matches!(mode, Iteration::Feedback(_)) {
            a = block;
        }
    }
    leftmost(&out, len)
}

fn hkdf(key: &[u8], hash: Hash, salt: &[u8], info: &[u8], len: usize) -> Result<Secret, CryptoError> {
    // An empty salt is as good as the zeros that RFC 5869 §2.2 puts in its place: HMAC fills its key with zeros.
    let extracted = Zeroizing::new(hmac(salt, hash, key)?);
    let mut out = Zeroizing::new(Vec::with_capacity(len.saturating_add(hash.len())));
    let mut block = Zeroizing::new(Vec::new());
    let mut counter = 0_u8;
    while out.len() < len {
        counter = counter.checked_add(1).ok_or(TOO_LONG)?;
        let input = Zeroizing::new([&block, info, &[counter]].concat());
        block = Zeroizing::new(hmac(&extracted, hash, &input)?);
        out.extend_from_slice(&block);
    }
    leftmost(&out, len)
}

fn shared_secret(pkcs8: &Secret, peer: &[u8]) -> Result<Secret, CryptoError> {
    if let KeyKind::Edwards { .. } = keyformat::identify_private(pkcs8.expose())? {
        return EdwardsKey::new(pkcs8)?.agree(peer);
    }
    let own = EcPrivateParts::from_pkcs8(pkcs8.expose())?;
    let other = match keyformat::identify_public(peer)? {
        KeyKind::Ec { .. } => EcPublicParts::from_spki(peer)?,
        kind => return Err(CryptoError::BadParameters(format!("no key agreement with a public key that is {kind:?}"))),
    };
    if own.curve != other.curve {
        return Err(CryptoError::BadParameters("the two keys are on different curves".into()));
    }
    let algorithm = match own.curve {
        Curve::P256 => &agreement::ECDH_P256,
        Curve::P384 => &agreement::ECDH_P384,
        Curve::P521 => &agreement::ECDH_P521,
        Curve::P224 | Curve::Secp256k1 => return EcKey::new(pkcs8)?.agree(peer),
    };
    let private = PrivateKey::from_private_key(algorithm, own.d.expose())
        .map_err(|_| CryptoError::BadParameters("the private key is not of its curve".into()))?;
    let public = UnparsedPublicKey::new(algorithm, &other.point);
    let failed = CryptoError::BadParameters("the public key is not a point of its curve".into());
    agreement::agree(&private, public, failed, |secret| Ok(Secret::copy_of(secret)))
}
