//! HPKE (RFC 9180) in its base mode, with one message to a key: ML-KEM encapsulates, HKDF with SHA-512 derives, AES-256-GCM
//! encrypts. What comes of it is the encapsulated key, the ciphertext and its tag, one behind the other.
//!
//! The identifiers of ML-KEM are those of the registry that RFC 9180 §7.1 opens; its shared secret is used as it is.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::algorithm::ParameterSet;
use super::{CryptoError, UNDECRYPTABLE, software};
use crate::secret::Secret;

/// HKDF-SHA512 (§7.2).
const KDF: u16 = 3;
/// AES-256-GCM (§7.3), with a key of 32 bytes, a nonce of 12 and a tag of 16.
const AEAD: u16 = 2;
const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;
/// The base mode (§5, table 1).
const BASE: u8 = 0;

/// Encrypts to a public key of ML-KEM given as SubjectPublicKeyInfo DER (§6.1, SealBase), without info.
///
/// # Errors
/// Bad Parameters for a key that is none of its parameter set.
pub fn seal(set: ParameterSet, spki: &[u8], aad: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let (mut out, secret) = software::encapsulate(spki)?;
    let sealed = Schedule::new(identifier(set)?, secret.expose(), &[]).seal(aad, data)?;
    out.extend_from_slice(&sealed);
    Ok(out)
}

/// Decrypts (§6.1, OpenBase). `extract` is given the encapsulated key and a text, and answers [`extract`] of its shared secret
/// with it: who keeps the shared secret need not show it.
///
/// # Errors
/// Failed, and never why; or that the module of the key lacks something or does not answer.
pub(super) fn open(
    set: ParameterSet,
    aad: &[u8],
    sealed: &[u8],
    extract: impl FnOnce(&[u8], &[u8]) -> Result<Secret, CryptoError>,
) -> Result<Secret, CryptoError> {
    let (encapsulated, ciphertext) = sealed.split_at_checked(set.output_len()).ok_or(UNDECRYPTABLE)?;
    let suite = Suite(identifier(set)?);
    let secret = extract(encapsulated, &suite.labelled(b"secret")).map_err(|error| match error {
        CryptoError::Unavailable(_) | CryptoError::Unsupported(_) => error,
        _ => UNDECRYPTABLE,
    })?;
    Schedule::of(&suite, secret.expose(), &[]).open(aad, ciphertext)
}

/// The pseudorandom key of a shared secret (RFC 5869 §2.2, where it stands for the salt).
pub(super) fn extract(shared_secret: &Secret, text: &[u8]) -> Secret {
    Secret::copy_of(authenticate(shared_secret.expose(), &[text]).as_ref())
}

fn identifier(set: ParameterSet) -> Result<u16, CryptoError> {
    match set {
        ParameterSet::MlKem512 => Ok(0x0040),
        ParameterSet::MlKem768 => Ok(0x0041),
        ParameterSet::MlKem1024 => Ok(0x0042),
        _ => Err(CryptoError::BadParameters("the parameter set of the key is not for this".into())),
    }
}

/// What the shared secret becomes (§5.1): a key, and the nonce of its only message.
struct Schedule {
    key: Zeroizing<[u8; KEY]>,
    nonce: [u8; NONCE],
}

impl Schedule {
    fn new(kem: u16, shared_secret: &[u8], info: &[u8]) -> Self {
        let suite = Suite(kem);
        let secret = suite.extract(shared_secret, b"secret", &[]);
        Self::of(&suite, secret.as_ref(), info)
    }

    fn of(suite: &Suite, secret: &[u8], info: &[u8]) -> Self {
        let none = suite.extract(&[], b"psk_id_hash", &[]);
        let info = suite.extract(&[], b"info_hash", info);
        let context = [&[BASE][..], none.as_ref(), info.as_ref()].concat();
        let mut schedule = Self { key: Zeroizing::new([0; KEY]), nonce: [0; NONCE] };
        suite.expand(secret, b"key", &context, &mut *schedule.key);
        suite.expand(secret, b"base_nonce", &context, &mut schedule.nonce);
        schedule
    }

    fn cipher(&self) -> Result<(LessSafeKey, Nonce), CryptoError> {
        let key = UnboundKey::new(&AES_256_GCM, &*self.key).map_err(|_| UNDECRYPTABLE)?;
        Ok((LessSafeKey::new(key), Nonce::assume_unique_for_key(self.nonce)))
    }

    fn seal(&self, aad: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let (key, nonce) = self.cipher()?;
        let mut out = Vec::with_capacity(data.len().saturating_add(TAG));
        out.extend_from_slice(data);
        let sealed = key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut out);
        sealed.map_err(|_| CryptoError::Failed("data too long for GCM"))?;
        Ok(out)
    }

    fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Secret, CryptoError> {
        let (key, nonce) = self.cipher()?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let data = key.open_in_place(nonce, Aad::from(aad), &mut buffer).map_err(|_| UNDECRYPTABLE)?;
        Ok(Secret::copy_of(data))
    }
}

/// What every label is bound to, by the identifier of the KEM (§5.1).
struct Suite(u16);

impl Suite {
    fn prefix(&self) -> Vec<u8> {
        let Self(kem) = self;
        [&b"HPKE-v1HPKE"[..], &kem.to_be_bytes(), &KDF.to_be_bytes(), &AEAD.to_be_bytes()].concat()
    }

    /// What LabeledExtract of nothing authenticates (§4).
    fn labelled(&self, label: &[u8]) -> Vec<u8> {
        [&self.prefix(), label].concat()
    }

    /// LabeledExtract (§4).
    fn extract(&self, salt: &[u8], label: &[u8], key: &[u8]) -> hmac::Tag {
        authenticate(salt, &[&self.prefix(), label, key])
    }

    /// LabeledExpand (§4) of no more than the hash function gives at once.
    fn expand(&self, secret: &[u8], label: &[u8], info: &[u8], out: &mut [u8]) {
        let len = u16::try_from(out.len()).unwrap_or(u16::MAX);
        let block = authenticate(secret, &[&len.to_be_bytes(), &self.prefix(), label, info, &[1]]);
        let block = block.as_ref();
        out.iter_mut().zip(block).for_each(|(to, from)| *to = *from);
    }
}

fn authenticate(key: &[u8], parts: &[&[u8]]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA512, key));
    parts.iter().for_each(|part| context.update(part));
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::algorithm::KeyKind;
    use crate::crypto::software::SoftwareProvider;
    use crate::crypto::{ClearKey, Key, Made, Provider, Residency};

    fn unhex(text: &str) -> Vec<u8> {
        hex::decode(text).unwrap()
    }

    /// RFC 9180 appendix A.6.1, DHKEM(P-521, HKDF-SHA512), HKDF-SHA512, AES-256-GCM: what follows the KEM is the same.
    #[test]
    fn the_schedule_is_that_of_the_standard() {
        let secret = unhex(
            "776ab421302f6eff7d7cb5cb1adaea0cd50872c71c2d63c30c4f1d5e43653336\
             fef33b103c67e7a98add2d3b66e2fda95b5b2a667aa9dac7e59cc1d46d30e818",
        );
        let schedule = Schedule::new(0x0012, &secret, b"Ode on a Grecian Urn");
        assert_eq!(hex::encode(*schedule.key), "751e346ce8f0ddb2305c8a2a85c70d5cf559c53093656be636b9406d4d7d1b70");
        assert_eq!(hex::encode(schedule.nonce), "55ff7a7d739c69f44b25447b");
        let (aad, plain) = (b"Count-0", b"Beauty is truth, truth beauty");
        let sealed = "170f8beddfe949b75ef9c387e201baf4132fa7374593dfafa90768788b7b2b200aafcc6d80ea4c795a7c5b841a";
        assert_eq!(hex::encode(schedule.seal(aad, plain).unwrap()), sealed);
        assert_eq!(schedule.open(aad, &unhex(sealed)).unwrap().expose(), plain);
    }

    /// Whatever was changed, and however short it is: one answer.
    #[test]
    fn what_does_not_decrypt_is_not_told_apart() {
        for set in [ParameterSet::MlKem512, ParameterSet::MlKem768, ParameterSet::MlKem1024] {
            let kind = KeyKind::PostQuantum { set };
            let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
            let Made::Clear(private) = made.private else { panic!("not in the clear") };
            let key = ClearKey::new(kind, private);
            let open = |aad: &[u8], sealed: &[u8]| SoftwareProvider.open_hpke(Key::Clear(&key), aad, sealed);
            let sealed = seal(set, &made.public, b"more", b"data").unwrap();
            assert_eq!(sealed.len(), set.output_len() + 4 + TAG);
            assert_eq!(open(b"more", &sealed).unwrap().expose(), b"data");
            assert_ne!(sealed, seal(set, &made.public, b"more", b"data").unwrap());
            let empty = seal(set, &made.public, b"", b"").unwrap();
            assert!(open(b"", &empty).unwrap().is_empty());
            let mut answers = vec![open(b"", &sealed), open(b"more", b""), open(b"more", &sealed[..set.output_len()])];
            answers.push(open(b"more", &sealed[1..]));
            answers.push(open(b"more", &sealed[..sealed.len() - 1]));
            for place in [0, set.output_len() - 1, set.output_len(), sealed.len() - 1] {
                let mut changed = sealed.clone();
                changed[place] ^= 1;
                answers.push(open(b"more", &changed));
            }
            for answer in answers {
                let told = answer.unwrap_err().to_string();
                assert_eq!(told, UNDECRYPTABLE.to_string());
            }
        }
        let made =
            SoftwareProvider.generate_pair(KeyKind::PostQuantum { set: ParameterSet::MlDsa44 }, Residency::Sealed);
        let made = made.unwrap();
        assert!(seal(ParameterSet::MlDsa44, &made.public, b"", b"data").is_err());
        let Made::Clear(private) = made.private else { panic!("not in the clear") };
        let key = ClearKey::new(KeyKind::PostQuantum { set: ParameterSet::MlDsa44 }, private);
        let refused = SoftwareProvider.open_hpke(Key::Clear(&key), b"", &[0; 4000]);
        assert!(matches!(refused, Err(CryptoError::BadParameters(_))));
    }
}
