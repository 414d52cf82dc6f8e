//! kmipd: a key management server for KMIP 1.0 to 2.1.

pub mod check;
pub mod config;
pub mod crypto;
pub mod ctl;
pub mod dev;
pub mod dispatch;
pub mod failure;
pub mod logging;
pub mod net;
pub mod object;
pub mod ops;
pub mod secret;
pub mod session;
pub mod store;
pub mod sweeper;
pub mod system;
pub mod trust;
pub mod view;
pub mod wiring;
