//! The project's own cases of the conformance player, against a server.

#[cfg(test)]
mod harness;

use std::path::Path;
use std::time::Duration;

use harness::Kmipd;
use kmip_conformance::case::{Case, files};
use kmip_conformance::connect::Server;
use kmip_conformance::play::{Verdict, play};
use kmip_conformance::subject::Facts;

#[test]
fn the_own_cases_pass() {
    let kmipd = Kmipd::dev();
    let file = |name: &str| kmipd.dir.join(name);
    let (cert, key) = (file("client.pem"), file("client.key"));
    let patience = Duration::from_secs(60);
    let mut server = Server::new(&kmipd.address.to_string(), &file("ca.pem"), &[(&cert, &key)], patience).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/cases");
    let found = files(&folder).unwrap();
    assert!(found.len() >= 220, "{} cases", found.len());
    let mut facts = Facts::default();
    let mut failed = Vec::new();
    for path in found {
        let case = Case::load(&folder, &path).unwrap();
        let verdict = play(&case, &mut server, &mut facts, true);
        server.close();
        if verdict != Verdict::Passed {
            failed.push((case.name, verdict));
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
