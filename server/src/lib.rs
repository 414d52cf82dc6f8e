//! kmipd: a key management server for KMIP 1.0 to 2.1.

pub mod crypto;
pub mod dispatch;
pub mod failure;
pub mod object;
pub mod ops;
pub mod secret;
pub mod store;
pub mod sweeper;
pub mod trust;
pub mod view;
