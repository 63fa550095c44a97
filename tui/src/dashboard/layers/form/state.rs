//! Forms: pick an item, an account, type a number, see what it means before it is sent.

use crossterm::event::KeyCode;
use skstore_domain::commands::{MAX_STOCK, Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, MAX_ID_CHARS, OrderId, RequestId, composed};
use skstore_domain::money::Won;
use skstore_domain::objects::{Account, Item, MAX_QTY};

use crate::dashboard::keys::{Chord, Scope};
use crate::dashboard::layers::input::TextInput;
use crate::dashboard::message::Request;
use crate::text::{Text, fuzzy};

/// Digits of the largest number that can be typed: one trillion.
const MAX_DIGITS: usize = 13;
/// Amount of a top-up to begin with, and by which a key changes it, in won.
const TOP_UP_STEP: u64 = 10_000;
/// Units of a restock to begin with, and by which a key changes it.
const RESTOCK_STEP: u64 = 10;

/// Items and accounts that are known by name, and that forms pick from.
#[derive(Debug, Clone, Default)]
pub struct Pickable {
    /// By id, the first of them: [`KNOWN_ITEMS`](crate::text::names::KNOWN_ITEMS) at most.
    pub items: Vec<Item>,
    /// By customer.
    pub accounts: Vec<Account>,
    /// Whether there are accounts that are not among them.
    pub has_more_accounts: bool,
    /// What was picked last, to begin with next time.
    pub last_item: Option<ItemId>,
    /// Likewise.
    pub last_customer: Option<Customer>,
}

impl Pickable {
    /// Remembers what was picked for `request`.
    pub fn picked_for(&mut self, request: &Request) {
        match request {
            Request::Place(place) => {
                self.last_item = Some(place.item_id.clone());
                self.last_customer.clone_from(&place.customer);
            }
            Request::TopUp(top_up) => self.last_customer = Some(top_up.customer.clone()),
            Request::Restock(restock) => self.last_item = Some(restock.item_id.clone()),
            Request::Cancel(_)
            | Request::Order(_)
            | Request::Payment(_)
            | Request::ForceBreaker(_)
            | Request::Inject(..)
            | Request::Crash(_)
            | Request::Heal => {}
        }
    }
}

/// What of a form can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormSpot {
    /// The field at this place of the form's.
    Field(usize),
    /// A choice of the field that has the keys: its place among those that match.
    Choice(usize),
    /// One step less.
    Less,
    /// One step more.
    More,
    /// The way out that sends it.
    Send,
    /// The way out that does not.
    Close,
}

/// What a form is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormKind {
    /// Order something.
    Place,
    /// Put money into an account.
    TopUp,
    /// Add to an item's stock.
    Restock,
}

/// A field of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Picks an item.
    Item,
    /// Picks an account.
    Customer,
    /// Units or won.
    Number,
}

impl FormKind {
    /// Its fields, in the order in which they are filled in.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Place => &[Field::Item, Field::Customer, Field::Number],
            Self::TopUp => &[Field::Customer, Field::Number],
            Self::Restock => &[Field::Item, Field::Number],
        }
    }

    /// The largest number it takes.
    #[must_use]
    pub fn max(self) -> u64 {
        match self {
            Self::Place => u64::from(MAX_QTY),
            Self::TopUp => u64::try_from(Won::MAX_INPUT.0).unwrap_or(u64::MAX),
            Self::Restock => MAX_STOCK,
        }
    }

    const fn step(self) -> u64 {
        match self {
            Self::Place => 1,
            Self::TopUp => TOP_UP_STEP,
            Self::Restock => RESTOCK_STEP,
        }
    }
}

/// A list to choose from, narrowed by what is typed. What is highlighted is what is chosen.
#[derive(Debug, Clone)]
pub struct Picker {
    /// What is typed.
    pub query: TextInput,
    /// The highlighted one, by its id; the first that matches if absent.
    pub highlight: Option<String>,
}

/// An account that can be picked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChoice<'a> {
    /// One that the view knows.
    Known(&'a Account),
    /// A name that no account has yet.
    New(Customer),
    /// A name that may have an account, but there are too many to list.
    Unlisted(Customer),
}

impl AccountChoice<'_> {
    /// Its owner.
    #[must_use]
    pub fn customer(&self) -> &Customer {
        match self {
            Self::Known(account) => &account.customer,
            Self::New(customer) | Self::Unlisted(customer) => customer,
        }
    }

    /// What is on it, if the view knows it.
    #[must_use]
    pub fn balance(&self) -> Option<Won> {
        match self {
            Self::Known(account) => Some(account.balance),
            Self::New(_) => Some(Won::ZERO),
            Self::Unlisted(_) => None,
        }
    }
}

impl Picker {
    fn beginning_with(highlight: Option<&str>) -> Self {
        Self { query: TextInput::new(MAX_ID_CHARS), highlight: highlight.map(str::to_owned) }
    }

    /// The items that match what is typed, in their id or a name; the best first.
    #[must_use]
    pub fn items<'a>(&self, known: &'a [Item]) -> Vec<&'a Item> {
        let typed = composed(self.query.text());
        let typed = &*typed;
        let rank = |item: &Item| {
            let name_en = item.name_en.as_deref().and_then(|name| fuzzy::rank(typed, name));
            let id = fuzzy::rank(typed, item.item_id.as_str());
            [id, fuzzy::rank(typed, &item.name), name_en].into_iter().flatten().min()
        };
        let mut found: Vec<(u8, &Item)> = known.iter().filter_map(|item| Some((rank(item)?, item))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, item)| item).collect()
    }

    /// The accounts that match what is typed: that name itself, then those that begin with it, then those that
    /// contain it, then the name as one that is not listed, and last those that have its letters only. Without a
    /// typed name, the one that was picked last stays among them.
    #[must_use]
    pub fn accounts<'a>(&self, pickable: &'a Pickable) -> Vec<AccountChoice<'a>> {
        let typed = composed(self.query.text());
        let typed = &*typed;
        let rank = |account: &Account| {
            let name = account.customer.as_str();
            Some((name != typed, fuzzy::rank(typed, name)?))
        };
        let known = pickable.accounts.iter();
        let mut found: Vec<_> = known.filter_map(|account| Some((rank(account)?, account))).collect();
        found.sort_by_key(|(rank, _)| *rank);
        let wanted = if typed.is_empty() { self.highlight.as_deref().unwrap_or("") } else { typed };
        // A name that is kept from an older version may be picked from the list, and is no other one then.
        let is_listed = |name: &str| found.iter().any(|(_, account)| account.customer.as_str() == name);
        let other = Customer::new(wanted).ok().filter(|name| !is_listed(wanted) && !is_listed(name.as_str()));
        let other =
            other.map(if pickable.has_more_accounts { AccountChoice::Unlisted } else { AccountChoice::New });
        let close = found.partition_point(|((_, rank), _)| *rank <= fuzzy::PART);
        let choices = found.into_iter().map(|(_, account)| AccountChoice::Known(account));
        let mut choices: Vec<AccountChoice<'a>> = choices.collect();
        // Without a typed name all are as close, and what was picked last is found at the end.
        choices.splice(close..close, other);
        choices
    }

    /// The place of the highlighted one among `ids`.
    #[must_use]
    pub fn highlighted<'a>(&self, ids: impl Iterator<Item = &'a str>) -> usize {
        let wanted = self.highlight.as_deref();
        wanted.and_then(|wanted| ids.into_iter().position(|id| id == wanted)).unwrap_or(0)
    }

    /// Highlights another of `ids`: the one at the place `to` which the highlighted one's leads.
    fn move_highlight(&mut self, ids: &[&str], to: impl Fn(usize) -> usize) {
        let Some(last) = ids.len().checked_sub(1) else { return };
        let at = to(self.highlighted(ids.iter().copied())).min(last);
        self.highlight = ids.get(at).map(|id| (*id).to_owned());
    }
}

/// The id under which a form is sent, however often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormId {
    /// It has been asked for.
    Minting,
    /// Of an order.
    Order(OrderId),
    /// Of a top-up or restock.
    Request(RequestId),
}

/// What an order would cost, as the view knows prices and balances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// Price of a unit times units.
    pub total: Won,
    /// What is on the account, if that is known.
    pub balance: Option<Won>,
    /// What is missing on it.
    pub short_by: Option<Won>,
    /// Units in stock, if they do not suffice.
    pub only_in_stock: Option<u64>,
}

/// A form that is being filled in.
#[derive(Debug, Clone)]
pub struct Form {
    /// What for.
    pub kind: FormKind,
    /// Which of its fields has the keys.
    pub focus: usize,
    /// The item.
    pub item: Picker,
    /// The account.
    pub customer: Picker,
    /// The number's digits.
    pub number: TextInput,
    /// The number was not typed, so the first digit that is typed replaces it.
    pub is_suggested: bool,
    /// The id under which it is sent.
    pub id: FormId,
    /// Why it could not be sent at the last try.
    pub problem: Option<Text>,
}

impl Form {
    /// A form to begin with. Its id must be asked for.
    #[must_use]
    pub fn new(kind: FormKind, item: Option<&ItemId>, customer: Option<&Customer>) -> Self {
        Self {
            kind,
            focus: 0,
            item: Picker::beginning_with(item.map(ItemId::as_str)),
            customer: Picker::beginning_with(customer.map(Customer::as_str)),
            number: TextInput::with(&kind.step().to_string(), MAX_DIGITS),
            is_suggested: true,
            id: FormId::Minting,
            problem: None,
        }
    }

    /// The field that has the keys.
    #[must_use]
    pub fn field(&self) -> Field {
        self.kind.fields().get(self.focus).copied().unwrap_or(Field::Number)
    }

    /// Where keys go.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self.field() {
            Field::Item | Field::Customer => Scope::Picker,
            Field::Number => Scope::Number,
        }
    }

    /// To the field `by` after this one, round and round.
    pub fn move_focus(&mut self, by: isize) {
        let fields = self.kind.fields().len();
        self.focus = (self.focus + fields).saturating_add_signed(by) % fields;
    }

    /// Moves the highlight of the list that has the keys.
    pub fn highlight_by(&mut self, by: isize, pickable: &Pickable) {
        self.highlight(pickable, |at| at.saturating_add_signed(by));
    }

    /// Highlights the choice at a place of the list that has the keys.
    pub fn highlight_at(&mut self, place: usize, pickable: &Pickable) {
        self.highlight(pickable, |_| place);
    }

    fn highlight(&mut self, pickable: &Pickable, to: impl Fn(usize) -> usize) {
        match self.field() {
            Field::Item => {
                let found = self.item.items(&pickable.items);
                let ids: Vec<&str> = found.iter().map(|item| item.item_id.as_str()).collect();
                self.item.move_highlight(&ids, to);
            }
            Field::Customer => {
                let found = self.customer.accounts(pickable);
                let ids: Vec<&str> = found.iter().map(|choice| choice.customer().as_str()).collect();
                self.customer.move_highlight(&ids, to);
            }
            Field::Number => {}
        }
    }

    /// Types a key into the field that has the keys.
    pub fn edit(&mut self, chord: Chord) {
        self.problem = None;
        match self.field() {
            Field::Number => {
                if matches!(chord.code, KeyCode::Char(c) if !chord.ctrl && !c.is_ascii_digit()) {
                    return;
                }
                if matches!(chord.code, KeyCode::Char(_)) {
                    self.forget_suggestion();
                }
                self.is_suggested = false;
                self.number.edit(chord);
            }
            Field::Item | Field::Customer => {
                if self.picker().is_some_and(|picker| picker.query.edit(chord)) {
                    self.forget_highlight();
                }
            }
        }
    }

    /// Types a pasted text into the field that has the keys.
    pub fn paste(&mut self, text: &str) {
        self.problem = None;
        match self.field() {
            Field::Number => {
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                self.forget_suggestion();
                self.number.insert(&digits);
            }
            Field::Item | Field::Customer => {
                if let Some(picker) = self.picker() {
                    picker.query.insert(text);
                }
                self.forget_highlight();
            }
        }
    }

    fn forget_suggestion(&mut self) {
        if std::mem::take(&mut self.is_suggested) {
            self.number = TextInput::with("", MAX_DIGITS);
        }
    }

    fn picker(&mut self) -> Option<&mut Picker> {
        match self.field() {
            Field::Item => Some(&mut self.item),
            Field::Customer => Some(&mut self.customer),
            Field::Number => None,
        }
    }

    /// What is typed narrows the list, and the best match is highlighted again.
    fn forget_highlight(&mut self) {
        if let Some(picker) = self.picker() {
            picker.highlight = None;
        }
    }

    /// The typed number, if it is one that can be sent.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.number.text().parse().ok().filter(|number| (1..=self.kind.max()).contains(number))
    }

    /// Changes the number by `steps`, within what can be sent.
    pub fn step_by(&mut self, steps: i64) {
        self.problem = None;
        let step = i64::try_from(self.kind.step()).unwrap_or(1);
        let max = i64::try_from(self.kind.max()).unwrap_or(i64::MAX);
        let number: i64 = self.number.text().parse().unwrap_or(0);
        let changed = number.saturating_add(steps.saturating_mul(step)).clamp(1, max);
        self.number = TextInput::with(&changed.to_string(), MAX_DIGITS);
        self.is_suggested = true;
    }

    /// The highlighted item.
    #[must_use]
    pub fn chosen_item<'a>(&self, pickable: &'a Pickable) -> Option<&'a Item> {
        let found = self.item.items(&pickable.items);
        found.get(self.item.highlighted(found.iter().map(|item| item.item_id.as_str()))).copied()
    }

    /// The highlighted account.
    #[must_use]
    pub fn chosen_account<'a>(&self, pickable: &'a Pickable) -> Option<AccountChoice<'a>> {
        let mut found = self.customer.accounts(pickable);
        let at = self.customer.highlighted(found.iter().map(|choice| choice.customer().as_str()));
        (at < found.len()).then(|| found.swap_remove(at))
    }

    /// What the order would cost; `None` while something is missing.
    #[must_use]
    pub fn quote(&self, pickable: &Pickable) -> Option<Quote> {
        let (item, account) = (self.chosen_item(pickable)?, self.chosen_account(pickable)?);
        let qty = u32::try_from(self.number()?).ok()?;
        let total = item.unit_price.times(qty)?;
        let balance = account.balance();
        Some(Quote {
            total,
            balance,
            short_by: balance
                .filter(|balance| total > *balance)
                .map(|balance| Won(total.0.saturating_sub(balance.0))),
            only_in_stock: (item.stock < u64::from(qty)).then_some(item.stock),
        })
    }

    /// What is sent.
    ///
    /// # Errors
    /// The text that says what is missing.
    pub fn request(&self, pickable: &Pickable) -> Result<Request, Text> {
        let item = || {
            let chosen = self.chosen_item(pickable).ok_or(Text::NeedsItem)?;
            if chosen.item_id.is_accepted() { Ok(chosen) } else { Err(Text::OldName) }
        };
        let customer = || {
            let chosen = self.chosen_account(pickable).ok_or(Text::NeedsCustomer)?;
            let customer = chosen.customer();
            if customer.is_accepted() { Ok(customer.clone()) } else { Err(Text::OldName) }
        };
        let number = self.number().ok_or(match self.kind {
            FormKind::Place => Text::NeedsQuantity,
            FormKind::TopUp => Text::NeedsAmount,
            FormKind::Restock => Text::NeedsUnits,
        });
        match (self.kind, &self.id) {
            (FormKind::Place, FormId::Order(id)) => {
                let item = item()?;
                Ok(Request::Place(Place {
                    item_id: item.item_id.clone(),
                    qty: u32::try_from(number?).map_err(|_| Text::NeedsQuantity)?,
                    customer: Some(customer()?),
                    order_id: Some(id.clone()),
                    unit_price: Some(item.unit_price),
                }))
            }
            (FormKind::TopUp, FormId::Request(id)) => Ok(Request::TopUp(TopUp {
                customer: customer()?,
                amount: Won(i64::try_from(number?).map_err(|_| Text::NeedsAmount)?),
                topup_id: Some(id.clone()),
            })),
            (FormKind::Restock, FormId::Request(id)) => Ok(Request::Restock(Restock {
                item_id: item()?.item_id.clone(),
                qty: number?,
                restock_id: Some(id.clone()),
            })),
            (FormKind::Place | FormKind::TopUp | FormKind::Restock, _) => Err(Text::NeedsId),
        }
    }
}
