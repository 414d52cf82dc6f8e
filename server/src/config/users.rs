//! `[[users]]` and `[[devices]]`: who may say in a request's header that it asks, and how it proves it.

use std::fmt;

use serde::Deserialize;

/// A secret of the configuration: `Debug` shows nothing of it.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct Hidden(zeroize::Zeroizing<String>);

impl Hidden {
    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(zeroize::Zeroizing::new(text))
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// What somebody may do beyond the use of his own objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Set the server's defaults and constraints.
    Administrator,
}

/// `[[users]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The Username of its credentials.
    pub name: String,
    /// Argon2 hash of the password as a PHC string, from `kmipd hash-password`.
    #[serde(default)]
    pub password: Option<Hidden>,
    /// What a Hashed Password credential is checked against, from `kmipd hash-password --hashed`.
    #[serde(default)]
    pub hashed_password: Option<Hidden>,
    /// The secret of one time passwords (RFC 6238: SHA-1, six digits, 30 seconds), in base 32.
    #[serde(default)]
    pub otp_secret: Option<Hidden>,
    /// Identities of certificates that may present this user; all that are admitted if none is named.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// What it may do beyond the use of its own objects.
    #[serde(default)]
    pub rights: Vec<Right>,
}

/// `[[devices]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its name here, in the log and as owner of its objects.
    pub name: String,
    /// Device Serial Number.
    #[serde(default)]
    pub serial_number: Option<String>,
    /// Device Identifier.
    #[serde(default)]
    pub device_identifier: Option<String>,
    /// Network Identifier.
    #[serde(default)]
    pub network_identifier: Option<String>,
    /// Machine Identifier.
    #[serde(default)]
    pub machine_identifier: Option<String>,
    /// Media Identifier.
    #[serde(default)]
    pub media_identifier: Option<String>,
    /// Argon2 hash of the password as a PHC string.
    #[serde(default)]
    pub password: Option<Hidden>,
    /// Identities of certificates that may present this device; all that are admitted if none is named.
    #[serde(default)]
    pub certificates: Vec<String>,
    /// What it may do beyond the use of its own objects.
    #[serde(default)]
    pub rights: Vec<Right>,
}
