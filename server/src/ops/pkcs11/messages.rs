//! Encryption of messages (PKCS #11 3.0 §5.9, §5.10): one key for many of them, and to each its nonce, its additional data and its
//! tag. By what Encrypt and Decrypt are made of: a nonce that the server is to make is random, and counted.
//!
//! The parameter of a message is a byte string that has the fields of its structure, as that of a mechanism has. It is answered
//! with what the server has put there, before the data: the nonce, and the tag at the end.

use cryptoki_sys as ck;
use kmip_codec::spec::{BlockCipherMode as Mode, Pkcs11ReturnCode as Code};
use kmip_codec::ttlv::Blob;
use zeroize::Zeroizing;

use super::Call;
use super::codec::{Mechanism, Room, Writer};
use super::codes::{Done, Trouble};
use super::cryptography::{Way, fits, length, open_key};
use super::instance::OPERATION;
use super::mechanisms::{self, Kind, Prepared, Row, either, number, wrong};
use crate::crypto::stream::Ciphering;
use crate::ops::enciphering::{Accompanying, Enciphering};
use crate::ops::parts::{self, Part};
use crate::trust::policy::Permitted;
use crate::view::View;

/// Messages that are encrypted or decrypted under one key.
#[derive(Clone)]
pub struct Messages {
    key: u64,
    row: &'static Row,
    under_way: Option<Message>,
}

/// A message that comes in parts.
#[derive(Clone)]
struct Message {
    stream: Ciphering,
    parameter: Parameter,
    has_begun: bool,
    /// How much data is still to come, in bytes, where that was said beforehand.
    left: Option<u64>,
}

/// CK_GCM_MESSAGE_PARAMS, CK_CCM_MESSAGE_PARAMS or CK_SALSA20_CHACHA20_POLY1305_MSG_PARAMS.
#[derive(Clone)]
struct Parameter {
    nonce: Vec<u8>,
    /// The length in bits of what of the nonce is the caller's, and how the rest is made.
    made: Option<(u64, u64)>,
    /// The tag; of one that is to be made, the room for it.
    tag: Vec<u8>,
    /// The length of the data, of CCM.
    length: Option<u64>,
    row: &'static Row,
}

impl Parameter {
    fn read(row: &'static Row, bytes: &[u8]) -> Done<Self> {
        let mechanism = Mechanism { id: row.id, parameter: Some(bytes) };
        let new = |nonce: &[u8], made, tag: &[u8], length| Self {
            nonce: nonce.to_vec(),
            made,
            tag: tag.to_vec(),
            length,
            row,
        };
        match row.kind {
            Kind::Cipher(_, Mode::GCM, _) => either(
                &mechanism,
                |input, width| {
                    let (nonce, made) = (input.bytes()?, (number(input, width)?, input.ulong()?));
                    Ok((new(nonce, Some(made), input.bytes()?, None), number(input, width)?))
                },
                |(parameter, bits)| *bits == parameter.tag.len() as u64 * 8,
            )
            .map(|(parameter, _)| parameter),
            Kind::Cipher(_, Mode::CCM, _) => either(
                &mechanism,
                |input, width| {
                    let (length, nonce) = (number(input, width)?, input.bytes()?);
                    let made = (number(input, width)?, input.ulong()?);
                    Ok(new(nonce, Some(made), input.bytes()?, Some(length)))
                },
                |_| true,
            ),
            _ => mechanisms::read(&mechanism, |input| Ok(new(input.bytes()?, None, input.bytes()?, None))),
        }
    }

    /// Whether the server makes the nonce. It is random as a whole: nothing of it is the caller's.
    fn is_made_here(&self, way: Way) -> Done<bool> {
        match self.made {
            _ if way == Way::Decrypt => Ok(false),
            None | Some((_, ck::CKG_NO_GENERATE)) => Ok(false),
            Some((0, ck::CKG_GENERATE | ck::CKG_GENERATE_RANDOM)) => Ok(true),
            Some(_) => Err(wrong()),
        }
    }

    fn prepared(&self, way: Way) -> Done<Prepared> {
        let mut prepared = self.row.bare();
        prepared.tagged(self.tag.len());
        let is_made = self.is_made_here(way)?;
        if is_made {
            prepared.parameters.random_iv = Some(true);
            prepared.parameters.iv_length = i32::try_from(self.nonce.len().saturating_mul(8)).ok();
        } else {
            prepared.iv = Some(Blob::copy_of(&self.nonce));
        }
        Ok(prepared)
    }

    /// As it is answered.
    fn written(&self) -> Vec<u8> {
        let out = match (self.row.kind, self.made) {
            (Kind::Cipher(_, Mode::GCM, _), Some((fixed, made))) => {
                let out = Writer::default().bytes(&self.nonce).ulong(fixed).ulong(made).bytes(&self.tag);
                out.ulong((self.tag.len() as u64).saturating_mul(8))
            }
            (_, Some((fixed, made))) => {
                let out = Writer::default().ulong(self.length.unwrap_or(0)).bytes(&self.nonce);
                out.ulong(fixed).ulong(made).bytes(&self.tag)
            }
            (_, None) => Writer::default().bytes(&self.nonce).bytes(&self.tag),
        };
        out.finish()
    }
}

const fn flag(way: Way) -> u64 {
    match way {
        Way::Encrypt => ck::CKF_MESSAGE_ENCRYPT,
        Way::Decrypt => ck::CKF_MESSAGE_DECRYPT,
    }
}

fn slot<'a>(call: &'a mut Call<'_>, session: u64, way: Way) -> Done<&'a mut Option<Messages>> {
    let session = call.instance.session(session)?;
    Ok(match way {
        Way::Encrypt => &mut session.encrypting_messages,
        Way::Decrypt => &mut session.decrypting_messages,
    })
}

/// C_MessageEncryptInit and C_MessageDecryptInit. The mechanism has no parameter: each message has its own.
pub fn init(call: &mut Call<'_>, way: Way) -> Done {
    let (session, mechanism, key) = call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?)))?;
    if slot(call, session, way)?.is_some() {
        return Err(Code::OperationActive.into());
    }
    let row = mechanisms::usable(mechanism.id, flag(way), &call.view.shared().settings)?;
    if mechanism.parameter.is_some_and(|parameter| !parameter.is_empty()) {
        return Err(wrong());
    }
    let opened = open_key(call.view, key, way.deed(), way.purpose())?;
    row.suits(&opened)?;
    let mut prepared = row.bare();
    prepared.tagged(16);
    Enciphering::read(call.view, &prepared.parameters, &opened)
        .map_err(|failure| Trouble::from(failure).instead(Code::MechanismParamInvalid, Code::KeyTypeInconsistent))?;
    *slot(call, session, way)? = Some(Messages { key, row, under_way: None });
    Ok(Vec::new())
}

/// C_MessageEncryptFinal and C_MessageDecryptFinal.
pub fn end(call: &mut Call<'_>, way: Way) -> Done {
    let session = call.read(|input| input.ulong())?;
    match slot(call, session, way)?.take() {
        Some(_) => Ok(Vec::new()),
        None => Err(Code::OperationNotInitialized.into()),
    }
}

impl Messages {
    /// How much memory they take, in bytes.
    pub fn weight(&self) -> usize {
        let message = self.under_way.iter().map(|message| {
            let nonce = message.parameter.nonce.capacity();
            message.stream.weight().saturating_add(nonce).saturating_add(OPERATION)
        });
        message.fold(OPERATION, usize::saturating_add)
    }

    /// Begins a message: the nonce is the caller's, or made here.
    fn begin(&self, view: &mut View, key: &Permitted, way: Way, parameter: &[u8], aad: &[u8]) -> Done<Message> {
        let mut parameter = Parameter::read(self.row, parameter)?;
        let prepared = parameter.prepared(way)?;
        let how = Enciphering::read(view, &prepared.parameters, key)?;
        if way == Way::Encrypt {
            // A length of nonces that the server does not make is the parameter's fault.
            let to_make = how.iv_to_make().map_err(|failure| {
                Trouble::from(failure).instead(Code::MechanismInvalid, Code::MechanismParamInvalid)
            })?;
            match (&prepared.iv, to_make) {
                (Some(_), _) => how.may_choose(view, key)?,
                (None, Some(bytes)) => {
                    let made = how.make_iv(view, bytes)?;
                    if how.counts(&made) {
                        view.count_nonce(key, false)?;
                    }
                    parameter.nonce = made.to_vec();
                }
                (None, None) => return Err(wrong()),
            }
        }
        let nonce = Blob::copy_of(&parameter.nonce);
        let aad = (!aad.is_empty()).then(|| Blob::copy_of(aad));
        let with = Accompanying { iv: Some(&nonce), aad: aad.as_ref(), tag: None };
        let most = view.shared().parts.limits().bytes;
        let stream = Ciphering::begin(&how.encrypting(with)?, way == Way::Encrypt, most);
        let left = parameter.length;
        Ok(Message { stream, parameter, has_begun: false, left })
    }
}

impl Message {
    fn step(
        &mut self,
        view: &mut View,
        key: &Permitted,
        way: Way,
        part: Part,
        data: &[u8],
    ) -> Done<Zeroizing<Vec<u8>>> {
        let (last, part) = match part {
            Part::Further if !self.has_begun => (false, Part::First),
            // The first and the last of it: a whole.
            Part::Last if !self.has_begun => (true, Part::Whole),
            part => (part.is_last(), part),
        };
        self.has_begun = true;
        if way == Way::Encrypt {
            parts::take_usage(view, key, part, data.len())?;
        }
        let unfit = |trouble| way.unfit(trouble, true);
        if let Some(left) = &mut self.left {
            let short = if way == Way::Encrypt { Code::DataLenRange } else { Code::FunctionFailed };
            *left = left.checked_sub(data.len() as u64).filter(|left| !last || *left == 0).ok_or(short)?;
        }
        if last && way == Way::Decrypt {
            let set = self.stream.set_tag(&self.parameter.tag).map_err(crate::failure::Failure::from);
            set.map_err(|failure| unfit(failure.into()))?;
        }
        let stepped = view.with_key(key, |provider, key| self.stream.step(provider, key, data, last));
        let stepped = stepped.map_err(|failure| unfit(failure.into()))?;
        if last && way == Way::Encrypt {
            self.parameter.tag.clone_from(&stepped.tag);
        }
        Ok(Zeroizing::new(stepped.data.expose().to_vec()))
    }

    /// The parameter of a message that is encrypted, and data.
    fn answer(&self, way: Way, data: Option<&[u8]>) -> Vec<u8> {
        let out = Writer::default();
        let out = if way == Way::Encrypt { out.bytes(&self.parameter.written()) } else { out };
        data.into_iter().fold(out, Writer::bytes).finish()
    }
}

/// C_EncryptMessage and C_DecryptMessage. Both texts have one length: nothing is done where it is asked for alone.
pub fn whole(call: &mut Call<'_>, way: Way) -> Done {
    let (session, parameter, aad, data, room) =
        call.read(|input| Ok((input.ulong()?, input.bytes()?, input.bytes()?, input.bytes()?, input.room()?)))?;
    let messages = slot(call, session, way)?.clone().ok_or(Code::OperationNotInitialized)?;
    if messages.under_way.is_some() {
        return Err(Code::OperationActive.into());
    }
    if !fits(room, data.len())? {
        return Ok(length(data.len()));
    }
    let key = open_key(call.view, messages.key, way.deed(), way.purpose())?;
    let mut message = messages.begin(call.view, &key, way, parameter, aad)?;
    let out = message.step(call.view, &key, way, Part::Whole, data)?;
    Ok(message.answer(way, Some(&out)))
}

/// C_EncryptMessageBegin and C_DecryptMessageBegin: the former answers the parameter.
pub fn begin(call: &mut Call<'_>, way: Way) -> Done {
    let (session, parameter, aad) = call.read(|input| Ok((input.ulong()?, input.bytes()?, input.bytes()?)))?;
    let mut messages = slot(call, session, way)?.clone().ok_or(Code::OperationNotInitialized)?;
    if messages.under_way.is_some() {
        return Err(Code::OperationActive.into());
    }
    let key = open_key(call.view, messages.key, way.deed(), way.purpose())?;
    let message = messages.begin(call.view, &key, way, parameter, aad)?;
    let out = message.answer(way, None);
    messages.under_way = Some(message);
    *slot(call, session, way)? = Some(messages);
    Ok(out)
}

/// C_EncryptMessageNext and C_DecryptMessageNext. The parameter is that of the message; with the last part of one that is decrypted
/// it has the tag.
pub fn next(call: &mut Call<'_>, way: Way) -> Done {
    let (session, parameter, data, room, flags) = call.read(|input| {
        let (session, parameter, data) = (input.ulong()?, input.bytes()?, input.bytes()?);
        let room = input.room_between()?;
        Ok((session, parameter, data, room, input.ulong()?))
    })?;
    let messages = slot(call, session, way)?.as_mut().ok_or(Code::OperationNotInitialized)?;
    let row = messages.row;
    let handle = messages.key;
    let before = messages.under_way.clone().ok_or(Code::OperationNotInitialized)?;
    if flags & !ck::CKF_END_OF_MESSAGE != 0 {
        return Err(Code::ArgumentsBad.into());
    }
    let part = if flags == ck::CKF_END_OF_MESSAGE { Part::Last } else { Part::Further };
    let given = Parameter::read(row, parameter)?;
    if given.nonce != before.parameter.nonce || given.tag.len() != before.parameter.tag.len() {
        return Err(wrong());
    }
    // What fails is over, unless there was no room for it alone.
    messages.under_way = None;
    let mut message = before.clone();
    if way == Way::Decrypt {
        message.parameter.tag = given.tag;
    }
    let key = open_key(call.view, handle, way.deed(), way.purpose())?;
    let out = message.step(call.view, &key, way, part, data)?;
    let answered = match fits(room, out.len()) {
        Ok(true) => Ok(message.answer(way, Some(&out))),
        Ok(false) => {
            call.view.retract();
            Ok(length(out.len()))
        }
        Err(trouble) => Err(trouble),
    };
    let is_there = matches!((&answered, room), (Ok(_), Room::Of(_)));
    let left = if !is_there { Some(before) } else { (!part.is_last()).then_some(message) };
    if let Some(messages) = slot(call, session, way)? {
        messages.under_way = left;
    }
    answered
}
