//! A desk's stores after orders of every fate, to be copied, spoilt and audited.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::events::Event;
use skstore_domain::faults::Fault;
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{self, ViewWrite};
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use skstore_workers::audit::{self, AuditError, Finding, Report, Sources, Traffic};
use skstore_workers::clock::Clock;
use skstore_workers::config::{Config, Sources as Settings, StoreUrl};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;
use skstore_workers::store::Store;
use skstore_workers::view::View;
use skstore_workers::view::embedded::EmbeddedView;
use tempfile::TempDir;

/// The stores' files.
pub(crate) const FILES: [&str; 3] = ["order.db", "deposit.db", "item.db"];
/// Far beyond anything that happens in a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// More orders than any of these tests has.
pub(crate) const EVERYTHING: usize = 1_000_000;

/// The stores after all of it, with nothing on its way.
static CLEAN: LazyLock<TempDir> = LazyLock::new(|| {
    // A thread of its own: whoever needs it first may be on a runtime already.
    std::thread::spawn(clean).join().expect("a clean desk")
});

fn clean() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        fill(&desk).await;
        tokio::time::timeout(PATIENCE, process.settle()).await.expect("everything settles");
        process.stop().expect("a clean stop");
    });
    FILES.iter().for_each(|file| write_back(&dir.path().join(file)));
    dir
}

/// Moves what is still in SQLite's log into the store's file, so that a copy of the file is a copy of the store. Where two
/// leave a store at once, neither may find itself to be the last, and then nobody has done it.
fn write_back(store: &Path) {
    let connection = rusqlite::Connection::open(store).expect("a store");
    let is_busy: bool = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .expect("its log is written back");
    assert!(!is_busy, "somebody still writes to {}", store.display());
}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

pub(crate) fn start(dir: &Path) -> Process {
    let flags = vec![("data_dir".to_owned(), dir.display().to_string())];
    let config = Config::load(&Settings { flags, ..Settings::default() }).expect("a configuration");
    Process::start(&config).expect("the workers start")
}

pub(crate) async fn desk(process: &Process) -> Desk {
    let desk = process.desk().await.expect("a desk");
    tokio::time::timeout(PATIENCE, process.ready()).await.expect("the workers are ready");
    tokio::time::timeout(PATIENCE, process.settle()).await.expect("everything settles");
    desk
}

pub(crate) fn order_id(id: &str) -> OrderId {
    OrderId::new(id).expect("an id")
}

pub(crate) fn place(id: &str, item: &str, qty: u32, customer: &str) -> Place {
    Place {
        item_id: ItemId::new(item).expect("an id"),
        qty,
        customer: Some(Customer::new(customer).expect("a name")),
        order_id: Some(order_id(id)),
        unit_price: None,
    }
}

/// One order of every fate, and money and units that were added.
async fn fill(desk: &Desk) {
    let request = |id: &str| Some(RequestId::new(id).expect("an id"));
    let kim = Customer::new("kim").expect("a name");
    let top_up = TopUp { customer: kim, amount: Won(5_000_000), topup_id: request("t-1") };
    assert!(desk.top_up(&top_up).await.expect("an answer").ok);
    let item_id = ItemId::new("10").expect("an id");
    let restock = Restock { item_id, qty: 7, restock_id: request("r-1") };
    assert!(desk.restock(&restock).await.expect("an answer").ok);

    for id in ["live", "gone"] {
        assert!(desk.place(&place(id, "10", 2, "kim")).await.expect("an answer").ok);
    }
    until(desk, "gone", OrderStatus::Delivering).await;
    for id in ["gone", "early", "buried"] {
        desk.cancel(&order_id(id)).await.expect("an answer");
    }
    let refused = [
        place("early", "10", 1, "kim"),
        place("poor", "41", 1, "heungbu"),
        place("soldout", "41", 13, "walk-in"),
    ];
    for place in &refused {
        desk.place(place).await.expect("an answer");
    }
    desk.inject(Service::Deposit, Fault::SILENT).await.expect("told");
    assert!(!desk.place(&place("unheard", "10", 1, "kim")).await.expect("an answer").ok);
    desk.inject(Service::Deposit, Fault::None).await.expect("told");
    let dispositions = [
        ("live", OrderStatus::Delivering),
        ("gone", OrderStatus::Cancelled),
        ("early", OrderStatus::Cancelled),
        ("poor", OrderStatus::Rejected),
        ("soldout", OrderStatus::Cancelled),
        ("unheard", OrderStatus::Rejected),
    ];
    for (id, status) in dispositions {
        until(desk, id, status).await;
    }
}

pub(crate) async fn until(desk: &Desk, id: &str, status: OrderStatus) {
    let is_so = async || {
        let shown = desk.view().order(&order_id(id)).await.expect("the view");
        shown.is_some_and(|detail| detail.row.order.status == status)
    };
    let met = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, met).await.is_ok(), "{id} does not become {status}");
}

/// A copy of the clean stores.
pub(crate) struct Copy(pub(crate) TempDir);

impl Copy {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        for file in FILES {
            std::fs::copy(CLEAN.path().join(file), dir.path().join(file)).expect("a copy");
        }
        Self(dir)
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    /// Does what nobody should to the store in `file`.
    pub(crate) fn spoil(&self, file: &str, sql: &str) {
        let connection = rusqlite::Connection::open(self.path(file)).expect("a store");
        connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
        assert!(connection.total_changes() > 0, "nothing was spoilt: {sql}");
    }

    /// The view as a rebuild makes it of the logs, without the writes that `keeps` does not want.
    pub(crate) async fn view(&self, keeps: impl Fn(&ViewWrite) -> bool) -> View {
        let view = View::Embedded(EmbeddedView::new(EVERYTHING));
        let rebuild = view.begin_rebuild().await.expect("a view");
        for file in FILES {
            let url = format!("sqlite:{}", self.path(file).display());
            let store = Store::open(&url).await.expect("a store");
            for body in store.log(0..=i64::MAX, EVERYTHING, usize::MAX).await.expect("a log").bodies {
                let event = Event::from_json(&body).expect("an event");
                let writes = myinfo::writes(&event);
                let kept: Vec<_> = writes.into_iter().filter(&keeps).collect();
                view.apply(&kept).await.expect("a view");
            }
        }
        assert_eq!(view.finish_rebuild(rebuild).await.expect("a view"), skstore_workers::view::Swept::Whole);
        view
    }
}

/// What to audit in `dir`, at once and long after it happened.
pub(crate) fn sources(dir: &Path, view: Option<View>) -> Sources {
    let url = |file: &str| StoreUrl::Sqlite(dir.join(file));
    let now = Clock::System.now();
    Sources {
        order: url(FILES[0]),
        deposit: url(FILES[1]),
        item: url(FILES[2]),
        view,
        keep_orders: EVERYTHING,
        wait: Duration::ZERO,
        now: Timestamp(now.0 + 3_600_000),
    }
}

pub(crate) async fn audit(sources: &Sources, traffic: Traffic) -> Result<(Report, Vec<Finding>), AuditError> {
    let mut findings = Vec::new();
    let told = |finding: &Finding| findings.push(finding.clone());
    let report = audit::run(sources, async || traffic.clone(), told).await?;
    assert_eq!(report.violations + report.forgotten, findings.len() as u64, "counted and told");
    Ok((report, findings))
}
