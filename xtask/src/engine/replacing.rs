//! More containers of a service, fewer again, and others in their place, while orders come in.

use std::time::Instant;

use super::orders;
use crate::desk::composed::{CHANGED_WITHIN, Composed, well_within};
use crate::desk::{Desk as _, SERVICES, until};
use crate::page::Page;

/// How long orders come in meanwhile, in seconds: as long as it takes on a slow machine.
const SECONDS: u64 = 60;

/// Three containers each of Order and Deposit, which share their stores, and one again.
pub(super) fn scale(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let load = orders::begin(desk, "scale", SECONDS)?;
    let begun = Instant::now();
    desk.scale(&[("order", 3), ("deposit", 3)])?;
    until(desk, "three workers of Order and of Deposit take work", |desk| {
        let ready = desk.ready()?;
        let count = |service: &str| ready.iter().filter(|(of, _)| of == service).count();
        Ok(count("order") == 3 && count("deposit") == 3)
    })?;
    let there = begun.elapsed();
    desk.scale(&[("order", 1), ("deposit", 1)])?;
    let how = format!("three after {} s, one after {} s", there.as_secs(), begun.elapsed().as_secs());
    orders::all_were_answered(page, "`--scale` of order and deposit 1 → 3 → 1", &how, &load.end()?);
    Ok(())
}

/// Each worker is replaced: another container beside it, and once that one takes work, the old one is stopped.
pub(super) fn rolling(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let load = orders::begin(desk, "rolling", SECONDS)?;
    let begun = Instant::now();
    for service in SERVICES {
        let (old, known) = (desk.workers(service)?, desk.ready()?);
        desk.start(service)?;
        for new in desk.workers(service)?.iter().filter(|name| !old.contains(name)) {
            well_within(new, CHANGED_WITHIN)?;
        }
        until(desk, &format!("the new worker of {service} takes work"), |desk| {
            Ok(desk.ready()?.iter().any(|beat| beat.0 == service && !known.contains(beat)))
        })?;
        for worker in old {
            desk.end(&worker)?;
        }
    }
    let how = format!("after {} s", begun.elapsed().as_secs());
    orders::all_were_answered(page, "another container in the place of each worker", &how, &load.end()?);
    Ok(())
}
