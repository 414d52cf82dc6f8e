//! Copies (PKCS #11 3.0 §5.7.2): by what Get and Register do, so that only what may leave is copied.

use cryptoki_sys as ck;
use kmip_codec::spec::{Operation, Pkcs11ReturnCode as Code};
use kmip_codec::types::UniqueIdentifier;

use super::Call;
use super::classes::{self, Class};
use super::codec::Value;
use super::codes::{Done, Trouble};
use super::template::Template;
use super::{making, objects};
use crate::ops::{Handler, get};
use crate::trust::policy::Use;

/// C_CopyObject. The template says what is different: the label, the identifier, the uses, whether it stays and whether it may
/// leave.
///
/// # Errors
/// ACTION_PROHIBITED for what cannot be copied, ATTRIBUTE_READ_ONLY for what a copy cannot have otherwise.
pub fn copy_object(call: &mut Call<'_>) -> Done {
    let (session, handle, template) = call.read(|input| Ok((input.ulong()?, input.ulong()?, input.template()?)))?;
    let given = Template::new(template)?;
    call.instance.session(session)?;
    let (object, class) = objects::open(call.view, handle, Operation::Get, Use::Get)?;
    for (kind, value) in given.iter() {
        let is_changed = match (*kind, value) {
            (ck::CKA_TOKEN | ck::CKA_PRIVATE | ck::CKA_LABEL, _) => true,
            (ck::CKA_ID, _) => class != Class::Data,
            // A copy may be guarded more than what it is a copy of.
            (ck::CKA_SENSITIVE, Value::Bool(value)) => class.is_secret() && *value,
            (ck::CKA_EXTRACTABLE, Value::Bool(value)) => class.is_secret() && !*value,
            (kind, Value::Bool(_)) => class.is_key() && class.usage(kind).is_some(),
            _ => false,
        };
        if !is_changed {
            return Err(Code::AttributeReadOnly.into());
        }
    }
    let label = classes::label_of(&object).map(|(_, label)| label.to_string()).unwrap_or_default();
    let id = classes::bytes_of(&object, &classes::id_reference()).map(|id| id.to_vec()).unwrap_or_default();
    let mut all = given;
    let lasting = classes::bytes_of(&object, &classes::session_reference()).is_none();
    all.otherwise(ck::CKA_TOKEN, Value::Bool(lasting));
    if !label.is_empty() {
        all.otherwise(ck::CKA_LABEL, Value::Bytes(label.as_bytes()));
    }
    if !id.is_empty() {
        all.otherwise(ck::CKA_ID, Value::Bytes(&id));
    }
    if let Some(key_type) = classes::key_type(&object).filter(|_| class.is_key()) {
        all.otherwise(ck::CKA_KEY_TYPE, Value::Ulong(key_type));
        let mask = object.usage_mask();
        for (kind, _) in class.uses().filter(|(_, bit)| mask.contains(*bit)) {
            all.otherwise(kind, Value::Bool(true));
        }
        // Said once, so that a key that may do nothing does not get what is usual.
        all.otherwise(ck::CKA_DERIVE, Value::Bool(false));
    }
    making::writable(call, session, all.is_lasting())?;
    let request = get::Request::of(UniqueIdentifier::Text(object.identifier()));
    let copy = get::Get::run(call.view, request).map_err(|failure| {
        Trouble::from(failure)
            .instead(Code::AttributeSensitive, Code::ActionProhibited)
            .instead(Code::KeyUnextractable, Code::ActionProhibited)
    })?;
    call.view.do_as(Operation::Register)?;
    making::kept(call, session, class, &all, copy.object)
}

/// Whether an object can be copied.
pub fn is_copyable(object: &crate::object::Managed, class: Class) -> bool {
    !class.is_secret() || object.is_extractable() && !object.is_sensitive()
}
