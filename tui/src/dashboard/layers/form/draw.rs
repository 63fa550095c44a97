//! How a form looks: fields, the list to choose from, what the order would cost.

use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::objects::Item;

use super::state::{AccountChoice, Field, Form, FormKind, FormSpot};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::layers::input::TextInput;
use crate::dashboard::shown::Spot;
use crate::dashboard::state::State;
use crate::text::names::name_of;
use crate::text::numbers::grouped;
use crate::text::{Text, fit};

/// Columns of a form, with its frame.
const WIDTH: u16 = 66;
/// Choices that are shown at once.
const CHOICES: usize = 5;
/// Columns of the field that is typed into.
const TYPED: usize = 22;
/// Rows of a form: frame, three fields, choices, a line of more, total, two lines of warning, buttons.
const HEIGHT: u16 = 2 + 3 + 5 + 1 + 1 + 2 + 1;

/// A line of a form, and what of it can be clicked: between which columns, later ones over earlier ones.
struct Row {
    line: Line<'static>,
    spots: Vec<(Range<usize>, FormSpot)>,
}

impl Row {
    const fn inert(line: Line<'static>) -> Self {
        Self { line, spots: Vec::new() }
    }

    /// One that is the same spot wherever it is clicked.
    fn whole(line: Line<'static>, spot: FormSpot) -> Self {
        Self { line, spots: vec![(0..usize::MAX, spot)] }
    }

    /// Adds a button at its end.
    fn button(mut self, style: Style, text: String, spot: FormSpot) -> Self {
        let from = self.line.width() + 1;
        self.spots.push((from..from + fit::width(&text), spot));
        self.line.push_span(Span::raw(" "));
        self.line.push_span(Span::styled(text, style));
        self
    }
}

/// Draws it.
pub(crate) fn draw(state: &State, form: &Form, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let title = ink.text(match form.kind {
        FormKind::Place => Text::FormPlace,
        FormKind::TopUp => Text::FormTopUp,
        FormKind::Restock => Text::FormRestock,
    });
    let area = ink.window(canvas, title, WIDTH, HEIGHT);
    // The list to choose from stands below the field that has the keys, and all other fields take a line.
    canvas.set_cursor(area, cursor_column(form, label_width(ink, form.kind)), form.focus);
    for (at, row) in area.rows().zip(rows(state, form, ink, area)) {
        for (columns, spot) in row.spots {
            canvas.spot_on(at, columns, Spot::Form(spot));
        }
        canvas.paint(at, &[row.line]);
    }
}

/// All lines: the fields, what they mean, and on the last one the ways out.
fn rows(state: &State, form: &Form, ink: &Ink<'_>, area: Rect) -> Vec<Row> {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let label = label_width(ink, form.kind);
    let mut rows = Vec::new();
    for (at, field) in form.kind.fields().iter().enumerate() {
        let line = field_line(state, form, ink, *field, label, width);
        let row = Row::whole(line, FormSpot::Field(at));
        rows.push(match field {
            Field::Number => row.button(ink.theme.key, "[-]".to_owned(), FormSpot::Less).button(
                ink.theme.key,
                "[+]".to_owned(),
                FormSpot::More,
            ),
            Field::Item | Field::Customer => row,
        });
        if at == form.focus {
            rows.extend(choices_rows(state, form, ink, label, width));
        }
    }
    rows.extend(meaning(state, form, ink, width, label).into_iter().map(Row::inert));
    let last = height.saturating_sub(1);
    rows.truncate(last);
    rows.resize_with(last, || Row::inert(Line::default()));
    let button = |text| format!("[ {} ]", ink.text(text));
    let ways_out = Row::inert(Line::from(" ".repeat(label + 1)));
    rows.push(ways_out.button(ink.theme.key, button(Text::KeySend), FormSpot::Send).button(
        ink.theme.dim,
        button(Text::KeyClose),
        FormSpot::Close,
    ));
    rows
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

/// Where is typed.
fn cursor_column(form: &Form, label: usize) -> usize {
    label + 2 + fit::width(fit::tail(input_of(form, form.field()).before_cursor(), TYPED - 1))
}

/// A field: what is chosen in it; in the one that has the keys, what is typed and what that means.
fn field_line(
    state: &State,
    form: &Form,
    ink: &Ink<'_>,
    field: Field,
    label: usize,
    width: usize,
) -> Line<'static> {
    let means = chosen(state, form, ink, field);
    let mut spans = vec![label_span(ink, form.kind, field, label)];
    if field == form.field() {
        let input = input_of(form, field);
        let before = fit::tail(input.before_cursor(), TYPED - 1);
        let typed = format!("{before}{}", &input.text()[input.before_cursor().len()..]);
        spans.push(Span::styled(ink.left(&typed, TYPED), ink.theme.field));
    } else if field == Field::Number {
        spans.push(Span::raw(ink.left(form.number.text(), TYPED)));
    } else {
        spans.push(Span::raw(ink.short(&means, width.saturating_sub(label + 2))));
        return Line::from(spans);
    }
    if !means.is_empty() {
        let room = width.saturating_sub(label + 2 + TYPED + 1);
        spans.push(Span::styled(format!(" {}", ink.short(&means, room)), ink.theme.strong));
    }
    Line::from(spans)
}

/// A list to choose from: at most a window of [`CHOICES`] around the highlighted one is put into words.
struct Choices {
    /// The place of the first one that is shown.
    first: usize,
    shown: Vec<(String, String)>,
    highlighted: usize,
    hidden: usize,
}

impl Choices {
    fn of<T>(all: &[T], highlighted: usize, words: impl Fn(&T) -> (String, String)) -> Self {
        let first = highlighted.saturating_sub(CHOICES / 2).min(all.len().saturating_sub(CHOICES));
        let shown: Vec<(String, String)> = all.iter().skip(first).take(CHOICES).map(words).collect();
        Self { first, hidden: all.len() - shown.len(), highlighted: highlighted - first, shown }
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

fn choices_rows(state: &State, form: &Form, ink: &Ink<'_>, label: usize, width: usize) -> Vec<Row> {
    let choices = match form.field() {
        Field::Item => item_choices(state, form, ink),
        Field::Customer => account_choices(state, form, ink),
        Field::Number => return Vec::new(),
    };
    let indent = " ".repeat(label + 2);
    if choices.shown.is_empty() {
        let none = format!("{indent}{}", ink.text(Text::NothingMatches));
        return vec![Row::inert(Line::from(Span::styled(none, ink.theme.warn)))];
    }
    let room = width.saturating_sub(label + 4);
    let name = room * 2 / 5;
    let row = |(at, (words, facts)): (usize, &(String, String))| {
        let is_highlighted = at == choices.highlighted;
        let marker = if is_highlighted { ink.glyphs.marker } else { " " };
        let style = if is_highlighted { ink.theme.selected } else { Style::new() };
        let text = format!("{marker} {} {}", ink.left(words, name), ink.left(facts, room - name - 1));
        let line = Line::from(vec![Span::raw(indent.clone()), Span::styled(text, style)]);
        Row::whole(line, FormSpot::Choice(choices.first + at))
    };
    let mut rows: Vec<Row> = choices.shown.iter().enumerate().map(row).collect();
    if choices.hidden > 0 {
        let more = format!("{indent}  {}", ink.fill(Text::MoreChoices, &[&choices.hidden]));
        rows.push(Row::inert(Line::from(Span::styled(more, ink.theme.dim))));
    }
    rows
}

/// What is chosen from a field's list, in words.
fn chosen(state: &State, form: &Form, ink: &Ink<'_>, field: Field) -> String {
    match field {
        Field::Item => form.chosen_item(&state.pickable).map_or_else(String::new, |item| {
            format!("{} ({})", name_of(item, ink.language), item_facts(ink, item))
        }),
        Field::Customer => form.chosen_account(&state.pickable).map_or_else(String::new, |choice| {
            format!("{} ({})", choice.customer(), account_facts(ink, &choice))
        }),
        Field::Number => String::new(),
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
