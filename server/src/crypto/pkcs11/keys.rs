//! How keys come to be in the module, are found there, and go.

use std::sync::Arc;

use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CKA_COEFFICIENT, CKA_EC_PARAMS, CKA_EC_POINT, CKA_EXPONENT_1,
    CKA_EXPONENT_2, CKA_EXTRACTABLE, CKA_ID, CKA_KEY_TYPE, CKA_MODULUS, CKA_PRIME_1, CKA_PRIME_2,
    CKA_PRIVATE_EXPONENT, CKA_PUBLIC_EXPONENT, CKA_SENSITIVE, CKA_TOKEN, CKA_VALUE, CKK_EC,
    CKK_RSA,
};

use super::Pkcs11Provider;
use super::attr::{Attr, Mechanism};
use super::fault::Fault;
use super::handles::Object;
use super::raw::Handle;
use super::session::Work;
use super::token::flags;
use super::{der, template};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::{CryptoError, Guarded, Made, MadePair, Place, Residency};
use crate::secret::Secret;

/// The public half, before it is DER.
type PublicParts = [Vec<u8>; 2];

impl Pkcs11Provider {
    pub(super) fn generate_key(
        &self,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        if kind.is_pair() {
            return Err(CryptoError::BadParameters(
                "such a key comes as a pair".to_owned(),
            ));
        }
        self.must_offer(kind, residency)?;
        let generator = Mechanism::Plain(template::generator(kind));
        let Residency::Token(id) = residency else {
            let mut template = template::passing(kind);
            template.extend(template::length(kind));
            let wrapped = self.token.sessions.work(|work| {
                let key = work.raw.generate_key(work.session, &generator, &template)?;
                self.wrap_and_destroy(work, key)
            })?;
            return self.wrapped(kind, wrapped);
        };
        let mut template = template::on_token(kind, &id);
        template.extend(template::length(kind));
        let made = Guarded {
            id,
            kind,
            place: Place::Token,
        };
        // The intent's message may run a second time: a key that the first run made is taken.
        if self.on_token(kind, &id)?.is_none() {
            self.token
                .sessions
                .work(|work| work.raw.generate_key(work.session, &generator, &template))?;
        }
        self.settle(&made)?;
        Ok(Made::Guarded(made))
    }

    pub(super) fn generate_key_pair(
        &self,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<MadePair, CryptoError> {
        if !kind.is_pair() {
            return Err(CryptoError::BadParameters(
                "such a key does not come as a pair".to_owned(),
            ));
        }
        self.must_offer(kind, residency)?;
        let generator = Mechanism::Plain(template::generator(kind));
        let Residency::Token(id) = residency else {
            let (wrapped, public) = self.token.sessions.work(|work| {
                let (public, private) = work.raw.generate_key_pair(
                    work.session,
                    &generator,
                    &template::public(kind, None),
                    &template::passing(kind),
                )?;
                let parts = public_parts(work, kind, public)?;
                work.raw.destroy_object(work.session, public)?;
                Ok((self.wrap_and_destroy(work, private)?, parts))
            })?;
            return Ok(MadePair {
                private: self.wrapped(kind, wrapped)?,
                public: public_der(kind, &public)?,
            });
        };
        let made = Guarded {
            id,
            kind,
            place: Place::Token,
        };
        let public = match self.pair_on_token(kind, &id)? {
            Some(public) => public,
            None => {
                // Half a pair is what an interrupted run left.
                self.destroy_on_token(&id)?;
                self.token.sessions.work(|work| {
                    let (public, _) = work.raw.generate_key_pair(
                        work.session,
                        &generator,
                        &template::public(kind, Some(&id)),
                        &template::on_token(kind, &id),
                    )?;
                    public_parts(work, kind, public)
                })?
            }
        };
        self.settle(&made)?;
        Ok(MadePair {
            private: Made::Guarded(made),
            public: public_der(kind, &public)?,
        })
    }

    pub(super) fn adopt_key(
        &self,
        kind: KeyKind,
        bytes: &Secret,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        self.must_offer(kind, residency)?;
        let mut template = template::what(kind);
        template.extend(material(kind, bytes)?);
        let Residency::Token(id) = residency else {
            template.extend(template::passing(kind));
            let wrapped = self.token.sessions.work(|work| {
                let key = work.raw.create_object(work.session, &template)?;
                self.wrap_and_destroy(work, key)
            });
            return self.wrapped(kind, wrapped.map_err(refused_material)?);
        };
        let made = Guarded {
            id,
            kind,
            place: Place::Token,
        };
        template.extend(template::on_token(kind, &id));
        // What a first run of the message left cannot be compared with the bytes; it goes.
        self.destroy_on_token(&id)?;
        let created = self
            .token
            .sessions
            .work(|work| work.raw.create_object(work.session, &template));
        created.map_err(refused_material)?;
        self.settle(&made)?;
        Ok(Made::Guarded(made))
    }

    pub(super) fn destroy_key(&self, key: &Guarded) -> Result<(), CryptoError> {
        self.handles.remove(&key.id);
        match key.place {
            Place::Wrapped(_) => Ok(()),
            Place::Token => self.destroy_on_token(&key.id),
        }
    }

    /// The object of a key: from the cache, or unwrapped, or found on the token.
    pub(super) fn object(&self, key: &Guarded) -> Result<Arc<Object>, CryptoError> {
        let sessions = &self.token.sessions;
        let since = match self.handles.get(key, sessions.epoch()) {
            Ok(object) => return Ok(object),
            Err(since) => since,
        };
        let object = match &key.place {
            Place::Wrapped(wrapped) => sessions
                .own(|work| {
                    // Another thread may have unwrapped it while this one waited.
                    if let Ok(object) = self.handles.again(key, work.epoch) {
                        return Ok(object);
                    }
                    let handle = self.wrapping.unwrap_key(work, wrapped, key.kind)?;
                    let object = Arc::new(Object::of_session(handle, work.epoch, sessions));
                    self.handles.insert(key, &object, since);
                    Ok(object)
                })
                .map_err(|fault| {
                    CryptoError::Unavailable(format!("the wrapped key does not open: {fault}"))
                })?,
            Place::Token => {
                let found = self.on_token(key.kind, &key.id)?;
                let (handle, epoch) = found.ok_or_else(|| {
                    CryptoError::Unavailable(format!(
                        "the key {} is missing on the token",
                        hex::encode(key.id)
                    ))
                })?;
                let object = Arc::new(Object::of_token(handle, epoch));
                self.handles.insert(key, &object, since);
                object
            }
        };
        Ok(object)
    }

    /// A key on the token by its identity. It must be what the record says, and must not be able to leave.
    fn on_token(&self, kind: KeyKind, id: &[u8; 16]) -> Result<Option<(Handle, u64)>, CryptoError> {
        const STAYS: [(CK_ATTRIBUTE_TYPE, &str, bool); 2] = [
            (CKA_SENSITIVE, "CKA_SENSITIVE", true),
            (CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false),
        ];
        let (class, key_type) = template::class_and_type(kind);
        let found = self.token.sessions.work(|work| {
            match work
                .raw
                .find(work.session, &template::by_id(class, id), 2)?
                .as_slice()
            {
                [] => Ok(Ok(None)),
                [handle] => {
                    let is_kind = work.raw.attribute(work.session, *handle, CKA_KEY_TYPE)?
                        == key_type.to_ne_bytes();
                    let stays = flags(work, *handle, &STAYS)?.is_ok();
                    Ok(if is_kind && stays {
                        Ok(Some((*handle, work.epoch)))
                    } else {
                        Err("is not what its record says")
                    })
                }
                _ => Ok(Err("is there more than once")),
            }
        })?;
        found.map_err(|reason| {
            CryptoError::Unavailable(format!("the key {} on the token {reason}", hex::encode(id)))
        })
    }

    /// The public half of a pair of which both halves are on the token.
    fn pair_on_token(
        &self,
        kind: KeyKind,
        id: &[u8; 16],
    ) -> Result<Option<PublicParts>, CryptoError> {
        if self.on_token(kind, id)?.is_none() {
            return Ok(None);
        }
        let public = self.token.sessions.work(|work| {
            match work
                .raw
                .find(work.session, &template::by_id(template::PUBLIC, id), 2)?
                .as_slice()
            {
                [handle] => public_parts(work, kind, *handle).map(Some),
                _ => Ok(None),
            }
        })?;
        Ok(public)
    }

    /// Destroys every token object with an identity.
    fn destroy_on_token(&self, id: &[u8; 16]) -> Result<(), CryptoError> {
        let template = [Attr::Bool(CKA_TOKEN, true), Attr::Bytes(CKA_ID, id)];
        let destroyed = self.token.sessions.work(|work| {
            let found = work.raw.find(work.session, &template, 8)?;
            for handle in &found {
                work.raw.destroy_object(work.session, *handle)?;
            }
            Ok(!found.is_empty())
        })?;
        if destroyed { self.sync_token() } else { Ok(()) }
    }

    /// A key on the token counts when its files are on the disk and the module finds it.
    fn settle(&self, made: &Guarded) -> Result<(), CryptoError> {
        self.sync_token()?;
        self.object(made).map(drop)
    }

    fn sync_token(&self) -> Result<(), CryptoError> {
        self.token
            .sync()
            .map_err(|error| CryptoError::Unavailable(error.to_string()))
    }

    /// A wrapped key counts when it can be opened again.
    fn wrapped(&self, kind: KeyKind, wrapped: Vec<u8>) -> Result<Made, CryptoError> {
        let made = Guarded {
            id: super::random_id()?,
            kind,
            place: Place::Wrapped(wrapped.into()),
        };
        self.object(&made)?;
        Ok(Made::Guarded(made))
    }

    pub(super) fn wrap_and_destroy(&self, work: &Work<'_>, key: Handle) -> Result<Vec<u8>, Fault> {
        // If wrapping fails the session is closed, and the object ends with it.
        let wrapped = self.wrapping.wrap_key(work, key)?;
        work.raw.destroy_object(work.session, key)?;
        Ok(wrapped)
    }

    fn must_offer(&self, kind: KeyKind, residency: Residency) -> Result<(), CryptoError> {
        if self.offers_key(kind, residency) {
            Ok(())
        } else {
            Err(CryptoError::Unsupported(format!(
                "{kind:?} with residency {residency:?} in the HSM module"
            )))
        }
    }
}

/// The attributes that hold the material of a key that is brought in.
fn material(kind: KeyKind, bytes: &Secret) -> Result<Vec<Attr<'_>>, CryptoError> {
    let exact = |len: u32| {
        if u32::try_from(bytes.len()) == Ok(len) {
            Ok(vec![Attr::Bytes(CKA_VALUE, bytes.expose())])
        } else {
            Err(CryptoError::BadParameters(
                "the key has not the length it is said to have".to_owned(),
            ))
        }
    };
    match kind {
        KeyKind::Aes { bits } => exact(bits / 8),
        KeyKind::Generic { bytes } => exact(bytes),
        KeyKind::Ec { curve } => Ok(vec![
            Attr::Bytes(CKA_EC_PARAMS, template::curve_parameters(curve)),
            Attr::Bytes(CKA_VALUE, der::ec_private(bytes.expose(), curve)?),
        ]),
        KeyKind::Rsa { bits } => {
            let parts = der::rsa_private(bytes.expose())?;
            let found = parts.modulus.len() * 8
                - parts
                    .modulus
                    .first()
                    .map_or(0, |byte| byte.leading_zeros() as usize);
            if usize::try_from(bits) != Ok(found) {
                return Err(CryptoError::BadParameters(
                    "the modulus has not the length it is said to have".to_owned(),
                ));
            }
            Ok(vec![
                Attr::Bytes(CKA_MODULUS, parts.modulus),
                Attr::Bytes(CKA_PUBLIC_EXPONENT, parts.public_exponent),
                Attr::Bytes(CKA_PRIVATE_EXPONENT, parts.private_exponent),
                Attr::Bytes(CKA_PRIME_1, parts.prime_1),
                Attr::Bytes(CKA_PRIME_2, parts.prime_2),
                Attr::Bytes(CKA_EXPONENT_1, parts.exponent_1),
                Attr::Bytes(CKA_EXPONENT_2, parts.exponent_2),
                Attr::Bytes(CKA_COEFFICIENT, parts.coefficient),
            ])
        }
    }
}

fn refused_material(fault: Fault) -> CryptoError {
    if matches!(
        fault.error,
        cryptoki::error::RvError::AttributeValueInvalid
            | cryptoki::error::RvError::TemplateInconsistent
    ) {
        CryptoError::BadParameters("the HSM module does not take this key".to_owned())
    } else {
        fault.into()
    }
}

fn public_parts(work: &Work<'_>, kind: KeyKind, public: Handle) -> Result<PublicParts, Fault> {
    let read = |attribute| work.raw.attribute(work.session, public, attribute);
    match template::class_and_type(kind).1 {
        CKK_RSA => Ok([read(CKA_MODULUS)?, read(CKA_PUBLIC_EXPONENT)?]),
        CKK_EC => Ok([read(CKA_EC_POINT)?, Vec::new()]),
        _ => Ok([Vec::new(), Vec::new()]),
    }
}

fn public_der(kind: KeyKind, [first, second]: &PublicParts) -> Result<Vec<u8>, CryptoError> {
    let der = match kind {
        KeyKind::Rsa { .. } => Some(der::rsa_public(first, second)),
        KeyKind::Ec { curve } => der::ec_public(curve, first),
        KeyKind::Aes { .. } | KeyKind::Generic { .. } => None,
    };
    der.ok_or_else(|| {
        CryptoError::Unavailable("the module gave a public key that is none".to_owned())
    })
}
