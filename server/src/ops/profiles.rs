//! The profiles of the KMIP Profiles documents, a row each: what a server must have, and so which of them it fulfils.
//!
//! Query's answer and the README's second matrix come out of [`PROFILES`]. A row asks the other tables: the operations of
//! this server, the object types of the codec, the key formats that the server takes apart.

use kmip_codec::spec::{KeyFormatType, ObjectType, Operation, ProfileName, Version};
use kmip_codec::types::{Object, ProfileInformation, ProfileVersion};

use crate::crypto::keyblock;
use crate::ops::{SENT, row_of};
use crate::view::Endpoint;

/// A profile for servers.
pub struct ProfileRow {
    /// Its name as 2.x has it; 1.x puts the version behind it.
    pub name: &'static str,
    /// What it asks for.
    pub asks: Asks,
}

/// What a profile asks of a server beyond the Baseline Server.
pub enum Asks {
    /// Operations, objects and key formats, as far as a version has them.
    For(&'static [Operation], &'static [ObjectType], &'static [KeyFormatType]),
    /// Every operation and object that the version has.
    Everything,
    /// Messages over HTTPS, in any of the encodings that go with it.
    Https,
    /// Something that this server does not have: the reason.
    Lacking(&'static str),
}

/// The operations of the Baseline Server (KMIP 1.0 §12.1, KMIP Profiles 1.1 to 2.1).
const BASELINE: &[Operation] = &[
    Operation::Locate,
    Operation::Check,
    Operation::Get,
    Operation::GetAttributes,
    Operation::GetAttributeList,
    Operation::AddAttribute,
    Operation::ModifyAttribute,
    Operation::DeleteAttribute,
    Operation::SetAttribute,
    Operation::Activate,
    Operation::Revoke,
    Operation::Destroy,
    Operation::Query,
    Operation::DiscoverVersions,
];

const SUITE: &str = "TLS offers no RSA key exchange and no CBC, which the profile's authentication suite asks for";

/// The profiles for servers, in the order of their numbers.
pub static PROFILES: &[ProfileRow] = &[
    row("Baseline Server", Asks::For(&[], &[], &[])),
    row("Baseline Server Basic", Asks::Lacking(SUITE)),
    row("Baseline Server TLS v1.2", Asks::Lacking(SUITE)),
    row("Complete Server", Asks::Everything),
    row("Complete Server Basic", Asks::Lacking(SUITE)),
    row("Complete Server TLS v1.2", Asks::Lacking(SUITE)),
    row("Tape Library Server", Asks::For(&[Operation::Create], &[ObjectType::SymmetricKey], &[KeyFormatType::Raw])),
    row(
        "Symmetric Key Lifecycle Server",
        Asks::For(
            &[Operation::Create],
            &[ObjectType::SymmetricKey],
            &[KeyFormatType::Raw, KeyFormatType::TransparentSymmetricKey],
        ),
    ),
    row(
        "Asymmetric Key Lifecycle Server",
        Asks::For(
            &[Operation::CreateKeyPair],
            &[ObjectType::PublicKey, ObjectType::PrivateKey],
            &[
                KeyFormatType::Pkcs1,
                KeyFormatType::Pkcs8,
                KeyFormatType::TransparentRSAPublicKey,
                KeyFormatType::TransparentRSAPrivateKey,
            ],
        ),
    ),
    row("Basic Cryptographic Server", Asks::For(&[Operation::Encrypt, Operation::Decrypt], &[], &[])),
    row(
        "Advanced Cryptographic Server",
        Asks::For(
            &[
                Operation::Encrypt,
                Operation::Decrypt,
                Operation::Sign,
                Operation::SignatureVerify,
                Operation::MAC,
                Operation::MACVerify,
                Operation::Hash,
                Operation::RNGRetrieve,
                Operation::RNGSeed,
            ],
            &[],
            &[],
        ),
    ),
    row("RNG Cryptographic Server", Asks::For(&[Operation::RNGRetrieve, Operation::RNGSeed], &[], &[])),
    row(
        "Symmetric Key Foundry Server",
        Asks::For(
            &[Operation::Create, Operation::ReKey],
            &[ObjectType::SymmetricKey],
            &[KeyFormatType::Raw, KeyFormatType::TransparentSymmetricKey],
        ),
    ),
    row("Opaque Managed Object Store Server", Asks::For(&[Operation::Register], &[ObjectType::OpaqueObject], &[])),
    row("Suite B minLOS_128 Server", Asks::Lacking("TLS is not confined to Suite B")),
    row("Suite B minLOS_192 Server", Asks::Lacking("TLS is not confined to Suite B")),
    row(
        "Storage Array with Self Encrypting Drive Server",
        Asks::For(&[Operation::Register], &[ObjectType::SecretData, ObjectType::Template], &[]),
    ),
    row("HTTPS Server", Asks::Https),
    row("JSON Server", Asks::Https),
    row("XML Server", Asks::Https),
    row("AES XTS Server", Asks::Lacking("no provider has AES in XTS")),
    row("Quantum Safe Server", Asks::Lacking("no provider has algorithms that withstand quantum computers")),
    row("PKCS#11 Server", Asks::For(&[Operation::Pkcs11], &[], &[])),
];

const fn row(name: &'static str, asks: Asks) -> ProfileRow {
    ProfileRow { name, asks }
}

impl ProfileRow {
    /// The profile's name in a version, if that version's documents have the profile.
    pub fn name_in(&self, version: Version) -> Option<ProfileName> {
        if version.is_v2() {
            ProfileName::from_name(self.name)
        } else {
            ProfileName::from_name(&format!("{} KMIP v{version}", self.name))
        }
    }

    /// Whether a server that speaks HTTPS, or does not, fulfils the profile in that version.
    pub fn is_fulfilled(&self, version: Version, https: bool) -> bool {
        let does = |operation: &Operation| {
            !operation.known_in(version) || row_of(*operation, version).is_some() || SENT.contains(operation)
        };
        let keeps = |object: &ObjectType| !object.known_in(version) || Object::TYPES.contains(object);
        let reads = |format: &KeyFormatType| !format.known_in(version) || keyblock::FORMATS.contains(format);
        let is_baseline = BASELINE.iter().all(does);
        match self.asks {
            Asks::For(operations, objects, formats) => {
                is_baseline
                    && operations.iter().all(does)
                    && objects.iter().all(keeps)
                    && formats.iter().all(reads)
                    // A profile of operations is none in a version that has not one of them.
                    && (operations.is_empty() || operations.iter().any(|operation| operation.known_in(version)))
            }
            Asks::Everything => {
                let all = <Operation as kmip_codec::spec::Enumeration>::TABLE;
                let objects = <ObjectType as kmip_codec::spec::Enumeration>::TABLE;
                all.iter().all(|row| does(&Operation(row.value)))
                    && objects.iter().all(|row| keeps(&ObjectType(row.value)))
            }
            Asks::Https => is_baseline && https,
            Asks::Lacking(_) => false,
        }
    }

    /// Where the profile is fulfilled, if it is not wherever KMIP is spoken.
    pub const fn is_https(&self) -> bool {
        matches!(self.asks, Asks::Https)
    }
}

/// The profiles that the server fulfils, as a version names them: those of its own documents and of older ones.
pub fn fulfilled(version: Version, https: &[Endpoint]) -> Vec<ProfileInformation> {
    let mut fulfilled = Vec::new();
    let older = Version::ALL.iter().rev().filter(|older| older.is_v2() == version.is_v2() && **older <= version);
    for &documents in older {
        for row in PROFILES.iter().filter(|row| row.is_fulfilled(documents, !https.is_empty())) {
            let Some(name) = row.name_in(documents).filter(|name| name.known_in(version)) else { continue };
            let number = ProfileVersion { major: documents.major.into(), minor: documents.minor.into() };
            let version = version.is_v2().then_some(number);
            let plain = ProfileInformation { name, version, server_uri: None, server_port: None };
            if row.is_https() {
                fulfilled.extend(https.iter().map(|endpoint| ProfileInformation {
                    server_uri: Some(endpoint.uri.clone()),
                    server_port: Some(endpoint.port.into()),
                    ..plain.clone()
                }));
            } else {
                fulfilled.push(plain);
            }
        }
    }
    fulfilled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_profile_of_the_enumeration_has_a_row() {
        for row in <ProfileName as kmip_codec::spec::Enumeration>::TABLE {
            if !row.name.contains("Server") {
                continue;
            }
            let rows = PROFILES.iter().filter(|profile| {
                Version::ALL.iter().any(|&version| profile.name_in(version) == Some(ProfileName(row.value)))
            });
            assert_eq!(rows.count(), 1, "{}", row.name);
        }
    }

    #[test]
    fn a_profile_is_claimed_only_by_the_versions_that_name_it() {
        assert!(fulfilled(Version::V1_2, &[]).is_empty());
        let of = |version| fulfilled(version, &[]).into_iter().map(|profile| profile.name).collect::<Vec<_>>();
        assert!(of(Version::V1_3).contains(&ProfileName::TapeLibraryServerKMIPV13));
        assert!(!of(Version::V1_3).contains(&ProfileName::TapeLibraryServerKMIPV14));
        assert!(of(Version::V1_4).contains(&ProfileName::TapeLibraryServerKMIPV10));
        assert!(of(Version::V2_0).contains(&ProfileName::BaselineServer));
        assert!(!of(Version::V2_1).contains(&ProfileName::TapeLibraryServerKMIPV14));
    }

    #[test]
    fn where_https_is_spoken_is_said() {
        let is_https = |profile: &ProfileInformation| profile.name == ProfileName::HTTPSServer;
        assert!(!fulfilled(Version::V2_1, &[]).iter().any(is_https));
        let endpoint = Endpoint { uri: "https://keys.example.org:5697/kmip".into(), port: 5697 };
        let claimed = fulfilled(Version::V2_1, &[endpoint]);
        let https: Vec<_> = claimed.iter().filter(|profile| is_https(profile)).collect();
        assert_eq!(https.len(), 2);
        assert!(https.iter().all(|profile| profile.server_port == Some(5697) && profile.server_uri.is_some()));
        assert_eq!(https[1].version, Some(ProfileVersion { major: 2, minor: 1 }));
    }
}
