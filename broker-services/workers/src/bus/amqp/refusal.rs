//! What a broker means when it says no. AMQP has few codes, and each has many meanings: its text tells them apart. Advice
//! follows both, and what cannot be told apart is passed on as it was said.

use lapin::{Error, ErrorKind};
use tokio::time::timeout;

use super::request::ANSWER_WITHIN;
use crate::bus::BusError;
use crate::config::address::{BrokerAddress, Endpoint};
use crate::topology::{ExchangeSpec, QueueKind, QueueSpec};

/// AMQP's codes: no permission, or in use by another consumer alone, or a wrong login.
const ACCESS_REFUSED: u16 = 403;
/// Not there, or on a node of a cluster that is down.
const NOT_FOUND: u16 = 404;
/// Another connection's own.
const RESOURCE_LOCKED: u16 = 405;
/// There with other properties, or beyond a limit, or asked for in a way that cannot be.
const PRECONDITION_FAILED: u16 = 406;
/// A virtual host that is not there, full, down or not for this user; or a broker that is full.
const NOT_ALLOWED: u16 = 530;

/// What a broker said no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    code: u16,
    text: String,
}

/// What it means, as far as that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The user has no permission for it.
    Forbidden,
    /// There is none of that name.
    Missing,
    /// It is another connection's or consumer's own.
    Taken,
    /// It is there with other properties.
    Different,
    /// Anything else.
    Unclear,
}

/// Why something that a broker was asked for was not done.
#[derive(Debug)]
pub(super) enum Denied {
    /// It says no, and will say so again unless somebody changes something there.
    Refused(Refusal),
    /// The connection, or the broker, has other troubles.
    Lost(String),
}

impl Denied {
    /// What it means, where the broker said no.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        match self {
            Self::Refused(refusal) => Some(refusal.meaning()),
            Self::Lost(_) => None,
        }
    }

    /// As an error about a queue that was declared or is to be consumed.
    pub(super) fn or_of_queue(self, spec: &QueueSpec) -> BusError {
        self.or(|refusal| refusal.of_queue(spec))
    }

    /// As an error; `sentence` makes one of a refusal.
    pub(super) fn or(self, sentence: impl FnOnce(&Refusal) -> BusError) -> BusError {
        match self {
            Self::Refused(refusal) => sentence(&refusal),
            Self::Lost(why) => BusError::Lost(why),
        }
    }
}

/// AMQP's code and text of an error that the broker sent.
pub(super) fn code(error: &Error) -> Option<(u16, String)> {
    match error.kind() {
        ErrorKind::ProtocolError(error) => Some((error.get_id(), error.get_message().to_string())),
        _ => None,
    }
}

/// What the broker says to `asked`, if it does in time.
pub(super) async fn asked<T>(asked: impl Future<Output = lapin::Result<T>>) -> Result<T, Denied> {
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(match Refusal::of(&error) {
            Some(refusal) => Denied::Refused(refusal),
            None => Denied::Lost(error.to_string()),
        }),
        Err(_) => Err(Denied::Lost(format!("no answer within {} s", ANSWER_WITHIN.as_secs()))),
    }
}

impl Refusal {
    /// The refusal in `error`, if it is one.
    pub(super) fn of(error: &Error) -> Option<Self> {
        const REFUSALS: [u16; 5] =
            [ACCESS_REFUSED, NOT_FOUND, RESOURCE_LOCKED, PRECONDITION_FAILED, NOT_ALLOWED];
        code(error).filter(|(code, _)| REFUSALS.contains(code)).map(|(code, text)| Self { code, text })
    }

    pub(super) fn meaning(&self) -> Meaning {
        let says = |part: &str| self.text.contains(part);
        match self.code {
            ACCESS_REFUSED if says("in exclusive use") => Meaning::Taken,
            ACCESS_REFUSED if says("access to") && says("refused for user") => Meaning::Forbidden,
            RESOURCE_LOCKED => Meaning::Taken,
            NOT_FOUND if says("no queue") || says("no exchange") => Meaning::Missing,
            PRECONDITION_FAILED if says("inequivalent arg") => Meaning::Different,
            _ => Meaning::Unclear,
        }
    }

    /// Of a queue that was declared or is to be consumed.
    pub(super) fn of_queue(&self, spec: &QueueSpec) -> BusError {
        let (name, why) = (&spec.name, &self.text);
        let is_own = spec.kind == QueueKind::Exclusive;
        match self.meaning() {
            Meaning::Taken => BusError::Occupied(format!(
                "queue '{name}' belongs to another consumer ({why}); wait until that one has ended"
            )),
            Meaning::Different if !is_own => BusError::Topology(format!(
                "queue '{name}' is there, but not as this version needs it ({why}). Let the workers empty it, stop them, \
                 delete it (`rabbitmqctl delete_queue {name}`), and start them again: they declare it anew"
            )),
            Meaning::Forbidden if is_own => BusError::Topology(format!(
                "the message broker does not let this user have queue '{name}' ({why}); let it configure, write and read \
                 queues whose names begin with 'skstore.', 'desk.' and 'myinfo.' (`rabbitmqctl set_permissions`)"
            )),
            Meaning::Forbidden => BusError::Topology(format!(
                "the message broker does not let this user use queue '{name}' ({why}); give it the permission \
                 (`rabbitmqctl set_permissions`)"
            )),
            Meaning::Different | Meaning::Missing | Meaning::Unclear => {
                BusError::Topology(format!("queue '{name}' cannot be used: {why}"))
            }
        }
    }

    /// Of an exchange that was declared.
    pub(super) fn of_exchange(&self, spec: &ExchangeSpec) -> BusError {
        let (name, why) = (spec.name, &self.text);
        BusError::Topology(match self.meaning() {
            Meaning::Different => format!(
                "exchange '{name}' is there, but not as this version needs it ({why}). Stop all workers, delete it \
                 (`rabbitmqadmin delete exchange name={name}`, the newer one: `--name {name}`), and start them again: they \
                 declare it anew"
            ),
            Meaning::Forbidden | Meaning::Missing | Meaning::Taken | Meaning::Unclear => {
                format!("exchange '{name}' cannot be used: {why}")
            }
        })
    }

    /// Of what is not there and may not be declared.
    pub(super) fn of_missing(&self, what: &str, name: &str) -> BusError {
        BusError::Topology(format!(
            "{what} '{name}' is not there, and this user may not declare it ({}); start a worker first whose user may, or \
             give this one the permission to configure (`rabbitmqctl set_permissions`)",
            self.text
        ))
    }

    /// Of the login at `broker`, or of the virtual host there.
    pub(super) fn of_entry(&self, broker: &Endpoint, address: &BrokerAddress) -> BusError {
        let (user, vhost, why) = (address.user(), address.vhost(), &self.text);
        let says = |part: &str| why.contains(part);
        BusError::Topology(match self.code {
            // An unknown user, a wrong password and a server of users that is down look the same from here.
            ACCESS_REFUSED => format!(
                "the message broker {broker} refuses user '{user}': correct user and password in bus.url, or that user \
                 there; if the broker asks another server about its users, see whether that one is up ({why})"
            ),
            NOT_ALLOWED if says("limit") => format!(
                "the message broker {broker} takes no more connections of user '{user}' in virtual host '{vhost}': {why}; \
                 close some there, or raise the limit"
            ),
            NOT_ALLOWED if says("not found") => format!(
                "the message broker {broker} does not let user '{user}' in: {why}; create the virtual host '{vhost}' and \
                 give that user its permissions, or correct bus.url"
            ),
            NOT_ALLOWED if says("refused for user") && !says("down") => format!(
                "the message broker {broker} does not let user '{user}' in: {why}; give that user permissions in the \
                 virtual host '{vhost}' (`rabbitmqctl set_permissions`), or correct bus.url"
            ),
            _ => format!("the message broker {broker} does not let user '{user}' in: {why}"),
        })
    }
}

/// Of something that was published. Why is not always known: then the channel has been closed, no more.
pub(super) fn of_publishing(refusal: Option<&Refusal>) -> String {
    let why = refusal.map_or("it closed the channel; its log says why", |refusal| &refusal.text);
    format!(
        "the message broker does not take what this user publishes ({why}); if a permission is missing, let that user write \
         to exchanges whose names begin with 'skstore.' (`rabbitmqctl set_permissions`)"
    )
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{self, EXCHANGES};

    const DESTRUCTIVE: [&str; 2] = ["delete", "Stop all"];

    fn refusal(code: u16, text: &str) -> Refusal {
        Refusal { code, text: text.to_owned() }
    }

    /// As RabbitMQ 3.10 and 4.x say it.
    #[test]
    fn what_is_refused_is_told_by_code_and_text() {
        use Meaning::{Different, Forbidden, Missing, Taken, Unclear};
        let table = [
            (403, "ACCESS_REFUSED - access to queue 'q' in vhost '/' refused for user 'u'", Forbidden),
            (
                403,
                "ACCESS_REFUSED - configure access to queue 'q' in vhost '/' refused for user 'u'",
                Forbidden,
            ),
            (403, "ACCESS_REFUSED - queue 'q' in vhost '/' in exclusive use", Taken),
            (403, "ACCESS_REFUSED - queue name 'amq.q' contains reserved prefix 'amq.*'", Unclear),
            (404, "NOT_FOUND - no queue 'q' in vhost '/'", Missing),
            (
                404,
                "NOT_FOUND - home node 'a@b' of durable queue 'q' in vhost '/' is down or inaccessible",
                Unclear,
            ),
            (405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost '/'", Taken),
            (
                406,
                "PRECONDITION_FAILED - inequivalent arg 'x-max-length' for queue 'q' in vhost '/': received none but \
                 current is the value '7' of type 'long'",
                Different,
            ),
            (
                406,
                "PRECONDITION_FAILED - cannot declare queue 'q': queue limit in vhost '/' (1) is reached",
                Unclear,
            ),
            (406, "PRECONDITION_FAILED - invalid arg 'x-max-length' for queue 'q' in vhost '/'", Unclear),
        ];
        for (code, text, meaning) in table {
            let refusal = refusal(code, text);
            assert_eq!(refusal.meaning(), meaning, "{text}");
            let queue = topology::queues().remove(0);
            for told in [refusal.of_queue(&queue), refusal.of_exchange(&EXCHANGES[0])] {
                let told = told.to_string();
                assert!(told.contains(text), "{told} does not say what the broker said");
                let is_destructive = DESTRUCTIVE.iter().any(|advice| told.contains(advice));
                assert_eq!(is_destructive, meaning == Different, "{told}");
            }
            let own = refusal.of_queue(&topology::rebuild()).to_string();
            assert!(!own.contains("delete"), "nobody can delete another connection's own: {own}");
        }
    }

    #[test]
    fn what_keeps_somebody_out_is_told_with_what_lets_them_in() {
        let table = [
            (
                403,
                "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.",
                "correct user and password",
            ),
            (530, "NOT_ALLOWED - vhost v not found", "create the virtual host 'v'"),
            (530, "NOT_ALLOWED - access to vhost 'v' refused for user 'u'", "give that user permissions"),
            (
                530,
                "NOT_ALLOWED - access to vhost 'v' refused for user 'u': connection limit (1) is reached",
                "raise the limit",
            ),
            (
                530,
                "NOT_ALLOWED - connection refused for user 'u': user connection limit (1) is reached",
                "raise the limit",
            ),
            (530, "NOT_ALLOWED - access to vhost 'v' refused for user 'u': vhost 'v' is down", "is down"),
        ];
        let address = BrokerAddress::parse("amqp://u:secret@mq/v").unwrap();
        for (code, text, advice) in table {
            let told = refusal(code, text).of_entry(&address.endpoints()[0], &address).to_string();
            assert!(told.contains(advice) && told.contains("mq:5672") && told.contains(text), "{told}");
            assert!(!told.contains("secret") && !told.contains("delete"), "{told}");
        }
    }
}
