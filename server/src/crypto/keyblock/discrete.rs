//! DSA and Diffie-Hellman keys, which are kept and given out, and not used (KMIP 2.1 §3.5, §3.6, §3.9, §3.10).

use kmip_codec::schema::BigInteger;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, KeyFormatType as Format, ObjectType};
use kmip_codec::structure;
use kmip_codec::types::{KeyBlock, KeyMaterial};

use super::transparent::{magnitude, number_of, read, write};
use super::{material, not_given_in, not_of, numbers};
use crate::crypto::keyformat::{self, Discrete, DiscreteParts};
use crate::failure::Outcome;
use crate::secret::Secret;

structure! {
    /// Transparent DSA Private Key (KMIP 2.1 §3.5).
    struct DsaPrivate {
        /// The modulus.
        pub p: BigInteger = P,
        /// The order of the subgroup.
        pub q: BigInteger = Q,
        /// The generator.
        pub g: BigInteger = G,
        /// The private number.
        pub x: BigInteger = X,
    }

    /// Transparent DSA Public Key (KMIP 2.1 §3.6).
    struct DsaPublic {
        /// The modulus.
        pub p: BigInteger = P,
        /// The order of the subgroup.
        pub q: BigInteger = Q,
        /// The generator.
        pub g: BigInteger = G,
        /// The public number.
        pub y: BigInteger = Y,
    }

    /// Transparent DH Private Key (KMIP 2.1 §3.9).
    struct DhPrivate {
        /// The modulus.
        pub p: BigInteger = P,
        /// The order of the subgroup.
        pub q: Option<BigInteger> = Q,
        /// The generator.
        pub g: BigInteger = G,
        /// The cofactor.
        pub j: Option<BigInteger> = J,
        /// The private number.
        pub x: BigInteger = X,
    }

    /// Transparent DH Public Key (KMIP 2.1 §3.10).
    struct DhPublic {
        /// The modulus.
        pub p: BigInteger = P,
        /// The order of the subgroup.
        pub q: Option<BigInteger> = Q,
        /// The generator.
        pub g: BigInteger = G,
        /// The cofactor.
        pub j: Option<BigInteger> = J,
        /// The public number.
        pub y: BigInteger = Y,
    }
}

/// What a key is that the server keeps and does not use, and its length in bits: that of the modulus. `None` for every other.
///
/// # Errors
/// Invalid Field for numbers that are no such key.
pub fn kept(object: ObjectType, block: &KeyBlock) -> Outcome<Option<(Algorithm, u32)>> {
    Ok(open(object, block)?.map(|parts| (algorithm_of(parts.what), parts.bits())))
}

const fn algorithm_of(what: Discrete) -> Algorithm {
    match what {
        Discrete::Dsa => Algorithm::DSA,
        Discrete::Dh => Algorithm::DH,
    }
}

/// The default format of a kept key (KMIP 2.1 §4.26). The standard has none for Diffie-Hellman.
pub(super) const fn default_format(object: ObjectType, algorithm: Algorithm) -> Option<Format> {
    match (object, algorithm) {
        (ObjectType::PrivateKey, Algorithm::DSA) => Some(Format::TransparentDSAPrivateKey),
        (ObjectType::PublicKey, Algorithm::DSA) => Some(Format::TransparentDSAPublicKey),
        _ => None,
    }
}

/// Takes a key block apart; `None` for one that holds another kind of key, or nothing that can be seen.
pub(super) fn open(object: ObjectType, block: &KeyBlock) -> Outcome<Option<DiscreteParts>> {
    let format = block.key_format_type;
    let Ok(material) = material(block) else { return Ok(None) };
    let parts = match (object, format, material) {
        (ObjectType::PrivateKey, Format::Pkcs8, KeyMaterial::Bytes(bytes)) => {
            if keyformat::is_encrypted_private(bytes) {
                return Ok(None);
            }
            return Ok(DiscreteParts::from_pkcs8(bytes)?);
        }
        (ObjectType::PublicKey, Format::X509, KeyMaterial::Bytes(bytes)) => {
            return Ok(DiscreteParts::from_spki(bytes)?);
        }
        (ObjectType::PrivateKey, Format::TransparentDSAPrivateKey, KeyMaterial::Structure(numbers)) => {
            let DsaPrivate { p, q, g, x } = read(numbers)?;
            parts(Discrete::Dsa, &p, Some(&q), &g, None, &x)?
        }
        (ObjectType::PublicKey, Format::TransparentDSAPublicKey, KeyMaterial::Structure(numbers)) => {
            let DsaPublic { p, q, g, y } = read(numbers)?;
            parts(Discrete::Dsa, &p, Some(&q), &g, None, &y)?
        }
        (ObjectType::PrivateKey, Format::TransparentDHPrivateKey, KeyMaterial::Structure(numbers)) => {
            let DhPrivate { p, q, g, j, x } = read(numbers)?;
            parts(Discrete::Dh, &p, q.as_ref(), &g, j.as_ref(), &x)?
        }
        (ObjectType::PublicKey, Format::TransparentDHPublicKey, KeyMaterial::Structure(numbers)) => {
            let DhPublic { p, q, g, j, y } = read(numbers)?;
            parts(Discrete::Dh, &p, q.as_ref(), &g, j.as_ref(), &y)?
        }
        (
            _,
            Format::TransparentDSAPrivateKey
            | Format::TransparentDSAPublicKey
            | Format::TransparentDHPrivateKey
            | Format::TransparentDHPublicKey,
            _,
        ) => return Err(not_of(format)),
        _ => return Ok(None),
    };
    match object {
        ObjectType::PrivateKey => parts.check_private()?,
        _ => parts.check_public()?,
    }
    Ok(Some(parts))
}

/// Puts a key block together in a format.
///
/// # Errors
/// Key Format Type Not Supported.
pub(super) fn block(
    object: ObjectType,
    parts: &DiscreteParts,
    algorithm: Option<Algorithm>,
    format: Format,
) -> Outcome<KeyBlock> {
    let (p, g, own) = (number_of(&parts.p), number_of(&parts.g), number_of(parts.number.expose()));
    let (q, j) = (parts.q.as_deref().map(number_of), parts.j.as_deref().map(number_of));
    let key_value = match (object, format, parts.what, q) {
        (ObjectType::PrivateKey, Format::Pkcs8, ..) => super::plain(parts.to_pkcs8()?.expose()),
        (ObjectType::PublicKey, Format::X509, ..) => super::plain(&parts.to_spki()?),
        (ObjectType::PrivateKey, Format::TransparentDSAPrivateKey, Discrete::Dsa, Some(q)) => {
            numbers(write(&DsaPrivate { p, q, g, x: own })?)
        }
        (ObjectType::PublicKey, Format::TransparentDSAPublicKey, Discrete::Dsa, Some(q)) => {
            numbers(write(&DsaPublic { p, q, g, y: own })?)
        }
        (ObjectType::PrivateKey, Format::TransparentDHPrivateKey, Discrete::Dh, q) => {
            numbers(write(&DhPrivate { p, q, g, j, x: own })?)
        }
        (ObjectType::PublicKey, Format::TransparentDHPublicKey, Discrete::Dh, q) => {
            numbers(write(&DhPublic { p, q, g, j, y: own })?)
        }
        _ => return Err(not_given_in(object, format)),
    };
    Ok(KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(key_value),
        cryptographic_algorithm: algorithm,
        cryptographic_length: i32::try_from(parts.bits()).ok().filter(|_| algorithm.is_some()),
        key_wrapping_data: None,
    })
}

fn parts(
    what: Discrete,
    p: &BigInteger,
    q: Option<&BigInteger>,
    g: &BigInteger,
    j: Option<&BigInteger>,
    own: &BigInteger,
) -> Outcome<DiscreteParts> {
    let number = |number: &BigInteger| magnitude(number).map(<[u8]>::to_vec);
    Ok(DiscreteParts {
        what,
        p: number(p)?,
        q: q.map(number).transpose()?,
        g: number(g)?,
        j: j.map(number).transpose()?,
        number: Secret::copy_of(magnitude(own)?),
    })
}
