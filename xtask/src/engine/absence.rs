//! What is away for longer: the broker for a minute, and everything at once.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::orders;
use crate::desk::composed::{CHANGED_WITHIN, Composed};
use crate::desk::{Desk as _, SERVICES, all_take_work, until};
use crate::docker;
use crate::page::Page;

/// How long the broker is away.
const AWAY: Duration = Duration::from_secs(60);
/// How long orders come in afterwards, in seconds.
const SECONDS: u64 = 5;

/// The broker is stopped for a minute: every worker waits for it, none ends.
pub(super) fn broker(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let before = starts(desk)?;
    desk.compose().ask(&["stop", "rabbitmq"], CHANGED_WITHIN)?;
    std::thread::sleep(AWAY);
    desk.compose().ask(&["start", "rabbitmq"], CHANGED_WITHIN)?;
    let begun = Instant::now();
    until(desk, "all workers take work again", all_take_work)?;
    let again = begun.elapsed().as_secs();
    let seen = orders::begin(desk, "absence", SECONDS)?.end()?;
    let restarted = starts(desk)?.into_iter().filter(|start| !before.contains(start)).count();
    page.promise(
        &format!(
            "the broker is away for {} s: no worker starts anew, orders are taken afterwards",
            AWAY.as_secs()
        ),
        &format!("{restarted} started anew; ready {again} s after; {} accepted", seen.number("ok")),
        restarted == 0 && seen.number("ok") > 0 && seen.number("became.open") == 0,
    );
    Ok(())
}

/// When the containers of the workers and the gateway were last started, and how often they were.
fn starts(desk: &Composed) -> Result<Vec<String>, String> {
    let mut starts = Vec::new();
    for service in SERVICES.into_iter().chain(["gateway"]) {
        for container in desk.compose().containers(service)? {
            starts.push(docker::inspect(&container, "{{.Id}} {{.RestartCount}} {{.State.StartedAt}}")?);
        }
    }
    Ok(starts)
}

/// Everything is taken down and brought up again: what was there is there.
pub(super) fn down(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let known = |desk: &Composed| -> Result<Vec<Value>, String> {
        let mut known = desk.ask("orders --limit 20")?;
        known.extend(desk.ask("accounts")?);
        known.extend(desk.ask("items")?);
        Ok(known)
    };
    let before = known(desk)?;
    let nameless = nameless_volumes(desk)?;
    page.promise(
        "no `down` leaves volumes without a name behind",
        &format!("{nameless} of them"),
        nameless == 0,
    );
    let begun = Instant::now();
    desk.down()?;
    desk.up()?;
    // Redis keeps nothing: the view is built from the logs again.
    let is_back = |desk: &Composed| Ok(known(desk)? == before);
    until(desk, "the view has again what it had", is_back)?;
    let seen = orders::begin(desk, "afterwards", SECONDS)?.end()?;
    page.promise(
        "`down`, `up -d`: orders, accounts and items are what they were, orders are taken",
        &format!(
            "{} of them; back after {} s; {} accepted",
            before.len(),
            begun.elapsed().as_secs(),
            seen.number("ok")
        ),
        before.len() > 3 && seen.number("ok") > 0,
    );
    Ok(())
}

/// How many volumes there are that the compose file does not name: nobody would find what is in them.
fn nameless_volumes(desk: &Composed) -> Result<usize, String> {
    const VOLUMES: &str = "{{range .Mounts}}{{if eq .Type \"volume\"}}{{.Name}} {{end}}{{end}}";
    let mut count = 0;
    for service in SERVICES.into_iter().chain(["gateway", "rabbitmq", "redis", "postgres"]) {
        for container in desk.compose().containers(service)? {
            let volumes = docker::inspect(&container, VOLUMES)?;
            let named = format!("{}_", desk.compose().project);
            count += volumes.split_whitespace().filter(|volume| !volume.starts_with(&named)).count();
        }
    }
    Ok(count)
}
