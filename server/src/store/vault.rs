//! Sealed rows over a [`Store`]: what objects are made of, without knowing what an object is.
//!
//! The store is not trusted. Who copies it sees sizes, counts, creation order and which rows share an unknown value; who
//! changes a sealed row makes it unreadable. Putting back an older state of a row *with its older revision* is not noticed
//! here: restoring is the operator's right, and the audit chain shows it.
//!
//! A sealed value is a header (format, key generation, keyed hashes of owner and identifier, count of chunks), a nonce, the
//! ciphertext and a tag. Associated data: the store's id, the header, the row's key (kind, sequence, chunk) and revision.

mod allowances;
mod batch;
mod index;
mod later;
mod memo;
mod rows;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use zeroize::Zeroizing;

use self::allowances::Allowances;
pub use self::allowances::{Drawn, Reservation};
pub use self::batch::{Count, MetaChange, VaultBatch};
pub use self::index::{IndexRow, Likeness, List};
pub use self::later::Later;
use self::memo::Memo;
use self::rows::{Header, Kind};
pub use super::seal::{Hash16, KeyRing};
use super::{CommitError, Committed, Key, MAX_VALUE, Made, Revision, Row, Store, StoreError};
use crate::secret::Secret;

/// The longest plaintext in one row, in bytes.
const CHUNK: usize = MAX_VALUE - 256;

/// How often a reader starts again because a writer changed what it was reading.
const ATTEMPTS: usize = 100;

/// The name of the row that marks a store as one that a conformance suite may empty: its first row, or it is never there.
pub const INTEROP_MARK: &str = "interop";

/// The name of the row that holds the check blob of the wrapping key. A store that has it never gets another wrapping key.
pub const WRAPPING_KEY_CHECK: &str = "wrapping-key-check";

/// The name of the row that says in which form the index rows are.
pub const INDEX_FORMAT: &str = "index-format";

/// The names of the rows that outlive everything else in a store that is emptied: what it is, not what is in it.
pub const LASTING: [&str; 3] = [INTEROP_MARK, WRAPPING_KEY_CHECK, INDEX_FORMAT];

/// Why rows cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is not what was sealed there.
    #[error("a {kind} row does not open: it was changed, moved, cut short, or belongs to another store")]
    Tampered {
        /// The kind of row.
        kind: &'static str,
    },
    /// A row is sealed with a key that we do not have.
    #[error("a {kind} row is sealed with key generation {generation}, which is not in the key ring")]
    Generation {
        /// The kind of row.
        kind: &'static str,
        /// What the row says.
        generation: u32,
    },
    /// A row has a format that we do not know.
    #[error("a {kind} row has format {format}, which this kmipd does not read")]
    Format {
        /// The kind of row.
        kind: &'static str,
        /// What the row says.
        format: u8,
    },
    /// A row changes faster than it can be read.
    #[error("a {kind} row changed {ATTEMPTS} times while it was read")]
    Busy {
        /// The kind of row.
        kind: &'static str,
    },
    /// Sealing failed.
    #[error("a {kind} row cannot be sealed: {why}")]
    Seal {
        /// The kind of row.
        kind: &'static str,
        /// Why.
        why: super::seal::SealError,
    },
}

/// What a keyed hash is for. The same value has another hash in another domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Domain {
    /// An owner.
    Owner = 1,
    /// A unique identifier.
    Identifier = 2,
    /// What must be unique.
    Unique = 3,
    /// What is searched for.
    Posting = 4,
    /// What is compared, in the value of an index row.
    Fingerprint = 5,
    /// A request that is answered later, by its requester and its correlation value.
    Later = 6,
    /// A ticket's value.
    Ticket = 7,
    /// A client's certificate.
    Certificate = 8,
    /// What the objects of a class have in common.
    Class = 9,
    /// What the objects of a variant have in common.
    Variant = 10,
    /// A span of time that a date lies in.
    Date = 11,
    /// A span of time in which objects were made.
    Birth = 12,
}

/// To whom a row belongs: bound to it, and readable in it as keyed hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belongs {
    /// Hash of the owner.
    pub owner: Hash16,
    /// Hash of the unique identifier.
    pub identifier: Hash16,
}

/// Which state of which record or material it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The creation sequence.
    pub seq: u64,
    /// What a commit that relies on it expects.
    pub revision: Revision,
    /// To whom it belongs.
    pub belongs: Belongs,
    /// The generation of the key that sealed it.
    pub generation: u32,
    /// How many rows it takes.
    pub chunks: u16,
}

/// A record or material, opened.
#[derive(Debug)]
pub struct Opened {
    /// Which it is.
    pub stamp: Stamp,
    /// What it says.
    pub plaintext: Secret,
}

/// A record or material, opened and read.
#[derive(Debug)]
pub struct Known<T> {
    /// Which it is.
    pub stamp: Stamp,
    /// What it says.
    pub content: Arc<T>,
}

/// The row of a named value that is asked for at every request.
#[derive(Debug)]
pub struct MetaRow(Key);

impl MetaRow {
    /// That of this name.
    pub fn of(name: &str) -> Self {
        Self(rows::meta(name))
    }
}

/// How much more memory something takes as it is read than as it is written.
const READ: usize = 5;

/// What is made of a key to use it takes about so many bytes besides.
const USED: usize = 1024;

/// The sealed layer over a store.
pub struct Vault {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    id: [u8; 16],
    next: AtomicU64,
    opened: AtomicU64,
    visited: AtomicU64,
    allowances: Arc<Allowances>,
    /// Hashes of identifiers, of what is unique and of owners: every request asks for some.
    identifiers: Memo,
    uniques: Memo,
    owners: Memo,
    /// Hashes of short values with a row each, such as states: many objects have the same ones.
    postings: Memo,
    /// Hashes of spans of time: every new object asks for the same ones.
    shared: Memo,
    /// Hashes of what many objects have in common.
    classes: Memo,
    variants: Memo,
}

impl Vault {
    /// Puts keys and store together. `store_id` is the store's random number, to which every row is bound.
    pub fn open(store: Arc<dyn Store>, store_id: [u8; 16], keys: KeyRing) -> Result<Self, VaultError> {
        // Either would do, but a record can be dropped, and the row with the highest sequence can be changed.
        let given = store.get(rows::SEQUENCE)?.and_then(|row| row.value.first_chunk().copied().map(u64::from_be_bytes));
        let last = store.last(&[Kind::Record.byte()])?.and_then(|(key, _)| rows::seq(&key));
        let next = given.max(last).unwrap_or(0).saturating_add(1);
        Ok(Self {
            store,
            keys: Arc::new(keys),
            id: store_id,
            next: AtomicU64::new(next),
            opened: AtomicU64::new(0),
            visited: AtomicU64::new(0),
            allowances: Arc::default(),
            identifiers: Memo::default(),
            uniques: Memo::default(),
            owners: Memo::default(),
            postings: Memo::new(16, 64),
            shared: Memo::new(16, 256),
            classes: Memo::new(16, 2048),
            variants: Memo::new(16, 2048),
        })
    }

    /// The store below, for a commit of other rows.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// A new creation sequence, at least 1, above all that were ever committed. It is lost if it is not committed.
    pub fn next_seq(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// How many records and material were opened since the start.
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// The keyed hash of a value in parts, whose borders count.
    pub fn hash(&self, domain: Domain, parts: &[&[u8]]) -> Hash16 {
        let compute = || self.keys.hash(domain as u8, parts);
        match (domain, parts) {
            (Domain::Identifier, [value]) => self.identifiers.hash(value, compute),
            (Domain::Unique, [value]) => self.uniques.hash(value, compute),
            (Domain::Owner, [value]) => self.owners.hash(value, compute),
            (Domain::Posting, [value]) => self.postings.hash(value, compute),
            (Domain::Date | Domain::Birth, parts) => {
                let hash = |message: &[u8]| self.shared.hash(message, || self.keys.hash_message(message));
                KeyRing::with_message(domain as u8, parts, hash)
            }
            _ => compute(),
        }
    }

    /// As [`hash`](Self::hash), of a value that nobody has asked for before: it is not remembered.
    pub fn hash_new(&self, domain: Domain, parts: &[&[u8]]) -> Hash16 {
        self.keys.hash(domain as u8, parts)
    }

    /// The keyed hash of what makes a class or variant. The parts are asked for where it is not known what these bytes, which
    /// stand for them, have for a hash.
    pub fn hash_likeness<'p>(&self, which: Likeness, bytes: &[u8], parts: impl FnOnce() -> Vec<&'p [u8]>) -> Hash16 {
        let (memo, domain) = match which {
            Likeness::Class => (&self.classes, Domain::Class),
            Likeness::Variant => (&self.variants, Domain::Variant),
        };
        let compute = || self.hash_new(domain, &parts());
        if bytes.is_empty() { compute() } else { memo.hash(bytes, compute) }
    }

    /// Opens an object's record.
    pub fn record(&self, seq: u64) -> Result<Option<Opened>, VaultError> {
        self.read(Kind::Record, seq)
    }

    /// Opens an object's material.
    pub fn material(&self, seq: u64) -> Result<Option<Opened>, VaultError> {
        self.read(Kind::Material, seq)
    }

    /// Opens and reads an object's record, or has it still as it was read from this very state of it.
    ///
    /// # Errors
    /// A row that cannot be opened, and what `read` says.
    pub fn known_record<T: Send + Sync + 'static, E: From<VaultError>>(
        &self,
        seq: u64,
        read: impl FnOnce(&Secret) -> Result<T, E>,
    ) -> Result<Option<Arc<Known<T>>>, E> {
        self.known(Kind::Record, seq, read)
    }

    /// Opens and reads an object's material, or has it still as it was read from this very state of it.
    ///
    /// # Errors
    /// A row that cannot be opened, and what `read` says.
    pub fn known_material<T: Send + Sync + 'static, E: From<VaultError>>(
        &self,
        seq: u64,
        read: impl FnOnce(&Secret) -> Result<T, E>,
    ) -> Result<Option<Arc<Known<T>>>, E> {
        self.known(Kind::Material, seq, read)
    }

    fn known<T: Send + Sync + 'static, E: From<VaultError>>(
        &self,
        kind: Kind,
        seq: u64,
        read: impl FnOnce(&Secret) -> Result<T, E>,
    ) -> Result<Option<Arc<Known<T>>>, E> {
        let key = rows::chunk(kind, seq, 0);
        if let Some(known) = self.store.made(&key).and_then(|made| made.downcast::<Known<T>>().ok()) {
            return Ok(Some(known));
        }
        let Some(Opened { stamp, plaintext }) = self.read(kind, seq)? else { return Ok(None) };
        let known = Arc::new(Known { stamp, content: Arc::new(read(&plaintext)?) });
        let used = if kind == Kind::Material { USED } else { 0 };
        self.store.keep(&key, stamp.revision, Arc::clone(&known) as Made, READ * plaintext.len() + used);
        Ok(Some(known))
    }

    /// The revision of a record without opening it; 0 if there is none.
    pub fn record_revision(&self, seq: u64) -> Result<Revision, VaultError> {
        Ok(self.store.revision(&rows::chunk(Kind::Record, seq, 0))?)
    }

    /// The sequence and the row's revision under what must be unique.
    pub fn lookup_unique(&self, unique: &Hash16) -> Result<Option<(u64, Revision)>, VaultError> {
        let key = rows::unique(unique);
        if let Some(found) = self.store.made(&key).and_then(|made| made.downcast::<(u64, Revision)>().ok()) {
            return Ok(Some(*found));
        }
        let Some(row) = self.some(&key)? else {
            return Ok(None);
        };
        let (_, plaintext) = self.open_row(Kind::Unique, &key, &row)?;
        let found = (number(Kind::Unique, &plaintext)?, row.revision);
        self.store.keep(&key, row.revision, Arc::new(found), size_of_val(&found));
        Ok(Some(found))
    }

    /// A counter of an object, opened, and its revision.
    pub fn counter(&self, seq: u64, which: u8) -> Result<Option<(u64, Revision)>, VaultError> {
        let key = rows::counter(seq, which);
        let Some(row) = self.store.get(&key)? else {
            return Ok(None);
        };
        let (_, plaintext) = self.open_row(Kind::Counter, &key, &row)?;
        Ok(Some((number(Kind::Counter, &plaintext)?, row.revision)))
    }

    /// Uses one of what was reserved of an object's counter.
    pub fn draw(&self, seq: u64) -> Drawn {
        Allowances::draw(&self.allowances, seq)
    }

    /// A named value that belongs to no object, and its revision.
    pub fn meta(&self, name: &str) -> Result<Option<(Secret, Revision)>, VaultError> {
        let key = rows::meta(name);
        let Some(row) = self.some(&key)? else {
            return Ok(None);
        };
        let (_, plaintext) = self.open_row(Kind::Meta, &key, &row)?;
        Ok(Some((plaintext, row.revision)))
    }

    /// Whether there is such a named value, without opening it.
    pub fn has_meta(&self, row: &MetaRow) -> Result<bool, VaultError> {
        Ok(self.store.revision(&row.0)? != 0)
    }

    /// The names of the named values that begin so.
    pub fn meta_names(&self, prefix: &str) -> Result<Vec<String>, VaultError> {
        let mut names = Vec::new();
        self.store.scan(&rows::meta(prefix), None, &mut |key, _| {
            names.extend(key.get(1..).and_then(|name| String::from_utf8(name.to_vec()).ok()));
            ControlFlow::Continue(())
        })?;
        Ok(names)
    }

    /// The identities of token keys that were about to be made, or must go.
    pub fn intents(&self) -> Result<Vec<[u8; 16]>, VaultError> {
        let mut identities = Vec::new();
        self.store.scan(&[Kind::Intent.byte()], None, &mut |key, _| {
            identities.extend(rows::intent_identity(key));
            ControlFlow::Continue(())
        })?;
        Ok(identities)
    }

    /// Visits the sequences of all records, oldest first, starting behind `after`.
    pub fn sequences(
        &self,
        after: Option<u64>,
        visit: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), VaultError> {
        let after = after.map(|seq| rows::chunk(Kind::Record, seq, u16::MAX));
        self.store.scan(
            &[Kind::Record.byte()],
            after.as_ref().map(<[u8; 11]>::as_slice),
            &mut |key, _| match rows::seq(key) {
                Some(seq) if rows::is_first_chunk(key) => visit(seq),
                _ => ControlFlow::Continue(()),
            },
        )?;
        Ok(())
    }

    /// Whether there is no row at all.
    pub fn is_empty(&self) -> Result<bool, VaultError> {
        let mut empty = true;
        self.store.scan(b"", None, &mut |_, _| {
            empty = false;
            ControlFlow::Break(())
        })?;
        Ok(empty)
    }

    /// A batch to be filled.
    pub fn batch(&self) -> VaultBatch {
        VaultBatch::new(Arc::clone(&self.store), Arc::clone(&self.keys), self.id)
    }

    /// Commits a batch.
    pub fn commit(&self, batch: VaultBatch) -> Committed {
        self.store.commit(batch.into_batch())
    }

    /// Whether what a batch expects is so, if it changes nothing and that is known at once.
    pub fn compare(&self, batch: &VaultBatch) -> Option<Result<(), CommitError>> {
        self.store.compare(batch.as_batch()?)
    }

    /// A row, without a look at the disk for one that is known to be absent.
    fn some(&self, key: &[u8]) -> Result<Option<Row>, VaultError> {
        if self.store.revision(key)? == 0 { Ok(None) } else { Ok(self.store.get(key)?) }
    }

    /// Opens all chunks. They may be replaced meanwhile: then they are read again.
    fn read(&self, kind: Kind, seq: u64) -> Result<Option<Opened>, VaultError> {
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let key = rows::chunk(kind, seq, 0);
            let Some(row) = self.store.get(&key)? else {
                return Ok(None);
            };
            // Not the writer's doing: the first chunk is as it was, and another one does not belong to it.
            if last == Some(row.revision) {
                return Err(VaultError::Tampered { kind: kind.name() });
            }
            let (header, first) = self.open_row(kind, &key, &row)?;
            if let Some(plaintext) = self.rest(kind, seq, row.revision, header, first)? {
                self.opened.fetch_add(1, Ordering::Relaxed);
                let Header { belongs, generation, chunks, .. } = header;
                let stamp = Stamp { seq, revision: row.revision, belongs, generation, chunks };
                return Ok(Some(Opened { stamp, plaintext }));
            }
            last = Some(row.revision);
        }
        Err(VaultError::Busy { kind: kind.name() })
    }

    /// Appends the other chunks; nothing if one is missing or has another revision.
    fn rest(
        &self,
        kind: Kind,
        seq: u64,
        revision: Revision,
        header: Header,
        first: Secret,
    ) -> Result<Option<Secret>, VaultError> {
        if header.chunks == 1 {
            return Ok(Some(first));
        }
        let mut whole = Zeroizing::new(Vec::with_capacity(usize::from(header.chunks) * CHUNK));
        whole.extend_from_slice(first.expose());
        for number in 1..header.chunks {
            let key = rows::chunk(kind, seq, number);
            let Some(row) = self.store.get(&key)?.filter(|row| row.revision == revision) else {
                return Ok(None);
            };
            let (own, chunk) = self.open_row(kind, &key, &row)?;
            // A generation may differ only if the chunks were not sealed together.
            if own != header {
                return Err(VaultError::Tampered { kind: kind.name() });
            }
            whole.extend_from_slice(chunk.expose());
        }
        Ok(Some(Secret::copy_of(&whole)))
    }

    fn open_row(&self, kind: Kind, key: &[u8], row: &Row) -> Result<(Header, Secret), VaultError> {
        rows::open(&self.keys, &self.id, kind, key, row)
    }
}

fn number(kind: Kind, plaintext: &Secret) -> Result<u64, VaultError> {
    let bytes = plaintext.expose().try_into().map_err(|_| VaultError::Tampered { kind: kind.name() })?;
    Ok(u64::from_be_bytes(bytes))
}
