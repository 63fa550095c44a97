//! Reads one flat JSON object: what a bench prints for each measurement. Kept here so that `cargo xtask` builds
//! without any crate.

/// A value of a flat object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Number(f64),
    /// `true`, `false` and `null`.
    Word(String),
}

/// The members of a flat JSON object in their order, or `None` if `line` is not one.
pub(crate) fn flat_object(line: &str) -> Option<Vec<(String, Value)>> {
    let mut rest = line.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut members = Vec::new();
    while !rest.is_empty() {
        let (name, after) = text(rest)?;
        let (value, after) = value(after.trim_start().strip_prefix(':')?.trim_start())?;
        members.push((name, value));
        rest = match after.trim_start() {
            "" => "",
            more => more.strip_prefix(',').map(str::trim_start).filter(|next| !next.is_empty())?,
        };
    }
    Some(members)
}

fn value(json: &str) -> Option<(Value, &str)> {
    if json.starts_with('"') {
        return text(json).map(|(text, rest)| (Value::Text(text), rest));
    }
    let end = json.find([',', ' ']).unwrap_or(json.len());
    let (word, rest) = json.split_at(end);
    match word {
        "true" | "false" | "null" => Some((Value::Word(word.to_owned()), rest)),
        _ => word.parse().ok().filter(|number: &f64| number.is_finite()).map(|n| (Value::Number(n), rest)),
    }
}

/// A quoted text and what follows it.
fn text(json: &str) -> Option<(String, &str)> {
    let inner = json.strip_prefix('"')?;
    let mut text = String::new();
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((text, &inner[at + 1..])),
            '\\' => text.push(match chars.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'u' => {
                    let hex = inner.get(at + 2..at + 6)?;
                    chars.nth(3)?;
                    char::from_u32(u32::from_str_radix(hex, 16).ok()?).unwrap_or('\u{fffd}')
                }
                same @ ('"' | '\\' | '/') => same,
                _ => return None,
            }),
            plain => text.push(plain),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_object_is_read() {
        let line = r#" {"name":"settled \"x\" \u20a9","value": 1.5e3, "at_least":-1,"ok":true} "#;
        let expected = vec![
            ("name".to_owned(), Value::Text("settled \"x\" ₩".into())),
            ("value".to_owned(), Value::Number(1500.0)),
            ("at_least".to_owned(), Value::Number(-1.0)),
            ("ok".to_owned(), Value::Word("true".into())),
        ];
        assert_eq!(flat_object(line), Some(expected));
        assert_eq!(flat_object("{}"), Some(vec![]));
    }

    #[test]
    fn anything_else_is_none() {
        for line in [
            "",
            "running 3 tests",
            "{",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":{}}",
            "{\"a\":[1]}",
            "{\"a\":\"}",
        ] {
            assert_eq!(flat_object(line), None, "{line}");
        }
    }
}
