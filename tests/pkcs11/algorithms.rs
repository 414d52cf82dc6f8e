//! Every algorithm in the module against the software provider, on the same key, and against published vectors.

use kmipd::crypto::algorithm::{Cipher, Curve, Hash, KeyKind, Mac, Message, Padding, Signature, Wrap};
use kmipd::crypto::public::verify;
use kmipd::crypto::software::SoftwareProvider;
use kmipd::crypto::{ClearKey, CryptoError, Guarded, Key, Provider, Residency};
use kmipd::secret::Secret;

use crate::bench::{adopt, generate, generate_pair, guarded};

const AES: [KeyKind; 3] = [KeyKind::Aes { bits: 128 }, KeyKind::Aes { bits: 192 }, KeyKind::Aes { bits: 256 }];
const SIZES: [usize; 7] = [0, 1, 15, 16, 17, 64, 5000];

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 7 + 3) as u8).collect()
}

token_test! {
    fn ciphers_agree_with_software_both_ways(bench) {
        let hsm = bench.provider();
        let iv = pattern(16);
        for kind in AES {
            let bytes = Secret::new(pattern(kind.raw_len().unwrap()));
            let (inside, outside) = (adopt(&hsm, kind, bytes.expose()), ClearKey::new(kind, bytes));
            let outside = Key::Clear(&outside);
            let inside = Key::Guarded(&inside);
            for size in SIZES {
                let data = pattern(size);
                let mut ciphers = vec![
                    Cipher::AesCbc { iv: &iv, padding: Padding::Pkcs5 },
                    Cipher::AesCtr { iv: &iv, bits: 128 },
                    Cipher::AesEcb { padding: Padding::Pkcs5 },
                ];
                if size % 16 == 0 {
                    ciphers.extend([Cipher::AesCbc { iv: &iv, padding: Padding::None }, Cipher::AesEcb { padding: Padding::None }]);
                }
                for cipher in ciphers {
                    let one = hsm.encrypt(inside, &cipher, &data).unwrap();
                    let other = SoftwareProvider.encrypt(outside, &cipher, &data).unwrap();
                    assert_eq!(one, other, "{kind:?} {cipher:?} {size}");
                    assert_eq!(hsm.decrypt(inside, &cipher, &other.data).unwrap().expose(), data, "{kind:?} {cipher:?} {size}");
                }
                for (iv_len, tag_len) in [(12, 16), (12, 12), (12, 4), (8, 16), (16, 15), (60, 13)] {
                    let (iv, aad) = (pattern(iv_len), pattern(size % 40));
                    let seal = Cipher::AesGcm { iv: &iv, aad: &aad, tag_len, tag: &[] };
                    let one = hsm.encrypt(inside, &seal, &data).unwrap();
                    assert_eq!(one.tag.len(), tag_len);
                    assert_eq!(one, SoftwareProvider.encrypt(outside, &seal, &data).unwrap(), "{kind:?} {seal:?} {size}");
                    let open = Cipher::AesGcm { iv: &iv, aad: &aad, tag_len, tag: &one.tag };
                    assert_eq!(hsm.decrypt(inside, &open, &one.data).unwrap().expose(), data, "{open:?}");
                }
            }
        }
    }
}

token_test! {
    fn what_does_not_verify_is_a_failure_of_the_data_and_not_of_the_module(bench) {
        let hsm = bench.provider();
        let key = generate(&hsm, KeyKind::Aes { bits: 256 });
        let key = Key::Guarded(&key);
        let iv = [1; 12];
        let sealed = hsm.encrypt(key, &Cipher::AesGcm { iv: &iv, aad: b"a", tag_len: 16, tag: &[] }, b"data").unwrap();
        let mut tag = sealed.tag.clone();
        tag[15] ^= 1;
        for (aad, tag) in [(b"a".as_slice(), &tag), (b"b", &sealed.tag)] {
            let open = Cipher::AesGcm { iv: &iv, aad, tag_len: 16, tag };
            assert!(matches!(hsm.decrypt(key, &open, &sealed.data), Err(CryptoError::Failed(_))));
        }
        let open = Cipher::AesGcm { iv: &iv, aad: b"a", tag_len: 16, tag: &sealed.tag };
        assert_eq!(hsm.decrypt(key, &open, &sealed.data).unwrap().expose(), b"data");

        // Blocks that end in a padding byte of zero, or of more than a block.
        for last in [0, 17, 255] {
            let mut block = [7; 16];
            block[15] = last;
            for (bare, padded) in [
                (Cipher::AesEcb { padding: Padding::None }, Cipher::AesEcb { padding: Padding::Pkcs5 }),
                (
                    Cipher::AesCbc { iv: &[0; 16], padding: Padding::None },
                    Cipher::AesCbc { iv: &[0; 16], padding: Padding::Pkcs5 },
                ),
            ] {
                let data = hsm.encrypt(key, &bare, &block).unwrap().data;
                let answer = hsm.decrypt(key, &padded, &data);
                assert!(matches!(answer, Err(CryptoError::Failed(_))), "{padded:?} {last} {answer:?}");
            }
        }
    }
}

token_test! {
    fn what_cannot_be_is_refused_before_the_module_is_asked(bench) {
        let hsm = bench.provider();
        let aes = generate(&hsm, KeyKind::Aes { bits: 128 });
        let mac = generate(&hsm, KeyKind::Generic { bytes: 32 });
        let (aes, mac) = (Key::Guarded(&aes), Key::Guarded(&mac));
        let bad = |answer: Result<_, CryptoError>| assert!(matches!(answer, Err(CryptoError::BadParameters(_))));
        let last = [0xff; 16];
        bad(hsm.encrypt(aes, &Cipher::AesCtr { iv: &last, bits: 128 }, &[0; 17]).map(drop));
        assert!(hsm.encrypt(aes, &Cipher::AesCtr { iv: &last, bits: 128 }, &[0; 16]).is_ok());
        bad(hsm.encrypt(aes, &Cipher::AesGcm { iv: &[], aad: b"", tag_len: 16, tag: &[] }, b"").map(drop));
        bad(hsm.encrypt(aes, &Cipher::AesGcm { iv: &[0; 12], aad: b"", tag_len: 5, tag: &[] }, b"").map(drop));
        bad(hsm.encrypt(mac, &Cipher::AesEcb { padding: Padding::None }, &[0; 16]).map(drop));
        bad(hsm.mac(aes, Mac::Hmac(Hash::Sha256), b"").map(drop));
        let clear = ClearKey::new(KeyKind::Aes { bits: 128 }, Secret::copy_of(&[0; 16]));
        let clear = Key::Clear(&clear);
        let answer = hsm.encrypt(clear, &Cipher::AesEcb { padding: Padding::None }, &[0; 16]);
        assert!(matches!(answer, Err(CryptoError::Unsupported(_))));
        assert!(matches!(hsm.generate(KeyKind::Aes { bits: 128 }, Residency::Sealed), Err(CryptoError::Unsupported(_))));
    }
}

token_test! {
    fn key_wrap_of_every_length_agrees_with_software(bench) {
        let hsm = bench.provider();
        for kind in AES {
            let bytes = Secret::new(pattern(kind.raw_len().unwrap()));
            let (inside, outside) = (adopt(&hsm, kind, bytes.expose()), ClearKey::new(kind, bytes));
            let outside = Key::Clear(&outside);
            let inside = Key::Guarded(&inside);
            for len in (1..=41).chain([64, 120, 121]) {
                let secret = Secret::new(pattern(len));
                for wrap in [Wrap::AesKw, Wrap::AesKwp] {
                    if wrap == Wrap::AesKw && (len < 16 || len % 8 != 0) {
                        assert!(matches!(hsm.wrap(inside, wrap, &secret), Err(CryptoError::Failed(_))));
                        continue;
                    }
                    let mut wrapped = hsm.wrap(inside, wrap, &secret).unwrap();
                    assert_eq!(wrapped, SoftwareProvider.wrap(outside, wrap, &secret).unwrap(), "{kind:?} {wrap:?} {len}");
                    assert_eq!(hsm.unwrap(inside, wrap, &wrapped).unwrap(), secret, "{kind:?} {wrap:?} {len}");
                    wrapped[3] ^= 0x10;
                    assert!(matches!(hsm.unwrap(inside, wrap, &wrapped), Err(CryptoError::Failed(_))));
                }
            }
        }
    }
}

token_test! {
    /// RFC 5649 §6, SP 800-38D test case 2 of its authors, RFC 4231 test case 6.
    fn published_vectors(bench) {
        let hsm = bench.provider();
        let hex = |text| hex::decode(text).unwrap();
        let key = adopt(&hsm, KeyKind::Aes { bits: 192 }, &hex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"));
        for (bytes, wrapped) in [
            (
                "c37b7e6492584340bed12207808941155068f738",
                "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a",
            ),
            ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
        ] {
            let answer = hsm.wrap(Key::Guarded(&key), Wrap::AesKwp, &Secret::new(hex(bytes))).unwrap();
            assert_eq!(hex::encode(answer), wrapped);
        }

        let key = adopt(&hsm, KeyKind::Aes { bits: 128 }, &[0; 16]);
        let gcm = Cipher::AesGcm { iv: &[0; 12], aad: b"", tag_len: 16, tag: &[] };
        let sealed = hsm.encrypt(Key::Guarded(&key), &gcm, &[0; 16]).unwrap();
        assert_eq!(hex::encode(sealed.data), "0388dace60b6a392f328c2b971b2fe78");
        assert_eq!(hex::encode(sealed.tag), "ab6e47d42cec13bdf53a67b21257bddf");

        // 131 bytes cannot be wrapped by SoftHSM without a change, and are refused: it is a key for the token.
        let (kind, bytes) = (KeyKind::Generic { bytes: 131 }, Secret::new(vec![0xaa; 131]));
        assert!(matches!(hsm.adopt(kind, &bytes, Residency::Wrapped), Err(CryptoError::Unsupported(_))));
        let key = guarded(hsm.adopt(kind, &bytes, Residency::Token([1; 16])).unwrap());
        let data = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let mac = hsm.mac(Key::Guarded(&key), Mac::Hmac(Hash::Sha256), data).unwrap();
        assert_eq!(hex::encode(mac), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }
}

token_test! {
    fn macs_agree_with_software_or_say_what_is_lacking(bench) {
        let hsm = bench.provider();
        let hashes = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512, Hash::Sha3_256, Hash::Sha512_256];
        for len in [16_u32, 20, 32, 33, 48, 64, 65, 72, 129, 200] {
            let kind = KeyKind::Generic { bytes: len };
            if !hsm.offers(kind, Residency::Wrapped) {
                // SoftHSM fills them up with zeros, which would change the MAC.
                assert!(len > 64 && len % 8 != 0, "{len}");
                continue;
            }
            let bytes = Secret::new(pattern(len as usize));
            let (inside, outside) = (adopt(&hsm, kind, bytes.expose()), ClearKey::new(kind, bytes));
            let outside = Key::Clear(&outside);
            for hash in hashes {
                let mac = Mac::Hmac(hash);
                match hsm.mac(Key::Guarded(&inside), mac, b"some data") {
                    Ok(tag) => assert_eq!(tag, SoftwareProvider.mac(outside, mac, b"some data").unwrap(), "{hash:?} {len}"),
                    // SoftHSM has neither SHA-3 nor truncated SHA-512, and wants a key as long as the digest.
                    Err(CryptoError::Unsupported(text)) => {
                        let lacking = matches!(hash, Hash::Sha3_256 | Hash::Sha512_256);
                        assert!(lacking || (len as usize) < hash.len(), "{hash:?} {len}: {text}");
                        assert!(text.contains(&format!("{hash:?}")), "{text}");
                    }
                    Err(error) => panic!("{hash:?} {len}: {error}"),
                }
            }
        }
    }
}

token_test! {
    fn signatures_verify_in_software(bench) {
        let hsm = bench.provider();
        let data = pattern(300);
        let hashes = [Hash::Sha1, Hash::Sha224, Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let check = |key: &Guarded, public: &[u8], scheme: Signature| {
            let digest = kmipd::crypto::public::hash(scheme.hash().unwrap(), &data);
            for message in [Message::Data(&data), Message::Digest(&digest)] {
                let signature = hsm.sign(Key::Guarded(key), scheme, message).unwrap();
                assert!(verify(public, scheme, Message::Data(&data), &signature).unwrap(), "{scheme:?}");
                assert!(!verify(public, scheme, Message::Data(b"other"), &signature).unwrap(), "{scheme:?}");
            }
        };
        for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
            let (key, public) = generate_pair(&hsm, KeyKind::Ec { curve }, Residency::Wrapped);
            for hash in hashes {
                check(&key, &public, Signature::Ecdsa(hash));
            }
        }
        let (key, public) = generate_pair(&hsm, KeyKind::Rsa { bits: 2048 }, Residency::Wrapped);
        for hash in hashes {
            check(&key, &public, Signature::RsaPkcs1(hash));
            check(&key, &public, Signature::RsaPss { hash, mgf: hash, salt: hash.len() });
        }
        check(&key, &public, Signature::RsaPkcs1(Hash::Sha3_256));
        check(&key, &public, Signature::RsaPss { hash: Hash::Sha256, mgf: Hash::Sha256, salt: 0 });
        let mixed = Signature::RsaPss { hash: Hash::Sha256, mgf: Hash::Sha1, salt: 32 };
        let answer = hsm.sign(Key::Guarded(&key), mixed, Message::Data(&data));
        assert!(matches!(answer, Err(CryptoError::Unsupported(_))), "{answer:?}");
        let answer = hsm.sign(Key::Guarded(&key), Signature::Ecdsa(Hash::Sha256), Message::Data(&data));
        assert!(matches!(answer, Err(CryptoError::BadParameters(_))), "{answer:?}");
    }
}

token_test! {
    fn private_keys_from_outside_sign_as_they_did_there(bench) {
        let hsm = bench.provider();
        for kind in [KeyKind::Rsa { bits: 2048 }, KeyKind::Ec { curve: Curve::P256 }, KeyKind::Ec { curve: Curve::P384 }] {
            let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
            let kmipd::crypto::Made::Clear(bytes) = made.private else { panic!("the software keeps no keys") };
            for residency in [Residency::Wrapped, Residency::Token([kind.is_pair() as u8; 16])] {
                let key = guarded(hsm.adopt(kind, &bytes, residency).unwrap());
                let scheme = match kind {
                    KeyKind::Rsa { .. } => Signature::RsaPkcs1(Hash::Sha256),
                    _ => Signature::Ecdsa(Hash::Sha256),
                };
                let signature = hsm.sign(Key::Guarded(&key), scheme, Message::Data(b"data")).unwrap();
                assert!(verify(&made.public, scheme, Message::Data(b"data"), &signature).unwrap(), "{kind:?} {residency:?}");
            }
            let other = KeyKind::Ec { curve: Curve::P521 };
            assert!(matches!(hsm.adopt(other, &bytes, Residency::Wrapped), Err(CryptoError::BadParameters(_))));
        }
        let short = hsm.adopt(KeyKind::Aes { bits: 256 }, &Secret::copy_of(&[0; 16]), Residency::Wrapped);
        assert!(matches!(short, Err(CryptoError::BadParameters(_))));
    }
}

token_test! {
    fn random_bytes_differ_and_seeding_is_counted(bench) {
        let hsm = bench.provider();
        let (mut one, mut other) = ([0; 64], [0; 64]);
        hsm.random(&mut one).unwrap();
        hsm.random(&mut other).unwrap();
        assert_ne!(one, other);
        assert_ne!(one, [0; 64]);
        hsm.random(&mut []).unwrap();
        assert!([0, 32].contains(&hsm.seed(&[1; 32]).unwrap()));
    }
}
