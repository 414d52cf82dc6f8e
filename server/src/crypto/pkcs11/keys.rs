//! How keys come to be in the module, are found there, and go.

use std::sync::Arc;

use cryptoki::error::RvError;
use cryptoki_sys::{
    CK_ATTRIBUTE_TYPE, CKA_COEFFICIENT, CKA_EC_PARAMS, CKA_EC_POINT, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_EXTRACTABLE,
    CKA_ID, CKA_KEY_TYPE, CKA_MODULUS, CKA_PARAMETER_SET, CKA_PRIME_1, CKA_PRIME_2, CKA_PRIVATE_EXPONENT,
    CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO, CKA_SEED, CKA_SENSITIVE, CKA_TOKEN, CKA_VALUE,
};

use super::Pkcs11Provider;
use super::attr::{Attr, Mechanism};
use super::fault::Fault;
use super::handles::Object;
use super::holding::Ending;
use super::raw::Handle;
use super::session::Work;
use super::token::flags;
use super::wrapping::Half;
use super::{der, template};
use crate::crypto::algorithm::{Family, KeyKind};
use crate::crypto::keyformat::{
    self, EcPrivateParts, EcPublicParts, EdwardsPrivate, EdwardsPublic, PostQuantumPrivateParts, RsaPrivateParts,
    RsaPublicParts,
};
use crate::crypto::software::{self, Prepared, unhurried};
use crate::crypto::{CryptoError, Guarded, Made, MadePair, Place, Residency};
use crate::secret::Secret;

/// The public half, before it is DER.
type PublicParts = [Vec<u8>; 2];

impl Pkcs11Provider {
    pub(super) fn generate_key(&self, kind: KeyKind, residency: Residency) -> Result<Made, CryptoError> {
        if kind.is_pair() {
            return Err(CryptoError::BadParameters("such a key comes as a pair".to_owned()));
        }
        self.must_offer(kind, residency)?;
        let generator = Mechanism::Plain(template::generator(kind));
        let Residency::Token(id) = residency else {
            let mut template = template::passing(kind);
            template.extend(template::length(kind));
            let wrapped = self.token.sessions.work(|work| {
                let key = work.raw.generate_key(work.session, &generator, &template)?;
                self.wrap_and_destroy(work, kind, key)
            })?;
            return self.wrapped(kind, wrapped);
        };
        let mut template = template::on_token(kind, &id);
        template.extend(template::length(kind));
        template.extend(self.token.confined());
        let made = Guarded { id, kind, place: Place::Token };
        // The intent's message may run a second time: a key that the first run made is taken.
        if self.on_token(kind, &id)?.is_none() {
            self.token.sessions.work(|work| work.raw.generate_key(work.session, &generator, &template))?;
        }
        self.settle(&made)?;
        Ok(Made::Guarded(made))
    }

    pub(super) fn generate_key_pair(&self, kind: KeyKind, residency: Residency) -> Result<MadePair, CryptoError> {
        if !kind.is_pair() {
            return Err(CryptoError::BadParameters("such a key does not come as a pair".to_owned()));
        }
        self.must_offer(kind, residency)?;
        let generator = Mechanism::Plain(template::generator(kind));
        let Residency::Token(id) = residency else {
            let (wrapped, public) = self.generating(kind, |work| {
                let (public, private) = work.raw.generate_key_pair(
                    work.session,
                    &generator,
                    &template::public(kind, None),
                    &template::passing(kind),
                )?;
                let parts = public_parts(work, kind, public)?;
                work.raw.destroy_object(work.session, public)?;
                Ok((self.wrap_and_destroy(work, kind, private)?, parts))
            })?;
            return Ok(MadePair { private: self.wrapped(kind, wrapped)?, public: public_der(kind, public)? });
        };
        let made = Guarded { id, kind, place: Place::Token };
        let public = match self.pair_on_token(kind, &id)? {
            Some(public) => public,
            None => {
                // Half a pair is what an interrupted run left.
                self.destroy_on_token(&id)?;
                let mut template = template::on_token(kind, &id);
                template.extend(self.token.confined());
                self.generating(kind, |work| {
                    let (public, _) = work.raw.generate_key_pair(
                        work.session,
                        &generator,
                        &template::public(kind, Some(&id)),
                        &template,
                    )?;
                    public_parts(work, kind, public)
                })?
            }
        };
        self.settle(&made)?;
        Ok(MadePair { private: Made::Guarded(made), public: public_der(kind, public)? })
    }

    /// Makes a pair where others do not wait for it: RSA takes seconds, in the processor's time too where the module is
    /// software, and the trees of SLH-DSA take long.
    fn generating<T: Send>(
        &self,
        kind: KeyKind,
        make: impl FnOnce(&Work<'_>) -> Result<T, Fault> + Send,
    ) -> Result<T, CryptoError> {
        let sessions = &self.token.sessions;
        Ok(match kind {
            KeyKind::Rsa { .. } => unhurried(|| sessions.work_apart(make))?,
            KeyKind::PostQuantum { set } if set.family() == Family::SlhDsa => unhurried(|| sessions.work_apart(make))?,
            _ => sessions.work(make),
        }?)
    }

    pub(super) fn adopt_key(&self, kind: KeyKind, bytes: &Secret, residency: Residency) -> Result<Made, CryptoError> {
        self.must_offer(kind, residency)?;
        let material = Material::of(kind, bytes)?;
        let mut template = template::what(kind);
        template.extend(material.attributes());
        let Residency::Token(id) = residency else {
            template.extend(template::passing(kind));
            let wrapped = self.token.sessions.work(|work| {
                let key = work.raw.create_object(work.session, &template)?;
                self.wrap_and_destroy(work, kind, key)
            });
            return self.wrapped(kind, wrapped.map_err(refused_material)?);
        };
        let made = Guarded { id, kind, place: Place::Token };
        template.extend(template::on_token(kind, &id));
        template.extend(self.token.confined());
        // What a first run of the message left cannot be compared with the bytes; it goes.
        self.destroy_on_token(&id)?;
        let created = self.token.sessions.work(|work| work.raw.create_object(work.session, &template));
        created.map_err(refused_material)?;
        self.settle(&made)?;
        Ok(Made::Guarded(made))
    }

    /// Does something with a key that everybody may know, for as long as that takes an object of a session.
    pub(super) fn with_known<T>(
        &self,
        kind: KeyKind,
        bytes: &Secret,
        run: impl FnOnce(&Work<'_>, Handle) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, CryptoError> {
        let material = Material::of(kind, bytes)?;
        let mut template = template::unwrapped(kind);
        template.extend(material.attributes());
        // After an error the session is closed, and what was made in it ends with it.
        Ok(self.token.sessions.work(|work| {
            let key = work.raw.create_object(work.session, &template)?;
            let done = run(work, key)?;
            work.raw.destroy_object(work.session, key)?;
            Ok(done)
        }))
    }

    pub(super) fn destroy_key(&self, key: &Guarded) -> Result<(), CryptoError> {
        drop(self.release_key(key, true));
        match key.place {
            Place::Wrapped(_) => Ok(()),
            Place::Token => self.destroy_on_token(&key.id),
        }
    }

    /// What was kept of a key. Whoever began to unwrap it before finds no place for it afterwards.
    pub(super) fn release_key(&self, key: &Guarded, ends_work: bool) -> Option<(Option<Arc<Object>>, Option<Ending>)> {
        let ending = if ends_work { self.holdings.take(&key.id) } else { None };
        let released = (self.handles.remove(&key.id), ending);
        (released.0.is_some() || released.1.is_some()).then_some(released)
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
                    let handle = self.half(key.kind)?.unwrap_key(work, wrapped, key.kind)?;
                    let object = Arc::new(Object::of_session(handle, work.epoch, sessions));
                    self.handles.insert(key, &object, since);
                    Ok(object)
                })
                .map_err(|fault| CryptoError::Unavailable(format!("the wrapped key does not open: {fault}")))?,
            Place::Token => {
                let found = self.on_token(key.kind, &key.id)?;
                let (handle, epoch) = found.ok_or_else(|| {
                    CryptoError::Unavailable(format!("the key {} is missing on the token", hex::encode(key.id)))
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
        const STAYS: [(CK_ATTRIBUTE_TYPE, &str, bool); 2] =
            [(CKA_SENSITIVE, "CKA_SENSITIVE", true), (CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false)];
        let (class, key_type) = template::class_and_type(kind);
        let found = self.token.sessions.work(|work| {
            match work.raw.find(work.session, &template::by_id(class, id), 2)?.as_slice() {
                [] => Ok(Ok(None)),
                [handle] => {
                    let is_kind = work.raw.attribute(work.session, *handle, CKA_KEY_TYPE)? == key_type.to_ne_bytes();
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
        found.map_err(|reason| CryptoError::Unavailable(format!("the key {} on the token {reason}", hex::encode(id))))
    }

    /// The public half of a pair of which both halves are on the token.
    fn pair_on_token(&self, kind: KeyKind, id: &[u8; 16]) -> Result<Option<PublicParts>, CryptoError> {
        if self.on_token(kind, id)?.is_none() {
            return Ok(None);
        }
        let public = self.token.sessions.work(|work| {
            match work.raw.find(work.session, &template::by_id(template::PUBLIC, id), 2)?.as_slice() {
                [handle] => public_parts(work, kind, *handle).map(Some),
                _ => Ok(None),
            }
        })?;
        Ok(public)
    }

    /// Destroys every token object with an identity.
    pub(super) fn destroy_on_token(&self, id: &[u8; 16]) -> Result<(), CryptoError> {
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
    pub(super) fn settle(&self, made: &Guarded) -> Result<(), CryptoError> {
        self.sync_token()?;
        self.object(made).map(drop)
    }

    fn sync_token(&self) -> Result<(), CryptoError> {
        self.token.sync().map_err(|error| CryptoError::Unavailable(error.to_string()))
    }

    /// A wrapped key counts when it can be opened again.
    pub(super) fn wrapped(&self, kind: KeyKind, wrapped: Vec<u8>) -> Result<Made, CryptoError> {
        let made = Guarded { id: super::random_id()?, kind, place: Place::Wrapped(wrapped.into()) };
        self.object(&made)?;
        Ok(Made::Guarded(made))
    }

    /// Whether the module makes a pair of this kind that stays, as far as a session shows it: nothing comes onto the token.
    pub(super) fn makes_passing_pair(&self, kind: KeyKind) -> bool {
        let generator = Mechanism::Plain(template::generator(kind));
        let made = self.token.sessions.work(|work| {
            let (public, private) = work.raw.generate_key_pair(
                work.session,
                &generator,
                &template::public(kind, None),
                &template::staying(kind),
            )?;
            let parts = public_parts(work, kind, public)?;
            work.raw.destroy_object(work.session, public)?;
            work.raw.destroy_object(work.session, private)?;
            Ok(parts)
        });
        made.is_ok_and(|parts| public_der(kind, parts).is_ok())
    }

    fn half(&self, kind: KeyKind) -> Result<&Half, Fault> {
        let none = Fault { call: "looking for the wrapping key", error: RvError::KeyHandleInvalid };
        Ok(self.wrapping.as_ref().ok_or(none)?.half(kind))
    }

    pub(super) fn wrap_and_destroy(&self, work: &Work<'_>, kind: KeyKind, key: Handle) -> Result<Vec<u8>, Fault> {
        // If wrapping fails the session is closed, and the object ends with it.
        let wrapped = self.half(kind)?.wrap_key(work, key)?;
        work.raw.destroy_object(work.session, key)?;
        Ok(wrapped)
    }

    pub(super) fn must_offer(&self, kind: KeyKind, residency: Residency) -> Result<(), CryptoError> {
        kind.check()?;
        if self.offers_key(kind, residency) {
            Ok(())
        } else {
            Err(CryptoError::Unsupported(format!("{kind:?} with residency {residency:?} in the HSM module")))
        }
    }
}

/// The material of a key that is brought in, in the parts that PKCS#11 takes.
enum Material<'a> {
    Value(&'a [u8]),
    Ec(EcPrivateParts),
    Edwards(EdwardsPrivate),
    /// With the expanded key, and the seed where it is known.
    PostQuantum(PostQuantumPrivateParts),
    Rsa(RsaPrivateParts),
}

impl<'a> Material<'a> {
    fn of(kind: KeyKind, bytes: &'a Secret) -> Result<Self, CryptoError> {
        let wrong = || CryptoError::BadParameters("the bytes are not such a key".to_owned());
        if kind.raw_len().is_some_and(|len| len != bytes.len()) {
            return Err(wrong());
        }
        if kind.is_pair() {
            // Modules take numbers that do not belong together; they are checked before they go in.
            Prepared::new(kind, bytes)?;
            if keyformat::identify_private(bytes.expose())? != kind {
                return Err(wrong());
            }
        }
        Ok(match kind {
            KeyKind::Aes { .. } | KeyKind::Generic { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20 => {
                Self::Value(bytes.expose())
            }
            KeyKind::Ec { .. } => Self::Ec(EcPrivateParts::from_pkcs8(bytes.expose())?),
            KeyKind::PostQuantum { .. } => {
                let parts = PostQuantumPrivateParts::from_pkcs8(bytes.expose())?;
                Self::PostQuantum(PostQuantumPrivateParts { expanded: Some(software::expanded_key(bytes)?), ..parts })
            }
            KeyKind::Rsa { .. } => Self::Rsa(RsaPrivateParts::from_pkcs8(bytes.expose())?),
            KeyKind::Edwards { .. } => Self::Edwards(EdwardsPrivate::from_pkcs8(bytes.expose())?),
        })
    }

    fn attributes(&self) -> Vec<Attr<'_>> {
        match self {
            Self::Value(value) => vec![Attr::Bytes(CKA_VALUE, value)],
            Self::Ec(parts) => vec![
                Attr::Bytes(CKA_EC_PARAMS, template::curve_parameters(parts.curve)),
                Attr::Bytes(CKA_VALUE, parts.d.expose()),
            ],
            Self::Edwards(parts) => vec![
                Attr::Bytes(CKA_EC_PARAMS, keyformat::edwards_parameters(parts.curve)),
                Attr::Bytes(CKA_VALUE, parts.key.expose()),
            ],
            Self::PostQuantum(parts) => {
                let mut attributes = vec![Attr::Number(CKA_PARAMETER_SET, template::parameter_set(parts.set))];
                for (attribute, secret) in [(CKA_VALUE, &parts.expanded), (CKA_SEED, &parts.seed)] {
                    attributes.extend(secret.as_ref().map(|secret| Attr::Bytes(attribute, secret.expose())));
                }
                attributes
            }
            Self::Rsa(parts) => vec![
                Attr::Bytes(CKA_MODULUS, &parts.modulus),
                Attr::Bytes(CKA_PUBLIC_EXPONENT, &parts.public_exponent),
                Attr::Bytes(CKA_PRIVATE_EXPONENT, parts.private_exponent.expose()),
                Attr::Bytes(CKA_PRIME_1, parts.p.expose()),
                Attr::Bytes(CKA_PRIME_2, parts.q.expose()),
                Attr::Bytes(CKA_EXPONENT_1, parts.dp.expose()),
                Attr::Bytes(CKA_EXPONENT_2, parts.dq.expose()),
                Attr::Bytes(CKA_COEFFICIENT, parts.qinv.expose()),
            ],
        }
    }
}

fn refused_material(fault: Fault) -> CryptoError {
    if matches!(
        fault.error,
        cryptoki::error::RvError::AttributeValueInvalid | cryptoki::error::RvError::TemplateInconsistent
    ) {
        CryptoError::BadParameters("the HSM module does not take this key".to_owned())
    } else {
        fault.into()
    }
}

fn public_parts(work: &Work<'_>, kind: KeyKind, public: Handle) -> Result<PublicParts, Fault> {
    let read = |attribute| work.raw.attribute(work.session, public, attribute);
    match kind {
        KeyKind::Rsa { .. } => Ok([read(CKA_MODULUS)?, read(CKA_PUBLIC_EXPONENT)?]),
        KeyKind::Ec { .. } | KeyKind::Edwards { .. } => Ok([read(CKA_EC_POINT)?, Vec::new()]),
        KeyKind::PostQuantum { .. } => match read(CKA_PUBLIC_KEY_INFO) {
            Ok(info) if !info.is_empty() => Ok([Vec::new(), info]),
            _ => Ok([work.raw.public_value(work.session, public)?, Vec::new()]),
        },
        KeyKind::Aes { .. } | KeyKind::Generic { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20 => {
            Ok([Vec::new(), Vec::new()])
        }
    }
}

fn public_der(kind: KeyKind, [first, second]: PublicParts) -> Result<Vec<u8>, CryptoError> {
    let der = match kind {
        KeyKind::Rsa { .. } => RsaPublicParts { modulus: first, exponent: second }.to_spki().ok(),
        KeyKind::Ec { curve } => {
            der::ec_point(curve, &first).and_then(|point| EcPublicParts { curve, point: point.to_vec() }.to_spki().ok())
        }
        KeyKind::Edwards { curve } => der::edwards_point(curve, &first)
            .and_then(|point| EdwardsPublic { curve, key: point.to_vec() }.to_spki().ok()),
        KeyKind::PostQuantum { set } if second.is_empty() => keyformat::post_quantum_spki(set, &first).ok(),
        KeyKind::PostQuantum { .. } => (keyformat::identify_public(&second) == Ok(kind)).then_some(second),
        KeyKind::Aes { .. } | KeyKind::Generic { .. } | KeyKind::TripleDes { .. } | KeyKind::ChaCha20 => None,
    };
    der.ok_or_else(|| CryptoError::Unavailable("the module gave a public key that is none".to_owned()))
}
