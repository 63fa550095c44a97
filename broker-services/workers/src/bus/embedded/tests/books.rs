//! One queue against a tiny model of it, by random operations: what is delivered to whom, in which order, what
//! is refused, and which receipts are open.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use proptest::test_runner::Config;

use super::{
    EmbeddedBus, EmbeddedConsumer, PublishOutcome, Receipt, consumer, direct, peek, ready, small, text,
};
use crate::bus::Delivery;

const CONSUMERS: usize = 3;
const PREFETCH: usize = 3;
const MAX: usize = 6;
const QUEUE: &str = "modelled";

#[derive(Debug, Clone)]
enum Act {
    Publish,
    Receive {
        consumer: usize,
        max: usize,
    },
    /// The one at that place among those it holds, modulo their number.
    Ack {
        consumer: usize,
        place: usize,
    },
    /// Keeps its tags for a late ack, and is replaced at once.
    Crash {
        consumer: usize,
        acks_late: bool,
    },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let consumer = 0..CONSUMERS;
    let act = prop_oneof![
        4 => Just(Act::Publish),
        3 => (consumer.clone(), 1..5_usize).prop_map(|(consumer, max)| Act::Receive { consumer, max }),
        3 => (consumer.clone(), 0..PREFETCH).prop_map(|(consumer, place)| Act::Ack { consumer, place }),
        1 => (consumer, any::<bool>()).prop_map(|(consumer, acks_late)| Act::Crash { consumer, acks_late }),
    ];
    proptest::collection::vec(act, 1..120)
}

/// Message `n` is the nth that was published.
#[derive(Default)]
struct Model {
    /// Sorted: what comes back goes where it was.
    ready: Vec<(usize, bool)>,
    held: [Vec<usize>; CONSUMERS],
    receipts: Vec<Option<PublishOutcome>>,
}

impl Model {
    fn apply(&mut self, act: &Act) -> Vec<(usize, bool)> {
        match *act {
            Act::Publish => {
                let full = self.ready.len() >= MAX;
                if !full {
                    self.ready.push((self.receipts.len(), false));
                }
                self.receipts.push(full.then_some(PublishOutcome::Nacked));
            }
            Act::Receive { consumer, max } => {
                let room = PREFETCH - self.held[consumer].len();
                let taken: Vec<_> = self.ready.drain(..max.min(room).min(self.ready.len())).collect();
                self.held[consumer].extend(taken.iter().map(|(number, _)| number));
                return taken;
            }
            Act::Ack { consumer, place } => {
                if !self.held[consumer].is_empty() {
                    let place = place % self.held[consumer].len();
                    let number = self.held[consumer].remove(place);
                    self.receipts[number] = Some(PublishOutcome::Confirmed);
                }
            }
            Act::Crash { consumer, .. } => {
                self.ready.extend(self.held[consumer].drain(..).map(|number| (number, true)));
                self.ready.sort_unstable();
            }
        }
        Vec::new()
    }
}

struct Real {
    bus: EmbeddedBus,
    consumers: Vec<EmbeddedConsumer>,
    held: [Vec<Delivery>; CONSUMERS],
    receipts: Vec<(Receipt, Option<PublishOutcome>)>,
}

impl Real {
    fn new() -> Self {
        let bus = EmbeddedBus::new();
        let consumers = (0..CONSUMERS).map(|_| consumer(&bus, small(QUEUE, MAX), PREFETCH)).collect();
        Self { bus, consumers, held: Default::default(), receipts: Vec::new() }
    }

    fn apply(&mut self, act: &Act) -> Vec<(usize, bool)> {
        match *act {
            Act::Publish => {
                let number = self.receipts.len();
                self.receipts.push((self.bus.publish(direct(QUEUE, number.to_string())), None));
            }
            Act::Receive { consumer, max } => {
                let taken = ready(&mut self.consumers[consumer], max);
                let told = taken.iter().map(|taken| (text(taken).parse().unwrap(), taken.redelivered));
                let told = told.collect();
                self.held[consumer].extend(taken);
                return told;
            }
            Act::Ack { consumer: at, place } => {
                if !self.held[at].is_empty() {
                    let place = place % self.held[at].len();
                    self.held[at].remove(place).unacked.ack();
                }
            }
            Act::Crash { consumer: at, acks_late } => {
                self.consumers[at] = consumer(&self.bus, small(QUEUE, MAX), PREFETCH);
                for delivery in self.held[at].drain(..) {
                    if acks_late {
                        delivery.unacked.ack();
                    }
                }
            }
        }
        Vec::new()
    }

    fn receipts(&mut self) -> Vec<Option<PublishOutcome>> {
        for (receipt, told) in &mut self.receipts {
            if told.is_none() {
                *told = peek(receipt);
            }
        }
        self.receipts.iter().map(|(_, told)| *told).collect()
    }
}

proptest! {
    #![proptest_config(Config { cases: 500, ..Config::default() })]

    #[test]
    fn a_queue_does_what_its_model_does(acts in acts()) {
        let (mut model, mut real) = (Model::default(), Real::new());
        for (step, act) in acts.iter().enumerate() {
            assert_eq!(real.apply(act), model.apply(act), "delivered at step {step}, {act:?}");
            assert_eq!(real.receipts(), model.receipts, "receipts after step {step}, {act:?}");
            let held: usize = model.held.iter().map(Vec::len).sum();
            assert_eq!(real.bus.pending(), model.ready.len() + held, "pending after step {step}, {act:?}");
            real.bus.shared.lock().assert_sound();
        }
    }
}
