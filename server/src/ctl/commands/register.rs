//! Register (KMIP 2.1 §6.1.43).

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateType, CryptographicAlgorithm, KeyFormatType, ObjectType, OpaqueDataType, Operation, Tag, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Attribute, Attributes, Certificate, KeyBlock, KeyValue, Object, OpaqueObject, SecretData};

use super::{Described, make, now};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyblock;
use crate::ctl::client::Client;
use crate::ctl::data::Input;
use crate::ctl::show::Report;
use crate::ctl::{Error, Outcome, encoding, values};
use crate::ops::register;
use crate::secret::Secret;

/// The standard leaves the types of opaque data to the peers: this one says nothing.
const OPAQUE: OpaqueDataType = OpaqueDataType(0x8000_0000);

/// Give the server a key, secret or certificate that exists already.
#[derive(Debug, clap::Args)]
pub struct Register {
    /// What it is: symmetric-key, private-key, public-key, certificate, secret-data or opaque-object
    #[arg(long = "type", value_name = "TYPE")]
    object_type: String,
    #[command(flatten)]
    input: Input,
    /// The algorithm of a key, where the input does not say it [default: aes for a symmetric key]
    #[arg(long)]
    algorithm: Option<String>,
    /// The length of a key in bits, where the input does not say it
    #[arg(long, value_name = "BITS")]
    length: Option<i32>,
    /// What kind of secret: password or seed
    #[arg(long, value_name = "KIND", default_value = "password")]
    secret_type: String,
    /// The number that says what an opaque object is, from 0x80000000
    #[arg(long, value_name = "NUMBER")]
    opaque_type: Option<String>,
    /// What it may be used for
    #[arg(long, value_name = "USES")]
    usage: Option<String>,
    #[command(flatten)]
    described: Described,
    /// Activate it at once
    #[arg(long)]
    activate: bool,
}

impl Register {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let now = now();
        let object_type = object_type(&self.object_type)?;
        let mut list = Vec::new();
        if let Some(usage) = &self.usage {
            list.push(values::attribute(Tag::CryptographicUsageMask, usage, now)?);
        }
        list.extend(self.described.attributes(now)?);
        let bytes = self.input.read()?;
        if bytes.is_empty() {
            return Err(Error::usage("the input is empty"));
        }
        let request = |version| {
            let object = self.object(object_type, &bytes, version)?;
            let mut list = list.clone();
            // Servers of 1.x want them as attributes too.
            if let (Some(block), false) = (object.key_block(), object_type == ObjectType::SecretData) {
                let algorithm = block.cryptographic_algorithm.map(|algorithm| Value::Enumeration(algorithm.into()));
                let length = block.cryptographic_length.map(Value::Integer);
                let known = [(Tag::CryptographicAlgorithm, algorithm), (Tag::CryptographicLength, length)];
                list.extend(known.into_iter().filter_map(|(tag, value)| Some(Attribute::new(tag, value?))));
            }
            values::check(&list, version)?;
            Ok(register::Request {
                object_type,
                attributes: Attributes { templates: Vec::new(), list },
                object,
                protection_storage_masks: None,
            })
        };
        fn id_of(made: &register::Response) -> &str {
            &made.unique_identifier
        }
        let made: register::Response = make(client, Operation::Register, self.activate, request, id_of)?;
        Ok(Report::record(&[
            ("Unique Identifier", made.unique_identifier.to_string()),
            ("Object Type", object_type.to_string()),
        ]))
    }

    fn object(&self, object_type: ObjectType, bytes: &Secret, version: Version) -> Outcome<Object> {
        match object_type {
            ObjectType::Certificate => Ok(Object::Certificate(Certificate {
                certificate_type: CertificateType::X509,
                certificate_value: Blob::copy_of(encoding::open(bytes, object_type)?.der.expose()),
            })),
            ObjectType::PrivateKey | ObjectType::PublicKey => {
                let encoded = encoding::open(bytes, object_type)?;
                let block = self.key(object_type, encoded.format, &encoded.der, version)?;
                Ok(if object_type == ObjectType::PrivateKey {
                    Object::PrivateKey(block)
                } else {
                    Object::PublicKey(block)
                })
            }
            ObjectType::SecretData => Ok(Object::SecretData(SecretData {
                secret_data_type: values::enumeration(&self.secret_type)?,
                key_block: block(KeyFormatType::Raw, bytes),
            })),
            ObjectType::OpaqueObject => Ok(Object::OpaqueObject(OpaqueObject {
                opaque_data_type: self.opaque_type.as_deref().map_or(Ok(OPAQUE), values::enumeration)?,
                opaque_data_value: Blob::copy_of(bytes.expose()),
            })),
            _ => self.key(object_type, KeyFormatType::Raw, bytes, version).map(Object::SymmetricKey),
        }
    }

    /// A key block that says algorithm and length: as the options do, or the key itself.
    fn key(&self, object: ObjectType, format: KeyFormatType, key: &Secret, version: Version) -> Outcome<KeyBlock> {
        let mut block = block(format, key);
        let said = self.algorithm.as_deref().map(values::enumeration).transpose()?;
        block.cryptographic_algorithm = match object {
            ObjectType::SymmetricKey => Some(said.unwrap_or(CryptographicAlgorithm::AES)),
            _ => said,
        };
        // A key that we cannot read may still be one that the server can.
        if let Ok(canonical) = keyblock::canonical(object, &block) {
            let kind = canonical.kind();
            let own = match kind {
                KeyKind::Ec { .. } if CryptographicAlgorithm::EC.known_in(version) => Some(CryptographicAlgorithm::EC),
                KeyKind::Ec { .. } => Some(CryptographicAlgorithm::ECDSA),
                kind => keyblock::algorithm_of(kind),
            };
            block.cryptographic_algorithm = block.cryptographic_algorithm.or(own);
            block.cryptographic_length = i32::try_from(keyblock::length_of(kind)).ok();
        }
        block.cryptographic_length = self.length.or(block.cryptographic_length);
        if block.cryptographic_algorithm.is_none() || block.cryptographic_length.is_none() {
            return Err(Error::usage(format!("the {object} does not say what it is: give --algorithm and --length")));
        }
        Ok(block)
    }
}

/// An object type that can be registered.
fn object_type(text: &str) -> Outcome<ObjectType> {
    let known = [
        ObjectType::SymmetricKey,
        ObjectType::PrivateKey,
        ObjectType::PublicKey,
        ObjectType::Certificate,
        ObjectType::SecretData,
        ObjectType::OpaqueObject,
    ];
    let wanted = values::fold(text);
    let found = known.into_iter().find(|known| values::fold(&known.to_string()) == wanted);
    // What people say for short.
    found.or((wanted == "opaque").then_some(ObjectType::OpaqueObject)).ok_or_else(|| {
        let all: Vec<String> = known.iter().map(ToString::to_string).collect();
        Error::usage(format!("{text:?} cannot be registered; there is {}", all.join(", ")))
    })
}

fn block(format: KeyFormatType, bytes: &Secret) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::bytes(Blob::copy_of(bytes.expose()))),
        cryptographic_algorithm: None,
        cryptographic_length: None,
        key_wrapping_data: None,
    }
}

#[cfg(test)]
mod tests {
    use kmipd_certs::Authority;

    use super::*;

    fn register(object_type: &str) -> Register {
        Register {
            object_type: object_type.to_owned(),
            input: Input::default(),
            algorithm: None,
            length: None,
            secret_type: "password".to_owned(),
            opaque_type: None,
            usage: None,
            described: Described::default(),
            activate: false,
        }
    }

    #[test]
    fn a_private_key_says_what_it_is() {
        let issued = Authority::new().unwrap().issue_client("alice").unwrap();
        let file = Secret::copy_of(issued.key_pem.as_bytes());
        let object = |version| register("private-key").object(ObjectType::PrivateKey, &file, version).unwrap();
        let new = object(Version::V2_1);
        let block = new.key_block().unwrap();
        assert_eq!(block.key_format_type, KeyFormatType::Pkcs8);
        assert_eq!(block.cryptographic_algorithm, Some(CryptographicAlgorithm::EC));
        assert_eq!(block.cryptographic_length, Some(256));
        let old = object(Version::V1_0);
        assert_eq!(old.key_block().unwrap().cryptographic_algorithm, Some(CryptographicAlgorithm::ECDSA));
    }

    #[test]
    fn a_symmetric_key_is_as_long_as_its_bytes() {
        let key = register("symmetric-key")
            .object(ObjectType::SymmetricKey, &Secret::copy_of(&[7; 16]), Version::V2_1)
            .unwrap();
        let block = key.key_block().unwrap();
        assert_eq!(block.cryptographic_algorithm, Some(CryptographicAlgorithm::AES));
        assert_eq!(block.cryptographic_length, Some(128));
    }

    #[test]
    fn types_by_name() {
        assert_eq!(object_type("secret-data").unwrap(), ObjectType::SecretData);
        assert_eq!(object_type("opaque").unwrap(), ObjectType::OpaqueObject);
        assert_eq!(object_type("template").unwrap_err().exit_code(), 2);
    }
}
