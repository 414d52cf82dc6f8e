//! Sessions, and who is logged in (PKCS #11 3.0 §5.6).

use cryptoki_sys as ck;
use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::codec::Writer;
use super::codes::Done;
use super::general::{self, SLOT};
use super::{Call, making};

/// C_OpenSession: slot and flags; neither the application's pointer nor its callback is passed on.
pub fn open_session(call: &mut Call<'_>) -> Done {
    let (slot, flags) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    if slot != SLOT {
        return Err(Code::SlotIdInvalid.into());
    }
    if flags & ck::CKF_SERIAL_SESSION == 0 {
        return Err(Code::SessionParallelNotSupported.into());
    }
    if flags & !(ck::CKF_SERIAL_SESSION | ck::CKF_RW_SESSION) != 0 {
        return Err(Code::ArgumentsBad.into());
    }
    let handle = call.instance.open(flags & ck::CKF_RW_SESSION != 0)?;
    Ok(Writer::default().ulong(handle).finish())
}

/// C_CloseSession.
pub fn close_session(call: &mut Call<'_>) -> Done {
    let handle = call.read(|input| input.ulong())?;
    call.instance.session(handle)?;
    let ended = call.instance.sessions.remove(&handle);
    making::end(call.view, &ended.map(|session| session.made).unwrap_or_default())?;
    // Whoever has no session left is logged out.
    call.instance.is_logged_in &= !call.instance.sessions.is_empty();
    Ok(Vec::new())
}

/// C_CloseAllSessions.
pub fn close_all_sessions(call: &mut Call<'_>) -> Done {
    general::slot(call)?;
    end_all(call)?;
    Ok(Vec::new())
}

/// Ends every session.
///
/// # Errors
/// What fails for other reasons than the state of the objects that end with them.
pub fn end_all(call: &mut Call<'_>) -> Done<()> {
    call.instance.is_logged_in = false;
    let ended = std::mem::take(&mut call.instance.sessions);
    let made: Vec<u64> = ended.into_values().flat_map(|session| session.made).collect();
    making::end(call.view, &made)
}

/// C_GetSessionInfo: CK_SESSION_INFO.
pub fn get_session_info(call: &mut Call<'_>) -> Done {
    let handle = call.read(|input| input.ulong())?;
    let is_logged_in = call.instance.is_logged_in;
    let session = call.instance.session(handle)?;
    let (state, writes) = match (session.is_read_write, is_logged_in) {
        (false, false) => (ck::CKS_RO_PUBLIC_SESSION, 0),
        (false, true) => (ck::CKS_RO_USER_FUNCTIONS, 0),
        (true, false) => (ck::CKS_RW_PUBLIC_SESSION, ck::CKF_RW_SESSION),
        (true, true) => (ck::CKS_RW_USER_FUNCTIONS, ck::CKF_RW_SESSION),
    };
    let out = Writer::default().ulong(SLOT).ulong(state).ulong(ck::CKF_SERIAL_SESSION | writes);
    Ok(out.ulong(0).finish())
}

/// C_SessionCancel: what the flags name ends. Whatever else they are, there is nothing of it to be ended.
pub fn cancel(call: &mut Call<'_>) -> Done {
    let (handle, flags) = call.read(|input| Ok((input.ulong()?, input.ulong()?)))?;
    call.instance.session(handle)?.cancel(flags);
    Ok(Vec::new())
}

/// C_GetOperationState: what is under way is the server's to keep. Its state would be intermediate values of keys, and one that
/// was given out could be begun again from, as often as one likes, whatever was counted or forbidden meanwhile.
pub fn get_operation_state(call: &mut Call<'_>) -> Done {
    let (handle, _room) = call.read(|input| Ok((input.ulong()?, input.room()?)))?;
    match call.instance.session(handle)?.is_at_work() {
        true => Err(Code::StateUnsaveable.into()),
        false => Err(Code::OperationNotInitialized.into()),
    }
}

/// C_SetOperationState: no state was ever given out.
pub fn set_operation_state(call: &mut Call<'_>) -> Done {
    let (handle, ..) = call.read(|input| Ok((input.ulong()?, input.bytes()?, input.ulong()?, input.ulong()?)))?;
    call.instance.session(handle)?;
    Err(Code::SavedStateInvalid.into())
}

/// C_Login: the user without a PIN, since the certificate has shown who it is. There is no security officer.
pub fn login(call: &mut Call<'_>) -> Done {
    let (handle, user, pin) = call.read(|input| Ok((input.ulong()?, input.ulong()?, input.bytes()?.len())))?;
    logged_in(call, handle, user, pin == 0)
}

/// C_LoginUser: the same. Who the user is the certificate says, and a name is none of the token's.
pub fn login_user(call: &mut Call<'_>) -> Done {
    let (handle, user, is_bare) = call.read(|input| {
        let (handle, user) = (input.ulong()?, input.ulong()?);
        Ok((handle, user, input.bytes()?.is_empty() & input.bytes()?.is_empty()))
    })?;
    logged_in(call, handle, user, is_bare)
}

fn logged_in(call: &mut Call<'_>, handle: u64, user: u64, is_bare: bool) -> Done {
    call.instance.session(handle)?;
    match user {
        ck::CKU_USER => {}
        // No operation of ours asks for a login of its own.
        ck::CKU_CONTEXT_SPECIFIC => return Err(Code::OperationNotInitialized.into()),
        _ => return Err(Code::UserTypeInvalid.into()),
    }
    if call.instance.is_logged_in {
        return Err(Code::UserAlreadyLoggedIn.into());
    }
    if !is_bare {
        return Err(Code::PinIncorrect.into());
    }
    call.instance.is_logged_in = true;
    Ok(Vec::new())
}

/// C_Logout.
pub fn logout(call: &mut Call<'_>) -> Done {
    let handle = call.read(|input| input.ulong())?;
    call.instance.session(handle)?;
    if !std::mem::take(&mut call.instance.is_logged_in) {
        return Err(Code::UserNotLoggedIn.into());
    }
    Ok(Vec::new())
}
