//! `[query]`: answers of Query that only the operator knows, and those that are to differ from what the server would say.
//!
//! A key is the name of a tag as XML writes it, and so are the keys within; names of enumeration values, too.

use std::collections::BTreeMap;

use kmip_codec::schema::{Decode, decode};
use kmip_codec::spec::{AttestationType, ClientRegistrationMethod, Tag, Version, enumeration_of, xml_name};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{
    CapabilityInformation, ExtensionInformation, ProfileInformation, RngParameters, ServerInformation,
    ValidationInformation,
};
use kmip_codec::{Element, Value};
use serde::Deserialize;
use serde_json::Value as Said;

/// `[query]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Query(pub BTreeMap<String, Said>);

/// Whether some version can read the element.
type Readable = fn(&Element) -> Result<(), String>;

/// What can be said, and how it reads.
const ANSWERS: [(Tag, Readable); 10] = [
    (Tag::VendorIdentification, readable::<Text>),
    (Tag::ServerInformation, readable::<ServerInformation>),
    (Tag::ApplicationNamespace, readable::<Text>),
    (Tag::ExtensionInformation, readable::<ExtensionInformation>),
    (Tag::AttestationType, readable::<AttestationType>),
    (Tag::RNGParameters, readable::<RngParameters>),
    (Tag::ProfileInformation, readable::<ProfileInformation>),
    (Tag::ValidationInformation, readable::<ValidationInformation>),
    (Tag::CapabilityInformation, readable::<CapabilityInformation>),
    (Tag::ClientRegistrationMethod, readable::<ClientRegistrationMethod>),
];

impl Query {
    /// The answers as elements, in the order of the table.
    ///
    /// # Errors
    /// What has no meaning, in words.
    pub fn elements(&self) -> Result<Vec<Element>, String> {
        let mut elements = Vec::new();
        for (name, said) in &self.0 {
            let answer = Tag::from_xml_name(name).and_then(|tag| ANSWERS.iter().find(|row| row.0 == tag));
            let Some((tag, check)) = answer else {
                let known: Vec<String> = ANSWERS.iter().filter_map(|(tag, _)| tag.name().map(xml_name)).collect();
                return Err(format!("[query] `{name}` is no answer of Query; known are {}", known.join(", ")));
            };
            let before = elements.len();
            push(&mut elements, *tag, said).map_err(|error| format!("[query] {error}"))?;
            elements.iter().skip(before).try_for_each(check)?;
        }
        Ok(elements)
    }
}

/// Adds the elements that are said under a tag: one, or several of a list.
fn push(elements: &mut Vec<Element>, tag: Tag, said: &Said) -> Result<(), String> {
    let value = match said {
        Said::Array(several) => return several.iter().try_for_each(|one| push(elements, tag, one)),
        Said::Object(fields) => {
            let mut inner = Vec::with_capacity(fields.len());
            for (name, said) in fields {
                let tag = Tag::from_xml_name(name).ok_or_else(|| format!("there is no tag `{name}`"))?;
                push(&mut inner, tag, said)?;
            }
            Value::Structure(inner)
        }
        Said::Bool(value) => Value::Boolean(*value),
        Said::Number(number) => {
            let number = number.as_i64().and_then(|number| i32::try_from(number).ok());
            Value::Integer(number.ok_or_else(|| format!("{tag} is too large"))?)
        }
        Said::String(text) => match enumeration_of(tag) {
            Some(names) => {
                let code = names.from_xml_name(text).or_else(|| names.from_name(text));
                Value::Enumeration(code.ok_or_else(|| format!("there is no {} \"{text}\"", names.name))?)
            }
            None => Value::TextString(text.as_str().into()),
        },
        Said::Null => return Err(format!("{tag} is empty")),
    };
    elements.push(Element::new(tag, value));
    Ok(())
}

fn readable<T: Decode>(element: &Element) -> Result<(), String> {
    let mut said = String::new();
    for &version in Version::ALL {
        match decode::<T>(element.clone(), version) {
            Ok(_) => return Ok(()),
            Err(error) if said.is_empty() => said = format!("[query] {error}"),
            Err(_) => {}
        }
    }
    Err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str) -> Result<Vec<Element>, String> {
        toml::from_str::<Query>(text).unwrap().elements()
    }

    #[test]
    fn answers_are_read_by_the_names_of_their_tags() {
        let text = "VendorIdentification = \"Acme\"\n\
             ApplicationNamespace = [\"a\", \"b\"]\n\
             [CapabilityInformation]\nAttestationCapability = true\nUnwrapMode = \"NotProcessed\"\n\
             [[RNGParameters]]\nRNGAlgorithm = \"DRBG\"\nCryptographicLength = 256\n\
             [[ProfileInformation]]\nProfileName = \"Tape Library Server KMIP v1.2\"\nServerPort = 5696\n";
        let elements = elements(text).unwrap();
        let tags: Vec<Tag> = elements.iter().map(|element| element.tag).collect();
        let twice = Tag::ApplicationNamespace;
        assert_eq!(
            tags,
            [
                twice,
                twice,
                Tag::CapabilityInformation,
                Tag::ProfileInformation,
                Tag::RNGParameters,
                Tag::VendorIdentification
            ]
        );
        assert_eq!(elements[2].value.find(Tag::UnwrapMode), Some(&Value::Enumeration(3)));
        assert_eq!(elements[3].value.find(Tag::ProfileName), Some(&Value::Enumeration(0x0C)));
    }

    #[test]
    fn what_no_version_can_read_is_refused() {
        for (text, said) in [
            ("Vendor = \"x\"", "is no answer of Query; known are VendorIdentification,"),
            ("UniqueIdentifier = \"x\"", "is no answer of Query"),
            ("VendorIdentification = 1", "Text String"),
            ("RNGParameters = { RNGAlgorithm = \"Dice\" }", "there is no RNG Algorithm \"Dice\""),
            ("RNGParameters = { CryptographicLength = 256 }", "RNG Algorithm"),
            ("RNGParameters = { RNGAlgorithm = \"DRBG\", Dice = 6 }", "there is no tag `Dice`"),
            ("CapabilityInformation = { ServerName = \"x\" }", "Server Name"),
        ] {
            let error = elements(text).unwrap_err();
            assert!(error.starts_with("[query] ") && error.contains(said), "{text}: {error}");
        }
    }
}
