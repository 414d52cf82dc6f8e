//! A PKCS#11 module for tests. It forwards every call to a real module and writes one line of JSON for each: function,
//! return value, mechanism, handles, and what a template says of a key. It never writes the value of a key, a PIN or data.
//!
//! - `KMIPD_SHIM_MODULE`: the real module.
//! - `KMIPD_SHIM_LOG`: the file that the lines are appended to.
//! - `KMIPD_SHIM_GONE`: while a file of this name exists, the token is gone: sessions are closed behind the caller's
//!   back, and every call with a session or slot answers CKR_DEVICE_REMOVED.
//! - `KMIPD_SHIM_STUCK`: while a file of this name exists, calls that work with a key do not come back. Each writes a line
//!   with the function "stuck" first.
//! - `KMIPD_SHIM_CUT`: while a file of this name exists, what the module writes comes with a byte less, at its end.
//! - `KMIPD_SHIM_END`: while a file of this name exists, the process ends, as if killed, right after it has made a token
//!   object with the function that the file names.

#![allow(unsafe_code, reason = "a PKCS#11 module is C; this one is only for tests")]
#![allow(non_snake_case, reason = "the functions have the names of the standard")]

mod facts;

use std::collections::{BTreeSet, HashSet};
use std::env;
use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use cryptoki_sys::*;
use facts::{flags, handle, hide, mechanism, remember, shows, template};
use serde_json::{Value, json};

struct Real {
    list: CK_FUNCTION_LIST,
    /// Since PKCS#11 3.2.
    decapsulate_key: CK_C_DecapsulateKey,
    _library: Pkcs11,
    log: Mutex<Option<File>>,
    slots: Mutex<BTreeSet<CK_SLOT_ID>>,
    was_gone: Mutex<bool>,
    /// Both ends of that of the keys that were brought in. It stays here: the log is told whether the module showed it.
    material: Mutex<HashSet<[u8; 16]>>,
}

fn real() -> Option<&'static Real> {
    static REAL: OnceLock<Option<Real>> = OnceLock::new();
    REAL.get_or_init(|| {
        let path = env::var_os("KMIPD_SHIM_MODULE")?;
        // SAFETY: the test names a PKCS#11 module.
        let library = unsafe { Pkcs11::new(path) }.ok()?;
        let mut list = std::ptr::null_mut();
        // SAFETY: `list` is a valid place for the pointer.
        unsafe { library.C_GetFunctionList.as_ref().ok()?(&mut list) };
        // SAFETY: the module's list lives as long as the library, which is kept.
        let list = *unsafe { list.as_ref() }?;
        let log =
            env::var_os("KMIPD_SHIM_LOG").and_then(|path| OpenOptions::new().create(true).append(true).open(path).ok());
        Some(Real {
            list,
            decapsulate_key: decapsulate_key(&library),
            _library: library,
            log: Mutex::new(log),
            slots: Mutex::default(),
            was_gone: Mutex::new(false),
            material: Mutex::default(),
        })
    })
    .as_ref()
}

fn decapsulate_key(library: &Pkcs11) -> CK_C_DecapsulateKey {
    let get = library.C_GetInterface.as_ref().ok()?;
    let (mut name, mut version) = (*b"PKCS 11\0", VERSION_3_2);
    let mut interface: *mut CK_INTERFACE = std::ptr::null_mut();
    // SAFETY: all of these are locals, and the module keeps none of them.
    let rv = unsafe { get(name.as_mut_ptr(), &mut version, &mut interface, 0) };
    // SAFETY: after CKR_OK this is null or an interface, which lives as long as the library.
    let list = unsafe { interface.as_ref() }.filter(|_| rv == CKR_OK)?.pFunctionList;
    // SAFETY: a list of functions begins with its version, and is what that says.
    let version = unsafe { list.cast::<CK_VERSION>().as_ref() }?;
    let is_it = (version.major, version.minor) == (VERSION_3_2.major, VERSION_3_2.minor);
    // SAFETY: as above.
    unsafe { list.cast::<CK_FUNCTION_LIST_3_2>().as_ref() }.filter(|_| is_it)?.C_DecapsulateKey
}

const VERSION_3_2: CK_VERSION = CK_VERSION { major: 3, minor: 2 };

impl Real {
    fn write(&self, function: &str, rv: CK_RV, mut facts: Value) {
        if let Some(line) = facts.as_object_mut() {
            line.insert("function".to_owned(), json!(function));
            line.insert("rv".to_owned(), json!(rv));
        }
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(log) = log.as_mut() {
            // One write for a line: other processes append to the same file.
            let _lost = log.write_all(format!("{facts}\n").as_bytes());
        }
        if facts.pointer("/template/token") == Some(&Value::Bool(true)) && rv == CKR_OK {
            let named = env::var_os("KMIPD_SHIM_END").and_then(|path| std::fs::read_to_string(path).ok());
            if named.as_deref() == Some(function) {
                std::process::abort();
            }
        }
    }

    /// Waits while the module is stuck.
    fn wait(&self, function: &str) {
        let is_work = ["C_EncryptInit", "C_DecryptInit", "C_SignInit", "C_GenerateKey", "C_GenerateRandom"];
        let Some(file) = env::var_os("KMIPD_SHIM_STUCK").filter(|_| is_work.contains(&function)) else { return };
        if Path::new(&file).exists() {
            self.write("stuck", CKR_OK, json!({}));
        }
        while Path::new(&file).exists() {
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether the token is gone; closes all sessions when it goes.
    fn is_gone(&self) -> bool {
        let gone = env::var_os("KMIPD_SHIM_GONE").is_some_and(|path| Path::new(&path).exists());
        let mut was_gone = self.was_gone.lock().unwrap_or_else(PoisonError::into_inner);
        if gone && !*was_gone {
            for slot in self.slots.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                if let Some(close) = self.list.C_CloseAllSessions {
                    // SAFETY: takes a number.
                    unsafe { close(*slot) };
                }
            }
        }
        *was_gone = gone;
        gone
    }
}

/// Every function with its arguments, and what is written down of them.
macro_rules! forward {
    ($($function:ident($($argument:ident: $type:ty),*) {$($name:literal: $fact:expr),*};)*) => {
        $(
            unsafe extern "C" fn $function($($argument: $type),*) -> CK_RV {
                let Some(real) = real() else { return CKR_GENERAL_ERROR };
                let offline = matches!(stringify!($function), "C_Initialize" | "C_Finalize" | "C_GetInfo");
                real.wait(stringify!($function));
                let rv = match real.list.$function {
                    _ if !offline && real.is_gone() => CKR_DEVICE_REMOVED,
                    // SAFETY: the caller keeps to the standard; the arguments go on as they came.
                    Some(function) => unsafe { function($($argument),*) },
                    None => CKR_FUNCTION_NOT_SUPPORTED,
                };
                facts::ANSWER.set(rv);
                real.write(stringify!($function), rv, json!({$($name: $fact),*}));
                rv
            }
        )*

        fn functions() -> CK_FUNCTION_LIST {
            CK_FUNCTION_LIST {
                version: CK_VERSION { major: 2, minor: 40 },
                $($function: Some($function),)*
                C_GetFunctionList: Some(C_GetFunctionList),
                C_OpenSession: Some(C_OpenSession),
            }
        }

        /// Of what PKCS#11 has had since, C_DecapsulateKey alone.
        fn functions_3_2() -> CK_FUNCTION_LIST_3_2 {
            CK_FUNCTION_LIST_3_2 {
                version: VERSION_3_2,
                $($function: Some($function),)*
                C_GetFunctionList: Some(C_GetFunctionList),
                C_OpenSession: Some(C_OpenSession),
                C_DecapsulateKey: Some(C_DecapsulateKey),
                ..CK_FUNCTION_LIST_3_2::default()
            }
        }
    };
}

type Session = CK_SESSION_HANDLE;
type Object = CK_OBJECT_HANDLE;
type Bytes = *mut CK_BYTE;
type Length = *mut CK_ULONG;
type Mechanism = *mut CK_MECHANISM;
type Template = *mut CK_ATTRIBUTE;

forward! {
    C_Initialize(arguments: *mut c_void) {};
    C_Finalize(reserved: *mut c_void) {};
    C_GetInfo(info: *mut CK_INFO) {};
    C_GetSlotList(present: CK_BBOOL, list: *mut CK_SLOT_ID, count: Length) {};
    C_GetSlotInfo(slot: CK_SLOT_ID, info: *mut CK_SLOT_INFO) {"slot": slot};
    C_GetTokenInfo(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) {"slot": slot};
    C_GetMechanismList(slot: CK_SLOT_ID, list: *mut CK_MECHANISM_TYPE, count: Length)
        {"slot": slot, "hidden": hide(list, count)};
    C_GetMechanismInfo(slot: CK_SLOT_ID, kind: CK_MECHANISM_TYPE, info: *mut CK_MECHANISM_INFO) {"mechanism": kind};
    C_InitToken(slot: CK_SLOT_ID, pin: *mut CK_UTF8CHAR, len: CK_ULONG, label: *mut CK_UTF8CHAR) {"slot": slot};
    C_InitPIN(session: Session, pin: *mut CK_UTF8CHAR, len: CK_ULONG) {"session": session};
    C_SetPIN(session: Session, old: *mut CK_UTF8CHAR, old_len: CK_ULONG, new: *mut CK_UTF8CHAR, len: CK_ULONG) {};
    C_CloseSession(session: Session) {"session": session};
    C_CloseAllSessions(slot: CK_SLOT_ID) {"slot": slot};
    C_GetSessionInfo(session: Session, info: *mut CK_SESSION_INFO) {"session": session};
    C_GetOperationState(session: Session, state: Bytes, len: Length) {"session": session};
    C_SetOperationState(session: Session, state: Bytes, len: CK_ULONG, one: Object, two: Object) {"session": session};
    C_Login(session: Session, user: CK_USER_TYPE, pin: *mut CK_UTF8CHAR, len: CK_ULONG) {"session": session, "user": user};
    C_Logout(session: Session) {"session": session};
    C_CreateObject(session: Session, list: Template, len: CK_ULONG, object: *mut Object)
        {"session": session, "remembered": remember(list, len), "template": template(list, len), "object": handle(object)};
    C_CopyObject(session: Session, from: Object, list: Template, len: CK_ULONG, object: *mut Object)
        {"session": session, "from": from, "template": template(list, len), "object": handle(object)};
    C_DestroyObject(session: Session, object: Object) {"session": session, "object": object};
    C_GetObjectSize(session: Session, object: Object, size: Length) {"session": session, "object": object};
    C_GetAttributeValue(session: Session, object: Object, list: Template, len: CK_ULONG)
        {"session": session, "object": object, "template": template(list, len)};
    C_SetAttributeValue(session: Session, object: Object, list: Template, len: CK_ULONG)
        {"session": session, "object": object, "template": template(list, len)};
    C_FindObjectsInit(session: Session, list: Template, len: CK_ULONG) {"session": session, "template": template(list, len)};
    C_FindObjects(session: Session, list: *mut Object, len: CK_ULONG, count: Length) {"session": session};
    C_FindObjectsFinal(session: Session) {"session": session};
    C_EncryptInit(session: Session, how: Mechanism, key: Object) {"session": session, "mechanism": mechanism(how), "key": key};
    C_Encrypt(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_EncryptUpdate(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_EncryptFinal(session: Session, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DecryptInit(session: Session, how: Mechanism, key: Object) {"session": session, "mechanism": mechanism(how), "key": key};
    C_Decrypt(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DecryptUpdate(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DecryptFinal(session: Session, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DigestInit(session: Session, how: Mechanism) {"session": session, "mechanism": mechanism(how)};
    C_Digest(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DigestUpdate(session: Session, data: Bytes, len: CK_ULONG) {"session": session};
    C_DigestKey(session: Session, key: Object) {"session": session, "key": key};
    C_DigestFinal(session: Session, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_SignInit(session: Session, how: Mechanism, key: Object) {"session": session, "mechanism": mechanism(how), "key": key};
    C_Sign(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_SignUpdate(session: Session, data: Bytes, len: CK_ULONG) {"session": session};
    C_SignFinal(session: Session, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_SignRecoverInit(session: Session, how: Mechanism, key: Object) {"mechanism": mechanism(how), "key": key};
    C_SignRecover(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_VerifyInit(session: Session, how: Mechanism, key: Object) {"mechanism": mechanism(how), "key": key};
    C_Verify(session: Session, data: Bytes, len: CK_ULONG, signature: Bytes, signature_len: CK_ULONG) {"session": session};
    C_VerifyUpdate(session: Session, data: Bytes, len: CK_ULONG) {"session": session};
    C_VerifyFinal(session: Session, signature: Bytes, len: CK_ULONG) {"session": session};
    C_VerifyRecoverInit(session: Session, how: Mechanism, key: Object) {"mechanism": mechanism(how), "key": key};
    C_VerifyRecover(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DigestEncryptUpdate(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DecryptDigestUpdate(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_SignEncryptUpdate(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_DecryptVerifyUpdate(session: Session, data: Bytes, len: CK_ULONG, out: Bytes, out_len: Length) {"session": session, "shows": shows(out, out_len)};
    C_GenerateKey(session: Session, how: Mechanism, list: Template, len: CK_ULONG, object: *mut Object)
        {"session": session, "mechanism": mechanism(how), "template": template(list, len), "object": handle(object)};
    C_GenerateKeyPair(session: Session, how: Mechanism, public: Template, public_len: CK_ULONG, private: Template, len: CK_ULONG,
        public_object: *mut Object, object: *mut Object)
        {"session": session, "mechanism": mechanism(how), "public_template": template(public, public_len),
         "template": template(private, len), "public": handle(public_object), "object": handle(object)};
    C_WrapKey(session: Session, how: Mechanism, by: Object, key: Object, out: Bytes, out_len: Length)
        {"session": session, "mechanism": mechanism(how), "by": by, "key": key, "by_flags": flags(session, by),
         "key_flags": flags(session, key), "shows": shows(out, out_len)};
    C_UnwrapKey(session: Session, how: Mechanism, by: Object, wrapped: Bytes, wrapped_len: CK_ULONG, list: Template, len: CK_ULONG,
        object: *mut Object)
        {"session": session, "mechanism": mechanism(how), "by": by, "template": template(list, len), "object": handle(object)};
    C_DeriveKey(session: Session, how: Mechanism, key: Object, list: Template, len: CK_ULONG, object: *mut Object)
        {"session": session, "mechanism": mechanism(how), "key": key, "template": template(list, len), "object": handle(object)};
    C_SeedRandom(session: Session, seed: Bytes, len: CK_ULONG) {"session": session};
    C_GenerateRandom(session: Session, out: Bytes, len: CK_ULONG) {"session": session};
    C_GetFunctionStatus(session: Session) {"session": session};
    C_CancelFunction(session: Session) {"session": session};
    C_WaitForSlotEvent(flags: CK_FLAGS, slot: *mut CK_SLOT_ID, reserved: *mut c_void) {};
}

unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    application: *mut c_void,
    notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    let Some(real) = real() else { return CKR_GENERAL_ERROR };
    let rv = match real.list.C_OpenSession {
        _ if real.is_gone() => CKR_DEVICE_REMOVED,
        // SAFETY: as above.
        Some(open) => unsafe { open(slot, flags, application, notify, session) },
        None => CKR_FUNCTION_NOT_SUPPORTED,
    };
    real.slots.lock().unwrap_or_else(PoisonError::into_inner).insert(slot);
    real.write("C_OpenSession", rv, json!({"slot": slot, "session": handle(session)}));
    rv
}

/// The module's entry point.
///
/// # Safety
/// `list` is a valid place for a pointer, as the standard says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    static LIST: OnceLock<CK_FUNCTION_LIST> = OnceLock::new();
    if list.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    // SAFETY: checked above; nobody writes through the pointer, whatever its type says.
    unsafe { *list = std::ptr::from_ref(LIST.get_or_init(functions)).cast_mut() };
    CKR_OK
}

unsafe extern "C" fn C_DecapsulateKey(
    session: CK_SESSION_HANDLE,
    how: Mechanism,
    key: Object,
    list: Template,
    len: CK_ULONG,
    ciphertext: Bytes,
    ciphertext_len: CK_ULONG,
    object: *mut Object,
) -> CK_RV {
    let Some(real) = real() else { return CKR_GENERAL_ERROR };
    let rv = match real.decapsulate_key {
        _ if real.is_gone() => CKR_DEVICE_REMOVED,
        // SAFETY: the caller keeps to the standard; the arguments go on as they came.
        Some(function) => unsafe { function(session, how, key, list, len, ciphertext, ciphertext_len, object) },
        None => CKR_FUNCTION_NOT_SUPPORTED,
    };
    facts::ANSWER.set(rv);
    let facts = json!({"session": session, "mechanism": mechanism(how), "key": key, "template": template(list, len),
        "object": handle(object)});
    real.write("C_DecapsulateKey", rv, facts);
    rv
}

/// An interface that nobody writes to.
struct Interface(CK_INTERFACE);

// SAFETY: its pointers are to what lives for ever and does not change.
unsafe impl Send for Interface {}
// SAFETY: as above.
unsafe impl Sync for Interface {}

/// The interface of PKCS#11 3.2 if the module has C_DecapsulateKey, else that of 2.40.
///
/// # Safety
/// `interface` is a valid place for a pointer, as the standard says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetInterface(
    _name: *mut CK_UTF8CHAR,
    _version: *mut CK_VERSION,
    interface: *mut *mut CK_INTERFACE,
    _flags: CK_FLAGS,
) -> CK_RV {
    static LIST: OnceLock<CK_FUNCTION_LIST_3_2> = OnceLock::new();
    static OLDER: OnceLock<CK_FUNCTION_LIST> = OnceLock::new();
    static INTERFACE: OnceLock<Interface> = OnceLock::new();
    if interface.is_null() {
        return CKR_ARGUMENTS_BAD;
    }
    let given = INTERFACE.get_or_init(|| {
        let list: *const c_void = if real().is_some_and(|real| real.decapsulate_key.is_some()) {
            std::ptr::from_ref(LIST.get_or_init(functions_3_2)).cast()
        } else {
            std::ptr::from_ref(OLDER.get_or_init(functions)).cast()
        };
        let name = c"PKCS 11".as_ptr().cast_mut().cast();
        Interface(CK_INTERFACE { pInterfaceName: name, pFunctionList: list.cast_mut(), flags: 0 })
    });
    // SAFETY: checked above; nobody writes through the pointer, whatever its type says.
    unsafe { *interface = std::ptr::from_ref(&given.0).cast_mut() };
    CKR_OK
}
