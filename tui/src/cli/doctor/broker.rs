//! Does the broker answer, has it everything that the code says it must have, and does nothing there overrule that?
//!
//! It is looked at, never changed: whoever declares what is missing hides that it was.

use std::time::Duration;

use skstore::text::Text;
use skstore_workers::desk::bus::amqp::{AmqpBus, Inspection, TOO_LONG_BYTES, Unseen};
use skstore_workers::desk::bus::{BusError, QueueDepth};
use skstore_workers::desk::config::address::BrokerAddress;
use skstore_workers::desk::config::{BusUrl, Config};

use super::finding::{Checked, Finding, Said};

/// How long the broker may take: connecting alone may take three seconds, and each of some dozens of questions its time.
const BUS_WITHIN: Duration = Duration::from_secs(10);

/// What was found of the bus.
pub(super) struct Bus {
    pub(super) findings: Vec<Finding>,
    /// Whether it takes messages. Where it does not, heartbeats do not pass either.
    pub(super) takes_messages: bool,
    /// How many consume each of the queues that could be seen.
    pub(super) queues: Vec<QueueDepth>,
}

/// Looks at the broker, over a connection such as every part makes.
pub(super) async fn bus(config: &Config) -> Bus {
    let address = match &config.bus.url {
        BusUrl::Embedded => {
            let finding = Finding::ok(Checked::Bus, Said::text(Text::DoctorEmbedded, &[&config.bus.url]));
            return Bus { findings: vec![finding], takes_messages: true, queues: Vec::new() };
        }
        BusUrl::Amqp(address) => address,
    };
    let looking = AmqpBus::inspect(address, &config.bus.management_url);
    let found = |error: &BusError| format!("{address}: {error}");
    let unreachable = |error: &BusError| {
        let finding = Finding::unreachable(Checked::Bus, found(error), Text::DoctorStartBroker);
        Bus { findings: vec![finding], takes_messages: false, queues: Vec::new() }
    };
    match tokio::time::timeout(BUS_WITHIN, looking).await {
        Ok(Ok(inspection)) => {
            let mut findings = findings(address, &inspection);
            // One that takes nothing would not tell.
            let takes_messages = inspection.blocked.is_none();
            if takes_messages {
                findings.extend(size(address).await);
            }
            Bus { findings, takes_messages, queues: inspection.queues }
        }
        Ok(Err(error @ BusError::Topology(_))) => {
            let finding = Finding::wrong(Checked::Bus, found(&error), Text::DoctorMendBroker);
            Bus { findings: vec![finding], takes_messages: true, queues: Vec::new() }
        }
        Ok(Err(error @ (BusError::Lost(_) | BusError::Occupied(_)))) => unreachable(&error),
        Err(_) => unreachable(&BusError::Lost(format!("no answer within {} s", BUS_WITHIN.as_secs()))),
    }
}

fn findings(address: &BrokerAddress, found: &Inspection) -> Vec<Finding> {
    let wrong = |found: Said, remedy: Text| Finding::wrong(Checked::Bus, found, remedy);
    let mut findings = vec![answers(address, found.unseen.as_ref())];
    findings.extend(
        found
            .blocked
            .iter()
            .map(|why| wrong(Said::text(Text::DoctorBlocked, &[why]), Text::DoctorFreeBroker)),
    );
    findings.extend(
        found
            .missing
            .iter()
            .map(|part| wrong(Said::text(Text::DoctorMissing, &[part]), Text::DoctorStartWorker)),
    );
    findings.extend(
        found.otherwise.iter().map(|sentence| wrong(sentence.clone().into(), Text::DoctorMendBroker)),
    );
    findings.extend(found.overruled.iter().map(|overruling| {
        let values: [&dyn std::fmt::Display; 3] = [&overruling.policy, &overruling.queue, &overruling.rule];
        wrong(Said::text(Text::DoctorOverruled, &values), Text::DoctorClearPolicy)
    }));
    findings
}

/// Whether it limits how long a message may be. Workers do well without; the broker's own memory does not.
async fn size(address: &BrokerAddress) -> Option<Finding> {
    match AmqpBus::takes_too_long(address).await {
        Ok(true) => {
            let found = Said::text(Text::DoctorTakesTooLong, &[&(TOO_LONG_BYTES / (1024 * 1024))]);
            Some(Finding::wrong(Checked::Bus, found, Text::DoctorLimitSize))
        }
        // It answered just before: whatever it is, it is not this.
        Ok(false) | Err(_) => None,
    }
}

/// It answers, and how much of it can be seen.
fn answers(address: &BrokerAddress, unseen: Option<&Unseen>) -> Finding {
    let said = match unseen {
        None => Said::text(Text::DoctorConnected, &[address]),
        Some(why) => Said::text(Text::DoctorUnseen, &[address, why]),
    };
    Finding::ok(Checked::Bus, said)
}

#[cfg(test)]
mod tests {
    use skstore::text::Language;
    use skstore_workers::desk::bus::amqp::{Overruling, Part};

    use super::*;

    #[test]
    fn everything_that_is_not_as_it_must_be_is_told_with_what_to_do() {
        let address = BrokerAddress::parse("amqp://kim:hunter2@mq").unwrap();
        let found = Inspection {
            missing: vec![Part::Exchange("skstore.replies".into())],
            otherwise: vec!["queue 'order.events' is there, but otherwise".into()],
            overruled: vec![Overruling {
                queue: "skstore.dead".into(),
                policy: "the policy 'short'".into(),
                rule: "message-ttl = 1000".into(),
            }],
            blocked: Some("low on memory".into()),
            ..Inspection::default()
        };
        let text: String =
            findings(&address, &found).iter().map(|finding| finding.to_text(Language::English)).collect();
        for part in [
            "ok     bus       amqp://kim:***@mq:5672 answers\n",
            "wrong  bus       the broker blocks all who publish: low on memory\n",
            "wrong  bus       not on the broker: the exchange 'skstore.replies'\n",
            "wrong  bus       queue 'order.events' is there, but otherwise\n",
            "wrong  bus       the policy 'short' sets message-ttl = 1000 on queue 'skstore.dead'",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        assert_eq!(text.matches("do: ").count(), 4, "{text}");
        let unseen = Inspection { unseen: Some(Unseen::NotAsked), ..Inspection::default() };
        let [only] = &findings(&address, &unseen)[..] else { panic!("that is nothing wrong") };
        assert!(only.to_text(Language::English).contains("bindings and policies cannot be seen"), "{only:?}");
    }
}
