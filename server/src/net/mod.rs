//! The network: TLS, who is let in, and messages cut from the stream of bytes or taken from HTTP. The only async code.

mod admission;
mod connection;
mod door;
mod flood;
mod frame;
mod guest;
mod hello;
mod http;
mod known;
mod listener;
pub mod outbound;
mod patience;
mod refusal;
mod revoked;
mod run;
pub mod service;
pub(crate) mod tls;
mod turns;

pub use listener::{BindError, Server};
pub use run::run;
pub use tls::{Tls, TlsError};

#[cfg(test)]
mod tests;
