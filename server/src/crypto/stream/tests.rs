//! In parts comes out what comes out of the whole, wherever it is cut.

use super::*;
use crate::crypto::ClearKey;
use crate::crypto::algorithm::{KeyKind, Wrap};
use crate::crypto::software::SoftwareProvider;

const MOST: usize = 1024;

const IV: [u8; 16] = [9; 16];

fn data(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7) as u8).collect()
}

/// Cuts of some data: each at one place, and all its bytes.
fn cuts(data: &[u8]) -> Vec<Vec<&[u8]>> {
    let mut cuts: Vec<Vec<&[u8]>> = (0..=data.len()).map(|at| vec![&data[..at], &data[at..]]).collect();
    cuts.push(std::iter::once(&data[..0]).chain(data.chunks(1)).collect());
    cuts.push(vec![&[], data, &[]]);
    cuts
}

fn run(cipher: &Cipher<'_>, encrypts: bool, key: Key<'_>, parts: &[&[u8]]) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
    let mut work = Ciphering::begin(cipher, encrypts, MOST);
    let (mut out, mut tag) = (Vec::new(), Vec::new());
    for (place, part) in parts.iter().enumerate() {
        let stepped = work.step(&SoftwareProvider, key, part, place + 1 == parts.len())?;
        out.extend_from_slice(stepped.data.expose());
        tag = stepped.tag;
    }
    Ok((out, tag))
}

fn agrees(key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) {
    let whole = SoftwareProvider.encrypt(key, cipher, data).unwrap();
    let opening = cipher.with(cipher.iv(), cipher.aad(), &whole.tag);
    for cut in cuts(data) {
        let (out, tag) = run(cipher, true, key, &cut).unwrap();
        assert_eq!((out, tag), (whole.data.clone(), whole.tag.clone()), "{} {cut:?}", cipher.name());
    }
    for cut in cuts(&whole.data) {
        assert_eq!(run(&opening, false, key, &cut).unwrap().0, data, "{} {cut:?}", cipher.name());
    }
}

#[test]
fn every_mode_agrees_with_the_whole() {
    let bytes = Secret::new(data(32));
    let aes = ClearKey::new(KeyKind::Aes { bits: 256 }, bytes.clone());
    let aes = Key::Clear(&aes);
    let stream = ClearKey::new(KeyKind::Generic { bytes: 32 }, bytes.clone());
    let stream = Key::Clear(&stream);
    let short = Secret::copy_of(&data(24));
    let tdes = ClearKey::new(KeyKind::Generic { bytes: 24 }, short.clone());
    let tdes = Key::Clear(&tdes);
    for padding in [Padding::None, Padding::Pkcs5, Padding::AnsiX923] {
        for len in [0, 16, 48] {
            agrees(aes, &Cipher::AesCbc { iv: &IV, padding }, &data(len));
            agrees(aes, &Cipher::AesEcb { padding }, &data(len));
            agrees(tdes, &Cipher::TdesCbc { iv: &IV[..8], padding }, &data(len));
            agrees(tdes, &Cipher::TdesEcb { padding }, &data(len));
        }
    }
    agrees(aes, &Cipher::AesWrap(Wrap::AesKw), &data(40));
    agrees(aes, &Cipher::AesWrap(Wrap::AesKwp), &data(21));
    agrees(aes, &Cipher::AesCbc { iv: &IV, padding: Padding::Pkcs5 }, &data(21));
    agrees(tdes, &Cipher::TdesCbc { iv: &IV[..8], padding: Padding::Pkcs5 }, &data(21));
    for len in [0, 1, 16, 40, 130] {
        agrees(aes, &Cipher::AesCtr { iv: &IV, bits: 128 }, &data(len));
        agrees(aes, &Cipher::AesCfb { iv: &IV }, &data(len));
        agrees(aes, &Cipher::AesOfb { iv: &IV }, &data(len));
        agrees(stream, &Cipher::ChaCha20 { nonce: &IV[..12], counter: 1 }, &data(len));
        agrees(stream, &Cipher::ChaCha20 { nonce: &IV[..8], counter: 0 }, &data(len));
        for iv in [&IV[..12], &IV[..8]] {
            agrees(aes, &Cipher::AesGcm { iv, aad: b"header", tag_len: 16, tag: &[] }, &data(len));
            agrees(aes, &Cipher::AesGcm { iv, aad: b"", tag_len: 12, tag: &[] }, &data(len));
        }
        agrees(aes, &Cipher::AesCcm { nonce: &IV[..13], aad: b"header", tag_len: 16, tag: &[] }, &data(len));
        if len >= 16 {
            agrees(aes, &Cipher::AesXts { tweak: &IV }, &data(len));
        }
        let poly = Cipher::ChaCha20Poly1305 { nonce: &IV[..12], aad: b"header", tag_len: 16, tag: &[] };
        agrees(stream, &poly, &data(len));
        agrees(stream, &Cipher::ChaCha20Poly1305 { nonce: &IV[..12], aad: b"", tag_len: 12, tag: &[] }, &data(len));
    }
}

#[test]
fn nothing_is_shown_before_its_tag_verifies() {
    let bytes = Secret::copy_of(&[3; 16]);
    let key = ClearKey::new(KeyKind::Aes { bits: 128 }, bytes.clone());
    let key = Key::Clear(&key);
    let cipher = Cipher::AesGcm { iv: &IV[..12], aad: b"", tag_len: 16, tag: &[0; 16] };
    let mut work = Ciphering::begin(&cipher, false, MOST);
    assert!(work.step(&SoftwareProvider, key, &[1; 64], false).unwrap().data.is_empty());
    let ended = work.step(&SoftwareProvider, key, &[1; 64], true);
    assert!(matches!(ended, Err(CryptoError::Failed(_))));
    // What waits is bounded.
    let mut work = Ciphering::begin(&cipher, false, MOST);
    let part = vec![0; MOST / 2];
    assert!(work.step(&SoftwareProvider, key, &part, false).is_ok());
    assert!(work.step(&SoftwareProvider, key, &part, false).is_ok());
    assert!(matches!(work.step(&SoftwareProvider, key, &[0], false), Err(CryptoError::TooMuch(_))));
}

/// A counter that has come to its end goes on in no further part.
#[test]
fn no_counter_wraps_between_parts() {
    let bytes = Secret::copy_of(&[3; 32]);
    let aes = ClearKey::new(KeyKind::Aes { bits: 256 }, bytes.clone());
    let stream = ClearKey::new(KeyKind::Generic { bytes: 32 }, bytes);
    let mut narrow = [9; 16];
    narrow[14..].fill(0xff);
    for (key, cipher) in [
        (&aes, Cipher::AesCtr { iv: &[0xff; 16], bits: 128 }),
        (&aes, Cipher::AesCtr { iv: &narrow, bits: 16 }),
        (&stream, Cipher::ChaCha20 { nonce: &IV[..12], counter: (u32::MAX - 1).into() }),
    ] {
        let (key, unit) = (Key::Clear(key), cipher.unit());
        for encrypts in [true, false] {
            let parts = |parts: &[usize]| {
                let parts: Vec<Vec<u8>> = parts.iter().map(|&len| data(len)).collect();
                run(&cipher, encrypts, key, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            assert!(parts(&[unit - 1, 1, 0]).is_ok());
            assert!(parts(&[unit, 0]).is_ok());
            for more in [&[unit, 1][..], &[unit, 0, unit], &[unit - 1, 2, 0], &[1, unit]] {
                assert!(matches!(parts(more), Err(CryptoError::BadParameters(_))), "{} {more:?}", cipher.name());
            }
        }
        // The whole is judged in the same way.
        assert!(SoftwareProvider.encrypt(key, &cipher, &data(unit)).is_ok());
        assert!(SoftwareProvider.encrypt(key, &cipher, &data(unit + 1)).is_err());
    }
}

#[test]
fn cmac_and_poly1305_in_parts_are_the_whole() {
    let bytes = Secret::new(data(32));
    let aes = ClearKey::new(KeyKind::Aes { bits: 256 }, bytes.clone());
    let once = ClearKey::new(KeyKind::Generic { bytes: 32 }, bytes);
    for (mac, key) in [(Mac::Cmac, Key::Clear(&aes)), (Mac::Poly1305, Key::Clear(&once))] {
        for len in [0, 1, 15, 16, 17, 32, 50] {
            let whole = SoftwareProvider.mac(key, mac, &data(len)).unwrap();
            for cut in cuts(&data(len)) {
                let mut work = Macing::begin(&SoftwareProvider, mac, key, MOST).unwrap();
                // A copy goes on from where it was made.
                cut.iter().for_each(|part| {
                    work = work.clone();
                    work.update(part).unwrap();
                });
                assert_eq!(work.finish(mac, &SoftwareProvider, key).unwrap(), whole, "{mac:?} {cut:?}");
            }
        }
    }
}

#[test]
fn hmac_in_parts_is_hmac() {
    use Hash::*;
    for hash in [Sha1, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256, Sha3_224, Sha3_256, Sha3_384, Sha3_512] {
        for len in [1, hash.block_len(), hash.block_len() + 1] {
            let bytes = Secret::new(data(len));
            let key = ClearKey::new(KeyKind::Generic { bytes: len as u32 }, bytes.clone());
            let key = Key::Clear(&key);
            let whole = SoftwareProvider.mac(key, Mac::Hmac(hash), &data(50)).unwrap();
            for cut in [vec![&data(50)[..]], vec![&data(50)[..7], &data(50)[7..]]] {
                let mut work = Macing::begin(&SoftwareProvider, Mac::Hmac(hash), key, MOST).unwrap();
                cut.iter().for_each(|part| work.update(part).unwrap());
                assert_eq!(work.finish(Mac::Hmac(hash), &SoftwareProvider, key).unwrap(), whole, "{hash:?} {len}");
            }
        }
    }
}
