//! Certificate requests in CRMF (RFC 4211): what they ask for, and whether who asks has the key.
//!
//! They are taken apart field by field, each as the bytes that came: a signature is over those.

use x509_cert::der::asn1::{AnyRef, BitString};
use x509_cert::der::{self, Any, Decode, Encode, Reader, SliceReader, Tag, Tagged};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Time;

use super::signed::Signed;
use super::signing_request::{SigningRequest, invalid};
use crate::failure::{Failure, Outcome};

/// A request as it is read, before any of it is judged.
struct Message<'a> {
    /// The CertRequest, which the proof of possession is about.
    request: &'a [u8],
    /// What it asks for.
    template: Template,
    /// Whether it has controls, or information for a registration authority.
    has_more: bool,
    proof: Option<Proof>,
}

/// What a certificate is wanted to be (RFC 4211 §5).
#[derive(Default)]
struct Template {
    issuer: Option<Name>,
    not_before: Option<i64>,
    not_after: Option<i64>,
    subject: Option<Name>,
    /// As SubjectPublicKeyInfo DER.
    public_key: Option<Vec<u8>>,
    extensions: Vec<Extension>,
    /// Whether it has fields that the authority alone sets.
    exceeds: bool,
}

/// The proof that who asks has the private key (RFC 4211 §4).
enum Proof {
    /// A registration authority vouches for it.
    Vouched,
    /// A signature over the request, or over something else that it is bound to.
    Signature { over_request: bool, algorithm: AlgorithmIdentifierOwned, signature: BitString },
    /// Something that a key does which encrypts or agrees.
    Otherwise,
}

/// Reads a request, and verifies the proof that who made it has the private key.
///
/// # Errors
/// Invalid CSR for what is malformed, says no subject or key, sets what the authority sets, and for a missing or wrong proof;
/// Feature Not Supported for several requests in one, other proofs than a signature over the request, controls, and registration
/// information.
pub(super) fn open(bytes: &[u8]) -> Outcome<(SigningRequest, Vec<Extension>)> {
    let malformed = |_| invalid("the Certificate Request is no CRMF request");
    let Some(message) = message(bytes).and_then(|one| one.map(Message::open).transpose()).map_err(malformed)? else {
        return Err(Failure::unsupported(
            "one certificate is requested at a time, and the Certificate Request asks for several",
        ));
    };
    let Message { request, template, has_more, proof } = message;
    if template.exceeds {
        return Err(invalid("the Certificate Request sets a field of the certificate that the authority alone sets"));
    }
    if has_more {
        return Err(Failure::unsupported(
            "the Certificate Request has controls or registration information, which are not heeded here",
        ));
    }
    let (Some(subject), Some(public_key)) = (template.subject, template.public_key) else {
        return Err(invalid("the Certificate Request does not say both for whom it is and which key is certified"));
    };
    let verdict = match proof {
        Some(Proof::Signature { over_request: true, algorithm, signature }) => {
            Signed::over(request, algorithm, signature).by(&public_key)
        }
        Some(Proof::Signature { .. }) => {
            return Err(Failure::unsupported(
                "the proof of possession is a signature over something else than the request",
            ));
        }
        Some(Proof::Vouched) => {
            return Err(Failure::unsupported("no registration authority vouches here for the possession of a key"));
        }
        Some(Proof::Otherwise) => {
            return Err(Failure::unsupported("possession of a key is proven here by a signature alone"));
        }
        None => return Err(invalid("the Certificate Request does not prove the possession of the key")),
    };
    SigningRequest::proven(verdict)?;
    let asked = SigningRequest {
        issuer: template.issuer,
        validity: (template.not_before, template.not_after),
        ..SigningRequest::of(subject, public_key)
    };
    Ok((asked, template.extensions))
}

/// The public key that a request is for, as SubjectPublicKeyInfo DER; `None` for what is not one request, and for one that does
/// not say it.
pub(super) fn public_key(bytes: &[u8]) -> Option<Vec<u8>> {
    Message::open(message(bytes).ok()??).ok()?.template.public_key
}

/// The one CertReqMsg of CertReqMessages, or what is a CertReqMsg itself; `None` where there are several.
fn message(bytes: &[u8]) -> der::Result<Option<&[u8]>> {
    let all = fields(bytes)?;
    let first = all.first().copied().ok_or_else(|| Tag::Sequence.value_error())?;
    // A CertReqMsg begins with a CertRequest, and that with a number.
    let within = fields(first)?;
    if within.first().is_some_and(|field| is(field, Tag::Integer)) {
        return Ok(Some(bytes));
    }
    Ok(Some(first).filter(|_| all.len() == 1))
}

impl<'a> Message<'a> {
    fn open(bytes: &'a [u8]) -> der::Result<Self> {
        let all = fields(bytes)?;
        let (request, rest) = all.split_first().ok_or_else(|| Tag::Sequence.value_error())?;
        let mut inner = fields(request)?.into_iter();
        let (Some(number), Some(template)) = (inner.next(), inner.next()) else {
            return Err(Tag::Sequence.value_error());
        };
        if !is(number, Tag::Integer) {
            return Err(Tag::Integer.value_error());
        }
        let proof = rest.first().filter(|field| !is(field, Tag::Sequence));
        let proof = proof.map(|field| Proof::open(field)).transpose()?;
        let further = rest.len() - usize::from(proof.is_some());
        let has_more = inner.next().is_some() || further > 0;
        Ok(Self { request, template: Template::open(template)?, has_more, proof })
    }
}

impl Template {
    fn open(bytes: &[u8]) -> der::Result<Self> {
        let mut template = Self::default();
        for (number, value) in numbered(fields(bytes)?)? {
            match number {
                // Version 3 is what is made.
                0 if value == [2] => {}
                3 => template.issuer = Some(Name::from_der(value)?),
                4 => {
                    for (number, value) in numbered(fields(&sequence(value)?)?)? {
                        let date = Time::from_der(value)?.to_unix_duration().as_secs();
                        let date = i64::try_from(date).map_err(|_| Tag::GeneralizedTime.value_error())?;
                        match number {
                            0 => template.not_before = Some(date),
                            1 => template.not_after = Some(date),
                            _ => return Err(Tag::Sequence.value_error()),
                        }
                    }
                }
                5 => template.subject = Some(Name::from_der(value)?),
                6 => {
                    let key = sequence(value)?;
                    template.public_key = Some(SubjectPublicKeyInfoOwned::from_der(&key)?.to_der()?);
                }
                9 => template.extensions = Vec::from_der(&sequence(value)?)?,
                // The serial number, the algorithm of the signature, and the identifiers of X.509 version 2.
                0..=2 | 7 | 8 => template.exceeds = true,
                _ => return Err(Tag::Sequence.value_error()),
            }
        }
        Ok(template)
    }
}

impl Proof {
    fn open(bytes: &[u8]) -> der::Result<Self> {
        let any = AnyRef::from_der(bytes)?;
        match number(&any)? {
            0 => Ok(Self::Vouched),
            1 => {
                let signed = sequence(any.value())?;
                let all = fields(&signed)?;
                let (over_request, algorithm, signature) = match &all[..] {
                    [algorithm, signature] => (true, algorithm, signature),
                    [_, algorithm, signature] => (false, algorithm, signature),
                    _ => return Err(Tag::Sequence.value_error()),
                };
                Ok(Self::Signature {
                    over_request,
                    algorithm: Decode::from_der(algorithm)?,
                    signature: Decode::from_der(signature)?,
                })
            }
            2 | 3 => Ok(Self::Otherwise),
            _ => Err(Tag::Sequence.value_error()),
        }
    }
}

/// The elements of a SEQUENCE, the bytes of each as they came.
fn fields(bytes: &[u8]) -> der::Result<Vec<&[u8]>> {
    let mut reader = SliceReader::new(bytes)?;
    let all = reader.sequence(|inner| {
        let mut all = Vec::new();
        while !inner.is_finished() {
            all.push(inner.tlv_bytes()?);
        }
        Ok(all)
    })?;
    reader.finish(all)
}

/// Elements with context-specific tags: the number and the value of each, none twice and all in their order.
fn numbered(all: Vec<&[u8]>) -> der::Result<Vec<(u8, &[u8])>> {
    let mut found: Vec<(u8, &[u8])> = Vec::with_capacity(all.len());
    for field in all {
        let any = AnyRef::from_der(field)?;
        let number = number(&any)?;
        if found.last().is_some_and(|(before, _)| *before >= number) {
            return Err(any.tag().value_error());
        }
        found.push((number, any.value()));
    }
    Ok(found)
}

fn number(any: &AnyRef<'_>) -> der::Result<u8> {
    match any.tag() {
        Tag::ContextSpecific { number, .. } => Ok(number.value()),
        other => Err(other.value_error()),
    }
}

/// What has an implicit tag, as the SEQUENCE that it is.
fn sequence(value: &[u8]) -> der::Result<Vec<u8>> {
    Any::new(Tag::Sequence, value)?.to_der()
}

fn is(field: &[u8], tag: Tag) -> bool {
    AnyRef::from_der(field).is_ok_and(|any| any.tag() == tag)
}

#[cfg(test)]
mod tests;
