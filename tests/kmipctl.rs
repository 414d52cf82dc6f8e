//! kmipctl against a kmipd of its own: every command, as a person or a program types it.

#[cfg(test)]
mod harness;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::{Kmipd, openssl};
use serde_json::Value as Json;
use tempfile::TempDir;

/// A server, and a folder to type commands in.
struct Desk {
    kmipd: Kmipd,
    folder: TempDir,
}

#[cfg(test)]
impl Desk {
    fn new() -> Self {
        Self { kmipd: Kmipd::dev(), folder: tempfile::tempdir().unwrap() }
    }

    /// Runs kmipctl; the words are apart by single blanks, `_` within a word stands for a blank.
    fn run(&self, line: &str, input: &[u8]) -> Output {
        let mut command = kmipctl(self.folder.path());
        command.arg("--dir").arg(&self.kmipd.dir);
        command.args(line.split(' ').map(|word| word.replace('_', " ")));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that does not read its input may be gone by now.
        let _ = child.stdin.take().unwrap().write_all(input);
        child.wait_with_output().unwrap()
    }

    /// What a command that succeeds writes.
    fn out(&self, line: &str) -> Vec<u8> {
        self.out_of(line, b"")
    }

    fn out_of(&self, line: &str, input: &[u8]) -> Vec<u8> {
        let output = self.run(line, input);
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    fn text(&self, line: &str) -> String {
        String::from_utf8(self.out(line)).unwrap()
    }

    fn json(&self, line: &str) -> Json {
        serde_json::from_slice(&self.out(&format!("--json {line}"))).unwrap()
    }

    /// The one identifier that a command answers.
    fn id(&self, line: &str) -> String {
        self.id_of(line, b"")
    }

    fn id_of(&self, line: &str, input: &[u8]) -> String {
        let text = String::from_utf8(self.out_of(&format!("-q {line}"), input)).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        text.trim_end().to_owned()
    }

    /// The exit code and the words of a command that fails.
    fn problem(&self, line: &str) -> (i32, String) {
        let output = self.run(line, b"");
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap().trim_end().to_owned())
    }

    fn state(&self, id: &str) -> String {
        let found = self.json(&format!("attributes {id} --attribute state"));
        found["Attributes"][0]["Value"].as_str().unwrap().to_owned()
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

fn kmipctl(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmipctl"));
    command.current_dir(folder);
    for name in ["SERVER", "CA", "CERT", "KEY", "DIR", "KMIP_VERSION", "TIMEOUT"] {
        command.env_remove(format!("KMIPCTL_{name}"));
    }
    command
}

#[test]
fn a_key_lives_and_dies() {
    let desk = Desk::new();
    let id = desk.id("create --algorithm aes --length 256 --name the_key --group g,1 --attribute x-Project=seven");
    assert_eq!(desk.state(&id), "Pre-Active");

    let shown = desk.text(&format!("attributes {id}"));
    for words in ["Encrypt, Decrypt", "Name Value=the key", "x-Project", "seven", "g,1", "Z\n"] {
        assert!(shown.contains(words), "{words} in:\n{shown}");
    }

    desk.out(&format!("activate {id}"));
    assert_eq!(desk.state(&id), "Active");
    let (code, words) = desk.problem(&format!("destroy {id}"));
    assert_eq!(code, 1);
    assert!(words.starts_with("kmipctl: Wrong Key Lifecycle State: "), "{words}");

    desk.out(&format!("revoke {id} --reason key-compromise --message lost_it --occurred -1h"));
    assert_eq!(desk.state(&id), "Compromised");
    desk.out(&format!("destroy {id}"));
    assert_eq!(desk.state(&id), "Destroyed Compromised");
    let (code, words) = desk.problem(&format!("get {id}"));
    assert_eq!(code, 1);
    assert!(words.starts_with("kmipctl: Object Destroyed: "), "{words}");
}

#[test]
fn a_key_is_made_and_activated_in_one_message_in_every_version() {
    let desk = Desk::new();
    for version in ["1.0", "1.1", "1.2", "1.3", "1.4", "2.0", "2.1"] {
        let id = desk.id(&format!("--kmip-version {version} create --name v{version} --activate"));
        assert_eq!(desk.state(&id), "Active", "{version}");
        let shown = desk.text(&format!("--kmip-version {version} attributes {id}"));
        assert!(shown.contains("Encrypt, Decrypt"), "{version}: {shown}");
        let found = desk.text(&format!("--kmip-version {version} -q locate --name v{version}"));
        assert_eq!(found.trim_end(), id, "{version}");
    }
}

#[test]
fn key_bytes_come_only_where_they_are_asked_for() {
    let desk = Desk::new();
    let key: Vec<u8> = (0..32).collect();
    let digits = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let id = desk.id_of("register --type symmetric-key --usage encrypt", &key);

    for line in [format!("get {id}"), format!("--json get {id}"), format!("attributes {id}")] {
        let output = desk.out(&line);
        let text = String::from_utf8(output.clone()).unwrap();
        assert!(!text.contains("0001020304") && !output.windows(4).any(|window| window == [1, 2, 3, 4]), "{text}");
    }
    let shown = desk.text(&format!("get {id}"));
    for words in ["Symmetric Key", "AES", "256", "Raw", "32 bytes"] {
        assert!(shown.contains(words), "{words} in:\n{shown}");
    }

    assert_eq!(desk.out(&format!("get {id} --raw")), key);
    assert_eq!(desk.text(&format!("get {id} --hex")), format!("{digits}\n"));
    desk.out(&format!("get {id} --out key.bin"));
    assert_eq!(fs::read(desk.file("key.bin")).unwrap(), key);
    assert_eq!(fs::metadata(desk.file("key.bin")).unwrap().permissions().mode() & 0o777, 0o600);
    let (code, words) = desk.problem(&format!("get {id} --out key.bin"));
    assert_eq!((code, words.as_str()), (1, "kmipctl: key.bin is there already; nothing was written"));
    assert_eq!(desk.problem(&format!("get {id} --raw --hex")).0, 2);
}

#[test]
fn keys_and_certificates_of_openssl() {
    let desk = Desk::new();
    let folder = desk.folder.path();
    openssl(folder, "genrsa -traditional -out rsa1.pem 2048");
    openssl(folder, "pkey -in rsa1.pem -out rsa8.pem");
    openssl(folder, "rsa -in rsa1.pem -RSAPublicKey_out -out rsapub1.pem");
    openssl(folder, "pkey -in rsa1.pem -pubout -out rsapub.pem");
    openssl(folder, "pkcs8 -topk8 -nocrypt -in rsa1.pem -outform DER -out rsa8.der");
    openssl(folder, "rsa -traditional -in rsa1.pem -outform DER -out rsa1.der");
    openssl(folder, "ecparam -name prime256v1 -genkey -out ec.pem");
    openssl(folder, "req -new -x509 -key ec.pem -subj /CN=test -days 10 -out cert.pem");
    for (kind, file, format, algorithm, bits) in [
        ("private-key", "rsa1.pem", "PKCS#1", "RSA", "2048"),
        ("private-key", "rsa8.pem", "PKCS#8", "RSA", "2048"),
        ("private-key", "rsa8.der", "PKCS#8", "RSA", "2048"),
        ("private-key", "rsa1.der", "PKCS#1", "RSA", "2048"),
        ("public-key", "rsapub1.pem", "PKCS#1", "RSA", "2048"),
        ("public-key", "rsapub.pem", "X.509", "RSA", "2048"),
        ("private-key", "ec.pem", "ECPrivateKey", "EC", "256"),
    ] {
        let id = desk.id(&format!("register --type {kind} --in {file} --usage sign"));
        let found = desk.json(&format!("get {id}"));
        let fields = ["KeyFormatType", "CryptographicAlgorithm", "CryptographicLength"].map(|name| &found[name]);
        assert_eq!(fields, [format, algorithm, bits], "{file}");
        if file.ends_with("1.pem") || file == "rsapub.pem" || file == "rsa8.pem" {
            let pem = desk.text(&format!("get {id} --pem"));
            assert_eq!(pem, fs::read_to_string(desk.file(file)).unwrap(), "{file}");
        }
    }
    let id = desk.id("register --type certificate --in cert.pem --name cert");
    assert_eq!(desk.text(&format!("get {id} --pem")), fs::read_to_string(desk.file("cert.pem")).unwrap());
    assert_eq!(desk.json(&format!("get {id}"))["CertificateType"], "X.509");
    let (code, words) = desk.problem("register --type certificate --in rsa8.pem");
    assert_eq!((code, words.as_str()), (2, "kmipctl: the input holds no Certificate but PRIVATE KEY"));
    let (code, words) = desk.problem("register --type certificate --in none.pem");
    assert_eq!((code, words.as_str()), (1, "kmipctl: there is no file none.pem"));
}

#[test]
fn secrets_and_whatever_else() {
    let desk = Desk::new();
    let id = desk.id_of("register --type secret-data --name password --activate", b"hunter2\n");
    assert_eq!(desk.out(&format!("get {id} --raw")), b"hunter2\n");
    assert_eq!(desk.json(&format!("get {id}"))["SecretDataType"], "Password");
    assert_eq!(desk.state(&id), "Active");
    let id = desk.id_of("register --type opaque", b"\0\xff\0");
    assert_eq!(desk.out(&format!("get {id} --raw")), b"\0\xff\0");
    assert_eq!(desk.problem("register --type secret-data").1, "kmipctl: the input is empty");
}

#[test]
fn key_pairs() {
    let desk = Desk::new();
    let rsa = desk.json("create-key-pair --algorithm rsa --private-name priv --public-name pub --activate");
    let private = rsa["PrivateKeyUniqueIdentifier"].as_str().unwrap();
    assert_eq!(desk.state(private), "Active");
    assert_eq!(desk.id("locate --name priv"), private);
    assert_eq!(desk.id("locate --name pub"), rsa["PublicKeyUniqueIdentifier"].as_str().unwrap());
    let ec = desk.json("create-key-pair --algorithm ec --curve p-384");
    let public = desk.json(&format!("get {}", ec["PublicKeyUniqueIdentifier"].as_str().unwrap()));
    assert_eq!(public["CryptographicLength"], "384");
    assert_eq!(desk.problem("create-key-pair --algorithm ec").0, 2);
}

#[test]
fn objects_are_found_by_what_they_are() {
    let desk = Desk::new();
    let first = desk.id("create --name first --group a --length 128 --activate");
    let second = desk.id("create --name second --group a");
    let secret = desk.id_of("register --type secret-data --group b --name secret", b"s");
    let located = |line: &str| -> Vec<String> {
        desk.text(&format!("-q locate {line}")).lines().map(ToOwned::to_owned).collect()
    };
    assert_eq!(located("--group a"), [second.clone(), first.clone()], "the newest first");
    assert_eq!(located("--group a --state active"), [first.as_str()]);
    assert_eq!(located("--group a --max 1 --offset 1"), [first.as_str()]);
    assert_eq!(located("--type secret-data"), [secret]);
    assert_eq!(located("--algorithm aes --length 128"), [first.as_str()]);
    assert_eq!(located("--name second --state active"), Vec::<String>::new());

    let table = desk.text("locate --group a");
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("ID ") && lines[0].ends_with("NAME"), "{table}");
    assert!(lines[2].starts_with(&first) && lines[2].ends_with("Symmetric Key  Active      AES        128     first"));
    let json = desk.json("locate --name first");
    assert_eq!(json["Objects"][0]["UniqueIdentifier"], first.as_str());
    assert_eq!(json["Objects"][0]["Name"][0], "first");
    assert_eq!(json["Objects"][0]["CryptographicLength"], 128);
    assert_eq!(desk.text("locate --name nobody"), "no object was found\n");
}

#[test]
fn the_server_says_what_it_can() {
    let desk = Desk::new();
    let text = desk.text("query");
    assert!(text.contains("kmipd") && text.contains("Create, ") && text.contains("2.1"), "{text}");
    let json = desk.json("--kmip-version 1.2 query");
    assert_eq!(json["KMIPVersion"], "1.2");
    assert!(json["Operation"].as_array().unwrap().contains(&"Locate".into()));
}

#[test]
fn what_goes_wrong_is_said_in_words_and_in_the_exit_code() {
    let desk = Desk::new();
    let (code, words) = desk.problem("get nothing");
    assert_eq!((code, words.as_str()), (1, "kmipctl: Object Not Found: there is no such object"));
    let output = desk.run("--json get nothing", b"");
    let error: Json = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!((error["ResultReason"].as_str(), output.status.code()), (Some("Object Not Found"), Some(1)));

    for (line, words) in [
        ("get", "required"),
        ("create --algorithm zzz", "there is no Cryptographic Algorithm"),
        ("create --attribute Groop=x", "there is no attribute"),
        ("create --usage fly", "there is no bit"),
        ("--kmip-version 3.0 query", "the versions are"),
        ("--server a:b query", "HOST:PORT"),
    ] {
        let (code, said) = desk.problem(line);
        assert!(code == 2 && said.contains(words), "{line}: {code} {said}");
    }
    let (code, words) = desk.problem("--kmip-version 1.2 create --attribute Sensitive=true");
    assert_eq!((code, words.as_str()), (1, "kmipctl: KMIP 1.2 has no attribute Sensitive"));
    let (code, words) = desk.problem("--kmip-version 1.2 locate --offset 1");
    assert_eq!((code, words.as_str()), (1, "kmipctl: --offset needs KMIP 1.3; this is 1.2"));
}

#[test]
fn the_server_is_found_by_folder_options_or_environment() {
    let home = tempfile::tempdir().unwrap();
    let alone = kmipctl(home.path()).arg("query").output().unwrap();
    assert_eq!(alone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&alone.stderr).contains("kmipd dev"));

    let mut kmipd = Kmipd::dev_in(&home.path().join("kmipd-dev"), &[]);
    assert!(kmipctl(home.path()).arg("query").output().unwrap().status.success());

    let elsewhere = tempfile::tempdir().unwrap();
    let file = |name: &str| kmipd.dir.join(name);
    let mut command = kmipctl(elsewhere.path());
    command.env("KMIPCTL_SERVER", format!("localhost:{}", kmipd.address.port())).env("KMIPCTL_CA", file("ca.pem"));
    command.env("KMIPCTL_CERT", file("client.pem")).env("KMIPCTL_KEY", file("client.key"));
    let output = command.arg("query").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    assert!(kmipd.terminate().success());
    let gone = kmipctl(home.path()).arg("query").output().unwrap();
    let words = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(gone.status.code() == Some(1) && words.contains("is kmipd running? start it with `kmipd dev`"), "{words}");
}

#[test]
fn data_are_encrypted_and_come_back() {
    let desk = Desk::new();
    let id = desk.id("create --activate");
    let plain = b"binary \0\xff\n".as_slice();
    fs::write(desk.file("plain"), plain).unwrap();

    let done = desk.json(&format!(
        "encrypt {id} --in plain --out cipher --mode gcm --parameters Tag_Length=16,Random_IV=true --aad 00ff"
    ));
    let field = |name: &str| done[name].as_str().unwrap().to_owned();
    let (iv, tag) = (field("IVCounterNonce"), field("AuthenticatedEncryptionTag"));
    assert_eq!(fs::read(desk.file("cipher")).unwrap().len(), plain.len());
    let back = format!("decrypt {id} --mode gcm --parameters Tag_Length=16 --in cipher --iv {iv} --aad 00ff");
    assert_eq!(desk.out(&format!("{back} --tag {tag}")), plain);
    assert_eq!(desk.problem(&format!("{back} --tag {}", "00".repeat(16))).0, 1);

    let cbc = "--mode cbc --padding pkcs5 --iv 000102030405060708090a0b0c0d0e0f";
    let cipher = desk.out_of(&format!("encrypt {id} {cbc}"), plain);
    assert_eq!(cipher.len(), 16);
    let hex = desk.json(&format!("encrypt {id} {cbc} --in plain"))["Data"].as_str().unwrap().to_owned();
    assert_eq!(hex, hex::encode(&cipher));
    assert_eq!(desk.out_of(&format!("decrypt {id} {cbc}"), &cipher), plain);
    assert_eq!(desk.problem(&format!("encrypt {id} --iv 0")).0, 2);
}

#[test]
fn signatures_are_those_of_openssl() {
    let desk = Desk::new();
    let pair = desk.json("create-key-pair --algorithm ec --curve p-256 --activate");
    let key = |name: &str| pair[name].as_str().unwrap().to_owned();
    let (private, public) = (key("PrivateKeyUniqueIdentifier"), key("PublicKeyUniqueIdentifier"));
    fs::write(desk.file("data"), b"what is signed").unwrap();
    fs::write(desk.file("other"), b"what is not").unwrap();
    let how = "--parameters Digital_Signature_Algorithm=ECDSA_with_SHA256";
    desk.out(&format!("sign {private} --in data --out signature {how}"));

    let said = desk.text(&format!("verify {public} --in data --signature signature {how}"));
    assert!(said.ends_with("Validity Indicator  Valid\n"), "{said}");
    let (code, words) = desk.problem(&format!("verify {public} --in other --signature signature {how}"));
    assert_eq!((code, words.as_str()), (1, "kmipctl: Invalid: the key did not sign these data so"));

    desk.out(&format!("get {public} --format x_509 --pem --out public.pem"));
    let said = openssl(desk.folder.path(), "dgst -sha256 -verify public.pem -signature signature data");
    assert_eq!(said, "Verified OK\n");
}
