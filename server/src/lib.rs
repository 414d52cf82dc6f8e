//! kmipd: a key management server for KMIP 1.0 to 2.1.

pub mod crypto;
pub mod failure;
pub mod object;
pub mod secret;
pub mod store;
