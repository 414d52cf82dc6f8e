//! The other modes of AES: CCM, XTS, the key wraps as modes, and every padding.

use super::vectors::{self, XTS};
use super::{Refusal, Suite, names, refused, unhex};
use crate::crypto::Key;
use crate::crypto::algorithm::{Cipher, KeyKind, Padding, Wrap};

pub(super) fn run(suite: &mut Suite<'_>) {
    ccm(suite);
    xts(suite);
    wraps(suite);
    for bytes in [16, 24, 32] {
        let bytes: Vec<u8> = (0..bytes).collect();
        suite.with_key(aes(&bytes), &bytes, paddings);
    }
}

fn aes(key: &[u8]) -> KeyKind {
    KeyKind::Aes { bits: key.len() as u32 * 8 }
}

fn ccm(suite: &mut Suite<'_>) {
    let key: Vec<u8> = (0x40..0x50).collect();
    suite.with_key(aes(&key), &key, |suite, key| {
        for (nonce, aad, plain, text, tag_len) in vectors::CCM {
            let nonce: Vec<u8> = (0x10..).take(nonce).collect();
            let aad: Vec<u8> = (0..aad).map(|at| at as u8).collect();
            let plain: Vec<u8> = (0x20..).take(plain).collect();
            let expected = unhex(text);
            let cipher = Cipher::AesCcm { nonce: &nonce, aad: &aad, tag_len, tag: &[] };
            let Some(out) = suite.need("AES-CCM", suite.provider.encrypt(key, &cipher, &plain)) else { return };
            assert_eq!(hex::encode([out.data.clone(), out.tag.clone()].concat()), hex::encode(expected));
            let open = |aad: &[u8], tag: &[u8], text: &[u8]| {
                suite.provider.decrypt(key, &Cipher::AesCcm { nonce: &nonce, aad, tag_len, tag }, text)
            };
            assert_eq!(open(&aad, &out.tag, &out.data).expect("CCM").expose(), plain);
            for bit in 0..tag_len * 8 {
                let mut tag = out.tag.clone();
                tag[bit / 8] ^= 1 << (bit % 8);
                refused("CCM with another tag", open(&aad, &tag, &out.data), Refusal::Failed);
            }
            refused("CCM with other data", open(&aad[1..], &out.tag, &out.data), Refusal::Failed);
            refused("CCM cut short", open(&aad, &out.tag, &out.data[1..]), Refusal::Failed);
            refused("a shorter tag", open(&aad, &out.tag[1..], &out.data), Refusal::Failed);
            refused("no tag", open(&aad, &[], &out.data), Refusal::Failed);
        }
        for (nonce, tag_len) in [(6, 16), (14, 16), (0, 16), (12, 5), (12, 2), (12, 18), (12, 0)] {
            let cipher = Cipher::AesCcm { nonce: &vec![1; nonce], aad: &[], tag_len, tag: &[] };
            let what = format!("CCM with a nonce of {nonce} and a tag of {tag_len} bytes");
            refused(&what, suite.provider.encrypt(key, &cipher, b"data"), Refusal::BadParameters);
        }
        // The longer the nonce, the shorter the data: with 13 bytes its length has two.
        let cipher = Cipher::AesCcm { nonce: &[1; 13], aad: &[], tag_len: 16, tag: &[] };
        let most = suite.provider.encrypt(key, &cipher, &vec![0; 0xffff]).expect("CCM");
        assert_eq!((most.data.len(), most.tag.len()), (0xffff, 16));
        refused("too much for CCM", suite.provider.encrypt(key, &cipher, &vec![0; 0x10000]), Refusal::Failed);
        let nothing = suite.provider.encrypt(key, &cipher, &[]).expect("CCM of nothing");
        let open = Cipher::AesCcm { nonce: &[1; 13], aad: &[], tag_len: 16, tag: &nothing.tag };
        assert_eq!(suite.provider.decrypt(key, &open, &[]).expect("CCM of nothing").len(), 0);
    });
}

fn xts(suite: &mut Suite<'_>) {
    for (key, tweak, plain, text) in XTS {
        let (key, plain, text) = (unhex(key), unhex(plain), unhex(text));
        let mut number = unhex(tweak);
        number.resize(16, 0);
        let kind = if key.len() == 64 { KeyKind::Generic { bytes: 64 } } else { aes(&key) };
        suite.with_key(kind, &key, |suite, key| {
            let cipher = Cipher::AesXts { tweak: &number };
            let Some(back) = suite.need("AES-XTS", suite.provider.decrypt(key, &cipher, &text)) else { return };
            assert_eq!(hex::encode(back.expose()), hex::encode(&plain));
            let out = suite.provider.encrypt(key, &cipher, &plain);
            if tweak.is_empty() {
                return refused("XTS with one key twice", out, Refusal::BadParameters);
            }
            assert_eq!(hex::encode(out.expect("XTS").data), hex::encode(&text));
        });
    }
    for (kind, bytes) in [(KeyKind::Aes { bits: 256 }, 32_u8), (KeyKind::Generic { bytes: 64 }, 64)] {
        let bytes: Vec<u8> = (0..bytes).collect();
        suite.with_key(kind, &bytes, |suite, key| {
            let cipher = Cipher::AesXts { tweak: &[7; 16] };
            for len in (16..=64).chain([512, 520, 1 << 20]) {
                let data: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
                let Some(out) = suite.need("AES-XTS", suite.provider.encrypt(key, &cipher, &data)) else { return };
                assert_eq!(out.data.len(), len);
                assert!(suite.provider.decrypt(key, &cipher, &out.data).expect("XTS").expose() == data, "{len}");
            }
            for len in [0, 1, 15] {
                refused(
                    "XTS of less than a block",
                    suite.provider.encrypt(key, &cipher, &vec![0; len]),
                    Refusal::Failed,
                );
                refused(
                    "XTS of less than a block",
                    suite.provider.decrypt(key, &cipher, &vec![0; len]),
                    Refusal::Failed,
                );
            }
            let short = Cipher::AesXts { tweak: &[7; 15] };
            refused("a short tweak", suite.provider.encrypt(key, &short, &[0; 16]), Refusal::BadParameters);
        });
    }
    suite.with_key(KeyKind::Aes { bits: 128 }, &[3; 16], |suite, key| {
        let cipher = Cipher::AesXts { tweak: &[7; 16] };
        refused("XTS with half a key", suite.provider.encrypt(key, &cipher, &[0; 16]), Refusal::BadParameters);
    });
}

/// As a mode a wrap answers the same as it does for keys, and tells a wrong length from a wrong one by nothing.
fn wraps(suite: &mut Suite<'_>) {
    for (wrap, kek, bytes, wrapped) in vectors::WRAP {
        let (kek, bytes, wrapped) = (unhex(kek), unhex(bytes), unhex(wrapped));
        suite.with_key(aes(&kek), &kek, |suite, key| {
            let cipher = Cipher::AesWrap(wrap);
            let what = cipher.name();
            let Some(out) = suite.need(what, suite.provider.encrypt(key, &cipher, &bytes)) else { return };
            assert_eq!((hex::encode(out.data), out.tag.len()), (hex::encode(&wrapped), 0), "{what}");
            assert_eq!(suite.provider.decrypt(key, &cipher, &wrapped).expect(what).expose(), bytes, "{what}");
            let mut broken = wrapped.clone();
            broken[0] ^= 1;
            let answers = [&broken[..], &wrapped[1..], &wrapped[8..], &[]].map(|text| {
                let answer = suite.provider.decrypt(key, &cipher, text);
                refused(what, answer, Refusal::Failed);
                suite.provider.decrypt(key, &cipher, text).expect_err(what).to_string()
            });
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
            if wrap == Wrap::AesKw {
                refused(what, suite.provider.encrypt(key, &cipher, &[0; 17]), Refusal::Failed);
            }
            refused(what, suite.provider.encrypt(key, &cipher, &[]), Refusal::Failed);
        });
    }
}

fn paddings(suite: &mut Suite<'_>, key: Key<'_>) {
    let iv = [0x10; 16];
    for padding in [Padding::Pkcs5, Padding::AnsiX923, Padding::Iso10126] {
        for (padded, bare) in [
            (Cipher::AesCbc { iv: &iv, padding }, Cipher::AesCbc { iv: &iv, padding: Padding::None }),
            (Cipher::AesEcb { padding }, Cipher::AesEcb { padding: Padding::None }),
        ] {
            let what = names::padded(padded.name(), padding);
            for len in [0_usize, 5, 16, 31] {
                let data = vec![0x77; len];
                let Some(out) = suite.need(&what, suite.provider.encrypt(key, &padded, &data)) else { return };
                assert_eq!(out.data.len(), (len / 16 + 1) * 16);
                assert_eq!(suite.provider.decrypt(key, &padded, &out.data).expect(&what).expose(), data);
                let seen = suite.provider.decrypt(key, &bare, &out.data).expect(&what);
                let fill = seen.len() - len;
                assert_eq!(usize::from(seen.expose()[seen.len() - 1]), fill, "{what}");
                let between = &seen.expose()[len..seen.len() - 1];
                let expected = match padding {
                    Padding::Pkcs5 => vec![fill as u8; fill - 1],
                    Padding::AnsiX923 => vec![0; fill - 1],
                    _ => continue,
                };
                assert_eq!(between, expected, "{what}");
            }
            // One answer to whatever is wrong.
            let mut answers = Vec::new();
            for wrong in [b"123456789012345\x00", b"123456789012345\x11"] {
                let text = suite.provider.encrypt(key, &bare, wrong).expect(&what).data;
                answers.push(suite.provider.decrypt(key, &padded, &text));
            }
            answers.push(suite.provider.decrypt(key, &padded, &[]));
            answers.push(suite.provider.decrypt(key, &padded, &[0; 17]));
            let texts: Vec<String> = answers.iter().map(|answer| format!("{answer:?}")).collect();
            assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
            answers.into_iter().for_each(|answer| refused(&what, answer, Refusal::Failed));
        }
    }
}
