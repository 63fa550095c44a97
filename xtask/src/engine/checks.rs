//! What is checked, in this order: each leaves the desk as it found it.

use crate::desk::Desk as _;
use crate::desk::composed::Composed;
use crate::page::Page;

use super::{absence, outside, replacing, terminal, troubles};

/// Adds what it has seen to the page.
type Check = fn(&mut Composed, &mut Page) -> Result<(), String>;

/// The checks by their names.
pub(super) const CHECKS: [(&str, Check); 10] = [
    ("commands", outside::commands),
    ("gateway", outside::gateway),
    ("events", outside::events),
    ("terminal", terminal::run),
    ("troubles", troubles::run),
    ("scale", replacing::scale),
    ("rolling", replacing::rolling),
    ("absence", absence::broker),
    ("down", absence::down),
    ("audit", audit),
];

/// The books of all that came before.
fn audit(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let audited = desk.ask("audit")?;
    let report = audited.last().map(|last| last["audited"].clone()).unwrap_or_default();
    let seen = format!("{} orders, {} violations", report["orders"], report["violations"]);
    page.promise("`skstore audit` in the dashboard's container is clean", &seen, report["violations"] == 0);
    Ok(())
}
