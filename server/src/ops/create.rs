//! Create (KMIP 2.1 §6.1.8, 1.4 §4.1).

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, KeyFormatType, ObjectType, ResultReason, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attributes, Object, ProtectionStorageMasks};

use super::Handler;
use super::new_object::Given;
use crate::crypto::Made;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyblock::{self, Canonical};
use crate::failure::{Failure, Outcome};
use crate::object::Origin;
use crate::object::material::Material;
use crate::view::{New, View};

structure! {
    /// The request.
    pub struct Request {
        /// What to make.
        pub object_type: ObjectType = ObjectType,
        /// Its attributes.
        pub attributes: Attributes = Attributes,
        /// Where it may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// The answer.
    pub struct Response {
        /// What was made.
        pub object_type: ObjectType = ObjectType,
        /// Its identifier.
        pub unique_identifier: Text = UniqueIdentifier,
    }
}

/// Create.
pub struct Create;

impl Handler for Create {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object_type = request.object_type;
        if object_type != ObjectType::SymmetricKey {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                format!("Create makes Symmetric Keys, not a {object_type}"),
            ));
        }
        let given = Given::with_defaults(view, request.attributes, object_type, &[])?;
        let algorithm = given.algorithm()?.unwrap_or(Algorithm::AES);
        let bits = given.length()?.map_or_else(|| default_length(algorithm), Ok)?;
        let kind = kind_of(algorithm, bits)?;
        let home = view.home(Some(kind), given.extractable(), request.protection_storage_masks.as_ref())?;
        let made = view.generate(kind, home.residency)?.made;
        let (material, format) = material(made, kind, algorithm, bits, given.format())?;
        let unique_identifier = view.insert(New {
            object_type,
            attributes: given.attributes,
            found: vec![
                (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
                (Tag::CryptographicLength, Value::Integer(bits)),
            ],
            material: Some(material),
            format: Some(format),
            home,
            origin: Origin::Generated,
        })?;
        Ok(Response { object_type, unique_identifier })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// What a new symmetric key is made of, and in which format: Raw where none is asked for.
pub(super) fn material(
    made: Made,
    kind: KeyKind,
    algorithm: Algorithm,
    bits: i32,
    format: Option<KeyFormatType>,
) -> Outcome<(Material, KeyFormatType)> {
    let format = format.unwrap_or(KeyFormatType::Raw);
    let material = match made {
        Made::Guarded(guarded) => Material::Guarded(guarded),
        Made::Clear(bytes) => {
            let mut block = keyblock::block(&Canonical::Secret { kind, bytes }, Some(algorithm), format)?;
            // As the client counts it: the bytes of a 3DES key have parity bits, too.
            block.cryptographic_length = Some(bits);
            Material::open(Object::SymmetricKey(block))
        }
    };
    Ok((material, format))
}

/// The length of a key, in bits, where the client leaves it to the server.
pub(super) fn default_length(algorithm: Algorithm) -> Outcome<i32> {
    match algorithm {
        Algorithm::AES => Ok(256),
        _ => Err(Failure::new(ResultReason::InvalidAttribute, "Cryptographic Length is missing")),
    }
}

/// The kind of a symmetric key to make. Keys of algorithms that only clients use are random bytes of the right length.
pub(super) fn kind_of(algorithm: Algorithm, bits: i32) -> Outcome<KeyKind> {
    let wrong =
        || Failure::new(ResultReason::InvalidAttributeValue, format!("there is no {algorithm} key of {bits} bits"));
    let bits = u32::try_from(bits).map_err(|_| wrong())?;
    let allowed = match algorithm {
        Algorithm::AES => {
            return match bits {
                128 | 192 | 256 => Ok(KeyKind::Aes { bits }),
                // Two keys of 256 bits for XTS (SP 800-38E §3).
                512 => Ok(KeyKind::Generic { bytes: 64 }),
                _ => Err(wrong()),
            };
        }
        // With their parity bits, or as they are counted without.
        Algorithm::DES3 => matches!(bits, 64 | 112 | 128 | 168 | 192),
        Algorithm::DES => matches!(bits, 56 | 64),
        Algorithm::ChaCha20 | Algorithm::ChaCha20Poly1305 | Algorithm::Poly1305 => bits == 256,
        Algorithm::HMACMD5
        | Algorithm::HMACSHA1
        | Algorithm::HMACSHA224
        | Algorithm::HMACSHA256
        | Algorithm::HMACSHA384
        | Algorithm::HMACSHA512
        | Algorithm::HMACSHA3224
        | Algorithm::HMACSHA3256
        | Algorithm::HMACSHA3384
        | Algorithm::HMACSHA3512 => (8..=4096).contains(&bits) && bits.is_multiple_of(8),
        Algorithm::Camellia | Algorithm::ARIA | Algorithm::Twofish => matches!(bits, 128 | 192 | 256),
        Algorithm::Blowfish
        | Algorithm::CAST5
        | Algorithm::IDEA
        | Algorithm::RC2
        | Algorithm::RC4
        | Algorithm::RC5
        | Algorithm::SKIPJACK
        | Algorithm::SEED
        | Algorithm::MARS => (40..=448).contains(&bits) && bits.is_multiple_of(8),
        _ => {
            return Err(Failure::new(
                ResultReason::InvalidAttributeValue,
                format!("{algorithm} is no algorithm of symmetric keys that this server makes"),
            ));
        }
    };
    // The bytes that 3DES and DES keys of the shorter counts have, parity included.
    let bytes = match (algorithm, bits) {
        (Algorithm::DES3, 112 | 128) => 16,
        (Algorithm::DES3, 168 | 192) => 24,
        (Algorithm::DES | Algorithm::DES3, _) => 8,
        _ => bits / 8,
    };
    if allowed { Ok(keyblock::symmetric_kind(Some(algorithm), bytes as usize)) } else { Err(wrong()) }
}
