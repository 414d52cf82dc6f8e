//! Wrapping a key on its way out, and opening one that came wrapped (KMIP 2.1 §3.3, §7.18): encrypted, MACed or signed, or
//! both in either order; the key material alone, or the Key Value structure.
//!
//! What the text leaves open is settled so: the Key Value of a wrapped key is always bytes, and a key that is MACed or signed
//! alone has its encoding there, in the clear. What is MACed or signed is those bytes where it is done last, and the encoding
//! that is then encrypted where it is done first; MAC/Signature is a field of its own and is not encrypted. The tag of a mode
//! that authenticates stands behind the ciphertext (RFC 5116 §5.1), since no field is for it.

mod encryption;
mod witness;

use kmip_codec::schema::{Decode, Encode};
use kmip_codec::spec::{EncodingOption, ResultReason, Tag, Version, WrappingMethod};
use kmip_codec::ttlv::{Blob, Limits, Writer, frame, parse};
use kmip_codec::types::{
    AttributeList, AttributeReference, CryptographicParameters as Parameters, EncryptionKeyInformation, KeyMaterial,
    KeyValue, KeyWrappingData, KeyWrappingSpecification, MacSignatureKeyInformation, Object, UniqueIdentifier,
};

use self::encryption::Encryption;
use self::witness::Witness;
use super::parameters::{self, as_feature};
use super::parents::Parents;
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// What a Wrapping Method does, in the order in which it wraps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Encrypt,
    Witness,
    EncryptThenWitness,
    WitnessThenEncrypt,
}

impl Method {
    /// Reads it, with the keys that it has and those that are named.
    fn read(method: WrappingMethod, encrypts: bool, witnesses: bool) -> Outcome<Self> {
        let read = match method {
            WrappingMethod::Encrypt => Self::Encrypt,
            WrappingMethod::MACSign => Self::Witness,
            WrappingMethod::EncryptThenMACSign => Self::EncryptThenWitness,
            WrappingMethod::MACSignThenEncrypt => Self::WitnessThenEncrypt,
            WrappingMethod::TR31 => {
                return Err(Failure::unsupported("key blocks of TR-31 (the Wrapping Method TR-31)"));
            }
            other => return Err(Failure::unsupported(format!("the Wrapping Method {other}"))),
        };
        let named = [
            (Tag::EncryptionKeyInformation, read != Self::Witness, encrypts),
            (Tag::MACSignatureKeyInformation, read != Self::Encrypt, witnesses),
        ];
        if let Some((tag, ..)) = named.iter().find(|(_, needed, given)| *needed && !given) {
            return Err(Failure::new(ResultReason::InvalidMessage, format!("{tag} is missing")));
        }
        if let Some((tag, ..)) = named.iter().find(|(_, needed, given)| *given && !needed) {
            return Err(Failure::invalid_field(format!("{tag} does not go with the Wrapping Method {method}")));
        }
        Ok(read)
    }
}

/// Wraps the key of an object that may leave, as the client specified.
///
/// # Errors
/// Wrapping Object Not Found, Wrapping Object Destroyed; what the use of a wrapping key is refused for; Encoding Option
/// Error; Feature Not Supported; Bad Cryptographic Parameters.
pub fn wrap(
    view: &mut View,
    permitted: &Permitted,
    object: &mut Object,
    specification: &KeyWrappingSpecification,
) -> Outcome<()> {
    let encrypting = specification.encryption_key_information.as_ref();
    let witnessing = specification.mac_signature_key_information.as_ref();
    let method = Method::read(specification.wrapping_method, encrypting.is_some(), witnessing.is_some())?;
    let encryption = encrypting.map(|information| Encryption::wrapping(view, information)).transpose()?;
    let witness = witnessing.map(|information| Witness::making(view, information)).transpose()?;
    let attributes = named(permitted, specification)?;

    let block = object
        .key_block_mut()
        .ok_or_else(|| Failure::new(ResultReason::InvalidObjectType, "only keys and secrets can be wrapped"))?;
    if block.key_wrapping_data.is_some() {
        return Err(Failure::new(ResultReason::InvalidObjectType, "the key is wrapped already, as it was registered"));
    }
    let Some(KeyValue::Plain { material, .. }) = &block.key_value else {
        return Err(Failure::new(ResultReason::KeyValueNotPresent, "the server does not hold the key value"));
    };
    let plain = encode(material, attributes, specification.encoding_option, view.version())?;
    let mut iv = None;
    let mut encrypt = |view: &mut View| -> Outcome<Secret> {
        let Some(encryption) = &encryption else { return Ok(plain.clone()) };
        let (wrapped, made) = encryption.encrypt(view, &plain)?;
        iv = made;
        Ok(Secret::new(wrapped))
    };
    let (wrapped, mac_signature) = match method {
        Method::WitnessThenEncrypt => {
            let witnessed = testify(view, witness.as_ref(), &plain)?;
            (encrypt(view)?, witnessed)
        }
        Method::Encrypt | Method::Witness | Method::EncryptThenWitness => {
            let wrapped = encrypt(view)?;
            let witnessed = testify(view, witness.as_ref(), &wrapped)?;
            (wrapped, witnessed)
        }
    };
    block.key_value = Some(KeyValue::Wrapped(Blob::copy_of(wrapped.expose())));
    block.key_wrapping_data = Some(KeyWrappingData {
        wrapping_method: specification.wrapping_method,
        encryption_key_information: specification.encryption_key_information.clone().zip(encryption).map(
            |(information, encryption)| EncryptionKeyInformation {
                unique_identifier: UniqueIdentifier::Text(encryption.identifier()),
                ..information
            },
        ),
        mac_signature_key_information: specification.mac_signature_key_information.clone().zip(witness).map(
            |(information, witness)| MacSignatureKeyInformation {
                unique_identifier: UniqueIdentifier::Text(witness.identifier()),
                ..information
            },
        ),
        mac_signature,
        iv_counter_nonce: iv,
        encoding_option: specification.encoding_option,
    });
    Ok(())
}

fn testify(view: &mut View, witness: Option<&Witness>, bytes: &Secret) -> Outcome<Option<Blob>> {
    witness.map(|witness| Ok(Blob::new(witness.make(view, bytes.expose())?))).transpose()
}

/// Unwraps the key of an object that came wrapped: what MACs or signs it is verified. One that is not wrapped stays as it is.
/// Answers the flags of the key that it was encrypted for, if it was encrypted.
///
/// # Errors
/// As for wrapping, of the keys that wrapped it; Encoding Option Error and Cryptographic Failure for what does not open: of
/// the latter there is one, whatever is wrong.
pub fn unwrap(view: &mut View, object: &mut Object) -> Outcome<Option<Parents>> {
    let version = view.version();
    let Some(block) = object.key_block_mut() else { return Ok(None) };
    let Some(data) = &block.key_wrapping_data else { return Ok(None) };
    let encrypting = data.encryption_key_information.as_ref();
    let witnessing = data.mac_signature_key_information.as_ref();
    let method = Method::read(data.wrapping_method, encrypting.is_some(), witnessing.is_some())?;
    let wrapped = match &block.key_value {
        Some(KeyValue::Wrapped(wrapped)) => Secret::copy_of(wrapped),
        // What is in the clear may come as the structure that it is the encoding of.
        Some(KeyValue::Plain { material, attributes }) if method == Method::Witness => {
            encode(material, attributes.clone(), data.encoding_option, version)?
        }
        // Some clients put the wrapped bytes into a structure, as if they were the Key Material.
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(wrapped), .. }) => Secret::copy_of(wrapped),
        _ => return Err(Failure::new(ResultReason::KeyValueNotPresent, "the server does not hold the key value")),
    };
    let encryption = encrypting.map(|information| Encryption::unwrapping(view, information)).transpose()?;
    let witness = witnessing.map(|information| Witness::verifying(view, information)).transpose()?;
    let witnessed = match (&witness, &data.mac_signature) {
        (Some(witness), Some(mac_signature)) => Some((witness, mac_signature)),
        (Some(_), None) => return Err(Failure::new(ResultReason::InvalidMessage, "MAC/Signature is missing")),
        (None, Some(_)) => {
            return Err(Failure::invalid_field("MAC/Signature does not go with the Wrapping Method Encrypt"));
        }
        (None, None) => None,
    };
    let iv = data.iv_counter_nonce.as_ref();
    if let (Some(_), None) = (iv, &encryption) {
        return Err(Failure::invalid_field("IV/Counter/Nonce does not go with the Wrapping Method MAC/sign"));
    }
    if let (Some((witness, claimed)), true) = (witnessed, method != Method::WitnessThenEncrypt) {
        witness.verify(view, wrapped.expose(), claimed).map_err(shut)?;
    }
    let bytes = match &encryption {
        Some(encryption) => encryption.decrypt(view, iv, wrapped.expose()).map_err(shut)?,
        None => wrapped,
    };
    if let (Some((witness, claimed)), true) = (witnessed, method == Method::WitnessThenEncrypt) {
        witness.verify(view, bytes.expose(), claimed).map_err(shut)?;
    }
    let key_value = match data.encoding_option.unwrap_or(EncodingOption::TTLVEncoding) {
        EncodingOption::NoEncoding => KeyValue::bytes(Blob::copy_of(bytes.expose())),
        EncodingOption::TTLVEncoding => encoded(&bytes, version)?,
        other => return Err(no_such(other)),
    };
    block.key_value = Some(key_value);
    block.key_wrapping_data = None;
    Ok(encryption.map(|encryption| encryption.parents()))
}

/// One failure for everything that does not open: padding, tag, length, MAC or signature.
fn shut(failure: Failure) -> Failure {
    match failure.reason {
        ResultReason::CryptographicFailure => Failure { message: "the wrapped key does not verify".into(), ..failure },
        _ => failure,
    }
}

/// What is wrapped.
fn encode(
    material: &KeyMaterial,
    attributes: AttributeList,
    option: Option<EncodingOption>,
    version: Version,
) -> Outcome<Secret> {
    let refused = |why| Err(Failure::new(ResultReason::EncodingOptionError, why));
    match (option.unwrap_or(EncodingOption::TTLVEncoding), material) {
        (EncodingOption::NoEncoding, _) if !attributes.0.is_empty() => {
            refused("No Encoding has no place for attributes")
        }
        (EncodingOption::NoEncoding, KeyMaterial::Bytes(bytes)) => Ok(Secret::copy_of(bytes)),
        (EncodingOption::NoEncoding, KeyMaterial::Structure(_)) => {
            refused("No Encoding needs key material that is bytes")
        }
        (EncodingOption::TTLVEncoding, _) => {
            let mut writer = Writer::new(version);
            KeyValue::Plain { material: material.clone(), attributes }.encode(Tag::KeyValue, &mut writer);
            Ok(Secret::new(writer.finish()))
        }
        (other, _) => Err(no_such(other)),
    }
}

fn no_such(option: EncodingOption) -> Failure {
    Failure::new(ResultReason::EncodingOptionError, format!("there is no Encoding Option {option}"))
}

/// A Key Value structure from its TTLV. Who wrapped it may have spoken another version than who asks.
fn encoded(bytes: &Secret, version: Version) -> Outcome<KeyValue> {
    let wrong = |_| Failure::new(ResultReason::EncodingOptionError, "what was wrapped is no Key Value in TTLV");
    let frame = frame::protect(bytes.expose().to_vec());
    let element = parse(&frame, &Limits::default()).map_err(wrong)?;
    if element.tag != Tag::KeyValue {
        return Err(Failure::new(ResultReason::EncodingOptionError, "what was wrapped is no Key Value"));
    }
    let other = if version.is_v2() { Version::V1_4 } else { Version::V2_1 };
    let read = |version| KeyValue::decode(element.clone(), version);
    match read(version).or_else(|_| read(other)).map_err(wrong)? {
        KeyValue::Wrapped(_) => {
            Err(Failure::new(ResultReason::EncodingOptionError, "what was wrapped is no Key Value"))
        }
        plain @ KeyValue::Plain { .. } => Ok(plain),
    }
}

/// Opens a key that wraps, in the words of wrapping.
fn open(view: &mut View, identifier: &UniqueIdentifier, intent: Use) -> Outcome<Permitted> {
    view.open(Some(identifier), intent).map_err(|failure| {
        let reason = match failure.reason {
            ResultReason::ObjectNotFound => ResultReason::WrappingObjectNotFound,
            ResultReason::ObjectDestroyed => ResultReason::WrappingObjectDestroyed,
            ResultReason::ObjectArchived => ResultReason::WrappingObjectArchived,
            reason => reason,
        };
        Failure { reason, message: format!("the wrapping key: {}", failure.message), ..failure }
    })
}

/// The parameters that apply to a wrapping key (KMIP 2.1 §7.18): those that are given must be among the key's, if the key
/// has any; else the key's first, else none.
fn applying(key: &Permitted, given: Option<&Parameters>) -> Outcome<Parameters> {
    let Some(given) = given else { return parameters::applying(None, key) };
    let mut own = key.attributes.structures::<Parameters>(Tag::CryptographicParameters).peekable();
    if own.peek().is_some() && !own.any(|own| own == *given) {
        return Err(parameters::bad("the wrapping key has no such Cryptographic Parameters"));
    }
    Ok(given.clone())
}

/// The error tables of what wraps and unwraps have neither Unsupported Cryptographic Parameters nor a reason that speaks of
/// the Initialization Vector (KMIP 2.1 §6.1.18.1, §6.1.19.1).
fn listed(failure: Failure) -> Failure {
    match failure.reason {
        ResultReason::MissingInitializationVector => Failure { reason: ResultReason::InvalidField, ..failure },
        _ => as_feature(failure),
    }
}

/// The attributes that are to be wrapped with the key.
fn named(permitted: &Permitted, specification: &KeyWrappingSpecification) -> Outcome<AttributeList> {
    let mut list = Vec::new();
    for name in &specification.attribute_names {
        let element = kmip_codec::Element::new(Tag::AttributeName, kmip_codec::Value::TextString(name.clone()));
        let reference: AttributeReference = kmip_codec::dialect::read_name(element)?;
        list.extend(permitted.attributes.all(&reference).cloned());
    }
    Ok(AttributeList(list))
}

#[cfg(test)]
mod tests;
