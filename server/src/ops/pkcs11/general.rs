//! What the library, its slot and its token are, and what the token can do (PKCS #11 3.0 §5.4, §5.5).

use cryptoki_sys as ck;
use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::Call;
use super::codec::{Room, Writer};
use super::codes::{Done, Trouble};
use super::instance::MOST_SESSIONS;

/// The one slot, and the token in it.
pub const SLOT: u64 = 1;

/// The name of the standard's interface (PKCS #11 3.0 §5.4).
pub const INTERFACE: &str = "PKCS 11";

const KMIP: &str = "KMIP";

/// C_GetInfo: CK_INFO.
pub fn get_info(call: &mut Call<'_>) -> Done {
    call.read(|_| Ok(()))?;
    let token = &call.view.shared().settings.client_token;
    let out = Writer::default().raw(&token.cryptoki_version).padded(&token.manufacturer, 32).ulong(0);
    Ok(out.padded(&token.library, 32).raw(&token.library_version).finish())
}

/// C_GetInterfaceList: the name and the flags of each. Pointers to functions are the caller's own.
pub fn get_interface_list(call: &mut Call<'_>) -> Done {
    let room = call.read(|input| input.room())?;
    list(room, 1, |out| out.raw(INTERFACE.as_bytes()).raw(&[0]).ulong(0))
}

/// C_GetSlotList.
pub fn get_slot_list(call: &mut Call<'_>) -> Done {
    let (_is_present, room) = call.read(|input| Ok((input.flag()?, input.room()?)))?;
    list(room, 1, |out| out.ulong(SLOT))
}

/// C_GetSlotInfo: CK_SLOT_INFO.
pub fn get_slot_info(call: &mut Call<'_>) -> Done {
    slot(call)?;
    let token = &call.view.shared().settings.client_token;
    let out = Writer::default().padded(&token.label, 64).padded(&token.manufacturer, 32);
    let version = token.library_version;
    Ok(out.ulong(ck::CKF_TOKEN_PRESENT).raw(&version).raw(&version).finish())
}

/// C_GetTokenInfo: CK_TOKEN_INFO.
pub fn get_token_info(call: &mut Call<'_>) -> Done {
    slot(call)?;
    let open = call.instance.sessions.len() as u64;
    let writing = call.instance.sessions.values().filter(|session| session.is_read_write).count() as u64;
    let token = &call.view.shared().settings.client_token;
    let out = Writer::default().padded(&token.label, 32).padded(&token.manufacturer, 32);
    let out = out.padded(KMIP, 16).padded(&token.serial_number, 16);
    // Who asks has shown that with a certificate: a login has no PIN, and nothing waits for it.
    let flags = ck::CKF_RNG
        | ck::CKF_DUAL_CRYPTO_OPERATIONS
        | ck::CKF_TOKEN_INITIALIZED
        | ck::CKF_USER_PIN_INITIALIZED
        | ck::CKF_PROTECTED_AUTHENTICATION_PATH;
    let most = MOST_SESSIONS as u64;
    let out = [flags, most, open, most, writing, 0, 0].into_iter().fold(out, Writer::ulong);
    let out = [ck::CK_UNAVAILABLE_INFORMATION; 4].into_iter().fold(out, Writer::ulong);
    let version = token.library_version;
    Ok(out.raw(&version).raw(&version).padded("", 16).finish())
}

/// Reads the slot, which must be ours.
pub fn slot(call: &mut Call<'_>) -> Done<()> {
    match call.read(|input| input.ulong())? {
        SLOT => Ok(()),
        _ => Err(Code::SlotIdInvalid.into()),
    }
}

/// A list as C_GetSlotList answers it (KMIP Profiles 2.1 §5.18.2.1): whether the elements are there, how many they are, and
/// the elements.
pub fn list(room: Room, count: usize, elements: impl FnOnce(Writer) -> Writer) -> Done {
    let length = |there| Writer::default().flag(there).count(count);
    match room {
        Room::LengthOnly => Ok(length(false).finish()),
        Room::Of(most) if most < count => Err(Trouble::Code(Code::BufferTooSmall, length(false).finish())),
        Room::Of(_) => Ok(elements(length(true)).finish()),
    }
}
