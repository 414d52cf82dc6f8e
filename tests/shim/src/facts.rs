//! What is written down of the arguments.

use cryptoki_sys::*;
use serde_json::{Map, Value, json};

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
