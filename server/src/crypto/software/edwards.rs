//! Private keys of RFC 8410: Ed25519 and X25519 by aws-lc-rs, Ed448 and X448 by RustCrypto's `ed448-goldilocks` and `x448`,
//! whose private operations keep their time.

use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use ed448_goldilocks::SigningKey;
use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::crypto::algorithm::Edwards;
use crate::crypto::keyformat::{self, EdwardsPrivate, EdwardsPublic};
use crate::secret::{self, Secret};

/// A private key that has been opened.
pub(super) enum EdwardsKey {
    Ed25519(Ed25519KeyPair),
    Ed448(Box<SigningKey>),
    X25519(PrivateKey),
    X448(x448::StaticSecret),
}

impl EdwardsKey {
    /// Opens a PKCS#8 private key. One that carries a public key is refused if that is another's.
    pub(super) fn new(pkcs8: &Secret) -> Result<Self, CryptoError> {
        let EdwardsPrivate { curve, key } = EdwardsPrivate::from_pkcs8(pkcs8.expose())?;
        let opened = Self::of(curve, key.expose())?;
        match keyformat::carried(pkcs8.expose())? {
            Some(carried) if carried != opened.public()? => {
                Err(CryptoError::BadParameters("the two halves of the key do not belong together".into()))
            }
            _ => Ok(opened),
        }
    }

    fn of(curve: Edwards, key: &[u8]) -> Result<Self, CryptoError> {
        let rejected = || CryptoError::BadParameters("the private key is not one of its curve".into());
        Ok(match curve {
            Edwards::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(key).map_err(|_| rejected())?),
            Edwards::Ed448 => Self::Ed448(Box::new(SigningKey::try_from(key).map_err(|_| rejected())?)),
            Edwards::X25519 => {
                Self::X25519(PrivateKey::from_private_key(&agreement::X25519, key).map_err(|_| rejected())?)
            }
            Edwards::X448 => {
                let key: Zeroizing<[u8; 56]> = Zeroizing::new(key.try_into().map_err(|_| rejected())?);
                Self::X448(x448::StaticSecret::from(*key))
            }
        })
    }

    /// Makes a key pair: PKCS#8 and SubjectPublicKeyInfo.
    pub(super) fn generate(curve: Edwards) -> Result<(Secret, Vec<u8>), CryptoError> {
        let mut key = Zeroizing::new(vec![0; curve.len()]);
        rand::fill(&mut key).map_err(|_| CryptoError::Unavailable("the random generator failed".into()))?;
        let opened = Self::of(curve, &key)?;
        let private = EdwardsPrivate { curve, key: Secret::copy_of(&key) }.to_pkcs8()?;
        Ok((private, opened.spki()?))
    }

    pub(super) const fn curve(&self) -> Edwards {
        match self {
            Self::Ed25519(_) => Edwards::Ed25519,
            Self::Ed448(_) => Edwards::Ed448,
            Self::X25519(_) => Edwards::X25519,
            Self::X448(_) => Edwards::X448,
        }
    }

    /// The public half as SubjectPublicKeyInfo DER.
    pub(super) fn spki(&self) -> Result<Vec<u8>, CryptoError> {
        Ok(EdwardsPublic { curve: self.curve(), key: self.public()? }.to_spki()?)
    }

    fn public(&self) -> Result<Vec<u8>, CryptoError> {
        Ok(match self {
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Self::Ed448(key) => key.verifying_key().to_bytes().to_vec(),
            Self::X25519(key) => key.compute_public_key().map_err(|_| failed())?.as_ref().to_vec(),
            Self::X448(key) => x448::PublicKey::from(key).as_bytes().to_vec(),
        })
    }

    /// Signs the data itself.
    pub(super) fn sign(&self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Ed25519(pair) => Ok(pair.try_sign(data).map_err(|_| failed())?.as_ref().to_vec()),
            Self::Ed448(key) => Ok(key.sign_raw(data).to_bytes().to_vec()),
            Self::X25519(_) | Self::X448(_) => {
                Err(CryptoError::BadParameters("a key for agreement signs nothing".into()))
            }
        }
    }

    /// The shared secret. A public key of small order, which gives zeros to everybody, is refused (RFC 7748 §6).
    pub(super) fn agree(&self, peer: &[u8]) -> Result<Secret, CryptoError> {
        if self.curve().signs() {
            return Err(CryptoError::BadParameters("this key signs, and agrees on nothing".into()));
        }
        let peer = EdwardsPublic::from_spki(peer)?;
        if peer.curve != self.curve() {
            return Err(CryptoError::BadParameters("the two keys are on different curves".into()));
        }
        let refused = || CryptoError::BadParameters("the public key gives no secret".into());
        match self {
            Self::X25519(own) => {
                let peer = UnparsedPublicKey::new(&agreement::X25519, &peer.key);
                agreement::agree(own, peer, refused(), |secret| Ok(Secret::copy_of(secret)))
            }
            Self::X448(own) => {
                let peer = x448::PublicKey::from_bytes(&peer.key).ok_or_else(refused)?;
                let shared = own.diffie_hellman(&peer);
                // Points of small order have more than one encoding; what they give has one.
                if secret::equal(shared.as_bytes(), &[0; 56]) {
                    return Err(refused());
                }
                Ok(Secret::copy_of(shared.as_bytes()))
            }
            Self::Ed25519(_) | Self::Ed448(_) => Err(failed()),
        }
    }
}

fn failed() -> CryptoError {
    CryptoError::Failed("the key operation failed")
}
