//! Certificates that the server makes: with the authority's key, wherever that is.

use std::collections::BTreeSet;
use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::spec::{KeyFormatType, ObjectType, ResultReason, Tag, Version};
use kmip_codec::types::{Attribute, Object, UniqueIdentifier};

use super::insert::digest;
use super::{Filter, View};
use crate::crypto::algorithm::{Message, Signature};
use crate::crypto::authority::{Authority, SERIAL_BYTES, SigningKey, Wanted};
use crate::crypto::keyblock::Canonical;
use crate::crypto::permits::Leave;
use crate::crypto::{Key, keyblock, keyformat};
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::trust::policy::{self, Permitted, Use};
use crate::trust::requester::Requester;

/// The formats in which a public key is kept.
const FORMATS: [KeyFormatType; 4] = [
    KeyFormatType::Pkcs1,
    KeyFormatType::X509,
    KeyFormatType::TransparentRSAPublicKey,
    KeyFormatType::TransparentECPublicKey,
];

impl View {
    /// The certification authority of Certify and Re-certify. What it certifies can never log in here: listeners refuse it.
    ///
    /// # Errors
    /// Operation Not Supported where none is configured.
    pub fn authority(&self) -> Outcome<Arc<Authority>> {
        self.shared.settings.authority.clone().ok_or_else(|| {
            Failure::new(ResultReason::OperationNotSupported, "this server has no certification authority")
        })
    }

    /// Makes a certificate, in DER, by an authority.
    ///
    /// # Errors
    /// What [`Authority::issue`] says; an internal one for an authority whose key cannot be used.
    pub fn issue(&mut self, authority: &Authority, wanted: &Wanted) -> Outcome<Vec<u8>> {
        let serial = self.random(SERIAL_BYTES)?;
        authority.issue(wanted, serial.expose(), |scheme, body| {
            self.sign_as(authority.key(), scheme, body).map_err(|failure| match failure.reason {
                // A rule of the configured algorithms is said, in the reason that these operations have in its place.
                ResultReason::UnsupportedCryptographicParameters => {
                    Failure { reason: ResultReason::FeatureNotSupported, ..failure }
                }
                _ => {
                    let why = failure.log.unwrap_or(failure.message);
                    Failure::internal(format!("the key of the certification authority cannot be used: {why}"))
                }
            })
        })
    }

    /// The requester's Public Key object that holds a key, given as SubjectPublicKeyInfo DER; `None` where there is none, and
    /// where several are, of which nobody can say which one is meant.
    ///
    /// # Errors
    /// What the store says.
    pub fn public_key_object(&mut self, spki: &[u8]) -> Outcome<Option<Permitted>> {
        let Ok(kind) = keyformat::identify_public(spki) else { return Ok(None) };
        let key = Canonical::Public { kind, spki: spki.to_vec() };
        let mut found = BTreeSet::new();
        // A key is found by its digest, which is computed over the format in which it is kept.
        for format in FORMATS {
            let Ok(block) = keyblock::block(&key, keyblock::algorithm_of(kind), format) else { continue };
            for (format, bytes) in keyblock::digests(&Object::PublicKey(block), Version::V1_4) {
                let Some(digest) = digest(&bytes, format) else { continue };
                let kind = Attribute::new(Tag::ObjectType, Value::Enumeration(ObjectType::PublicKey.into()));
                let filter = Filter::new(vec![Attribute::new(Tag::Digest, digest), kind])?;
                found.extend(self.locate(&filter, 0, 2, false)?.identifiers);
            }
        }
        let mut found = found.into_iter();
        match (found.next(), found.next()) {
            (Some(identifier), None) => self.open(Some(&UniqueIdentifier::Text(identifier)), Use::Certify).map(Some),
            _ => Ok(None),
        }
    }

    fn sign_as(&mut self, key: &SigningKey, scheme: Signature, body: &[u8]) -> Outcome<Vec<u8>> {
        match key {
            SigningKey::Held(key) => {
                let key = Key::Clear(key);
                let provider = self.shared.providers.holder(&key);
                let provider = provider.ok_or_else(|| Failure::internal("nobody signs with keys in memory"))?;
                self.shared.settings.permits.signature(key.kind(), scheme, Leave::PROTECT)?;
                Ok(provider.sign(key, scheme, Message::Data(body))?)
            }
            SigningKey::Managed { owner, identifier } => {
                let owner: Arc<str> = Arc::from(&**owner);
                let object = self.overlay.load(&self.shared, &owner, identifier, self.now)?;
                let mut holder = Requester::new(owner);
                let intent = Use::Cryptography(Purpose::Certify);
                let permitted = policy::decide(&mut holder, None, object, intent, self.now, false)?;
                self.take_usage(&permitted, body.len())?;
                self.with_key(&permitted, |provider, key| provider.sign(key, scheme, Message::Data(body)))
            }
        }
    }
}
