//! The PKCS#11 provider against SoftHSM2, which must be installed: `apt-get install softhsm2`. Nothing here is skipped.
//!
//! SoftHSM reads its configuration from the environment once in a process, so each test runs in a process of its own, on a
//! token of its own: see [`bench`].

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that goes wrong is to stop")]

#[macro_use]
mod bench;
mod algorithms;
mod attacker;
mod attacks;
mod life;
mod loss;
mod record;
mod setup;
#[path = "../harness/shim.rs"]
mod shim;
