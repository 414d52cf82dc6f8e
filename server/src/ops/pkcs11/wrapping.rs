//! Keys that leave and come wrapped, and random numbers (PKCS #11 3.0 §5.14, §5.15): by what Get, Register, RNG Seed and RNG
//! Retrieve do.

use cryptoki_sys as ck;
use kmip_codec::spec::{
    EncodingOption, KeyFormatType, ObjectType, Operation, Pkcs11ReturnCode as Code, Tag, WrappingMethod,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    CryptographicParameters as Parameters, EncryptionKeyInformation, KeyBlock, KeyMaterial, KeyValue, KeyWrappingData,
    KeyWrappingSpecification, Object, UniqueIdentifier,
};

use super::Call;
use super::classes::Class;
use super::codec::{Mechanism, Value, Writer};
use super::codes::{Done, Trouble};
use super::cryptography::{fits, length};
use super::template::Template;
use super::{making, mechanisms, objects};
use crate::ops::data::Data;
use crate::ops::parents::Parents;
use crate::ops::{Handler, get, rng_retrieve, rng_seed, wrapping};
use crate::secret::Secret;
use crate::trust::policy::Use;

/// Which key wraps, and how.
fn information(
    call: &mut Call<'_>,
    mechanism: &Mechanism<'_>,
    flag: u64,
    handle: u64,
) -> Done<EncryptionKeyInformation> {
    let invalid = match flag {
        ck::CKF_WRAP => Code::WrappingKeyHandleInvalid,
        _ => Code::UnwrappingKeyHandleInvalid,
    };
    let row = mechanisms::usable(mechanism.id, flag, &call.view.shared().settings)?;
    let parameters: Parameters = row.prepare(mechanism)?.parameters;
    let key = call.view.open_numbered(handle, Use::ReadAttributes);
    let key = key.map_err(|failure| Trouble::from(failure).instead(Code::ObjectHandleInvalid, invalid))?;
    let inconsistent = match flag {
        ck::CKF_WRAP => Code::WrappingKeyTypeInconsistent,
        _ => Code::UnwrappingKeyTypeInconsistent,
    };
    row.suits(&key).map_err(|trouble| trouble.instead(Code::KeyTypeInconsistent, inconsistent))?;
    Ok(EncryptionKeyInformation {
        unique_identifier: UniqueIdentifier::Text(key.identifier()),
        cryptographic_parameters: Some(parameters),
    })
}

/// C_WrapKey: a secret key as it is, a private key as PKCS #8.
pub fn wrap_key(call: &mut Call<'_>) -> Done {
    let (session, mechanism, wrapping, key, room) =
        call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?, input.ulong()?, input.room()?)))?;
    call.instance.session(session)?;
    call.view.do_as(Operation::Get)?;
    let information = information(call, &mechanism, ck::CKF_WRAP, wrapping)?;
    let (object, class) = objects::open(call.view, key, Operation::Get, Use::Get)
        .map_err(|trouble| trouble.instead(Code::ObjectHandleInvalid, Code::KeyHandleInvalid))?;
    let format = match class {
        Class::Secret => KeyFormatType::Raw,
        Class::Private => KeyFormatType::Pkcs8,
        _ => return Err(Code::KeyNotWrappable.into()),
    };
    let request = get::Request {
        key_format_type: Some(format),
        key_wrapping_specification: Some(KeyWrappingSpecification {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(information),
            mac_signature_key_information: None,
            attribute_names: Vec::new(),
            encoding_option: Some(EncodingOption::NoEncoding),
        }),
        ..get::Request::of(UniqueIdentifier::Text(object.identifier()))
    };
    let given = get::Get::run(call.view, request).map_err(|failure| {
        let trouble = Trouble::from(failure).instead(Code::KeyTypeInconsistent, Code::WrappingKeyTypeInconsistent);
        trouble.instead(Code::FunctionFailed, Code::KeySizeRange)
    })?;
    let Some(KeyValue::Wrapped(wrapped)) = given.object.key_block().and_then(|block| block.key_value.as_ref()) else {
        return Err(Code::GeneralError.into());
    };
    if !fits(room, wrapped.len())? {
        call.view.retract();
        return Ok(length(wrapped.len()));
    }
    Ok(Writer::default().bytes(wrapped).finish())
}

/// C_UnwrapKey.
pub fn unwrap_key(call: &mut Call<'_>) -> Done {
    let (session, mechanism, wrapping, wrapped, template) =
        call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?, input.bytes()?, input.template()?)))?;
    let mut template = Template::new(template)?;
    making::writable(call, session, template.is_lasting())?;
    call.view.do_as(Operation::Register)?;
    let information = information(call, &mechanism, ck::CKF_UNWRAP, wrapping)?;
    let class = Class::numbered(template.needed_ulong(ck::CKA_CLASS)?).filter(|class| class.is_secret());
    let class = class.ok_or(Code::TemplateInconsistent)?;
    let block = KeyBlock {
        key_format_type: KeyFormatType::Raw,
        key_compression_type: None,
        key_value: Some(KeyValue::Wrapped(Blob::copy_of(wrapped))),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: Some(KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(information),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: Some(EncodingOption::NoEncoding),
        }),
    };
    let mut object = Object::SymmetricKey(block);
    let parents = wrapping::unwrap(call.view, &mut object).map_err(|failure| {
        let trouble = Trouble::from(failure).instead(Code::KeyTypeInconsistent, Code::UnwrappingKeyTypeInconsistent);
        trouble
            .instead(Code::FunctionFailed, Code::WrappedKeyInvalid)
            .instead(Code::WrappingKeyHandleInvalid, Code::UnwrappingKeyHandleInvalid)
    })?;
    // As if the unwrapping key had them in its CKA_UNWRAP_TEMPLATE.
    for (tag, strict) in parents.iter().flat_map(Parents::guards) {
        let kind = if tag == Tag::Sensitive { ck::CKA_SENSITIVE } else { ck::CKA_EXTRACTABLE };
        if template.boolean(kind) == Some(!strict) {
            return Err(Code::TemplateInconsistent.into());
        }
        template.otherwise(kind, Value::Bool(strict));
    }
    let Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) =
        object.key_block().and_then(|block| block.key_value.as_ref())
    else {
        return Err(Code::WrappedKeyInvalid.into());
    };
    let bytes = Secret::copy_of(bytes);
    let algorithm = template.algorithm()?;
    let object = match class.object_type() {
        ObjectType::PrivateKey => making::private_key(call.view, &template, bytes),
        _ => making::secret_key(algorithm, bytes),
    };
    let object = object.map_err(|trouble| trouble.instead(Code::AttributeValueInvalid, Code::WrappedKeyInvalid))?;
    making::known(call, session, class, &template, object)
}

/// C_SeedRandom.
pub fn seed_random(call: &mut Call<'_>) -> Done {
    let (session, seed) = call.read(|input| Ok((input.ulong()?, input.bytes()?)))?;
    call.instance.session(session)?;
    call.view.do_as(Operation::RNGSeed)?;
    let request = rng_seed::Request { data: Data::Bytes(Blob::copy_of(seed)) };
    match rng_seed::RngSeed::run(call.view, request)?.data_length {
        0 if !seed.is_empty() => Err(Code::RandomSeedNotSupported.into()),
        _ => Ok(Vec::new()),
    }
}

/// C_GenerateRandom.
pub fn generate_random(call: &mut Call<'_>) -> Done {
    let (session, count) = call.read(|input| Ok((input.ulong()?, input.count()?)))?;
    call.instance.session(session)?;
    call.view.do_as(Operation::RNGRetrieve)?;
    let data_length = i32::try_from(count).unwrap_or(i32::MAX);
    let random = rng_retrieve::RngRetrieve::run(call.view, rng_retrieve::Request { data_length })
        .map_err(|failure| Trouble::from(failure).instead(Code::AttributeValueInvalid, Code::ArgumentsBad))?;
    Ok(Writer::default().bytes(&random.data).finish())
}
