//! What somebody tries who has the PIN and a wrapped key. cryptoki does it here, not our own calls.

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, KeyType, ObjectClass};
use kmipd::crypto::algorithm::{Curve, KeyKind};
use kmipd::crypto::pkcs11::{HsmRoot, Pkcs11Error, Token, WrappingKey};
use kmipd::crypto::{Place, Provider, Residency};

use crate::attacker::{aes_template, attacker, by_label, value, wrapped_key_resists, wrapping_key_resists};
use crate::bench::{WRAPPING, generate, generate_pair, guarded};

token_test! {
    fn a_wrapped_key_does_not_come_out(bench) {
        let hsm = bench.provider();
        let key = generate(&hsm, KeyKind::Aes { bits: 256 });
        let Place::Wrapped(blob) = key.place else { panic!("not wrapped") };
        let session = attacker(&bench.folder.join("pin"));
        wrapped_key_resists(&session, &blob);
    }
}

token_test! {
    fn the_wrapping_key_does_nothing_else_and_stays_as_it_is(bench) {
        let hsm = bench.provider();
        let key = generate(&hsm, KeyKind::Aes { bits: 256 });
        let Place::Wrapped(blob) = key.place else { panic!("not wrapped") };
        let session = attacker(&bench.folder.join("pin"));
        wrapping_key_resists(&session, &blob);
    }
}

token_test! {
    fn a_wrapped_private_key_does_not_come_out(bench) {
        let hsm = bench.provider();
        let (key, _) = generate_pair(&hsm, KeyKind::Ec { curve: Curve::P256 }, Residency::Wrapped);
        let Place::Wrapped(blob) = key.place else { panic!("not wrapped") };
        let session = attacker(&bench.folder.join("pin"));
        let wrapping = by_label(&session, &format!("{WRAPPING}-private"));
        let pad = Mechanism::AesKeyWrapPad;
        let template = |class, kind, extractable, sensitive| {
            vec![
                Attribute::Class(class),
                Attribute::KeyType(kind),
                Attribute::Token(false),
                Attribute::Private(true),
                Attribute::Sensitive(sensitive),
                Attribute::Extractable(extractable),
                Attribute::Unwrap(false),
            ]
        };
        let inside = template(ObjectClass::PRIVATE_KEY, KeyType::EC, false, true);
        let inside = session.unwrap_key(&pad, wrapping, &blob, &inside).unwrap();
        assert_eq!(value(&session, inside), None);
        for (class, kind) in [(ObjectClass::PRIVATE_KEY, KeyType::EC), (ObjectClass::SECRET_KEY, KeyType::GENERIC_SECRET)] {
            for (extractable, sensitive) in [(true, true), (false, false), (true, false)] {
                assert!(session.unwrap_key(&pad, wrapping, &blob, &template(class, kind, extractable, sensitive)).is_err());
            }
        }
        assert!(session.wrap_key(&pad, wrapping, inside).is_err());
        // Neither half opens what the other wrapped.
        let secrets = by_label(&session, WRAPPING);
        assert!(session.unwrap_key(&pad, secrets, &blob, &aes_template(false)).is_err());
    }
}

token_test! {
    fn the_self_test_sees_that_the_module_withstands_everything(bench) {
        let hsm = bench.provider();
        let claims = hsm.claims();
        assert!(claims.non_exportable, "{:#?}", claims.findings);
        assert!(claims.findings.len() >= 2 * 18);
        for finding in &claims.findings {
            println!("{finding}");
        }
        let triple = KeyKind::TripleDes { bytes: 24 };
        for kind in [KeyKind::Aes { bits: 192 }, KeyKind::Generic { bytes: 20 }, triple, KeyKind::Rsa { bits: 3072 }] {
            assert!(hsm.offers(kind, Residency::Wrapped) && hsm.offers(kind, Residency::Token([0; 16])));
            assert!(!hsm.offers(kind, Residency::Sealed));
        }
        for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::Secp256k1] {
            assert!(hsm.offers(KeyKind::Ec { curve }, Residency::Wrapped), "{curve:?}");
        }
        assert!(!hsm.offers(KeyKind::Rsa { bits: 1024 }, Residency::Wrapped));
    }
}

token_test! {
    fn a_wrapping_key_made_by_somebody_else_is_not_trusted(bench) {
        let token = Token::open(&bench.token.config().unwrap()).unwrap();
        let session = attacker(&bench.folder.join("pin"));
        let mut template = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
            Attribute::ValueLen(32.into()),
        ];
        for label in [WRAPPING, "root"] {
            template.push(Attribute::Label(label.into()));
            session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
            template.pop();
        }
        let found = WrappingKey::find(&token, WRAPPING);
        assert!(matches!(found, Err(Pkcs11Error::BadKey { .. })), "{:?}", found.err());
        let made = WrappingKey::create(&token, WRAPPING);
        assert!(matches!(made, Err(Pkcs11Error::BadKey { .. })), "{:?}", made.err());
        assert!(matches!(HsmRoot::find(&token, "root"), Err(Pkcs11Error::BadKey { .. })));
        assert!(WrappingKey::find(&token, "another").unwrap().is_none());
    }
}

token_test! {
    fn the_root_key_only_encrypts_and_decrypts_with_gcm(bench) {
        let token = Token::open(&bench.token.config().unwrap()).unwrap();
        HsmRoot::create(&token, "root").unwrap();
        let session = attacker(&bench.folder.join("pin"));
        let root = by_label(&session, "root");
        assert_eq!(value(&session, root), None);
        assert!(session.update_attributes(root, &[Attribute::Wrap(true)]).is_err());
        assert!(session.copy_object(root, &[Attribute::Wrap(true)]).is_err());
        assert!(session.encrypt(&Mechanism::AesEcb, root, &[0; 16]).is_err());
        assert!(session.wrap_key(&Mechanism::AesKeyWrapPad, root, root).is_err());
        assert!(session.destroy_object(root).is_err());
    }
}

token_test! {
    fn a_token_key_does_not_come_out(bench) {
        let hsm = bench.provider();
        let secret = guarded(hsm.generate(KeyKind::Aes { bits: 256 }, Residency::Token([1; 16])).unwrap());
        let (pair, _) = generate_pair(&hsm, KeyKind::Ec { curve: Curve::P256 }, Residency::Token([2; 16]));
        let session = attacker(&bench.folder.join("pin"));
        let wrapping = by_label(&session, WRAPPING);
        for (key, class) in [(secret, ObjectClass::SECRET_KEY), (pair, ObjectClass::PRIVATE_KEY)] {
            let found = session.find_objects(&[Attribute::Id(key.id.to_vec()), Attribute::Class(class)]).unwrap();
            let [key] = found[..] else { panic!("{found:?}") };
            assert_eq!(value(&session, key), None);
            assert!(session.wrap_key(&Mechanism::AesKeyWrapPad, wrapping, key).is_err());
            for change in [Attribute::Extractable(true), Attribute::Sensitive(false)] {
                assert!(session.update_attributes(key, std::slice::from_ref(&change)).is_err());
                assert!(session.copy_object(key, &[change]).is_err());
            }
        }
    }
}
