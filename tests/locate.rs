//! Locate (KMIP 2.1 §6.1.28): whatever can be asked is found, and nothing else.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "locate/every.rs"]
mod every;
#[cfg(test)]
#[path = "locate/index.rs"]
mod index;
#[cfg(test)]
#[path = "locate/request.rs"]
mod request;
