//! Sign and Signature Verify (KMIP 2.1 §6.1.54, §6.1.55).

use std::path::PathBuf;

use kmip_codec::spec::{Operation, ValidityIndicator};
use kmip_codec::ttlv::Blob;

use super::crypto::How;
use super::{Style, identifier};
use crate::ctl::client::Client;
use crate::ctl::data::{self, Input, Output};
use crate::ctl::show::Report;
use crate::ctl::{Error, Outcome};
use crate::ops::data::Data;
use crate::ops::{sign, signature_verify};

/// Sign data with a private key of the server.
#[derive(Debug, clap::Args)]
pub struct Sign {
    /// The private key's Unique Identifier
    id: String,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    how: How,
}

/// Verify a signature with a public key of the server; exit code 1 if it is not valid.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The public key's Unique Identifier
    id: String,
    /// The signature, as sign writes it
    #[arg(long, value_name = "FILE")]
    signature: PathBuf,
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    how: How,
}

impl Sign {
    pub(super) fn run(self, client: &mut Client, style: Style) -> Outcome<Report> {
        let data = self.input.read()?;
        let done: sign::Response = client.call(Operation::Sign, |version| {
            Ok(sign::Request {
                unique_identifier: identifier(&self.id),
                cryptographic_parameters: self.how.parameters(version)?,
                data: Some(Data::Bytes(Blob::copy_of(data.expose()))),
                digested_data: None,
                correlation_value: None,
                init_indicator: None,
                final_indicator: None,
            })
        })?;
        let more = vec![("Unique Identifier", done.unique_identifier.to_string())];
        self.output.give("Signature Data", &done.signature_data.unwrap_or_default(), more, style)
    }
}

impl Verify {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let signature = data::read(&self.signature)?;
        let data = self.input.read()?;
        let done: signature_verify::Response = client.call(Operation::SignatureVerify, |version| {
            Ok(signature_verify::Request {
                unique_identifier: identifier(&self.id),
                cryptographic_parameters: self.how.parameters(version)?,
                data: Some(Data::Bytes(Blob::copy_of(data.expose()))),
                digested_data: None,
                signature_data: Some(Blob::copy_of(signature.expose())),
                correlation_value: None,
                init_indicator: None,
                final_indicator: None,
            })
        })?;
        match done.validity_indicator {
            Some(ValidityIndicator::Valid) => Ok(Report::record(&[
                ("Unique Identifier", done.unique_identifier.to_string()),
                ("Validity Indicator", ValidityIndicator::Valid.to_string()),
            ])),
            Some(ValidityIndicator::Invalid) => Err(Error::failed("Invalid: the key did not sign these data so")),
            _ => Err(Error::failed("Unknown: the server cannot say whether the signature is valid")),
        }
    }
}
