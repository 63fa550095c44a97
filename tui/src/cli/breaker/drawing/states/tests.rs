//! What a line of states shows of what a breaker did.

use proptest::prelude::*;

use super::*;

const CLOSED: State = Some(BreakerState::Closed);
const OPEN: State = Some(BreakerState::Open);
const HALF_OPEN: State = Some(BreakerState::HalfOpen);

/// A line as people see it, of states that were entered at a time each.
fn line(shifts: &[(u64, State)], whole_us: u64, room: usize) -> String {
    let shifts: Vec<Shift> =
        shifts.iter().map(|(at_us, state)| Shift { at_us: *at_us, state: *state }).collect();
    let glyph = |state| match state {
        CLOSED => '_',
        OPEN => '#',
        HALF_OPEN => '=',
        None => '?',
    };
    columns(&shifts, whole_us, room).into_iter().map(glyph).collect()
}

#[test]
fn an_outage_reads_as_cycles_of_open_and_half_open() {
    let mut shifts = vec![(0, CLOSED), (20_000, OPEN)];
    for probe in 1..=4 {
        shifts.extend([(20_000 + probe * 5_100, HALF_OPEN), (20_100 + probe * 5_100, OPEN)]);
    }
    shifts.extend([(45_600, HALF_OPEN), (45_700, CLOSED)]);
    let cycles = line(&shifts, 60_000, 60);
    assert_eq!(cycles, "____________________#####=####=####=####=####=______________");
}

#[test]
fn cycles_that_are_more_than_the_columns_still_show_as_cycles() {
    let mut shifts = vec![(0, CLOSED), (10_000, OPEN)];
    for probe in 0..400 {
        shifts.extend([(10_050 + probe * 100, HALF_OPEN), (10_060 + probe * 100, OPEN)]);
    }
    shifts.extend([(50_050, HALF_OPEN), (50_060, CLOSED)]);
    assert_eq!(line(&shifts, 60_000, 30), "_____#=#=#=#=#=#=#=#=#=#=#____");
}

#[test]
fn a_burst_of_cycles_does_not_spread_over_times_at_which_nothing_was() {
    let mut shifts = vec![(0, CLOSED)];
    for cycle in 0..10 {
        let at = 30_000 + cycle * 30;
        shifts.extend([(at, OPEN), (at + 10, HALF_OPEN), (at + 20, CLOSED)]);
    }
    assert_eq!(line(&shifts, 60_000, 60), "_____________________________#=_____________________________");
    let at_the_end = [(0, CLOSED), (59_999, OPEN), (60_000, HALF_OPEN)];
    assert_eq!(line(&at_the_end, 60_000, 20), "__________________#=");
}

#[test]
fn nothing_at_all_is_drawn_as_nothing() {
    assert_eq!(line(&[], 0, 3), "???");
    assert_eq!(line(&[(0, CLOSED)], 0, 3), "___");
    assert_eq!(line(&[(0, CLOSED), (0, OPEN)], 0, 2), "_#");
}

fn shifts() -> impl Strategy<Value = Vec<(u64, State)>> {
    let state = prop::sample::select(vec![CLOSED, OPEN, HALF_OPEN, None]);
    let stretch = (prop_oneof![0..3_u64, 0..100_u64, 0..10_000_u64], state);
    prop::collection::vec(stretch, 1..60).prop_map(|stretches| {
        let mut at = 0;
        let timed = stretches.into_iter().map(|(after, state)| {
            let entered = at;
            at += after;
            (entered, state)
        });
        let mut timed: Vec<_> = timed.collect();
        timed.dedup_by_key(|(_, state)| *state);
        timed
    })
}

proptest! {
    #[test]
    fn every_state_that_was_entered_is_shown_if_there_are_columns_enough(
        shifts in shifts(), more in 0..60_usize, after in 0..100_u64,
    ) {
        let (room, whole) = (shifts.len() + more, shifts.last().map_or(0, |(at, _)| *at) + after);
        let shown = line(&shifts, whole, room);
        prop_assert_eq!(shown.chars().count(), room);
        for state in [CLOSED, OPEN, HALF_OPEN, None] {
            let entered = shifts.iter().any(|(_, entered)| *entered == state);
            prop_assert_eq!(shown.contains(&line(&[(0, state)], 1, 1)), entered, "{:?} in {}", state, shown);
        }
    }

    #[test]
    fn an_opening_never_vanishes(shifts in shifts(), room in 1..200_usize, after in 0..100_u64) {
        let whole = shifts.last().map_or(0, |(at, _)| *at) + after;
        let shown = line(&shifts, whole, room);
        prop_assert_eq!(shown.chars().count(), room);
        prop_assert_eq!(shown.contains('#'), shifts.iter().any(|(_, state)| *state == OPEN), "{}", shown);
    }

    #[test]
    fn what_lasts_for_a_column_each_is_shown_where_it_was(
        stretches in prop::collection::vec((1..5_u64, prop::sample::select(vec![CLOSED, OPEN, HALF_OPEN, None])), 1..30),
    ) {
        let (mut shifts, mut at, mut expected) = (Vec::new(), 0, String::new());
        for (columns, state) in stretches {
            shifts.push((at * 10, state));
            at += columns;
            let glyph = line(&[(0, state)], 1, 1);
            expected.push_str(&glyph.repeat(usize::try_from(columns).unwrap()));
        }
        prop_assert_eq!(line(&shifts, at * 10, expected.chars().count()), expected);
    }
}
