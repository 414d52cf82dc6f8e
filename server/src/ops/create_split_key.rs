//! Create Split Key (KMIP 2.1 §6.1.10, 1.4 §4.38).

use kmip_codec::Value;
use kmip_codec::schema::BigInteger;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, KeyFormatType, ObjectType, ResultReason, SplitKeyMethod, Tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Attributes, KeyBlock, KeyMaterial, KeyValue, Object, ProtectionStorageMasks, SplitKey, UniqueIdentifier,
};

use super::Handler;
use super::create;
use super::new_object::Given;
use crate::crypto::Made;
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::sharing::{self, Method, Part, Prime, SharingError};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{Origin, Residency};
use crate::secret::Secret;
use crate::trust::policy::Use;
use crate::view::{New, View};

/// The most parts that a key is split into: each is an object of its own.
const MOST_PARTS: u32 = 255;

structure! {
    /// The request.
    pub struct Request {
        /// What is made: Split Keys.
        pub object_type: ObjectType = ObjectType,
        /// The key that is split; without, one is made for it that nobody keeps whole.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How many parts there are to be.
        pub split_key_parts: i32 = SplitKeyParts,
        /// How many of them join the key.
        pub split_key_threshold: i32 = SplitKeyThreshold,
        /// How it is split.
        pub split_key_method: SplitKeyMethod = SplitKeyMethod,
        /// The prime of Polynomial Sharing Prime Field.
        pub prime_field_size: Option<BigInteger> = PrimeFieldSize,
        /// Attributes of every part.
        pub attributes: Attributes = Attributes,
        /// Where they may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// The answer.
    pub struct Response {
        /// The parts, the first first.
        pub unique_identifiers: Vec<Text> = UniqueIdentifier,
        /// Attributes that the server set without being told, 1.x; none.
        pub attributes: Option<Attributes> = Attributes until V1_4,
    }
}

/// Create Split Key.
pub struct CreateSplitKey;

/// What a key that is split says of its parts.
const OF_KEY: [Tag; 2] = [Tag::CryptographicAlgorithm, Tag::CryptographicLength];

/// What is to be split, and what its parts take over from it.
struct Whole {
    block: KeyBlock,
    bytes: Secret,
    /// Sensitive, Always Sensitive and Never Extractable of the key, where there is one.
    flags: Option<(bool, bool, bool)>,
}

impl Handler for CreateSplitKey {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        if request.object_type != ObjectType::SplitKey {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                format!("Create Split Key makes Split Keys, not a {}", request.object_type),
            ));
        }
        let (parts, threshold) = (count(request.split_key_parts)?, count(request.split_key_threshold)?);
        let key = request.unique_identifier.as_ref();
        let mut attributes = request.attributes;
        // Those of a key that is there take precedence, and come from it.
        let of_key: &[Tag] = if key.is_some() { &OF_KEY } else { &[] };
        attributes.list.retain(|attribute| !of_key.contains(&attribute.tag));
        let mut given = Given::with_defaults(view, attributes, ObjectType::SplitKey, of_key)?;
        let whole = match key {
            Some(identifier) => existing(view, identifier)?,
            None => made(view, &given)?,
        };
        let method = method(request.split_key_method, request.prime_field_size.as_ref(), &whole.bytes)?;
        let shares = sharing::split(&whole.bytes, parts, threshold, &method, &mut |count| view.random(count))?;
        let mut found = Vec::new();
        if let Some((sensitive, always, never)) = whole.flags {
            if sensitive {
                given.attributes.retain(|attribute| attribute.tag != Tag::Sensitive);
                found.push((Tag::Sensitive, Value::Boolean(true)));
            }
            let says = |tag, value| {
                given
                    .attributes
                    .iter()
                    .any(|attribute| attribute.tag == tag && attribute.value == Value::Boolean(value))
            };
            // Of a history that began with the key.
            found.push((Tag::AlwaysSensitive, Value::Boolean(always && (sensitive || says(Tag::Sensitive, true)))));
            found.push((Tag::NeverExtractable, Value::Boolean(never && says(Tag::Extractable, false))));
        }
        if !given.has(Tag::CryptographicUsageMask) {
            found.push((Tag::CryptographicUsageMask, Value::Integer(0)));
        }
        let block = &whole.block;
        found.extend(
            block.cryptographic_algorithm.map(|it| (Tag::CryptographicAlgorithm, Value::Enumeration(it.into()))),
        );
        found.extend(block.cryptographic_length.map(|bits| (Tag::CryptographicLength, Value::Integer(bits))));
        let home = view.home(None, Some(true), request.protection_storage_masks.as_ref())?;
        let mut unique_identifiers = Vec::with_capacity(shares.len());
        for Part { number, bytes } in shares {
            let split = SplitKey {
                split_key_parts: request.split_key_parts,
                key_part_identifier: i32::try_from(number).unwrap_or(i32::MAX),
                split_key_threshold: request.split_key_threshold,
                split_key_method: request.split_key_method,
                prime_field_size: field(&method),
                key_block: KeyBlock {
                    key_value: Some(KeyValue::bytes(Blob::copy_of(bytes.expose()))),
                    key_compression_type: None,
                    key_wrapping_data: None,
                    ..whole.block.clone()
                },
            };
            unique_identifiers.push(view.insert(New {
                object_type: ObjectType::SplitKey,
                attributes: given.attributes.clone(),
                found: found.clone(),
                material: Some(Material::open(Object::SplitKey(split))),
                format: Some(whole.block.key_format_type),
                home,
                origin: if key.is_some() { Origin::Registered } else { Origin::Generated },
            })?);
        }
        Ok(Response { unique_identifiers, attributes: None })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        response.unique_identifiers.clone()
    }
}

impl From<SharingError> for Failure {
    fn from(error: SharingError) -> Self {
        match error {
            SharingError::BadParameters(why) => Self::new(ResultReason::BadCryptographicParameters, why),
            SharingError::Failed(why) => Self::new(ResultReason::CryptographicFailure, why),
        }
    }
}

fn count(parts: i32) -> Outcome<u32> {
    match u32::try_from(parts) {
        Ok(parts) if (1..=MOST_PARTS).contains(&parts) => Ok(parts),
        Ok(parts) if parts > MOST_PARTS => Err(Failure::new(
            ResultReason::ServerLimitExceeded,
            format!("a key is split into {MOST_PARTS} parts at the most"),
        )),
        _ => Err(Failure::invalid_field("Split Key Parts and Split Key Threshold are at least 1")),
    }
}

/// A key that the server has. Its parts are its bytes in a way: only a key that may leave is split.
fn existing(view: &mut View, identifier: &UniqueIdentifier) -> Outcome<Whole> {
    let gone = |failure: Failure| match failure.reason {
        ResultReason::ObjectNotFound | ResultReason::ObjectDestroyed | ResultReason::KeyValueNotPresent => {
            Failure { reason: ResultReason::ItemNotFound, ..failure }
        }
        ResultReason::NotExtractable => Failure { reason: ResultReason::PermissionDenied, ..failure },
        _ => failure,
    };
    let permitted = view.open(Some(identifier), Use::Get).map_err(gone)?;
    let flag = |tag| permitted.attributes.boolean(tag).unwrap_or(false);
    let flags = (permitted.is_sensitive(), flag(Tag::AlwaysSensitive), flag(Tag::NeverExtractable));
    // The parts are as Sensitive as the key: they leave only wrapped.
    let object = view.export(&permitted, true).map_err(gone)?.into_object();
    let splittable = matches!(object, Object::SymmetricKey(_) | Object::PrivateKey(_) | Object::SecretData(_));
    let Some(block) = object.key_block().filter(|_| splittable) else {
        return Err(Failure::new(
            ResultReason::InvalidObjectType,
            format!("a {} is not split", permitted.object_type()),
        ));
    };
    let mut block = block.clone();
    block.cryptographic_algorithm = block.cryptographic_algorithm.or(permitted.algorithm());
    block.cryptographic_length = block.cryptographic_length.or(permitted.attributes.integer(Tag::CryptographicLength));
    let bytes = match keyblock::material(&block).map_err(gone)? {
        KeyMaterial::Bytes(bytes) => Secret::copy_of(bytes),
        // Numbers are split in a format of bytes.
        KeyMaterial::Structure(_) => {
            let key = keyblock::canonical(permitted.object_type(), &block)?;
            let is_pair = key.kind().is_pair();
            let format = if is_pair { KeyFormatType::Pkcs8 } else { KeyFormatType::Raw };
            block = KeyBlock {
                cryptographic_length: block.cryptographic_length,
                ..keyblock::block(&key, block.cryptographic_algorithm, format)?
            };
            match keyblock::material(&block)? {
                KeyMaterial::Bytes(bytes) => Secret::copy_of(bytes),
                KeyMaterial::Structure(_) => return Err(Failure::internal("a format of bytes that is none")),
            }
        }
    };
    Ok(Whole { block, bytes, flags: Some(flags) })
}

/// A key for its parts alone.
fn made(view: &mut View, given: &Given) -> Outcome<Whole> {
    let algorithm = given.algorithm()?.unwrap_or(Algorithm::AES);
    let bits = given.length()?.map_or_else(|| create::default_length(algorithm), Ok)?;
    let kind = create::kind_of(algorithm, bits)?;
    let Made::Clear(bytes) = view.generate(kind, Residency::Sealed)?.made else {
        return Err(Failure::internal("a provider guards a key that was to be split"));
    };
    let mut block =
        keyblock::block(&Canonical::Secret { kind, bytes: bytes.clone() }, Some(algorithm), KeyFormatType::Raw)?;
    block.cryptographic_length = Some(bits);
    Ok(Whole { block, bytes, flags: None })
}

/// The method with the prime that it needs: the client's, or the smallest that the secret fits in.
///
/// # Errors
/// Unsupported Cryptographic Parameters; Bad Cryptographic Parameters for a number that is no prime.
fn method(method: SplitKeyMethod, prime: Option<&BigInteger>, secret: &Secret) -> Outcome<Method> {
    match (method, prime) {
        (SplitKeyMethod::PolynomialSharingPrimeField, None) => Ok(Method::Prime(Prime::for_secret(secret.len())?)),
        _ => known_method(method, prime),
    }
}

/// The method of parts that are there.
///
/// # Errors
/// As [`method`].
pub(super) fn known_method(method: SplitKeyMethod, prime: Option<&BigInteger>) -> Outcome<Method> {
    match (method, prime) {
        (SplitKeyMethod::XOR, None) => Ok(Method::Xor),
        (SplitKeyMethod::PolynomialSharingGF28, None) => Ok(Method::Gf8),
        (SplitKeyMethod::PolynomialSharingGF216, None) => Ok(Method::Gf16),
        (SplitKeyMethod::PolynomialSharingPrimeField, Some(BigInteger(prime))) => {
            if prime.first().is_none_or(|first| *first >= 0x80) {
                return Err(Failure::new(
                    ResultReason::BadCryptographicParameters,
                    "the Prime Field Size is not positive",
                ));
            }
            Ok(Method::Prime(Prime::new(prime)?))
        }
        (SplitKeyMethod::PolynomialSharingPrimeField, None) => {
            Err(Failure::new(ResultReason::BadCryptographicParameters, "the Prime Field Size is missing"))
        }
        (
            SplitKeyMethod::XOR | SplitKeyMethod::PolynomialSharingGF28 | SplitKeyMethod::PolynomialSharingGF216,
            Some(_),
        ) => Err(Failure::invalid_field("a Prime Field Size goes with Polynomial Sharing Prime Field alone")),
        (other, _) => Err(Failure::new(
            ResultReason::UnsupportedCryptographicParameters,
            format!("there is no Split Key Method {other}"),
        )),
    }
}

/// The prime as a Big Integer: with a sign, and whole words.
fn field(method: &Method) -> Option<BigInteger> {
    let Method::Prime(prime) = method else { return None };
    let bytes = prime.bytes();
    let mut padded = vec![0; (bytes.len() + 1).next_multiple_of(8).saturating_sub(bytes.len())];
    padded.extend_from_slice(bytes);
    Some(BigInteger(Blob::new(padded)))
}
