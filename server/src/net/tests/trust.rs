//! Who is let in while trust changes: clients refused, sessions resumed, certificates and authorities replaced.

use super::*;
use crate::crypto::ClearKey;

#[tokio::test]
async fn a_revoked_client_is_refused_by_its_next_request_and_its_next_handshake() {
    let bench = Bench::new().await;
    for version in BOTH {
        let (gone, stays) =
            (bench.authority.issue_client("gone").unwrap(), bench.authority.issue_client("stays").unwrap());
        let (gone_client, stays_client) = (bench.client_with(&gone, &[version]), bench.client_with(&stays, &[version]));
        let mut open = gone_client.connect().await.unwrap();
        let mut other = stays_client.connect().await.unwrap();
        assert_eq!(open.ask(b"I").await.unwrap(), b"gone");
        assert_eq!(other.ask(b"I").await.unwrap(), b"stays");

        bench.revoke(&gone);
        assert!(open.ask(b"I").await.is_err());
        assert_eq!(other.ask(b"I").await.unwrap(), b"stays");
        assert!(gone_client.refused().await.contains("CertificateRevoked"));
        // Tickets ended with the trust that they belong to, for all.
        let mut again = stays_client.connect().await.unwrap();
        assert_eq!(again.ask(b"I").await.unwrap(), b"stays");
        assert!(!again.resumed());
    }
}

#[tokio::test]
async fn a_revocation_list_refuses_too() {
    let bench = Bench::new().await;
    let gone = bench.authority.issue_client("gone").unwrap();
    let client = bench.client_with(&gone, rustls::ALL_VERSIONS);
    let mut open = client.connect().await.unwrap();
    assert_eq!(open.ask(b"I").await.unwrap(), b"gone");
    bench.write("ca.crl", &bench.authority.revocation_list(2, &[&gone.cert_pem]).unwrap());
    assert!(bench.tls.reload_if_touched().unwrap());
    assert!(open.ask(b"I").await.is_err());
    assert!(client.refused().await.contains("CertificateRevoked"));
}

/// The verifier of the handshake never sees a client that resumes. Here it even would let it in.
#[tokio::test]
async fn a_resumed_session_is_judged_by_the_trust_of_now() {
    for version in BOTH {
        let bench = Bench::new().await;
        let gone = bench.authority.issue_client("gone").unwrap();
        let client = bench.client_with(&gone, &[version]);
        client.connect().await.unwrap().ask(b"I").await.unwrap();
        let mut again = client.connect().await.unwrap();
        again.ask(b"I").await.unwrap();
        assert!(again.resumed());

        let before = bench.tls.present();
        let list = format!("sha256 {}", fingerprint(&gone));
        let admission = Admission {
            verifier: Arc::clone(&before.admission.verifier),
            revoked: Revoked::parse(&list).unwrap(),
            source: IdentitySource::Cn,
            certification: None,
            epoch: before.admission.epoch,
            known: Known::default(),
        };
        let setup = Setup {
            server: Arc::clone(&before.server),
            own: Arc::clone(&before.own),
            provider: Arc::clone(&before.provider),
            admission: Arc::new(admission),
            certificate: before.certificate.clone(),
            trust: before.trust.clone(),
        };
        *bench.tls.present.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(setup);
        let mut late = match client.connect().await {
            Ok(late) => late,
            // Of TLS 1.2 the client may see the end already here.
            Err(_) => continue,
        };
        assert!(late.resumed());
        assert!(late.ask(b"I").await.is_err());
    }
}

/// What was judged is found again as long as it would be judged the same.
#[tokio::test]
async fn a_judgement_holds_until_a_date_decides() {
    let bench = Bench::new().await;
    let now = UnixTime::now();
    let after = |seconds: u64| UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() + seconds));
    let day = Duration::from_secs(DAY.unsigned_abs());
    let profile = Profile::client("backup").valid(Validity::lasting(day.try_into().unwrap()));
    let der = |issued: Issued| [CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap()];
    let chain = der(bench.authority.issue(&profile).unwrap());

    let admission = &bench.tls.present().admission;
    let first = admission.judge(&chain, now).unwrap();
    let last_second = after(day.as_secs() - 60);
    assert!(Arc::ptr_eq(&first, &admission.judge(&chain, last_second).unwrap()));
    assert!(admission.judge(&chain, after(day.as_secs() + 60)).unwrap_err().to_string().contains("expired at"));
    // The same certificate in another chain is another matter, and so is a clock that was set back.
    let longer = [chain[0].clone(), chain[0].clone()];
    assert!(!Arc::ptr_eq(&first, &admission.judge(&longer, now).unwrap()));
    let back = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() - 1));
    assert!(!Arc::ptr_eq(&first, &admission.judge(&chain, back).unwrap()));

    // A revocation list ends before this certificate.
    let chain = der(bench.authority.issue_client("long").unwrap());
    let first = admission.judge(&chain, now).unwrap();
    assert!(Arc::ptr_eq(&first, &admission.judge(&chain, last_second).unwrap()));
    let refusal = admission.judge(&chain, after(31 * day.as_secs())).unwrap_err();
    assert!(refusal.to_string().contains("revocation list of its authority has expired"), "{refusal}");
}

/// Whoever may use Certify could otherwise name itself an administrator.
#[tokio::test]
async fn nobody_comes_in_with_a_certificate_that_certify_made() {
    let bench = Bench::new().await;
    let (root, issuing, client) = (Entity::new("CN=root"), Entity::new("CN=issuing"), Entity::new("CN=admin"));
    let always = |body: &mut TbsCertificate| {
        body.validity = Dates { not_before: time(DAY), not_after: time(NOW + 36500 * DAY) };
    };
    let ca = |body: &mut TbsCertificate| {
        always(body);
        body.extensions = Some(testing::authority(None));
    };
    let pem = |der: &[u8]| x509_cert::der::pem::encode_string("CERTIFICATE", Default::default(), der).unwrap();
    // The authority of Certify is one of an authority that is trusted: a chain leads up from what it makes.
    bench.write("ca.pem", &pem(&root.certificate(&root, ca)));
    let above = issuing.certificate(&root, ca);
    let key = SigningKey::Held(ClearKey::new(issuing.kind, issuing.pkcs8.clone()));
    let authority = Arc::new(MakesCertificates::new(vec![above.clone()], key, testing::terms()).unwrap());
    let made = client.certificate(&issuing, always);
    let chain = [CertificateDer::from(made), CertificateDer::from(above.clone())];
    let load =
        |certification| Tls::load(&files(&bench.folder, AuthenticationSuite::Any), IdentitySource::Cn, certification);
    assert!(load(None).unwrap().judge(&chain).is_ok());
    let refusal = load(Some(Arc::clone(&authority))).unwrap().judge(&chain).unwrap_err();
    assert!(refusal.to_string().contains("[certification]"), "{refusal}");
    // Another one's certificates are as good as ever.
    let other = [CertificateDer::from(client.certificate(&root, always))];
    assert!(load(Some(Arc::clone(&authority))).unwrap().judge(&other).is_ok());
    // Nor can the authority itself be trusted by mistake, now or later.
    let before = load(Some(Arc::clone(&authority))).unwrap();
    bench.write("ca.pem", &pem(&above));
    for refused in [load(Some(Arc::clone(&authority))).err(), before.reload().err()] {
        assert!(refused.is_some_and(|error| error.to_string().contains("[certification]")));
    }
}

#[tokio::test]
async fn a_new_server_certificate_drops_nobody() {
    let bench = Bench::new().await;
    let client = bench.client("backup");
    let mut open = client.connect().await.unwrap();
    assert_eq!(open.ask(b"one").await.unwrap(), b"one");
    let own = |wire: &Wire| wire.0.get_ref().1.peer_certificates().unwrap()[0].clone();
    let before = own(&open);

    let server = bench.authority.issue_server(&["127.0.0.1", "localhost"]).unwrap();
    bench.write("server.pem", &server.cert_pem);
    // Between the two files: they do not fit, and everything stays.
    let error = bench.tls.reload_if_touched().unwrap_err();
    assert!(error.to_string().contains("does not belong to the certificate"), "{error}");
    bench.write("server.key", &server.key_pem);
    assert!(bench.tls.reload_if_touched().unwrap());
    assert!(!bench.tls.reload().unwrap());

    assert_eq!(open.ask(b"two").await.unwrap(), b"two");
    let mut fresh = bench.client("backup").connect().await.unwrap();
    fresh.ask(b"three").await.unwrap();
    assert_ne!(own(&fresh), before);
    // Trust is the same: sessions go on.
    assert!(client.connect().await.unwrap().resumed());
}

#[tokio::test]
async fn a_new_authority_replaces_the_old() {
    let bench = Bench::new().await;
    let old = bench.client("old");
    let mut open = old.connect().await.unwrap();
    open.ask(b"I").await.unwrap();
    let next = Authority::named("next").unwrap();
    bench.write("ca.pem", &format!("{}{}", bench.authority.cert_pem(), next.cert_pem()));
    assert!(bench.tls.reload().unwrap());
    open.ask(b"I").await.unwrap();
    let new = bench.client_with(&next.issue_client("new").unwrap(), rustls::ALL_VERSIONS);
    assert_eq!(new.connect().await.unwrap().ask(b"I").await.unwrap(), b"new");
    bench.write("ca.pem", next.cert_pem());
    assert!(bench.tls.reload().unwrap());
    assert!(open.ask(b"I").await.is_err());
    old.refused().await;
    assert_eq!(new.connect().await.unwrap().ask(b"I").await.unwrap(), b"new");
}
