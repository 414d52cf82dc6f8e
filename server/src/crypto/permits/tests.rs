use super::*;

const AES: KeyKind = KeyKind::Aes { bits: 256 };

fn forbidden(result: Result<(), CryptoError>) -> String {
    match result {
        Err(CryptoError::Forbidden(rule)) => rule,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_term_has_the_place_of_its_number_and_one_name() {
    for (place, row) in ROWS.iter().enumerate() {
        assert_eq!(row.term as usize, place, "{row:?}");
        assert!(ROWS.iter().skip(place + 1).all(|other| !other.name.eq_ignore_ascii_case(row.name)), "{row:?}");
    }
}

/// Legacy leaves everything; what the others leave, it leaves too; CNSA 2.0 protects with nothing that NIST does not
/// approve of.
#[test]
fn presets_grow_narrower() {
    for row in ROWS {
        let [legacy, default, fips, cnsa2] = row.leaves;
        assert_eq!(legacy, Leave::ALL, "{row:?}");
        assert!(legacy.contains(default), "{row:?}");
        assert!(!cnsa2.contains(Leave::PROTECT) || fips.contains(Leave::PROTECT), "{row:?}");
        assert!(fips.contains(cnsa2) || !cnsa2.contains(Leave::PROTECT), "{row:?}");
    }
}

#[test]
fn lengths_curves_and_hashes_are_told_apart() {
    let (fips, cnsa2) = (Permits::preset(Preset::Fips), Permits::preset(Preset::Cnsa2));
    fips.key(KeyKind::Rsa { bits: 2048 }, Leave::PROTECT).unwrap();
    fips.key(KeyKind::Rsa { bits: 2047 }, Leave::PROCESS).unwrap();
    forbidden(fips.key(KeyKind::Rsa { bits: 2047 }, Leave::PROTECT));
    forbidden(cnsa2.key(KeyKind::Rsa { bits: 8192 }, Leave::PROTECT));
    cnsa2.key(KeyKind::Rsa { bits: 3072 }, Leave::PROCESS).unwrap();
    forbidden(fips.key(KeyKind::Ec { curve: Curve::Secp256k1 }, Leave::KEEP));
    fips.key(KeyKind::Ec { curve: Curve::P521 }, Leave::MAKE).unwrap();

    let rsa = KeyKind::Rsa { bits: 3072 };
    forbidden(fips.signature(rsa, Signature::RsaPkcs1(Hash::Sha1), Leave::PROTECT));
    fips.signature(rsa, Signature::RsaPkcs1(Hash::Sha1), Leave::PROCESS).unwrap();
    // SHA-1 elsewhere is another matter.
    let key = KeyKind::Generic { bytes: 20 };
    fips.mac(key, Mac::Hmac(Hash::Sha1), Leave::PROTECT).unwrap();
    forbidden(fips.mac(key, Mac::Hmac(Hash::Md5), Leave::PROCESS));
    forbidden(fips.mac(KeyKind::Generic { bytes: 13 }, Mac::Hmac(Hash::Sha256), Leave::PROTECT));
    forbidden(fips.signature(rsa, Signature::RsaPkcs1Bare, Leave::PROCESS));
    forbidden(fips.rsa_cipher(rsa, &RsaCipher::Pkcs1, Leave::PROTECT));
    fips.rsa_cipher(rsa, &RsaCipher::Pkcs1, Leave::PROCESS).unwrap();

    let derived =
        Derivation::Encrypt { cipher: Cipher::AesEcb { padding: super::super::algorithm::Padding::None }, data: &[] };
    forbidden(fips.derivation(AES, &derived, Leave::PROTECT));
    let hkdf = Derivation::Hkdf { hash: Hash::Sha256, salt: &[], info: &[] };
    fips.derivation(AES, &hkdf, Leave::PROTECT).unwrap();
    forbidden(cnsa2.derivation(AES, &hkdf, Leave::PROTECT));
    cnsa2.wrap(AES, Wrap::AesKwp, Leave::PROTECT).unwrap();
    // What XTS calls a key of 256 bits are two of 128.
    let xts = Cipher::AesXts { tweak: &[0; 16] };
    forbidden(cnsa2.cipher(AES, &xts, Leave::PROTECT));
    cnsa2.cipher(AES, &xts, Leave::PROCESS).unwrap();
    cnsa2.cipher(KeyKind::Generic { bytes: 64 }, &xts, Leave::PROTECT).unwrap();
    cnsa2.mac(AES, Mac::Cmac, Leave::PROTECT).unwrap();
    forbidden(fips.mac(KeyKind::Generic { bytes: 32 }, Mac::Poly1305, Leave::PROTECT));
    forbidden(cnsa2.wrap(KeyKind::Aes { bits: 192 }, Wrap::AesKw, Leave::PROTECT));
}

#[test]
fn a_refusal_says_which_rule() {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let permits = Permits::changed(Preset::Fips, &names(&["secp256k1"]), &[], &names(&["gcm"])).unwrap();
    permits.key(KeyKind::Ec { curve: Curve::Secp256k1 }, Leave::MAKE).unwrap();
    let gcm = Cipher::AesGcm { iv: &[0; 12], aad: &[], tag_len: 16, tag: &[] };
    let rule = forbidden(permits.cipher(AES, &gcm, Leave::PROCESS));
    assert!(rule.starts_with("GCM may not be used, not even to decrypt") && rule.contains("names it"), "{rule}");
    let rule = forbidden(permits.algorithm(Algorithm::DES3, Some(192), Leave::MAKE));
    assert_eq!(rule, "3DES may not be made by this server: [algorithms], preset = \"fips\"");
    let unknown = Contradiction::Unknown { list: "process", name: "DES9".to_owned() };
    assert_eq!(Permits::changed(Preset::Default, &[], &names(&["DES9"]), &[]).unwrap_err(), unknown);
    let twice = |lists| Contradiction::Twice { name: "3DES", lists };
    let both = Permits::changed(Preset::Default, &names(&["3DES"]), &[], &names(&["3des"])).unwrap_err();
    assert_eq!(both, twice(["allow", "forbid"]));
    let again = Permits::changed(Preset::Default, &names(&["3DES", "3DES"]), &[], &[]).unwrap_err();
    assert_eq!(again, twice(["allow", "allow"]));
}

/// What a use consists of, down to the hash function of a mask.
#[test]
fn a_use_needs_all_that_it_consists_of() {
    let without = |name: &str| Permits::changed(Preset::Legacy, &[], &[], &[name.to_owned()]).unwrap();
    let rsa = KeyKind::Rsa { bits: 3072 };
    let mask = without("SHA-1");
    let pss = |mgf| Signature::RsaPss { hash: Hash::Sha384, mgf, salt: 48 };
    forbidden(mask.signature(rsa, pss(Hash::Sha1), Leave::PROTECT));
    forbidden(mask.signature(rsa, pss(Hash::Sha1), Leave::PROCESS));
    mask.signature(rsa, pss(Hash::Sha384), Leave::PROTECT).unwrap();
    let oaep = |mgf| RsaCipher::Oaep { hash: Hash::Sha384, mgf, label: &[] };
    forbidden(mask.rsa_cipher(rsa, &oaep(Hash::Sha1), Leave::PROTECT));
    mask.rsa_cipher(rsa, &oaep(Hash::Sha384), Leave::PROTECT).unwrap();

    let key = KeyKind::Generic { bytes: 32 };
    let data = &b"data"[..];
    let hash = Hash::Sha256;
    let by_hmac = [
        Derivation::Hmac { hash, data },
        Derivation::Pbkdf2 { hash, salt: data, iterations: std::num::NonZeroU32::MIN },
        Derivation::Nist800108 { mode: super::super::algorithm::Iteration::Counter, hash, data },
        Derivation::Hkdf { hash, salt: data, info: data },
        Derivation::AwsSignature4 { scope: [data; 3] },
    ];
    for name in ["HMAC", "SHA-256"] {
        for how in &by_hmac {
            forbidden(without(name).derivation(key, how, Leave::PROTECT));
        }
    }
    without("HMAC").derivation(key, &Derivation::Hash(hash), Leave::PROTECT).unwrap();
    let kem = KeyKind::PostQuantum { set: ParameterSet::MlKem768 };
    for name in ["ML-KEM-768", "HKDF", "HMAC", "SHA-512", "AES-256", "GCM"] {
        forbidden(without(name).hpke(kem, Leave::PROTECT));
    }
}

#[test]
fn keys_withstand_quantum_computers_where_they_agree_and_sign() {
    let is = |preset, forbid: &[&str]| {
        let forbid: Vec<String> = forbid.iter().map(|&name| name.to_owned()).collect();
        Permits::changed(preset, &[], &[], &forbid).unwrap().is_quantum_safe()
    };
    assert!(is(Preset::Default, &[]) && is(Preset::Cnsa2, &[]));
    assert!(!is(Preset::Cnsa2, &["ML-KEM-1024"]));
    assert!(!is(Preset::Cnsa2, &["ML-DSA-87"]));
    assert!(is(Preset::Fips, &["ML-DSA-87", "ML-KEM-1024"]));
}

/// docs/algorithms.md has this table; `KMIPD_RENEW=1` writes it anew.
#[test]
fn the_table_of_the_documentation_is_this_one() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/algorithms.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let head = "| name | what it is | legacy | default | fips | cnsa2 |\n|---|---|---|---|---|---|\n";
    let (before, _) = text.split_once(head).expect("the table");
    let words = |leave: Leave| match leave {
        Leave::ALL => "all",
        Leave::NONE => "none",
        leave if leave == Leave::KEEP.and(Leave::PROCESS) => "kept, processes",
        leave if leave == Leave::KEEP.and(Leave::MAKE) => "kept, made",
        other => panic!("{other:?}"),
    };
    let rows: String = ROWS
        .iter()
        .map(|row| {
            format!(
                "| `{}` | {} | {} |\n",
                row.name,
                row.what.trim().trim_end_matches('.'),
                row.leaves.map(words).join(" | ")
            )
        })
        .collect();
    let whole = format!("{before}{head}{rows}");
    if std::env::var_os("KMIPD_RENEW").is_some() {
        std::fs::write(&path, &whole).unwrap();
    }
    assert_eq!(text, whole, "KMIPD_RENEW=1 writes it anew");
}
