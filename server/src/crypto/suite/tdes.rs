//! Triple DES: a published vector by value, both lengths of keys, whatever their parity bits say, and what must be refused.

use super::{Refusal, Suite, names, refused, unhex};
use crate::crypto::algorithm::{Cipher, Hash, KeyKind, Mac, Padding, Wrap};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{ClearKey, Key, Provider};
use crate::secret::Secret;

/// SP 800-67 appendix B.1: key, plaintext, ciphertext.
const KNOWN: [&str; 3] = [
    "0123456789abcdef 23456789abcdef01 456789abcdef0123",
    "5468652071756663 6b2062726f776e20 666f78206a756d70",
    "a826fd8ce53b855f cce21c8112256fe6 68d5c05dd9b6b900",
];
const ECB: Cipher<'static> = Cipher::TdesEcb { padding: Padding::None };

pub(super) fn run(suite: &mut Suite<'_>) {
    let [key, plain, text] = KNOWN.map(unhex);
    // Parity is in the last bit of each byte, and changes nothing.
    let other: Vec<u8> = key.iter().map(|byte| byte ^ 1).collect();
    for key in [&key, &other] {
        suite.with_key(triple(key), key, |suite, handle| {
            let Some(out) = suite.need(ECB.name(), suite.provider.encrypt(handle, &ECB, &plain)) else { return };
            assert_eq!(hex::encode(out.data), hex::encode(&text));
            assert_eq!(suite.provider.decrypt(handle, &ECB, &text).expect("ECB").expose(), plain);
        });
    }
    let same = [[0x42; 8], [0x42; 8], [0x42; 8]].concat();
    for key in [&key, &key[..16].to_vec(), &other, &same] {
        suite.with_key(triple(key), key, |suite, handle| {
            let clear = ClearKey::new(triple(key), Secret::copy_of(key));
            for (len, padding) in [0, 8, 64, 1 << 16].map(|len| (len, Padding::None)).into_iter().chain(padded()) {
                as_outside(suite, handle, &clear, len, padding);
            }
            refusals(suite, handle);
        });
    }
    // Two keys are three, of which the last is the first.
    let two = &key[..16];
    suite.with_key(triple(two), two, |suite, handle| {
        let three = [two, &two[..8]].concat();
        let three = ClearKey::new(triple(&three), Secret::copy_of(&three));
        as_outside(suite, handle, &three, 64, Padding::None);
    });
    // What came in as bytes.
    suite.with_key(KeyKind::Generic { bytes: 24 }, &key, |suite, handle| {
        for cipher in [ECB, Cipher::TdesCbc { iv: &[0; 8], padding: Padding::None }] {
            let what = "Triple DES with a key that was kept as bytes";
            let Some(out) = suite.need(what, suite.provider.encrypt(handle, &cipher, &plain[..8])) else { return };
            assert_eq!(hex::encode(out.data), hex::encode(&text[..8]));
            let back = suite.provider.decrypt(handle, &cipher, &text[..8]).expect(what);
            assert_eq!(back.expose(), &plain[..8]);
        }
        // It still is what else it was.
        let mac = suite.provider.mac(handle, Mac::Hmac(Hash::Sha1), b"data").expect("HMAC");
        assert_eq!(mac.len(), 20);
    });
    suite.with_key(KeyKind::Generic { bytes: 25 }, &[7; 25], |suite, handle| {
        refused("a byte too many", suite.provider.encrypt(handle, &ECB, &plain), Refusal::BadParameters);
    });
}

fn triple(key: &[u8]) -> KeyKind {
    KeyKind::TripleDes { bytes: key.len() as u32 }
}

fn padded() -> impl Iterator<Item = (usize, Padding)> {
    let methods = [Padding::Pkcs5, Padding::AnsiX923, Padding::Iso10126];
    methods.into_iter().flat_map(|padding| [0, 1, 7, 8, 9, 100].map(|len| (len, padding)))
}

/// What a key does is what its bytes do in software, both ways.
fn as_outside(suite: &mut Suite<'_>, key: Key<'_>, outside: &ClearKey, len: usize, padding: Padding) {
    let data: Vec<u8> = (0..len).map(|at| (at * 7) as u8).collect();
    for cipher in [Cipher::TdesEcb { padding }, Cipher::TdesCbc { iv: b"8 bytes!", padding }] {
        let what = match padding {
            Padding::None => cipher.name().to_owned(),
            padding => names::padded(cipher.name(), padding),
        };
        let Some(out) = suite.need(&what, suite.provider.encrypt(key, &cipher, &data)) else { return };
        let text = SoftwareProvider.encrypt(Key::Clear(outside), &cipher, &data).expect("in software").data;
        // Random padding is another each time.
        assert!(padding == Padding::Iso10126 || out.data == text, "{what} of {len} bytes");
        for text in [&out.data, &text] {
            assert!(suite.provider.decrypt(key, &cipher, text).expect(&what).expose() == data, "{what} of {len} bytes");
        }
    }
}

fn refusals(suite: &mut Suite<'_>, key: Key<'_>) {
    let provider = suite.provider;
    for len in [1, 7, 9, 15] {
        refused("part of a block", provider.encrypt(key, &ECB, &vec![0; len]), Refusal::Failed);
        refused("part of a block", provider.decrypt(key, &ECB, &vec![0; len]), Refusal::Failed);
    }
    for iv in [&[][..], &[0; 7], &[0; 16]] {
        let cipher = Cipher::TdesCbc { iv, padding: Padding::None };
        refused("another IV", provider.encrypt(key, &cipher, &[0; 8]), Refusal::BadParameters);
    }
    // One answer to whatever is wrong with the padding.
    for (bare, padded) in [
        (ECB, Cipher::TdesEcb { padding: Padding::Pkcs5 }),
        (
            Cipher::TdesCbc { iv: &[3; 8], padding: Padding::None },
            Cipher::TdesCbc { iv: &[3; 8], padding: Padding::Pkcs5 },
        ),
    ] {
        let Some(answer) = suite.need(bare.name(), provider.encrypt(key, &bare, b"1234567\x00")) else { return };
        let large = provider.encrypt(key, &bare, b"1234567\x09").expect("a block").data;
        let answers = [&answer.data[..], &large, &answer.data[1..], &[]].map(|text| {
            let answer = provider.decrypt(key, &padded, text);
            let said = format!("{answer:?}");
            refused("a wrong padding", answer, Refusal::Failed);
            said
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
    let aes = Cipher::AesEcb { padding: Padding::None };
    refused("AES", provider.encrypt(key, &aes, &[0; 16]), Refusal::BadParameters);
    refused("AES key wrap", provider.wrap(key, Wrap::AesKw, &Secret::copy_of(&[0; 16])), Refusal::BadParameters);
    for mac in [Mac::Hmac(Hash::Sha1), Mac::Cmac, Mac::Poly1305] {
        refused("a MAC", provider.mac(key, mac, b"data"), Refusal::BadParameters);
    }
}
