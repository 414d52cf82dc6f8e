//! What a client has open: the library as it was initialised, its sessions, and what they are at.

use std::collections::BTreeMap;

use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::codes::Done;
use super::cryptography::{Cipher, Digest};
use super::signing::Signing;

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
    /// The objects that a search has found and not answered yet, by their handles, the next one last.
    pub found: Option<Vec<u64>>,
    /// The objects that end with the session, by their handles.
    pub made: Vec<u64>,
}

impl Session {
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

    /// An open session.
    ///
    /// # Errors
    /// SESSION_HANDLE_INVALID.
    pub fn session(&mut self, handle: u64) -> Done<&mut Session> {
        self.sessions.get_mut(&handle).ok_or_else(|| Code::SessionHandleInvalid.into())
    }
}
