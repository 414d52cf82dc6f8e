//! Two reports side by side.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Deserializer, Value};

/// The verdicts of a report in JSON, with the reason, by version and case.
pub struct Side(BTreeMap<(String, String), (String, String)>);

impl Side {
    /// Reads what `play --json` wrote; its last line is not JSON.
    pub fn read(text: &str) -> Option<Self> {
        let report = Deserializer::from_str(text).into_iter::<Value>().next()?.ok()?;
        let part = |case: &Value, name: &str| case.get(name)?.as_str().map(str::to_owned);
        let case = |case: &Value| {
            let why = part(case, "why").unwrap_or_default();
            Some(((part(case, "version")?, part(case, "case")?), (part(case, "verdict")?, why)))
        };
        report.get("cases")?.as_array()?.iter().map(case).collect::<Option<_>>().map(Self)
    }

    fn passed(&self, version: &str) -> usize {
        self.0.iter().filter(|((of, _), (verdict, _))| of == version && verdict == "passed").count()
    }
}

/// Both reports by version, and each case on which they do not agree; and whether they agree on all.
pub fn side_by_side((left, a): (&str, &Side), (right, b): (&str, &Side)) -> (String, bool) {
    let mut text = format!("A = {left}\nB = {right}\n\n");
    let keys: BTreeSet<_> = a.0.keys().chain(b.0.keys()).collect();
    let absent = ("absent".to_owned(), String::new());
    let mut same = true;
    for key in &keys {
        let of = |side: &Side| side.0.get(*key).cloned().unwrap_or_else(|| absent.clone());
        let ((one, why), (other, because)) = (of(a), of(b));
        if one != other {
            same = false;
            let _ = writeln!(text, "{} {}: A {one}, B {other}", key.0, key.1);
            for (name, why) in [("A", why), ("B", because)] {
                if !why.is_empty() {
                    let _ = writeln!(text, "    {name}: {why}");
                }
            }
        }
    }
    let _ = writeln!(text, "\n{:<8} {:>9} {:>9} {:>9}", "version", "A passed", "B passed", "cases");
    let versions: BTreeSet<&String> = keys.iter().map(|(version, _)| version).collect();
    for version in versions {
        let cases = keys.iter().filter(|(of, _)| of == version).count();
        let _ = writeln!(text, "{version:<8} {:>9} {:>9} {cases:>9}", a.passed(version), b.passed(version));
    }
    (text, same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::play::Verdict;
    use crate::report::{Entry, Report};

    fn side(verdicts: &[(&str, Verdict)]) -> Side {
        let entry = |(name, verdict): &(&str, Verdict)| Entry {
            name: (*name).into(),
            version: "1.4".into(),
            group: "own".into(),
            verdict: verdict.clone(),
        };
        let report = Report { entries: verdicts.iter().map(entry).collect(), ..Report::default() };
        Side::read(&format!("{:#}\n{}\n", report.json(), report.summary())).unwrap()
    }

    #[test]
    fn what_differs_is_shown() {
        let failed = Verdict::Failed("step 1: x".into());
        let a = side(&[("one", Verdict::Passed), ("two", failed.clone()), ("three", Verdict::Passed)]);
        let b = side(&[("one", Verdict::Passed), ("two", Verdict::Passed), ("four", failed)]);
        let (text, same) = side_by_side(("a", &a), ("b", &b));
        assert!(!same);
        assert!(text.contains("1.4 two: A failed, B passed\n    A: step 1: x\n"), "{text}");
        assert!(text.contains("1.4 three: A passed, B absent\n") && !text.contains("one:"), "{text}");
        assert!(text.ends_with("1.4              2         2         4\n"), "{text}");
        assert!(side_by_side(("a", &a), ("a", &a)).1);
        assert!(Side::read("no report").is_none());
    }
}
