//! The PKCS#11 shim and what it wrote down.

use std::fs;
use std::path::{Path, PathBuf};

/// The shim's library, which cargo builds beside the tests.
pub(crate) fn shim() -> PathBuf {
    let deps = std::env::current_exe().unwrap().parent().unwrap().to_owned();
    let wanted = |path: &Path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("libkmipd_pkcs11_shim") && name.ends_with(".so")
    };
    let newest = fs::read_dir(&deps)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| wanted(path))
        .max_by_key(|path| path.metadata().unwrap().modified().unwrap());
    newest.unwrap_or_else(|| panic!("the shim is not built in {}", deps.display()))
}

/// The calls that succeeded, from the shim's log.
pub(crate) fn calls(log: &Path) -> Vec<serde_json::Value> {
    let text = fs::read_to_string(log).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|call| call["rv"] == 0).collect()
}

/// The calls of one function.
pub(crate) fn named<'a>(
    calls: &'a [serde_json::Value],
    function: &'a str,
) -> impl Iterator<Item = &'a serde_json::Value> {
    calls.iter().filter(move |call| call["function"] == function)
}
