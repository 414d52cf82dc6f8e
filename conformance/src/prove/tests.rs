//! The own cases of the project, and the published ones where they are at hand.

use std::path::Path;

use super::*;
use crate::case::{CaseError, files};

fn load(folder: &Path) -> Vec<Case> {
    let load = |file: &std::path::PathBuf| match Case::load(folder, file) {
        Ok(case) => Some(case),
        Err(CaseError::Version(_)) => None,
        // Some published files are no messages of their version.
        Err(error) => {
            println!("{}: {error}", file.display());
            None
        }
    };
    files(folder).unwrap().iter().filter_map(load).collect()
}

fn sound(folder: &Path, at_least: usize) {
    let cases = load(folder);
    assert!(cases.len() >= at_least, "{} cases", cases.len());
    let proof = prove(&cases, 10_000, 1);
    assert_eq!(proof.rejected, []);
    assert_eq!(proof.unexplained, []);
    assert!(proof.is_sound(), "{} per mille: {:#?}", proof.killed_per_mille(), proof.survivors);
}

#[test]
fn wrong_answers_to_the_own_cases_fail() {
    sound(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"), 230);
}

#[test]
fn wrong_answers_to_the_published_cases_fail() {
    if let Some(folder) = std::env::var_os("KMIPD_REFERENCE") {
        sound(&Path::new(&folder).join("kmip/testcases"), 100);
    }
}

#[test]
fn a_seed_decides_everything() {
    let cases = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("cases"));
    let (one, two) = (prove(&cases, 500, 7), prove(&cases, 500, 7));
    assert_eq!(one.survivors, two.survivors);
    assert_eq!(one.mutations, 500);
}
