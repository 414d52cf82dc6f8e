//! A folder for `serve`, and openssl in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kmipd_certs::{Authority, write_private};

/// Runs openssl, its arguments apart by single blanks, and answers its standard output.
pub(crate) fn openssl(folder: &Path, command: &str) -> String {
    let output = Command::new("openssl").args(command.split(' ')).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {command}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Writes what `serve` needs into a folder: certificates, keys, an empty list of revoked clients, and a configuration with
/// `more` at its end. Answers the path of the configuration.
pub(crate) fn served(folder: &Path, more: &str) -> PathBuf {
    let authority = Authority::new().unwrap();
    let server = authority.issue_server(&["127.0.0.1"]).unwrap();
    let client = authority.issue_client("client").unwrap();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
    write("ca.pem", authority.cert_pem());
    write("server.pem", &server.cert_pem);
    write("client.pem", &client.cert_pem);
    for (name, text) in [
        ("ca.key", authority.key_pem().as_str()),
        ("server.key", &server.key_pem),
        ("client.key", &client.key_pem),
        ("root.key", &"5a".repeat(32)),
    ] {
        write_private(&folder.join(name), text).unwrap();
    }
    let config = format!(
        r#"
[listen]
address = "127.0.0.1:0"
[tls]
certificate = "server.pem"
key = "server.key"
client_ca = "ca.pem"
revoked = "revoked.txt"
[store]
path = "store"
[root_key]
kind = "file"
path = "root.key"
{more}"#
    );
    write("kmipd.toml", &config);
    write("revoked.txt", "");
    folder.join("kmipd.toml")
}
