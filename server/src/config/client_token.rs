//! `[client_token]`: what clients to whom the server is a PKCS #11 token (the operation PKCS#11) read of it.

use serde::Deserialize;

use crate::view::ClientToken as Token;

/// `[client_token]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientToken {
    /// Who made it, at most 32 bytes.
    pub manufacturer: String,
    /// What it is, at most 32 bytes.
    pub library: String,
    /// Its version, as "1.0".
    pub library_version: String,
    /// The version of PKCS #11 that it says it has, as "3.0".
    pub cryptoki_version: String,
    /// The name of the token, at most 32 bytes.
    pub label: String,
    /// The serial number of the token, at most 16 bytes.
    pub serial_number: String,
}

impl Default for ClientToken {
    fn default() -> Self {
        let Token { manufacturer, library, library_version, cryptoki_version, label, serial_number } = Token::default();
        let version = |[major, minor]: [u8; 2]| format!("{major}.{minor}");
        let (library_version, cryptoki_version) = (version(library_version), version(cryptoki_version));
        Self { manufacturer, library, library_version, cryptoki_version, label, serial_number }
    }
}

impl ClientToken {
    /// What it says.
    ///
    /// # Errors
    /// What is too long or no version, in words.
    pub fn read(&self) -> Result<Token, String> {
        let text = |name: &str, text: &str, most: usize| match text.len() <= most {
            true => Ok(text.to_owned()),
            false => Err(format!("[client_token] {name} has more than {most} bytes")),
        };
        Ok(Token {
            manufacturer: text("manufacturer", &self.manufacturer, 32)?,
            library: text("library", &self.library, 32)?,
            library_version: version("library_version", &self.library_version)?,
            cryptoki_version: version("cryptoki_version", &self.cryptoki_version)?,
            label: text("label", &self.label, 32)?,
            serial_number: text("serial_number", &self.serial_number, 16)?,
        })
    }
}

fn version(name: &str, text: &str) -> Result<[u8; 2], String> {
    let parts = text.split_once('.').and_then(|(major, minor)| Some([major.parse().ok()?, minor.parse().ok()?]));
    parts.ok_or_else(|| format!("[client_token] {name} is no version as \"3.0\" is one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(ClientToken::default().read(), Ok(Token::default()));
        let long = ClientToken { label: "x".repeat(33), ..ClientToken::default() };
        assert_eq!(long.read().unwrap_err(), "[client_token] label has more than 32 bytes");
        for wrong in ["3", "3.x", "256.0", "3.0.1"] {
            let token = ClientToken { cryptoki_version: wrong.to_owned(), ..ClientToken::default() };
            assert!(token.read().unwrap_err().contains("cryptoki_version is no version"), "{wrong}");
        }
    }
}
