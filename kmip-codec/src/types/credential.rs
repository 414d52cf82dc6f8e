//! Authentication and Credential (KMIP 2.1 §9.4, §9.11).

use std::fmt;

use crate::schema::{Decode, Encode, Field, Fields, Lifetime, wrong_type};
use crate::spec::{CredentialType, Tag, Version};
use crate::ttlv::{Element, Result, Text, Value, Writer};

/// Who the sender says it is, besides its certificate. 1.0 and 1.1 have one Credential, later versions several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The credentials.
    pub credentials: Vec<Credential>,
}

/// A credential. Its value is a structure that depends on the type; `Debug` shows the type alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its type.
    pub kind: CredentialType,
    /// Its value.
    pub value: Vec<Element>,
}

impl Credential {
    /// User name and password.
    pub fn password(username: &str, password: &str) -> Self {
        let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
        Self {
            kind: CredentialType::UsernameAndPassword,
            value: vec![text(Tag::Username, username), text(Tag::Password, password)],
        }
    }

    /// A text field of the value.
    pub fn text(&self, tag: Tag) -> Option<&Text> {
        self.value.iter().find(|element| element.tag == tag).and_then(|element| match &element.value {
            Value::TextString(text) => Some(text),
            _ => None,
        })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.kind)
    }
}

impl Encode for Credential {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.structure(tag, |w| {
            self.kind.encode(Tag::CredentialType, w);
            w.structure(Tag::CredentialValue, |w| self.value.iter().for_each(|element| w.element(element)));
        });
    }
}

impl Decode for Credential {
    fn decode(element: Element, version: Version) -> Result<Self> {
        let mut fields = Fields::open(element, version)?;
        let kind = Field::take(&mut fields, Tag::CredentialType, Lifetime::ALWAYS)?;
        let value: Element = Field::take(&mut fields, Tag::CredentialValue, Lifetime::ALWAYS)?;
        fields.finish()?;
        match value.value {
            Value::Structure(value) => Ok(Self { kind, value }),
            other => Err(wrong_type("Structure", &other).at(value.offset).within(Tag::CredentialValue)),
        }
    }
}

impl Encode for Authentication {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.structure(tag, |w| self.credentials.put(Tag::Credential, Lifetime::ALWAYS, w));
    }
}

impl Decode for Authentication {
    fn decode(element: Element, version: Version) -> Result<Self> {
        let mut fields = Fields::open(element, version)?;
        let credentials: Vec<Credential> = if version < Version::V1_2 {
            vec![Field::take(&mut fields, Tag::Credential, Lifetime::ALWAYS)?]
        } else {
            Field::take(&mut fields, Tag::Credential, Lifetime::ALWAYS)?
        };
        if credentials.is_empty() {
            return Err(fields.missing(Tag::Credential));
        }
        fields.finish()?;
        Ok(Self { credentials })
    }
}
