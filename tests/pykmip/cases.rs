//! Running `cases.py`, which lies beside.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::Kmipd;

/// A Python with PyKMIP: the one that `./test` names, or the one that it made.
pub(crate) fn python() -> PathBuf {
    let made = || workspace().join("target/venv/bin/python");
    let python = std::env::var_os("KMIPD_PYTHON").map_or_else(made, PathBuf::from);
    assert!(python.exists(), "there is no Python with PyKMIP at {}: run ./test, which makes it", python.display());
    python
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Runs the cases with these arguments, and answers its lines.
pub(crate) fn cases(arguments: &[&str]) -> Vec<Value> {
    let script = workspace().join("tests/pykmip/cases.py");
    let mut command = Command::new(python());
    let output = command.arg(script).args(arguments).env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cases.py {arguments:?}: {said}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Every case runs and passes; one that did not run has not passed.
pub(crate) fn all_pass(kmipd: &Kmipd, more: &[&str]) {
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

/// PyKMIP's configuration for a second client.
pub(crate) fn other(kmipd: &Kmipd) -> String {
    let issued = kmipd.authority().issue_client("another").unwrap();
    fs::write(kmipd.dir.join("another.pem"), &issued.cert_pem).unwrap();
    fs::write(kmipd.dir.join("another.key"), issued.key_pem.as_str()).unwrap();
    let conf = fs::read_to_string(kmipd.dir.join("pykmip.conf")).unwrap();
    let conf = conf.replace("/client.pem", "/another.pem").replace("/client.key", "/another.key");
    let path = kmipd.dir.join("another.conf");
    fs::write(&path, conf).unwrap();
    path.to_str().unwrap().to_owned()
}
