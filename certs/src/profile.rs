//! What a certificate shall say: subject, alternative names, use and dates.

use std::net::IpAddr;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose, SanType,
};
use time::{Duration, OffsetDateTime};

use crate::Error;

/// How far back a new certificate begins, so that a peer whose clock is a little slow accepts it.
const CLOCK_SKEW: Duration = Duration::minutes(5);

/// How long a certificate of a server or client lasts. Some TLS libraries refuse more than 825 days.
const LEAF_LIFETIME: Duration = Duration::days(825);

/// What the key of a certificate may be used for (Extended Key Usage, RFC 5280 section 4.2.1.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Usage {
    /// TLS server (`serverAuth`).
    Server,
    /// TLS client (`clientAuth`).
    Client,
}

/// From when to when a certificate is valid (RFC 5280 section 4.1.2.5). Encoded in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment at which the certificate is valid.
    pub not_before: OffsetDateTime,
    /// Last moment at which the certificate is valid.
    pub not_after: OffsetDateTime,
}

impl Validity {
    /// From a few minutes ago until `lifetime` from now.
    pub fn lasting(lifetime: Duration) -> Self {
        let now = OffsetDateTime::now_utc();
        Self { not_before: now - CLOCK_SKEW, not_after: now + lifetime }
    }

    /// Over since an hour.
    pub fn expired() -> Self {
        let now = OffsetDateTime::now_utc();
        Self { not_before: now - Duration::days(2), not_after: now - Duration::hours(1) }
    }

    /// Begins in a day.
    pub fn not_yet() -> Self {
        let now = OffsetDateTime::now_utc();
        Self { not_before: now + Duration::days(1), not_after: now + Duration::days(2) }
    }
}

/// What a certificate shall say. Begin with [`Profile::server`] or [`Profile::client`] and change what differs.
#[derive(Debug, Clone)]
pub struct Profile {
    common_name: String,
    names: Vec<String>,
    usages: Vec<Usage>,
    validity: Validity,
}

impl Profile {
    /// A TLS server that is reached under these host names and addresses; the first one is the Common Name too.
    ///
    /// # Errors
    /// [`Error::NoName`] if the list is empty.
    pub fn server(names: &[&str]) -> Result<Self, Error> {
        let first = names.first().ok_or(Error::NoName)?;
        Ok(Self::new(first, Usage::Server).names(names))
    }

    /// A TLS client with this Common Name and no alternative name.
    pub fn client(common_name: &str) -> Self {
        Self::new(common_name, Usage::Client)
    }

    /// Replaces the subject alternative names. What looks like an IP address, a URI (`scheme://…`) or a mail
    /// address becomes one, anything else must be a host name.
    #[must_use]
    pub fn names(mut self, names: &[&str]) -> Self {
        self.names = names.iter().map(ToString::to_string).collect();
        self
    }

    /// Replaces the uses. With none, the certificate has no Extended Key Usage at all, which most peers take
    /// as "any use".
    #[must_use]
    pub fn usages(mut self, usages: &[Usage]) -> Self {
        self.usages = usages.to_vec();
        self
    }

    /// Replaces the dates. A certificate never outlasts its authority: the end is moved to the authority's.
    #[must_use]
    pub fn valid(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    fn new(common_name: &str, usage: Usage) -> Self {
        Self {
            common_name: common_name.to_owned(),
            names: Vec::new(),
            usages: vec![usage],
            validity: Validity::lasting(LEAF_LIFETIME),
        }
    }

    /// The parameters of a certificate whose authority is valid until `limit`.
    pub(crate) fn params(&self, limit: OffsetDateTime) -> Result<CertificateParams, Error> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(&self.common_name);
        params.not_before = self.validity.not_before;
        params.not_after = self.validity.not_after.min(limit);
        if params.not_after <= params.not_before {
            return Err(Error::Validity);
        }
        params.subject_alt_names = self.names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = self
            .usages
            .iter()
            .map(|usage| match usage {
                Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
                Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
            })
            .collect();
        params.use_authority_key_identifier_extension = true;
        Ok(params)
    }
}

/// A subject with nothing but a Common Name.
pub(crate) fn common_name(name: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    subject
}

/// A subject of these parts, in their order. Text is PrintableString where it can be, as older peers expect it.
pub(crate) fn distinguished_name(parts: &[(&str, &str)]) -> Result<DistinguishedName, Error> {
    let mut subject = DistinguishedName::new();
    for (kind, value) in parts {
        let refused = || Error::Name((*value).to_owned());
        let kind = match *kind {
            "C" => DnType::CountryName,
            "ST" => DnType::StateOrProvinceName,
            "L" => DnType::LocalityName,
            "O" => DnType::OrganizationName,
            "OU" => DnType::OrganizationalUnitName,
            "CN" => DnType::CommonName,
            _ => return Err(refused()),
        };
        let value = rcgen::string::PrintableString::try_from(*value).map_err(|_| refused())?;
        subject.push(kind, DnValue::PrintableString(value));
    }
    Ok(subject)
}

fn alternative_name(name: &str) -> Result<SanType, Error> {
    let refused = || Error::Name(name.to_owned());
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    let text = rcgen::string::Ia5String::try_from(name).map_err(|_| refused())?;
    if name.chars().any(|c| c.is_ascii_whitespace() || c.is_ascii_control()) {
        return Err(refused());
    }
    if name.contains("://") {
        return Ok(SanType::URI(text));
    }
    if name.contains('@') {
        return Ok(SanType::Rfc822Name(text));
    }
    // A wildcard stands for the whole leftmost label (RFC 9525 section 6.3).
    let labels = name.strip_prefix("*.").unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if labels.split('.').all(is_label) { Ok(SanType::DnsName(text)) } else { Err(refused()) }
}
