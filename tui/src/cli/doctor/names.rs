//! Names in the stores that would not be accepted any more: they were kept by older versions, and look like another
//! name, or like nothing.

use skstore::text::Text;
use skstore_domain::ids::{Customer, ItemId, is_mark, unseen};
use skstore_domain::signals::Service;
use skstore_workers::desk::store::{Store, StoreError};

use super::finding::{Checked, Finding, Said};

/// Aggregates read at once: some hundred kilobytes of them.
const PAGE_ROWS: usize = 1_000;
/// Names that are told; of the others, how many there are.
const MAX_TOLD: usize = 5;

/// What is said of the names in the store of `service`, if anything has to be.
pub(super) async fn check(service: Service, store: &Store) -> Result<Option<Finding>, StoreError> {
    let (kind, is_accepted, found, remedy): (_, fn(&str) -> bool, _, _) = match service {
        Service::Deposit => {
            ("account", is_customer, Text::DoctorOldCustomers, Text::DoctorOldCustomersRemedy)
        }
        Service::Item => ("item", is_item, Text::DoctorOldItems, Text::DoctorOldItemsRemedy),
        Service::Order | Service::MyInfo => return Ok(None),
    };
    let mut old = Old::default();
    let mut after = String::new();
    loop {
        let page = store.scan(kind, &after, PAGE_ROWS).await?;
        page.iter().map(|(name, _)| name).filter(|name| !is_accepted(name)).for_each(|name| old.add(name));
        match page.into_iter().next_back() {
            Some((name, _)) => after = name,
            None => break,
        }
    }
    let finding = || {
        let found = Said::text(found, &[&old.count, &old.told.join(", ")]);
        Finding::noted(Checked::Stores, found, remedy)
    };
    Ok((old.count > 0).then(finding))
}

#[derive(Default)]
struct Old {
    count: u64,
    told: Vec<String>,
}

impl Old {
    fn add(&mut self, name: &str) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            self.told.push(visible(name));
        } else if self.told.len() == MAX_TOLD {
            self.told.push("…".to_owned());
        }
    }
}

fn is_customer(name: &str) -> bool {
    Customer::kept(name).is_ok_and(|customer| customer.is_accepted())
}

fn is_item(name: &str) -> bool {
    ItemId::kept(name).is_ok_and(|item| item.is_accepted())
}

/// A name in quotes, with all that cannot be seen, or not by itself, as JSON escapes it: so it can be told from others,
/// and found.
fn visible(name: &str) -> String {
    let mut shown = String::from("\"");
    for c in name.chars() {
        if unseen(c).is_some() || is_mark(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| shown.push_str(&format!("\\u{unit:04x}")));
        } else {
            if matches!(c, '"' | '\\') {
                shown.push('\\');
            }
            shown.push(c);
        }
    }
    shown.push('"');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_told_apart() {
        let table = [
            ("kim", r#""kim""#),
            ("kim ", r#""kim ""#),
            ("kim\u{3164}", r#""kim\u3164""#),
            ("\u{1112}\u{1161}\u{11ab}", "\"ᄒ\\u1161\\u11ab\""),
            ("a\"b\\", r#""a\"b\\""#),
            ("\u{e0041}", r#""\udb40\udc41""#),
        ];
        for (name, shown) in table {
            assert_eq!(visible(name), shown);
        }
    }
}
