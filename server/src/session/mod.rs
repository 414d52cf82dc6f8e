//! State that outlives a message, under a value that the server made: parts of cryptographic operations for now.

pub mod parts;
