//! Keys from keys (PKCS #11 3.0 §5.14, §2.3.21, §2.60, §2.34, §2.15): by what Derive Key does.

use cryptoki_sys as ck;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, DerivationMethod as Method, ObjectType, Operation, Pkcs11ReturnCode as Code,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Attributes, CryptographicParameters as Parameters};

use super::Call;
use super::classes::{self, Class};
use super::codec::{Mechanism, Writer};
use super::codes::{Done, Trouble};
use super::cryptography::{named, open_key};
use super::making;
use super::mechanisms::{self, Derives, Kind, digest, read, wrong};
use super::template::Template;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyformat::EcPublicParts;
use crate::object::usage::Purpose;
use crate::ops::derive_key::{self, DerivationParameters};
use crate::trust::policy::Permitted;

/// The shared secret as it is: what the server makes of an agreement.
const CKD_NULL: u64 = ck::CKD_NULL;

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
    let how = match derives {
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
    let algorithm = template.algorithm()?;
    let mut list = template.attributes(call, Class::Secret, Some(algorithm));
    let length = template.needed_ulong(ck::CKA_VALUE_LEN)?.saturating_mul(8);
    list.extend(making::of_algorithm(algorithm, length)?);
    if let Some(label) = template.label()? {
        list.push(classes::label(call.view, label)?);
    }
    let request = derive_key::Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: named(&key).into_iter().collect(),
        derivation_method: how.method,
        derivation_parameters: how.parameters,
        attributes: Attributes { templates: Vec::new(), list },
        protection_storage_masks: None,
    };
    let made = derive_key::run(call.view, request, how.peer.as_deref()).map_err(|failure| {
        // What cannot be made of so little, and what would be guarded less than its base.
        Trouble::from(failure)
            .instead(Code::FunctionFailed, Code::KeySizeRange)
            .instead(Code::TemplateIncomplete, Code::TemplateInconsistent)
    })?;
    let handle = template.made(call.view, &made.unique_identifier)?;
    making::note(call, session, &template, handle)?;
    Ok(Writer::default().ulong(handle).finish())
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
    let KeyKind::Ec { curve } = call.view.key_kind(key)? else { return Err(Code::KeyTypeInconsistent.into()) };
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
