//! How counts are written.

/// With a comma every three digits.
#[must_use]
pub fn grouped(count: u64) -> String {
    skstore_domain::money::Won(i64::try_from(count).unwrap_or(i64::MAX)).to_string()
}

/// In at most six columns, up to the largest that can be counted: `99,999`, then `123k`, `45M`.
#[must_use]
pub fn compact(count: u64) -> String {
    match count {
        0..100_000 => grouped(count),
        100_000..100_000_000 => format!("{}k", grouped(count / 1000)),
        _ => format!("{}M", grouped((count / 1_000_000).min(9_999))),
    }
}
