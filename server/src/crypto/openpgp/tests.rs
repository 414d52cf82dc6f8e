//! Certificates as GnuPG makes them, and what is done to them.

use super::*;

fn unhex(text: &str) -> Vec<u8> {
    hex::decode(text.split_whitespace().collect::<String>()).unwrap()
}

fn rsa() -> Vec<u8> {
    unhex(include_str!("rsa.hex"))
}

fn edwards() -> Vec<u8> {
    unhex(include_str!("ed25519.hex"))
}

const ARMORED: &str = include_str!("ed25519.asc");

fn subject(name: &str) -> (Tag, Value) {
    let name = Element::new(Tag::CertificateSubjectDistinguishedName, Value::TextString(name.into()));
    (Tag::CertificateSubject, Value::Structure(vec![name]))
}

fn identifier(issuer: &str) -> (Tag, Value) {
    let issuer = Element::new(Tag::Issuer, Value::TextString(issuer.into()));
    (Tag::CertificateIdentifier, Value::Structure(vec![issuer]))
}

fn key(algorithm: Algorithm, bits: i32) -> [(Tag, Value); 2] {
    [
        (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
        (Tag::CryptographicLength, Value::Integer(bits)),
    ]
}

fn signature(algorithm: DigitalSignatureAlgorithm) -> (Tag, Value) {
    (Tag::DigitalSignatureAlgorithm, Value::Enumeration(algorithm.into()))
}

fn length(bytes: i32) -> (Tag, Value) {
    (Tag::CertificateLength, Value::Integer(bytes))
}

fn packet(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[0xC0 | kind, 255], &u32::try_from(body.len()).unwrap().to_be_bytes()[..], body].concat()
}

fn refused(bytes: &[u8]) -> String {
    let failure = attributes(bytes).unwrap_err();
    assert_eq!(failure.reason, kmip_codec::spec::ResultReason::InvalidField);
    failure.message
}

#[test]
fn the_first_user_and_who_has_certified_it() {
    use DigitalSignatureAlgorithm as Named;
    // GnuPG says of each the same Key ID.
    let [algorithm, bits] = key(Algorithm::RSA, 2048);
    let named = signature(Named::SHA512WithRSAEncryption);
    let user = subject("Grete Kösliner <grete@example.com>");
    let found = attributes(&rsa()).unwrap();
    assert_eq!(found, [length(1904), user, algorithm, bits, identifier("B18400B3B61260DF"), named]);
    let found = attributes(&unhex(include_str!("p384.hex"))).unwrap();
    let [algorithm, bits] = key(Algorithm::ECDSA, 384);
    let named = signature(Named::ECDSAWithSHA384);
    assert_eq!(found, [length(298), subject("Curve"), algorithm, bits, identifier("4119B19D40433E33"), named]);
    // The protocol has no name for the signatures of EdDSA.
    let [algorithm, bits] = key(Algorithm::Ed25519, 256);
    let rest = [subject("Edwards"), algorithm, bits, identifier("7364CBFEC8FEA3B8")];
    let found = attributes(&edwards()).unwrap();
    assert_eq!(found, [vec![length(208)], rest.to_vec()].concat());
    // The length is that of the value, whatever form it has.
    let bytes = i32::try_from(ARMORED.len()).unwrap();
    assert_eq!(attributes(ARMORED.as_bytes()).unwrap(), [vec![length(bytes)], rest.to_vec()].concat());
    let headed = ARMORED.replacen("\n\n", "\nComment: none\r\nHash: SHA256\n \n", 1);
    assert_eq!(attributes(headed.as_bytes()).unwrap()[1..], rest);
}

#[test]
fn signatures_of_others_and_of_subkeys_certify_nothing() {
    let rsa = rsa();
    // The primary key alone, then signatures: over the key, over the first user, over the second.
    let (alone, user) = rsa.split_at(272);
    let signed = |kind: u8, hash: u8, issuer: u8| {
        packet(SIGNATURE, &[&[4, kind, 1, hash, 0, 0, 0, 10, 9, 16][..], &[issuer; 8], &[0, 0]].concat())
    };
    let ids = |parts: &[&[u8]]| -> Option<String> {
        let found = attributes(&parts.concat()).unwrap();
        let (_, value) = found.into_iter().find(|(tag, _)| *tag == Tag::CertificateIdentifier)?;
        value.find(Tag::Issuer).and_then(Value::text).map(str::to_owned)
    };
    let (direct, revoked, own) = (signed(0x1F, 8, 0xAA), signed(0x20, 8, 0xBB), signed(0x13, 8, 0xCC));
    let (name, other) = (&user[..37], packet(USER_ID, b"other"));
    assert_eq!(ids(&[alone]), None);
    assert_eq!(ids(&[alone, &revoked, &direct]).unwrap(), "AAAAAAAAAAAAAAAA");
    assert_eq!(ids(&[alone, &direct, name, &own]).unwrap(), "CCCCCCCCCCCCCCCC");
    // A certification is revoked (0x30), and the second user is certified.
    assert_eq!(ids(&[alone, name, &signed(0x30, 8, 1), &other, &own]), None);
    let subkey = packet(PUBLIC_SUBKEY, &alone[3..]);
    assert_eq!(ids(&[alone, &subkey, &own, name, &own]), None);
    // The fingerprint says it too: of version 6 its beginning is the Key ID.
    let fingerprint = [&[34, 33, 6][..], &[7; 8], &[8; 24]].concat();
    let six = [&[6, 0x10, 1, 8, 0, 0, 0, 35][..], &fingerprint, &[0; 6]].concat();
    assert_eq!(ids(&[alone, name, &packet(SIGNATURE, &six)]).unwrap(), "0707070707070707");
    // What is signed goes before what is not.
    let both = [&[4, 0x10, 1, 8, 0, 10, 9, 16][..], &[3; 8], &[0, 10, 9, 16], &[4; 8], &[0, 0]].concat();
    assert_eq!(ids(&[alone, name, &packet(SIGNATURE, &both)]).unwrap(), "0303030303030303");
    // Of version 3 it stands in its place.
    let three = [&[3, 5, 0x10, 0, 0, 0, 0][..], &[9; 8], &[1, 2, 0, 0]].concat();
    assert_eq!(ids(&[alone, name, &packet(SIGNATURE, &three)]).unwrap(), "0909090909090909");
}

#[test]
fn packets_of_every_frame_are_read_and_those_of_others_refused() {
    let whole = edwards();
    assert_eq!(whole[..2], [0x98, 51]);
    let (body, rest) = whole[2..].split_at(51);
    let same = attributes(&whole).unwrap();
    for head in [&[0x99, 0, 51][..], &[0x9A, 0, 0, 0, 51], &[0xC6, 51], &[0xC6, 255, 0, 0, 0, 51]] {
        let found = attributes(&[head, body, rest].concat()).unwrap();
        assert_eq!(found[1..], same[1..], "{head:?}");
    }
    // A length of two bytes.
    let long = packet(USER_ID, &[b'x'; 192]);
    let two = [&[0xCD, 192, 0][..], &[b'x'; 192]].concat();
    let one = [&whole[..53], &long].concat();
    assert_eq!(attributes(&one).unwrap()[1..], attributes(&[&whole[..53], &two].concat()).unwrap()[1..]);
    // Those to pass over: Marker, Trust, Padding, and one that is not critical.
    for kind in [10, 12, 21, 40, 63] {
        assert!(attributes(&[&whole[..], &packet(kind, b"PGP")].concat()).is_ok(), "{kind}");
    }
    for (wrong, why) in [
        (Vec::new(), "ends within"),
        (b"pgp".to_vec(), "not made of packets"),
        ([&[0x9B][..], body].concat(), "without a length"),
        ([&[0xC6, 224][..], body].concat(), "in parts"),
        (rest.to_vec(), "does not begin with a public key"),
        ([&packet(SECRET_KEY, body), rest].concat(), "private key"),
        ([&whole[..], &packet(SECRET_SUBKEY, body)].concat(), "private key"),
        ([&whole[..], &whole].concat(), "several primary keys"),
        ([&whole[..], &packet(11, b"data")].concat(), "no place"),
        ([&whole[..], &packet(39, b"new")].concat(), "no place"),
        ([&whole[..], &[0]].concat(), "not made of packets"),
        ([&packet(PUBLIC_KEY, &[&[7][..], &body[1..]].concat()), rest].concat(), "version"),
        (packet(SIGNATURE, &[4]), "does not begin"),
        ([&whole[..], &packet(SIGNATURE, &[4, 0x10, 1, 8, 0, 9])].concat(), "ends within"),
        ([&whole[..], &packet(SIGNATURE, &[9])].concat(), "version"),
    ] {
        assert!(refused(&wrong).contains(why), "{why}: {}", refused(&wrong));
    }
    // Nothing that is cut off is a certificate, but between packets.
    let whole = rsa();
    let between = (1..whole.len()).filter(|&end| attributes(&whole[..end]).is_ok()).collect::<Vec<_>>();
    assert_eq!(between, [272, 309, 646, 672, 1009, 1281]);
    // Keys of version 6 say how long they are (RFC 9580 §5.5.2.3).
    let six = |says: u8| packet(PUBLIC_KEY, &[&[6, 0, 0, 0, 1, 27, 0, 0, 0, says][..], &[7; 32]].concat());
    let [algorithm, bits] = key(Algorithm::Ed25519, 256);
    assert_eq!(attributes(&six(32)).unwrap(), [length(48), subject(""), algorithm, bits]);
    assert!(refused(&six(31)).contains("version"));
    // Numbers of the key have the length that they say, and there are no others.
    let body = &whole[3..272];
    let key = |body: &[u8]| packet(PUBLIC_KEY, body);
    assert!(attributes(&key(body)).is_ok());
    assert!(refused(&key(&[body, &[0, 1, 1]].concat())).contains("more numbers"));
    let mut longer = body.to_vec();
    longer[7] = 7;
    assert!(refused(&key(&longer)).contains("the length that it says"));
    assert!(refused(&key(&body[..body.len() - 1])).contains("ends within"));
}

#[test]
fn armor_is_that_of_one_public_key() {
    for wrong in [
        ARMORED.replace("END PGP PUBLIC", "END PGP PRIVATE"),
        ARMORED.replacen("\n\n", "\n\n!", 1),
        "-----BEGIN PGP PUBLIC KEY BLOCK-----".to_owned(),
    ] {
        assert!(refused(wrong.as_bytes()).contains("its armor cannot be read"), "{wrong}");
    }
    let private = ARMORED.replace("PUBLIC", "PRIVATE");
    assert!(refused(private.as_bytes()).contains("not made of packets"));
    // Its checksum may be missing, or wrong.
    for other in [ARMORED.replace("=RkwH\n", ""), ARMORED.replace("=RkwH", "=AAAA")] {
        assert!(attributes(other.as_bytes()).is_ok());
    }
}
