//! The writer: straight into one buffer, which is wiped as it grows and when it goes.

use super::frame::HEADER;
use super::{Element, ItemType, Value};
use crate::spec::{Tag, Version};
use crate::wipe::{Wiped, wipe_slice};

/// Writes elements of one version into one buffer.
pub struct Writer {
    buffer: Wiped,
    version: Version,
}

impl Writer {
    /// An empty buffer for messages of this version.
    pub fn new(version: Version) -> Self {
        Self { buffer: Wiped::default(), version }
    }

    /// An empty buffer for messages of this version that has room for so many bytes, so that it need not grow.
    pub fn with_capacity(version: Version, bytes: usize) -> Self {
        Self { buffer: Wiped::with_capacity(bytes), version }
    }

    /// The version that is written.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.buffer.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Takes back everything after the first `length` bytes.
    pub fn truncate(&mut self, length: usize) {
        if let Some(tail) = self.buffer.get_mut(length..) {
            wipe_slice(tail);
        }
        self.buffer.truncate(length);
    }

    /// The bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.buffer.take()
    }

    /// The bytes, in a buffer that is wiped when it goes.
    pub fn into_buffer(self) -> Wiped {
        self.buffer
    }

    /// Writes a structure; its length is filled in after `content` has written its elements.
    #[inline]
    pub fn structure(&mut self, tag: Tag, content: impl FnOnce(&mut Self)) {
        let start = self.open(tag);
        content(self);
        self.close(start);
    }

    /// Begins a structure; give the answer to [`Writer::close`].
    #[inline]
    pub fn open(&mut self, tag: Tag) -> usize {
        let start = self.buffer.len();
        self.header(tag, ItemType::Structure, 0);
        start
    }

    /// Ends the structure that [`Writer::open`] began.
    #[inline]
    pub fn close(&mut self, start: usize) {
        let length = self.buffer.len().saturating_sub(start + HEADER);
        self.patch_length(start, length);
    }

    /// Writes an Integer.
    #[inline]
    pub fn integer(&mut self, tag: Tag, value: i32) {
        self.four(tag, ItemType::Integer, value.to_be_bytes());
    }

    /// Writes a Long Integer.
    #[inline]
    pub fn long_integer(&mut self, tag: Tag, value: i64) {
        self.eight(tag, ItemType::LongInteger, value.to_be_bytes());
    }

    /// Writes a Big Integer: two's complement, big-endian; extended by its sign to a multiple of 8 bytes.
    pub fn big_integer(&mut self, tag: Tag, value: &[u8]) {
        let length = value.len().next_multiple_of(8).max(8);
        let sign = if value.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        self.header(tag, ItemType::BigInteger, length);
        self.fill(sign, length - value.len());
        self.put(value);
    }

    /// Writes an Enumeration.
    #[inline]
    pub fn enumeration(&mut self, tag: Tag, value: u32) {
        self.four(tag, ItemType::Enumeration, value.to_be_bytes());
    }

    /// Writes a Boolean.
    #[inline]
    pub fn boolean(&mut self, tag: Tag, value: bool) {
        self.eight(tag, ItemType::Boolean, u64::from(value).to_be_bytes());
    }

    /// Writes a Text String.
    #[inline]
    pub fn text(&mut self, tag: Tag, value: &str) {
        self.padded(tag, ItemType::TextString, value.as_bytes());
    }

    /// Writes a Byte String.
    #[inline]
    pub fn bytes(&mut self, tag: Tag, value: &[u8]) {
        self.padded(tag, ItemType::ByteString, value);
    }

    /// Writes a Date-Time.
    #[inline]
    pub fn date_time(&mut self, tag: Tag, seconds: i64) {
        self.eight(tag, ItemType::DateTime, seconds.to_be_bytes());
    }

    /// Writes an Interval.
    pub fn interval(&mut self, tag: Tag, seconds: u32) {
        self.four(tag, ItemType::Interval, seconds.to_be_bytes());
    }

    /// Writes a Date-Time Extended.
    pub fn date_time_extended(&mut self, tag: Tag, microseconds: i64) {
        self.eight(tag, ItemType::DateTimeExtended, microseconds.to_be_bytes());
    }

    /// Writes an element as it is.
    pub fn element(&mut self, element: &Element) {
        self.value(element.tag, &element.value);
    }

    /// Writes a value under a tag.
    pub fn value(&mut self, tag: Tag, value: &Value) {
        match value {
            Value::Structure(elements) => self.structure(tag, |w| elements.iter().for_each(|e| w.element(e))),
            Value::Integer(value) => self.integer(tag, *value),
            Value::LongInteger(value) => self.long_integer(tag, *value),
            Value::BigInteger(value) => self.big_integer(tag, value),
            Value::Enumeration(value) => self.enumeration(tag, *value),
            Value::Boolean(value) => self.boolean(tag, *value),
            Value::TextString(value) => self.text(tag, value),
            Value::ByteString(value) => self.bytes(tag, value),
            Value::DateTime(value) => self.date_time(tag, *value),
            Value::Interval(value) => self.interval(tag, *value),
            Value::DateTimeExtended(value) => self.date_time_extended(tag, *value),
        }
    }

    /// Appends bytes that another writer of the same version made.
    #[inline]
    pub fn append(&mut self, encoded: &[u8]) {
        self.put(encoded);
    }

    #[inline]
    fn header(&mut self, tag: Tag, item: ItemType, length: usize) {
        let head = head(tag, item, wire_length(length));
        self.put(&head);
    }

    #[inline]
    fn four(&mut self, tag: Tag, item: ItemType, [a, b, c, d]: [u8; 4]) {
        self.eight_of(tag, item, 4, [a, b, c, d, 0, 0, 0, 0]);
    }

    #[inline]
    fn eight(&mut self, tag: Tag, item: ItemType, value: [u8; 8]) {
        self.eight_of(tag, item, 8, value);
    }

    /// An item whose value takes eight bytes with its padding: most are so, and each is put at once.
    #[inline]
    fn eight_of(&mut self, tag: Tag, item: ItemType, length: u32, value: [u8; 8]) {
        let mut whole = [0; 2 * HEADER];
        let (first, second) = whole.split_at_mut(HEADER);
        first.copy_from_slice(&head(tag, item, length.to_be_bytes()));
        second.copy_from_slice(&value);
        self.put(&whole);
    }

    #[inline]
    fn padded(&mut self, tag: Tag, item: ItemType, value: &[u8]) {
        self.reserve(HEADER + value.len().next_multiple_of(8));
        self.header(tag, item, value.len());
        self.put(value);
        self.fill(0, value.len().next_multiple_of(8) - value.len());
    }

    #[inline]
    fn patch_length(&mut self, start: usize, length: usize) {
        if let Some(place) = self.buffer.get_mut(start + 4..start + HEADER) {
            place.copy_from_slice(&wire_length(length));
        }
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.buffer.extend_from_slice(bytes);
    }

    #[inline]
    fn fill(&mut self, byte: u8, count: usize) {
        self.reserve(count);
        let length = self.buffer.len() + count;
        self.buffer.resize(length, byte);
    }

    #[inline]
    fn reserve(&mut self, more: usize) {
        if more > self.buffer.capacity() - self.buffer.len() {
            self.grow(more);
        }
    }

    /// Grows by hand: `Vec` would free the old place without wiping it.
    #[cold]
    fn grow(&mut self, more: usize) {
        let need = self.buffer.len() + more;
        let mut grown = Wiped::with_capacity(need.max(self.buffer.capacity() * 2).max(512));
        grown.extend_from_slice(&self.buffer);
        self.buffer = grown;
    }
}

#[inline]
fn head(tag: Tag, item: ItemType, [a, b, c, d]: [u8; 4]) -> [u8; HEADER] {
    let [_, high, middle, low] = tag.code().to_be_bytes();
    [high, middle, low, item as u8, a, b, c, d]
}

/// A message of 4 GiB cannot be written; limits on what is stored and asked are far below.
#[inline]
fn wire_length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// The binary form of one element, which has no version.
pub fn write(element: &Element) -> Vec<u8> {
    let mut writer = Writer::new(Version::V2_1);
    writer.element(element);
    writer.finish()
}
