//! The encodings of a message, by the media types of HTTP (KMIP Additional Message Encodings 1.0 §2.4, §2.5).
//!
//! Text is turned into the same elements, and these into the binary form: what the service gets, and how long an answer may
//! be, is the same in all encodings (§4, §6).

use std::str;

use bytes::Bytes;
use kmip_codec::text::{TextError, TextErrorKind, json, xml};
use kmip_codec::ttlv::{Limits, frame, parse, write};
use kmip_codec::wipe::Wiped;

/// How a message is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// TTLV.
    Binary,
    /// XML.
    Xml,
    /// JSON.
    Json,
}

impl Encoding {
    /// What a Content-Type means, if it is an encoding of messages. Texts are UTF-8.
    pub(super) fn of(content_type: &str) -> Option<Self> {
        let mut parts = content_type.split(';').map(str::trim);
        let media_type = parts.next()?.to_ascii_lowercase();
        let encoding = match &*media_type {
            "application/octet-stream" => Self::Binary,
            "text/xml" | "application/xml" => Self::Xml,
            "application/json" => Self::Json,
            _ => return None,
        };
        let charset = |part: &str| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
        };
        parts
            .filter_map(charset)
            .all(|charset| ["utf-8", "utf8", "us-ascii"].iter().any(|known| charset.eq_ignore_ascii_case(known)))
            .then_some(encoding)
    }

    /// The media type of an answer.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Binary => "application/octet-stream",
            Self::Xml => "text/xml",
            Self::Json => "application/json",
        }
    }

    /// The binary form of a message.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(super) fn binary(self, body: Wiped, limits: &Limits) -> Result<Bytes, TextError> {
        let mut body = body;
        if self == Self::Binary {
            return Ok(frame::protect(body.take()));
        }
        let text = str::from_utf8(&body).map_err(|_| TextError::new(TextErrorKind::Malformed))?;
        // A mark that some writers put before a text in UTF-8.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let element = match self {
            Self::Xml => xml::read(text, limits)?,
            _ => json::read(text, limits)?,
        };
        Ok(frame::protect(write(&element)))
    }

    /// What a binary message is in this encoding.
    ///
    /// # Errors
    /// A text with a character that the encoding does not have.
    pub(super) fn render(self, message: &Bytes) -> Result<Vec<u8>, TextError> {
        if self == Self::Binary {
            return Ok(message.to_vec());
        }
        // Our own answer: it has no limits.
        let limits = Limits { depth: usize::MAX, items: usize::MAX };
        let element = parse(message, &limits).map_err(|_| TextError::new(TextErrorKind::Malformed))?;
        let text = if self == Self::Xml { xml::write(&element)? } else { json::write(&element)? };
        Ok(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_known_with_their_parameters() {
        for (text, expected) in [
            ("application/octet-stream", Some(Encoding::Binary)),
            ("text/xml", Some(Encoding::Xml)),
            ("Text/XML; charset=UTF-8", Some(Encoding::Xml)),
            ("application/xml;charset=\"utf-8\"", Some(Encoding::Xml)),
            ("application/json ; charset=utf-8", Some(Encoding::Json)),
            ("text/xml; charset=utf-16", None),
            ("text/plain", None),
            ("application/jsonp", None),
            ("", None),
        ] {
            assert_eq!(Encoding::of(text), expected, "{text}");
        }
    }
}
