//! The filter that is typed: `status:paying customer:kim item:10 id:0193 anything else`. Items are also found by their
//! names in either language.

use skstore_domain::ids::{Customer, ItemId, composed};
use skstore_domain::objects::{Item, OrderStatus};
use skstore_workers::desk::view::OrderFilter;

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
/// no field is searched for in everything. `items` are those whose names are known.
///
/// # Errors
/// [`BadFilter`] for a status that does not exist, a name that cannot be one, or one that several items may mean.
pub fn parse(typed: &str, items: &[Item]) -> Result<OrderFilter, BadFilter> {
    let mut filter = OrderFilter::default();
    let mut text: Vec<String> = Vec::new();
    for word in words(typed) {
        let field = word.split_once(':').and_then(|(name, value)| Some((Field::of_word(name)?, value)));
        match field {
            Some((_, "")) => {}
            Some((Field::Status, value)) => filter.status = Some(status(value)?),
            Some((Field::Customer, value)) => {
                filter.customer = Some(Customer::to_look_up(value).map_err(|_| bad(Text::BadName, value))?);
            }
            Some((Field::Item, value)) => {
                filter.item_id = Some(item(value, items)?);
            }
            Some((Field::Id, value)) => filter.id_prefix = Some(value.to_owned()),
            None => text.push(word),
        }
    }
    if !text.is_empty() {
        let text = composed(&text.join(" ")).into_owned();
        let part = lower(&text);
        let meant = items.iter().filter(|item| names(item).any(|name| lower(name).contains(&part)));
        filter.text_means = meant.map(|item| item.item_id.clone()).collect();
        filter.text = Some(text);
    }
    Ok(filter)
}

/// The item with that id; else the one that is called so, or whose name alone begins so. What is no name that is
/// known is taken for an id.
fn item(value: &str, items: &[Item]) -> Result<ItemId, BadFilter> {
    let id = ItemId::to_look_up(value).map_err(|_| bad(Text::BadName, value))?;
    if items.iter().any(|item| item.item_id == id) {
        return Ok(id);
    }
    let value = lower(&composed(value));
    let called = |matches: &dyn Fn(&str) -> bool| -> Vec<&Item> {
        items.iter().filter(|item| names(item).any(|name| matches(&lower(name)))).collect()
    };
    let mut found = called(&|name| name == value);
    if found.is_empty() {
        found = called(&|name| name.starts_with(&value));
    }
    match found.as_slice() {
        [] => Ok(id),
        [item] => Ok(item.item_id.clone()),
        _ => Err(bad(Text::BadItem, &value)),
    }
}

/// What an item is called in either language.
fn names(item: &Item) -> impl Iterator<Item = &str> {
    [Some(item.name.as_str()), item.name_en.as_deref()].into_iter().flatten()
}

/// In lower case letter by letter, as the view compares texts.
fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
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
    use skstore_domain::money::Won;

    use super::*;

    #[test]
    fn fields_are_read_in_both_languages() {
        let expected = OrderFilter {
            status: Some(OrderStatus::Paying),
            customer: Some(Customer::new("kim lee").unwrap()),
            item_id: Some(ItemId::new("10").unwrap()),
            id_prefix: Some("0193".into()),
            text: Some("사과 sold".into()),
            ..OrderFilter::default()
        };
        for typed in [
            "status:paying customer:\"kim lee\" item:10 id:0193 사과 sold",
            "상태:결제중 고객:\"kim lee\" 상품:10 번호:0193 사과 sold",
            "  STATUS:Paying 사과 Customer:\"kim lee\"  item:10   sold id:0193 ",
        ] {
            assert_eq!(parse(typed, &[]), Ok(expected.clone()), "{typed:?}");
        }
    }

    #[test]
    fn a_status_that_does_not_exist_is_named() {
        assert_eq!(parse("status:lost", &[]), Err(BadFilter { text: Text::BadStatus, typed: "lost".into() }));
    }

    #[test]
    fn a_status_may_be_begun() {
        for (typed, expected) in
            [("pla", OrderStatus::Placed), ("r", OrderStatus::Rejected), ("취", OrderStatus::Cancelled)]
        {
            assert_eq!(parse(&format!("status:{typed}"), &[]).unwrap().status, Some(expected), "{typed}");
        }
        assert!(parse("status:p", &[]).is_err(), "paying or placed?");
    }

    #[test]
    fn what_has_no_field_is_searched_for() {
        assert_eq!(parse("http://x", &[]).unwrap().text.as_deref(), Some("http://x"));
        assert_eq!(parse("", &[]).unwrap(), OrderFilter::default());
        assert_eq!(
            parse("status:", &[]).unwrap(),
            OrderFilter::default(),
            "a field that is still being typed"
        );
    }

    fn items() -> Vec<Item> {
        let item = |id: &str, name: &str, name_en: Option<&str>| Item {
            item_id: ItemId::new(id).unwrap(),
            name: name.into(),
            name_en: name_en.map(Into::into),
            unit_price: Won(1),
            stock: 1,
            revision: 1,
        };
        vec![
            item("10", "사과", Some("Apple")),
            item("11", "사과즙", Some("Apple juice")),
            item("12", "제주 감귤", Some("Jeju mandarin")),
            item("pear", "쌀", None),
        ]
    }

    #[test]
    fn an_item_may_be_called_by_its_name() {
        let found = |typed: &str| parse(typed, &items()).map(|filter| filter.item_id.unwrap().to_string());
        for (typed, id) in [
            ("item:apple", "10"),
            ("item:사과", "10"),
            ("item:\"Apple j\"", "11"),
            ("item:JEJU", "12"),
            ("item:제주", "12"),
            ("item:pear", "pear"),
            ("item:1", "1"),
            ("item:99", "99"),
        ] {
            assert_eq!(found(typed).as_deref(), Ok(id), "{typed}");
        }
        let several = Err(BadFilter { text: Text::BadItem, typed: "app".into() });
        assert_eq!(found("item:App"), several, "apples or their juice?");
    }

    #[test]
    fn a_text_means_every_item_that_it_stands_in_the_names_of() {
        let meant = |typed: &str| -> Vec<String> {
            let filter = parse(typed, &items()).unwrap();
            assert_eq!(filter.text.as_deref(), Some(typed));
            filter.text_means.iter().map(ToString::to_string).collect()
        };
        assert_eq!(meant("aPPle"), ["10", "11"]);
        assert_eq!(meant("jeju man"), ["12"]);
        assert_eq!(meant("감귤"), ["12"]);
        assert_eq!(meant("kim"), Vec::<String>::new());
    }
}
