//! All that an operation can reach: objects as they stand in this message, the provider that holds a key, clock, random
//! source, who is asking.
//!
//! The view hands out no object without a decision ([`View::open`]), writes no store, and is committed by the dispatcher.

mod about;
mod application;
mod certification;
mod commit;
mod empty;
mod events;
mod index;
mod insert;
mod instances;
mod keys;
mod link;
mod locate;
mod metas;
mod nonces;
mod overlay;
mod parts;
mod permit;
mod protect;
mod provisions;
pub mod reindex;
mod restore;
mod search;
mod settings;
mod slow;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::schema::Encode;
use kmip_codec::spec::{ObjectType, Operation, ResultReason, StorageStatusMask, Tag, Version};
use kmip_codec::ttlv::{Limits, Text, Writer, frame, parse};
use kmip_codec::types::{Attribute, Name, Object, UniqueIdentifier};
use zeroize::Zeroizing;

use crate::crypto::Provider;
use crate::crypto::providers::Providers;
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::object::state::Event;
use crate::object::{Managed, quantum, rules};
use crate::secret::Secret;
use crate::session::instances::Instances;
use crate::session::parts::Parts;
use crate::store::vault::Vault;
use crate::trust::identity::Fingerprint;
use crate::trust::policy::{self, Permitted, Use};
use crate::trust::requester::Requester;
pub use about::{About, ClientToken, Endpoint, Spoken};
pub use commit::{Commit, Turned};
pub use events::{Listener, Outgoing, Said, Told};
pub use insert::{Home, New, NewKey};
pub use keys::{Exportable, hides};
pub use locate::{Filter, Found, Storage};
use metas::Metas;
use overlay::{MaterialChange, Overlay};
pub use settings::{Protection, Settings};
pub use slow::Slow;

/// The time.
pub trait Clock: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now(&self) -> i64;
}

/// The system's time.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }
}

/// What all messages share.
pub struct Shared {
    /// The store.
    pub vault: Vault,
    /// Who does cryptography.
    pub providers: Providers,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// The configuration.
    pub settings: Settings,
    /// What lives between the parts of operations.
    pub parts: Parts,
    /// What clients have open on the server as a PKCS #11 token.
    pub instances: Arc<Instances>,
}

impl Shared {
    /// The system's load: how many threads ran or waited to run in the last minute.
    pub fn load(&self) -> f64 {
        // The kernel counts in parts of 65536.
        const UNIT: f64 = 65536.0;
        let [minute, ..] = rustix::system::sysinfo().loads;
        #[expect(clippy::cast_precision_loss, reason = "a load of more than 2^36 threads")]
        let load = minute as f64 / UNIT;
        load
    }
}

/// What survives a second run of the message: the keys that were made. A second run may come to other objects, or skip an
/// item that now fails, so that a key is found again by what was asked for and never by its place.
#[derive(Default)]
pub struct Kept {
    keys: Vec<insert::KeptKey>,
    /// Identities of token keys whose intents stand, and that nobody has taken.
    spares: Vec<[u8; 16]>,
    /// Steps of operations in parts, found again by what was asked for.
    steps: Vec<parts::KeptStep>,
    /// What clients have open on the server as a PKCS #11 token, as far as the message is about it.
    leases: instances::Leases,
    /// Nonces that are counted by the commit.
    nonces: nonces::Nonces,
}

/// One message's view of the server.
pub struct View {
    shared: Arc<Shared>,
    requester: Requester,
    /// Whether the certificate that the requester came with must be good at the commit.
    relies_on_link: bool,
    /// The operation of the item at hand.
    operation: Option<Operation>,
    /// The operation whose right it needs besides.
    deed: Option<Operation>,
    /// What a ticket had counted when the item began.
    counted: usize,
    version: Version,
    now: i64,
    overlay: Overlay,
    metas: Metas,
    /// What clients want to stand in the log, and how much of it there was when the item began.
    notes: Vec<String>,
    /// A certificate of the client, and the one that follows it.
    followed: Option<(Fingerprint, Fingerprint)>,
    noted: usize,
    placeholder: Option<Text>,
    kept: Kept,
    /// The places of the steps that the item at hand has come to.
    steps: Vec<usize>,
    instanced: instances::Instanced,
    /// Identities of token keys whose intents must be committed before the message can go on.
    wanted: Vec<[u8; 16]>,
    /// Whether nobody is told what it changes.
    is_silent: bool,
    /// Whether the commit empties the store.
    emptied: bool,
}

impl View {
    /// A view for one run of a message of somebody of whom no more is known than the name.
    pub fn new(shared: Arc<Shared>, asker: Arc<str>, version: Version, kept: Kept) -> Self {
        let now = shared.clock.now();
        Self::of(shared, Requester::new(asker), version, kept, now)
    }

    /// A view for one run of a message, at its time.
    pub fn of(shared: Arc<Shared>, requester: Requester, version: Version, kept: Kept, now: i64) -> Self {
        Self {
            shared,
            requester,
            relies_on_link: false,
            operation: None,
            deed: None,
            counted: 0,
            version,
            now,
            overlay: Overlay::default(),
            metas: Metas::default(),
            notes: Vec::new(),
            followed: None,
            noted: 0,
            placeholder: None,
            kept,
            steps: Vec::new(),
            instanced: instances::Instanced::default(),
            wanted: Vec::new(),
            is_silent: false,
            emptied: false,
        }
    }

    /// Tells nobody what the view changes: it is the telling itself that changes it.
    pub const fn be_silent(&mut self) {
        self.is_silent = true;
    }

    /// Says more of who asks than the name.
    #[cfg(test)]
    pub fn set_requester(&mut self, requester: Requester) {
        self.requester = requester;
    }

    /// Who asks.
    pub const fn requester(&self) -> &Requester {
        &self.requester
    }

    /// Begins the operation of an item, after [`View::begin_item`].
    ///
    /// # Errors
    /// Not Authorised and Usage Limit Exceeded, as the requester's ticket has it.
    pub fn begin_operation(&mut self, operation: Operation) -> Outcome<()> {
        self.operation = Some(operation);
        match &mut self.requester.grant {
            Some(grant) => grant.begin(operation),
            None => Ok(()),
        }
    }

    /// Ends the operation of an item that succeeds, and counts it.
    ///
    /// # Errors
    /// Not Authorised for an operation on no object where the ticket's rights are for some objects alone.
    pub fn finish_operation(&mut self) -> Outcome<()> {
        match (&mut self.requester.grant, self.operation) {
            (Some(grant), Some(operation)) => grant.finish(operation),
            _ => Ok(()),
        }
    }

    /// Whether the requester may ask for an operation at all.
    pub fn may_ask(&self, operation: Operation) -> bool {
        self.requester.grant.as_ref().is_none_or(|grant| grant.has(operation))
    }

    /// Decides on an object.
    fn decide(&mut self, object: Arc<Managed>, intent: Use) -> Outcome<Permitted> {
        let tell = self.shared.settings.tell_of_others;
        let permitted = policy::decide(&mut self.requester, self.operation, object, intent, self.now, tell)?;
        match self.deed {
            Some(deed) if !policy::shows(&self.requester, Some(deed), &permitted) => {
                Err(Failure::new(ResultReason::NotAuthorised, format!("no right is for {deed} of this object")))
            }
            _ => Ok(permitted),
        }
    }

    /// The version of the message.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The time of the message, in seconds; the same for all its items.
    pub const fn now(&self) -> i64 {
        self.now
    }

    /// What all messages share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The longest lease, in seconds; 0 for without limit.
    pub fn longest_lease(&self) -> u32 {
        self.shared.settings.longest_lease
    }

    /// The ID Placeholder.
    pub fn placeholder(&self) -> Option<&Text> {
        self.placeholder.as_ref()
    }

    /// Sets the ID Placeholder.
    pub fn set_placeholder(&mut self, identifier: Option<Text>) {
        self.placeholder = identifier;
    }

    /// Empties the ID Placeholder.
    pub fn clear_placeholder(&mut self) {
        self.placeholder = None;
    }

    /// Opens an object for a use: the one that is named, or the ID Placeholder's. The dispatcher has turned the other
    /// forms of a Unique Identifier into text.
    ///
    /// # Errors
    /// Object Not Found, and whatever the policy and the object's state have against the use.
    pub fn open(&mut self, identifier: Option<&UniqueIdentifier>, intent: Use) -> Outcome<Permitted> {
        let identifier = match identifier {
            Some(UniqueIdentifier::Text(text)) => text.clone(),
            Some(_) => return Err(Failure::not_found()),
            None => self.placeholder.clone().ok_or_else(|| {
                Failure::new(
                    ResultReason::ObjectNotFound,
                    "no Unique Identifier is given, and the ID Placeholder is empty",
                )
            })?,
        };
        let object = self.overlay.load(&self.shared, &self.requester.owner, &identifier, self.now)?;
        self.opened(object, intent)
    }

    fn opened(&mut self, object: Arc<Managed>, intent: Use) -> Outcome<Permitted> {
        // A version does not know of objects whose type it does not have.
        if !object.object_type().known_in(self.version) {
            return Err(Failure::not_found());
        }
        let permitted = self.decide(object, intent)?;
        if permitted.is_archived() && !intent.reaches_archive(self.version) {
            return Err(Failure::new(ResultReason::ObjectArchived, "the object is archived: Recover brings it back"));
        }
        Ok(permitted)
    }

    /// The attributes of the requester's Template of this name.
    ///
    /// # Errors
    /// Item Not Found; what the policy says.
    pub fn template(&mut self, name: &Name) -> Outcome<Vec<Attribute>> {
        let value = value_of(name, Tag::Name).ok_or_else(Failure::not_found)?;
        let kind = Attribute::new(Tag::ObjectType, Value::Enumeration(ObjectType::Template.into()));
        let everywhere = StorageStatusMask::ON_LINE_STORAGE | StorageStatusMask::ARCHIVAL_STORAGE;
        let filter = Filter::new(vec![Attribute::new(Tag::Name, value), kind])?.stored(Some(everywhere));
        let found = self.locate(&filter, 0, 1, false)?;
        let missing = || Failure::new(ResultReason::ItemNotFound, "there is no Template of that Name");
        let identifier = found.identifiers.into_iter().next().ok_or_else(missing)?;
        let permitted = self.open(Some(&UniqueIdentifier::Text(identifier)), Use::Template)?;
        match &*self.material(&permitted)? {
            Material::Open(object) => match &**object {
                Object::Template(template) => Ok(template.attributes.0.clone()),
                _ => Err(missing()),
            },
            Material::Guarded(_) => Err(missing()),
        }
    }

    /// Opens the object of this name in the requester's own namespace.
    ///
    /// # Errors
    /// Object Not Found.
    pub fn open_named(&mut self, name: &Name, intent: Use) -> Outcome<Permitted> {
        let value = value_of(name, Tag::Name).ok_or_else(Failure::not_found)?;
        let filter = Filter::new(vec![Attribute::new(Tag::Name, value)])?;
        let found = self.locate(&filter, 0, 1, false)?;
        let identifier = found.identifiers.into_iter().next().ok_or_else(Failure::not_found)?;
        self.open(Some(&UniqueIdentifier::Text(identifier)), intent)
    }

    /// Changes an object's attributes; then time is brought to bear on it, and its names must still be its own.
    ///
    /// # Errors
    /// What the change says; Non Unique Name Attribute. Nothing is changed then.
    pub fn edit<T>(&mut self, permitted: &Permitted, change: impl FnOnce(&mut Managed) -> Outcome<T>) -> Outcome<T> {
        let before = self.overlay.current(permitted.sequence)?;
        let mut object = (*before).clone();
        let answer = change(&mut object)?;
        if object.attributes.len() > before.attributes.len() {
            rules::bounded(&object.attributes, self.shared.settings.maximum_attributes)?;
        }
        quantum::check(&object.attributes)?;
        object.advance(self.now);
        self.overlay.replace(&self.shared, object)?;
        Ok(answer)
    }

    /// Destroys an object: the material goes with the commit, and with it every handle.
    ///
    /// # Errors
    /// What the state machine says.
    pub fn destroy(&mut self, permitted: &Permitted) -> Outcome<()> {
        let now = self.now;
        let mut guarded = None;
        if !permitted.is_destroyed() && overlay::is_guarded(permitted.residency) {
            // Whose handles go, and what the module must forget, is said in the material.
            guarded = match &*self.material(permitted)? {
                Material::Guarded(guarded) => Some(guarded.clone()),
                Material::Open(_) => None,
            };
        }
        self.edit(permitted, |object| Ok(object.happen(Event::Destroy, now)?))?;
        self.overlay.set_material(permitted.sequence, MaterialChange::Drop(guarded))
    }

    /// The material of an object.
    ///
    /// # Errors
    /// Object Destroyed; Key Value Not Present.
    pub fn material(&mut self, permitted: &Permitted) -> Outcome<Arc<Material>> {
        self.overlay.material(&self.shared, permitted)
    }

    /// Takes units of an object's Usage Limits, if it has any; the writer checks again that they are there.
    ///
    /// # Errors
    /// Usage Limit Exceeded.
    pub fn take_usage(&mut self, permitted: &Permitted, bytes: usize) -> Outcome<()> {
        let Some(limits) = permitted.usage_limits() else { return Ok(()) };
        self.allocate(permitted, limits.units(bytes))
    }

    /// Takes this many units of an object's Usage Limits, if it has any; the writer checks again that they are there.
    ///
    /// # Errors
    /// Usage Limit Exceeded.
    pub fn allocate(&mut self, permitted: &Permitted, units: u64) -> Outcome<()> {
        self.overlay.take_usage(permitted, units)
    }

    /// Whether units of an object's Usage Limits were taken before.
    pub fn is_used(&self, permitted: &Permitted) -> bool {
        permitted.usage_limits().is_some_and(|limits| limits.count.is_some_and(|count| count != limits.total))
    }

    /// Random bytes of this process, for names, nonces and salts: nothing waits for the module because of them.
    ///
    /// # Errors
    /// A generator that fails.
    pub fn random(&self, count: usize) -> Outcome<Secret> {
        random_of(self.shared.providers.own_random(), count)
    }

    /// Random bytes for a client who asks for such: the module's, where there is one.
    ///
    /// # Errors
    /// A module that is not available.
    pub fn random_for_client(&self, count: usize) -> Outcome<Secret> {
        random_of(self.shared.providers.random(), count)
    }

    /// Has something written to the log once the message is committed. It must be one line.
    pub fn note(&mut self, text: String) {
        self.notes.push(text);
    }

    /// What is to be written to the log.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Begins an item: what it changes can be taken back alone.
    pub fn begin_item(&mut self) {
        self.overlay.begin();
        self.metas.begin();
        self.instanced.begin();
        self.deed = None;
        self.noted = self.notes.len();
        self.counted = self.requester.grant.as_ref().map_or(0, |grant| grant.mark());
        self.steps.clear();
    }

    /// Takes back what the item has changed.
    pub fn fail_item(&mut self) {
        self.overlay.roll_back();
        self.metas.roll_back();
        self.instanced.roll_back();
        self.notes.truncate(self.noted);
        if let Some(grant) = &mut self.requester.grant {
            grant.back(self.counted);
        }
        for place in self.steps.drain(..) {
            if let Some(step) = self.kept.steps.get_mut(place) {
                step.dropped = true;
            }
        }
    }

    /// Takes back everything that the message has changed.
    pub fn undo(&mut self) {
        self.overlay = Overlay::default();
        self.metas = Metas::default();
        self.instanced = instances::Instanced::default();
        self.notes.clear();
        if let Some(grant) = &mut self.requester.grant {
            grant.back(0);
        }
        self.kept.steps.iter_mut().for_each(|step| step.dropped = true);
        // No answer leaves with them.
        self.kept.nonces = nonces::Nonces::default();
        self.placeholder = None;
    }

    /// Whether the message cannot go on before intents are committed.
    pub fn has_wanted_intents(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The identities of token keys whose intents must be committed before the message can go on.
    ///
    /// So many further ones are reserved with them, for the token keys of the message's other items: its second run then
    /// finds all that it needs.
    ///
    /// # Errors
    /// A module that is not available.
    pub fn wanted_intents(&mut self, further: usize) -> Outcome<Vec<[u8; 16]>> {
        let mut wanted = std::mem::take(&mut self.wanted);
        if !wanted.is_empty() {
            for _ in 1..further {
                let identity = self.identity()?;
                self.kept.spares.push(identity);
                wanted.push(identity);
            }
        }
        Ok(wanted)
    }
}

fn random_of(provider: &dyn Provider, count: usize) -> Outcome<Secret> {
    // Exactly as long as the secret that it becomes: no copy stays behind.
    let mut bytes = Zeroizing::new(vec![0; count]);
    provider.random(&mut bytes)?;
    Ok(Secret::new(std::mem::take(&mut *bytes)))
}

/// A structure as the value of an attribute, in our canonical form.
pub fn value_of(structure: &impl Encode, tag: Tag) -> Option<Value> {
    let mut writer = Writer::new(Version::V2_1);
    structure.encode(tag, &mut writer);
    parse(&frame::protect(writer.finish()), &Limits::default()).ok().map(|element| element.value)
}
