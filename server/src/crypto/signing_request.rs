//! Certificate requests in PKCS#10 (RFC 2986), in DER or PEM, and in CRMF: what they ask for, and whether who asks has the key.

use kmip_codec::spec::{CertificateRequestType, ResultReason};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, pem};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralNames;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName, SubjectKeyIdentifier};
use x509_cert::name::Name;
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq};

use super::crmf;
use super::signed::{Signed, Verdict};
use crate::failure::{Failure, Outcome};

/// The labels of requests in PEM (RFC 7468 §7), the second one as older tools write it.
const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// What a certificate request asks for. Who made it has the private key: its signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRequest {
    /// Which authority is to make the certificate, where the request says it.
    pub issuer: Option<Name>,
    /// From when to when it is to be valid, in seconds, as far as the request says it.
    pub validity: (Option<i64>, Option<i64>),
    /// Whom the certificate is for.
    pub subject: Name,
    /// The public key, as SubjectPublicKeyInfo DER.
    pub public_key: Vec<u8>,
    /// Further names.
    pub names: GeneralNames,
    /// What the key is for.
    pub key_usage: Option<KeyUsage>,
    /// What the key is for, more exactly.
    pub extended: Option<Vec<ObjectIdentifier>>,
    /// An identifier of the key.
    pub key_identifier: Option<Vec<u8>>,
}

/// The DER of a request of a type.
///
/// # Errors
/// Feature Not Supported for PGP; Invalid CSR for what is no PEM of a request.
fn der(kind: CertificateRequestType, bytes: &[u8]) -> Outcome<Vec<u8>> {
    match kind {
        CertificateRequestType::Pkcs10 => Ok(bytes.to_vec()),
        CertificateRequestType::PEM => match pem::decode_vec(bytes) {
            Ok((label, der)) if LABELS.contains(&label) => Ok(der),
            _ => Err(invalid("the Certificate Request is no certificate request in PEM")),
        },
        other => Err(Failure::unsupported(format!("certificate requests of the type {other} are not read here"))),
    }
}

/// What a PKCS#10 request says, in DER or PEM, before anything of it is checked.
///
/// # Errors
/// As [`SigningRequest::open`].
pub(super) fn parse(kind: CertificateRequestType, bytes: &[u8]) -> Outcome<CertReq> {
    CertReq::from_der(&der(kind, bytes)?).map_err(|_| invalid(format!("the Certificate Request is no {kind} request")))
}

impl SigningRequest {
    /// Reads a request, and verifies its signature: proof that who made it has the private key.
    ///
    /// # Errors
    /// Feature Not Supported for other types than PKCS#10, PEM and CRMF, for signatures that this server cannot verify, and for
    /// extensions that it does not know; Invalid CSR for what is malformed, or not signed by the key that it holds; Permission
    /// Denied for a request to be a certification authority; and what stands against a request in CRMF.
    pub fn open(kind: CertificateRequestType, bytes: &[u8]) -> Outcome<Self> {
        let (mut asked, extensions) = match kind {
            CertificateRequestType::CRMF => crmf::open(bytes)?,
            _ => Self::open_pkcs10(kind, bytes)?,
        };
        let twice =
            |(at, one): (usize, &Extension)| extensions.iter().skip(at + 1).any(|other| other.extn_id == one.extn_id);
        if extensions.iter().enumerate().any(twice) {
            return Err(invalid("the Certificate Request asks for an extension twice"));
        }
        for extension in &extensions {
            asked.take(extension)?;
        }
        Ok(asked)
    }

    fn open_pkcs10(kind: CertificateRequestType, bytes: &[u8]) -> Outcome<(Self, Vec<Extension>)> {
        let request = parse(kind, bytes)?;
        let malformed = |_| invalid(format!("the Certificate Request is no {kind} request"));
        let public_key = request.info.public_key.to_der().map_err(malformed)?;
        let der = der(kind, bytes)?;
        Self::proven(Signed::open(&der).map_err(malformed)?.by(&public_key))?;
        let extensions = extensions(&request.info)?;
        Ok((Self::of(request.info.subject, public_key), extensions))
    }

    /// A request for a name and a key, and for nothing else.
    pub(super) fn of(subject: Name, public_key: Vec<u8>) -> Self {
        Self {
            issuer: None,
            validity: (None, None),
            subject,
            public_key,
            names: GeneralNames::new(),
            key_usage: None,
            extended: None,
            key_identifier: None,
        }
    }

    /// Whether the signature says that who made the request has the key.
    ///
    /// # Errors
    /// Invalid CSR; Feature Not Supported.
    pub(super) fn proven(verdict: Verdict) -> Outcome<()> {
        match verdict {
            Verdict::Good(_) => Ok(()),
            Verdict::Bad => Err(invalid("the Certificate Request is not signed by the key that it holds")),
            Verdict::Unknown => {
                Err(Failure::unsupported("the Certificate Request is signed in a way that this server cannot verify"))
            }
        }
    }

    /// Takes an extension that is asked for.
    fn take(&mut self, extension: &Extension) -> Outcome<()> {
        fn read<'a, T: Decode<'a>>(extension: &'a Extension) -> Outcome<T> {
            T::from_der(extension.extn_value.as_bytes())
                .map_err(|_| invalid("an extension that the Certificate Request asks for cannot be read"))
        }
        match extension.extn_id {
            SubjectAltName::OID => self.names = read::<SubjectAltName>(extension)?.0,
            KeyUsage::OID => self.key_usage = Some(read(extension)?),
            ExtendedKeyUsage::OID => self.extended = Some(read::<ExtendedKeyUsage>(extension)?.0),
            SubjectKeyIdentifier::OID => {
                self.key_identifier = Some(read::<SubjectKeyIdentifier>(extension)?.0.as_bytes().to_vec());
            }
            BasicConstraints::OID if !read::<BasicConstraints>(extension)?.ca => {}
            BasicConstraints::OID => {
                return Err(Failure::new(
                    ResultReason::PermissionDenied,
                    "no certificate of a certification authority is made here",
                ));
            }
            other => {
                return Err(Failure::unsupported(format!(
                    "the Certificate Request asks for the extension {other}, which certificates do not get here"
                )));
            }
        }
        Ok(())
    }
}

/// The extensions that a request asks for. Other attributes of a request (a challenge password, what program has made it) are
/// nothing that a certificate says.
fn extensions(info: &CertReqInfo) -> Outcome<Vec<Extension>> {
    let wanted = info.attributes.iter().filter(|attribute| attribute.oid == ExtensionReq::OID);
    let mut all: Vec<Extension> = Vec::new();
    for value in wanted.flat_map(|attribute| attribute.values.iter()) {
        let list = value.decode_as::<Vec<Extension>>();
        all.extend(list.map_err(|_| invalid("the extensions that the Certificate Request asks for cannot be read"))?);
    }
    Ok(all)
}

/// A request that is none.
pub(super) fn invalid(why: impl Into<String>) -> Failure {
    Failure::new(ResultReason::InvalidCSR, why)
}
