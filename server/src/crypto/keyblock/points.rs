//! Key Compression Types: how the point of a public key on a curve is written (KMIP 2.1 §3.1, §11.24).

use kmip_codec::spec::{KeyCompressionType as Compression, ObjectType, ResultReason};
use kmip_codec::types::{KeyBlock, KeyMaterial};

use super::{Canonical, canonical};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyformat::{EcPublicParts, PointForm};
use crate::failure::{Failure, Outcome};

/// The form that a compression type names, on a curve over a prime field. Curves over binary fields are not used here, so that
/// theirs is no form of any key that can be taken apart.
fn form_of(compression: Compression) -> Option<PointForm> {
    Some(match compression {
        Compression::ECPublicKeyTypeUncompressed => PointForm::Uncompressed,
        Compression::ECPublicKeyTypeX962CompressedPrime => PointForm::Compressed,
        Compression::ECPublicKeyTypeX962Hybrid => PointForm::Hybrid,
        _ => return None,
    })
}

/// A public key with its point in another form, if it is in another one.
///
/// # Errors
/// Key Compression Type Not Supported.
pub(super) fn compress(kind: ObjectType, present: &KeyBlock, wanted: Compression) -> Outcome<Option<KeyBlock>> {
    let unsupported =
        || Failure::new(ResultReason::KeyCompressionTypeNotSupported, "the key cannot be given in that compression");
    let parts = match (kind, canonical(kind, present)) {
        (ObjectType::PublicKey, Ok(Canonical::Public { kind: KeyKind::Ec { .. }, spki })) => {
            EcPublicParts::from_spki(&spki).ok()
        }
        _ => None,
    };
    let Some(whole) = parts else {
        // What has no point that could be compressed has none that is.
        let said = present.key_compression_type.unwrap_or(Compression::ECPublicKeyTypeUncompressed);
        return if said == wanted { Ok(None) } else { Err(unsupported()) };
    };
    let form = form_of(wanted).ok_or_else(unsupported)?;
    let parts = whole.in_form(form).map_err(|_| unsupported())?;
    let key = Canonical::Public { kind: KeyKind::Ec { curve: parts.curve }, spki: parts.to_spki()? };
    let mut converted = super::block(&key, present.cryptographic_algorithm, present.key_format_type)?;
    converted.cryptographic_length = present.cryptographic_length;
    let is_default = form == PointForm::Uncompressed && present.key_compression_type.is_none();
    converted.key_compression_type = Some(wanted).filter(|_| !is_default);
    Ok(Some(converted).filter(|converted| converted != present))
}

/// Refuses a form of a point where there is no point.
///
/// # Errors
/// Key Compression Type Not Supported.
pub(super) fn none(wanted: Option<Compression>) -> Outcome<()> {
    match wanted {
        Some(other) if other != Compression::ECPublicKeyTypeUncompressed => Err(Failure::new(
            ResultReason::KeyCompressionTypeNotSupported,
            format!("the Key Compression Type {other} is for public keys on curves"),
        )),
        _ => Ok(()),
    }
}

/// Looks at the point of a public key that comes from a client: it is on its curve, and in the form that its key block says.
///
/// # Errors
/// Invalid Field.
pub fn examine(object: ObjectType, block: &KeyBlock) -> Outcome<()> {
    let Some(said) = point(object, block)? else {
        return none(block.key_compression_type).map_err(|failure| Failure::invalid_field(failure.message));
    };
    if !said.is_on_curve() {
        return Err(Failure::invalid_field("the point of the public key is not on its curve"));
    }
    match block.key_compression_type {
        Some(compression) if form_of(compression) != PointForm::of(&said.point) => {
            Err(Failure::invalid_field("the point of the public key is not in the form of its Key Compression Type"))
        }
        _ => Ok(()),
    }
}

/// The point of a public key as it stands in its block.
fn point(object: ObjectType, block: &KeyBlock) -> Outcome<Option<EcPublicParts>> {
    if object != ObjectType::PublicKey {
        return Ok(None);
    }
    let spki = match super::material(block)? {
        KeyMaterial::Bytes(bytes) => bytes.to_vec(),
        KeyMaterial::Structure(numbers) if super::transparent::is_public(block.key_format_type) => {
            super::transparent::public(block.key_format_type, numbers)?
        }
        KeyMaterial::Structure(_) => return Ok(None),
    };
    Ok(EcPublicParts::from_spki(&spki).ok())
}
