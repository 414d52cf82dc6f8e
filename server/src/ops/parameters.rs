//! Cryptographic Parameters turned into what a provider is asked (KMIP 2.1 §4.16). The one place that does it.
//!
//! A field that is not obeyed is refused (`only` knows them all): as Unsupported Cryptographic Parameters where this
//! server does not do it, as Bad Cryptographic Parameters where it contradicts the rest.

use kmip_codec::Element;
use kmip_codec::schema::decode;
use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, DigitalSignatureAlgorithm as SignatureAlgorithm,
    HashingAlgorithm, MaskGenerator, ObjectType, PaddingMethod, ResultReason, Tag, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use crate::crypto::algorithm::{Family as SetsOf, Hash, Mac, Message, ParameterSet, RsaCipher, Signature};
use crate::crypto::public;
pub use crate::crypto::public::hmac_hash;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Permitted;

/// The parameters that apply: those of the request, else the key's own with the lowest Attribute Index, else none.
/// They are never mixed.
///
/// # Errors
/// A stored attribute that cannot be read.
pub fn applying(given: Option<Parameters>, key: &Permitted) -> Outcome<Parameters> {
    if let Some(given) = given {
        return Ok(given);
    }
    let own = key.attributes.iter().filter(|attribute| attribute.tag == Tag::CryptographicParameters);
    match own.min_by_key(|attribute| attribute.index) {
        None => Ok(Parameters::default()),
        Some(attribute) => decode(Element::new(attribute.tag, attribute.value.clone()), Version::V2_1)
            .map_err(|error| Failure::internal(format!("stored Cryptographic Parameters: {error}"))),
    }
}

/// Refuses what RSA encryption has no place for.
///
/// # Errors
/// Bad Cryptographic Parameters.
pub fn no_iv(iv: Option<&Blob>, aad: Option<&Blob>, tag: Option<&Blob>) -> Outcome<()> {
    let fields = [
        (Tag::IVCounterNonce, iv),
        (Tag::AuthenticatedEncryptionAdditionalData, aad),
        (Tag::AuthenticatedEncryptionTag, tag),
    ];
    match fields.into_iter().find(|(_, given)| given.is_some()) {
        Some((tag, _)) => Err(meaningless(tag, "RSA encryption")),
        None => Ok(()),
    }
}

/// The MAC that the parameters mean, or the key's own Cryptographic Algorithm where they do not name one.
///
/// # Errors
/// Bad and Unsupported Cryptographic Parameters; Invalid Object Type for what makes no MACs.
pub fn mac(parameters: &Parameters, key: &Permitted) -> Outcome<Mac> {
    if !matches!(key.object_type(), ObjectType::SymmetricKey | ObjectType::SecretData) {
        return Err(wrong_type(key.object_type()));
    }
    let own = key.algorithm();
    let algorithm = parameters
        .cryptographic_algorithm
        .or(own)
        .ok_or_else(|| bad("neither the parameters nor the key say a Cryptographic Algorithm"))?;
    match (parameters.block_cipher_mode, algorithm) {
        (Some(Mode::CMAC), Algorithm::AES) if own.is_none_or(|own| own == Algorithm::AES) => {
            let used = [Tag::BlockCipherMode, Tag::CryptographicAlgorithm, Tag::TagLength];
            only(parameters, &used, "CMAC")?;
            return Ok(Mac::Cmac);
        }
        (Some(Mode::CMAC), Algorithm::AES) => return Err(bad("CMAC with AES needs a key that is AES")),
        (Some(Mode::CMAC), other) => return Err(unsupported(format!("CMAC with the algorithm {other}"))),
        (Some(Mode::CBCMAC), _) => {
            return Err(unsupported("CBC-MAC, which authenticates nothing where lengths differ: CMAC does"));
        }
        (_, Algorithm::Poly1305) if own.is_none_or(|own| own == Algorithm::Poly1305) => {
            only(parameters, &[Tag::CryptographicAlgorithm], "Poly1305")?;
            return Ok(Mac::Poly1305);
        }
        (_, Algorithm::Poly1305) => return Err(bad("Poly1305 needs a key that is for it alone")),
        _ => {}
    }
    let hash = hmac_hash(algorithm).ok_or_else(|| unsupported(format!("MACs with the algorithm {algorithm}")))?;
    if own.is_some_and(|own| own != algorithm && hmac_hash(own).is_some()) {
        return Err(bad(format!("the Cryptographic Algorithm of the key is not {algorithm}")));
    }
    if let Some(named) = parameters.hashing_algorithm
        && hash_of(named)? != hash
    {
        return Err(bad(format!("the Hashing Algorithm {named} is not that of {algorithm}")));
    }
    only(parameters, &[Tag::CryptographicAlgorithm, Tag::HashingAlgorithm, Tag::TagLength], "HMAC")?;
    Ok(Mac::Hmac(hash))
}

/// Length in bytes of the code that the parameters ask for: its leftmost bytes, and at least 8 of them (SP 800-38B §A.2).
///
/// # Errors
/// Bad Cryptographic Parameters.
pub fn mac_len(parameters: &Parameters, mac: Mac) -> Outcome<usize> {
    match parameters.tag_length {
        None => Ok(mac.len()),
        Some(bytes) => usize::try_from(bytes)
            .ok()
            .filter(|bytes| (8..=mac.len()).contains(bytes))
            .ok_or_else(|| bad(format!("the code has no Tag Length of {bytes} bytes"))),
    }
}

/// How RSA encrypts: what the parameters leave out of OAEP is SHA-1, which the standard says of the mask (§4.16) and
/// RFC 8017 appendix A.2.1 of the label.
///
/// # Errors
/// Bad and Unsupported Cryptographic Parameters.
pub fn rsa_cipher(parameters: &Parameters) -> Outcome<RsaCipher<'_>> {
    if parameters.cryptographic_algorithm.is_some_and(|algorithm| algorithm != Algorithm::RSA) {
        return Err(bad("the Cryptographic Algorithm of the parameters is not the key's, RSA"));
    }
    let both = [Tag::PaddingMethod, Tag::CryptographicAlgorithm];
    match parameters.padding_method {
        Some(PaddingMethod::PKCS1V15) => {
            only(parameters, &both, "RSA encryption with PKCS #1 v1.5")?;
            Ok(RsaCipher::Pkcs1)
        }
        Some(PaddingMethod::OAEP) => {
            let oaep = [Tag::HashingAlgorithm, Tag::MaskGenerator, Tag::MaskGeneratorHashingAlgorithm, Tag::PSource];
            only(parameters, &[&both[..], &oaep].concat(), "RSA encryption with OAEP")?;
            if !matches!(parameters.mask_generator, None | Some(MaskGenerator::MGF1)) {
                return Err(unsupported("another Mask Generator than MGF1"));
            }
            let hash = |named: Option<HashingAlgorithm>| named.map_or(Ok(Hash::Sha1), hash_of);
            Ok(RsaCipher::Oaep {
                hash: hash(parameters.hashing_algorithm)?,
                mgf: hash(parameters.mask_generator_hashing_algorithm)?,
                label: parameters.p_source.as_deref().unwrap_or_default(),
            })
        }
        None => Err(bad("RSA encryption needs a Padding Method")),
        Some(PaddingMethod::PSS | PaddingMethod::PKCS5) => Err(bad("that Padding Method is not for RSA encryption")),
        Some(other) => Err(unsupported(format!("RSA encryption with the Padding Method {other}"))),
    }
}

/// The hash function that the parameters name.
///
/// # Errors
/// Bad and Unsupported Cryptographic Parameters.
pub fn hash(parameters: &Parameters) -> Outcome<Hash> {
    only(parameters, &[Tag::HashingAlgorithm], "Hash")?;
    let named = parameters.hashing_algorithm.ok_or_else(|| bad("no Hashing Algorithm is given"))?;
    hash_of(named)
}

/// The signature schemes that parameters leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schemes {
    /// The one that signs: the standard's defaults fill what is not said.
    pub signing: Signature,
    /// Those by which a signature may verify besides, and that sign where the provider lacks the first. For PSS the
    /// standard says SHA-1 and 64 bytes where the mask generator's hash and the salt's length are not given; most
    /// software takes the message's hash, and a salt as long as the hash or as can be, and so do the signatures that
    /// were published with such parameters.
    pub also: Vec<Signature>,
}

/// The signature scheme that the parameters mean, for a message.
///
/// # Errors
/// Bad and Unsupported Cryptographic Parameters.
pub fn signature(parameters: &Parameters, key: &Permitted, bits: u32, message: Message<'_>) -> Outcome<Schemes> {
    let Parameters { padding_method, hashing_algorithm, cryptographic_algorithm, .. } = parameters;
    let algorithm = cryptographic_algorithm.or(key.algorithm());
    if let Some(set) = algorithm.and_then(ParameterSet::of).filter(|set| !set.is_kem()) {
        return post_quantum(parameters, key, message, set);
    }
    if matches!(algorithm, Some(Algorithm::Ed25519 | Algorithm::Ed448)) {
        return eddsa(parameters, key, message);
    }
    let (family, fixed) = match parameters.digital_signature_algorithm {
        Some(algorithm) => by_name(algorithm)?,
        None => (by_algorithm(algorithm, *padding_method)?, None),
    };
    let mut used =
        vec![Tag::PaddingMethod, Tag::HashingAlgorithm, Tag::CryptographicAlgorithm, Tag::DigitalSignatureAlgorithm];
    if family == Family::Pss {
        used.extend([Tag::SaltLength, Tag::MaskGenerator, Tag::MaskGeneratorHashingAlgorithm, Tag::TrailerField]);
    }
    only(parameters, &used, "this signature")?;
    let is_rsa = family != Family::Ecdsa;
    match cryptographic_algorithm {
        None => {}
        Some(Algorithm::RSA) if is_rsa => {}
        Some(Algorithm::EC | Algorithm::ECDSA) if !is_rsa => {}
        Some(other) => return Err(bad(format!("the Cryptographic Algorithm {other} is not that of the signature"))),
    }
    let padding = match family {
        Family::Pkcs1 => PaddingMethod::PKCS1V15,
        Family::Pss => PaddingMethod::PSS,
        Family::Ecdsa => PaddingMethod::None,
    };
    if padding_method.is_some_and(|given| given != padding) {
        return Err(bad(format!("the signature is padded with {padding}, and not as the Padding Method says")));
    }
    let named = hashing_algorithm.map(hash_of).transpose()?;
    if let (Some(fixed), Some(named)) = (fixed, named)
        && fixed != named
    {
        return Err(bad("Digital Signature Algorithm and Hashing Algorithm name different hash functions"));
    }
    let hash = match (fixed.or(named), family, message) {
        (Some(hash), _, _) => hash,
        (None, Family::Ecdsa, Message::Digest(_)) => {
            return Ok(Schemes { signing: Signature::EcdsaBare, also: Vec::new() });
        }
        // What made the digest is not said: it is signed as it is.
        (None, Family::Pkcs1, Message::Digest(_)) => {
            return Ok(Schemes { signing: Signature::RsaPkcs1Bare, also: Vec::new() });
        }
        (None, Family::Pss, Message::Digest(_)) => {
            return Err(bad("PSS hashes the digest with the hash function that made it, and none is named"));
        }
        (None, _, Message::Data(_)) => return Err(bad("neither the request nor the key says a Hashing Algorithm")),
    };
    let simple = |signing| Schemes { signing, also: Vec::new() };
    match family {
        Family::Ecdsa | Family::Pkcs1 => {
            Ok(simple(if is_rsa { Signature::RsaPkcs1(hash) } else { Signature::Ecdsa(hash) }))
        }
        Family::Pss => {
            if !matches!(parameters.mask_generator, None | Some(MaskGenerator::MGF1)) {
                return Err(unsupported("another Mask Generator than MGF1"));
            }
            if !matches!(parameters.trailer_field, None | Some(1)) {
                return Err(unsupported("another Trailer Field than 1"));
            }
            let mgf = parameters.mask_generator_hashing_algorithm.map(hash_of).transpose()?;
            let salt = parameters
                .salt_length
                .map(|bytes| usize::try_from(bytes).map_err(|_| bad(format!("a Salt Length of {bytes} bytes"))));
            Ok(pss(hash, mgf, salt.transpose()?, bits))
        }
    }
}

/// ML-DSA as FIPS 204 §5.2 has it and SLH-DSA as FIPS 205 §10.2.1, without a hash function before it (that is HashML-DSA,
/// §5.4, and HashSLH-DSA, §10.2.2).
fn post_quantum(parameters: &Parameters, key: &Permitted, message: Message<'_>, set: ParameterSet) -> Outcome<Schemes> {
    let (name, signing) = match set.family() {
        SetsOf::SlhDsa => ("SLH-DSA", Signature::SlhDsa),
        SetsOf::MlDsa | SetsOf::MlKem => ("ML-DSA", Signature::MlDsa),
    };
    if parameters.hashing_algorithm.is_some() {
        return Err(unsupported(format!("Hash{name}: {name} signs the data itself, without a Hashing Algorithm")));
    }
    only(parameters, &[Tag::CryptographicAlgorithm], name)?;
    if let (Some(named), Some(own)) = (parameters.cryptographic_algorithm, key.algorithm())
        && named != own
    {
        return Err(bad(format!("the Cryptographic Algorithm {named} is not that of the key, {own}")));
    }
    if matches!(message, Message::Digest(_)) {
        return Err(unsupported(format!("Hash{name}: {name} signs the data itself, and not its digest")));
    }
    Ok(Schemes { signing, also: Vec::new() })
}

/// The curve says everything of the signature.
fn eddsa(parameters: &Parameters, key: &Permitted, message: Message<'_>) -> Outcome<Schemes> {
    only(parameters, &[Tag::CryptographicAlgorithm], "EdDSA")?;
    if let (Some(own), Some(given)) = (key.algorithm(), parameters.cryptographic_algorithm)
        && own != given
        && matches!(own, Algorithm::Ed25519 | Algorithm::Ed448)
    {
        return Err(bad(format!("the Cryptographic Algorithm of the key is {own}, not {given}")));
    }
    if let Message::Digest(_) = message {
        return Err(bad("EdDSA signs the data itself, and no digest of it"));
    }
    Ok(Schemes { signing: Signature::Eddsa, also: Vec::new() })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Pkcs1,
    Pss,
    Ecdsa,
}

fn by_name(algorithm: SignatureAlgorithm) -> Outcome<(Family, Option<Hash>)> {
    use SignatureAlgorithm as A;
    Ok(match algorithm {
        A::SHA1WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha1)),
        A::SHA224WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha224)),
        A::SHA256WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha256)),
        A::SHA384WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha384)),
        A::SHA512WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha512)),
        A::SHA3256WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha3_256)),
        A::SHA3384WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha3_384)),
        A::SHA3512WithRSAEncryption => (Family::Pkcs1, Some(Hash::Sha3_512)),
        A::RSASSAPSS => (Family::Pss, None),
        A::ECDSAWithSHA1 => (Family::Ecdsa, Some(Hash::Sha1)),
        A::ECDSAWithSHA224 => (Family::Ecdsa, Some(Hash::Sha224)),
        A::ECDSAWithSHA256 => (Family::Ecdsa, Some(Hash::Sha256)),
        A::ECDSAWithSHA384 => (Family::Ecdsa, Some(Hash::Sha384)),
        A::ECDSAWithSHA512 => (Family::Ecdsa, Some(Hash::Sha512)),
        other => return Err(unsupported(format!("the Digital Signature Algorithm {other}"))),
    })
}

/// The combination of Cryptographic Algorithm and Hashing Algorithm is enough to name a signature, says the standard: RSA
/// with a hash and no padding is what it calls "with RSA Encryption", which is PKCS #1 v1.5.
fn by_algorithm(algorithm: Option<Algorithm>, padding: Option<PaddingMethod>) -> Outcome<Family> {
    match (algorithm, padding) {
        (Some(Algorithm::RSA), None | Some(PaddingMethod::PKCS1V15)) => Ok(Family::Pkcs1),
        (Some(Algorithm::RSA), Some(PaddingMethod::PSS)) => Ok(Family::Pss),
        (Some(Algorithm::RSA), Some(PaddingMethod::OAEP | PaddingMethod::PKCS5)) => {
            Err(bad("that Padding Method is not for signatures"))
        }
        (Some(Algorithm::RSA), Some(other)) => {
            Err(unsupported(format!("RSA signatures with the Padding Method {other}")))
        }
        (Some(Algorithm::EC | Algorithm::ECDSA), _) => Ok(Family::Ecdsa),
        (Some(other), _) => Err(unsupported(format!("signatures with the algorithm {other}"))),
        (None, _) => Err(bad("neither the parameters nor the key say a Cryptographic Algorithm")),
    }
}

/// PSS with the standard's defaults: SHA-1 for the mask, and a salt as long as the block of the mask's hash.
fn pss(hash: Hash, mgf: Option<Hash>, salt: Option<usize>, bits: u32) -> Schemes {
    let standard = mgf.unwrap_or(Hash::Sha1);
    let scheme = |mgf, salt| Signature::RsaPss { hash, mgf, salt };
    let signing = scheme(standard, salt.unwrap_or_else(|| standard.block_len()));
    // RFC 8017 §9.1.1: what is left of the encoded message after the digest and two bytes.
    let room = (bits.saturating_sub(1) as usize).div_ceil(8);
    let longest = room.saturating_sub(hash.len() + 2);
    let masks = mgf.map_or_else(|| vec![standard, hash], |mgf| vec![mgf]);
    let mut also = Vec::new();
    for mgf in masks {
        let salts = salt.map_or_else(|| vec![mgf.block_len(), hash.len(), longest], |salt| vec![salt]);
        for salt in salts {
            let other = scheme(mgf, salt);
            if salt <= longest && other != signing && !also.contains(&other) {
                also.push(other);
            }
        }
    }
    Schemes { signing, also }
}

/// The hash function of a name.
///
/// # Errors
/// Unsupported Cryptographic Parameters.
pub fn hash_of(algorithm: HashingAlgorithm) -> Outcome<Hash> {
    public::hash_named(algorithm).ok_or_else(|| unsupported(format!("the Hashing Algorithm {algorithm}")))
}

/// Refuses every field that is given and is not among the used ones. A Random IV that is not wanted and a Padding Method
/// None are obeyed by leaving them alone.
pub(super) fn only(parameters: &Parameters, used: &[Tag], what: &str) -> Outcome<()> {
    // Without `..`: a new field of the structure must be thought of here.
    let Parameters {
        block_cipher_mode,
        padding_method,
        hashing_algorithm,
        key_role_type,
        digital_signature_algorithm,
        cryptographic_algorithm,
        random_iv,
        iv_length,
        tag_length,
        fixed_field_length,
        invocation_field_length,
        counter_length,
        initial_counter_value,
        salt_length,
        mask_generator,
        mask_generator_hashing_algorithm,
        p_source,
        trailer_field,
    } = parameters;
    let not_done = [
        (Tag::KeyRoleType, key_role_type.is_some()),
        (Tag::FixedFieldLength, fixed_field_length.is_some()),
        (Tag::InvocationFieldLength, invocation_field_length.is_some()),
        (Tag::CounterLength, counter_length.is_some()),
        (Tag::InitialCounterValue, initial_counter_value.is_some()),
    ];
    if let Some((tag, _)) = not_done.iter().find(|(tag, given)| *given && !used.contains(tag)) {
        return Err(unsupported(tag.to_string()));
    }
    let fields = [
        (Tag::BlockCipherMode, block_cipher_mode.is_some()),
        (Tag::PaddingMethod, padding_method.is_some_and(|method| method != PaddingMethod::None)),
        (Tag::HashingAlgorithm, hashing_algorithm.is_some()),
        (Tag::DigitalSignatureAlgorithm, digital_signature_algorithm.is_some()),
        (Tag::CryptographicAlgorithm, cryptographic_algorithm.is_some()),
        (Tag::RandomIV, *random_iv == Some(true)),
        (Tag::IVLength, iv_length.is_some()),
        (Tag::TagLength, tag_length.is_some()),
        (Tag::SaltLength, salt_length.is_some()),
        (Tag::MaskGenerator, mask_generator.is_some()),
        (Tag::MaskGeneratorHashingAlgorithm, mask_generator_hashing_algorithm.is_some()),
        (Tag::PSource, p_source.is_some()),
        (Tag::TrailerField, trailer_field.is_some()),
    ];
    match fields.iter().find(|(tag, given)| *given && !used.contains(tag)) {
        None => Ok(()),
        Some((tag, _)) => Err(meaningless(*tag, what)),
    }
}

pub(super) fn meaningless(tag: Tag, what: &str) -> Failure {
    bad(format!("{tag} has no meaning for {what}"))
}

pub(super) fn bad(message: impl Into<String>) -> Failure {
    Failure::new(ResultReason::BadCryptographicParameters, message)
}

pub(super) fn unsupported(what: impl Into<String>) -> Failure {
    Failure::new(ResultReason::UnsupportedCryptographicParameters, format!("not supported: {}", what.into()))
}

pub(super) fn wrong_type(object_type: ObjectType) -> Failure {
    Failure::new(ResultReason::InvalidObjectType, format!("a {object_type} cannot be used so"))
}

/// MAC, MAC Verify and Hash do not have Unsupported Cryptographic Parameters among their reasons (KMIP 2.1 §6.1.24.1,
/// §6.1.32.1, §6.1.33.1).
pub fn as_feature(failure: Failure) -> Failure {
    match failure.reason {
        ResultReason::UnsupportedCryptographicParameters => {
            Failure { reason: ResultReason::FeatureNotSupported, ..failure }
        }
        _ => failure,
    }
}
