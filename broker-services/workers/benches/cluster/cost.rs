//! What the processes of a desk have used, as Linux accounts for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::servers::{Rabbit, Redis};

/// Ticks of the kernel's accounting in a second: always this on Linux, whatever its timer does.
const TICKS_PER_S: f64 = 100.0;

/// How long processes are watched to see whether they rest.
const REST: Duration = Duration::from_millis(300);
/// Of a core, what they use at most while they do: heartbeats, and the broker's own business.
const AT_REST: f64 = 0.15;
/// Far longer than a turn leaves something to do.
const RESTED_WITHIN: Duration = Duration::from_secs(60);

/// Seconds of CPU of some processes.
pub(crate) struct Cpu(BTreeMap<String, f64>);

impl Cpu {
    pub(crate) fn of(processes: &[(String, u32)]) -> Self {
        Self(processes.iter().map(|(name, pid)| (name.clone(), seconds(*pid))).collect())
    }

    pub(crate) fn since(&self, before: &Self) -> BTreeMap<String, f64> {
        self.0.iter().map(|(name, now)| (name.clone(), now - before.0[name])).collect()
    }
}

/// Waits until `processes`, of which several may have one name, have nothing left to do: what the last turn has left would
/// be done in the next one's time.
pub(crate) async fn rest(processes: &[(String, u32)]) {
    let spent = || processes.iter().map(|(_, pid)| seconds(*pid)).sum::<f64>();
    let started = Instant::now();
    loop {
        let before = spent();
        tokio::time::sleep(REST).await;
        if spent() - before < AT_REST * REST.as_secs_f64() {
            return;
        }
        assert!(started.elapsed() < RESTED_WITHIN, "the processes have not come to rest");
    }
}

/// User and system time of a process.
fn seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process");
    // Its name, in parentheses, may have blanks.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields[at].parse::<f64>().expect("ticks");
    (ticks(11) + ticks(12)) / TICKS_PER_S
}

pub(crate) fn pid_of_rabbit(rabbit: &Rabbit) -> u32 {
    let said = rabbit.ctl(&["eval", "os:getpid()."]).expect("the broker's process");
    said.trim().trim_matches('"').parse().expect("a number")
}

pub(crate) fn pid_of_redis(redis: &Redis) -> u32 {
    let info: String = redis::cmd("INFO").arg("server").query(&mut connection(redis)).expect("an answer");
    let line = info.lines().find_map(|line| line.strip_prefix("process_id:")).expect("its process");
    line.trim().parse().expect("a number")
}

fn connection(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.url()).and_then(|client| client.get_connection()).expect("Redis")
}

/// Who used how much, in µs for each of `orders`.
pub(crate) fn shares(cpu: &BTreeMap<String, f64>, orders: usize) -> String {
    let each = cpu.iter().map(|(name, seconds)| format!("{name} {:.0}", seconds * 1e6 / orders as f64));
    format!("{} µs/order", each.collect::<Vec<_>>().join(", "))
}
