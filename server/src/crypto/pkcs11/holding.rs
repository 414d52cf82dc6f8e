//! Work in parts whose state the module keeps: MACs, and GCM that encrypts. Each has a session of its own beyond the pool, and
//! keeps the handle of its key; both go when it ends, is dropped, fails, or the key is destroyed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cryptoki::error::RvError;

use super::Pkcs11Provider;
use super::fault::Fault;
use super::handles::Object;
use super::ops::{mac_fault, too_short};
use super::session::{Apart, Sessions, Work};
use crate::crypto::algorithm::{Cipher, Mac};
use crate::crypto::{CryptoError, Guarded, Holding};

/// Room in bytes for what a module has kept of earlier parts: a block, or two.
const REST: usize = 32;

/// All of it, by the identity of the key.
#[derive(Default)]
pub(super) struct Holdings(Mutex<Vec<([u8; 16], Weak<Slot>)>>);

type Slot = Mutex<Option<Session>>;

impl Holdings {
    fn note(&self, id: [u8; 16], slot: &Arc<Slot>) {
        let mut all = lock(&self.0);
        all.retain(|(_, slot)| slot.strong_count() > 0);
        all.push((id, Arc::downgrade(slot)));
    }

    /// Takes out what works with a key, if anything does. It ends when what is answered is dropped.
    pub(super) fn take(&self, id: &[u8; 16]) -> Option<Ending> {
        let mut ending = Vec::new();
        lock(&self.0).retain(|(key, slot)| {
            if key == id {
                ending.extend(slot.upgrade());
            }
            key != id && slot.strong_count() > 0
        });
        (!ending.is_empty()).then_some(Ending(ending))
    }
}

/// Work in parts that ends when this is dropped. A step that is under way finishes first.
pub(super) struct Ending(Vec<Arc<Slot>>);

impl Drop for Ending {
    fn drop(&mut self) {
        for slot in &self.0 {
            drop(lock(slot).take());
        }
    }
}

/// A session with an operation under way.
struct Session {
    sessions: Arc<Sessions>,
    apart: Option<Apart>,
    /// Keeps the handle of the key.
    _object: Arc<Object>,
}

impl Session {
    fn work<T>(&self, run: impl FnOnce(&Work<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        match &self.apart {
            Some(apart) => self.sessions.work_in(apart, run),
            None => Err(Fault { call: "going on with work that has ended", error: RvError::OperationNotInitialized }),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(apart) = self.apart.take() {
            self.sessions.retire(apart);
        }
    }
}

const ENDED: CryptoError = CryptoError::Failed("the operation has ended, because the state of its key has changed");

/// What is under way.
#[derive(Clone, Copy)]
enum What {
    /// A MAC of so many bytes.
    Mac(usize),
    /// An encryption with a tag of so many bytes.
    Encryption(usize),
}

struct Held {
    slot: Arc<Slot>,
    what: What,
    /// Bytes that went in and did not come out yet.
    within: usize,
}

impl Held {
    /// Runs a step; after one that fails, the session goes.
    fn step<T>(&self, run: impl FnOnce(&Work<'_>) -> Result<T, Fault>) -> Result<T, CryptoError> {
        let mut slot = lock(&self.slot);
        let answer = slot.as_ref().ok_or(ENDED)?.work(run);
        answer.map_err(|fault| {
            *slot = None;
            fault.into()
        })
    }
}

impl Holding for Held {
    fn update(&mut self, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        if data.is_empty() {
            return Ok(Vec::new());
        }
        let out = self.step(|work| match self.what {
            What::Mac(_) => work.raw.sign_update(work.session, data).map(|()| Vec::new()),
            What::Encryption(_) => work.raw.encrypt_update(work.session, data, data.len().saturating_add(REST)),
        })?;
        self.within = self.within.saturating_add(data.len()).saturating_sub(out.len());
        Ok(out)
    }

    fn finish(&mut self) -> Result<Vec<u8>, CryptoError> {
        let out = self.step(|work| match self.what {
            What::Mac(len) => work.raw.sign_final(work.session, len),
            What::Encryption(tag_len) => work.raw.encrypt_final(work.session, tag_len.saturating_add(REST)),
        });
        drop(lock(&self.slot).take());
        let (expected, call) = match self.what {
            What::Mac(len) => (len, "C_SignFinal"),
            What::Encryption(tag_len) => (self.within.saturating_add(tag_len), "C_EncryptFinal"),
        };
        match out? {
            out if out.len() == expected => Ok(out),
            _ => Err(too_short(call)),
        }
    }
}

/// Why nothing was begun.
enum Refused {
    Before(CryptoError),
    Module(Fault),
}

impl Pkcs11Provider {
    pub(super) fn hold_mac(&self, key: &Guarded, mac: Mac) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        let mechanism = self.mac_mechanism(key, mac)?;
        let begun = self.hold(key, What::Mac(mac.len()), |work, object| {
            work.raw.sign_init(work.session, &mechanism, object.handle)
        });
        begun.map_err(|refused| match refused {
            Refused::Before(error) => error,
            Refused::Module(fault) => mac_fault(fault, key, mac),
        })
    }

    pub(super) fn hold_encryption(
        &self,
        key: &Guarded,
        cipher: &Cipher<'_>,
    ) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        // CCM must be told the length of all the data before it begins.
        let Cipher::AesGcm { tag_len, .. } = *cipher else { return Ok(None) };
        cipher.check_encrypt(key.kind, 0)?;
        let (mechanism, _) = self.mechanism(cipher, 0)?;
        let begun = self.hold(key, What::Encryption(tag_len), |work, object| {
            work.raw.encrypt_init(work.session, &mechanism, object.handle)
        });
        begun.map_err(|refused| match refused {
            Refused::Before(error) => error,
            Refused::Module(fault) => fault.into(),
        })
    }

    /// Begins something in a session of its own. A module that opens no further one has none to keep.
    fn hold(
        &self,
        key: &Guarded,
        what: What,
        begin: impl FnOnce(&Work<'_>, &Object) -> Result<(), Fault>,
    ) -> Result<Option<Box<dyn Holding>>, Refused> {
        let object = self.object(key).map_err(Refused::Before)?;
        let sessions = &self.token.sessions;
        let apart = match sessions.apart() {
            Ok(apart) => apart,
            Err(Fault { error: RvError::SessionCount, .. }) => return Ok(None),
            Err(fault) => return Err(Refused::Module(fault)),
        };
        let session = Session { sessions: Arc::clone(sessions), apart: Some(apart), _object: Arc::clone(&object) };
        let begun = session.work(|work| {
            if work.epoch == object.epoch {
                begin(work, &object)
            } else {
                Err(Fault { call: "reconnecting to the module", error: RvError::FunctionCanceled })
            }
        });
        begun.map_err(Refused::Module)?;
        let slot = Arc::new(Mutex::new(Some(session)));
        self.holdings.note(key.id, &slot);
        Ok(Some(Box::new(Held { slot, what, within: 0 })))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
