//! Spans of time of a few sizes, each with its rows: a range of dates is covered by few of them.

/// The sizes of the spans of a date with rows for each object, as powers of two of seconds: about 4 minutes, 18 hours, half a
/// year.
pub const DATE: [u32; 3] = [8, 16, 24];

/// The sizes of the spans of dates whose rows are shared by objects.
pub const SHARED: [u32; 4] = [0, 8, 16, 24];

/// Dates before 1970 or after 2106 are not told apart.
const END: i64 = 1 << 32;

/// A span: its size, as a power of two of seconds, and its number. Number 0 begins in 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The power of two.
    pub size: u32,
    /// The number.
    pub number: i64,
}

impl Span {
    /// What lies before all spans.
    const BEFORE: Self = Self { size: u32::MAX, number: -1 };
    /// What lies behind all spans.
    const BEHIND: Self = Self { size: u32::MAX, number: 1 };

    /// The bytes that stand for it.
    pub fn bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let parts = self.size.to_be_bytes().into_iter().chain(self.number.to_be_bytes());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }
}

/// The spans that a date lies in, the smallest first; one alone for a date that is far off.
pub fn of(date: i64, sizes: &[u32]) -> impl Iterator<Item = Span> {
    let (far, sizes) = match date {
        ..0 => (Some(Span::BEFORE), &[][..]),
        END.. => (Some(Span::BEHIND), &[][..]),
        _ => (None, sizes),
    };
    far.into_iter().chain(sizes.iter().map(move |&size| Span { size, number: date >> size }))
}

/// The fewest spans that hold every date from `from` to `to`, both included. They may hold some more: those of the
/// smallest size at both ends, and all that are far off.
pub fn cover(from: i64, to: i64, sizes: &[u32]) -> Vec<Span> {
    let mut spans = Vec::new();
    if from > to {
        return spans;
    }
    if from < 0 {
        spans.push(Span::BEFORE);
    }
    if to >= END {
        spans.push(Span::BEHIND);
    }
    let (Some(&smallest), true) = (sizes.first(), from < END && to >= 0) else { return spans };
    // The numbers of the spans of one size that are still to be covered, the last one excluded.
    let (mut first, mut end) = (from.max(0) >> smallest, (to.min(END - 1) >> smallest) + 1);
    let mut add = |size, numbers: std::ops::Range<i64>| spans.extend(numbers.map(|number| Span { size, number }));
    for (place, &size) in sizes.iter().enumerate() {
        let Some(larger) = sizes.get(place + 1) else {
            add(size, first..end);
            break;
        };
        let ratio = 1_i64 << (larger - size);
        let (up, down) = ((first + ratio - 1) / ratio, end / ratio);
        if up >= down {
            add(size, first..end);
            break;
        }
        add(size, first..up * ratio);
        add(size, down * ratio..end);
        (first, end) = (up, down);
    }
    spans
}

/// Whether a span is of the smallest size of a date with rows for each object.
pub fn is_smallest(span: Span) -> bool {
    DATE.first() == Some(&span.size)
}

/// The seconds of a span of a date's smallest size that lie in a range; `None` if all do, or if the span is another one.
pub fn part(span: Span, from: i64, to: i64) -> Option<std::ops::RangeInclusive<i64>> {
    if !is_smallest(span) {
        return None;
    }
    let (first, last) = (span.number << span.size, ((span.number + 1) << span.size) - 1);
    (from > first || to < last).then(|| from.max(first)..=to.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A range is covered exactly, but for the smallest spans at its ends, and by few spans.
    #[test]
    fn ranges_are_covered() {
        let day = 86_400;
        let now = 1_800_000_000;
        let ends =
            [i64::MIN, -1, 0, 1, 255, 256, 257, now - 400 * day, now - day, now - 1, now, now + 1, END, i64::MAX];
        for sizes in [&DATE[..], &SHARED[..]] {
            for from in ends {
                for to in ends.into_iter().filter(|&to| to >= from) {
                    let spans = cover(from, to, sizes);
                    assert!(spans.len() <= 256 * 2 * sizes.len(), "{} for {from} to {to}", spans.len());
                    let mut unique = spans.clone();
                    unique.sort();
                    unique.dedup();
                    assert_eq!(unique.len(), spans.len());
                    for date in ends {
                        let is_covered = of(date, sizes).any(|span| spans.contains(&span));
                        let is_near = |end: i64| of(end, &sizes[..1]).eq(of(date, &sizes[..1]));
                        match (from..=to).contains(&date) {
                            true => assert!(is_covered, "{date} in {from} to {to}"),
                            false => assert!(!is_covered || is_near(from) || is_near(to), "{date}, {from} to {to}"),
                        }
                    }
                    let twice = of(now, sizes).filter(|span| spans.contains(span)).count();
                    assert!(twice <= 1, "a date is found once");
                }
            }
        }
        assert_eq!(cover(5, 4, &DATE), []);
        assert_eq!(cover(now, now, &SHARED), [Span { size: 0, number: now }]);
    }

    #[test]
    fn a_part_of_the_smallest_span_is_told() {
        let span = Span { size: 8, number: 1 };
        assert_eq!(part(span, 0, 1000), None);
        assert_eq!(part(span, 256, 511), None);
        assert_eq!(part(span, 257, 1000), Some(257..=511));
        assert_eq!(part(span, 300, 300), Some(300..=300));
        assert_eq!(part(Span { size: 16, number: 0 }, 5, 6), None);
    }
}
