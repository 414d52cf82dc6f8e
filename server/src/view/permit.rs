//! What the configured algorithms leave to objects and uses.

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicAlgorithm, ResultReason, Tag};
use kmip_codec::types::{Certificate, Object};

use super::View;
use super::keys::canonical_of;
use crate::crypto::algorithm::{Hash, KeyKind, RsaCipher, Signature};
use crate::crypto::keyblock::Canonical;
use crate::crypto::permits::Leave;
use crate::crypto::{CryptoError, certificate, keyformat};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{Managed, Origin};

impl View {
    /// Whether a new object may be: by its attributes, and by the curve of its key, which no attribute needs to tell.
    ///
    /// # Errors
    /// Constraint Violation, with the rule.
    pub(super) fn permit_object(&self, object: &Managed, material: Option<&Material>) -> Outcome<()> {
        let leave = if object.origin == Origin::Generated { Leave::MAKE } else { Leave::KEEP };
        let permits = &self.shared.settings.permits;
        if let Some(algorithm) = object.algorithm() {
            let bits = match object.attributes.get(Tag::CryptographicLength) {
                Some(&Value::Integer(bits)) => u32::try_from(bits).ok(),
                _ => None,
            };
            permits.algorithm(algorithm, bits, leave).map_err(violation)?;
        }
        match material.and_then(|material| pair(object.algorithm(), material)) {
            Some(kind) => permits.key(kind, leave).map_err(violation),
            None => Ok(()),
        }
    }

    /// Whether the server may hash so for a client.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters, with the rule.
    pub fn permit_hash(&self, hash: Hash) -> Outcome<()> {
        Ok(self.shared.settings.permits.hash(hash, Leave::PROTECT)?)
    }

    /// Whether a signature may be verified so.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters, with the rule.
    pub fn permit_verification(&self, key: KeyKind, scheme: Signature) -> Outcome<()> {
        Ok(self.shared.settings.permits.signature(key, scheme, Leave::PROCESS)?)
    }

    /// Whether something may be encrypted with a public key of ML-KEM.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters, with the rule.
    pub fn permit_hpke(&self, key: KeyKind) -> Outcome<()> {
        Ok(self.shared.settings.permits.hpke(key, Leave::PROTECT)?)
    }

    /// Whether a key may be agreed on with a public key of ML-KEM.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters, with the rule.
    pub fn permit_encapsulation(&self, key: KeyKind) -> Outcome<()> {
        Ok(self.shared.settings.permits.key(key, Leave::PROTECT)?)
    }

    /// Whether something may be encrypted so with an RSA public key.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters, with the rule.
    pub fn permit_rsa_encryption(&self, key: KeyKind, cipher: &RsaCipher<'_>) -> Outcome<()> {
        Ok(self.shared.settings.permits.rsa_cipher(key, cipher, Leave::PROTECT)?)
    }
}

/// What the key of a pair is; `None` for other keys and for those that came wrapped.
fn pair(algorithm: Option<CryptographicAlgorithm>, material: &Material) -> Option<KeyKind> {
    let held = match material {
        Material::Guarded(guarded) => return Some(guarded.kind),
        Material::Open(held) => &**held,
    };
    match held {
        Object::Certificate(Certificate { certificate_value, .. }) => {
            keyformat::identify_public(&certificate::public_key(certificate_value).ok()?).ok()
        }
        Object::PrivateKey(_) | Object::PublicKey(_) => {
            let (Canonical::Secret { kind, .. } | Canonical::Public { kind, .. }) =
                canonical_of(algorithm, held).ok()?;
            Some(kind)
        }
        _ => None,
    }
}

pub(super) fn violation(error: CryptoError) -> Failure {
    Failure { reason: ResultReason::ConstraintViolation, ..Failure::from(error) }
}

#[cfg(test)]
mod tests;
