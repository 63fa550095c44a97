//! The orders that come in while something happens.

use crate::desk::composed::Composed;
use crate::desk::{Desk as _, until};
use crate::page::Page;
use crate::traffic::{Seen, Traffic};

/// Begins to place 20 orders a second, and waits until they come in.
pub(super) fn begin(desk: &mut Composed, run: &str, seconds: u64) -> Result<Traffic, String> {
    let mut load = Traffic::begin(desk, &format!("load --rate 20 -t {seconds}s --run {run} --fund"))?;
    let ours = format!("load-{run}-");
    until(desk, "orders come in", |desk| {
        if load.has_ended() {
            return Err(format!("the load {run} has ended before any order was seen"));
        }
        let newest = desk.ask("orders --limit 1")?;
        Ok(newest
            .first()
            .and_then(|order| order["order_id"].as_str())
            .is_some_and(|id| id.starts_with(&ours)))
    })?;
    Ok(load)
}

/// Adds whether all of them were answered, and have ended.
pub(super) fn all_were_answered(page: &mut Page, what: &str, how: &str, seen: &Seen) {
    let n = |path: &str| seen.number(path);
    page.promise(
        &format!("{what}: every order is answered, and ends"),
        &format!(
            "{how}; {} accepted, {} refused, {} not answered, {} open",
            n("ok"),
            n("refused"),
            n("failed"),
            n("became.open")
        ),
        n("failed") == 0 && n("answered") == n("sent") && n("became.open") == 0,
    );
}
