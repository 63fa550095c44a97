//! Forms: fields, the list to choose from, and what the order would cost.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::objects::Item;

use super::header::grouped;
use super::ink::{Ink, paint};
use crate::dashboard::state::State;
use crate::dashboard::state::form::{AccountChoice, Field, Form, FormKind};
use crate::dashboard::state::input::TextInput;
use crate::dashboard::state::items::name_of;
use crate::text::{Text, fit};

/// Columns of a form, with its frame.
const WIDTH: u16 = 66;
/// Choices that are shown at once.
const CHOICES: usize = 5;
/// Columns of the field that is typed into.
const TYPED: usize = 22;
/// Rows of a form: frame, three fields, choices, a line of more, total, two lines of warning.
const HEIGHT: u16 = 2 + 3 + 5 + 1 + 1 + 2;

pub(super) fn draw(state: &State, form: &Form, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let title = ink.text(match form.kind {
        FormKind::Place => Text::FormPlace,
        FormKind::TopUp => Text::FormTopUp,
        FormKind::Restock => Text::FormRestock,
    });
    let area = ink.window(frame, title, WIDTH, HEIGHT);
    let width = usize::from(area.width);
    let label = label_width(ink, form.kind);
    let mut lines = Vec::new();
    for field in form.kind.fields() {
        if *field == form.field() {
            place_cursor(form, frame, area, label, lines.len());
            lines.extend(focused(state, form, ink, *field, label, width));
        } else {
            lines.push(Line::from(vec![
                label_span(ink, form.kind, *field, label),
                Span::raw(ink.short(&chosen(state, form, ink, *field), width.saturating_sub(label + 2))),
            ]));
        }
    }
    lines.extend(meaning(state, form, ink, width, label));
    paint(frame, area, &lines);
}

const fn label_of(kind: FormKind, field: Field) -> Text {
    match (field, kind) {
        (Field::Item, _) => Text::FieldItem,
        (Field::Customer, _) => Text::FieldCustomer,
        (Field::Number, FormKind::Place) => Text::FieldQty,
        (Field::Number, FormKind::TopUp) => Text::FieldAmount,
        (Field::Number, FormKind::Restock) => Text::FieldUnits,
    }
}

fn label_width(ink: &Ink<'_>, kind: FormKind) -> usize {
    let labels = kind.fields().iter().map(|field| label_of(kind, *field)).chain([Text::FieldTotal]);
    labels.map(|text| fit::width(ink.text(text))).max().unwrap_or(0)
}

fn label_span(ink: &Ink<'_>, kind: FormKind, field: Field, width: usize) -> Span<'static> {
    Span::styled(format!("{}  ", ink.left(ink.text(label_of(kind, field)), width)), ink.theme.dim)
}

fn input_of(form: &Form, field: Field) -> &TextInput {
    match field {
        Field::Item => &form.item.query,
        Field::Customer => &form.customer.query,
        Field::Number => &form.number,
    }
}

/// The terminal's own cursor stands where is typed: there it composes Hangul.
fn place_cursor(form: &Form, frame: &mut Frame<'_>, area: Rect, label: usize, row: usize) {
    let typed = fit::width(fit::tail(input_of(form, form.field()).before_cursor(), TYPED - 1));
    let x = u16::try_from(label + 2 + typed).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    let y = u16::try_from(row).unwrap_or(u16::MAX).min(area.height.saturating_sub(1));
    frame.set_cursor_position((area.x + x, area.y + y));
}

/// The field that has the keys: what is typed, what that means, and the list.
fn focused(
    state: &State,
    form: &Form,
    ink: &Ink<'_>,
    field: Field,
    label: usize,
    width: usize,
) -> Vec<Line<'static>> {
    let input = input_of(form, field);
    let before = fit::tail(input.before_cursor(), TYPED - 1);
    let typed = format!("{before}{}", &input.text()[input.before_cursor().len()..]);
    let room = width.saturating_sub(label + 2 + TYPED + 1);
    let means = if field == Field::Number { String::new() } else { chosen(state, form, ink, field) };
    let first = Line::from(vec![
        label_span(ink, form.kind, field, label),
        Span::styled(ink.left(&typed, TYPED), ink.theme.field),
        Span::styled(format!(" {}", ink.short(&means, room)), ink.theme.strong),
    ]);
    let choices = match field {
        Field::Item => item_choices(state, form, ink),
        Field::Customer => account_choices(state, form, ink),
        Field::Number => return vec![first],
    };
    let mut lines = vec![first];
    lines.extend(choices_lines(ink, &choices, label, width));
    lines
}

/// A list to choose from: at most a window of [`CHOICES`] around the highlighted one is put into words.
struct Choices {
    shown: Vec<(String, String)>,
    highlighted: usize,
    hidden: usize,
}

impl Choices {
    fn of<T>(all: &[T], highlighted: usize, words: impl Fn(&T) -> (String, String)) -> Self {
        let first = highlighted.saturating_sub(CHOICES / 2).min(all.len().saturating_sub(CHOICES));
        let shown: Vec<(String, String)> = all.iter().skip(first).take(CHOICES).map(words).collect();
        Self { hidden: all.len() - shown.len(), highlighted: highlighted - first, shown }
    }
}

fn item_choices(state: &State, form: &Form, ink: &Ink<'_>) -> Choices {
    let found = form.item.items(&state.pickable.items);
    let at = form.item.highlighted(found.iter().map(|item| item.item_id.as_str()));
    Choices::of(&found, at, |item| {
        (format!("{} {}", item.item_id, name_of(item, ink.language)), item_facts(ink, item))
    })
}

fn account_choices(state: &State, form: &Form, ink: &Ink<'_>) -> Choices {
    let found = form.customer.accounts(&state.pickable);
    let at = form.customer.highlighted(found.iter().map(|choice| choice.customer().as_str()));
    Choices::of(&found, at, |choice| (choice.customer().to_string(), account_facts(ink, choice)))
}

fn choices_lines(ink: &Ink<'_>, choices: &Choices, label: usize, width: usize) -> Vec<Line<'static>> {
    let indent = " ".repeat(label + 2);
    if choices.shown.is_empty() {
        return vec![Line::from(Span::styled(
            format!("{indent}{}", ink.text(Text::NothingMatches)),
            ink.theme.warn,
        ))];
    }
    let room = width.saturating_sub(label + 4);
    let name = room * 2 / 5;
    let mut lines: Vec<Line<'static>> = choices
        .shown
        .iter()
        .enumerate()
        .map(|(at, (words, facts))| {
            let is_highlighted = at == choices.highlighted;
            let marker = if is_highlighted { ink.glyphs.marker } else { " " };
            let style = if is_highlighted { ink.theme.selected } else { Style::new() };
            let text = format!("{marker} {} {}", ink.left(words, name), ink.left(facts, room - name - 1));
            Line::from(vec![Span::raw(indent.clone()), Span::styled(text, style)])
        })
        .collect();
    if choices.hidden > 0 {
        let more = ink.fill(Text::MoreChoices, &[&choices.hidden]);
        lines.push(Line::from(Span::styled(format!("{indent}  {more}"), ink.theme.dim)));
    }
    lines
}

/// What is chosen in a field, in words.
fn chosen(state: &State, form: &Form, ink: &Ink<'_>, field: Field) -> String {
    match field {
        Field::Item => form.chosen_item(&state.pickable).map_or_else(String::new, |item| {
            format!("{} ({})", name_of(item, ink.language), item_facts(ink, item))
        }),
        Field::Customer => form.chosen_account(&state.pickable).map_or_else(String::new, |choice| {
            format!("{} ({})", choice.customer(), account_facts(ink, &choice))
        }),
        Field::Number => form.number.text().to_owned(),
    }
}

fn item_facts(ink: &Ink<'_>, item: &Item) -> String {
    let price = ink.fill(Text::WonAmount, &[&item.unit_price]);
    format!("{price}, {}", ink.fill(Text::Stock, &[&grouped(item.stock)]))
}

fn account_facts(ink: &Ink<'_>, choice: &AccountChoice<'_>) -> String {
    match choice {
        AccountChoice::Known(account) => ink.fill(Text::Balance, &[&account.balance]),
        AccountChoice::New(_) => ink.text(Text::NewAccount).to_owned(),
        AccountChoice::Unlisted(_) => ink.text(Text::UnlistedAccount).to_owned(),
    }
}

/// What it would cost, and what is likely to go wrong, before it is sent.
fn meaning(state: &State, form: &Form, ink: &Ink<'_>, width: usize, label: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let quote = if form.kind == FormKind::Place { form.quote(&state.pickable) } else { None };
    if let Some(quote) = quote {
        let mut spans = vec![
            Span::styled(format!("{}  ", ink.left(ink.text(Text::FieldTotal), label)), ink.theme.dim),
            Span::styled(ink.fill(Text::WonAmount, &[&quote.total]), ink.theme.strong),
        ];
        if let Some(left) = quote.balance.and_then(|balance| balance.less(quote.total)) {
            spans.push(Span::styled(format!("  {}", ink.fill(Text::BalanceAfter, &[&left])), ink.theme.dim));
        }
        lines.push(Line::from(spans));
    }
    let short = quote.and_then(|quote| quote.short_by).map(|short| ink.fill(Text::WarnShort, &[&short]));
    let stock = quote.and_then(|quote| quote.only_in_stock);
    let stock = stock.map(|stock| ink.fill(Text::WarnStock, &[&grouped(stock)]));
    let problem = form.problem.map(|problem| ink.text(problem).to_owned());
    for warning in short.into_iter().chain(stock).chain(problem) {
        let text = format!("{} {warning}", ink.glyphs.bad);
        lines.push(Line::from(Span::styled(ink.short(&text, width), ink.theme.bad)));
    }
    lines
}
