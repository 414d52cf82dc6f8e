//! New objects: the attributes that the server sets, and where a new key lives.

use std::sync::Arc;

use kmip_codec::schema::Decode;
use kmip_codec::spec::{
    HashingAlgorithm, KeyFormatType, ObjectType, ProtectionStorageMask, ResultReason, State, Tag, Version,
    attribute_by_tag,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Digest, ProtectionStorageMasks, RngParameters};
use kmip_codec::{Element, Value};

use zeroize::Zeroizing;

use super::permit::violation;
use super::{Kept, View, value_of};
use crate::crypto::algorithm::{Derivation, Hash, KeyKind};
use crate::crypto::permits::Leave;
use crate::crypto::{self, CryptoError, Made, keyblock, public};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::{AttributeSet, Managed, Origin, Residency, quantum, rules};
use crate::secret::Secret;
use crate::trust::policy::Permitted;

/// A new object.
pub struct New {
    /// Its type.
    pub object_type: ObjectType,
    /// What the client gave it, as the rules admitted it.
    pub attributes: Vec<Attribute>,
    /// What the server found out about it: they take precedence over what the client did not say.
    pub found: Vec<(Tag, Value)>,
    /// What it is made of; `None` where the server holds the metadata alone.
    pub material: Option<Material>,
    /// Its key format, for a key.
    pub format: Option<KeyFormatType>,
    /// Where its material rests.
    pub home: Home,
    /// How it came to be.
    pub origin: Origin,
}

/// Where a new key lives, and the Protection Storage Mask that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Where.
    pub residency: Residency,
    /// The mask that was chosen among the client's alternatives, or that the residency satisfies.
    pub mask: ProtectionStorageMask,
}

/// A key that was generated.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// The secret half, or the key.
    pub made: Made,
    /// The public half as SubjectPublicKeyInfo DER.
    pub public: Option<Vec<u8>>,
}

/// What a new key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    /// Nothing: it is generated.
    Nothing,
    /// Its bytes.
    Bytes(Secret),
    /// Another key, in some way: the digest of both.
    Key([u8; 32]),
}

/// A key that one run of a message has made, or has reserved an identity for, and what was asked for then.
pub(super) struct KeptKey {
    kind: KeyKind,
    residency: Residency,
    /// What it was made from.
    source: Source,
    /// The identity of a token key.
    identity: Option<[u8; 16]>,
    key: Option<NewKey>,
    /// Whether the run at hand has taken it.
    pub(super) taken: bool,
}

impl Kept {
    /// The identities that were reserved for token keys.
    pub(super) fn identities(&self) -> impl Iterator<Item = [u8; 16]> {
        self.keys.iter().filter_map(|key| key.identity)
    }

    /// Those that were reserved and that nobody has taken.
    pub(super) fn spares(&self) -> &[[u8; 16]] {
        &self.spares
    }
}

impl View {
    /// Adds an object and answers its Unique Identifier.
    ///
    /// # Errors
    /// Non Unique Name Attribute.
    pub fn insert(&mut self, new: New) -> Outcome<Text> {
        let now = self.now;
        if new.origin == Origin::Generated {
            self.made_here(&new)?;
        }
        let identifier = self.unique_text()?;
        // At once: a list that grows beyond a kibibyte is moved by the allocator's slow way.
        let mut set = AttributeSet::with_capacity(new.attributes.len() + new.found.len() + OURS);
        set.set(Tag::UniqueIdentifier, Value::TextString(identifier.clone()));
        let short = public::hash(Hash::Sha256, identifier.as_bytes());
        set.set(Tag::ShortUniqueIdentifier, Value::ByteString(Blob::new(short)));
        set.set(Tag::ObjectType, Value::Enumeration(new.object_type.into()));
        for attribute in new.attributes {
            set.add(attribute);
        }
        let mut again = Vec::with_capacity(new.found.len());
        for (tag, value) in new.found {
            // A second value of one attribute is another instance.
            if again.contains(&tag) {
                set.add(Attribute::new(tag, value));
            } else {
                set.set(tag, value);
                again.push(tag);
            }
        }
        set.set(Tag::State, Value::Enumeration(State::PreActive.into()));
        set.set(Tag::InitialDate, Value::DateTime(now));
        set.set(Tag::LastChangeDate, Value::DateTime(now));
        let kind = new.object_type;
        if !set.has(Tag::QuantumSafe) && quantum::is_said(set.enumeration(Tag::CryptographicAlgorithm)) {
            set.set(Tag::QuantumSafe, Value::Boolean(true));
        }
        let mut default = |tag, value| set_default(&mut set, kind, tag, value);
        if new.origin == Origin::Generated {
            default(Tag::OriginalCreationDate, Value::DateTime(now));
            if let Some(generator) = value_of(&self.generator(new.home.residency), Tag::RandomNumberGenerator) {
                default(Tag::RandomNumberGenerator, generator);
            }
        }
        // No use at all, unless somebody says which.
        default(Tag::CryptographicUsageMask, Value::Integer(0));
        default(Tag::LeaseTime, Value::Interval(self.shared.settings.longest_lease));
        default(Tag::Fresh, Value::Boolean(true));
        default(Tag::Sensitive, Value::Boolean(false));
        default(Tag::Extractable, Value::Boolean(hides_nothing(kind) || self.shared.settings.extractable));
        default(Tag::ProtectionStorageMask, Value::Integer(new.home.mask.bits().cast_signed()));
        if let Some(format) = new.format {
            default(Tag::KeyFormatType, Value::Enumeration(format.into()));
        }
        let sensitive = set.boolean(Tag::Sensitive).unwrap_or(false);
        let extractable = set.boolean(Tag::Extractable).unwrap_or(true);
        set_default(&mut set, kind, Tag::AlwaysSensitive, Value::Boolean(sensitive));
        set_default(&mut set, kind, Tag::NeverExtractable, Value::Boolean(!extractable));
        if let Some(Material::Open(object)) = &new.material {
            for (format, bytes) in keyblock::digests(object, self.version) {
                if let Some(value) = digest(&bytes, format) {
                    set.add(Attribute::new(Tag::Digest, value));
                }
            }
        }
        rules::bounded(&set, self.shared.settings.maximum_attributes)?;
        quantum::check(&set)?;
        let mut object = Managed {
            sequence: self.shared.vault.next_seq(),
            owner: Arc::clone(&self.requester.owner),
            residency: new.home.residency,
            origin: new.origin,
            attributes: set,
        };
        object.advance(now);
        if let Some(grant) = &mut self.requester.grant {
            let operation = self.operation.ok_or_else(|| Failure::internal("an object is made in no operation"))?;
            grant.open(operation, &object)?;
        }
        self.permit_object(&object, new.material.as_ref())?;
        self.check_constraints(&object)?;
        self.overlay.insert(&self.shared, object, new.material)?;
        Ok(identifier)
    }

    /// The random number generator that makes the keys of a residency: what the operator says of it, or else what its provider
    /// does.
    pub fn generator(&self, residency: Residency) -> RngParameters {
        let told: Option<Vec<RngParameters>> = self.shared.settings.about.answers(Tag::RNGParameters, Version::V2_1);
        let told = told.and_then(|told| told.into_iter().next());
        told.unwrap_or_else(|| self.shared.providers.generator(residency != Residency::Sealed))
    }

    /// What a client says of the making of an object must be so: its date (KMIP 2.1 §4.38), and the generator (§4.46).
    fn made_here(&self, new: &New) -> Outcome<()> {
        for attribute in &new.attributes {
            let is_so = match (attribute.tag, &attribute.value) {
                (Tag::OriginalCreationDate, value) => *value == Value::DateTime(self.now),
                (Tag::RandomNumberGenerator, value) => {
                    let element = Element::new(attribute.tag, value.clone());
                    let asked = RngParameters::decode(element, Version::V2_1);
                    asked.is_ok_and(|asked| asked == self.generator(new.home.residency))
                }
                _ => true,
            };
            if !is_so {
                return Err(Failure::new(
                    ResultReason::InvalidAttributeValue,
                    format!("this is not the {} of an object that the server makes", attribute.tag),
                ));
            }
        }
        Ok(())
    }

    /// Where a new key of a kind lives: the first alternative that a residency satisfies in all bits, the residency never
    /// weaker than the attributes.
    ///
    /// # Errors
    /// Protection Storage Unavailable.
    pub fn home(
        &self,
        kind: Option<KeyKind>,
        extractable: Option<bool>,
        alternatives: Option<&ProtectionStorageMasks>,
    ) -> Outcome<Home> {
        let settings = &self.shared.settings;
        let extractable = extractable.unwrap_or(settings.extractable);
        let offered = |residency| match kind {
            Some(kind) => self.shared.providers.maker(self.shared.providers.within(kind), residency).is_some(),
            None => residency == crypto::Residency::Sealed,
        };
        let protection = settings.protection;
        let wrapped = offered(crypto::Residency::Wrapped);
        let token = offered(crypto::Residency::Token([0; 16]));
        // A key that must not leave lives in the module wherever the module can hold it; without one, the server keeps
        // it from leaving and says Software.
        let homes = [
            (Residency::Wrapped, protection.wrapped, !extractable && wrapped),
            (Residency::Token, protection.token, !extractable && token && (protection.token != 0 || !wrapped)),
            (Residency::Sealed, protection.sealed, extractable || !(wrapped || token)),
        ];
        let mut homes = homes
            .into_iter()
            .filter(|home| home.2)
            .map(|(residency, mask, _)| Home { residency, mask: ProtectionStorageMask::from_bits_retain(mask) });
        let asked = alternatives.map(|alternatives| alternatives.masks.as_slice()).filter(|masks| !masks.is_empty());
        let home = match asked {
            None => homes.next(),
            Some(masks) => {
                let homes: Vec<Home> = homes.collect();
                masks.iter().find_map(|&mask| {
                    homes.iter().find(|home| home.mask.contains(mask)).map(|home| Home { mask, ..*home })
                })
            }
        };
        home.ok_or_else(|| {
            Failure::new(
                ResultReason::ProtectionStorageUnavailable,
                "no place that this server has satisfies one of the Protection Storage Masks in all its bits",
            )
        })
    }

    /// Generates a key or key pair. A second run of the message gets the same one again.
    ///
    /// # Errors
    /// What the provider says.
    pub fn generate(&mut self, kind: KeyKind, residency: Residency) -> Outcome<NewKey> {
        self.make(kind, residency, Source::Nothing)
    }

    /// Brings the bytes of a key under guard. A second run of the message gets the same handle again.
    ///
    /// # Errors
    /// What the provider says.
    pub fn adopt(&mut self, kind: KeyKind, bytes: &Secret, residency: Residency) -> Outcome<Made> {
        Ok(self.make(kind, residency, Source::Bytes(bytes.clone()))?.made)
    }

    /// Derives a key from one in the module, where it stays. A second run of the message gets the same handle again.
    ///
    /// # Errors
    /// What the provider says; Unsupported Cryptographic Parameters where the key cannot stay in the module.
    pub fn derive(
        &mut self,
        base: &Permitted,
        how: &Derivation<'_>,
        kind: KeyKind,
        residency: Residency,
    ) -> Outcome<Made> {
        if residency == Residency::Sealed {
            return Err(CryptoError::Unsupported(format!("a key that is {kind:?} in the HSM module")).into());
        }
        // The data may be secret, and is shown to the digest alone.
        let said = Zeroizing::new(format!("{:?} {how:?}", base.sequence));
        let digest = public::hash(Hash::Sha256, said.as_bytes());
        let source = Source::Key(<[u8; 32]>::try_from(digest).unwrap_or_default());
        let kind = self.kept_as(kind, residency);
        let (place, made) = self.place(kind, residency, source)?;
        if let Some(key) = made {
            return Ok(key.made);
        }
        let residency = self.residency_of(place)?;
        let made = self.with_key(base, |provider, key| provider.derive_key(key, how, kind, residency))?;
        self.keep(place, NewKey { made: made.clone(), public: None });
        Ok(made)
    }

    /// Makes a key, from bytes or from nothing, or takes the one that an earlier run of the message has made.
    fn make(&mut self, kind: KeyKind, residency: Residency, source: Source) -> Outcome<NewKey> {
        let leave = if let Source::Bytes(_) = source { Leave::KEEP } else { Leave::MAKE };
        self.shared.settings.permits.key(kind, leave).map_err(violation)?;
        let kind = self.kept_as(kind, residency);
        let bytes = if let Source::Bytes(bytes) = &source { Some(bytes.clone()) } else { None };
        let (place, made) = self.place(kind, residency, source)?;
        if let Some(key) = made {
            return Ok(key);
        }
        let residency = self.residency_of(place)?;
        let provider = self
            .shared
            .providers
            .maker(kind, residency)
            .ok_or_else(|| Failure::new(ResultReason::InvalidAttributeValue, "no provider has such keys here"))?;
        let key = match bytes {
            Some(bytes) => NewKey { made: provider.adopt(kind, &bytes, residency)?, public: None },
            None if kind.is_pair() => {
                let pair = provider.generate_pair(kind, residency)?;
                NewKey { made: pair.private, public: Some(pair.public) }
            }
            None => NewKey { made: provider.generate(kind, residency)?, public: None },
        };
        self.keep(place, key.clone());
        Ok(key)
    }

    /// What a key is where it is to live.
    fn kept_as(&self, kind: KeyKind, residency: Residency) -> KeyKind {
        if residency == Residency::Sealed { kind } else { self.shared.providers.within(kind) }
    }

    /// A place among the kept keys, and the key that an earlier run put there.
    fn place(&mut self, kind: KeyKind, residency: Residency, source: Source) -> Outcome<(usize, Option<NewKey>)> {
        let place = self.reserve(kind, residency, source)?;
        let kept = self.kept.keys.get(place).ok_or_else(|| Failure::internal("a kept key is gone"))?;
        Ok((place, kept.key.clone()))
    }

    fn residency_of(&self, place: usize) -> Outcome<crypto::Residency> {
        let kept = self.kept.keys.get(place).ok_or_else(|| Failure::internal("a kept key is gone"))?;
        Ok(match (kept.residency, kept.identity) {
            (Residency::Sealed, _) => crypto::Residency::Sealed,
            (Residency::Wrapped, _) => crypto::Residency::Wrapped,
            (Residency::Token, Some(identity)) => crypto::Residency::Token(identity),
            (Residency::Token, None) => return Err(Failure::internal("a token key has no identity")),
        })
    }

    fn keep(&mut self, place: usize, key: NewKey) {
        if let Some(kept) = self.kept.keys.get_mut(place) {
            kept.key = Some(key);
        }
    }

    /// The place of a kept key that answers just this and that this run has not taken yet, or a new one. A token key is
    /// made only after its identity was committed as an intent, so that a crash leaves no key behind that nobody knows.
    fn reserve(&mut self, kind: KeyKind, residency: Residency, source: Source) -> Outcome<usize> {
        let answers =
            |kept: &KeptKey| !kept.taken && kept.kind == kind && kept.residency == residency && kept.source == source;
        if let Some(place) = self.kept.keys.iter().position(answers) {
            if let Some(kept) = self.kept.keys.get_mut(place) {
                kept.taken = true;
            }
            return Ok(place);
        }
        let spare = if residency == Residency::Token { self.kept.spares.pop() } else { None };
        let identity = match residency {
            Residency::Token => Some(spare.map_or_else(|| self.identity(), Ok)?),
            Residency::Sealed | Residency::Wrapped => None,
        };
        self.kept.keys.push(KeptKey { kind, residency, source, identity, key: None, taken: true });
        match identity {
            Some(identity) if spare.is_none() => {
                self.wanted.push(identity);
                Err(Failure::internal("the intent of a token key must be committed first"))
            }
            _ => Ok(self.kept.keys.len().saturating_sub(1)),
        }
    }

    /// A new identity for a token key.
    pub(super) fn identity(&self) -> Outcome<[u8; 16]> {
        Ok(<[u8; 16]>::try_from(self.random(16)?.expose()).unwrap_or_default())
    }

    /// A text that nothing else has.
    pub(super) fn unique_text(&self) -> Outcome<Text> {
        let random = <[u8; 16]>::try_from(self.random(16)?.expose()).unwrap_or_default();
        Ok(uuid::Builder::from_random_bytes(random).into_uuid().to_string().into())
    }
}

/// About how many attributes the server gives a new object.
const OURS: usize = 18;

/// Sets an attribute that the object has in some version, unless it has a value.
pub(super) fn set_default(set: &mut AttributeSet, kind: ObjectType, tag: Tag, value: Value) {
    let applies = attribute_by_tag(tag)
        .is_some_and(|row| row.applies_to(kind, Version::V2_1) || row.applies_to(kind, Version::V1_4));
    if applies && !set.has(tag) {
        set.add(Attribute::new(tag, value));
    }
}

/// Objects that are made to be seen: that new keys are not Extractable unless a client says so does not concern them.
pub(super) const fn hides_nothing(kind: ObjectType) -> bool {
    matches!(
        kind,
        ObjectType::PublicKey | ObjectType::Certificate | ObjectType::CertificateRequest | ObjectType::Template
    )
}

/// Digest with SHA-256 over the key material in the format in which it is kept.
pub(super) fn digest(bytes: &Secret, format: Option<KeyFormatType>) -> Option<Value> {
    let digest = Digest {
        hashing_algorithm: HashingAlgorithm::SHA256,
        value: Some(Blob::new(public::hash(Hash::Sha256, bytes.expose()))),
        key_format_type: format,
    };
    value_of(&digest, Tag::Digest)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::Bench;
    use super::*;

    fn bytes(made: Made) -> Secret {
        match made {
            Made::Clear(bytes) => bytes,
            Made::Guarded(_) => panic!("there is no module"),
        }
    }

    #[test]
    fn one_commit_of_intents_is_enough_for_all_token_keys_of_a_message() {
        let bench = Bench::new();
        let kind = KeyKind::Aes { bits: 256 };
        let mut first = bench.view(Version::V2_1);
        assert!(first.reserve(kind, Residency::Token, Source::Nothing).is_err());
        let wanted = first.wanted_intents(3).unwrap();
        assert_eq!(wanted.len(), 3);
        let shared = Arc::clone(first.shared());
        let mut batch = shared.vault.batch();
        wanted.iter().for_each(|identity| batch.put_intent(identity).unwrap());
        shared.vault.commit(batch).try_recv().unwrap().unwrap();
        let mut second = View::new(Arc::clone(&shared), "alice".into(), Version::V2_1, first.into_kept());
        for _ in 0..2 {
            second.reserve(kind, Residency::Token, Source::Nothing).unwrap();
        }
        assert_eq!(second.wanted_intents(3), Ok(Vec::new()));
        // The third was for an item that made nothing: its intent goes with the commit; those of keys that came to
        // nothing stay until the module has forgotten them.
        let commit = second.commit().unwrap();
        assert_eq!(commit.destroyed.len(), 2);
        shared.vault.commit(commit.batch).try_recv().unwrap().unwrap();
        let mut left = shared.vault.intents().unwrap();
        left.sort();
        let mut taken: Vec<[u8; 16]> = commit.destroyed.iter().map(|guarded| guarded.id).collect();
        taken.sort();
        assert_eq!(left, taken);
        // Where there are not enough, more are asked for.
        let mut third = View::new(shared, "alice".into(), Version::V2_1, second.into_kept());
        for _ in 0..3 {
            third.reserve(kind, Residency::Token, Source::Nothing).unwrap();
        }
        assert!(third.reserve(kind, Residency::Token, Source::Nothing).is_err());
    }

    #[test]
    fn a_second_run_never_takes_the_key_of_another_object() {
        let bench = Bench::new();
        let kind = KeyKind::Generic { bytes: 4 };
        let (one, other) = (Secret::copy_of(b"one."), Secret::copy_of(b"else"));
        let mut first = bench.view(Version::V2_1);
        assert_eq!(bytes(first.adopt(kind, &one, Residency::Sealed).unwrap()), one);
        let made = bytes(first.generate(kind, Residency::Sealed).unwrap().made);
        let shared = Arc::clone(first.shared());
        // The run after a conflict: the first item fails now, or has found another object.
        let mut second = View::new(shared, "alice".into(), Version::V2_1, first.into_kept());
        assert_eq!(bytes(second.generate(kind, Residency::Sealed).unwrap().made), made);
        assert_eq!(bytes(second.adopt(kind, &other, Residency::Sealed).unwrap()), other);
        assert_ne!(bytes(second.generate(kind, Residency::Sealed).unwrap().made), made);
    }
}
