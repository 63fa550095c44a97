//! Which queues a message goes to: exchanges, bindings and the patterns between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bus::BusError;
use crate::topology::{DEFAULT, ExchangeKind, ExchangeSpec, QueueSpec};

/// Most routes remembered per exchange. Ours have a few dozen keys; a stranger may make up any number.
const MAX_REMEMBERED_ROUTES: usize = 1024;

/// A queue within one bus. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct QueueId(pub(super) u64);

/// The queues of one route, each once, in the order in which they were declared.
pub(super) type Route = Arc<[QueueId]>;

/// All exchanges, and the queues by name.
#[derive(Debug, Default)]
pub(super) struct Router {
    exchanges: BTreeMap<&'static str, Exchange>,
    /// A queue's route is itself alone: what the default exchange needs.
    queues: BTreeMap<Arc<str>, Route>,
}

#[derive(Debug)]
struct Exchange {
    kind: ExchangeKind,
    alternate: Option<&'static str>,
    bindings: Vec<Binding>,
    /// Found before, alternates included, by key.
    remembered: BTreeMap<String, Route>,
}

#[derive(Debug, PartialEq, Eq)]
struct Binding {
    key: Arc<str>,
    queue: QueueId,
}

impl Router {
    pub(super) fn add_exchange(&mut self, spec: &ExchangeSpec) {
        let exchange = Exchange {
            kind: spec.kind,
            alternate: spec.alternate,
            bindings: Vec::new(),
            remembered: BTreeMap::new(),
        };
        self.exchanges.insert(spec.name, exchange);
    }

    /// # Errors
    /// When a binding names an exchange that is not there.
    pub(super) fn check(&self, spec: &QueueSpec) -> Result<(), BusError> {
        match spec.bindings.iter().find(|(exchange, _)| !self.exchanges.contains_key(exchange)) {
            None => Ok(()),
            Some((exchange, _)) => Err(BusError::Topology(format!(
                "queue '{}' cannot be bound to exchange '{exchange}': there is no such exchange; declare it in \
                 the topology",
                spec.name
            ))),
        }
    }

    /// Adds a queue that was [checked](Self::check), or bindings to one that is there.
    pub(super) fn add_queue(&mut self, name: &Arc<str>, id: QueueId, spec: &QueueSpec) {
        self.queues.entry(Arc::clone(name)).or_insert_with(|| Arc::from([id]));
        for (exchange, key) in &spec.bindings {
            let Some(exchange) = self.exchanges.get_mut(exchange) else { continue };
            let own_name = key.is_empty() && exchange.kind == ExchangeKind::Direct;
            let key = if own_name { Arc::clone(name) } else { Arc::from(*key) };
            let binding = Binding { key, queue: id };
            if !exchange.bindings.contains(&binding) {
                exchange.bindings.push(binding);
            }
        }
        if !spec.bindings.is_empty() {
            self.forget_routes();
        }
    }

    pub(super) fn remove_queue(&mut self, name: &str, id: QueueId) {
        self.queues.remove(name);
        let mut was_bound = false;
        for exchange in self.exchanges.values_mut() {
            let before = exchange.bindings.len();
            exchange.bindings.retain(|binding| binding.queue != id);
            was_bound |= exchange.bindings.len() != before;
        }
        if was_bound {
            self.forget_routes();
        }
    }

    pub(super) fn queue(&self, name: &str) -> Option<QueueId> {
        self.queues.get(name).and_then(|route| route.first().copied())
    }

    /// Where a message goes; `None` or empty: nowhere.
    pub(super) fn route(&mut self, exchange: &str, key: &str) -> Option<Route> {
        if exchange == DEFAULT {
            return self.queues.get(key).map(Arc::clone);
        }
        let Some(known) = self.exchanges.get(exchange) else {
            tracing::error!(exchange, key, "a message was published to an exchange that does not exist");
            return None;
        };
        if let Some(route) = known.remembered.get(key) {
            return Some(Arc::clone(route));
        }
        let route: Route = self.find(exchange, key).into();
        let known = self.exchanges.get_mut(exchange)?;
        if known.remembered.len() >= MAX_REMEMBERED_ROUTES {
            known.remembered.clear();
        }
        known.remembered.insert(key.to_owned(), Arc::clone(&route));
        Some(route)
    }

    fn find(&self, exchange: &str, key: &str) -> Vec<QueueId> {
        let mut next = self.exchanges.get(exchange);
        // A chain of alternates longer than there are exchanges is a circle.
        for _ in 0..self.exchanges.len() {
            let Some(exchange) = next else { break };
            let matching =
                exchange.bindings.iter().filter(|binding| matches(exchange.kind, &binding.key, key));
            let mut queues: Vec<_> = matching.map(|binding| binding.queue).collect();
            if !queues.is_empty() {
                queues.sort_unstable();
                queues.dedup();
                return queues;
            }
            next = exchange.alternate.and_then(|alternate| self.exchanges.get(alternate));
        }
        Vec::new()
    }

    /// A new queue may change the routes of every exchange: of those that have its exchange as alternate, too.
    fn forget_routes(&mut self) {
        for exchange in self.exchanges.values_mut() {
            exchange.remembered.clear();
        }
    }
}

fn matches(kind: ExchangeKind, pattern: &str, key: &str) -> bool {
    match kind {
        ExchangeKind::Fanout => true,
        ExchangeKind::Direct => pattern == key,
        ExchangeKind::Topic => matches_topic(&words(pattern), &words(key)),
    }
}

/// An empty key has no words, as RabbitMQ has it.
fn words(key: &str) -> Vec<&str> {
    if key.is_empty() { Vec::new() } else { key.split('.').collect() }
}

/// `*` stands for one word, `#` for any number of them. Dynamic programming over the words of the key, so
/// that no pattern takes more than words × words steps.
fn matches_topic(pattern: &[&str], key: &[&str]) -> bool {
    // reached[i]: the pattern so far matches the first i words of the key.
    let mut reached = vec![false; key.len() + 1];
    reached[0] = true;
    for word in pattern {
        let mut next = vec![false; key.len() + 1];
        if *word == "#" {
            let mut any = false;
            for (now, then) in reached.iter().zip(&mut next) {
                any |= *now;
                *then = any;
            }
        } else {
            for (at, part) in key.iter().enumerate() {
                next[at + 1] = reached[at] && (*word == "*" || word == part);
            }
        }
        reached = next;
    }
    reached[key.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_patterns_match_as_amqp_has_it() {
        let cases = [
            ("order.placed", "order.placed", true),
            ("order.placed", "order.place", false),
            ("order.*", "order.placed", true),
            ("order.*", "order", false),
            ("order.*", "order.placed.late", false),
            ("*.placed", "order.placed", true),
            ("*", "order", true),
            ("*", "", false),
            ("#", "", true),
            ("#", "order", true),
            ("#", "a.b.c.d", true),
            ("order.#", "order", true),
            ("order.#", "order.placed.late", true),
            ("order.#", "orders.placed", false),
            ("#.late", "late", true),
            ("#.late", "order.placed.late", true),
            ("#.late", "order.late.placed", false),
            ("a.#.d", "a.d", true),
            ("a.#.d", "a.b.c.d", true),
            ("a.#.b.#", "a.x.b", true),
            ("a.#.b.#", "a.x.c", false),
            ("a.*.#", "a", false),
            ("a.*.#", "a.", true),
            ("", "", true),
            ("", "a", false),
            ("a..b", "a..b", true),
            ("a.*.b", "a..b", true),
        ];
        for (pattern, key, expected) in cases {
            assert_eq!(
                matches(ExchangeKind::Topic, pattern, key),
                expected,
                "does '{pattern}' match '{key}'?"
            );
        }
    }

    #[test]
    fn made_up_keys_do_not_fill_the_memory() {
        let mut router = Router::default();
        router.add_exchange(&ExchangeSpec { name: "x", kind: ExchangeKind::Topic, alternate: None });
        for key in 0..3 * MAX_REMEMBERED_ROUTES {
            assert!(router.route("x", &key.to_string()).unwrap().is_empty());
        }
        assert!(router.exchanges["x"].remembered.len() <= MAX_REMEMBERED_ROUTES);
    }

    #[test]
    fn a_circle_of_alternates_ends() {
        let mut router = Router::default();
        for (name, alternate) in [("x", "y"), ("y", "x")] {
            router.add_exchange(&ExchangeSpec {
                name,
                kind: ExchangeKind::Direct,
                alternate: Some(alternate),
            });
        }
        assert!(router.route("x", "key").unwrap().is_empty());
    }
}
