//! Objects that are made, changed and destroyed (PKCS #11 3.0 §5.7, §5.14): by what Create, Create Key Pair, Register, the
//! attribute operations, Revoke and Destroy do.

use cryptoki_sys as ck;
use kmip_codec::Value as Kmip;
use kmip_codec::spec::{
    CertificateType, CryptographicAlgorithm as Algorithm, KeyFormatType, ObjectType, OpaqueDataType, Operation,
    Pkcs11ReturnCode as Code, RecommendedCurve, RevocationReasonCode, State, Tag,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Attribute, AttributeReference, Attributes, Certificate, CryptographicDomainParameters, CurrentAttribute,
    NewAttribute, Object, OpaqueObject, RevocationReason, UniqueIdentifier,
};

use super::Call;
use super::classes::{self, Class};
use super::codec::{Value, Writer};
use super::codes::{Done, Trouble};
use super::mechanisms::{self, Kind};
use super::template::Template;
use super::{deriving, objects};
use crate::crypto::algorithm::{Curve, Edwards, KeyKind, ParameterSet};
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::keyformat::{self, EdwardsPrivate, EdwardsPublic, PostQuantumPrivateParts};
use crate::failure::Failure;
use crate::ops::{Handler, activate, attribute, create, create_key_pair, destroy, register, revoke};
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::{Filter, View, value_of};

/// What an Opaque Object is whose owner says nothing of it.
const DATA: OpaqueDataType = OpaqueDataType(0x8000_0001);

/// How many objects of instances that are gone are cleared away at a time.
const MOST_LEFT: usize = 100;

/// C_CreateObject.
pub fn create_object(call: &mut Call<'_>) -> Done {
    let (session, template) = call.read(|input| Ok((input.ulong()?, input.template()?)))?;
    let template = Template::new(template)?;
    writable(call, session, template.is_lasting())?;
    let class = Class::numbered(template.needed_ulong(ck::CKA_CLASS)?).ok_or(Code::AttributeValueInvalid)?;
    call.view.do_as(Operation::Register)?;
    let object = match class {
        Class::Data => Object::OpaqueObject(OpaqueObject {
            opaque_data_type: DATA,
            opaque_data_value: Blob::copy_of(template.bytes(ck::CKA_VALUE).unwrap_or_default()),
        }),
        Class::Certificate => {
            if template.needed_ulong(ck::CKA_CERTIFICATE_TYPE)? != ck::CKC_X_509 {
                return Err(Code::AttributeValueInvalid.into());
            }
            let certificate_value = Blob::copy_of(template.needed(ck::CKA_VALUE)?);
            Object::Certificate(Certificate { certificate_type: CertificateType::X509, certificate_value })
        }
        Class::Secret => {
            let value = Secret::copy_of(template.needed(ck::CKA_VALUE)?);
            secret_key(template.algorithm()?, value)?
        }
        Class::Private => private_key(call.view, &template, private_parts(&template)?)?,
        Class::Public => public_key(call.view, &template)?,
    };
    kept(call, session, class, &template, object)
}

/// Registers an object as its template has it.
///
/// # Errors
/// What Register says; what the template says otherwise.
pub fn kept(call: &mut Call<'_>, session: u64, class: Class, template: &Template<'_>, object: Object) -> Done {
    let made = registered(call, class, template, object)?;
    handed(call, session, template, &made)
}

/// The same of a key that came from elsewhere, where it may have been known: CKA_ALWAYS_SENSITIVE and CKA_NEVER_EXTRACTABLE are
/// false (PKCS #11 3.0 §5.14.4).
pub fn known(call: &mut Call<'_>, session: u64, class: Class, template: &Template<'_>, object: Object) -> Done {
    let made = registered(call, class, template, object)?;
    let permitted = call.view.open(Some(&UniqueIdentifier::Text(made.clone())), Use::ReadAttributes)?;
    call.view.edit(&permitted, |object| {
        for history in [Tag::AlwaysSensitive, Tag::NeverExtractable] {
            object.attributes.set(history, Kmip::Boolean(false));
        }
        Ok(())
    })?;
    handed(call, session, template, &made)
}

fn registered(call: &mut Call<'_>, class: Class, template: &Template<'_>, object: Object) -> Done<Text> {
    let algorithm = if class.is_key() { Some(template.algorithm()?) } else { None };
    let mut list = template.attributes(call, class, algorithm);
    if let Some(label) = template.label()? {
        list.push(classes::label(call.view, label)?);
    }
    let request = register::Request {
        object_type: object.object_type(),
        attributes: Attributes { templates: Vec::new(), list },
        object,
        protection_storage_masks: None,
    };
    Ok(register::Register::run(call.view, request)?.unique_identifier)
}

fn handed(call: &mut Call<'_>, session: u64, template: &Template<'_>, made: &Text) -> Done {
    let handle = template.made(call.view, made)?;
    note(call, session, template, handle)?;
    Ok(Writer::default().ulong(handle).finish())
}

/// C_GenerateKey.
pub fn generate_key(call: &mut Call<'_>) -> Done {
    let (session, mechanism, template) =
        call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.template()?)))?;
    let mut template = Template::new(template)?;
    writable(call, session, template.is_lasting())?;
    let row = mechanisms::usable(mechanism.id, ck::CKF_GENERATE, &call.view.shared().settings)?;
    row.prepare(&mechanism)?;
    let (algorithm, usual) = match row.kind {
        Kind::Generate(algorithm, usual) => (algorithm, usual),
        Kind::Password => return deriving::of_password(call, session, &mechanism, &template),
        _ => return Err(Code::MechanismInvalid.into()),
    };
    call.view.do_as(Operation::Create)?;
    let is_for_xts = mechanism.id == ck::CKM_AES_XTS_KEY_GEN;
    if is_for_xts {
        template.otherwise(ck::CKA_KEY_TYPE, Value::Ulong(ck::CKK_AES_XTS));
    }
    if is_for_xts != (template.ulong(ck::CKA_KEY_TYPE) == Some(ck::CKK_AES_XTS)) {
        return Err(Code::TemplateInconsistent.into());
    }
    let length = match (template.ulong(ck::CKA_VALUE_LEN), usual) {
        (None, Some(usual)) => usual,
        _ => template.needed_ulong(ck::CKA_VALUE_LEN)?,
    };
    let mut list = template.attributes(call, Class::Secret, Some(algorithm));
    list.extend(of_algorithm(algorithm, length.saturating_mul(8))?);
    if let Some(label) = template.label()? {
        list.push(classes::label(call.view, label)?);
    }
    let request = create::Request {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes { templates: Vec::new(), list },
        protection_storage_masks: None,
    };
    let made = create::Create::run(call.view, request)?.unique_identifier;
    let handle = template.made(call.view, &made)?;
    note(call, session, &template, handle)?;
    Ok(Writer::default().ulong(handle).finish())
}

/// C_GenerateKeyPair: the template of the public key stands first, and so does its handle.
pub fn generate_key_pair(call: &mut Call<'_>) -> Done {
    let (session, mechanism, public, private) =
        call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.template()?, input.template()?)))?;
    let (public, private) = (Template::new(public)?, Template::new(private)?);
    writable(call, session, public.is_lasting() || private.is_lasting())?;
    let row = mechanisms::usable(mechanism.id, ck::CKF_GENERATE_KEY_PAIR, &call.view.shared().settings)?;
    row.prepare(&mechanism)?;
    let Kind::Pair(algorithm) = row.kind else { return Err(Code::MechanismInvalid.into()) };
    call.view.do_as(Operation::CreateKeyPair)?;
    let mut algorithm = algorithm;
    let common = match algorithm {
        Algorithm::RSA => of_algorithm(algorithm, public.needed_ulong(ck::CKA_MODULUS_BITS)?)?,
        Algorithm::Ed25519 | Algorithm::ECDH => {
            let curve = edwards(&public)?;
            if curve.signs() != (algorithm == Algorithm::Ed25519) {
                return Err(Code::CurveNotSupported.into());
            }
            algorithm = keyblock::algorithm_of(KeyKind::Edwards { curve }).unwrap_or(algorithm);
            on_curve(algorithm, keyblock::recommended_edwards(curve))?
        }
        Algorithm::MLDSA44 => {
            algorithm = parameter_set(&public)?.algorithm();
            vec![Attribute::new(Tag::CryptographicAlgorithm, Kmip::Enumeration(algorithm.into()))]
        }
        _ => on_curve(algorithm, keyblock::recommended(prime_curve(&public)?))?,
    };
    let mut of_private = private.attributes(call, Class::Private, Some(algorithm));
    let mut of_public = public.attributes(call, Class::Public, Some(algorithm));
    let (label, other) = (private.label()?, public.label()?);
    if let Some(label) = label {
        of_private.push(classes::label(call.view, label)?);
    }
    match other {
        // Both halves may have one label, and only one object a Name.
        Some(other) if label == Some(other) => of_public.push(classes::alternative_name(other)),
        Some(other) => of_public.push(classes::label(call.view, other)?),
        None => {}
    }
    let list = |list| Attributes { templates: Vec::new(), list };
    let request = create_key_pair::Request {
        common: list(common),
        private: list(of_private),
        public: list(of_public),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    let made = create_key_pair::CreateKeyPair::run(call.view, request)?;
    let of_public = public.made(call.view, &made.public_key)?;
    let of_private = private.made(call.view, &made.private_key)?;
    note(call, session, &public, of_public)?;
    note(call, session, &private, of_private)?;
    Ok(Writer::default().ulong(of_public).ulong(of_private).finish())
}

/// The algorithm and the curve of a pair to be made.
fn on_curve(algorithm: Algorithm, curve: RecommendedCurve) -> Done<Vec<Attribute>> {
    let domain = CryptographicDomainParameters { q_length: None, recommended_curve: Some(curve) };
    let value = value_of(&domain, Tag::CryptographicDomainParameters).ok_or(Code::GeneralError)?;
    Ok(vec![
        Attribute::new(Tag::CryptographicAlgorithm, Kmip::Enumeration(algorithm.into())),
        Attribute::new(Tag::CryptographicDomainParameters, value),
    ])
}

/// The parameter set of ML-DSA.
fn parameter_set(template: &Template<'_>) -> Done<ParameterSet> {
    let number = template.needed_ulong(ck::CKA_PARAMETER_SET)?;
    classes::numbered_set(number).ok_or_else(|| Code::AttributeValueInvalid.into())
}

/// The curve that CKA_EC_PARAMS name, of those whose keys are points and numbers.
fn prime_curve(template: &Template<'_>) -> Done<Curve> {
    keyformat::curve_of_parameters(template.needed(ck::CKA_EC_PARAMS)?).map_err(|_| Code::CurveNotSupported.into())
}

/// The curve that CKA_EC_PARAMS name, of those whose keys are bytes.
fn edwards(template: &Template<'_>) -> Done<Edwards> {
    keyformat::edwards_of_parameters(template.needed(ck::CKA_EC_PARAMS)?).map_err(|_| Code::CurveNotSupported.into())
}

/// C_DestroyObject. What is active is revoked first: an application knows of no such thing.
pub fn destroy_object(call: &mut Call<'_>) -> Done {
    let (session, handle) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    call.instance.session(session)?;
    let (object, _) = objects::open(call.view, handle, Operation::Destroy, Use::ReadAttributes)?;
    writable(call, session, classes::bytes_of(&object, &classes::session_reference()).is_none())?;
    destroyed(call.view, &object)?;
    for session in call.instance.sessions.values_mut() {
        session.made.retain(|made| *made != handle);
    }
    Ok(Vec::new())
}

fn destroyed(view: &mut View, object: &Permitted) -> Done<()> {
    let identifier = || Some(UniqueIdentifier::Text(object.identifier()));
    if object.state() == State::Active {
        view.do_as(Operation::Revoke)?;
        let revocation_reason = RevocationReason { code: RevocationReasonCode::CessationOfOperation, message: None };
        let request =
            revoke::Request { unique_identifier: identifier(), revocation_reason, compromise_occurrence_date: None };
        revoke::Revoke::run(view, request)?;
    }
    view.do_as(Operation::Destroy)?;
    destroy::Destroy::run(view, activate::Request { unique_identifier: identifier() })?;
    Ok(())
}

/// Destroys what ends with sessions, as far as the requester may.
///
/// # Errors
/// What fails for other reasons than the state of the objects.
pub fn end(view: &mut View, made: &[u64]) -> Done<()> {
    if made.is_empty() || !view.may_ask(Operation::Destroy) || !view.may_ask(Operation::Revoke) {
        return Ok(());
    }
    for handle in made {
        let ended = objects::open(view, *handle, Operation::Destroy, Use::ReadAttributes)
            .and_then(|(object, _)| destroyed(view, &object));
        match ended {
            Ok(()) | Err(Trouble::Code(..)) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Destroys session objects whose instances are gone: the server was restarted, or nobody called for too long.
///
/// # Errors
/// What fails for other reasons than the state of the objects.
pub fn clear_away(view: &mut View) -> Done<()> {
    if !view.may_ask(Operation::Locate) {
        return Ok(());
    }
    let instance = classes::instance_reference();
    let filter = Filter::new(vec![classes::session_mark()])?;
    let mut left = Vec::new();
    for identifier in view.locate(&filter, 0, MOST_LEFT, false)?.identifiers {
        let Ok(object) = view.open(Some(&UniqueIdentifier::Text(identifier)), Use::ReadAttributes) else { continue };
        let made_by = classes::bytes_of(&object, &instance);
        let made_by = made_by.and_then(|name| <[u8; 16]>::try_from(&**name).ok());
        if made_by.is_none_or(|name| !view.shared().instances.has(&name, view.now())) {
            left.push(object.sequence);
        }
    }
    end(view, &left)
}

/// C_SetAttributeValue.
pub fn set_attribute_value(call: &mut Call<'_>) -> Done {
    let (session, handle, template) = call.read(|input| Ok((input.ulong()?, input.ulong()?, input.template()?)))?;
    let template = Template::new(template)?;
    call.instance.session(session)?;
    let (object, class) = objects::open(call.view, handle, Operation::ModifyAttribute, Use::ChangeAttributes)?;
    writable(call, session, classes::bytes_of(&object, &classes::session_reference()).is_none())?;
    let mut mask = object.usage_mask();
    let mut changed = Vec::new();
    for (kind, value) in template.iter() {
        match (*kind, value) {
            (ck::CKA_LABEL, Value::Bytes(_)) => relabel(call.view, &object, template.label()?)?,
            (ck::CKA_ID, Value::Bytes(id)) if class != Class::Data => {
                replace(call.view, &object, &classes::id_reference(), classes::id(id))?;
            }
            (ck::CKA_SENSITIVE, Value::Bool(value)) if class.is_secret() => {
                changed.push(Attribute::new(Tag::Sensitive, Kmip::Boolean(*value)));
            }
            (ck::CKA_EXTRACTABLE, Value::Bool(value)) if class.is_secret() => {
                changed.push(Attribute::new(Tag::Extractable, Kmip::Boolean(*value)));
            }
            (kind, Value::Bool(value)) => {
                let bit = class.usage(kind).filter(|_| class.is_key()).ok_or(Code::AttributeReadOnly)?;
                mask = if *value { mask | bit } else { mask & !bit };
            }
            _ => return Err(Code::AttributeReadOnly.into()),
        }
    }
    if mask != object.usage_mask() {
        changed.push(Attribute::new(Tag::CryptographicUsageMask, Kmip::Integer(mask.bits().cast_signed())));
    }
    for new in changed {
        // What would only weaken a key is no change that an application may make.
        let weakens = matches!(
            (new.tag, &new.value),
            (Tag::Sensitive, Kmip::Boolean(false)) | (Tag::Extractable, Kmip::Boolean(true))
        );
        let is_so = object.attributes.get(new.tag) == Some(&new.value);
        if weakens && !is_so {
            return Err(Code::AttributeReadOnly.into());
        }
        if !is_so {
            call.view.do_as(Operation::SetAttribute)?;
            let request = attribute::NewRequest { unique_identifier: named(&object), new_attribute: NewAttribute(new) };
            attribute::SetAttribute::run(call.view, request)?;
        }
    }
    Ok(Vec::new())
}

fn named(object: &Permitted) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::Text(object.identifier()))
}

/// Gives an object another label, or none.
fn relabel(view: &mut View, object: &Permitted, label: Option<&str>) -> Done<()> {
    let before = classes::label_of(object).map(|(attribute, text)| (attribute.clone(), text.clone()));
    if before.as_ref().map(|(_, text)| &**text) == label {
        return Ok(());
    }
    if let Some((old, _)) = before {
        delete(view, object, old)?;
    }
    match label {
        Some(label) => {
            let new = classes::label(view, label)?;
            add(view, object, new)
        }
        None => Ok(()),
    }
}

fn replace(view: &mut View, object: &Permitted, reference: &AttributeReference, new: Attribute) -> Done<()> {
    let before: Vec<Attribute> = object.attributes.all(reference).cloned().collect();
    if before.iter().any(|old| old.value == new.value) {
        return Ok(());
    }
    before.into_iter().try_for_each(|old| delete(view, object, old))?;
    add(view, object, new)
}

fn delete(view: &mut View, object: &Permitted, old: Attribute) -> Done<()> {
    view.do_as(Operation::DeleteAttribute)?;
    let request = attribute::DeleteRequest {
        unique_identifier: named(object),
        current_attribute: CurrentAttribute(Some(Attribute { index: None, ..old })),
        attribute: Default::default(),
        attribute_index: None,
    };
    attribute::DeleteAttribute::run(view, request)?;
    Ok(())
}

fn add(view: &mut View, object: &Permitted, new: Attribute) -> Done<()> {
    view.do_as(Operation::AddAttribute)?;
    let request = attribute::NewRequest { unique_identifier: named(object), new_attribute: NewAttribute(new) };
    attribute::AddAttribute::run(view, request)?;
    Ok(())
}

/// Whether a session may make or change what stays.
///
/// # Errors
/// SESSION_HANDLE_INVALID, SESSION_READ_ONLY.
pub fn writable(call: &mut Call<'_>, session: u64, is_lasting: bool) -> Done<()> {
    if is_lasting && !call.instance.session(session)?.is_read_write {
        return Err(Code::SessionReadOnly.into());
    }
    call.instance.session(session).map(|_| ())
}

/// What ends with the session is noted there.
///
/// # Errors
/// SESSION_HANDLE_INVALID.
pub fn note(call: &mut Call<'_>, session: u64, template: &Template<'_>, handle: u64) -> Done<()> {
    if !template.is_lasting() {
        call.instance.session(session)?.made.push(handle);
    }
    Ok(())
}

/// The algorithm and the length of a key to be made.
///
/// # Errors
/// ATTRIBUTE_VALUE_INVALID for a length that no key has.
pub fn of_algorithm(algorithm: Algorithm, bits: u64) -> Done<Vec<Attribute>> {
    let bits = i32::try_from(bits).map_err(|_| Trouble::from(Code::AttributeValueInvalid))?;
    Ok(vec![
        Attribute::new(Tag::CryptographicAlgorithm, Kmip::Enumeration(algorithm.into())),
        Attribute::new(Tag::CryptographicLength, Kmip::Integer(bits)),
    ])
}

/// A Symmetric Key of bytes.
///
/// # Errors
/// ATTRIBUTE_VALUE_INVALID.
pub fn secret_key(algorithm: Algorithm, bytes: Secret) -> Done<Object> {
    let kind = keyblock::symmetric_kind(Some(algorithm), bytes.expose().len());
    let key = Canonical::Secret { kind, bytes };
    Ok(Object::SymmetricKey(keyblock::block(&key, Some(algorithm), KeyFormatType::Raw)?))
}

/// A Private Key of its PKCS #8.
///
/// # Errors
/// ATTRIBUTE_VALUE_INVALID; TEMPLATE_INCONSISTENT for one of another algorithm.
pub fn private_key(view: &View, template: &Template<'_>, pkcs8: Secret) -> Done<Object> {
    let kind = keyformat::identify_private(pkcs8.expose()).map_err(Failure::from)?;
    let algorithm = of_pair(template, kind)?;
    let format = keyblock::default_format(ObjectType::PrivateKey, kind, view.version());
    Ok(Object::PrivateKey(keyblock::block(&Canonical::Secret { kind, bytes: pkcs8 }, Some(algorithm), format)?))
}

/// The algorithm of a key of a pair: that of its kind, where that says it, else that of the type in the template.
fn of_pair(template: &Template<'_>, kind: KeyKind) -> Done<Algorithm> {
    let algorithm = template.algorithm()?;
    if classes::pair_type(kind) != template.ulong(ck::CKA_KEY_TYPE) {
        return Err(Code::TemplateInconsistent.into());
    }
    Ok(keyblock::algorithm_of(kind).unwrap_or(algorithm))
}

fn private_parts(template: &Template<'_>) -> Done<Secret> {
    let part = |kind| template.needed(kind).map(Secret::copy_of);
    let pkcs8 = match template.algorithm()? {
        Algorithm::RSA => keyformat::RsaPrivateParts {
            modulus: template.needed(ck::CKA_MODULUS)?.to_vec(),
            public_exponent: template.needed(ck::CKA_PUBLIC_EXPONENT)?.to_vec(),
            private_exponent: part(ck::CKA_PRIVATE_EXPONENT)?,
            p: part(ck::CKA_PRIME_1)?,
            q: part(ck::CKA_PRIME_2)?,
            dp: part(ck::CKA_EXPONENT_1)?,
            dq: part(ck::CKA_EXPONENT_2)?,
            qinv: part(ck::CKA_COEFFICIENT)?,
        }
        .to_pkcs8(),
        Algorithm::MLDSA44 => {
            let parts = PostQuantumPrivateParts {
                set: parameter_set(template)?,
                seed: template.bytes(ck::CKA_SEED).map(Secret::copy_of),
                expanded: template.bytes(ck::CKA_VALUE).map(Secret::copy_of),
            };
            if parts.seed.is_none() && parts.expanded.is_none() {
                return Err(Code::TemplateIncomplete.into());
            }
            parts.to_pkcs8()
        }
        _ if is_edwards(template) => EdwardsPrivate { curve: edwards(template)?, key: part(ck::CKA_VALUE)? }.to_pkcs8(),
        _ => keyformat::EcPrivateParts { curve: prime_curve(template)?, d: part(ck::CKA_VALUE)? }.to_pkcs8(),
    };
    Ok(pkcs8.map_err(Failure::from)?)
}

/// Whether the key is bytes on a curve of RFC 8032 or RFC 7748.
fn is_edwards(template: &Template<'_>) -> bool {
    matches!(template.ulong(ck::CKA_KEY_TYPE), Some(ck::CKK_EC_EDWARDS | ck::CKK_EC_MONTGOMERY))
}

/// What is in CKA_EC_POINT, in its OCTET STRING.
fn point<'a>(template: &Template<'a>) -> Done<&'a [u8]> {
    use der::Decode;
    let point = <&der::asn1::OctetStringRef>::from_der(template.needed(ck::CKA_EC_POINT)?);
    Ok(point.map_err(|_| Trouble::from(Code::AttributeValueInvalid))?.as_bytes())
}

fn public_key(view: &View, template: &Template<'_>) -> Done<Object> {
    let spki = match template.algorithm()? {
        Algorithm::RSA => keyformat::RsaPublicParts {
            modulus: template.needed(ck::CKA_MODULUS)?.to_vec(),
            exponent: template.needed(ck::CKA_PUBLIC_EXPONENT)?.to_vec(),
        }
        .to_spki(),
        Algorithm::MLDSA44 => keyformat::post_quantum_spki(parameter_set(template)?, template.needed(ck::CKA_VALUE)?),
        _ if is_edwards(template) => {
            EdwardsPublic { curve: edwards(template)?, key: point(template)?.to_vec() }.to_spki()
        }
        _ => keyformat::EcPublicParts { curve: prime_curve(template)?, point: point(template)?.to_vec() }.to_spki(),
    };
    let spki = spki.map_err(Failure::from)?;
    let kind = keyformat::identify_public(&spki).map_err(Failure::from)?;
    let algorithm = of_pair(template, kind)?;
    let format = keyblock::default_format(ObjectType::PublicKey, kind, view.version());
    Ok(Object::PublicKey(keyblock::block(&Canonical::Public { kind, spki }, Some(algorithm), format)?))
}
