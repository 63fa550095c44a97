//! The only door for dashboards and the command line: commands go to the services as any client's would, and
//! what is shown comes from the view. What lies between is a message bus, or the socket of the process that has the
//! workers.

use std::sync::Arc;
use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{
    Command, DepositCommand, ItemCommand, OrderCommand, Place, Restock, Settle, TopUp,
};
use skstore_domain::faults::Fault;
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::signals::{Control, Service};
use tokio::sync::watch;

use self::dead::Operation;
use self::over_bus::OverBus;
use crate::bus::{Bus, QueueDepth};
use crate::clock::Ids;
use crate::door::client::DoorClient;
use crate::view::View;
use crate::view::attached::AttachedView;

pub(crate) mod asked;
pub(crate) mod dead;
mod over_bus;
mod over_door;
mod shown;
pub(crate) mod told;

pub use crate::envelope::ParkedCode;
pub use crate::service::owner_besides;
// What comes through this door with it: what is shown and how it is configured, started and ended; and for whoever looks
// for trouble, what the servers and stores say of themselves.
pub use crate::{
    audit, bus, clock, config, gateway, logging, outlet, process, signals, store, topology, view,
};
pub use dead::{DeadError, DeadLetter, DeadPage, Disposition, LIST_BYTES, ReplayCheck, Summary, Which};
pub use shown::Shown;
pub use told::{ANSWER_WITHIN, BusState, DeskError};

/// Places orders, asks the services, and shows the view. Clones share one connection, and cost next to nothing: a gateway
/// makes some for each request.
#[derive(Debug, Clone)]
pub struct Desk {
    way: Arc<Way>,
    view: Arc<View>,
    ids: Ids,
}

/// How the workers are reached.
#[derive(Debug)]
enum Way {
    Bus(OverBus),
    Door(DoorClient),
}

impl Desk {
    /// A desk on `bus` and `view`. Answers are heard by a task on the caller's runtime.
    ///
    /// # Errors
    /// [`DeskError::Unreachable`] when the bus cannot be reached.
    pub async fn open(bus: &Bus, view: View, ids: Ids) -> Result<Self, DeskError> {
        Ok(Self::of(Way::Bus(OverBus::open(bus, &ids).await?), view, ids))
    }

    /// A desk that needs no bus to show the view: where that is not there yet, [`Desk::bus_state`] says why, and
    /// whoever asks for something is told so at once. It gets there by itself.
    pub async fn attach(bus: &Bus, view: View, ids: Ids) -> Self {
        Self::of(Way::Bus(OverBus::attach(bus, &ids).await), view, ids)
    }

    /// A desk of the process at the other side of `door`, with its view.
    pub(crate) fn through(door: DoorClient, ids: Ids) -> Self {
        let view = View::Attached(AttachedView::new(door.clone()));
        Self::of(Way::Door(door), view, ids)
    }

    fn of(way: Way, view: View, ids: Ids) -> Self {
        Self { way: Arc::new(way), view: Arc::new(view), ids }
    }

    /// Tells at once when the bus is lost, how it is tried again, and when it is back.
    #[must_use]
    pub fn bus_state(&self) -> watch::Receiver<BusState> {
        match &*self.way {
            Way::Bus(bus) => bus.state.clone(),
            Way::Door(door) => door.state(),
        }
    }

    /// What of bus and view cannot be used now, if anything: a sentence without a cause.
    pub(crate) async fn lost(&self) -> Option<&'static str> {
        if let BusState::Lost { .. } = *self.bus_state().borrow() {
            return Some("the message bus is lost");
        }
        self.view.written().await.is_err().then_some("the view cannot be reached")
    }

    /// Why the broker takes nothing, if it does not: for lack of memory or disk.
    pub async fn blocked(&self) -> Option<String> {
        match &*self.way {
            Way::Bus(over) => over.bus.blocked().await,
            // Behind a door is the embedded bus, which takes what there is room for.
            Way::Door(_) => None,
        }
    }
}

/// What is asked of the services, and what an operator wants of them.
///
/// # Errors
/// [`DeskError`], if there is no answer or nobody was told. A refusal is an answer.
impl Desk {
    /// Orders something and waits for its payment. Give it an id (see [`Desk::order_id`]) to be able to
    /// repeat it safely.
    pub async fn place(&self, place: &Place) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Place(place.clone())).await
    }

    /// Takes an order back.
    pub async fn cancel(&self, order: &OrderId) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Cancel(order.clone())).await
    }

    /// Brings an order in order on which the services differ since a store was put back to an older copy.
    pub async fn settle(&self, settle: &Settle) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Settle(settle.clone())).await
    }

    /// The order as Order itself tells it.
    pub async fn order(&self, order: &OrderId) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Query(order.clone())).await
    }

    /// The payment as Deposit itself tells it.
    pub async fn payment(&self, order: &OrderId) -> Result<Answer, DeskError> {
        self.ask(DepositCommand::QueryPayment(order.clone())).await
    }

    /// The account as Deposit itself tells it.
    pub async fn account(&self, customer: &Customer) -> Result<Answer, DeskError> {
        self.ask(DepositCommand::QueryAccount(customer.clone())).await
    }

    /// Puts money into an account.
    pub async fn top_up(&self, top_up: &TopUp) -> Result<Answer, DeskError> {
        self.ask(DepositCommand::TopUp(top_up.clone())).await
    }

    /// Adds to an item's stock.
    pub async fn restock(&self, restock: &Restock) -> Result<Answer, DeskError> {
        self.ask(ItemCommand::Restock(restock.clone())).await
    }

    /// The item as Item itself tells it.
    pub async fn item(&self, item: &ItemId) -> Result<Answer, DeskError> {
        self.ask(ItemCommand::Query(item.clone())).await
    }

    /// Holds the breaker of one order worker, or of all, open or closed, or lets it decide again.
    pub async fn force_breaker(&self, instance: Option<String>, mode: BreakerMode) -> Result<(), DeskError> {
        self.send_control(&Control::ForceBreaker { instance, mode }).await
    }

    /// Makes a service misbehave for [`FAULT_FOR`](skstore_domain::faults::FAULT_FOR) at most, or ends that with
    /// [`Fault::None`]. Workers whose heartbeats say that they take no faults do not obey.
    pub async fn inject(&self, service: Service, fault: Fault) -> Result<(), DeskError> {
        self.send_control(&Control::SetFault { service, instance: None, fault, for_ms: None }).await
    }

    /// As [`Desk::inject`], for a time of one's own and, where one is named, for one instance alone.
    pub async fn inject_for(
        &self,
        service: Service,
        instance: Option<String>,
        fault: Fault,
        lasts: Duration,
    ) -> Result<(), DeskError> {
        let for_ms = Some(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
        self.send_control(&Control::SetFault { service, instance, fault, for_ms }).await
    }

    /// Ends every fault of every service.
    pub async fn heal(&self) -> Result<(), DeskError> {
        for service in Service::ALL {
            self.inject(*service, Fault::None).await?;
        }
        Ok(())
    }

    /// Has a worker die in the midst of what it does, where its settings allow that.
    pub async fn crash(&self, service: Service, instance: Option<String>) -> Result<(), DeskError> {
        self.send_control(&Control::Crash { service, instance }).await
    }

    /// Has the view built anew from the services' logs. [`View::rebuilds`] tells when that has begun and ended.
    pub async fn rebuild_view(&self) -> Result<(), DeskError> {
        self.send_control(&Control::RebuildView).await
    }
}

impl Desk {
    /// How full each queue of the topology is that outlives its consumers, sorted by name.
    ///
    /// # Errors
    /// [`DeskError::Unreachable`].
    pub async fn queues(&self) -> Result<Vec<QueueDepth>, DeskError> {
        match &*self.way {
            Way::Bus(over) => Ok(over.bus.depths().await?),
            Way::Door(door) => over_door::queues(door).await,
        }
    }

    /// A fresh order id.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        mint(&self.ids, OrderId::new)
    }

    /// A fresh id of a top-up or restock.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        mint(&self.ids, RequestId::new)
    }

    /// What is shown.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Has `command` carried out.
    ///
    /// # Errors
    /// [`DeskError`], if there is no answer. A refusal is an answer.
    pub(crate) async fn ask(&self, command: impl Into<Command>) -> Result<Answer, DeskError> {
        let command = command.into();
        match &*self.way {
            Way::Bus(bus) => bus.ask(&command).await,
            Way::Door(door) => over_door::ask(door, self.with_its_id(command)).await,
        }
    }

    pub(crate) async fn send_control(&self, control: &Control) -> Result<(), DeskError> {
        match &*self.way {
            Way::Bus(bus) => bus.send_control(control).await,
            Way::Door(door) => over_door::send_control(door, control).await,
        }
    }

    /// The command with the id under which it can be repeated: at a door it is, when whoever had the workers is gone and
    /// somebody else has them.
    fn with_its_id(&self, command: Command) -> Command {
        match command {
            Command::Order(OrderCommand::Place(mut place)) => {
                place.order_id.get_or_insert_with(|| self.order_id());
                OrderCommand::Place(place).into()
            }
            Command::Deposit(DepositCommand::TopUp(mut top_up)) => {
                top_up.topup_id.get_or_insert_with(|| self.request_id());
                DepositCommand::TopUp(top_up).into()
            }
            Command::Item(ItemCommand::Restock(mut restock)) => {
                restock.restock_id.get_or_insert_with(|| self.request_id());
                ItemCommand::Restock(restock).into()
            }
            Command::Order(
                OrderCommand::Cancel(_)
                | OrderCommand::Query(_)
                | OrderCommand::Settle(_)
                | OrderCommand::Replay(_),
            )
            | Command::Deposit(
                DepositCommand::QueryPayment(_) | DepositCommand::QueryAccount(_) | DepositCommand::Replay(_),
            )
            | Command::Item(
                ItemCommand::Query(_)
                | ItemCommand::List(_)
                | ItemCommand::Catalog(_)
                | ItemCommand::Replay(_),
            ) => command,
        }
    }
}

/// Parked messages.
///
/// # Errors
/// [`DeadError`]; what was dealt with before it stays so.
impl Desk {
    /// The oldest parked messages, at most `max` and about [`LIST_BYTES`] of bodies. They stay where they are. One
    /// operator at a time has them in hand: others wait for their turn, so do not ask for this in a loop; the
    /// number of them is in [`Desk::queues`].
    pub async fn dead_letters(&self, max: usize) -> Result<DeadPage, DeadError> {
        match &*self.way {
            Way::Bus(bus) => bus.dead_letters(max).await,
            Way::Door(door) => over_door::dead_letters(door, max).await,
        }
    }

    /// The parked message of that [id](DeadLetter::id). It stays where it is.
    pub async fn dead_letter(&self, id: &str) -> Result<Option<DeadLetter>, DeadError> {
        match &*self.way {
            Way::Bus(bus) => bus.dead_letter(id).await,
            Way::Door(door) => over_door::dead_letter(door, id).await,
        }
    }

    /// Sends parked messages where they came from, with all that they carried, and ends each once the bus has
    /// confirmed it: a crash in between may replay it twice, which its ids make harmless, and never loses it.
    /// `told` hears of each what became of it, in a dry run what would.
    ///
    /// Asked for all, it leaves those alone that would only be refused again, and those that might take effect a
    /// second time ([`ReplayCheck::MayDouble`]): these are replayed when they are asked for by their id.
    pub async fn replay_dead(
        &self,
        which: &Which,
        dry_run: bool,
        told: impl FnMut(&DeadLetter, &Disposition),
    ) -> Result<Summary, DeadError> {
        self.deal(Operation::Replay, which, dry_run, told).await
    }

    /// Ends parked messages for good; otherwise as [`Desk::replay_dead`].
    pub async fn drop_dead(
        &self,
        which: &Which,
        dry_run: bool,
        told: impl FnMut(&DeadLetter, &Disposition),
    ) -> Result<Summary, DeadError> {
        self.deal(Operation::Drop, which, dry_run, told).await
    }

    pub(crate) async fn deal(
        &self,
        operation: Operation,
        which: &Which,
        dry_run: bool,
        told: impl FnMut(&DeadLetter, &Disposition),
    ) -> Result<Summary, DeadError> {
        match &*self.way {
            Way::Bus(bus) => bus.deal(operation, which, dry_run, told).await,
            Way::Door(door) => over_door::deal(door, operation, which, dry_run, told).await,
        }
    }
}

/// Minted ids are of the alphabet that ids have.
fn mint<T, E: std::fmt::Debug>(ids: &Ids, check: fn(&str) -> Result<T, E>) -> T {
    loop {
        if let Ok(id) = check(&ids.mint()) {
            return id;
        }
    }
}
