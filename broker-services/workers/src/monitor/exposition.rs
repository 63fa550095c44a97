//! The figures as OpenMetrics has them. Names follow its conventions: a prefix, base units, `_total` behind what only grows;
//! labels are from fixed sets, so that there are never more series than workers, states and queues.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use skstore_domain::breaker::{BreakerSnapshot, BreakerState};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;

use super::machine;
use super::watched::{Watch, Watched};
use crate::clock::Clock;
use crate::figures::Histogram;

/// What this text is.
pub(super) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A value's labels.
type Labels = Vec<(&'static str, String)>;

/// A metric, and how it is read off what it is of.
struct Metric<R> {
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    read: R,
}

const fn plain<R: Copy>(name: &'static str, help: &'static str, read: R) -> Metric<R> {
    Metric { name, help, unit: None, read }
}

const fn seconds<R: Copy>(name: &'static str, help: &'static str, read: R) -> Metric<R> {
    Metric { name, help, unit: Some(Unit::Seconds), read }
}

type Counted = fn(&Watch) -> u64;
type Gauged = fn(&Watch, Timestamp) -> Option<f64>;
type OfBreaker = fn(&BreakerSnapshot) -> u32;

/// What only grows, of each worker.
const COUNTERS: &[Metric<Counted>] = &[
    plain("skstore_messages_handled", "Messages handled", |watch| watch.status.handled()),
    plain("skstore_messages_redelivered", "Messages that had been delivered before", |watch| {
        watch.status.figures().redelivered.read()
    }),
    plain("skstore_messages_parked", "Messages or parts of them that nobody could use", |watch| {
        watch.status.figures().parked.read()
    }),
    plain("skstore_events_told_again", "Events published again since somebody had not answered", |watch| {
        watch.status.figures().told_again.read()
    }),
];

/// What goes up and down, of each worker that has it.
const GAUGES: &[Metric<Gauged>] = &[
    plain("skstore_worker_ready", "Whether the worker takes work, as far as it knows itself", |watch, _| {
        Some(flag(watch.status.is_serving()))
    }),
    plain("skstore_messages_in_flight", "Messages in hand between turns", |watch, _| {
        Some(count(watch.status.in_flight()))
    }),
    plain("skstore_outbox_events", "Events committed and not confirmed yet", |watch, _| {
        keeps_a_log(watch).then(|| count(watch.status.unsent()))
    }),
    seconds("skstore_outbox_age", "How long the oldest of them has been waiting", |watch, now| {
        let since = watch.status.figures().oldest_unsent.read();
        keeps_a_log(watch).then(|| since.map_or(0.0, |since| now.since(since).as_secs_f64()))
    }),
    plain("skstore_orders_waiting", "Orders that wait for somebody for long", |watch, _| {
        let waiting = watch.status.waits().iter().map(|wait| wait.count).sum();
        (watch.service == Service::Order).then(|| count(waiting))
    }),
    seconds("skstore_view_lag", "How old the newest event was when it was shown last", |watch, _| {
        watch.status.figures().view_lag.read().map(|lag| lag.as_secs_f64())
    }),
    plain("skstore_view_rebuilding", "Whether the view is being built anew", |watch, _| {
        (!keeps_a_log(watch)).then(|| flag(watch.status.rebuilding().is_some()))
    }),
    plain("skstore_fault_injected", "Whether the worker misbehaves on purpose", |watch, _| {
        Some(flag(watch.has_fault()))
    }),
];

/// What the breaker tells of itself.
const BREAKER: &[Metric<OfBreaker>] = &[
    plain("skstore_breaker_in_flight", "Charges in flight", |told| told.in_flight),
    plain("skstore_breaker_max_in_flight", "The most charges in flight", |told| told.max_in_flight),
    plain("skstore_breaker_window_ok", "Charges of its window answered in time", |told| told.window.ok),
    plain("skstore_breaker_window_slow", "Those among them that were slow", |told| told.window.slow),
    plain("skstore_breaker_window_failed", "Charges of its window without a usable answer", |told| {
        told.window.failed
    }),
    plain("skstore_breaker_window_refused", "Charges of its window that it did not let through", |told| {
        told.window.refused
    }),
];

/// Everything, as it is now.
///
/// # Errors
/// What the encoder says.
pub(super) fn text(watched: &Watched) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Figures(watched.clone())));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Figures(Watched);

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self(watched) = self;
        let (workers, now) = (watched.workers(), Clock::System.now());
        of_workers(&mut encoder, &workers, now)?;
        of_breakers(&mut encoder, &workers)?;
        of_queues(&mut encoder, watched)?;
        of_gateway(&mut encoder, watched)?;
        of_process(&mut encoder, watched.began_at())
    }
}

fn of_workers(encoder: &mut DescriptorEncoder<'_>, workers: &[Watch], now: Timestamp) -> fmt::Result {
    for Metric { name, help, read, .. } in COUNTERS {
        counters(encoder, name, help, workers.iter().map(|watch| (labels(watch), read(watch))))?;
    }
    for Metric { name, help, unit, read } in GAUGES {
        let rows = workers.iter().filter_map(|watch| Some((labels(watch), read(watch, now)?)));
        gauges(encoder, (name, help, unit.as_ref()), rows)?;
    }
    let batches = workers.iter().map(|watch| (labels(watch), &watch.status.figures().batches));
    histograms(encoder, ("skstore_batch_messages", "Messages that a turn takes", None), 1.0, batches)?;
    let answers = workers.iter().filter(|watch| keeps_a_log(watch)).flat_map(|watch| {
        let figures = watch.status.figures();
        [("accepted", &figures.accepted_us), ("refused", &figures.refused_us)].map(|(outcome, times)| {
            let mut labels = labels(watch);
            labels.push(("outcome", outcome.to_owned()));
            (labels, times)
        })
    });
    let about = ("skstore_answer", "How long callers wait for an answer", Some(&Unit::Seconds));
    histograms(encoder, about, 1e-6, answers)
}

fn of_breakers(encoder: &mut DescriptorEncoder<'_>, workers: &[Watch]) -> fmt::Result {
    let order = workers.iter().find(|watch| watch.service == Service::Order);
    let Some(breaker) = order.map(|watch| watch.status.figures().breaker()) else { return Ok(()) };
    let of_state = |state: &BreakerState| vec![("state", state.word().to_owned())];
    let changes =
        BreakerState::ALL.iter().zip(breaker.changes).map(|(state, times)| (of_state(state), times));
    counters(encoder, "skstore_breaker_changes", "How often it has gone to a state", changes)?;
    let Some(told) = breaker.told else { return Ok(()) };
    let states = BreakerState::ALL.iter().map(|state| (of_state(state), flag(told.state == Some(*state))));
    gauges(encoder, ("skstore_breaker_state", "1 for the state that it is in", None), states)?;
    for Metric { name, help, read, .. } in BREAKER {
        gauges(encoder, (name, help, None), [(Vec::new(), f64::from(read(&told)))].into_iter())?;
    }
    Ok(())
}

fn of_queues(encoder: &mut DescriptorEncoder<'_>, watched: &Watched) -> fmt::Result {
    let queues = watched.queues();
    let of = |read: fn(&crate::bus::QueueDepth) -> Option<usize>| {
        queues.iter().filter_map(move |queue| {
            Some((vec![("queue", queue.name.to_string())], count(read(queue)? as u64)))
        })
    };
    gauges(
        encoder,
        ("skstore_queue_messages", "Messages that wait in a queue", None),
        of(|queue| Some(queue.ready)),
    )?;
    let unacked = of(|queue| queue.unacked);
    gauges(encoder, ("skstore_queue_unacked", "Messages of it in consumers' hands", None), unacked)?;
    gauges(
        encoder,
        ("skstore_queue_consumers", "How many take from it", None),
        of(|queue| Some(queue.consumers)),
    )
}

fn of_gateway(encoder: &mut DescriptorEncoder<'_>, watched: &Watched) -> fmt::Result {
    let Some(requests) = watched.requests() else { return Ok(()) };
    let rows =
        requests.by_hundreds().map(|(hundreds, times)| (vec![("status", format!("{hundreds}xx"))], times));
    let about =
        ("skstore_http_request", "How long requests take until they are answered", Some(&Unit::Seconds));
    histograms(encoder, about, 1e-6, rows)
}

fn of_process(encoder: &mut DescriptorEncoder<'_>, began_at: Timestamp) -> fmt::Result {
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    gauges(encoder, ("skstore_build_info", "Which version this is", None), [(version, 1.0)].into_iter())?;
    let one = |value: f64| [(Vec::new(), value)].into_iter();
    let began = std::time::Duration::from_millis(u64::try_from(began_at.0).unwrap_or_default()).as_secs_f64();
    gauges(encoder, ("process_start_time", "When it began", Some(&Unit::Seconds)), one(began))?;
    let Some(used) = machine::used() else { return Ok(()) };
    let about = ("process_resident_memory", "Memory that it has", Some(&Unit::Bytes));
    gauges(encoder, about, one(count(used.resident_bytes)))?;
    gauges(encoder, ("process_open_fds", "Files that it has open", None), one(count(used.open_files)))?;
    let mut metric = encoder.encode_descriptor(
        "process_cpu",
        "Time that it has computed",
        Some(&Unit::Seconds),
        MetricType::Counter,
    )?;
    metric.encode_counter::<NoLabelSet, _, f64>(&used.cpu.as_secs_f64(), None)
}

/// MyInfo has the view; all others have a store with an outbox, and callers.
fn keeps_a_log(watch: &Watch) -> bool {
    watch.service != Service::MyInfo
}

fn labels(watch: &Watch) -> Labels {
    vec![("service", watch.service.word().to_owned())]
}

fn flag(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// A count as a float: exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "the format has only floats for what goes up and down")]
const fn count(count: u64) -> f64 {
    count as f64
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    rows: impl Iterator<Item = (Labels, u64)>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (labels, value) in rows {
        metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
    }
    Ok(())
}

fn gauges(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    rows: impl Iterator<Item = (Labels, f64)>,
) -> fmt::Result {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
    for (labels, value) in rows {
        labeled(&mut metric, &labels, |metric| metric.encode_gauge(&value))?;
    }
    Ok(())
}

/// Of sizes that are counted in parts of `unit`, each `scale` of one.
fn histograms<'h>(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help, unit): (&str, &str, Option<&Unit>),
    scale: f64,
    rows: impl Iterator<Item = (Labels, &'h Histogram)>,
) -> fmt::Result {
    let mut rows = rows.peekable();
    if rows.peek().is_none() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
    for (labels, histogram) in rows {
        let (sum, buckets) = histogram.read();
        // The encoder takes this for what has no bound.
        let bound = |bound: Option<u64>| bound.map_or(f64::MAX, |bound| count(bound) * scale);
        let buckets: Vec<(f64, u64)> =
            buckets.into_iter().map(|(upper, count)| (bound(upper), count)).collect();
        let all = buckets.iter().map(|(_, count)| count).sum();
        let mut metric = metric.encode_family(&labels)?;
        metric.encode_histogram::<NoLabelSet>(count(sum) * scale, all, &buckets, None)?;
    }
    Ok(())
}

/// Without labels, a value has no empty braces either.
fn labeled(
    metric: &mut MetricEncoder<'_>,
    labels: &Labels,
    encode: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
) -> fmt::Result {
    if labels.is_empty() { encode(metric) } else { encode(&mut metric.encode_family(labels)?) }
}
