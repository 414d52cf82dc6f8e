//! The project's own cases of the conformance player, against a server.

#[cfg(test)]
mod harness;

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use harness::{Kmipd, openssl, served};
use kmip_codec::text::xml;
use kmip_codec::ttlv::{Limits, parse, write};
use kmip_conformance::case::{Case, Encoding, files};
use kmip_conformance::connect::Server;
use kmip_conformance::play::{Verdict, play, reset};
use kmip_conformance::subject::Facts;
use kmipd_certs::{Authority, Profile, Usage};

/// Reached only when a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the project's own cases; answers those that did not pass.
#[cfg(test)]
fn own_cases(server: &mut Server) -> Vec<(String, Verdict)> {
    cases("cases", 230, server)
}

/// Plays the cases of a folder, of which there are at least so many.
#[cfg(test)]
fn cases(folder: &str, least: usize, server: &mut Server) -> Vec<(String, Verdict)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance").join(folder);
    let found = files(&folder).unwrap();
    assert!(found.len() >= least, "{} cases", found.len());
    let mut facts = Facts::default();
    let mut failed = Vec::new();
    for path in found {
        let case = Case::load(&folder, &path).unwrap();
        let verdict = play(&case, server, &mut facts, true);
        server.close();
        if verdict != Verdict::Passed {
            failed.push((case.name, verdict));
        }
    }
    failed
}

#[test]
fn the_own_cases_pass() {
    let kmipd = Kmipd::dev();
    let file = |name: &str| kmipd.dir.join(name);
    let (cert, key) = (file("client.pem"), file("client.key"));
    let mut server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], PATIENCE).unwrap();
    let failed = own_cases(&mut server);
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_cases_of_a_server_that_asks_for_attestations_pass() {
    let folder = tempfile::tempdir().unwrap();
    openssl(folder.path(), "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ak.key");
    openssl(folder.path(), "pkey -in ak.key -pubout -out ak.pem");
    let more = format!(
        "[attestation]\noperations = [\"all\"]\n[provisioning]\n[[tpm]]\nname = \"host\"\nkey = \"ak.pem\"\n\
         identities = [\"client\"]\nregisters = [{{ sha256 = {{ 7 = \"{}\" }} }}]\n",
        "07".repeat(32)
    );
    let kmipd = Kmipd::serve(&served(folder.path(), &more));
    let file = |name: &str| kmipd.dir.join(name);
    let (cert, key) = (file("client.pem"), file("client.key"));
    let mut server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], PATIENCE).unwrap();
    let failed = cases("attested", 4, &mut server);
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Which algorithms a server permits: each preset, and rules of its own.
#[test]
fn the_cases_of_servers_that_permit_less_pass() {
    let changed = "allow = [\"3DES\", \"X448\"]\nprocess = [\"AES-128\"]\nforbid = [\"ECB\", \"rsa-2048\"]";
    for (folder, least, rules) in
        [("fips", 4, "preset = \"fips\""), ("cnsa2", 2, "preset = \"cnsa2\""), ("changed", 2, changed)]
    {
        let dir = tempfile::tempdir().unwrap();
        let kmipd = Kmipd::serve(&served(dir.path(), &format!("[algorithms]\n{rules}\n")));
        let file = |name: &str| kmipd.dir.join(name);
        let (cert, key) = (file("client.pem"), file("client.key"));
        let mut server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], PATIENCE).unwrap();
        let failed = cases(&format!("permitted/{folder}"), least, &mut server);
        assert!(failed.is_empty(), "{failed:#?}");
    }
}

/// Plays the cases of what a server sends, against one whose configuration has this kind of listener.
#[cfg(test)]
fn sent_cases(kind: &str, least: usize) {
    // The server is told where the player listens before the player is told where the server does.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let more =
        format!("[[{kind}]]\nname = \"player\"\naddress = \"{address}\"\nca = \"ca.pem\"\nidentities = [\"client\"]\n");
    let config = served(folder.path(), &more);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    // The server's certificate is a client's, too.
    let authority = Authority::from_pem(&read("ca.pem"), &read("ca.key")).unwrap();
    let profile = Profile::server(&["127.0.0.1"]).unwrap().usages(&[Usage::Server, Usage::Client]);
    let issued = authority.issue(&profile).unwrap();
    fs::write(folder.path().join("server.pem"), &*issued.cert_pem).unwrap();
    fs::write(folder.path().join("server.key"), issued.key_pem.as_bytes()).unwrap();
    let kmipd = Kmipd::serve(&config);
    let file = |name: &str| kmipd.dir.join(name);
    let (cert, key) = (file("client.pem"), file("client.key"));
    let server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], PATIENCE).unwrap();
    let mut server = server.listening(&address.to_string(), &file("server.pem"), &file("server.key")).unwrap();
    let failed = cases(&format!("sent/{kind}"), least, &mut server);
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn new_objects_are_put_as_the_cases_have_it() {
    sent_cases("put", 4);
}

#[test]
fn changes_are_told_as_the_cases_have_it() {
    sent_cases("notify", 2);
}

#[test]
fn the_own_cases_pass_over_https_in_every_encoding() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let file = |name: &str| kmipd.dir.join(name);
    let (cert, key) = (file("client.pem"), file("client.key"));
    let server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], PATIENCE).unwrap();
    let line: serde_json::Value = serde_json::from_str(&kmipd.wait_for("listening for HTTPS")).unwrap();
    let mut server = server.with_https(&format!("https://{}/kmip", line["address"].as_str().unwrap())).unwrap();
    for encoding in [Encoding::Binary, Encoding::Xml, Encoding::Json] {
        server.speak(None);
        reset(&mut server, "the own cases").unwrap();
        server.speak(Some(encoding));
        // Roles do not change where each message has a request of HTTP.
        let (skipped, failed): (Vec<_>, Vec<_>) =
            own_cases(&mut server).into_iter().partition(|(_, verdict)| matches!(verdict, Verdict::Skipped(_)));
        assert!(failed.is_empty(), "{encoding:?} {failed:#?}");
        let skipped: Vec<String> = skipped.into_iter().map(|(name, _)| name).collect();
        let of_roles =
            ["invalid-message", "response-too-large"].map(|name| format!("2.1/set-endpoint-role/{name}.xml"));
        assert_eq!(skipped, of_roles);
    }
}

/// A message of KMIP 2.1 with one item, as cases have it.
fn message(kind: &str, operation: &str, rest: &str) -> String {
    let time = if kind == "Response" { r#"<TimeStamp type="DateTime" value="$NOW"/>"# } else { "" };
    format!(
        r#"<{kind}Message><{kind}Header><ProtocolVersion><ProtocolVersionMajor type="Integer" value="2"/>
        <ProtocolVersionMinor type="Integer" value="1"/></ProtocolVersion>{time}<BatchCount type="Integer" value="1"/>
        </{kind}Header><BatchItem><Operation type="Enumeration" value="{operation}"/>{rest}</BatchItem></{kind}Message>"#
    )
}

#[test]
fn what_a_server_sends_by_itself_is_heard_and_answered() {
    let kmipd = Kmipd::dev();
    let file = |name: &str| kmipd.dir.join(name);
    let (cert, key) = (file("client.pem"), file("client.key"));
    let server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], PATIENCE).unwrap();
    let mut server = server.listening("127.0.0.1:0", &file("server.pem"), &file("server.key")).unwrap();
    let notify = |seconds: u8| {
        let id = r#"<UniqueIdentifier type="TextString" value="it"/>"#;
        let lease = format!(r#"<Attributes><LeaseTime type="Interval" value="{seconds}"/></Attributes>"#);
        message("Request", "Notify", &format!("<RequestPayload>{id}{lease}</RequestPayload>"))
    };
    let success = r#"<ResultStatus type="Enumeration" value="Success"/>"#;
    let payload = |kind: &str, inner: &str| format!("<{kind}Payload>{inner}</{kind}Payload>");
    let none = r#"<ProtocolVersion><ProtocolVersionMajor type="Integer" value="9"/>
        <ProtocolVersionMinor type="Integer" value="9"/></ProtocolVersion>"#;
    let text = [
        message("Request", "DiscoverVersions", &payload("Request", none)),
        message("Response", "DiscoverVersions", &format!("{success}{}", payload("Response", ""))),
        notify(5),
        message("Response", "Notify", success),
    ];
    let case = Case::read(&format!("<KMIP>{}</KMIP>", text.concat()), "notify".into(), "own".into()).unwrap();
    // Somebody of the same authority stands for a server that sends.
    let sender = kmipd.client().at(server.heard_at().unwrap());
    for (seconds, agrees) in [(5, true), (6, false)] {
        let request = xml::read(&notify(seconds), &Limits::default()).unwrap();
        let mut wire = sender.connect().unwrap();
        let sent = thread::spawn(move || wire.ask(&write(&request)).unwrap());
        let verdict = play(&case, &mut server, &mut Facts::default(), true);
        assert_eq!(verdict == Verdict::Passed, agrees, "{verdict:?}");
        // It is answered in either case.
        let answer = xml::write(&parse(&Bytes::from(sent.join().unwrap()), &Limits::default()).unwrap()).unwrap();
        assert!(answer.contains("Success"), "{answer}");
        server.close();
    }
}
