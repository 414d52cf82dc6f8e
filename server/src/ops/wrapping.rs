//! Wrapping a key on its way out, and opening one that came wrapped (KMIP 2.1 §3.3, §7.18): NIST key wrap of the key material, or of the Key Value structure.

use kmip_codec::schema::{Decode, Encode};
use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm, EncodingOption, ObjectType, ResultReason, Tag, Version, WrappingMethod,
};
use kmip_codec::ttlv::{Blob, Limits, Writer, frame, parse};
use kmip_codec::types::{
    AttributeList, AttributeReference, CryptographicParameters, EncryptionKeyInformation, KeyMaterial, KeyValue,
    KeyWrappingData, KeyWrappingSpecification, Object, UniqueIdentifier,
};

use crate::crypto::algorithm::Wrap;
use crate::failure::{Failure, Outcome};
use crate::object::usage::Purpose;
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// Wraps the key of an object that may leave, as the client specified.
///
/// # Errors
/// Wrapping Object Not Found, Wrapping Object Destroyed; what the use of the wrapping key is refused for; Encoding
/// Option Error; Unsupported Cryptographic Parameters.
pub fn wrap(
    view: &mut View,
    permitted: &Permitted,
    object: &mut Object,
    specification: &KeyWrappingSpecification,
) -> Outcome<()> {
    if specification.wrapping_method != WrappingMethod::Encrypt || specification.mac_signature_key_information.is_some()
    {
        return Err(Failure::unsupported(format!("the Wrapping Method {}", specification.wrapping_method)));
    }
    let information = specification
        .encryption_key_information
        .as_ref()
        .ok_or_else(|| Failure::new(ResultReason::InvalidMessage, "Encryption Key Information is missing"))?;
    let wrapping = wrapping_key(view, information, Purpose::Wrap)?;
    let parameters = information.cryptographic_parameters.clone();
    let how = method(&wrapping, parameters.as_ref())?;
    let encoding = specification.encoding_option.unwrap_or(EncodingOption::TTLVEncoding);
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
    let bytes = match encoding {
        EncodingOption::NoEncoding => {
            if !attributes.0.is_empty() {
                return Err(Failure::new(ResultReason::EncodingOptionError, "No Encoding has no place for attributes"));
            }
            match material {
                KeyMaterial::Bytes(bytes) => Secret::copy_of(bytes),
                KeyMaterial::Structure(_) => {
                    return Err(Failure::new(
                        ResultReason::EncodingOptionError,
                        "No Encoding needs key material that is bytes",
                    ));
                }
            }
        }
        EncodingOption::TTLVEncoding => {
            let mut writer = Writer::new(view.version());
            KeyValue::Plain { material: material.clone(), attributes }.encode(Tag::KeyValue, &mut writer);
            Secret::new(writer.finish())
        }
        other => {
            return Err(Failure::new(
                ResultReason::EncodingOptionError,
                format!("there is no Encoding Option {other}"),
            ));
        }
    };
    let wrapped = view.with_key(&wrapping, |provider, key| provider.wrap(key, how, &bytes))?;
    view.take_usage(&wrapping, bytes.len())?;
    block.key_value = Some(KeyValue::Wrapped(Blob::new(wrapped)));
    block.key_wrapping_data = Some(KeyWrappingData {
        wrapping_method: specification.wrapping_method,
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: UniqueIdentifier::Text(wrapping.identifier()),
            cryptographic_parameters: parameters,
        }),
        mac_signature_key_information: None,
        mac_signature: None,
        iv_counter_nonce: None,
        encoding_option: specification.encoding_option,
    });
    Ok(())
}

/// Unwraps the key of an object that came wrapped. One that is not wrapped stays as it is.
///
/// # Errors
/// As for wrapping, of the key that wrapped it; Encoding Option Error and Cryptographic Failure for what does not open.
pub fn unwrap(view: &mut View, object: &mut Object) -> Outcome<()> {
    let version = view.version();
    let Some(block) = object.key_block_mut() else { return Ok(()) };
    let Some(data) = &block.key_wrapping_data else { return Ok(()) };
    if data.wrapping_method != WrappingMethod::Encrypt {
        return Err(Failure::unsupported(format!("the Wrapping Method {}", data.wrapping_method)));
    }
    let information = data
        .encryption_key_information
        .as_ref()
        .ok_or_else(|| Failure::new(ResultReason::InvalidMessage, "Encryption Key Information is missing"))?;
    let wrapped = match &block.key_value {
        Some(KeyValue::Wrapped(wrapped)) => wrapped,
        // Some clients put the wrapped bytes into a structure, as if they were the Key Material.
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(wrapped), .. }) => wrapped,
        _ => return Err(Failure::new(ResultReason::KeyValueNotPresent, "the server does not hold the key value")),
    };
    let wrapping = wrapping_key(view, information, Purpose::Unwrap)?;
    let how = method(&wrapping, information.cryptographic_parameters.as_ref())?;
    let bytes = view.with_key(&wrapping, |provider, key| provider.unwrap(key, how, wrapped))?;
    let key_value = match data.encoding_option.unwrap_or(EncodingOption::TTLVEncoding) {
        EncodingOption::NoEncoding => KeyValue::bytes(Blob::copy_of(bytes.expose())),
        EncodingOption::TTLVEncoding => encoded(&bytes, version)?,
        other => {
            return Err(Failure::new(
                ResultReason::EncodingOptionError,
                format!("there is no Encoding Option {other}"),
            ));
        }
    };
    block.key_value = Some(key_value);
    block.key_wrapping_data = None;
    Ok(())
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
    read(version).or_else(|_| read(other)).map_err(wrong)
}

fn wrapping_key(view: &mut View, information: &EncryptionKeyInformation, purpose: Purpose) -> Outcome<Permitted> {
    let key = view.open(Some(&information.unique_identifier), Use::Cryptography(purpose)).map_err(|failure| {
        let reason = match failure.reason {
            ResultReason::ObjectNotFound => ResultReason::WrappingObjectNotFound,
            ResultReason::ObjectDestroyed => ResultReason::WrappingObjectDestroyed,
            ResultReason::ObjectArchived => ResultReason::WrappingObjectArchived,
            reason => reason,
        };
        Failure { reason, message: format!("the wrapping key: {}", failure.message), ..failure }
    })?;
    if key.object_type() != ObjectType::SymmetricKey || key.algorithm() != Some(CryptographicAlgorithm::AES) {
        return Err(Failure::new(ResultReason::InvalidObjectType, "the wrapping key must be an AES key"));
    }
    Ok(key)
}

/// The method, by the parameters of the request or of the key (KMIP 2.1 §7.18): parameters that are given must be
/// among the key's, if the key has any.
fn method(key: &Permitted, given: Option<&CryptographicParameters>) -> Outcome<Wrap> {
    let own: Vec<CryptographicParameters> = key.attributes.structures(Tag::CryptographicParameters).collect();
    if let Some(given) = given
        && !own.is_empty()
        && !own.contains(given)
    {
        return Err(Failure::new(
            ResultReason::BadCryptographicParameters,
            "the wrapping key has no such Cryptographic Parameters",
        ));
    }
    match given.or(own.first()).and_then(|parameters| parameters.block_cipher_mode) {
        Some(BlockCipherMode::NISTKeyWrap) => Ok(Wrap::AesKw),
        Some(BlockCipherMode::AESKeyWrapPadding) => Ok(Wrap::AesKwp),
        Some(mode) => Err(Failure::new(
            ResultReason::BadCryptographicParameters,
            format!("keys are not wrapped with the Block Cipher Mode {mode}"),
        )),
        None => Err(Failure::new(
            ResultReason::BadCryptographicParameters,
            "neither the request nor the wrapping key says a Block Cipher Mode",
        )),
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
