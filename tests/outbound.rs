//! Requests of the server: Put and Notify to clients that listen, and what it asks on a connection whose roles were changed
//! (KMIP 2.1 §6.2, §6.1.54).

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "outbound/listening.rs"]
mod listening;
#[cfg(test)]
#[path = "outbound/role.rs"]
mod role;
#[cfg(test)]
#[path = "outbound/told.rs"]
mod told;
