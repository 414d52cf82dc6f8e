//! Signatures in every scheme with every hash, checked with the public key in software.

use super::{Refusal, Suite, names, refused, unhex, vectors};
use crate::crypto::algorithm::{Curve, Hash, KeyKind, Message, RsaCipher, Signature};
use crate::crypto::keyformat::{EdwardsPrivate, EdwardsPublic};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{CryptoError, Key, Made, Provider, Residency, public, rsa};
use crate::secret::Secret;

const HASHES: [Hash; 11] = [
    Hash::Sha1,
    Hash::Sha224,
    Hash::Sha256,
    Hash::Sha384,
    Hash::Sha512,
    Hash::Sha512_224,
    Hash::Sha512_256,
    Hash::Sha3_224,
    Hash::Sha3_256,
    Hash::Sha3_384,
    Hash::Sha3_512,
];

pub(super) fn run(suite: &mut Suite<'_>) {
    for curve in [Curve::P224, Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
        with_pair(suite, KeyKind::Ec { curve }, |suite, key, public| {
            for hash in HASHES {
                let what = format!("ECDSA on {}: {}", names::curve(curve), hash.name());
                scheme(suite, &what, key, public, Signature::Ecdsa(hash));
            }
            refuses(suite, key, Signature::Ecdsa(Hash::Sha256), Signature::RsaPkcs1(Hash::Sha256));
            md5(suite, key, Signature::Ecdsa(Hash::Md5));
        });
    }
    eddsa(suite);
    with_pair(suite, KeyKind::Rsa { bits: 2048 }, |suite, key, public| {
        for hash in HASHES {
            let name = hash.name();
            scheme(suite, &format!("RSA PKCS#1 v1.5 signatures: {name}"), key, public, Signature::RsaPkcs1(hash));
            let salt = hash.len();
            scheme(
                suite,
                &format!("RSA PSS signatures: {name}"),
                key,
                public,
                Signature::RsaPss { hash, mgf: hash, salt },
            );
        }
        let hash = Hash::Sha256;
        for salt in [0, 1, 20, 222] {
            let pss = Signature::RsaPss { hash, mgf: hash, salt };
            scheme(suite, &format!("RSA PSS signatures with SHA-256 and salts (bytes): {salt}"), key, public, pss);
        }
        let mixed = Signature::RsaPss { hash, mgf: Hash::Sha1, salt: 32 };
        scheme(suite, "RSA PSS signatures: SHA-256 masked with SHA-1", key, public, mixed);
        for salt in [223, usize::MAX] {
            let pss = Signature::RsaPss { hash, mgf: hash, salt };
            refused("a salt too long", suite.provider.sign(key, pss, Message::Data(b"")), Refusal::BadParameters);
        }
        bare(suite, key, public);
        decryption(suite, key, public);
        refuses(suite, key, Signature::RsaPkcs1(hash), Signature::Ecdsa(hash));
        md5(suite, key, Signature::RsaPkcs1(Hash::Md5));
        md5(suite, key, Signature::RsaPss { hash: Hash::Md5, mgf: Hash::Md5, salt: 16 });
    });
    suite.with_key(KeyKind::Aes { bits: 256 }, &[1; 32], |suite, key| {
        let answer = suite.provider.sign(key, Signature::Ecdsa(Hash::Sha256), Message::Data(b""));
        refused("signing with AES", answer, Refusal::BadParameters);
    });
}

/// RFC 8032 §7.1 test 2 and §7.4 "Blank": there is one signature, whoever makes it.
fn eddsa(suite: &mut Suite<'_>) {
    for (curve, private, public, data, expected) in vectors::EDDSA {
        let kind = KeyKind::Edwards { curve };
        let private = EdwardsPrivate { curve, key: Secret::new(unhex(private)) }.to_pkcs8().expect("a key");
        let public = EdwardsPublic { curve, key: unhex(public) }.to_spki().expect("a key");
        let data = unhex(data);
        suite.with_key(kind, private.expose(), |suite, key| {
            let answer = suite.provider.sign(key, Signature::Eddsa, Message::Data(&data));
            if let Some(signature) = suite.need(&names::keys(kind, " that sign"), answer) {
                assert_eq!(hex::encode(&signature), hex::encode(unhex(expected)));
                let verify = |data, signature: &[u8]| {
                    public::verify(&public, Signature::Eddsa, Message::Data(data), signature).expect("verify")
                };
                assert!(verify(&data, &signature));
                assert!(!verify(b"other", &signature) && !verify(&data, &signature[1..]) && !verify(&data, &[]));
            }
            let answer = suite.provider.sign(key, Signature::Eddsa, Message::Digest(&[1; 64]));
            refused("a digest", answer, Refusal::BadParameters);
            let answer = suite.provider.sign(key, Signature::Ecdsa(Hash::Sha256), Message::Data(&data));
            refused("ECDSA with a key of Edwards", answer, Refusal::BadParameters);
        });
    }
}

fn with_pair(suite: &mut Suite<'_>, kind: KeyKind, work: impl FnOnce(&mut Suite<'_>, Key<'_>, &[u8])) {
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).expect("a pair in software");
    let Made::Clear(private) = &made.private else { panic!("not in the clear") };
    // `work` outlives no reborrow of the suite: the closure hands on the one that `with_key` gives it.
    suite.with_key(kind, private.expose(), |suite, key| work(suite, key, &made.public));
}

/// Whatever made the digest, it is signed as it is.
fn bare(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let scheme = Signature::RsaPkcs1Bare;
    for len in [1, 16, 36, 245] {
        let digest = vec![7; len];
        let answer = suite.provider.sign(key, scheme, Message::Digest(&digest));
        if let Some(signature) = suite.need("RSA PKCS#1 v1.5 signatures: digest as it is", answer) {
            assert!(public::verify(public, scheme, Message::Digest(&digest), &signature).expect("verify"));
            let another = vec![8; len];
            assert!(!public::verify(public, scheme, Message::Digest(&another), &signature).expect("verify"));
        }
    }
    let answer = suite.provider.sign(key, scheme, Message::Digest(&[7; 246]));
    refused("a digest too long for the modulus", answer, Refusal::Failed);
    let answer = suite.provider.sign(key, scheme, Message::Data(b"data"));
    refused("data that nothing hashes", answer, Refusal::BadParameters);
}

/// What the public key encrypts comes back; of what does not, nothing is told.
fn decryption(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let oaep = |hash, mgf, label| RsaCipher::Oaep { hash, mgf, label };
    let mut ciphers = vec![RsaCipher::Pkcs1, oaep(Hash::Sha384, Hash::Sha256, b"label".as_slice())];
    ciphers.extend(HASHES.map(|hash| oaep(hash, hash, &[])));
    ciphers.push(oaep(Hash::Sha256, Hash::Sha1, &[]));
    for cipher in ciphers {
        let what = names::decryption(&cipher);
        for plain in [&b""[..], b"a secret", &[0; 60]] {
            let sealed = rsa::encrypt(public, &cipher, plain).expect("encrypt");
            assert_eq!(sealed.len(), 256);
            let Some(opened) = suite.need(&what, suite.provider.decrypt_rsa(key, &cipher, &sealed)) else { break };
            assert_eq!(opened.expose(), plain, "{what}");
            let mut broken = sealed.clone();
            broken[200] ^= 1;
            let mut told = Vec::new();
            for wrong in [&broken[..], &sealed[1..], &[], &[0; 256], &[0xff; 256]] {
                let answer = suite.provider.decrypt_rsa(key, &cipher, wrong);
                told.extend(answer.as_ref().err().map(ToString::to_string));
                // PKCS#1 v1.5 takes one random block in some thousands for a padding.
                if !(answer.is_ok() && cipher == RsaCipher::Pkcs1) {
                    refused(&what, answer, Refusal::Failed);
                }
            }
            told.dedup();
            assert!(told.len() == 1, "{what} tells {told:?}");
        }
    }
    let long = rsa::encrypt(public, &RsaCipher::Pkcs1, &[0; 246]);
    refused("more than the modulus takes", long, Refusal::Failed);
}

/// Data and its digest must give signatures that verify as either.
fn scheme(suite: &mut Suite<'_>, what: &str, key: Key<'_>, public: &[u8], scheme: Signature) {
    for data in [&b""[..], b"data", &[0x5a; 5000]] {
        let digest = public::hash(scheme.hash().expect("a hash"), data);
        let messages = [Message::Data(data), Message::Digest(&digest)];
        let answers = messages.map(|message| match suite.provider.sign(key, scheme, message) {
            Ok(signature) => Some(signature),
            Err(CryptoError::Unsupported(_)) => None,
            Err(error) => panic!("{what}: {error}"),
        });
        suite.tried.insert(what.to_owned());
        match &answers {
            [None, None] => suite.lacking.insert(what.to_owned()),
            [None, _] => suite.lacking.insert(format!("{what} of data")),
            [_, None] => suite.lacking.insert(format!("{what} of a digest")),
            _ => false,
        };
        for signature in answers.into_iter().flatten() {
            check(what, public, scheme, messages, &signature);
        }
    }
}

fn check(what: &str, public: &[u8], scheme: Signature, messages: [Message<'_>; 2], signature: &[u8]) {
    let verify = |message, signature: &[u8]| public::verify(public, scheme, message, signature).expect(what);
    for message in messages {
        assert!(verify(message, signature), "{what} does not verify");
    }
    assert!(!verify(Message::Data(b"other data"), signature), "{what} verifies other data");
    let mut broken = signature.to_vec();
    broken[signature.len() / 2] ^= 1;
    assert!(!verify(messages[0], &broken), "{what} verifies a broken signature");
    assert!(!verify(messages[0], &signature[1..]), "{what} verifies a shortened signature");
    assert!(!verify(messages[0], &[]), "{what} verifies an empty signature");
}

fn refuses(suite: &mut Suite<'_>, key: Key<'_>, scheme: Signature, foreign: Signature) {
    let answer = suite.provider.sign(key, foreign, Message::Data(b"data"));
    refused("a scheme of another algorithm", answer, Refusal::BadParameters);
    let whole = scheme.hash().expect("a hash").len();
    for len in [0, whole - 1, whole + 1] {
        let answer = suite.provider.sign(key, scheme, Message::Digest(&vec![0; len]));
        refused("a digest of the wrong length", answer, Refusal::Failed);
    }
}

fn md5(suite: &mut Suite<'_>, key: Key<'_>, scheme: Signature) {
    let answer = suite.provider.sign(key, scheme, Message::Data(b"data"));
    assert!(matches!(answer, Err(CryptoError::Unsupported(_))), "{scheme:?}: {answer:?}");
}
