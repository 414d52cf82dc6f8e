//! The vectors of Project Wycheproof, which look for known faults of cryptographic code: each file's number of vectors
//! is asserted, none is left out without a reason that has a name, and each that must be refused is.
//!
//! They run against the provider in software, by the same functions that the operations call.

#[cfg(test)]
#[path = "wycheproof/agreement.rs"]
mod agreement;
#[cfg(test)]
#[path = "wycheproof/ciphers.rs"]
mod ciphers;
#[cfg(test)]
#[path = "wycheproof/decryption.rs"]
mod decryption;
#[cfg(test)]
#[path = "wycheproof/keyed.rs"]
mod keyed;
#[cfg(test)]
#[path = "wycheproof/passwords.rs"]
mod passwords;
#[cfg(test)]
#[path = "wycheproof/postquantum.rs"]
mod postquantum;
#[cfg(test)]
#[path = "wycheproof/primes.rs"]
mod primes;
#[cfg(test)]
#[path = "wycheproof/rest.rs"]
mod rest;
#[cfg(test)]
#[path = "wycheproof/signatures.rs"]
mod signatures;
#[cfg(test)]
#[path = "wycheproof/tally.rs"]
mod tally;
