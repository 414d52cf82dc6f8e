//! An object on its way to a client: its format, its compression, and whether it goes wrapped. Get and Export have it in
//! common (KMIP 2.1 §6.1.18, §6.1.19).

use kmip_codec::spec::{Enumeration, KeyCompressionType, KeyFormatType, KeyWrapType, ResultReason};
use kmip_codec::types::{KeyWrappingSpecification, Object};

use super::{containers, wrapping};
use crate::crypto::keyblock;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Permitted;
use crate::view::{View, hides};

/// How a client wants an object.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// The format that a key should have.
    pub format: Option<KeyFormatType>,
    /// Whether a key that was registered wrapped should stay so.
    pub wrap_type: Option<KeyWrapType>,
    /// How a point should be written.
    pub compression: Option<KeyCompressionType>,
    /// How the key should be wrapped.
    pub specification: Option<KeyWrappingSpecification>,
}

/// Lets an object leave as it is wanted.
///
/// # Errors
/// What [`View::export`] says, of the object and of the key that opens it; Key Wrap Type Not Supported; what unwrapping,
/// converting and wrapping are refused for.
pub fn give(view: &mut View, permitted: &Permitted, wanted: &Wanted) -> Outcome<Object> {
    let unwrap = match wanted.wrap_type {
        None | Some(KeyWrapType::AsRegistered) => false,
        Some(KeyWrapType::NotWrapped) => true,
        Some(other) => {
            return Err(Failure::new(
                ResultReason::KeyWrapTypeNotSupported,
                format!("there is no Key Wrap Type {other}"),
            ));
        }
    };
    // What rests wrapped, as it was registered, leaves wrapped unless it is to be opened first.
    let stays_wrapped = !unwrap && view.rests_wrapped(permitted)?;
    let hidden = wanted.specification.as_ref().is_some_and(|how| hides(how.wrapping_method));
    let mut object = view.export(permitted, hidden || stays_wrapped)?.into_object();
    if unwrap && let Some(parents) = wrapping::unwrap(view, &mut object)? {
        parents.let_go(hidden)?;
    }
    if wanted.format == Some(KeyFormatType::Pkcs12) {
        if wanted.specification.is_some() || wanted.compression.is_some() {
            return Err(Failure::invalid_field("a PKCS#12 container is neither wrapped nor compressed"));
        }
        containers::close(view, permitted, &mut object)?;
        return Ok(object);
    }
    let format = format(view, &object, wanted)?;
    keyblock::convert(&mut object, format, wanted.compression)?;
    if let Some(specification) = &wanted.specification {
        wrapping::wrap(view, permitted, &mut object, specification)?;
    }
    Ok(object)
}

/// The format that is wanted; where the client does not say and its version does not know the one that the key is kept in,
/// the default of such keys.
fn format(view: &View, object: &Object, wanted: &Wanted) -> Outcome<Option<KeyFormatType>> {
    let Some(block) = object.key_block() else { return Ok(wanted.format) };
    if wanted.format.is_some() || block.key_format_type.allowed_in(view.version()) {
        return Ok(wanted.format);
    }
    let kind = keyblock::canonical(object.object_type(), block).map(|key| key.kind());
    let format = kind.ok().map(|kind| keyblock::default_format(object.object_type(), kind, view.version()));
    format.map(Some).ok_or_else(|| {
        Failure::new(
            ResultReason::KeyFormatTypeNotSupported,
            format!("KMIP {} does not know the format in which the key is kept", view.version()),
        )
    })
}
