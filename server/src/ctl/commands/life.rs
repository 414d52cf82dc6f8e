//! Activate, Revoke and Destroy (KMIP 2.1 §6.1.1, §6.1.48, §6.1.15).

use kmip_codec::schema::DateTime;
use kmip_codec::spec::{Operation, RevocationReasonCode};
use kmip_codec::types::RevocationReason;
use serde_json::json;

use super::{identifier, now};
use crate::ctl::client::Client;
use crate::ctl::show::Report;
use crate::ctl::{Error, Outcome, values};
use crate::ops::{activate, revoke};

/// Let a key be used.
#[derive(Debug, clap::Args)]
pub struct Activate {
    /// The objects' Unique Identifiers
    #[arg(required = true)]
    id: Vec<String>,
}

/// Let a key no longer be used to protect, or not at all.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// The objects' Unique Identifiers
    #[arg(required = true)]
    id: Vec<String>,
    /// Why, such as superseded, cessation-of-operation or key-compromise
    #[arg(long, default_value = "unspecified")]
    reason: String,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// When the compromise is thought to have happened
    #[arg(long, value_name = "DATE", allow_hyphen_values = true)]
    occurred: Option<String>,
}

/// Destroy an object's key material for good.
#[derive(Debug, clap::Args)]
pub struct Destroy {
    /// The objects' Unique Identifiers
    #[arg(required = true)]
    id: Vec<String>,
}

impl Activate {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        each(&self.id, "Activated", |id| by_identifier(client, Operation::Activate, id))
    }
}

impl Revoke {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        let code: RevocationReasonCode = values::enumeration(&self.reason)?;
        let reason = RevocationReason { code, message: self.message.as_deref().map(Into::into) };
        let occurred = self.occurred.as_deref().map(|text| values::date(text, now())).transpose()?;
        each(&self.id, "Revoked", |id| {
            let revoked: activate::Response = client.call(Operation::Revoke, |_| {
                Ok(revoke::Request {
                    unique_identifier: identifier(id),
                    revocation_reason: reason.clone(),
                    compromise_occurrence_date: occurred.map(DateTime),
                })
            })?;
            Ok(revoked.unique_identifier.to_string())
        })
    }
}

impl Destroy {
    pub(super) fn run(self, client: &mut Client) -> Outcome<Report> {
        each(&self.id, "Destroyed", |id| by_identifier(client, Operation::Destroy, id))
    }
}

/// Activate and Destroy say no more than who is meant.
fn by_identifier(client: &mut Client, operation: Operation, id: &str) -> Outcome<String> {
    let done: activate::Response =
        client.call(operation, |_| Ok(activate::Request { unique_identifier: identifier(id) }))?;
    Ok(done.unique_identifier.to_string())
}

/// Does it to one object after the other; the first that fails is named, and ends it.
fn each(ids: &[String], done: &str, mut one: impl FnMut(&str) -> Outcome<String>) -> Outcome<Report> {
    let mut identifiers = Vec::new();
    for id in ids {
        match one(id) {
            Ok(identifier) => identifiers.push(identifier),
            Err(error) if identifiers.is_empty() => return Err(error),
            Err(error) => {
                let so_far = identifiers.join(", ");
                return Err(Error::failed(format!("{id}: {error} ({} before it: {so_far})", done.to_lowercase())));
            }
        }
    }
    let rows: Vec<(&str, String)> = identifiers.iter().map(|id| (done, id.clone())).collect();
    let text = Report::record(&rows).text;
    Ok(Report { text, json: json!({ "UniqueIdentifier": identifiers }), identifiers })
}
