//! The filter that is typed: `status:paying customer:kim item:10 id:0193 anything else`.

use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::objects::OrderStatus;
use skstore_workers::view::OrderFilter;

use crate::text::words::Worded;
use crate::text::{Language, Text};

/// Longest filter, in characters: several times the longest that makes sense.
pub const MAX_FILTER_CHARS: usize = 300;

/// What is wrong with a typed filter: a text and what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadFilter {
    /// What is wrong, with one placeholder.
    pub text: Text,
    /// What was typed there.
    pub typed: String,
}

/// The fields of a filter, each in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Status,
    Customer,
    Item,
    Id,
}

impl Field {
    fn of_word(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "status" | "상태" => Some(Self::Status),
            "customer" | "고객" => Some(Self::Customer),
            "item" | "상품" => Some(Self::Item),
            "id" | "번호" => Some(Self::Id),
            _ => None,
        }
    }
}

/// Reads a typed filter. Words in either language; quotes keep blanks together: `customer:"kim lee"`. What has
/// no field is searched for in everything.
///
/// # Errors
/// [`BadFilter`] for a status that does not exist, or a name that cannot be one.
pub fn parse(typed: &str) -> Result<OrderFilter, BadFilter> {
    let mut filter = OrderFilter::default();
    let mut text: Vec<String> = Vec::new();
    for word in words(typed) {
        let field = word.split_once(':').and_then(|(name, value)| Some((Field::of_word(name)?, value)));
        match field {
            Some((_, "")) => {}
            Some((Field::Status, value)) => filter.status = Some(status(value)?),
            Some((Field::Customer, value)) => {
                filter.customer = Some(Customer::new(value).map_err(|_| bad(Text::BadName, value))?);
            }
            Some((Field::Item, value)) => {
                filter.item_id = Some(ItemId::new(value).map_err(|_| bad(Text::BadName, value))?);
            }
            Some((Field::Id, value)) => filter.id_prefix = Some(value.to_owned()),
            None => text.push(word),
        }
    }
    if !text.is_empty() {
        filter.text = Some(text.join(" "));
    }
    Ok(filter)
}

fn bad(text: Text, typed: &str) -> BadFilter {
    BadFilter { text, typed: typed.to_owned() }
}

fn status(value: &str) -> Result<OrderStatus, BadFilter> {
    let value = value.to_lowercase();
    let mut begun = OrderStatus::ALL.iter().copied().filter(|status| {
        let words = Language::ALL.iter().map(|language| language.get(status.text()));
        words.chain([status.word()]).any(|word| word.starts_with(&value))
    });
    // The beginning of one status is enough, of several it is not.
    match (begun.next(), begun.next()) {
        (Some(status), None) => Ok(status),
        _ => Err(bad(Text::BadStatus, &value)),
    }
}

/// Words at blanks; within quotes a blank is part of the word.
fn words(typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in typed.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_in_both_languages() {
        let expected = OrderFilter {
            status: Some(OrderStatus::Paying),
            customer: Some(Customer::new("kim lee").unwrap()),
            item_id: Some(ItemId::new("10").unwrap()),
            id_prefix: Some("0193".into()),
            text: Some("사과 sold".into()),
        };
        for typed in [
            "status:paying customer:\"kim lee\" item:10 id:0193 사과 sold",
            "상태:결제중 고객:\"kim lee\" 상품:10 번호:0193 사과 sold",
            "  STATUS:Paying 사과 Customer:\"kim lee\"  item:10   sold id:0193 ",
        ] {
            assert_eq!(parse(typed), Ok(expected.clone()), "{typed:?}");
        }
    }

    #[test]
    fn a_status_that_does_not_exist_is_named() {
        assert_eq!(parse("status:lost"), Err(BadFilter { text: Text::BadStatus, typed: "lost".into() }));
    }

    #[test]
    fn a_status_may_be_begun() {
        for (typed, expected) in
            [("pla", OrderStatus::Placed), ("r", OrderStatus::Rejected), ("취", OrderStatus::Cancelled)]
        {
            assert_eq!(parse(&format!("status:{typed}")).unwrap().status, Some(expected), "{typed}");
        }
        assert!(parse("status:p").is_err(), "paying or placed?");
    }

    #[test]
    fn what_has_no_field_is_searched_for() {
        assert_eq!(parse("http://x").unwrap().text.as_deref(), Some("http://x"));
        assert_eq!(parse("").unwrap(), OrderFilter::default());
        assert_eq!(parse("status:").unwrap(), OrderFilter::default(), "a field that is still being typed");
    }
}
