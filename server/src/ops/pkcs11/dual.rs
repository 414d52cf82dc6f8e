//! Two operations at a time (PKCS #11 3.0 §5.16): what is encrypted is digested or signed before, what is decrypted is digested or
//! verified behind. Both go on, or neither.

use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::Call;
use super::codec::{Room, Writer};
use super::codes::{Done, Trouble};
use super::cryptography::{self, Stepped, Way, length};
use super::{digesting, signing};
use crate::ops::parts::Part;

/// What goes with a cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum With {
    /// A digest.
    Digest,
    /// A signature or MAC, or the verification of one.
    Signing(signing::Way),
}

/// C_DigestEncryptUpdate, C_DecryptDigestUpdate, C_SignEncryptUpdate and C_DecryptVerifyUpdate.
pub fn update(call: &mut Call<'_>, way: Way, with: With) -> Done {
    let (session, data, room) = call.read(|input| Ok((input.ulong()?, input.bytes()?, input.room()?)))?;
    // What the other operation was; it has not gone on where nothing leaves.
    let before = call.instance.session(session)?.clone();
    match step(call, session, (way, with), data, room) {
        Ok(Stepped::Out(out)) => Ok(Writer::default().bytes(&out).finish()),
        Ok(Stepped::Length(bytes)) => {
            *call.instance.session(session)? = before;
            Ok(length(bytes))
        }
        Err(Trouble::Code(Code::BufferTooSmall, output)) => {
            *call.instance.session(session)? = before;
            Err(Trouble::Code(Code::BufferTooSmall, output))
        }
        // What fails is over, and the other one is of no use alone.
        Err(trouble) => {
            let session = call.instance.session(session)?;
            match way {
                Way::Encrypt => session.encrypting = None,
                Way::Decrypt => session.decrypting = None,
            }
            Err(trouble)
        }
    }
}

fn step(call: &mut Call<'_>, session: u64, (way, with): (Way, With), data: &[u8], room: Room) -> Done<Stepped> {
    match (way, with) {
        (Way::Encrypt, With::Digest) => digesting::add(call, session, data)?,
        (Way::Encrypt, With::Signing(signs)) => signing::add(call, session, signs, data)?,
        (Way::Decrypt, With::Digest) => digesting::is_begun(call, session)?,
        (Way::Decrypt, With::Signing(signs)) => signing::is_begun(call, session, signs)?,
    }
    let stepped = cryptography::stepped(call, session, way, Part::Further, data, room)?;
    if let (Stepped::Out(out), Way::Decrypt) = (&stepped, way) {
        match with {
            With::Digest => digesting::add(call, session, out)?,
            With::Signing(signs) => signing::add(call, session, signs, out)?,
        }
    }
    Ok(stepped)
}
