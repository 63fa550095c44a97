//! What items are called in the reader's language. An order carries one name of its item, as it was when it was
//! placed; the other language's is looked up among the items.

use skstore_domain::ids::ItemId;
use skstore_domain::objects::{Item, Order};

use super::Language;

/// Items whose names are known, the first by id: more than one scrolls through. Orders of others show the name that
/// they carry.
pub const KNOWN_ITEMS: usize = 1000;

/// What an item is called in a language.
#[must_use]
pub fn name_of(item: &Item, language: Language) -> &str {
    match (language, &item.name_en) {
        (Language::English, Some(name)) => name,
        (Language::English, None) | (Language::Korean, _) => &item.name,
    }
}

/// What items are called in one language, as far as they are known.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    language: Language,
    items: &'a [Item],
}

impl<'a> Names<'a> {
    /// Of `items`, which stand by id.
    #[must_use]
    pub const fn new(language: Language, items: &'a [Item]) -> Self {
        Self { language, items }
    }

    /// What the item with that id is called, if it is known.
    #[must_use]
    pub fn of(self, id: &ItemId) -> Option<&'a str> {
        self.item(id).map(|item| name_of(item, self.language))
    }

    /// What the item of an order is called: in Korean as the order has it; in English as the item has it, if it is
    /// known and has an English name.
    #[must_use]
    pub fn of_order<'b>(self, order: &'b Order) -> &'b str
    where
        'a: 'b,
    {
        let english = match self.language {
            Language::Korean => None,
            Language::English => self.item(&order.item_id).and_then(|item| item.name_en.as_deref()),
        };
        english.unwrap_or(&order.item_name)
    }

    fn item(self, id: &ItemId) -> Option<&'a Item> {
        let at = self.items.binary_search_by(|item| item.item_id.cmp(id)).ok()?;
        self.items.get(at)
    }
}
