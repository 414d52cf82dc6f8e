//! Quantum Safe (KMIP 2.1 §4.45): an object that must withstand quantum computers has an algorithm and a length that do.

use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, ResultReason, Tag};

use super::attributes::AttributeSet;
use super::postquantum::ParameterSet;
use crate::failure::{Failure, Outcome};

/// Bits of a symmetric key of which a search with a quantum computer still leaves 128.
const ENOUGH: i32 = 256;

/// Whether the server says Quantum Safe of a new object of which nobody says it: its algorithm was made for that. What is
/// safe by its length alone stays as its owner left it.
pub fn is_said(algorithm: Option<Algorithm>) -> bool {
    algorithm.is_some_and(|algorithm| ParameterSet::of(algorithm).is_some())
}

/// Checks an object's attributes.
///
/// # Errors
/// General Failure for a key that is required to be quantum safe and is not: no other reason says it.
pub fn check(attributes: &AttributeSet) -> Outcome<()> {
    if attributes.boolean(Tag::QuantumSafe) != Some(true) {
        return Ok(());
    }
    // What is no key, or a key of which nothing is known, is its owner's to judge.
    let Some(algorithm) = attributes.enumeration::<Algorithm>(Tag::CryptographicAlgorithm) else { return Ok(()) };
    let bits = attributes.integer(Tag::CryptographicLength).unwrap_or(0);
    if is_safe(algorithm, bits) {
        return Ok(());
    }
    Err(Failure::new(ResultReason::GeneralFailure, format!("{algorithm} with {bits} bits is not quantum safe")))
}

fn is_safe(algorithm: Algorithm, bits: i32) -> bool {
    match algorithm {
        Algorithm::XMSS
        | Algorithm::SPHINCS256
        | Algorithm::McEliece
        | Algorithm::McEliece6960119
        | Algorithm::McEliece8192128 => true,
        algorithm if ParameterSet::of(algorithm).is_some() => true,
        Algorithm::DSA
        | Algorithm::ECDSA
        | Algorithm::RSA
        | Algorithm::DH
        | Algorithm::ECDH
        | Algorithm::ECMQV
        | Algorithm::EC
        | Algorithm::Ed25519 => false,
        _ => bits >= ENOUGH,
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;

    use super::*;

    fn reason(algorithm: Algorithm, bits: i32, required: Option<bool>) -> Option<ResultReason> {
        let mut attributes = AttributeSet::default();
        attributes.set(Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.0));
        attributes.set(Tag::CryptographicLength, Value::Integer(bits));
        if let Some(required) = required {
            attributes.set(Tag::QuantumSafe, Value::Boolean(required));
        }
        check(&attributes).err().map(|failure| failure.reason)
    }

    #[test]
    fn a_key_that_must_be_quantum_safe_is() {
        let refused = Some(ResultReason::GeneralFailure);
        assert_eq!(reason(Algorithm::AES, 128, Some(true)), refused);
        assert_eq!(reason(Algorithm::AES, 256, Some(true)), None);
        assert_eq!(reason(Algorithm::RSA, 4096, Some(true)), refused);
        assert_eq!(reason(Algorithm::Ed25519, 256, Some(true)), refused);
        assert_eq!(reason(Algorithm::SPHINCS256, 0, Some(true)), None);
        assert_eq!(reason(Algorithm::MLDSA44, 0, Some(true)), None);
        assert_eq!(reason(Algorithm::SLHDSASHAKE128f, 0, Some(true)), None);
        assert_eq!(reason(Algorithm::AES, 128, Some(false)), None);
        assert_eq!(reason(Algorithm::AES, 128, None), None);
    }
}
