//! The key that MACs or signs what is wrapped: a symmetric key by a MAC, a pair by a signature (KMIP 2.1 §3.3,
//! MAC/Signature Key Information). The field names the private key or the public one; each is found from the other by its
//! Link.

use kmip_codec::spec::{LinkType, ObjectType, ResultReason};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{CryptographicParameters as Parameters, MacSignatureKeyInformation};

use super::encryption::linked;
use super::{applying, listed, open};
use crate::crypto::CryptoError;
use crate::crypto::algorithm::Message;
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::ops::{mac, sign, signature_verify};
use crate::secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// A key that MACs or signs, or verifies.
pub(super) struct Witness {
    named: Text,
    key: Permitted,
    parameters: Parameters,
    signs: bool,
}

impl Witness {
    /// The key that makes the MAC or signature.
    pub(super) fn making(view: &mut View, information: &MacSignatureKeyInformation) -> Outcome<Self> {
        Self::read(view, information, Purpose::Mac, Purpose::Sign)
    }

    /// The key that verifies it.
    pub(super) fn verifying(view: &mut View, information: &MacSignatureKeyInformation) -> Outcome<Self> {
        Self::read(view, information, Purpose::MacVerify, Purpose::Verify)
    }

    fn read(
        view: &mut View,
        information: &MacSignatureKeyInformation,
        by_mac: Purpose,
        by_signature: Purpose,
    ) -> Outcome<Self> {
        let named = open(view, &information.unique_identifier, Use::ReadAttributes)?;
        let parameters = applying(&named, information.cryptographic_parameters.as_ref())?;
        let other_half = match (named.object_type(), by_signature) {
            (ObjectType::SymmetricKey | ObjectType::SecretData, _)
            | (ObjectType::PrivateKey, Purpose::Sign)
            | (ObjectType::PublicKey | ObjectType::Certificate, Purpose::Verify) => None,
            (ObjectType::PrivateKey, _) => Some(linked(&named, LinkType::PublicKeyLink)?),
            (ObjectType::PublicKey, _) => Some(linked(&named, LinkType::PrivateKeyLink)?),
            (other, _) => {
                return Err(Failure::new(ResultReason::InvalidObjectType, format!("a {other} does not MAC or sign")));
            }
        };
        let signs = !matches!(named.object_type(), ObjectType::SymmetricKey | ObjectType::SecretData);
        let purpose = if signs { by_signature } else { by_mac };
        let identifier = other_half.as_ref().unwrap_or(&information.unique_identifier);
        let key = open(view, identifier, Use::Cryptography(purpose))?;
        Ok(Self { named: named.identifier(), key, parameters, signs })
    }

    /// The Unique Identifier of the key that was named.
    pub(super) fn identifier(&self) -> Text {
        self.named.clone()
    }

    /// The MAC or signature of these bytes.
    pub(super) fn make(&self, view: &mut View, bytes: &[u8]) -> Outcome<Vec<u8>> {
        let made = if self.signs {
            sign::make(view, &self.key, &self.parameters, Message::Data(bytes))
        } else {
            mac::make(view, &self.key, &self.parameters, bytes)
        };
        let made = made.map_err(listed)?;
        view.take_usage(&self.key, bytes.len())?;
        Ok(made)
    }

    /// Refuses bytes that it did not MAC or sign.
    pub(super) fn verify(&self, view: &mut View, bytes: &[u8], claimed: &[u8]) -> Outcome<()> {
        let is_valid = if self.signs {
            signature_verify::holds(view, &self.key, &self.parameters, Message::Data(bytes), claimed)
        } else {
            let made = mac::make(view, &self.key, &self.parameters, bytes);
            made.map(|made| secret::equal(&made, claimed))
        };
        if is_valid.map_err(listed)? {
            Ok(())
        } else {
            Err(CryptoError::Failed("the MAC or signature does not verify").into())
        }
    }
}
