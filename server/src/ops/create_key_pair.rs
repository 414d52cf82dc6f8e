//! Create Key Pair (KMIP 2.1 §6.1.9, 1.4 §4.2).

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, LinkType, ObjectType, RecommendedCurve, ResultReason, Tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attributes, CryptographicDomainParameters, Object, ProtectionStorageMasks};

use super::Handler;
use super::new_object::{self, Given, link};
use crate::crypto::Made;
use crate::crypto::algorithm::{Curve, Edwards, KeyKind, ParameterSet};
use crate::crypto::keyblock::{self, Canonical};
use crate::failure::{Failure, Outcome};
use crate::object::Origin;
use crate::object::material::Material;
use crate::view::{Home, New, View, value_of};

structure! {
    /// The request.
    pub struct Request {
        /// Attributes of both keys.
        pub common: Attributes = CommonAttributes,
        /// Attributes of the private key, before the common ones.
        pub private: Attributes = PrivateKeyAttributes,
        /// Attributes of the public key, before the common ones.
        pub public: Attributes = PublicKeyAttributes,
        /// Where either key may live.
        pub common_protection: Option<ProtectionStorageMasks> = CommonProtectionStorageMasks since V2_0,
        /// Where the private key may live.
        pub private_protection: Option<ProtectionStorageMasks> = PrivateProtectionStorageMasks since V2_0,
        /// Where the public key may live.
        pub public_protection: Option<ProtectionStorageMasks> = PublicProtectionStorageMasks since V2_0,
    }

    /// The answer.
    pub struct Response {
        /// The private key.
        pub private_key: Text = PrivateKeyUniqueIdentifier,
        /// The public key.
        pub public_key: Text = PublicKeyUniqueIdentifier,
    }
}

/// Create Key Pair.
pub struct CreateKeyPair;

impl Handler for CreateKeyPair {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let private = merge(view, &request.common, request.private, ObjectType::PrivateKey)?;
        let private = Given::with_defaults(view, private, ObjectType::PrivateKey, &[])?;
        let public = merge(view, &request.common, request.public, ObjectType::PublicKey)?;
        let public = Given::with_defaults(view, public, ObjectType::PublicKey, &[])?;
        let (algorithm, kind) = kind_of(&private)?;
        if (algorithm, kind) != kind_of(&public)? {
            return Err(Failure::new(
                ResultReason::InvalidAttributeValue,
                "both keys of a pair have the same algorithm, length and domain parameters",
            ));
        }
        let either = request.common_protection;
        let home = view
            .home(Some(kind), private.extractable(), request.private_protection.as_ref().or(either.as_ref()))
            .map_err(|failure| unavailable(failure, ResultReason::PrivateProtectionStorageUnavailable))?;
        let public_home = view
            .home(None, Some(true), request.public_protection.as_ref().or(either.as_ref()))
            .map_err(|failure| unavailable(failure, ResultReason::PublicProtectionStorageUnavailable))?;

        let (secret, open) = make(view, algorithm, kind, [home, public_home], [private, public])?;
        let private_key = view.insert(secret)?;
        let public_key = view.insert(open)?;
        link(view, &private_key, LinkType::PublicKeyLink, &public_key)?;
        link(view, &public_key, LinkType::PrivateKeyLink, &private_key)?;
        Ok(Response { private_key, public_key })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.private_key.clone(), response.public_key.clone()]
    }
}

/// Makes a pair: what is to be inserted as the private and as the public key.
///
/// # Errors
/// Key Format Type Not Supported, and what the provider says.
pub(super) fn make(
    view: &mut View,
    algorithm: Algorithm,
    kind: KeyKind,
    [home, public_home]: [Home; 2],
    [private, public]: [Given; 2],
) -> Outcome<(New, New)> {
    let pair = view.generate(kind, home.residency)?;
    let spki = pair.public.ok_or_else(|| Failure::internal("a provider made a pair without a public half"))?;
    let format = private.format().unwrap_or(keyblock::default_format(ObjectType::PrivateKey, kind, view.version()));
    let material = match pair.made {
        Made::Guarded(guarded) => Material::Guarded(guarded),
        Made::Clear(bytes) => {
            let block = keyblock::block(&Canonical::Secret { kind, bytes }, Some(algorithm), format)?;
            Material::open(Object::PrivateKey(block))
        }
    };
    let public_format =
        public.format().unwrap_or(keyblock::default_format(ObjectType::PublicKey, kind, view.version()));
    let public_block = keyblock::block(&Canonical::Public { kind, spki }, Some(algorithm), public_format)?;
    let mut found = found(algorithm, kind);
    // Both come from the generator of the place in which the private key is made.
    let generator = value_of(&view.generator(home.residency), Tag::RandomNumberGenerator);
    found.extend(generator.map(|generator| (Tag::RandomNumberGenerator, generator)));
    let private = New {
        object_type: ObjectType::PrivateKey,
        attributes: private.attributes,
        found: found.clone(),
        material: Some(material),
        format: Some(format),
        home,
        origin: Origin::Generated,
    };
    let public = New {
        object_type: ObjectType::PublicKey,
        attributes: public.attributes,
        found,
        material: Some(Material::open(Object::PublicKey(public_block))),
        format: Some(public_format),
        home: public_home,
        origin: Origin::Generated,
    };
    Ok((private, public))
}

/// The key's own attributes and those of its templates, then the common ones and those of their templates (KMIP 1.4 §4.2).
pub(super) fn merge(
    view: &mut View,
    common: &Attributes,
    own: Attributes,
    object_type: ObjectType,
) -> Outcome<Attributes> {
    let own = new_object::resolve(view, own, object_type)?;
    let common = new_object::resolve(view, common.clone(), object_type)?;
    Ok(Attributes { templates: Vec::new(), list: new_object::precede(own, common, object_type) })
}

/// Whether there are key pairs of the algorithm here.
pub(super) const fn is_made(algorithm: Algorithm) -> bool {
    matches!(
        algorithm,
        Algorithm::RSA | Algorithm::EC | Algorithm::ECDSA | Algorithm::ECDH | Algorithm::Ed25519 | Algorithm::Ed448
    ) || ParameterSet::of(algorithm).is_some()
}

/// What to make, from algorithm, length and curve.
pub(super) fn kind_of(given: &Given) -> Outcome<(Algorithm, KeyKind)> {
    let algorithm = given.algorithm()?.unwrap_or(Algorithm::RSA);
    let length = given.length()?;
    let wrong = |what: String| Failure::new(ResultReason::InvalidAttributeValue, what);
    if given.names_q() {
        return Err(wrong(format!(
            "{algorithm} has no Qlength: that is for algorithms whose keys this server does not make"
        )));
    }
    let has_curve =
        matches!(algorithm, Algorithm::EC | Algorithm::ECDSA | Algorithm::ECDH | Algorithm::Ed25519 | Algorithm::Ed448);
    if let Some(curve) = given.curve().filter(|_| !has_curve) {
        return Err(wrong(format!("{algorithm} has no Recommended Curve, and not {curve}")));
    }
    let kind = match algorithm {
        Algorithm::RSA => {
            let bits = length.unwrap_or(2048);
            KeyKind::Rsa { bits: u32::try_from(bits).map_err(|_| wrong(format!("no RSA key has {bits} bits")))? }
        }
        algorithm if let Some(set) = ParameterSet::of(algorithm) => {
            let bits = set.bits();
            if length.is_some_and(|length| u32::try_from(length) != Ok(bits)) {
                return Err(wrong(format!(
                    "the public key of {algorithm} has {bits} bits, not the Cryptographic Length"
                )));
            }
            KeyKind::PostQuantum { set }
        }
        Algorithm::Ed25519 => edwards(Edwards::Ed25519, given.curve(), length)?,
        Algorithm::Ed448 => edwards(Edwards::Ed448, given.curve(), length)?,
        Algorithm::EC | Algorithm::ECDH if given.curve() == Some(RecommendedCurve::CURVE25519) => {
            edwards(Edwards::X25519, given.curve(), length)?
        }
        Algorithm::EC | Algorithm::ECDH if given.curve() == Some(RecommendedCurve::CURVE448) => {
            edwards(Edwards::X448, given.curve(), length)?
        }
        algorithm if is_made(algorithm) => KeyKind::Ec { curve: curve_of(given.curve(), length)? },
        other => return Err(wrong(format!("{other} is no algorithm of key pairs that this server makes"))),
    };
    Ok((algorithm, kind))
}

/// A curve that the algorithm names already, or its use.
fn edwards(curve: Edwards, given: Option<RecommendedCurve>, length: Option<i32>) -> Outcome<KeyKind> {
    let wrong = |what: &str| Err(Failure::new(ResultReason::InvalidAttributeValue, what));
    let kind = KeyKind::Edwards { curve };
    if given.is_some_and(|given| given != keyblock::recommended_edwards(curve)) {
        return wrong("the Recommended Curve is not that of the Cryptographic Algorithm");
    }
    if length.is_some_and(|length| u32::try_from(length) != Ok(keyblock::length_of(kind))) {
        return wrong("the Cryptographic Length is not that of the curve");
    }
    Ok(kind)
}

fn curve_of(curve: Option<RecommendedCurve>, length: Option<i32>) -> Outcome<Curve> {
    let wrong = |what: String| Err(Failure::new(ResultReason::InvalidAttributeValue, what));
    let curve = match (curve, length) {
        (Some(curve), _) => match keyblock::curve_of(curve) {
            Some(curve) => curve,
            None => return wrong(format!("this server does not have the curve {curve}")),
        },
        (None, Some(224)) => Curve::P224,
        (None, Some(256) | None) => Curve::P256,
        (None, Some(384)) => Curve::P384,
        (None, Some(521)) => Curve::P521,
        (None, Some(bits)) => return wrong(format!("no recommended curve has {bits} bits")),
    };
    let bits = keyblock::length_of(KeyKind::Ec { curve });
    if length.is_some_and(|length| u32::try_from(length) != Ok(bits)) {
        return wrong(format!("the curve has {bits} bits, not the Cryptographic Length"));
    }
    Ok(curve)
}

fn found(algorithm: Algorithm, kind: KeyKind) -> Vec<(Tag, Value)> {
    let length = i32::try_from(keyblock::length_of(kind)).unwrap_or(i32::MAX);
    let mut found = vec![
        (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
        (Tag::CryptographicLength, Value::Integer(length)),
    ];
    let curve = keyblock::recommended_of(kind);
    if curve.is_some() {
        let domain = CryptographicDomainParameters { q_length: None, recommended_curve: curve };
        found.extend(
            value_of(&domain, Tag::CryptographicDomainParameters)
                .map(|value| (Tag::CryptographicDomainParameters, value)),
        );
    }
    found
}

/// A failure to find a place, with the reason that the key of the pair has.
pub(super) fn unavailable(failure: Failure, reason: ResultReason) -> Failure {
    match failure.reason {
        ResultReason::ProtectionStorageUnavailable => Failure { reason, ..failure },
        _ => failure,
    }
}

#[cfg(test)]
mod tests;
