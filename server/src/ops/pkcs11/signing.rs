//! Signatures and MACs (PKCS #11 3.0 §5.12, §5.13): by what Sign, Signature Verify, MAC and MAC Verify are made of.

use cryptoki_sys as ck;
use kmip_codec::spec::{ObjectType, Operation, Pkcs11ReturnCode as Code, ValidityIndicator};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use super::Call;
use super::attributes;
use super::classes;
use super::codec::{Mechanism, Room, Writer};
use super::codes::{Done, Trouble};
use super::cryptography::{fits, length, named, open_key};
use super::instance::OPERATION;
use super::mechanisms::{self, Kind, Row};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::stream::{self, Macing};
use crate::crypto::{keyblock, keyformat};
use crate::object::usage::Purpose;
use crate::ops::parts::{self, Part, Running};
use crate::ops::{Handler, mac, parameters, sign, signature_verify};
use crate::secret;
use crate::trust::policy::Permitted;
use crate::view::View;

/// What is signed with, or checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// C_Sign….
    Sign,
    /// C_Verify….
    Verify,
    /// C_SignRecover….
    Recover,
}

/// A signature, a MAC, or the verification of one, that was initialised.
#[derive(Clone)]
pub struct Signing {
    key: u64,
    work: Work,
    has_begun: bool,
    /// The length of the signature, or of one of its halves where it has two.
    length: usize,
    is_ecdsa: bool,
}

#[derive(Clone)]
enum Work {
    /// A MAC.
    Mac(Running<Macing>),
    /// A signature of data.
    Data(Running<stream::Signing>),
    /// A signature of what the client has hashed, in one part.
    Digest(Box<Parameters>),
}

impl Way {
    const fn flag(self) -> u64 {
        match self {
            Self::Sign => ck::CKF_SIGN,
            Self::Verify => ck::CKF_VERIFY,
            Self::Recover => ck::CKF_SIGN_RECOVER,
        }
    }

    /// CKF_…, where it is done with messages.
    pub const fn of_messages(self) -> u64 {
        match self {
            Self::Verify => ck::CKF_MESSAGE_VERIFY,
            Self::Sign | Self::Recover => ck::CKF_MESSAGE_SIGN,
        }
    }

    /// What it is among the operations, and what for the key is used.
    const fn deed(self, is_mac: bool) -> (Operation, Purpose) {
        match (self, is_mac) {
            (Self::Sign | Self::Recover, false) => (Operation::Sign, Purpose::Sign),
            (Self::Verify, false) => (Operation::SignatureVerify, Purpose::Verify),
            (Self::Sign | Self::Recover, true) => (Operation::MAC, Purpose::Mac),
            (Self::Verify, true) => (Operation::MACVerify, Purpose::MacVerify),
        }
    }
}

impl Signing {
    const fn is_mac(&self) -> bool {
        matches!(self.work, Work::Mac(_))
    }

    /// How many bytes wait for the last part.
    pub fn waiting(&self) -> usize {
        match &self.work {
            Work::Mac(Running { work: Macing::Waiting(waiting, _), .. }) => waiting.len(),
            Work::Data(running) => running.work.waiting(),
            _ => 0,
        }
    }

    /// How much memory it takes, in bytes.
    pub fn weight(&self) -> usize {
        let waiting = match &self.work {
            Work::Mac(running) => running.work.weight(),
            Work::Data(running) => running.work.waiting(),
            Work::Digest(_) => 0,
        };
        OPERATION.saturating_add(waiting)
    }

    /// The length of the signature.
    pub const fn signature_len(&self) -> usize {
        if self.is_ecdsa { self.length.saturating_mul(2) } else { self.length }
    }
}

fn slot<'a>(call: &'a mut Call<'_>, session: u64, way: Way) -> Done<&'a mut Option<Signing>> {
    let session = call.instance.session(session)?;
    Ok(match way {
        Way::Sign => &mut session.signing,
        Way::Verify => &mut session.verifying,
        Way::Recover => &mut session.sign_recovering,
    })
}

/// C_SignInit and C_VerifyInit.
pub fn init(call: &mut Call<'_>, way: Way) -> Done {
    let (session, mechanism, key) = call.read(|input| Ok((input.ulong()?, input.mechanism()?, input.ulong()?)))?;
    if slot(call, session, way)?.is_some() {
        return Err(Code::OperationActive.into());
    }
    let signing = begun(call, &mechanism, key, way, way.flag())?;
    *slot(call, session, way)? = Some(signing);
    Ok(Vec::new())
}

/// What begins with a mechanism that may be used as the flag says, and a key.
///
/// # Errors
/// MECHANISM_INVALID and MECHANISM_PARAM_INVALID; KEY_TYPE_INCONSISTENT; what the use of the key is refused for.
pub fn begun(call: &mut Call<'_>, mechanism: &Mechanism<'_>, key: u64, way: Way, flag: u64) -> Done<Signing> {
    let row = mechanisms::usable(mechanism.id, flag, &call.view.shared().settings)?;
    let prepared = row.prepare(mechanism)?;
    let (deed, purpose) = way.deed(matches!(row.kind, Kind::Mac(..)));
    let opened = open_key(call.view, key, deed, purpose)?;
    row.suits(&opened)?;
    if way == Way::Recover {
        attributes::may_recover(&opened)?;
    }
    begin(call.view, key, &opened, way, row, prepared.parameters)
}

fn begin(view: &mut View, handle: u64, key: &Permitted, way: Way, row: &Row, given: Parameters) -> Done<Signing> {
    let inconsistent = |failure| Trouble::from(failure).instead(Code::MechanismParamInvalid, Code::KeyTypeInconsistent);
    let new = |work, length, is_ecdsa| Signing { key: handle, work, has_begun: false, length, is_ecdsa };
    if let Kind::Mac(..) = row.kind {
        let method = parameters::mac(&given, key).map_err(inconsistent)?;
        // A length that no such code has is the parameter's fault, and not the key's.
        let length = parameters::mac_len(&given, method)?;
        let (operation, _) = way.deed(true);
        let running = mac::begin(view, operation, key, None, Some(given)).map_err(inconsistent)?;
        return Ok(new(Work::Mac(running), length, false));
    }
    let kind = match way {
        Way::Sign | Way::Recover if key.object_type() != ObjectType::PrivateKey => {
            return Err(Code::KeyTypeInconsistent.into());
        }
        Way::Sign | Way::Recover => view.key_kind(key)?,
        Way::Verify => {
            let spki = signature_verify::public_key(view, key)?;
            keyformat::identify_public(&spki).map_err(crate::failure::Failure::from)?
        }
    };
    let bits = keyblock::length_of(kind);
    let (length, is_ecdsa) = match (kind, row.kind) {
        (KeyKind::Ec { curve }, Kind::Ecdsa(_)) => (curve.coordinate_len(), true),
        (KeyKind::Rsa { bits }, Kind::RsaPkcs | Kind::RsaSign(..) | Kind::RsaPss) => (bits.div_ceil(8) as usize, false),
        (KeyKind::PostQuantum { set }, Kind::MlDsa) if classes::set_number(key).is_some() => (set.output_len(), false),
        (KeyKind::Edwards { curve }, Kind::Eddsa) if curve.signs() => (curve.len().saturating_mul(2), false),
        _ => return Err(Code::KeyTypeInconsistent.into()),
    };
    let is_digested = matches!(row.kind, Kind::RsaPkcs | Kind::RsaPss | Kind::Ecdsa(None));
    let work = if is_digested {
        Work::Digest(Box::new(given))
    } else {
        let (operation, _) = way.deed(false);
        let most = view.shared().parts.limits().bytes;
        Work::Data(sign::begin(operation, key, (bits, most), None, Some(given), &None).map_err(inconsistent)?)
    };
    Ok(new(work, length, is_ecdsa))
}

/// Refuses a session in which nothing of this is under way.
///
/// # Errors
/// OPERATION_NOT_INITIALIZED.
pub fn is_begun(call: &mut Call<'_>, session: u64, way: Way) -> Done<()> {
    slot(call, session, way)?.as_ref().map(drop).ok_or_else(|| Code::OperationNotInitialized.into())
}

/// The next data of what is under way. What fails is over.
///
/// # Errors
/// OPERATION_NOT_INITIALIZED; what the use of the key is refused for.
pub fn add(call: &mut Call<'_>, session: u64, way: Way, data: &[u8]) -> Done<()> {
    let Some(mut signing) = slot(call, session, way)?.take() else {
        return Err(Code::OperationNotInitialized.into());
    };
    signing.add(call.view, way, data)?;
    *slot(call, session, way)? = Some(signing);
    Ok(())
}

/// C_SignUpdate and C_VerifyUpdate.
pub fn update(call: &mut Call<'_>, way: Way) -> Done {
    let (session, data) = call.read(|input| Ok((input.ulong()?, input.bytes()?)))?;
    add(call, session, way, data)?;
    Ok(Vec::new())
}

/// C_Sign, C_SignFinal and C_SignRecover.
pub fn sign(call: &mut Call<'_>, way: Way, is_whole: bool) -> Done {
    let (session, data, room) = call.read(|input| {
        let session = input.ulong()?;
        let data = if is_whole { input.bytes()? } else { &[] };
        Ok((session, data, input.room()?))
    })?;
    let Some(signing) = ended(call, session, way, is_whole, Some(room))? else {
        let there = slot(call, session, way)?.as_ref().map_or(0, Signing::signature_len);
        return Ok(length(there));
    };
    let signature = signing.sign(call.view, data, is_whole)?;
    Ok(Writer::default().bytes(&signature).finish())
}

/// C_Verify and C_VerifyFinal.
pub fn verify(call: &mut Call<'_>, is_whole: bool) -> Done {
    let (session, data, signature) = call.read(|input| {
        let session = input.ulong()?;
        let data = if is_whole { input.bytes()? } else { &[] };
        Ok((session, data, input.bytes()?))
    })?;
    let signing = ended(call, session, Way::Verify, is_whole, None)?.ok_or(Code::OperationNotInitialized)?;
    signing.verify(call.view, data, signature, is_whole)
}

/// Takes what comes to its end: nothing if only its length is asked for.
fn ended(call: &mut Call<'_>, session: u64, way: Way, is_whole: bool, room: Option<Room>) -> Done<Option<Signing>> {
    let slot = slot(call, session, way)?;
    let signing = slot.as_ref().ok_or(Code::OperationNotInitialized)?;
    if is_whole && signing.has_begun {
        return Err(Code::OperationActive.into());
    }
    match room {
        Some(room) if !fits(room, signing.signature_len())? => Ok(None),
        _ => Ok(slot.take()),
    }
}

fn open(view: &mut View, signing: &Signing, way: Way) -> Done<Permitted> {
    let (deed, purpose) = way.deed(signing.is_mac());
    open_key(view, signing.key, deed, purpose)
}

impl Signing {
    /// The next of several parts.
    ///
    /// # Errors
    /// What the use of the key is refused for; DEVICE_MEMORY for more than can wait.
    pub fn add(&mut self, view: &mut View, way: Way, data: &[u8]) -> Done<()> {
        let part = if self.has_begun { Part::Further } else { Part::First };
        let key = open(view, self, way)?;
        self.take(view, &key, way, part, data)?;
        self.has_begun = true;
        Ok(())
    }

    /// The signature of all of it, or of what came and these last bytes.
    ///
    /// # Errors
    /// What the use of the key is refused for; DATA_LEN_RANGE.
    pub fn sign(mut self, view: &mut View, data: &[u8], is_whole: bool) -> Done {
        let key = open(view, &self, Way::Sign)?;
        let part = if is_whole { Part::Whole } else { Part::Last };
        let signature = match &self.work {
            Work::Digest(_) if !is_whole => return Err(Code::OperationNotInitialized.into()),
            Work::Digest(given) => signed(view, &key, given, data)?,
            _ => {
                self.take(view, &key, Way::Sign, part, data)?;
                match self.work {
                    Work::Mac(running) => mac::finish(view, &key, running)?,
                    Work::Data(running) => sign::finish(view, &key, running)?,
                    Work::Digest(_) => return Err(Code::GeneralError.into()),
                }
            }
        };
        Ok(match self.is_ecdsa {
            true => keyformat::ecdsa_halves(&signature, self.length).ok_or(Code::GeneralError)?,
            false => signature,
        })
    }

    /// Whether a signature is that of all of it, or of what came and these last bytes. Nothing is answered.
    ///
    /// # Errors
    /// SIGNATURE_INVALID, SIGNATURE_LEN_RANGE; what the use of the key is refused for.
    pub fn verify(mut self, view: &mut View, data: &[u8], signature: &[u8], is_whole: bool) -> Done {
        let key = open(view, &self, Way::Verify)?;
        if signature.len() != self.signature_len() {
            return Err(Code::SignatureLenRange.into());
        }
        let part = if is_whole { Part::Whole } else { Part::Last };
        let claimed = match self.is_ecdsa {
            true => keyformat::ecdsa_signature(signature).ok_or(Code::SignatureLenRange)?,
            false => signature.to_vec(),
        };
        let is_valid = match &self.work {
            Work::Digest(_) if !is_whole => return Err(Code::OperationNotInitialized.into()),
            Work::Digest(given) => verified(view, &key, given, data, claimed)?,
            _ => {
                self.take(view, &key, Way::Verify, part, data)?;
                match self.work {
                    Work::Mac(running) => secret::equal(&mac::finish(view, &key, running)?, &claimed),
                    Work::Data(running) => signature_verify::finish(view, &key, running, &claimed)?,
                    Work::Digest(_) => return Err(Code::GeneralError.into()),
                }
            }
        };
        if is_valid { Ok(Vec::new()) } else { Err(Code::SignatureInvalid.into()) }
    }

    /// The next data.
    fn take(&mut self, view: &mut View, key: &Permitted, way: Way, part: Part, data: &[u8]) -> Done<()> {
        if way == Way::Sign {
            parts::take_usage(view, key, part, data.len())?;
        }
        match &mut self.work {
            Work::Mac(running) => {
                running.work.update(data).map_err(|error| Trouble::from(crate::failure::Failure::from(error)))
            }
            Work::Data(running) => {
                running.work.update(data).map_err(|error| Trouble::from(crate::failure::Failure::from(error)))
            }
            // The digest is not this token's to make.
            Work::Digest(_) => Err(Code::FunctionNotSupported.into()),
        }
    }
}

/// Signs what the client has hashed.
fn signed(view: &mut View, key: &Permitted, given: &Parameters, digest: &[u8]) -> Done {
    let request = sign::Request {
        unique_identifier: named(key),
        cryptographic_parameters: Some(given.clone()),
        data: None,
        digested_data: Some(Blob::copy_of(digest)),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let answer = sign::Sign::run(view, request).map_err(unfit)?;
    Ok(answer.signature_data.map(|signature| signature.to_vec()).unwrap_or_default())
}

fn verified(view: &mut View, key: &Permitted, given: &Parameters, digest: &[u8], claimed: Vec<u8>) -> Done<bool> {
    let request = signature_verify::Request {
        unique_identifier: named(key),
        cryptographic_parameters: Some(given.clone()),
        data: None,
        digested_data: Some(Blob::copy_of(digest)),
        signature_data: Some(Blob::new(claimed)),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let answer = signature_verify::SignatureVerify::run(view, request).map_err(unfit)?;
    Ok(answer.validity_indicator == Some(ValidityIndicator::Valid))
}

/// A digest of a length that the mechanism does not sign.
fn unfit(failure: crate::failure::Failure) -> Trouble {
    Trouble::from(failure)
        .instead(Code::FunctionFailed, Code::DataLenRange)
        .instead(Code::MechanismParamInvalid, Code::DataLenRange)
}
