use kmip_codec::spec::{CertificateRequestType, ResultReason};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::ext::pkix::name::GeneralName;

use super::*;
use crate::crypto::testing::{Crmf, Entity, extension, raw_extension, tlv};

/// The key of those that follow, as SubjectPublicKeyInfo. They were made with `openssl cmp -cmd cr -reqout`, of which they are
/// the body.
const KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab321";

/// With `-popo 1`: a signature.
const SIGNED: &str = "308201013081fe3081a202010030819ca53f303d310b30090603550406130241553110300e060355040a0c074578616d706c65311c301a06035504030c13736572766963652e6578616d706c652e636f6da659301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab321a157300a06082a8648ce3d040302034900304602210095d3a49264d7b2ac0f6709615a3e3707e2c6059f4501b11523661e74fdc5e5c4022100efe894b44ce523fb74ffdba194f93953c6443dd6d7a664e6e22ea0b8935a05a2";

/// The same with `-issuer /CN=Authority -days 30 -sans service.example.com`.
const MORE: &str = "308201603082015c308201000201003081faa31630143112301006035504030c09417574686f72697479a422a00f170d3236313132333033303334305aa10f170d3236313232333033303334305aa53f303d310b30090603550406130241553110300e060355040a0c074578616d706c65311c301a06035504030c13736572766963652e6578616d706c652e636f6da659301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab321a920301e0603551d11041730158213736572766963652e6578616d706c652e636f6da156300a06082a8648ce3d04030203480030450220561bca18c9adf26e63f724424d1a166a63eb176ca83725910e96b05bf0e00e2f022100853d728e69977c0f5c549188274fc1b356819e4955d8fe5cc1e883ddd5ae0cc9";

/// With `-popo 0`: a registration authority has verified it.
const VOUCHED: &str = "307630743070020100306ba50e300c310a300806035504030c0178a659301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab3218000";

/// With `-popo -1`: no proof.
const UNPROVEN: &str = "307430723070020100306ba50e300c310a300806035504030c0178a659301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab321";

/// With `-popo 2`: an RSA key that decrypts.
const ENCIPHERMENT: &str = "3082014a308201463082013d02010030820136a50e300c310a300806035504030c0178a6820122300d06092a864886f70d01010105000382010f003082010a0282010100baa99a060d8f6f5ffdb5d2de9cd8427fa9454c578b9578129ea608e2e5edd4c39ceb535f8fd5b0c8e374ed7d054c8915906f40d709a48e21f443239ec52a13ebe21fc137ba8a60ae27c2149ae74d30b06d07ae48769cd12f1d30674a01b6b1f9ca3573db31d73d604a353ba899e9ef2cf9f9486c2a5d038aae2dd967dad2336e83e093ddc2db489c52d6b9af0c6883d05aa652b532f621de02d67f4c68e7eb51243fdbe6d5eeb4fc3bc7bc73ca4ab92f04890da7051a44117f1be2f7548c749f9ecbe9adfc343cb8bca109368e8654b510ed89119644a2103cc1904e4023b174392fb6cf6fe603057e17f4c52b31110cd935f4e1f4cde63986948df2e15465e30203010001a203810100";

fn asked(bytes: &[u8]) -> Outcome<SigningRequest> {
    SigningRequest::open(CertificateRequestType::CRMF, bytes)
}

fn reason(bytes: &[u8]) -> ResultReason {
    asked(bytes).unwrap_err().reason
}

#[test]
fn requests_of_openssl() {
    let signed = hex::decode(SIGNED).unwrap();
    let request = asked(&signed).unwrap();
    assert_eq!(request.subject.to_string(), "CN=service.example.com,O=Example,C=AU");
    assert_eq!(hex::encode(&request.public_key), KEY);
    assert_eq!((request.issuer, request.validity, request.names.len()), (None, (None, None), 0));
    assert_eq!(public_key(&signed), Some(hex::decode(KEY).unwrap()));
    let more = asked(&hex::decode(MORE).unwrap()).unwrap();
    assert_eq!(more.issuer.unwrap().to_string(), "CN=Authority");
    // 2026-11-23 and 30 days later.
    assert_eq!(more.validity, (Some(1_795_403_020), Some(1_795_403_020 + 30 * 24 * 3600)));
    assert!(matches!(&more.names[..], [GeneralName::DnsName(name)] if name.as_str() == "service.example.com"));
    // The one message without the sequence of messages around it.
    let (_, alone) = signed.split_at(4);
    assert_eq!(asked(alone).unwrap(), asked(&signed).unwrap());
    // Another signature, and another name under the same one.
    for from_end in [1, signed.len() - 60] {
        let mut forged = signed.clone();
        let place = forged.len() - from_end;
        forged[place] ^= 1;
        assert_eq!(reason(&forged), ResultReason::InvalidCSR);
    }
    // Half of one, and nothing.
    assert_eq!(reason(&signed[..200]), ResultReason::InvalidCSR);
    assert_eq!(reason(b""), ResultReason::InvalidCSR);
    assert_eq!(public_key(b"request"), None);
}

#[test]
fn a_key_is_proven_by_a_signature_over_the_request_alone() {
    for (request, expected) in [
        (VOUCHED, ResultReason::FeatureNotSupported),
        (ENCIPHERMENT, ResultReason::FeatureNotSupported),
        (UNPROVEN, ResultReason::InvalidCSR),
    ] {
        assert_eq!(reason(&hex::decode(request).unwrap()), expected);
    }
    let entity = Entity::new("CN=entity");
    // Over something that names the sender, which goes before the algorithm.
    let bound = Crmf { input: tlv(0xA0, &tlv(0x30, b"")), ..Crmf::of(&entity) };
    assert_eq!(reason(&bound.signed(&entity)), ResultReason::FeatureNotSupported);
    assert_eq!(reason(&Crmf::of(&entity).signed(&Entity::new("CN=other"))), ResultReason::InvalidCSR);
    assert!(asked(&Crmf::of(&entity).signed(&entity)).is_ok());
}

#[test]
fn what_is_not_heeded_is_refused() {
    let entity = Entity::new("CN=entity");
    let with = |change: &dyn Fn(&mut Crmf)| {
        let mut request = Crmf::of(&entity);
        change(&mut request);
        asked(&request.signed(&entity)).map_err(|failure| failure.reason)
    };
    let refused = |change: &dyn Fn(&mut Crmf)| with(change).unwrap_err();
    // Two requests at a time: the second begins where the first ends.
    let one = Crmf::of(&entity).signed(&entity);
    let within = AnyRef::from_der(&one).unwrap().value().to_vec();
    let two = tlv(0x30, &[within.clone(), within].concat());
    assert_eq!(reason(&two), ResultReason::FeatureNotSupported);
    assert_eq!(public_key(&two), None);
    // Controls, and information for a registration authority.
    assert_eq!(refused(&|request| request.controls = tlv(0x30, b"")), ResultReason::FeatureNotSupported);
    assert_eq!(refused(&|request| request.info = tlv(0x30, b"")), ResultReason::FeatureNotSupported);
    // What the authority sets: the serial number, the algorithm, the identifiers of version 2; and another version.
    for (tag, value) in [(0x81, vec![7]), (0xA2, vec![]), (0x87, vec![0, 1]), (0x88, vec![0, 1]), (0x80, vec![1])] {
        assert_eq!(
            refused(&|request| request.template.push((tag, value.clone()))),
            ResultReason::InvalidCSR,
            "{tag:x}"
        );
    }
    assert!(with(&|request| request.template.push((0x80, vec![2]))).is_ok());
    // Neither the name nor the key may be left out; none is there twice, and none is unknown.
    for tag in [0xA5, 0xA6] {
        assert_eq!(refused(&|request| request.template.retain(|(other, _)| *other != tag)), ResultReason::InvalidCSR);
    }
    let name = entity.name.to_der().unwrap();
    assert_eq!(refused(&|request| request.template.push((0xA5, name.clone()))), ResultReason::InvalidCSR);
    assert_eq!(refused(&|request| request.template.push((0xAA, name.clone()))), ResultReason::InvalidCSR);
    // Dates have two numbers, and are dates.
    assert_eq!(refused(&|request| request.template.push((0xA4, tlv(0xA2, b"")))), ResultReason::InvalidCSR);
    assert_eq!(refused(&|request| request.template.push((0xA4, tlv(0xA0, b"?")))), ResultReason::InvalidCSR);
    // Extensions are under the rules of any request.
    let extensions = |all: Vec<Extension>| {
        let all: Vec<u8> = all.iter().flat_map(|one| one.to_der().unwrap()).collect();
        refused(&|request| request.template.push((0xA9, all.clone())))
    };
    let authority = extension(&BasicConstraints { ca: true, path_len_constraint: None }, true);
    assert_eq!(extensions(vec![authority]), ResultReason::PermissionDenied);
    let none = extension(&BasicConstraints { ca: false, path_len_constraint: None }, true);
    assert_eq!(extensions(vec![none.clone(), none]), ResultReason::InvalidCSR);
    let unknown = raw_extension(ObjectIdentifier::new_unwrap("1.2.3.4"), false, &[5, 0]);
    assert_eq!(extensions(vec![unknown]), ResultReason::FeatureNotSupported);
}
