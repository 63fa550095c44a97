//! A command's JSON object, member by member, so that it means one thing: no member stands there twice, and a number
//! is the digits that it was written with. No float is made of anything.
//!
//! What is read borrows from the message; a usual command is read without allocating.

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::invalid::{Invalid, Problem};
use super::{CommandKind, MAX_COMMAND_BYTES};
use crate::ids::{BadId, is_unsafe_to_show};
use crate::money::Won;

/// Every member that some command has.
const KNOWN: [&str; 14] = [
    "item_id",
    "productId",
    "qty",
    "customer",
    "order_id",
    "unit_price",
    "amount",
    "topup_id",
    "restock_id",
    "name",
    "name_en",
    "from_seq",
    "to_seq",
    "after",
];

/// A command's JSON object, and the accessors that check one field each.
pub(super) struct Fields<'a> {
    kind: CommandKind,
    /// What stands at each of [`KNOWN`], as it was written.
    known: [Option<&'a str>; KNOWN.len()],
}

impl<'a> Fields<'a> {
    pub(super) fn read(kind: CommandKind, body: &'a [u8]) -> Result<Self, Invalid> {
        if body.len() > MAX_COMMAND_BYTES {
            return Err(Invalid { kind, problem: Problem::TooLong { bytes: body.len() } });
        }
        let not_json =
            |why: &dyn Display| Invalid { kind, problem: Problem::NotJson { why: why.to_string() } };
        let text = std::str::from_utf8(body).map_err(|error| not_json(&error))?;
        if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&error))?;
            return Err(Invalid { kind, problem: Problem::NoObject });
        }
        let members: Members<'a> = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        match members.twice() {
            Some(name) => Err(Invalid { kind, problem: Problem::Twice { name: glance(&name) } }),
            None => Ok(Self { kind, known: members.known }),
        }
    }

    pub(super) const fn invalid(&self, problem: Problem) -> Invalid {
        Invalid { kind: self.kind, problem }
    }

    pub(super) const fn missing(&self, field: &'static str) -> Invalid {
        self.invalid(Problem::Missing(field))
    }

    /// What stands at `name`, unless it is null, which counts as absent.
    fn find(&self, name: &str) -> Option<&'a str> {
        let at = KNOWN.iter().position(|known| *known == name)?;
        self.known[at].filter(|raw| *raw != "null")
    }

    /// The one that `names` are all names of.
    pub(super) fn optional<T: PartialEq>(
        &self,
        names: &[&'static str],
        check: impl Fn(&str) -> Result<T, BadId>,
    ) -> Result<Option<T>, Invalid> {
        let mut found: Option<(&'static str, T)> = None;
        for &name in names {
            let Some(raw) = self.find(name) else { continue };
            let text = self.text(name, raw)?;
            let value = check(&text).map_err(|why| self.invalid(Problem::Name { name, why }))?;
            match &found {
                None => found = Some((name, value)),
                Some((_, before)) if *before == value => {}
                Some((before, _)) => {
                    return Err(self.invalid(Problem::Contradicting([before, name])));
                }
            }
        }
        Ok(found.map(|(_, value)| value))
    }

    pub(super) fn required<T: PartialEq>(
        &self,
        names: &[&'static str],
        check: impl Fn(&str) -> Result<T, BadId>,
    ) -> Result<T, Invalid> {
        self.optional(names, check)?.ok_or_else(|| self.missing(names[0]))
    }

    /// A text, or a whole number as it was written.
    fn text(&self, name: &'static str, raw: &'a str) -> Result<Cow<'a, str>, Invalid> {
        match Written::of(raw) {
            Written::Text(text) => Ok(text),
            Written::Number(digits) if is_digits(digits) => Ok(Cow::Borrowed(digits)),
            Written::Number(_) => Err(self.invalid(Problem::NoWholeNumber { name, found: glance(raw) })),
            Written::Other => Err(self.invalid(Problem::NoText(name))),
        }
    }

    pub(super) fn number(&self, name: &'static str, min: u64, max: u64) -> Result<Option<u64>, Invalid> {
        let Some(raw) = self.find(name) else { return Ok(None) };
        let number = match Written::of(raw) {
            Written::Number(digits) => whole(digits),
            Written::Text(text) => whole(text.trim()),
            Written::Other => None,
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Ok(Some(number)),
            _ => Err(self.invalid(Problem::OutOfRange { name, min, max, found: glance(raw) })),
        }
    }

    pub(super) fn amount(&self, name: &'static str, min: u64) -> Result<Option<Won>, Invalid> {
        let max = u64::try_from(Won::MAX_INPUT.0).unwrap_or(0);
        let amount = self.number(name, min, max)?;
        Ok(amount.map(|amount| Won(i64::try_from(amount).unwrap_or(i64::MAX))))
    }
}

/// A JSON value by what it is written as.
enum Written<'a> {
    Text(Cow<'a, str>),
    /// Any number that JSON knows.
    Number(&'a str),
    Other,
}

impl<'a> Written<'a> {
    /// `raw` is a value that was found to be JSON.
    fn of(raw: &'a str) -> Self {
        let quoted = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match (quoted, raw.as_bytes().first()) {
            (Some(text), _) if !text.contains('\\') => Self::Text(Cow::Borrowed(text)),
            // Half of a surrogate pair is an escape that stands for no character.
            (Some(_), _) => {
                serde_json::from_str(raw).map_or(Self::Other, |text| Self::Text(Cow::Owned(text)))
            }
            (None, Some(b'-' | b'0'..=b'9')) => Self::Number(raw),
            (None, _) => Self::Other,
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The whole number that `text` is, if it is nothing but digits, and one of ours.
fn whole(text: &str) -> Option<u64> {
    is_digits(text).then(|| text.parse().ok()).flatten()
}

/// Foreign text as a message quotes it: never longer than a glance, nor with anything that could not be shown.
fn glance(text: &str) -> String {
    const GLANCE_CHARS: usize = 40;
    let mut shown: String = text.chars().take(GLANCE_CHARS).filter(|c| !is_unsafe_to_show(*c)).collect();
    if text.chars().nth(GLANCE_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// The members of an object, whatever they are.
struct Members<'a> {
    known: [Option<&'a str>; KNOWN.len()],
    /// The names of all others, which mean nothing, and the first known one that came again.
    others: Vec<Cow<'a, str>>,
    again: Option<&'static str>,
}

impl<'a> Members<'a> {
    /// A name that stands there more than once.
    fn twice(&self) -> Option<Cow<'a, str>> {
        if let Some(name) = self.again {
            return Some(Cow::Borrowed(name));
        }
        if self.others.len() < 2 {
            return None;
        }
        // Sorted, since a message has room for thousands of them.
        let mut names: Vec<&Cow<'a, str>> = self.others.iter().collect();
        names.sort_unstable();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Reader).map(|members: Members<'de>| members)
    }
}

/// The name of a member, unescaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Members { known: [None; KNOWN.len()], others: Vec::new(), again: None };
        // It is read to its end whatever is found, so that what is no JSON is said to be none.
        while let Some(Name(name)) = map.next_key()? {
            let raw = map.next_value::<&'de RawValue>()?.get();
            match KNOWN.iter().position(|known| *known == name) {
                None => members.others.push(name),
                Some(at) if members.known[at].is_some() => members.again = members.again.or(Some(KNOWN[at])),
                Some(at) => members.known[at] = Some(raw),
            }
        }
        Ok(members)
    }
}
