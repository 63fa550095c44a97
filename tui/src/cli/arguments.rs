//! What may stand on the command line. The words are public: people script against them.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{MAX_STOCK, Place};
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::money::Won;
use skstore_domain::objects::{MAX_QTY, OrderStatus};

use super::audit::AuditArguments;
use super::backup::BackupArguments;
use super::breaker::BreakerCommand;
use super::dead::DeadCommand;
use super::durations::up_to_a_day;
use super::fault::FaultCommand;
use super::load::LoadArguments;
use super::place_from::FromArguments;
use super::reconcile::ReconcileArguments;
use super::store::StoreCommand;
use super::view::ViewCommand;

/// Most orders that one command lists: as many as the view keeps by default.
const MAX_LISTED: u64 = 1_000_000;

/// An order desk in a terminal. Without a command it opens the dashboard.
#[derive(Debug, Parser)]
#[command(
    name = "skstore",
    version,
    after_help = "Exit status: 0 done, 1 refused or violated, 2 wrong usage or settings, 3 a part cannot be reached.",
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Asked>,
}

/// A command, by what it needs.
#[derive(Debug, Subcommand)]
pub(crate) enum Asked {
    /// The desk, with its workers.
    #[command(flatten)]
    AtDesk(Command),
    /// Nothing but this program.
    #[command(flatten)]
    Alone(Alone),
}

/// Commands that start no workers, and work while nothing else does.
#[derive(Debug, Subcommand)]
pub(crate) enum Alone {
    /// Check terminal, settings, data, broker, view and workers, and say what to do about what is wrong
    Doctor,
    /// Print completions for a shell: skstore completions bash > ~/.local/share/bash-completion/completions/skstore
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of one command: skstore man | man -l -
    Man {
        /// Which command
        command: Option<String>,
    },
}

/// What every command takes.
#[derive(Debug, Default, Args)]
pub(crate) struct Global {
    /// Settings on top of the built-in ones [default: ~/.config/skstore/skstore.toml, if it is there]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Where this process keeps its data [default: ~/.local/share/skstore]
    #[arg(long, global = true, value_name = "PATH", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) data_dir: Option<String>,
    /// Print JSON: one object, or one a line for lists; failures as {"error":{…}}
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Change a setting: payment.timeout_ms=500. May be given several times
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub(crate) set: Vec<(String, String)>,
    /// Language of the output: auto, ko or en
    #[arg(long, global = true, value_name = "LANGUAGE")]
    pub(crate) language: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Order an item and pay for it, or place the orders of a file
    Place(PlaceArguments),
    /// Take an order back; what was paid is refunded
    Cancel {
        /// The order's id
        #[arg(value_name = "ORDER", value_parser = OrderId::new)]
        order: OrderId,
    },
    /// Show an order with its timeline
    Order {
        /// The order's id
        #[arg(value_name = "ORDER", value_parser = OrderId::new)]
        order: OrderId,
        /// Ask Order itself instead of the view
        #[arg(long)]
        ask: bool,
    },
    /// List orders, newest first
    Orders(OrdersArguments),
    /// Ask Deposit for the payment of an order
    Payment {
        /// The order's id
        #[arg(value_name = "ORDER", value_parser = OrderId::new)]
        order: OrderId,
    },
    /// Put money into an account, opening it if need be
    Topup {
        /// Whose account
        #[arg(value_parser = Customer::new)]
        customer: Customer,
        /// How much, in won: 100000 or 100,000
        #[arg(value_parser = amount)]
        amount: Won,
        /// Its idempotency key: the same one again changes nothing
        #[arg(long, value_name = "ID", value_parser = RequestId::new)]
        topup_id: Option<RequestId>,
    },
    /// List the items with prices and stock
    Items,
    /// Add to an item's stock
    Restock {
        /// Which item
        #[arg(value_parser = ItemId::new)]
        item: ItemId,
        /// How many units
        #[arg(value_parser = clap::value_parser!(u64).range(1..=MAX_STOCK))]
        qty: u64,
        /// Its idempotency key: the same one again changes nothing
        #[arg(long, value_name = "ID", value_parser = RequestId::new)]
        restock_id: Option<RequestId>,
    },
    /// List the accounts with their balances
    Accounts,
    /// Show the services, the counts and the breaker
    Status,
    /// Print events as they happen, until Ctrl-C
    Watch {
        /// Stop after this time: 60s, 5m; a number alone is seconds
        #[arg(long = "for", value_name = "TIME", value_parser = up_to_a_day)]
        for_: Option<Duration>,
        /// Begin with this many events that have already happened [default: 10]
        #[arg(long, value_name = "COUNT")]
        last: Option<usize>,
    },
    /// Place many orders at once, and tell how they were answered and what became of each
    ///
    /// It ends by itself, or in good order with Ctrl-C: it waits for what is in flight, and until every order has ended.
    /// Refusals are answers, and no failure. Its own customers get money as needed; the stock of what is sold stays as it is,
    /// and the run ends when it has ordered what there is, unless --items names what to order whatever there is, or --fund
    /// restocks it.
    Load(Box<LoadArguments>),
    /// Check the books of all services and the view, by rules of its own
    Audit(AuditArguments),
    /// Copy the store of each service, while they are in use
    ///
    /// To restore one: stop its workers, put the copy in the place of the store, without the files beside it whose names end
    /// in -wal and -shm, and start them again. The view follows by itself; skstore reconcile settles what no longer fits.
    Backup(BackupArguments),
    /// Take a store to another place: from a file to a PostgreSQL, or back
    Store {
        #[command(subcommand)]
        command: StoreCommand,
    },
    /// List what services see differently since a store was put back to an older copy, and settle it
    Reconcile(ReconcileArguments),
    /// Look at parked messages, replay them or drop them
    #[command(subcommand)]
    Dead(DeadCommand),
    /// Show how full the queues are
    Queues,
    /// Show what the view holds, or build it anew
    View {
        #[command(subcommand)]
        command: Option<ViewCommand>,
    },
    /// Have workers misbehave on purpose, for a time, where the setting faults.allowed lets them; list who does; heal them
    Fault {
        #[command(subcommand)]
        command: FaultCommand,
    },
    /// Show the payment breaker, hold it open or closed as long as its worker runs, record it, or replay a recording
    #[command(args_conflicts_with_subcommands = true)]
    Breaker {
        #[command(subcommand)]
        recording: Option<BreakerCommand>,
        /// auto: it decides by itself; open: no calls; closed: all calls
        mode: Option<Mode>,
        /// Only the breaker of this instance of Order
        #[arg(long)]
        instance: Option<String>,
    },
}

/// What a command goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// It asks somebody, over the message bus.
    Bus,
    /// It shows what is in the view, which should include what earlier commands left unfinished.
    View,
    /// It shows what comes, or what is where: works without the bus, and waits for nothing.
    Nothing,
}

/// Of what is over with the workers.
const LASTS_WITH_WORKERS: &str =
    "this lasts as long as the workers run, and nobody has them now but this command, which ends";
/// Of what tells of what workers do.
const NOTHING_TO_RECORD: &str =
    "there is nothing to record: nobody has the workers now but this command, whose breaker has no calls";

impl Command {
    /// What it goes by.
    pub(crate) const fn needs(&self) -> Needs {
        match self {
            Self::Order { ask: false, .. }
            | Self::Orders(_)
            | Self::Items
            | Self::Accounts
            | Self::Status => Needs::View,
            Self::Watch { .. }
            | Self::Audit(_)
            | Self::Backup(_)
            | Self::Store { .. }
            | Self::Reconcile(_)
            | Self::View { command: None }
            | Self::Fault { command: FaultCommand::List }
            | Self::Breaker { mode: None, .. }
            | Self::Breaker { recording: Some(_), .. } => Needs::Nothing,
            Self::Order { ask: true, .. }
            | Self::Place(_)
            | Self::Cancel { .. }
            | Self::Payment { .. }
            | Self::Topup { .. }
            | Self::Restock { .. }
            | Self::Load(_)
            | Self::Dead(_)
            | Self::Queues
            | Self::View { command: Some(_) }
            | Self::Fault { .. }
            | Self::Breaker { mode: Some(_), recording: None, .. } => Needs::Bus,
        }
    }

    /// Why it makes no sense where nobody has the workers but the command itself, if it does not.
    pub(crate) const fn needs_others(&self) -> Option<&'static str> {
        match self {
            Self::Fault { command } if command.lasts_with_workers() => Some(LASTS_WITH_WORKERS),
            Self::Breaker { mode: Some(Mode::Open | Mode::Closed), .. } => Some(LASTS_WITH_WORKERS),
            Self::Breaker { recording: Some(BreakerCommand::Record(_)), .. } => Some(NOTHING_TO_RECORD),
            _ => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct PlaceArguments {
    /// Which item
    #[arg(value_parser = ItemId::new, required_unless_present = "from")]
    item: Option<ItemId>,
    /// How many units, 1 to 1000
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_QTY)))]
    qty: u32,
    /// Whose account pays [default: the walk-in account]
    #[arg(long, value_parser = Customer::new)]
    customer: Option<Customer>,
    /// Its id and idempotency key: the same one again changes nothing [default: a new one]
    #[arg(long, value_name = "ID", value_parser = OrderId::new)]
    order_id: Option<OrderId>,
    /// The price you saw, in won: another one is refused
    #[arg(long, value_name = "WON", value_parser = price)]
    unit_price: Option<Won>,
    #[command(flatten)]
    pub(crate) many: FromArguments,
}

impl PlaceArguments {
    /// The command, with `fresh` as the id of an order that has none; none where the orders are in a file.
    pub(crate) fn command(&self, fresh: impl FnOnce() -> OrderId) -> Option<Place> {
        let item_id = self.item.clone()?;
        Some(Place {
            item_id,
            qty: self.qty,
            customer: self.customer.clone(),
            order_id: Some(self.order_id.clone().unwrap_or_else(fresh)),
            unit_price: self.unit_price,
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct OrdersArguments {
    /// Only those that stand here: paying, placed, delivering, cancelled or rejected
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<OrderStatus>,
    /// Only those of this customer
    #[arg(long, value_parser = Customer::to_look_up)]
    pub(crate) customer: Option<Customer>,
    /// Only those of this item
    #[arg(long, value_parser = ItemId::to_look_up)]
    pub(crate) item: Option<ItemId>,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=MAX_LISTED))]
    pub(crate) limit: u64,
}

/// What the breaker shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// It decides by itself.
    Auto,
    /// It lets nothing through.
    Open,
    /// It lets everything through.
    Closed,
}

impl From<Mode> for BreakerMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Auto => Self::Auto,
            Mode::Open => Self::Open,
            Mode::Closed => Self::Closed,
        }
    }
}

impl Global {
    /// The settings that the flags change, the last one winning.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let mut settings = self.set.clone();
        let flags = [("data_dir", &self.data_dir), ("ui.language", &self.language)];
        settings.extend(flags.into_iter().filter_map(|(key, value)| Some((key.into(), value.clone()?))));
        settings
    }
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("it must be KEY=VALUE, like payment.timeout_ms=500")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

fn amount(text: &str) -> Result<Won, String> {
    won(text, 1)
}

fn price(text: &str) -> Result<Won, String> {
    won(text, 0)
}

/// Whole won; commas between the digits are as people write them.
fn won(text: &str, min: i64) -> Result<Won, String> {
    let digits: String = text.chars().filter(|c| *c != ',').collect();
    // 1,5 is no 15: whoever writes it means something else.
    let groups: Vec<&str> = text.trim_start_matches('-').split(',').collect();
    let is_grouped = groups.len() == 1
        || (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|group| group.len() == 3);
    let read =
        digits.parse().ok().filter(|_| is_grouped).filter(|won| (min..=Won::MAX_INPUT.0).contains(won));
    read.map(Won).ok_or_else(|| format!("it must be a whole number from {min} to {}", Won::MAX_INPUT))
}

fn status(text: &str) -> Result<OrderStatus, String> {
    OrderStatus::from_word(text).ok_or_else(|| {
        let words: Vec<_> = OrderStatus::ALL.iter().map(|status| status.word()).collect();
        format!("it must be one of {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(
            std::iter::once("skstore").chain(line.split(' ').filter(|word| !word.is_empty())),
        )
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_documented_lines_are_understood() {
        let lines = [
            "",
            "place 10",
            "place 10 5 --customer kim --order-id a-1 --unit-price 1,000",
            "place --from orders.csv",
            "place --from - --batch monday --at-once 8 --from-line 20 --stop-on-error",
            "cancel a-1",
            "order a-1",
            "order a-1 --ask",
            "orders",
            "orders --status delivering --customer kim --item 10 --limit 5",
            "payment a-1",
            "topup kim 100000",
            "topup kim 100,000 --topup-id t-1",
            "items",
            "restock 10 100 --restock-id r-1",
            "accounts",
            "load",
            "load -c 255 -t 60S --json",
            "load --orders 500 --rate 0.5 --items 10:3,20 --customers 7 --qty 1-3 --cancels 10 --repeats 5 --seed 1 --run r1",
            "load --to http://127.0.0.1:8080 --token-file token --customer kim --customer lee --fund",
            "status",
            "watch",
            "watch --for 5 --last 0",
            "breaker",
            "breaker auto",
            "breaker open --instance order-1",
            "breaker closed",
            "breaker record outage.jsonl",
            "breaker record outage.jsonl --for 60s --instance order-1",
            "breaker replay outage.jsonl --set breaker.failed_percent=30 --set breaker.open_ms=2000 --json",
            "audit",
            "audit --wait 0",
            "store copy order postgres://desk:secret@localhost/desk?schema=order",
            "store copy postgres://desk:secret@localhost/desk?schema=order sqlite:order.db --json",
            "reconcile",
            "reconcile --settle --wait 5",
            "dead list",
            "dead list --limit 5",
            "dead show p-1",
            "dead replay p-1",
            "dead replay --all --dry-run",
            "dead drop p-1 --dry-run",
            "dead drop --all",
            "queues",
            "view",
            "view rebuild",
            "doctor",
            "doctor --json",
            "completions zsh",
            "man",
            "man place",
            "--json orders",
            "orders --json --config a.toml --data-dir d --set bus.url=embedded: --set log.level=debug --language ko",
        ];
        for line in lines {
            assert!(parse(line).is_ok(), "skstore {line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn what_is_wrong_is_refused_with_what_it_must_be() {
        let table = [
            ("sell 10", "unrecognized subcommand 'sell'"),
            ("place", "<ITEM>"),
            ("place 10 --from x.csv", "cannot be used with"),
            ("place --from x.csv --at-once 0", "0 is not in 1..=1024"),
            ("place --from - --batch a.b", "may only contain A-Z"),
            ("load -c 0", "0 is not in 1..=4096"),
            ("load --run a-b", "it must be 1 to 24 of A-Z"),
            ("load --items 10:0", "above 0"),
            ("load --rate 0", "a number from 0.001"),
            ("load --customer kim --customers 3", "cannot be used with"),
            ("load --token-file t", "--to <URL>"),
            ("place 10 0", "0 is not in 1..=1000"),
            ("place 10 1001", "1001 is not in 1..=1000"),
            ("place 10 x", "invalid digit found in string"),
            ("place 10 --order-id a.b", "may only contain A-Z"),
            ("place 10 --unit-price -5", "unexpected argument '-5'"),
            ("place 10 --customer \u{1b}", "must not contain U+001B, a control character"),
            ("topup kim\u{3164} 5", "must not contain U+3164, which cannot be seen"),
            ("cancel", "<ORDER>"),
            ("topup kim 0", "it must be a whole number from 1 to 1,000,000,000,000"),
            ("topup kim 1,5", "it must be a whole number from 1 to 1,000,000,000,000"),
            ("topup kim 1,0,0", "it must be a whole number from 1 to 1,000,000,000,000"),
            ("items --data-dir=", "a value is required for '--data-dir"),
            ("topup kim 1.5", "it must be a whole number from 1 to 1,000,000,000,000"),
            ("restock 10 0", "0 is not in 1..="),
            ("orders --status lost", "it must be one of paying, placed, delivering, cancelled, rejected"),
            ("orders --limit 0", "0 is not in 1..=1000000"),
            ("watch --for 0", "it must be more than 0 and at most a day"),
            ("breaker half", "[possible values: auto, open, closed]"),
            ("breaker open record x", "cannot be used with"),
            ("breaker record", "<FILE>"),
            ("breaker record x --for 0s", "it must be more than 0 and at most a day"),
            ("completions", "<SHELL>"),
            ("completions dos", "[possible values: bash,"),
            ("items --set x", "it must be KEY=VALUE"),
            ("dead", "List the oldest parked messages"),
            ("dead drop", "<ID|--all>"),
            ("store copy order", "<TO>"),
            ("dead replay p-1 --all", "cannot be used with"),
        ];
        for (line, expected) in table {
            let error = parse(line).map(|_| ()).expect_err(line);
            assert_eq!(error.exit_code(), 2, "skstore {line}");
            assert!(
                error.to_string().contains(expected),
                "skstore {line}: {error}\n  instead of: {expected}"
            );
        }
    }

    #[test]
    fn flags_become_settings_and_the_plain_flags_win() {
        let arguments = parse("items --set data_dir=a --set bus.url=x=y --data-dir b --language ko").unwrap();
        let expected = [("data_dir", "a"), ("bus.url", "x=y"), ("data_dir", "b"), ("ui.language", "ko")];
        let expected: Vec<_> = expected.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        assert_eq!(arguments.global.settings(), expected);
    }

    #[test]
    fn an_order_always_has_an_id_so_that_it_can_be_repeated() {
        let fresh = || OrderId::new("fresh").unwrap();
        let id_of = |line| match parse(line).unwrap().command {
            Some(Asked::AtDesk(Command::Place(place))) => {
                place.command(fresh).unwrap().order_id.unwrap().to_string()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(id_of("place 10"), "fresh");
        assert_eq!(id_of("place 10 --order-id mine"), "mine");
    }
}
