//! `[certification]` and `[validation]`: whose certificates are made, and whose are trusted.

use std::path::PathBuf;

use serde::Deserialize;

/// `[certification]`: the authority of Certify and Re-certify (KMIP 2.1 sections 6.1.6 and 6.1.45).
///
/// Every client can have it make certificates in any name: trust it nowhere that a name in a certificate opens a door. What it
/// makes never logs in here, and `[tls]` client_ca may not name it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certification {
    /// The authority's certificate, followed by those between it and its root, if any.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1, not encrypted. Either this or `managed_key`.
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// Its private key, if it is a Private Key that this server holds; its Cryptographic Usage Mask has Certificate Sign.
    #[serde(default)]
    pub managed_key: Option<ManagedKey>,
    /// How long a certificate is valid for which the request gives no Deactivation Date, in days.
    #[serde(default = "year")]
    pub days: u32,
    /// The longest that a certificate is valid, in days.
    #[serde(default = "longest")]
    pub longest_days: u32,
    /// The extended key usages that a certificate request may ask for, and all of which a certificate has if none is asked for:
    /// `server-auth`, `client-auth`, `code-signing`, `email-protection`, `time-stamping`, `ocsp-signing`, or numbers with dots.
    /// An empty list makes certificates that say nothing of it and so are for any use.
    #[serde(default = "for_servers")]
    pub extended_key_usages: Vec<String>,
}

/// `managed_key`: a Private Key of the store.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedKey {
    /// The identity whose key it is.
    pub owner: String,
    /// Its Unique Identifier.
    pub identifier: String,
}

/// Where the authority's key is.
#[derive(Debug, Clone, Copy)]
pub enum SigningKey<'a> {
    /// In a file.
    File(&'a PathBuf),
    /// In the store.
    Managed(&'a ManagedKey),
}

fn year() -> u32 {
    365
}

fn longest() -> u32 {
    825
}

fn for_servers() -> Vec<String> {
    vec!["server-auth".to_owned()]
}

impl Certification {
    /// An authority whose key is in a file, with everything else as it is without being said.
    pub fn with_files(certificate: PathBuf, key: PathBuf) -> Self {
        Self {
            certificate,
            key: Some(key),
            managed_key: None,
            days: year(),
            longest_days: longest(),
            extended_key_usages: for_servers(),
        }
    }

    /// Where the key is.
    ///
    /// # Errors
    /// Neither is said where, or both.
    pub fn signing_key(&self) -> Result<SigningKey<'_>, String> {
        match (&self.key, &self.managed_key) {
            (Some(file), None) => Ok(SigningKey::File(file)),
            (None, Some(managed)) => Ok(SigningKey::Managed(managed)),
            _ => Err("[certification] needs either `key` or `managed_key`".to_owned()),
        }
    }

    /// The object identifiers of the extended key usages (RFC 5280 section 4.2.1.12).
    ///
    /// # Errors
    /// The first name that is none.
    pub fn usages(&self) -> Result<Vec<String>, String> {
        let number = |name: &String| {
            Ok(match name.as_str() {
                "server-auth" => "1.3.6.1.5.5.7.3.1",
                "client-auth" => "1.3.6.1.5.5.7.3.2",
                "code-signing" => "1.3.6.1.5.5.7.3.3",
                "email-protection" => "1.3.6.1.5.5.7.3.4",
                "time-stamping" => "1.3.6.1.5.5.7.3.8",
                "ocsp-signing" => "1.3.6.1.5.5.7.3.9",
                numbers if numbers.contains('.') && numbers.bytes().all(|b| b.is_ascii_digit() || b == b'.') => numbers,
                other => return Err(format!("[certification] there is no extended key usage \"{other}\"")),
            }
            .to_owned())
        };
        self.extended_key_usages.iter().map(number).collect()
    }

    /// Whether it can be meant so.
    pub(super) fn check(&self) -> Result<(), String> {
        self.signing_key()?;
        self.usages()?;
        if self.days == 0 || self.days > self.longest_days {
            return Err("[certification] days must be at least 1 and at most longest_days".to_owned());
        }
        Ok(())
    }
}

/// `[validation]`: what Validate (KMIP 2.1 section 6.1.57) trusts beside the authority of `[certification]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Validation {
    /// Files of certificates in PEM at which a chain may end.
    pub trusted: Vec<PathBuf>,
    /// Files of revocation lists of those authorities and of the ones below them, PEM or DER; read anew when they change.
    pub crl: Vec<PathBuf>,
}
