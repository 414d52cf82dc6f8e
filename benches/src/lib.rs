//! A load generator for any KMIP server: it verifies what comes back, and measures throughput, latency, and what the
//! server spent on it.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | what can be asked for on the command line |
//! | [`request`], [`answer`] | messages as bytes, made before the clock runs, and read as far as a check needs |
//! | [`tls`], [`connection`] | the client's side of TLS, and messages on it |
//! | [`keys`] | keys to ask for: made, or found by their names |
//! | [`task`], [`lifecycle`] | the operations: what is asked, and what must come back |
//! | [`load`], [`handshakes`] | connections that ask as fast as they are answered |
//! | [`verify`] | what is checked when the clock has stopped |
//! | [`histogram`], [`process`], [`report`] | what was measured |
//! | [`limit`] | a server that does nothing: what TLS itself costs |

pub mod answer;
pub mod connection;
pub mod handshakes;
pub mod histogram;
pub mod keys;
pub mod lifecycle;
pub mod limit;
pub mod load;
pub mod options;
pub mod process;
pub mod report;
pub mod request;
pub mod run;
pub mod task;
pub mod tls;
pub mod verify;

/// Why there is no measurement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Something, or why there is no measurement.
pub type Outcome<T> = Result<T, Error>;

impl Error {
    /// An error in words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}
