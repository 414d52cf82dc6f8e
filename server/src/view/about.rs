//! What the server says of itself where the operator knows better than the tables (Query, KMIP 2.1 §6.1.40).

use kmip_codec::schema::{Decode, decode};
use kmip_codec::spec::{Tag, Version};
use kmip_codec::ttlv::Text;
use kmip_codec::{Element, ErrorKind, Value};

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

/// What clients to whom the server is a PKCS #11 token read of it (KMIP 2.1 §6.1.37; C_GetInfo, C_GetSlotInfo,
/// C_GetTokenInfo).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientToken {
    /// Who made it, at most 32 bytes.
    pub manufacturer: String,
    /// What it is, at most 32 bytes.
    pub library: String,
    /// Its version: major, minor.
    pub library_version: [u8; 2],
    /// The version of PKCS #11 that it says it has: major, minor.
    pub cryptoki_version: [u8; 2],
    /// The name of the token, at most 32 bytes.
    pub label: String,
    /// Its serial number, at most 16 bytes.
    pub serial_number: String,
}

impl Default for ClientToken {
    fn default() -> Self {
        Self {
            manufacturer: "kmipd".to_owned(),
            library: "kmipd by the operation PKCS#11".to_owned(),
            library_version: [1, 0],
            cryptoki_version: [3, 0],
            label: "kmipd".to_owned(),
            serial_number: "1".to_owned(),
        }
    }
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

    /// The answers that the operator gives under a tag, as far as the version can hold them: an older one has some of them
    /// without the fields that are newer. `None` if that is nothing.
    pub fn answers<T: Decode>(&self, tag: Tag, version: Version) -> Option<Vec<T>> {
        let said = self.said.iter().filter(|element| element.tag == tag);
        let said: Vec<T> = said.filter_map(|element| decode(known::<T>(element, version), version).ok()).collect();
        if said.is_empty() { None } else { Some(said) }
    }

    /// The namespaces for which the server makes up Application Data (KMIP 2.1 §4.4).
    pub fn application_namespaces(&self) -> Vec<Text> {
        self.answers(Tag::ApplicationNamespace, Version::V2_1).unwrap_or_default()
    }
}

/// An element without the fields that the version does not have.
fn known<T: Decode>(element: &Element, version: Version) -> Element {
    let Value::Structure(fields) = &element.value else { return element.clone() };
    let alone = |field: &Element| Element::new(element.tag, Value::Structure(vec![field.clone()]));
    let is_newer = |field: &&Element| {
        decode::<T>(alone(field), version).is_err_and(|error| matches!(error.kind, ErrorKind::NotInVersion { .. }))
    };
    let fields = fields.iter().filter(|field| !is_newer(field)).cloned().collect();
    Element::new(element.tag, Value::Structure(fields))
}

#[cfg(test)]
mod tests {
    use kmip_codec::types::CapabilityInformation;

    use super::*;

    #[test]
    fn an_older_version_has_what_it_can_hold() {
        let field = |tag| Element::new(tag, Value::Boolean(true));
        let fields = vec![field(Tag::AttestationCapability), field(Tag::BatchUndoCapability)];
        let about = About::new(vec![Element::new(Tag::CapabilityInformation, Value::Structure(fields))]);
        for (version, undo) in [(Version::V1_3, None), (Version::V1_4, Some(true))] {
            let told: Vec<CapabilityInformation> = about.answers(Tag::CapabilityInformation, version).unwrap();
            assert_eq!((told[0].attestation, told[0].batch_undo), (Some(true), undo), "{version}");
        }
    }
}
