//! What `skstore audit` says of a desk, asked as the command asks it: over the stores, the view and the broker.

use skstore_workers::audit::{self, Finding, Report, Traffic, WAIT};
use skstore_workers::bus::Bus;
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::clock::{Clock, Ids};
use skstore_workers::desk::Desk;
use skstore_workers::view::View;
use tokio::time::Instant;

use super::books::RECOVERS_WITHIN;
use super::workers::Workers;

/// Panics unless every promise holds, and nothing is left open or out of sight. What was looked at.
pub(crate) async fn holds(workers: &Workers) -> Report {
    let (report, findings) = audited(workers).await;
    assert!(findings.is_empty() && report.violations == 0, "{report:?}: {findings:#?}");
    assert!(report.undecided.is_empty() && report.notes.is_empty(), "{report:?}");
    report
}

/// The same after messages were lost, the last one `since` then: whoever has not heard of something is told soon enough
/// after that.
pub(crate) async fn holds_after_losses(workers: &Workers, since: Instant) -> Report {
    let mut differed = String::new();
    loop {
        let began = since.elapsed();
        assert!(began <= RECOVERS_WITHIN, "{began:?} after the last loss the audit still found {differed}");
        let (report, findings) = audited(workers).await;
        if findings.is_empty() && report.undecided.is_empty() {
            assert!(report.violations == 0 && report.notes.is_empty(), "{report:?}");
            return report;
        }
        differed = format!("{report:?}: {findings:#?}");
    }
}

async fn audited(workers: &Workers) -> (Report, Vec<Finding>) {
    let config = workers.config();
    let view = View::open(&config.view.url, config.view.keep_orders).expect("a view");
    let bus = Bus::Amqp(AmqpBus::connect(&workers.at.bus).await.expect("a bus"));
    let desk = Desk::open(&bus, view.clone(), Ids::random()).await.expect("a desk");
    let sources = audit::Sources::of(&config, Some(view), WAIT, Clock::System.now());
    let mut findings = Vec::new();
    let told = |finding: &Finding| findings.push(finding.clone());
    let report = audit::run(&sources, async || Traffic::seen_from(&desk).await, told).await;
    (report.expect("every part can be read"), findings)
}
