//! DSA and Diffie-Hellman keys in a prime field, in PKCS#8 and SubjectPublicKeyInfo (RFC 3279 §2.3.2, §2.3.3; PKCS #3 §9).
//!
//! The server keeps such keys and gives them out in the formats that they have; it does not use them.

use std::cmp::Ordering;

use der::asn1::{AnyRef, UintRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, Reader, SliceReader};
use pkcs8::spki::AlgorithmIdentifierRef;

use super::{FormatError, close_pkcs8, close_spki, encode_secret, open_pkcs8, open_spki};
use crate::secret::Secret;

const DSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.1");
/// dhpublicnumber, with the order of the subgroup.
const DH_X942: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10046.2.1");
/// dhKeyAgreement, without it.
const DH_PKCS3: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.3.1");

/// What is taken for a modulus, in bits.
const MODULUS: std::ops::RangeInclusive<u32> = 512..=16384;

/// What a key of numbers in a prime field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discrete {
    /// Signatures (FIPS 186-4).
    Dsa,
    /// Key agreement.
    Dh,
}

/// The numbers of a key, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiscreteParts {
    /// What it is for.
    pub what: Discrete,
    /// The modulus.
    pub p: Vec<u8>,
    /// The order of the subgroup; DSA has one always.
    pub q: Option<Vec<u8>>,
    /// The generator.
    pub g: Vec<u8>,
    /// The cofactor (p - 1) / q.
    pub j: Option<Vec<u8>>,
    /// x of a private key, y of a public one.
    pub number: Secret,
}

impl DiscreteParts {
    /// Takes a PKCS#8 PrivateKeyInfo apart; `None` for a key of another algorithm, and for what is none at all.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Option<Self>, FormatError> {
        let Ok(info) = open_pkcs8(pkcs8) else { return Ok(None) };
        Self::open(&info.algorithm, info.private_key.as_bytes(), Self::check_private)
    }

    /// Takes a SubjectPublicKeyInfo apart; `None` for a key of another algorithm, and for what is none at all.
    pub fn from_spki(spki: &[u8]) -> Result<Option<Self>, FormatError> {
        let Ok(info) = open_spki(spki) else { return Ok(None) };
        let Some(key) = info.subject_public_key.as_bytes() else { return Ok(None) };
        Self::open(&info.algorithm, key, Self::check_public)
    }

    /// Builds a PKCS#8 PrivateKeyInfo.
    pub fn to_pkcs8(&self) -> Result<Secret, FormatError> {
        self.check_private()?;
        let number = encode_secret(&uint(self.number.expose())?, "private number")?;
        self.close(|algorithm| close_pkcs8(algorithm, number.expose()))
    }

    /// Builds a SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Result<Vec<u8>, FormatError> {
        self.check_public()?;
        let number = uint(self.number.expose())?.to_der().map_err(|_| FormatError::Malformed("public number"))?;
        self.close(|algorithm| close_spki(algorithm, &number))
    }

    /// The length of the modulus in bits.
    pub fn bits(&self) -> u32 {
        let number = significant(&self.p);
        let zeros = number.first().map_or(0, |byte| byte.leading_zeros());
        u32::try_from(number.len()).unwrap_or(u32::MAX / 8).saturating_mul(8).saturating_sub(zeros)
    }

    /// Whether the numbers can be those of a private key.
    pub fn check_private(&self) -> Result<(), FormatError> {
        self.check_domain()?;
        let most = self.q.as_ref().unwrap_or(&self.p);
        if compare(self.number.expose(), &[]) == Ordering::Greater && compare(self.number.expose(), most).is_lt() {
            Ok(())
        } else {
            Err(FormatError::Invalid("the private number is not within its group"))
        }
    }

    /// Whether the numbers can be those of a public key: neither 1 nor p - 1, whose groups have one and two members.
    pub fn check_public(&self) -> Result<(), FormatError> {
        self.check_domain()?;
        let y = self.number.expose();
        let mut last = self.p.clone();
        if let Some(byte) = last.last_mut() {
            // p is odd.
            *byte &= 0xFE;
        }
        if compare(y, &[1]).is_gt() && compare(y, &last).is_lt() {
            Ok(())
        } else {
            Err(FormatError::Invalid("the public number is not within its group"))
        }
    }

    fn check_domain(&self) -> Result<(), FormatError> {
        let odd = |number: &[u8]| number.last().is_some_and(|byte| byte & 1 == 1);
        if !MODULUS.contains(&self.bits()) || !odd(&self.p) {
            return Err(FormatError::Invalid("the modulus is not one of a prime field that is taken"));
        }
        let is_inner = |number: &[u8]| compare(number, &[1]).is_gt() && compare(number, &self.p).is_lt();
        let fits = is_inner(&self.g)
            && self.q.as_ref().is_none_or(|q| is_inner(q) && odd(q))
            && (self.what == Discrete::Dh || self.q.is_some());
        if fits { Ok(()) } else { Err(FormatError::Invalid("the numbers are not those of a group")) }
    }

    fn open(
        algorithm: &AlgorithmIdentifierRef<'_>,
        key: &[u8],
        check: impl FnOnce(&Self) -> Result<(), FormatError>,
    ) -> Result<Option<Self>, FormatError> {
        const NAME: &str = "set of domain parameters";
        let what = match algorithm.oid {
            DSA => Discrete::Dsa,
            DH_X942 | DH_PKCS3 => Discrete::Dh,
            _ => return Ok(None),
        };
        let malformed = |_| FormatError::Malformed(NAME);
        let parameters = algorithm.parameters.ok_or(FormatError::Invalid("the key has no domain parameters"))?;
        if der::Tagged::tag(&parameters) != der::Tag::Sequence {
            return Err(FormatError::Malformed(NAME));
        }
        let mut reader = SliceReader::new(parameters.value()).map_err(malformed)?;
        let mut next = || UintRef::decode(&mut reader).map(|number| number.as_bytes().to_vec()).map_err(malformed);
        let p = next()?;
        let (q, g) = match algorithm.oid {
            DSA => (Some(next()?), next()?),
            DH_X942 => {
                let g = next()?;
                (Some(next()?), g)
            }
            _ => (None, next()?),
        };
        let j = match reader.is_finished() {
            false if algorithm.oid == DH_X942 && reader.peek_byte() == Some(2) => {
                Some(UintRef::decode(&mut reader).map_err(malformed)?.as_bytes().to_vec())
            }
            _ => None,
        };
        // What follows says how the numbers were found, or how long x may be.
        if !reader.is_finished() && algorithm.oid == DSA {
            return Err(FormatError::Malformed(NAME));
        }
        let number = UintRef::from_der(key).map_err(|_| FormatError::Malformed("number of a key"))?;
        let parts = Self { what, p, q, g, j, number: Secret::copy_of(number.as_bytes()) };
        check(&parts)?;
        Ok(Some(parts))
    }

    /// Gives the algorithm with its parameters to who puts the key together.
    fn close<T>(
        &self,
        with: impl FnOnce(AlgorithmIdentifierRef<'_>) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        let (oid, numbers) = match (self.what, &self.q, &self.j) {
            (Discrete::Dsa, Some(q), _) => (DSA, vec![&self.p, q, &self.g]),
            (Discrete::Dh, Some(q), None) => (DH_X942, vec![&self.p, &self.g, q]),
            (Discrete::Dh, Some(q), Some(j)) => (DH_X942, vec![&self.p, &self.g, q, j]),
            (Discrete::Dh, None, None) => (DH_PKCS3, vec![&self.p, &self.g]),
            _ => return Err(FormatError::Invalid("the format has no place for all numbers of the key")),
        };
        let malformed = |_| FormatError::Malformed("set of domain parameters");
        let mut body = Vec::new();
        for number in numbers {
            uint(number)?.encode_to_vec(&mut body).map_err(malformed)?;
        }
        let parameters = AnyRef::new(der::Tag::Sequence, &body).map_err(malformed)?;
        with(AlgorithmIdentifierRef { oid, parameters: Some(parameters) })
    }
}

fn uint(bytes: &[u8]) -> Result<UintRef<'_>, FormatError> {
    UintRef::new(significant(bytes)).map_err(|_| FormatError::Invalid("a number of the key is too long"))
}

fn significant(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Compares numbers by their size; of a private one it tells whether it is in its range.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let (one, other) = (significant(one), significant(other));
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::super::vectors::*;
    use super::*;

    fn unhex(text: &str) -> Vec<u8> {
        hex::decode(text.replace(char::is_whitespace, "")).unwrap()
    }

    #[test]
    fn keys_come_apart_and_together() {
        let private =
            [(DSA_PKCS8, Discrete::Dsa, 1024), (DH_PKCS8, Discrete::Dh, 1024), (DHX_PKCS8, Discrete::Dh, 1024)];
        for (hex, what, bits) in private {
            let der = unhex(hex);
            let parts = DiscreteParts::from_pkcs8(&der).unwrap().unwrap();
            assert_eq!((parts.what, parts.bits()), (what, bits));
            assert_eq!(parts.to_pkcs8().unwrap().expose(), der);
        }
        for (hex, what) in [(DSA_SPKI, Discrete::Dsa), (DH_SPKI, Discrete::Dh), (DHX_SPKI, Discrete::Dh)] {
            let der = unhex(hex);
            let parts = DiscreteParts::from_spki(&der).unwrap().unwrap();
            assert_eq!(parts.what, what);
            assert_eq!(parts.to_spki().unwrap(), der);
        }
        assert_eq!(DiscreteParts::from_pkcs8(&unhex(RSA_PKCS8)), Ok(None));
        assert_eq!(DiscreteParts::from_spki(&unhex(EC_SPKI)), Ok(None));
    }

    #[test]
    fn numbers_out_of_their_group_are_refused() {
        let good = DiscreteParts::from_spki(&unhex(DSA_SPKI)).unwrap().unwrap();
        let mut last = good.p.clone();
        *last.last_mut().unwrap() -= 1;
        for y in [vec![], vec![0], vec![1], last, good.p.clone()] {
            let wrong = DiscreteParts { number: Secret::copy_of(&y), ..good.clone() };
            assert!(wrong.to_spki().is_err(), "{y:02x?}");
        }
        let private = DiscreteParts::from_pkcs8(&unhex(DSA_PKCS8)).unwrap().unwrap();
        for x in [vec![0], private.q.clone().unwrap()] {
            assert!(DiscreteParts { number: Secret::copy_of(&x), ..private.clone() }.to_pkcs8().is_err());
        }
        let even = DiscreteParts { p: [&good.p[..127], &[2]].concat(), ..good.clone() };
        let short = DiscreteParts { p: vec![0x7F; 20], ..good.clone() };
        let lacking = DiscreteParts { q: None, ..good.clone() };
        let generator = DiscreteParts { g: vec![1], ..good };
        for wrong in [even, short, lacking, generator] {
            assert!(wrong.to_spki().is_err());
        }
        // Diffie-Hellman without q has no place for j.
        let dh = DiscreteParts::from_spki(&unhex(DH_SPKI)).unwrap().unwrap();
        assert!(DiscreteParts { j: Some(vec![2]), ..dh }.to_spki().is_err());
    }
}
