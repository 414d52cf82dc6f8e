//! A server in memory, for tests of handlers: make a view, run a handler in it, commit it, make the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, ProtectionStorageMask, SecretDataType, Tag,
    UsageLimitsUnit, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Attribute, KeyBlock, KeyValue, Object, SecretData, UniqueIdentifier, UsageLimits};
use kmip_codec::{Element, Value};

use super::insert::Home;
use super::{Clock, Kept, New, Settings, Shared, View};
use crate::crypto::Provider;
use crate::crypto::permits::Permits;
use crate::crypto::providers::Providers;
use crate::failure::Outcome;
use crate::object::material::Material;
use crate::object::{Origin, Residency};
use crate::ops::Handler;
use crate::store::memory::MemoryStore;
use crate::store::seal::KeyRing;
use crate::store::vault::Vault;

/// When every bench begins, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// A clock that only the test moves.
#[derive(Clone)]
struct Hand(Arc<AtomicI64>);

impl Clock for Hand {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A server without edges: a store in memory, a clock that stands still, and who asks.
pub(crate) struct Bench {
    shared: Arc<Shared>,
    clock: Hand,
}

impl Bench {
    /// With the default configuration and no module.
    pub(crate) fn new() -> Self {
        Self::with(Settings::default(), None)
    }

    /// With a configuration and a module.
    pub(crate) fn with(settings: Settings, module: Option<Arc<dyn Provider>>) -> Self {
        let clock = Hand(Arc::new(AtomicI64::new(NOW)));
        let vault = Vault::open(Arc::new(MemoryStore::new()), [0; 16], KeyRing::random().unwrap()).unwrap();
        let shared = Shared {
            vault,
            providers: Providers::new(module),
            clock: Box::new(clock.clone()),
            settings,
            parts: Default::default(),
            instances: Default::default(),
        };
        Self { shared: Arc::new(shared), clock }
    }

    /// With bounds of what lives between messages.
    pub(crate) fn limited(limits: crate::session::parts::Limits) -> Self {
        let mut bench = Self::new();
        Arc::get_mut(&mut bench.shared).unwrap().parts = crate::session::parts::Parts::new(limits);
        bench
    }

    /// Changes what is permitted, between messages.
    pub(crate) fn permit(&mut self, permits: Permits) {
        Arc::get_mut(&mut self.shared).expect("no message is under way").settings.permits = permits;
    }

    /// What its messages share.
    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Moves the clock.
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::Relaxed);
    }

    /// A view for a message of `alice`, who owns all that [`Bench::object`] makes.
    pub(crate) fn view(&self, version: Version) -> View {
        self.view_of("alice", version)
    }

    /// A view for a message of somebody.
    pub(crate) fn view_of(&self, asker: &str, version: Version) -> View {
        View::new(Arc::clone(&self.shared), asker.into(), version, Kept::default())
    }

    /// Commits a view.
    ///
    /// # Panics
    /// If the commit is refused.
    pub(crate) fn commit(&self, view: &View) {
        let commit = view.commit().unwrap();
        let mut committed = self.shared.vault.commit(commit.batch);
        committed.try_recv().expect("a store in memory answers at once").expect("the commit is refused");
    }

    /// How many nonces the store has counted for the object with this number.
    pub(crate) fn nonces(&self, sequence: u64) -> u64 {
        let counter = self.shared.vault.counter(sequence, super::overlay::NONCES).unwrap();
        counter.map_or(0, |(count, _)| count)
    }

    /// Runs a handler in a message of its own. What it changed is committed, or taken back if it failed.
    pub(crate) fn run<H: Handler>(&self, version: Version, request: H::Request) -> Outcome<H::Response> {
        let mut view = self.view(version);
        view.begin_item();
        let outcome = H::run(&mut view, request);
        if outcome.is_err() {
            view.fail_item();
        }
        self.commit(&view);
        view.settle();
        outcome
    }

    /// Runs a handler as the wire would: the fields of the request payload, read in the message's version.
    pub(crate) fn send<H: Handler>(&self, version: Version, fields: Vec<Element>) -> Outcome<H::Response> {
        let payload = Element::new(Tag::RequestPayload, Value::Structure(fields));
        self.run::<H>(version, kmip_codec::schema::decode(payload, version)?)
    }

    /// Stores an object with the attributes, active since an hour unless they say when, and answers its identifier.
    pub(crate) fn object(&self, object: Object, attributes: Vec<(Tag, Value)>) -> UniqueIdentifier {
        self.try_object(object, attributes).unwrap()
    }

    /// The same, which may fail.
    pub(crate) fn try_object(&self, object: Object, attributes: Vec<(Tag, Value)>) -> Outcome<UniqueIdentifier> {
        let mut view = self.view(Version::V2_1);
        let mut found = attributes;
        if let Some(block) = object.key_block() {
            let algorithm = block.cryptographic_algorithm;
            found.extend(algorithm.map(|value| (Tag::CryptographicAlgorithm, Value::Enumeration(value.into()))));
        }
        let mut attributes: Vec<Attribute> = found.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
        if !attributes.iter().any(|attribute| attribute.tag == Tag::ActivationDate) {
            attributes.push(Attribute::new(Tag::ActivationDate, Value::DateTime(NOW - 3600)));
        }
        let format = object.key_block().map(|block| block.key_format_type);
        let is_present = object.key_block().is_none_or(|block| block.key_value.is_some());
        let identifier = view.insert(New {
            object_type: object.object_type(),
            attributes,
            found: Vec::new(),
            material: is_present.then(|| Material::open(object)),
            format,
            home: Home { residency: Residency::Sealed, mask: ProtectionStorageMask::SOFTWARE },
            origin: Origin::Registered,
        })?;
        self.commit(&view);
        Ok(UniqueIdentifier::Text(identifier))
    }

    /// Stores a symmetric key that may be used so.
    pub(crate) fn key(
        &self,
        algorithm: CryptographicAlgorithm,
        bytes: &[u8],
        mask: CryptographicUsageMask,
        more: Vec<(Tag, Value)>,
    ) -> UniqueIdentifier {
        let mut attributes = vec![usage(mask)];
        attributes.extend(more);
        self.object(Object::SymmetricKey(block(KeyFormatType::Raw, algorithm, bytes)), attributes)
    }

    /// What is left of an object's Usage Limits.
    pub(crate) fn usage_left(&self, key: &UniqueIdentifier) -> Option<i64> {
        let mut view = self.view(Version::V2_1);
        let object = view.open(Some(key), crate::trust::policy::Use::ReadAttributes).unwrap();
        object.usage_limits().and_then(|limits| limits.count)
    }
}

/// Cryptographic Usage Mask as an attribute.
pub(crate) fn usage(mask: CryptographicUsageMask) -> (Tag, Value) {
    (Tag::CryptographicUsageMask, Value::Integer(mask.bits().cast_signed()))
}

/// A structure as an attribute.
pub(crate) fn structured(tag: Tag, structure: &impl kmip_codec::schema::Encode) -> (Tag, Value) {
    (tag, super::value_of(structure, tag).expect("a structure"))
}

/// Usage Limits of so many objects, none of them used.
pub(crate) fn limits(total: i64) -> (Tag, Value) {
    let limits = UsageLimits { total, count: Some(total), unit: UsageLimitsUnit::Object };
    structured(Tag::UsageLimits, &limits)
}

/// A Key Block of bytes.
pub(crate) fn block(format: KeyFormatType, algorithm: CryptographicAlgorithm, bytes: &[u8]) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::bytes(Blob::copy_of(bytes))),
        cryptographic_algorithm: Some(algorithm),
        cryptographic_length: None,
        key_wrapping_data: None,
    }
}

/// Secret Data without an algorithm.
pub(crate) fn secret(bytes: &[u8]) -> Object {
    let mut key_block = block(KeyFormatType::Opaque, CryptographicAlgorithm(0), bytes);
    key_block.cryptographic_algorithm = None;
    Object::SecretData(SecretData { secret_data_type: SecretDataType::Seed, key_block })
}
