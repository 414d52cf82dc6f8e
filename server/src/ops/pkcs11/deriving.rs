//! Keys from keys (PKCS #11 3.0 §5.14, §2.3.21, §2.60, §2.34, §2.15): by what Derive Key does.

use cryptoki_sys as ck;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, DerivationMethod as Method, HashingAlgorithm as Hash, ObjectType, Operation,
    Pkcs11ReturnCode as Code,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Attributes, CryptographicParameters as Parameters, UniqueIdentifier};

use super::Call;
use super::classes::{self, Class};
use super::codec::{Mechanism, Reader, Writer};
use super::codes::{Done, Trouble};
use super::cryptography::{named, open_key};
use super::making;
use super::mechanisms::{self, Derives, Iterates, Kind, digest, either, number, pseudorandom, read, wrong};
use super::template::Template;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyformat::{EcPublicParts, EdwardsPublic};
use crate::crypto::public::hmac_hash;
use crate::object::usage::Purpose;
use crate::ops::derive_key::{self, Brought, DerivationParameters};
use crate::secret::Secret;
use crate::trust::policy::Permitted;

/// The shared secret as it is: what the server makes of an agreement.
const CKD_NULL: u64 = ck::CKD_NULL;

/// The most data that a function of SP 800-108 takes in pieces.
const MOST_PIECES: usize = 64;
/// The length in bits of counters and lengths in such a function, here.
const WIDTH: u64 = 32;

/// What a mechanism says to Derive Key.
struct How {
    method: Method,
    parameters: DerivationParameters,
    /// The other's public key, as SubjectPublicKeyInfo.
    peer: Option<Vec<u8>>,
}

impl How {
    const fn of(method: Method, parameters: DerivationParameters) -> Self {
        Self { method, parameters, peer: None }
    }
}

/// C_DeriveKey. The template says how long the key is, and of what kind.
///
/// # Errors
/// What the use of the base key is refused for; MECHANISM_PARAM_INVALID; TEMPLATE_INCONSISTENT for a key that would be guarded
/// less than its base.
pub fn derive_key(call: &mut Call<'_>) -> Done {
    let (session, mechanism, base, template) =
        call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?, input.template()?)))?;
    let template = Template::new(template)?;
    making::writable(call, session, template.is_lasting())?;
    let row = mechanisms::usable(mechanism.id, ck::CKF_DERIVE, &call.view.shared().settings)?;
    let Kind::Derive(derives) = row.kind else { return Err(Code::MechanismInvalid.into()) };
    if template.ulong(ck::CKA_CLASS).is_some_and(|class| Class::numbered(class) != Some(Class::Secret)) {
        return Err(Code::TemplateInconsistent.into());
    }
    let key = open_key(call.view, base, Operation::DeriveKey, Purpose::Derive)?;
    row.suits(&key)?;
    let how = match derives {
        Derives::Counter(iterates) => counted(&key, iterates, &mechanism)?,
        Derives::Agreement => agreement(call, &key, &mechanism)?,
        Derives::Hkdf => hkdf(&mechanism)?,
        Derives::Digest(hash) => {
            if mechanism.parameter.is_some_and(|parameter| !parameter.is_empty()) {
                return Err(wrong());
            }
            let parameters = Parameters { hashing_algorithm: Some(hash), ..Parameters::default() };
            How::of(Method::HASH, said(Some(parameters)))
        }
        Derives::Encryption(mode) => {
            let cbc = mode == kmip_codec::spec::BlockCipherMode::CBC;
            let (iv, data) = read(&mechanism, |input| {
                let iv = if cbc { Some(Blob::copy_of(input.take(16)?)) } else { None };
                Ok((iv, input.bytes()?))
            })?;
            if data.is_empty() || !data.len().is_multiple_of(16) {
                return Err(wrong());
            }
            let parameters = Parameters {
                block_cipher_mode: Some(mode),
                cryptographic_algorithm: Some(Algorithm::AES),
                ..Parameters::default()
            };
            let derivation_data = vec![Blob::copy_of(data)];
            let all = DerivationParameters { initialization_vector: iv, derivation_data, ..said(Some(parameters)) };
            How::of(Method::ENCRYPT, all)
        }
    };
    let brought = how.peer.as_deref().map_or(Brought::Nothing, Brought::Peer);
    derived(call, session, &template, named(&key), (how.method, how.parameters), brought)
}

/// Derives what the template says.
fn derived(
    call: &mut Call<'_>,
    session: u64,
    template: &Template<'_>,
    base: Option<UniqueIdentifier>,
    (derivation_method, derivation_parameters): (Method, DerivationParameters),
    brought: Brought<'_>,
) -> Done {
    let algorithm = template.algorithm()?;
    let mut list = template.attributes(call, Class::Secret, Some(algorithm));
    list.extend(making::of_algorithm(algorithm, template.length(algorithm)?.saturating_mul(8))?);
    if let Some(label) = template.label()? {
        list.push(classes::label(call.view, label)?);
    }
    let request = derive_key::Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: base.into_iter().collect(),
        derivation_method,
        derivation_parameters,
        attributes: Attributes { templates: Vec::new(), list },
        protection_storage_masks: None,
    };
    let made = derive_key::run(call.view, request, brought).map_err(|failure| {
        // What cannot be made of so little, and what would be guarded less than its base.
        Trouble::from(failure)
            .instead(Code::FunctionFailed, Code::KeySizeRange)
            .instead(Code::TemplateIncomplete, Code::TemplateInconsistent)
    })?;
    let handle = template.made(call.view, &made.unique_identifier)?;
    making::note(call, session, template, handle)?;
    Ok(Writer::default().ulong(handle).finish())
}

/// C_GenerateKey of a password: CK_PKCS5_PBKD2_PARAMS2 has the kind of salt, the salt, the count, the pseudorandom function
/// and its data, of which there is none, and the password.
///
/// # Errors
/// MECHANISM_PARAM_INVALID; what Derive Key refuses.
pub fn of_password(call: &mut Call<'_>, session: u64, mechanism: &Mechanism<'_>, template: &Template<'_>) -> Done {
    let read = |input: &mut Reader<'_>, width| {
        let (source, salt) = (input.ulong()?, Blob::copy_of(input.bytes()?));
        let (count, function, data) = (number(input, width)?, input.ulong()?, input.bytes()?.len());
        Ok((source, salt, count, function, data, Secret::copy_of(input.bytes()?)))
    };
    let (source, salt, count, function, data, password) = either(mechanism, read, |_| true)?;
    let hash = match function {
        ck::CKP_PKCS5_PBKD2_HMAC_SHA1 => Hash::SHA1,
        ck::CKP_PKCS5_PBKD2_HMAC_SHA224 => Hash::SHA224,
        ck::CKP_PKCS5_PBKD2_HMAC_SHA256 => Hash::SHA256,
        ck::CKP_PKCS5_PBKD2_HMAC_SHA384 => Hash::SHA384,
        ck::CKP_PKCS5_PBKD2_HMAC_SHA512 => Hash::SHA512,
        ck::CKP_PKCS5_PBKD2_HMAC_SHA512_224 => Hash::SHA512224,
        ck::CKP_PKCS5_PBKD2_HMAC_SHA512_256 => Hash::SHA512256,
        _ => return Err(wrong()),
    };
    if source != ck::CKZ_SALT_SPECIFIED || data != 0 {
        return Err(wrong());
    }
    call.view.do_as(Operation::DeriveKey)?;
    let parameters = Parameters { hashing_algorithm: Some(hash), ..Parameters::default() };
    let parameters = DerivationParameters {
        salt: Some(salt),
        iteration_count: Some(i32::try_from(count).map_err(|_| wrong())?),
        ..said(Some(parameters))
    };
    derived(call, session, template, None, (Method::PBKDF2, parameters), Brought::Password(&password))
}

/// CK_SP800_108_KDF_PARAMS: the pseudorandom function, and in what order its data stands; in feedback mode an IV behind it; no
/// further keys. The order is that of the functions here: the counter behind what is fed back, then the data, and behind
/// it the length of the key, both of 32 bits with the highest byte first.
fn counted(key: &Permitted, iterates: Iterates, mechanism: &Mechanism<'_>) -> Done<How> {
    let (function, pieces, iv, further) = read(mechanism, |input| {
        let (function, count) = (input.ulong()?, input.count()?);
        let mut pieces = Vec::new();
        for _ in 0..count.min(MOST_PIECES) {
            pieces.push((input.ulong()?, input.bytes()?));
        }
        let iv = if iterates == Iterates::Feedback { input.bytes()? } else { &[] };
        Ok((function, pieces, iv, input.count()?))
    })?;
    let function = pseudorandom(function)?;
    if further != 0 {
        return Err(wrong());
    }
    // A key of HMAC has its own hash function, whatever somebody names.
    if key.algorithm().is_some_and(|own| own != function && hmac_hash(own).is_some()) {
        return Err(Code::KeyTypeInconsistent.into());
    }
    let counter = [&[0][..], &WIDTH.to_be_bytes()].concat();
    let length = [&ck::CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS.to_be_bytes()[..], &counter].concat();
    let mut rest = pieces.as_slice();
    let mut next = |kind: u64, value: &[u8]| match rest.split_first() {
        Some(((found, given), left)) if (*found, *given) == (kind, value) => {
            rest = left;
            Ok(())
        }
        _ => Err(wrong()),
    };
    if iterates == Iterates::Counter {
        next(ck::CK_SP800_108_ITERATION_VARIABLE, &counter)?;
    } else {
        next(ck::CK_SP800_108_ITERATION_VARIABLE, &[])?;
        next(ck::CK_SP800_108_COUNTER, &counter)?;
    }
    let Some(((ck::CK_SP800_108_DKM_LENGTH, last), data)) = rest.split_last() else { return Err(wrong()) };
    if *last != length || data.iter().any(|(kind, _)| *kind != ck::CK_SP800_108_BYTE_ARRAY) {
        return Err(wrong());
    }
    let data = data.iter().flat_map(|(_, bytes)| bytes.iter().copied()).collect::<Vec<u8>>();
    let parameters = Parameters { cryptographic_algorithm: Some(function), ..Parameters::default() };
    let method = match iterates {
        Iterates::Counter => Method::NIST800108C,
        Iterates::Feedback => Method::NIST800108F,
        Iterates::Pipeline => Method::NIST800108DPI,
    };
    Ok(How::of(
        method,
        DerivationParameters {
            derivation_data: vec![Blob::new(data)],
            initialization_vector: (!iv.is_empty()).then(|| Blob::copy_of(iv)),
            ..said(Some(parameters))
        },
    ))
}

fn said(cryptographic_parameters: Option<Parameters>) -> DerivationParameters {
    DerivationParameters { cryptographic_parameters, ..DerivationParameters::default() }
}

/// CK_ECDH1_DERIVE_PARAMS: the function on the shared secret, its data, and the other's point, bare or as an OCTET STRING.
fn agreement(call: &mut Call<'_>, key: &Permitted, mechanism: &Mechanism<'_>) -> Done<How> {
    use der::Decode;
    let (function, shared, point) = read(mechanism, |input| Ok((input.ulong()?, input.bytes()?, input.bytes()?)))?;
    if function != CKD_NULL || !shared.is_empty() {
        return Err(wrong());
    }
    let curve = match call.view.key_kind(key)? {
        KeyKind::Ec { curve } => curve,
        KeyKind::Edwards { curve } if !curve.signs() => {
            // Bare, or as an OCTET STRING, which is longer.
            let wrapped = <&der::asn1::OctetStringRef>::from_der(point).ok().map(|inner| inner.as_bytes());
            let keys = std::iter::once(point).chain(wrapped).map(|key| EdwardsPublic { curve, key: key.to_vec() });
            let peer = keys.into_iter().find_map(|key| key.to_spki().ok()).ok_or_else(wrong)?;
            return Ok(How { peer: Some(peer), ..How::of(Method::AsymmetricKey, said(None)) });
        }
        _ => return Err(Code::KeyTypeInconsistent.into()),
    };
    let spki = |point: &[u8]| EcPublicParts { curve, point: point.to_vec() };
    let wrapped = <&der::asn1::OctetStringRef>::from_der(point).ok().map(|inner| spki(inner.as_bytes()));
    // A bare point begins with its form, which is the tag of an OCTET STRING where it is whole: the length decides.
    let parts =
        std::iter::once(spki(point)).chain(wrapped).find(|parts| parts.to_spki().is_ok() && parts.is_on_curve());
    let peer = parts.and_then(|parts| parts.to_spki().ok()).ok_or_else(wrong)?;
    Ok(How { peer: Some(peer), ..How::of(Method::AsymmetricKey, said(None)) })
}

/// CK_HKDF_PARAMS: whether to extract and to expand, the hash, the kind of salt, the salt, a key that is the salt, the info.
fn hkdf(mechanism: &Mechanism<'_>) -> Done<How> {
    let (extract, expand, hash, kind, salt, key, info) = read(mechanism, |input| {
        Ok((
            input.flag()?,
            input.flag()?,
            input.ulong()?,
            input.ulong()?,
            input.bytes()?,
            input.ulong()?,
            input.bytes()?,
        ))
    })?;
    let salted = match kind {
        ck::CKF_HKDF_SALT_NULL => salt.is_empty(),
        ck::CKF_HKDF_SALT_DATA => true,
        _ => false,
    };
    if !extract || !expand || !salted || key != 0 {
        return Err(wrong());
    }
    let parameters = Parameters { hashing_algorithm: Some(digest(hash)?), ..Parameters::default() };
    Ok(How::of(
        Method::HKDF,
        DerivationParameters {
            salt: (!salt.is_empty()).then(|| Blob::copy_of(salt)),
            derivation_data: if info.is_empty() { Vec::new() } else { vec![Blob::copy_of(info)] },
            ..said(Some(parameters))
        },
    ))
}
