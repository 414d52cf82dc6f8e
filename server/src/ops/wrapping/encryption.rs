//! The key that encrypts what is wrapped: an AES key by key wrap, a symmetric key in any mode that Encrypt has, an RSA key
//! (KMIP 2.1 §3.3, Encryption Key Information).

use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, LinkType, ObjectType, ResultReason, Tag,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters as Parameters, EncryptionKeyInformation, Link, UniqueIdentifier};

use super::{applying, listed, open};
use crate::crypto::algorithm::{KeyKind, Wrap};
use crate::crypto::{CryptoError, keyformat, rsa};
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::ops::enciphering::{Accompanying, Enciphering};
use crate::ops::parents::Parents;
use crate::ops::{parameters, signature_verify};
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// A key that encrypts, or decrypts, what is wrapped.
pub(super) struct Encryption {
    key: Permitted,
    parameters: Parameters,
    how: How,
}

enum How {
    /// A key wrap, as providers have it for keys.
    KeyWrap(Wrap),
    /// As Encrypt and Decrypt do it.
    Symmetric(Enciphering),
    /// RSA, with the half of the pair that is needed.
    Rsa,
}

impl Encryption {
    /// The key that wraps: a symmetric key, a public key, or a certificate.
    pub(super) fn wrapping(view: &mut View, information: &EncryptionKeyInformation) -> Outcome<Self> {
        let key = open(view, &information.unique_identifier, Use::Cryptography(Purpose::Wrap))?;
        let mut parameters = applying(&key, information.cryptographic_parameters.as_ref())?;
        // The specification has no place for an IV: the server makes it.
        parameters.random_iv = Some(true);
        Self::read(view, key, parameters, &[ObjectType::PublicKey, ObjectType::Certificate])
    }

    /// The key that unwraps: a symmetric key, or a private one. Where the public half is named that wrapped, its private key
    /// is the one that it is linked with.
    pub(super) fn unwrapping(view: &mut View, information: &EncryptionKeyInformation) -> Outcome<Self> {
        let named = open(view, &information.unique_identifier, Use::ReadAttributes)?;
        let parameters = applying(&named, information.cryptographic_parameters.as_ref())?;
        let identifier = match named.object_type() {
            ObjectType::PublicKey => linked(&named, LinkType::PrivateKeyLink)?,
            ObjectType::Certificate => match linked(&named, LinkType::PrivateKeyLink) {
                Ok(private) => private,
                Err(_) => {
                    let public = open(view, &linked(&named, LinkType::PublicKeyLink)?, Use::ReadAttributes)?;
                    linked(&public, LinkType::PrivateKeyLink)?
                }
            },
            _ => information.unique_identifier.clone(),
        };
        let key = open(view, &identifier, Use::Cryptography(Purpose::Unwrap))?;
        Self::read(view, key, parameters, &[ObjectType::PrivateKey])
    }

    fn read(view: &View, key: Permitted, mut parameters: Parameters, pairs: &[ObjectType]) -> Outcome<Self> {
        let mode = parameters.block_cipher_mode;
        let how = match key.object_type() {
            ObjectType::SymmetricKey => {
                let wrap = match (key.algorithm(), mode) {
                    (Some(Algorithm::AES), Some(Mode::NISTKeyWrap)) => Some(Wrap::AesKw),
                    (Some(Algorithm::AES), Some(Mode::AESKeyWrapPadding)) => Some(Wrap::AesKwp),
                    _ => None,
                };
                // What a key wrap has no place for is refused as Encrypt refuses it.
                let how = Enciphering::read(view, &parameters, &key).map_err(listed)?;
                wrap.map_or(How::Symmetric(how), How::KeyWrap)
            }
            other if pairs.contains(&other) => {
                parameters.random_iv = None;
                parameters::rsa_cipher(&parameters).map_err(listed)?;
                How::Rsa
            }
            other => {
                return Err(Failure::new(
                    ResultReason::InvalidObjectType,
                    format!("keys are not wrapped so with a {other}"),
                ));
            }
        };
        Ok(Self { key, parameters, how })
    }

    /// The key's Unique Identifier.
    pub(super) fn identifier(&self) -> Text {
        self.key.identifier()
    }

    /// What comes out of its wrapping has these flags at least.
    pub(super) fn parents(&self) -> Parents {
        Parents::of([&self.key])
    }

    /// Encrypts, and answers the IV that it was done with.
    pub(super) fn encrypt(&self, view: &mut View, bytes: &Secret) -> Outcome<(Vec<u8>, Option<Blob>)> {
        let (out, iv) = match &self.how {
            How::KeyWrap(wrap) => {
                (view.with_key(&self.key, |provider, key| provider.wrap(key, *wrap, bytes)).map_err(listed)?, None)
            }
            How::Symmetric(how) => self.encipher(view, how, bytes).map_err(listed)?,
            How::Rsa => (self.encrypt_rsa(view, bytes).map_err(listed)?, None),
        };
        view.take_usage(&self.key, bytes.len())?;
        Ok((out, iv))
    }

    fn encipher(&self, view: &mut View, how: &Enciphering, bytes: &Secret) -> Outcome<(Vec<u8>, Option<Blob>)> {
        let iv = how.iv_to_make()?.map(|len| how.make_iv(view, len)).transpose()?;
        if iv.as_ref().is_some_and(|iv| how.counts(iv)) {
            view.count_nonce(&self.key, false)?;
        }
        let start = how.start(iv.as_ref())?;
        let cipher = how.encrypting(Accompanying { iv: start.as_ref().or(iv.as_ref()), ..Accompanying::default() })?;
        let encrypted = view.with_key(&self.key, |provider, key| provider.encrypt(key, &cipher, bytes.expose()))?;
        Ok(([encrypted.data, encrypted.tag].concat(), iv))
    }

    fn encrypt_rsa(&self, view: &mut View, bytes: &Secret) -> Outcome<Vec<u8>> {
        let spki = signature_verify::public_key(view, &self.key)?;
        let kind = keyformat::identify_public(&spki)?;
        if !matches!(kind, KeyKind::Rsa { .. }) {
            return Err(parameters::unsupported("wrapping with public keys that are not RSA"));
        }
        let cipher = parameters::rsa_cipher(&self.parameters)?;
        view.permit_rsa_encryption(kind, &cipher)?;
        Ok(rsa::encrypt(&spki, &cipher, bytes.expose())?)
    }

    /// Decrypts.
    pub(super) fn decrypt(&self, view: &mut View, iv: Option<&Blob>, wrapped: &[u8]) -> Outcome<Secret> {
        if let (Some(_), How::KeyWrap(_) | How::Rsa) = (iv, &self.how) {
            return Err(Failure::invalid_field("this encryption has no IV/Counter/Nonce"));
        }
        let bytes = match &self.how {
            How::KeyWrap(wrap) => view.with_key(&self.key, |provider, key| provider.unwrap(key, *wrap, wrapped)),
            How::Symmetric(how) => self.decipher(view, how, iv, wrapped),
            How::Rsa => {
                let cipher = parameters::rsa_cipher(&self.parameters).map_err(listed)?;
                if !matches!(view.key_kind(&self.key)?, KeyKind::Rsa { .. }) {
                    return Err(Failure::unsupported("unwrapping with private keys that are not RSA"));
                }
                view.with_key(&self.key, |provider, key| provider.decrypt_rsa(key, &cipher, wrapped))
            }
        };
        bytes.map_err(listed)
    }

    fn decipher(&self, view: &mut View, how: &Enciphering, iv: Option<&Blob>, wrapped: &[u8]) -> Outcome<Secret> {
        let cut = wrapped.len().checked_sub(how.tag_len());
        let (data, tag) = cut
            .and_then(|cut| wrapped.split_at_checked(cut))
            .ok_or(CryptoError::Failed("the wrapped key is shorter than its tag"))?;
        let tag = (!tag.is_empty()).then(|| Blob::copy_of(tag));
        let start = how.start(iv)?;
        let cipher = how.decrypting(Accompanying { iv: start.as_ref().or(iv), aad: None, tag: tag.as_ref() })?;
        view.with_key(&self.key, |provider, key| provider.decrypt(key, &cipher, data))
    }
}

/// The object that another one is linked with.
///
/// # Errors
/// Wrapping Object Not Found.
pub(super) fn linked(object: &Permitted, kind: LinkType) -> Outcome<UniqueIdentifier> {
    let mut links = object.attributes.structures::<Link>(Tag::Link);
    links.find(|link| link.kind == kind).map(|link| link.linked).ok_or_else(|| {
        Failure::new(ResultReason::WrappingObjectNotFound, format!("the wrapping key has no {kind} to its other half"))
    })
}
