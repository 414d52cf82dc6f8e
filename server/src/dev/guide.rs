//! How to connect: PyKMIP's configuration, and lines to paste.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What a client needs to know of a folder that is being served.
#[derive(Debug)]
pub struct Guide {
    folder: PathBuf,
    listening: SocketAddr,
    /// The address to connect to: any of ours stands for this machine.
    reachable: SocketAddr,
    /// Where HTTPS is listened for, if anywhere.
    https: Option<SocketAddr>,
    /// The clients beside the first.
    more_clients: Vec<String>,
}

impl Guide {
    /// The guide to an absolute folder, served at an address.
    pub(super) fn new(folder: &Path, listening: SocketAddr, https: Option<SocketAddr>, more_clients: &[&str]) -> Self {
        let mut reachable = listening;
        if listening.ip().is_unspecified() {
            reachable.set_ip(match listening.ip() {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            });
        }
        Self {
            folder: folder.to_owned(),
            listening,
            reachable,
            https,
            more_clients: more_clients.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// PyKMIP's configuration file. PyKMIP knows IPv4 only, opens its socket without naming the server (so that no
    /// `ssl_version` works that checks names), and takes `%` for the beginning of a variable.
    pub(super) fn pykmip_conf(&self) -> String {
        let path = |name: &str| self.path(name).replace('%', "%%");
        format!(
            "[client]\nhost={}\nport={}\nkeyfile={}\ncertfile={}\nca_certs={}\ncert_reqs=CERT_REQUIRED\n\
             ssl_version=PROTOCOL_TLS\ndo_handshake_on_connect=True\nsuppress_ragged_eofs=True\n",
            self.reachable.ip(),
            self.reachable.port(),
            path("client.key"),
            path("client.pem"),
            path("ca.pem"),
        )
    }
}

/// How to call kmipctl: as what lies beside kmipd, or through cargo where only kmipd was built.
fn kmipctl(kmipd: Option<&Path>) -> String {
    let Some(kmipd) = kmipd else { return "kmipctl".to_owned() };
    let beside = kmipd.with_file_name("kmipctl");
    if beside.is_file() {
        return format!("'{}'", beside.display());
    }
    let name = |path: Option<&Path>| path.and_then(Path::file_name).and_then(|name| name.to_str()).map(str::to_owned);
    let folder = kmipd.parent();
    match (name(folder).as_deref(), name(folder.and_then(Path::parent)).as_deref()) {
        (Some("release"), Some("target")) => "cargo run --release --bin kmipctl --".to_owned(),
        (Some("debug"), Some("target")) => "cargo run --bin kmipctl --".to_owned(),
        _ => "kmipctl".to_owned(),
    }
}

impl fmt::Display for Guide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { folder, listening, reachable, https, more_clients } = self;
        let folder = folder.display();
        let https = https
            .map(|address| format!("HTTPS: https://{address}/kmip (POST; TTLV, XML or JSON)\n"))
            .unwrap_or_default();
        let files = more_clients.iter().map(|name| format!("{name}.pem and {name}.key")).collect::<Vec<_>>().join(", ");
        let clients = if files.is_empty() {
            files
        } else {
            format!(
                "Further clients, the same to the server as client.pem: {files}.\nAny client can empty the store (Interop, Reset).\n"
            )
        };
        let conf = self.path("pykmip.conf");
        let kmipctl = kmipctl(std::env::current_exe().ok().as_deref());
        let (ca, cert, key) = (self.path("ca.pem"), self.path("client.pem"), self.path("client.key"));
        write!(
            f,
            r#"kmipd dev is listening on {listening}
{https}Everything is in {folder}; for development only: whoever reads this folder has every key.
{clients}
With kmipctl:

{kmipctl} --server {reachable} --ca '{ca}' --cert '{cert}' --key '{key}' query

With PyKMIP (pip install PyKMIP==0.11.0):

python3 - <<'END'
from kmip import enums
from kmip.pie.client import ProxyKmipClient
with ProxyKmipClient(config_file={conf:?}) as client:
    key = client.create(enums.CryptographicAlgorithm.AES, 256)
    print("created", key)
END

Stop with Ctrl-C.
"#
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guide(folder: &str, address: &str) -> Guide {
        Guide::new(Path::new(folder), address.parse().unwrap(), None, &[])
    }

    #[test]
    fn the_configuration_names_what_a_client_reaches() {
        let conf = guide("/a b/100%", "0.0.0.0:1234").pykmip_conf();
        assert!(conf.contains("host=127.0.0.1\nport=1234\n"), "{conf}");
        assert!(conf.contains("certfile=/a b/100%%/client.pem\n"), "{conf}");
        assert!(guide("/a", "[::]:1").pykmip_conf().contains("host=::1\n"));
        assert!(guide("/a", "192.0.2.1:1").pykmip_conf().contains("host=192.0.2.1\n"));
    }

    #[test]
    fn the_words_name_address_and_files() {
        let text = guide("/a", "0.0.0.0:1234").to_string();
        assert!(text.starts_with("kmipd dev is listening on 0.0.0.0:1234\n"), "{text}");
        assert!(text.contains("--server 127.0.0.1:1234 --ca '/a/ca.pem'"), "{text}");
        assert!(text.contains("config_file=\"/a/pykmip.conf\""), "{text}");
    }

    #[test]
    fn the_words_name_what_conformance_needs() {
        let (raw, https) = ("127.0.0.1:1".parse().unwrap(), "127.0.0.1:2".parse().unwrap());
        let text = Guide::new(Path::new("/a"), raw, Some(https), &["client2", "client3"]).to_string();
        assert!(text.starts_with("kmipd dev is listening on 127.0.0.1:1\nHTTPS: https://127.0.0.1:2/kmip"), "{text}");
        assert!(text.contains("client2.pem and client2.key, client3.pem and client3.key."), "{text}");
        assert!(text.contains("Any client can empty the store"), "{text}");
        let plain = guide("/a", "127.0.0.1:1").to_string();
        assert!(!plain.contains("HTTPS") && !plain.contains("client2"), "{plain}");
    }

    #[test]
    fn kmipctl_is_called_where_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let release = folder.path().join("target/release");
        std::fs::create_dir_all(&release).unwrap();
        let kmipd = release.join("kmipd");
        assert_eq!(kmipctl(Some(&kmipd)), "cargo run --release --bin kmipctl --");
        assert_eq!(kmipctl(Some(Path::new("/usr/bin/kmipd-elsewhere/kmipd"))), "kmipctl");
        assert_eq!(kmipctl(None), "kmipctl");
        std::fs::write(release.join("kmipctl"), "").unwrap();
        assert_eq!(kmipctl(Some(&kmipd)), format!("'{}'", release.join("kmipctl").display()));
    }
}
