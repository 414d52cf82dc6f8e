//! Discover Versions (KMIP 2.1 §6.1.16, 1.4 §4.26).

use kmip_codec::spec::Version;
use kmip_codec::structure;
use kmip_codec::types::ProtocolVersion;

use super::Handler;
use crate::failure::Outcome;
use crate::view::View;

structure! {
    /// The request and the answer: versions, the preferred one first.
    pub struct Versions {
        /// The versions.
        pub versions: Vec<ProtocolVersion> = ProtocolVersion,
    }
}

/// Discover Versions.
pub struct DiscoverVersions;

impl Handler for DiscoverVersions {
    type Request = Versions;
    type Response = Versions;

    fn run(_: &mut View, request: Versions) -> Outcome<Versions> {
        let ours = Version::ALL.iter().map(|&version| ProtocolVersion::from(version));
        let asked = |version: &ProtocolVersion| request.versions.is_empty() || request.versions.contains(version);
        let mut versions = Vec::with_capacity(Version::ALL.len());
        versions.extend(ours.filter(asked));
        Ok(Versions { versions })
    }
}
