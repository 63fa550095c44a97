//! Does the view answer, and are all workers there and of this version?

use std::collections::BTreeMap;
use std::time::Duration;

use skstore::text::Text;
use skstore::text::attendance::unattended_words;
use skstore::text::waits::wait_words;
use skstore_domain::attendance::{Found, Unattended, find_unattended};
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::config::{BusUrl, Config, ViewUrl};
use skstore_workers::desk::topology;
use skstore_workers::desk::view::{View, ViewError};
use tokio::time::Instant;

use super::broker::Bus;
use super::finding::{Checked, Finding, Said};

/// How long workers are listened for: their heartbeats come every second.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
/// How often the view is asked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The view, and what it says of the workers, as far as the bus lets them say something.
pub(super) async fn view(config: &Config, bus: &Bus) -> Vec<Finding> {
    match (&config.bus.url, &config.view.url) {
        (BusUrl::Embedded, ViewUrl::Embedded) => {
            let view = Finding::ok(Checked::View, Said::text(Text::DoctorEmbedded, &[&config.view.url]));
            return vec![view, Finding::ok(Checked::Workers, Text::DoctorWorkersWithin)];
        }
        (BusUrl::Amqp(_), ViewUrl::Embedded) => {
            let found = Text::DoctorViewUnseen;
            return vec![Finding::wrong(Checked::View, found, Text::DoctorShareView)];
        }
        (BusUrl::Embedded | BusUrl::Amqp(_), ViewUrl::Redis(_)) => {}
    }
    let heard = async {
        let view = View::open(&config.view.url, config.view.keep_orders)?;
        view.counts().await?;
        listen(&view).await
    };
    match heard.await {
        Ok(heard) => {
            let mut findings =
                vec![Finding::ok(Checked::View, Said::text(Text::DoctorConnected, &[&config.view.url]))];
            findings.extend(match &config.bus.url {
                BusUrl::Embedded => {
                    vec![Finding::ok(Checked::Workers, Text::DoctorWorkersWithin)]
                }
                BusUrl::Amqp(_) => workers(&heard, bus),
            });
            findings
        }
        Err(error) => {
            let found = format!("{}: {error}", config.view.url);
            let view = Finding::unreachable(Checked::View, found, Text::DoctorStartView);
            match &config.bus.url {
                BusUrl::Embedded => vec![view],
                BusUrl::Amqp(_) => vec![view, unknown(Text::DoctorUnknownView)],
            }
        }
    }
}

/// The workers that say something within [`HEARD_WITHIN`]. What they said before may be a minute old, and their
/// clocks need not agree with ours, so only a new heartbeat counts.
async fn listen(view: &View) -> Result<Vec<Beat>, ViewError> {
    let before: BTreeMap<String, _> =
        view.health().await?.services.into_iter().map(|beat| (beat.instance, beat.at)).collect();
    let until = Instant::now() + HEARD_WITHIN;
    loop {
        let mut heard = view.health().await?.services;
        heard.retain(|beat| before.get(&beat.instance).is_none_or(|last| beat.at > *last));
        // The others of a service beat as often as the first one does.
        let are_all_there = Service::ALL.iter().all(|service| heard.iter().any(|b| b.service == *service));
        if Instant::now() >= until || (are_all_there && heard.len() >= before.len()) {
            return Ok(heard);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Why nothing can be said of workers that are not heard of.
fn unknown(why: Text) -> Finding {
    Finding::unreachable(Checked::Workers, why, Text::DoctorMendFirst)
}

/// What there is to say of workers that are not heard of. One that cannot be heard may well be at work, and another one
/// would not be heard either. Heartbeats pass the bus, and MyInfo, which writes them into the view.
fn silent(heard: &[Beat], bus_takes_messages: bool) -> Vec<Finding> {
    let is_missing = |service: &&Service| !heard.iter().any(|beat| beat.service == **service);
    let missing: Vec<&Service> = Service::ALL.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Vec::new();
    }
    if !bus_takes_messages {
        return vec![unknown(Text::DoctorUnknownBus)];
    }
    if heard.is_empty() {
        let words: Vec<&str> = missing.iter().map(|service| service.word()).collect();
        let command = format!("skstore-worker {}", words.join(" "));
        let (found, remedy) = (Text::DoctorNoWorkers, Said::text(Text::DoctorStartWorkers, &[&command]));
        return vec![Finding::unreachable(Checked::Workers, found, remedy)];
    }
    let one = |service: &Service| {
        let found = Said::text(Text::DoctorWorkerMissing, &[service]);
        Finding::unreachable(Checked::Workers, found, format!("skstore-worker {service}"))
    };
    missing.into_iter().map(one).collect()
}

fn workers(heard: &[Beat], bus: &Bus) -> Vec<Finding> {
    let mut findings = silent(heard, bus.takes_messages);
    let ours = env!("CARGO_PKG_VERSION");
    for beat in heard.iter().filter(|beat| beat.version != ours) {
        let found = Said::text(Text::DoctorOtherVersion, &[&beat.instance, &beat.version, &ours]);
        findings.push(Finding::wrong(Checked::Workers, found, Text::DoctorUpdate));
    }
    for beat in heard.iter().filter(|beat| !beat.ready) {
        let why = beat.last_error.as_deref().unwrap_or_default();
        let found = Said::text(Text::DoctorWorkerNotReady, &[&beat.instance, &why]);
        findings.push(Finding::wrong(Checked::Workers, found, Text::DoctorSeeItsLog));
    }
    for (beat, what) in heard.iter().flat_map(|beat| beat.warnings.iter().map(move |what| (beat, what))) {
        let found = format!("{}: {what}", beat.instance);
        findings.push(Finding::wrong(Checked::Workers, found, Text::DoctorSeeItsLog));
    }
    for (beat, wait) in heard.iter().flat_map(|beat| beat.waits.iter().map(move |wait| (beat, wait))) {
        let found =
            Said::sentence(|language| format!("{}: {}", beat.instance, wait_words(language, wait, beat.at)));
        findings.push(Finding::wrong(Checked::Workers, found, Text::DoctorSeeWhoOwes));
    }
    findings.extend(unattended(heard, &bus.queues));
    if findings.is_empty() {
        let of = |service: &Service| heard.iter().filter(|beat| beat.service == *service).count();
        let counts: Vec<_> =
            Service::ALL.iter().map(|service| format!("{service} {}", of(service))).collect();
        findings.push(Finding::ok(Checked::Workers, counts.join(", ")));
    }
    findings
}

/// Queues that are not read by those who should be, as far as workers are heard of.
fn unattended(heard: &[Beat], queues: &[QueueDepth]) -> Vec<Finding> {
    if heard.is_empty() {
        return Vec::new();
    }
    let mut workers: BTreeMap<Service, usize> = BTreeMap::new();
    for beat in heard {
        *workers.entry(beat.service).or_default() += 1;
    }
    let work = queues
        .iter()
        .filter_map(|queue| Some((&*queue.name, topology::reader_of(&queue.name)?, queue.consumers)));
    let finding = |found: Found| {
        let remedy = match found.why {
            Unattended::NoWorker => Said::from(format!("skstore-worker {}", found.service)),
            Unattended::NoReader => Text::DoctorSeeItsLog.into(),
            Unattended::Others { .. } => Text::DoctorFindReader.into(),
        };
        let sentence = Said::sentence(|language| unattended_words(language, &found));
        Finding::wrong(Checked::Workers, sentence, remedy)
    };
    find_unattended(work, Some(&workers)).into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use skstore::text::Language;
    use skstore_domain::order::Awaited;
    use skstore_domain::signals::Wait;
    use skstore_domain::time::Timestamp;

    use super::*;

    fn beat(service: Service) -> Beat {
        let text = format!(
            r#"{{"service":"{service}","instance":"{service}-1","version":"{}","started_at":"2026-11-28T14:23:16.411Z",
            "at":"2026-11-28T14:23:17.411Z","ready":true,"handled":0,"per_second":0,"in_flight":0,"unsent":0}}"#,
            env!("CARGO_PKG_VERSION")
        );
        serde_json::from_str(&text).unwrap()
    }

    fn bus(queues: &[(&str, usize)]) -> Bus {
        let depth = |(name, consumers): &(&str, usize)| QueueDepth {
            name: (*name).into(),
            ready: 0,
            unacked: None,
            consumers: *consumers,
        };
        Bus { findings: Vec::new(), takes_messages: true, queues: queues.iter().map(depth).collect() }
    }

    fn told(language: Language, heard: &[Beat], bus: &Bus) -> String {
        workers(heard, bus).iter().map(|finding| finding.to_text(language)).collect()
    }

    #[test]
    fn queues_that_are_not_read_by_those_who_should_are_told_with_what_to_do() {
        let heard: Vec<Beat> = Service::ALL.iter().map(|service| beat(*service)).collect();
        let all_well = bus(&[("item.events", 1), ("order.events", 1), ("skstore.dead", 0)]);
        let text = told(Language::English, &heard, &all_well);
        assert!(text.starts_with("ok") && text.lines().count() == 1, "{text}");
        let stolen = bus(&[("item.events", 2), ("order.events", 0)]);
        let text = told(Language::English, &heard, &stolen);
        for part in
            ["readers of item.events: 2", "do: find out who reads there", "nobody reads order.events, though"]
        {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        let gone = bus(&[("deposit.events", 0), ("deposit.payments", 0)]);
        let without_deposit: Vec<Beat> =
            heard.into_iter().filter(|beat| beat.service != Service::Deposit).collect();
        let text = told(Language::Korean, &without_deposit, &gone);
        assert!(text.contains("deposit.events, deposit.payments을(를) 읽는 소비자가 없습니다"), "{text}");
        assert!(text.contains("조치: skstore-worker deposit"), "{text}");
        let text = told(Language::English, &[], &gone);
        assert!(!text.contains("nobody reads"), "without heartbeats it is told who is to be started: {text}");
    }

    #[test]
    fn orders_that_wait_for_long_are_told_in_the_language_of_whoever_asks() {
        let mut heard: Vec<Beat> = Service::ALL.iter().map(|service| beat(*service)).collect();
        let since = Timestamp(heard[0].at.0 - 45_000);
        heard[0].waits = vec![Wait { what: Awaited::Release, count: 3, since, told_again: 4 }];
        let text = told(Language::English, &heard, &bus(&[]));
        let sentence = "order-1: orders that wait for their refund (deposit), or for their units to be taken back (item): 3, \
                        the oldest for 45s, told again (4th time)";
        assert!(text.contains(sentence) && text.contains("do: see whether the service"), "{text}");
        let text = told(Language::Korean, &heard, &bus(&[]));
        assert!(
            text.contains("재고 복원(상품)을 기다리는 주문 3건") && text.contains("다시 알림 (4번째)"),
            "{text}"
        );
    }
}
