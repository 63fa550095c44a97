//! The characters of curves: parts of a row, and a curve in a single one.

/// Eighths of a row.
const PARTS: &[&str] = &["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Halves, where there are no such characters.
const PARTS_ASCII: &[&str] = &[".", ":"];

/// The parts of a row, from the least to the most.
pub(super) const fn parts(is_ascii: bool) -> &'static [&'static str] {
    if is_ascii { PARTS_ASCII } else { PARTS }
}

/// Numbers as a curve in one row, the greatest as high as the row.
pub(super) fn spark(numbers: &[u64], is_ascii: bool) -> String {
    let parts = parts(is_ascii);
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let count = u64::try_from(parts.len()).unwrap_or(1);
    let part = |number: &u64| {
        let at = (number.saturating_mul(count)).div_ceil(most).saturating_sub(1);
        parts[usize::try_from(at).unwrap_or(0).min(parts.len() - 1)]
    };
    numbers.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_is_as_high_as_its_greatest_number() {
        assert_eq!(spark(&[0, 1, 4, 8], false), "▁▁▄█");
        assert_eq!(spark(&[0, 0], false), "▁▁", "nothing is not much");
        assert_eq!(spark(&[1, 2], true), ".:");
        assert_eq!(spark(&[], false), "");
    }
}
