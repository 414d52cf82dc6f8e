//! Who asks.

pub mod identity;
