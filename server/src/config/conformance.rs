//! What `kmipd dev --conformance` configures, so that a conformance suite can be pointed at the development server.
//!
//! The flag is read here and nowhere else. All that it does is ordinary configuration, which could as well be written in
//! `kmipd.toml`; a value that published cases have recorded of one server has its place here, never in a handler.

use std::net::SocketAddr;

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
    // HTTPS on the port behind each; where the system chooses the port, it chooses another one.
    if config.https.address.is_empty() {
        let next = |address: &SocketAddr| match address.port() {
            0 => Some(*address),
            port => port.checked_add(1).map(|port| SocketAddr::new(address.ip(), port)),
        };
        config.https.address = config.listen.address.iter().filter_map(next).collect();
    }
    // Users and devices that published cases name: as long as there is nothing to check them against, the certificate
    // alone says who asks.
    config.compatibility.ignore_credentials = true;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn configured(more: &str) -> Config {
        let least = "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_ca = \"c\"\n[store]\npath = \"d\"\n[root_key]\nkind = \"dev-file\"\n";
        let mut config = Config::parse(&format!("{least}{more}"), Path::new("/")).unwrap();
        configure(&mut config);
        config
    }

    #[test]
    fn https_has_the_next_port() {
        let config = configured("[listen]\naddress = [\"127.0.0.1:5696\", \"[::1]:0\"]\n");
        let expected: Vec<SocketAddr> =
            ["127.0.0.1:5697", "[::1]:0"].iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(config.https.address, expected);
        assert!(config.store.interop);
    }

    #[test]
    fn what_the_file_says_of_https_stays() {
        let config = configured("[https]\naddress = \"127.0.0.1:443\"\n");
        assert_eq!(config.https.address, ["127.0.0.1:443".parse().unwrap()]);
    }
}
