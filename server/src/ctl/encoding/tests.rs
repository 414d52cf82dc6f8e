use super::*;

fn secret(bytes: &[u8]) -> Secret {
    Secret::copy_of(bytes)
}

fn found(file: &[u8], object: ObjectType) -> KeyFormatType {
    open(&secret(file), object).unwrap().format
}

fn problem(file: &[u8], object: ObjectType) -> String {
    open(&secret(file), object).unwrap_err().to_string()
}

/// The least that has the shape of each format.
const SHAPES: [(ObjectType, KeyFormatType, &[u8]); 6] = [
    (ObjectType::Certificate, KeyFormatType::X509, &[0x30, 4, 0x30, 0, 0x30, 0]),
    (ObjectType::PrivateKey, KeyFormatType::Pkcs8, &[0x30, 5, 2, 1, 0, 0x30, 0]),
    (ObjectType::PrivateKey, KeyFormatType::Pkcs1, &[0x30, 6, 2, 1, 0, 2, 1, 9]),
    (ObjectType::PrivateKey, KeyFormatType::ECPrivateKey, &[0x30, 6, 2, 1, 1, 4, 1, 9]),
    (ObjectType::PublicKey, KeyFormatType::X509, &[0x30, 4, 0x30, 0, 3, 0]),
    (ObjectType::PublicKey, KeyFormatType::Pkcs1, &[0x30, 7, 2, 2, 0, 9, 2, 1, 3]),
];

#[test]
fn der_is_told_by_its_shape() {
    for (object, format, der) in SHAPES {
        assert_eq!(found(der, object), format, "{object} {format}");
    }
    let mut long = vec![0x30, 0x82, 1, 1, 2, 1, 0, 0x30, 0x81, 0xfb];
    long.resize(4 + 0x101 - 1, 0);
    assert_eq!(format_of_der(&long, ObjectType::PrivateKey), None, "a byte is missing");
    long.push(0);
    assert_eq!(format_of_der(&long, ObjectType::PrivateKey), Some(KeyFormatType::Pkcs8));
    long[9] = 0xfc;
    assert_eq!(format_of_der(&long, ObjectType::PrivateKey), None, "the inner element is longer than the outer");
    assert_eq!(format_of_der(&[0x30, 5, 2, 1, 0, 0x30, 0, 0], ObjectType::PrivateKey), None, "a byte too many");
}

#[test]
fn pem_is_told_by_its_label_and_comes_back_the_same() {
    for (object, format, der) in SHAPES {
        let pem = to_pem(object, format, der).unwrap();
        let read = open(&pem, object).unwrap();
        assert_eq!((read.format, read.der.expose()), (format, der), "{object} {format}");
    }
    assert_eq!(to_pem(ObjectType::SymmetricKey, KeyFormatType::Raw, b"key"), None);
}

#[test]
fn openssl_puts_parameters_before_the_key() {
    let key = to_pem(ObjectType::PrivateKey, KeyFormatType::ECPrivateKey, SHAPES[3].2).unwrap();
    let mut file = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n".to_vec();
    file.extend(key.expose());
    assert_eq!(found(&file, ObjectType::PrivateKey), KeyFormatType::ECPrivateKey);
    assert_eq!(
        problem(&file, ObjectType::Certificate),
        "the input holds no Certificate but EC PARAMETERS, EC PRIVATE KEY"
    );
}

#[test]
fn what_cannot_be_registered_is_named() {
    let certificate = to_pem(ObjectType::Certificate, KeyFormatType::X509, SHAPES[0].2).unwrap();
    let twice = [certificate.expose(), certificate.expose()].concat();
    assert!(problem(&twice, ObjectType::Certificate).contains("several of CERTIFICATE"));
    let encrypted = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(problem(encrypted, ObjectType::PrivateKey).contains("passphrase"));
    assert!(problem(b"password", ObjectType::PublicKey).contains("neither PEM nor DER of a Public Key"));
    let broken = b"-----BEGIN PUBLIC KEY-----\n!!!!\n-----END PUBLIC KEY-----\n";
    assert!(problem(broken, ObjectType::PublicKey).contains("not well-formed"));
}
