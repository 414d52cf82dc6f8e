//! Derive Key (KMIP 2.1 §6.1.14, §7.12, 1.4 §4.6).
//!
//! What the text leaves open is settled so: the first object is the derivation key, a Secret Data behind it brings the
//! derivation data; the SP 800-108 functions count and write lengths in 32 bits; an Initialization Vector that is not
//! given is all zeros where the mode must have one; a PBKDF2 that names no hash has HMAC with SHA-1, as in RFC 8018.

use std::num::NonZeroU32;

use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, DerivationMethod as Method, KeyFormatType, LinkType, ObjectType, ResultReason,
    SecretDataType, Tag,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Attributes, CryptographicParameters as Parameters, Object, ProtectionStorageMasks, SecretData, UniqueIdentifier,
};
use kmip_codec::{Value, structure};

use super::Handler;
use super::create::kind_of;
use super::encapsulation;
use super::enciphering::{Accompanying, Enciphering};
use super::new_object::{Given, link};
use super::parameters::{self, bad, hash_of, hmac_hash, only, unsupported, wrong_type};
use super::parents::Parents;
use crate::crypto::algorithm::{Derivation, Hash, Iteration, KeyKind};
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::{CryptoError, Key, Made};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::usage::Purpose;
use crate::object::{Origin, Residency};
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::{New, View};

structure! {
    /// The request.
    pub struct Request {
        /// What to make: a Symmetric Key or Secret Data.
        pub object_type: ObjectType = ObjectType,
        /// What it is derived from. The ID Placeholder does not stand in for it.
        pub unique_identifiers: Vec<UniqueIdentifier> = UniqueIdentifier,
        /// How.
        pub derivation_method: Method = DerivationMethod,
        /// What the method needs.
        pub derivation_parameters: DerivationParameters = DerivationParameters,
        /// Attributes of the new object; its length always, its algorithm for a key.
        pub attributes: Attributes = Attributes,
        /// Where it may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// Derivation Parameters (KMIP 2.1 §7.12).
    #[derive(Default)]
    pub struct DerivationParameters {
        /// The pseudorandom function, or how to encrypt.
        pub cryptographic_parameters: Option<Parameters> = CryptographicParameters,
        /// The IV of ENCRYPT, the first value of the feedback mode.
        pub initialization_vector: Option<Blob> = InitializationVector,
        /// What is hashed, authenticated or encrypted; in three parts for AWS Signature Version 4.
        pub derivation_data: Vec<Blob> = DerivationData,
        /// The salt of PBKDF2 and HKDF.
        pub salt: Option<Blob> = Salt,
        /// How often PBKDF2 iterates.
        pub iteration_count: Option<i32> = IterationCount,
    }

    /// The answer.
    pub struct Response {
        /// The derived object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Attributes that the server set without being told, 1.x; none.
        pub attributes: Option<Attributes> = Attributes until V1_4,
    }
}

/// Derive Key.
pub struct DeriveKey;

impl Handler for DeriveKey {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        run(view, request, Brought::Nothing)
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// What is derived from, where it does not come as an object.
#[derive(Clone, Copy)]
pub(super) enum Brought<'a> {
    /// All of it are objects.
    Nothing,
    /// The other's public key of an agreement, as SubjectPublicKeyInfo DER.
    Peer(&'a [u8]),
    /// The password of PBKDF2, and no object.
    Password(&'a Secret),
}

/// Derives; what it is derived from may come by itself instead of among the objects.
///
/// # Errors
/// Those of the operation.
pub(super) fn run(view: &mut View, request: Request, brought: Brought<'_>) -> Outcome<Response> {
    let Request { object_type, unique_identifiers, derivation_method, derivation_parameters, .. } = request;
    let bases = match brought {
        Brought::Password(_) if unique_identifiers.is_empty() => Vec::new(),
        _ => bases(view, &unique_identifiers)?,
    };
    let guarded: Vec<Tag> = Parents::of(&bases).guards().into_iter().map(|(tag, _)| tag).collect();
    let given = Given::with_defaults(view, request.attributes, object_type, &guarded).map_err(listed)?;
    let wanted = Wanted::read(object_type, &given).map_err(listed)?;
    let flags = strictest(&bases, &given)?;
    let is_guarded = bases.iter().any(|base| view.is_guarded(base));
    let extractable =
        if is_guarded || !bases.iter().all(|base| base.is_extractable()) { Some(false) } else { given.extractable() };
    let home = view.home(Some(wanted.kind), extractable, request.protection_storage_masks.as_ref())?;
    let target = Target { kind: wanted.kind, residency: home.residency };
    let kem = match (derivation_method, bases.as_slice()) {
        (Method::AsymmetricKey, [key]) => encapsulation::set_of(view, key).map(|set| (key, set)),
        _ => None,
    };
    let (derived, encapsulated) = match kem {
        Some((key, set)) if matches!(brought, Brought::Nothing) => {
            meaningful(derivation_method, &derivation_parameters)?;
            encapsulation::derive(view, key, set, &derivation_parameters, target)?
        }
        _ => (derive(view, &bases, brought, derivation_method, &derivation_parameters, target)?, None),
    };
    let mut attributes = given.attributes.clone();
    attributes.extend(encapsulated);

    let mut found = wanted.found();
    found.extend(flags);
    let format = given.format().unwrap_or(KeyFormatType::Raw);
    let made = match (derived, home.residency) {
        (Derived::Bytes(bytes), Residency::Sealed) => Made::Clear(bytes),
        (Derived::Bytes(bytes), residency) => view.adopt(wanted.kind, &bytes, residency)?,
        (Derived::Within(made), _) => made,
    };
    let material = match (made, home.residency) {
        (Made::Clear(bytes), Residency::Sealed) => Material::open(wanted.object(bytes, format)?),
        (Made::Guarded(guarded), Residency::Wrapped | Residency::Token) => Material::Guarded(guarded),
        _ => return Err(Failure::internal("a derived key is not where it was to be")),
    };
    let unique_identifier = view.insert(New {
        object_type,
        attributes,
        found,
        material: Some(material),
        format: Some(format),
        home,
        origin: Origin::Generated,
    })?;
    for base in &bases {
        link(view, &base.identifier(), LinkType::DerivedKeyLink, &unique_identifier)?;
        link(view, &unique_identifier, LinkType::DerivationBaseObjectLink, &base.identifier())?;
    }
    Ok(Response { unique_identifier, attributes: None })
}

/// Opens what is derived from: each of them must be permitted to derive, and none may come twice.
fn bases(view: &mut View, identifiers: &[UniqueIdentifier]) -> Outcome<Vec<Permitted>> {
    if identifiers.is_empty() {
        return Err(Failure::new(ResultReason::InvalidMessage, "Derive Key names what it derives from"));
    }
    let mut bases: Vec<Permitted> = Vec::with_capacity(identifiers.len());
    for identifier in identifiers {
        let base = view.open(Some(identifier), Use::Cryptography(Purpose::Derive))?;
        if bases.iter().any(|other| other.sequence == base.sequence) {
            return Err(Failure::invalid_field("an object is named twice"));
        }
        bases.push(base);
    }
    Ok(bases)
}

/// What is to be made.
struct Wanted {
    object_type: ObjectType,
    kind: KeyKind,
    algorithm: Option<Algorithm>,
    /// As the client counts it, in bits.
    length: i32,
    secret: SecretDataType,
}

impl Wanted {
    fn read(object_type: ObjectType, given: &Given) -> Outcome<Self> {
        if !matches!(object_type, ObjectType::SymmetricKey | ObjectType::SecretData) {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                format!("Derive Key makes Symmetric Keys and Secret Data, not a {object_type}"),
            ));
        }
        let missing = |tag: Tag| Failure::new(ResultReason::InvalidAttribute, format!("{tag} is missing"));
        let length = given.length()?.ok_or_else(|| missing(Tag::CryptographicLength))?;
        let algorithm = given.stated_algorithm();
        let kind = match (object_type, algorithm) {
            (ObjectType::SymmetricKey, None) => return Err(missing(Tag::CryptographicAlgorithm)),
            (ObjectType::SymmetricKey, Some(algorithm)) => kind_of(algorithm, length)?,
            _ => match u32::try_from(length) {
                Ok(bits) if bits.is_multiple_of(8) => KeyKind::Generic { bytes: bits / 8 },
                _ => {
                    return Err(Failure::new(
                        ResultReason::InvalidAttributeValue,
                        format!("Secret Data of {length} bits is not whole bytes"),
                    ));
                }
            },
        };
        kind.check()?;
        let secret = given.secret_data_type().unwrap_or(SecretDataType::Seed);
        Ok(Self { object_type, kind, algorithm, length, secret })
    }

    fn found(&self) -> Vec<(Tag, Value)> {
        let mut found = vec![(Tag::CryptographicLength, Value::Integer(self.length))];
        found.extend(self.algorithm.map(|value| (Tag::CryptographicAlgorithm, Value::Enumeration(value.into()))));
        if self.object_type == ObjectType::SecretData {
            found.push((Tag::SecretDataType, Value::Enumeration(self.secret.into())));
        }
        found
    }

    fn object(&self, bytes: Secret, format: KeyFormatType) -> Outcome<Object> {
        let mut block = keyblock::block(&Canonical::Secret { kind: self.kind, bytes }, self.algorithm, format)?;
        block.cryptographic_length = block.cryptographic_length.map(|_| self.length);
        Ok(match self.object_type {
            ObjectType::SecretData => {
                Object::SecretData(SecretData { secret_data_type: self.secret, key_block: block })
            }
            _ => Object::SymmetricKey(block),
        })
    }
}

/// What is derived is guarded as strictly as the strictest of what it is derived from; a client that asks for less is
/// refused.
fn strictest(bases: &[Permitted], given: &Given) -> Outcome<Vec<(Tag, Value)>> {
    let mut found = Vec::new();
    for (tag, strict) in Parents::of(bases).guards() {
        if given.boolean(tag) == Some(!strict) {
            return Err(Failure::new(
                ResultReason::InvalidAttribute,
                format!("what is derived cannot be guarded less than what it is derived from: {tag}"),
            ));
        }
        found.push((tag, Value::Boolean(strict)));
    }
    // Its bytes are as well known as those of the key that they come from: its history goes on.
    let Some(key) = bases.iter().find(|base| base.object_type() != ObjectType::PublicKey) else { return Ok(found) };
    for tag in [Tag::AlwaysSensitive, Tag::NeverExtractable] {
        if key.attributes.boolean(tag) != Some(true) {
            found.push((tag, Value::Boolean(false)));
        }
    }
    Ok(found)
}

/// What is to come of a derivation, where the key that it starts from is in the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    kind: KeyKind,
    residency: Residency,
}

impl Target {
    /// Length in bytes.
    pub(super) fn len(self) -> usize {
        self.kind.raw_len().unwrap_or(0)
    }
}

/// What came of it.
pub(super) enum Derived {
    Bytes(Secret),
    /// A key that was born in the module and stayed there.
    Within(Made),
}

/// Derives where the key lives.
///
/// # Errors
/// Those of the provider.
pub(super) fn from_key(view: &mut View, key: &Permitted, how: &Derivation<'_>, target: Target) -> Outcome<Derived> {
    if view.is_guarded(key) {
        return view.derive(key, how, target.kind, target.residency).map(Derived::Within);
    }
    view.with_key(key, |provider, key| provider.derive(key, how, target.len())).map(Derived::Bytes)
}

/// Carries the derivation out.
fn derive(
    view: &mut View,
    bases: &[Permitted],
    brought: Brought<'_>,
    method: Method,
    given: &DerivationParameters,
    target: Target,
) -> Outcome<Derived> {
    meaningful(method, given)?;
    if let Brought::Password(password) = brought {
        return view.derive_from_bytes(password, &pbkdf2(given)?, target.len()).map(Derived::Bytes);
    }
    if method == Method::AsymmetricKey {
        let peer = if let Brought::Peer(peer) = brought { Some(peer) } else { None };
        return agree(view, bases, peer, given, target);
    }
    let (key, brought) = match bases {
        [key] => (key, None),
        [key, data] if data.object_type() == ObjectType::SecretData => (key, Some(data)),
        _ => return Err(bad("a derivation takes a key, and one Secret Data as its data if at all")),
    };
    if !matches!(key.object_type(), ObjectType::SymmetricKey | ObjectType::SecretData) {
        return Err(wrong_type(key.object_type()));
    }
    let data = data(view, key, brought, method, given)?;
    let iv = given.initialization_vector.as_deref();
    let parameters = || parameters::applying(given.cryptographic_parameters.clone(), key);
    let named = || given.cryptographic_parameters.clone().unwrap_or_default();
    let how = match method {
        Method::PBKDF2 => pbkdf2(given)?,
        Method::HASH => Derivation::Hash(parameters::hash(&parameters()?)?),
        Method::HMAC => Derivation::Hmac { hash: named_hash(&parameters()?, key)?, data: data.expose() },
        Method::ENCRYPT => {
            view.take_usage(key, data.len())?;
            return encrypt(view, key, &parameters()?, iv, data.expose(), target);
        }
        Method::NIST800108C | Method::NIST800108F | Method::NIST800108DPI => {
            let mode = match method {
                Method::NIST800108C => Iteration::Counter,
                Method::NIST800108F => Iteration::Feedback(iv.unwrap_or_default()),
                _ => Iteration::DoublePipeline,
            };
            Derivation::Nist800108 { mode, hash: named_hash(&parameters()?, key)?, data: data.expose() }
        }
        Method::HKDF => {
            let hash = pseudorandom(&named(), None)?.unwrap_or(Hash::Sha256);
            Derivation::Hkdf { hash, salt: given.salt.as_deref().unwrap_or_default(), info: data.expose() }
        }
        Method::AWSSignatureVersion4 => match given.derivation_data.as_slice() {
            [date, region, service] => Derivation::AwsSignature4 { scope: [date, region, service] },
            _ => return Err(bad("AWS Signature Version 4 takes Date, Region and Service as Derivation Data")),
        },
        other => return Err(unsupported(format!("the Derivation Method {other}"))),
    };
    view.take_usage(key, data.len())?;
    from_key(view, key, &how, target)
}

fn pbkdf2(given: &DerivationParameters) -> Outcome<Derivation<'_>> {
    let salt = given.salt.as_deref().ok_or_else(|| bad("PBKDF2 needs a Salt"))?;
    let count = given.iteration_count.and_then(|count| u32::try_from(count).ok());
    let iterations = count.and_then(NonZeroU32::new);
    let iterations = iterations.ok_or_else(|| bad("PBKDF2 needs an Iteration Count above 0"))?;
    let named = given.cryptographic_parameters.clone().unwrap_or_default();
    Ok(Derivation::Pbkdf2 { hash: pseudorandom(&named, None)?.unwrap_or(Hash::Sha1), salt, iterations })
}

/// Refuses parameters that the method does not have.
fn meaningful(method: Method, given: &DerivationParameters) -> Outcome<()> {
    if method.name().is_none() {
        return Err(Failure::invalid_field(format!("there is no Derivation Method {method}")));
    }
    let fields = [
        (Tag::Salt, given.salt.is_some(), matches!(method, Method::PBKDF2 | Method::HKDF)),
        (Tag::IterationCount, given.iteration_count.is_some(), method == Method::PBKDF2),
        (
            Tag::InitializationVector,
            given.initialization_vector.is_some(),
            matches!(method, Method::ENCRYPT | Method::NIST800108F),
        ),
        (
            Tag::DerivationData,
            given.derivation_data.len() > 1,
            method == Method::AWSSignatureVersion4 && given.derivation_data.len() == 3,
        ),
    ];
    match fields.into_iter().find(|(_, is_given, has)| *is_given && !has) {
        Some((tag, ..)) => Err(bad(format!("{tag} is not for the Derivation Method {method}, or not so often"))),
        None => Ok(()),
    }
}

/// The derivation data: what the request says, or what a Secret Data brings. Two kinds of methods have none: HASH takes
/// the object itself, and PBKDF2 takes it for the password.
fn data(
    view: &mut View,
    key: &Permitted,
    brought: Option<&Permitted>,
    method: Method,
    given: &DerivationParameters,
) -> Outcome<Secret> {
    let said = given.derivation_data.first();
    let ambiguous =
        || Failure::new(ResultReason::InvalidMessage, "both Derivation Data and a Secret Data in its place are given");
    if matches!(method, Method::HASH | Method::PBKDF2) {
        return match (said, brought) {
            (None, None) => Ok(Secret::copy_of(&[])),
            (Some(_), None) if key.object_type() == ObjectType::SecretData => Err(ambiguous()),
            _ => Err(bad(format!("{method} takes one object or Derivation Data, not both"))),
        };
    }
    match (said, brought) {
        (Some(_), Some(_)) => Err(ambiguous()),
        (Some(bytes), None) => Ok(Secret::copy_of(bytes)),
        (None, Some(object)) if method != Method::AWSSignatureVersion4 => bytes_of(view, object),
        // The info of HKDF is optional.
        (None, None) if method == Method::HKDF => Ok(Secret::copy_of(&[])),
        _ => Err(bad(format!("the Derivation Method {method} needs Derivation Data"))),
    }
}

fn bytes_of(view: &mut View, object: &Permitted) -> Outcome<Secret> {
    view.with_key(object, |_, key| match key {
        Key::Clear(key) => Ok(key.bytes().clone()),
        Key::Guarded(_) => Err(CryptoError::Unsupported("derivation data that the module guards".into())),
    })
}

/// Encrypts the derivation data as the Encrypt operation would.
fn encrypt(
    view: &mut View,
    key: &Permitted,
    parameters: &Parameters,
    iv: Option<&[u8]>,
    data: &[u8],
    target: Target,
) -> Outcome<Derived> {
    let how = Enciphering::read(view, parameters, key)?;
    if iv.is_none() && parameters.random_iv == Some(true) {
        return Err(bad("the answer of Derive Key has no place for a Random IV: an Initialization Vector is given"));
    }
    let iv = match (iv, how.iv_needed()) {
        (Some(iv), _) => Some(Blob::copy_of(iv)),
        (None, needed) => needed.map(|len| Blob::new(vec![0; len])),
    };
    let start = how.start(iv.as_ref())?;
    let cipher = how.encrypting(Accompanying { iv: start.as_ref().or(iv.as_ref()), ..Accompanying::default() })?;
    if cipher.is_authenticated() {
        return Err(unsupported("deriving by a mode that authenticates"));
    }
    from_key(view, key, &Derivation::Encrypt { cipher, data }, target)
}

/// Key agreement: a private key and a public one, in either order.
fn agree(
    view: &mut View,
    bases: &[Permitted],
    peer: Option<&[u8]>,
    given: &DerivationParameters,
    target: Target,
) -> Outcome<Derived> {
    if !given.derivation_data.is_empty() {
        return Err(bad("key agreement has no Derivation Data"));
    }
    if given.cryptographic_parameters.as_ref().is_some_and(|given| *given != Parameters::default()) {
        return Err(unsupported("Cryptographic Parameters of key agreement"));
    }
    let types: Vec<ObjectType> = bases.iter().map(|base| base.object_type()).collect();
    let (private, peer) = match (bases, types.as_slice(), peer) {
        ([private, public], [ObjectType::PrivateKey, ObjectType::PublicKey], None)
        | ([public, private], [ObjectType::PublicKey, ObjectType::PrivateKey], None) => {
            (private, view.public_key(public)?)
        }
        ([private], [ObjectType::PrivateKey], Some(peer)) => (private, peer.to_vec()),
        _ => {
            return Err(Failure::new(
                ResultReason::InvalidObjectType,
                "key agreement takes a Private Key and a Public Key",
            ));
        }
    };
    view.take_usage(private, target.len())?;
    from_key(view, private, &Derivation::Ecdh { peer: &peer }, target)
}

/// The hash function of the HMAC that makes the derived bytes: that of the key's own algorithm, which settles it, else
/// what the parameters name.
fn named_hash(parameters: &Parameters, key: &Permitted) -> Outcome<Hash> {
    pseudorandom(parameters, key.algorithm())?.ok_or_else(|| bad("nothing says the Hashing Algorithm of the HMAC"))
}

fn pseudorandom(parameters: &Parameters, own: Option<Algorithm>) -> Outcome<Option<Hash>> {
    if let Some(hash) = own.and_then(hmac_hash) {
        return Ok(Some(hash));
    }
    only(parameters, &[Tag::HashingAlgorithm, Tag::CryptographicAlgorithm], "this derivation")?;
    let hash = parameters.hashing_algorithm.map(hash_of).transpose()?;
    let Some(algorithm) = parameters.cryptographic_algorithm.filter(|&algorithm| Some(algorithm) != own) else {
        return Ok(hash);
    };
    let by_algorithm = hmac_hash(algorithm).ok_or_else(|| unsupported(format!("deriving with {algorithm}")))?;
    match hash {
        Some(hash) if hash != by_algorithm => Err(bad("the parameters name two different hash functions")),
        _ => Ok(Some(by_algorithm)),
    }
}

/// The table of this operation has one reason for attributes and none for their values.
fn listed(failure: Failure) -> Failure {
    match failure.reason {
        ResultReason::InvalidAttributeValue | ResultReason::BadCryptographicParameters => {
            Failure { reason: ResultReason::InvalidField, ..failure }
        }
        _ => failure,
    }
}

#[cfg(test)]
mod tests;
