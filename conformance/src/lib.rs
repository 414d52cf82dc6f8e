//! Test cases in the XML form of the standard (KMIP Additional Message Encodings 1.0 §6), played against any KMIP server.
//! It knows the protocol's tables and no server.
//!
//! | module | holds |
//! |---|---|
//! | [`case`] | a case file: steps of a request and the answer expected |
//! | [`node`] | an item of a case, its variables not yet filled in |
//! | [`bindings`] | what the variables stand for |
//! | [`subject`] | which objects the server made, and what the current request is about |
//! | [`compare`] | the comparison: everything must agree, but for what `permit` lists |
//! | [`permit`] | the variations that the standard permits |
//! | [`play`] | a case against a peer |
//! | [`connect`] | a peer over TLS |
//! | [`prove`] | the comparison put to the test with wrong answers |
//! | [`report`] | what came of the cases |
#![forbid(unsafe_code)]

pub mod bindings;
pub mod case;
pub mod compare;
pub mod connect;
pub mod node;
pub mod permit;
pub mod play;
pub mod prove;
pub mod report;
pub mod subject;
