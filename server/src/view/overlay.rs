//! What the message has read and changed so far. Nothing of it is in the store.

use std::sync::Arc;

use foldhash::HashMap;
use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::ttlv::Text;
use kmip_codec::{Element, Value};

use super::Shared;
use crate::crypto::Guarded;
use crate::failure::{Failure, Outcome};
use crate::object::material::{self, Material};
use crate::object::record;
use crate::object::terms::{self, Term};
use crate::object::{Managed, Residency};
use crate::secret::Secret;
use crate::store::Revision;
use crate::store::vault::{Belongs, Domain, Hash16, Stamp};
use crate::trust::policy::Permitted;

/// The counter of Usage Limits among an object's counters.
pub(super) const USAGE: u8 = 1;

/// The counter of how often an object was the default of its group, among an object's counters.
pub(super) const TURNS: u8 = 2;

/// The counter of nonces that the server has made for a key, or has reserved, among an object's counters.
pub(super) const NONCES: u8 = 3;

/// What becomes of an object's material.
#[derive(Clone)]
pub(super) enum MaterialChange {
    /// It stays.
    Keep,
    /// It is written.
    Put(Arc<Material>),
    /// Another is written in its place, and the key that the module guarded goes, if it was one.
    Exchange(Option<Guarded>, Arc<Material>),
    /// It goes, and with it the key that the module guards, if it was one.
    Drop(Option<Guarded>),
}

/// An object as it was read, and as it stands in this message.
#[derive(Clone)]
pub(super) struct Entry {
    /// As it is in the store; `None` for a new object.
    pub(super) base: Option<Base>,
    /// As it stands.
    pub(super) object: Arc<Managed>,
    /// Whether it was changed by more than the reading of a clock.
    pub(super) changed: bool,
    /// What becomes of its material.
    pub(super) material: MaterialChange,
    /// Material that was read, and its revision.
    pub(super) read: Option<(Arc<Material>, Revision)>,
    /// Units of Usage Limits that were taken.
    pub(super) taken: u64,
    /// Units that the store's counter had when the object was read.
    pub(super) counted: u64,
    /// Units that were taken on the server from which the object was imported: what is counted begins with them.
    pub(super) carried: Option<u64>,
}

/// An object in the store.
#[derive(Clone)]
pub(super) struct Base {
    /// Which state of the record it is.
    pub(super) stamp: Stamp,
    /// What it says.
    pub(super) object: Arc<Managed>,
}

/// A unique term that was claimed: its hash, and who has it by what the message has changed.
struct Claim {
    unique: Hash16,
    holder: Option<u64>,
}

/// Everything that was read and changed.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) entries: HashMap<u64, Entry>,
    identifiers: HashMap<Text, u64>,
    /// Unique rows that were looked up, and what they were: absent ones too.
    pub(super) lookups: HashMap<Hash16, (Option<u64>, Revision)>,
    /// The unique terms that this message has claimed.
    claims: HashMap<Term, Claim>,
    /// How often objects were the default of their group in this message.
    pub(super) turns: HashMap<u64, u64>,
    /// The same when the item began.
    turns_before: HashMap<u64, u64>,
    /// The entries as they were when the item began to change them.
    journal: Vec<(u64, Option<Entry>)>,
}

impl Overlay {
    pub(super) fn begin(&mut self) {
        self.journal.clear();
        self.turns_before.clone_from(&self.turns);
    }

    pub(super) fn roll_back(&mut self) {
        self.turns.clone_from(&self.turns_before);
        while let Some((sequence, before)) = self.journal.pop() {
            self.let_go(sequence);
            match before {
                Some(entry) => {
                    if entry.changed {
                        self.hold(sequence, &terms::unique(&entry.object));
                    }
                    self.entries.insert(sequence, entry);
                }
                None => {
                    if let Some(entry) = self.entries.remove(&sequence) {
                        self.identifiers.remove(&entry.object.identifier());
                    }
                }
            }
        }
    }

    /// Finds an object by its Unique Identifier.
    pub(super) fn load(&mut self, shared: &Shared, asker: &str, identifier: &Text, now: i64) -> Outcome<Arc<Managed>> {
        let sequence = match self.identifiers.get(identifier) {
            Some(&sequence) => sequence,
            None => {
                let unique = shared.vault.hash(Domain::Identifier, &[identifier.as_bytes()]);
                self.lookup(shared, unique)?.ok_or_else(Failure::not_found)?
            }
        };
        let object = self.by_sequence(shared, sequence, now)?.ok_or_else(Failure::not_found)?;
        // The record vouches for itself: a row that led to another object would show here.
        if object.identifier() != *identifier {
            return Err(Failure::internal(format!("an index row led to a wrong object for {asker}")));
        }
        Ok(object)
    }

    /// The object with this number, brought up to now.
    pub(super) fn by_sequence(&mut self, shared: &Shared, sequence: u64, now: i64) -> Outcome<Option<Arc<Managed>>> {
        if let Some(entry) = self.entries.get(&sequence) {
            return Ok(Some(Arc::clone(&entry.object)));
        }
        let read = |plaintext: &Secret| {
            record::read(sequence, plaintext).map_err(|error| Failure::internal(error.to_string()))
        };
        let Some(known) = shared.vault.known_record(sequence, read)? else { return Ok(None) };
        let base = Base { stamp: known.stamp, object: Arc::clone(&known.content) };
        let mut object = Arc::clone(&base.object);
        if object.is_behind(now) {
            Arc::make_mut(&mut object).advance(now);
        }
        let counted = refill(shared, &mut object)?;
        self.identifiers.insert(object.identifier(), sequence);
        self.entries.insert(
            sequence,
            Entry {
                base: Some(base),
                object: Arc::clone(&object),
                changed: false,
                material: MaterialChange::Keep,
                read: None,
                taken: 0,
                counted,
                carried: None,
            },
        );
        Ok(Some(object))
    }

    /// Lets go of an object that was only looked at.
    pub(super) fn forget(&mut self, sequence: u64) {
        if let Some(entry) = self.entries.remove(&sequence) {
            self.identifiers.remove(&entry.object.identifier());
        }
    }

    /// An object that was loaded or made before.
    pub(super) fn current(&self, sequence: u64) -> Outcome<Arc<Managed>> {
        match self.entries.get(&sequence) {
            Some(entry) => Ok(Arc::clone(&entry.object)),
            None => Err(Failure::internal("an object is changed that was never loaded")),
        }
    }

    /// Puts the changed object in the place of the former one.
    pub(super) fn replace(&mut self, shared: &Shared, object: Managed) -> Outcome<()> {
        let sequence = object.sequence;
        let before = terms::unique(&*self.current(sequence)?);
        let terms = terms::unique(&object);
        self.claim(shared, sequence, &terms, &before)?;
        let object = Arc::new(object);
        self.let_go(sequence);
        self.hold(sequence, &terms);
        self.remember(sequence, |entry| {
            entry.object = object;
            entry.changed = true;
        })
    }

    /// An object has these unique terms, which it has claimed or had before.
    fn hold(&mut self, sequence: u64, terms: &[Term]) {
        for term in terms {
            if let Some(claim) = self.claims.get_mut(term) {
                claim.holder = Some(sequence);
            }
        }
    }

    /// An object's unique terms are not held by it any more.
    fn let_go(&mut self, sequence: u64) {
        let Some(entry) = self.entries.get(&sequence).filter(|entry| entry.changed) else { return };
        for term in terms::unique(&entry.object) {
            if let Some(claim) = self.claims.get_mut(&term).filter(|claim| claim.holder == Some(sequence)) {
                claim.holder = None;
            }
        }
    }

    /// Adds a new object.
    pub(super) fn insert(&mut self, shared: &Shared, object: Managed, material: Option<Material>) -> Outcome<()> {
        let sequence = object.sequence;
        let terms = terms::unique(&object);
        self.claim(shared, sequence, &terms, &[])?;
        self.hold(sequence, &terms);
        let material = material.map_or(MaterialChange::Keep, |material| MaterialChange::Put(Arc::new(material)));
        self.journal.push((sequence, None));
        self.identifiers.insert(object.identifier(), sequence);
        let object = Arc::new(object);
        let entry =
            Entry { base: None, object, changed: true, material, read: None, taken: 0, counted: 0, carried: None };
        self.entries.insert(sequence, entry);
        Ok(())
    }

    /// Lets the count of an object's Usage Limits begin with what was taken elsewhere.
    pub(super) fn carry_usage(&mut self, sequence: u64, taken: u64) -> Outcome<()> {
        self.remember(sequence, |entry| {
            entry.carried = Some(taken);
            entry.taken = 0;
        })
    }

    pub(super) fn set_material(&mut self, sequence: u64, change: MaterialChange) -> Outcome<()> {
        self.remember(sequence, |entry| {
            entry.material = change;
            entry.changed = true;
        })
    }

    pub(super) fn material(&mut self, shared: &Shared, permitted: &Permitted) -> Outcome<Arc<Material>> {
        let sequence = permitted.sequence;
        if permitted.is_destroyed() {
            return Err(Failure::new(ResultReason::ObjectDestroyed, "the object is destroyed"));
        }
        let absent = || Failure::new(ResultReason::KeyValueNotPresent, "the server does not hold the key value");
        let entry = self.entries.get_mut(&sequence).ok_or_else(Failure::not_found)?;
        match (&entry.material, &entry.read) {
            (MaterialChange::Put(material) | MaterialChange::Exchange(_, material), _)
            | (MaterialChange::Keep, Some((material, _))) => Ok(Arc::clone(material)),
            (MaterialChange::Drop(_), _) => Err(absent()),
            (MaterialChange::Keep, None) => {
                let read = |plaintext: &Secret| {
                    material::read(plaintext).map_err(|error| Failure::internal(error.to_string()))
                };
                let known = shared.vault.known_material(sequence, read)?.ok_or_else(absent)?;
                let material = Arc::clone(&known.content);
                entry.read = Some((Arc::clone(&material), known.stamp.revision));
                Ok(material)
            }
        }
    }

    pub(super) fn take_usage(&mut self, permitted: &Permitted, units: u64) -> Outcome<()> {
        let sequence = permitted.sequence;
        let mut object = (*self.current(sequence)?).clone();
        let Some(limits) = object.usage_limits() else { return Ok(()) };
        let left = limits.count.unwrap_or(limits.total);
        let left = i64::try_from(units).ok().and_then(|units| left.checked_sub(units)).filter(|&left| left >= 0);
        let Some(left) = left else {
            return Err(Failure::new(ResultReason::UsageLimitExceeded, "the Usage Limits of the key do not allow it"));
        };
        set_count(&mut object, left);
        self.remember(sequence, |entry| {
            entry.object = Arc::new(object);
            entry.taken = entry.taken.saturating_add(units);
        })
    }

    /// The number under a unique row, as the store has it; remembered, so that the commit checks it.
    fn lookup(&mut self, shared: &Shared, unique: Hash16) -> Outcome<Option<u64>> {
        if let Some(&(sequence, _)) = self.lookups.get(&unique) {
            return Ok(sequence);
        }
        let found = shared.vault.lookup_unique(&unique)?;
        let (sequence, revision) = found.map_or((None, 0), |(sequence, revision)| (Some(sequence), revision));
        self.lookups.insert(unique, (sequence, revision));
        Ok(sequence)
    }

    /// The hash of a unique term.
    pub(super) fn unique(&self, shared: &Shared, term: &[u8]) -> Hash16 {
        match self.claims.get(term) {
            Some(claim) => claim.unique,
            None => shared.vault.hash(Domain::Unique, &[term]),
        }
    }

    /// Who has a unique term, by the store and by what this message has changed.
    pub(super) fn holder(&mut self, shared: &Shared, term: &Term) -> Outcome<Option<u64>> {
        if let Some(holder) = self.claims.get(term).and_then(|claim| claim.holder) {
            return Ok(Some(holder));
        }
        let unique = self.unique(shared, term);
        self.holder_of(shared, term, unique)
    }

    /// Who has a unique term that nobody holds by what this message has changed.
    fn holder_of(&mut self, shared: &Shared, term: &Term, unique: Hash16) -> Outcome<Option<u64>> {
        let has = |entry: &Entry| terms::unique(&entry.object).contains(term);
        let holder = self.lookup(shared, unique)?;
        // The holder may have given it up in this very message.
        let given_up = |sequence: &u64| self.entries.get(sequence).is_some_and(|entry| entry.changed && !has(entry));
        Ok(holder.filter(|sequence| !given_up(sequence)))
    }

    fn claim(&mut self, shared: &Shared, sequence: u64, wanted: &[Term], had: &[Term]) -> Outcome<()> {
        for term in wanted.iter().filter(|term| !had.contains(term)) {
            let unique = self.unique(shared, term);
            let holder = match self.claims.get(term).and_then(|claim| claim.holder) {
                Some(holder) => Some(holder),
                None => self.holder_of(shared, term, unique)?,
            };
            if holder.is_some_and(|holder| holder != sequence) {
                return Err(Failure::new(ResultReason::NonUniqueNameAttribute, "another object has that Name"));
            }
            // The commit asks for its hash again.
            self.claims.entry(term.clone()).or_insert(Claim { unique, holder: None });
        }
        Ok(())
    }

    fn remember(&mut self, sequence: u64, change: impl FnOnce(&mut Entry)) -> Outcome<()> {
        let entry = self.entries.get_mut(&sequence).ok_or_else(Failure::not_found)?;
        self.journal.push((sequence, Some(entry.clone())));
        change(entry);
        Ok(())
    }
}

/// To whom an object's rows belong.
pub(super) fn belongs(shared: &Shared, object: &Managed) -> Belongs {
    let identifier = shared.vault.hash(Domain::Identifier, &[object.identifier().as_bytes()]);
    Belongs { owner: shared.vault.hash(Domain::Owner, &[object.owner.as_bytes()]), identifier }
}

/// As [`belongs`], of a new object: nobody has asked for the hash of its identifier yet, and most are not asked for soon.
pub(super) fn belongs_new(shared: &Shared, object: &Managed) -> Belongs {
    let identifier = shared.vault.hash_new(Domain::Identifier, &[object.identifier().as_bytes()]);
    Belongs { owner: shared.vault.hash(Domain::Owner, &[object.owner.as_bytes()]), identifier }
}

/// The count of Usage Limits lives in a counter of its own, so that uses of one key do not conflict with each other.
/// Answers what the counter has.
fn refill(shared: &Shared, object: &mut Arc<Managed>) -> Outcome<u64> {
    let Some(limits) = object.usage_limits() else { return Ok(0) };
    let taken = shared.vault.counter(object.sequence, USAGE)?.map_or(0, |(taken, _)| taken);
    let left = limits.total.saturating_sub(i64::try_from(taken).unwrap_or(i64::MAX)).max(0);
    set_count(Arc::make_mut(object), left);
    Ok(taken)
}

fn set_count(object: &mut Managed, left: i64) {
    let Some(Value::Structure(elements)) = object.attributes.get(Tag::UsageLimits) else { return };
    let counted = |element: &Element| match element.tag {
        Tag::UsageLimitsCount => Element::new(Tag::UsageLimitsCount, Value::LongInteger(left)),
        _ => element.clone(),
    };
    let elements = elements.iter().map(counted).collect();
    object.attributes.set(Tag::UsageLimits, Value::Structure(elements));
}

/// Whether a residency keeps the key away from the server.
pub(super) const fn is_guarded(residency: Residency) -> bool {
    matches!(residency, Residency::Wrapped | Residency::Token)
}
