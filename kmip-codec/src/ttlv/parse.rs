//! The parser: bytes to elements. It borrows from the frame, and allocates nothing that did not arrive.

use bytes::Bytes;

use super::frame::HEADER;
use super::{Blob, Element, Error, ErrorKind, ItemType, Result, Text, Value};
use crate::spec::Tag;

/// What a message may have at the most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Structures within structures.
    pub depth: usize,
    /// Items in all.
    pub items: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 32, items: 100_000 }
    }
}

/// Parses one element that fills the frame.
///
/// # Errors
/// Every deviation from KMIP 2.1 §10.1, with its offset and the tags that lead to it.
pub fn parse(frame: &Bytes, limits: &Limits) -> Result<Element> {
    let mut parser = Parse { frame, limits, items: 0 };
    let mut parsed = None;
    let rest = parser.element(frame, 0, |element| parsed = Some(element))?;
    parsed
        .filter(|_| rest.is_empty())
        .ok_or_else(|| Error::new(ErrorKind::Trailing(rest.len()), frame.len() - rest.len()))
}

/// Tag, type and length, and what follows them.
#[inline]
fn header(input: &[u8]) -> Option<(u32, u8, usize, &[u8])> {
    let (&[high, middle, low, kind, ref length @ ..], after) = input.split_first_chunk::<HEADER>()?;
    let &[a, b, c, d] = length;
    Some((u32::from_be_bytes([0, high, middle, low]), kind, u32::from_be_bytes([a, b, c, d]) as usize, after))
}

struct Parse<'f> {
    frame: &'f Bytes,
    limits: &'f Limits,
    items: usize,
}

impl<'f> Parse<'f> {
    /// Parses one element, puts it where it belongs, and answers what follows it.
    #[inline]
    fn element(&mut self, input: &'f [u8], depth: usize, put: impl FnOnce(Element)) -> Result<&'f [u8]> {
        let start = self.offset(input);
        let fail = |kind| Error::new(kind, start);
        self.items += 1;
        if self.items > self.limits.items {
            return Err(fail(ErrorKind::TooManyItems(self.limits.items)));
        }
        let (tag, kind, length, after) =
            header(input).ok_or_else(|| fail(ErrorKind::Truncated { need: HEADER, have: input.len() }))?;
        if !matches!(tag >> 16, 0x42 | 0x54) {
            return Err(fail(ErrorKind::InvalidTag(tag)));
        }
        let tag = Tag::new(tag);
        let item = ItemType::from_code(kind).ok_or_else(|| fail(ErrorKind::InvalidType(kind)).within(tag))?;
        let truncated = |need: usize| fail(ErrorKind::Truncated { need, have: after.len() }).within(tag);
        let (body, rest) = after.split_at_checked(length).ok_or_else(|| truncated(length))?;
        let padded = length.next_multiple_of(8);
        let (padding, rest) = rest.split_at_checked(padded - length).ok_or_else(|| truncated(padded))?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(Error::new(ErrorKind::InvalidPadding, start + HEADER + length).within(tag));
        }
        let value = match item {
            ItemType::Structure => {
                if !length.is_multiple_of(8) {
                    return Err(fail(ErrorKind::InvalidLength { item, length }).within(tag));
                }
                self.structure(body, start + HEADER, depth + 1).map_err(|error| error.within(tag))?
            }
            _ => self.leaf(item, body).map_err(|kind| fail(kind).within(tag))?,
        };
        // Frames are far shorter than 4 GiB: the length field of the outermost element has 32 bits.
        let offset = u32::try_from(start).unwrap_or(u32::MAX);
        put(Element { tag, offset, value });
        Ok(rest)
    }

    /// The distance of a part of the frame from its start.
    fn offset(&self, input: &'f [u8]) -> usize {
        (input.as_ptr() as usize).saturating_sub(self.frame.as_ptr() as usize)
    }

    fn structure(&mut self, mut input: &'f [u8], start: usize, depth: usize) -> Result<Value> {
        if depth > self.limits.depth {
            return Err(Error::new(ErrorKind::TooDeep(self.limits.depth), start));
        }
        let mut elements = Vec::with_capacity(self.children(input));
        while !input.is_empty() {
            input = self.element(input, depth, |element| elements.push(element))?;
        }
        Ok(Value::Structure(elements))
    }

    /// How many elements a structure has, so that their place is made once. What is wrong with them shows when they are
    /// parsed; as many as the limit allows are counted at the most.
    fn children(&self, mut input: &[u8]) -> usize {
        let left = self.limits.items.saturating_sub(self.items);
        let mut count = 0;
        while count < left
            && let Some((_, _, length, after)) = header(input)
        {
            count += 1;
            match after.get(length.next_multiple_of(8)..) {
                Some(rest) => input = rest,
                None => break,
            }
        }
        count
    }

    #[inline]
    fn leaf(&self, item: ItemType, body: &'f [u8]) -> Result<Value, ErrorKind> {
        let wrong = || ErrorKind::InvalidLength { item, length: body.len() };
        let four = || <[u8; 4]>::try_from(body).map_err(|_| wrong());
        let eight = || <[u8; 8]>::try_from(body).map_err(|_| wrong());
        Ok(match item {
            ItemType::Integer => Value::Integer(i32::from_be_bytes(four()?)),
            ItemType::Enumeration => Value::Enumeration(u32::from_be_bytes(four()?)),
            ItemType::Interval => Value::Interval(u32::from_be_bytes(four()?)),
            ItemType::LongInteger => Value::LongInteger(i64::from_be_bytes(eight()?)),
            ItemType::DateTime => Value::DateTime(i64::from_be_bytes(eight()?)),
            ItemType::DateTimeExtended => Value::DateTimeExtended(i64::from_be_bytes(eight()?)),
            ItemType::Boolean => match u64::from_be_bytes(eight()?) {
                0 => Value::Boolean(false),
                1 => Value::Boolean(true),
                _ => return Err(ErrorKind::InvalidBoolean),
            },
            ItemType::BigInteger => {
                if body.is_empty() || !body.len().is_multiple_of(8) {
                    return Err(wrong());
                }
                Value::BigInteger(Blob::share(self.frame.slice_ref(body)))
            }
            ItemType::ByteString => Value::ByteString(Blob::share(self.frame.slice_ref(body))),
            ItemType::TextString => {
                Value::TextString(Text::try_from(self.frame.slice_ref(body)).map_err(|_| ErrorKind::InvalidUtf8)?)
            }
            ItemType::Structure => return Err(ErrorKind::InvalidType(item as u8)),
        })
    }
}
