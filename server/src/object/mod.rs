//! Managed objects: what they are ([`Managed`]), how they live ([`state`]), what may be done to their attributes
//! ([`rules`]), what they may be used for ([`usage`]), what they are made of ([`material`]), how they are found
//! ([`terms`]).

mod attributes;
pub mod guarded;
pub mod material;
pub mod postquantum;
pub mod quantum;
pub mod record;
pub mod replacement;
pub mod rules;
pub mod spans;
pub mod state;
pub mod terms;
pub mod usage;

use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask, ObjectType, ProtectionStorageMask, ResultReason, State,
    StorageStatusMask, Tag, Version, attribute_by_tag,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, UsageLimits};

pub use attributes::AttributeSet;
use state::{Dates, Event};

/// Where the key material rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Residency {
    /// The server can open it.
    Sealed = 1,
    /// Only the module can, from a blob that we keep.
    Wrapped = 2,
    /// In the module.
    Token = 3,
}

/// How the key came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Generated where it rests.
    Generated = 1,
    /// Registered by a client, so that others may know it.
    Registered = 2,
}

/// A managed object without its material. Its attributes say everything that a client may know.
#[derive(Debug, Clone, PartialEq)]
pub struct Managed {
    /// The number of its creation: later objects have higher ones.
    pub sequence: u64,
    /// Who made it.
    pub owner: Arc<str>,
    /// Where its material rests.
    pub residency: Residency,
    /// How its material came to be.
    pub origin: Origin,
    /// Its attributes; Unique Identifier, Object Type and State are always among them.
    pub attributes: AttributeSet,
}

impl Managed {
    /// Unique Identifier.
    pub fn identifier(&self) -> Text {
        match self.attributes.get(Tag::UniqueIdentifier) {
            Some(Value::TextString(text)) => text.clone(),
            _ => Text::new(),
        }
    }

    /// Object Type.
    pub fn object_type(&self) -> ObjectType {
        self.attributes.enumeration(Tag::ObjectType).unwrap_or(ObjectType(0))
    }

    /// Cryptographic Algorithm.
    pub fn algorithm(&self) -> Option<CryptographicAlgorithm> {
        self.attributes.enumeration(Tag::CryptographicAlgorithm)
    }

    /// State, as it was last written; [`Managed::advance`] brings it up to now.
    pub fn state(&self) -> State {
        self.attributes.enumeration(Tag::State).unwrap_or(State::Destroyed)
    }

    /// Whether the material is gone for ever.
    pub fn is_destroyed(&self) -> bool {
        matches!(self.state(), State::Destroyed | State::DestroyedCompromised)
    }

    /// Whether it is archived.
    pub fn is_archived(&self) -> bool {
        self.attributes.has(Tag::ArchiveDate)
    }

    /// Its attributes as a version shows them: a Template has none of those that are a key's.
    pub fn shown(&self, version: Version) -> impl Iterator<Item = &Attribute> {
        let kind = self.object_type();
        self.attributes.iter().filter(move |attribute| {
            kind != ObjectType::Template
                || attribute_by_tag(attribute.tag)
                    .is_none_or(|row| attribute.tag == Tag::Attribute || row.applies_to(kind, version))
        })
    }

    /// Whether it is on-line, archived or destroyed (KMIP 2.1 §12.3).
    pub fn storage_status(&self) -> StorageStatusMask {
        if self.is_destroyed() {
            StorageStatusMask::DESTROYED_STORAGE
        } else if self.is_archived() {
            StorageStatusMask::ARCHIVAL_STORAGE
        } else {
            StorageStatusMask::ON_LINE_STORAGE
        }
    }

    /// Cryptographic Usage Mask; empty where there is none.
    pub fn usage_mask(&self) -> CryptographicUsageMask {
        let bits = self.attributes.integer(Tag::CryptographicUsageMask).unwrap_or(0);
        CryptographicUsageMask::from_bits_retain(bits.cast_unsigned())
    }

    /// Whether the material may leave only wrapped.
    pub fn is_sensitive(&self) -> bool {
        self.attributes.boolean(Tag::Sensitive).unwrap_or(false)
    }

    /// Whether the material may leave at all.
    pub fn is_extractable(&self) -> bool {
        self.attributes.boolean(Tag::Extractable).unwrap_or(true)
    }

    /// Protection Storage Mask.
    pub fn protection(&self) -> Option<ProtectionStorageMask> {
        let bits = self.attributes.integer(Tag::ProtectionStorageMask)?;
        Some(ProtectionStorageMask::from_bits_retain(bits.cast_unsigned()))
    }

    /// When the server is to replace the object by itself (KMIP 2.1 §4.48, §4.51): a key or a certificate that is in use or about to
    /// be, and that nobody has replaced yet. A public key is replaced with its private key.
    pub fn rotation(&self) -> Option<i64> {
        let replaceable =
            matches!(self.object_type(), ObjectType::SymmetricKey | ObjectType::PrivateKey | ObjectType::Certificate);
        let lives = matches!(self.state(), State::PreActive | State::Active) && !self.is_archived();
        let is_latest = self.attributes.boolean(Tag::RotateLatest) != Some(false);
        let automatic = self.attributes.boolean(Tag::RotateAutomatic) == Some(true);
        let Some(&Value::Interval(interval)) = self.attributes.get(Tag::RotateInterval) else { return None };
        let initial = self.attributes.date(Tag::InitialDate)?;
        (replaceable && lives && is_latest && automatic && interval > 0)
            .then(|| initial.saturating_add(interval.into()))
    }

    /// When time next changes the object, if it ever does.
    pub fn due(&self) -> Option<i64> {
        let dates = self.dates().due(self.state());
        dates.into_iter().chain(self.rotation()).min()
    }

    /// The dates that time acts on.
    pub fn dates(&self) -> Dates {
        // Those of a Template are its objects'.
        if self.object_type() == ObjectType::Template {
            return Dates::default();
        }
        Dates {
            activation: self.attributes.date(Tag::ActivationDate),
            deactivation: self.attributes.date(Tag::DeactivationDate),
        }
    }

    /// Usage Limits.
    pub fn usage_limits(&self) -> Option<UsageLimits> {
        self.attributes.structures(Tag::UsageLimits).next()
    }

    /// Lease Time, in seconds; 0 for without limit.
    pub fn lease_time(&self) -> Option<u32> {
        match self.attributes.get(Tag::LeaseTime) {
            Some(&Value::Interval(seconds)) => Some(seconds),
            _ => None,
        }
    }

    /// The state that time has brought the object to, if it is another one.
    fn overdue(&self, now: i64) -> Option<State> {
        let before = self.state();
        state::next(before, Event::Time, self.dates(), now).ok().filter(|after| *after != before)
    }

    /// Whether time did something to the object up to `now`.
    pub fn is_behind(&self, now: i64) -> bool {
        self.overdue(now).is_some()
    }

    /// What time did to the object up to `now`. Answers whether it changed.
    pub fn advance(&mut self, now: i64) -> bool {
        let overdue = self.overdue(now);
        if let Some(after) = overdue {
            self.attributes.set(Tag::State, Value::Enumeration(after.into()));
        }
        overdue.is_some()
    }

    /// Lets an event happen at `now`, and sets the dates that come with it. The object must be up to date.
    ///
    /// # Errors
    /// What [`state::next`] says.
    pub fn happen(&mut self, event: Event, now: i64) -> Result<(), ResultReason> {
        let after = state::next(self.state(), event, self.dates(), now)?;
        self.attributes.set(Tag::State, Value::Enumeration(after.into()));
        let date = match event {
            Event::Time => return Ok(()),
            Event::Activate => Tag::ActivationDate,
            Event::Deactivate => Tag::DeactivationDate,
            Event::Compromise => Tag::CompromiseDate,
            Event::Destroy => Tag::DestroyDate,
        };
        self.attributes.set(date, Value::DateTime(now));
        self.touch(now);
        Ok(())
    }

    /// Sets Last Change Date.
    pub fn touch(&mut self, now: i64) {
        self.attributes.set(Tag::LastChangeDate, Value::DateTime(now));
    }
}

/// An object with nothing but a type and a state.
#[cfg(test)]
fn sample(kind: ObjectType, state: State) -> Managed {
    let mut attributes = AttributeSet::default();
    attributes.set(Tag::UniqueIdentifier, kmip_codec::Value::TextString("id".into()));
    attributes.set(Tag::ObjectType, kmip_codec::Value::Enumeration(kind.into()));
    attributes.set(Tag::State, kmip_codec::Value::Enumeration(state.into()));
    Managed {
        sequence: 1,
        owner: Arc::from("owner"),
        residency: Residency::Sealed,
        origin: Origin::Generated,
        attributes,
    }
}
