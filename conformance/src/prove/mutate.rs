//! Wrong answers made of right ones.

use std::fmt;

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::{Blob, Element, ItemType, Value};

use crate::node::sample;

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Another value.
    Value,
    /// Another type.
    Type,
    /// Another tag.
    Tag,
    /// An item is not there.
    Missing,
    /// An item is there twice, or one that does not belong.
    Extra,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "value",
            Self::Type => "type",
            Self::Tag => "tag",
            Self::Missing => "missing",
            Self::Extra => "extra",
        })
    }
}

/// Numbers that a seed decides (SplitMix64): a proof can be repeated.
pub struct Random(u64);

impl Random {
    /// Begins anew.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, 0 if that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.number() % end).unwrap_or_default()
    }
}

/// A wrong answer, with the tag of the item that is wrong and in which way; nothing if the choice fell on an item that
/// cannot be made wrong so.
pub(super) fn mutate(answer: &Element, random: &mut Random) -> Option<(Element, Tag, Kind)> {
    let mut wrong = answer.clone();
    let kinds = [Kind::Value, Kind::Type, Kind::Tag, Kind::Missing, Kind::Extra];
    let kind = kinds.get(random.below(kinds.len())).copied()?;
    // The message itself is not among those that can be chosen.
    let mut index = random.below(count(answer) - 1);
    let tag = change(&mut wrong, &mut index, kind, random)?;
    (wrong != *answer).then_some((wrong, tag, kind))
}

fn count(element: &Element) -> usize {
    1 + element.value.elements().iter().map(count).sum::<usize>()
}

/// Makes the item at that index wrong; the items below `parent` are counted in the order of the message.
fn change(parent: &mut Element, index: &mut usize, kind: Kind, random: &mut Random) -> Option<Tag> {
    let Value::Structure(items) = &mut parent.value else { return None };
    let mut i = 0;
    while let Some(item) = items.get_mut(i) {
        if *index > 0 {
            *index -= 1;
            let size = count(item) - 1;
            if *index < size {
                return change(item, index, kind, random);
            }
            *index -= size;
            i += 1;
            continue;
        }
        let mut tag = item.tag;
        match kind {
            Kind::Value => item.value = other_value(&item.value, random)?,
            Kind::Type => item.value = other_type(item, random),
            Kind::Tag => item.tag = any_tag(random),
            Kind::Missing => {
                items.remove(i);
            }
            Kind::Extra => {
                let twice = item.clone();
                let stranger = any_tag(random);
                let stranger = Element::new(stranger, sample("stranger", any_type(random), random.number() >> 1));
                let extra = if random.below(2) == 0 { twice } else { stranger };
                tag = extra.tag;
                items.insert(i + random.below(2), extra);
            }
        }
        return Some(tag);
    }
    None
}

fn any_tag(random: &mut Random) -> Tag {
    let all = Tag::all();
    all.get(random.below(all.len())).map_or(Tag::Data, |row| row.tag)
}

fn any_type(random: &mut Random) -> ItemType {
    use ItemType::{
        BigInteger, Boolean, ByteString, DateTime, DateTimeExtended, Enumeration, Integer, Interval, LongInteger,
        Structure, TextString,
    };
    let types = [
        Structure,
        Integer,
        LongInteger,
        BigInteger,
        Enumeration,
        Boolean,
        TextString,
        ByteString,
        DateTime,
        Interval,
        DateTimeExtended,
    ];
    types.get(random.below(types.len())).copied().unwrap_or(Integer)
}

fn other_type(item: &Element, random: &mut Random) -> Value {
    // The same number under another type, where there is one: the nearest mistake.
    match (&item.value, random.below(2)) {
        (Value::Integer(number), 0) => Value::Enumeration(number.cast_unsigned()),
        (Value::Enumeration(code), 0) => Value::Integer(code.cast_signed()),
        (Value::TextString(text), 0) => Value::ByteString(Blob::copy_of(text.as_bytes())),
        (Value::DateTime(date), 0) => Value::LongInteger(*date),
        (old, _) => {
            let kind = any_type(random);
            if kind == old.item_type() { old.clone() } else { sample("other", kind, random.number() >> 1) }
        }
    }
}

/// Another value of the same type, often near the old one.
fn other_value(old: &Value, random: &mut Random) -> Option<Value> {
    let near = random.below(2) == 0;
    let number = random.number();
    let signed = |old: i64| if near { old.wrapping_add(1) } else { number.cast_signed() };
    let short = u32::try_from(number >> 32).unwrap_or_default();
    let blob = |bytes: &[u8], random: &mut Random| {
        let mut bytes = bytes.to_vec();
        let i = random.below(bytes.len());
        match bytes.get_mut(i) {
            Some(byte) if near => *byte ^= 1 << random.below(8),
            Some(_) if random.below(2) == 0 => bytes.truncate(i),
            _ => bytes.extend_from_slice(&number.to_be_bytes()),
        }
        Blob::new(bytes)
    };
    Some(match old {
        Value::Structure(_) => return None,
        Value::Integer(old) => Value::Integer(if near { old.wrapping_add(1) } else { short.cast_signed() }),
        Value::LongInteger(old) => Value::LongInteger(signed(*old)),
        Value::BigInteger(bytes) => Value::BigInteger(blob(bytes, random)),
        Value::Enumeration(old) => Value::Enumeration(if near { old.wrapping_add(1) } else { short }),
        Value::Boolean(old) => Value::Boolean(!old),
        Value::TextString(text) if near || text.is_empty() => Value::TextString(format!("{text}x").into()),
        Value::TextString(text) => Value::TextString(text.chars().skip(1).collect::<String>().into()),
        Value::ByteString(bytes) => Value::ByteString(blob(bytes, random)),
        Value::DateTime(old) => Value::DateTime(signed(*old)),
        Value::Interval(old) => Value::Interval(if near { old.wrapping_add(1) } else { short }),
        Value::DateTimeExtended(old) => Value::DateTimeExtended(signed(*old)),
    })
}
