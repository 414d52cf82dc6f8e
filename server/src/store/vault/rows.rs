//! Keys and values of the vault's rows.

use super::{Belongs, Hash16, KeyRing, VaultError};
use crate::secret::Secret;
use crate::store::seal::{Nonces, OVERHEAD, SealError};
use crate::store::{Key, MAX_KEY, Revision, Row};

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

pub(super) fn likenesses(owner: &Hash16, which: u8) -> Key {
    Key::of(&[&[Kind::Likeness.byte()][..], &owner.0, &[which]])
}

pub(super) fn likeness(owner: &Hash16, which: u8, hash: &Hash16) -> Key {
    Key::of(&[&[Kind::Likeness.byte()][..], &owner.0, &[which], &hash.0])
}

/// Reversed, so that the newest comes first.
pub(super) fn reversed(kind: Kind, hash: &Hash16, seq: u64) -> Key {
    Key::of(&[&[kind.byte()][..], &hash.0, &(!seq).to_be_bytes()])
}

pub(super) fn reversed_seq(key: &[u8]) -> Option<u64> {
    Some(!u64::from_be_bytes(*key.last_chunk()?))
}

pub(super) fn due(time: u64, seq: u64) -> Key {
    timed(Kind::Due, time, seq)
}

pub(super) fn timed(kind: Kind, time: u64, seq: u64) -> Key {
    Key::of(&[&[kind.byte()][..], &time.to_be_bytes(), &seq.to_be_bytes()])
}

pub(super) fn due_parts(key: &[u8]) -> Option<(u64, u64)> {
    let (time, rest) = key.get(1..)?.split_first_chunk()?;
    Some((u64::from_be_bytes(*time), u64::from_be_bytes(rest.try_into().ok()?)))
}

pub(super) fn counter(seq: u64, which: u8) -> Key {
    Key::of(&[&[Kind::Counter.byte()][..], &seq.to_be_bytes(), &[which]])
}

pub(super) fn intent(identity: &[u8; 16]) -> Key {
    Key::of(&[&[Kind::Intent.byte()][..], identity])
}

/// The identity in the key of an intent.
pub(super) fn intent_identity(key: &[u8]) -> Option<[u8; 16]> {
    key.get(1..)?.try_into().ok()
}

pub(super) fn meta(name: &str) -> Key {
    Key::of(&[&[Kind::Meta.byte()][..], name.as_bytes()])
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

    /// The bytes of it.
    fn encode(&self) -> [u8; HEADER] {
        let Belongs { owner, identifier } = &self.belongs;
        let mut bytes = [0; HEADER];
        let parts: [&[u8]; 5] =
            [&[FORMAT], &self.generation.to_be_bytes(), &owner.0, &identifier.0, &self.chunks.to_be_bytes()];
        fill(&mut bytes, &parts);
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

/// Everything that a row is bound to: a label, the store, the header, the revision, the key. All but the last have fixed
/// lengths, so no two rows have the same.
struct Context {
    bytes: [u8; LABEL.len() + 16 + HEADER + 8 + MAX_KEY],
    length: usize,
}

const LABEL: &[u8] = b"kmipd row\0";

impl Context {
    /// None for a key that is longer than a row may have.
    fn new(id: &[u8; 16], header: &[u8; HEADER], key: &[u8], revision: Revision) -> Option<Self> {
        let mut bytes = [0; _];
        let length = fill(&mut bytes, &[LABEL, id, header, &revision.to_be_bytes(), key]);
        (key.len() <= MAX_KEY).then_some(Self { bytes, length })
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// Puts parts one behind the other, as far as there is room, and answers how long they are.
fn fill(mut room: &mut [u8], parts: &[&[u8]]) -> usize {
    let mut length = 0;
    for part in parts {
        let Some((place, rest)) = room.split_at_mut_checked(part.len()) else { break };
        place.copy_from_slice(part);
        (room, length) = (rest, length + part.len());
    }
    length
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
    let header = header.encode();
    let mut value = Vec::with_capacity(HEADER + plaintext.len() + OVERHEAD);
    value.extend_from_slice(&header);
    Context::new(id, &header, key, revision)
        .ok_or(SealError::TooLong)
        .and_then(|context| sealer.seal_with(nonces, context.bytes(), plaintext, &mut value))
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
    let context = Context::new(id, &header.encode(), key, row.revision);
    let plaintext = context.and_then(|context| opener.open(context.bytes(), sealed).ok());
    let plaintext = plaintext.ok_or(VaultError::Tampered { kind: kind.name() })?;
    Ok((header, plaintext))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What rows are bound to is for ever: those that were sealed before must open.
    #[test]
    fn a_row_is_bound_to_these_bytes() {
        let belongs = Belongs { owner: Hash16([2; 16]), identifier: Hash16([3; 16]) };
        let header = Header { generation: 4, belongs, chunks: 5 }.encode();
        assert_eq!(header.to_vec(), [&[1, 0, 0, 0, 4][..], &[2; 16], &[3; 16], &[0, 5]].concat());
        let context = |key: &[u8]| Context::new(&[6; 16], &header, key, 7).map(|context| context.bytes().to_vec());
        for length in [0, 11, MAX_KEY] {
            let key = vec![8; length];
            let bound = [b"kmipd row\0", &[6; 16][..], &header, &7_u64.to_be_bytes(), &key].concat();
            assert_eq!(context(&key), Some(bound));
        }
        assert_eq!(context(&[8; MAX_KEY + 1]), None, "nothing is bound to the beginning of its key alone");
    }
}
