//! Answers, read as far as a check needs: no copy, no allocation.

use kmip_codec::spec::{Operation, ResultReason, ResultStatus, Tag};
use kmip_codec::ttlv::{Element, Limits, Value, parse};

/// One element: tag, type, and the bytes of its value without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    /// The tag.
    pub tag: Tag,
    /// The bytes of the value.
    pub value: &'a [u8],
    /// The element from its tag to its padding.
    pub whole: &'a [u8],
}

/// The elements of a structure, until its end or until something that is none.
#[derive(Debug, Clone, Copy)]
pub struct Walk<'a>(pub &'a [u8]);

impl<'a> Iterator for Walk<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let &[high, middle, low, _, ref length @ ..] = self.0.first_chunk::<8>()?;
        let length = u32::from_be_bytes(*length) as usize;
        let padded = 8 + length.next_multiple_of(8);
        let (whole, rest) = self.0.split_at_checked(padded)?;
        self.0 = rest;
        let tag = Tag::new(u32::from_be_bytes([0, high, middle, low]));
        Some(Item { tag, value: whole.get(8..8 + length)?, whole })
    }
}

impl<'a> Walk<'a> {
    /// The value of the first element with this tag.
    pub fn value_of(mut self, tag: Tag) -> Option<&'a [u8]> {
        self.find(|item| item.tag == tag).map(|item| item.value)
    }

    /// A number of 32 bits.
    pub fn number(self, tag: Tag) -> Option<u32> {
        self.value_of(tag)?.try_into().map(u32::from_be_bytes).ok()
    }
}

/// What came of an item.
#[derive(Debug, Clone, Copy)]
pub struct Reply<'a> {
    /// The bytes of the item.
    item: Walk<'a>,
}

impl<'a> Reply<'a> {
    /// The payload, from its tag to its end, if the item succeeded and is about this operation; otherwise why not.
    ///
    /// # Errors
    /// The words of the server.
    pub fn payload(self, operation: Operation, place: Option<usize>) -> Result<&'a [u8], String> {
        let mut payload: &[u8] = &[];
        let (mut status, mut marked) = (None, place.is_none());
        for item in self.item {
            match item.tag {
                Tag::Operation if item.value != u32::from(operation).to_be_bytes() => {
                    return Err(format!("the answer to {operation} is about something else"));
                }
                Tag::ResultStatus => status = item.value.try_into().map(u32::from_be_bytes).ok(),
                Tag::UniqueBatchItemID => {
                    marked = place.is_none_or(|place| item.value == (place as u64).to_be_bytes());
                }
                Tag::ResponsePayload => payload = item.whole,
                _ => {}
            }
        }
        match status {
            Some(status) if status == u32::from(ResultStatus::Success) && marked => Ok(payload),
            Some(status) if status == u32::from(ResultStatus::Success) => {
                Err(format!("the answer to {operation} is not in the place of its request"))
            }
            _ => Err(self.refusal(operation)),
        }
    }

    fn refusal(self, operation: Operation) -> String {
        let reason = self.item.number(Tag::ResultReason).map(|code| ResultReason::from(code).to_string());
        let message = self.item.value_of(Tag::ResultMessage).map(String::from_utf8_lossy).unwrap_or_default();
        format!("{operation}: {}: {message}", reason.as_deref().unwrap_or("no Result Reason"))
    }
}

/// The items of an answer. Nothing, if it is no response message with as many items as its header counts.
///
/// # Errors
/// What is wrong with it.
pub fn replies(message: &[u8], count: usize) -> Result<impl Iterator<Item = Reply<'_>>, String> {
    let mut outer = Walk(message);
    let response = outer.next().filter(|item| item.tag == Tag::ResponseMessage && outer.0.is_empty());
    let mut walk = Walk(response.ok_or("the answer is no Response Message")?.value);
    let header = walk.next().filter(|item| item.tag == Tag::ResponseHeader);
    let counted = header.and_then(|header| Walk(header.value).number(Tag::BatchCount));
    if counted != u32::try_from(count).ok() {
        return Err(format!("the answer has not {count} items but {counted:?}"));
    }
    Ok(walk.filter(|item| item.tag == Tag::BatchItem).map(|item| Reply { item: Walk(item.value) }))
}

/// The payload as a value.
///
/// # Errors
/// It cannot be read.
pub fn read(payload: &[u8]) -> Result<Value, String> {
    if payload.is_empty() {
        return Ok(Value::Structure(Vec::new()));
    }
    let element = parse(&bytes::Bytes::copy_from_slice(payload), &Limits::default());
    element.map(|element| element.value).map_err(|error| format!("the answer cannot be read: {error}"))
}

/// The bytes of a Byte String, found along a path of tags.
pub fn bytes_at<'v>(value: &'v Value, path: &[Tag]) -> Option<&'v [u8]> {
    match at(value, path)? {
        Value::ByteString(bytes) => Some(bytes),
        _ => None,
    }
}

/// The text of a Text String, found along a path of tags.
pub fn text_at<'v>(value: &'v Value, path: &[Tag]) -> Option<&'v str> {
    at(value, path)?.text()
}

/// Whether a text is anywhere in a value, under this tag.
pub fn has_text(value: &Value, tag: Tag, text: &str) -> bool {
    let is = |element: &Element| element.tag == tag && element.value.text() == Some(text);
    value.elements().iter().any(|element| is(element) || has_text(&element.value, tag, text))
}

fn at<'v>(value: &'v Value, path: &[Tag]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, tag| value.find(*tag))
}
