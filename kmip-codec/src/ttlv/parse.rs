//! The parser: bytes to elements. It borrows from the frame, and allocates nothing that did not arrive.

use bytes::Bytes;
use nom::Parser;
use nom::bytes::complete::take;
use nom::number::complete::{be_i32, be_i64, be_u8, be_u24, be_u32, be_u64};

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
    let (rest, element) = parser.element(frame, 0)?;
    if rest.is_empty() {
        Ok(element)
    } else {
        Err(Error::new(ErrorKind::Trailing(rest.len()), frame.len() - rest.len()))
    }
}

/// nom's errors carry nothing here: what went wrong is known where a parser was called.
type Parsed<'a, T> = nom::IResult<&'a [u8], T, ()>;

struct Header {
    tag: u32,
    kind: u8,
    length: usize,
}

fn header(input: &[u8]) -> Parsed<'_, Header> {
    (be_u24, be_u8, be_u32).map(|(tag, kind, length)| Header { tag, kind, length: length as usize }).parse(input)
}

struct Parse<'f> {
    frame: &'f Bytes,
    limits: &'f Limits,
    items: usize,
}

impl<'f> Parse<'f> {
    fn element(&mut self, input: &'f [u8], depth: usize) -> Result<(&'f [u8], Element)> {
        let start = self.offset(input);
        let fail = |kind| Error::new(kind, start);
        self.items += 1;
        if self.items > self.limits.items {
            return Err(fail(ErrorKind::TooManyItems(self.limits.items)));
        }
        let (after, Header { tag, kind, length }) =
            header(input).map_err(|_| fail(ErrorKind::Truncated { need: HEADER, have: input.len() }))?;
        if !matches!(tag >> 16, 0x42 | 0x54) {
            return Err(fail(ErrorKind::InvalidTag(tag)));
        }
        let tag = Tag::new(tag);
        let item = ItemType::from_code(kind).ok_or_else(|| fail(ErrorKind::InvalidType(kind)).within(tag))?;
        let truncated = |need: usize| fail(ErrorKind::Truncated { need, have: after.len() }).within(tag);
        let (rest, body) = body(after, length).map_err(|()| truncated(length))?;
        let (rest, padding) = body_padding(rest, length).map_err(|()| truncated(length.next_multiple_of(8)))?;
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
        Ok((rest, Element { tag, offset, value }))
    }

    /// The distance of a part of the frame from its start.
    fn offset(&self, input: &'f [u8]) -> usize {
        (input.as_ptr() as usize).saturating_sub(self.frame.as_ptr() as usize)
    }

    fn structure(&mut self, mut input: &'f [u8], start: usize, depth: usize) -> Result<Value> {
        if depth > self.limits.depth {
            return Err(Error::new(ErrorKind::TooDeep(self.limits.depth), start));
        }
        let mut elements = Vec::new();
        while !input.is_empty() {
            let (rest, element) = self.element(input, depth)?;
            elements.push(element);
            input = rest;
        }
        Ok(Value::Structure(elements))
    }

    fn leaf(&self, item: ItemType, body: &'f [u8]) -> Result<Value, ErrorKind> {
        let length = body.len();
        let wrong = |_: nom::Err<()>| ErrorKind::InvalidLength { item, length };
        let exact = |expected: usize| {
            if length == expected { Ok(()) } else { Err(ErrorKind::InvalidLength { item, length }) }
        };
        Ok(match item {
            ItemType::Integer => {
                exact(4)?;
                Value::Integer(be_i32(body).map_err(wrong)?.1)
            }
            ItemType::Enumeration => {
                exact(4)?;
                Value::Enumeration(be_u32(body).map_err(wrong)?.1)
            }
            ItemType::Interval => {
                exact(4)?;
                Value::Interval(be_u32(body).map_err(wrong)?.1)
            }
            ItemType::LongInteger => {
                exact(8)?;
                Value::LongInteger(be_i64(body).map_err(wrong)?.1)
            }
            ItemType::DateTime => {
                exact(8)?;
                Value::DateTime(be_i64(body).map_err(wrong)?.1)
            }
            ItemType::DateTimeExtended => {
                exact(8)?;
                Value::DateTimeExtended(be_i64(body).map_err(wrong)?.1)
            }
            ItemType::Boolean => {
                exact(8)?;
                match be_u64(body).map_err(wrong)?.1 {
                    0 => Value::Boolean(false),
                    1 => Value::Boolean(true),
                    _ => return Err(ErrorKind::InvalidBoolean),
                }
            }
            ItemType::BigInteger => {
                if length == 0 || !length.is_multiple_of(8) {
                    return Err(ErrorKind::InvalidLength { item, length });
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

fn body(input: &[u8], length: usize) -> Result<(&[u8], &[u8]), ()> {
    take::<_, _, ()>(length).parse(input).map_err(|_| ())
}

fn body_padding(input: &[u8], length: usize) -> Result<(&[u8], &[u8]), ()> {
    take::<_, _, ()>(length.next_multiple_of(8) - length).parse(input).map_err(|_| ())
}
