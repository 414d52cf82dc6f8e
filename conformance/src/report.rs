//! What came of the cases.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use crate::play::Verdict;

mod sides;

pub use sides::{Side, side_by_side};

/// The verdict on one case.
pub struct Entry {
    /// The case's path.
    pub name: String,
    /// Its version, as the folder or the messages have it.
    pub version: String,
    /// Its folder.
    pub group: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// The verdicts, and which failures were expected.
#[derive(Default)]
pub struct Report {
    /// In the order of playing.
    pub entries: Vec<Entry>,
    /// The names of cases that are known to fail, with the reason.
    pub expected: BTreeMap<String, String>,
}

impl Report {
    /// Reads a list of known failures: on each line the name of a case, white space, and the reason; lines that begin
    /// with # are notes.
    ///
    /// # Errors
    /// A line without a reason, by its number.
    pub fn expect(&mut self, list: &str) -> Result<(), usize> {
        for (i, line) in list.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, reason) = line.split_once(char::is_whitespace).ok_or(i)?;
            self.expected.insert(name.to_owned(), reason.trim().to_owned());
        }
        Ok(())
    }

    /// Reads a list of known failures in Markdown: each row of the tables whose first column begins with the heading
    /// `case`, and which have the reason in the others.
    ///
    /// # Errors
    /// A row without a reason, by the number of its line.
    pub fn expect_table(&mut self, list: &str) -> Result<(), usize> {
        let mut of_cases = false;
        for (i, line) in list.lines().enumerate().map(|(i, line)| (i + 1, line.trim())) {
            let Some(row) = line.strip_prefix('|') else {
                of_cases = false;
                continue;
            };
            let (name, reason) = row.split_once('|').ok_or(i)?;
            let (name, reason) = (name.trim().trim_matches('`'), reason.trim().trim_end_matches('|').trim());
            if !of_cases {
                of_cases = name == "case";
            } else if !name.starts_with('-') {
                if reason.is_empty() {
                    return Err(i);
                }
                self.expected.insert(name.to_owned(), reason.to_owned());
            }
        }
        Ok(())
    }

    /// Passed, failed, skipped.
    pub fn counts(&self) -> [usize; 3] {
        count(self.entries.iter())
    }

    /// Why a case is known to fail: by its path, or by the name of its file without the extension.
    fn known(&self, case: &str) -> Option<&String> {
        let file = case.rsplit('/').next().unwrap_or_default();
        let stem = file.strip_suffix(".xml").unwrap_or(file);
        self.expected.get(case).or_else(|| self.expected.get(stem))
    }

    /// What is not as expected: failures that nobody knows, and known ones that passed. The list may have more cases than
    /// were played.
    pub fn surprises(&self) -> Vec<String> {
        let mut surprises = Vec::new();
        for entry in &self.entries {
            match (&entry.verdict, self.known(&entry.name)) {
                (Verdict::Failed(text), None) => surprises.push(format!("{} failed: {text}", entry.name)),
                (Verdict::Passed, Some(_)) => {
                    surprises.push(format!("{} passed, and was expected to fail", entry.name))
                }
                _ => {}
            }
        }
        surprises
    }

    /// The last line.
    pub fn summary(&self) -> String {
        let [passed, failed, skipped] = self.counts();
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let known = self.known(&entry.name).map(|reason| format!(" [known: {reason}]")).unwrap_or_default();
            let _ = match &entry.verdict {
                Verdict::Passed => Ok(()),
                Verdict::Failed(why) => writeln!(text, "FAILED  {}: {why}{known}", entry.name),
                Verdict::Skipped(why) => writeln!(text, "SKIPPED {}: {why}", entry.name),
            };
        }
        let _ = writeln!(text, "\n{:<8} {:<32} {:>7} {:>7} {:>7}", "version", "group", "passed", "failed", "skipped");
        for ((version, group), [passed, failed, skipped]) in self.matrix() {
            let _ = writeln!(text, "{version:<8} {group:<32} {passed:>7} {failed:>7} {skipped:>7}");
        }
        for surprise in self.surprises().iter().filter(|_| !self.expected.is_empty()) {
            let _ = writeln!(text, "UNEXPECTED {surprise}");
        }
        text + "\n" + &self.summary() + "\n"
    }

    /// The report for programs.
    pub fn json(&self) -> serde_json::Value {
        let cases = self.entries.iter().map(|entry| {
            let (verdict, why) = match &entry.verdict {
                Verdict::Passed => ("passed", None),
                Verdict::Failed(why) => ("failed", Some(why)),
                Verdict::Skipped(why) => ("skipped", Some(why)),
            };
            json!({"case": entry.name, "version": entry.version, "group": entry.group, "verdict": verdict, "why": why,
                "known": self.known(&entry.name)})
        });
        let cases: Vec<_> = cases.collect();
        let [passed, failed, skipped] = self.counts();
        json!({"passed": passed, "failed": failed, "skipped": skipped, "unexpected": self.surprises(), "cases": cases})
    }

    fn matrix(&self) -> BTreeMap<(&str, &str), [usize; 3]> {
        let keys: BTreeSet<_> = self.entries.iter().map(|entry| (&*entry.version, &*entry.group)).collect();
        let of = |key| self.entries.iter().filter(move |entry| (&*entry.version, &*entry.group) == key);
        keys.into_iter().map(|key| (key, count(of(key)))).collect()
    }
}

fn count<'e>(entries: impl Iterator<Item = &'e Entry>) -> [usize; 3] {
    entries.fold([0, 0, 0], |[passed, failed, skipped], entry| match entry.verdict {
        Verdict::Passed => [passed + 1, failed, skipped],
        Verdict::Failed(_) => [passed, failed + 1, skipped],
        Verdict::Skipped(_) => [passed, failed, skipped + 1],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let entry =
            |name: &str, verdict| Entry { name: name.into(), version: "2.1".into(), group: "own".into(), verdict };
        let entries = vec![
            entry("a", Verdict::Passed),
            entry("b", Verdict::Failed("step 1: x".into())),
            entry("c", Verdict::Skipped("needs 2 clients".into())),
        ];
        Report { entries, expected: BTreeMap::new() }
    }

    #[test]
    fn the_last_line_counts() {
        let report = report();
        assert!(report.text().ends_with("\n1 passed, 1 failed, 1 skipped\n"));
        assert_eq!(report.json()["cases"][1]["why"], "step 1: x");
        assert_eq!(report.surprises(), ["b failed: step 1: x"]);
    }

    #[test]
    fn known_failures_are_no_surprise_and_known_ones_that_pass_are() {
        let mut report = report();
        report.expect("# note\n\nb because of x\n").unwrap();
        assert_eq!(report.surprises(), Vec::<String>::new());
        report.expect("a no reason any more\nd elsewhere").unwrap();
        assert_eq!(report.surprises(), ["a passed, and was expected to fail"]);
        report.entries[1].name = "2.1/own/b.xml".into();
        assert_eq!(report.surprises().len(), 1);
        assert_eq!(report.expect("a y\nalone"), Err(2));
    }

    #[test]
    fn a_table_of_known_failures_is_read() {
        let mut report = report();
        let other = "| option | means |\n|---|---|\n| b | nothing |\n";
        report.expect_table(other).unwrap();
        assert_eq!(report.surprises().len(), 1);
        let table = format!("{other}\n| case | section | why |\n|---|---|---|\n| `b` | 6.1 | because |\n\ntext\n");
        report.expect_table(&table).unwrap();
        assert_eq!(report.expected.get("b").map(String::as_str), Some("6.1 | because"));
        assert_eq!(report.surprises(), Vec::<String>::new());
        assert_eq!(report.expect_table("| case | why |\n|---|---|\n| b | |"), Err(3));
    }
}
