//! Authentication and Credential (KMIP 2.1 §9.4, §9.11).

use std::fmt;

use crate::schema::{DateTimeExtended, Decode, Encode, Field, Fields, Lifetime, decode, wrong_type};
use crate::spec::{AttestationType, CredentialType, HashingAlgorithm, Tag, Version};
use crate::ttlv::{Blob, Element, Result, Text, Value, Writer};
use crate::types::Ticket;

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

crate::structure! {
    /// The value of a Username and Password credential (KMIP 2.1 table 411).
    #[derive(Eq)]
    pub struct UsernameAndPassword {
        /// Who it is.
        pub username: Text = Username,
        /// The secret.
        pub password: Option<Password> = Password,
    }

    /// The value of a Device credential (KMIP 2.1 table 412). At least one field is there.
    #[derive(Eq)]
    pub struct DeviceCredential {
        /// Its serial number.
        pub device_serial_number: Option<Text> = DeviceSerialNumber,
        /// The secret.
        pub password: Option<Password> = Password,
        /// Its identifier.
        pub device_identifier: Option<Text> = DeviceIdentifier,
        /// The network that it is in.
        pub network_identifier: Option<Text> = NetworkIdentifier,
        /// The machine that it belongs to.
        pub machine_identifier: Option<Text> = MachineIdentifier,
        /// The medium in it.
        pub media_identifier: Option<Text> = MediaIdentifier,
    }

    /// The value of an Attestation credential (KMIP 2.1 table 413). One of measurement and assertion is there.
    #[derive(Eq)]
    pub struct AttestationCredential {
        /// What the server gave to attest with.
        pub nonce: Nonce = Nonce,
        /// Of which kind it is.
        pub attestation_type: AttestationType = AttestationType,
        /// The client's own measurement.
        pub attestation_measurement: Option<Blob> = AttestationMeasurement,
        /// The word of a third party.
        pub attestation_assertion: Option<Blob> = AttestationAssertion,
    }

    /// The value of a One Time Password credential (KMIP 2.1 table 414).
    #[derive(Eq)]
    pub struct OneTimePassword {
        /// Who it is.
        pub username: Text = Username,
        /// The secret that stays.
        pub password: Option<Password> = Password,
        /// The secret that is good for once.
        pub one_time_password: Password = OneTimePassword,
    }

    /// The value of a Hashed Password credential (KMIP 2.1 table 415).
    #[derive(Eq)]
    pub struct HashedPassword {
        /// Who it is.
        pub username: Text = Username,
        /// When it was made; greater each time.
        pub timestamp: DateTimeExtended = TimeStamp,
        /// The hash function; SHA-256 if absent.
        pub hashing_algorithm: Option<HashingAlgorithm> = HashingAlgorithm,
        /// Hash(S1 || Timestamp) || S2.
        pub hashed_password: Blob = HashedPassword,
    }

    /// The value of a Ticket credential (KMIP 2.1 table 416).
    #[derive(Eq)]
    pub struct TicketCredential {
        /// The ticket.
        pub ticket: Ticket = Ticket,
    }

    /// Nonce (KMIP 2.1 §9.14).
    #[derive(Eq)]
    pub struct Nonce {
        /// The server's mark of it.
        pub nonce_id: Blob = NonceID,
        /// Random bytes.
        pub nonce_value: Blob = NonceValue,
    }
}

/// A text that nobody may see: `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub Text);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

impl Encode for Password {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        self.0.encode(tag, writer);
    }
}

impl Decode for Password {
    fn decode(element: Element, version: Version) -> Result<Self> {
        Text::decode(element, version).map(Self)
    }
}

impl Credential {
    /// A credential of this kind and value.
    pub fn new(kind: CredentialType, value: Vec<Element>) -> Self {
        Self { kind, value }
    }

    /// The value as the structure that its type has.
    ///
    /// # Errors
    /// A field that is missing, or that does not belong there.
    pub fn read<T: Decode>(&self, version: Version) -> Result<T> {
        decode(Element::new(Tag::CredentialValue, Value::Structure(self.value.clone())), version)
    }

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
