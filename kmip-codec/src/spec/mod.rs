//! The tables of the protocol, one each: versions, tags, enumerations, bit masks and attributes with their rules.
//!
//! A row says in which versions it stands; everything that encodes, decodes, checks or documents asks these tables.

mod attributes;
mod enums;
mod masks;
mod names;
mod tags;
mod version;

pub use attributes::*;
pub use enums::*;
pub use masks::*;
pub use names::xml_name;
pub use tags::{Tag, TagInfo};
pub use version::Version;

#[cfg(test)]
mod reference;
