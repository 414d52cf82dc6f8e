//! `kmipd check`: whether a configuration can be used, without starting anything or writing anywhere.

use std::fmt;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::config::{Config, RootKey, RootKeyKind};
use crate::crypto::chain::RevocationList;
use crate::net::Tls;
use crate::net::tls::certificates;
use crate::store::sled::SledStore;
use crate::trust::accounts::Accounts;
use crate::trust::attestation::Attestation;
use crate::wiring::{self, certification, provisioning};

/// A certificate that ends sooner than this is worth a warning.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it is.
    pub grade: Grade,
    /// What it is, in a sentence.
    pub text: String,
}

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Good.
    Good,
    /// The server starts, but somebody should look.
    Warning,
    /// The server would not start.
    Error,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grade = match self.grade {
            Grade::Good => "ok",
            Grade::Warning => "warning",
            Grade::Error => "error",
        };
        write!(f, "{grade:<8}{}", self.text)
    }
}

/// Looks at everything that the configuration names.
pub fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    findings.tls(config);
    findings.root_key(&config.root_key);
    findings.store(&config.store.path);
    findings.interop(config);
    findings.hsm(config);
    findings.addresses(config);
    if let Err(why) = Accounts::new(config) {
        findings.add(Grade::Error, why);
    }
    if let Err(error) = provisioning::authority(config) {
        findings.add(Grade::Error, error.to_string());
    }
    if let Err(why) = Attestation::new(config) {
        findings.add(Grade::Error, why);
    }
    if let Ok(lists) = certification::revocation(config) {
        for list in lists.present().iter() {
            findings.revocation(list, SystemTime::now());
        }
    }
    // Whatever else a start would refuse.
    if let Err(error) = wiring::settings(config) {
        let text = error.to_string();
        if !findings.0.iter().any(|finding| finding.text == text) {
            findings.add(Grade::Error, text);
        }
    }
    findings.0
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, grade: Grade, text: impl Into<String>) {
        self.0.push(Finding { grade, text: text.into() });
    }

    fn tls(&mut self, config: &Config) {
        let files = &config.tls;
        let authority = match certification::authority(config) {
            Ok(authority) => authority,
            Err(error) => {
                self.add(Grade::Error, error.to_string());
                None
            }
        };
        match Tls::load(files, config.identity.from, authority.clone()) {
            Ok(_) => self
                .add(Grade::Good, "[tls] the key belongs to the certificate; client_ca, crl and revoked can be read"),
            Err(error) => self.add(Grade::Error, error.to_string()),
        }
        for (key, path) in [("certificate", &files.certificate), ("client_ca", &files.client_ca)] {
            let Ok(pem) = fs::read(path) else { continue };
            for der in certificates(key, path, &pem).unwrap_or_default() {
                if let Ok(certificate) = Certificate::from_der(&der) {
                    self.dates(key, &certificate, SystemTime::now());
                }
            }
        }
        self.secret_file("[tls] key", &files.key, Grade::Warning);
        match certification::anchors(config, authority.as_deref()) {
            Ok(_) if authority.is_some() => self.add(Grade::Good, "[certification] the authority can be used"),
            Ok(_) => {}
            Err(error) => self.add(Grade::Error, error.to_string()),
        }
        if let Some(key) = config.certification.as_ref().and_then(|section| section.key.as_ref()) {
            self.secret_file("[certification] key", key, Grade::Warning);
        }
    }

    fn revocation(&mut self, list: &RevocationList, now: SystemTime) {
        let place = format!("[validation] crl of \"{}\"", list.issuer());
        match list.next_update() {
            Some(next) if next < now => {
                let why = format!("{place} was to be renewed by {}: Validate answers Unknown", date(next));
                self.add(Grade::Warning, why);
            }
            Some(next) => self.add(Grade::Good, format!("{place} is to be renewed by {}", date(next))),
            None => self.add(Grade::Good, format!("{place} can be read")),
        }
    }

    fn dates(&mut self, key: &str, certificate: &Certificate, now: SystemTime) {
        let tbs = &certificate.tbs_certificate;
        let subject = &tbs.subject;
        let from = tbs.validity.not_before.to_system_time();
        let until = tbs.validity.not_after.to_system_time();
        let place = format!("[tls] {key} \"{subject}\"");
        if now > until {
            self.add(Grade::Error, format!("{place} expired at {}", date(until)));
        } else if now < from {
            self.add(Grade::Error, format!("{place} is not valid before {}", date(from)));
        } else if now + SOON > until {
            self.add(Grade::Warning, format!("{place} expires soon, at {}", date(until)));
        } else {
            self.add(Grade::Good, format!("{place} is valid until {}", date(until)));
        }
    }

    fn root_key(&mut self, root: &RootKey) {
        match root.kind {
            RootKeyKind::File => {}
            RootKeyKind::DevFile => self.add(
                Grade::Warning,
                "[root_key] kind = \"dev-file\": the key lies beside the store; `kmipd serve` refuses it",
            ),
            RootKeyKind::Passphrase | RootKeyKind::Credential => {
                if let Some(name) = &root.credential {
                    self.credential(name);
                }
                if let Some(path) = &root.passphrase_file {
                    self.secret_file("[root_key] passphrase_file", path, Grade::Error);
                }
            }
            RootKeyKind::Hsm => {}
        }
        if let Some(path) = &root.path {
            self.secret_file("[root_key] path", path, Grade::Error);
        }
    }

    fn credential(&mut self, name: &str) {
        let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") else {
            // Only the service itself sees its credentials.
            let text = format!(
                "[root_key] the credential {name} cannot be looked at: CREDENTIALS_DIRECTORY is set within the service only"
            );
            return self.add(Grade::Warning, text);
        };
        let path = Path::new(&folder).join(name);
        match fs::metadata(&path) {
            Ok(_) => self.add(Grade::Good, format!("[root_key] the credential {name} is there")),
            Err(error) => self.add(Grade::Error, format!("[root_key] {}: {error}", path.display())),
        }
    }

    /// A file that only its owner should be able to read; how bad it is if others can.
    fn secret_file(&mut self, place: &str, path: &Path, if_open: Grade) {
        let shown = path.display();
        let mode = match fs::metadata(path) {
            Ok(data) => data.permissions().mode() & 0o777,
            Err(error) => return self.add(Grade::Error, format!("{place} {shown}: {error}")),
        };
        if let Err(error) = fs::File::open(path) {
            self.add(Grade::Error, format!("{place} {shown}: {error}"));
        } else if mode & 0o077 == 0 {
            self.add(Grade::Good, format!("{place} {shown} is readable by its owner only"));
        } else {
            let text = format!("{place} {shown} has mode {mode:03o}: others can read or write it; chmod 600 {shown}");
            self.add(if_open, text);
        }
    }

    fn interop(&mut self, config: &Config) {
        if config.store.interop {
            let text = "[store] interop = true: any client can empty the store; `kmipd serve` refuses it";
            self.add(Grade::Warning, text);
        }
    }

    fn store(&mut self, path: &Path) {
        let shown = path.display();
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => match SledStore::schema(path) {
                Ok(Some(version)) => {
                    self.add(Grade::Good, format!("[store] path {shown} holds a store of schema version {version}"));
                }
                Ok(None) => {
                    let text = format!("[store] path {shown} holds no store yet; the first start makes one");
                    self.add(Grade::Warning, text);
                }
                Err(error) => self.add(Grade::Error, format!("[store] {error}")),
            },
            Ok(_) => self.add(Grade::Error, format!("[store] path {shown} is not a folder")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => match path.parent() {
                Some(parent) if parent.as_os_str().is_empty() || parent.is_dir() => self.add(
                    Grade::Warning,
                    format!("[store] path {shown} is not there yet; the first start makes a new store"),
                ),
                _ => self.add(Grade::Error, format!("[store] path {shown}: its parent folder is not there")),
            },
            Err(error) => self.add(Grade::Error, format!("[store] path {shown}: {error}")),
        }
    }

    fn hsm(&mut self, config: &Config) {
        let Some(hsm) = &config.hsm else { return };
        let shown = hsm.module.display();
        match wiring::token(hsm) {
            Ok(_) => self.add(Grade::Good, format!("[hsm] module {shown}: the token is there and takes the PIN")),
            Err(error) => self.add(Grade::Error, error.to_string()),
        }
        if let Some(path) = &hsm.pin_file {
            self.secret_file("[hsm] pin_file", path, Grade::Warning);
        }
    }

    fn addresses(&mut self, config: &Config) {
        let raw = config.listen.address.iter().map(|address| ("[listen]", address));
        for (section, address) in raw.chain(config.https.address.iter().map(|address| ("[https]", address))) {
            match TcpListener::bind(address) {
                Ok(_) => self.add(Grade::Good, format!("{section} {address} is free")),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
                    self.add(Grade::Warning, format!("{section} {address} is in use, by a running kmipd perhaps"))
                }
                Err(error) => self.add(Grade::Error, format!("{section} {address}: {error}")),
            }
        }
    }
}

fn date(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(&Rfc3339).unwrap_or_else(|_| "a date that cannot be written".to_owned())
}
