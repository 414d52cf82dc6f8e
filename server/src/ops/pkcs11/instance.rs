//! What a client has open: the library as it was initialised, its sessions, and what they are at.

use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use cryptoki_sys as ck;
use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::codes::Done;
use super::cryptography::Cipher;
use super::digesting::Digest;
use super::messages::Messages;
use super::signed_messages::Signed;
use super::signing::Signing;
use crate::session::parts::Charge;
use crate::view::View;

/// What an operation under way takes besides what waits in it, in bytes, roughly.
pub const OPERATION: usize = 1024;

/// The most sessions of an instance.
pub const MOST_SESSIONS: usize = 64;

/// An initialised library.
#[derive(Clone, Default)]
pub struct Instance {
    /// Open sessions by their handles.
    pub sessions: BTreeMap<u64, Session>,
    /// How many were ever opened: handles are not used twice.
    opened: u64,
    /// Whether the user is logged in, which is so in all sessions or in none.
    pub is_logged_in: bool,
    /// What is counted for the memory that it takes. Snapshots share it.
    charges: Vec<Arc<Charge>>,
}

/// An open session, and what is under way in it.
#[derive(Clone, Default)]
pub struct Session {
    /// Whether it may make and change objects that stay.
    pub is_read_write: bool,
    /// An encryption.
    pub encrypting: Option<Cipher>,
    /// A decryption.
    pub decrypting: Option<Cipher>,
    /// A signature or MAC.
    pub signing: Option<Signing>,
    /// The verification of a signature or MAC.
    pub verifying: Option<Signing>,
    /// A digest.
    pub digesting: Option<Digest>,
    /// A signature with recovery.
    pub sign_recovering: Option<Signing>,
    /// The key of a verification with recovery, by its handle.
    pub recovering: Option<u64>,
    /// Messages that are encrypted.
    pub encrypting_messages: Option<Messages>,
    /// Messages that are decrypted.
    pub decrypting_messages: Option<Messages>,
    /// Messages that are signed.
    pub signing_messages: Option<Signed>,
    /// Messages whose signatures are verified.
    pub verifying_messages: Option<Signed>,
    /// The objects that a search has found and not answered yet, by their handles, the next one last.
    pub found: Option<Vec<u64>>,
    /// The objects that end with the session, by their handles.
    pub made: Vec<u64>,
}

impl Session {
    /// Whether a cryptographic operation is under way.
    pub const fn is_at_work(&self) -> bool {
        self.encrypting.is_some()
            || self.decrypting.is_some()
            || self.signing.is_some()
            || self.verifying.is_some()
            || self.digesting.is_some()
            || self.sign_recovering.is_some()
            || self.recovering.is_some()
            || self.encrypting_messages.is_some()
            || self.decrypting_messages.is_some()
            || self.signing_messages.is_some()
            || self.verifying_messages.is_some()
    }

    /// Ends what these flags name (CKF_ENCRYPT and so on), if it is under way.
    pub fn cancel(&mut self, flags: u64) {
        let is_named = |flag| flags & flag != 0;
        self.encrypting.take_if(|_| is_named(ck::CKF_ENCRYPT));
        self.decrypting.take_if(|_| is_named(ck::CKF_DECRYPT));
        self.signing.take_if(|_| is_named(ck::CKF_SIGN));
        self.verifying.take_if(|_| is_named(ck::CKF_VERIFY));
        self.digesting.take_if(|_| is_named(ck::CKF_DIGEST));
        self.sign_recovering.take_if(|_| is_named(ck::CKF_SIGN_RECOVER));
        self.recovering.take_if(|_| is_named(ck::CKF_VERIFY_RECOVER));
        self.encrypting_messages.take_if(|_| is_named(ck::CKF_MESSAGE_ENCRYPT));
        self.decrypting_messages.take_if(|_| is_named(ck::CKF_MESSAGE_DECRYPT));
        self.signing_messages.take_if(|_| is_named(ck::CKF_MESSAGE_SIGN));
        self.verifying_messages.take_if(|_| is_named(ck::CKF_MESSAGE_VERIFY));
        self.found.take_if(|_| is_named(ck::CKF_FIND_OBJECTS));
    }

    /// How much memory it takes, in bytes.
    fn weight(&self) -> usize {
        let ciphers = [&self.encrypting, &self.decrypting].into_iter().flatten().map(Cipher::weight);
        let signings = [&self.signing, &self.verifying, &self.sign_recovering];
        let signings = signings.into_iter().flatten().map(Signing::weight);
        let messages = [&self.encrypting_messages, &self.decrypting_messages];
        let messages = messages.into_iter().flatten().map(Messages::weight);
        let signed = [&self.signing_messages, &self.verifying_messages].into_iter().flatten().map(Signed::weight);
        let found = self.found.iter().map(|found| found.capacity().saturating_mul(size_of::<u64>()));
        let digest = self.digesting.iter().map(|_| OPERATION);
        let all = ciphers.chain(signings).chain(messages).chain(signed).chain(found).chain(digest);
        all.fold(size_of::<Self>(), usize::saturating_add)
    }

    /// How many bytes wait for the last part of what is under way.
    pub fn waiting(&self) -> usize {
        let ciphers = [&self.encrypting, &self.decrypting].into_iter().flatten().map(Cipher::waiting);
        let signings = [&self.signing, &self.verifying].into_iter().flatten().map(Signing::waiting);
        ciphers.chain(signings).sum()
    }
}

impl Instance {
    /// Opens a session; answers its handle.
    ///
    /// # Errors
    /// SESSION_COUNT.
    pub fn open(&mut self, is_read_write: bool) -> Done<u64> {
        if self.sessions.len() >= MOST_SESSIONS {
            return Err(Code::SessionCount.into());
        }
        self.opened = self.opened.saturating_add(1);
        self.sessions.insert(self.opened, Session { is_read_write, ..Session::default() });
        Ok(self.opened)
    }

    /// How much memory it takes, in bytes. What ends with sessions is left out: it has objects.
    fn weight(&self) -> usize {
        self.sessions.values().map(Session::weight).fold(0, usize::saturating_add)
    }

    /// Has the memory that it takes now counted; whether there is room for so much.
    pub fn weigh(&mut self, view: &View) -> bool {
        let weight = self.weight();
        let counted = |charges: &[Arc<Charge>]| charges.iter().map(|charge| charge.bytes()).sum::<usize>();
        // What was counted last goes first, as long as the rest is enough: no call is counted twice meanwhile.
        while let Some((_, before)) = self.charges.split_last() {
            if counted(before) < weight {
                break;
            }
            self.charges.pop();
        }
        match weight.checked_sub(counted(&self.charges)) {
            None | Some(0) => true,
            Some(more) => match view.charge(more) {
                Some(charge) => {
                    self.charges.push(Arc::new(charge));
                    true
                }
                None => false,
            },
        }
    }

    /// An open session.
    ///
    /// # Errors
    /// SESSION_HANDLE_INVALID.
    pub fn session(&mut self, handle: u64) -> Done<&mut Session> {
        self.sessions.get_mut(&handle).ok_or_else(|| Code::SessionHandleInvalid.into())
    }
}
