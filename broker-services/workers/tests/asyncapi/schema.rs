//! Holds values to the schemas of the document: the part of JSON Schema that the document uses, and no more, so that a keyword
//! that nobody checks is a mistake.

use serde_json::Value;

/// A value that is not as a schema has it, or a member that it does not name.
pub(crate) type Found = Result<(), String>;

/// The document, for looking up references.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    /// What `reference` points to.
    pub(crate) fn resolve(&self, reference: &str) -> &Value {
        let found = reference.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
        found.unwrap_or_else(|| panic!("{reference} points to nothing"))
    }

    /// Whether `value` is a message of that name. `whole`: nothing may stand in it that the schema does not name.
    pub(crate) fn check_message(&self, name: &str, value: &Value, whole: bool) -> Found {
        let message = &self.0["components"]["messages"][name];
        assert!(message.is_object(), "the document has no message {name}");
        self.check(&message["payload"], value, whole, name)
    }

    fn check(&self, schema: &Value, value: &Value, whole: bool, at: &str) -> Found {
        for (keyword, wanted) in schema.as_object().unwrap_or_else(|| panic!("{at}: no schema")) {
            self.keyword(keyword, wanted, value, whole, at)?;
        }
        let (named, members) = (schema.get("properties"), value.as_object());
        if let (true, Some(named), Some(members)) = (whole, named, members)
            && let Some(unknown) = members.keys().find(|member| named.get(*member).is_none())
        {
            return Err(format!("{at}: nothing is said of its member '{unknown}'"));
        }
        Ok(())
    }

    fn keyword(&self, keyword: &str, wanted: &Value, value: &Value, whole: bool, at: &str) -> Found {
        let number = |bound: &Value| bound.as_f64().unwrap_or_default();
        let (text, list) = (value.as_str(), value.as_array());
        let is_so = match keyword {
            "description" | "format" => true,
            "$ref" => return self.check(self.resolve(wanted.as_str().unwrap()), value, whole, at),
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("{at}: nobody checks the type {other}"),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minimum" => value.as_f64().is_none_or(|it| it >= number(wanted)),
            "maximum" => value.as_f64().is_none_or(|it| it <= number(wanted)),
            "minLength" => text.is_none_or(|it| it.chars().count() as f64 >= number(wanted)),
            "maxLength" => text.is_none_or(|it| it.chars().count() as f64 <= number(wanted)),
            "minItems" => list.is_none_or(|it| it.len() as f64 >= number(wanted)),
            "maxItems" => list.is_none_or(|it| it.len() as f64 <= number(wanted)),
            "pattern" => text.is_none_or(|it| matches(wanted.as_str().unwrap(), it)),
            "required" => value.as_object().is_none_or(|members| {
                wanted.as_array().unwrap().iter().all(|name| members.contains_key(name.as_str().unwrap()))
            }),
            "properties" => {
                for (member, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(member) {
                        self.check(schema, value, whole, &format!("{at}.{member}"))?;
                    }
                }
                true
            }
            "items" => {
                for (place, item) in list.into_iter().flatten().enumerate() {
                    self.check(wanted, item, whole, &format!("{at}[{place}]"))?;
                }
                true
            }
            "anyOf" => {
                // Which of them it is decides what else may stand there.
                let tried: Vec<Found> = wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|schema| self.check(schema, value, whole && schema.get("type").is_none(), at))
                    .collect();
                if tried.iter().all(Result::is_err) {
                    let why: Vec<String> = tried.into_iter().filter_map(Result::err).collect();
                    return Err(format!("{at}: it is none of these: {}", why.join(" | ")));
                }
                true
            }
            other => panic!("{at}: nobody checks the keyword {other}"),
        };
        if is_so { Ok(()) } else { Err(format!("{at}: {value} does not fit {keyword} {wanted}")) }
    }
}

/// The patterns of the document.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[A-Za-z0-9_-]+$" => {
            !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_' || c == b'-')
        }
        "^\\s*[0-9]+\\s*$" => !text.trim().is_empty() && text.trim().bytes().all(|c| c.is_ascii_digit()),
        other => panic!("nobody checks the pattern {other}"),
    }
}
