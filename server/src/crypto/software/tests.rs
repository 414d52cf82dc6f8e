use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{AesGcm, aes::Aes256};

use super::*;
use crate::crypto::algorithm::{Curve, Hash, Padding};
use crate::crypto::{Place, public, suite};

#[test]
fn the_suite_passes_and_the_table_says_what_is_lacking() {
    let seen = suite::try_all(&SoftwareProvider, &|| Residency::Sealed);
    suite::table::compare("software", suite::table::Keys::Clear, &seen);
}

/// What a key is not for, it is as much refused when it was used before.
#[test]
fn what_is_made_of_a_key_is_made_once() {
    let kind = KeyKind::Ec { curve: Curve::P256 };
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
    let Made::Clear(private) = made.private else { panic!("not in the clear") };
    let pair = ClearKey::new(kind, private.clone());
    assert!(std::ptr::eq(pair.pair().unwrap(), pair.pair().unwrap()));
    assert!(pair.gcm().is_err());
    let aes = ClearKey::new(KeyKind::Aes { bits: 128 }, Secret::copy_of(&[1; 16]));
    assert!(std::ptr::eq(aes.gcm().unwrap(), aes.gcm().unwrap()));
    assert!(aes.pair().is_err());
    // A key that is not what it is said to be is refused, and refused again.
    let other = ClearKey::new(KeyKind::Ec { curve: Curve::P384 }, private);
    for _ in 0..2 {
        assert!(matches!(other.pair(), Err(CryptoError::BadParameters(_))));
    }
    assert_eq!(format!("{aes:?}"), "ClearKey(Aes { bits: 128 })");
}

fn clear(key: &[u8]) -> ClearKey {
    ClearKey::new(KeyKind::Aes { bits: 256 }, Secret::copy_of(key))
}

#[test]
fn guarded_keys_are_another_providers() {
    let aes = KeyKind::Aes { bits: 256 };
    let secret = Secret::copy_of(&[1; 32]);
    for place in [Place::Token, Place::Wrapped([0; 40].into())] {
        let guarded = Guarded { id: [1; 16], kind: aes, place };
        let key = Key::Guarded(&guarded);
        let cipher = Cipher::AesEcb { padding: Padding::None };
        let provider = SoftwareProvider;
        let answers = [
            provider.encrypt(key, &cipher, &[]).map(drop),
            provider.decrypt(key, &cipher, &[]).map(drop),
            provider.sign(key, Signature::Ecdsa(Hash::Sha256), Message::Data(&[])).map(drop),
            provider.mac(key, Mac::Hmac(Hash::Sha256), &[]).map(drop),
            provider.wrap(key, Wrap::AesKw, &secret).map(drop),
            provider.unwrap(key, Wrap::AesKw, &[0; 40]).map(drop),
            provider.destroy(&guarded),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(CryptoError::Unsupported(_))), "{answer:?}");
        }
    }
    for residency in [Residency::Wrapped, Residency::Token([0; 16])] {
        assert!(!SoftwareProvider.offers(aes, residency));
        let answers = [
            SoftwareProvider.generate(aes, residency).map(drop),
            SoftwareProvider.generate_pair(KeyKind::Ec { curve: Curve::P256 }, residency).map(drop),
            SoftwareProvider.adopt(aes, &secret, residency).map(drop),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(CryptoError::Unsupported(_))), "{answer:?}");
        }
    }
}

/// What is put together here from GHASH and CTR, against a whole implementation: nonces of 12 and of 16 bytes,
/// and every length up to five blocks.
#[test]
fn gcm_agrees_with_another_implementation() {
    let mut key = [0; 32];
    for round in 0..200_u8 {
        SoftwareProvider.random(&mut key).unwrap();
        let mut iv = [0; 16];
        SoftwareProvider.random(&mut iv).unwrap();
        let data = vec![round; usize::from(round) % 80];
        let aad = vec![round; usize::from(round) % 33];
        let payload = Payload { msg: &data, aad: &aad };
        let mut expected = AesGcm::<Aes256, U16>::new(&key.into()).encrypt(&iv.into(), payload).unwrap();
        let tag = expected.split_off(data.len());
        let sealed = gcm::seal(&clear(&key), &iv, &aad, 16, &data).unwrap();
        assert_eq!((sealed.data, sealed.tag), (expected, tag));

        let nonce: [u8; 12] = iv[..12].try_into().unwrap();
        let payload = Payload { msg: &data, aad: &aad };
        let mut short = AesGcm::<Aes256, U12, U12>::new(&key.into()).encrypt(&nonce.into(), payload).unwrap();
        let tag = short.split_off(data.len());
        assert_eq!(gcm::open(&clear(&key), &nonce, &aad, &tag, &short).unwrap().expose(), data);
    }
}

/// The counter of GCM has 32 bits: where its lower bits come round, the rest stays (SP 800-38D §6.2). With AES-256, a key
/// of 32 times 9 and this nonce the first counter ends in 0xfffff54f, and the data goes past its end.
#[test]
fn the_counter_of_gcm_comes_round() {
    let key = [9; 32];
    let nonce: [u8; 16] = 1332977_u32.to_be_bytes().repeat(4).try_into().unwrap();
    let data = vec![0x3c; 16 << 12];
    let payload = Payload { msg: &data, aad: b"" };
    let mut expected = AesGcm::<Aes256, U16>::new(&key.into()).encrypt(&nonce.into(), payload).unwrap();
    let tag = expected.split_off(data.len());
    let sealed = gcm::seal(&clear(&key), &nonce, b"", 16, &data).unwrap();
    assert!(sealed.data == expected && sealed.tag == tag);
}

#[test]
fn a_prepared_key_signs_as_the_provider_does() {
    for kind in [KeyKind::Ec { curve: Curve::P384 }, KeyKind::Rsa { bits: 2048 }] {
        let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
        let Made::Clear(private) = made.private else { panic!("not in the clear") };
        let prepared = Prepared::new(kind, &private).unwrap();
        assert_eq!(prepared.kind(), kind);
        assert_eq!(prepared.public().unwrap(), made.public);
        let scheme = if matches!(kind, KeyKind::Rsa { .. }) {
            Signature::RsaPkcs1(Hash::Sha512)
        } else {
            Signature::Ecdsa(Hash::Sha512)
        };
        let signature = prepared.sign(scheme, Message::Data(b"data")).unwrap();
        assert!(public::verify(&made.public, scheme, Message::Data(b"data"), &signature).unwrap());
    }
}

/// The form is right and the numbers are not: a key that would sign wrongly, or give itself away, is not adopted.
#[test]
fn numbers_that_do_not_belong_together_are_refused() {
    let kind = KeyKind::Rsa { bits: 2048 };
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
    let Made::Clear(private) = made.private else { panic!("not in the clear") };
    let parts = crate::crypto::keyformat::RsaPrivateParts::from_pkcs8(private.expose()).unwrap();
    for which in 0..6 {
        let mut parts = parts.clone();
        let number = match which {
            0 => &mut parts.private_exponent,
            1 => &mut parts.p,
            2 => &mut parts.q,
            3 => &mut parts.dp,
            4 => &mut parts.dq,
            _ => &mut parts.qinv,
        };
        let mut bytes = number.expose().to_vec();
        bytes[20] ^= 4;
        *number = Secret::new(bytes);
        let answer = SoftwareProvider.adopt(kind, &parts.to_pkcs8().unwrap(), Residency::Sealed);
        assert!(matches!(answer, Err(CryptoError::BadParameters(_))), "{which}: {answer:?}");
    }
}

/// A seed decides: an expanded key beside it must be what comes of it (RFC 9881 §8, RFC 9935 §8). An expanded key of ML-KEM
/// alone must belong to the public key within it.
#[test]
fn what_contradicts_itself_in_a_post_quantum_key_is_refused() {
    use crate::crypto::algorithm::ParameterSet;
    use crate::crypto::keyformat::PostQuantumPrivateParts;
    for set in ParameterSet::ALL {
        let kind = KeyKind::PostQuantum { set };
        let Some(seed_len) = set.seed_len() else { continue };
        let seed = Secret::new(vec![7; seed_len]);
        let parts = |seed: Option<&Secret>, expanded: Option<Vec<u8>>| {
            let parts = PostQuantumPrivateParts { set, seed: seed.cloned(), expanded: expanded.map(Secret::new) };
            parts.to_pkcs8().unwrap()
        };
        let expanded = expanded_key(&parts(Some(&seed), None)).unwrap().expose().to_vec();
        let whole = parts(Some(&seed), Some(expanded.clone()));
        let public = Prepared::new(kind, &whole).unwrap().public().unwrap();
        assert_eq!(Prepared::new(kind, &parts(None, Some(expanded.clone()))).unwrap().public().unwrap(), public);
        // The last byte is of z, or of t0: neither is in the public key.
        let mut changed = expanded.clone();
        *changed.last_mut().unwrap() ^= 1;
        let answer = Prepared::new(kind, &parts(Some(&seed), Some(changed))).map(drop);
        assert!(matches!(answer, Err(CryptoError::BadParameters(_))), "{set:?}: {answer:?}");
        if set.is_kem() {
            for place in [0, set.expanded_len() - 65, set.expanded_len() - 64] {
                let mut changed = expanded.clone();
                changed[place] ^= 1;
                let answer = Prepared::new(kind, &parts(None, Some(changed))).map(drop);
                assert!(matches!(answer, Err(CryptoError::BadParameters(_))), "{set:?} {place}: {answer:?}");
            }
        }
    }
}
