//! `kmipd dev --conformance`: its folder, its clients, and the operation Interop (KMIP 2.1 §6.1.26).

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "interop/reset.rs"]
mod reset;
