//! What the dashboard can be told, and what it can ask for: one closed enum each.

use skstore_domain::answers::Answer;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::faults::Fault;
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::myinfo::FeedEntry;
use skstore_domain::objects::{Account, Item};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::view::{Counts, Cursor, Health, OrderDetail, OrderFilter, OrderPage};
use skstore_workers::desk::{DeadError, DeadPage, DeskError};

use super::keys::Chord;
use super::layers::load::state::News;
use super::screens::dead_letters::state::{Deal, DealReport};
use super::screens::health::recording::state as recording;
use super::size::Size;
use crate::terminal::console::Told;

/// Something that has happened. [`update`](super::update::update) is the only one to act on it.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key was pressed.
    Key(Chord),
    /// The mouse was used.
    Mouse(Mouse),
    /// Text was pasted.
    Paste(String),
    /// The screen has another size.
    Resized(Size),
    /// A second has gone by without news of the workers. Only sent while something on the screen shows an age or a
    /// countdown.
    Tick,
    /// The view was read.
    Read(Box<Snapshot>),
    /// It was read what the workers say of themselves; nothing else in the view has changed.
    Heard(Health),
    /// The view could not be read.
    ViewLost {
        /// The cause, in a sentence.
        cause: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// The message bus is lost.
    BusLost {
        /// The cause, in a sentence.
        cause: String,
        /// When it is tried again.
        retry_at: Timestamp,
    },
    /// The message bus is there again.
    BusBack,
    /// How full the queues are, as [`Effect::ReadQueues`] asked for.
    Queues(Result<Vec<QueueDepth>, DeskError>),
    /// The parked messages, as [`Effect::ReadDead`] asked for.
    Dead(Result<DeadPage, DeadError>),
    /// What became, or would become, of parked messages.
    Summary(Deal, Result<DealReport, DeadError>),
    /// What is heard of the load that is put on.
    Load(News),
    /// What is heard of the recording that is made.
    Recording(recording::News),
    /// The last lines of the log. Only sent while they are shown.
    Log(Vec<String>),
    /// Something has happened to the terminal.
    Terminal(Told),
    /// There is no shell that could continue this process if it stopped.
    NotSuspended,
    /// A fresh order id, as [`Effect::MintOrderId`] asked for.
    OrderId(OrderId),
    /// A fresh id of a top-up or restock, as [`Effect::MintRequestId`] asked for.
    RequestId(RequestId),
    /// A request was answered, or was not.
    Answered(Box<Answered>),
}

/// What was done with the mouse, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What was done.
    pub gesture: Gesture,
    /// Column of the screen.
    pub x: u16,
    /// Row of the screen.
    pub y: u16,
}

/// What is done with a mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    /// Its first button was pressed.
    Click,
    /// The wheel was turned away.
    WheelUp,
    /// The wheel was turned near.
    WheelDown,
}

/// What the screen needs of the view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What the tab that is shown needs.
    pub query: Query,
    /// The order that is shown whole.
    pub detail: Option<OrderId>,
    /// While items and accounts can be picked: what is typed of the account's name.
    pub pickers: Option<String>,
}

/// What a tab needs of the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Orders.
    Orders(OrdersQuery),
    /// Accounts.
    Accounts(ListQuery<Customer>),
    /// Items.
    Items(ListQuery<ItemId>),
    /// The newest events.
    Events,
    /// Nothing but what every tab shows.
    Nothing,
}

impl Default for Query {
    fn default() -> Self {
        Self::Orders(OrdersQuery::default())
    }
}

/// A window over the orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrdersQuery {
    /// Which orders.
    pub filter: OrderFilter,
    /// Where the window is.
    pub start: Start,
}

/// Where a window over the orders is, which are sorted newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Start {
    /// It begins with the newest.
    #[default]
    Newest,
    /// It begins after this place.
    After(Cursor),
    /// It ends before this place.
    Before(Cursor),
    /// It ends with the oldest.
    Oldest,
}

/// A window over a list by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery<Name> {
    /// The window starts after this one; with the first if absent.
    pub after: Option<Name>,
    /// Whose newest orders.
    pub orders_of: Option<Name>,
}

/// What the view says.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What was wanted.
    pub wanted: Wanted,
    /// What the tab that is shown needs.
    pub found: Found,
    /// The order that is shown whole, if it was wanted and exists.
    pub detail: Option<OrderDetail>,
    /// How many there are.
    pub counts: Counts,
    /// What the workers say of themselves.
    pub health: Health,
    /// When the newest event happened, where the workers say nothing any more.
    pub last_event: Option<Timestamp>,
    /// The first items by id, where they may be other ones than before, or are picked from.
    pub items: Option<Vec<Item>>,
    /// Accounts, if they were wanted.
    pub pickers: Option<Pickers>,
}

/// The answer to a [`Query`], of the same kind.
#[derive(Debug, Clone)]
pub enum Found {
    /// Orders.
    Orders(OrderPage),
    /// Accounts.
    Accounts(ListFound<Account>),
    /// Items.
    Items(ListFound<Item>),
    /// The newest events, newest first.
    Events(Vec<FeedEntry>),
    /// Nothing was wanted.
    Nothing,
}

/// The answer to a [`ListQuery`].
#[derive(Debug, Clone)]
pub struct ListFound<T> {
    /// The rows, by name.
    pub rows: Vec<T>,
    /// Whether there are more after them.
    pub has_more: bool,
    /// The newest orders, if they were wanted.
    pub orders: OrderPage,
}

/// What forms can pick from, besides the items.
#[derive(Debug, Clone, Default)]
pub struct Pickers {
    /// Accounts by customer.
    pub accounts: Vec<Account>,
    /// Whether there are accounts that are not among them.
    pub has_more_accounts: bool,
}

/// Something that is asked of the services. The same request twice is the same wish: ids are part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Order something. It always has an id.
    Place(Place),
    /// Take an order back.
    Cancel(OrderId),
    /// The order as Order tells it.
    Order(OrderId),
    /// The payment as Deposit tells it.
    Payment(OrderId),
    /// Put money into an account. It always has an id.
    TopUp(TopUp),
    /// Add to an item's stock. It always has an id.
    Restock(Restock),
    /// Tell the breakers of all order workers what to do.
    ForceBreaker(BreakerMode),
    /// Make a service misbehave.
    Inject(Service, Fault),
    /// Have a service's workers die in the midst of what they do.
    Crash(Service),
    /// End all faults.
    Heal,
}

/// What came of a request.
#[derive(Debug, Clone)]
pub struct Answered {
    /// The request.
    pub request: Request,
    /// The answer; `None` for what is only told to the workers and has none.
    pub result: Result<Option<Answer>, DeskError>,
}

/// Something to be done outside. What it brings comes back as a [`Message`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the view again: what is wanted has changed.
    Read,
    /// Ask the services.
    Ask(Request),
    /// Read how full the queues are.
    ReadQueues,
    /// Read the parked messages.
    ReadDead,
    /// Do something with parked messages, or find out what would happen.
    Deal(Deal),
    /// Put load on the desk: so many orders a second, or as fast as they are answered.
    StartLoad(Option<u32>),
    /// Change that.
    SteerLoad(Option<u32>),
    /// End it; asked for again, do not wait for its orders.
    StopLoad,
    /// Record a breaker.
    StartRecording {
        /// Of this instance of Order.
        instance: String,
        /// The file's name, without what stands after the point, where no other file has it.
        name: String,
    },
    /// End that.
    StopRecording,
    /// Put a text into the clipboard.
    Copy(String),
    /// Give the terminal to the shell, and stop until it is given back.
    Suspend,
    /// Take the terminal again.
    Retake,
    /// A fresh order id.
    MintOrderId,
    /// A fresh id of a top-up or restock.
    MintRequestId,
    /// Leave.
    Quit,
}
