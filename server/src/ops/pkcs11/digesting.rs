//! Digests (PKCS #11 3.0 §5.11): by what Hash is made of.

use cryptoki_sys as ck;
use kmip_codec::spec::{Operation, Pkcs11ReturnCode as Code};

use super::Call;
use super::attributes::{self, Own, Read};
use super::classes::Class;
use super::codec::Writer;
use super::codes::Done;
use super::cryptography::{fits, length};
use super::{mechanisms, objects};
use crate::crypto::public::Hasher;
use crate::ops::parameters;
use crate::trust::policy::Use;

/// A digest that was initialised.
#[derive(Clone)]
pub struct Digest {
    hasher: Hasher,
    length: usize,
    has_begun: bool,
}

/// C_DigestInit.
pub fn init(call: &mut Call<'_>) -> Done {
    let (session, mechanism) = call.read(|input| Ok((input.ulong()?, input.mechanism()?)))?;
    if call.instance.session(session)?.digesting.is_some() {
        return Err(Code::OperationActive.into());
    }
    let row = mechanisms::usable(mechanism.id, ck::CKF_DIGEST, &call.view.shared().settings)?;
    let prepared = row.prepare(&mechanism)?;
    call.view.do_as(Operation::Hash)?;
    let hash = parameters::hash(&prepared.parameters)?;
    call.view.permit_hash(hash)?;
    let digest = Digest { hasher: Hasher::new(hash), length: hash.len(), has_begun: false };
    call.instance.session(session)?.digesting = Some(digest);
    Ok(Vec::new())
}

/// Refuses a session that has no digest under way.
///
/// # Errors
/// OPERATION_NOT_INITIALIZED.
pub fn is_begun(call: &mut Call<'_>, session: u64) -> Done<()> {
    call.instance.session(session)?.digesting.as_ref().map(drop).ok_or_else(|| Code::OperationNotInitialized.into())
}

/// Digests data.
///
/// # Errors
/// OPERATION_NOT_INITIALIZED.
pub fn add(call: &mut Call<'_>, session: u64, data: &[u8]) -> Done<()> {
    let slot = &mut call.instance.session(session)?.digesting;
    let digest = slot.as_mut().ok_or(Code::OperationNotInitialized)?;
    digest.hasher.update(data);
    digest.has_begun = true;
    Ok(())
}

/// C_DigestUpdate.
pub fn update(call: &mut Call<'_>) -> Done {
    let (session, data) = call.read(|input| Ok((input.ulong()?, input.bytes()?)))?;
    add(call, session, data)?;
    Ok(Vec::new())
}

/// C_DigestKey: the value of a secret key, if Get gives it. The digest of one that must not leave would give it away by and by,
/// and that of a key is a key itself (CKM_SHA256_KEY_DERIVATION).
///
/// # Errors
/// KEY_INDIGESTIBLE.
pub fn key(call: &mut Call<'_>) -> Done {
    let (session, key) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    is_begun(call, session)?;
    let (object, class) = objects::open(call.view, key, Operation::GetAttributes, Use::ReadAttributes)
        .map_err(|trouble| trouble.instead(Code::ObjectHandleInvalid, Code::KeyHandleInvalid))?;
    if class != Class::Secret {
        return Err(Code::KeyIndigestible.into());
    }
    match attributes::read(call.view, &object, class, ck::CKA_VALUE)? {
        Read::Value(Own::Bytes(value)) => {
            call.view.do_as(Operation::Hash)?;
            add(call, session, &value)?;
            Ok(Vec::new())
        }
        _ => Err(Code::KeyIndigestible.into()),
    }
}

/// C_Digest and C_DigestFinal.
pub fn last(call: &mut Call<'_>, is_whole: bool) -> Done {
    let (session, data, room) = call.read(|input| {
        let session = input.ulong()?;
        let data = if is_whole { input.bytes()? } else { &[] };
        Ok((session, data, input.room()?))
    })?;
    let slot = &mut call.instance.session(session)?.digesting;
    let digest = slot.as_ref().ok_or(Code::OperationNotInitialized)?;
    if is_whole && digest.has_begun {
        return Err(Code::OperationActive.into());
    }
    if !fits(room, digest.length)? {
        return Ok(length(digest.length));
    }
    let Some(mut digest) = slot.take() else { return Err(Code::OperationNotInitialized.into()) };
    digest.hasher.update(data);
    Ok(Writer::default().bytes(&digest.hasher.finish()).finish())
}
