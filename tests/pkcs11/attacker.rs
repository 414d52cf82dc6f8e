//! Somebody who has the PIN, and a wrapped key out of the store.

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use kmipd::crypto::pkcs11::find_softhsm;

/// The label of the wrapping key.
pub(crate) const WRAPPING: &str = "kmipd-wrapping";

/// A session of the attacker's, logged in.
pub(crate) fn attacker(pin: &Path) -> Session {
    let pin = std::fs::read_to_string(pin).unwrap();
    let module = Pkcs11::new(find_softhsm().unwrap()).unwrap();
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => panic!("{error}"),
    }
    let slots = module.get_slots_with_initialized_token().unwrap();
    let session = module.open_rw_session(slots[0]).unwrap();
    match session.login(UserType::User, Some(&AuthPin::from(pin))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => session,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn by_label(session: &Session, label: &str) -> ObjectHandle {
    let found = session.find_objects(&[Attribute::Label(label.as_bytes().to_vec())]).unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}

pub(crate) fn aes_template(extractable: bool) -> Vec<Attribute> {
    vec![
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Private(true),
        Attribute::Sensitive(!extractable),
        Attribute::Extractable(extractable),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
    ]
}

pub(crate) fn value(session: &Session, key: ObjectHandle) -> Option<Vec<u8>> {
    session.get_attributes(key, &[AttributeType::Value]).ok()?.into_iter().find_map(|attribute| match attribute {
        Attribute::Value(bytes) => Some(bytes),
        _ => None,
    })
}

/// Everything that was thought of to get at an AES key that the wrapping key has wrapped.
pub(crate) fn wrapped_key_resists(session: &Session, blob: &[u8]) {
    let wrapping = by_label(session, WRAPPING);
    let pad = Mechanism::AesKeyWrapPad;

    // What must work, so that what follows is refused for its own sake.
    let inside = session.unwrap_key(&pad, wrapping, blob, &aes_template(false)).unwrap();
    assert_eq!(value(session, inside), None);

    for flag in
        [Attribute::Extractable(true), Attribute::Sensitive(false), Attribute::Token(true), Attribute::Wrap(true)]
    {
        let mut template = aes_template(false);
        let place = template.iter().position(|one| one.attribute_type() == flag.attribute_type()).unwrap();
        template[place] = flag.clone();
        assert!(session.unwrap_key(&pad, wrapping, blob, &template).is_err(), "{flag:?}");
    }
    assert!(session.unwrap_key(&pad, wrapping, blob, &aes_template(true)).is_err());
    let bare = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES)];
    if let Ok(bare) = session.unwrap_key(&pad, wrapping, blob, &bare) {
        assert_eq!(value(session, bare), None);
        assert!(session.wrap_key(&pad, wrapping, bare).is_err());
    }
    let generic = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::GENERIC_SECRET),
        Attribute::Sensitive(false),
        Attribute::Extractable(true),
    ];
    assert!(session.unwrap_key(&pad, wrapping, blob, &generic).is_err());

    assert!(session.wrap_key(&pad, wrapping, inside).is_err());
    assert!(session.update_attributes(inside, &[Attribute::Extractable(true)]).is_err());
    assert!(session.update_attributes(inside, &[Attribute::Sensitive(false)]).is_err());
    for loose in [Attribute::Extractable(true), Attribute::Sensitive(false)] {
        assert!(session.copy_object(inside, &[loose]).is_err());
    }
    // A key of the attacker's does not wrap it either.
    let mut template = aes_template(false);
    template.retain(|one| !matches!(one, Attribute::Wrap(_)));
    template.extend([Attribute::Wrap(true), Attribute::ValueLen(32.into())]);
    let own = session.generate_key(&Mechanism::AesKeyGen, &template).unwrap();
    assert!(session.wrap_key(&pad, own, inside).is_err());
}

/// Everything that was thought of to make the wrapping key serve for more.
pub(crate) fn wrapping_key_resists(session: &Session, blob: &[u8]) {
    for wrapping in [WRAPPING.to_owned(), format!("{WRAPPING}-private")] {
        let wrapping = by_label(session, &wrapping);
        assert_eq!(value(session, wrapping), None);
        for change in [
            Attribute::Decrypt(true),
            Attribute::Encrypt(true),
            Attribute::Extractable(true),
            Attribute::Sensitive(false),
            Attribute::Modifiable(true),
            Attribute::Copyable(true),
            Attribute::Label(b"other".to_vec()),
        ] {
            assert!(session.update_attributes(wrapping, std::slice::from_ref(&change)).is_err(), "{change:?}");
            assert!(session.copy_object(wrapping, std::slice::from_ref(&change)).is_err(), "{change:?}");
        }
        assert!(session.copy_object(wrapping, &[]).is_err());
        assert!(session.destroy_object(wrapping).is_err());
        for mechanism in
            [Mechanism::AesEcb, Mechanism::AesCbc([0; 16]), Mechanism::AesKeyWrapPad, Mechanism::AesKeyWrap]
        {
            assert!(session.decrypt(&mechanism, wrapping, blob).is_err(), "{mechanism:?}");
            assert!(session.encrypt(&mechanism, wrapping, &[0; 16]).is_err(), "{mechanism:?}");
        }
        for mechanism in [Mechanism::AesKeyWrap, Mechanism::AesCbcPad([0; 16]), Mechanism::AesEcb] {
            assert!(session.unwrap_key(&mechanism, wrapping, blob, &aes_template(false)).is_err(), "{mechanism:?}");
        }
        assert!(session.wrap_key(&Mechanism::AesKeyWrapPad, wrapping, wrapping).is_err());
    }
}
