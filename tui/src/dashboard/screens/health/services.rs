//! What the workers last said of themselves.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::faults::Fault;
use skstore_domain::signals::Beat;

use crate::dashboard::ink::Ink;
use crate::dashboard::state::{SILENT_AFTER, State};
use crate::text::faults::beat_fault_words;
use crate::text::numbers::compact;
use crate::text::waits::wait_words;
use crate::text::words::Worded;
use crate::text::{Text, fit, times};

/// Columns of an instance's number: enough of its end to tell instances apart.
const INSTANCE: usize = 6;
/// Columns of the numbers.
const NUMBER: usize = 6;
/// Columns of a version.
const VERSION: usize = 8;
/// Columns of what is shown besides from this many columns on.
const MORE: usize = 1 + NUMBER + 1 + NUMBER + 1 + VERSION;
const WIDE_FROM: usize = 74;

/// A line for each instance; with `whole` also what is wrong with it, and what was.
pub(crate) fn lines(state: &State, ink: &Ink<'_>, width: usize, whole: bool) -> Vec<Line<'static>> {
    let mut lines = vec![ink.rule(ink.text(Text::ServicesTitle), "", width)];
    if state.health.services.is_empty() {
        lines.push(Line::from(Span::styled(
            format!(" {}", ink.short(ink.text(Text::NoServices), width.saturating_sub(1))),
            ink.theme.dim,
        )));
        return lines;
    }
    let columns = Columns::of(ink, width);
    lines.push(heading(ink, &columns));
    for beat in &state.health.services {
        lines.push(line(state, ink, &columns, beat));
        if whole {
            lines.extend(troubles(state, ink, width, beat));
        }
    }
    lines
}

struct Columns {
    service: usize,
    state: usize,
    beat: usize,
    /// Whether there is room for how long an instance runs, its version, and what it has in hand.
    has_more: bool,
}

impl Columns {
    fn of(ink: &Ink<'_>, width: usize) -> Self {
        let widest = |texts: &[Text]| texts.iter().map(|text| fit::width(ink.text(*text))).max().unwrap_or(0);
        let service = widest(&[
            Text::ServiceOrder,
            Text::ServiceDeposit,
            Text::ServiceItem,
            Text::ServiceMyInfo,
            Text::ColumnService,
        ]);
        let min = widest(&[Text::ServiceReady, Text::ServiceNotReady, Text::ServiceSilent]);
        let beat = widest(&[Text::ColumnBeat]).max(4);
        // Mark, blanks between six columns.
        let fixed = 2 + service + 1 + INSTANCE + 1 + 1 + beat + 2 * (1 + NUMBER);
        let has_more = width >= WIDE_FROM;
        let fixed = if has_more { fixed + MORE } else { fixed };
        Self { service, state: width.saturating_sub(fixed).min(14).max(min), beat, has_more }
    }
}

fn heading(ink: &Ink<'_>, columns: &Columns) -> Line<'static> {
    let text = format!(
        "  {} {} {} {} {} {}",
        ink.left(ink.text(Text::ColumnService), columns.service),
        ink.left(ink.text(Text::ColumnInstance), INSTANCE),
        ink.left(ink.text(Text::ColumnState), columns.state),
        ink.right(ink.text(Text::ColumnBeat), columns.beat),
        ink.right(ink.text(Text::ColumnRate), NUMBER),
        ink.right(ink.text(Text::ColumnUnsent), NUMBER),
    );
    let more = if columns.has_more {
        format!(
            " {} {} {}",
            ink.right(ink.text(Text::ColumnInFlight), NUMBER),
            ink.right(ink.text(Text::ColumnUp), NUMBER),
            ink.left(ink.text(Text::ColumnVersion), VERSION),
        )
    } else {
        String::new()
    };
    Line::from(Span::styled(text + &more, ink.theme.dim))
}

fn line(state: &State, ink: &Ink<'_>, columns: &Columns, beat: &Beat) -> Line<'static> {
    let age = state.now.since(beat.at);
    let (word, style, mark) = if age > SILENT_AFTER {
        (ink.text(Text::ServiceSilent).to_owned(), ink.theme.bad, ink.glyphs.bad)
    } else if let Some(fault) = &beat.fault {
        (fault_kind(ink, fault), ink.theme.warn, ink.glyphs.bad)
    } else if beat.ready {
        (ink.text(Text::ServiceReady).to_owned(), ink.theme.ok, ink.glyphs.ok)
    } else {
        (ink.text(Text::ServiceNotReady).to_owned(), ink.theme.bad, ink.glyphs.bad)
    };
    let unsent = if beat.unsent > 0 { ink.theme.warn } else { ink.theme.dim };
    let mut line = Line::from(vec![
        Span::styled(format!("{mark} "), style),
        Span::raw(ink.left(ink.word(&beat.service), columns.service)),
        Span::styled(format!(" {} ", ink.left(instance_end(&beat.instance), INSTANCE)), ink.theme.dim),
        Span::styled(ink.left(&word, columns.state), style),
        Span::styled(format!(" {} ", ink.right(&times::age(ink.language, age), columns.beat)), ink.theme.dim),
        Span::raw(ink.right(&compact(beat.per_second), NUMBER)),
        Span::styled(format!(" {}", ink.right(&compact(beat.unsent), NUMBER)), unsent),
    ]);
    if columns.has_more {
        let up = times::age(ink.language, state.now.since(beat.started_at));
        let more = format!(
            " {} {} {}",
            ink.right(&compact(beat.in_flight), NUMBER),
            ink.right(&up, NUMBER),
            ink.left(&beat.version, VERSION),
        );
        line.push_span(Span::styled(more, ink.theme.dim));
    }
    line
}

/// What a worker has to say: its fault, why it takes no work, what has to be put right, who waits for long, and what is
/// over.
fn troubles(state: &State, ink: &Ink<'_>, width: usize, beat: &Beat) -> Vec<Line<'static>> {
    let fault = beat_fault_words(ink.language, beat, state.now.max(beat.at))
        .map(|fault| (ink.fill(Text::InjectedFault, &[&fault]), ink.theme.warn));
    let error = beat.last_error.as_ref().map(|error| {
        // Of a version that kept what was over in the place of what is.
        let (text, style) =
            if beat.ready { (Text::WasWrong, ink.theme.dim) } else { (Text::LastError, ink.theme.bad) };
        (ink.fill(text, &[error]), style)
    });
    let warnings = beat.warnings.iter().map(|what| (ink.fill(Text::PutRight, &[what]), ink.theme.warn));
    let waits = beat
        .waits
        .iter()
        .map(|wait| (wait_words(ink.language, wait, state.now.max(beat.at)), ink.theme.warn));
    let past = beat.past.last().map(|past| {
        let ago = times::age(ink.language, state.now.max(beat.at).since(past.at));
        (ink.fill(Text::WasWrongAgo, &[&past.what, &ago]), ink.theme.dim)
    });
    let indented = |(text, style): (String, Style)| {
        fit::wrap(&text, width.saturating_sub(3), 2, ink.glyphs.more)
            .into_iter()
            .map(move |line| Line::from(Span::styled(format!("   {line}"), style)))
            .collect::<Vec<_>>()
    };
    fault.into_iter().chain(error).chain(warnings).chain(waits).chain(past).flat_map(indented).collect()
}

/// A fault's kind, for a column.
fn fault_kind(ink: &Ink<'_>, fault: &str) -> String {
    Fault::parse(fault).map_or_else(|_| fault.to_owned(), |fault| ink.text(fault.text()).to_owned())
}

/// The end of an instance's name, by which instances of one service differ.
pub(crate) fn instance_end(instance: &str) -> &str {
    instance.char_indices().rev().nth(INSTANCE - 1).map_or(instance, |(at, _)| &instance[at..])
}
