//! Join Split Key (KMIP 2.1 §6.1.27, 1.4 §4.39).

use kmip_codec::Value;
use kmip_codec::spec::{KeyFormatType, ObjectType, ResultReason, SecretDataType, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Attributes, KeyBlock, KeyMaterial, KeyValue, Object, ProtectionStorageMasks, SecretData, SplitKey, UniqueIdentifier,
};

use super::Handler;
use super::create_split_key::known_method;
use super::incoming::Incoming;
use super::new_object::Given;
use super::parents::Parents;
use crate::crypto::keyblock;
use crate::crypto::sharing::{self, Part};
use crate::failure::{Failure, Outcome};
use crate::object::Origin;
use crate::object::material::Material;
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// What the parts make.
        pub object_type: ObjectType = ObjectType,
        /// The parts.
        pub unique_identifiers: Vec<UniqueIdentifier> = UniqueIdentifier,
        /// What kind of secret, if it is one.
        pub secret_data_type: Option<SecretDataType> = SecretDataType,
        /// Attributes of the object.
        pub attributes: Attributes = Attributes,
        /// Where it may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// The answer.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Attributes that the server set without being told, 1.x; none.
        pub attributes: Option<Attributes> = Attributes until V1_4,
    }
}

/// Join Split Key.
pub struct JoinSplitKey;

impl Handler for JoinSplitKey {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { object_type, unique_identifiers, secret_data_type, attributes, protection_storage_masks } =
            request;
        let joinable =
            matches!(object_type, ObjectType::SymmetricKey | ObjectType::PrivateKey | ObjectType::SecretData);
        if !joinable {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                format!("Split Keys are not joined to a {object_type}"),
            ));
        }
        if secret_data_type.is_some() && object_type != ObjectType::SecretData {
            return Err(Failure::invalid_field("a Secret Data Type goes with Secret Data alone"));
        }
        let mut parts = Vec::with_capacity(unique_identifiers.len());
        for identifier in &unique_identifiers {
            parts.push(part(view, identifier)?);
        }
        let (bytes, first) = join(&parts)?;
        // The bytes have their length, and the parts mostly say what they are parts of.
        let mut said = vec![Tag::CryptographicLength, Tag::SecretDataType];
        said.extend(first.key_block.cryptographic_algorithm.map(|_| Tag::CryptographicAlgorithm));
        let mut given = Given::with_defaults(view, attributes, object_type, &said)?;
        Parents::of(parts.iter().map(|(part, _)| part)).restrict(&mut given);
        let block = block(&first, &given, bytes);
        let object = match object_type {
            ObjectType::SymmetricKey => Object::SymmetricKey(block),
            ObjectType::PrivateKey => Object::PrivateKey(block),
            _ => Object::SecretData(SecretData {
                secret_data_type: secret_data_type.unwrap_or(SecretDataType::Seed),
                key_block: block,
            }),
        };
        let incoming = Incoming::examine(view, object, &given)?;
        let new = incoming.keep(view, given, protection_storage_masks.as_ref(), Origin::Registered)?;
        let unique_identifier = view.insert(new)?;
        Ok(Response { unique_identifier, attributes: None })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// A part that is there to be joined. Its bytes do not leave: it need not be Extractable.
fn part(view: &mut View, identifier: &UniqueIdentifier) -> Outcome<(Permitted, SplitKey)> {
    let gone = |failure: Failure| match failure.reason {
        ResultReason::ObjectDestroyed => Failure { reason: ResultReason::ObjectNotFound, ..failure },
        _ => failure,
    };
    let permitted = view.open(Some(identifier), Use::Join).map_err(gone)?;
    let wrong = |why: String| Err(Failure::new(ResultReason::InvalidObjectType, why));
    if permitted.object_type() != ObjectType::SplitKey {
        return wrong(format!("a {} is no Split Key", permitted.object_type()));
    }
    match &*view.material(&permitted).map_err(gone)? {
        Material::Open(object) => match &**object {
            Object::SplitKey(split) => Ok((permitted, split.clone())),
            _ => wrong("the object is no Split Key".into()),
        },
        Material::Guarded(_) => wrong("the part lives in the module".into()),
    }
}

/// Joins parts that belong together, as many as they say are needed.
fn join(parts: &[(Permitted, SplitKey)]) -> Outcome<(Secret, SplitKey)> {
    let failed = |why| Err(Failure::new(ResultReason::CryptographicFailure, why));
    let Some((_, first)) = parts.first() else {
        return Err(Failure::invalid_field("no Split Key is named"));
    };
    let kin = |other: &SplitKey| {
        (other.split_key_parts, other.split_key_threshold, other.split_key_method)
            == (first.split_key_parts, first.split_key_threshold, first.split_key_method)
            && other.prime_field_size == first.prime_field_size
    };
    if !parts.iter().all(|(_, split)| kin(split)) {
        return Err(Failure::new(ResultReason::BadCryptographicParameters, "the Split Keys are not parts of one key"));
    }
    let threshold = usize::try_from(first.split_key_threshold).unwrap_or(usize::MAX);
    if parts.len() < threshold {
        return failed("there are fewer Split Keys than the threshold");
    }
    let mut shares = Vec::with_capacity(parts.len());
    for (_, split) in parts {
        let KeyMaterial::Bytes(bytes) = keyblock::material(&split.key_block)? else {
            return failed("the part is no bytes");
        };
        let number = u32::try_from(split.key_part_identifier).unwrap_or(0);
        shares.push(Part { number, bytes: Secret::copy_of(bytes) });
    }
    let method = known_method(first.split_key_method, first.prime_field_size.as_ref())?;
    // Where the length counts the bytes of the key; that of an RSA key counts its modulus.
    let raw = matches!(first.key_block.key_format_type, KeyFormatType::Raw | KeyFormatType::Opaque);
    let length = first.key_block.cryptographic_length.filter(|_| raw).and_then(|bits| usize::try_from(bits).ok());
    let bytes = sharing::join(&shares, &method, length.map(|bits| bits.div_ceil(8)))?;
    Ok((bytes, first.clone()))
}

/// The key block of the whole: the format of the parts, and what the request and they say of algorithm and length.
fn block(first: &SplitKey, given: &Given, bytes: Secret) -> KeyBlock {
    let said = |tag| given.attributes.iter().find(|attribute| attribute.tag == tag).map(|attribute| &attribute.value);
    let algorithm = match said(Tag::CryptographicAlgorithm) {
        Some(&Value::Enumeration(code)) => Some(kmip_codec::spec::CryptographicAlgorithm(code)),
        _ => first.key_block.cryptographic_algorithm,
    };
    let length = match said(Tag::CryptographicLength) {
        Some(&Value::Integer(bits)) => Some(bits),
        _ => first.key_block.cryptographic_length,
    };
    KeyBlock {
        key_format_type: first.key_block.key_format_type,
        key_compression_type: None,
        key_value: Some(KeyValue::bytes(Blob::copy_of(bytes.expose()))),
        cryptographic_algorithm: algorithm,
        cryptographic_length: length,
        key_wrapping_data: None,
    }
}

#[cfg(test)]
mod tests;
