//! A worker that is dropped in the midst of a turn.

use std::sync::Arc;

use skstore_domain::faults::Fault;
use skstore_domain::signals::Service;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

use super::*;
use crate::bus::embedded::EmbeddedBus;
use crate::clock::{Clock, Ids};
use crate::config::{Config, Sources};
use crate::context::Settings;
use crate::faults::Faults;
use crate::probe::Probe;

/// Longer than anything here lasts.
const FOREVER: Duration = Duration::from_secs(3600);

/// A Deposit that takes that long for each turn, and waits as long before it tries again what failed.
fn slow(stop: watch::Receiver<bool>) -> Context {
    let config = Config::load(&Sources {
        flags: vec![("data_dir".to_owned(), "/nowhere".to_owned())],
        ..Sources::default()
    });
    let config = config.unwrap();
    let settings = Settings { retry_first: FOREVER, max_retry: FOREVER, ..Settings::new(&config).unwrap() };
    Context {
        service: Service::Deposit,
        instance: "deposit-1".into(),
        bus: Bus::Embedded(EmbeddedBus::new()),
        clock: Clock::System,
        ids: Ids::random(),
        settings: Arc::new(settings),
        probe: Probe::default(),
        status: Arc::default(),
        faults: Arc::new(Faults::new(Fault::Slow { ms: whole_ms(FOREVER) }, true)),
        rebuild: Arc::default(),
        stop,
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waited = async {
        while !is_so() {
            sleep(Duration::from_millis(1)).await;
        }
    };
    assert!(tokio::time::timeout(FOREVER / 2, waited).await.is_ok(), "waited in vain: {what}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_dropped_in_its_midst_is_over_and_nobody_takes_the_worker_for_one_that_hangs() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(&format!("sqlite:{}", data.path().join("deposit.db").display())).await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let context = slow(stopped);
    let (status, faults) = (Arc::clone(&context.status), Arc::clone(&context.faults));
    let is_at_it = || status.figures().turn_since.read().is_some();
    let test = async {
        until("it is in the midst of a turn", is_at_it).await;
        faults.crash();
        until("it waits to start again", || status.trouble() == (false, Some(CRASHED.to_owned()))).await;
        assert!(!is_at_it(), "its turn was dropped with it, and is still noted as under way");
    };
    tokio::select! {
        biased;
        () = test => {}
        () = run(context, Keeps::Store(store)) => panic!("nobody has told it to stop"),
    }
}
