//! One list of fields makes struct, reader and writer: [`structure!`](crate::structure).
//!
//! [`Encode`] and [`Decode`] belong to what is one element; [`Field`] to what a structure declares: a required, optional
//! or repeated element, or elements that differ between versions (see [`crate::dialect`]).

use std::vec;

use bytestring::ByteString;

use crate::spec::{CryptographicUsageMask, Enumeration, ProtectionStorageMask, StorageStatusMask, Tag, Version};
use crate::ttlv::{Blob, Element, Error, ErrorKind, ItemType, Result, Value, Writer};

/// What can be written as one element.
pub trait Encode {
    /// Writes the element under `tag`, in the writer's version.
    fn encode(&self, tag: Tag, writer: &mut Writer);
}

/// What can be read from one element.
pub trait Decode: Sized {
    /// Takes the element apart. The element's tag was checked by who calls.
    ///
    /// # Errors
    /// A type, value or field that `version` does not have here; the path begins below the element itself.
    fn decode(element: Element, version: Version) -> Result<Self>;
}

/// From which version a field exists, and which is the last that has it.
#[derive(Debug, Clone, Copy)]
pub struct Lifetime {
    /// The first version.
    pub since: Version,
    /// The last version that has it, if one has not.
    pub until: Option<Version>,
}

impl Lifetime {
    /// In every version.
    pub const ALWAYS: Self = Self { since: Version::V1_0, until: None };

    /// In 1.0 to 1.4.
    pub const V1: Self = Self { since: Version::V1_0, until: Some(Version::V1_4) };

    /// From 2.0 on.
    pub const V2: Self = Self { since: Version::V2_0, until: None };

    /// What lies in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let until = match (self.until, other.until) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self { since: self.since.max(other.since), until }
    }

    /// Whether the version has the field.
    #[inline]
    pub fn covers(self, version: Version) -> bool {
        version.within(self.since, self.until)
    }
}

/// A field of a structure.
pub trait Field: Sized {
    /// Takes the field's element or elements out of the structure.
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self>;

    /// Writes the field, unless the writer's version does not have it.
    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer);
}

/// The elements of a structure while its fields are taken.
///
/// Elements are found by tag: writers must keep the standard's order, and ours does, but a reader that refused another
/// order would refuse clients for nothing. What nobody took is an error in [`Fields::finish`].
pub struct Fields {
    /// What is left. What was taken from the middle has left [`TAKEN`] in its place; the first is never that.
    elements: vec::IntoIter<Element>,
    /// Marks of the tags that came, and of those that came more than once. Tags share marks: one that is missing says that
    /// the tag is, so that most fields that are absent are not looked for.
    came: u64,
    came_again: u64,
    /// The tag that was last looked for, and how many elements there are behind the place up to which none is left: taking
    /// many elements of one tag walks the structure once, whatever else stands in it.
    searched: Option<(Tag, usize)>,
    offset: u32,
    version: Version,
    /// Fields that came and were declared for other versions: to say so rather than "does not belong here".
    foreign: Vec<Tag>,
}

/// No element that arrives has this tag.
const NONE: Tag = Tag::new(0);

/// Stands where an element was taken.
const TAKEN: Element = Element::new(NONE, Value::Boolean(false));

fn is_taken(element: &Element) -> bool {
    element.tag == NONE
}

/// A tag's mark among 64.
const fn mark(tag: Tag) -> u64 {
    1 << (tag.code() & 63)
}

impl Fields {
    /// Opens a structure.
    pub fn open(element: Element, version: Version) -> Result<Self> {
        let elements = match element.value {
            Value::Structure(elements) => elements,
            other => return Err(wrong_type("Structure", &other).at(element.offset)),
        };
        let (mut came, mut came_again) = (0, 0);
        for mark in elements.iter().map(|element| mark(element.tag)) {
            came_again |= came & mark;
            came |= mark;
        }
        let (offset, elements) = (element.offset, elements.into_iter());
        Ok(Self { elements, came, came_again, searched: None, offset, version, foreign: Vec::new() })
    }

    /// The version that is read.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The tag of the first element that is not taken yet.
    pub fn peek(&self) -> Option<Tag> {
        self.elements.as_slice().first().map(|element| element.tag)
    }

    /// Whether an element of this tag is there to take.
    pub fn has(&self, tag: Tag) -> bool {
        self.came & mark(tag) != 0 && self.left().any(|element| element.tag == tag)
    }

    /// Takes the next element of this tag.
    #[inline]
    pub fn next(&mut self, tag: Tag) -> Option<Element> {
        if self.came & mark(tag) == 0 {
            return None;
        }
        // Most come in the order in which they are asked for.
        if self.peek() == Some(tag) {
            let first = self.elements.next();
            self.skip_taken();
            return first;
        }
        self.search(tag)
    }

    fn search(&mut self, tag: Tag) -> Option<Element> {
        let start = match self.searched {
            Some((searched, behind)) if searched == tag => self.elements.len().saturating_sub(behind),
            _ => 0,
        };
        let left = self.elements.as_mut_slice();
        let count = left.len();
        let mut places = left.iter_mut().enumerate().skip(start);
        let Some((index, element)) = places.find(|(_, element)| element.tag == tag) else {
            self.searched = Some((tag, 0));
            return None;
        };
        let taken = std::mem::replace(element, TAKEN);
        self.searched = Some((tag, count - index - 1));
        self.skip_taken();
        Some(taken)
    }

    fn skip_taken(&mut self) {
        while self.elements.as_slice().first().is_some_and(is_taken) {
            self.elements.next();
        }
    }

    /// Takes the elements of this tag, if the version has the field; what they are the caller decodes.
    pub fn all(&mut self, tag: Tag, lifetime: Lifetime) -> Vec<Element> {
        if self.declares(tag, lifetime) { std::iter::from_fn(|| self.next(tag)).collect() } else { Vec::new() }
    }

    /// Takes one element of this tag, if the version has the field and it is there; a second one is an error.
    #[inline]
    pub fn optional<T: Decode>(&mut self, tag: Tag, lifetime: Lifetime) -> Result<Option<T>> {
        if self.came & mark(tag) == 0 || !self.declares(tag, lifetime) {
            return Ok(None);
        }
        let Some(element) = self.next(tag) else { return Ok(None) };
        let value = decode(element, self.version)?;
        match self.second(tag) {
            Some(second) => Err(Error::new(ErrorKind::Repeated(tag), second.offset as usize)),
            None => Ok(Some(value)),
        }
    }

    /// An element of a tag of which one was taken.
    #[inline]
    fn second(&mut self, tag: Tag) -> Option<Element> {
        if self.came_again & mark(tag) == 0 { None } else { self.next(tag) }
    }

    /// Takes all elements of this tag.
    #[inline]
    pub fn repeated<T: Decode>(&mut self, tag: Tag, lifetime: Lifetime) -> Result<Vec<T>> {
        if self.came & mark(tag) == 0 || !self.declares(tag, lifetime) {
            return Ok(Vec::new());
        }
        let mut all = Vec::with_capacity(self.left().filter(|element| element.tag == tag).count());
        while let Some(element) = self.next(tag) {
            all.push(decode(element, self.version)?);
        }
        Ok(all)
    }

    /// The error for a required field that is not there.
    pub fn missing(&self, tag: Tag) -> Box<Error> {
        Error::new(ErrorKind::Missing(tag), self.offset as usize)
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> Vec<Element> {
        self.elements.by_ref().filter(|element| !is_taken(element)).collect()
    }

    /// Ends the structure: an element that nobody took is an error.
    #[inline]
    pub fn finish(self) -> Result<()> {
        match self.elements.as_slice() {
            [] => Ok(()),
            [left, ..] => Err(self.unwanted(left)),
        }
    }

    /// The error for an element that nobody took.
    #[cold]
    fn unwanted(&self, left: &Element) -> Box<Error> {
        let kind = if self.foreign.contains(&left.tag) || !left.tag.known_in(self.version) && left.tag.name().is_some()
        {
            ErrorKind::NotInVersion { tag: left.tag, version: self.version }
        } else {
            ErrorKind::Unexpected(left.tag)
        };
        Error::new(kind, left.offset as usize)
    }

    /// What is not taken yet.
    fn left(&self) -> impl Iterator<Item = &Element> {
        self.elements.as_slice().iter().filter(|element| !is_taken(element))
    }

    #[inline]
    fn declares(&mut self, tag: Tag, lifetime: Lifetime) -> bool {
        let covered = lifetime.covers(self.version);
        if !covered && self.came & mark(tag) != 0 {
            self.foreign.push(tag);
        }
        covered
    }
}

/// Decodes an element, and puts its tag on the path of an error.
#[inline]
pub fn decode<T: Decode>(element: Element, version: Version) -> Result<T> {
    let (tag, offset) = (element.tag, element.offset);
    T::decode(element, version).map_err(|error| error.at(offset).within(tag))
}

/// The error for an element of another type than its tag has.
#[cold]
pub fn wrong_type(expected: &'static str, found: &Value) -> Box<Error> {
    ErrorKind::WrongType { expected, found: found.item_type() }.into()
}

impl<T: Encode + Decode> Field for T {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        match fields.optional(tag, lifetime)? {
            Some(value) => Ok(value),
            None => Err(fields.missing(tag)),
        }
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if lifetime.covers(writer.version()) {
            self.encode(tag, writer);
        }
    }
}

impl<T: Encode + Decode> Field for Option<T> {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        fields.optional(tag, lifetime)
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if let Some(value) = self {
            value.put(tag, lifetime, writer);
        }
    }
}

impl<T: Encode + Decode> Field for Vec<T> {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        fields.repeated(tag, lifetime)
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        for value in self {
            value.put(tag, lifetime, writer);
        }
    }
}

/// Leaves: which Rust type reads and writes which item.
macro_rules! leaf {
    ($type:ty, $variant:ident, $write:ident, $value:ident => $out:expr) => {
        impl Encode for $type {
            fn encode(&self, tag: Tag, writer: &mut Writer) {
                let $value = self;
                writer.$write(tag, $out);
            }
        }

        impl Decode for $type {
            fn decode(element: Element, _: Version) -> Result<Self> {
                match element.value {
                    Value::$variant(value) => Ok(value.into()),
                    other => Err(wrong_type(ItemType::$variant.name(), &other)),
                }
            }
        }
    };
}

leaf!(i32, Integer, integer, value => *value);
leaf!(i64, LongInteger, long_integer, value => *value);
leaf!(bool, Boolean, boolean, value => *value);
leaf!(ByteString, TextString, text, value => value);
leaf!(Blob, ByteString, bytes, value => value);
leaf!(DateTime, DateTime, date_time, value => value.0);
leaf!(DateTimeExtended, DateTimeExtended, date_time_extended, value => value.0);
leaf!(Interval, Interval, interval, value => value.0);
leaf!(BigInteger, BigInteger, big_integer, value => &value.0);

/// Seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTime(pub i64);

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DateTimeExtended(pub i64);

/// Seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(pub u32);

/// Two's complement, big-endian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BigInteger(pub Blob);

impl From<i64> for DateTime {
    fn from(seconds: i64) -> Self {
        Self(seconds)
    }
}

impl From<i64> for DateTimeExtended {
    fn from(microseconds: i64) -> Self {
        Self(microseconds)
    }
}

impl From<u32> for Interval {
    fn from(seconds: u32) -> Self {
        Self(seconds)
    }
}

impl From<Blob> for BigInteger {
    fn from(bytes: Blob) -> Self {
        Self(bytes)
    }
}

impl Encode for Element {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.value(tag, &self.value);
    }
}

impl Decode for Element {
    fn decode(element: Element, _: Version) -> Result<Self> {
        Ok(element)
    }
}

impl<T: Enumeration> Encode for T {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.enumeration(tag, (*self).into());
    }
}

impl<T: Enumeration> Decode for T {
    fn decode(element: Element, version: Version) -> Result<Self> {
        match element.value {
            Value::Enumeration(code) => {
                let value = Self::from(code);
                // A Tag has three bytes: what does not come back out was no value of the type.
                if value.allowed_in(version) && value.into() == code {
                    Ok(value)
                } else {
                    Err(ErrorKind::UnknownEnumeration { value: code, version }.into())
                }
            }
            other => Err(wrong_type(ItemType::Enumeration.name(), &other)),
        }
    }
}

/// Masks travel as Integer.
macro_rules! mask {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            fn encode(&self, tag: Tag, writer: &mut Writer) {
                writer.integer(tag, self.bits().cast_signed());
            }
        }

        impl Decode for $type {
            fn decode(element: Element, version: Version) -> Result<Self> {
                i32::decode(element, version).map(|bits| Self::from_bits_retain(bits.cast_unsigned()))
            }
        }
    )*};
}

mask!(CryptographicUsageMask, ProtectionStorageMask, StorageStatusMask);

/// Declares structures: one list of fields makes the struct, its reader and its writer.
///
/// ```
/// use kmip_codec::spec::{KeyFormatType, KeyWrapType};
/// use kmip_codec::ttlv::Text;
///
/// kmip_codec::structure! {
///     /// What to get (KMIP 2.1 §6.1.19).
///     pub struct GetRequest {
///         /// The object.
///         pub unique_identifier: Option<Text> = UniqueIdentifier,
///         /// The format that the key should have.
///         pub key_format_type: Option<KeyFormatType> = KeyFormatType,
///         /// Whether a key that rests wrapped should stay so.
///         pub key_wrap_type: Option<KeyWrapType> = KeyWrapType since V1_4,
///     }
/// }
/// ```
///
/// A field stands in every version unless it says `since` or `until` (the last version that has it). A field that the
/// message's version does not have is refused by name when read and left out when written.
#[macro_export]
macro_rules! structure {
    ($(
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field_vis:vis $field:ident : $type:ty = $tag:ident $(since $since:ident)? $(until $until:ident)?
            ),* $(,)?
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        $vis struct $name {
            $($(#[$field_meta])* $field_vis $field: $type,)*
        }

        impl $crate::schema::Encode for $name {
            fn encode(&self, tag: $crate::spec::Tag, writer: &mut $crate::ttlv::Writer) {
                let start = writer.open(tag);
                $($crate::schema::Field::put(
                    &self.$field,
                    $crate::spec::Tag::$tag,
                    $crate::lifetime!($(since $since)? $(until $until)?),
                    writer,
                );)*
                writer.close(start);
            }
        }

        impl $crate::schema::Decode for $name {
            fn decode(
                element: $crate::ttlv::Element,
                version: $crate::spec::Version,
            ) -> $crate::ttlv::Result<Self> {
                #[allow(unused_mut, reason = "a structure may have no fields")]
                let mut fields = $crate::schema::Fields::open(element, version)?;
                let structure = Self {
                    $($field: $crate::schema::Field::take(
                        &mut fields,
                        $crate::spec::Tag::$tag,
                        $crate::lifetime!($(since $since)? $(until $until)?),
                    )?,)*
                };
                fields.finish()?;
                Ok(structure)
            }
        }
    )*};
}

/// The [`Lifetime`] that a field's `since` and `until` say.
#[doc(hidden)]
#[macro_export]
macro_rules! lifetime {
    () => {
        $crate::schema::Lifetime::ALWAYS
    };
    (since $since:ident) => {
        $crate::schema::Lifetime { since: $crate::spec::Version::$since, until: None }
    };
    (until $until:ident) => {
        $crate::schema::Lifetime { since: $crate::spec::Version::V1_0, until: Some($crate::spec::Version::$until) }
    };
    (since $since:ident until $until:ident) => {
        $crate::schema::Lifetime { since: $crate::spec::Version::$since, until: Some($crate::spec::Version::$until) }
    };
}
