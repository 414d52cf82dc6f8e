//! Who a client is: one name, taken from one configured part of its certificate.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use kmip_codec::ttlv::Blob;
use x509_cert::Certificate;
use x509_cert::der::asn1::{
    BmpString, Ia5StringRef, ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef,
};
use x509_cert::der::{Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::link::Link;
use crate::config::IdentitySource;

/// The longest identity, in bytes. RFC 5280 allows a Common Name 64 characters; names of services (URIs) are longer.
pub const MAX_LENGTH: usize = 256;

/// How the names of users and devices begin where objects have owners: no certificate can take one.
pub const RESERVED: [&str; 2] = [USER, DEVICE];
pub(super) const USER: &str = "user:";
pub(super) const DEVICE: &str = "device:";

/// id-at-commonName (RFC 5280 appendix A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// SHA-256 of a certificate in DER.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    pub fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest(&SHA256, der).as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads 64 hexadecimal digits, colons between them allowed, as openssl prints them.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.replace(':', "");
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        Some(Self(bytes))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The name of a client: not empty, at most [`MAX_LENGTH`] bytes, without control characters or outer blanks.
/// Two certificates with the same name are the same client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(Arc<str>);

impl Identity {
    /// Takes a name if it can be one.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn new(name: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("is empty".to_owned());
        }
        if name.len() > MAX_LENGTH {
            return Err(format!("is {} bytes long; {MAX_LENGTH} are allowed", name.len()));
        }
        if name.chars().any(char::is_control) {
            return Err("has control characters".to_owned());
        }
        if name.trim() != name {
            return Err("begins or ends with a blank".to_owned());
        }
        if let Some(prefix) = RESERVED.iter().find(|prefix| name.starts_with(**prefix)) {
            return Err(format!("begins with \"{prefix}\", which is kept for users and devices of the configuration"));
        }
        Ok(Self(Arc::from(name)))
    }

    /// Reads the identity from the configured part of a certificate.
    ///
    /// # Errors
    /// The part is not there, stands there twice, or cannot be a name; in words, with what to do.
    pub fn of(certificate: &Certificate, fingerprint: Fingerprint, source: IdentitySource) -> Result<Self, String> {
        let name = match source {
            IdentitySource::Cn => common_name(certificate)?,
            IdentitySource::SanDns => alternative(certificate, "DNS name", |name| match name {
                GeneralName::DnsName(text) => Some(text.as_str()),
                _ => None,
            })?,
            IdentitySource::SanUri => alternative(certificate, "URI", |name| match name {
                GeneralName::UniformResourceIdentifier(text) => Some(text.as_str()),
                _ => None,
            })?,
            IdentitySource::SanEmail => alternative(certificate, "mail address", |name| match name {
                GeneralName::Rfc822Name(text) => Some(text.as_str()),
                _ => None,
            })?,
            IdentitySource::Fingerprint => fingerprint.to_string(),
        };
        Self::new(&name).map_err(|wrong| format!("its identity {name:?} {wrong}"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name, to be kept.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A client's certificates in DER, its own first.
pub type Certificates = Arc<[Blob]>;

/// What is known of a client that was let in. All its connections share it.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// Who it is.
    pub identity: Identity,
    /// Its certificate.
    pub link: Arc<Link>,
    /// All its certificates, to judge it by again, also when it is not there.
    pub certificates: Certificates,
    /// The set of trusted certificates and refused clients that admitted it; a greater one asks again.
    pub epoch: u64,
    /// When the first certificate of its chain ends.
    pub until: SystemTime,
}

/// A client that was admitted, on one connection.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who it is.
    pub admitted: Arc<Admitted>,
    /// Where it comes from.
    pub address: SocketAddr,
    /// Whether the server could ask on its connection.
    pub is_askable: bool,
}

fn common_name(certificate: &Certificate) -> Result<String, String> {
    let mut names = certificate
        .tbs_certificate
        .subject
        .0
        .iter()
        .flat_map(|part| part.0.iter())
        .filter(|attribute| attribute.oid == COMMON_NAME);
    let (Some(name), another) = (names.next(), names.next()) else {
        return Err("its subject has no Common Name, which [identity] from = \"cn\" asks for".to_owned());
    };
    if another.is_some() {
        return Err("its subject has more than one Common Name; which is the client's cannot be told".to_owned());
    }
    let value = &name.value;
    let text = match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().map(|text| text.to_string()),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().map(|text| text.to_string()),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().map(|text| text.to_string()),
        Tag::TeletexString => value.decode_as::<TeletexStringRef<'_>>().map(|text| text.to_string()),
        Tag::BmpString => value.decode_as::<BmpString>().map(|text| text.to_string()),
        other => return Err(format!("its Common Name is a {other}, not a text")),
    };
    text.map_err(|error| format!("its Common Name cannot be read: {error}"))
}

fn alternative(
    certificate: &Certificate,
    kind: &str,
    pick: impl Fn(&GeneralName) -> Option<&str>,
) -> Result<String, String> {
    let names = certificate
        .tbs_certificate
        .get::<SubjectAltName>()
        .map_err(|error| format!("its Subject Alternative Name cannot be read: {error}"))?;
    names
        .iter()
        .flat_map(|(_, names)| names.0.iter())
        .find_map(pick)
        .map(str::to_owned)
        .ok_or_else(|| format!("it has no {kind} in the Subject Alternative Name, which [identity] asks for"))
}

#[cfg(test)]
mod tests {
    use kmipd_certs::{Authority, Profile};
    use x509_cert::der::{DecodePem, Encode};

    use super::*;

    fn identity(profile: Profile, source: IdentitySource) -> Result<String, String> {
        let pem = Authority::new().unwrap().issue(&profile).unwrap().cert_pem;
        let certificate = Certificate::from_pem(&pem).unwrap();
        let fingerprint = Fingerprint::of(&certificate.to_der().unwrap());
        Identity::of(&certificate, fingerprint, source).map(|identity| identity.to_string())
    }

    fn client() -> Profile {
        Profile::client("backup").names(&["b.example.org", "a.example.org", "b@example.org", "urn://tenant/7"])
    }

    #[test]
    fn each_source_reads_its_part() {
        assert_eq!(identity(client(), IdentitySource::Cn).unwrap(), "backup");
        assert_eq!(identity(client(), IdentitySource::SanDns).unwrap(), "b.example.org");
        assert_eq!(identity(client(), IdentitySource::SanEmail).unwrap(), "b@example.org");
        assert_eq!(identity(client(), IdentitySource::SanUri).unwrap(), "urn://tenant/7");
        assert_eq!(identity(client(), IdentitySource::Fingerprint).unwrap().len(), 64);
    }

    #[test]
    fn a_missing_part_is_named() {
        let said = identity(Profile::client("backup"), IdentitySource::SanUri).unwrap_err();
        assert!(said.contains("no URI in the Subject Alternative Name"), "{said}");
    }

    #[test]
    fn what_cannot_be_a_name_is_refused() {
        for (name, wrong) in [
            ("", "empty"),
            ("a\nb", "control"),
            ("a\u{0}", "control"),
            (" a", "blank"),
            ("user:a", "kept for users"),
            ("device:a", "kept for users"),
            (&"a".repeat(257), "257 bytes"),
        ] {
            let said = Identity::new(name).unwrap_err();
            assert!(said.contains(wrong), "{name:?}: {said}");
        }
        assert!(identity(Profile::client("a\nb"), IdentitySource::Cn).unwrap_err().contains("control"));
        assert!(Identity::new(&"a".repeat(256)).is_ok());
    }

    #[test]
    fn a_fingerprint_is_read_as_openssl_prints_it() {
        let fingerprint = Fingerprint::of(b"certificate");
        let plain = fingerprint.to_string();
        let colons: Vec<String> =
            plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        assert_eq!(Fingerprint::parse(&plain), Some(fingerprint));
        assert_eq!(Fingerprint::parse(&colons.join(":")), Some(fingerprint));
        assert_eq!(Fingerprint::parse(&format!("{plain}00")), None);
    }
}
