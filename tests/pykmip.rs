//! PyKMIP, as it is published, with its client library. `./test` installs it into `target/venv`; the cases are in
//! `pykmip/cases.py`.

#[cfg(test)]
#[path = "pykmip/cases.rs"]
mod cases;
#[cfg(test)]
mod harness;

use std::fs;
use std::process::Command;

use cases::{all_pass, cases, other, python};
use harness::Kmipd;

#[test]
fn every_case_passes() {
    all_pass(&Kmipd::dev(), &[]);
}

#[test]
fn every_case_passes_with_a_token() {
    all_pass(&Kmipd::dev_with(&["--hsm"]), &[]);
}

#[test]
fn every_case_passes_with_keys_that_do_not_leave_the_token() {
    let mut kmipd = Kmipd::dev_with(&["--hsm"]);
    assert!(kmipd.terminate().success());
    let config = kmipd.dir.join("kmipd.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, format!("{text}\n[keys]\nextractable_by_default = false\n")).unwrap();
    kmipd.restart();
    all_pass(&kmipd, &["--guarded"]);
}

/// What `dev` prints, pasted into a shell whose python3 has PyKMIP.
#[test]
fn the_printed_example_works() {
    for more in [&[][..], &["--hsm"]] {
        let kmipd = Kmipd::dev_with(more);
        let printed = kmipd.wait_for_print("Stop with Ctrl-C.");
        let (_, from) = printed.split_once("python3 - <<'END'\n").unwrap();
        let (script, _) = from.split_once("\nEND\n").unwrap();
        let example = &format!("python3 - <<'END'\n{script}\nEND\n");
        let bin = python().parent().unwrap().canonicalize().unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let output = Command::new("bash").args(["-c", example]).env("PATH", path).current_dir("/").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}\n{example}", String::from_utf8_lossy(&output.stderr));
        let identifier = said.strip_prefix("created ").unwrap().trim();
        assert_eq!(identifier.len(), 36, "{said}");
        // Somebody else's client does not find it; its own does.
        assert_eq!(cases(&[&other(&kmipd), "--blind", identifier])[0]["blind"], 1);
    }
}

#[test]
fn another_client_sees_nothing() {
    let kmipd = Kmipd::dev();
    all_pass(&kmipd, &[]);
    let conf = kmipd.dir.join("pykmip.conf");
    let own = cases(&[conf.to_str().unwrap(), "--own"]);
    let identifiers: Vec<&str> = own[0]["own"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    assert!(identifiers.len() > 20, "{own:?}");
    let other = other(&kmipd);
    let blind = cases(&[&[other.as_str(), "--blind"], &identifiers[..20]].concat());
    assert_eq!(blind[0]["blind"], 20);
}
