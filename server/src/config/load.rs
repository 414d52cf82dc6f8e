//! Reads the configuration file, and says in words what is wrong with it and where.

use std::fs;
use std::path::{Path, PathBuf};

use kmip_codec::spec::ObjectType;
use kmip_codec::types::Object;

use super::{Config, Hsm, Limits, Listener, RootKey, RootKeyKind};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {reason}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The text is not a configuration.
    #[error("{path}: {reason}")]
    Text {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its line.
        reason: String,
    },
}

impl Config {
    /// Reads a configuration file and makes its paths absolute or relative to the working directory.
    ///
    /// # Errors
    /// The file cannot be read, is not TOML, or holds something that has no meaning.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|reason| ConfigError::Read { path: path.to_owned(), reason })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let config =
            Self::parse(&text, folder).map_err(|reason| ConfigError::Text { path: path.to_owned(), reason })?;
        Ok(Self { file: Some(path.to_owned()), ..config })
    }

    /// Reads a configuration whose relative paths start at `folder`.
    ///
    /// # Errors
    /// What is wrong in words, with its line.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|error| explain(text, &error))?;
        config.anchor(folder);
        config.root_key.check()?;
        if let Some(hsm) = &config.hsm {
            hsm.check()?;
        }
        if config.root_key.kind == RootKeyKind::Hsm && config.hsm.is_none() {
            return Err("[root_key] kind = \"hsm\" needs an [hsm] section that names the module".to_owned());
        }
        config.limits.check()?;
        config.algorithms.permits()?;
        if let Some(provisioning) = &config.provisioning {
            provisioning.check()?;
        }
        let listeners: Vec<&Listener> = config.notify.iter().chain(&config.put).collect();
        listeners.iter().try_for_each(|listener| listener.check(&listeners))?;
        config.query.elements()?;
        if let Some(certification) = &config.certification {
            certification.check()?;
        }
        Ok(config)
    }

    fn anchor(&mut self, folder: &Path) {
        let anchor = |path: &mut PathBuf| *path = folder.join(&*path);
        anchor(&mut self.tls.certificate);
        anchor(&mut self.tls.key);
        anchor(&mut self.tls.client_ca);
        self.tls.crl.iter_mut().for_each(anchor);
        self.tls.revoked.iter_mut().for_each(anchor);
        self.notify.iter_mut().chain(&mut self.put).filter_map(|listener| listener.ca.as_mut()).for_each(anchor);
        if let Some(provisioning) = &mut self.provisioning {
            provisioning.certificate.iter_mut().chain(&mut provisioning.key).for_each(anchor);
        }
        self.tpm.iter_mut().for_each(|tpm| anchor(&mut tpm.key));
        anchor(&mut self.store.path);
        self.root_key.path.iter_mut().for_each(anchor);
        self.root_key.passphrase_file.iter_mut().for_each(anchor);
        if let Some(certification) = &mut self.certification {
            anchor(&mut certification.certificate);
            certification.key.iter_mut().for_each(anchor);
        }
        self.validation.trusted.iter_mut().chain(&mut self.validation.crl).for_each(anchor);
        if let Some(hsm) = &mut self.hsm {
            anchor(&mut hsm.module);
            hsm.pin_file.iter_mut().for_each(anchor);
            hsm.softhsm_conf.iter_mut().for_each(anchor);
        }
    }
}

impl Listener {
    /// Names say which messages wait for whom, and a listener that is told nothing is a mistake.
    fn check(&self, others: &[&Self]) -> Result<(), String> {
        let place = format!("[[notify]] or [[put]] `{}`", self.name);
        if self.name.is_empty() || others.iter().filter(|other| other.name == self.name).count() > 1 {
            return Err(format!("{place}: each listener needs a name of its own"));
        }
        if self.version().is_none() {
            return Err(format!("{place}: KMIP {} is not spoken here", self.version));
        }
        if self.identities.is_empty() {
            return Err(format!("{place}: `identities` names nobody"));
        }
        match self.object_types() {
            Ok(_) => Ok(()),
            Err(name) => Err(format!("{place}: there is no type of objects \"{name}\"")),
        }
    }

    /// The types of objects that it is sent.
    ///
    /// # Errors
    /// The first name that is none.
    pub fn object_types(&self) -> Result<Vec<ObjectType>, String> {
        let known = |name: &String| Object::TYPES.iter().copied().find(|kind| kind.to_string() == *name);
        self.object_types.iter().map(|name| known(name).ok_or_else(|| name.clone())).collect()
    }
}

impl RootKey {
    /// Whether the fields are those that the kind needs.
    fn check(&self) -> Result<(), String> {
        let given = [
            ("path", self.path.is_some()),
            ("passphrase_file", self.passphrase_file.is_some()),
            ("credential", self.credential.is_some()),
        ];
        let (kind, wanted): (&str, &[&str]) = match self.kind {
            RootKeyKind::File => ("file", &["path"]),
            RootKeyKind::DevFile => ("dev-file", &[]),
            RootKeyKind::Passphrase => ("passphrase", &["passphrase_file", "credential"]),
            RootKeyKind::Credential => ("credential", &["credential"]),
            RootKeyKind::Hsm => ("hsm", &[]),
        };
        let present: Vec<&str> = given.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
        if let Some(name) = present.iter().find(|name| !wanted.contains(*name)) {
            return Err(format!("[root_key] `{name}` has no meaning with kind = \"{kind}\""));
        }
        exactly_one(&format!("[root_key] kind = \"{kind}\""), wanted, &present)
    }
}

impl Hsm {
    fn check(&self) -> Result<(), String> {
        let choice = [("token", self.token.is_some()), ("slot", self.slot.is_some())];
        let pin = [
            ("pin_file", self.pin_file.is_some()),
            ("pin_env", self.pin_env.is_some()),
            ("pin_credential", self.pin_credential.is_some()),
        ];
        for names in [&choice[..], &pin[..]] {
            let wanted: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            let present: Vec<&str> = names.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
            exactly_one("[hsm]", &wanted, &present)?;
        }
        if self.sessions == 0 {
            return Err("[hsm] `sessions` must be at least 1".to_owned());
        }
        Ok(())
    }
}

impl Limits {
    /// A limit of nothing would let nobody in, or nothing through.
    fn check(&self) -> Result<(), String> {
        let at_least = [
            ("connections", self.connections, 1),
            ("handshakes", self.handshakes, 1),
            ("handshake_seconds", seconds(self.handshake_seconds), 1),
            ("request_bytes", self.request_bytes, 1024),
            ("request_seconds", seconds(self.request_seconds), 1),
            ("answer_seconds", seconds(self.answer_seconds), 1),
            ("keepalive_seconds", seconds(self.keepalive_seconds), 1),
            ("depth", self.depth, 8),
            ("items", self.items, 16),
            ("batch_items", self.batch_items, 1),
            ("parts_seconds", seconds(self.parts_seconds.into()), 1),
        ];
        match at_least.iter().find(|(_, value, least)| value < least) {
            Some((name, value, least)) => Err(format!("[limits] `{name}` is {value}; it must be at least {least}")),
            None => Ok(()),
        }
    }
}

fn seconds(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn exactly_one(place: &str, wanted: &[&str], present: &[&str]) -> Result<(), String> {
    let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (wanted, present) {
        ([], _) | (_, [_]) => Ok(()),
        ([only], []) => Err(format!("{place} needs `{only}`")),
        (_, []) => Err(format!("{place} needs one of {}", list(wanted))),
        _ => Err(format!("{place} takes only one of {}", list(present))),
    }
}

/// The parser's error as one sentence with section and line; an unknown name with the nearest known one.
fn explain(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().trim().replace('\n', " ");
    let Some(span) = error.span() else {
        return message;
    };
    let before = text.get(..span.start).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let section = section_at(text, line).map(|section| format!(" in [{section}]")).unwrap_or_default();

    let mut names = message.split('`').skip(1).step_by(2);
    let unknown = ["unknown field", "unknown variant"].iter().find(|start| message.starts_with(**start));
    match (unknown, names.next()) {
        (Some(what), Some(name)) => {
            let what = if *what == "unknown field" { "key" } else { "value" };
            let known: Vec<&str> = names.collect();
            let hint = match nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known are {}", known.join(", ")),
            };
            format!("unknown {what} `{name}`{section}, line {line}: {hint}")
        }
        _ => format!("{message}{section}, line {line}"),
    }
}

/// The section that a line belongs to; none for a section's own header.
fn section_at(text: &str, line: usize) -> Option<&str> {
    let is_header = |line: &&str| line.starts_with('[');
    let lines = || text.lines().take(line).map(str::trim);
    if lines().last().as_ref().is_some_and(is_header) {
        return None;
    }
    let header = lines().filter(is_header).last()?;
    header.trim_start_matches('[').split(']').next()
}

/// The known name that is a slip away from the unknown one.
pub(super) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (distance(name, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: characters to add, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(i + 1);
        for ((to, above), diagonal) in b.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or_default();
            let change = diagonal + usize::from(from != *to);
            next.push(change.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
