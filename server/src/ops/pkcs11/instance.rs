//! What a client has open: the library as it was initialised, its sessions, and what they are at.

use std::collections::BTreeMap;

use kmip_codec::spec::Pkcs11ReturnCode as Code;

use super::codes::Done;

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

/// An open session.
#[derive(Clone, Default)]
pub struct Session {
    /// Whether it may make and change objects that stay.
    pub is_read_write: bool,
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
        self.sessions.insert(self.opened, Session { is_read_write });
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
