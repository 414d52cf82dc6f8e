//! Tickets (KMIP 2.1 §6.1.12, §6.1.30, §7.39): rows that say whom they stand for and how far, and rows that count.
//!
//! The value of a ticket is random and rests as a keyed hash alone. A ticket that was got with another one hangs on it:
//! it ends with it, counts against it, and never permits more.

use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::schema::{DateTime, Encode, decode};
use kmip_codec::spec::{Operation, ResultReason, Tag, Version};
use kmip_codec::ttlv::{Blob, Limits, Text, Writer, frame, parse};
use kmip_codec::types::{Right, Rights};

use crate::failure::{Failure, Outcome};
use crate::object::Managed;
use crate::secret::Secret;
use crate::store::Revision;
use crate::store::vault::{Domain, Hash16, MetaChange, Vault, VaultBatch};
use crate::trust::identity::Fingerprint;
use crate::trust::link::{self, Admits};

/// Bytes of a ticket's value.
pub const LENGTH: usize = 32;

/// How long a chain of tickets may be, each got with the one before.
pub const DEPTH: usize = 8;

/// How the names of the rows begin.
const ROWS: &str = "ticket/";
const COUNTS: &str = "ticket-count/";

/// The counts of a ticket: its requests, its operations, and the operations of each right.
const REQUESTS: usize = 0;
const OPERATIONS: usize = 1;
const RIGHTS: usize = 2;

kmip_codec::structure! {
    /// What rests of a ticket.
    pub struct Stored {
        /// Whom it stands for.
        pub owner: Text = Username,
        /// When it ends.
        pub until: DateTime = LeaseTime,
        /// How many requests may come with it.
        pub requests: Option<i64> = UsageLimitsCount,
        /// How many operations may be performed with it.
        pub operations: Option<i64> = UsageLimitsTotal,
        /// What may be done with it.
        pub rights: Option<Rights> = Rights,
        /// The name of the ticket that it hangs on.
        pub parent: Option<Text> = Name,
        /// The certificates with which it was got, that of the client first.
        pub certificates: Vec<Blob> = CertificateValue,
    }
}

/// A ticket as its rows said.
#[derive(Debug, Clone)]
struct Link {
    name: String,
    revision: Revision,
    stored: Arc<Stored>,
    /// What was counted.
    counts: Vec<u64>,
    /// The right that the item at hand uses, by its place.
    right: Option<usize>,
}

/// A ticket with all that it hangs on: what its holder may do.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The ticket itself first.
    chain: Vec<Link>,
    /// What this message has counted so far: ticket, count, how many.
    taken: Vec<(usize, usize, u64)>,
}

/// The name under which a ticket rests.
pub fn name(vault: &Vault, value: &[u8]) -> String {
    let Hash16(hash) = vault.hash(Domain::Ticket, &[value]);
    hex::encode(hash)
}

/// The row of the ticket of this name.
pub fn row(name: &str) -> String {
    format!("{ROWS}{name}")
}

/// The row of its counts.
pub fn count_row(name: &str) -> String {
    format!("{COUNTS}{name}")
}

impl Stored {
    /// The form in which it rests.
    pub fn write(&self) -> Secret {
        let mut writer = Writer::new(Version::V2_1);
        self.encode(Tag::Ticket, &mut writer);
        Secret::new(writer.finish())
    }

    /// Reads what rests.
    ///
    /// # Errors
    /// A row that is not what was written there.
    pub fn read(bytes: &Secret) -> Outcome<Self> {
        let broken =
            |error: Box<kmip_codec::Error>| Failure::internal(format!("a ticket's row cannot be read: {error}"));
        let element = parse(&frame::protect(bytes.expose().to_vec()), &Limits::default()).map_err(broken)?;
        decode(element, Version::V2_1).map_err(broken)
    }

    /// The counts of a ticket that was not used.
    pub fn counts(&self) -> Secret {
        let rights = self.rights.as_ref().map_or(0, |rights| rights.rights.len());
        write_counts(&vec![0; RIGHTS + rights])
    }

    fn right(&self, place: usize) -> Option<&Right> {
        self.rights.as_ref()?.rights.get(place)
    }

    /// The most that a count may come to.
    fn most(&self, count: usize) -> Option<u64> {
        let most = match count {
            REQUESTS => self.requests,
            OPERATIONS => self.operations,
            _ => {
                let limits = self.right(count - RIGHTS)?.usage_limits.as_ref()?;
                Some(limits.count.unwrap_or(limits.total))
            }
        };
        most.map(|most| u64::try_from(most).unwrap_or(0))
    }
}

impl Grant {
    /// A ticket of which the name alone is known: [`Grant::again`] sees whether there is one. Until then it permits nothing.
    pub fn unseen(name: &str) -> Self {
        let rights = Some(Rights { rights: Vec::new() });
        let (until, owner) = (DateTime(i64::MIN), Text::default());
        let certificates = Vec::new();
        let stored = Stored { owner, until, requests: None, operations: None, rights, parent: None, certificates };
        let link =
            Link { name: name.to_owned(), revision: 0, stored: Arc::new(stored), counts: Vec::new(), right: None };
        Self { chain: vec![link], taken: Vec::new() }
    }

    /// Finds a ticket by its value, with all that it hangs on.
    ///
    /// # Errors
    /// Invalid Ticket for one that is not there, was given back, or has ended.
    pub fn load(vault: &Vault, value: &Blob, now: i64) -> Outcome<Self> {
        Self::named(vault, name(vault, value), now)
    }

    /// The same by the name that rests.
    fn named(vault: &Vault, name: String, now: i64) -> Outcome<Self> {
        let mut chain: Vec<Link> = Vec::new();
        let mut next = Some(name);
        while let Some(name) = next {
            let (Some((bytes, revision)), true) = (vault.meta(&row(&name))?, chain.len() < DEPTH) else {
                return Err(invalid());
            };
            let stored = Stored::read(&bytes)?;
            if stored.until.0 <= now {
                return Err(invalid());
            }
            let counts = vault.meta(&count_row(&name))?.map(|(bytes, _)| read_counts(&bytes)).unwrap_or_default();
            next = stored.parent.as_ref().map(ToString::to_string);
            chain.push(Link { name, revision, stored: Arc::new(stored), counts, right: None });
        }
        Ok(Self { chain, taken: Vec::new() })
    }

    /// The ticket as its rows say now.
    ///
    /// # Errors
    /// Invalid Ticket.
    pub fn again(&self, vault: &Vault, now: i64) -> Outcome<Self> {
        Self::named(vault, self.name().to_owned(), now)
    }

    /// The name under which the ticket rests.
    pub fn name(&self) -> &str {
        self.chain.first().map_or("", |link| &link.name)
    }

    /// Whom it stands for.
    pub fn owner(&self) -> Text {
        self.chain.first().map(|link| link.stored.owner.clone()).unwrap_or_default()
    }

    /// Whether everybody who got a ticket of the chain could get one still: is admitted, and may act as whom the first of
    /// the tickets stands for.
    ///
    /// # Errors
    /// Invalid Ticket.
    pub fn stands(&self, vault: &Vault, admits: &dyn Admits, may_be: impl Fn(&str, &str) -> bool) -> Outcome<()> {
        for Link { stored, .. } in &self.chain {
            let (own, above) = stored.certificates.split_first().ok_or_else(invalid)?;
            if vault.meta(&link::row(vault, &Fingerprint::of(own)))?.is_some() {
                return Err(invalid());
            }
            let above: Vec<Vec<u8>> = above.iter().map(|der| der.to_vec()).collect();
            let identity = admits.identity_of(own, &above).ok_or_else(invalid)?;
            // One that hangs on another was got by its bearer.
            if stored.parent.is_none() && !may_be(identity.as_str(), &stored.owner) {
                return Err(invalid());
            }
        }
        Ok(())
    }

    /// When the first of its chain ends.
    pub fn until(&self) -> i64 {
        self.chain.iter().map(|link| link.stored.until.0).min().unwrap_or(0)
    }

    /// How many tickets it hangs on, itself included.
    pub fn depth(&self) -> usize {
        self.chain.len()
    }

    /// Counts a request, before anything of it is done: it counts whatever comes of it.
    pub fn count_request(&self, batch: &mut VaultBatch) {
        for link in &self.chain {
            if let Some(most) = link.stored.most(REQUESTS) {
                take(batch, &link.name, vec![(REQUESTS, 1, most)]);
            }
            batch.expect_meta(&row(&link.name), link.revision);
        }
    }

    /// Whether its requests are used up.
    pub fn is_exhausted(&self) -> bool {
        self.chain.iter().any(|link| link.is_full(REQUESTS, 0))
    }

    /// Begins an item with this operation.
    ///
    /// # Errors
    /// Not Authorised if no right has it; Usage Limit Exceeded if those that have it are used up.
    pub fn begin(&mut self, operation: Operation) -> Outcome<()> {
        for place in 0..self.chain.len() {
            let taken = |count| self.taken(place, count);
            let Some(link) = self.chain.get(place) else { continue };
            if link.is_full(OPERATIONS, taken(OPERATIONS)) {
                return Err(exceeded());
            }
            let Some(rights) = &link.stored.rights else { continue };
            let mut having = rights.rights.iter().enumerate().filter(|(_, right)| has(right, operation)).peekable();
            if having.peek().is_none() {
                return Err(unauthorised(operation));
            }
            if having.all(|(place, _)| link.is_full(RIGHTS + place, taken(RIGHTS + place))) {
                return Err(exceeded());
            }
        }
        self.chain.iter_mut().for_each(|link| link.right = None);
        Ok(())
    }

    /// Whether one of the rights that have the operation has this object, too. Notes which right was used.
    ///
    /// # Errors
    /// Not Authorised.
    pub fn open(&mut self, operation: Operation, object: &Managed) -> Outcome<()> {
        for place in 0..self.chain.len() {
            self.use_right(place, operation, |right| covers(right, object))?;
        }
        Ok(())
    }

    /// Whether an object may be shown: as [`Grant::open`], without using anything.
    pub fn shows(&self, operation: Operation, object: &Managed) -> bool {
        self.chain.iter().all(|link| match &link.stored.rights {
            Some(rights) => rights.rights.iter().any(|right| has(right, operation) && covers(right, object)),
            None => true,
        })
    }

    /// Whether the operation may be asked for at all.
    pub fn has(&self, operation: Operation) -> bool {
        self.chain.iter().all(|link| match &link.stored.rights {
            Some(rights) => rights.rights.iter().any(|right| has(right, operation)),
            None => true,
        })
    }

    /// Ends an item that succeeds: an operation that has opened no object needs a right that names none. Counts it.
    ///
    /// # Errors
    /// Not Authorised.
    pub fn finish(&mut self, operation: Operation) -> Outcome<()> {
        // What Locate has found was let through object by object; nothing found is no secret.
        let finds = operation == Operation::Locate;
        for place in 0..self.chain.len() {
            if self.chain.get(place).is_some_and(|link| link.right.is_none()) {
                self.use_right(place, operation, |right| finds || names_none(right))?;
            }
        }
        for place in 0..self.chain.len() {
            let Some(link) = self.chain.get(place) else { continue };
            let used = link.right.map(|right| RIGHTS + right);
            let counts: Vec<usize> = [Some(OPERATIONS), used].into_iter().flatten().collect();
            for count in counts {
                if self.chain.get(place).is_some_and(|link| link.stored.most(count).is_some()) {
                    self.taken.push((place, count, 1));
                }
            }
        }
        Ok(())
    }

    /// What was counted, to go back to.
    pub fn mark(&self) -> usize {
        self.taken.len()
    }

    /// Goes back to a mark.
    pub fn back(&mut self, mark: usize) {
        self.taken.truncate(mark);
    }

    /// What the message's commit relies on, and what it counts.
    pub fn commit(&self, batch: &mut VaultBatch, is_gone: impl Fn(&str) -> bool) {
        for (place, link) in self.chain.iter().enumerate() {
            if is_gone(&link.name) {
                continue;
            }
            batch.expect_meta(&row(&link.name), link.revision);
            let mut takes: Vec<(usize, u64, u64)> = Vec::new();
            for &(_, count, many) in self.taken.iter().filter(|(of, ..)| *of == place) {
                let Some(most) = link.stored.most(count) else { continue };
                match takes.iter_mut().find(|(other, ..)| *other == count) {
                    Some((_, sum, _)) => *sum = sum.saturating_add(many),
                    None => takes.push((count, many, most)),
                }
            }
            if !takes.is_empty() {
                take(batch, &link.name, takes);
            }
        }
    }

    /// Whether everything that new rights permit is permitted by this ticket, too.
    pub fn includes(&self, rights: &Rights) -> bool {
        let of = |link: &Link| link.stored.rights.clone();
        self.chain.iter().filter_map(of).all(|own| {
            rights.rights.iter().all(|new| own.rights.iter().any(|own| includes(own, new)) || includes_split(&own, new))
        })
    }

    fn use_right(&mut self, place: usize, operation: Operation, fits: impl Fn(&Right) -> bool) -> Outcome<()> {
        let Some(link) = self.chain.get(place) else { return Ok(()) };
        let Some(rights) = &link.stored.rights else { return Ok(()) };
        let found = rights.rights.iter().enumerate().find(|(right, own)| {
            let count = RIGHTS + right;
            has(own, operation) && fits(own) && !link.is_full(count, self.taken(place, count))
        });
        let Some((right, _)) = found else { return Err(unauthorised(operation)) };
        if let Some(link) = self.chain.get_mut(place) {
            link.right = Some(right);
        }
        Ok(())
    }

    /// What this message has counted of a count.
    fn taken(&self, place: usize, count: usize) -> u64 {
        self.taken.iter().filter(|(of, which, _)| (*of, *which) == (place, count)).map(|(.., many)| many).sum()
    }
}

impl Link {
    fn is_full(&self, count: usize, more: u64) -> bool {
        let counted = self.counts.get(count).copied().unwrap_or(0).saturating_add(more);
        self.stored.most(count).is_some_and(|most| counted >= most)
    }
}

/// Removes a ticket. Those that hang on it end with it.
pub fn drop(batch: &mut VaultBatch, name: &str) {
    batch.drop_meta(&row(name));
    batch.drop_meta(&count_row(name));
}

/// How many tickets there are.
///
/// # Errors
/// A store that cannot be read.
pub fn count(vault: &Vault) -> Outcome<usize> {
    Ok(vault.meta_names(ROWS)?.len())
}

/// Removes all tickets.
///
/// # Errors
/// A store that cannot be read.
pub fn drop_all(vault: &Vault, batch: &mut VaultBatch) -> Outcome<()> {
    for name in vault.meta_names(ROWS)? {
        drop(batch, name.strip_prefix(ROWS).unwrap_or_default());
    }
    Ok(())
}

/// Removes the tickets that have ended. Answers how many.
///
/// # Errors
/// A store that cannot be read.
pub fn drop_ended(vault: &Vault, batch: &mut VaultBatch, now: i64) -> Outcome<usize> {
    let mut ended = 0;
    for name in vault.meta_names(ROWS)? {
        let Some((bytes, _)) = vault.meta(&name)? else { continue };
        if Stored::read(&bytes)?.until.0 <= now {
            drop(batch, name.strip_prefix(ROWS).unwrap_or_default());
            ended += 1;
        }
    }
    Ok(ended)
}

/// Takes of counts at the moment of the commit, if they are not used up then: count, how many, the most.
fn take(batch: &mut VaultBatch, name: &str, takes: Vec<(usize, u64, u64)>) {
    batch.update_meta(&count_row(name), move |before| {
        let Some(before) = before else { return MetaChange::Refuse("the ticket was given back") };
        let mut counts = read_counts(before);
        for &(count, many, most) in &takes {
            let Some(counted) = counts.get_mut(count) else { return MetaChange::Refuse("a ticket has no such count") };
            *counted = counted.saturating_add(many);
            if *counted > most {
                return MetaChange::Refuse("the ticket is used up");
            }
        }
        MetaChange::Set(write_counts(&counts))
    });
}

fn read_counts(bytes: &Secret) -> Vec<u64> {
    let (counts, _) = bytes.expose().as_chunks::<8>();
    counts.iter().map(|count| u64::from_be_bytes(*count)).collect()
}

fn write_counts(counts: &[u64]) -> Secret {
    Secret::new(counts.iter().flat_map(|count| count.to_be_bytes()).collect())
}

fn has(right: &Right, operation: Operation) -> bool {
    right.operations.as_ref().is_none_or(|operations| operations.operations.contains(&operation))
}

fn names_none(right: &Right) -> bool {
    right.objects.is_none() && right.object_groups.is_none()
}

/// Whether a right has an object: each aspect that it names must fit.
fn covers(right: &Right, object: &Managed) -> bool {
    let identifier = object.identifier();
    let is_named = |objects: &kmip_codec::types::Objects| {
        objects
            .unique_identifiers
            .iter()
            .any(|named| *named == kmip_codec::types::UniqueIdentifier::Text(identifier.clone()))
    };
    let is_in = |groups: &kmip_codec::types::ObjectGroups| {
        groups.groups.iter().any(|group| {
            object.attributes.values(Tag::ObjectGroup).any(|value| *value == Value::TextString(group.clone()))
        })
    };
    right.objects.as_ref().is_none_or(is_named) && right.object_groups.as_ref().is_none_or(is_in)
}

/// Whether a right permits all that another one does.
fn includes(own: &Right, new: &Right) -> bool {
    fn within<T: PartialEq>(own: Option<&[T]>, new: Option<&[T]>) -> bool {
        match (own, new) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(own), Some(new)) => new.iter().all(|item| own.contains(item)),
        }
    }
    let operations = |right: &Right| right.operations.as_ref().map(|list| list.operations.clone());
    let objects = |right: &Right| right.objects.as_ref().map(|list| list.unique_identifiers.clone());
    let groups = |right: &Right| right.object_groups.as_ref().map(|list| list.groups.clone());
    within(operations(own).as_deref(), operations(new).as_deref())
        && within(objects(own).as_deref(), objects(new).as_deref())
        && within(groups(own).as_deref(), groups(new).as_deref())
}

/// Whether several rights together permit all that one does: operation by operation, object by object.
fn includes_split(own: &Rights, new: &Right) -> bool {
    let Some(operations) = &new.operations else { return false };
    operations.operations.iter().all(|&operation| {
        let one =
            Right { operations: Some(kmip_codec::types::Operations { operations: vec![operation] }), ..new.clone() };
        let by_object = |objects: &kmip_codec::types::Objects| {
            objects.unique_identifiers.iter().all(|identifier| {
                let identifiers = vec![identifier.clone()];
                let one = Right {
                    objects: Some(kmip_codec::types::Objects { unique_identifiers: identifiers }),
                    ..one.clone()
                };
                own.rights.iter().any(|own| includes(own, &one))
            })
        };
        own.rights.iter().any(|own| includes(own, &one)) || new.objects.as_ref().is_some_and(by_object)
    })
}

/// Invalid Ticket.
pub fn invalid() -> Failure {
    Failure::new(ResultReason::InvalidTicket, "the ticket is not valid (any more)")
}

/// Usage Limit Exceeded.
pub fn exceeded() -> Failure {
    Failure::new(ResultReason::UsageLimitExceeded, "the ticket is used up")
}

fn unauthorised(operation: Operation) -> Failure {
    Failure::new(ResultReason::NotAuthorised, format!("the rights of the ticket do not permit this {operation}"))
}
