//! A module, loaded and initialised once in a process, and the choice of its token.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::slot::Slot;

use super::config::{Pkcs11Error, TokenChoice};
use super::fault::Fault;
use super::raw::Raw;

/// A module that was loaded and initialised. It stays so until the process ends: others may be using it.
pub(super) struct Module {
    pub(super) context: Pkcs11,
    pub(super) raw: Raw,
}

/// C_Initialize is once per process and library, however often and by whatever name it is opened.
static LOADED: Mutex<Option<HashMap<PathBuf, Arc<Module>>>> = Mutex::new(None);

impl Module {
    /// Loads and initialises it, with arguments in its own words if it takes any. The first who loads it says them.
    pub(super) fn load(path: &Path, arguments: Option<&str>) -> Result<Arc<Self>, Pkcs11Error> {
        let path = path.canonicalize().map_err(|_| Pkcs11Error::NoModule(path.to_owned()))?;
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = loaded.get_or_insert_default();
        if let Some(module) = loaded.get(&path) {
            return Ok(Arc::clone(module));
        }
        let unusable = |reason: String| Pkcs11Error::NotAModule { path: path.clone(), reason };
        let context = Pkcs11::new(&path).map_err(|error| unusable(error.to_string()))?;
        let raw = Raw::load(&path).map_err(|fault| unusable(fault.to_string()))?;
        if let Some(arguments) = arguments {
            raw.initialize(arguments)
                .map_err(|fault| unusable(format!("it does not initialise with these arguments ({fault})")))?;
        }
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => {
                return Err(unusable(format!(
                    "it does not initialise ({})",
                    Fault::from_cryptoki("C_Initialize", &error)
                )));
            }
        }
        let module = Arc::new(Self { context, raw });
        loaded.insert(path, Arc::clone(&module));
        Ok(module)
    }

    /// The slot of the token that was asked for.
    pub(super) fn slot(&self, wanted: &TokenChoice) -> Result<Slot, Pkcs11Error> {
        let failed = |error: Error| Pkcs11Error::Module(Fault::from_cryptoki("C_GetSlotList", &error).to_string());
        let slots = self.context.get_slots_with_token().map_err(failed)?;
        let mut there = Vec::new();
        let mut found = Vec::new();
        for slot in slots {
            // A module may have tokens that cannot be read; they are not the one that is wanted by its label.
            let info = self.context.get_token_info(slot).ok();
            let initialised = info.as_ref().is_none_or(|info| info.token_initialized() && info.user_pin_initialized());
            let is_it = match wanted {
                TokenChoice::Slot(number) => slot.id() == *number,
                TokenChoice::Label(label) => {
                    info.as_ref().is_some_and(|info| info.token_initialized() && info.label() == label)
                }
            };
            if is_it {
                found.push((slot, initialised));
            }
            match info {
                Some(info) if info.token_initialized() => there.push(format!("{:?} (slot {slot})", info.label())),
                Some(_) => {}
                None => there.push(format!("one that cannot be read (slot {slot})")),
            }
        }
        match (found.as_slice(), wanted) {
            ([(slot, true)], _) => Ok(*slot),
            ([(_, false)], _) => Err(Pkcs11Error::NotInitialised(wanted.clone())),
            ([_, _, ..], TokenChoice::Label(label)) => Err(Pkcs11Error::ManyTokens(label.clone())),
            _ => Err(Pkcs11Error::NoToken { wanted: wanted.clone(), there }),
        }
    }

    /// Whether this is SoftHSM, whose token is files that nobody syncs.
    pub(super) fn is_softhsm(&self) -> bool {
        self.context.get_library_info().is_ok_and(|info| info.manufacturer_id().starts_with("SoftHSM"))
    }
}
