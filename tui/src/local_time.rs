//! What time it is where this program runs: read once, when it starts, and handed in from there.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::text::times::{UTC, Zone};

/// Where machines keep what they know of the world's time zones. Small containers have none of them.
const ZONEINFO: &[&str] =
    &["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// The time zone of a machine.
const LOCALTIME: &str = "/etc/localtime";
/// Most bytes of a file about one zone: they have some KiB.
const MAX_BYTES: u64 = 1 << 20;

/// The local time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalTime {
    /// Whose clocks are meant.
    pub zone: Zone,
    /// What `TZ` says, if it means nothing here: it is UTC then.
    pub unknown: Option<String>,
}

impl LocalTime {
    /// What `TZ` says: a zone by its name (`Asia/Seoul`), by a file, or as POSIX writes it (`KST-9`); empty is UTC. Without
    /// it that of the machine, and UTC where that has none.
    #[must_use]
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let Some(wanted) = variable("TZ") else {
            let zone = from_file(Path::new(LOCALTIME)).unwrap_or_else(|| UTC.clone());
            return Self { zone, unknown: None };
        };
        let name = wanted.strip_prefix(':').unwrap_or(&wanted);
        let places = variable("TZDIR").into_iter().map(PathBuf::from);
        let places: Vec<PathBuf> = places.chain(ZONEINFO.iter().map(PathBuf::from)).collect();
        match named(name, &places) {
            Some(zone) => Self { zone, unknown: None },
            None => Self { zone: UTC.clone(), unknown: Some(wanted) },
        }
    }
}

/// The zone that `TZ` names.
fn named(name: &str, places: &[PathBuf]) -> Option<Zone> {
    if matches!(name, "" | "UTC" | "UTC0" | "Etc/UTC" | "GMT") {
        return Some(UTC.clone());
    }
    // A name leads nowhere else; a path says where it leads.
    let is_name = !name.split('/').any(|part| part.is_empty() || part.starts_with('.'));
    let of_places = || places.iter().find_map(|place| from_file(&place.join(name)));
    let of_file = if Path::new(name).is_absolute() {
        from_file(Path::new(name))
    } else if is_name {
        of_places()
    } else {
        None
    };
    of_file.or_else(|| TimeZone::posix(name).ok().map(Zone::new))
}

fn from_file(path: &Path) -> Option<Zone> {
    let about = std::fs::metadata(path).ok()?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return None;
    }
    let bytes = std::fs::read(path).ok()?;
    TimeZone::tzif("local", &bytes).ok().map(Zone::new)
}

#[cfg(test)]
mod tests {
    use skstore_domain::time::Timestamp;

    use super::*;
    use crate::text::times::dated;

    const AT: Timestamp = Timestamp(1_790_000_000_123);

    fn of(tz: &str, tzdir: Option<&Path>) -> LocalTime {
        LocalTime::of_environment(|name| match name {
            "TZ" => Some(tz.to_owned()),
            "TZDIR" => tzdir.map(|path| path.display().to_string()),
            _ => None,
        })
    }

    /// What a file about a zone says whose clocks are nine hours ahead, without any change.
    fn nine_hours_ahead() -> Vec<u8> {
        let mut file = Vec::new();
        for _ in 0..2 {
            file.extend(b"TZif2");
            file.extend([0; 15]);
            // Counts: of both indicators and leap seconds none, no change, one kind of time, four bytes of names.
            for count in [0_u32, 0, 0, 0, 1, 4] {
                file.extend(count.to_be_bytes());
            }
            file.extend(32_400_i32.to_be_bytes());
            file.extend([0, 0]);
            file.extend(b"KST\0");
        }
        file.extend(b"\nKST-9\n");
        file
    }

    #[test]
    fn tz_is_a_name_a_file_or_a_rule_and_what_is_none_of_them_is_utc_and_told() {
        let zones = tempfile::tempdir().unwrap();
        let seoul = zones.path().join("Asia").join("Seoul");
        std::fs::create_dir(seoul.parent().unwrap()).unwrap();
        std::fs::write(&seoul, nine_hours_ahead()).unwrap();
        std::fs::write(zones.path().join("Junk"), "no zone").unwrap();
        let file = seoul.display().to_string();
        for (tz, shown) in [
            ("Asia/Seoul", "2026-09-21 23:13:20 KST"),
            (":Asia/Seoul", "2026-09-21 23:13:20 KST"),
            (file.as_str(), "2026-09-21 23:13:20 KST"),
            ("KST-9", "2026-09-21 23:13:20 KST"),
            ("EST5EDT,M3.2.0,M11.1.0", "2026-09-21 10:13:20 EDT"),
            ("", "2026-09-21 14:13:20 UTC"),
            ("UTC", "2026-09-21 14:13:20 UTC"),
        ] {
            let local = of(tz, Some(zones.path()));
            assert_eq!((dated(AT, &local.zone).as_str(), &local.unknown), (shown, &None), "TZ={tz}");
        }
        for tz in ["Asia/Soeul", "Junk", "../Asia/Seoul", "Asia//Seoul", "/etc/passwd", "/", "nonsense zone"]
        {
            let local = of(tz, Some(zones.path()));
            assert_eq!((local.zone, local.unknown.as_deref()), (UTC.clone(), Some(tz)), "TZ={tz}");
        }
    }
}
