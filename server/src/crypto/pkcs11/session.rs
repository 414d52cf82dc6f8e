//! Sessions: a pool for work, and one that owns the session objects.
//!
//! A session object lives as long as the session that made it, and can be used from every other session of the process.
//! So one long-lived session, the owner, makes all unwrapped keys; the sessions for work come and go. A session for work
//! is closed after any error, because it may be left within an operation. The owner makes only calls that begin and end
//! at once.
//!
//! When the module says that sessions, login or token are gone, the epoch ends: sessions and handles of an older epoch
//! are never used again, and the next use opens a session and logs in. Nothing is erased.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

use cryptoki::error::RvError;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;

use super::config::{Config, Pkcs11Error};
use super::fault::Fault;
use super::module::Module;
use super::raw::{Handle, Raw};
use crate::secret::Secret;

/// All sessions with one token.
pub(super) struct Sessions {
    module: Arc<Module>,
    slot: Slot,
    pin: Secret,
    /// Grows when everything that was opened before is gone.
    epoch: AtomicU64,
    /// The PIN was refused after a loss. Trying again could lock the token.
    locked_out: AtomicBool,
    idle: Mutex<Idle>,
    returned: Condvar,
    owner: Mutex<Option<Open>>,
    /// What was kept for work in parts that has ended: closed by whoever works next.
    retired: Mutex<Vec<Apart>>,
    has_retired: AtomicBool,
    /// Session objects that nobody uses any more, with their epoch. They are destroyed by whoever has the owner next.
    buried: Mutex<Vec<(u64, Handle)>>,
}

struct Idle {
    sessions: Vec<Open>,
    /// How many more may be opened.
    left: usize,
    /// How many threads wait for one. A call to wake nobody goes to the kernel all the same.
    waiting: usize,
}

struct Open {
    session: Session,
    epoch: u64,
}

/// A session that is kept for work in parts.
pub(super) struct Apart(Open);

/// A session as a piece of work sees it.
pub(super) struct Work<'a> {
    pub(super) raw: &'a Raw,
    pub(super) session: &'a Session,
    pub(super) epoch: u64,
}

impl Sessions {
    /// Opens the token and logs in.
    pub(super) fn open(config: &Config) -> Result<Arc<Self>, Pkcs11Error> {
        let module = Module::load(&config.module, config.arguments.as_deref())?;
        let slot = module.slot(&config.token)?;
        let sessions = Self {
            module,
            slot,
            pin: config.pin.clone(),
            epoch: AtomicU64::new(0),
            locked_out: AtomicBool::new(false),
            idle: Mutex::new(Idle { sessions: Vec::new(), left: config.pool.max(1), waiting: 0 }),
            returned: Condvar::new(),
            owner: Mutex::new(None),
            retired: Mutex::new(Vec::new()),
            has_retired: AtomicBool::new(false),
            buried: Mutex::new(Vec::new()),
        };
        let owner = sessions.connect(0).map_err(|fault| match fault.error {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => {
                Pkcs11Error::Pin { reason: format!("the token {} does not take it", config.token) }
            }
            RvError::PinLocked => Pkcs11Error::Pin { reason: "it is locked".to_owned() },
            RvError::PinExpired => Pkcs11Error::Pin { reason: "it has expired".to_owned() },
            RvError::UserPinNotInitialized => Pkcs11Error::NotInitialised(config.token.clone()),
            _ => Pkcs11Error::Module(fault.to_string()),
        })?;
        *lock(&sessions.owner) = Some(owner);
        Ok(Arc::new(sessions))
    }

    pub(super) fn module(&self) -> &Module {
        &self.module
    }

    pub(super) fn slot(&self) -> Slot {
        self.slot
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Runs a piece of work in a session of its own. Waits while all sessions are in use; no thread may nest this.
    pub(super) fn work<T>(&self, run: impl FnOnce(&Work<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        // No exchange where there is nothing to close, which is nearly always.
        if self.has_retired.load(Ordering::Relaxed) {
            self.close_retired();
        }
        let mut idle = lock(&self.idle);
        let open = loop {
            if let Some(open) = idle.sessions.pop() {
                break Some(open);
            }
            if idle.left > 0 {
                idle.left -= 1;
                break None;
            }
            idle.waiting += 1;
            idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner);
            idle.waiting -= 1;
        };
        drop(idle);
        // From here on one place in the pool is taken; `seat` gives it back, with or without a session.
        let mut seat = Seat { sessions: self, open: None };
        let epoch = self.epoch();
        let open = match open {
            Some(open) if open.epoch == epoch => open,
            _ => self.connect(epoch)?,
        };
        let answer = run(&Work { raw: &self.module.raw, session: &open.session, epoch });
        match &answer {
            Ok(_) => seat.open = Some(open),
            Err(fault) => self.note(fault, epoch, Some(&open.session)),
        }
        answer
    }

    /// Opens a session beyond the pool, to be kept for work in parts.
    pub(super) fn apart(&self) -> Result<Apart, Fault> {
        self.close_retired();
        let epoch = self.epoch();
        self.connect(epoch).map(Apart).inspect_err(|fault| self.note(fault, epoch, None))
    }

    /// Runs a piece of work in a session that is kept.
    pub(super) fn work_in<T>(
        &self,
        apart: &Apart,
        run: impl FnOnce(&Work<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let Apart(Open { session, epoch }) = apart;
        if *epoch != self.epoch() {
            return Err(Fault { call: "going on after the module was lost", error: RvError::SessionClosed });
        }
        let answer = run(&Work { raw: &self.module.raw, session, epoch: *epoch });
        if let Err(fault) = &answer {
            self.note(fault, *epoch, Some(session));
        }
        answer
    }

    /// Lets a session go that was kept. Never waits: whoever lets go of work in parts may be no thread for slow work.
    pub(super) fn retire(&self, apart: Apart) {
        lock(&self.retired).push(apart);
        self.has_retired.store(true, Ordering::Release);
    }

    fn close_retired(&self) {
        if self.has_retired.swap(false, Ordering::AcqRel) {
            let retired = std::mem::take(&mut *lock(&self.retired));
            drop(retired);
        }
    }

    /// Runs a piece of work that takes seconds, in a session beyond the pool that is closed after it: the others are not
    /// to wait for it. A module that opens no further session has it done in one of the pool.
    pub(super) fn work_apart<T: Send>(
        &self,
        run: impl FnOnce(&Work<'_>) -> Result<T, Fault> + Send,
    ) -> Result<T, Fault> {
        let epoch = self.epoch();
        match self.connect(epoch) {
            Ok(open) => {
                let answer = run(&Work { raw: &self.module.raw, session: &open.session, epoch });
                if let Err(fault) = &answer {
                    self.note(fault, epoch, Some(&open.session));
                }
                answer
            }
            Err(Fault { error: RvError::SessionCount, .. }) => self.work(run),
            Err(fault) => {
                self.note(&fault, epoch, None);
                Err(fault)
            }
        }
    }

    /// Runs a piece of work in the session that owns the session objects. Only for calls that begin and end at once.
    pub(super) fn own<T>(&self, run: impl FnOnce(&Work<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let answer = {
            let mut owner = lock(&self.owner);
            let epoch = self.epoch();
            let open = match owner.take() {
                Some(open) if open.epoch == epoch => open,
                _ => self.connect(epoch)?,
            };
            let open = owner.insert(open);
            let answer = run(&Work { raw: &self.module.raw, session: &open.session, epoch });
            if let Err(fault) = &answer {
                self.note(fault, epoch, Some(&open.session));
            }
            answer
        };
        self.sweep();
        answer
    }

    /// Destroys a session object as soon as the owner is free, which is mostly now. Never waits.
    pub(super) fn bury(&self, epoch: u64, handle: Handle) {
        lock(&self.buried).push((epoch, handle));
        self.sweep();
    }

    /// Whoever holds the owner while somebody buries, sweeps after letting it go: nothing is left behind.
    fn sweep(&self) {
        while !lock(&self.buried).is_empty() {
            let owner = match self.owner.try_lock() {
                Ok(owner) => owner,
                Err(TryLockError::Poisoned(owner)) => owner.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let buried = std::mem::take(&mut *lock(&self.buried));
            let Some(open) = owner.as_ref() else { return };
            for (epoch, handle) in buried {
                if epoch == open.epoch && epoch == self.epoch() {
                    // An object that is gone already is as good as destroyed.
                    let _gone = self.module.raw.destroy_object(&open.session, handle);
                }
            }
        }
    }

    fn note(&self, fault: &Fault, epoch: u64, session: Option<&Session>) {
        let is_dead = || session.is_none_or(|session| session.get_session_info().is_err());
        if fault.is_loss() || fault.may_be_loss() && is_dead() {
            // Only the first to notice ends the epoch.
            let _ended = self.epoch.compare_exchange(epoch, epoch + 1, Ordering::AcqRel, Ordering::Acquire);
        }
    }

    /// Opens a session that is logged in.
    fn connect(&self, epoch: u64) -> Result<Open, Fault> {
        if self.locked_out.load(Ordering::Acquire) {
            return Err(Fault { call: "C_Login (not tried again)", error: RvError::PinIncorrect });
        }
        let session = self
            .module
            .context
            .open_rw_session(self.slot)
            .map_err(|error| Fault::from_cryptoki("C_OpenSession", &error))?;
        let pin = std::str::from_utf8(self.pin.expose())
            .map_err(|_| Fault { call: "C_Login", error: RvError::PinInvalid })?;
        match session.login(UserType::User, Some(&AuthPin::from(pin.to_owned()))) {
            Ok(()) => Ok(Open { session, epoch }),
            Err(error) => match Fault::from_cryptoki("C_Login", &error) {
                Fault { error: RvError::UserAlreadyLoggedIn, .. } => Ok(Open { session, epoch }),
                fault => {
                    if matches!(fault.error, RvError::PinIncorrect | RvError::PinLocked | RvError::PinExpired) {
                        self.locked_out.store(true, Ordering::Release);
                    }
                    Err(fault)
                }
            },
        }
    }
}

/// A place in the pool, given back whatever happens.
struct Seat<'a> {
    sessions: &'a Sessions,
    open: Option<Open>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut idle = lock(&self.sessions.idle);
        match self.open.take() {
            Some(open) => idle.sessions.push(open),
            None => idle.left += 1,
        }
        let is_wanted = idle.waiting > 0;
        drop(idle);
        if is_wanted {
            self.sessions.returned.notify_one();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
