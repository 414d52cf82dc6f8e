//! The certificates are judged by the verifiers that the server uses, and read with a parser that did not make them.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use x509_cert::der::{DecodePem, oid::db};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints as Constraints, ExtendedKeyUsage, KeyUsage, SubjectAltName,
};
use x509_cert::{Certificate, Version};

use super::*;
use crate::Usage;

const LOCAL: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn roots(authority: &Authority) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(der(authority.cert_pem())).unwrap();
    Arc::new(roots)
}

fn server_accepted(authority: &Authority, issued: &Issued, name: &str) -> Result<(), rustls::Error> {
    let verifier =
        WebPkiServerVerifier::builder_with_provider(roots(authority), Arc::new(default_provider())).build().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    verifier.verify_server_cert(&der(&issued.cert_pem), &[], &name, &[], UnixTime::now()).map(|_| ())
}

fn client_accepted(authority: &Authority, issued: &Issued, lists: &[&str]) -> Result<(), rustls::Error> {
    let lists = lists.iter().map(|pem| CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots(authority), Arc::new(default_provider()))
        .with_crls(lists)
        .build()
        .unwrap();
    verifier.verify_client_cert(&der(&issued.cert_pem), &[], UnixTime::now()).map(|_| ())
}

fn rejected(result: Result<(), rustls::Error>) -> String {
    format!("{:?}", result.unwrap_err())
}

fn usages(issued: &Issued) -> Option<Vec<x509_cert::der::asn1::ObjectIdentifier>> {
    let cert = Certificate::from_pem(&issued.cert_pem).unwrap();
    cert.tbs_certificate.get::<ExtendedKeyUsage>().unwrap().map(|(_, usage)| usage.0)
}

#[test]
fn the_authority_is_a_version_3_authority_of_ten_years() {
    let authority = Authority::new().unwrap();
    let cert = Certificate::from_pem(authority.cert_pem()).unwrap().tbs_certificate;
    assert_eq!(cert.version, Version::V3);
    let (critical, constraints) = cert.get::<Constraints>().unwrap().unwrap();
    assert!(critical);
    assert!(constraints.ca);
    assert_eq!(constraints.path_len_constraint, Some(0));
    let (_, usage) = cert.get::<KeyUsage>().unwrap().unwrap();
    assert!(usage.key_cert_sign() && usage.crl_sign() && !usage.digital_signature());
    let years =
        cert.validity.not_after.to_unix_duration().as_secs() - cert.validity.not_before.to_unix_duration().as_secs();
    assert_eq!(years / 86_400, 3652);
}

#[test]
fn a_server_is_accepted_under_each_of_its_names_and_no_other() {
    let authority = Authority::new().unwrap();
    let server = authority.issue_server(&LOCAL).unwrap();
    for name in LOCAL {
        server_accepted(&authority, &server, name).unwrap();
    }
    assert!(rejected(server_accepted(&authority, &server, "127.0.0.2")).contains("NotValidForName"));
    assert!(rejected(server_accepted(&authority, &server, "example.org")).contains("NotValidForName"));
    assert!(rejected(client_accepted(&authority, &server, &[])).contains("InvalidPurpose"));

    let cert = Certificate::from_pem(&server.cert_pem).unwrap().tbs_certificate;
    assert_eq!(cert.version, Version::V3);
    let (_, names) = cert.get::<SubjectAltName>().unwrap().unwrap();
    let names: Vec<String> = names
        .0
        .iter()
        .map(|name| match name {
            GeneralName::DnsName(name) => format!("DNS:{name}"),
            GeneralName::IpAddress(bytes) => match bytes.as_bytes().len() {
                4 => format!("IP:{}", IpAddr::from(<[u8; 4]>::try_from(bytes.as_bytes()).unwrap())),
                _ => format!("IP:{}", IpAddr::from(<[u8; 16]>::try_from(bytes.as_bytes()).unwrap())),
            },
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["IP:127.0.0.1", "IP:::1", "DNS:localhost"]);
    assert_eq!(usages(&server).unwrap(), [db::rfc5280::ID_KP_SERVER_AUTH]);
}

#[test]
fn a_client_is_accepted_as_client_only() {
    let authority = Authority::new().unwrap();
    let client = authority.issue_client("backup").unwrap();
    client_accepted(&authority, &client, &[]).unwrap();
    assert!(rejected(server_accepted(&authority, &client, "localhost")).contains("Invalid"));
    assert_eq!(usages(&client).unwrap(), [db::rfc5280::ID_KP_CLIENT_AUTH]);

    let cert = Certificate::from_pem(&client.cert_pem).unwrap().tbs_certificate;
    assert_eq!(cert.subject.to_string(), "CN=backup");
    assert!(cert.get::<SubjectAltName>().unwrap().is_none());
}

#[test]
fn a_client_can_have_alternative_names() {
    let authority = Authority::new().unwrap();
    let profile = Profile::client("a").names(&["a.example.org", "a@example.org", "urn://tenant/7"]);
    let client = authority.issue(&profile).unwrap();
    let cert = Certificate::from_pem(&client.cert_pem).unwrap().tbs_certificate;
    let (_, names) = cert.get::<SubjectAltName>().unwrap().unwrap();
    assert!(matches!(
        names.0.as_slice(),
        [GeneralName::DnsName(_), GeneralName::Rfc822Name(_), GeneralName::UniformResourceIdentifier(_)]
    ));
}

#[test]
fn faulty_certificates_have_exactly_their_fault() {
    let authority = Authority::new().unwrap();
    let issue = |profile: Profile| authority.issue(&profile).unwrap();

    let expired = issue(Profile::client("late").valid(Validity::expired()));
    assert!(rejected(client_accepted(&authority, &expired, &[])).contains("Expired"));

    let early = issue(Profile::client("early").valid(Validity::not_yet()));
    assert!(rejected(client_accepted(&authority, &early, &[])).contains("NotValidYet"));

    let any_use = issue(Profile::client("any").usages(&[]));
    client_accepted(&authority, &any_use, &[]).unwrap();
    assert_eq!(usages(&any_use), None);

    let server_use = issue(Profile::client("server").usages(&[Usage::Server]));
    assert!(rejected(client_accepted(&authority, &server_use, &[])).contains("InvalidPurpose"));
}

#[test]
fn another_authority_of_the_same_name_is_not_trusted() {
    let ours = Authority::new().unwrap();
    let theirs = Authority::new().unwrap();
    let client = theirs.issue_client("backup").unwrap();
    assert!(rejected(client_accepted(&ours, &client, &[])).contains("BadSignature"));
    let other = Authority::named("someone else").unwrap().issue_client("backup").unwrap();
    assert!(rejected(client_accepted(&ours, &other, &[])).contains("UnknownIssuer"));
}

#[test]
fn a_loaded_authority_goes_on_where_the_first_stopped() {
    let first = Authority::new().unwrap();
    let second = Authority::from_pem(first.cert_pem(), &first.key_pem()).unwrap();
    let client = second.issue_client("backup").unwrap();
    client_accepted(&first, &client, &[]).unwrap();
    let list = second.revocation_list(1, &[&client.cert_pem]).unwrap();
    assert!(rejected(client_accepted(&first, &client, &[&list])).contains("Revoked"));
    assert_eq!(*second.key_pem(), *first.key_pem());
}

#[test]
fn what_is_not_an_authority_with_its_key_is_refused() {
    let authority = Authority::new().unwrap();
    let other = Authority::new().unwrap();
    let server = authority.issue_server(&LOCAL).unwrap();
    let load = |cert: &str, key: &str| Authority::from_pem(cert, key).unwrap_err();
    assert!(matches!(load(authority.cert_pem(), &other.key_pem()), Error::KeyMismatch));
    assert!(matches!(
        load(&server.cert_pem, &server.key_pem),
        Error::NotAuthority("its basic constraints do not say CA")
    ));
    assert!(matches!(load("no certificate", &authority.key_pem()), Error::Certificate(_)));
    assert!(matches!(load(authority.cert_pem(), authority.cert_pem()), Error::Key));
}

/// An authority that another program made, with everything that ours does differently.
fn foreign(key_usages: Vec<KeyUsagePurpose>) -> (String, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    let country = rcgen::DnValue::PrintableString("NL".try_into().unwrap());
    params.distinguished_name.push(rcgen::DnType::CountryName, country);
    params.distinguished_name.push(rcgen::DnType::OrganizationName, "Größe & Co");
    params.distinguished_name.push(rcgen::DnType::CommonName, "root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_identifier_method = rcgen::KeyIdMethod::PreSpecified(vec![7; 20]);
    params.key_usages = key_usages;
    params.not_after = Validity::lasting(Duration::days(30)).not_after;
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_foreign_authority_issues_certificates_that_chain_to_it() {
    for usages in [vec![], vec![KeyUsagePurpose::KeyCertSign]] {
        let (cert, key) = foreign(usages);
        let authority = Authority::from_pem(&cert, &key).unwrap();
        let client = authority.issue_client("backup").unwrap();
        client_accepted(&authority, &client, &[]).unwrap();
        let client = Certificate::from_pem(&client.cert_pem).unwrap().tbs_certificate;
        let root = Certificate::from_pem(&cert).unwrap().tbs_certificate;
        assert_eq!(client.issuer, root.subject);
        assert_eq!(client.validity.not_after, root.validity.not_after);
        let (_, id) = client.get::<AuthorityKeyIdentifier>().unwrap().unwrap();
        assert_eq!(id.key_identifier.unwrap().as_bytes(), [7; 20]);
    }
    let (cert, key) = foreign(vec![KeyUsagePurpose::CrlSign]);
    assert!(matches!(Authority::from_pem(&cert, &key), Err(Error::NotAuthority(_))));
}

#[test]
fn only_listed_certificates_are_revoked() {
    let authority = Authority::new().unwrap();
    let gone = authority.issue_client("gone").unwrap();
    let stays = authority.issue_client("stays").unwrap();
    let list = authority.revocation_list(7, &[&gone.cert_pem]).unwrap();
    assert!(rejected(client_accepted(&authority, &gone, &[&list])).contains("Revoked"));
    client_accepted(&authority, &stays, &[&list]).unwrap();
    let empty = authority.revocation_list(8, &[]).unwrap();
    client_accepted(&authority, &gone, &[&empty]).unwrap();
}

#[test]
fn no_certificate_outlasts_its_authority() {
    let authority = Authority::new().unwrap();
    let profile = Profile::client("long").valid(Validity::lasting(Duration::days(36_500)));
    let end = |pem: &str| Certificate::from_pem(pem).unwrap().tbs_certificate.validity.not_after;
    let client = authority.issue(&profile).unwrap();
    assert_eq!(end(&client.cert_pem), end(authority.cert_pem()));
    let later = OffsetDateTime::now_utc() + AUTHORITY_LIFETIME + Duration::days(1);
    let after = Validity { not_before: later, not_after: later + Duration::days(1) };
    assert!(matches!(authority.issue(&Profile::client("after").valid(after)), Err(Error::Validity)));
}

#[test]
fn names_that_no_certificate_can_carry_are_refused() {
    let authority = Authority::new().unwrap();
    for name in ["", "two words", "a..b", "bücher.example", "a.*", "host:5696", "127.0.0.1/8"] {
        assert!(matches!(authority.issue_server(&[name]), Err(Error::Name(_))), "{name:?}");
    }
    assert!(matches!(authority.issue_server(&[]), Err(Error::NoName)));
    authority.issue_server(&["*.example.org"]).unwrap();
}

#[test]
fn each_file_holds_one_certificate_and_the_key_fits() {
    let authority = Authority::new().unwrap();
    let server = authority.issue_server(&LOCAL).unwrap();
    assert_eq!(server.cert_pem.matches("BEGIN CERTIFICATE").count(), 1);
    assert!(server.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
    let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes()).unwrap();
    let provider = Arc::new(default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![der(&server.cert_pem)], key)
        .unwrap();
}

#[test]
fn debug_shows_no_key() {
    let authority = Authority::new().unwrap();
    let server = authority.issue_server(&LOCAL).unwrap();
    let shown = format!("{authority:?} {server:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
    for key in [authority.key_pem(), server.key_pem] {
        assert!(!shown.contains(key.lines().nth(1).unwrap()));
    }
}
