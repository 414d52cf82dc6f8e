//! What `kmipd dev --conformance` configures, so that a conformance suite can be pointed at the development server.
//!
//! The flag is read here and nowhere else. All that it does is ordinary configuration, which could as well be written in
//! `kmipd.toml`; a value that published cases have recorded of one server has its place here, never in a handler.

use super::Config;

/// The clients beside the first: `client2.pem`, `client3.pem` and their keys.
///
/// Published cases with several clients (Client-A to Client-C, as in TC-3.1.4 and TC-5.1 of 1.0 to 1.2) let the one find, get and
/// change what the other has made. A client is known by the name in its certificate, so all of them carry the name of the
/// first: three certificates with a key each, and one identity.
pub const MORE_CLIENTS: [&str; 2] = ["client2", "client3"];

/// Sets what a conformance suite needs.
pub fn configure(config: &mut Config) {
    config.store.interop = true;
    // Users and devices that published cases name: as long as there is nothing to check them against, the certificate
    // alone says who asks.
    config.compatibility.ignore_credentials = true;
}
