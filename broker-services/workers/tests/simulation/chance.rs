//! What goes wrong in one seed, and how often.

use std::time::Duration;

use skstore_domain::events::Source;
use skstore_domain::faults::Fault;
use skstore_domain::signals::Service;
use skstore_workers::bus::embedded::Faults;

/// How long messages may be late at most: longer than the payment timeout, so that some calls time out.
const LONGEST_DELAY: Duration = Duration::from_millis(600);
/// How far a clock may be off.
const LARGEST_SKEW_MILLIS: i64 = 3_600_000;
/// When the last fault heals, at the latest. Clocks stay as they are.
pub(crate) const HEALED_AFTER: Duration = Duration::from_secs(20);

/// Something that goes wrong from a point in time on, and heals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Incident {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// The whole process is killed: everything in memory is gone, the stores stay.
    KillProcess,
    /// A worker is gone for a while.
    Absent(Service, Duration),
    /// A worker misbehaves for a while.
    Misbehaves(Service, Fault, Duration),
    /// The broker loses all events that wait.
    BrokerForgets,
    /// The store of a service is put back to what it was so long before. Somebody has it reconciled at the end.
    PutBack(Source, Duration),
    /// A service's clock is set forward or back by so many milliseconds.
    ClockJumps(Service, i64),
}

/// The plan of a seed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the bus does to messages.
    pub(crate) faults: Faults,
    /// How likely a crash is at each named point that is passed.
    pub(crate) crash: f64,
    /// Workers of each service, side by side on its store.
    pub(crate) replicas: usize,
    /// How far the services' clocks are ahead, in milliseconds: in the order of [`Service::ALL`].
    pub(crate) skews: Vec<i64>,
    /// What else goes wrong, by time.
    pub(crate) incidents: Vec<Incident>,
}

impl Plan {
    /// Every seed has its own mixture, some of them mild, some of them without one kind of fault at all.
    pub(crate) fn draw(random: &mut fastrand::Rng) -> Self {
        let rate = |random: &mut fastrand::Rng, max: f64| {
            if random.u8(0..3) == 0 { 0.0 } else { random.f64() * max }
        };
        let faults = Faults {
            delay: rate(random, 0.5),
            max_delay: LONGEST_DELAY.mul_f64(random.f64()),
            duplicate: rate(random, 0.3),
            drop: rate(random, 0.2),
            forget: rate(random, 0.2),
        };
        let crash = rate(random, 0.02);
        let replicas = random.usize(1..=2);
        let skews = Service::ALL.iter().map(|_| if random.bool() { 0 } else { skew(random) }).collect();
        let mut incidents: Vec<Incident> = (0..random.usize(0..4)).map(|_| Incident::draw(random)).collect();
        if random.u8(0..4) == 0 {
            incidents.push(Incident::of_a_store(random));
        }
        incidents.sort_by_key(|incident| incident.at);
        Self { faults, crash, replicas, skews, incidents }
    }

    /// Whose store is put back, if one is.
    pub(crate) fn put_back(&self) -> Option<Source> {
        self.incidents.iter().find_map(|incident| match incident.what {
            What::PutBack(source, _) => Some(source),
            _ => None,
        })
    }

    /// Whether events are lost that were confirmed.
    pub(crate) fn forgets(&self) -> bool {
        self.faults.forget > 0.0
            || self.incidents.iter().any(|incident| matches!(incident.what, What::BrokerForgets))
    }
}

/// A skew of up to an hour, small ones as often as large ones.
fn skew(random: &mut fastrand::Rng) -> i64 {
    let max = [1_000, 60_000, LARGEST_SKEW_MILLIS][random.usize(0..3)];
    random.i64(-max..=max)
}

impl Incident {
    fn of_a_store(random: &mut fastrand::Rng) -> Self {
        let at = random.u64(2_000..12_000);
        let source = Source::ALL[random.usize(0..Source::ALL.len())];
        let what = What::PutBack(source, Duration::from_millis(random.u64(100..at)));
        Self { at: Duration::from_millis(at), what }
    }

    fn draw(random: &mut fastrand::Rng) -> Self {
        let at = Duration::from_millis(random.u64(0..8_000));
        let lasts = Duration::from_millis(random.u64(100..8_000));
        let what = match random.u8(0..8) {
            0 => What::KillProcess,
            1 => What::Absent(Service::Deposit, lasts),
            2 => What::Absent(Service::Item, lasts),
            3 => What::Absent(Service::ALL[random.usize(0..Service::ALL.len())], lasts),
            4 => What::BrokerForgets,
            7 => What::ClockJumps(Service::ALL[random.usize(0..Service::ALL.len())], skew(random)),
            5 => What::Misbehaves(Service::Deposit, Fault::Slow { ms: random.u64(50..500) }, lasts),
            _ => What::Misbehaves(Service::Deposit, Fault::SILENT, lasts),
        };
        Self { at, what }
    }
}
