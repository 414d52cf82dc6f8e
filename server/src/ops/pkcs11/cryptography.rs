//! Encryption and decryption (PKCS #11 3.0 §5.8, §5.10): by what Encrypt and Decrypt are made of.
//!
//! A function that answers bytes tries its work first. If the caller asks for the length alone, or has no room for what
//! comes of it, the state stays as it was and nothing leaves; else the new state takes its place.

use std::mem;

use cryptoki_sys as ck;
use kmip_codec::spec::{Operation, Pkcs11ReturnCode as Code};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters as Parameters, UniqueIdentifier};
use zeroize::Zeroizing;

use super::Call;
use super::codec::{Room, Writer};
use super::codes::{Done, Trouble};
use super::instance::OPERATION;
use super::mechanisms::{self, Kind, Prepared};
use crate::crypto::stream::Ciphering;
use crate::object::usage::Purpose;
use crate::ops::data::Data;
use crate::ops::enciphering::{Accompanying, Enciphering};
use crate::ops::parts::{self, Part};
use crate::ops::{Handler, decrypt, encrypt, parameters};
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// Which way a cipher works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// C_Encrypt….
    Encrypt,
    /// C_Decrypt….
    Decrypt,
}

/// An encryption or decryption that was initialised.
#[derive(Clone)]
pub struct Cipher {
    /// The key, by its handle.
    key: u64,
    work: Work,
    /// Whether a part of several was worked on.
    has_begun: bool,
}

#[derive(Clone)]
enum Work {
    Blocks(Box<Blocks>),
    /// RSA, in one part.
    Rsa(Box<Parameters>),
}

#[derive(Clone)]
struct Blocks {
    stream: Ciphering,
    /// The length of the tag behind the ciphertext.
    tag: usize,
    /// The end of the ciphertext, which may be the tag.
    tail: Zeroizing<Vec<u8>>,
    /// How much data is still to come, in bytes, where that was said beforehand.
    left: Option<u64>,
}

impl Way {
    const fn flag(self) -> u64 {
        match self {
            Self::Encrypt => ck::CKF_ENCRYPT,
            Self::Decrypt => ck::CKF_DECRYPT,
        }
    }

    /// What for the key is used.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::Encrypt => Purpose::Encrypt,
            Self::Decrypt => Purpose::Decrypt,
        }
    }

    /// What it is among the operations.
    pub const fn deed(self) -> Operation {
        match self {
            Self::Encrypt => Operation::Encrypt,
            Self::Decrypt => Operation::Decrypt,
        }
    }

    /// What is wrong with data that does not fit.
    pub fn unfit(self, trouble: Trouble, is_authenticated: bool) -> Trouble {
        let (invalid, length) = match self {
            Self::Encrypt => (Code::DataLenRange, Code::DataLenRange),
            Self::Decrypt if is_authenticated => (Code::AeadDecryptFailed, Code::EncryptedDataLenRange),
            Self::Decrypt => (Code::EncryptedDataInvalid, Code::EncryptedDataLenRange),
        };
        trouble.instead(Code::FunctionFailed, invalid).instead(Code::MechanismParamInvalid, length)
    }
}

/// Opens a key by its handle for a use that another operation has, too.
///
/// # Errors
/// KEY_HANDLE_INVALID; what the use is refused for.
pub fn open_key(view: &mut View, handle: u64, deed: Operation, purpose: Purpose) -> Done<Permitted> {
    view.do_as(deed)?;
    view.open_numbered(handle, Use::Cryptography(purpose))
        .map_err(|failure| Trouble::from(failure).instead(Code::ObjectHandleInvalid, Code::KeyHandleInvalid))
}

/// The name under which operations know a key.
pub fn named(key: &Permitted) -> Option<UniqueIdentifier> {
    let identifier: Text = key.identifier();
    Some(UniqueIdentifier::Text(identifier))
}

/// Answers bytes, if they are asked for and there is room for them; with what there is to be said of them else.
///
/// # Errors
/// BUFFER_TOO_SMALL with the length.
pub fn fits(room: Room, length: usize) -> Result<bool, Trouble> {
    match room {
        Room::LengthOnly => Ok(false),
        Room::Of(most) if most < length => {
            Err(Trouble::Code(Code::BufferTooSmall, Writer::default().count(length).finish()))
        }
        Room::Of(_) => Ok(true),
    }
}

/// The length of what would be answered.
pub fn length(bytes: usize) -> Vec<u8> {
    Writer::default().count(bytes).finish()
}

fn slot<'a>(call: &'a mut Call<'_>, session: u64, way: Way) -> Done<&'a mut Option<Cipher>> {
    let session = call.instance.session(session)?;
    Ok(match way {
        Way::Encrypt => &mut session.encrypting,
        Way::Decrypt => &mut session.decrypting,
    })
}

/// C_EncryptInit and C_DecryptInit.
pub fn init(call: &mut Call<'_>, way: Way) -> Done {
    let (session, mechanism, key) = call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?)))?;
    if slot(call, session, way)?.is_some() {
        return Err(Code::OperationActive.into());
    }
    let row = mechanisms::usable(mechanism.id, way.flag(), &call.view.shared().settings)?;
    let Prepared { parameters, iv, aad, tag, length } = row.prepare(&mechanism)?;
    let opened = open_key(call.view, key, way.deed(), way.purpose())?;
    row.suits(&opened)?;
    let work = match row.kind {
        Kind::RsaPkcs | Kind::RsaOaep => {
            parameters::rsa_cipher(&parameters)?;
            Work::Rsa(Box::new(parameters))
        }
        _ => {
            let inconsistent =
                |failure| Trouble::from(failure).instead(Code::MechanismParamInvalid, Code::KeyTypeInconsistent);
            let how = Enciphering::read(call.view, &parameters, &opened).map_err(inconsistent)?;
            if way == Way::Encrypt {
                how.may_choose(call.view, &opened)?;
            }
            let with = Accompanying { iv: iv.as_ref(), aad: aad.as_ref(), tag: None };
            let most = call.view.shared().parts.limits().bytes;
            let stream = Ciphering::begin(&how.encrypting(with)?, way == Way::Encrypt, most);
            Work::Blocks(Box::new(Blocks { stream, tag, tail: Zeroizing::default(), left: length }))
        }
    };
    *slot(call, session, way)? = Some(Cipher { key, work, has_begun: false });
    Ok(Vec::new())
}

/// C_Encrypt and C_Decrypt: all in one part.
pub fn whole(call: &mut Call<'_>, way: Way) -> Done {
    let (session, data, room) = call.read(|input| Ok((input.ulong()?, input.bytes()?, input.room()?)))?;
    step(call, session, way, Part::Whole, data, room)
}

/// C_EncryptUpdate and C_DecryptUpdate.
pub fn update(call: &mut Call<'_>, way: Way) -> Done {
    let (session, data, room) = call.read(|input| Ok((input.ulong()?, input.bytes()?, input.room()?)))?;
    step(call, session, way, Part::Further, data, room)
}

/// C_EncryptFinal and C_DecryptFinal.
pub fn last(call: &mut Call<'_>, way: Way) -> Done {
    let (session, room) = call.read(|input| Ok((input.ulong()?, input.room()?)))?;
    step(call, session, way, Part::Last, &[], room)
}

fn step(call: &mut Call<'_>, session: u64, way: Way, part: Part, data: &[u8], room: Room) -> Done {
    Ok(match stepped(call, session, way, part, data, room)? {
        Stepped::Out(out) => Writer::default().bytes(&out).finish(),
        Stepped::Length(bytes) => length(bytes),
    })
}

/// What came of a step.
pub enum Stepped {
    /// What leaves.
    Out(Zeroizing<Vec<u8>>),
    /// Nothing has happened: the length of what would leave was asked for.
    Length(usize),
}

/// A step of an encryption or decryption.
///
/// # Errors
/// BUFFER_TOO_SMALL, and nothing has happened; what the work comes to, and it is over.
pub fn stepped(call: &mut Call<'_>, session: u64, way: Way, part: Part, data: &[u8], room: Room) -> Done<Stepped> {
    let Some(before) = slot(call, session, way)?.clone() else {
        return Err(Code::OperationNotInitialized.into());
    };
    // A whole does not end what was begun in parts.
    if part == Part::Whole && before.has_begun {
        return Err(Code::OperationActive.into());
    }
    // What fails is over, unless there was no room for it alone.
    *slot(call, session, way)? = None;
    let mut after = before.clone();
    let out = after.step(call.view, way, part, data)?;
    match fits(room, out.len()) {
        Ok(true) => {}
        Ok(false) => {
            *slot(call, session, way)? = Some(before);
            // Nothing of it has happened, its usage least of all.
            call.view.retract();
            return Ok(Stepped::Length(out.len()));
        }
        Err(trouble) => {
            *slot(call, session, way)? = Some(before);
            return Err(trouble);
        }
    }
    if !part.is_last() {
        after.has_begun = true;
        *slot(call, session, way)? = Some(after);
        // All operations of an instance together hold back as much as one of another operation in parts.
        let waiting: usize = call.instance.sessions.values().map(super::instance::Session::waiting).sum();
        if waiting > call.view.shared().parts.limits().bytes {
            *slot(call, session, way)? = None;
            return Err(Code::DeviceMemory.into());
        }
    }
    Ok(Stepped::Out(out))
}

impl Cipher {
    /// How many bytes wait for the last part.
    pub fn waiting(&self) -> usize {
        match &self.work {
            Work::Blocks(blocks) => blocks.stream.waiting().saturating_add(blocks.tail.len()),
            Work::Rsa(_) => 0,
        }
    }

    /// How much memory it takes, in bytes.
    pub fn weight(&self) -> usize {
        match &self.work {
            Work::Blocks(blocks) => {
                OPERATION.saturating_add(blocks.stream.weight()).saturating_add(blocks.tail.capacity())
            }
            Work::Rsa(given) => OPERATION.saturating_add(given.p_source.as_ref().map_or(0, |label| label.len())),
        }
    }

    fn step(&mut self, view: &mut View, way: Way, part: Part, data: &[u8]) -> Done<Zeroizing<Vec<u8>>> {
        let key = open_key(view, self.key, way.deed(), way.purpose())?;
        match &mut self.work {
            Work::Blocks(blocks) => {
                let part = if part == Part::Further && !self.has_begun { Part::First } else { part };
                let is_authenticated = blocks.tag > 0;
                if way == Way::Encrypt {
                    parts::take_usage(view, &key, part, data.len())?;
                }
                blocks
                    .step(view, &key, way, data, part.is_last())
                    .map_err(|trouble| way.unfit(trouble, is_authenticated))
            }
            Work::Rsa(_) if part != Part::Whole => Err(Code::FunctionNotSupported.into()),
            Work::Rsa(given) => rsa(view, &key, way, given, data).map_err(|trouble| way.unfit(trouble, false)),
        }
    }
}

impl Blocks {
    fn step(
        &mut self,
        view: &mut View,
        key: &Permitted,
        way: Way,
        data: &[u8],
        last: bool,
    ) -> Done<Zeroizing<Vec<u8>>> {
        let mut input = Zeroizing::new(Vec::new());
        let mut work = data;
        if way == Way::Decrypt && self.tag > 0 {
            // What stands last of all is the tag, and only the last part tells which that is.
            let mut all = mem::take(&mut self.tail);
            all.reserve_exact(data.len());
            all.extend_from_slice(data);
            let Some((text, tail)) = all.split_at_checked(all.len().saturating_sub(self.tag)) else {
                return Err(Code::FunctionFailed.into());
            };
            self.tail = Zeroizing::new(tail.to_vec());
            input = Zeroizing::new(text.to_vec());
            if last {
                // Too short for a tag is as wrong as a tag.
                if self.tail.len() != self.tag {
                    return Err(Code::FunctionFailed.into());
                }
                self.stream.set_tag(&self.tail).map_err(crate::failure::Failure::from)?;
            }
        }
        if !input.is_empty() || way == Way::Decrypt && self.tag > 0 {
            work = &input;
        }
        if let Some(left) = &mut self.left {
            let short = if way == Way::Encrypt { Code::DataLenRange } else { Code::FunctionFailed };
            *left = left.checked_sub(work.len() as u64).filter(|left| !last || *left == 0).ok_or(short)?;
        }
        let stepped = view.with_key(key, |provider, key| self.stream.step(provider, key, work, last))?;
        let mut out = Zeroizing::new(Vec::with_capacity(stepped.data.expose().len().saturating_add(stepped.tag.len())));
        out.extend_from_slice(stepped.data.expose());
        out.extend_from_slice(&stepped.tag);
        Ok(out)
    }
}

fn rsa(view: &mut View, key: &Permitted, way: Way, given: &Parameters, data: &[u8]) -> Done<Zeroizing<Vec<u8>>> {
    let data = Some(Data::Bytes(Blob::copy_of(data)));
    let out = match way {
        Way::Encrypt => {
            let request = encrypt::Request {
                unique_identifier: named(key),
                cryptographic_parameters: Some(given.clone()),
                data,
                iv_counter_nonce: None,
                correlation_value: None,
                init_indicator: None,
                final_indicator: None,
                additional_data: None,
            };
            encrypt::Encrypt::run(view, request)?.data
        }
        Way::Decrypt => {
            let request = decrypt::Request {
                unique_identifier: named(key),
                cryptographic_parameters: Some(given.clone()),
                data,
                iv_counter_nonce: None,
                correlation_value: None,
                init_indicator: None,
                final_indicator: None,
                additional_data: None,
                authenticated_encryption_tag: None,
            };
            decrypt::Decrypt::run(view, request)?.data
        }
    };
    Ok(Zeroizing::new(out.map(|data| data.to_vec()).unwrap_or_default()))
}
