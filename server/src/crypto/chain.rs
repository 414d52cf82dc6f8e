//! Chains of certificates, validated (RFC 5280 §6).
//!
//! A chain is what somebody gives: nothing is looked for elsewhere. Revocation lists are those that the configuration names.

use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::name::Name;

use super::algorithm::{Hash, KeyKind, Signature};
use super::certificate::Certificate;
use super::signed::{Signed, Verdict};
use super::{authority, keyformat};
use crate::failure::{Failure, Outcome};

mod revoked;

pub use revoked::{RevocationList, revocation};

/// The critical extensions that are heeded here. One with another cannot be judged (RFC 5280 §4.2).
const KNOWN: [ObjectIdentifier; 4] = [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID, SubjectAltName::OID];

/// The shortest RSA key whose signatures are worth something, in bits.
const LEAST_RSA_BITS: u32 = 2048;

/// A certificate at which a chain may end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor(Linked);

/// A certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    der: Vec<u8>,
    certificate: Certificate,
    public_key: Vec<u8>,
}

/// What can be said of a chain, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Validity {
    /// It ends at a certificate that is trusted, and all of it holds.
    Valid,
    /// Nothing is wrong with it as far as one can tell, which is not far enough.
    Unknown,
    /// Something is wrong with it.
    Invalid,
}

impl Linked {
    /// A certificate in DER.
    ///
    /// # Errors
    /// Invalid Field for bytes that are none.
    pub fn new(der: Vec<u8>) -> Outcome<Self> {
        let wrong = |_| Failure::invalid_field("the Certificate Value is no X.509 certificate in DER");
        let certificate = Certificate::from_der(&der).map_err(wrong)?;
        let public_key = certificate.tbs_certificate.subject_public_key_info.to_der().map_err(wrong)?;
        Ok(Self { der, certificate, public_key })
    }

    /// The certificate in DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    fn subject(&self) -> &Name {
        &self.certificate.tbs_certificate.subject
    }

    fn issuer(&self) -> &Name {
        &self.certificate.tbs_certificate.issuer
    }

    fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    /// Whether it is valid at a time, as far as its dates say.
    fn at(&self, date: i64) -> Validity {
        let seconds =
            |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        let dates = self.certificate.tbs_certificate.validity;
        if (seconds(dates.not_before)..=seconds(dates.not_after)).contains(&date) {
            Validity::Valid
        } else {
            Validity::Invalid
        }
    }

    /// Whether its signature is that of an issuer's key.
    fn signed_by(&self, issuer: &Self) -> Validity {
        let Ok(signed) = Signed::open(&self.der) else { return Validity::Invalid };
        // RFC 5280 §4.1.1.2.
        if self.certificate.signature_algorithm != self.certificate.tbs_certificate.signature {
            return Validity::Invalid;
        }
        match signed.by(&issuer.public_key) {
            Verdict::Bad => Validity::Invalid,
            Verdict::Unknown => Validity::Unknown,
            Verdict::Good(scheme) if is_weak(scheme, &issuer.public_key) => Validity::Unknown,
            Verdict::Good(_) => Validity::Valid,
        }
    }

    /// Whether it may certify others, of which `below` lie between it and the end of the chain (RFC 5280 §6.1.4).
    fn certifies(&self, below: usize) -> Validity {
        let body = &self.certificate.tbs_certificate;
        let (Ok(constraints), Ok(usage)) = (body.get::<BasicConstraints>(), body.get::<KeyUsage>()) else {
            return Validity::Invalid;
        };
        let Some((_, constraints)) = constraints.filter(|(_, constraints)| constraints.ca) else {
            return Validity::Invalid;
        };
        let is_short = constraints.path_len_constraint.is_none_or(|longest| below <= usize::from(longest));
        if is_short && usage.is_none_or(|(_, usage)| usage.key_cert_sign()) {
            Validity::Valid
        } else {
            Validity::Invalid
        }
    }

    /// Whether its key may have the uses that it says: for the keys whose standards leave no choice.
    fn is_used_rightly(&self) -> Validity {
        let usage = self.certificate.tbs_certificate.get::<KeyUsage>();
        let kind = keyformat::identify_public(&self.public_key);
        match (usage, kind) {
            (Ok(Some((_, usage))), Ok(kind)) if !authority::fits(kind, usage) => Validity::Invalid,
            (Err(_), Ok(KeyKind::PostQuantum { .. })) => Validity::Invalid,
            _ => Validity::Valid,
        }
    }

    /// Whether all is known that it says one must know.
    fn is_understood(&self) -> Validity {
        let mut all = self.certificate.tbs_certificate.extensions.iter().flatten();
        if all.any(|extension| extension.critical && !KNOWN.contains(&extension.extn_id)) {
            Validity::Unknown
        } else {
            Validity::Valid
        }
    }
}

/// Whether a signature that is right says little: others could have made it.
fn is_weak(scheme: Signature, public_key: &[u8]) -> bool {
    let hash = !scheme.is_pure() && matches!(scheme.hash(), None | Some(Hash::Md5 | Hash::Sha1));
    let key = keyformat::identify_public(public_key);
    hash || matches!(key, Ok(KeyKind::Rsa { bits }) if bits < LEAST_RSA_BITS)
}

impl Anchor {
    /// A trusted certificate in DER.
    ///
    /// # Errors
    /// Invalid Field for bytes that are none, and for a certificate that is not that of a certification authority.
    pub fn new(der: Vec<u8>) -> Outcome<Self> {
        let linked = Linked::new(der)?;
        match linked.certifies(0) {
            Validity::Valid => Ok(Self(linked)),
            _ => Err(Failure::invalid_field("the certificate is not that of a certification authority")),
        }
    }

    /// Whether this is the certificate, or another one of the same name and key.
    fn is(&self, other: &Linked) -> bool {
        self.0.subject() == other.subject() && self.0.public_key == other.public_key
    }
}

/// Puts certificates into the order of a chain, each followed by its issuer. `None` if they are not one chain.
///
/// The order in which they are given is of no meaning, and neither is one that is given twice.
pub fn order(given: Vec<Linked>) -> Option<Vec<Linked>> {
    let mut rest: Vec<Linked> = Vec::new();
    for linked in given {
        if !rest.contains(&linked) {
            rest.push(linked);
        }
    }
    // The first certifies no other one.
    let certifies = |one: &Linked| rest.iter().any(|other| other != one && other.issuer() == one.subject());
    let mut ends = rest.iter().enumerate().filter(|(_, one)| !certifies(one)).map(|(at, _)| at);
    let (end, None) = (ends.next()?, ends.next()) else { return None };
    let mut chain = vec![rest.swap_remove(end)];
    while let Some(last) = chain.last().filter(|last| !last.is_self_issued() && !rest.is_empty()) {
        let named = |one: &Linked| one.subject() == last.issuer();
        // Of several with the name of the issuer, the one whose key has signed.
        let by = rest.iter().position(|one| named(one) && last.signed_by(one) == Validity::Valid);
        let issuer = by.or_else(|| rest.iter().position(named))?;
        chain.push(rest.swap_remove(issuer));
    }
    rest.is_empty().then_some(chain)
}

/// Validates a chain, as [`order`] gives it, at a date in seconds.
pub fn validate(chain: &[Linked], anchors: &[Anchor], date: i64) -> Validity {
    let Some(top) = chain.last() else { return Validity::Unknown };
    let mut worst = Validity::Valid;
    let mut note = |found: Validity| worst = worst.max(found);
    for (below, (one, issuer)) in chain.iter().zip(chain.iter().skip(1)).enumerate() {
        note(one.signed_by(issuer));
        // Self-issued ones do not count (RFC 5280 §4.2.1.9).
        let counted = chain.iter().skip(1).take(below).filter(|between| !between.is_self_issued()).count();
        note(issuer.certifies(counted));
    }
    for one in chain {
        note(one.at(date));
        note(one.is_understood());
        note(one.is_used_rightly());
    }
    let above = chain.iter().skip(1).filter(|one| !one.is_self_issued()).count();
    note(match anchors.iter().find(|anchor| anchor.is(top)) {
        Some(_) => Validity::Valid,
        None => {
            let issuers = anchors.iter().filter(|anchor| anchor.0.subject() == top.issuer());
            let through = |anchor: &Anchor| {
                [top.signed_by(&anchor.0), anchor.0.at(date), anchor.0.certifies(above)]
                    .into_iter()
                    .max()
                    .unwrap_or(Validity::Unknown)
            };
            match issuers.map(through).min() {
                Some(best) => best,
                // A root that nobody trusts, and that must be what it says it is.
                None if top.is_self_issued() => top.signed_by(top).max(Validity::Unknown),
                None => Validity::Unknown,
            }
        }
    });
    worst
}

#[cfg(test)]
mod tests;
