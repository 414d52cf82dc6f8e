//! AES in every mode: published vectors by value, lengths, and what must be refused.

use super::vectors::{self, CTR_IV, KEYS, PLAIN};
use super::{Refusal, Suite, names, refused, unhex};
use crate::crypto::Key;
use crate::crypto::algorithm::{Cipher, KeyKind, Padding};

pub(super) fn run(suite: &mut Suite<'_>) {
    for (bits, cbc, ctr, ecb) in vectors::SP800_38A {
        let key = unhex(KEYS[bits / 64 - 2]);
        let (iv, counter) = (unhex("000102030405060708090a0b0c0d0e0f"), unhex(CTR_IV));
        suite.with_key(aes(&key), &key, |suite, key| {
            let none = Padding::None;
            known(suite, "AES-CBC", key, &Cipher::AesCbc { iv: &iv, padding: none }, PLAIN, cbc, "");
            known(suite, "AES-CTR", key, &Cipher::AesCtr { iv: &counter, bits: 128 }, PLAIN, ctr, "");
            known(suite, "AES-ECB", key, &Cipher::AesEcb { padding: none }, PLAIN, ecb, "");
        });
    }
    for vector in vectors::GCM {
        let (key, iv, aad) = (unhex(vector.key), unhex(vector.iv), unhex(vector.aad));
        suite.with_key(aes(&key), &key, |suite, key| {
            let cipher = Cipher::AesGcm { iv: &iv, aad: &aad, tag_len: 16, tag: &[] };
            let what = gcm_name(iv.len(), 16);
            known(suite, &what, key, &cipher, vector.plain, vector.cipher, vector.tag);
        });
    }
    for bytes in [16, 24, 32] {
        let bytes: Vec<u8> = (0..bytes).collect();
        suite.with_key(aes(&bytes), &bytes, |suite, key| {
            lengths(suite, key);
            padded(suite, key);
            gcm(suite, key);
            counter(suite, key);
            bad_parameters(suite, key);
        });
    }
}

fn aes(key: &[u8]) -> KeyKind {
    KeyKind::Aes { bits: key.len() as u32 * 8 }
}

fn gcm_name(iv: usize, tag: usize) -> String {
    match (iv, tag) {
        (12, 16) => "AES-GCM".into(),
        (_, 16) => format!("AES-GCM with other nonces (bytes): {iv}"),
        (12, _) => format!("AES-GCM with other tags (bytes): {tag}"),
        _ => "AES-GCM with other nonces and tags".into(),
    }
}

fn known(suite: &mut Suite<'_>, what: &str, key: Key<'_>, cipher: &Cipher<'_>, plain: &str, text: &str, tag: &str) {
    let (plain, text, tag) = (unhex(plain), unhex(text), unhex(tag));
    let Some(out) = suite.need(what, suite.provider.encrypt(key, cipher, &plain)) else {
        return;
    };
    assert_eq!(hex::encode(&out.data), hex::encode(&text), "{what} {:?}", key.kind());
    assert_eq!(hex::encode(&out.tag), hex::encode(&tag), "{what} {:?}", key.kind());
    let back = suite.provider.decrypt(key, &with_tag(*cipher, &tag), &text);
    let back = back.expect("what encrypts also decrypts");
    assert_eq!(back.expose(), plain, "{what}");
}

fn with_tag<'a>(cipher: Cipher<'a>, tag: &'a [u8]) -> Cipher<'a> {
    match cipher {
        Cipher::AesGcm { iv, aad, tag_len, .. } => Cipher::AesGcm { iv, aad, tag_len, tag },
        other => other,
    }
}

/// No data, one byte, around a block, and a mebibyte, in every mode.
fn lengths(suite: &mut Suite<'_>, key: Key<'_>) {
    let iv = [0x10; 16];
    let [cbc, ecb] = ["AES-CBC", "AES-ECB"].map(|name| names::padded(name, Padding::Pkcs5));
    let modes = [
        ("AES-GCM", Cipher::AesGcm { iv: &iv[..12], aad: b"aad", tag_len: 16, tag: &[] }, 1, 0),
        ("AES-CTR", Cipher::AesCtr { iv: &iv, bits: 128 }, 1, 0),
        ("AES-CBC", Cipher::AesCbc { iv: &iv, padding: Padding::None }, 16, 0),
        ("AES-ECB", Cipher::AesEcb { padding: Padding::None }, 16, 0),
        (&cbc, Cipher::AesCbc { iv: &iv, padding: Padding::Pkcs5 }, 1, 16),
        (&ecb, Cipher::AesEcb { padding: Padding::Pkcs5 }, 1, 16),
    ];
    for (what, cipher, unit, pad) in modes {
        for len in [0, 1, 15, 16, 17, 32, 1024, 1 << 20] {
            let data: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
            let answer = suite.provider.encrypt(key, &cipher, &data);
            if len % unit != 0 {
                if !suite.lacking.contains(what) {
                    refused(what, answer, Refusal::Failed);
                    refused(what, suite.provider.decrypt(key, &cipher, &data), Refusal::Failed);
                }
                continue;
            }
            let Some(out) = suite.need(what, answer) else {
                break;
            };
            let expected = if pad == 0 { len } else { len + pad - len % pad };
            assert_eq!(out.data.len(), expected, "{what} of {len} bytes");
            let back = suite.provider.decrypt(key, &with_tag(cipher, &out.tag), &out.data).expect(what);
            assert!(back.expose() == data, "{what} of {len} bytes does not come back");
        }
    }
}

fn padded(suite: &mut Suite<'_>, key: Key<'_>) {
    let iv = [0x10; 16];
    for (name, padded, bare) in [
        (
            "AES-CBC",
            Cipher::AesCbc { iv: &iv, padding: Padding::Pkcs5 },
            Cipher::AesCbc { iv: &iv, padding: Padding::None },
        ),
        ("AES-ECB", Cipher::AesEcb { padding: Padding::Pkcs5 }, Cipher::AesEcb { padding: Padding::None }),
    ] {
        // What stands under the padding can be seen without it.
        let what = &names::padded(name, Padding::Pkcs5);
        let Some(out) = suite.need(what, suite.provider.encrypt(key, &padded, b"12345")) else {
            continue;
        };
        let Some(seen) = suite.need(name, suite.provider.decrypt(key, &bare, &out.data)) else {
            continue;
        };
        assert_eq!(seen.expose(), b"12345\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b");

        let wrong: [&[u8; 16]; 5] = [
            b"123456789012345\x00",
            b"123456789012345\x11",
            b"12345678901234\x01\x02",
            b"1234567890123\x02\x03\x03",
            b"\x0f\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10\x10",
        ];
        for wrong in wrong {
            let text = suite.provider.encrypt(key, &bare, wrong).expect(name).data;
            refused(what, suite.provider.decrypt(key, &padded, &text), Refusal::Failed);
        }
        refused(what, suite.provider.decrypt(key, &padded, &[]), Refusal::Failed);
        refused(what, suite.provider.decrypt(key, &padded, &[0; 17]), Refusal::Failed);
    }
}

fn gcm(suite: &mut Suite<'_>, key: Key<'_>) {
    for iv_len in [1, 8, 11, 12, 13, 16, 64, 128] {
        gcm_with(suite, key, iv_len, 16);
    }
    for tag_len in [4, 8, 12, 13, 14, 15] {
        gcm_with(suite, key, 12, tag_len);
    }
    gcm_with(suite, key, 16, 12);
}

fn gcm_with(suite: &mut Suite<'_>, key: Key<'_>, iv_len: usize, tag_len: usize) {
    let what = gcm_name(iv_len, tag_len);
    let iv = vec![0xa5; iv_len];
    let cipher = Cipher::AesGcm { iv: &iv, aad: b"aad", tag_len, tag: &[] };
    let data = [0x77; 37];
    let Some(out) = suite.need(&what, suite.provider.encrypt(key, &cipher, &data)) else {
        return;
    };
    assert_eq!((out.data.len(), out.tag.len()), (data.len(), tag_len), "{what}");
    let full = Cipher::AesGcm { iv: &iv, aad: b"aad", tag_len: 16, tag: &[] };
    if let Ok(full) = suite.provider.encrypt(key, &full, &data) {
        assert_eq!((&full.data, &full.tag[..tag_len]), (&out.data, &out.tag[..]), "{what} is not the full tag's start");
    }
    let open = |iv: &[u8], aad: &[u8], tag: &[u8], text: &[u8]| {
        suite.provider.decrypt(key, &Cipher::AesGcm { iv, aad, tag_len, tag }, text)
    };
    assert_eq!(open(&iv, b"aad", &out.tag, &out.data).expect(&what).expose(), data);
    for bit in 0..tag_len * 8 {
        let mut tag = out.tag.clone();
        tag[bit / 8] ^= 1 << (bit % 8);
        refused(&what, open(&iv, b"aad", &tag, &out.data), Refusal::Failed);
    }
    let mut text = out.data.clone();
    text[36] ^= 1;
    refused(&what, open(&iv, b"aad", &out.tag, &text), Refusal::Failed);
    refused(&what, open(&iv, b"aad", &out.tag, &out.data[..36]), Refusal::Failed);
    refused(&what, open(&iv, b"aae", &out.tag, &out.data), Refusal::Failed);
    refused(&what, open(&vec![0xa6; iv_len], b"aad", &out.tag, &out.data), Refusal::Failed);
    // A tag of another length than announced does not verify, even if it is the start of one that would.
    refused(&what, open(&iv, b"aad", &out.tag[..tag_len - 1], &out.data), Refusal::Failed);
    refused(&what, open(&iv, b"aad", &[], &out.data), Refusal::Failed);
}

/// The counter is 128 bits wide, and must not come round.
fn counter(suite: &mut Suite<'_>, key: Key<'_>) {
    let ecb = Cipher::AesEcb { padding: Padding::None };
    let mut low = [0; 16];
    low[8..].fill(0xff);
    let Some(out) =
        suite.need("AES-CTR", suite.provider.encrypt(key, &Cipher::AesCtr { iv: &low, bits: 128 }, &[0; 32]))
    else {
        return;
    };
    let mut next = [0; 16];
    next[7] = 1;
    if let Some(stream) = suite.need("AES-ECB", suite.provider.encrypt(key, &ecb, &[low, next].concat())) {
        assert_eq!(out.data, stream.data, "the carry does not reach the upper half of the counter");
    }
    let mut last = [0xff; 16];
    let run = |iv: &[u8; 16], len: usize| suite.provider.encrypt(key, &Cipher::AesCtr { iv, bits: 128 }, &vec![0; len]);
    assert_eq!(run(&last, 16).expect("the last counter").data.len(), 16);
    refused("a counter that wraps", run(&last, 17), Refusal::BadParameters);
    last[15] = 0xfe;
    assert_eq!(run(&last, 32).expect("the last counter").data.len(), 32);
    refused("a counter that wraps", run(&last, 33), Refusal::BadParameters);
    let back = suite.provider.decrypt(key, &Cipher::AesCtr { iv: &last, bits: 128 }, &[0; 33]);
    refused("a counter that wraps", back, Refusal::BadParameters);
}

fn bad_parameters(suite: &mut Suite<'_>, key: Key<'_>) {
    let iv = [0; 17];
    let gcm = |iv, tag_len| Cipher::AesGcm { iv, aad: &[], tag_len, tag: &[] };
    let padding = Padding::Pkcs5;
    for cipher in [
        gcm(&[], 16),
        gcm(&iv[..12], 0),
        gcm(&iv[..12], 5),
        gcm(&iv[..12], 11),
        gcm(&iv[..12], 17),
        Cipher::AesCbc { iv: &[], padding },
        Cipher::AesCbc { iv: &iv[..15], padding },
        Cipher::AesCbc { iv: &iv, padding: Padding::None },
        Cipher::AesCtr { iv: &iv[..15], bits: 128 },
        Cipher::AesCtr { iv: &iv, bits: 128 },
    ] {
        let what = format!("{cipher:?}");
        refused(&what, suite.provider.encrypt(key, &cipher, &[0; 16]), Refusal::BadParameters);
        refused(&what, suite.provider.decrypt(key, &cipher, &[0; 16]), Refusal::BadParameters);
    }
    suite.with_key(KeyKind::Generic { bytes: 32 }, &[1; 32], |suite, key| {
        let cipher = Cipher::AesEcb { padding };
        refused("AES with a generic key", suite.provider.encrypt(key, &cipher, &[0; 16]), Refusal::BadParameters);
        refused("AES with a generic key", suite.provider.decrypt(key, &cipher, &[0; 16]), Refusal::BadParameters);
    });
}
