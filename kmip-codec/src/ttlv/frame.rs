//! Where one message ends and the next begins.

use bytes::Bytes;

use super::{Error, ErrorKind, ItemType, Result};
use crate::wipe::Wiped;

/// Bytes of tag, type and length.
pub const HEADER: usize = 8;

/// The length in bytes of the message that begins with `head`, its header included, or `None` if fewer than
/// [`HEADER`] bytes are there. A length beyond `limit` is refused before anything of it is read.
pub fn length(head: &[u8], limit: usize) -> Result<Option<usize>> {
    let Some(&[high, middle, low, kind, ref length @ ..]) = head.first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let tag = u32::from_be_bytes([0, high, middle, low]);
    if high != 0x42 {
        return Err(Error::new(ErrorKind::InvalidTag(tag), 0));
    }
    if kind != ItemType::Structure as u8 {
        return Err(Error::new(ErrorKind::InvalidType(kind), 3));
    }
    let length = HEADER.saturating_add(u32::from_be_bytes(*length) as usize);
    if length > limit {
        return Err(Error::new(ErrorKind::TooLong { length, limit }, 4));
    }
    Ok(Some(length))
}

/// Turns a buffer into a frame that is wiped when its last slice goes.
pub fn protect(buffer: impl Into<Wiped>) -> Bytes {
    Bytes::from_owner(buffer.into())
}
