//! Does one command at the desk.

use std::io::Write;
use std::time::Duration;

use skstore::dashboard::state::{SILENT_AFTER, with_breakers};
use skstore::terminal::outlet::{Outlet, Sheet};
use skstore::text::names::KNOWN_ITEMS;
use skstore_domain::answers::Answer;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::Item;
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::bus::blocked_words;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::signals::asked_to_stop;
use skstore_workers::desk::view::{OrderFilter, View, ViewError};
use skstore_workers::desk::{BusState, Desk, Shown};

use super::arguments::{Command, Mode, OrdersArguments, PlaceArguments};
use super::attendance::unattended;
use super::breaker::{BreakerCommand, record};
use super::dead;
use super::failure::Failure;
use super::fault;
use super::heard::wait_for;
use super::output::Output;
use super::place_from;
use super::stderr::tell;
use super::view;

/// Rows that are read from the view at once.
const PAGE: usize = 500;
/// Events that are read from the feed at once.
const EVENTS: usize = 1000;
/// Events that have already happened, with which a watch begins if it is not said: what a screen shows and has room for.
const USUAL_LAST: usize = 10;
/// How long whoever reads the events may take to take the last ones.
const LAST_WORDS_WITHIN: Duration = Duration::from_millis(500);

/// Does `command` and writes what it gives.
///
/// # Errors
/// [`Failure`]; what was done before it stays done.
pub(crate) async fn run<W: Write>(
    desk: &Desk,
    command: &Command,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    match command {
        Command::Place(arguments) => place(desk, arguments, out).await,
        Command::Cancel { order } => answered_order(desk, desk.cancel(order).await?, out).await,
        Command::Order { order, ask: true } => answered_order(desk, desk.order(order).await?, out).await,
        Command::Order { order, ask: false } => show_order(desk, order, out).await,
        Command::Orders(arguments) => list_orders(desk.view(), arguments, out).await,
        Command::Payment { order } => {
            let payment = part(desk.payment(order).await?, |answer| answer.payment.take())?;
            out.payment(&payment)
        }
        Command::Topup { customer, amount, topup_id } => {
            let topup_id = topup_id.clone().or_else(|| Some(desk.request_id()));
            let top_up = TopUp { customer: customer.clone(), amount: *amount, topup_id };
            let account = part(desk.top_up(&top_up).await?, |answer| answer.account.take())?;
            out.account(&account)
        }
        Command::Items => {
            let items = async |after: Option<ItemId>| desk.view().items(after.as_ref(), PAGE).await;
            out.items(&all(items, |item| item.item_id.clone()).await?)
        }
        Command::Restock { item, qty, restock_id } => {
            let restock_id = restock_id.clone().or_else(|| Some(desk.request_id()));
            let restock = Restock { item_id: item.clone(), qty: *qty, restock_id };
            let item = part(desk.restock(&restock).await?, |answer| answer.item.take())?;
            out.item(&item)
        }
        Command::Accounts => {
            let accounts = async |after: Option<Customer>| desk.view().accounts(after.as_ref(), PAGE).await;
            out.accounts(&all(accounts, |account| account.customer.clone()).await?)
        }
        Command::Status => status(desk, out).await,
        Command::Dead(command) => dead::run(desk, command, out).await,
        // Done where there may be no desk.
        Command::Audit(_) | Command::Backup(_) | Command::Store { .. } | Command::Reconcile(_) => Ok(()),
        // Written by way of an outlet, or told of by where the desk is.
        Command::Watch { .. } | Command::Load(_) => Ok(()),
        Command::Queues => dead::queues(desk, out).await,
        Command::Fault { command } => fault::run(desk, command, out).await,
        Command::View { command } => view::run(desk, *command, out).await,
        Command::Breaker { recording: Some(BreakerCommand::Record(arguments)), .. } => {
            record::run(desk.view(), arguments, out).await
        }
        // Done without a desk.
        Command::Breaker { recording: Some(BreakerCommand::Replay(_)), .. } => Ok(()),
        Command::Breaker { recording: None, mode, instance } => {
            breaker(desk, *mode, instance.as_ref(), out).await
        }
    }
}

async fn place<W: Write>(
    desk: &Desk,
    arguments: &PlaceArguments,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    if let Some(file) = &arguments.many.from {
        let items = named_items(desk.view(), out).await;
        return place_from::run(desk, file, &arguments.many, &items, out).await;
    }
    let Some(place) = arguments.command(|| desk.order_id()) else { return Ok(()) };
    let placed = match desk.place(&place).await {
        Ok(answer) => answered_order(desk, answer, out).await,
        Err(error) => Err(error.into()),
    };
    // Whoever wants to repeat or to undo it needs the id, which we may have made up.
    placed.map_err(|cause| match place.order_id {
        Some(order_id) => Failure::Place { order_id, cause: Box::new(cause) },
        None => cause,
    })
}

async fn answered_order<W: Write>(desk: &Desk, answer: Answer, out: &mut Output<W>) -> Result<(), Failure> {
    let order = part(answer, |answer| answer.order.take())?;
    out.order(&order, &named_items(desk.view(), out).await)
}

/// The items by whose names orders are shown. What was done is told also where they cannot be read: by the names that
/// orders carry.
async fn named_items<W: Write>(view: &View, out: &Output<W>) -> Vec<Item> {
    if !out.looks_up_names() {
        return Vec::new();
    }
    view.items(None, KNOWN_ITEMS).await.unwrap_or_default()
}

/// The part of an answer that says yes; else the refusal.
fn part<T>(mut answer: Answer, take: impl FnOnce(&mut Answer) -> Option<T>) -> Result<T, Failure> {
    if answer.ok
        && let Some(part) = take(&mut answer)
    {
        return Ok(part);
    }
    Err(Failure::Refused(Box::new(answer)))
}

async fn show_order<W: Write>(desk: &Desk, order: &OrderId, out: &mut Output<W>) -> Result<(), Failure> {
    match desk.shown(order).await? {
        Shown::Order(detail) => out.order_detail(&detail, &named_items(desk.view(), out).await),
        Shown::NotYet => Err(Failure::NotFound(format!(
            "the view does not show the order {order} yet, which Order has: see it with --ask, and `skstore status` for what \
             the view waits for"
        ))),
        Shown::Nowhere => Err(Failure::NotFound(format!("there is no order {order}"))),
        Shown::Unknown(error) => Err(Failure::NotFound(format!(
            "the view has no order {order}, and Order does not say whether it has: {error}"
        ))),
    }
}

async fn list_orders<W: Write>(
    view: &View,
    arguments: &OrdersArguments,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let filter = OrderFilter {
        status: arguments.status,
        customer: arguments.customer.clone(),
        item_id: arguments.item.clone(),
        ..OrderFilter::default()
    };
    let limit = usize::try_from(arguments.limit).unwrap_or(usize::MAX);
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = view.orders(&filter, after.as_ref(), PAGE.min(limit - rows.len())).await?;
        rows.extend(page.rows);
        after = page.next;
        if after.is_none() || rows.len() >= limit {
            return out.orders(&rows, &named_items(view, out).await);
        }
    }
}

/// All that comes in pages, each from after the last of the one before.
async fn all<T, K>(
    page: impl AsyncFn(Option<K>) -> Result<Vec<T>, ViewError>,
    key: impl Fn(&T) -> K,
) -> Result<Vec<T>, ViewError> {
    let mut all = Vec::new();
    loop {
        let page = page(all.last().map(&key)).await?;
        let has_ended = page.len() < PAGE;
        all.extend(page);
        if has_ended {
            return Ok(all);
        }
    }
}

/// Counts and services, and queues that are not read by those who should. Workers that do not say anything of themselves in time are left out.
async fn status<W: Write>(desk: &Desk, out: &mut Output<W>) -> Result<(), Failure> {
    let heard = |services: &[Beat]| {
        Service::ALL.iter().all(|service| services.iter().any(|beat| beat.service == *service))
    };
    let services = wait_for(desk, heard).await?;
    let now = Clock::System.now();
    let is_up = *desk.bus_state().borrow() == BusState::Up;
    // Heartbeats are the first that a broker without memory does not let through. Of one that is lost it was told.
    if is_up
        && services.iter().any(|beat| now.since(beat.at) > SILENT_AFTER)
        && let Some(reason) = desk.blocked().await
    {
        tell(&format!("skstore: {}", blocked_words(&reason)));
    }
    let counts = desk.view().counts().await?;
    let unattended = if is_up { unattended(desk).await } else { Vec::new() };
    out.status(&counts, &services, &unattended)
}

/// Writes events as they happen. Whoever reads them may take his time, and must not keep the process from ending: they
/// go out by way of `outlet`.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn watch(
    view: &View,
    for_: Option<Duration>,
    last: Option<usize>,
    outlet: &Outlet,
    out: &mut Output<Sheet>,
) -> Result<(), Failure> {
    let stop = async {
        match for_ {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let watched = tokio::select! {
        biased;
        stopped = asked_to_stop() => stopped.map_err(Failure::from),
        () = stop => Ok(()),
        failed = follow(view, last, outlet, out) => failed,
    };
    outlet.idle_within(LAST_WORDS_WITHIN);
    watched
}

/// Writes the newest `last` events and then every event as it comes; never ends by itself.
async fn follow(
    view: &View,
    last: Option<usize>,
    outlet: &Outlet,
    out: &mut Output<Sheet>,
) -> Result<(), Failure> {
    let mut changes = view.changes();
    let (events, mut after) = view.feed(0, last.unwrap_or(USUAL_LAST).min(EVENTS)).await?;
    // Whoever says how many knows that they come.
    if last.is_none() && !events.is_empty() {
        let happened = events.len();
        tell(&format!(
            "skstore: events that have already happened: {happened}, and then those that do; --last 0 leaves the former out"
        ));
    }
    events.iter().try_for_each(|event| out.event(event))?;
    loop {
        loop {
            outlet.idle().await?;
            let (events, newest) = view.feed(after, EVENTS).await?;
            events.iter().try_for_each(|event| out.event(event))?;
            after = newest;
            if events.is_empty() {
                break;
            }
        }
        changes.changed().await;
    }
}

async fn breaker<W: Write>(
    desk: &Desk,
    mode: Option<Mode>,
    instance: Option<&String>,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let wanted: Option<BreakerMode> = mode.map(Into::into);
    if let Some(mode) = wanted {
        desk.force_breaker(instance.cloned(), mode).await?;
    }
    let now = Clock::System.now();
    let meant_of = |services: &[Beat]| -> Vec<Beat> {
        match instance {
            Some(name) => services
                .iter()
                .filter(|beat| beat.breaker.is_some() && *name == beat.instance)
                .cloned()
                .collect(),
            None => with_breakers(services, now).cloned().collect(),
        }
    };
    let as_wanted =
        |beat: &Beat| wanted.is_none() || beat.breaker.as_ref().is_some_and(|breaker| breaker.mode == wanted);
    let obeyed = |services: &[Beat]| {
        let meant = meant_of(services);
        !meant.is_empty() && meant.iter().all(as_wanted)
    };
    let services = wait_for(desk, obeyed).await?;
    let meant = meant_of(&services);
    out.breakers(&meant)?;
    match (obeyed(&meant), instance) {
        (true, _) => Ok(()),
        (false, Some(name)) => {
            Err(Failure::NotFound(format!("no worker '{name}' with such a breaker has been heard")))
        }
        (false, None) if wanted.is_none() => {
            Err(Failure::Unreachable("no worker of Order is heard of, so its breaker is not known".into()))
        }
        (false, None) => {
            Err(Failure::Unreachable("not every worker of Order says that it has done so".into()))
        }
    }
}
