//! Where the server is and who asks: options, environment, or the folder that `kmipd dev` made.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kmip_codec::spec::Version;

use super::{Error, Outcome};

/// The port that the standard's profiles give KMIP.
const PORT: u16 = 5696;

/// The folder that `kmipd dev` makes where it is started.
const FOLDER: &str = "kmipd-dev";

/// The options of every command that say where the server is and who asks.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The server; port 5696 if none is said
    #[arg(long, global = true, env = "KMIPCTL_SERVER", value_name = "HOST:PORT")]
    pub server: Option<String>,
    /// The authority that issued the server's certificate, PEM
    #[arg(long, global = true, env = "KMIPCTL_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// The client's certificate, PEM
    #[arg(long, global = true, env = "KMIPCTL_CERT", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// The client's private key, PEM
    #[arg(long, global = true, env = "KMIPCTL_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The folder with ca.pem, client.pem, client.key and the address [default: kmipd-dev, if it is here]
    #[arg(long, global = true, env = "KMIPCTL_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The one version to speak [default: 2.1, or the newest that the server speaks]
    #[arg(long, global = true, env = "KMIPCTL_KMIP_VERSION", value_name = "VERSION", value_parser = version)]
    pub kmip_version: Option<Version>,
    /// How long to wait for the server, in seconds
    #[arg(long, global = true, env = "KMIPCTL_TIMEOUT", value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
}

/// What a connection needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Host name or IP address, as the server's certificate must name it.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The authority's certificates, PEM.
    pub ca: PathBuf,
    /// The client's certificate, PEM.
    pub cert: PathBuf,
    /// The client's key, PEM.
    pub key: PathBuf,
    /// The one version to speak; any if none is said.
    pub version: Option<Version>,
    /// How long to wait for the server.
    pub timeout: Duration,
}

impl Connection {
    /// Completes the options with what the development folder holds.
    ///
    /// # Errors
    /// Usage: something is missing and there is no folder to find it in. Failed: the folder cannot be read.
    pub fn settings(&self) -> Outcome<Settings> {
        let folder = self.dir.clone().or_else(|| Some(PathBuf::from(FOLDER)).filter(|folder| folder.is_dir()));
        if let Some(folder) = self.dir.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(Error::failed(format!("there is no folder {}", folder.display())));
        }
        let file = |given: &Option<PathBuf>, option: &str, name: &str| match (given, &folder) {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(folder)) => Ok(folder.join(name)),
            (None, None) => Err(missing(option)),
        };
        let (host, port) = match (&self.server, &folder) {
            (Some(server), _) => address(server)?,
            (None, Some(folder)) => address_in(folder)?,
            (None, None) => return Err(missing("--server HOST:PORT")),
        };
        Ok(Settings {
            host,
            port,
            ca: file(&self.ca, "--ca FILE", "ca.pem")?,
            cert: file(&self.cert, "--cert FILE", "client.pem")?,
            key: file(&self.key, "--key FILE", "client.key")?,
            version: self.kmip_version,
            timeout: Duration::from_secs(self.timeout),
        })
    }
}

fn missing(option: &str) -> Error {
    Error::usage(format!(
        "{option} is missing, and there is no folder {FOLDER} here to find it in (`kmipd dev` makes one; --dir DIR names \
         another)"
    ))
}

fn version(text: &str) -> Result<Version, String> {
    let known = Version::ALL.iter().find(|version| version.to_string() == text);
    known.copied().ok_or_else(|| {
        let all: Vec<String> = Version::ALL.iter().rev().map(ToString::to_string).collect();
        format!("the versions are {}", all.join(", "))
    })
}

/// Takes `host:port`, `[address]:port`, or either without the port apart.
fn address(text: &str) -> Outcome<(String, u16)> {
    let wrong = || Error::usage(format!("{text:?} is no HOST:PORT, such as kms.example.com:5696 or [::1]:5696"));
    if text.parse::<IpAddr>().is_ok() {
        return Ok((text.to_owned(), PORT));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().map_err(|_| wrong())?),
        _ => (text, PORT),
    };
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match bare {
        Some(host) if host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) => Ok((host.to_owned(), port)),
        None if !host.is_empty() && !host.contains([':', '[', ']', '/', '@']) => Ok((host.to_owned(), port)),
        _ => Err(wrong()),
    }
}

/// The address of a development folder: that of the clients' configuration, which has the port that the server got, or
/// that of the server's.
fn address_in(folder: &Path) -> Outcome<(String, u16)> {
    let read = |name: &str| match fs::read_to_string(folder.join(name)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::failed(format!("cannot read {}: {error}", folder.join(name).display()))),
    };
    if let Some(address) = read("pykmip.conf")?.as_deref().and_then(address_of_client) {
        return Ok(address);
    }
    if let Some(address) = read("kmipd.toml")?.as_deref().and_then(address_of_server) {
        return Ok(address);
    }
    Err(Error::failed(format!("no file in {} says where the server listens; name it with --server", folder.display())))
}

/// Host and port in the section `client` of an INI file.
fn address_of_client(text: &str) -> Option<(String, u16)> {
    let section = text.lines().map(str::trim).skip_while(|line| *line != "[client]").skip(1);
    let entries: Vec<(&str, &str)> = section
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect();
    let get = |wanted: &str| entries.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
    reachable(get("host")?, get("port")?.parse().ok()?)
}

/// The first address in the section `listen` of the server's configuration.
fn address_of_server(text: &str) -> Option<(String, u16)> {
    let config: toml::Table = text.parse().ok()?;
    let address = config.get("listen")?.get("address")?;
    let first = address.as_str().or_else(|| address.as_array()?.first()?.as_str())?;
    let (host, port) = self::address(first).ok()?;
    reachable(&host, port)
}

/// What listens on every address is reached on this machine; port 0 is no port.
fn reachable(host: &str, port: u16) -> Option<(String, u16)> {
    let host = match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) if address.is_unspecified() => "127.0.0.1",
        Ok(IpAddr::V6(address)) if address.is_unspecified() => "::1",
        _ => host,
    };
    (port != 0).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> (String, u16) {
        (host.to_owned(), port)
    }

    #[test]
    fn addresses_in_every_form() {
        for (text, host, port) in [
            ("kms.example.com:1234", "kms.example.com", 1234),
            ("kms.example.com", "kms.example.com", 5696),
            ("127.0.0.1:1", "127.0.0.1", 1),
            ("127.0.0.1", "127.0.0.1", 5696),
            ("[::1]:7", "::1", 7),
            ("[::1]", "::1", 5696),
            ("::1", "::1", 5696),
        ] {
            assert_eq!(address(text).unwrap(), at(host, port), "{text}");
        }
        for text in ["", ":5696", "host:", "host:x", "host:70000", "a:b:c", "[host]:1", "https://host:1", "user@host"] {
            assert_eq!(address(text).unwrap_err().exit_code(), 2, "{text}");
        }
    }

    #[test]
    fn the_folder_says_what_the_options_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let options = Connection { dir: Some(folder.path().to_owned()), timeout: 5, ..Connection::default() };
        assert!(options.settings().unwrap_err().to_string().contains("--server"));

        fs::write(folder.path().join("kmipd.toml"), "[listen]\naddress = [\"0.0.0.0:5000\", \"[::1]:1\"]\n").unwrap();
        let found = options.settings().unwrap();
        assert_eq!((found.host.as_str(), found.port), ("127.0.0.1", 5000));
        assert_eq!(found.cert, folder.path().join("client.pem"));

        let client = "[server]\nhost=wrong\nport=1\n[client]\nhost = localhost\nport=5001\n[other]\nport=2\n";
        fs::write(folder.path().join("pykmip.conf"), client).unwrap();
        let found = options.settings().unwrap();
        assert_eq!((found.host.as_str(), found.port), ("localhost", 5001));

        let given = Connection { server: Some("kms:9".into()), key: Some("my.key".into()), ..options };
        let found = given.settings().unwrap();
        assert_eq!((found.host.as_str(), found.port, found.key), ("kms", 9, PathBuf::from("my.key")));
        assert_eq!(found.ca, folder.path().join("ca.pem"));
    }

    #[test]
    fn a_port_that_the_system_chooses_is_no_address() {
        assert_eq!(address_of_server("[listen]\naddress = \"127.0.0.1:0\"\n"), None);
        assert_eq!(address_of_server("[listen]\naddress = \"[::]:3\"\n"), Some(at("::1", 3)));
        assert_eq!(address_of_client("[client]\nhost=a\n"), None);
    }

    #[test]
    fn a_folder_that_is_named_must_be_there() {
        let options = Connection { dir: Some("/nowhere/at/all".into()), ..Connection::default() };
        assert_eq!(options.settings().unwrap_err().to_string(), "there is no folder /nowhere/at/all");
    }

    #[test]
    fn versions_are_those_of_the_table() {
        assert_eq!(version("1.4"), Ok(Version::V1_4));
        assert_eq!(version("3.0").unwrap_err(), "the versions are 1.0, 1.1, 1.2, 1.3, 1.4, 2.0, 2.1");
    }
}
