//! ChaCha20 with Poly1305 and without: the vectors of RFC 8439 by value, lengths, and what must be refused.

use super::{Refusal, Suite, refused, unhex};
use crate::crypto::Key;
use crate::crypto::algorithm::{Cipher, Hash, KeyKind, Mac};

const SUNSCREEN: &[u8] =
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, \
sunscreen would be it.";

/// RFC 8439 section 2.4.2.
const STREAM: &str = "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b357\
1639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eed\
f2785e42874d";
/// RFC 8439 section 2.8.2, with its tag.
const SEALED: [&str; 2] = [
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6\
     a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
    "1ae10b594f09e26a7e902ecbd0600691",
];

pub(super) fn run(suite: &mut Suite<'_>) {
    let bytes: Vec<u8> = (0..32).collect();
    suite.with_key(KeyKind::ChaCha20, &bytes, |suite, key| {
        let nonce = unhex("000000000000004a00000000");
        let cipher = Cipher::ChaCha20 { nonce: &nonce, counter: 1 };
        let Some(out) = suite.need(cipher.name(), suite.provider.encrypt(key, &cipher, SUNSCREEN)) else { return };
        assert_eq!(hex::encode(out.data), STREAM);
        let back = suite.provider.decrypt(key, &cipher, &unhex(STREAM)).expect("ChaCha20");
        assert_eq!(back.expose(), SUNSCREEN);
        // The second block is the first of the next number, and all of a counter's bytes count.
        let from = |counter, len| {
            let cipher = Cipher::ChaCha20 { nonce: &nonce, counter };
            suite.provider.encrypt(key, &cipher, &vec![0; len]).expect("ChaCha20").data
        };
        for counter in [0, 1, 0xff, 0xffff, 0x00ff_ffff, 0x0102_0304] {
            assert_eq!(from(counter, 128)[64..], from(counter + 1, 64), "{counter}");
        }
        assert_eq!((from(7, 0).len(), from(7, 1).len(), from(7, 100_000).len()), (0, 1, 100_000));
        for (nonce, counter) in [(&[0; 12][..], u64::from(u32::MAX)), (&[0; 11], 0), (&[], 0), (&[0; 24], 0)] {
            let cipher = Cipher::ChaCha20 { nonce, counter };
            refused("another nonce", suite.provider.encrypt(key, &cipher, b"data"), Refusal::BadParameters);
        }
        let first = Cipher::ChaCha20 { nonce: &[5; 8], counter: 3 };
        let made = suite.provider.encrypt(key, &first, b"data");
        if let Some(made) = suite.need("ChaCha20 with a nonce of 64 bits", made) {
            assert_eq!(suite.provider.decrypt(key, &first, &made.data).expect("ChaCha20").expose(), b"data");
        }
        for mac in [Mac::Hmac(Hash::Sha256), Mac::Cmac, Mac::Poly1305] {
            refused("a MAC", suite.provider.mac(key, mac, b"data"), Refusal::BadParameters);
        }
    });
    let bytes: Vec<u8> = (0x80..0xa0).collect();
    suite.with_key(KeyKind::ChaCha20, &bytes, sealed);
    // What came in as bytes.
    suite.with_key(KeyKind::Generic { bytes: 32 }, &bytes, |suite, key| {
        let cipher = Cipher::ChaCha20 { nonce: &[1; 12], counter: 0 };
        let answer = suite.provider.encrypt(key, &cipher, b"data");
        let Some(out) = suite.need("ChaCha20 with a key that was kept as bytes", answer) else { return };
        assert_eq!(suite.provider.decrypt(key, &cipher, &out.data).expect("ChaCha20").expose(), b"data");
        suite.provider.mac(key, Mac::Hmac(Hash::Sha256), b"data").expect("HMAC");
    });
}

fn sealed(suite: &mut Suite<'_>, key: Key<'_>) {
    let provider = suite.provider;
    let (nonce, aad) = (unhex("070000004041424344454647"), unhex("50515253c0c1c2c3c4c5c6c7"));
    let [text, tag] = SEALED.map(unhex);
    let with = |tag_len| Cipher::ChaCha20Poly1305 { nonce: &nonce, aad: &aad, tag_len, tag: &[] };
    let Some(out) = suite.need(with(16).name(), provider.encrypt(key, &with(16), SUNSCREEN)) else { return };
    assert_eq!((hex::encode(&out.data), hex::encode(&out.tag)), (hex::encode(&text), hex::encode(&tag)));
    let open = |nonce: &[u8], aad: &[u8], tag: &[u8], text: &[u8]| {
        provider.decrypt(key, &Cipher::ChaCha20Poly1305 { nonce, aad, tag_len: 16, tag }, text)
    };
    assert_eq!(open(&nonce, &aad, &tag, &text).expect("ChaCha20-Poly1305").expose(), SUNSCREEN);
    let mut wrong = Vec::new();
    for bit in 0..128 {
        let mut tag = tag.clone();
        tag[bit / 8] ^= 1 << (bit % 8);
        wrong.push(open(&nonce, &aad, &tag, &text));
    }
    let mut other = text.clone();
    other[70] ^= 1;
    wrong.push(open(&nonce, &aad, &tag, &other));
    wrong.push(open(&nonce, &aad, &tag, &text[1..]));
    wrong.push(open(&nonce, &aad, &tag, &[]));
    wrong.push(open(&nonce, &aad[1..], &tag, &text));
    wrong.push(open(&[7; 12], &aad, &tag, &text));
    wrong.push(open(&nonce, &aad, &tag[..15], &text));
    wrong.push(open(&nonce, &aad, &[], &text));
    // One answer to whatever is wrong.
    let said: Vec<String> = wrong.iter().map(|answer| format!("{answer:?}")).collect();
    assert!(said.iter().all(|text| *text == said[0]), "{said:?}");
    wrong.into_iter().for_each(|answer| refused("what does not verify", answer, Refusal::Failed));
    for len in [0, 1, 63, 64, 65, 70_000] {
        for aad in [&[][..], &aad] {
            let data = vec![0x33; len];
            let cipher = Cipher::ChaCha20Poly1305 { nonce: &nonce, aad, tag_len: 16, tag: &[] };
            let out = provider.encrypt(key, &cipher, &data).expect("ChaCha20-Poly1305");
            assert_eq!((out.data.len(), out.tag.len()), (len, 16));
            assert!(open(&nonce, aad, &out.tag, &out.data).expect("ChaCha20-Poly1305").expose() == data);
        }
    }
    let short = provider.encrypt(key, &with(12), SUNSCREEN);
    if let Some(short) = suite.need("ChaCha20-Poly1305 with other tags (bytes): 12", short) {
        assert_eq!(short.tag, tag[..12]);
    }
    for tag_len in [0, 11, 17] {
        refused("another tag", provider.encrypt(key, &with(tag_len), SUNSCREEN), Refusal::BadParameters);
    }
    let nonce = Cipher::ChaCha20Poly1305 { nonce: &[0; 8], aad: &[], tag_len: 16, tag: &[] };
    refused("another nonce", provider.encrypt(key, &nonce, SUNSCREEN), Refusal::BadParameters);
}
