//! Revocation lists (RFC 5280 §5, §6.3): which certificates of an issuer are not valid any more.

use std::time::SystemTime;

use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::der::Decode;
use x509_cert::der::asn1::{GeneralizedTime, ObjectIdentifier};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::{CrlReason, KeyUsage};
use x509_cert::time::Time;

use super::{Anchor, Linked, Validity, is_weak};
use crate::crypto::signed::{Signed, Verdict};
use crate::failure::{Failure, Outcome};

/// Invalidity Date, of an entry (RFC 5280 §5.3.2).
const INVALIDITY_DATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.24");

/// A list of an issuer, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    der: Vec<u8>,
    list: CertificateList,
}

impl RevocationList {
    /// A list in DER.
    ///
    /// # Errors
    /// Invalid Field for bytes that are none, and for a list with a critical extension: those of others' certificates, of some
    /// reasons alone, and of changes to another list.
    pub fn new(der: Vec<u8>) -> Outcome<Self> {
        let wrong = |_| Failure::invalid_field("these bytes are no revocation list in DER");
        let list = CertificateList::from_der(&der).map_err(wrong)?;
        let entries = list.tbs_cert_list.revoked_certificates.iter().flatten();
        let within = entries.flat_map(|entry| entry.crl_entry_extensions.iter().flatten());
        let mut all = list.tbs_cert_list.crl_extensions.iter().flatten().chain(within);
        if let Some(critical) = all.find(|extension| extension.critical) {
            let oid = critical.extn_id;
            return Err(Failure::invalid_field(format!("the revocation list has the critical extension {oid}")));
        }
        Ok(Self { der, list })
    }

    /// Who made it.
    pub fn issuer(&self) -> String {
        self.list.tbs_cert_list.issuer.to_string()
    }

    /// Until when there is to be another, if it says so.
    pub fn next_update(&self) -> Option<SystemTime> {
        self.list.tbs_cert_list.next_update.map(|time| time.to_system_time())
    }

    /// What the list says of a certificate at a date; nothing if it is not that of the issuer.
    fn says(&self, one: &Linked, issuer: &Linked, date: i64) -> Option<Validity> {
        let body = &self.list.tbs_cert_list;
        if body.issuer != *issuer.subject() || one.issuer() != issuer.subject() {
            return None;
        }
        // One of that name whose signature is not the issuer's may be the issuer's all the same, under another key or damaged.
        if !self.is_by(issuer) {
            return Some(Validity::Unknown);
        }
        let mut entries = body.revoked_certificates.iter().flatten();
        let serial = one.certificate.tbs_certificate.serial_number.as_bytes();
        if let Some(entry) = entries.find(|entry| entry.serial_number.as_bytes() == serial) {
            return Some(if since(entry) <= date { Validity::Invalid } else { Validity::Valid });
        }
        // One that is to be renewed by then tells nothing of what has happened since.
        let is_fresh = body.next_update.is_none_or(|next| date <= seconds(next));
        Some(if is_fresh { Validity::Valid } else { Validity::Unknown })
    }

    /// Whether the issuer has signed it, and may.
    fn is_by(&self, issuer: &Linked) -> bool {
        let usage = issuer.certificate.tbs_certificate.get::<KeyUsage>();
        let may = usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.crl_sign()));
        let verdict = Signed::open(&self.der).map(|signed| signed.by(&issuer.public_key));
        let signed = matches!(verdict, Ok(Verdict::Good(scheme)) if !is_weak(scheme, &issuer.public_key));
        may && signed && self.list.signature_algorithm == self.list.tbs_cert_list.signature
    }
}

/// What revocation lists say of a chain, as [`super::order`] gives it, at a date in seconds. A certificate of whose issuer there
/// is no list passes, and so does an anchor, whose trust is the configuration's to end.
pub fn revocation(chain: &[Linked], anchors: &[Anchor], lists: &[RevocationList], date: i64) -> Validity {
    let judged = chain.iter().enumerate().map(|(at, one)| {
        if anchors.iter().any(|anchor| anchor.is(one)) {
            return Validity::Valid;
        }
        let issuers = chain.get(at + 1).into_iter().chain(anchors.iter().map(|anchor| &anchor.0));
        let said: Vec<Validity> =
            issuers.flat_map(|issuer| lists.iter().filter_map(|list| list.says(one, issuer, date))).collect();
        // One list is enough to revoke, and one that is fresh not to.
        if said.contains(&Validity::Invalid) {
            Validity::Invalid
        } else {
            said.into_iter().min().unwrap_or(Validity::Valid)
        }
    });
    judged.max().unwrap_or(Validity::Valid)
}

/// From when on a certificate is not valid. Whoever has a key that is compromised can have made what claims to be older: it is
/// never valid, unless the list says since when.
fn since(entry: &RevokedCert) -> i64 {
    let within = |oid| {
        let mut all = entry.crl_entry_extensions.iter().flatten();
        all.find(|extension| extension.extn_id == oid).map(|extension| extension.extn_value.as_bytes())
    };
    let revoked = seconds(entry.revocation_date);
    if let Some(date) = within(INVALIDITY_DATE) {
        return GeneralizedTime::from_der(date).map_or(i64::MIN, |date| seconds(Time::GeneralTime(date)).min(revoked));
    }
    match within(CrlReason::OID).map(CrlReason::from_der) {
        Some(Ok(CrlReason::KeyCompromise | CrlReason::CaCompromise | CrlReason::AaCompromise) | Err(_)) => i64::MIN,
        _ => revoked,
    }
}

fn seconds(time: Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::order;
    use super::*;
    use crate::crypto::testing::{DAY, Entity, extension, raw_extension};
    use crate::view::testing::NOW;
    use std::time::Duration;
    use x509_cert::der::Encode;
    use x509_cert::ext::Extension;
    use x509_cert::ext::pkix::{BasicConstraints, KeyUsages};

    /// An authority that may sign lists.
    fn authority(own: &Entity, issuer: &Entity) -> Vec<u8> {
        own.certificate(issuer, |body| {
            body.extensions = Some(vec![
                extension(&BasicConstraints { ca: true, path_len_constraint: None }, true),
                extension(&KeyUsage(KeyUsages::KeyCertSign | KeyUsages::CRLSign), true),
            ]);
        })
    }

    #[test]
    fn a_list_revokes_from_its_date_on_and_for_its_issuer_alone() {
        let (root, other, end) = (Entity::new("CN=root"), Entity::new("CN=root"), Entity::new("CN=end"));
        let anchors = [Anchor::new(authority(&root, &root)).unwrap()];
        let chain = order(vec![Linked::new(end.certificate(&root, |_| {})).unwrap()]).unwrap();
        let judge = |lists: &[Vec<u8>], date| {
            let lists: Vec<_> = lists.iter().map(|der| RevocationList::new(der.clone()).unwrap()).collect();
            revocation(&chain, &anchors, &lists, date)
        };
        let list = |by: &Entity, serials: &[u8]| {
            let revoked: Vec<(u8, i64)> = serials.iter().map(|serial| (*serial, NOW - DAY)).collect();
            by.revocation_list(&revoked, NOW - DAY, NOW + DAY, |_| {})
        };
        assert_eq!(judge(&[], NOW), Validity::Valid);
        assert_eq!(judge(&[list(&root, &[1])], NOW), Validity::Invalid);
        // Before its revocation it was valid.
        assert_eq!(judge(&[list(&root, &[1])], NOW - 2 * DAY), Validity::Valid);
        assert_eq!(judge(&[list(&root, &[2, 3])], NOW), Validity::Valid);
        // Another one of that name has not signed for this one: what its own list says is not known.
        assert_eq!(judge(&[list(&other, &[1])], NOW), Validity::Unknown);
        assert_eq!(judge(&[list(&other, &[1]), list(&root, &[])], NOW), Validity::Valid);
        let mut forged = list(&root, &[1]);
        let last = forged.len() - 1;
        forged[last] ^= 1;
        assert_eq!(judge(&[forged], NOW), Validity::Unknown);
        // A list that is over says nothing good any more, unless there is another.
        assert_eq!(judge(&[list(&root, &[])], NOW + 2 * DAY), Validity::Unknown);
        let later = root.revocation_list(&[], NOW, NOW + 3 * DAY, |_| {});
        assert_eq!(judge(&[list(&root, &[]), later.clone()], NOW + 2 * DAY), Validity::Valid);
        assert_eq!(judge(&[list(&root, &[1]), later], NOW + 2 * DAY), Validity::Invalid);
    }

    #[test]
    fn a_key_that_is_compromised_was_never_valid_unless_the_list_says_since_when() {
        let (root, end) = (Entity::new("CN=root"), Entity::new("CN=end"));
        let anchors = [Anchor::new(authority(&root, &root)).unwrap()];
        let chain = order(vec![Linked::new(end.certificate(&root, |_| {})).unwrap()]).unwrap();
        let judge = |extensions: Vec<Extension>, date| {
            let der = root.revocation_list(&[(1, NOW - DAY)], NOW - DAY, NOW + DAY, |body| {
                for entry in body.revoked_certificates.iter_mut().flatten() {
                    entry.crl_entry_extensions = Some(extensions.clone());
                }
            });
            revocation(&chain, &anchors, &[RevocationList::new(der).unwrap()], date)
        };
        let reason = |code| raw_extension(CrlReason::OID, false, &[0x0A, 1, code]);
        let since = Duration::from_secs(u64::try_from(NOW - 2 * DAY).unwrap());
        let since = GeneralizedTime::from_unix_duration(since).unwrap();
        let dated = raw_extension(INVALIDITY_DATE, false, &since.to_der().unwrap());
        for compromised in [1, 2, 10] {
            assert_eq!(judge(vec![reason(compromised)], NOW - 9 * DAY), Validity::Invalid, "{compromised}");
        }
        assert_eq!(judge(vec![reason(5)], NOW - 2 * DAY), Validity::Valid);
        assert_eq!(judge(vec![reason(5)], NOW), Validity::Invalid);
        assert_eq!(judge(vec![reason(1), dated.clone()], NOW - 9 * DAY), Validity::Valid);
        assert_eq!(judge(vec![dated], NOW - 2 * DAY), Validity::Invalid);
        // What cannot be read says nothing good.
        assert_eq!(judge(vec![reason(7)], NOW - 9 * DAY), Validity::Invalid);
        assert_eq!(judge(vec![raw_extension(INVALIDITY_DATE, false, b"?")], NOW - 9 * DAY), Validity::Invalid);
    }

    #[test]
    fn who_may_not_sign_lists_revokes_nothing_and_anchors_stay() {
        let (root, middle, end) = (Entity::new("CN=root"), Entity::new("CN=middle"), Entity::new("CN=end"));
        let anchors = [Anchor::new(authority(&root, &root)).unwrap()];
        let both = |middle: Vec<u8>, of: &Entity| {
            order(vec![Linked::new(end.certificate(of, |_| {})).unwrap(), Linked::new(middle).unwrap()]).unwrap()
        };
        let list = |by: &Entity| RevocationList::new(by.revocation_list(&[(1, 0)], 0, NOW + DAY, |_| {})).unwrap();
        // Its Key Usage has certificates alone.
        let chain = both(middle.authority(&root, None), &middle);
        assert_eq!(revocation(&chain, &anchors, &[list(&middle)], NOW), Validity::Unknown);
        let chain = both(authority(&middle, &root), &middle);
        assert_eq!(revocation(&chain, &anchors, &[list(&middle)], NOW), Validity::Invalid);
        // What lies above counts for what is below.
        assert_eq!(revocation(&chain, &anchors, &[list(&root)], NOW), Validity::Invalid);
        let anchor = order(vec![Linked::new(authority(&root, &root)).unwrap()]).unwrap();
        assert_eq!(revocation(&anchor, &anchors, &[list(&root)], NOW), Validity::Valid);
    }

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        let root = Entity::new("CN=root");
        // Delta CRL Indicator.
        let delta = ObjectIdentifier::new_unwrap("2.5.29.27");
        let der = root.revocation_list(&[], NOW, NOW + DAY, |body| {
            body.crl_extensions = Some(vec![raw_extension(delta, true, &[2, 1, 1])]);
        });
        assert!(RevocationList::new(der).is_err());
        assert!(RevocationList::new(vec![0x30, 0]).is_err());
    }
}
