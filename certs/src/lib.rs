//! Development certificates: a private certificate authority and the X.509 v3 certificates (RFC 5280) that
//! it gives to the server, to clients, and to tests that need certificates with a fault.
//!
//! Nothing here writes a file by itself; [`write_private`] does it when asked, and never over an existing file.

mod authority;
mod error;
mod file;
mod load;
mod profile;

pub use authority::{Authority, Issued};
pub use error::Error;
pub use file::write_private;
pub use profile::{Profile, Usage, Validity};
