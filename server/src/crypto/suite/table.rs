//! docs/modules.md: what each provider has of what the suite tries. The table is what their tests expect.
//!
//! What the suite calls `group: one` and `group: other` stands in one row, `group: one, other`, where all providers agree.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The providers, by the heads of their columns.
const COLUMNS: [&str; 3] = ["software", "SoftHSM2", "kryoptic"];
const HEAD: &str = "| what | software | SoftHSM2 | kryoptic |\n|---|---|---|---|\n";

/// Whether a provider has something, of keys that are stored and of keys on the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    stored: bool,
    on_token: bool,
}

/// How the table says it.
const WORDS: [(&str, Cell); 4] = [
    ("yes", Cell { stored: true, on_token: true }),
    ("wrapped", Cell { stored: true, on_token: false }),
    ("token", Cell { stored: false, on_token: true }),
    ("no", Cell { stored: false, on_token: false }),
];

type Cells = [Option<Cell>; COLUMNS.len()];
type Rows = BTreeMap<Name, Cells>;

/// Which keys the suite was run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// In the clear, of a provider that has no others.
    Clear,
    Wrapped,
    OnToken,
}

impl Keys {
    /// What a cell says of them.
    const fn of(self, cell: &Cell) -> bool {
        match self {
            Self::OnToken => cell.on_token,
            Self::Clear | Self::Wrapped => cell.stored,
        }
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/modules.md")
}

fn place(name: &str) -> usize {
    COLUMNS.iter().position(|known| *known == name).expect("a column")
}

/// Compares what a provider was seen to have with its column. `KMIPD_RENEW=1` writes the column anew; one test at a time, with
/// keys of either sort.
pub(crate) fn compare(name: &str, keys: Keys, seen: &BTreeMap<String, bool>) {
    let text = fs::read_to_string(path()).unwrap();
    let (before, table) = text.split_once(HEAD).expect("the table");
    let mut rows: Rows = table.lines().flat_map(row).collect();
    let column = place(name);
    let expected: BTreeMap<_, _> =
        rows.iter().filter_map(|(what, cells)| Some((what.0.clone(), cells[column]?))).collect();
    if std::env::var_os("KMIPD_RENEW").is_some() {
        renew(&mut rows, column, keys, seen);
        fs::write(path(), format!("{before}{HEAD}{}", lines(&rows))).unwrap();
    }
    let has = |cell: Option<&Cell>| cell.map(|cell| keys.of(cell)).or((keys == Keys::OnToken).then_some(false));
    // Nothing comes between a key on the token and the module: it may do more than the table says.
    let may = |seen: bool| seen && keys == Keys::OnToken;
    let other = |(what, seen): &(&String, &bool)| has(expected.get(*what)) != Some(**seen) && !may(**seen);
    let differences: Vec<_> = seen
        .iter()
        .filter(other)
        .map(|(what, has)| format!("{what}: {has}"))
        .chain(untried(&expected, keys, seen).map(|what| format!("{what}: not tried")))
        .collect();
    assert!(
        differences.is_empty(),
        "docs/modules.md does not say of {name} (KMIPD_RENEW=1 writes it): {differences:#?}"
    );
}

/// What stands in a provider's column, for keys of a sort, and was not tried.
pub(crate) fn missed(name: &str, keys: Keys, seen: &BTreeMap<String, bool>) -> Vec<String> {
    let text = fs::read_to_string(path()).unwrap();
    let (_, table) = text.split_once(HEAD).expect("the table");
    let column = place(name);
    let rows = table.lines().flat_map(row);
    let expected = rows.filter_map(|(what, cells)| Some((what.0, cells[column]?))).collect();
    untried(&expected, keys, seen).cloned().collect()
}

fn untried<'a>(
    expected: &'a BTreeMap<String, Cell>,
    keys: Keys,
    seen: &'a BTreeMap<String, bool>,
) -> impl Iterator<Item = &'a String> {
    let lost = move |(what, cell): &(&String, &Cell)| {
        let is_no = !cell.stored && !cell.on_token;
        !seen.contains_key(*what) && (keys.of(cell) || (keys != Keys::OnToken && is_no))
    };
    expected.iter().filter(lost).map(|(what, _)| what)
}

fn renew(rows: &mut Rows, column: usize, keys: Keys, seen: &BTreeMap<String, bool>) {
    for what in seen.keys() {
        rows.entry(Name(what.clone())).or_default();
    }
    for (what, cells) in &mut *rows {
        let cell = &mut cells[column];
        let on_token = cell.is_some_and(|cell| cell.on_token);
        *cell = match (keys, seen.get(&what.0), *cell) {
            (Keys::Clear, has, _) => has.map(|has| Cell { stored: *has, on_token: *has }),
            (Keys::Wrapped, Some(stored), _) => Some(Cell { stored: *stored, on_token }),
            (Keys::Wrapped, None, _) => on_token.then_some(Cell { stored: false, on_token }),
            (Keys::OnToken, has, Some(cell)) => Some(Cell { on_token: has == Some(&true), ..cell }),
            (Keys::OnToken, has, None) => (has == Some(&true)).then_some(Cell { stored: false, on_token: true }),
        };
    }
    rows.retain(|_, cells| cells.iter().any(Option::is_some));
}

/// Everything that a line of the table says.
fn row(line: &str) -> Vec<(Name, Cells)> {
    let mut cells = line.trim_matches('|').split('|').map(str::trim);
    let what = cells.next().expect("a first cell");
    let cells: Vec<_> = cells
        .map(|cell| match WORDS.iter().find(|(word, _)| *word == cell) {
            Some((_, cell)) => Some(*cell),
            None if cell.is_empty() => None,
            None => panic!("{what}: {cell}"),
        })
        .collect();
    let cells: Cells = cells.try_into().expect("a cell for each provider");
    match what.split_once(": ") {
        Some((group, ones)) => ones.split(", ").map(|one| (Name(format!("{group}: {one}")), cells)).collect(),
        None => vec![(Name(what.to_owned()), cells)],
    }
}

fn lines(rows: &Rows) -> String {
    let mut lines: Vec<(String, Cells)> = Vec::new();
    for (Name(what), cells) in rows {
        let group = what.split_once(": ");
        let same = |(line, other): &&mut (String, Cells)| {
            other == cells && group.is_some_and(|(group, _)| line.split_once(": ").is_some_and(|(of, _)| of == group))
        };
        match (lines.iter_mut().find(same), group) {
            (Some((line, _)), Some((_, one))) => line.extend([", ", one]),
            _ => lines.push((what.clone(), *cells)),
        }
    }
    let word = |cell: &Option<Cell>| {
        cell.map_or("", |cell| WORDS.iter().find(|(_, known)| *known == cell).map_or("", |(word, _)| word))
    };
    let line = |(what, cells): &(String, Cells)| {
        format!("| {what} | {} |\n", cells.iter().map(word).collect::<Vec<_>>().join(" | "))
    };
    lines.iter().map(line).collect()
}

/// A name, ordered as people do: the numbers in it count.
#[derive(Debug, PartialEq, Eq)]
struct Name(String);

impl Name {
    fn order(&self) -> (&str, Vec<(u32, String)>) {
        let (group, one) = self.0.split_once(": ").unwrap_or((&self.0, ""));
        let mut pieces: Vec<(u32, String)> = Vec::new();
        for character in one.chars() {
            let digit = character.to_digit(10);
            match (digit, pieces.last_mut()) {
                (Some(digit), Some((number, text))) if text.is_empty() => *number = *number * 10 + digit,
                (Some(digit), _) => pieces.push((digit, String::new())),
                (None, Some((0, text))) if !text.is_empty() => text.push(character),
                (None, _) => pieces.push((0, character.to_string())),
            }
        }
        (group, pieces)
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

#[test]
fn what_is_put_together_comes_apart_again() {
    let [yes, _, token, no] = WORDS.map(|(_, cell)| Some(cell));
    let rows: Rows = [("A: 128", [yes, yes, None]), ("A: 20", [yes, token, None]), ("A: 3", [yes, yes, None])]
        .into_iter()
        .chain([("A", [yes, yes, None]), ("A with B: 3", [yes, no, None])])
        .map(|(what, cells)| (Name(what.to_owned()), cells))
        .collect();
    let text = lines(&rows);
    assert_eq!(
        text,
        "| A | yes | yes |  |\n| A: 3, 128 | yes | yes |  |\n| A: 20 | yes | token |  |\n| A with B: 3 | yes | no |  |\n"
    );
    assert_eq!(text.lines().flat_map(row).collect::<Rows>(), rows);
}
