//! What the suite calls what it tries, for those who read docs/modules.md: what, a colon, and which one of it. There is no
//! other colon and no comma in a name, because the table puts those of one group together.

use crate::crypto::algorithm::{Cipher, Curve, Edwards, Family, Hash, KeyKind, Padding, RsaCipher, Wrap};

/// Keys of a kind, and what is done to them.
pub(super) fn keys(kind: KeyKind, done: &str) -> String {
    let unit = match kind {
        KeyKind::Aes { .. } | KeyKind::Rsa { .. } => " (bits)",
        KeyKind::Generic { .. } | KeyKind::TripleDes { .. } => " (bytes)",
        KeyKind::ChaCha20 | KeyKind::Ec { .. } | KeyKind::PostQuantum { .. } | KeyKind::Edwards { .. } => "",
    };
    format!("{} keys{done}{unit}: {}", family(kind), key(kind))
}

fn family(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Aes { .. } => "AES",
        KeyKind::Generic { .. } => "Other symmetric",
        KeyKind::TripleDes { .. } => "Triple DES",
        KeyKind::ChaCha20 => "Stream cipher",
        KeyKind::Rsa { .. } => "RSA",
        KeyKind::Ec { .. } => "Elliptic curve",
        KeyKind::PostQuantum { set } if set.is_kem() => "ML-KEM",
        KeyKind::PostQuantum { set } if set.family() == Family::SlhDsa => "SLH-DSA",
        KeyKind::PostQuantum { .. } => "ML-DSA",
        KeyKind::Edwards { .. } => "RFC 8410",
    }
}

/// Which key of its family.
fn key(kind: KeyKind) -> String {
    match kind {
        KeyKind::Aes { bits } | KeyKind::Rsa { bits } => bits.to_string(),
        KeyKind::Generic { bytes } | KeyKind::TripleDes { bytes } => bytes.to_string(),
        KeyKind::ChaCha20 => "ChaCha20".into(),
        KeyKind::Ec { curve } => self::curve(curve).into(),
        KeyKind::PostQuantum { set } => set.algorithm().name().expect("a name").into(),
        KeyKind::Edwards { curve } => match curve {
            Edwards::Ed25519 => "Ed25519",
            Edwards::Ed448 => "Ed448",
            Edwards::X25519 => "X25519",
            Edwards::X448 => "X448",
        }
        .into(),
    }
}

pub(super) const fn curve(curve: Curve) -> &'static str {
    match curve {
        Curve::P224 => "P-224",
        Curve::P256 => "P-256",
        Curve::P384 => "P-384",
        Curve::P521 => "P-521",
        Curve::Secp256k1 => "secp256k1",
    }
}

pub(super) fn padded(cipher: &str, padding: Padding) -> String {
    let padding = match padding {
        Padding::None => "none",
        Padding::Pkcs5 => "PKCS5",
        Padding::AnsiX923 => "ANSI X9.23",
        Padding::Iso10126 => "ISO 10126",
    };
    format!("{cipher} with padding: {padding}")
}

pub(super) fn decryption(cipher: &RsaCipher<'_>) -> String {
    match cipher {
        RsaCipher::Pkcs1 => "RSA decryption: PKCS#1 v1.5".into(),
        RsaCipher::Oaep { hash, mgf, label } => {
            let mask = if hash == mgf { String::new() } else { format!(" masked with {}", mgf.name()) };
            let label = if label.is_empty() { "" } else { " and a label" };
            format!("RSA decryption with OAEP: {}{mask}{label}", hash.name())
        }
    }
}

/// HMAC with a key of so many bytes.
pub(super) fn hmac(hash: Hash, bytes: usize) -> String {
    format!("HMAC with {}{HMAC_KEY}{bytes}", hash.name())
}

pub(in crate::crypto) const HMAC_KEY: &str = " (bytes of key): ";

/// Keys wrapped and unwrapped with a key of so many bits.
pub(super) fn wrap(wrap: Wrap, bits: usize) -> String {
    format!("Keys by {} (bits of key): {bits}", Cipher::AesWrap(wrap).name())
}

/// A symmetric key that comes of another one.
pub(super) fn derived(kind: KeyKind, how: &str) -> String {
    match kind {
        KeyKind::Aes { bits } => format!("Deriving an AES key of {bits} bits: {how}"),
        KeyKind::ChaCha20 => format!("Deriving a key of ChaCha20: {how}"),
        KeyKind::TripleDes { bytes } => format!("Deriving a key of triple DES of {bytes} bytes: {how}"),
        kind => format!("Deriving another secret of {} bytes: {how}", kind.raw_len().expect("a symmetric key")),
    }
}
