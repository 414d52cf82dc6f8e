//! ML-KEM at work (docs/adr/0009): Encrypt and Decrypt by HPKE, and keys that are agreed on by Derive Key.

use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, ObjectType, Tag};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Attribute, CryptographicParameters as Parameters};
use kmip_codec::{Element, Value};

use super::data::{self, Data};
use super::derive_key::{DerivationParameters, Derived, Target, from_key};
use super::parameters::{self, bad, only, unsupported};
use super::parts::Part;
use crate::crypto::algorithm::{Derivation, KeyKind, ParameterSet};
use crate::crypto::{CryptoError, hpke, software};
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;
use crate::trust::policy::Permitted;
use crate::view::View;

/// The Vendor Attribute of a derived key whose shared secret was made here: the ciphertext for the other side. The vendor y is
/// the server itself.
const VENDOR: &str = "y";
const NAME: &str = "Encapsulation";

/// What Encrypt and Decrypt are given.
pub(super) struct Given {
    /// Cryptographic Parameters of the request.
    pub(super) parameters: Option<Parameters>,
    /// Whole, or a part.
    pub(super) part: Part,
    /// Data.
    pub(super) data: Option<Data>,
    /// Authenticated Encryption Additional Data.
    pub(super) aad: Option<Blob>,
    /// IV/Counter/Nonce.
    pub(super) iv: Option<Blob>,
    /// Authenticated Encryption Tag.
    pub(super) tag: Option<Blob>,
}

impl Given {
    /// The data, where nothing was said that HPKE has no place for.
    fn data(self, key: &Permitted, set: ParameterSet) -> Outcome<(Blob, Option<Blob>)> {
        if self.part != Part::Whole {
            return Err(Failure::unsupported("encryption with ML-KEM in several parts"));
        }
        for (tag, given) in [(Tag::IVCounterNonce, &self.iv), (Tag::AuthenticatedEncryptionTag, &self.tag)] {
            if given.is_some() {
                return Err(parameters::meaningless(tag, "encryption with ML-KEM"));
            }
        }
        let parameters = parameters::applying(self.parameters, key)?;
        only(&parameters, &[Tag::CryptographicAlgorithm], "encryption with ML-KEM")?;
        agrees(&parameters, set)?;
        Ok((data::required(self.data)?, self.aad))
    }
}

fn agrees(parameters: &Parameters, set: ParameterSet) -> Outcome<()> {
    match parameters.cryptographic_algorithm {
        Some(named) if named != set.algorithm() => {
            Err(bad(format!("the Cryptographic Algorithm {named} is not that of the key, {}", set.algorithm())))
        }
        _ => Ok(()),
    }
}

/// Encrypts to a public key: the encapsulated key, the ciphertext and its tag.
///
/// # Errors
/// What is said of the parameters; Unsupported Cryptographic Parameters for what is not permitted.
pub(super) fn encrypt(view: &mut View, key: &Permitted, set: ParameterSet, spki: &[u8], given: Given) -> Outcome<Blob> {
    let (data, aad) = given.data(key, set)?;
    view.permit_hpke(KeyKind::PostQuantum { set })?;
    view.take_usage(key, data.len())?;
    Ok(Blob::new(hpke::seal(set, spki, aad.as_deref().unwrap_or_default(), &data)?))
}

/// Decrypts with a private key what [`encrypt`] made.
///
/// # Errors
/// Cryptographic Failure, and never why; what is said of the parameters.
pub(super) fn decrypt(view: &mut View, key: &Permitted, set: ParameterSet, given: Given) -> Outcome<Blob> {
    let (data, aad) = given.data(key, set)?;
    let aad = aad.as_deref().unwrap_or_default();
    let plaintext = view.with_key(key, |provider, key| provider.open_hpke(key, aad, &data))?;
    Ok(Blob::copy_of(plaintext.expose()))
}

/// The parameter set of a key of ML-KEM; `None` for other keys.
pub(super) fn set_of(view: &mut View, key: &Permitted) -> Option<ParameterSet> {
    if !matches!(key.object_type(), ObjectType::PublicKey | ObjectType::PrivateKey) {
        return None;
    }
    match view.key_kind(key) {
        Ok(KeyKind::PostQuantum { set }) if set.is_kem() => Some(set),
        _ => None,
    }
}

/// Agrees on a key, by the Derivation Method Asymmetric Key: a public key alone encapsulates, and the ciphertext becomes an
/// attribute of the derived key; a private key decapsulates the ciphertext that is the Derivation Data.
///
/// # Errors
/// Bad Cryptographic Parameters, Cryptographic Failure.
pub(super) fn derive(
    view: &mut View,
    key: &Permitted,
    set: ParameterSet,
    given: &DerivationParameters,
    target: Target,
) -> Outcome<(Derived, Option<Attribute>)> {
    let len = target.len();
    let parameters = given.cryptographic_parameters.clone().unwrap_or_default();
    only(&parameters, &[Tag::CryptographicAlgorithm], "key agreement with ML-KEM")?;
    agrees(&parameters, set)?;
    if len > ParameterSet::SHARED_SECRET {
        return Err(CryptoError::Failed("a shared secret of ML-KEM has 32 bytes").into());
    }
    match (key.object_type(), given.derivation_data.as_slice()) {
        (ObjectType::PublicKey, []) => {
            view.permit_encapsulation(KeyKind::PostQuantum { set })?;
            let spki = view.public_key(key)?;
            view.take_usage(key, len)?;
            let (ciphertext, secret) = software::encapsulate(&spki)?;
            let secret = secret.expose().get(..len).map(Secret::copy_of);
            let secret = secret.ok_or_else(|| Failure::internal("a short secret"))?;
            Ok((Derived::Bytes(secret), Some(encapsulation(ciphertext))))
        }
        (ObjectType::PublicKey, _) => Err(bad("a public key of ML-KEM encapsulates, and takes no Derivation Data")),
        (_, [ciphertext]) => {
            view.take_usage(key, len)?;
            Ok((from_key(view, key, &Derivation::Decapsulate { ciphertext }, target)?, None))
        }
        _ => Err(bad("a private key of ML-KEM decapsulates the ciphertext that is its Derivation Data")),
    }
}

/// The refusal of Encrypt and Decrypt for a key that is neither RSA nor ML-KEM.
pub(super) fn no_encryption(algorithm: Option<Algorithm>) -> Failure {
    match algorithm {
        Some(algorithm) => unsupported(format!("encryption with {algorithm}")),
        None => unsupported("encryption with such a key"),
    }
}

fn encapsulation(ciphertext: Vec<u8>) -> Attribute {
    let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
    let value = Element::new(Tag::AttributeValue, Value::ByteString(Blob::new(ciphertext)));
    let fields = vec![text(Tag::VendorIdentification, VENDOR), text(Tag::AttributeName, NAME), value];
    Attribute::new(Tag::Attribute, Value::Structure(fields))
}
