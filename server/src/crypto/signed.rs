//! What certificates (RFC 5280) and certificate requests (RFC 2986, RFC 4211) have in common: a body, the algorithm, and the signature
//! over the body as it came.

use kmip_codec::spec::DigitalSignatureAlgorithm;
use x509_cert::der::asn1::BitString;
use x509_cert::der::{self, Decode, Encode, Reader, SliceReader, TagMode, TagNumber};
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::algorithm::{Family, Hash, KeyKind, Message, Signature};
use super::{keyformat, public};

/// The signature algorithms by object identifier (RFC 8017, RFC 3279, RFC 5758, NIST for SHA-3), what the protocol calls
/// them, and how they are verified, where the identifier alone says it and they are still worth something.
const ALGORITHMS: [(&str, DigitalSignatureAlgorithm, Option<Signature>); 19] = {
    use DigitalSignatureAlgorithm as Named;
    [
        ("1.2.840.113549.1.1.2", Named::MD2WithRSAEncryption, None),
        ("1.2.840.113549.1.1.4", Named::MD5WithRSAEncryption, None),
        ("1.2.840.113549.1.1.5", Named::SHA1WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha1))),
        ("1.2.840.113549.1.1.14", Named::SHA224WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha224))),
        ("1.2.840.113549.1.1.11", Named::SHA256WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha256))),
        ("1.2.840.113549.1.1.12", Named::SHA384WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha384))),
        ("1.2.840.113549.1.1.13", Named::SHA512WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha512))),
        ("2.16.840.1.101.3.4.3.14", Named::SHA3256WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha3_256))),
        ("2.16.840.1.101.3.4.3.15", Named::SHA3384WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha3_384))),
        ("2.16.840.1.101.3.4.3.16", Named::SHA3512WithRSAEncryption, Some(Signature::RsaPkcs1(Hash::Sha3_512))),
        (RSASSA_PSS, Named::RSASSAPSS, None),
        ("1.2.840.10040.4.3", Named::DSAWithSHA1, None),
        ("2.16.840.1.101.3.4.3.1", Named::DSAWithSHA224, None),
        ("2.16.840.1.101.3.4.3.2", Named::DSAWithSHA256, None),
        ("1.2.840.10045.4.1", Named::ECDSAWithSHA1, Some(Signature::Ecdsa(Hash::Sha1))),
        ("1.2.840.10045.4.3.1", Named::ECDSAWithSHA224, Some(Signature::Ecdsa(Hash::Sha224))),
        ("1.2.840.10045.4.3.2", Named::ECDSAWithSHA256, Some(Signature::Ecdsa(Hash::Sha256))),
        ("1.2.840.10045.4.3.3", Named::ECDSAWithSHA384, Some(Signature::Ecdsa(Hash::Sha384))),
        ("1.2.840.10045.4.3.4", Named::ECDSAWithSHA512, Some(Signature::Ecdsa(Hash::Sha512))),
    ]
};

/// The parameters say the rest (RFC 8017 appendix A.2.3).
const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";

/// The mask generation function (RFC 8017 appendix B.2.1).
const MGF1: &str = "1.2.840.113549.1.1.8";

/// What the protocol calls a signature algorithm.
pub(super) fn named(oid: &str) -> Option<DigitalSignatureAlgorithm> {
    ALGORITHMS.iter().find(|row| row.0 == oid).map(|row| row.1)
}

/// What the protocol calls a way to sign.
pub(super) fn name_of(scheme: Signature) -> Option<DigitalSignatureAlgorithm> {
    ALGORITHMS.iter().find(|row| row.2 == Some(scheme)).map(|row| row.1)
}

/// The object identifier of a way to sign with a key.
pub(super) fn oid_of(scheme: Signature, key: KeyKind) -> Option<String> {
    let row = ALGORITHMS.iter().find(|row| row.2 == Some(scheme));
    row.map(|row| row.0.to_owned()).or_else(|| keyformat::signer_oid(key))
}

/// How a key signs that says by itself how: the data as it is.
pub(super) const fn own_scheme(key: KeyKind) -> Option<Signature> {
    match key {
        KeyKind::Edwards { curve } if curve.signs() => Some(Signature::Eddsa),
        KeyKind::PostQuantum { set } => match set.family() {
            Family::MlDsa => Some(Signature::MlDsa),
            Family::SlhDsa => Some(Signature::SlhDsa),
            Family::MlKem => None,
        },
        _ => None,
    }
}

/// A body and the signature over it.
pub(super) struct Signed<'a> {
    /// The body, the bytes as they came.
    pub(super) body: &'a [u8],
    algorithm: AlgorithmIdentifierOwned,
    signature: BitString,
}

/// What a signature says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The key has made it, with this scheme.
    Good(Signature),
    /// The key has not made it.
    Bad,
    /// An algorithm or a key of which this server cannot tell.
    Unknown,
}

impl<'a> Signed<'a> {
    /// Takes the structure apart.
    pub(super) fn open(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let signed = reader.sequence(|inner| {
            Ok(Self {
                body: inner.tlv_bytes()?,
                algorithm: AlgorithmIdentifierOwned::decode(inner)?,
                signature: BitString::decode(inner)?,
            })
        })?;
        reader.finish(signed)
    }

    /// A body whose algorithm and signature stand elsewhere.
    pub(super) const fn over(body: &'a [u8], algorithm: AlgorithmIdentifierOwned, signature: BitString) -> Self {
        Self { body, algorithm, signature }
    }

    /// Whether the key, given as SubjectPublicKeyInfo DER, has made the signature.
    pub(super) fn by(&self, spki: &[u8]) -> Verdict {
        // Such an algorithm has no parameters, and is that of the key (RFC 8410 §3, RFC 9881 §2, RFC 9909 §3).
        if let Some(signer) = keyformat::signers(&self.algorithm.oid.to_string())
            && (self.algorithm.parameters.is_some() || keyformat::identify_public(spki) != Ok(signer))
        {
            return Verdict::Bad;
        }
        let (Some(scheme), Some(signature)) = (scheme(&self.algorithm), self.signature.as_bytes()) else {
            return Verdict::Unknown;
        };
        match public::verify(spki, scheme, Message::Data(self.body), signature) {
            Ok(true) => Verdict::Good(scheme),
            Ok(false) => Verdict::Bad,
            Err(super::CryptoError::Unsupported(_)) => Verdict::Unknown,
            // A key that does not go with the algorithm.
            Err(_) => Verdict::Bad,
        }
    }
}

/// How a signature of an algorithm is verified.
fn scheme(algorithm: &AlgorithmIdentifierOwned) -> Option<Signature> {
    let oid = algorithm.oid.to_string();
    if let Some(signer) = keyformat::signers(&oid) {
        return own_scheme(signer);
    }
    if oid != RSASSA_PSS {
        return ALGORITHMS.iter().find(|row| row.0 == oid)?.2;
    }
    pss(&algorithm.parameters.as_ref()?.to_der().ok()?)
}

/// RSASSA-PSS-params (RFC 8017 appendix A.2.3). Those that leave the hash out mean SHA-1, which is worth nothing.
fn pss(parameters: &[u8]) -> Option<Signature> {
    let mut reader = SliceReader::new(parameters).ok()?;
    let fields = reader.sequence(|inner| {
        let digest = inner.context_specific::<AlgorithmIdentifierOwned>(TagNumber::N0, TagMode::Explicit)?;
        let mask = inner.context_specific::<AlgorithmIdentifierOwned>(TagNumber::N1, TagMode::Explicit)?;
        let salt = inner.context_specific::<u8>(TagNumber::N2, TagMode::Explicit)?;
        let trailer = inner.context_specific::<u8>(TagNumber::N3, TagMode::Explicit)?;
        Ok((digest, mask, salt.unwrap_or(20), trailer.unwrap_or(1)))
    });
    let (Some(digest), Some(mask), salt, 1) = fields.ok()? else { return None };
    let within = mask.parameters.filter(|_| mask.oid.to_string() == MGF1)?;
    let within = within.decode_as::<AlgorithmIdentifierOwned>().ok()?;
    Some(Signature::RsaPss {
        hash: hash(&digest.oid.to_string())?,
        mgf: hash(&within.oid.to_string())?,
        salt: salt.into(),
    })
}

/// A hash by its object identifier (RFC 5754).
fn hash(oid: &str) -> Option<Hash> {
    Some(match oid {
        "1.3.14.3.2.26" => Hash::Sha1,
        "2.16.840.1.101.3.4.2.4" => Hash::Sha224,
        "2.16.840.1.101.3.4.2.1" => Hash::Sha256,
        "2.16.840.1.101.3.4.2.2" => Hash::Sha384,
        "2.16.840.1.101.3.4.2.3" => Hash::Sha512,
        _ => return None,
    })
}
