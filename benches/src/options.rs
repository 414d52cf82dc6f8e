//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use kmip_codec::spec::{CryptographicAlgorithm, Version};

/// Load any KMIP server over TLS with client certificates, verify every answer, and measure.
///
/// Exit status: 0 if every answer was right, 1 if one was wrong, 2 if there is no measurement.
#[derive(Debug, Clone, Parser)]
#[command(name = "kmip-bench", disable_version_flag = true, args_override_self = true)]
pub struct Options {
    /// What to ask for
    #[arg(value_enum)]
    pub operation: Asked,
    /// The server, HOST:PORT; the host as the server's certificate has it
    #[arg(long, default_value = "127.0.0.1:5696")]
    pub address: String,
    /// The authorities of the server's certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub ca: PathBuf,
    /// The client's certificate, PEM
    #[arg(long, value_name = "FILE")]
    pub cert: PathBuf,
    /// The client's private key, PEM
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// The version of TLS
    #[arg(long, value_enum, default_value = "1.3")]
    pub tls: TlsVersion,
    /// The version of KMIP, 1.0 to 2.1
    #[arg(long, value_parser = version, default_value = "2.1")]
    pub version: Version,
    /// Connections that ask at the same time
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub connections: usize,
    /// Requests under way on each connection
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub pipeline: usize,
    /// Items in each message
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub batch: usize,
    /// Keys there are
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub keys: usize,
    /// Keys that are asked for, spread evenly over all of them; of more than 100000, Locate alone, nothing is known
    /// before [default: all]
    #[arg(long, value_name = "N")]
    pub keys_asked: Option<usize>,
    /// Use the keys that `populate` made under this prefix; without it, keys are made first
    #[arg(long, value_name = "TEXT")]
    pub prefix: Option<String>,
    /// Items in a message while keys are made or looked for
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub fill_batch: usize,
    /// The algorithm of the keys [default: what the operation needs; ec for pairs]
    #[arg(long, value_enum)]
    pub algorithm: Option<Algorithm>,
    /// The length of the keys, in bits [default: 256; rsa 2048]
    #[arg(long)]
    pub bits: Option<i32>,
    /// Make keys that are not Extractable, which live in the HSM if the server has one
    #[arg(long)]
    pub not_extractable: bool,
    /// Bytes to encrypt, decrypt, sign or MAC
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub size: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Seconds before
    #[arg(long, default_value_t = 1.0)]
    pub warmup: f64,
    /// The server's process on this machine, to measure its processor time and memory
    #[arg(long)]
    pub pid: Option<u32>,
    /// The processor that this program stays on
    #[arg(long, value_name = "NUMBER")]
    pub cpu: Option<usize>,
    /// Further connections that are held and say nothing
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub idle: usize,
    /// Another operation, under way on connections of its own
    #[arg(long, value_enum, value_name = "OPERATION")]
    pub background: Option<Asked>,
    /// Connections in the background
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub background_connections: usize,
    /// The algorithm of the keys in the background
    #[arg(long, value_enum)]
    pub background_algorithm: Option<Algorithm>,
    /// The length of the keys in the background, in bits
    #[arg(long, value_name = "BITS")]
    pub background_bits: Option<i32>,
    /// `raw`: bytes of the request to `limit`
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    pub request_bytes: usize,
    /// `raw`: bytes of the answer that `limit` gives
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    pub answer_bytes: usize,
    /// Print one line of JSON
    #[arg(long)]
    pub json: bool,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Asked {
    /// Make the keys of --prefix, and measure that
    Populate,
    /// Discover Versions
    DiscoverVersions,
    /// Get
    Get,
    /// Get Attributes, all of them
    GetAttributes,
    /// Locate by the Name of one object
    Locate,
    /// Create of a named, active key
    Create,
    /// Register of a named, active key
    Register,
    /// Create Key Pair
    CreateKeyPair,
    /// Create, Activate, Revoke and Destroy, one after the other: the four are one operation, and each is timed
    Lifecycle,
    /// Encrypt with AES in GCM
    Encrypt,
    /// Decrypt with AES in GCM
    Decrypt,
    /// Sign with ECDSA or RSA
    Sign,
    /// MAC with HMAC-SHA256
    Mac,
    /// A full handshake with certificates on both sides, and one request
    Handshake,
    /// A resumed handshake, and one request
    HandshakeResumed,
    /// What `limit` answers
    Raw,
    /// A full handshake and one request to `limit`
    RawHandshake,
    /// A resumed handshake and one request to `limit`
    RawHandshakeResumed,
}

/// An algorithm of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// AES
    Aes,
    /// HMAC-SHA256
    Hmac,
    /// ECDSA on P-256
    Ec,
    /// RSA
    Rsa,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TlsVersion {
    /// TLS 1.2
    #[value(name = "1.2")]
    V1_2,
    /// TLS 1.3
    #[value(name = "1.3")]
    V1_3,
}

impl Options {
    /// The algorithm of the keys.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm.unwrap_or(match self.operation {
            Asked::Sign | Asked::CreateKeyPair => Algorithm::Ec,
            Asked::Mac => Algorithm::Hmac,
            _ => Algorithm::Aes,
        })
    }

    /// The length of the keys, in bits.
    pub fn bits(&self) -> i32 {
        self.bits.unwrap_or(if self.algorithm() == Algorithm::Rsa { 2048 } else { 256 })
    }

    /// What is asked in the background, as if it were asked alone.
    pub fn in_background(&self) -> Option<Self> {
        self.background.map(|operation| Self {
            operation,
            background: None,
            connections: self.background_connections,
            pipeline: 1,
            batch: 1,
            algorithm: self.background_algorithm,
            bits: self.background_bits,
            prefix: None,
            keys: self.keys.min(10),
            keys_asked: None,
            ..self.clone()
        })
    }
}

impl Algorithm {
    /// Its number in the protocol.
    pub const fn code(self) -> CryptographicAlgorithm {
        match self {
            Self::Aes => CryptographicAlgorithm::AES,
            Self::Hmac => CryptographicAlgorithm::HMACSHA256,
            Self::Ec => CryptographicAlgorithm::ECDSA,
            Self::Rsa => CryptographicAlgorithm::RSA,
        }
    }

    /// Whether its keys come in pairs.
    pub const fn is_pair(self) -> bool {
        matches!(self, Self::Ec | Self::Rsa)
    }
}

fn version(text: &str) -> Result<Version, String> {
    let found = Version::ALL.iter().copied().find(|version| version.to_string() == text);
    found.ok_or_else(|| "a version from 1.0 to 2.1".to_owned())
}
