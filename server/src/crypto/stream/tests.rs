//! In parts comes out what comes out of the whole, wherever it is cut.

use super::*;
use crate::crypto::ClearKey;
use crate::crypto::algorithm::KeyKind;
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
    let bytes = Secret::copy_of(&[3; 32]);
    let aes = ClearKey::new(KeyKind::Aes { bits: 256 }, bytes.clone());
    let aes = Key::Clear(&aes);
    let stream = ClearKey::new(KeyKind::Generic { bytes: 32 }, bytes.clone());
    let stream = Key::Clear(&stream);
    let short = Secret::copy_of(&data(24));
    let tdes = ClearKey::new(KeyKind::Generic { bytes: 24 }, short.clone());
    let tdes = Key::Clear(&tdes);
    for padding in [Padding::None, Padding::Pkcs5] {
        for len in [0, 16, 48] {
            agrees(aes, &Cipher::AesCbc { iv: &IV, padding }, &data(len));
            agrees(aes, &Cipher::AesEcb { padding }, &data(len));
            agrees(tdes, &Cipher::TdesCbc { iv: &IV[..8], padding }, &data(len));
            agrees(tdes, &Cipher::TdesEcb { padding }, &data(len));
        }
    }
    agrees(aes, &Cipher::AesCbc { iv: &IV, padding: Padding::Pkcs5 }, &data(21));
    agrees(tdes, &Cipher::TdesCbc { iv: &IV[..8], padding: Padding::Pkcs5 }, &data(21));
    for len in [0, 1, 16, 40, 130] {
        agrees(aes, &Cipher::AesCtr { iv: &IV }, &data(len));
        agrees(aes, &Cipher::AesCfb { iv: &IV }, &data(len));
        agrees(aes, &Cipher::AesOfb { iv: &IV }, &data(len));
        agrees(stream, &Cipher::ChaCha20 { nonce: &IV[..12], counter: 1 }, &data(len));
        agrees(stream, &Cipher::ChaCha20 { nonce: &IV[..8], counter: 0 }, &data(len));
        for iv in [&IV[..12], &IV[..8]] {
            agrees(aes, &Cipher::AesGcm { iv, aad: b"header", tag_len: 16, tag: &[] }, &data(len));
            agrees(aes, &Cipher::AesGcm { iv, aad: b"", tag_len: 12, tag: &[] }, &data(len));
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
