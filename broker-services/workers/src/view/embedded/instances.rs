//! What the running workers last said of themselves, and of their breakers.

use std::collections::{BTreeMap, VecDeque};

use skstore_domain::signals::{Beat, BreakerChanged, Service};
use skstore_domain::time::Timestamp;

use crate::view::Health;
use crate::view::bounds::{BREAKER_HISTORY, INSTANCES, SILENT_FOR};

/// Beats and breaker changes by instance.
#[derive(Debug, Default)]
pub(super) struct Instances {
    beats: BTreeMap<(Service, String), Heard<Beat>>,
    breakers: BTreeMap<String, Heard<VecDeque<BreakerChanged>>>,
    /// The newest time in anybody's beat: the only clock there is here.
    newest: Timestamp,
}

/// Something said, and the newest beat of anyone when it was. An instance is silent by what others have said
/// since, not by its own clock, which may be wrong.
#[derive(Debug)]
struct Heard<T> {
    said: T,
    heard: Timestamp,
}

impl Instances {
    /// Takes a beat unless it was sent before the instance's last one. Whether it was taken.
    pub(super) fn beat(&mut self, beat: &Beat) -> bool {
        let key = (beat.service, beat.instance.clone());
        if self.beats.get(&key).is_some_and(|last| !beat.is_after(&last.said)) {
            return false;
        }
        self.newest = self.newest.max(beat.at);
        self.beats.insert(key, Heard { said: beat.clone(), heard: self.newest });
        self.forget_silent();
        true
    }

    /// Takes a breaker's change unless it is there. Whether it was taken.
    pub(super) fn breaker_changed(&mut self, change: &BreakerChanged) -> bool {
        let newest = self.newest;
        let history = self
            .breakers
            .entry(change.instance.clone())
            .or_insert_with(|| Heard { said: VecDeque::new(), heard: newest });
        history.heard = newest;
        let taken = remember(&mut history.said, change);
        keep_loudest(&mut self.breakers);
        taken
    }

    pub(super) fn health(&self) -> Health {
        let mut breaker_changes: Vec<BreakerChanged> =
            self.breakers.values().flat_map(|history| history.said.iter().rev().cloned()).collect();
        // Stable: the changes of one instance stay in the order in which they happened.
        breaker_changes.sort_by_key(|change| std::cmp::Reverse(change.at));
        Health { services: self.beats.values().map(|last| last.said.clone()).collect(), breaker_changes }
    }

    fn forget_silent(&mut self) {
        let newest = self.newest;
        self.beats.retain(|_, last| newest.since(last.heard) <= SILENT_FOR);
        keep_loudest(&mut self.beats);
        // A breaker rarely changes: its history stays for as long as its instance beats.
        let beats = &self.beats;
        self.breakers.retain(|instance, history| {
            newest.since(history.heard) <= SILENT_FOR || beats.keys().any(|(_, beating)| beating == instance)
        });
    }
}

/// Enters a change in the order of time. Whether it was not there yet.
fn remember(history: &mut VecDeque<BreakerChanged>, change: &BreakerChanged) -> bool {
    let same = |kept: &BreakerChanged| (kept.at, kept.from, kept.to) == (change.at, change.from, change.to);
    let at = history.partition_point(|kept| kept.at <= change.at);
    if history.iter().any(same) || (at == 0 && history.len() >= BREAKER_HISTORY) {
        return false;
    }
    history.insert(at, change.clone());
    if history.len() > BREAKER_HISTORY {
        history.pop_front();
    }
    true
}

fn keep_loudest<K: Ord + Clone, T>(heard: &mut BTreeMap<K, Heard<T>>) {
    while heard.len() > INSTANCES {
        let silent = heard.iter().min_by_key(|(_, last)| last.heard).map(|(key, _)| key.clone());
        let Some(silent) = silent else { break };
        heard.remove(&silent);
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::breaker::{BreakerSnapshot, BreakerState};

    use super::*;

    fn beat(instance: &str, at_s: i64) -> Beat {
        Beat {
            service: Service::Order,
            instance: instance.to_owned(),
            version: "1".to_owned(),
            started_at: Timestamp(0),
            at: Timestamp(at_s * 1000),
            number: 0,
            clock_ahead_ms: None,
            ready: true,
            last_error: None,
            handled: 0,
            per_second: 0,
            in_flight: 0,
            unsent: 0,
            fault: None,
            fault_left_ms: None,
            takes_faults: true,
            breaker: None,
            rebuilding: None,
            unheard: Vec::new(),
            answers: None,
            books: None,
            log: None,
            warnings: Vec::new(),
            past: Vec::new(),
            waits: Vec::new(),
            calls: None,
        }
    }

    fn change(instance: &str, at: i64) -> BreakerChanged {
        BreakerChanged {
            instance: instance.to_owned(),
            at: Timestamp(at),
            from: BreakerState::Closed,
            to: BreakerState::Open,
            why: String::new(),
            reason: None,
            breaker: BreakerSnapshot::default(),
        }
    }

    fn names(instances: &Instances) -> Vec<String> {
        instances.health().services.into_iter().map(|beat| beat.instance).collect()
    }

    #[test]
    fn an_instance_that_is_silent_while_others_beat_is_forgotten_with_its_breaker() {
        let mut instances = Instances::default();
        instances.beat(&beat("a", 100));
        instances.breaker_changed(&change("a", 100_000));
        instances.beat(&beat("b", 160));
        assert_eq!(names(&instances), ["a", "b"], "60 s is not long yet");
        instances.beat(&beat("b", 161));
        assert_eq!(names(&instances), ["b"]);
        assert_eq!(instances.health().breaker_changes, []);
    }

    #[test]
    fn the_history_of_a_calm_breaker_stays_while_its_instance_beats() {
        let mut instances = Instances::default();
        instances.breaker_changed(&change("a", 100_000));
        for at_s in 100..400 {
            instances.beat(&beat("a", at_s));
        }
        assert_eq!(instances.health().breaker_changes.len(), 1);
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_hide_the_other_instances() {
        let mut instances = Instances::default();
        for at_s in 100..110 {
            instances.beat(&beat("ahead", at_s + 3600));
            instances.beat(&beat("right", at_s));
        }
        assert_eq!(names(&instances), ["ahead", "right"]);
    }

    #[test]
    fn instances_without_end_do_not_fill_the_memory() {
        let mut instances = Instances::default();
        for n in 0..3 * INSTANCES {
            instances.beat(&beat(&format!("i{n}"), 100));
            instances.breaker_changed(&change(&format!("i{n}"), 1));
        }
        assert_eq!(instances.beats.len(), INSTANCES);
        assert_eq!(instances.breakers.len(), INSTANCES);
    }
}
