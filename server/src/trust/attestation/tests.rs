//! The configuration of attestation; what is verified is tried over the wire.

use std::path::Path;

use super::*;

const TPM: &str =
    "[[tpm]]\nname = \"t\"\nkey = \"KEY\"\nidentities = [\"client\"]\nregisters = [{ sha256 = { 0 = \"ZERO\" } }]\n";

fn read(more: &str) -> Result<Option<Attestation>, String> {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("ak.pem");
    fs::write(
        &key,
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtl2fMy7LxGr84wSOyIFjKAmWtdse\n\
         ltaoyhii5VbzFsTW4jNI/RJtwsh78UQNHYgf3yuCW5K1jbk9k/bH47pcsg==\n-----END PUBLIC KEY-----\n",
    )
    .unwrap();
    let more = more.replace("KEY", key.to_str().unwrap()).replace("ZERO", &"00".repeat(32));
    let config = format!(
        "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_ca = \"c\"\n[store]\npath = \"store\"\n\
         [root_key]\nkind = \"file\"\npath = \"root.key\"\n{more}"
    );
    Attestation::new(&config::Config::parse(&config, Path::new("/etc"))?)
}

#[test]
fn without_a_tpm_there_is_no_attestation() {
    assert!(read("").unwrap().is_none());
    assert!(read("[attestation]\nidentities = [\"a\"]\n").unwrap().is_none());
    let error = read("[attestation]\noperations = [\"Get\"]\n").unwrap_err();
    assert!(error.contains("what nobody can give"), "{error}");
}

#[test]
fn operations_and_identities_are_those_that_are_named() {
    let named = read(&format!("[attestation]\noperations = [\"Get\", \"Create Key Pair\"]\n{TPM}")).unwrap().unwrap();
    assert_eq!(named.types(), [AttestationType::TPMQuote]);
    assert!(named.covers(Operation::Get) && named.covers(Operation::CreateKeyPair) && !named.covers(Operation::Create));
    assert!(named.concerns("anybody", "user:anybody"));
    let all = "[attestation]\noperations = [\"all\"]\nidentities = [\"a\", \"user:b\"]\n";
    let all = read(&format!("{all}{TPM}")).unwrap().unwrap();
    assert!(all.covers(Operation::Create) && !all.covers(Operation::Query) && !all.covers(Operation::DiscoverVersions));
    assert!(all.concerns("a", "user:x") && all.concerns("x", "user:b") && !all.concerns("b", "b"));
}

#[test]
fn what_cannot_be_is_said() {
    for (from, to, said) in [
        ("name = \"t\"", "name = \"t\"\nzzz = 1", "unknown key `zzz`"),
        ("[\"client\"]", "[]", "attests nobody"),
        ("KEY", "/nowhere/ak.pem", "key /nowhere/ak.pem: "),
        ("KEY", "/dev/null", "no public key in PEM"),
        ("[{ sha256 = { 0 = \"ZERO\" } }]", "[]", "attests nothing"),
        ("[{ sha256 = { 0 = \"ZERO\" } }]", "[{}]", "at least one register"),
        ("0 = \"ZERO\"", "", "at least one register"),
        ("sha256", "md5", "no bank \"md5\""),
        ("sha256", "sha1", "length of its bank's hash"),
        ("0 =", "256 =", "256 is no number of a register"),
        ("0 =", "00 = \"ZERO\", 0 =", "0 stands twice"),
        ("\"ZERO\"", "\"zero\"", "no hexadecimal value"),
    ] {
        let error = read(&TPM.replace(from, to)).unwrap_err();
        assert!(error.contains(said), "{to}: {error}");
    }
    let error = read(&format!("[attestation]\noperations = [\"Got\"]\n{TPM}")).unwrap_err();
    assert!(error.contains("no operation \"Got\""), "{error}");
    let error = read(&format!("[attestation]\nnonce_seconds = 0\n{TPM}")).unwrap_err();
    assert!(error.contains("at least 1"), "{error}");
}
