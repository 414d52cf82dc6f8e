//! The token goes and comes back: the shim closes the sessions and answers that the device is gone.

use std::env;
use std::fs;

use kmipd::crypto::algorithm::{Cipher, KeyKind, Padding};
use kmipd::crypto::pkcs11::HsmRoot;
use kmipd::crypto::pkcs11::Token;
use kmipd::crypto::{CryptoError, Key, Provider, Residency};
use kmipd::secret::Secret;

use crate::bench::{self, generate, guarded};

const INNER: &str = "KMIPD_TEST_INNER";
const BLOCK: Cipher<'static> = Cipher::AesEcb { padding: Padding::None };

token_test! {
    fn a_token_that_was_away_is_used_again(bench) {
        if env::var_os(INNER).is_none() {
            return bench.through_shim(INNER);
        }
        let config = bench.shim_config();
        let hsm = bench::provider(&config);
        let root = HsmRoot::create(&Token::open(&config).unwrap(), "root").unwrap();
        let sealed = root.seal(b"", &Secret::copy_of(b"value")).unwrap();
        let kind = KeyKind::Aes { bits: 256 };
        let keys = [generate(&hsm, kind), guarded(hsm.generate(kind, Residency::Token([5; 16])).unwrap())];
        let print = |key| hsm.encrypt(Key::Guarded(key), &BLOCK, &[0; 16]).map(|encrypted| encrypted.data);
        let prints = keys.each_ref().map(|key| print(key).unwrap());
        for _ in 0..2 {
            fs::write(bench.shim_gone(), "").unwrap();
            for _ in 0..3 {
                for key in &keys {
                    let answer = print(key);
                    assert!(matches!(answer, Err(CryptoError::Unavailable(_))), "{answer:?}");
                }
                assert!(matches!(hsm.generate(kind, Residency::Wrapped), Err(CryptoError::Unavailable(_))));
                assert!(matches!(root.open(b"", &sealed), Err(CryptoError::Unavailable(_))));
                let gcm = Cipher::AesGcm { iv: &[0; 12], aad: b"", tag_len: 16, tag: &[0; 16] };
                let answer = hsm.decrypt(Key::Guarded(&keys[0]), &gcm, b"");
                assert!(matches!(answer, Err(CryptoError::Unavailable(_))), "{answer:?}");
            }
            fs::remove_file(bench.shim_gone()).unwrap();
            assert_eq!(keys.each_ref().map(|key| print(key).unwrap()), prints);
            assert_eq!(root.open(b"", &sealed).unwrap().expose(), b"value");
        }
    }
}

token_test! {
    fn sessions_that_died_unnoticed_cost_one_failure(bench) {
        if env::var_os(INNER).is_none() {
            return bench.through_shim(INNER);
        }
        let hsm = bench::provider(&bench.shim_config());
        let key = generate(&hsm, KeyKind::Aes { bits: 256 });
        let print = || hsm.encrypt(Key::Guarded(&key), &BLOCK, &[0; 16]).map(|encrypted| encrypted.data);
        let before = print().unwrap();
        // Gone and back between two calls of ours: somebody else's call sees it.
        fs::write(bench.shim_gone(), "").unwrap();
        assert!(Token::open(&bench.shim_config()).is_err());
        fs::remove_file(bench.shim_gone()).unwrap();
        let first = print();
        assert!(matches!(first, Err(CryptoError::Unavailable(_))), "{first:?}");
        assert_eq!(print().unwrap(), before);
    }
}
