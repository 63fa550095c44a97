//! Does the view answer, and are all workers there and of this version?

use std::collections::BTreeMap;
use std::time::Duration;

use skstore::text::Text;
use skstore::text::waits::wait_words;
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::config::{BusUrl, Config, ViewUrl};
use skstore_workers::desk::view::{View, ViewError};
use tokio::time::Instant;

use super::finding::{Checked, Finding, Said};

/// How long workers are listened for: their heartbeats come every second.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
/// How often the view is asked meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The view, and what it says of the workers, as far as the bus lets them say something.
pub(super) async fn view(config: &Config, bus_takes_messages: bool) -> Vec<Finding> {
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
                BusUrl::Amqp(_) => workers(&heard, bus_takes_messages),
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

fn workers(heard: &[Beat], bus_takes_messages: bool) -> Vec<Finding> {
    let mut findings = silent(heard, bus_takes_messages);
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
    if findings.is_empty() {
        let of = |service: &Service| heard.iter().filter(|beat| beat.service == *service).count();
        let counts: Vec<_> =
            Service::ALL.iter().map(|service| format!("{service} {}", of(service))).collect();
        findings.push(Finding::ok(Checked::Workers, counts.join(", ")));
    }
    findings
}
