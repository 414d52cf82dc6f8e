//! The operations: one file each, and the table, one line each (KMIP 2.1 §6).
//!
//! Query's answer, the README's matrix and the help of kmipctl come out of [`OPERATIONS`]; from which version on there is
//! an operation says the enumeration's own table.

pub mod activate;
pub mod adjust_attribute;
pub mod archive;
pub mod attribute;
pub mod cancel;
mod certification;
pub mod certify;
pub mod check;
pub mod containers;
pub mod create;
pub mod create_key_pair;
pub mod create_split_key;
pub mod data;
pub mod decrypt;
pub mod delegated_login;
pub mod derive_key;
pub mod destroy;
pub mod discover_versions;
mod encapsulation;
pub mod enciphering;
pub mod encrypt;
pub mod export;
pub mod get;
pub mod get_attribute_list;
pub mod get_attributes;
pub mod get_constraints;
pub mod get_usage_allocation;
pub mod hash;
pub mod import;
pub mod incoming;
pub mod interop;
pub mod join_split_key;
pub mod locate;
pub mod log;
pub mod login;
pub mod logout;
pub mod mac;
pub mod mac_verify;
pub mod new_object;
pub mod notify;
pub mod obtain_lease;
pub mod outgoing;
pub mod parameters;
mod parents;
pub mod parts;
pub mod ping;
pub mod pkcs11;
pub mod poll;
pub mod process;
pub mod profiles;
pub mod put;
pub mod query;
pub mod query_asynchronous_requests;
pub mod re_certify;
pub mod re_key;
pub mod re_key_key_pair;
pub mod re_provision;
pub mod recover;
pub mod register;
pub mod revoke;
pub mod rng_retrieve;
pub mod rng_seed;
pub mod rotate;
pub mod set_constraints;
pub mod set_defaults;
pub mod set_endpoint_role;
pub mod sign;
pub mod signature_verify;
mod tickets;
pub mod validate;
pub mod wrapping;

use std::sync::LazyLock;

use kmip_codec::Element;
use kmip_codec::schema::{Decode, Encode, decode};
use kmip_codec::spec::{Operation, Tag, Version};
use kmip_codec::ttlv::{Blob, Text, Writer};
use kmip_codec::wipe::Wiped;

use crate::failure::{Failure, Outcome};
use crate::view::{Settings, View};

/// An operation: its request, its answer, and what it does.
pub trait Handler {
    /// The request payload.
    type Request: Decode;
    /// The response payload.
    type Response: Encode + Send + 'static;

    /// Does it. Nothing is stored: what changes is in the view, and the dispatcher commits it.
    fn run(view: &mut View, request: Self::Request) -> Outcome<Self::Response>;

    /// The Unique Identifiers of the answer in their order, for later items to refer to.
    fn identifiers(_: &Self::Response) -> Vec<Text> {
        Vec::new()
    }

    /// The data of the answer, for later items to refer to (KMIP 2.1 §7.9).
    fn data(_: &Self::Response) -> Option<Blob> {
        None
    }
}

/// What an operation's answer does to the ID Placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placeholder {
    /// Nothing.
    Keep,
    /// It becomes the first identifier.
    First,
    /// It becomes the only identifier, or empty if there are several or none.
    Only,
}

/// What a second run of the message would do, after a conflict (design: effect classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It runs again.
    Repeatable,
    /// What was generated stays with the message.
    Kept,
    /// It begins with the state that the first run began with, and what it makes of it counts once the commit stands.
    Once,
}

/// Where an operation runs, as far as its kind says: a key in the module takes any of them to the lane of the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Where the bytes arrived.
    Here,
    /// On the lane of the module, where there is one: it needs the module and no key.
    Module,
    /// On a lane for slow work: that of the module where there is one, since a key of it may be needed.
    Slow,
    /// As slow work, and on a lane of its own if it makes a key that takes seconds to make.
    Pair,
    /// Where the key and the algorithm say.
    ByKey,
}

/// What came of an item.
pub struct Answered {
    /// The Response Payload as it is written.
    pub payload: Wiped,
    /// Its Unique Identifiers, if somebody may refer to them.
    pub identifiers: Vec<Text>,
    /// Its data, if it is one of those that answer some and somebody may refer to it.
    pub data: Option<Blob>,
}

impl Answered {
    /// An answer without identifiers and data. It has room for so many bytes beside what every answer has.
    pub fn of(response: &impl Encode, version: Version, bytes: usize) -> Self {
        let mut writer = Writer::with_capacity(version, USUAL + bytes);
        response.encode(Tag::ResponsePayload, &mut writer);
        Self { payload: Wiped::from(writer.finish()), identifiers: Vec::new(), data: None }
    }
}

/// Room for most response payloads without their data, in bytes.
const USUAL: usize = 512;

/// Whether items follow that may refer to the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// It is the last one of its message.
    Nothing,
    /// There are more.
    Items,
}

/// A line of the table.
pub struct OperationRow {
    /// The operation.
    pub operation: Operation,
    /// What it does to the ID Placeholder.
    pub placeholder: Placeholder,
    /// What a second run does.
    pub effect: Effect,
    /// Where it runs.
    pub lane: Lane,
    /// Who does it.
    pub run: Run,
}

/// Who does an operation.
#[derive(Clone, Copy)]
pub enum Run {
    /// A handler on the message's view: reads the payload, and answers.
    Handler(fn(&mut View, Element, Follow) -> Outcome<Answered>),
    /// The dispatcher itself, since it is about requests, connections or the server, and not about objects.
    Dispatcher(Own),
}

/// The operations that the dispatcher does itself, in `dispatch/own.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Cancel.
    Cancel,
    /// Poll.
    Poll,
    /// Process.
    Process,
    /// Query Asynchronous Requests.
    QueryAsynchronousRequests,
    /// Set Endpoint Role.
    SetEndpointRole,
}

/// Every operation of this server.
pub static OPERATIONS: &[OperationRow] = &[
    row::<create::Create>(Operation::Create, Placeholder::First, Effect::Kept, Lane::ByKey),
    row::<create_key_pair::CreateKeyPair>(Operation::CreateKeyPair, Placeholder::First, Effect::Kept, Lane::Pair),
    row::<register::Register>(Operation::Register, Placeholder::First, Effect::Kept, Lane::ByKey),
    row::<derive_key::DeriveKey>(Operation::DeriveKey, Placeholder::First, Effect::Kept, Lane::Slow),
    row::<re_key::ReKey>(Operation::ReKey, Placeholder::First, Effect::Kept, Lane::ByKey),
    row::<re_key_key_pair::ReKeyKeyPair>(Operation::ReKeyKeyPair, Placeholder::First, Effect::Kept, Lane::Pair),
    row::<certify::Certify>(Operation::Certify, Placeholder::First, Effect::Repeatable, Lane::Slow),
    row::<re_certify::ReCertify>(Operation::ReCertify, Placeholder::First, Effect::Repeatable, Lane::Slow),
    row::<validate::Validate>(Operation::Validate, Placeholder::Keep, Effect::Repeatable, Lane::Slow),
    row::<locate::Locate>(Operation::Locate, Placeholder::Only, Effect::Repeatable, Lane::Here),
    row::<check::Check>(Operation::Check, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<get::Get>(Operation::Get, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<get_attributes::GetAttributes>(Operation::GetAttributes, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<get_attribute_list::GetAttributeList>(
        Operation::GetAttributeList,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::Here,
    ),
    row::<attribute::AddAttribute>(Operation::AddAttribute, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<attribute::SetAttribute>(Operation::SetAttribute, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<adjust_attribute::AdjustAttribute>(
        Operation::AdjustAttribute,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::ByKey,
    ),
    row::<attribute::ModifyAttribute>(Operation::ModifyAttribute, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<attribute::DeleteAttribute>(Operation::DeleteAttribute, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<obtain_lease::ObtainLease>(Operation::ObtainLease, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<get_usage_allocation::GetUsageAllocation>(
        Operation::GetUsageAllocation,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::Here,
    ),
    row::<activate::Activate>(Operation::Activate, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<revoke::Revoke>(Operation::Revoke, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<destroy::Destroy>(Operation::Destroy, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<archive::Archive>(Operation::Archive, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<recover::Recover>(Operation::Recover, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<encrypt::Encrypt>(Operation::Encrypt, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<decrypt::Decrypt>(Operation::Decrypt, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<sign::Sign>(Operation::Sign, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<signature_verify::SignatureVerify>(
        Operation::SignatureVerify,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::ByKey,
    ),
    row::<mac::Mac>(Operation::MAC, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<mac_verify::MacVerify>(Operation::MACVerify, Placeholder::Keep, Effect::Repeatable, Lane::ByKey),
    row::<rng_retrieve::RngRetrieve>(Operation::RNGRetrieve, Placeholder::Keep, Effect::Repeatable, Lane::Module),
    row::<rng_seed::RngSeed>(Operation::RNGSeed, Placeholder::Keep, Effect::Repeatable, Lane::Module),
    row::<hash::Hash>(Operation::Hash, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<interop::Interop>(Operation::Interop, Placeholder::Keep, Effect::Repeatable, Lane::Slow),
    row::<create_split_key::CreateSplitKey>(Operation::CreateSplitKey, Placeholder::First, Effect::Kept, Lane::Slow),
    row::<join_split_key::JoinSplitKey>(Operation::JoinSplitKey, Placeholder::First, Effect::Kept, Lane::Slow),
    row::<export::Export>(Operation::Export, Placeholder::First, Effect::Repeatable, Lane::ByKey),
    row::<import::Import>(Operation::Import, Placeholder::First, Effect::Kept, Lane::ByKey),
    row::<query::Query>(Operation::Query, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<discover_versions::DiscoverVersions>(
        Operation::DiscoverVersions,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::Here,
    ),
    own(Operation::Poll, Own::Poll),
    own(Operation::Cancel, Own::Cancel),
    own(Operation::Process, Own::Process),
    own(Operation::QueryAsynchronousRequests, Own::QueryAsynchronousRequests),
    own(Operation::SetEndpointRole, Own::SetEndpointRole),
    row::<log::Log>(Operation::Log, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<login::Login>(Operation::Login, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<logout::Logout>(Operation::Logout, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<delegated_login::DelegatedLogin>(
        Operation::DelegatedLogin,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::Here,
    ),
    row::<re_provision::ReProvision>(Operation::ReProvision, Placeholder::First, Effect::Kept, Lane::Slow),
    row::<ping::Ping>(Operation::Ping, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<pkcs11::Pkcs11>(Operation::Pkcs11, Placeholder::Keep, Effect::Once, Lane::Slow),
    row::<set_defaults::SetDefaults>(Operation::SetDefaults, Placeholder::Keep, Effect::Repeatable, Lane::Here),
    row::<set_constraints::SetConstraints>(
        Operation::SetConstraints,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::Here,
    ),
    row::<get_constraints::GetConstraints>(
        Operation::GetConstraints,
        Placeholder::Keep,
        Effect::Repeatable,
        Lane::Here,
    ),
];

/// The operations that this server sends to clients, and that nobody can ask it for (KMIP 2.1 §6.2).
pub const SENT: [Operation; 2] = [Operation::Notify, Operation::Put];

/// The operations that the version has and a server that is configured so does, for clients or to them.
pub fn supported(version: Version, settings: &Settings) -> Vec<Operation> {
    let asked = OPERATIONS.iter().filter(|row| row.is_offered(settings)).map(|row| row.operation);
    asked.chain(SENT).filter(|operation| operation.known_in(version)).collect()
}

impl OperationRow {
    /// Whether a server that is configured so offers the operation.
    pub fn is_offered(&self, settings: &Settings) -> bool {
        match self.operation {
            Operation::Interop => settings.interop,
            Operation::Certify | Operation::ReCertify => settings.authority.is_some(),
            Operation::ReProvision => settings.provisioning.is_some(),
            _ => true,
        }
    }
}

/// The line of an operation, if the version has it and this server does it.
pub fn row_of(operation: Operation, version: Version) -> Option<&'static OperationRow> {
    let place = usize::try_from(operation.0).ok()?;
    BY_CODE.get(place).copied().flatten().filter(|_| operation.known_in(version))
}

/// The lines by the codes of their operations, which are small numbers: every item asks.
static BY_CODE: LazyLock<Vec<Option<&'static OperationRow>>> = LazyLock::new(|| {
    let last = OPERATIONS.iter().map(|row| row.operation.0).max().unwrap_or(0);
    (0..=last).map(|code| OPERATIONS.iter().find(|row| row.operation.0 == code)).collect()
});

const fn row<H: Handler>(operation: Operation, placeholder: Placeholder, effect: Effect, lane: Lane) -> OperationRow {
    OperationRow { operation, placeholder, effect, lane, run: Run::Handler(run::<H>) }
}

/// The line of an operation that the dispatcher does itself.
const fn own(operation: Operation, own: Own) -> OperationRow {
    let run = Run::Dispatcher(own);
    OperationRow { operation, placeholder: Placeholder::Keep, effect: Effect::Repeatable, lane: Lane::Here, run }
}

fn run<H: Handler>(view: &mut View, payload: Element, follow: Follow) -> Outcome<Answered> {
    let version = view.version();
    let request = decode(payload, version).map_err(|error| Failure::unreadable(error, version))?;
    let response = H::run(view, request)?;
    let data = H::data(&response);
    let answered = Answered::of(&response, version, data.as_ref().map_or(0, |data| data.len()));
    Ok(match follow {
        Follow::Nothing => answered,
        Follow::Items => Answered { identifiers: H::identifiers(&response), data, ..answered },
    })
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    /// The support matrix of the README.
    fn matrix() -> String {
        let sent = SENT.iter().map(|&operation| (operation, format!("{operation} (sent)")));
        let asked = OPERATIONS.iter().map(|row| (row.operation, row.operation.to_string()));
        let all: Vec<(Operation, String)> = asked.chain(sent).collect();
        let known = |row: usize, version| all[row].0.known_in(version);
        table("operation", all.iter().map(|(_, name)| name.clone()), known)
    }

    /// The profiles whose conditions the server meets, their authentication suites aside.
    fn profiles() -> String {
        use profiles::PROFILES;
        let mut settings = Settings::default();
        settings.about.spoken = crate::view::Spoken {
            protocols: vec![profiles::suites::TLS_1_2, profiles::suites::TLS_1_3],
            batch_items: crate::config::Limits::default().batch_items,
            ..Default::default()
        };
        settings.about.https.push(crate::view::Endpoint { uri: "https://localhost/kmip".into(), port: 5697 });
        let fulfilled = |row: usize, version| {
            let profile = &PROFILES[row];
            profile.suite.is_of_messages() && profile.name_in(version).is_some() && profile.is_met(version, &settings)
        };
        let shown: Vec<usize> =
            (0..PROFILES.len()).filter(|&row| Version::ALL.iter().any(|&version| fulfilled(row, version))).collect();
        let names = shown.iter().map(|&row| PROFILES[row].name.to_owned());
        table("profile", names, |row, version| fulfilled(shown[row], version))
    }

    /// A row for each name, a column for each version.
    fn table(title: &str, names: impl Iterator<Item = String>, holds: impl Fn(usize, Version) -> bool) -> String {
        let mut versions = Version::ALL.to_vec();
        versions.reverse();
        let mut text = format!("| {title} |");
        versions.iter().for_each(|version| write!(text, " {version} |").unwrap());
        text.push_str("\n|---|");
        versions.iter().for_each(|_| text.push_str(":-:|"));
        for (row, name) in names.enumerate() {
            write!(text, "\n| {name} |").unwrap();
            for version in &versions {
                text.push_str(if holds(row, *version) { " ✓ |" } else { "  |" });
            }
        }
        text
    }

    /// The text with what stands between a pair of marks replaced.
    fn renewed(readme: &str, mark: &str, table: &str) -> String {
        let (before, rest) = readme.split_once(&format!("<!-- {mark} -->\n")).unwrap();
        let (_, after) = rest.split_once(&format!("\n<!-- /{mark} -->")).unwrap();
        format!("{before}<!-- {mark} -->\n{table}\n<!-- /{mark} -->{after}")
    }

    #[test]
    fn the_readme_has_the_matrix() {
        const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        let readme = std::fs::read_to_string(PATH).unwrap();
        let fresh = renewed(&readme, "matrix", &matrix());
        let fresh = renewed(&fresh, "profiles", &profiles());
        if std::env::var_os("KMIPD_RENEW").is_some() {
            return std::fs::write(PATH, fresh).unwrap();
        }
        assert_eq!(readme, fresh, "KMIPD_RENEW=1 cargo test -p kmipd --lib readme writes this into README.md");
    }

    #[test]
    fn an_operation_has_one_line() {
        for (place, row) in OPERATIONS.iter().enumerate() {
            assert!(
                OPERATIONS.iter().skip(place + 1).all(|other| other.operation != row.operation),
                "{}",
                row.operation
            );
        }
    }
}
