use super::vectors::{MESSAGE, SIGNATURES};
use super::*;
use crate::crypto::algorithm::Hash;

#[test]
fn signatures_of_another_implementation_verify() {
    for (spki, scheme, signature) in SIGNATURES {
        let (spki, signature) = (hex::decode(spki).unwrap(), hex::decode(signature).unwrap());
        let digest = hash(scheme.hash().unwrap(), MESSAGE);
        for message in [Message::Data(MESSAGE), Message::Digest(&digest)] {
            assert!(verify(&spki, scheme, message, &signature).unwrap(), "{scheme:?}");
        }
        assert!(!verify(&spki, scheme, Message::Data(b"something else"), &signature).unwrap(), "{scheme:?}");
        for at in 0..signature.len() {
            let mut broken = signature.clone();
            broken[at] ^= 0x40;
            assert!(!verify(&spki, scheme, Message::Digest(&digest), &broken).unwrap(), "{scheme:?} at {at}");
        }
        for wrong in [&[][..], &signature[1..], &[&signature[..], &[0]].concat(), &vec![0xff; signature.len()]] {
            assert!(!verify(&spki, scheme, Message::Digest(&digest), wrong).unwrap(), "{scheme:?}");
        }
    }
}

/// A signature is good for its own parameters alone.
#[test]
fn other_parameters_do_not_verify() {
    for (spki, scheme, signature) in SIGNATURES {
        let (spki, signature) = (hex::decode(spki).unwrap(), hex::decode(signature).unwrap());
        let others = match scheme {
            Signature::RsaPkcs1(hash) => {
                vec![Signature::RsaPkcs1(Hash::Sha3_224), Signature::RsaPss { hash, mgf: hash, salt: hash.len() }]
            }
            Signature::RsaPss { hash, mgf, salt } => vec![
                Signature::RsaPkcs1(hash),
                Signature::RsaPss { hash, mgf, salt: salt.abs_diff(1) },
                Signature::RsaPss { hash, mgf: Hash::Sha384, salt },
                Signature::RsaPss { hash: Hash::Sha3_224, mgf, salt },
            ],
            Signature::Ecdsa(_) => vec![Signature::Ecdsa(Hash::Sha3_384)],
            Signature::EcdsaBare => vec![Signature::Ecdsa(Hash::Sha256)],
            Signature::RsaPkcs1Bare => vec![Signature::RsaPkcs1(Hash::Sha256)],
            Signature::MlDsa | Signature::SlhDsa => Vec::new(),
            Signature::Eddsa => Vec::new(),
        };
        for other in others {
            assert!(!verify(&spki, other, Message::Data(MESSAGE), &signature).unwrap(), "{scheme:?} as {other:?}");
        }
    }
}

#[test]
fn keys_and_schemes_that_do_not_go_together_are_refused() {
    let (rsa, pkcs1, signature) = SIGNATURES[0];
    let rsa = hex::decode(rsa).unwrap();
    let ecdsa = Signature::Ecdsa(Hash::Sha256);
    for (spki, scheme) in [(&rsa[..], ecdsa), (&rsa[1..], pkcs1), (&[], pkcs1)] {
        let answer = verify(spki, scheme, Message::Data(MESSAGE), signature.as_bytes());
        assert!(matches!(answer, Err(CryptoError::BadParameters(_))), "{answer:?}");
    }
    let short = verify(&rsa, pkcs1, Message::Digest(&[0; 19]), &[0; 128]);
    assert!(matches!(short, Err(CryptoError::Failed(_))), "{short:?}");
    let md5 = verify(&rsa, Signature::RsaPkcs1(Hash::Md5), Message::Data(MESSAGE), &[0; 128]);
    assert!(matches!(md5, Err(CryptoError::Unsupported(_))), "{md5:?}");
    // A point that is not on its curve.
    let (p256, scheme, signature) = SIGNATURES.iter().find(|it| matches!(it.1, Signature::Ecdsa(_))).unwrap();
    let mut off = hex::decode(p256).unwrap();
    *off.last_mut().unwrap() ^= 1;
    let answer = verify(&off, *scheme, Message::Data(MESSAGE), &hex::decode(signature).unwrap());
    assert!(matches!(answer, Err(CryptoError::BadParameters(_))), "{answer:?}");
}
