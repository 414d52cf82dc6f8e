//! PyKMIP, as it is published, with its client library. `./test` installs it into `target/venv`; the cases are in
//! `pykmip/cases.py`.

#[cfg(test)]
mod harness;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::Kmipd;
use serde_json::Value;

/// A Python with PyKMIP: the one that `./test` names, or the one that it made.
fn python() -> PathBuf {
    let made = || workspace().join("target/venv/bin/python");
    let python = std::env::var_os("KMIPD_PYTHON").map_or_else(made, PathBuf::from);
    assert!(python.exists(), "there is no Python with PyKMIP at {}: run ./test, which makes it", python.display());
    python
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs the cases with these arguments, and answers its lines.
fn cases(arguments: &[&str]) -> Vec<Value> {
    let script = workspace().join("tests/pykmip/cases.py");
    let mut command = Command::new(python());
    let output = command.arg(script).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cases.py {arguments:?}: {said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every case runs and passes; one that did not run has not passed.
fn all_pass(kmipd: &Kmipd, more: &[&str]) {
    let name = |line: &Value| (line["case"].to_string(), line["version"].to_string());
    let listed: Vec<_> = cases(&[&["--list"], more].concat()).iter().map(name).collect();
    assert!(listed.len() > 40, "{listed:?}");
    let came = cases(&[&[kmipd.dir.to_str().unwrap()], more].concat());
    assert_eq!(came.iter().map(name).collect::<Vec<_>>(), listed);
    let failed = came.iter().filter(|line| line["passed"] != true);
    let failed: Vec<String> = failed
        .map(|line| {
            let why = line["where"].as_str().unwrap_or("the server does not offer the operation");
            format!("{} at {}: {}\n{why}", line["case"], line["version"], line["error"])
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

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
        let begin = printed.find("python3 - <<'END'\n").unwrap();
        let end = printed[begin..].find("\nEND\n").unwrap();
        let example = &printed[begin..begin + end + "\nEND\n".len()];
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

/// PyKMIP's configuration for a second client.
fn other(kmipd: &Kmipd) -> String {
    let issued = kmipd.authority().issue_client("another").unwrap();
    fs::write(kmipd.dir.join("another.pem"), &issued.cert_pem).unwrap();
    fs::write(kmipd.dir.join("another.key"), issued.key_pem.as_str()).unwrap();
    let conf = fs::read_to_string(kmipd.dir.join("pykmip.conf")).unwrap();
    let conf = conf.replace("/client.pem", "/another.pem").replace("/client.key", "/another.key");
    let path = kmipd.dir.join("another.conf");
    fs::write(&path, conf).unwrap();
    path.to_str().unwrap().to_owned()
}
