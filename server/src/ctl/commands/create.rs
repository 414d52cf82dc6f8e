//! Create and Create Key Pair (KMIP 2.1 §6.1.8, §6.1.9).

use kmip_codec::Value;
use kmip_codec::spec::{ObjectType, Operation, Tag, Version};
use kmip_codec::types::{Attribute, Attributes};

use super::{Described, make, now};
use crate::ctl::client::Client;
use crate::ctl::show::Report;
use crate::ctl::{Error, Outcome, values};
use crate::ops::{create, create_key_pair};

/// Let the server make a symmetric key.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// The algorithm
    #[arg(long, default_value = "aes")]
    algorithm: String,
    /// The length of the key, in bits
    #[arg(long, value_name = "BITS", default_value_t = 256)]
    length: i32,
    /// What the key may be used for
    #[arg(long, value_name = "USES", default_value = "encrypt,decrypt")]
    usage: String,
    #[command(flatten)]
    described: Described,
    /// Activate the key at once
    #[arg(long)]
    activate: bool,
}

/// Let the server make a private key and its public key.
#[derive(Debug, clap::Args)]
pub struct CreateKeyPair {
    /// The algorithm: rsa, or ec with a curve
    #[arg(long, default_value = "rsa")]
    algorithm: String,
    /// The length of the keys, in bits [default: 2048, or the curve's]
    #[arg(long, value_name = "BITS")]
    length: Option<i32>,
    /// The curve, such as p-256
    #[arg(long)]
    curve: Option<String>,
    /// What the private key may be used for
    #[arg(long, value_name = "USES", default_value = "sign")]
    private_usage: String,
    /// What the public key may be used for
    #[arg(long, value_name = "USES", default_value = "verify")]
    public_usage: String,
    /// The Name of the private key
    #[arg(long, value_name = "TEXT")]
    private_name: Option<String>,
    /// The Name of the public key
    #[arg(long, value_name = "TEXT")]
    public_name: Option<String>,
    /// The Object Group of both; may be repeated
    #[arg(long, value_name = "TEXT")]
    group: Vec<String>,
    /// Any other attribute of both; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    attribute: Vec<String>,
    /// Activate both keys at once
    #[arg(long)]
    activate: bool,
}

impl Create {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let now = now();
        let mut list = vec![
            values::attribute(Tag::CryptographicAlgorithm, &self.algorithm, now)?,
            Attribute::new(Tag::CryptographicLength, Value::Integer(self.length)),
            values::attribute(Tag::CryptographicUsageMask, &self.usage, now)?,
        ];
        list.extend(self.described.attributes(now)?);
        let request = |version| {
            values::check(&list, version)?;
            Ok(create::Request {
                object_type: ObjectType::SymmetricKey,
                attributes: Attributes { templates: Vec::new(), list: list.clone() },
                protection_storage_masks: None,
            })
        };
        let made: create::Response =
            make(client, Operation::Create, self.activate, request, |made: &create::Response| &made.unique_identifier)?;
        Ok(Report::record(&[
            ("Unique Identifier", made.unique_identifier.to_string()),
            ("Object Type", made.object_type.to_string()),
        ]))
    }
}

impl CreateKeyPair {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let now = now();
        let mut common = vec![values::attribute(Tag::CryptographicAlgorithm, &self.algorithm, now)?];
        if let Some(curve) = &self.curve {
            let domain = format!("Recommended Curve={curve}");
            common.push(values::attribute(Tag::CryptographicDomainParameters, &domain, now)?);
        }
        match (self.length, &self.curve) {
            (Some(length), _) => common.push(Attribute::new(Tag::CryptographicLength, Value::Integer(length))),
            (None, Some(_)) => {}
            (None, None) if values::fold(&self.algorithm) == "rsa" => {
                common.push(Attribute::new(Tag::CryptographicLength, Value::Integer(2048)));
            }
            (None, None) => return Err(Error::usage("say --curve or --length")),
        }
        let both = Described { name: Vec::new(), group: self.group, attribute: self.attribute };
        common.extend(both.attributes(now)?);
        if self.activate {
            common.push(Attribute::new(Tag::ActivationDate, Value::DateTime(now)));
        }
        let one = |usage: &str, name: Option<String>| {
            let mut list = vec![values::attribute(Tag::CryptographicUsageMask, usage, now)?];
            let named = Described { name: name.into_iter().collect(), ..Described::default() };
            list.extend(named.attributes(now)?);
            Ok::<_, Error>(list)
        };
        let private = one(&self.private_usage, self.private_name)?;
        let public = one(&self.public_usage, self.public_name)?;
        let attributes = |list: &[Attribute], version: Version| {
            values::check(list, version)?;
            Ok::<_, Error>(Attributes { templates: Vec::new(), list: list.to_vec() })
        };
        let made: create_key_pair::Response = client.call(Operation::CreateKeyPair, |version| {
            Ok(create_key_pair::Request {
                common: attributes(&common, version)?,
                private: attributes(&private, version)?,
                public: attributes(&public, version)?,
                common_protection: None,
                private_protection: None,
                public_protection: None,
            })
        })?;
        Ok(Report::record(&[
            ("Private Key Unique Identifier", made.private_key.to_string()),
            ("Public Key Unique Identifier", made.public_key.to_string()),
        ]))
    }
}
