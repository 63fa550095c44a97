//! Can the dashboard be shown here, and how will it look?

use std::io::IsTerminal;

use ratatui::layout::Size;
use skstore::dashboard::{size, state};
use skstore::terminal::size::known;
use skstore::text::Text;
use skstore::theme::can_be_drawn_on;

use super::finding::{Checked, Finding, Said};

/// What the environment says of the terminal.
pub(super) struct Look {
    pub(super) term: String,
    /// How the dashboard would look; not known without settings.
    pub(super) look: Option<state::Look>,
    /// What `TZ` says, if it means nothing here.
    pub(super) unknown_zone: Option<String>,
    /// The size that counts where the terminal does not know its own.
    pub(super) assumed: Size,
}

pub(super) fn check(look: &Look) -> Finding {
    let is_terminal = std::io::stdout().is_terminal();
    let size = is_terminal.then(crossterm::terminal::size).transpose().ok().flatten();
    judge(look, is_terminal, std::io::stdin().is_terminal(), size)
}

/// `size` is in columns and rows, if the terminal tells it.
fn judge(look: &Look, out: bool, keys: bool, size: Option<(u16, u16)>) -> Finding {
    if !out {
        return Finding::ok(Checked::Terminal, Text::DoctorNoTerminal);
    }
    if !keys {
        return wrong(Text::DoctorNoKeys, Text::DoctorGiveKeys);
    }
    if !can_be_drawn_on(&look.term) {
        let remedy = "export TERM=xterm-256color".to_owned();
        return wrong(Said::text(Text::DoctorNoTerm, &[&look.term]), remedy);
    }
    let told = size.unwrap_or_default();
    let counts = if size.is_some() { known(told.into(), look.assumed) } else { Size::ZERO };
    let (columns, rows) = (counts.width, counts.height);
    if columns < size::MIN_WIDTH || rows < size::MIN_HEIGHT {
        let found = Said::text(Text::DoctorSmall, &[&columns, &rows]);
        return wrong(found, Said::text(Text::DoctorEnlarge, &[&size::MIN_WIDTH, &size::MIN_HEIGHT]));
    }
    if let Some(zone) = &look.unknown_zone {
        return wrong(Said::text(Text::DoctorNoZone, &[zone]), Text::DoctorGiveZone);
    }
    let mut found = format!("{}, {columns}x{rows}", look.term);
    if let Some(look) = &look.look {
        let characters = if look.glyphs.is_ascii { "ASCII" } else { "UTF-8" };
        found.push_str(&format!(", {characters}, ui.theme {}", look.theme.word()));
    }
    Finding::ok(Checked::Terminal, found)
}

fn wrong(found: impl Into<Said>, remedy: impl Into<Said>) -> Finding {
    Finding::wrong(Checked::Terminal, found, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dashboard_cannot_use_is_told_with_a_remedy() {
        let assumed = Size::new(80, 24);
        let term = |term: &str| Look { term: term.into(), look: None, unknown_zone: None, assumed };
        let big = Some((120, 40));
        let table = [
            (term("xterm"), true, true, big, true),
            (term(""), false, false, None, true),
            (term("xterm"), true, false, big, false),
            (term(""), true, true, big, false),
            (term("dumb"), true, true, big, false),
            (term("xterm"), true, true, Some((59, 40)), false),
            (term("xterm"), true, true, Some((120, 15)), false),
            (term("xterm"), true, true, Some((0, 0)), true),
            (term("xterm"), true, true, None, false),
        ];
        let lost = Look { unknown_zone: Some("Asia/Soeul".into()), ..term("xterm") };
        assert_eq!(judge(&lost, true, true, big).to_json()["ok"], false, "a zone that nobody knows");
        for (look, out, keys, size, is_well) in table {
            let json = judge(&look, out, keys, size).to_json();
            assert_eq!(json["ok"], is_well, "TERM={} {out} {keys} {size:?}: {json}", look.term);
            assert_eq!(json.get("remedy").is_some(), !is_well, "{json}");
        }
    }
}
