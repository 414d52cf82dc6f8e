//! Who is asking, and what they may do.

pub mod identity;
pub mod policy;
