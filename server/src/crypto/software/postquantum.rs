//! ML-KEM (FIPS 203) and ML-DSA (FIPS 204), by aws-lc-rs; what SLH-DSA does is in `slhdsa`.

use aws_lc_rs::encoding::AsRawBytes;
use aws_lc_rs::kem::{self, Ciphertext, DecapsulationKey, EncapsulationKey};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{self, KeyPair, PqdsaKeyPair, PqdsaSigningAlgorithm};
use zeroize::Zeroizing;

use super::slhdsa;
use crate::crypto::algorithm::{Family, Hash, ParameterSet};
use crate::crypto::keyformat::{self, PostQuantumPrivateParts};
use crate::crypto::{CryptoError, public, seed};
use crate::secret::{self, Secret};

/// A private key that has been opened and checked.
pub(super) struct Opened {
    set: ParameterSet,
    public: Vec<u8>,
    key: Form,
}

enum Form {
    Kem(DecapsulationKey),
    Dsa(PqdsaKeyPair),
    Slh(Secret),
}

impl Opened {
    /// Opens a PKCS#8 private key. A seed decides; an expanded key beside it must be what comes of it (RFC 9881 §8, RFC 9935
    /// §8). An expanded key of ML-KEM alone must work together with the public key that it holds. One of SLH-DSA shows when it
    /// signs whether its halves belong together: to make the public half again costs as much as to make the key.
    pub(super) fn new(pkcs8: &Secret) -> Result<Self, CryptoError> {
        let parts = PostQuantumPrivateParts::from_pkcs8(pkcs8.expose())?;
        let set = parts.set;
        if set.family() == Family::SlhDsa {
            let key = parts.expanded.ok_or_else(rejected)?;
            return Ok(Self { set, public: slhdsa::public_half(set, key.expose())?.to_vec(), key: Form::Slh(key) });
        }
        if set.is_kem() {
            let expanded = expanded(&parts)?;
            let public = kem_public(set, expanded.expose()).ok_or_else(rejected)?.to_vec();
            let key = DecapsulationKey::new(kem(set)?, expanded.expose()).map_err(|_| rejected())?;
            if parts.seed.is_none() {
                check_hash(set, expanded.expose(), &public)?;
                check_pair(set, &key, &public)?;
            }
            return Ok(Self { set, public, key: Form::Kem(key) });
        }
        let pair = dsa_pair(&parts)?;
        if let (Some(_), Some(given)) = (&parts.seed, &parts.expanded) {
            same(given.expose(), dsa_expanded(&pair)?.expose())?;
        }
        Ok(Self { set, public: pair.public_key().as_ref().to_vec(), key: Form::Dsa(pair) })
    }

    pub(super) const fn set(&self) -> ParameterSet {
        self.set
    }

    /// The public half as SubjectPublicKeyInfo DER.
    pub(super) fn public(&self) -> Result<Vec<u8>, CryptoError> {
        Ok(keyformat::post_quantum_spki(self.set, &self.public)?)
    }

    /// Signs the data with ML-DSA or SLH-DSA, hedged, with an empty context (FIPS 204 §5.2, FIPS 205 §10.2.1).
    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let pair = match &self.key {
            Form::Dsa(pair) => pair,
            Form::Slh(key) => return slhdsa::sign(self.set, key, data),
            Form::Kem(_) => return Err(not_for_this()),
        };
        let mut signature = vec![0; self.set.output_len()];
        let len = pair.sign(data, &mut signature).map_err(|_| failed())?;
        signature.truncate(len);
        Ok(signature)
    }

    /// The shared secret of a ciphertext (FIPS 203 §7.3). One that was changed gives another secret, and no error.
    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret, CryptoError> {
        let Form::Kem(key) = &self.key else { return Err(not_for_this()) };
        if ciphertext.len() != self.set.output_len() {
            return Err(CryptoError::Failed("the ciphertext does not have the length of the parameter set"));
        }
        let secret = key.decapsulate(Ciphertext::from(ciphertext)).map_err(|_| failed())?;
        Ok(Secret::copy_of(secret.as_ref()))
    }
}

/// Makes a key pair: PKCS#8, with the seed alone where there is one, and SubjectPublicKeyInfo.
pub(super) fn generate(set: ParameterSet) -> Result<(Secret, Vec<u8>), CryptoError> {
    let private = match set.seed_len() {
        Some(len) => {
            let mut seed = Zeroizing::new(vec![0; len]);
            rand::fill(&mut seed).map_err(|_| CryptoError::Unavailable("the random generator failed".into()))?;
            PostQuantumPrivateParts::from_raw(set, &seed)?
        }
        None => PostQuantumPrivateParts::from_raw(set, slhdsa::generate(set)?.expose())?,
    };
    let pkcs8 = private.to_pkcs8()?;
    let public = Opened::new(&pkcs8)?.public()?;
    Ok((pkcs8, public))
}

/// The private key of a PKCS#8 private key as FIPS 203, FIPS 204 and FIPS 205 write it: of the first two the expanded one.
///
/// # Errors
/// A key that is malformed, or whose parts do not belong together.
pub fn expanded_key(pkcs8: &Secret) -> Result<Secret, CryptoError> {
    let parts = PostQuantumPrivateParts::from_pkcs8(pkcs8.expose())?;
    match parts.set.family() {
        Family::MlKem => expanded(&parts),
        Family::MlDsa => dsa_expanded(&dsa_pair(&parts)?),
        Family::SlhDsa => parts.expanded.ok_or_else(rejected),
    }
}

/// Encapsulates to a public key of ML-KEM given as SubjectPublicKeyInfo DER: the ciphertext and the shared secret (FIPS 203
/// §7.2).
///
/// # Errors
/// Bad Parameters for what is no such key.
pub fn encapsulate(spki: &[u8]) -> Result<(Vec<u8>, Secret), CryptoError> {
    let (set, raw) = keyformat::post_quantum_public(spki)?;
    encapsulate_to(set, &raw)
}

/// Whether a key of ML-DSA or SLH-DSA, given as SubjectPublicKeyInfo DER, signed the data. A signature of the wrong length does not
/// verify.
///
/// # Errors
/// Bad Parameters for what is no such key.
pub fn verify(spki: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let (set, raw) = keyformat::post_quantum_public(spki)?;
    let algorithm = match set {
        ParameterSet::MlDsa44 => &signature::ML_DSA_44,
        ParameterSet::MlDsa65 => &signature::ML_DSA_65,
        ParameterSet::MlDsa87 => &signature::ML_DSA_87,
        _ if set.family() == Family::SlhDsa => return slhdsa::verify(set, &raw, data, signature),
        _ => return Err(not_for_this()),
    };
    if signature.len() != set.output_len() {
        return Ok(false);
    }
    Ok(signature::UnparsedPublicKey::new(algorithm, raw).verify(data, signature).is_ok())
}

fn encapsulate_to(set: ParameterSet, raw: &[u8]) -> Result<(Vec<u8>, Secret), CryptoError> {
    let key = EncapsulationKey::new(kem(set)?, raw);
    let made = key.ok().and_then(|key| key.encapsulate().ok());
    let (ciphertext, secret) =
        made.ok_or_else(|| CryptoError::BadParameters("the public key is none of its parameter set".into()))?;
    Ok((ciphertext.as_ref().to_vec(), Secret::copy_of(secret.as_ref())))
}

/// The expanded key of ML-KEM: made of the seed where there is one.
fn expanded(parts: &PostQuantumPrivateParts) -> Result<Secret, CryptoError> {
    let Some(seed) = &parts.seed else { return parts.expanded.clone().ok_or_else(rejected) };
    let alone = PostQuantumPrivateParts::from_raw(parts.set, seed.expose())?;
    let made = seed::expand(&alone.to_pkcs8()?, parts.set.expanded_len())?;
    if let Some(given) = &parts.expanded {
        same(given.expose(), made.expose())?;
    }
    Ok(made)
}

fn dsa_pair(parts: &PostQuantumPrivateParts) -> Result<PqdsaKeyPair, CryptoError> {
    let algorithm = dsa(parts.set)?;
    let pair = match (&parts.seed, &parts.expanded) {
        (Some(seed), _) => PqdsaKeyPair::from_seed(algorithm, seed.expose()),
        (None, Some(expanded)) => PqdsaKeyPair::from_raw_private_key(algorithm, expanded.expose()),
        (None, None) => return Err(rejected()),
    };
    pair.map_err(|_| rejected())
}

fn dsa_expanded(pair: &PqdsaKeyPair) -> Result<Secret, CryptoError> {
    Ok(Secret::copy_of(pair.private_key().as_raw_bytes().map_err(|_| failed())?.as_ref()))
}

/// The public key within an expanded one: dk = dk_PKE ‖ ek ‖ H(ek) ‖ z (FIPS 203 §7.1, algorithm 16).
fn kem_public(set: ParameterSet, expanded: &[u8]) -> Option<&[u8]> {
    let end = expanded.len().checked_sub(64)?;
    expanded.get(end.checked_sub(set.public_len())?..end)
}

/// FIPS 203 §7.3: the hash of the public key must be that which the private one holds.
fn check_hash(set: ParameterSet, expanded: &[u8], public: &[u8]) -> Result<(), CryptoError> {
    let start = set.expanded_len().saturating_sub(64);
    let held = expanded.get(start..start.saturating_add(32)).ok_or_else(rejected)?;
    same(held, &public::hash(Hash::Sha3_256, public))
}

/// The two halves work together: what one encapsulates the other decapsulates.
fn check_pair(set: ParameterSet, key: &DecapsulationKey, public: &[u8]) -> Result<(), CryptoError> {
    let (ciphertext, secret) = encapsulate_to(set, public).map_err(|_| rejected())?;
    let back = key.decapsulate(Ciphertext::from(&*ciphertext)).map_err(|_| rejected())?;
    same(secret.expose(), back.as_ref())
}

fn same(one: &[u8], other: &[u8]) -> Result<(), CryptoError> {
    if secret::equal(one, other) { Ok(()) } else { Err(rejected()) }
}

fn kem(set: ParameterSet) -> Result<&'static kem::Algorithm, CryptoError> {
    match set {
        ParameterSet::MlKem512 => Ok(&kem::ML_KEM_512),
        ParameterSet::MlKem768 => Ok(&kem::ML_KEM_768),
        ParameterSet::MlKem1024 => Ok(&kem::ML_KEM_1024),
        _ => Err(not_for_this()),
    }
}

fn dsa(set: ParameterSet) -> Result<&'static PqdsaSigningAlgorithm, CryptoError> {
    match set {
        ParameterSet::MlDsa44 => Ok(&signature::ML_DSA_44_SIGNING),
        ParameterSet::MlDsa65 => Ok(&signature::ML_DSA_65_SIGNING),
        ParameterSet::MlDsa87 => Ok(&signature::ML_DSA_87_SIGNING),
        _ => Err(not_for_this()),
    }
}

fn rejected() -> CryptoError {
    CryptoError::BadParameters("the parts of the private key do not belong together".into())
}

fn not_for_this() -> CryptoError {
    CryptoError::BadParameters("the parameter set of the key is not for this".into())
}

fn failed() -> CryptoError {
    CryptoError::Failed("the key operation failed")
}
