//! The protocol and nothing else.
#![forbid(unsafe_code)]

pub mod spec;
