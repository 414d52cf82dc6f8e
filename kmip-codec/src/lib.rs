//! The Key Management Interoperability Protocol, versions 1.0 to 2.1: its elements, its tables, its structures, its
//! messages. No input or output, no clock, no cryptography.
//!
//! | module | holds |
//! |---|---|
//! | [`ttlv`] | elements and their binary form (KMIP 2.1 §10.1) |
//! | [`text`] | the same elements as XML and JSON (KMIP Additional Message Encodings 1.0) |
//! | [`spec`] | the tables: versions, tags, enumerations, masks, attributes |
//! | [`schema`] | [`structure!`]: one list of fields makes struct, reader and writer |
//! | [`types`] | structures that several operations share |
//! | [`dialect`] | every difference between the versions' ways to write attributes |
//! | [`message`] | request and response messages (KMIP 2.1 §8) |
//! | [`wipe`] | buffers that leave nothing behind |
#![forbid(unsafe_code)]

pub mod dialect;
pub mod message;
pub mod schema;
pub mod spec;
pub mod text;
pub mod ttlv;
pub mod types;
pub mod wipe;

#[cfg(test)]
mod tests;

pub use ttlv::{Element, Error, ErrorKind, Result, Value};
