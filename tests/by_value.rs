//! Every operation by value: requests put together from the numbers of the standard, and answers compared with what its
//! tables say, without anything of our codec.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "by_value/asynchronous.rs"]
mod asynchronous;
#[cfg(test)]
#[path = "by_value/attributes.rs"]
mod attributes;
#[cfg(test)]
#[path = "by_value/certificates.rs"]
mod certificates;
#[cfg(test)]
#[path = "by_value/cryptography.rs"]
mod cryptography;
#[cfg(test)]
#[path = "by_value/formats.rs"]
mod formats;
#[cfg(test)]
#[path = "by_value/life.rs"]
mod life;
#[cfg(test)]
#[path = "by_value/objects.rs"]
mod objects;
#[cfg(test)]
#[path = "by_value/parts.rs"]
mod parts;
#[cfg(test)]
#[path = "by_value/sessions.rs"]
mod sessions;
#[cfg(test)]
#[path = "by_value/tags.rs"]
mod tags;
#[cfg(test)]
#[path = "by_value/talk.rs"]
mod talk;
#[cfg(test)]
#[path = "by_value/token.rs"]
mod token;
#[cfg(test)]
#[path = "by_value/ttlv.rs"]
mod ttlv;
