//! Objects as another server had them: every attribute is what it was there (KMIP 2.1 §6.1.25).

use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::spec::{ResultReason, State, Tag};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, UniqueIdentifier};

use super::insert::{digest, hides_nothing, set_default};
use super::overlay::{MaterialChange, is_guarded};
use super::{New, View};
use crate::crypto::algorithm::Hash;
use crate::crypto::{keyblock, public};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{AttributeSet, Managed};
use crate::trust::policy::{Permitted, Use};

impl View {
    /// The object that an import would replace; `None` where there is none.
    ///
    /// # Errors
    /// Object Already Exists where it is not to be replaced; Permission Denied where it is somebody else's.
    pub fn replaced(&mut self, identifier: &Text, replace: bool) -> Outcome<Option<Permitted>> {
        let known = self.overlay.load(&self.shared, &self.requester.owner, identifier, self.now);
        match known {
            Err(failure) if failure.reason == ResultReason::ObjectNotFound => return Ok(None),
            Err(failure) => return Err(failure),
            Ok(_) if !replace => {
                return Err(Failure::new(
                    ResultReason::ObjectAlreadyExists,
                    "there is an object with this Unique Identifier",
                ));
            }
            Ok(_) => {}
        }
        let permitted = self.open(Some(&UniqueIdentifier::Text(identifier.clone())), Use::Import);
        permitted.map(Some).map_err(|failure| match failure.reason {
            ResultReason::ObjectNotFound => Failure::new(
                ResultReason::PermissionDenied,
                "the object with this Unique Identifier may not be replaced",
            ),
            _ => failure,
        })
    }

    /// Adds an object as it was, under the identifier that it had, or puts it in the place of another.
    ///
    /// # Errors
    /// Non Unique Name Attribute.
    pub fn restore(&mut self, identifier: &Text, new: New, place: Option<&Permitted>) -> Outcome<()> {
        let attributes = self.carried(identifier, &new);
        let mut object = Managed {
            sequence: place.map_or_else(|| self.shared.vault.next_seq(), |place| place.sequence),
            owner: Arc::clone(&self.requester.owner),
            residency: new.home.residency,
            origin: new.origin,
            attributes,
        };
        object.advance(self.now);
        if !object.is_destroyed() {
            self.permit_object(&object, new.material.as_ref())?;
        }
        let sequence = object.sequence;
        let taken = object
            .usage_limits()
            .and_then(|limits| limits.count.and_then(|count| u64::try_from(limits.total.saturating_sub(count)).ok()));
        let is_destroyed = object.is_destroyed();
        match place {
            None => self.overlay.insert(&self.shared, object, new.material.filter(|_| !is_destroyed))?,
            Some(place) => {
                let guarded = self.guarded(place)?;
                self.overlay.replace(&self.shared, object)?;
                let change = match new.material.filter(|_| !is_destroyed) {
                    Some(material) => MaterialChange::Exchange(guarded, Arc::new(material)),
                    None => MaterialChange::Drop(guarded),
                };
                self.overlay.set_material(sequence, change)?;
            }
        }
        match taken {
            Some(taken) => self.overlay.carry_usage(sequence, taken),
            None => Ok(()),
        }
    }

    /// What the client says, and what it left out as for any new object.
    fn carried(&self, identifier: &Text, new: &New) -> AttributeSet {
        let kind = new.object_type;
        let mut set = AttributeSet::default();
        set.set(Tag::UniqueIdentifier, Value::TextString(identifier.clone()));
        set.set(Tag::ObjectType, Value::Enumeration(kind.into()));
        let ours = [Tag::UniqueIdentifier, Tag::ObjectType];
        for attribute in new.attributes.iter().filter(|attribute| !ours.contains(&attribute.tag)) {
            set.add(attribute.clone());
        }
        let said: Vec<Tag> = set.iter().map(|attribute| attribute.tag).collect();
        for (tag, value) in new.found.iter().filter(|(tag, _)| !said.contains(tag)) {
            set.add(Attribute::new(*tag, value.clone()));
        }
        let short = public::hash(Hash::Sha256, identifier.as_bytes());
        let now = Value::DateTime(self.now);
        for (tag, value) in [
            (Tag::ShortUniqueIdentifier, Value::ByteString(Blob::new(short))),
            (Tag::InitialDate, now.clone()),
            (Tag::LastChangeDate, now),
            (Tag::Fresh, Value::Boolean(true)),
            (Tag::Sensitive, Value::Boolean(false)),
            (Tag::Extractable, Value::Boolean(hides_nothing(kind) || self.shared.settings.extractable)),
            (Tag::ProtectionStorageMask, Value::Integer(new.home.mask.bits().cast_signed())),
        ] {
            set_default(&mut set, kind, tag, value);
        }
        // The state stands with every object, also those of versions that do not show it.
        if !set.has(Tag::State) {
            set.set(Tag::State, Value::Enumeration(State::PreActive.into()));
        }
        if let Some(format) = new.format {
            set_default(&mut set, kind, Tag::KeyFormatType, Value::Enumeration(format.into()));
        }
        let sensitive = set.boolean(Tag::Sensitive).unwrap_or(false);
        let extractable = set.boolean(Tag::Extractable).unwrap_or(true);
        set_default(&mut set, kind, Tag::AlwaysSensitive, Value::Boolean(sensitive));
        set_default(&mut set, kind, Tag::NeverExtractable, Value::Boolean(!extractable));
        if let (Some(Material::Open(object)), false) = (&new.material, set.has(Tag::Digest)) {
            for (format, bytes) in keyblock::digests(object, self.version) {
                if let Some(value) = digest(&bytes, format) {
                    set.add(Attribute::new(Tag::Digest, value));
                }
            }
        }
        set
    }

    /// The key that the module guards for an object.
    fn guarded(&mut self, permitted: &Permitted) -> Outcome<Option<crate::crypto::Guarded>> {
        if permitted.is_destroyed() || !is_guarded(permitted.residency) {
            return Ok(None);
        }
        Ok(match &*self.material(permitted)? {
            Material::Guarded(guarded) => Some(guarded.clone()),
            Material::Open(_) => None,
        })
    }
}
