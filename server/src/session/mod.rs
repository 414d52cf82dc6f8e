//! State that outlives a message, under a value that the server made: parts of cryptographic operations, and what a client
//! has open on the server as a PKCS #11 token.

pub mod instances;
pub mod parts;
