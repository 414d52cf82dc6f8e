//! Credentials beside the certificate, right and wrong.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use kmip_codec::schema::DateTimeExtended;
use kmip_codec::spec::{CredentialType, HashingAlgorithm, Operation, ResultReason, Version};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Credential, DeviceCredential, HashedPassword, OneTimePassword, Password};
use kmipd::ops;
use kmipd::trust::{hashed, password};

use crate::common::{attempt, credential, send};
use crate::harness::kmip::{create, get, name};
use crate::harness::{Kmip, Kmipd, run, served};

const WRONG: ResultReason = ResultReason::AuthenticationNotSuccessful;

/// A server whose configuration has users and devices.
fn server(folder: &Path) -> Kmipd {
    let hash = |text: &str| password::hash(text.as_bytes()).unwrap();
    let stored = hashed::Stored::new("harriet", "a long random one", HashingAlgorithm::SHA256).unwrap();
    let more = format!(
        r#"
[[users]]
name = "fred"
password = '{}'
[[users]]
name = "bound"
password = '{}'
certificates = ["other"]
[[users]]
name = "bare"
certificates = ["client"]
[[users]]
name = "harriet"
hashed_password = "{}"
[[users]]
name = "otto"
otp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
[[users]]
name = "both"
password = '{}'
otp_secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
[[devices]]
name = "drive"
serial_number = "serial 1"
device_identifier = "drive 1"
media_identifier = "tape 7"
password = '{}'
"#,
        hash("fred's password"),
        hash("bound's password"),
        stored.text(),
        hash("both's password"),
        hash("drive's password"),
    );
    Kmipd::serve(&served(folder, &more))
}

fn make(kmip: &mut Kmip, credentials: Vec<Credential>) -> Result<Text, ResultReason> {
    attempt::<ops::create::Response>(kmip, credentials, Operation::Create, &create(vec![]))
        .map(|made| made.unique_identifier)
}

fn fred(text: &str) -> Credential {
    Credential::password("fred", text)
}

fn device(version: Version, change: impl FnOnce(&mut DeviceCredential)) -> Credential {
    let mut value = DeviceCredential {
        device_serial_number: Some("serial 1".into()),
        password: Some(Password("drive's password".into())),
        device_identifier: Some("drive 1".into()),
        network_identifier: None,
        machine_identifier: None,
        media_identifier: Some("tape 7".into()),
    };
    change(&mut value);
    credential(version, CredentialType::Device, &value)
}

#[test]
fn what_a_user_makes_is_the_users() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = server(folder.path());
    for version in [Version::V1_0, Version::V1_4, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let key = make(&mut kmip, vec![fred("fred's password")]).unwrap();
        let found =
            attempt::<ops::get::Response>(&mut kmip, vec![fred("fred's password")], Operation::Get, &get(Some(&key)));
        assert_eq!(found.unwrap().unique_identifier, key);
        // The certificate alone is somebody else, and so is another certificate; with the password it is the user.
        let not_found = kmipd::failure::reason_in(version, ResultReason::ObjectNotFound);
        assert_eq!(kmip.refusal(Operation::Get, &get(Some(&key))), not_found);
        let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), version);
        assert_eq!(other.refusal(Operation::Get, &get(Some(&key))), not_found);
        let found =
            attempt::<ops::get::Response>(&mut other, vec![fred("fred's password")], Operation::Get, &get(Some(&key)));
        assert!(found.is_ok());
    }
}

#[test]
fn a_wrong_credential_answers_one_thing() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = server(folder.path());
    let mut kmip = kmipd.kmip(Version::V2_1);
    let bare = Credential::new(CredentialType::UsernameAndPassword, fred("").value[..1].to_vec());
    let marked = create(vec![name("must not be")]);
    for wrong in [
        fred("Fred's password"),
        bare,
        Credential::password("nobody", "fred's password"),
        // Bound to another certificate.
        Credential::password("bound", "bound's password"),
        // Without a password by its configuration, and given one.
        Credential::password("bare", "fred's password"),
    ] {
        let answer = send(&mut kmip, vec![wrong], Operation::Create, &marked);
        assert_eq!(answer.items[0].result_reason, Some(WRONG));
        assert_eq!(answer.items[0].result_message.as_deref(), Some("the credential is not right"));
    }
    assert!(kmip.locate(vec![name("must not be")]).is_empty());
    // Where certificate and user belong together, the certificate is proof enough.
    let bare =
        Credential::new(CredentialType::UsernameAndPassword, Credential::password("bare", "").value[..1].to_vec());
    assert!(make(&mut kmip, vec![bare.clone()]).is_ok());
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), Version::V2_1);
    assert_eq!(make(&mut other, vec![bare]), Err(WRONG));
    assert!(make(&mut other, vec![Credential::password("bound", "bound's password")]).is_ok());
    let log = kmipd.log();
    assert!(!log.contains("s password"), "{log}");
}

#[test]
fn a_device_is_known_by_all_its_fields() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = server(folder.path());
    for version in [Version::V1_1, Version::V1_4, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let key = make(&mut kmip, vec![device(version, |_| {})]).unwrap();
        let not_found = kmipd::failure::reason_in(version, ResultReason::ObjectNotFound);
        assert_eq!(kmip.refusal(Operation::Get, &get(Some(&key))), not_found);
    }
    let mut kmip = kmipd.kmip(Version::V2_1);
    let changes: [fn(&mut DeviceCredential); 4] = [
        |device| device.password = Some(Password("fred's password".into())),
        |device| device.password = None,
        |device| device.media_identifier = None,
        |device| device.network_identifier = Some("net".into()),
    ];
    for change in changes {
        assert_eq!(make(&mut kmip, vec![device(Version::V2_1, change)]), Err(WRONG));
    }
}

#[test]
fn several_credentials_are_all_satisfied() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = server(folder.path());
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let right = || device(version, |_| {});
    // A user at a device is the user, in either order.
    let key = make(&mut kmip, vec![right(), fred("fred's password")]).unwrap();
    let mine = vec![fred("fred's password")];
    assert!(attempt::<ops::get::Response>(&mut kmip, mine, Operation::Get, &get(Some(&key))).is_ok());
    let wrong = device(version, |device| device.media_identifier = Some("tape 8".into()));
    assert_eq!(make(&mut kmip, vec![fred("fred's password"), wrong]), Err(WRONG));
    let bare =
        Credential::new(CredentialType::UsernameAndPassword, Credential::password("bare", "").value[..1].to_vec());
    assert_eq!(make(&mut kmip, vec![fred("fred's password"), bare]), Err(WRONG));
}

fn sha(parts: &[&[u8]]) -> Vec<u8> {
    digest(&SHA256, &parts.concat()).as_ref().to_vec()
}

/// A Hashed Password from the standard's formulas alone, and what the server must answer.
fn hashed(text: &str, time: i64) -> (Credential, Vec<u8>) {
    let (user, text) = (b"harriet".as_slice(), text.as_bytes());
    let (s1, s2) = (sha(&[user, text]), sha(&[text, user]));
    let value = HashedPassword {
        username: "harriet".into(),
        timestamp: DateTimeExtended(time),
        hashing_algorithm: None,
        hashed_password: Blob::new([sha(&[&s1, &time.to_be_bytes()]), s2.clone()].concat()),
    };
    let proof = sha(&[&time.to_be_bytes(), &s1, &sha(&[&s2])]);
    (credential(Version::V2_1, CredentialType::HashedPassword, &value), proof)
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

#[test]
fn a_hashed_password_is_good_once_and_the_server_proves_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut kmipd = server(folder.path());
    let mut kmip = kmipd.kmip(Version::V2_1);
    let time = now();
    let (right, proof) = hashed("a long random one", time);
    let answer = send(&mut kmip, vec![right.clone()], Operation::Create, &create(vec![]));
    assert_eq!(answer.items[0].result_reason, None);
    assert_eq!(answer.header.server_hashed_password.as_deref(), Some(proof.as_slice()));
    let later = |more: i64| vec![hashed("a long random one", time + more).0];
    for (wrong, why) in [
        (vec![right.clone()], "the same again"),
        (later(-1), "an earlier time"),
        (vec![hashed("another", time + 1).0], "another password"),
        (later(3_600_000_000), "an hour ahead"),
    ] {
        let answer = send(&mut kmip, wrong, Operation::Create, &create(vec![]));
        assert_eq!(answer.items[0].result_reason, Some(WRONG), "{why}");
        assert_eq!(answer.header.server_hashed_password, None, "{why}");
    }
    assert!(make(&mut kmip, later(1)).is_ok());
    // What was used stays used.
    kmipd.kill();
    kmipd.restart();
    let mut kmip = kmipd.kmip(Version::V2_1);
    assert_eq!(make(&mut kmip, vec![right]), Err(WRONG));
    assert_eq!(make(&mut kmip, later(1)), Err(WRONG));
    assert!(make(&mut kmip, later(2)).is_ok());
}

/// The one time password of now (RFC 6238).
fn one_time() -> String {
    let step = (now() / 1_000_000).div_euclid(30);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"12345678901234567890");
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let start = usize::from(tag.as_ref()[19] & 0xF);
    let number = u32::from_be_bytes(tag.as_ref()[start..start + 4].try_into().unwrap()) & 0x7FFF_FFFF;
    format!("{:06}", number % 1_000_000)
}

fn otp(user: &str, password: Option<&str>, once: &str) -> Credential {
    let value = OneTimePassword {
        username: user.into(),
        password: password.map(|text| Password(text.into())),
        one_time_password: Password(once.into()),
    };
    credential(Version::V2_1, CredentialType::OneTimePassword, &value)
}

#[test]
fn a_one_time_password_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut kmipd = server(folder.path());
    let mut kmip = kmipd.kmip(Version::V2_1);
    let once = one_time();
    let wrong = if once == "000000" { "000001" } else { "000000" };
    assert_eq!(make(&mut kmip, vec![otp("otto", Some("x"), &once)]), Err(WRONG));
    assert_eq!(make(&mut kmip, vec![otp("otto", None, wrong)]), Err(WRONG));
    assert!(make(&mut kmip, vec![otp("otto", None, &once)]).is_ok());
    assert_eq!(make(&mut kmip, vec![otp("otto", None, &once)]), Err(WRONG));
    // Somebody else's is his own; and it needs his lasting password.
    assert_eq!(make(&mut kmip, vec![otp("both", None, &once)]), Err(WRONG));
    assert!(make(&mut kmip, vec![otp("both", Some("both's password"), &once)]).is_ok());
    kmipd.kill();
    kmipd.restart();
    let mut kmip = kmipd.kmip(Version::V2_1);
    assert_eq!(make(&mut kmip, vec![otp("otto", None, &once)]), Err(WRONG));
}

#[test]
fn credentials_are_passed_over_where_the_configuration_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = Kmipd::serve(&served(folder.path(), "[compatibility]\nignore_credentials = true\n"));
    let mut kmip = kmipd.kmip(Version::V1_2);
    let key = make(&mut kmip, vec![fred("whatever")]).unwrap();
    assert_eq!(kmip.get(&key).object_type(), kmip_codec::spec::ObjectType::SymmetricKey);
}

#[test]
fn the_program_makes_what_the_configuration_keeps() {
    let mut child = crate::harness::command(&["hash-password"]);
    child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = child.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"secret\nmore\n").unwrap();
    let made = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let stored = password::Stored::parse(&made.trim_end().to_owned().into()).unwrap();
    assert!(password::Passwords::new(None).unwrap().check(Some(&stored), "secret", 0));
    // Without a password there is nothing to make.
    assert!(!run(&["hash-password"]).0);
    assert!(!run(&["hash-password", "--hashed"]).0);
}
