//! Every key, once: what it does, where it applies, and what it is called. Footer and help derive from it.

use crossterm::event::KeyCode;

use super::tab::Tab;
use crate::text::Text;

pub mod chord;
pub mod hangul;
pub mod map;

pub use chord::Chord;
pub use map::{Bound, Keymap};

/// What a key can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// Leaves the dashboard.
    Quit,
    /// Gives the terminal to the shell for a while.
    Suspend,
    /// Shows the last lines of the log.
    Log,
    /// Puts the id of the selected order into the clipboard.
    CopyId,
    /// The next length of time that charts show.
    Range,
    /// Records the breaker, or ends that.
    Record,
    /// Sends the selected parked message where it came from, after telling what would happen.
    ReplayDead,
    /// Likewise all of them.
    ReplayAllDead,
    /// Ends the selected parked message for good, after asking.
    DropDead,
    /// Likewise all of them.
    DropAllDead,
    /// Shows the load that is put on the desk from here.
    Load,
    /// Puts it on.
    StartLoad,
    /// Ends it.
    StopLoad,
    /// More orders a second.
    Faster,
    /// Fewer.
    Slower,
    /// Shows all keys.
    Help,
    /// The other language.
    Language,
    /// The next set of colours.
    Theme,
    /// Local time, or UTC.
    Time,
    /// Shows a tab.
    Go(Tab),
    /// Shows the next tab.
    NextTab,
    /// Shows the tab before.
    PrevTab,
    /// Shows or hides what stands beside the table.
    Panel,
    /// One up: a row, a line, a choice.
    Up,
    /// One down.
    Down,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the newest order, and stay there.
    Newest,
    /// To the first row.
    First,
    /// To the last row that is loaded.
    Last,
    /// Shows the orders of the selected account or item.
    TheirOrders,
    /// Shows what the selected event is about.
    Show,
    /// Shows the selected order whole.
    Open,
    /// Closes what is open, or removes the filter; else takes the newest message away, if there is one.
    Back,
    /// From a whole-screen detail to the next newer order.
    Newer,
    /// From a whole-screen detail to the next older order.
    Older,
    /// Scrolls the detail beside the table up.
    DetailUp,
    /// Scrolls the detail beside the table down.
    DetailDown,
    /// One step back in the time of the order that is shown whole.
    StepBack,
    /// One step forth.
    StepForward,
    /// Shows the open order word for word, or in words.
    Raw,
    /// Sorts the loaded rows by the next column.
    Sort,
    /// Sorts them the other way round.
    ReverseSort,
    /// Holds the table still, or lets it go on.
    Freeze,
    /// To the oldest order of all.
    Oldest,
    /// Types a filter.
    Filter,
    /// Finds a command by its name.
    Palette,
    /// Lets a filter without an index look further.
    ScanOn,
    /// Opens the form of an order.
    NewOrder,
    /// Cancels the selected order, after asking.
    CancelOrder,
    /// Opens the form of a top-up.
    TopUp,
    /// Opens the form of a restock.
    Restock,
    /// Chooses what the breaker shall do.
    Breaker,
    /// Chooses a fault to inject.
    Faults,
    /// Sends again, with the same id.
    Retry,
    /// Takes the newest message away.
    Dismiss,
    /// Takes what is typed or chosen.
    Accept,
    /// Leaves what is open without doing anything.
    Close,
    /// The next field of a form.
    NextField,
    /// The field before.
    PrevField,
    /// One more.
    Increase,
    /// One less.
    Decrease,
    /// Does it.
    Yes,
    /// Does not.
    No,
    /// From yes to no and back.
    Switch,
}

impl Action {
    /// Its name in the settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Help => "help",
            Self::Language => "language",
            Self::Theme => "theme",
            Self::Time => "time",
            Self::Go(Tab::Orders) => "orders",
            Self::Go(Tab::Accounts) => "accounts",
            Self::Go(Tab::Items) => "items",
            Self::Go(Tab::Health) => "health",
            Self::Go(Tab::Events) => "events",
            Self::Go(Tab::Dead) => "dead_letters",
            Self::Suspend => "suspend",
            Self::Log => "log",
            Self::CopyId => "copy_id",
            Self::Load => "load",
            Self::StartLoad => "start_load",
            Self::StopLoad => "stop_load",
            Self::Faster => "faster",
            Self::Slower => "slower",
            Self::Range => "range",
            Self::Record => "record",
            Self::ReplayDead => "replay",
            Self::ReplayAllDead => "replay_all",
            Self::DropDead => "drop",
            Self::DropAllDead => "drop_all",
            Self::NextTab => "next_tab",
            Self::PrevTab => "prev_tab",
            Self::Panel => "panel",
            Self::Up => "up",
            Self::Down => "down",
            Self::PageUp => "page_up",
            Self::PageDown => "page_down",
            Self::Newest => "newest",
            Self::First => "first",
            Self::Last => "last",
            Self::TheirOrders => "their_orders",
            Self::Show => "show",
            Self::Open => "open",
            Self::Back => "back",
            Self::Newer => "newer",
            Self::Older => "older",
            Self::DetailUp => "detail_up",
            Self::DetailDown => "detail_down",
            Self::StepBack => "step_back",
            Self::StepForward => "step_forward",
            Self::Raw => "raw",
            Self::Sort => "sort",
            Self::ReverseSort => "reverse_sort",
            Self::Freeze => "freeze",
            Self::Oldest => "oldest",
            Self::Filter => "filter",
            Self::Palette => "palette",
            Self::ScanOn => "scan_on",
            Self::NewOrder => "new_order",
            Self::CancelOrder => "cancel_order",
            Self::TopUp => "top_up",
            Self::Restock => "restock",
            Self::Breaker => "breaker",
            Self::Faults => "faults",
            Self::Retry => "retry",
            Self::Dismiss => "dismiss",
            Self::Accept => "accept",
            Self::Close => "close",
            Self::NextField => "next_field",
            Self::PrevField => "prev_field",
            Self::Increase => "increase",
            Self::Decrease => "decrease",
            Self::Yes => "yes",
            Self::No => "no",
            Self::Switch => "switch",
        }
    }
}

/// Where keys go: what is on top decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The table of orders, with or without a detail beside it.
    Orders,
    /// A detail on the whole screen.
    Detail,
    /// The table of accounts.
    Accounts,
    /// The table of items.
    Items,
    /// The health of it all.
    Health,
    /// The events.
    Events,
    /// The table of parked messages.
    Dead,
    /// The line in which a filter is typed.
    Filter,
    /// The line in which a command is looked for.
    Palette,
    /// A form's field with a list to choose from.
    Picker,
    /// A form's field with a number.
    Number,
    /// A list of choices.
    Menu,
    /// A question.
    Confirm,
    /// The load that is put on the desk.
    Load,
    /// The list of keys.
    Help,
    /// The page that says that the screen is too small for anything else.
    TooSmall,
}

impl Scope {
    /// All of them, in the order in which the help shows them.
    pub const ALL: &'static [Self] = &[
        Self::Orders,
        Self::Detail,
        Self::Accounts,
        Self::Items,
        Self::Health,
        Self::Events,
        Self::Dead,
        Self::Filter,
        Self::Palette,
        Self::Picker,
        Self::Number,
        Self::Menu,
        Self::Confirm,
        Self::Load,
        Self::Help,
        Self::TooSmall,
    ];

    /// Where keys go on a tab while nothing lies over it.
    #[must_use]
    pub const fn of(tab: Tab) -> Self {
        match tab {
            Tab::Orders => Self::Orders,
            Tab::Accounts => Self::Accounts,
            Tab::Items => Self::Items,
            Tab::Health => Self::Health,
            Tab::Events => Self::Events,
            Tab::Dead => Self::Dead,
        }
    }

    /// Whether a character that is no key here is typed.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Filter | Self::Palette | Self::Picker | Self::Number)
    }

    /// Its name.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::Orders => Text::ScopeOrders,
            Self::Detail => Text::ScopeDetail,
            Self::Accounts => Text::AccountsTitle,
            Self::Items => Text::ItemsTitle,
            Self::Health => Text::HealthTitle,
            Self::Events => Text::EventsTitle,
            Self::Dead => Text::DeadTitle,
            Self::Filter => Text::ScopeFilter,
            Self::Palette => Text::ScopePalette,
            Self::Picker => Text::ScopePicker,
            Self::Number => Text::ScopeNumber,
            Self::Menu => Text::ScopeMenu,
            Self::Confirm => Text::ScopeConfirm,
            Self::Load => Text::LoadTitle,
            Self::Help => Text::ScopeHelp,
            Self::TooSmall => Text::ScopeTooSmall,
        }
    }
}

/// One line of the table: an action, its keys, and where they apply.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// The keys; the first is the one that is shown in the footer.
    pub keys: &'static [Chord],
    /// The screens and layers on which it acts.
    pub scopes: &'static [Scope],
    /// What it is called.
    pub text: Text,
    /// Whether the footer shows it; the help shows all.
    pub in_footer: bool,
}

const fn key(code: KeyCode) -> Chord {
    Chord::of(code)
}

const fn c(char: char) -> Chord {
    Chord::char(char)
}

/// A line of the table that the footer shows.
const fn in_footer(action: Action, keys: &'static [Chord], scopes: &'static [Scope], text: Text) -> Binding {
    Binding { action, keys, scopes, text, in_footer: true }
}

/// A line of the table that only the help shows.
const fn in_help(action: Action, keys: &'static [Chord], scopes: &'static [Scope], text: Text) -> Binding {
    Binding { in_footer: false, ..in_footer(action, keys, scopes, text) }
}

/// Where nothing lies over the tab that is shown.
const MAIN: &[Scope] =
    &[Scope::Orders, Scope::Detail, Scope::Accounts, Scope::Items, Scope::Health, Scope::Events, Scope::Dead];
/// Likewise, and where nothing can be seen: what acts there needs no looking at.
const SEEN_OR_NOT: &[Scope] = &[
    Scope::Orders,
    Scope::Detail,
    Scope::Accounts,
    Scope::Items,
    Scope::Health,
    Scope::Events,
    Scope::Dead,
    Scope::TooSmall,
];
/// The orders, and one of them whole.
const ORDERS: &[Scope] = &[Scope::Orders, Scope::Detail];
/// Tables by name.
const LISTINGS: &[Scope] = &[Scope::Accounts, Scope::Items];
/// Tables that can be sorted by their columns.
const TABLES: &[Scope] = &[Scope::Orders, Scope::Accounts, Scope::Items];
const PAGED: &[Scope] = &[
    Scope::Orders,
    Scope::Detail,
    Scope::Accounts,
    Scope::Items,
    Scope::Health,
    Scope::Events,
    Scope::Dead,
    Scope::Help,
];
const FIELDS: &[Scope] = &[Scope::Picker, Scope::Number];

/// Every key. The footer shows them in this order as far as they fit.
pub const TABLE: &[Binding] = &[
    in_footer(Action::Retry, &[c('r')], MAIN, Text::KeyRetry),
    in_footer(Action::ScanOn, &[c('m')], &[Scope::Orders], Text::KeyScanOn),
    in_footer(Action::NewOrder, &[c('n')], MAIN, Text::KeyNewOrder),
    in_footer(Action::CancelOrder, &[c('c'), c('x')], ORDERS, Text::KeyCancelOrder),
    in_footer(Action::Open, &[key(KeyCode::Enter)], &[Scope::Orders], Text::KeyOpen),
    in_footer(Action::TheirOrders, &[key(KeyCode::Enter)], LISTINGS, Text::KeyTheirOrders),
    in_footer(Action::Show, &[key(KeyCode::Enter)], &[Scope::Events], Text::KeyShow),
    in_footer(
        Action::Back,
        &[key(KeyCode::Esc)],
        &[Scope::Orders, Scope::Detail, Scope::Accounts, Scope::Events],
        Text::KeyBack,
    ),
    in_footer(Action::ReplayDead, &[key(KeyCode::Enter)], &[Scope::Dead], Text::KeyReplayDead),
    in_footer(Action::ReplayAllDead, &[c('a')], &[Scope::Dead], Text::KeyReplayAllDead),
    in_footer(Action::DropDead, &[c('x'), key(KeyCode::Delete)], &[Scope::Dead], Text::KeyDropDead),
    in_footer(Action::DropAllDead, &[c('X')], &[Scope::Dead], Text::KeyDropAllDead),
    in_footer(Action::Range, &[c('z')], &[Scope::Health], Text::KeyRange),
    in_footer(Action::Record, &[c('R')], &[Scope::Health], Text::KeyRecord),
    in_footer(Action::StepBack, &[key(KeyCode::Left)], ORDERS, Text::KeyStepBack),
    in_footer(Action::StepForward, &[key(KeyCode::Right)], ORDERS, Text::KeyStepForward),
    in_footer(Action::Raw, &[c('e')], ORDERS, Text::KeyRaw),
    in_footer(Action::Filter, &[c('/')], &[Scope::Orders, Scope::Accounts, Scope::Events], Text::KeyFilter),
    in_footer(Action::Freeze, &[c(' ')], &[Scope::Orders, Scope::Events], Text::KeyFreeze),
    in_footer(Action::TopUp, &[c('u')], MAIN, Text::KeyTopUp),
    in_footer(Action::Restock, &[c('s')], MAIN, Text::KeyRestock),
    in_footer(Action::Sort, &[c('o')], TABLES, Text::KeySort),
    in_help(Action::ReverseSort, &[c('O')], TABLES, Text::KeyReverseSort),
    in_footer(Action::Breaker, &[c('b')], MAIN, Text::KeyBreaker),
    in_footer(Action::Faults, &[c('f')], MAIN, Text::KeyFaults),
    in_footer(Action::StartLoad, &[key(KeyCode::Enter), c('s')], &[Scope::Load], Text::KeyStartLoad),
    in_footer(Action::StopLoad, &[c('x')], &[Scope::Load], Text::KeyStopLoad),
    in_footer(
        Action::Faster,
        &[c('+'), c('='), key(KeyCode::Right), key(KeyCode::Up)],
        &[Scope::Load],
        Text::KeyFaster,
    ),
    in_footer(
        Action::Slower,
        &[c('-'), key(KeyCode::Left), key(KeyCode::Down)],
        &[Scope::Load],
        Text::KeySlower,
    ),
    in_footer(Action::Newer, &[c('K')], &[Scope::Detail], Text::KeyNewer),
    in_footer(Action::Older, &[c('J')], &[Scope::Detail], Text::KeyOlder),
    in_footer(Action::Yes, &[c('y')], &[Scope::Confirm], Text::Yes),
    in_footer(Action::No, &[c('n'), key(KeyCode::Esc)], &[Scope::Confirm], Text::No),
    in_footer(
        Action::Switch,
        &[key(KeyCode::Tab), key(KeyCode::Left), key(KeyCode::Right), key(KeyCode::BackTab)],
        &[Scope::Confirm],
        Text::KeySwitch,
    ),
    in_footer(Action::Increase, &[c('+'), c('='), key(KeyCode::Up)], &[Scope::Number], Text::KeyIncrease),
    in_footer(Action::Decrease, &[c('-'), key(KeyCode::Down)], &[Scope::Number], Text::KeyDecrease),
    in_help(Action::Up, &[key(KeyCode::Up), c('k')], MAIN, Text::KeyUp),
    in_footer(Action::Up, &[key(KeyCode::Up), c('k')], &[Scope::Menu, Scope::Help], Text::KeyUp),
    in_help(Action::Down, &[key(KeyCode::Down), c('j')], MAIN, Text::KeyDown),
    in_footer(Action::Down, &[key(KeyCode::Down), c('j')], &[Scope::Menu, Scope::Help], Text::KeyDown),
    in_footer(Action::Up, &[key(KeyCode::Up)], &[Scope::Picker, Scope::Palette], Text::KeyUp),
    in_footer(Action::Down, &[key(KeyCode::Down)], &[Scope::Picker, Scope::Palette], Text::KeyDown),
    in_help(Action::PageUp, &[key(KeyCode::PageUp)], PAGED, Text::KeyPageUp),
    in_help(Action::PageDown, &[key(KeyCode::PageDown)], PAGED, Text::KeyPageDown),
    in_help(Action::Newest, &[c('g'), key(KeyCode::Home)], &[Scope::Orders, Scope::Events], Text::KeyNewest),
    in_help(
        Action::First,
        &[c('g'), key(KeyCode::Home)],
        &[Scope::Accounts, Scope::Items, Scope::Dead],
        Text::KeyFirst,
    ),
    in_help(
        Action::Last,
        &[c('G'), key(KeyCode::End)],
        &[Scope::Accounts, Scope::Items, Scope::Events, Scope::Dead],
        Text::KeyLast,
    ),
    in_help(Action::Oldest, &[c('G'), key(KeyCode::End)], &[Scope::Orders], Text::KeyOldest),
    in_help(Action::DetailUp, &[c('[')], &[Scope::Orders], Text::KeyDetailUp),
    in_help(Action::DetailDown, &[c(']')], &[Scope::Orders], Text::KeyDetailDown),
    in_footer(
        Action::Accept,
        &[key(KeyCode::Enter)],
        &[Scope::Filter, Scope::Palette, Scope::Menu, Scope::Confirm, Scope::Picker],
        Text::KeyAccept,
    ),
    in_footer(Action::Accept, &[key(KeyCode::Enter)], &[Scope::Number], Text::KeySend),
    in_footer(Action::NextField, &[key(KeyCode::Tab)], FIELDS, Text::KeyNextField),
    in_help(Action::PrevField, &[key(KeyCode::BackTab)], FIELDS, Text::KeyPrevField),
    in_footer(
        Action::Close,
        &[key(KeyCode::Esc)],
        &[Scope::Filter, Scope::Palette, Scope::Picker, Scope::Number],
        Text::KeyClose,
    ),
    in_footer(Action::Close, &[key(KeyCode::Esc), c('q')], &[Scope::Menu, Scope::Load], Text::KeyClose),
    in_footer(
        Action::Close,
        &[key(KeyCode::Esc), c('?'), c('q'), key(KeyCode::F(1))],
        &[Scope::Help],
        Text::KeyClose,
    ),
    in_footer(
        Action::Dismiss,
        &[c('d')],
        &[Scope::Orders, Scope::Detail, Scope::Accounts, Scope::Events],
        Text::KeyDismiss,
    ),
    in_footer(
        Action::Dismiss,
        &[c('d'), key(KeyCode::Esc)],
        &[Scope::Items, Scope::Health, Scope::Dead],
        Text::KeyDismiss,
    ),
    in_help(Action::Go(Tab::Orders), &[c(Tab::Orders.number())], MAIN, Tab::Orders.text()),
    in_help(Action::Go(Tab::Accounts), &[c(Tab::Accounts.number())], MAIN, Tab::Accounts.text()),
    in_help(Action::Go(Tab::Items), &[c(Tab::Items.number())], MAIN, Tab::Items.text()),
    in_help(Action::Go(Tab::Health), &[c(Tab::Health.number())], MAIN, Tab::Health.text()),
    in_help(Action::Go(Tab::Events), &[c(Tab::Events.number())], MAIN, Tab::Events.text()),
    in_help(Action::Go(Tab::Dead), &[c(Tab::Dead.number())], MAIN, Tab::Dead.text()),
    in_help(Action::NextTab, &[key(KeyCode::Tab)], MAIN, Text::KeyNextTab),
    in_help(Action::PrevTab, &[key(KeyCode::BackTab)], MAIN, Text::KeyPrevTab),
    in_help(Action::CopyId, &[c('y')], ORDERS, Text::KeyCopyId),
    in_help(Action::Load, &[c('w')], MAIN, Text::KeyLoad),
    in_help(Action::Log, &[c('L')], MAIN, Text::KeyLog),
    in_footer(Action::Panel, &[c('p')], MAIN, Text::KeyPanel),
    in_footer(Action::Language, &[c('l')], MAIN, Text::KeyLanguage),
    in_footer(Action::Theme, &[c('t')], MAIN, Text::KeyTheme),
    in_help(Action::Time, &[c('T')], MAIN, Text::KeyTime),
    in_footer(Action::Palette, &[c(':'), Chord::ctrl('p')], MAIN, Text::KeyPalette),
    in_footer(Action::Help, &[c('?'), key(KeyCode::F(1)), c('h')], SEEN_OR_NOT, Text::KeyHelp),
    in_help(
        Action::Help,
        &[key(KeyCode::F(1))],
        &[
            Scope::Filter,
            Scope::Palette,
            Scope::Picker,
            Scope::Number,
            Scope::Menu,
            Scope::Confirm,
            Scope::Load,
        ],
        Text::KeyHelp,
    ),
    in_help(Action::Suspend, &[Chord::ctrl('z')], Scope::ALL, Text::KeySuspend),
    in_footer(Action::Quit, &[c('q'), Chord::ctrl('c')], SEEN_OR_NOT, Text::KeyQuit),
    in_help(
        Action::Quit,
        &[Chord::ctrl('c')],
        &[
            Scope::Filter,
            Scope::Palette,
            Scope::Picker,
            Scope::Number,
            Scope::Menu,
            Scope::Confirm,
            Scope::Load,
            Scope::Help,
        ],
        Text::KeyQuit,
    ),
];
