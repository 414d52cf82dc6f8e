//! The program from outside: its folders, its certificates, its connections, its end.

#[cfg(test)]
mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use harness::{Client, Kmipd, Signal, message, openssl, run, served};
use kmip_codec::spec::{CertificateType, Operation, ValidityIndicator, Version};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::Certificate;
use kmipd::ops;
use kmipd_certs::{Authority, Issued, Profile, Validity, write_private};

/// An answer is a Response Message, whatever it says.
fn is_response(answer: &[u8]) -> bool {
    answer.starts_with(&[0x42, 0x00, 0x7b, 0x01])
}

#[test]
fn dev_makes_everything_and_serves_it() {
    let mut kmipd = Kmipd::dev();
    let mode = |name: &str| fs::metadata(kmipd.dir.join(name)).unwrap().permissions().mode() & 0o777;
    for name in ["ca.pem", "server.pem", "client.pem", "kmipd.toml", "pykmip.conf", "store"] {
        assert!(kmipd.dir.join(name).exists(), "{name}");
    }
    for name in ["ca.key", "server.key", "client.key", "store/root.key"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
    let conf = || fs::read_to_string(kmipd.dir.join("pykmip.conf")).unwrap();
    assert!(conf().contains(&format!("host=127.0.0.1\nport={}\n", kmipd.address.port())), "{}", conf());

    let before = fs::read_to_string(kmipd.dir.join("client.pem")).unwrap();
    assert!(kmipd.terminate().success());
    kmipd.restart();
    assert_eq!(fs::read_to_string(kmipd.dir.join("client.pem")).unwrap(), before);
    let conf = fs::read_to_string(kmipd.dir.join("pykmip.conf")).unwrap();
    assert!(conf.contains(&format!("port={}\n", kmipd.address.port())), "{conf}");
    assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
}

#[test]
fn dev_survives_a_kill() {
    let mut kmipd = Kmipd::dev();
    kmipd.kill();
    kmipd.restart();
    assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
}

#[test]
fn dev_makes_a_token() {
    let mut kmipd = Kmipd::dev_with(&["--hsm"]);
    assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
    assert!(kmipd.dir.join("hsm/pin").exists());
    assert!(kmipd.terminate().success());
    let config = kmipd.dir.join("kmipd.toml");
    let (good, said, _) = run(&["check", "--config", config.to_str().unwrap()]);
    assert!(good && said.contains("the token is there and takes the PIN"), "{said}");
    // The folder remembers its token.
    let again = Kmipd::dev_in(&kmipd.dir, &[]);
    assert!(is_response(&again.connect().ask(&message()).unwrap()));
}

#[test]
fn dev_says_what_is_in_its_way() {
    let kmipd = Kmipd::dev();
    let dir = kmipd.dir.to_str().unwrap();
    let (good, _, said) = run(&["dev", "--dir", dir, "--listen", "127.0.0.1:0"]);
    assert!(!good && said.contains("is in use by another process"), "{said}");

    let other = tempfile::tempdir().unwrap();
    let other_dir = other.path().join("dev");
    let taken = kmipd.address.to_string();
    let (good, _, said) = run(&["dev", "--dir", other_dir.to_str().unwrap(), "--listen", &taken]);
    assert!(!good && said.contains(&format!("{taken} is already in use")), "{said}");

    let file = other.path().join("file");
    fs::write(&file, "").unwrap();
    let under = file.join("dev");
    let (good, _, said) = run(&["dev", "--dir", under.to_str().unwrap()]);
    assert!(!good && said.contains(under.to_str().unwrap()) && said.contains("Not a directory"), "{said}");

    fs::remove_file(other_dir.join("client.key")).unwrap();
    let (good, _, said) = run(&["dev", "--dir", other_dir.to_str().unwrap()]);
    assert!(!good && said.contains("client.pem is there, and"), "{said}");
}

#[test]
fn serve_refuses_what_dev_made() {
    let mut kmipd = Kmipd::dev();
    assert!(kmipd.terminate().success());
    let config = kmipd.dir.join("kmipd.toml");
    let (good, _, said) = run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!good && said.contains("`kmipd serve` refuses such a store"), "{said}");
    // Calling it another kind does not help.
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("kind = \"dev-file\"", "kind = \"file\"\npath = \"store/root.key\"")).unwrap();
    let (good, _, said) = run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!good && said.contains("`kmipd serve` refuses such a store"), "{said}");
}

#[test]
fn serve_says_which_certificate_was_refused_and_what_helps() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = Kmipd::serve(&served(folder.path(), ""));
    let authority = kmipd.authority();
    assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
    let refused = |client: &Client| client.ask(&message()).unwrap_err();

    // Version 1, as `openssl x509 -req` makes it.
    openssl(folder.path(), "req -newkey rsa:2048 -nodes -keyout v1.key -subj /CN=old -out v1.csr");
    openssl(folder.path(), "x509 -req -in v1.csr -CA ca.pem -CAkey ca.key -set_serial 0x1234 -days 1 -out v1.pem");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    let old = Issued { cert_pem: read("v1.pem"), key_pem: read("v1.key").into() };
    refused(&kmipd.client_with(&old));
    let line = kmipd.wait_for("X.509 version 1");
    let fields: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line.contains("-extfile"), "{line}");
    assert_eq!(fields["subject"], "CN=old");
    assert_eq!(fields["serial"], "1234");
    assert!(fields["address"].as_str().unwrap().starts_with("127.0.0.1:"));
    let printed = openssl(folder.path(), "x509 -in v1.pem -noout -fingerprint -sha256");
    let fingerprint = printed.trim().rsplit('=').next().unwrap().replace(':', "").to_lowercase();
    assert_eq!(fields["fingerprint"], fingerprint);
    // With the remedy it is let in.
    fs::write(folder.path().join("v3"), "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n").unwrap();
    openssl(folder.path(), "x509 -req -in v1.csr -CA ca.pem -CAkey ca.key -days 1 -extfile v3 -out v3.pem");
    let new = Issued { cert_pem: read("v3.pem"), key_pem: read("v1.key").into() };
    assert!(is_response(&kmipd.client_with(&new).ask(&message()).unwrap()));

    let expired = authority.issue(&Profile::client("late").valid(Validity::expired())).unwrap();
    refused(&kmipd.client_with(&expired));
    assert!(kmipd.wait_for("expired at").contains("CN=late"));

    let elsewhere = kmipd_certs::Authority::named("elsewhere").unwrap().issue_client("stranger").unwrap();
    refused(&kmipd.client_with(&elsewhere));
    let line = kmipd.wait_for("not among the authorities of [tls] client_ca");
    assert!(line.contains("CN=stranger") && line.contains("CN=elsewhere"), "{line}");

    refused(&Client::new(kmipd.address, authority.cert_pem(), None));
    kmipd.wait_for("the client sent no certificate");

    // A client that trusts somebody else ends the handshake itself.
    let own = authority.issue_client("client").unwrap();
    let other_ca = kmipd_certs::Authority::named("other").unwrap();
    let distrusting = Client::new(kmipd.address, other_ca.cert_pem(), Some((&own.cert_pem, &own.key_pem)));
    refused(&distrusting);
    kmipd.wait_for("the client refused the server's certificate");

    let log = kmipd.log();
    assert!(!log.contains("PRIVATE KEY"), "{log}");
}

#[test]
fn an_old_client_of_tls_1_2_and_openssl_are_let_in() {
    let kmipd = Kmipd::dev();
    for version in ["-tls1_2", "-tls1_3"] {
        let session = format!("session{version}");
        let connect = format!(
            "s_client -connect {} -CAfile ca.pem -cert client.pem -key client.key -verify_return_error -ign_eof {version}",
            kmipd.address
        );
        let ask = |more: &str| {
            let mut child = Command::new("openssl")
                .args(format!("{connect} {more}").split(' '))
                .current_dir(&kmipd.dir)
                .stdin(std::process::Stdio::piped())
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::null())
                .spawn()
                .unwrap();
            // Something that is no message: it is answered, and the connection ends.
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"no message at all\n").unwrap();
            String::from_utf8_lossy(&child.wait_with_output().unwrap().stdout).into_owned()
        };
        let said = ask(&format!("-sess_out {session}"));
        assert!(said.contains("Verify return code: 0 (ok)") && said.contains("New, TLSv1."), "{said}");
        let said = ask(&format!("-sess_in {session}"));
        assert!(said.contains("Reused, TLSv1."), "{said}");
    }
    kmipd.wait_for("unreadable request");
}

#[test]
fn trust_changes_without_a_dropped_connection() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = Kmipd::serve(&served(folder.path(), ""));
    let gone = kmipd.authority().issue_client("gone").unwrap();
    let (leaving, staying) = (kmipd.client_with(&gone), kmipd.client());
    let (mut open, mut other) = (leaving.connect().unwrap(), staying.connect().unwrap());
    assert!(is_response(&open.ask(&message()).unwrap()));
    assert!(is_response(&other.ask(&message()).unwrap()));
    assert!(leaving.connect().unwrap().resumed());

    fs::write(folder.path().join("gone.pem"), &gone.cert_pem).unwrap();
    let printed = openssl(folder.path(), "x509 -in gone.pem -noout -fingerprint -sha256");
    let line = format!("sha256 {} left\n", printed.trim().rsplit('=').next().unwrap());
    fs::write(folder.path().join("revoked.txt"), line).unwrap();
    kmipd.signal(Signal::HUP);
    kmipd.wait_for("loaded anew");

    assert!(open.ask(&message()).is_err());
    assert!(leaving.ask(&message()).is_err());
    kmipd.wait_for("the list of [tls] revoked names its fingerprint");
    assert!(is_response(&other.ask(&message()).unwrap()));
    assert!(is_response(&staying.ask(&message()).unwrap()));
}

#[test]
fn a_stop_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let mut kmipd = Kmipd::serve(&served(folder.path(), "[limits]\ndrain_seconds = 1\n"));
    let mut idle = kmipd.connect();
    assert!(is_response(&idle.ask(&message()).unwrap()));
    let mut half = kmipd.connect();
    half.send(&message()[..20]).unwrap();
    // Answered, so that its first half has been read by then.
    assert!(is_response(&idle.ask(&message()).unwrap()));
    kmipd.signal(Signal::TERM);
    idle.end().unwrap();
    assert!(kmipd.terminate().success());
    kmipd.wait_for("\"stopped\"");
    kmipd.restart();
    assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
}

#[test]
fn a_store_opens_with_its_root_key_only() {
    // A token, which `dev` makes.
    let mut dev = Kmipd::dev_with(&["--hsm"]);
    assert!(dev.terminate().success());
    let dir = dev.dir.clone();
    let made = fs::read_to_string(dir.join("kmipd.toml")).unwrap();
    write_private(&dir.join("passphrase"), "correct horse\n").unwrap();
    write_private(&dir.join("other"), "battery staple\n").unwrap();

    let config = dir.join("serve.toml");
    let write = |store: &str, root: &str| {
        let text = made.replace("path = \"store\"", &format!("path = \"{store}\""));
        fs::write(&config, text.replace("kind = \"dev-file\"", root)).unwrap();
    };
    let passphrase = "kind = \"passphrase\"\npassphrase_file = \"passphrase\"";
    let other = "kind = \"passphrase\"\npassphrase_file = \"other\"";
    for (store, root) in [("one", passphrase), ("two", "kind = \"hsm\"")] {
        write(store, root);
        let mut kmipd = Kmipd::serve(&config);
        assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
        assert!(kmipd.terminate().success());
        kmipd.restart();
        assert!(is_response(&kmipd.connect().ask(&message()).unwrap()));
        assert!(kmipd.terminate().success());
        write(store, other);
        let (good, _, said) = run(&["serve", "--config", config.to_str().unwrap()]);
        assert!(!good && (said.contains("[store]") || said.contains("[root_key]")), "{said}");
        assert!(!said.contains("horse") && !said.contains("staple"), "{said}");
    }
}

#[test]
fn two_servers_do_not_share_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let config = served(folder.path(), "");
    let _kmipd = Kmipd::serve(&config);
    let (good, _, said) = run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!good && said.contains("in use by another process"), "{said}");
}

#[test]
fn a_configuration_is_checked_without_a_trace() {
    let folder = tempfile::tempdir().unwrap();
    let config = served(folder.path(), "");
    let path = config.to_str().unwrap();
    let (good, said, _) = run(&["check", "--config", path]);
    assert!(good, "{said}");
    assert!(said.contains("the key belongs to the certificate"), "{said}");
    assert!(said.contains("is not there yet; the first start makes a new store"), "{said}");
    assert!(!folder.path().join("store").exists());

    fs::set_permissions(folder.path().join("root.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (good, said, _) = run(&["check", "--config", path]);
    assert!(!good && said.contains("has mode 644: others can read or write it"), "{said}");
    fs::copy(folder.path().join("client.key"), folder.path().join("server.key")).unwrap();
    let (good, said, _) = run(&["check", "--config", path]);
    assert!(!good && said.contains("does not belong to the certificate"), "{said}");

    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("address", "adress")).unwrap();
    for command in ["check", "serve"] {
        let (good, _, said) = run(&[command, "--config", path]);
        assert!(!good, "{said}");
        assert!(said.contains("unknown key `adress` in [listen], line 3: did you mean `address`?"), "{said}");
    }
}

#[test]
fn a_revocation_list_of_the_configuration_is_read_anew_for_validate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let config = served(path, "[validation]\ntrusted = [\"root.pem\"]\ncrl = [\"crl.pem\"]\n");
    let authority = Authority::new().unwrap();
    let other = authority.issue_client("other").unwrap();
    fs::write(path.join("root.pem"), authority.cert_pem()).unwrap();
    fs::write(path.join("other.pem"), &other.cert_pem).unwrap();
    openssl(path, "x509 -in other.pem -outform DER -out other.der");
    let (good, said, _) = run(&["check", "--config", config.to_str().unwrap()]);
    assert!(!good && said.contains("[validation] crl: ") && said.contains("crl.pem: it cannot be read"), "{said}");
    let list = |revoked: &[&str]| {
        fs::write(path.join("crl.pem.new"), authority.revocation_list(1, revoked).unwrap()).unwrap();
        fs::rename(path.join("crl.pem.new"), path.join("crl.pem")).unwrap();
    };
    list(&[]);
    let (good, said, _) = run(&["check", "--config", config.to_str().unwrap()]);
    assert!(good && said.contains("[validation] crl of \"") && said.contains("is to be renewed by 2"), "{said}");
    let kmipd = Kmipd::serve(&config);
    let mut kmip = kmipd.kmip(Version::V2_1);
    let certificate = Certificate {
        certificate_type: CertificateType::X509,
        certificate_value: Blob::copy_of(&fs::read(path.join("other.der")).unwrap()),
    };
    let request =
        ops::validate::Request { certificates: vec![certificate], unique_identifiers: Vec::new(), validity_date: None };
    let mut judge = || kmip.ask::<ops::validate::Response>(Operation::Validate, &request).validity_indicator;
    assert_eq!(judge(), ValidityIndicator::Valid);
    list(&[&other.cert_pem]);
    kmipd.wait_for("[validation] crl has changed and was read anew");
    assert_eq!(judge(), ValidityIndicator::Invalid);
    // What is no list changes nothing.
    fs::write(path.join("crl.pem"), "nothing").unwrap();
    kmipd.wait_for("[validation] crl stays as it was");
    assert_eq!(judge(), ValidityIndicator::Invalid);
}
