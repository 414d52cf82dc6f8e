//! Runs all cells, and prints what came of them.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kmip_codec::spec::{Operation, ResultReason, Version};
use kmipd::ops::OPERATIONS;

use crate::cell::{Cell, Provider};
use crate::harness::Kmipd;
use crate::harness::kmip::Nothing;
use crate::{asynchronous, attributes, certificates, cryptography, derivation, life, objects, parts, sessions, token};

const VERSIONS: [Version; 5] = [Version::V1_0, Version::V1_2, Version::V1_4, Version::V2_0, Version::V2_1];

type Scenario = fn(&mut Cell);

/// What is done in the cells of an operation.
fn scenario(operation: Operation) -> Option<Scenario> {
    Some(match operation {
        Operation::Create => objects::create,
        Operation::CreateKeyPair => objects::create_key_pair,
        Operation::Register => objects::register,
        Operation::Locate => objects::locate,
        Operation::Check => objects::check,
        Operation::Get => objects::get,
        Operation::ReKey => life::re_key,
        Operation::ReKeyKeyPair => life::re_key_key_pair,
        Operation::Certify => certificates::certify,
        Operation::ReCertify => certificates::re_certify,
        Operation::Validate => certificates::validate,
        Operation::AdjustAttribute => attributes::adjust_attribute,
        Operation::ObtainLease => life::obtain_lease,
        Operation::GetUsageAllocation => life::get_usage_allocation,
        Operation::Archive => life::archive,
        Operation::Recover => life::recover,
        Operation::Activate => objects::activate,
        Operation::Revoke => objects::revoke,
        Operation::Destroy => objects::destroy,
        Operation::CreateSplitKey => parts::create_split_key,
        Operation::JoinSplitKey => parts::join_split_key,
        Operation::Export => parts::export,
        Operation::Import => parts::import,
        Operation::Query => objects::query,
        Operation::DiscoverVersions => objects::discover_versions,
        Operation::GetAttributes => attributes::get_attributes,
        Operation::GetAttributeList => attributes::get_attribute_list,
        Operation::AddAttribute => attributes::add_attribute,
        Operation::SetAttribute => attributes::set_attribute,
        Operation::ModifyAttribute => attributes::modify_attribute,
        Operation::DeleteAttribute => attributes::delete_attribute,
        Operation::DeriveKey => derivation::derive_key,
        Operation::Encrypt => cryptography::encrypt,
        Operation::Decrypt => cryptography::decrypt,
        Operation::Sign => cryptography::sign,
        Operation::SignatureVerify => cryptography::signature_verify,
        Operation::MAC => cryptography::mac,
        Operation::MACVerify => cryptography::mac_verify,
        Operation::Hash => cryptography::hash,
        Operation::RNGRetrieve => cryptography::rng_retrieve,
        Operation::RNGSeed => cryptography::rng_seed,
        Operation::Poll => asynchronous::poll,
        Operation::SetEndpointRole => asynchronous::set_endpoint_role,
        Operation::Cancel => asynchronous::cancel,
        Operation::Process => asynchronous::process,
        Operation::QueryAsynchronousRequests => asynchronous::query_asynchronous_requests,
        Operation::Interop => objects::interop,
        Operation::ReProvision => sessions::re_provision,
        Operation::Log => sessions::log,
        Operation::Login => sessions::login,
        Operation::Logout => sessions::logout,
        Operation::DelegatedLogin => sessions::delegated_login,
        Operation::Ping => sessions::ping,
        Operation::Pkcs11 => token::pkcs11,
        Operation::SetDefaults => sessions::set_defaults,
        Operation::SetConstraints | Operation::GetConstraints => sessions::constraints,
        _ => return None,
    })
}

/// In a version that lacks the operation.
fn absent(cell: &mut Cell) {
    let operation = cell.operation;
    assert_eq!(cell.kmip.refusal(operation, &Nothing), ResultReason::OperationNotSupported);
}

/// `kmipd dev --hsm` whose keys live in the module unless a request says otherwise: also those of versions that have no
/// Extractable to say it with.
fn softhsm() -> Kmipd {
    let installed = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"];
    let named = std::env::var_os("KMIPD_SOFTHSM").is_some();
    let is_there = named
        || installed.iter().any(|path| std::path::Path::new(path).exists())
        || std::process::Command::new("softhsm2-util").arg("--version").output().is_ok();
    assert!(is_there, "SoftHSM2 is missing: apt-get install softhsm2 (./test installs it)");
    let mut kmipd = Kmipd::dev_with(&["--hsm"]);
    assert!(kmipd.terminate().success());
    let mut file = OpenOptions::new().append(true).open(kmipd.dir.join("kmipd.toml")).unwrap();
    file.write_all(b"\n[keys]\nextractable_by_default = false\n").unwrap();
    kmipd.restart();
    kmipd
}

#[test]
fn every_operation_in_every_version_with_every_provider() {
    let servers = [(Provider::Software, Kmipd::dev()), (Provider::SoftHsm, softhsm())];
    let expected = OPERATIONS.len() * VERSIONS.len() * servers.len();
    let mut table = format!("{:<20}", "");
    for (provider, _) in &servers {
        VERSIONS.iter().for_each(|version| write!(table, "{:>15}", format!("{provider:?} {version}")).unwrap());
    }
    let (mut ran, mut failures) = (0, Vec::new());
    for row in OPERATIONS {
        write!(table, "\n{:<20}", row.operation.to_string()).unwrap();
        for (provider, kmipd) in &servers {
            for version in VERSIONS {
                let work: Scenario = if row.operation.known_in(version) {
                    scenario(row.operation).unwrap_or_else(|| panic!("{} has no scenario", row.operation))
                } else {
                    absent
                };
                let mut cell = Cell::new(kmipd.kmip(version), row.operation, *provider);
                let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut cell)));
                ran += 1;
                let word = match (&outcome, row.operation.known_in(version)) {
                    (Ok(()), true) => "ok",
                    (Ok(()), false) => "-",
                    (Err(_), _) => "FAILED",
                };
                write!(table, "{word:>15}").unwrap();
                if outcome.is_err() {
                    failures.push(format!("{} in KMIP {version} with {provider:?}", row.operation));
                }
            }
        }
    }
    println!("{table}\n(-: the version does not have it, and the server says so)\n{ran} of {expected} cells ran");
    assert_eq!(ran, expected);
    assert!(failures.is_empty(), "{failures:#?}");
}
