//! The load generator against a kmipd of its own, and against servers that answer wrongly.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "bench/load.rs"]
mod load;
