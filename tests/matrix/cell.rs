//! One cell: an operation in a version with a provider, and what its scenarios need again and again.

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicUsageMask, Operation, ProtectionStorageMask, ResultReason, Tag, Version};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, Object};

use crate::harness::Kmip;
use crate::harness::kmip::{boolean, mask, name};

/// Where keys live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Provider {
    /// In the server.
    Software,
    /// In SoftHSM, where they cannot be extracted from.
    SoftHsm,
}

pub(crate) struct Cell {
    /// A connection for messages of the cell's version.
    pub(crate) kmip: Kmip,
    pub(crate) operation: Operation,
    pub(crate) provider: Provider,
    names: usize,
}

impl Cell {
    pub(crate) fn new(kmip: Kmip, operation: Operation, provider: Provider) -> Self {
        Self { kmip, operation, provider, names: 0 }
    }

    pub(crate) const fn version(&self) -> Version {
        self.kmip.version
    }

    pub(crate) fn is_v2(&self) -> bool {
        self.kmip.version.is_v2()
    }

    /// A text that no other cell has.
    pub(crate) fn mark(&mut self) -> String {
        self.names += 1;
        format!("{} {} {:?} {}", self.operation, self.version(), self.provider, self.names)
    }

    /// A Name that no other object has.
    pub(crate) fn name(&mut self) -> Attribute {
        name(&self.mark())
    }

    /// What a request must say for a key to live with the cell's provider.
    pub(crate) fn protected(&self, mut attributes: Vec<Attribute>) -> Vec<Attribute> {
        let known = self.version() >= Version::V1_4;
        if known && !attributes.iter().any(|attribute| attribute.tag == Tag::Extractable) {
            attributes.push(boolean(Tag::Extractable, self.provider == Provider::Software));
        }
        attributes
    }

    /// A new AES key that lives with the cell's provider.
    #[track_caller]
    pub(crate) fn key(&mut self, uses: CryptographicUsageMask, more: Vec<Attribute>) -> Text {
        let name = self.name();
        let mut attributes = self.protected(vec![mask(uses), name]);
        attributes.extend(more);
        let key = self.kmip.create(attributes);
        self.assert_home(&key);
        key
    }

    /// An active key of known bytes that lives with the cell's provider.
    #[track_caller]
    pub(crate) fn known(&mut self, object: Object, uses: CryptographicUsageMask) -> Text {
        let name = self.name();
        let attributes = self.protected(vec![mask(uses), name]);
        let key = self.kmip.register(object, attributes);
        self.assert_home(&key);
        self.kmip.activate(&key);
        key
    }

    /// Sees something with the newest version's eyes.
    pub(crate) fn newest<T>(&mut self, look: impl FnOnce(&mut Kmip) -> T) -> T {
        let version = std::mem::replace(&mut self.kmip.version, Version::V2_1);
        let seen = look(&mut self.kmip);
        self.kmip.version = version;
        seen
    }

    /// The key lives where it should.
    #[track_caller]
    pub(crate) fn assert_home(&mut self, key: &Text) {
        let place = match self.provider {
            Provider::Software => ProtectionStorageMask::SOFTWARE,
            Provider::SoftHsm => ProtectionStorageMask::HARDWARE,
        };
        let found = self.newest(|kmip| kmip.value(key, Tag::ProtectionStorageMask));
        assert_eq!(found, Value::Integer(place.bits().cast_signed()));
        let extractable = self.newest(|kmip| kmip.value(key, Tag::Extractable));
        assert_eq!(extractable, Value::Boolean(self.provider == Provider::Software));
    }

    /// The reason as the cell's version has it.
    pub(crate) fn reason(&self, newest: ResultReason) -> ResultReason {
        kmipd::failure::reason_in(self.version(), newest)
    }
}
