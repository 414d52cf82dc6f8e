//! What the server says of itself where the operator knows better than the tables (Query, KMIP 2.1 §6.1.40).

use kmip_codec::Element;
use kmip_codec::schema::{Decode, decode};
use kmip_codec::spec::{Tag, Version};
use kmip_codec::ttlv::Text;

/// Answers of Query from the configuration.
#[derive(Debug, Clone, Default)]
pub struct About {
    said: Vec<Element>,
    /// Where KMIP is spoken over HTTPS.
    pub https: Vec<Endpoint>,
    /// The TLS of all its connections.
    pub spoken: Spoken,
}

/// What clients can count on before their first message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// Versions of TLS, by their numbers on the wire.
    pub protocols: Vec<u16>,
    /// Cipher suites, by their numbers at IANA.
    pub cipher_suites: Vec<u16>,
    /// TCP ports.
    pub ports: Vec<u16>,
    /// Items that a batch may have.
    pub batch_items: usize,
}

/// Where clients reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The address of requests.
    pub uri: Text,
    /// The TCP port.
    pub port: u16,
}

impl About {
    /// With what the operator says: the elements of an answer.
    pub fn new(said: Vec<Element>) -> Self {
        Self { said, ..Self::default() }
    }

    /// The answers that the operator gives under a tag, as far as the version can hold them; `None` if that is nothing.
    pub fn answers<T: Decode>(&self, tag: Tag, version: Version) -> Option<Vec<T>> {
        let said = self.said.iter().filter(|element| element.tag == tag);
        let said: Vec<T> = said.filter_map(|element| decode(element.clone(), version).ok()).collect();
        if said.is_empty() { None } else { Some(said) }
    }

    /// The namespaces for which the server makes up Application Data (KMIP 2.1 §4.4).
    pub fn application_namespaces(&self) -> Vec<Text> {
        self.answers(Tag::ApplicationNamespace, Version::V2_1).unwrap_or_default()
    }
}
