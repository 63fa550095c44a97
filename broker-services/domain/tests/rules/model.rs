//! Every interleaving of one order's messages, within bounds: from any state that can be reached, nothing that
//! may happen next breaks a promise, and where nothing is left to happen, the order has ended properly.

#![expect(clippy::print_stderr, reason = "how much was looked at")]

use std::hash::{BuildHasherDefault, DefaultHasher};

use skstore_domain::money::Won;
use skstore_domain::objects::OrderStatus;

use crate::world::{Budget, Key, Move, Setup, Shortcut, Way, World};

/// States that were visited. Only asked whether it holds one, so its order does not matter; its hasher is the
/// same in every run.
#[expect(
    clippy::disallowed_types,
    reason = "a tree of some hundred thousand large keys takes three times as long"
)]
type Seen = std::collections::HashSet<Key, BuildHasherDefault<DefaultHasher>>;

/// One crash or lost connection, and one message delivered twice. Charges and replies are lost at any time, and
/// the sweeper comes at any time.
const BAD: Budget = Budget { crashes: 1, repeats: 1, parked: 0, prices: 0 };
/// One crash or lost connection, while a place is parked and the price rises.
const WORSE: Budget = Budget { crashes: 1, repeats: 0, parked: 1, prices: 1 };

/// Two places and two cancels of one order, with enough money and stock.
const ALL_GOES: Setup = Setup {
    places: 2,
    cancels: 2,
    balance: Won(1_000),
    stock: 1,
    answerable: true,
    budget: BAD,
    shortcut: None,
};

/// Visits every state. Returns how many there are.
fn explore(setup: Setup) -> Result<usize, String> {
    let mut seen = Seen::default();
    let start = World::new(setup);
    seen.insert(start.key());
    let mut open = vec![start];
    while let Some(world) = open.pop() {
        let moves = world.moves();
        if moves.is_empty() {
            world.check_quiet().map_err(|broken| format!("{broken}\n{world:#?}"))?;
        }
        for what in moves {
            let mut next = world.clone();
            next.step(what).map_err(|broken| format!("{broken}\nafter {what:?} from {world:#?}"))?;
            if seen.insert(next.key()) {
                open.push(next);
            }
        }
    }
    Ok(seen.len())
}

#[test]
fn no_interleaving_breaks_a_promise() {
    let setups = [
        ("all goes", ALL_GOES),
        ("sold out", Setup { stock: 0, ..ALL_GOES }),
        ("no money", Setup { balance: Won(99), ..ALL_GOES }),
        ("nobody hears the answer", Setup { answerable: false, ..ALL_GOES }),
        ("a place is parked, the price rises", Setup { cancels: 1, budget: WORSE, ..ALL_GOES }),
    ];
    for (what, setup) in setups {
        let states = explore(setup).unwrap_or_else(|broken| panic!("{what}: {broken}"));
        eprintln!("{what}: {states} states");
        assert!(states > 1_000, "{what}: only {states} states, so most of what may happen was left out");
    }
}

#[test]
fn every_shortcut_breaks_a_promise() {
    for shortcut in Shortcut::ALL {
        let answerable = shortcut != Shortcut::ForgetRefusal;
        let broken = explore(Setup { shortcut: Some(shortcut), answerable, budget: WORSE, ..ALL_GOES });
        match broken {
            Ok(states) => panic!("{shortcut:?} went unnoticed in {states} states"),
            Err(broken) => eprintln!("{shortcut:?}: {}", broken.lines().next().unwrap_or_default()),
        }
    }
}

#[test]
fn an_order_can_still_be_delivered() {
    // Without this, a machine that rejects everything would keep every promise.
    let mut world = World::new(Setup { places: 1, cancels: 0, ..ALL_GOES });
    while let Some(what) = world.moves().into_iter().find(|what| {
        matches!(what, Move::Place(Way::Sent) | Move::Deliver { late: false, .. } | Move::Reply { .. })
    }) {
        world.step(what).unwrap();
    }
    assert!(world.moves().is_empty(), "something is left: {:?}", world.moves());
    world.check_quiet().unwrap();
    assert_eq!(world.order().unwrap().status, OrderStatus::Delivering);
}
