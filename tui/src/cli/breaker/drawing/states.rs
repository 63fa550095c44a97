//! The states of one side over time as a line of columns. What was entered for less than a column has one all the same, as
//! near to its time as there is room: a breaker that opens again and again shows by its half-open moments alone.

use std::ops::Range;

use skstore_domain::breaker::BreakerState;
use skstore_domain::breaker::replay::Shift;

type State = Option<BreakerState>;

/// A state and the column in which it was entered.
type Stretch = (usize, State);

/// What enters one column is told as whole cycles up to this many states: one of each.
const IN_ONE_COLUMN: usize = 3;

/// What each of `room` columns shows of `shifts`, which are in the order of time and end at `whole_us`.
pub(super) fn columns(shifts: &[Shift], whole_us: u64, room: usize) -> Vec<State> {
    let last = room.saturating_sub(1);
    let column_of = |at_us: u64| {
        let column = u128::from(at_us.min(whole_us)) * room as u128 / u128::from(whole_us.max(1));
        usize::try_from(column).unwrap_or(last).min(last)
    };
    let entered: Vec<Stretch> = shifts.iter().map(|shift| (column_of(shift.at_us), shift.state)).collect();
    let told: Vec<Stretch> = entered.chunk_by(|one, next| one.0 == next.0).flat_map(fewer_cycles).collect();
    if told.len() <= room { placed(&told, room) } else { in_turn(&entered, room) }
}

/// What was entered in one column without the cycles that only repeat others of them.
fn fewer_cycles(entered: &[Stretch]) -> Vec<Stretch> {
    let mut kept = Vec::new();
    for stretch in entered {
        kept.push(*stretch);
        while kept.len() > IN_ONE_COLUMN
            && let Some(cycle) = repeated(&kept)
        {
            kept.drain(cycle);
        }
    }
    kept
}

/// A cycle that leads back to the state before it and enters nothing that is not entered besides.
fn repeated(kept: &[Stretch]) -> Option<Range<usize>> {
    (0..kept.len()).find_map(|from| {
        let rest = &kept[from + 1..];
        let again = rest.iter().position(|(_, state)| *state == kept[from].1)?;
        let cycle = from + 1..from + again + 2;
        let besides =
            |state: State| (0..kept.len()).any(|other| !cycle.contains(&other) && kept[other].1 == state);
        kept[cycle.clone()].iter().all(|(_, state)| besides(*state)).then_some(cycle)
    })
}

/// Stretches that are no more than there are columns: each has one at least, and all of them are moved as little as that takes.
fn placed(stretches: &[Stretch], room: usize) -> Vec<State> {
    // Columns that follow each other are equal ones once each is moved left by its place. What would go down is moved to
    // where it is in the middle, which is the least for all of it.
    let mut level: Vec<(i64, i64)> = Vec::new();
    for (place, (column, _)) in stretches.iter().enumerate() {
        let mut pool = (signed(*column) - signed(place), 1);
        while let Some(before) = level.pop_if(|before| before.0 * pool.1 > pool.0 * before.1) {
            pool = (before.0 + pool.0, before.1 + pool.1);
        }
        level.push(pool);
    }
    let most = signed(room - stretches.len());
    let moved = level.iter().flat_map(|(sum, count)| {
        let each = (2 * sum + count).div_euclid(2 * count).clamp(0, most);
        std::iter::repeat_n(each, usize::try_from(*count).unwrap_or(0))
    });
    let mut shown = vec![None; room];
    for ((place, (_, state)), level) in stretches.iter().enumerate().zip(moved) {
        let first = place + usize::try_from(level).unwrap_or(0);
        shown[first..].fill(*state);
    }
    shown
}

/// More than there are columns: of what was in a column the most that the breaker was away, but half-open beside an open that
/// the column before shows, so that neither hides the other.
fn in_turn(entered: &[Stretch], room: usize) -> Vec<State> {
    let (open, half_open) = (Some(BreakerState::Open), Some(BreakerState::HalfOpen));
    let mut shown: Vec<State> = Vec::with_capacity(room);
    let mut rest = entered;
    let mut before = None;
    for column in 0..room {
        let (here, later) = rest.split_at(rest.iter().take_while(|(entered, _)| *entered == column).count());
        rest = later;
        let has = |state: State| before == state || here.iter().any(|(_, entered)| *entered == state);
        let last = shown.last().copied().flatten();
        let state = [open, half_open, Some(BreakerState::Closed)];
        let of_both = has(open) && has(half_open) && last == open;
        shown.push(if of_both { half_open } else { state.into_iter().find(|state| has(*state)).flatten() });
        before = here.last().map_or(before, |(_, state)| *state);
    }
    shown
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
