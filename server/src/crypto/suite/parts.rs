//! Work in parts whose state the provider keeps, if it keeps any.

use super::Suite;
use crate::crypto::algorithm::{Cipher, Hash, KeyKind, Mac};
use crate::crypto::{CryptoError, Holding};

/// What is kept in parts comes to what comes of the whole; and a key that goes takes it along.
pub(super) fn kept(suite: &mut Suite<'_>) {
    let data: Vec<u8> = (0..100_u8).collect();
    for (kind, bytes, mac) in [
        (KeyKind::Generic { bytes: 32 }, [7; 32], Mac::Hmac(Hash::Sha256)),
        (KeyKind::Aes { bits: 256 }, [7; 32], Mac::Cmac),
    ] {
        suite.with_key(kind, &bytes, |suite, key| {
            let Some(mut work) = begun(suite.provider.begin_mac(key, mac)) else { return };
            let whole = suite.provider.mac(key, mac, &data).expect("a MAC");
            let mut other = suite.provider.begin_mac(key, mac).expect("another at a time").expect("another");
            for part in [&data[..1], &[], &data[1..40], &data[40..]] {
                assert!(work.update(part).expect("a part").is_empty());
            }
            other.update(&data).expect("a part");
            assert_eq!(work.finish().expect("the end"), whole);
            assert_eq!(other.finish().expect("the end of the other"), whole);
            // It has ended.
            assert!(work.update(&data).is_err() && work.finish().is_err());
        });
    }
    let cipher = Cipher::AesGcm { iv: &[9; 12], aad: b"header", tag_len: 16, tag: &[] };
    suite.with_key(KeyKind::Aes { bits: 256 }, &[3; 32], |suite, key| {
        let Some(mut work) = begun(suite.provider.begin_encryption(key, &cipher)) else { return };
        let whole = suite.provider.encrypt(key, &cipher, &data).expect("GCM");
        let mut out = Vec::new();
        for part in [&data[..1], &[], &data[1..40], &data[40..]] {
            out.extend(work.update(part).expect("a part"));
        }
        out.extend(work.finish().expect("the end"));
        assert_eq!(out, [whole.data, whole.tag].concat());
        let wrong = Cipher::AesGcm { iv: &[9; 12], aad: &[], tag_len: 3, tag: &[] };
        let refused = suite.provider.begin_encryption(key, &wrong).err();
        assert!(matches!(refused, Some(CryptoError::BadParameters(_))), "{refused:?}");
    });
}

/// What was begun. A provider that keeps nothing, or lacks the algorithm, says so.
fn begun(answer: Result<Option<Box<dyn Holding>>, CryptoError>) -> Option<Box<dyn Holding>> {
    match answer {
        Ok(work) => work,
        Err(CryptoError::Unsupported(_)) => None,
        Err(error) => panic!("{error}"),
    }
}
