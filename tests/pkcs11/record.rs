//! The shim's record of calls proves where a key was made, and that it was never brought in or taken out.

use std::collections::BTreeSet;
use std::env;
use std::fs;

use cryptoki_sys::{CKM_AES_KEY_WRAP_KWP, CKM_AES_KEY_WRAP_PAD, CKO_PRIVATE_KEY, CKO_SECRET_KEY};
use kmipd::crypto::algorithm::{Cipher, Curve, Hash, KeyKind, Mac, Message, Padding, Signature};
use kmipd::crypto::{Key, Provider, Residency};
use serde_json::Value;

use crate::bench::{self, Bench, adopt, generate, generate_pair, guarded};
use crate::shim::{self, named};

const INNER: &str = "KMIPD_TEST_INNER";

/// The calls that succeeded after the provider had started.
fn calls(bench: &Bench) -> Vec<Value> {
    shim::calls(&bench.shim_log())
}

token_test! {
    fn a_guarded_key_is_made_in_the_module_and_never_leaves_it(bench) {
        if env::var_os(INNER).is_none() {
            return bench.through_shim(INNER);
        }
        let hsm = bench::provider(&bench.shim_config());
        fs::write(bench.shim_log(), "").unwrap();
        let aes = generate(&hsm, KeyKind::Aes { bits: 256 });
        let mac = generate(&hsm, KeyKind::Generic { bytes: 32 });
        let (ec, _) = generate_pair(&hsm, KeyKind::Ec { curve: Curve::P256 }, Residency::Wrapped);
        let (rsa, _) = generate_pair(&hsm, KeyKind::Rsa { bits: 2048 }, Residency::Wrapped);
        let on_token = guarded(hsm.generate(KeyKind::Aes { bits: 256 }, Residency::Token([6; 16])).unwrap());
        for key in [&aes, &on_token] {
            let block = Cipher::AesEcb { padding: Padding::None };
            let data = hsm.encrypt(Key::Guarded(key), &block, &[0; 16]).unwrap().data;
            hsm.decrypt(Key::Guarded(key), &block, &data).unwrap();
        }
        hsm.mac(Key::Guarded(&mac), Mac::Hmac(Hash::Sha256), b"").unwrap();
        hsm.sign(Key::Guarded(&ec), Signature::Ecdsa(Hash::Sha256), Message::Data(b"")).unwrap();
        hsm.sign(Key::Guarded(&rsa), Signature::RsaPkcs1(Hash::Sha256), Message::Data(b"")).unwrap();

        let calls = calls(bench);
        assert_eq!(named(&calls, "C_CreateObject").count(), 0);
        assert_eq!(named(&calls, "C_GetAttributeValue").filter(|call| call["template"]["material"] == true).count(), 0);
        assert_eq!(named(&calls, "C_DeriveKey").count() + named(&calls, "C_CopyObject").count(), 0);

        // The two halves of the wrapping key, one mechanism, for all that was wrapped and unwrapped.
        let wraps: Vec<_> = named(&calls, "C_WrapKey").collect();
        let unwraps: Vec<_> = named(&calls, "C_UnwrapKey").collect();
        assert_eq!((wraps.len(), unwraps.len()), (4, 4));
        let by: BTreeSet<_> = wraps.iter().chain(&unwraps).map(|call| call["by"].as_u64().unwrap()).collect();
        let how: BTreeSet<_> = wraps.iter().chain(&unwraps).map(|call| call["mechanism"].as_u64().unwrap()).collect();
        assert_eq!(by.len(), 2);
        assert!(how == [CKM_AES_KEY_WRAP_PAD].into() || how == [CKM_AES_KEY_WRAP_KWP].into(), "{how:?}");

        // What was wrapped was generated here, as a session object that could only be wrapped, and was destroyed.
        let generated: Vec<_> = named(&calls, "C_GenerateKey").chain(named(&calls, "C_GenerateKeyPair")).collect();
        let destroyed: BTreeSet<_> = named(&calls, "C_DestroyObject").map(|call| call["object"].as_u64().unwrap()).collect();
        for wrap in &wraps {
            let made = generated.iter().find(|call| call["object"] == wrap["key"]).unwrap();
            let template = &made["template"];
            assert_eq!((&template["token"], &template["sensitive"]), (&false.into(), &true.into()));
            for flag in ["encrypt", "decrypt", "sign", "wrap", "unwrap", "derive"] {
                assert_ne!(template[flag], true, "{flag}");
            }
            assert!(destroyed.contains(&wrap["key"].as_u64().unwrap()));
        }
        // What was unwrapped cannot leave, and every use was of such a key, or of the one on the token.
        let mut inside = BTreeSet::new();
        for unwrap in &unwraps {
            let template = &unwrap["template"];
            assert_eq!((&template["extractable"], &template["sensitive"]), (&false.into(), &true.into()));
            assert_eq!(template["token"], false);
            assert!([CKO_SECRET_KEY, CKO_PRIVATE_KEY].contains(&template["class"].as_u64().unwrap()));
            inside.insert(unwrap["object"].as_u64().unwrap());
        }
        let kept = generated.iter().filter(|call| call["template"]["token"] == true).collect::<Vec<_>>();
        let [kept] = kept[..] else { panic!("{kept:?}") };
        assert_eq!((&kept["template"]["extractable"], &kept["template"]["sensitive"]), (&false.into(), &true.into()));
        for function in ["C_EncryptInit", "C_DecryptInit", "C_SignInit"] {
            for call in named(&calls, function) {
                let key = call["key"].as_u64().unwrap();
                // The token's object has another handle each time it is found.
                assert!(inside.contains(&key) || named(&calls, "C_GetAttributeValue").any(|read| read["object"] == key), "{call}");
                assert!(!by.contains(&key), "{call}");
            }
        }
    }
}

token_test! {
    fn what_leaves_the_cache_is_destroyed_in_the_module(bench) {
        if env::var_os(INNER).is_none() {
            return bench.through_shim(INNER);
        }
        let mut config = bench.shim_config();
        config.handles = 2;
        let hsm = bench::provider(&config);
        fs::write(bench.shim_log(), "").unwrap();
        let keys: Vec<_> = (0..5).map(|_| generate(&hsm, KeyKind::Aes { bits: 256 })).collect();
        let living = |calls: &[Value]| {
            let made = named(calls, "C_UnwrapKey").map(|call| call["object"].as_u64().unwrap());
            let gone: BTreeSet<_> = named(calls, "C_DestroyObject").map(|call| call["object"].as_u64().unwrap()).collect();
            made.filter(|object| !gone.contains(object)).count()
        };
        assert_eq!(living(&calls(bench)), 2);
        hsm.destroy(&keys[4]).unwrap();
        assert_eq!(living(&calls(bench)), 1);
        hsm.destroy(&keys[3]).unwrap();
        assert_eq!(living(&calls(bench)), 0);
    }
}

token_test! {
    /// The record does see what the test above misses in it.
    fn a_key_that_is_brought_in_shows_in_the_record(bench) {
        if env::var_os(INNER).is_none() {
            return bench.through_shim(INNER);
        }
        let hsm = bench::provider(&bench.shim_config());
        fs::write(bench.shim_log(), "").unwrap();
        adopt(&hsm, KeyKind::Aes { bits: 128 }, b"KEY-IN-THE-CLEAR");
        let calls = calls(bench);
        let created: Vec<_> = named(&calls, "C_CreateObject").collect();
        assert_eq!(created.len(), 1);
        assert_eq!(created[0]["template"]["material"], true);
        let text = fs::read_to_string(bench.shim_log()).unwrap();
        assert!(!text.contains("KEY-IN-THE-CLEAR") && !text.contains(&hex::encode("KEY-IN-THE-CLEAR")));
        let pin = fs::read_to_string(bench.folder.join("pin")).unwrap();
        assert!(!text.contains(&pin));
    }
}
