//! Signatures of messages (PKCS #11 3.0 §5.14, §5.15): one key for many of them. Each is what C_Sign and C_Verify make of it; the
//! parameter of the mechanism holds for all, and a message has none of its own.

use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::Call;
use super::codec::{Room, Writer};
use super::codes::Done;
use super::cryptography::{fits, length};
use super::instance::OPERATION;
use super::mechanisms::wrong;
use super::signing::{self, Signing, Way};

/// Messages that are signed or verified under one key.
#[derive(Clone)]
pub struct Signed {
    /// What every message begins with.
    fresh: Signing,
    under_way: Option<Signing>,
}

impl Signed {
    /// How much memory they take, in bytes.
    pub fn weight(&self) -> usize {
        let both = [Some(&self.fresh), self.under_way.as_ref()].into_iter().flatten().map(Signing::weight);
        both.fold(OPERATION, usize::saturating_add)
    }
}

fn slot<'a>(call: &'a mut Call<'_>, session: u64, way: Way) -> Done<&'a mut Option<Signed>> {
    let session = call.instance.session(session)?;
    Ok(match way {
        Way::Verify => &mut session.verifying_messages,
        _ => &mut session.signing_messages,
    })
}

/// C_MessageSignInit and C_MessageVerifyInit.
pub fn init(call: &mut Call<'_>, way: Way) -> Done {
    let (session, mechanism, key) = call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?)))?;
    if slot(call, session, way)?.is_some() {
        return Err(Code::OperationActive.into());
    }
    let fresh = signing::begun(call, &mechanism, key, way, way.of_messages())?;
    *slot(call, session, way)? = Some(Signed { fresh, under_way: None });
    Ok(Vec::new())
}

/// C_MessageSignFinal and C_MessageVerifyFinal.
pub fn end(call: &mut Call<'_>, way: Way) -> Done {
    let session = call.read(|input| input.ulong())?;
    match slot(call, session, way)?.take() {
        Some(_) => Ok(Vec::new()),
        None => Err(Code::OperationNotInitialized.into()),
    }
}

/// What a message begins with, while none is under way.
fn fresh(call: &mut Call<'_>, session: u64, way: Way, parameter: &[u8]) -> Done<Signing> {
    let signed = slot(call, session, way)?.as_ref().ok_or(Code::OperationNotInitialized)?;
    if signed.under_way.is_some() {
        return Err(Code::OperationActive.into());
    }
    if parameter.is_empty() { Ok(signed.fresh.clone()) } else { Err(wrong()) }
}

/// C_SignMessage.
pub fn sign(call: &mut Call<'_>) -> Done {
    let (session, parameter, data, room) =
        call.read(|input| Ok((input.ulong()?, input.bytes()?, input.bytes()?, input.room()?)))?;
    let signing = fresh(call, session, Way::Sign, parameter)?;
    if !fits(room, signing.signature_len())? {
        return Ok(length(signing.signature_len()));
    }
    let signature = signing.sign(call.view, data, true)?;
    Ok(Writer::default().bytes(&signature).finish())
}

/// C_VerifyMessage.
pub fn verify(call: &mut Call<'_>) -> Done {
    let (session, parameter, data, signature) =
        call.read(|input| Ok((input.ulong()?, input.bytes()?, input.bytes()?, input.bytes()?)))?;
    let signing = fresh(call, session, Way::Verify, parameter)?;
    signing.verify(call.view, data, signature, true)
}

/// C_SignMessageBegin and C_VerifyMessageBegin.
pub fn begin(call: &mut Call<'_>, way: Way) -> Done {
    let (session, parameter) = call.read(|input| Ok((input.ulong()?, input.bytes()?)))?;
    let signing = fresh(call, session, way, parameter)?;
    if let Some(signed) = slot(call, session, way)? {
        signed.under_way = Some(signing);
    }
    Ok(Vec::new())
}

fn taken(call: &mut Call<'_>, session: u64, way: Way, parameter: &[u8]) -> Done<Signing> {
    let signed = slot(call, session, way)?.as_mut().ok_or(Code::OperationNotInitialized)?;
    if !parameter.is_empty() {
        return Err(wrong());
    }
    signed.under_way.take().ok_or_else(|| Code::OperationNotInitialized.into())
}

fn put_back(call: &mut Call<'_>, session: u64, way: Way, signing: Signing) -> Done<()> {
    if let Some(signed) = slot(call, session, way)? {
        signed.under_way = Some(signing);
    }
    Ok(())
}

/// C_SignMessageNext. A byte says whether the message ends and its signature is wanted; then there is room for it.
pub fn sign_next(call: &mut Call<'_>) -> Done {
    let (session, parameter, data, room) = call.read(|input| {
        let (session, parameter, data) = (input.ulong()?, input.bytes()?, input.bytes()?);
        let room = if input.flag()? { Some(input.room()?) } else { None };
        Ok((session, parameter, data, room))
    })?;
    let mut signing = taken(call, session, Way::Sign, parameter)?;
    let Some(room) = room else {
        signing.add(call.view, Way::Sign, data)?;
        put_back(call, session, Way::Sign, signing)?;
        return Ok(Vec::new());
    };
    let bytes = signing.signature_len();
    let fitting = fits(room, bytes);
    if !matches!((&fitting, room), (Ok(true), Room::Of(_))) {
        put_back(call, session, Way::Sign, signing)?;
        return fitting.map(|_| length(bytes));
    }
    signing.add(call.view, Way::Sign, data)?;
    let signature = signing.sign(call.view, &[], false)?;
    Ok(Writer::default().bytes(&signature).finish())
}

/// C_VerifyMessageNext. A byte says whether the message ends; then its signature stands behind it.
pub fn verify_next(call: &mut Call<'_>) -> Done {
    let (session, parameter, data, signature) = call.read(|input| {
        let (session, parameter, data) = (input.ulong()?, input.bytes()?, input.bytes()?);
        let signature = if input.flag()? { Some(input.bytes()?) } else { None };
        Ok((session, parameter, data, signature))
    })?;
    let mut signing = taken(call, session, Way::Verify, parameter)?;
    signing.add(call.view, Way::Verify, data)?;
    match signature {
        Some(signature) => signing.verify(call.view, &[], signature, false),
        None => {
            put_back(call, session, Way::Verify, signing)?;
            Ok(Vec::new())
        }
    }
}
