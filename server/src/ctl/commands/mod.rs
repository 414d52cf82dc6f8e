//! The commands: one file per group.

mod create;
mod crypto;
mod get;
mod life;
mod locate;
mod query;
mod register;
mod sign;

use std::time::{SystemTime, UNIX_EPOCH};

use kmip_codec::schema::Encode;
use kmip_codec::spec::{Operation, Tag, Version};
use kmip_codec::types::{Attribute, UniqueIdentifier};

use super::client::{Client, Item};
use super::show::Report;
use super::{Error, Outcome, values};
use crate::ops::activate;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Ask what the server is and can do
    Query(query::Query),
    /// Let the server make a symmetric key
    Create(create::Create),
    /// Let the server make a private key and its public key
    CreateKeyPair(create::CreateKeyPair),
    /// Give the server a key, secret or certificate that exists already
    Register(register::Register),
    /// Show what an object is; its bytes only with --out, --raw, --hex or --pem
    Get(get::Get),
    /// Show an object's attributes
    Attributes(get::Attributes),
    /// Find objects by their attributes
    Locate(locate::Locate),
    /// Let a key be used
    Activate(life::Activate),
    /// Let a key no longer be used to protect, or not at all
    Revoke(life::Revoke),
    /// Destroy an object's key material for good
    Destroy(life::Destroy),
    /// Encrypt data with a key of the server
    Encrypt(crypto::Encrypt),
    /// Decrypt data with a key of the server
    Decrypt(crypto::Decrypt),
    /// Sign data with a private key of the server
    Sign(sign::Sign),
    /// Verify a signature with a public key of the server; exit code 1 if it is not valid
    Verify(sign::Verify),
}

impl Command {
    /// Does it.
    ///
    /// # Errors
    /// What is wrong with the command, the connection, or what the server refuses.
    pub fn run(self, client: &mut Client, style: Style) -> Outcome<Report> {
        match self {
            Self::Query(command) => command.run(client),
            Self::Create(command) => command.run(client),
            Self::CreateKeyPair(command) => command.run(client),
            Self::Register(command) => command.run(client),
            Self::Get(command) => command.run(client),
            Self::Attributes(command) => command.run(client),
            Self::Locate(command) => command.run(client, style.quiet),
            Self::Activate(command) => command.run(client),
            Self::Revoke(command) => command.run(client),
            Self::Destroy(command) => command.run(client),
            Self::Encrypt(command) => command.run(client, style),
            Self::Decrypt(command) => command.run(client, style),
            Self::Sign(command) => command.run(client, style),
            Self::Verify(command) => command.run(client),
        }
    }
}

/// How the answer is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// In JSON.
    pub json: bool,
    /// The identifiers alone.
    pub quiet: bool,
}

/// Attributes by name, the same wherever attributes are given.
#[derive(Debug, Default, clap::Args)]
struct Described {
    /// Its Name; may be repeated
    #[arg(long, value_name = "TEXT")]
    name: Vec<String>,
    /// Its Object Group; may be repeated
    #[arg(long, value_name = "TEXT")]
    group: Vec<String>,
    /// Any other attribute, such as "Activation Date=+1d" or "x-Project=7"; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    attribute: Vec<String>,
}

impl Described {
    fn attributes(&self, now: i64) -> Outcome<Vec<Attribute>> {
        let names = self.name.iter().map(|text| values::attribute(Tag::Name, &quoted_name(text), now));
        let groups = self.group.iter().map(|text| text_attribute(Tag::ObjectGroup, text));
        let rest = self.attribute.iter().map(|text| values::pair(text, now));
        names.chain(groups.map(Ok)).chain(rest).collect()
    }
}

/// An option's Name is its text to the letter, even if it looks like fields.
fn quoted_name(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn text_attribute(tag: Tag, text: &str) -> Attribute {
    Attribute::new(tag, kmip_codec::Value::TextString(text.into()))
}

/// Seconds since 1970-01-01T00:00:00Z.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn identifier(text: &str) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::from(text))
}

/// What an option needs of the version: a field that it does not have would be left out of the message.
fn needs(version: Version, since: Version, what: &str) -> Outcome<()> {
    if version >= since { Ok(()) } else { Err(Error::failed(format!("{what} needs KMIP {since}; this is {version}"))) }
}

/// Makes an object, and activates it in the same message if that is wanted. `id_of` finds its identifier in the answer.
fn make<Q, R>(
    client: &mut Client,
    operation: Operation,
    activated: bool,
    mut request: impl FnMut(Version) -> Outcome<Q>,
    id_of: impl Fn(&R) -> &str,
) -> Outcome<R>
where
    Q: Encode + 'static,
    R: kmip_codec::schema::Decode,
{
    let answers = client.batch(|version| {
        let mut items = vec![Item::new(operation, request(version)?)];
        if activated {
            items.push(Item::new(Operation::Activate, activate::Request { unique_identifier: None }));
        }
        Ok(items)
    })?;
    let mut answers = answers.into_iter();
    let first = answers.next().unwrap_or_else(|| Err(Error::failed("the server answered nothing")));
    let response: R = client.read(operation, first)?;
    match answers.next() {
        Some(Err(error)) => {
            Err(Error::failed(format!("{} was made, but could not be activated: {error}", id_of(&response))))
        }
        None if activated => {
            Err(Error::failed(format!("{} was made, but the server did not activate it", id_of(&response))))
        }
        _ => Ok(response),
    }
}
