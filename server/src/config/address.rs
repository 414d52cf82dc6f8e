//! One address or a list of them.

use std::fmt;
use std::net::SocketAddr;

use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// Reads `"127.0.0.1:5696"` and `["127.0.0.1:5696", "[::1]:5696"]`.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    deserializer.deserialize_any(OneOrMany)
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Vec<SocketAddr>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an IP address with a port, such as \"127.0.0.1:5696\", or a list of them")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        parse(text).map(|address| vec![address])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut addresses = Vec::new();
        while let Some(text) = seq.next_element::<String>()? {
            addresses.push(parse(&text)?);
        }
        if addresses.is_empty() {
            return Err(A::Error::custom("a list without any address"));
        }
        Ok(addresses)
    }
}

fn parse<E: Error>(text: &str) -> Result<SocketAddr, E> {
    text.parse().map_err(|_| {
        E::custom(format!("{text:?} is not an IP address with a port, such as \"127.0.0.1:5696\" or \"[::1]:5696\""))
    })
}
