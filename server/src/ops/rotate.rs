//! Rotation without a client: what Re-key, Re-key Key Pair and Re-certify do, when it is time (KMIP 2.1 §4.48, §4.51, §4.54).

use kmip_codec::Value;
use kmip_codec::spec::{ObjectType, Tag};
use kmip_codec::ttlv::Text;

use super::{re_certify, re_key, re_key_key_pair};
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Permitted;
use crate::view::View;

/// Replaces an object whose rotation is due, with its Rotate Offset. Answers the replacements.
///
/// # Errors
/// What the operations say; an internal one for objects that are not replaced so.
pub fn rotate(view: &mut View, existing: &Permitted) -> Outcome<Vec<Text>> {
    let offset = match existing.attributes.get(Tag::RotateOffset) {
        Some(&Value::Interval(seconds)) => Some(seconds),
        _ => None,
    };
    match existing.object_type() {
        ObjectType::SymmetricKey => {
            re_key::replaceable(view, existing, ObjectType::SymmetricKey)?;
            Ok(vec![re_key::replace(view, existing, Vec::new(), offset, None)?])
        }
        ObjectType::PrivateKey => {
            re_key::replaceable(view, existing, ObjectType::PrivateKey)?;
            let pair = re_key_key_pair::Pair { offset, ..re_key_key_pair::Pair::default() };
            let made = re_key_key_pair::replace(view, existing, pair)?;
            Ok(vec![made.private_key, made.public_key])
        }
        ObjectType::Certificate => {
            let renewal = re_certify::Renewal { offset, ..re_certify::Renewal::default() };
            Ok(vec![re_certify::replace(view, existing, renewal)?])
        }
        other => Err(Failure::internal(format!("a {other} is due to be rotated"))),
    }
}
