//! Certificates, requests for them and chains are read or refused without a panic. The first two bytes are the length of the
//! first of two certificates of a chain; what stands alone has zeros there.
#![no_main]

use kmip_codec::spec::CertificateRequestType;
use kmipd::crypto::certificate;
use kmipd::crypto::chain::{Anchor, Linked, order, validate};
use kmipd::crypto::signing_request::SigningRequest;
use libfuzzer_sys::fuzz_target;

/// A date within most certificates.
const DATE: i64 = 1_900_000_000;

fuzz_target!(|data: &[u8]| {
    let [high, low, data @ ..] = data else { return };
    let (one, other) = data.split_at(data.len().min(usize::from(u16::from_be_bytes([*high, *low]))));
    for der in [one, other] {
        let _ = certificate::attributes(der);
        let _ = certificate::public_key(der);
        let _ = certificate::key_usage(der);
        let _ = certificate::subject(der);
        for kind in [CertificateRequestType::Pkcs10, CertificateRequestType::PEM, CertificateRequestType::CRMF] {
            let _ = certificate::request_attributes(kind, der);
            let _ = SigningRequest::open(kind, der);
        }
    }
    let chain: Vec<Linked> = [one, other].into_iter().filter_map(|der| Linked::new(der.to_vec()).ok()).collect();
    let anchors: Vec<Anchor> = chain.iter().filter_map(|linked| Anchor::new(linked.der().to_vec()).ok()).collect();
    if let Some(chain) = order(chain) {
        validate(&chain, &[], DATE);
        validate(&chain, &anchors, DATE);
    }
});
