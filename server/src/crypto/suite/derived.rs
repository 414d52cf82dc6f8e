//! Keys from keys: what comes of a key is where it was asked to be, and is what the software makes of the same bytes.

use std::num::NonZeroU32;

use super::vectors;
use super::{Refusal, Suite, names, refused, unhex, with};
use crate::crypto::algorithm::{Cipher, Curve, Derivation, Edwards, Hash, Iteration, KeyKind, Mac, Padding};
use crate::crypto::keyformat::EdwardsPublic;
use crate::crypto::software::{self, SoftwareProvider};
use crate::crypto::{ClearKey, CryptoError, Key, Made, Provider, Residency};
use crate::secret::Secret;

const TDES: KeyKind = KeyKind::TripleDes { bytes: 24 };
const HASHES: [Hash; 5] = [Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512, Hash::Sha3_256];
const CURVES: [Curve; 5] = [Curve::P224, Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1];

const AGREEING: [Edwards; 2] = [Edwards::X25519, Edwards::X448];

pub(super) fn run(suite: &mut Suite<'_>) {
    published(suite);
    let base: Vec<u8> = (0..32).map(|byte| byte ^ 0x5c).collect();
    suite.with_key(KeyKind::Generic { bytes: 32 }, &base, |suite, key| {
        for hash in HASHES {
            for how in by_hash(hash) {
                derive(suite, key, &base, &how, aes(128));
                if hash == Hash::Sha256 {
                    derive(suite, key, &base, &how, TDES);
                    derive(suite, key, &base, &how, KeyKind::ChaCha20);
                }
                if hash.len() >= 32 {
                    derive(suite, key, &base, &how, aes(256));
                }
            }
        }
        let data =
            b"some data that is longer than the block of a hash function, so that nothing is left to chance there";
        let how = Derivation::Nist800108 { mode: Iteration::Counter, hash: Hash::Sha256, data };
        for kind in [KeyKind::Generic { bytes: 64 }, KeyKind::Generic { bytes: 37 }] {
            derive(suite, key, &base, &how, kind);
        }
        let how = Derivation::Hkdf { hash: Hash::Sha256, salt: b"salt", info: &[] };
        derive(suite, key, &base, &how, KeyKind::Generic { bytes: 64 });
        let iterations = NonZeroU32::MIN;
        derive(suite, key, &base, &Derivation::Pbkdf2 { hash: Hash::Sha256, salt: b"salt", iterations }, aes(256));
        derive(suite, key, &base, &Derivation::AwsSignature4 { scope: [b"20261122", b"r", b"s"] }, aes(256));
    });
    by_encryption(suite);
    by_triple_des(suite);
    by_chacha20(suite);
    CURVES.into_iter().for_each(|curve| by_agreement(suite, KeyKind::Ec { curve }, curve.coordinate_len()));
    AGREEING.into_iter().for_each(|curve| by_agreement(suite, KeyKind::Edwards { curve }, curve.len()));
    again(suite);
}

const fn aes(bits: u32) -> KeyKind {
    KeyKind::Aes { bits }
}

fn by_hash(hash: Hash) -> [Derivation<'static>; 8] {
    let nist = |mode| Derivation::Nist800108 { mode, hash, data: b"label\0context" };
    [
        Derivation::Hash(hash),
        Derivation::Hmac { hash, data: b"data" },
        nist(Iteration::Counter),
        nist(Iteration::Feedback(&[])),
        nist(Iteration::Feedback(b"an IV of 16 byte")),
        nist(Iteration::DoublePipeline),
        Derivation::Hkdf { hash, salt: b"salt", info: b"info" },
        Derivation::Hkdf { hash, salt: &[], info: b"info" },
    ]
}

/// The published vectors, as keys.
fn published(suite: &mut Suite<'_>) {
    for (key, how, expected) in vectors::DERIVED {
        let (key, expected) = (unhex(key), unhex(expected));
        let kind = match expected.len() {
            len @ (16 | 24 | 32) => aes(len as u32 * 8),
            len => KeyKind::Generic { bytes: len as u32 },
        };
        suite.with_key(KeyKind::Generic { bytes: key.len() as u32 }, &key, |suite, handle| {
            becomes(suite, handle, &how, kind, &expected);
        });
    }
}

/// Derives, and compares with what the software derives from the same bytes.
fn derive(suite: &mut Suite<'_>, key: Key<'_>, base: &[u8], how: &Derivation<'_>, kind: KeyKind) -> bool {
    let clear = ClearKey::new(key.kind(), Secret::copy_of(base));
    let len = kind.raw_len().expect("a symmetric key");
    let expected = SoftwareProvider.derive(Key::Clear(&clear), how, len).expect("derive in software");
    becomes(suite, key, how, kind, expected.expose())
}

/// Whether the provider has it; a key that is another one fails the test.
fn becomes(suite: &mut Suite<'_>, key: Key<'_>, how: &Derivation<'_>, kind: KeyKind, expected: &[u8]) -> bool {
    becomes_as(suite, &names::derived(kind, &how.name()), key, how, kind, expected)
}

/// The same by another name.
fn becomes_as(
    suite: &mut Suite<'_>,
    what: &str,
    key: Key<'_>,
    how: &Derivation<'_>,
    kind: KeyKind,
    expected: &[u8],
) -> bool {
    let residency = (suite.residency)();
    if !suite.provider.offers(kind, residency) {
        return false;
    }
    let answer = suite.provider.derive_key(key, how, kind, residency);
    let Some(made) = suite.need(what, answer) else { return false };
    let outside = ClearKey::new(kind, Secret::copy_of(expected));
    suite.with_made(kind, residency, made, |suite, derived| {
        assert!(is_same(suite.provider, derived, &outside), "{what}: another key");
    });
    true
}

/// Whether a key does what another one in software does.
fn is_same(provider: &dyn Provider, key: Key<'_>, outside: &ClearKey) -> bool {
    let outside = Key::Clear(outside);
    let cipher = match key.kind() {
        KeyKind::Aes { .. } => Some(Cipher::AesEcb { padding: Padding::None }),
        KeyKind::TripleDes { .. } => Some(Cipher::TdesEcb { padding: Padding::None }),
        KeyKind::ChaCha20 => Some(Cipher::ChaCha20 { nonce: &[0; 12], counter: 0 }),
        _ => None,
    };
    if let Some(cipher) = cipher {
        let encrypt = |by: &dyn Provider, key| by.encrypt(key, &cipher, &[0; 16]).expect("encrypt").data;
        return encrypt(provider, key) == encrypt(&SoftwareProvider, outside);
    }
    let compared = [Hash::Sha256, Hash::Sha1].into_iter().find_map(|hash| {
        let expected = SoftwareProvider.mac(outside, Mac::Hmac(hash), b"data").expect("HMAC");
        match provider.mac(key, Mac::Hmac(hash), b"data") {
            Err(CryptoError::Unsupported(_)) => None,
            made => Some(made.expect("HMAC") == expected),
        }
    });
    compared.expect("a MAC by which to tell one key from another")
}

fn by_encryption(suite: &mut Suite<'_>) {
    let base = [0x3a; 32];
    suite.with_key(aes(256), &base, |suite, key| {
        let data: Vec<u8> = (0..48).collect();
        let iv = [9; 16];
        for cipher in [
            Cipher::AesEcb { padding: Padding::None },
            Cipher::AesCbc { iv: &iv, padding: Padding::None },
            Cipher::AesCtr { iv: &iv, bits: 128 },
        ] {
            let how = Derivation::Encrypt { cipher, data: &data };
            for kind in [aes(128), aes(192), aes(256), TDES, KeyKind::Generic { bytes: 40 }] {
                derive(suite, key, &base, &how, kind);
            }
            let residency = (suite.residency)();
            let answer = suite.provider.derive_key(key, &how, KeyKind::Generic { bytes: 56 }, residency);
            if !matches!(answer, Err(CryptoError::Unsupported(_))) {
                refused("more than comes out", answer, Refusal::Failed);
            }
        }
        // Padded, the data becomes a block longer.
        let cipher = Cipher::AesCbc { iv: &iv, padding: Padding::Pkcs5 };
        derive(suite, key, &base, &Derivation::Encrypt { cipher, data: &data[..16] }, aes(256));
    });
}

/// By triple DES: ciphertext of it, and nothing else, as far as the key is in a module.
fn by_triple_des(suite: &mut Suite<'_>) {
    for bytes in [16, 24] {
        let base: Vec<u8> = (0x31..).take(bytes).collect();
        suite.with_key(KeyKind::TripleDes { bytes: bytes as u32 }, &base, |suite, key| {
            let data: Vec<u8> = (0..40).collect();
            let iv = [9; 8];
            for cipher in
                [Cipher::TdesEcb { padding: Padding::None }, Cipher::TdesCbc { iv: &iv, padding: Padding::Pkcs5 }]
            {
                let how = Derivation::Encrypt { cipher, data: &data };
                for kind in [aes(128), aes(256), TDES, KeyKind::Generic { bytes: 40 }] {
                    derive(suite, key, &base, &how, kind);
                }
            }
            derive(suite, key, &base, &Derivation::Hash(Hash::Sha256), aes(128));
        });
    }
}

/// By keys of ChaCha20, whose bytes are as good as any.
fn by_chacha20(suite: &mut Suite<'_>) {
    let base = [0x2c; 32];
    suite.with_key(KeyKind::ChaCha20, &base, |suite, key| {
        let clear = ClearKey::new(KeyKind::ChaCha20, Secret::copy_of(&base));
        let cipher = Cipher::ChaCha20 { nonce: &[9; 12], counter: 1 };
        let encryption = Derivation::Encrypt { cipher, data: &[1; 32] };
        for how in by_hash(Hash::Sha256).into_iter().chain([encryption]) {
            let expected = SoftwareProvider.derive(Key::Clear(&clear), &how, 32).expect("derive in software");
            let what = format!("Deriving from a key of ChaCha20: {}", how.name());
            becomes_as(suite, &what, key, &how, aes(256), expected.expose());
        }
    });
}

/// Key agreement on a curve that gives secrets of so many bytes.
fn by_agreement(suite: &mut Suite<'_>, kind: KeyKind, len: usize) {
    let pair = || SoftwareProvider.generate_pair(kind, Residency::Sealed).expect("a pair in software");
    let (own, peer) = (pair(), pair());
    let Made::Clear(private) = &own.private else { panic!("not in the clear") };
    suite.with_key(kind, private.expose(), |suite, key| {
        let how = Derivation::Ecdh { peer: &peer.public };
        let whole = KeyKind::Generic { bytes: len as u32 };
        let wholly = if whole == (KeyKind::Generic { bytes: 32 }) { aes(256) } else { whole };
        let has = derive(suite, key, private.expose(), &how, wholly);
        if wholly == whole {
            derive(suite, key, private.expose(), &how, aes(128));
        }
        if !has {
            return;
        }
        let ask = |how: &Derivation<'_>, kind| suite.provider.derive_key(key, how, kind, (suite.residency)());
        let longer = KeyKind::Generic { bytes: len as u32 + 6 };
        refused("more than the secret", ask(&how, longer), Refusal::Failed);
        let off = match kind {
            // One of small order: every number is on this curve or on its twist.
            KeyKind::Edwards { curve } => EdwardsPublic { curve, key: vec![0; len] }.to_spki().expect("a key"),
            _ => {
                let mut off = peer.public.clone();
                *off.last_mut().expect("a byte") ^= 1;
                off
            }
        };
        refused("a point off the curve", ask(&Derivation::Ecdh { peer: &off }, wholly), Refusal::BadParameters);
        let p256 = KeyKind::Ec { curve: Curve::P256 };
        let other = if kind == p256 { KeyKind::Ec { curve: Curve::P384 } } else { p256 };
        let foreign = SoftwareProvider.generate_pair(other, Residency::Sealed).expect("a pair");
        let how = Derivation::Ecdh { peer: &foreign.public };
        refused("a key on another curve", ask(&how, wholly), Refusal::BadParameters);
        refused("the digest of a private key", ask(&Derivation::Hash(Hash::Sha256), aes(256)), Refusal::BadParameters);
    });
}

/// A pair of X25519 or X448 comes to the same secret as the other side.
pub(super) fn agrees(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let other = SoftwareProvider.generate_pair(key.kind(), Residency::Sealed).expect("a pair in software");
    let Made::Clear(private) = other.private else { panic!("not in the clear") };
    let theirs = ClearKey::new(key.kind(), private);
    let kind = if key.kind() == (KeyKind::Edwards { curve: Edwards::X448 }) {
        KeyKind::Generic { bytes: 56 }
    } else {
        aes(256)
    };
    let len = kind.raw_len().expect("a symmetric key");
    let expected = SoftwareProvider.derive(Key::Clear(&theirs), &Derivation::Ecdh { peer: public }, len);
    becomes(suite, key, &Derivation::Ecdh { peer: &other.public }, kind, expected.expect("a secret").expose());
}

/// A shared secret of ML-KEM becomes a key, and its front a shorter one. A ciphertext that was changed gives another key,
/// always the same one; one of another length is refused (FIPS 203 §6.3, §7.3).
pub(super) fn decapsulated(suite: &mut Suite<'_>, key: Key<'_>, public: &[u8]) {
    let (ciphertext, secret) = software::encapsulate(public).expect("encapsulate");
    let how = Derivation::Decapsulate { ciphertext: &ciphertext };
    let has = becomes(suite, key, &how, aes(256), secret.expose());
    becomes(suite, key, &how, aes(128), &secret.expose()[..16]);
    becomes(suite, key, &how, KeyKind::Generic { bytes: 32 }, secret.expose());
    if !has {
        return;
    }
    let ask = |ciphertext: &[u8], kind| {
        suite.provider.derive_key(key, &Derivation::Decapsulate { ciphertext }, kind, (suite.residency)())
    };
    refused("more than the secret", ask(&ciphertext, KeyKind::Generic { bytes: 40 }), Refusal::Failed);
    refused("a short ciphertext", ask(&ciphertext[1..], aes(256)), Refusal::Failed);
    refused("no ciphertext", ask(&[], aes(256)), Refusal::Failed);
    refused(
        "the digest of a private key",
        {
            let how = Derivation::Hash(Hash::Sha256);
            suite.provider.derive_key(key, &how, aes(256), (suite.residency)())
        },
        Refusal::BadParameters,
    );
    let mut changed = ciphertext.clone();
    changed[0] ^= 1;
    let outside = ClearKey::new(aes(256), secret);
    // What is rejected gives a key of its own, and always the same: else it could be seen that it was.
    let rejected = |suite: &mut Suite<'_>| {
        let residency = (suite.residency)();
        let how = Derivation::Decapsulate { ciphertext: &changed };
        let made = suite.provider.derive_key(key, &how, aes(256), residency).expect("no error");
        let mut shown = Vec::new();
        suite.with_made(aes(256), residency, made, |suite, other| {
            assert!(!is_same(suite.provider, other, &outside), "a changed ciphertext gives the secret");
            let cipher = Cipher::AesEcb { padding: Padding::None };
            shown = suite.provider.encrypt(other, &cipher, &[0; 16]).expect("encrypt").data;
        });
        shown
    };
    assert_eq!(rejected(suite), rejected(suite), "a changed ciphertext gives another key each time");
}

/// A key that was derived derives in its turn, and what comes of it is what comes of its bytes.
fn again(suite: &mut Suite<'_>) {
    let base = [0x71; 32];
    suite.with_key(KeyKind::Generic { bytes: 32 }, &base, |suite, key| {
        let how = Derivation::Hkdf { hash: Hash::Sha256, salt: b"salt", info: b"first" };
        let kind = KeyKind::Generic { bytes: 32 };
        let residency = (suite.residency)();
        let Some(made) = suite.need("derive in two steps", suite.provider.derive_key(key, &how, kind, residency))
        else {
            return;
        };
        let clear = ClearKey::new(kind, Secret::copy_of(&base));
        let first = SoftwareProvider.derive(Key::Clear(&clear), &how, 32).expect("derive in software");
        with(kind, &made, |derived| {
            derive(suite, derived, first.expose(), &how, aes(256));
        });
        if let Made::Guarded(guarded) = made {
            suite.provider.destroy(&guarded).expect("destroy");
        }
    });
}
