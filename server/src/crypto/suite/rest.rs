//! MACs, key wrap, random bytes, and many threads at once.

use std::collections::HashSet;
use std::thread;

use super::vectors;
use super::{Refusal, Suite, names, refused, unhex};
use crate::crypto::algorithm::{
    Cipher, Curve, Derivation, Edwards, Hash, KeyKind, Mac, Message, Padding, Signature, Wrap,
};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{ClearKey, CryptoError, Key, Made, Provider, Residency, public};
use crate::secret::{self, Secret};

pub(super) fn run(suite: &mut Suite<'_>) {
    macs(suite);
    derivations(suite);
    wraps(suite);
    random(suite);
    threads(suite);
}

fn macs(suite: &mut Suite<'_>) {
    for (key, expected) in vectors::CMAC {
        let (key, data) = (unhex(key), unhex(vectors::PLAIN));
        suite.with_key(KeyKind::Aes { bits: key.len() as u32 * 8 }, &key, |suite, handle| {
            for (len, mac) in [0, 16, 40, 64].into_iter().zip(expected) {
                let answer = suite.provider.mac(handle, Mac::Cmac, &data[..len]);
                if let Some(answer) = suite.need("CMAC", answer) {
                    assert_eq!(hex::encode(answer), mac, "CMAC of {len} bytes");
                }
            }
        });
    }
    for (key, data, expected) in vectors::POLY1305 {
        let (key, data) = (unhex(key), unhex(data));
        suite.with_key(KeyKind::Generic { bytes: 32 }, &key, |suite, handle| {
            if let Some(answer) = suite.need("Poly1305", suite.provider.mac(handle, Mac::Poly1305, &data)) {
                assert_eq!(hex::encode(answer), expected, "Poly1305");
            }
            refused("CMAC without AES", suite.provider.mac(handle, Mac::Cmac, &data), Refusal::BadParameters);
        });
    }
    suite.with_key(KeyKind::Generic { bytes: 33 }, &[3; 33], |suite, key| {
        refused("Poly1305", suite.provider.mac(key, Mac::Poly1305, b""), Refusal::BadParameters);
    });
    for (key, data, expected) in vectors::HMAC {
        let (key, data) = (unhex(key), unhex(data));
        suite.with_key(KeyKind::Generic { bytes: key.len() as u32 }, &key, |suite, handle| {
            for (hash, mac) in expected {
                let answer = suite.provider.mac(handle, Mac::Hmac(*hash), &data);
                let what = names::hmac(*hash, key.len());
                if let Some(answer) = suite.need(&what, answer) {
                    assert_eq!(hex::encode(answer), mac.replace(' ', ""), "{what}");
                }
            }
        });
    }
    suite.with_key(KeyKind::Generic { bytes: 64 }, &[3; 64], |suite, key| {
        for data in [vec![], vec![9; 1 << 20]] {
            let mac = || suite.provider.mac(key, Mac::Hmac(Hash::Sha512), &data);
            let (first, second) = (mac().expect("HMAC"), mac().expect("HMAC"));
            assert!(secret::equal(&first, &second) && first.len() == 64);
        }
        let answer = suite.provider.mac(key, Mac::Hmac(Hash::Md5), b"");
        assert!(matches!(answer, Err(CryptoError::Unsupported(_))), "HMAC with MD5: {answer:?}");
    });
    suite.with_key(KeyKind::Aes { bits: 256 }, &[3; 32], |suite, key| {
        refused("HMAC with AES", suite.provider.mac(key, Mac::Hmac(Hash::Sha256), b""), Refusal::BadParameters);
    });
}

fn derivations(suite: &mut Suite<'_>) {
    for (key, how, expected) in vectors::DERIVED {
        let key = unhex(key);
        suite.with_key(KeyKind::Generic { bytes: key.len() as u32 }, &key, |suite, handle| {
            let expected = unhex(expected);
            let answer = suite.provider.derive(handle, &how, expected.len());
            if let Some(answer) = suite.need("derivation of bytes for the server", answer) {
                assert_eq!(hex::encode(answer.expose()), hex::encode(&expected), "{how:?}");
                let shorter = suite.provider.derive(handle, &how, 5).expect("a shorter one");
                // The functions of SP 800-108 hash the length with the rest.
                assert!(expected.starts_with(shorter.expose()) != matches!(how, Derivation::Nist800108 { .. }));
            }
        });
    }
    let (private, public) = (unhex(vectors::ECDH.0), unhex(vectors::ECDH.1));
    suite.with_key(KeyKind::Ec { curve: Curve::P256 }, &private, |suite, key| {
        let answer = suite.provider.derive(key, &Derivation::Ecdh { peer: &public }, 32);
        if let Some(answer) = suite.need("derivation of bytes for the server", answer) {
            assert_eq!(hex::encode(answer.expose()), vectors::ECDH.2);
            let how = Derivation::Ecdh { peer: &public };
            refused("more than the secret", suite.provider.derive(key, &how, 33), Refusal::Failed);
            let mut off = public.clone();
            *off.last_mut().expect("a byte") ^= 1;
            let answer = suite.provider.derive(key, &Derivation::Ecdh { peer: &off }, 32);
            refused("a point off the curve", answer, Refusal::BadParameters);
            let answer = suite.provider.derive(key, &Derivation::Hash(Hash::Sha256), 32);
            refused("the digest of a private key", answer, Refusal::BadParameters);
        }
    });
    for curve in [Curve::P224, Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
        agreement(suite, KeyKind::Ec { curve }, curve.coordinate_len());
    }
    for curve in [Edwards::X25519, Edwards::X448] {
        agreement(suite, KeyKind::Edwards { curve }, curve.len());
    }
    suite.with_key(KeyKind::Aes { bits: 128 }, &[3; 16], |suite, key| {
        let cipher = Cipher::AesEcb { padding: Padding::None };
        let how = Derivation::Encrypt { cipher, data: &[5; 32] };
        if let Some(derived) = suite.need("derivation of bytes for the server", suite.provider.derive(key, &how, 20)) {
            let encrypted = suite.provider.encrypt(key, &cipher, &[5; 32]).expect("encrypt");
            assert_eq!(derived.expose(), &encrypted.data[..20]);
            for how in [how, Derivation::Hash(Hash::Sha256), Derivation::Hmac { hash: Hash::Sha256, data: &[] }] {
                refused("more than comes out", suite.provider.derive(key, &how, 33), Refusal::Failed);
            }
            let how = Derivation::Hkdf { hash: Hash::Sha256, salt: &[], info: &[] };
            assert_eq!(suite.provider.derive(key, &how, 255 * 32).expect("the longest").len(), 255 * 32);
            refused("more than HKDF has", suite.provider.derive(key, &how, 255 * 32 + 1), Refusal::Failed);
            let iterations = std::num::NonZeroU32::MAX;
            let how = Derivation::Pbkdf2 { hash: Hash::Sha1, salt: b"salt", iterations };
            refused("work without end", suite.provider.derive(key, &how, 16), Refusal::BadParameters);
        }
    });
}

fn wraps(suite: &mut Suite<'_>) {
    for (wrap, kek, bytes, wrapped) in vectors::WRAP {
        let (kek, bytes, wrapped) = (unhex(kek), unhex(bytes), unhex(wrapped));
        suite.with_key(KeyKind::Aes { bits: kek.len() as u32 * 8 }, &kek, |suite, key| {
            let what = names::wrap(wrap, kek.len() * 8);
            let secret = Secret::copy_of(&bytes);
            if let Some(answer) = suite.need(&what, suite.provider.wrap(key, wrap, &secret)) {
                assert_eq!(hex::encode(answer), hex::encode(&wrapped), "{what}");
            }
            if let Some(answer) = suite.need(&what, suite.provider.unwrap(key, wrap, &wrapped)) {
                assert_eq!(answer.expose(), bytes, "{what}");
            }
        });
    }
    for (bits, wrap) in [128, 192, 256].into_iter().flat_map(|bits| [(bits, Wrap::AesKw), (bits, Wrap::AesKwp)]) {
        let kek = vec![0x42; bits as usize / 8];
        suite.with_key(KeyKind::Aes { bits }, &kek, |suite, key| wrap_lengths(suite, key, wrap));
    }
    suite.with_key(KeyKind::Generic { bytes: 32 }, &[3; 32], |suite, key| {
        let answer = suite.provider.wrap(key, Wrap::AesKw, &Secret::copy_of(&[0; 16]));
        refused("wrapping with a generic key", answer, Refusal::BadParameters);
        let answer = suite.provider.unwrap(key, Wrap::AesKw, &[0; 24]);
        refused("unwrapping with a generic key", answer, Refusal::BadParameters);
    });
}

fn wrap_lengths(suite: &mut Suite<'_>, key: Key<'_>, wrap: Wrap) {
    let KeyKind::Aes { bits } = key.kind() else {
        return;
    };
    for len in [0_usize, 1, 7, 8, 9, 15, 16, 17, 20, 24, 32, 1217, 4096] {
        let bytes = Secret::new((0..len).map(|i| i as u8).collect());
        let answer = suite.provider.wrap(key, wrap, &bytes);
        let fits = match wrap {
            Wrap::AesKw => len >= 16 && len % 8 == 0,
            Wrap::AesKwp => len > 0,
        };
        if !fits {
            refused(&format!("{wrap:?} of {len} bytes"), answer, Refusal::Failed);
            continue;
        }
        let Some(wrapped) = suite.need(&names::wrap(wrap, bits as usize), answer) else {
            return;
        };
        assert_eq!(wrapped.len(), len.next_multiple_of(8) + 8);
        let unwrap = |wrapped: &[u8]| suite.provider.unwrap(key, wrap, wrapped);
        assert!(unwrap(&wrapped).expect("unwrap") == bytes, "{wrap:?} of {len} bytes does not come back");
        let mut broken = wrapped.clone();
        broken[wrapped.len() - 1] ^= 1;
        refused("a broken wrapping", unwrap(&broken), Refusal::Failed);
        refused("a shortened wrapping", unwrap(&wrapped[..wrapped.len() - 8]), Refusal::Failed);
        refused("a shortened wrapping", unwrap(&wrapped[..wrapped.len() - 1]), Refusal::Failed);
        // What one way wrapped, the other must not take for its own.
        let other = if wrap == Wrap::AesKw { Wrap::AesKwp } else { Wrap::AesKw };
        if let Ok(taken) = suite.provider.unwrap(key, other, &wrapped) {
            panic!("{other:?} unwrapped {taken:?} from {wrap:?}");
        }
    }
    refused("nothing", suite.provider.unwrap(key, wrap, &[]), Refusal::Failed);
}

fn random(suite: &mut Suite<'_>) {
    suite.provider.random(&mut []).expect("no random bytes");
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        let mut block = [0; 16];
        suite.provider.random(&mut block).expect("random");
        assert!(seen.insert(block), "random bytes repeat");
    }
    let mut large = vec![0; 1 << 20];
    suite.provider.random(&mut large).expect("random");
    // 2^20 bytes hold each value 4096 times, give or take 64; a tenth of it is beyond any chance.
    let mut counts = [0_u32; 256];
    large.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    assert!(counts.iter().all(|count| (3600..4600).contains(count)), "random bytes are not even");

    let taken = suite.provider.seed(b"some more").expect("seed");
    assert!(taken <= 9);
}

/// Both sides come to the same secret.
fn agreement(suite: &mut Suite<'_>, kind: KeyKind, len: usize) {
    let pairs = [0, 1].map(|_| SoftwareProvider.generate_pair(kind, Residency::Sealed).expect("a pair in software"));
    let [one, other] = &pairs;
    let Made::Clear(private) = &one.private else { panic!("not in the clear") };
    let Made::Clear(theirs) = &other.private else { panic!("not in the clear") };
    let theirs = ClearKey::new(kind, theirs.clone());
    let expected =
        SoftwareProvider.derive(Key::Clear(&theirs), &Derivation::Ecdh { peer: &one.public }, len).expect("ECDH");
    suite.with_key(kind, private.expose(), |suite, key| {
        let answer = suite.provider.derive(key, &Derivation::Ecdh { peer: &other.public }, len);
        if let Some(answer) = suite.need("derivation of bytes for the server", answer) {
            assert_eq!(answer.expose(), expected.expose(), "{kind:?}");
            let other = if kind == (KeyKind::Ec { curve: Curve::P256 }) { Curve::P384 } else { Curve::P256 };
            let foreign =
                SoftwareProvider.generate_pair(KeyKind::Ec { curve: other }, Residency::Sealed).expect("a pair");
            let answer = suite.provider.derive(key, &Derivation::Ecdh { peer: &foreign.public }, len);
            refused("a key on another curve", answer, Refusal::BadParameters);
        }
    });
}

/// Eight threads use the same keys; none may see another's data.
fn threads(suite: &mut Suite<'_>) {
    let kind = KeyKind::Ec { curve: Curve::P256 };
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).expect("a pair in software");
    let Made::Clear(private) = &made.private else { panic!("not in the clear") };
    suite.with_key(KeyKind::Aes { bits: 256 }, &[6; 32], |suite, aes| {
        suite.with_key(kind, private.expose(), |suite, ec| {
            let provider = suite.provider;
            thread::scope(|scope| {
                for thread in 0..8_u8 {
                    let public = &made.public;
                    scope.spawn(move || {
                        (0..25).for_each(|round| all_at_once(provider, aes, ec, public, [thread, round]))
                    });
                }
            });
        });
    });
}

fn all_at_once(provider: &dyn Provider, aes: Key<'_>, ec: Key<'_>, public: &[u8], mark: [u8; 2]) {
    let data = mark.repeat(500);
    let iv = mark.repeat(6);
    let cipher = Cipher::AesGcm { iv: &iv, aad: &mark, tag_len: 16, tag: &[] };
    let out = provider.encrypt(aes, &cipher, &data).expect("encrypt");
    let cipher = Cipher::AesGcm { iv: &iv, aad: &mark, tag_len: 16, tag: &out.tag };
    assert!(provider.decrypt(aes, &cipher, &out.data).expect("decrypt").expose() == data);
    let scheme = Signature::Ecdsa(Hash::Sha256);
    let digest = public::hash(Hash::Sha256, &data);
    let signature = provider.sign(ec, scheme, Message::Digest(&digest)).expect("sign");
    assert!(public::verify(public, scheme, Message::Data(&data), &signature).expect("verify"));
    let failed = provider.decrypt(aes, &cipher, &data);
    assert!(matches!(failed, Err(CryptoError::Failed(_))), "{failed:?}");
}
