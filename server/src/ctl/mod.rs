//! kmipctl: the command-line client. It works with any KMIP server, and knows of kmipd only where a development folder is.
//!
//! | module | holds |
//! |---|---|
//! | [`connection`] | the options that say where the server is and who asks; the development folder |
//! | [`client`] | TLS, one request and its answer, the choice of the protocol version |
//! | [`commands`] | one file per group of commands |
//! | [`values`] | attributes as people write them |
//! | [`show`] | attributes, tables and JSON as people and programs read them |
//! | [`data`] | data from files and to files, standard input and output |
//! | [`encoding`] | PEM and DER: what kind of key a file holds |

pub mod client;
pub mod commands;
pub mod connection;
pub mod data;
pub mod encoding;
mod error;
pub mod show;
mod tls;
pub mod values;

pub use error::{Error, Outcome};
