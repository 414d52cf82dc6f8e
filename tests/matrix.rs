//! Every operation of the table, in every kind of version, with software keys and with keys in SoftHSM2.
//!
//! The cells come out of the operation table: an operation without a scenario fails by its name, and so does a cell that
//! did not run.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "matrix/asynchronous.rs"]
mod asynchronous;
#[cfg(test)]
#[path = "matrix/attributes.rs"]
mod attributes;
#[cfg(test)]
#[path = "matrix/cell.rs"]
mod cell;
#[cfg(test)]
#[path = "matrix/certificates.rs"]
mod certificates;
#[cfg(test)]
#[path = "matrix/cryptography.rs"]
mod cryptography;
#[cfg(test)]
#[path = "matrix/derivation.rs"]
mod derivation;
#[cfg(test)]
#[path = "matrix/life.rs"]
mod life;
#[cfg(test)]
#[path = "matrix/objects.rs"]
mod objects;
#[cfg(test)]
#[path = "matrix/parts.rs"]
mod parts;
#[cfg(test)]
#[path = "matrix/run.rs"]
mod run;
#[cfg(test)]
#[path = "matrix/sessions.rs"]
mod sessions;
#[cfg(test)]
#[path = "matrix/token.rs"]
mod token;
