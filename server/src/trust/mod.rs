//! Who is asking, and what they may do.

pub mod accounts;
pub mod attestation;
pub mod credentials;
pub mod hashed;
pub mod identity;
pub mod link;
pub mod one_time;
pub mod password;
pub mod policy;
pub mod requester;
pub mod revocation;
pub mod ticket;
