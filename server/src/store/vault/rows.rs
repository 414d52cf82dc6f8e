//! Keys and values of the vault's rows.

use super::{Belongs, Hash16, KeyRing, VaultError};
use crate::secret::Secret;
use crate::store::seal::{Nonces, OVERHEAD};
use crate::store::{Revision, Row};

/// The first byte of every sealed value.
const FORMAT: u8 = 1;

/// Format, generation, owner, identifier, chunks.
const HEADER: usize = 1 + 4 + 16 + 16 + 2;

/// The row that holds the highest sequence of a committed record, 8 bytes big-endian. Not sealed: it counts records.
pub(super) const SEQUENCE: &[u8] = b"S";

/// What a row is: the first byte of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// An object's metadata: sequence, chunk.
    Record = b'O',
    /// An object's key or other content: sequence, chunk.
    Material = b'M',
    /// What must be unique: hash. The value is the sequence.
    Unique = b'U',
    /// What is searched for: hash, reversed sequence.
    Posting = b'I',
    /// All of a class: hash, reversed sequence. The value is the hash of the variant.
    Member = b'A',
    /// What the objects of a class or variant are like: owner, which, hash. The value is fingerprints.
    Likeness = b'L',
    /// When something must happen: time, sequence.
    Due = b'D',
    /// A count that changes often: sequence, which.
    Counter = b'C',
    /// What is to be done in the module: the identity of a token key.
    Intent = b'T',
    /// What belongs to no object: name.
    Meta = b'X',
    /// A request that is answered later: sequence, chunk.
    Request = b'P',
    /// A message that is to be sent: sequence, chunk.
    Outgoing = b'N',
    /// When a request that is answered later needs attention: time, sequence.
    Wake = b'W',
}

impl Kind {
    pub(super) fn byte(self) -> u8 {
        self as u8
    }

    /// The name for error texts.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Material => "material",
            Self::Unique => "unique",
            Self::Posting => "posting",
            Self::Member => "member",
            Self::Likeness => "likeness",
            Self::Due => "due",
            Self::Counter => "counter",
            Self::Intent => "intent",
            Self::Meta => "meta",
            Self::Request => "request",
            Self::Outgoing => "outgoing",
            Self::Wake => "wake",
        }
    }
}

pub(super) fn chunk(kind: Kind, seq: u64, chunk: u16) -> [u8; 11] {
    let ([a, b, c, d, e, f, g, h], [high, low]) = (seq.to_be_bytes(), chunk.to_be_bytes());
    [kind.byte(), a, b, c, d, e, f, g, h, high, low]
}

pub(super) fn is_first_chunk(key: &[u8]) -> bool {
    key.ends_with(&[0, 0])
}

/// The sequence in the key of a record, material or counter.
pub(super) fn seq(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.get(1..)?.first_chunk()?))
}

pub(super) fn hashed(kind: Kind, hash: &Hash16) -> [u8; 17] {
    let mut key = [0; 17];
    let (first, rest) = key.split_at_mut(1);
    first.copy_from_slice(&[kind.byte()]);
    rest.copy_from_slice(&hash.0);
    key
}

pub(super) fn unique(hash: &Hash16) -> [u8; 17] {
    hashed(Kind::Unique, hash)
}

pub(super) fn likenesses(owner: &Hash16, which: u8) -> Vec<u8> {
    [&[Kind::Likeness.byte()][..], &owner.0, &[which]].concat()
}

pub(super) fn likeness(owner: &Hash16, which: u8, hash: &Hash16) -> Vec<u8> {
    [&[Kind::Likeness.byte()][..], &owner.0, &[which], &hash.0].concat()
}

/// Reversed, so that the newest comes first.
pub(super) fn reversed(kind: Kind, hash: &Hash16, seq: u64) -> Vec<u8> {
    [&[kind.byte()][..], &hash.0, &(!seq).to_be_bytes()].concat()
}

pub(super) fn reversed_seq(key: &[u8]) -> Option<u64> {
    Some(!u64::from_be_bytes(*key.last_chunk()?))
}

pub(super) fn due(time: u64, seq: u64) -> Vec<u8> {
    timed(Kind::Due, time, seq)
}

pub(super) fn timed(kind: Kind, time: u64, seq: u64) -> Vec<u8> {
    [&[kind.byte()][..], &time.to_be_bytes(), &seq.to_be_bytes()].concat()
}

pub(super) fn due_parts(key: &[u8]) -> Option<(u64, u64)> {
    let (time, rest) = key.get(1..)?.split_first_chunk()?;
    Some((u64::from_be_bytes(*time), u64::from_be_bytes(rest.try_into().ok()?)))
}

pub(super) fn counter(seq: u64, which: u8) -> Vec<u8> {
    [&[Kind::Counter.byte()][..], &seq.to_be_bytes(), &[which]].concat()
}

pub(super) fn intent(identity: &[u8; 16]) -> Vec<u8> {
    [&[Kind::Intent.byte()][..], identity].concat()
}

/// The identity in the key of an intent.
pub(super) fn intent_identity(key: &[u8]) -> Option<[u8; 16]> {
    key.get(1..)?.try_into().ok()
}

pub(super) fn meta(name: &str) -> Vec<u8> {
    [&[Kind::Meta.byte()][..], name.as_bytes()].concat()
}

/// The clear beginning of a sealed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) generation: u32,
    pub(super) belongs: Belongs,
    pub(super) chunks: u16,
}

impl Header {
    /// The header of what is sealed now.
    pub(super) fn new(keys: &KeyRing, belongs: Belongs, chunks: u16) -> Self {
        Self { generation: keys.current(), belongs, chunks }
    }

    /// The bytes of it, with room for so many more.
    fn encode(&self, more: usize) -> Vec<u8> {
        let Belongs { owner, identifier } = &self.belongs;
        let mut bytes = Vec::with_capacity(HEADER + more);
        bytes.push(FORMAT);
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&owner.0);
        bytes.extend_from_slice(&identifier.0);
        bytes.extend_from_slice(&self.chunks.to_be_bytes());
        bytes
    }

    /// The header, and what it stands before. A header that was changed is found out when the rest does not open.
    pub(super) fn decode(kind: Kind, value: &[u8]) -> Result<(Self, &[u8]), VaultError> {
        let tampered = || VaultError::Tampered { kind: kind.name() };
        let (format, rest) = value.split_first().ok_or_else(tampered)?;
        if *format != FORMAT {
            return Err(VaultError::Format { kind: kind.name(), format: *format });
        }
        let (generation, rest) = rest.split_first_chunk().ok_or_else(tampered)?;
        let (owner, rest) = rest.split_first_chunk().ok_or_else(tampered)?;
        let (identifier, rest) = rest.split_first_chunk().ok_or_else(tampered)?;
        let (chunks, rest) = rest.split_first_chunk().ok_or_else(tampered)?;
        let header = Self {
            generation: u32::from_be_bytes(*generation),
            belongs: Belongs { owner: Hash16(*owner), identifier: Hash16(*identifier) },
            chunks: u16::from_be_bytes(*chunks),
        };
        if header.chunks == 0 { Err(tampered()) } else { Ok((header, rest)) }
    }
}

/// Everything that a row is bound to. The header and the revision have fixed lengths, so no two rows have the same.
fn context(id: &[u8; 16], header: &[u8], key: &[u8], revision: Revision) -> Vec<u8> {
    [b"kmipd row\0", &id[..], header, &revision.to_be_bytes(), key].concat()
}

/// Seals a value for a place.
pub(super) fn seal(
    (keys, nonces): (&KeyRing, &mut Nonces),
    id: &[u8; 16],
    kind: Kind,
    key: &[u8],
    revision: Revision,
    header: &Header,
    plaintext: &[u8],
) -> Result<Row, VaultError> {
    let Header { generation, .. } = *header;
    let sealer = keys.key(generation).ok_or(VaultError::Generation { kind: kind.name(), generation })?;
    let mut value = header.encode(plaintext.len() + OVERHEAD);
    let context = context(id, &value, key, revision);
    sealer
        .seal_with(nonces, &context, plaintext, &mut value)
        .map_err(|why| VaultError::Seal { kind: kind.name(), why })?;
    Ok(Row { revision, value })
}

/// Opens the value of a place.
pub(super) fn open(
    keys: &KeyRing,
    id: &[u8; 16],
    kind: Kind,
    key: &[u8],
    row: &Row,
) -> Result<(Header, Secret), VaultError> {
    let (header, sealed) = Header::decode(kind, &row.value)?;
    let Header { generation, .. } = header;
    let opener = keys.key(generation).ok_or(VaultError::Generation { kind: kind.name(), generation })?;
    let context = context(id, &header.encode(0), key, row.revision);
    let plaintext = opener.open(&context, sealed).map_err(|_| VaultError::Tampered { kind: kind.name() })?;
    Ok((header, plaintext))
}
