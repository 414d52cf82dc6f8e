//! Signatures from which what was signed is recovered (PKCS #11 3.0 §5.12, §5.13): RSA with PKCS #1 v1.5, of data that the client has
//! made as it likes. Signing is that of [`super::signing`]; here is the other half.

use cryptoki_sys as ck;
use kmip_codec::spec::{Operation, Pkcs11ReturnCode as Code};

use super::Call;
use super::codec::Writer;
use super::codes::Done;
use super::cryptography::{fits, length, open_key};
use super::{attributes, mechanisms};
use crate::crypto::algorithm::{KeyKind, Signature};
use crate::crypto::{keyformat, public};
use crate::failure::Failure;
use crate::object::usage::Purpose;
use crate::ops::signature_verify;

/// C_VerifyRecoverInit.
pub fn init(call: &mut Call<'_>) -> Done {
    let (session, mechanism, key) = call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?)))?;
    if call.instance.session(session)?.recovering.is_some() {
        return Err(Code::OperationActive.into());
    }
    let row = mechanisms::usable(mechanism.id, ck::CKF_VERIFY_RECOVER, &call.view.shared().settings)?;
    row.prepare(&mechanism)?;
    let opened = open_key(call.view, key, Operation::SignatureVerify, Purpose::Verify)?;
    attributes::may_recover(&opened)?;
    let spki = signature_verify::public_key(call.view, &opened)?;
    match keyformat::identify_public(&spki).map_err(Failure::from)? {
        KeyKind::Rsa { .. } => {}
        _ => return Err(Code::KeyTypeInconsistent.into()),
    }
    call.instance.session(session)?.recovering = Some(key);
    Ok(Vec::new())
}

/// C_VerifyRecover.
pub fn recover(call: &mut Call<'_>) -> Done {
    let (session, signature, room) = call.read(|input| Ok((input.ulong()?, input.bytes()?, input.room()?)))?;
    let slot = &mut call.instance.session(session)?.recovering;
    let key = slot.take().ok_or(Code::OperationNotInitialized)?;
    let opened = open_key(call.view, key, Operation::SignatureVerify, Purpose::Verify)?;
    let spki = signature_verify::public_key(call.view, &opened)?;
    let kind = keyformat::identify_public(&spki).map_err(Failure::from)?;
    call.view.permit_verification(kind, Signature::RsaPkcs1Bare)?;
    let KeyKind::Rsa { bits } = kind else { return Err(Code::KeyTypeInconsistent.into()) };
    if signature.len() != bits.div_ceil(8) as usize {
        return Err(Code::SignatureLenRange.into());
    }
    let data = public::recover(&spki, signature).map_err(Failure::from)?.ok_or(Code::SignatureInvalid)?;
    match fits(room, data.len()) {
        Ok(true) => Ok(Writer::default().bytes(&data).finish()),
        Ok(false) => {
            call.instance.session(session)?.recovering = Some(key);
            Ok(length(data.len()))
        }
        Err(trouble) => {
            call.instance.session(session)?.recovering = Some(key);
            Err(trouble)
        }
    }
}
