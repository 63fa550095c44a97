//! Messages that could be taken in two ways: members that stand there twice, names that look like others, numbers that
//! a float would round.

use fastrand::Rng;
use serde_json::{Value, json};

/// Texts that look like one another or like nothing, or are none: one of each kind that Unicode knows.
const ODD: &[&str] = &[
    "fuzz",
    " fuzz",
    "fuzz ",
    "fuzz\u{3164}",
    "\u{3164}",
    "\u{115f}fuzz",
    "fu\u{200b}zz",
    "fuzz\u{200d}",
    "\u{feff}fuzz",
    "fuzz\u{202e}",
    "fuzz\u{2066}",
    "fu\u{ad}zz",
    "fuzz\u{fe0f}",
    "fuzz\u{e0061}",
    "fu\u{a0}zz",
    "\u{2800}",
    "\u{3000}",
    "fuzz\u{e000}",
    "fuzz\u{f0000}",
    "fuzz\u{378}",
    "fuzz\u{10ffff}",
    "fuzz\u{0}",
    "fuzz\u{85}",
    "fuzz\u{2028}",
    "한",
    "\u{1112}\u{1161}\u{11ab}",
    "\u{301}fuzz",
    "e\u{301}",
    "é",
    "z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}",
    "\u{fdfa}",
    "👩\u{200d}🚀",
    "🇰🇷",
    "\u{fffd}",
    "ｆｕｚｚ",
    "fuΖΖ",
];
/// Numbers as they may be written, which floats would make others or the same of.
const NUMBERS: &[&str] = &[
    "123456789012345678901",
    "9007199254740993",
    "18446744073709551616",
    "1e3",
    "10.0",
    "-0",
    "1e400",
    "0.1e1",
    "1E-400",
];

/// JSON in which a member stands a second time, with the same or another value, its name in escapes or not.
pub(super) fn doubled(rng: &mut Rng, whole: &str) -> String {
    // Where an object begins, a member may stand.
    let places: Vec<usize> = whole.match_indices('{').map(|(at, _)| at + 1).collect();
    let names: Vec<&str> = whole.split('"').filter(|text| is_name(text)).collect();
    let (Some(at), Some(name)) = (rng.choice(&places), rng.choice(&names)) else { return whole.to_owned() };
    let name = if rng.bool() { (*name).to_owned() } else { name.chars().map(escape).collect() };
    let value = match rng.u8(..3) {
        0 => NUMBERS[rng.usize(..NUMBERS.len())].to_owned(),
        1 => json!(ODD[rng.usize(..ODD.len())]).to_string(),
        _ => json!(rng.u32(..)).to_string(),
    };
    let comma = if whole[*at..].starts_with('}') { "" } else { "," };
    format!("{}\"{name}\":{value}{comma}{}", &whole[..*at], &whole[*at..])
}

/// Puts an odd text in the place of every text that names somebody or something.
pub(super) fn rename(rng: &mut Rng, whole: &mut Value) {
    match whole {
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "customer" | "item_id" | "item_name" | "name" | "subject" if rng.bool() => {
                        let kinds = [ODD[rng.usize(..ODD.len())].to_owned(), any_text(rng)];
                        *value = json!(kinds[usize::from(rng.u8(..4) == 0)]);
                    }
                    _ => rename(rng, value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| rename(rng, value)),
        _ => {}
    }
}

fn any_text(rng: &mut Rng) -> String {
    const MAX_CHARS: usize = 70;
    (0..rng.usize(..MAX_CHARS)).map(|_| rng.char(..)).collect()
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

fn escape(c: char) -> String {
    format!("\\u{:04x}", u32::from(c))
}
