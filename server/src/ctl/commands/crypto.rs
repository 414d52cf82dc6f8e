//! Encrypt and Decrypt (KMIP 2.1 §6.1.18, §6.1.11).

use kmip_codec::Element;
use kmip_codec::schema::decode;
use kmip_codec::spec::{Operation, Tag, Version};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters;

use super::{Style, identifier, needs, now};
use crate::ctl::client::Client;
use crate::ctl::data::{Input, Output};
use crate::ctl::show::Report;
use crate::ctl::{Error, Outcome, values};
use crate::ops::data::Data;
use crate::ops::{decrypt, encrypt};

/// Encrypt data with a key of the server.
#[derive(Debug, clap::Args)]
pub struct Encrypt {
    /// The key's Unique Identifier
    id: String,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    how: How,
    /// The IV, counter or nonce; the server makes it where none is given and the mode needs one
    #[arg(long, value_name = "HEX")]
    iv: Option<String>,
    /// What is authenticated besides the data
    #[arg(long, value_name = "HEX")]
    aad: Option<String>,
}

/// Decrypt data with a key of the server.
#[derive(Debug, clap::Args)]
pub struct Decrypt {
    /// The key's Unique Identifier
    id: String,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    how: How,
    /// The IV, counter or nonce
    #[arg(long, value_name = "HEX")]
    iv: Option<String>,
    /// What was authenticated besides the data
    #[arg(long, value_name = "HEX")]
    aad: Option<String>,
    /// The tag of a mode that authenticates
    #[arg(long, value_name = "HEX")]
    tag: Option<String>,
}

/// Cryptographic Parameters; without any, the key's own.
#[derive(Debug, Default, clap::Args)]
pub(super) struct How {
    /// The Block Cipher Mode, such as gcm or cbc
    #[arg(long)]
    mode: Option<String>,
    /// The Padding Method, such as pkcs5, oaep or pss
    #[arg(long)]
    padding: Option<String>,
    /// The Hashing Algorithm, such as sha-256
    #[arg(long)]
    hash: Option<String>,
    /// Any further Cryptographic Parameters, such as "Tag Length=16"
    #[arg(long, value_name = "FIELD=VALUE,…")]
    parameters: Option<String>,
}

impl How {
    /// The parameters as the version can say them.
    pub(super) fn parameters(&self, version: Version) -> Outcome<Option<CryptographicParameters>> {
        let named =
            [("Block Cipher Mode", &self.mode), ("Padding Method", &self.padding), ("Hashing Algorithm", &self.hash)];
        let named = named.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_deref()?)));
        let all: Vec<String> = named.chain(self.parameters.clone()).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let attribute = values::attribute(Tag::CryptographicParameters, &all.join(", "), now())?;
        values::check(std::slice::from_ref(&attribute), version)?;
        decode(Element::new(attribute.tag, attribute.value), version)
            .map(Some)
            .map_err(|error| Error::usage(error.to_string()))
    }
}

impl Encrypt {
    pub(super) fn run(self, client: &mut Client, style: Style) -> Outcome<Report> {
        let (iv, aad) = (digits("--iv", self.iv.as_deref())?, digits("--aad", self.aad.as_deref())?);
        let data = self.input.read()?;
        let done: encrypt::Response = client.call(Operation::Encrypt, |version| {
            if aad.is_some() {
                needs(version, Version::V1_4, "--aad")?;
            }
            Ok(encrypt::Request {
                unique_identifier: identifier(&self.id),
                cryptographic_parameters: self.how.parameters(version)?,
                data: Some(Data::Bytes(Blob::copy_of(data.expose()))),
                iv_counter_nonce: iv.clone(),
                correlation_value: None,
                init_indicator: None,
                final_indicator: None,
                additional_data: aad.clone(),
            })
        })?;
        let mut more = vec![("Unique Identifier", done.unique_identifier.to_string())];
        more.extend(done.iv_counter_nonce.map(|iv| ("IV/Counter/Nonce", hex::encode(&*iv))));
        let tag = done.authenticated_encryption_tag;
        more.extend(tag.map(|tag| ("Authenticated Encryption Tag", hex::encode(&*tag))));
        self.output.give("Data", &done.data.unwrap_or_default(), more, style)
    }
}

impl Decrypt {
    pub(super) fn run(self, client: &mut Client, style: Style) -> Outcome<Report> {
        let (iv, aad) = (digits("--iv", self.iv.as_deref())?, digits("--aad", self.aad.as_deref())?);
        let tag = digits("--tag", self.tag.as_deref())?;
        let data = self.input.read()?;
        let done: decrypt::Response = client.call(Operation::Decrypt, |version| {
            for (given, option) in [(&aad, "--aad"), (&tag, "--tag")] {
                if given.is_some() {
                    needs(version, Version::V1_4, option)?;
                }
            }
            Ok(decrypt::Request {
                unique_identifier: identifier(&self.id),
                cryptographic_parameters: self.how.parameters(version)?,
                data: Some(Data::Bytes(Blob::copy_of(data.expose()))),
                iv_counter_nonce: iv.clone(),
                correlation_value: None,
                init_indicator: None,
                final_indicator: None,
                additional_data: aad.clone(),
                authenticated_encryption_tag: tag.clone(),
            })
        })?;
        let more = vec![("Unique Identifier", done.unique_identifier.to_string())];
        self.output.give("Data", &done.data.unwrap_or_default(), more, style)
    }
}

fn digits(option: &str, text: Option<&str>) -> Outcome<Option<Blob>> {
    let read = |text| hex::decode(text).map(Blob::new);
    text.map(read).transpose().map_err(|_| Error::usage(format!("{option} takes hexadecimal digits, two a byte")))
}
