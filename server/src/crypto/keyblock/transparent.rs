//! Transparent key formats: the numbers of RSA and elliptic curve keys as fields of Key Material (KMIP 2.1 §3.7, §3.8,
//! §3.11, §3.12; 1.x has one name for each use of a curve).

use kmip_codec::schema::{BigInteger, Decode, Encode};
use kmip_codec::spec::{KeyFormatType as Format, RecommendedCurve, ResultReason, Tag, Version};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Limits, Writer, frame, parse};
use kmip_codec::{Element, Value};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, RsaPrivateKey};
use zeroize::Zeroizing;

use crate::crypto::keyblock::{curve_of, recommended};
use crate::crypto::keyformat::{EcPrivateParts, EcPublicParts, RsaPrivateParts, RsaPublicParts};
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;

structure! {
    /// Transparent RSA Private Key (KMIP 2.1 §3.7).
    struct RsaPrivate {
        /// n
        pub modulus: BigInteger = Modulus,
        /// d
        pub private_exponent: Option<BigInteger> = PrivateExponent,
        /// e
        pub public_exponent: Option<BigInteger> = PublicExponent,
        /// The first prime.
        pub p: Option<BigInteger> = P,
        /// The second prime.
        pub q: Option<BigInteger> = Q,
        /// d mod (p - 1)
        pub exponent_p: Option<BigInteger> = PrimeExponentP,
        /// d mod (q - 1)
        pub exponent_q: Option<BigInteger> = PrimeExponentQ,
        /// The inverse of q mod p.
        pub coefficient: Option<BigInteger> = CRTCoefficient,
    }

    /// Transparent RSA Public Key (KMIP 2.1 §3.8).
    struct RsaPublic {
        /// n
        pub modulus: BigInteger = Modulus,
        /// e
        pub public_exponent: BigInteger = PublicExponent,
    }

    /// Transparent EC Private Key (KMIP 2.1 §3.11).
    struct EcPrivate {
        /// The curve.
        pub curve: RecommendedCurve = RecommendedCurve,
        /// The private number.
        pub d: BigInteger = D,
    }

    /// Transparent EC Public Key (KMIP 2.1 §3.12).
    struct EcPublic {
        /// The curve.
        pub curve: RecommendedCurve = RecommendedCurve,
        /// The point.
        pub q: Blob = QString,
    }
}

/// Whether a format is one of private keys' numbers.
pub(super) const fn is_private(format: Format) -> bool {
    matches!(
        format,
        Format::TransparentRSAPrivateKey
            | Format::TransparentECPrivateKey
            | Format::TransparentECDSAPrivateKey
            | Format::TransparentECDHPrivateKey
            | Format::TransparentECMQVPrivateKey
    )
}

/// Whether a format is one of public keys' numbers.
pub(super) const fn is_public(format: Format) -> bool {
    matches!(
        format,
        Format::TransparentRSAPublicKey
            | Format::TransparentECPublicKey
            | Format::TransparentECDSAPublicKey
            | Format::TransparentECDHPublicKey
            | Format::TransparentECMQVPublicKey
    )
}

/// The private key of the numbers, as PKCS#8 DER.
///
/// # Errors
/// Invalid Field for numbers that are no key; Key Format Type Not Supported for a key that they do not determine.
pub(super) fn private(format: Format, material: &[Element]) -> Outcome<Secret> {
    if format == Format::TransparentRSAPrivateKey {
        return Ok(complete(&read::<RsaPrivate>(material)?)?.to_pkcs8()?);
    }
    let key: EcPrivate = read(material)?;
    let curve = curve_of(key.curve).ok_or_else(|| unknown_curve(key.curve))?;
    Ok(EcPrivateParts { curve, d: Secret::copy_of(magnitude(&key.d)?) }.to_pkcs8()?)
}

/// The public key of the numbers, as SubjectPublicKeyInfo DER.
///
/// # Errors
/// Invalid Field for numbers that are no key.
pub(super) fn public(format: Format, material: &[Element]) -> Outcome<Vec<u8>> {
    if format == Format::TransparentRSAPublicKey {
        let key: RsaPublic = read(material)?;
        let modulus = magnitude(&key.modulus)?.to_vec();
        return Ok(RsaPublicParts { modulus, exponent: magnitude(&key.public_exponent)?.to_vec() }.to_spki()?);
    }
    let key: EcPublic = read(material)?;
    let curve = curve_of(key.curve).ok_or_else(|| unknown_curve(key.curve))?;
    Ok(EcPublicParts { curve, point: key.q.to_vec() }.to_spki()?)
}

/// The numbers of a private key in PKCS#8 DER.
///
/// # Errors
/// Key Format Type Not Supported for a key of another kind.
pub(super) fn of_private(format: Format, pkcs8: &Secret) -> Outcome<Vec<Element>> {
    if format == Format::TransparentRSAPrivateKey {
        let parts = RsaPrivateParts::from_pkcs8(pkcs8.expose()).map_err(|_| unsupported(format))?;
        let secret = |number: &Secret| Some(number_of(number.expose()));
        return write(&RsaPrivate {
            modulus: number_of(&parts.modulus),
            private_exponent: secret(&parts.private_exponent),
            public_exponent: Some(number_of(&parts.public_exponent)),
            p: secret(&parts.p),
            q: secret(&parts.q),
            exponent_p: secret(&parts.dp),
            exponent_q: secret(&parts.dq),
            coefficient: secret(&parts.qinv),
        });
    }
    let parts = EcPrivateParts::from_pkcs8(pkcs8.expose()).map_err(|_| unsupported(format))?;
    write(&EcPrivate { curve: recommended(parts.curve), d: number_of(parts.d.expose()) })
}

/// The numbers of a public key in SubjectPublicKeyInfo DER.
///
/// # Errors
/// Key Format Type Not Supported for a key of another kind.
pub(super) fn of_public(format: Format, spki: &[u8]) -> Outcome<Vec<Element>> {
    if format == Format::TransparentRSAPublicKey {
        let parts = RsaPublicParts::from_spki(spki).map_err(|_| unsupported(format))?;
        return write(&RsaPublic { modulus: number_of(&parts.modulus), public_exponent: number_of(&parts.exponent) });
    }
    let parts = EcPublicParts::from_spki(spki).map_err(|_| unsupported(format))?;
    write(&EcPublic { curve: recommended(parts.curve), q: Blob::copy_of(&parts.point) })
}

/// All numbers of an RSA key from those that are there: the private exponent or the primes determine the others, given
/// the public exponent.
fn complete(key: &RsaPrivate) -> Outcome<RsaPrivateParts> {
    let secret = |number: &BigInteger| magnitude(number).map(Secret::copy_of);
    let lacking = || {
        Failure::new(
            ResultReason::KeyFormatTypeNotSupported,
            "the RSA key needs its Public Exponent, and its Private Exponent or both primes",
        )
    };
    let exponent = key.public_exponent.as_ref().ok_or_else(lacking)?;
    if let RsaPrivate {
        modulus,
        private_exponent: Some(d),
        p: Some(p),
        q: Some(q),
        exponent_p: Some(dp),
        exponent_q: Some(dq),
        coefficient: Some(qinv),
        ..
    } = key
    {
        return Ok(RsaPrivateParts {
            modulus: magnitude(modulus)?.to_vec(),
            public_exponent: magnitude(exponent)?.to_vec(),
            private_exponent: secret(d)?,
            p: secret(p)?,
            q: secret(q)?,
            dp: secret(dp)?,
            dq: secret(dq)?,
            qinv: secret(qinv)?,
        });
    }
    let number = |number: &BigInteger| magnitude(number).map(BigUint::from_bytes_be);
    let (n, e) = (number(&key.modulus)?, number(exponent)?);
    let found = match (&key.p, &key.q, &key.private_exponent) {
        (Some(p), Some(q), None) => RsaPrivateKey::from_p_q(number(p)?, number(q)?, e),
        (Some(p), Some(q), Some(d)) => {
            RsaPrivateKey::from_components(n.clone(), e, number(d)?, vec![number(p)?, number(q)?])
        }
        (_, _, Some(d)) => RsaPrivateKey::from_components(n.clone(), e, number(d)?, Vec::new()),
        _ => return Err(lacking()),
    };
    let found = found.ok().filter(|found| *found.n() == n).ok_or_else(not_a_key)?;
    let bytes = |number: &BigUint| Secret::copy_of(&Zeroizing::new(number.to_bytes_be()));
    let [p, q] = found.primes() else { return Err(not_a_key()) };
    Ok(RsaPrivateParts {
        modulus: found.n().to_bytes_be(),
        public_exponent: found.e().to_bytes_be(),
        private_exponent: bytes(found.d()),
        p: bytes(p),
        q: bytes(q),
        dp: bytes(found.dp().ok_or_else(not_a_key)?),
        dq: bytes(found.dq().ok_or_else(not_a_key)?),
        qinv: bytes(&found.crt_coefficient().ok_or_else(not_a_key)?),
    })
}

pub(super) fn read<T: Decode>(material: &[Element]) -> Outcome<T> {
    let element = Element::new(Tag::KeyMaterial, Value::Structure(material.to_vec()));
    kmip_codec::schema::decode(element, Version::V2_1)
        .map_err(|error| Failure::invalid_field(format!("the key material is not of its format: {error}")))
}

pub(super) fn write(key: &impl Encode) -> Outcome<Vec<Element>> {
    let mut writer = Writer::new(Version::V2_1);
    key.encode(Tag::KeyMaterial, &mut writer);
    match parse(&frame::protect(writer.finish()), &Limits::default()) {
        Ok(Element { value: Value::Structure(elements), .. }) => Ok(elements),
        _ => Err(Failure::internal("key material does not read back")),
    }
}

/// The bytes of a number that is not negative, without leading zeros.
pub(super) fn magnitude(number: &BigInteger) -> Outcome<&[u8]> {
    if number.0.first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err(not_a_key());
    }
    let zeros = number.0.iter().take_while(|byte| **byte == 0).count();
    Ok(number.0.get(zeros..).unwrap_or_default())
}

/// A positive number in two's complement, as short as it can be: a leading zero keeps it positive where it is needed.
pub(super) fn number_of(magnitude: &[u8]) -> BigInteger {
    let zeros = magnitude.iter().take_while(|byte| **byte == 0).count();
    let digits = magnitude.get(zeros..).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
    if digits.first().is_none_or(|byte| byte & 0x80 != 0) {
        bytes.push(0);
    }
    bytes.extend_from_slice(digits);
    BigInteger(Blob::copy_of(&bytes))
}

fn not_a_key() -> Failure {
    Failure::invalid_field("the numbers of the key material are no key")
}

fn unknown_curve(curve: RecommendedCurve) -> Failure {
    Failure::new(ResultReason::KeyFormatTypeNotSupported, format!("keys on the curve {curve} are not supported"))
}

fn unsupported(format: Format) -> Failure {
    Failure::new(ResultReason::KeyFormatTypeNotSupported, format!("the key cannot be given in the format {format}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::algorithm::{Curve, KeyKind};
    use crate::crypto::software::SoftwareProvider;
    use crate::crypto::{Made, Provider, Residency};

    fn pair(kind: KeyKind) -> (Secret, Vec<u8>) {
        let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
        match made.private {
            Made::Clear(private) => (private, made.public),
            Made::Guarded(_) => panic!("software guards nothing"),
        }
    }

    #[test]
    fn keys_come_back_from_their_numbers() {
        let (rsa, rsa_public) = pair(KeyKind::Rsa { bits: 2048 });
        let numbers = of_private(Format::TransparentRSAPrivateKey, &rsa).unwrap();
        assert_eq!(private(Format::TransparentRSAPrivateKey, &numbers).unwrap().expose(), rsa.expose());
        let numbers = of_public(Format::TransparentRSAPublicKey, &rsa_public).unwrap();
        assert_eq!(public(Format::TransparentRSAPublicKey, &numbers).unwrap(), rsa_public);
        for curve in [Curve::P256, Curve::P384, Curve::P521] {
            let (ec, ec_public) = pair(KeyKind::Ec { curve });
            let numbers = of_private(Format::TransparentECPrivateKey, &ec).unwrap();
            let back = EcPrivateParts::from_pkcs8(private(Format::TransparentECPrivateKey, &numbers).unwrap().expose());
            assert_eq!(back.unwrap(), EcPrivateParts::from_pkcs8(ec.expose()).unwrap());
            let numbers = of_public(Format::TransparentECPublicKey, &ec_public).unwrap();
            assert_eq!(public(Format::TransparentECPublicKey, &numbers).unwrap(), ec_public);
            assert!(of_private(Format::TransparentRSAPrivateKey, &ec).is_err());
            assert!(of_public(Format::TransparentRSAPublicKey, &ec_public).is_err());
        }
        assert!(of_private(Format::TransparentECPrivateKey, &rsa).is_err());
    }

    #[test]
    fn an_rsa_key_is_completed_from_its_exponents_or_its_primes() {
        let (rsa, _) = pair(KeyKind::Rsa { bits: 2048 });
        let whole = of_private(Format::TransparentRSAPrivateKey, &rsa).unwrap();
        let with = |tags: &[Tag]| {
            let some: Vec<Element> = whole.iter().filter(|element| tags.contains(&element.tag)).cloned().collect();
            private(Format::TransparentRSAPrivateKey, &some)
        };
        let same = |key: Outcome<Secret>| {
            let back = RsaPrivateParts::from_pkcs8(key.unwrap().expose()).unwrap();
            let parts = RsaPrivateParts::from_pkcs8(rsa.expose()).unwrap();
            // The order of the primes is free.
            let primes = [&parts.p, &parts.q].map(|prime| prime.expose().to_vec());
            primes.contains(&back.p.expose().to_vec()) && primes.contains(&back.q.expose().to_vec())
        };
        assert!(same(with(&[Tag::Modulus, Tag::PublicExponent, Tag::PrivateExponent])));
        assert!(same(with(&[Tag::Modulus, Tag::PublicExponent, Tag::P, Tag::Q])));
        assert!(same(with(&[Tag::Modulus, Tag::PublicExponent, Tag::PrivateExponent, Tag::P, Tag::Q])));
        for lacking in [&[Tag::Modulus, Tag::PublicExponent][..], &[Tag::Modulus, Tag::PrivateExponent]] {
            assert_eq!(with(lacking).unwrap_err().reason, ResultReason::KeyFormatTypeNotSupported);
        }
        assert_eq!(with(&[Tag::PublicExponent, Tag::PrivateExponent]).unwrap_err().reason, ResultReason::InvalidField);
    }

    #[test]
    fn numbers_that_are_no_key_are_refused() {
        let number = |tag, bytes: &[u8]| Element::new(tag, Value::BigInteger(Blob::copy_of(bytes)));
        let curve = |curve: RecommendedCurve| Element::new(Tag::RecommendedCurve, Value::Enumeration(curve.0));
        let negative = vec![curve(RecommendedCurve::P256), number(Tag::D, &[0xFF; 8])];
        let zero = vec![curve(RecommendedCurve::P256), number(Tag::D, &[0; 8])];
        for material in [negative, zero] {
            let refused = private(Format::TransparentECPrivateKey, &material).unwrap_err();
            assert_eq!(refused.reason, ResultReason::InvalidField);
        }
        let odd = vec![curve(RecommendedCurve::B163), number(Tag::D, &[0, 0, 0, 0, 0, 0, 0, 1])];
        let refused = private(Format::TransparentECPrivateKey, &odd).unwrap_err();
        assert_eq!(refused.reason, ResultReason::KeyFormatTypeNotSupported);
        let point =
            vec![curve(RecommendedCurve::P256), Element::new(Tag::QString, Value::ByteString(Blob::copy_of(&[4; 9])))];
        assert_eq!(public(Format::TransparentECPublicKey, &point).unwrap_err().reason, ResultReason::InvalidField);
    }
}
