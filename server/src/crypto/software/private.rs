//! Private keys, by AWS-LC alone, through aws-lc-rs where it offers what is asked: the `rsa` crate's private operations leak
//! by their timing (RUSTSEC-2023-0071).

use std::borrow::Cow;
use std::sync::LazyLock;

use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RsaKeyPair, RsaPssSaltLength, RsaSignatureEncoding,
};

use super::edwards::EdwardsKey;
use super::{postquantum, unhurried};
use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Curve, Hash, KeyKind, Message, Signature};
use crate::crypto::ec::EcKey;
use crate::crypto::keyformat;
use crate::crypto::public::{aws_digest, digest_info, ecdsa_digest, hash};
use crate::crypto::rsa::{self, Encoding};
use crate::secret::Secret;

/// A private key that has been opened. Parsing and checking PKCS#8 costs as much as an ECDSA signature and half of an
/// RSA one, so whoever signs often keeps this. It holds the key in the library's memory, which wipes it on drop.
pub struct Prepared(Inner);

enum Inner {
    Rsa {
        bits: u32,
        pair: RsaKeyPair,
    },
    Ec {
        curve: Curve,
        pair: EcdsaKeyPair,
    },
    /// On a curve that aws-lc-rs does not have.
    Other {
        curve: Curve,
        key: EcKey,
    },
    PostQuantum(Box<postquantum::Opened>),
    Edwards(EdwardsKey),
}

impl Prepared {
    /// Opens a PKCS#8 private key. It is refused if it is malformed, not of this kind, or if its numbers do not belong
    /// together.
    pub fn new(kind: KeyKind, pkcs8: &Secret) -> Result<Self, CryptoError> {
        let found = keyformat::identify_private(pkcs8.expose())?;
        if found != kind {
            return Err(CryptoError::BadParameters(format!("the private key is {found:?}, not {kind:?}")));
        }
        if !offers(kind) {
            return Err(CryptoError::Unsupported(format!("private keys that are {kind:?}")));
        }
        let rejected = |_| CryptoError::BadParameters("the numbers of the private key do not belong together".into());
        Ok(Self(match kind {
            KeyKind::Rsa { bits } => {
                Inner::Rsa { bits, pair: RsaKeyPair::from_pkcs8(pkcs8.expose()).map_err(rejected)? }
            }
            KeyKind::Ec { curve } => match ecdsa(curve) {
                Some(algorithm) => {
                    let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.expose()).map_err(rejected)?;
                    Inner::Ec { curve, pair }
                }
                None => Inner::Other { curve, key: EcKey::new(pkcs8)? },
            },
            KeyKind::PostQuantum { .. } => Inner::PostQuantum(Box::new(postquantum::Opened::new(pkcs8)?)),
            KeyKind::Edwards { .. } => Inner::Edwards(EdwardsKey::new(pkcs8)?),
            KeyKind::Aes { .. } | KeyKind::Generic { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20 => {
                return Err(CryptoError::BadParameters("a symmetric key is no private key".into()));
            }
        }))
    }

    /// What the key is.
    pub fn kind(&self) -> KeyKind {
        match &self.0 {
            Inner::Rsa { bits, .. } => KeyKind::Rsa { bits: *bits },
            Inner::Ec { curve, .. } | Inner::Other { curve, .. } => KeyKind::Ec { curve: *curve },
            Inner::PostQuantum(key) => KeyKind::PostQuantum { set: key.set() },
            Inner::Edwards(key) => KeyKind::Edwards { curve: key.curve() },
        }
    }

    /// The public half as SubjectPublicKeyInfo DER (RFC 5280 §4.1), computed from the private one.
    pub fn public(&self) -> Result<Vec<u8>, CryptoError> {
        let der: Result<PublicKeyX509Der<'_>, _> = match &self.0 {
            Inner::Rsa { pair, .. } => pair.public_key().as_der(),
            Inner::Ec { pair, .. } => pair.public_key().as_der(),
            Inner::Other { key, .. } => return key.public(),
            Inner::PostQuantum(key) => return key.public(),
            Inner::Edwards(key) => return key.spki(),
        };
        Ok(der.map_err(|_| failed())?.as_ref().to_vec())
    }

    /// Signs, as [`Provider::sign`](crate::crypto::Provider::sign) does.
    pub fn sign(&self, scheme: Signature, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        scheme.check(self.kind(), message)?;
        match &self.0 {
            Inner::Rsa { pair, .. } => sign_rsa(pair, scheme, message),
            Inner::Ec { curve, pair } => sign_ecdsa(*curve, pair, scheme, message),
            Inner::Other { key, .. } => key.sign(&digested(scheme, message)?),
            Inner::Edwards(key) => match message {
                Message::Data(data) => key.sign(data),
                Message::Digest(_) => Err(failed()),
            },
            Inner::PostQuantum(key) => match message {
                Message::Data(data) => key.sign(data),
                Message::Digest(_) => Err(failed()),
            },
        }
    }

    /// The shared secret of a ciphertext of ML-KEM.
    pub(super) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Secret, CryptoError> {
        match &self.0 {
            Inner::PostQuantum(key) => key.decapsulate(ciphertext),
            _ => Err(CryptoError::BadParameters("only a key of ML-KEM decapsulates".into())),
        }
    }
}

/// Whether private keys of this kind can be used. Symmetric keys are no matter of this module.
pub(super) fn offers(kind: KeyKind) -> bool {
    match kind {
        KeyKind::Rsa { bits } => (2048..=8192).contains(&bits),
        KeyKind::Ec { .. }
        | KeyKind::PostQuantum { .. }
        | KeyKind::Edwards { .. }
        | KeyKind::Aes { .. }
        | KeyKind::Generic { .. }
        | KeyKind::TripleDes { .. }
        | KeyKind::ChaCha20 => true,
    }
}

/// Makes a key pair: PKCS#8 and SubjectPublicKeyInfo.
pub(super) fn generate(kind: KeyKind) -> Result<(Secret, Vec<u8>), CryptoError> {
    let (private, public) = match kind {
        KeyKind::Rsa { bits } => {
            let size = match bits {
                2048 => KeySize::Rsa2048,
                3072 => KeySize::Rsa3072,
                4096 => KeySize::Rsa4096,
                8192 => KeySize::Rsa8192,
                _ => {
                    return Err(CryptoError::Unsupported(format!("making an RSA key of {bits} bits")));
                }
            };
            let pair = unhurried(|| RsaKeyPair::generate(size))?.map_err(|_| failed())?;
            let private: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| failed())?;
            (Secret::copy_of(private.as_ref()), pair.public_key().as_der().map_err(|_| failed())?)
        }
        KeyKind::Ec { curve } => {
            let Some(algorithm) = ecdsa(curve) else {
                let key = EcKey::generate(curve)?;
                return Ok((key.pkcs8()?, key.public()?));
            };
            let pair = EcdsaKeyPair::generate(algorithm).map_err(|_| failed())?;
            let private = pair.to_pkcs8v1().map_err(|_| failed())?;
            (Secret::copy_of(private.as_ref()), pair.public_key().as_der().map_err(|_| failed())?)
        }
        KeyKind::PostQuantum { set } => return postquantum::generate(set),
        KeyKind::Edwards { curve } => return EdwardsKey::generate(curve),
        KeyKind::Aes { .. } | KeyKind::Generic { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20 => {
            return Err(CryptoError::BadParameters("a symmetric key is made by generate".into()));
        }
    };
    let public: PublicKeyX509Der<'_> = public;
    Ok((private, public.as_ref().to_vec()))
}

/// The curve in aws-lc-rs, if it has it.
fn ecdsa(curve: Curve) -> Option<&'static EcdsaSigningAlgorithm> {
    Some(match curve {
        Curve::P224 => return None,
        Curve::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
        Curve::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        Curve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1_SIGNING,
    })
}

fn sign_ecdsa(
    curve: Curve,
    pair: &EcdsaKeyPair,
    scheme: Signature,
    message: Message<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let digest = ecdsa_digest(curve, &digested(scheme, message)?)?;
    Ok(pair.sign_digest(&digest).map_err(|_| failed())?.as_ref().to_vec())
}

/// The digest that is signed.
fn digested<'a>(scheme: Signature, message: Message<'a>) -> Result<Cow<'a, [u8]>, CryptoError> {
    Ok(match message {
        Message::Digest(digest) => Cow::Borrowed(digest),
        Message::Data(data) => Cow::Owned(hash(scheme.hash().ok_or_else(failed)?, data)),
    })
}

fn sign_rsa(pair: &RsaKeyPair, scheme: Signature, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
    let encoding = rsa_encoding(scheme)?;
    let algorithm = scheme.hash().and_then(aws_digest).ok_or_else(failed)?;
    let digest = match message {
        Message::Digest(digest) => Digest::import_less_safe(digest, algorithm).map_err(|_| failed())?,
        Message::Data(data) => aws_lc_rs::digest::digest(algorithm, data),
    };
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign_digest(encoding, &digest, &mut signature).map_err(|_| failed())?;
    Ok(signature)
}

/// Signs with RSA where aws-lc-rs has no encoding for the scheme: by what the library below it has.
pub(super) fn sign_with_any_hash(
    kind: KeyKind,
    pkcs8: &Secret,
    scheme: Signature,
    message: Message<'_>,
) -> Result<Vec<u8>, CryptoError> {
    let found = keyformat::identify_private(pkcs8.expose())?;
    if found != kind {
        return Err(CryptoError::BadParameters(format!("the private key is {found:?}, not {kind:?}")));
    }
    if !offers(kind) {
        return Err(CryptoError::Unsupported(format!("private keys that are {kind:?}")));
    }
    let digest = &*digested(scheme, message)?;
    match scheme {
        Signature::RsaPkcs1Bare => rsa::sign(pkcs8, Encoding::Pkcs1, digest),
        Signature::RsaPkcs1(hash) => {
            let info = digest_info(hash).ok_or_else(|| unsupported(scheme))?;
            rsa::sign(pkcs8, Encoding::Pkcs1, &[&info, digest].concat())
        }
        Signature::RsaPss { hash, mgf, salt } => rsa::sign(pkcs8, Encoding::Pss { hash, mgf, salt }, digest),
        Signature::Ecdsa(_) | Signature::EcdsaBare | Signature::MlDsa | Signature::SlhDsa | Signature::Eddsa => {
            Err(failed())
        }
    }
}

/// Whether the scheme is one that keys sign by once they are opened; the others are RSA's with rarer hashes.
pub(super) fn is_native(scheme: Signature) -> bool {
    matches!(scheme, Signature::Ecdsa(_) | Signature::EcdsaBare) || scheme.is_pure() || rsa_encoding(scheme).is_ok()
}

fn rsa_encoding(scheme: Signature) -> Result<&'static RsaSignatureEncoding, CryptoError> {
    match scheme {
        Signature::RsaPkcs1(Hash::Sha256) => Ok(&signature::RSA_PKCS1_SHA256),
        Signature::RsaPkcs1(Hash::Sha384) => Ok(&signature::RSA_PKCS1_SHA384),
        Signature::RsaPkcs1(Hash::Sha512) => Ok(&signature::RSA_PKCS1_SHA512),
        Signature::RsaPss { hash, mgf, salt } if hash == mgf => {
            let table = match hash {
                Hash::Sha256 => &*PSS_SHA256,
                Hash::Sha384 => &*PSS_SHA384,
                Hash::Sha512 => &*PSS_SHA512,
                _ => return Err(unsupported(scheme)),
            };
            table.get(salt).ok_or_else(|| unsupported(scheme))
        }
        _ => Err(unsupported(scheme)),
    }
}

/// aws-lc-rs wants an encoding that lives for ever, and so one for each length of the salt: up to what fits into 8192
/// bits, a few bytes each.
type PssTable = LazyLock<Box<[RsaSignatureEncoding]>>;
static PSS_SHA256: PssTable = LazyLock::new(|| salts(|| signature::RSA_PSS_SHA256));
static PSS_SHA384: PssTable = LazyLock::new(|| salts(|| signature::RSA_PSS_SHA384));
static PSS_SHA512: PssTable = LazyLock::new(|| salts(|| signature::RSA_PSS_SHA512));

fn salts(encoding: fn() -> RsaSignatureEncoding) -> Box<[RsaSignatureEncoding]> {
    (0..=1024).map(|salt| encoding().with_pss_salt_length(RsaPssSaltLength::Custom(salt))).collect()
}

fn unsupported(scheme: Signature) -> CryptoError {
    CryptoError::Unsupported(format!("signing with {scheme:?}"))
}

fn failed() -> CryptoError {
    CryptoError::Failed("the key operation failed")
}
