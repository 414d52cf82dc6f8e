//! Keys over their life: kept over a restart, cached, shared by threads, destroyed.

use std::env;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use kmipd::crypto::algorithm::{Cipher, Curve, Hash, KeyKind, Mac, Message, Padding, Signature};
use kmipd::crypto::pkcs11::{HsmRoot, Pkcs11Provider, Token, WrappingKey};
use kmipd::crypto::public::verify;
use kmipd::crypto::{CryptoError, Guarded, Key, Place, Provider, Residency};
use kmipd::secret::Secret;

use crate::bench::{self, WRAPPING, adopt, generate, generate_pair, guarded};

const BLOCK: Cipher<'static> = Cipher::AesEcb { padding: Padding::None };
const SECOND: &str = "KMIPD_TEST_SECOND";

/// What a key makes of a block of zeros.
fn print(hsm: &Pkcs11Provider, key: &Guarded) -> Vec<u8> {
    hsm.encrypt(Key::Guarded(key), &BLOCK, &[0; 16]).unwrap().data
}

token_test! {
    fn keys_survive_in_a_fresh_process(bench) {
        let files = ["blob", "print", "token-print", "check", "sealed"].map(|name| bench.folder.join(name));
        let [blob, of_wrapped, of_token, check, sealed] = &files;
        let kind = KeyKind::Aes { bits: 256 };
        let on_token = Guarded { id: [9; 16], kind, place: Place::Token };
        let token = Token::open(&bench.token.config().unwrap()).unwrap();
        if env::var_os(SECOND).is_some() {
            let wrapping = WrappingKey::find(&token, WRAPPING).unwrap().unwrap();
            let mut check = fs::read(check).unwrap();
            wrapping.verify_check_blob(&check).unwrap();
            for place in [0, 5, 20, 40] {
                check[place] ^= 1;
                assert!(wrapping.verify_check_blob(&check).is_err(), "{place}");
                check[place] ^= 1;
            }
            let root = HsmRoot::find(&token, "root").unwrap().unwrap();
            assert_eq!(root.open(b"context", &fs::read(sealed).unwrap()).unwrap().expose(), b"key");
            let hsm = Pkcs11Provider::new(token, wrapping).unwrap();
            let wrapped = Guarded { id: [7; 16], kind, place: Place::Wrapped(fs::read(blob).unwrap().into()) };
            assert_eq!(print(&hsm, &wrapped), fs::read(of_wrapped).unwrap());
            assert_eq!(print(&hsm, &on_token), fs::read(of_token).unwrap());
            return;
        }
        let (wrapping, check_blob) = WrappingKey::create(&token, WRAPPING).unwrap();
        let root = HsmRoot::create(&token, "root").unwrap();
        fs::write(sealed, root.seal(b"context", &Secret::copy_of(b"key")).unwrap()).unwrap();
        let hsm = Pkcs11Provider::new(token, wrapping).unwrap();
        let wrapped = generate(&hsm, kind);
        let Place::Wrapped(bytes) = &wrapped.place else { panic!("not wrapped") };
        assert_eq!(guarded(hsm.generate(kind, Residency::Token(on_token.id)).unwrap()), on_token);
        fs::write(blob, bytes).unwrap();
        fs::write(check, check_blob).unwrap();
        fs::write(of_wrapped, print(&hsm, &wrapped)).unwrap();
        fs::write(of_token, print(&hsm, &on_token)).unwrap();
        bench.again(SECOND);
    }
}

token_test! {
    fn the_root_key_opens_only_what_and_as_it_sealed(bench) {
        let token = Token::open(&bench.token.config().unwrap()).unwrap();
        let root = HsmRoot::create(&token, "root").unwrap();
        let other = HsmRoot::create(&token, "other").unwrap();
        assert_ne!(root.name(), other.name());
        for value in [b"".as_slice(), b"k", &[7; 500]] {
            let sealed = root.seal(b"context", &Secret::copy_of(value)).unwrap();
            assert_ne!(sealed, root.seal(b"context", &Secret::copy_of(value)).unwrap());
            assert_eq!(root.open(b"context", &sealed).unwrap().expose(), value);
            let mut flipped = sealed.clone();
            *flipped.last_mut().unwrap() ^= 1;
            for (key, context, sealed) in [
                (&root, b"contexT".as_slice(), sealed.as_slice()),
                (&root, b"context", &flipped),
                (&root, b"context", &sealed[..sealed.len() - 1]),
                (&root, b"context", &sealed[..20]),
                (&root, b"context", &[]),
                (&other, b"context", &sealed),
            ] {
                let answer = key.open(context, sealed);
                assert!(matches!(answer, Err(CryptoError::Failed(_))), "{answer:?}");
            }
        }
    }
}

token_test! {
    fn token_keys_are_found_and_go_for_good(bench) {
        let hsm = bench.provider();
        let kind = KeyKind::Ec { curve: Curve::P256 };
        let (key, public) = generate_pair(&hsm, kind, Residency::Token([3; 16]));
        // The message runs a second time: the same key.
        assert_eq!(generate_pair(&hsm, kind, Residency::Token([3; 16])), (key.clone(), public.clone()));
        let scheme = Signature::Ecdsa(Hash::Sha256);
        let signature = hsm.sign(Key::Guarded(&key), scheme, Message::Data(b"data")).unwrap();
        assert!(verify(&public, scheme, Message::Data(b"data"), &signature).unwrap());
        // The record says another kind: not this key.
        let other = Guarded { kind: KeyKind::Rsa { bits: 2048 }, ..key.clone() };
        let answer = hsm.sign(Key::Guarded(&other), Signature::RsaPkcs1(Hash::Sha256), Message::Data(b"data"));
        assert!(matches!(answer, Err(CryptoError::Unavailable(_))), "{answer:?}");

        hsm.destroy(&key).unwrap();
        let answer = hsm.sign(Key::Guarded(&key), scheme, Message::Data(b"data"));
        assert!(matches!(answer, Err(CryptoError::Unavailable(_))), "{answer:?}");
        hsm.destroy(&key).unwrap();
        let (_, again) = generate_pair(&hsm, kind, Residency::Token([3; 16]));
        assert_ne!(again, public);
        // Others are as they were.
        let secret = guarded(hsm.generate(KeyKind::Generic { bytes: 40 }, Residency::Token([4; 16])).unwrap());
        hsm.destroy(&key).unwrap();
        assert_eq!(hsm.mac(Key::Guarded(&secret), Mac::Hmac(Hash::Sha256), b"").unwrap().len(), 32);
    }
}

token_test! {
    fn the_cache_is_bounded_and_forgets_what_is_destroyed(bench) {
        let mut config = bench.token.config().unwrap();
        config.handles = 4;
        let hsm = bench::provider(&config);
        let keys: Vec<_> = (0..10_u8).map(|i| adopt(&hsm, KeyKind::Aes { bits: 128 }, &[i; 16])).collect();
        let prints: Vec<_> = keys.iter().map(|key| print(&hsm, key)).collect();
        assert_eq!(hsm.handles().unwrap().held, 4);
        for (key, expected) in keys.iter().zip(&prints) {
            assert_eq!(&print(&hsm, key), expected);
        }
        let before = hsm.handles().unwrap();
        assert_eq!(before.held, 4);
        print(&hsm, &keys[9]);
        print(&hsm, &keys[9]);
        print(&hsm, &keys[0]);
        let after = hsm.handles().unwrap();
        assert_eq!((after.hits - before.hits, after.misses - before.misses), (2, 1));

        // The same identity with another blob, or another kind, is another key.
        let other = Guarded { place: keys[1].place.clone(), ..keys[0].clone() };
        assert_eq!(print(&hsm, &other), prints[1]);
        assert_eq!(print(&hsm, &keys[0]), prints[0]);

        let held = hsm.handles().unwrap().held;
        hsm.destroy(&keys[0]).unwrap();
        hsm.destroy(&keys[0]).unwrap();
        assert_eq!(hsm.handles().unwrap().held, held - 1);
    }
}

token_test! {
    fn eight_threads_work_while_handles_come_and_go(bench) {
        let mut config = bench.token.config().unwrap();
        // Fewer sessions than threads, fewer handles than keys: all must wait and evict while others are at work.
        config.pool = 3;
        config.handles = 5;
        let hsm = bench::provider(&config);
        let keys: Vec<_> = (0..12_u8).map(|i| adopt(&hsm, KeyKind::Aes { bits: 256 }, &[i; 32])).collect();
        let prints: Vec<_> = keys.iter().map(|key| print(&hsm, key)).collect();
        let (signer, public) = generate_pair(&hsm, KeyKind::Ec { curve: Curve::P256 }, Residency::Wrapped);
        let failed = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..8_usize {
                let (hsm, keys, prints, signer, public, failed) = (&hsm, &keys, &prints, &signer, &public, &failed);
                scope.spawn(move || {
                    for round in 0..60_usize {
                        let which = (thread * 5 + round * 7) % keys.len();
                        let right = match (thread + round) % 5 {
                            0 => {
                                let scheme = Signature::Ecdsa(Hash::Sha256);
                                let signature = hsm.sign(Key::Guarded(signer), scheme, Message::Data(b"d")).unwrap();
                                verify(public, scheme, Message::Data(b"d"), &signature).unwrap()
                            }
                            1 => {
                                // A failure closes this thread's session and nobody else's.
                                let open = Cipher::AesGcm { iv: &[0; 12], aad: b"", tag_len: 16, tag: &[0; 16] };
                                hsm.decrypt(Key::Guarded(&keys[which]), &open, b"x").is_err()
                            }
                            2 => {
                                hsm.destroy(&keys[which]).unwrap();
                                let fresh = generate(hsm, KeyKind::Aes { bits: 128 });
                                hsm.destroy(&fresh).is_ok()
                            }
                            _ => print(hsm, &keys[which]) == prints[which],
                        };
                        if !right {
                            failed.store(true, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert!(!failed.into_inner());
        let count = hsm.handles().unwrap();
        assert!(count.held <= 5 && count.hits > 0 && count.misses > 0, "{count:?}");
    }
}
