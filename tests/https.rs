//! KMIP over HTTPS (KMIP Additional Message Encodings 1.0): binary, XML and JSON, and the same server behind them.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "https/errors.rs"]
mod errors;
#[cfg(test)]
#[path = "https/messages.rs"]
mod messages;
