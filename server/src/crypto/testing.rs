//! Certificates and certificate requests for tests, each as wrong as the test needs it.

use std::str::FromStr;
use std::time::Duration;

use kmip_codec::spec::KeyFormatType;
use x509_cert::attr::{Attribute, Attributes};
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::der::Tag::Integer;
use x509_cert::der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec};
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, Encode, Length};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage, KeyUsages};
use x509_cert::name::Name;
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::{Time, Validity};

use super::algorithm::{Curve, Hash, KeyKind, Message, Signature};
use super::authority::{Authority, SigningKey, Terms};
use super::software::SoftwareProvider;
use super::{ClearKey, Key, Made, Provider, Residency, keyblock};
use crate::crypto::keyblock::Canonical;
use crate::secret::Secret;
use crate::view::testing::NOW;

pub(crate) const DAY: i64 = 24 * 3600;

/// A name and a key pair.
pub(crate) struct Entity {
    pub(crate) name: Name,
    pub(crate) kind: KeyKind,
    pub(crate) pkcs8: Secret,
    pub(crate) spki: Vec<u8>,
    scheme: Signature,
    oid: &'static str,
}

impl Entity {
    /// With a key on P-256.
    pub(crate) fn new(name: &str) -> Self {
        Self::of(name, KeyKind::Ec { curve: Curve::P256 }, Signature::Ecdsa(Hash::Sha256), "1.2.840.10045.4.3.2")
    }

    /// With an RSA key, and signing so.
    pub(crate) fn rsa(name: &str, bits: u32, scheme: Signature, oid: &'static str) -> Self {
        Self::of(name, KeyKind::Rsa { bits }, scheme, oid)
    }

    /// With a key that says by itself how it signs.
    pub(crate) fn pure(name: &str, kind: KeyKind, scheme: Signature, oid: &'static str) -> Self {
        Self::of(name, kind, scheme, oid)
    }

    fn of(name: &str, kind: KeyKind, scheme: Signature, oid: &'static str) -> Self {
        let pair = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
        let Made::Clear(pkcs8) = pair.private else { panic!("no bytes") };
        Self { name: Name::from_str(name).unwrap(), kind, pkcs8, spki: pair.public, scheme, oid }
    }

    /// The key under another name.
    pub(crate) fn named(&self, name: &str) -> Self {
        let name = Name::from_str(name).unwrap();
        Self { name, pkcs8: self.pkcs8.clone(), spki: self.spki.clone(), ..*self }
    }

    fn sign(&self, body: &[u8]) -> (AlgorithmIdentifierOwned, BitString) {
        let key = ClearKey::new(self.kind, self.pkcs8.clone());
        let signature = SoftwareProvider.sign(Key::Clear(&key), self.scheme, Message::Data(body)).unwrap();
        (self.algorithm(), BitString::from_bytes(&signature).unwrap())
    }

    fn algorithm(&self) -> AlgorithmIdentifierOwned {
        let parameters = match self.scheme {
            // SHA-256, MGF1 with it, and 32 bytes of salt (RFC 4055 §3.1).
            Signature::RsaPss { .. } => Some(
                Any::from_der(&hex::decode("3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120").unwrap())
                    .unwrap(),
            ),
            Signature::RsaPkcs1(_) => Some(Any::null()),
            _ => None,
        };
        AlgorithmIdentifierOwned { oid: ObjectIdentifier::new(self.oid).unwrap(), parameters }
    }

    /// A certificate for the entity by an issuer: of an end, valid for a day before and after now, and then changed.
    pub(crate) fn certificate(&self, issuer: &Self, change: impl FnOnce(&mut TbsCertificate)) -> Vec<u8> {
        let mut body = TbsCertificate {
            version: Version::V3,
            serial_number: SerialNumber::new(&[1]).unwrap(),
            signature: issuer.algorithm(),
            issuer: issuer.name.clone(),
            validity: Validity { not_before: time(NOW - DAY), not_after: time(NOW + DAY) },
            subject: self.name.clone(),
            subject_public_key_info: Decode::from_der(&self.spki).unwrap(),
            issuer_unique_id: None,
            subject_unique_id: None,
            extensions: None,
        };
        change(&mut body);
        let (signature_algorithm, signature) = issuer.sign(&body.to_der().unwrap());
        Certificate { tbs_certificate: body, signature_algorithm, signature }.to_der().unwrap()
    }

    /// A certificate that may certify others, with so many authorities between.
    pub(crate) fn authority(&self, issuer: &Self, between: Option<u8>) -> Vec<u8> {
        self.certificate(issuer, |body| body.extensions = Some(authority(between)))
    }

    /// A revocation list of these certificates, each with the date from which on, and then changed.
    pub(crate) fn revocation_list(
        &self,
        revoked: &[(u8, i64)],
        from: i64,
        until: i64,
        change: impl FnOnce(&mut TbsCertList),
    ) -> Vec<u8> {
        let entry = |(serial, since): &(u8, i64)| RevokedCert {
            serial_number: SerialNumber::new(&[*serial]).unwrap(),
            revocation_date: time(*since),
            crl_entry_extensions: None,
        };
        let mut body = TbsCertList {
            version: Version::V2,
            signature: self.algorithm(),
            issuer: self.name.clone(),
            this_update: time(from),
            next_update: Some(time(until)),
            revoked_certificates: Some(revoked.iter().map(entry).collect()).filter(|all: &Vec<_>| !all.is_empty()),
            crl_extensions: None,
        };
        change(&mut body);
        let (signature_algorithm, signature) = self.sign(&body.to_der().unwrap());
        CertificateList { tbs_cert_list: body, signature_algorithm, signature }.to_der().unwrap()
    }

    /// A certificate request in PKCS#10 DER that asks for extensions.
    pub(crate) fn request(&self, extensions: Vec<Extension>) -> Vec<u8> {
        self.request_for(&self.spki, extensions)
    }

    /// One that is signed with the key and holds another.
    pub(crate) fn request_for(&self, spki: &[u8], extensions: Vec<Extension>) -> Vec<u8> {
        let mut attributes = Attributes::new();
        if !extensions.is_empty() {
            let values = SetOfVec::try_from(vec![Any::encode_from(&extensions).unwrap()]).unwrap();
            attributes.insert(Attribute { oid: ExtensionReq::OID, values }).unwrap();
        }
        let info = CertReqInfo {
            version: Default::default(),
            subject: self.name.clone(),
            public_key: Decode::from_der(spki).unwrap(),
            attributes,
        };
        let (algorithm, signature) = self.sign(&info.to_der().unwrap());
        CertReq { info, algorithm, signature }.to_der().unwrap()
    }

    /// A certificate of its own with these octets as its serial number.
    pub(crate) fn numbered(&self, octets: &[u8]) -> Vec<u8> {
        let own: Vec<Any> = Decode::from_der(&self.certificate(self, |_| {})).unwrap();
        let mut fields: Vec<Any> = own[0].decode_as().unwrap();
        fields[1] = Any::new(Integer, octets).unwrap();
        let body = fields.to_der().unwrap();
        let (algorithm, signature) = self.sign(&body);
        let all = [body, algorithm.to_der().unwrap(), signature.to_der().unwrap()];
        tlv(0x30, &all.concat())
    }

    /// The certification authority that the entity is.
    pub(crate) fn certifying(&self, terms: Terms) -> Authority {
        let own = self.certificate(self, |body| {
            body.validity = Validity { not_before: time(NOW - 3650 * DAY), not_after: time(NOW + 3650 * DAY) };
            body.extensions = Some(authority(None));
        });
        let key = SigningKey::Held(ClearKey::new(self.kind, self.pkcs8.clone()));
        Authority::new(vec![own], key, terms).unwrap()
    }

    /// The public key as an object.
    pub(crate) fn public_key(&self) -> kmip_codec::types::Object {
        let key = Canonical::Public { kind: self.kind, spki: self.spki.clone() };
        let block = keyblock::block(&key, keyblock::algorithm_of(self.kind), KeyFormatType::X509).unwrap();
        kmip_codec::types::Object::PublicKey(block)
    }
}

/// A certificate request in CRMF (RFC 4211).
pub(crate) struct Crmf {
    /// The fields of the template: the tag of each, and its value.
    pub(crate) template: Vec<(u8, Vec<u8>)>,
    /// What stands behind it.
    pub(crate) controls: Vec<u8>,
    /// What the signature is over in place of the request.
    pub(crate) input: Vec<u8>,
    /// What stands behind the proof.
    pub(crate) info: Vec<u8>,
}

impl Crmf {
    /// For the entity's name and key.
    pub(crate) fn of(entity: &Entity) -> Self {
        let key = Any::from_der(&entity.spki).unwrap().value().to_vec();
        let template = vec![(0xA5, entity.name.to_der().unwrap()), (0xA6, key)];
        Self { template, controls: Vec::new(), input: Vec::new(), info: Vec::new() }
    }

    /// For a time, the dates in seconds.
    pub(crate) fn valid(mut self, from: Option<i64>, until: Option<i64>) -> Self {
        let date =
            |tag, date: Option<i64>| date.map(|date| tlv(tag, &time(date).to_der().unwrap())).unwrap_or_default();
        self.template.push((0xA4, [date(0xA0, from), date(0xA1, until)].concat()));
        self
    }

    /// By an authority.
    pub(crate) fn by(mut self, issuer: &Name) -> Self {
        self.template.push((0xA3, issuer.to_der().unwrap()));
        self
    }

    /// Signed by the entity.
    pub(crate) fn signed(mut self, entity: &Entity) -> Vec<u8> {
        self.template.sort_by_key(|(tag, _)| tag & 0x1F);
        let template: Vec<u8> = self.template.iter().flat_map(|(tag, value)| tlv(*tag, value)).collect();
        let request = tlv(0x30, &[vec![2, 1, 0], tlv(0x30, &template), self.controls].concat());
        let (algorithm, signature) = entity.sign(&request);
        let proof = [self.input, algorithm.to_der().unwrap(), signature.to_der().unwrap()].concat();
        let message = tlv(0x30, &[request, tlv(0xA1, &proof), self.info].concat());
        tlv(0x30, &message)
    }
}

/// An element of DER by its tag and its value.
pub(crate) fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = Length::try_from(value.len()).unwrap().to_der().unwrap();
    [&[tag][..], &length, value].concat()
}

/// A year, at most two, and for servers.
pub(crate) fn terms() -> Terms {
    Terms { days: 365, longest_days: 730, extended: vec![ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1")] }
}

/// What lets a certificate certify others.
pub(crate) fn authority(between: Option<u8>) -> Vec<Extension> {
    vec![
        extension(&BasicConstraints { ca: true, path_len_constraint: between }, true),
        extension(&KeyUsage(KeyUsages::KeyCertSign.into()), true),
    ]
}

/// An extension.
pub(crate) fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> Extension {
    raw_extension(T::OID, critical, &value.to_der().unwrap())
}

/// Any extension.
pub(crate) fn raw_extension(oid: ObjectIdentifier, critical: bool, value: &[u8]) -> Extension {
    Extension { extn_id: oid, critical, extn_value: OctetString::new(value).unwrap() }
}

/// A date in a certificate.
pub(crate) fn time(seconds: i64) -> Time {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap());
    Time::GeneralTime(GeneralizedTime::from_unix_duration(since).unwrap())
}
