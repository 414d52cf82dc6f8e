//! docs/modules.md: what each provider has of what the suite tries. The table is what their tests expect.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The providers, by the heads of their columns.
const COLUMNS: [&str; 3] = ["software", "SoftHSM2", "kryoptic"];
const HEAD: &str = "| what | software | SoftHSM2 | kryoptic |\n|---|---|---|---|\n";

type Rows = BTreeMap<String, [Option<bool>; COLUMNS.len()]>;

/// What the table says of a provider.
pub(crate) fn column(name: &str) -> BTreeMap<String, bool> {
    let column = place(name);
    let text = fs::read_to_string(path()).unwrap();
    let (_, table) = text.split_once(HEAD).expect("the table");
    table.lines().map(row).filter_map(|(what, cells)| Some((what, cells[column]?))).collect()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/modules.md")
}

fn place(name: &str) -> usize {
    COLUMNS.iter().position(|known| *known == name).expect("a column")
}

/// Compares what a provider was seen to have with its column. `KMIPD_RENEW=1` writes the column anew; one test at a time.
pub(crate) fn compare(name: &str, seen: &BTreeMap<String, bool>) {
    let expected = column(name);
    if std::env::var_os("KMIPD_RENEW").is_some() {
        let text = fs::read_to_string(path()).unwrap();
        let (before, table) = text.split_once(HEAD).expect("the table");
        let mut rows: Rows = table.lines().map(row).collect();
        let column = place(name);
        rows.values_mut().for_each(|cells| cells[column] = None);
        for (what, has) in seen {
            rows.entry(what.clone()).or_default()[column] = Some(*has);
        }
        rows.retain(|_, cells| cells.iter().any(Option::is_some));
        let lines: String = rows.iter().map(|(what, cells)| line(what, cells)).collect();
        fs::write(path(), format!("{before}{HEAD}{lines}")).unwrap();
    }
    let differences: Vec<_> = seen
        .iter()
        .filter(|(what, has)| expected.get(*what) != Some(has))
        .map(|(what, has)| format!("{what}: {has}"))
        .chain(expected.keys().filter(|what| !seen.contains_key(*what)).map(|what| format!("{what}: not tried")))
        .collect();
    assert!(
        differences.is_empty(),
        "docs/modules.md does not say of {name} (KMIPD_RENEW=1 writes it): {differences:#?}"
    );
}

fn row(line: &str) -> (String, [Option<bool>; COLUMNS.len()]) {
    let mut cells = line.trim_matches('|').split('|').map(str::trim);
    let what = cells.next().expect("a first cell").to_owned();
    let cells: Vec<_> = cells
        .map(|cell| match cell {
            "yes" => Some(true),
            "no" => Some(false),
            "" => None,
            other => panic!("{what}: {other}"),
        })
        .collect();
    (what, cells.try_into().expect("a cell for each provider"))
}

fn line(what: &str, cells: &[Option<bool>; COLUMNS.len()]) -> String {
    let word = |cell: &Option<bool>| cell.map_or("", |has| if has { "yes" } else { "no" });
    format!("| {what} | {} |\n", cells.iter().map(word).collect::<Vec<_>>().join(" | "))
}
