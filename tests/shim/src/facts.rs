//! What is written down of the arguments.

use std::cell::Cell;
use std::sync::PoisonError;

use cryptoki_sys::*;
use serde_json::{Map, Value, json};

thread_local! {
    /// What the call that is written down has answered.
    pub(crate) static ANSWER: Cell<CK_RV> = const { Cell::new(CKR_GENERAL_ERROR) };
}

/// A handle that the module wrote, if it did.
pub(crate) fn handle(place: *mut CK_ULONG) -> Value {
    // SAFETY: null, or the caller's place for a handle.
    unsafe { place.as_ref() }.map_or(Value::Null, |handle| json!(handle))
}

/// The number of a mechanism.
pub(crate) fn mechanism(mechanism: *mut CK_MECHANISM) -> Value {
    // SAFETY: null, or the caller's mechanism.
    unsafe { mechanism.as_ref() }.map_or(Value::Null, |mechanism| json!(mechanism.mechanism))
}

/// Class, type and flags in a template, and whether it has key material: never the material itself.
pub(crate) fn template(list: *mut CK_ATTRIBUTE, len: CK_ULONG) -> Value {
    if list.is_null() {
        return Value::Null;
    }
    // SAFETY: the caller's list of that many attributes.
    let list = unsafe { std::slice::from_raw_parts(list, len as usize) };
    let mut facts = Map::new();
    for attribute in list {
        let flag = || byte(attribute).map_or(Value::Null, |byte| json!(byte != 0));
        let (name, value) = match attribute.type_ {
            CKA_CLASS => ("class", number(attribute)),
            CKA_KEY_TYPE => ("key_type", number(attribute)),
            CKA_TOKEN => ("token", flag()),
            CKA_PRIVATE => ("private", flag()),
            CKA_SENSITIVE => ("sensitive", flag()),
            CKA_EXTRACTABLE => ("extractable", flag()),
            CKA_MODIFIABLE => ("modifiable", flag()),
            CKA_COPYABLE => ("copyable", flag()),
            CKA_ENCRYPT => ("encrypt", flag()),
            CKA_DECRYPT => ("decrypt", flag()),
            CKA_SIGN => ("sign", flag()),
            CKA_WRAP => ("wrap", flag()),
            CKA_UNWRAP => ("unwrap", flag()),
            CKA_DERIVE => ("derive", flag()),
            CKA_VALUE | CKA_PRIVATE_EXPONENT | CKA_PRIME_1 | CKA_PRIME_2 | CKA_EXPONENT_1 | CKA_EXPONENT_2
            | CKA_COEFFICIENT | CKA_SEED => ("material", Value::Bool(true)),
            _ => continue,
        };
        facts.insert(name.to_owned(), value);
    }
    Value::Object(facts)
}

/// What a key may, and where it is, as the real module says it. Asked for before the module is asked to wrap with it, or it.
pub(crate) fn flags(session: CK_SESSION_HANDLE, object: CK_OBJECT_HANDLE) -> Value {
    let Some(get) = crate::real().and_then(|real| real.list.C_GetAttributeValue) else { return Value::Null };
    let names = [
        ("token", CKA_TOKEN),
        ("sensitive", CKA_SENSITIVE),
        ("extractable", CKA_EXTRACTABLE),
        ("modifiable", CKA_MODIFIABLE),
        ("encrypt", CKA_ENCRYPT),
        ("decrypt", CKA_DECRYPT),
        ("wrap", CKA_WRAP),
    ];
    let mut facts = Map::new();
    for (name, attribute) in names {
        let mut flag: CK_BBOOL = 0;
        let mut entry = CK_ATTRIBUTE { type_: attribute, pValue: (&raw mut flag).cast(), ulValueLen: 1 };
        // SAFETY: one attribute with a place of its own for its one byte.
        if unsafe { get(session, object, &mut entry, 1) } == CKR_OK {
            facts.insert(name.to_owned(), json!(flag != 0));
        }
    }
    Value::Object(facts)
}

/// Hides the mechanisms whose numbers stand in the file that `KMIPD_SHIM_LACKS` names: a module that does not have them yet.
pub(crate) fn hide(list: *mut CK_MECHANISM_TYPE, count: *mut CK_ULONG) -> Value {
    let lacking = std::env::var_os("KMIPD_SHIM_LACKS").and_then(|path| std::fs::read_to_string(path).ok());
    // SAFETY: null, or the caller's place for a length.
    let (Some(lacking), Some(count)) = (lacking, unsafe { count.as_ref() }.filter(|_| !list.is_null())) else {
        return Value::Null;
    };
    let lacking: Vec<CK_MECHANISM_TYPE> = lacking.split_whitespace().filter_map(|one| one.parse().ok()).collect();
    // SAFETY: the caller's list, where the module wrote so many.
    for mechanism in unsafe { std::slice::from_raw_parts_mut(list, *count as usize) } {
        if lacking.contains(mechanism) {
            *mechanism |= CKM_VENDOR_DEFINED;
        }
    }
    json!(lacking)
}

/// Takes down the material in a template that a key is made of, to know it again.
pub(crate) fn remember(list: *mut CK_ATTRIBUTE, len: CK_ULONG) -> Value {
    let Some(real) = crate::real().filter(|_| !list.is_null()) else { return Value::Null };
    // SAFETY: the caller's list of that many attributes.
    for attribute in unsafe { std::slice::from_raw_parts(list, len as usize) } {
        let is_material = matches!(
            attribute.type_,
            CKA_VALUE
                | CKA_PRIVATE_EXPONENT
                | CKA_PRIME_1
                | CKA_PRIME_2
                | CKA_EXPONENT_1
                | CKA_EXPONENT_2
                | CKA_COEFFICIENT
        );
        if is_material && !attribute.pValue.is_null() {
            // SAFETY: that many bytes of the caller's.
            let bytes =
                unsafe { std::slice::from_raw_parts(attribute.pValue.cast::<u8>(), attribute.ulValueLen as usize) };
            // One byte again and again comes up by chance.
            let ends = [bytes.first_chunk::<16>(), bytes.last_chunk::<16>()].into_iter().flatten();
            let mut material = real.material.lock().unwrap_or_else(PoisonError::into_inner);
            material.extend(ends.filter(|end| end.iter().any(|byte| Some(byte) != end.first())));
        }
    }
    Value::Null
}

/// Whether what the module wrote holds either end of material that went in with a key.
pub(crate) fn shows(out: *mut CK_BYTE, len: *mut CK_ULONG) -> Value {
    let shown = found(out, len);
    cut(out, len);
    shown
}

fn found(out: *mut CK_BYTE, len: *mut CK_ULONG) -> Value {
    // SAFETY: null, or the caller's place for a length.
    let len = unsafe { len.as_ref() }.copied().unwrap_or(0);
    // What did not go through wrote nothing, and may say a length that there is no room for.
    let wrote = ANSWER.get() == CKR_OK && !out.is_null() && len >= 16;
    let Some(real) = crate::real().filter(|_| wrote) else { return json!(false) };
    // SAFETY: the module wrote that many bytes there.
    let out = unsafe { std::slice::from_raw_parts(out, len as usize) };
    let material = real.material.lock().unwrap_or_else(PoisonError::into_inner);
    json!(out.windows(16).any(|window| material.contains(window)))
}

/// Takes a byte off what the module wrote, while it is to be cut short.
fn cut(out: *mut CK_BYTE, len: *mut CK_ULONG) {
    let is_cut = std::env::var_os("KMIPD_SHIM_CUT").is_some_and(|path| std::path::Path::new(&path).exists());
    // SAFETY: null, or the caller's place for a length.
    let Some(len) = (unsafe { len.as_mut() }).filter(|_| is_cut) else { return };
    if ANSWER.get() == CKR_OK && !out.is_null() && *len > 0 {
        *len -= 1;
    }
}

fn byte(attribute: &CK_ATTRIBUTE) -> Option<u8> {
    if attribute.ulValueLen != 1 {
        return None;
    }
    // SAFETY: null, or one byte of the caller's.
    unsafe { attribute.pValue.cast::<u8>().as_ref() }.copied()
}

fn number(attribute: &CK_ATTRIBUTE) -> Value {
    if attribute.pValue.is_null() || attribute.ulValueLen as usize != size_of::<CK_ULONG>() {
        return Value::Null;
    }
    // SAFETY: that many bytes of the caller's; they need not be aligned.
    json!(unsafe { attribute.pValue.cast::<CK_ULONG>().read_unaligned() })
}
