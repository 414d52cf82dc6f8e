//! The profiles of the KMIP Profiles documents, a row each: what a server must have, and so which of them it fulfils.
//!
//! Query's answer and the README's second matrix come out of [`PROFILES`]. A row asks the other tables: the operations of
//! this server, the object types and attributes of the codec, the key formats, algorithms, curves and hash functions that
//! the server takes as far as it is permitted to, and the TLS that it speaks ([`suites`]).

pub mod suites;

use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, Enumeration, HashingAlgorithm as Hashing, KeyFormatType as Format, ObjectType,
    Operation, ProfileName, RecommendedCurve as Curve, Tag, Version, attribute_by_tag,
};
use kmip_codec::types::{Object, ProfileInformation, ProfileVersion};

use self::suites::Suite;
use super::{SENT, create, create_key_pair, row_of};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::permits::{Leave, Permits};
use crate::crypto::{keyblock, public};
use crate::view::Settings;

/// A profile for servers.
pub struct ProfileRow {
    /// Its name as 2.x has it; 1.x puts the version behind it.
    pub name: &'static str,
    /// The authentication suite that it asks for.
    pub suite: Suite,
    /// What it asks for beyond the Baseline Server.
    pub asks: &'static [Ask],
}

/// Something that the documents of some versions ask for.
pub struct Ask {
    since: Version,
    until: Option<Version>,
    what: What,
}

/// What can be asked of a server. Each thing is asked for as far as a version has it.
enum What {
    /// Operations that clients ask for.
    Operations(&'static [Operation]),
    /// Operations that the server asks clients for.
    Sent(&'static [Operation]),
    /// Types of objects.
    Objects(&'static [ObjectType]),
    /// Attributes.
    Attributes(&'static [Tag]),
    /// Vendor Attributes of one object, as many.
    VendorAttributes(usize),
    /// Items in one batch, as many.
    BatchItems(usize),
    /// Key formats.
    Formats(&'static [Format]),
    /// Keys that are made, by algorithm and length in bits.
    Keys(&'static [(Algorithm, i32)]),
    /// Curves of keys.
    Curves(&'static [Curve]),
    /// Hash functions.
    Hashes(&'static [Hashing]),
    /// A version of TLS.
    Protocol(u16),
    /// Messages over HTTPS, in any of the encodings that go with it.
    Https,
    /// Requests of the server over HTTPS: Put and Notify leave over TLS alone.
    AsksOverHttps,
    /// Every operation, object, key format, algorithm, curve and hash function that the version has.
    Everything,
}

/// What the Baseline Server asks for (KMIP 1.0 §12.1, KMIP Profiles 2.1 §5.1.2).
const BASELINE: &[Ask] = &[
    ever(What::Operations(&[
        Operation::Locate,
        Operation::Check,
        Operation::Get,
        Operation::GetAttributes,
        Operation::GetAttributeList,
        Operation::AddAttribute,
        Operation::ModifyAttribute,
        Operation::DeleteAttribute,
        Operation::Activate,
        Operation::Revoke,
        Operation::Destroy,
        Operation::Query,
        Operation::DiscoverVersions,
    ])),
    // Interop is among them although no server for production may offer it (KMIP 2.1 §6.1.26): that there is one counts.
    from(
        Version::V2_0,
        What::Operations(&[
            Operation::AdjustAttribute,
            Operation::Export,
            Operation::Import,
            Operation::Interop,
            Operation::Log,
            Operation::Register,
            Operation::SetAttribute,
            Operation::SetEndpointRole,
        ]),
    ),
    from(
        Version::V2_0,
        What::Sent(&[
            Operation::DiscoverVersions,
            Operation::Notify,
            Operation::Put,
            Operation::Query,
            Operation::SetEndpointRole,
        ]),
    ),
    ever(What::Attributes(&[
        Tag::UniqueIdentifier,
        Tag::Name,
        Tag::ObjectType,
        Tag::CryptographicAlgorithm,
        Tag::CryptographicLength,
        Tag::CryptographicParameters,
        Tag::Digest,
        Tag::CryptographicUsageMask,
        Tag::State,
        Tag::InitialDate,
        Tag::ActivationDate,
        Tag::DeactivationDate,
        Tag::CompromiseOccurrenceDate,
        Tag::CompromiseDate,
        Tag::RevocationReason,
        Tag::LastChangeDate,
    ])),
    until(Version::V1_4, What::Attributes(&[Tag::OperationPolicyName])),
    from(
        Version::V2_0,
        What::Attributes(&[
            Tag::AlternativeName,
            Tag::AlwaysSensitive,
            Tag::Comment,
            Tag::Description,
            Tag::Extractable,
            Tag::Fresh,
            Tag::KeyValueLocation,
            Tag::KeyValuePresent,
            Tag::LeaseTime,
            Tag::Link,
            Tag::NeverExtractable,
            Tag::ObjectGroup,
            Tag::OriginalCreationDate,
            Tag::ProcessStartDate,
            Tag::ProtectStopDate,
            Tag::ProtectionStorageMask,
            Tag::RandomNumberGenerator,
            Tag::Sensitive,
            Tag::UsageLimits,
        ]),
    ),
];

/// The profiles for servers, in the order of their numbers.
pub static PROFILES: &[ProfileRow] = &[
    row("Baseline Server", Suite::None, &[]),
    row("Baseline Server Basic", Suite::Basic, &[]),
    row("Baseline Server TLS v1.2", Suite::Tls12, &[]),
    row("Complete Server", Suite::None, &[ever(What::Everything)]),
    row("Complete Server Basic", Suite::Basic, &[ever(What::Everything)]),
    row("Complete Server TLS v1.2", Suite::Tls12, &[ever(What::Everything)]),
    row(
        "Tape Library Server",
        Suite::OneOf,
        &[
            ever(What::Operations(&[Operation::Create])),
            ever(What::Objects(&[ObjectType::SymmetricKey])),
            ever(What::Attributes(&[Tag::ApplicationSpecificInformation, Tag::Attribute])),
            from(Version::V1_2, What::Attributes(&[Tag::AlternativeName])),
            ever(What::VendorAttributes(30)),
            ever(What::BatchItems(32)),
            ever(What::Formats(&[Format::Raw])),
            ever(What::Keys(&[(Algorithm::AES, 256)])),
        ],
    ),
    row(
        "Symmetric Key Lifecycle Server",
        Suite::OneOf,
        &[
            ever(What::Operations(&[Operation::Create])),
            ever(What::Objects(&[ObjectType::SymmetricKey])),
            ever(What::Attributes(&[Tag::ProcessStartDate, Tag::ProtectStopDate])),
            ever(What::Formats(&[Format::Raw, Format::TransparentSymmetricKey])),
            ever(What::Keys(&[(Algorithm::DES3, 168), (Algorithm::AES, 256)])),
        ],
    ),
    row(
        "Asymmetric Key Lifecycle Server",
        Suite::OneOf,
        &[
            ever(What::Objects(&[ObjectType::PublicKey, ObjectType::PrivateKey])),
            ever(What::Attributes(&[Tag::ProcessStartDate, Tag::ProtectStopDate])),
            ever(What::Formats(&[
                Format::Pkcs1,
                Format::Pkcs8,
                Format::TransparentRSAPublicKey,
                Format::TransparentRSAPrivateKey,
            ])),
            ever(What::Keys(&[(Algorithm::RSA, 2048)])),
        ],
    ),
    row("Basic Cryptographic Server", Suite::OneOf, &[BASIC_CRYPTOGRAPHY]),
    row(
        "Advanced Cryptographic Server",
        Suite::OneOf,
        &[
            BASIC_CRYPTOGRAPHY,
            RANDOM,
            ever(What::Operations(&[
                Operation::Sign,
                Operation::SignatureVerify,
                Operation::MAC,
                Operation::MACVerify,
                Operation::Hash,
            ])),
        ],
    ),
    row("RNG Cryptographic Server", Suite::OneOf, &[RANDOM]),
    row(
        "Symmetric Key Foundry Server",
        Suite::OneOf,
        &[
            ever(What::Operations(&[Operation::Create])),
            ever(What::Objects(&[ObjectType::SymmetricKey])),
            ever(What::Attributes(&[Tag::ProcessStartDate, Tag::ProtectStopDate])),
            ever(What::Formats(&[Format::Raw, Format::TransparentSymmetricKey])),
            ever(What::Keys(&[
                (Algorithm::DES3, 168),
                (Algorithm::AES, 128),
                (Algorithm::AES, 192),
                (Algorithm::AES, 256),
            ])),
        ],
    ),
    row(
        "Opaque Managed Object Store Server",
        Suite::OneOf,
        &[ever(What::Operations(&[Operation::Register])), ever(What::Objects(&[ObjectType::OpaqueObject]))],
    ),
    row("Suite B minLOS_128 Server", Suite::B128, SUITE_B),
    row("Suite B minLOS_192 Server", Suite::B192, SUITE_B),
    row(
        "Storage Array with Self Encrypting Drive Server",
        Suite::OneOf,
        &[
            ever(What::Operations(&[Operation::Register])),
            // Templates, as far as there are any.
            ever(What::Objects(&[ObjectType::SecretData, ObjectType::Template])),
            ever(What::Attributes(&[Tag::Attribute])),
            until(Version::V1_4, What::VendorAttributes(10)),
            from(Version::V2_0, What::VendorAttributes(20)),
        ],
    ),
    // Who asks clients does it over HTTPS, too (KMIP Profiles 2.1 §5.3.2).
    row("HTTPS Server", Suite::OneOf, &[ever(What::Https), ever(What::AsksOverHttps)]),
    row("JSON Server", Suite::OneOf, &[ever(What::Https)]),
    row("XML Server", Suite::OneOf, &[ever(What::Https)]),
    // Keys for XTS, which the client uses by itself: the profile has no mode of operation in it.
    row(
        "AES XTS Server",
        Suite::OneOf,
        &[
            ever(What::Operations(&[Operation::Create])),
            ever(What::Objects(&[ObjectType::SymmetricKey])),
            ever(What::Formats(&[Format::Raw, Format::TransparentSymmetricKey])),
            ever(What::Keys(&[(Algorithm::AES, 256)])),
        ],
    ),
    row(
        "Quantum Safe Server",
        Suite::OneOf,
        &[
            ever(What::Protocol(suites::TLS_1_3)),
            ever(What::Operations(&[
                Operation::Certify,
                Operation::Create,
                Operation::CreateKeyPair,
                Operation::Decrypt,
                Operation::Encrypt,
                Operation::ReCertify,
                Operation::Register,
                Operation::ReKey,
                Operation::ReKeyKeyPair,
                Operation::Sign,
                Operation::SignatureVerify,
            ])),
            ever(What::Objects(&[
                ObjectType::Certificate,
                ObjectType::PrivateKey,
                ObjectType::PublicKey,
                ObjectType::SymmetricKey,
            ])),
            ever(What::Attributes(&[Tag::ProtectionLevel, Tag::ProtectionPeriod, Tag::QuantumSafe])),
            ever(What::Formats(&[Format::Raw, Format::X509])),
            ever(What::Keys(&[
                (Algorithm::AES, 256),
                (Algorithm::ChaCha20, 256),
                (Algorithm::ChaCha20Poly1305, 256),
                (Algorithm::McEliece6960119, 0),
                (Algorithm::McEliece8192128, 0),
                (Algorithm::SPHINCS256, 0),
                (Algorithm::Ed25519, 256),
            ])),
            ever(What::Curves(&[Curve::P384, Curve::P521])),
            ever(What::Hashes(&[
                Hashing::SHA384,
                Hashing::SHA512,
                Hashing::SHA3256,
                Hashing::SHA3384,
                Hashing::SHA3512,
            ])),
        ],
    ),
    row("PKCS#11 Server", Suite::OneOf, &[ever(What::Operations(&[Operation::Pkcs11]))]),
];

const BASIC_CRYPTOGRAPHY: Ask = ever(What::Operations(&[Operation::Encrypt, Operation::Decrypt]));

const RANDOM: Ask = ever(What::Operations(&[Operation::RNGRetrieve, Operation::RNGSeed]));

/// What the two Suite B profiles have in common (KMIP Suite B Profile 1.0 §2.3, §4.3), beside their TLS.
const SUITE_B: &[Ask] = &[
    ever(What::Operations(&[
        Operation::Create,
        Operation::CreateKeyPair,
        Operation::Register,
        Operation::ReKey,
        Operation::ReKeyKeyPair,
    ])),
    ever(What::Objects(&[
        ObjectType::Certificate,
        ObjectType::SymmetricKey,
        ObjectType::PublicKey,
        ObjectType::PrivateKey,
    ])),
    ever(What::Curves(&[Curve::P256, Curve::P384])),
    ever(What::Hashes(&[Hashing::SHA256, Hashing::SHA384])),
];

const fn row(name: &'static str, suite: Suite, asks: &'static [Ask]) -> ProfileRow {
    ProfileRow { name, suite, asks }
}

const fn ever(what: What) -> Ask {
    from(Version::V1_0, what)
}

const fn from(since: Version, what: What) -> Ask {
    Ask { since, until: None, what }
}

const fn until(last: Version, what: What) -> Ask {
    Ask { since: Version::V1_0, until: Some(last), what }
}

impl Ask {
    /// Whether the server has it; what a version does not ask for, or does not have, is there.
    fn is_met(&self, version: Version, settings: &Settings) -> bool {
        if !version.within(self.since, self.until) {
            return true;
        }
        let (about, permits) = (&settings.about, &settings.permits);
        match self.what {
            What::Operations(operations) => operations.iter().all(|operation| does(*operation, version)),
            What::Sent(operations) => {
                operations.iter().all(|sent| !sent.known_in(version) || SENT.contains(sent) || ASKED.contains(sent))
            }
            What::Objects(objects) => objects.iter().all(|object| keeps(*object, version)),
            What::Attributes(attributes) => attributes.iter().all(|tag| attribute_by_tag(*tag).is_some()),
            What::VendorAttributes(number) => settings.maximum_attributes >= number,
            What::BatchItems(number) => about.spoken.batch_items >= number,
            What::Formats(formats) => formats.iter().all(|format| reads(*format, version)),
            What::Keys(keys) => keys.iter().all(|(algorithm, bits)| makes(*algorithm, *bits, version, permits)),
            What::Curves(curves) => curves.iter().all(|curve| has_curve(*curve, permits)),
            What::Hashes(hashes) => hashes.iter().all(|hash| hashes_with(*hash, permits)),
            What::Protocol(protocol) => about.spoken.protocols.contains(&protocol),
            What::Https => !about.https.is_empty(),
            What::AsksOverHttps => false,
            What::Everything => {
                all::<Operation>(|value| does(Operation(value), version))
                    && all::<ObjectType>(|value| keeps(ObjectType(value), version))
                    && all::<Format>(|value| reads(Format(value), version))
                    && all::<Algorithm>(|value| {
                        [56, 168, 256].iter().any(|bits| makes(Algorithm(value), *bits, version, permits))
                    })
                    && all::<Curve>(|value| has_curve(Curve(value), permits))
                    && all::<Hashing>(|value| hashes_with(Hashing(value), permits))
            }
        }
    }

    /// Whether the version has anything of it: a profile of operations is none where there is not one of them.
    fn is_known(&self, version: Version) -> bool {
        match self.what {
            What::Operations(operations) => operations.iter().any(|operation| operation.known_in(version)),
            _ => true,
        }
    }
}

/// What the server asks a client that has taken the server's role, beside what it [sends](SENT).
const ASKED: &[Operation] = &[Operation::DiscoverVersions, Operation::Query, Operation::SetEndpointRole];

fn does(operation: Operation, version: Version) -> bool {
    !operation.known_in(version) || row_of(operation, version).is_some() || SENT.contains(&operation)
}

fn keeps(object: ObjectType, version: Version) -> bool {
    !object.known_in(version) || Object::TYPES.contains(&object)
}

fn reads(format: Format, version: Version) -> bool {
    !format.known_in(version) || keyblock::FORMATS.contains(&format)
}

fn makes(algorithm: Algorithm, bits: i32, version: Version, permits: &Permits) -> bool {
    let has = || create::kind_of(algorithm, bits).is_ok() || create_key_pair::is_made(algorithm);
    let may = || permits.algorithm(algorithm, u32::try_from(bits).ok(), Leave::MAKE).is_ok();
    !algorithm.known_in(version) || has() && may()
}

fn has_curve(curve: Curve, permits: &Permits) -> bool {
    keyblock::curve_of(curve).is_some_and(|curve| permits.key(KeyKind::Ec { curve }, Leave::MAKE).is_ok())
}

fn hashes_with(hash: Hashing, permits: &Permits) -> bool {
    public::hash_named(hash).is_some_and(|hash| permits.hash(hash, Leave::PROTECT).is_ok())
}

fn all<E: Enumeration>(holds: impl Fn(u32) -> bool) -> bool {
    E::TABLE.iter().all(|row| holds(row.value))
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

    /// Whether a server that is configured so meets the conditions of the profile in that version, its authentication
    /// suite aside.
    pub fn is_met(&self, version: Version, settings: &Settings) -> bool {
        BASELINE.iter().chain(self.asks).all(|ask| ask.is_met(version, settings))
            && (self.asks.is_empty() || self.asks.iter().any(|ask| ask.is_known(version)))
    }

    /// Whether a server that is configured so fulfils the profile in that version: its conditions, and its
    /// authentication suite (KMIP Profiles 2.1 §6).
    pub fn is_fulfilled(&self, version: Version, settings: &Settings) -> bool {
        self.is_met(version, settings) && self.suite.is_spoken(version, &settings.about.spoken)
    }

    /// Whether the profile is fulfilled only where KMIP is spoken over HTTPS.
    pub fn is_https(&self) -> bool {
        self.asks.iter().any(|ask| matches!(ask.what, What::Https))
    }
}

/// The profiles that the server fulfils, as a version names them: those of its own documents and of older ones.
pub fn fulfilled(version: Version, settings: &Settings) -> Vec<ProfileInformation> {
    let mut fulfilled = Vec::new();
    let older = Version::ALL.iter().rev().filter(|older| older.is_v2() == version.is_v2() && **older <= version);
    for &documents in older {
        for row in PROFILES.iter().filter(|row| row.is_fulfilled(documents, settings)) {
            let Some(name) = row.name_in(documents).filter(|name| name.known_in(version)) else { continue };
            let number = ProfileVersion { major: documents.major.into(), minor: documents.minor.into() };
            let version = version.is_v2().then_some(number);
            let plain = ProfileInformation { name, version, server_uri: None, server_port: None };
            if row.is_https() {
                fulfilled.extend(settings.about.https.iter().map(|endpoint| ProfileInformation {
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
mod tests;
