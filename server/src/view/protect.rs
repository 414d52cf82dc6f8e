//! What a change of Sensitive or Extractable means: their history, and where the key lives.

use kmip_codec::Value;
use kmip_codec::spec::{ResultReason, Tag};

use super::View;
use super::keys::canonical;
use super::overlay::{MaterialChange, is_guarded};
use crate::crypto::Made;
use crate::crypto::keyblock::Canonical;
use crate::failure::{Failure, Outcome};
use crate::object::Residency;
use crate::object::material::Material;
use crate::trust::policy::Permitted;

impl View {
    /// Brings history and residency in line with Sensitive and Extractable as they now are. Tightening moves the key in
    /// the same message; loosening is refused for a key that the module guards.
    ///
    /// # Errors
    /// Read Only Attribute for loosening; what the module says.
    pub fn protect(&mut self, permitted: &Permitted) -> Outcome<()> {
        let guarded = is_guarded(permitted.residency);
        let now = self.overlay.current(permitted.sequence)?;
        let (sensitive, extractable) = (now.is_sensitive(), now.is_extractable());
        if guarded && (extractable || permitted.is_sensitive() && !sensitive) {
            return Err(Failure::new(
                ResultReason::ReadOnlyAttribute,
                "the key lives in the module: its protection cannot be loosened",
            ));
        }
        self.edit(permitted, |object| {
            if !sensitive {
                object.attributes.set(Tag::AlwaysSensitive, Value::Boolean(false));
            }
            if extractable {
                object.attributes.set(Tag::NeverExtractable, Value::Boolean(false));
            }
            Ok(())
        })?;
        if !extractable && !guarded {
            self.guard(permitted)?;
        }
        Ok(())
    }

    /// Moves a key that must not leave any more into the module, where there is one that can hold it.
    fn guard(&mut self, permitted: &Permitted) -> Outcome<()> {
        if permitted.is_destroyed() {
            return Ok(());
        }
        let material = self.material(permitted)?;
        let Material::Open(object) = &*material else { return Ok(()) };
        // What the server cannot use, the module could not either: it stays sealed, and the attributes keep it in.
        let Ok(Canonical::Secret { kind, bytes }) = canonical(permitted, object) else {
            return Ok(());
        };
        let home = self.home(Some(kind), Some(false), None)?;
        if home.residency == Residency::Sealed {
            return Ok(());
        }
        let Made::Guarded(guarded) = self.adopt(kind, &bytes, home.residency)? else {
            return Err(Failure::internal("a provider gave back a key that it was to guard"));
        };
        self.overlay
            .set_material(permitted.sequence, MaterialChange::Put(std::sync::Arc::new(Material::Guarded(guarded))))?;
        self.edit(permitted, |object| {
            object.residency = home.residency;
            object.attributes.set(Tag::ProtectionStorageMask, Value::Integer(home.mask.bits().cast_signed()));
            Ok(())
        })
    }
}
