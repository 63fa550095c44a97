//! Every example that people copy out of the documents, the settings and the help is run as far as it can be run without
//! servers: command lines are parsed, settings and keys loaded, messages read.

use std::collections::BTreeSet;
use std::io::Write as _;

use clap::{CommandFactory, Parser};
use serde_json::Value;
use skstore::dashboard::keys::Keymap;
use skstore_domain::commands::{Command as Sent, CommandKind};
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::topology;

use super::arguments::Arguments;

/// What people copy examples from, with its name.
const DOCUMENTS: [(&str, &str); 4] = [
    ("README.md", include_str!("../../../README.md")),
    ("docs/tour.md", include_str!("../../../docs/tour.md")),
    ("docs/messages.md", include_str!("../../../docs/messages.md")),
    ("docs/operations.md", include_str!("../../../docs/operations.md")),
];
const SETTINGS: &str = include_str!("../../../config/skstore.toml");
/// How this program is called in the documents.
const CALLS: &[&str] = &["skstore ", "target/release/skstore ", "cargo run --release -- "];

/// The lines of the shell examples of a document, without comments; several commands of a line apart.
fn shell_lines(document: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut is_shell = false;
    for line in document.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_shell = language == "sh";
        } else if is_shell {
            let command = line.split(" #").next().unwrap_or(line);
            lines.extend(command.split(';').map(|part| part.trim().to_owned()));
        }
    }
    lines
}

/// Those of all documents.
fn documented_lines() -> Vec<String> {
    DOCUMENTS.iter().flat_map(|(_, document)| shell_lines(document)).collect()
}

/// What the help of the program and of each of its commands says.
fn help_texts() -> Vec<String> {
    let mut commands = vec![Arguments::command()];
    let mut texts = Vec::new();
    while let Some(mut command) = commands.pop() {
        texts.push(command.render_long_help().to_string());
        commands.extend(command.get_subcommands().cloned());
    }
    texts
}

/// The words of a line as a shell would hand them over: up to where they go into a pipe or a file.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.into_iter().take_while(|word| !matches!(word.as_str(), "|" | ">" | "&")).collect()
}

/// The arguments of every call of this program in `lines`.
fn calls(lines: &[String]) -> Vec<&str> {
    // In the help it stands behind what it is good for.
    let lines = lines.iter().map(|line| line.split_once(": ").map_or(line.as_str(), |(_, call)| call));
    lines.filter_map(|line| CALLS.iter().find_map(|call| line.strip_prefix(call))).collect()
}

#[test]
fn every_command_line_in_the_documents_and_the_help_is_understood() {
    let mut lines: Vec<String> = documented_lines()
        .into_iter()
        .filter(|line| CALLS.iter().any(|call| line.starts_with(call)))
        .collect();
    assert!(lines.len() > 20, "the documents' command lines are found: {lines:?}");
    let helps: Vec<String> = help_texts()
        .iter()
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.contains(": skstore ") && !line.contains("Usage: "))
        .collect();
    assert!(helps.len() >= 2, "the help's command lines are found: {helps:?}");
    lines.extend(helps);
    for call in calls(&lines) {
        let call = call.split(" | ").next().unwrap_or(call);
        let parsed = Arguments::try_parse_from(std::iter::once("skstore".to_owned()).chain(words(call)));
        assert!(parsed.is_ok(), "skstore {call}: {}", parsed.err().unwrap());
    }
}

/// The settings as a file of `text` has them, keys and all.
fn load(text: &str) -> Result<(), String> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let sources = Sources { file: Some(file.path().into()), ..Sources::default() };
    let config = Config::load(&Sources { flags: vec![("data_dir".into(), "/d".into())], ..sources })
        .map_err(|error| error.to_string())?;
    let keys = Keymap::with(&config.keys)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    keys.map(drop)
}

/// Names and numbers where a text says only what stands there.
fn filled_in(text: &str) -> String {
    let table = [
        ("USER", "me"),
        ("PASSWORD", "secret"),
        ("HOST", "localhost"),
        ("PORT", "6379"),
        ("VHOST", "desk"),
        ("DATABASE", "1"),
        ("MILLISECONDS", "400"),
        ("PATH", "orders.db"),
        ("(s)", ""),
        ("[", ""),
        ("]", ""),
    ];
    // The longer ones first: one holds another.
    let mut table = table.to_vec();
    table.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    table.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value))
}

/// Each setting of the file, with its section and what is written above it.
fn settings() -> Vec<(String, String, String)> {
    let (mut section, mut above, mut found) = (String::new(), String::new(), Vec::new());
    for line in SETTINGS.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            name.clone_into(&mut section);
            above.clear();
        } else if let Some(comment) = line.strip_prefix('#') {
            above.push_str(comment);
            above.push('\n');
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.push((section.clone(), key.to_owned(), std::mem::take(&mut above)));
        } else {
            above.clear();
        }
    }
    found
}

/// Whether this is a URL, not a scheme alone or a part of one.
fn is_whole_url(text: &str) -> bool {
    let has_host = text.split_once("://").is_some_and(|(_, rest)| !rest.is_empty());
    text == "embedded:" || text.starts_with("sqlite:") || has_host
}

/// What stands in `text` between two of `mark`.
fn quoted(text: &str, mark: char) -> Vec<&str> {
    text.split(mark).skip(1).step_by(2).collect()
}

#[test]
fn every_setting_that_is_written_out_as_an_example_can_be_set() {
    let mut tried = 0;
    for line in SETTINGS.lines().filter_map(|line| line.strip_prefix("# ")) {
        let is_setting = line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        if is_setting {
            // Where it stands, with all the others of the file.
            let text = SETTINGS.replace(&format!("# {line}"), line);
            assert_eq!(load(&text), Ok(()), "config/skstore.toml: {line}");
            tried += 1;
        }
    }
    assert!(tried > 0, "the file has examples that are commented out");

    let flags = DOCUMENTS.into_iter().chain([("config/skstore.toml", SETTINGS)]);
    let mut set = BTreeSet::new();
    for (name, document) in flags {
        for word in document.split([' ', '`', '\n', '(', ')', ';']) {
            let (key, value) = match word.trim_end_matches(['.', ',']).split_once('=') {
                Some((key, value)) if key.starts_with("SKSTORE__") => {
                    (key["SKSTORE__".len()..].to_lowercase().replace("__", "."), value)
                }
                Some((key, value)) if key.contains('.') && !key.contains(['/', '"']) => {
                    (key.to_owned(), value)
                }
                _ => continue,
            };
            let sources = Sources {
                flags: vec![("data_dir".into(), "/d".into()), (key.clone(), value.to_owned())],
                ..Sources::default()
            };
            let loaded = Config::load(&sources);
            assert!(loaded.is_ok(), "{name}: {word}: {}", loaded.err().unwrap());
            set.insert(key);
        }
    }
    assert!(set.contains("payment.timeout_ms") && set.contains("bus.url") && set.len() >= 4, "{set:?}");
}

#[test]
fn every_value_that_the_comments_of_the_settings_offer_can_be_set() {
    let mut offered = 0;
    for (section, key, above) in settings() {
        let name = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        let urls = quoted(&above, '`').into_iter().filter(|text| is_whole_url(text));
        let words = quoted(&above, '"').into_iter().filter(|word| !word.contains(' '));
        let switches = ["true", "false"].into_iter().filter(|word| above.contains(*word));
        for value in words.chain(urls.filter(|_| name.ends_with("url"))).chain(switches) {
            let flags = vec![(name.clone(), filled_in(value))];
            let environment = vec![("HOME".into(), "/home/kim".into())];
            let loaded = Config::load(&Sources { flags, environment, ..Sources::default() });
            assert!(loaded.is_ok(), "{name} = {value:?}: {}", loaded.err().unwrap());
            offered += 1;
        }
    }
    assert!(offered > 30, "only {offered} values were found");
}

#[test]
fn every_example_of_keys_can_be_used() {
    let words: BTreeSet<&str> = Keymap::default().all().iter().map(|bound| bound.action.word()).collect();
    let mut tried = 0;
    for (name, document) in DOCUMENTS.into_iter().chain([("config/skstore.toml", SETTINGS)]) {
        let whole = document.lines().filter_map(|line| line.strip_prefix("# "));
        let lines = whole.chain(document.lines().flat_map(|line| quoted(line, '`')));
        let of_keys = |line: &&str| line.split_once(" = ").is_some_and(|(word, _)| words.contains(word));
        for example in lines.filter(of_keys) {
            assert_eq!(load(&format!("[keys]\n{example}\n")), Ok(()), "{name}: {example}");
            tried += 1;
        }
    }
    assert!(tried >= 2, "the tour and the settings have an example each: {tried}");
}

#[test]
fn every_message_that_the_documents_send_is_a_command() {
    let sent: Vec<String> =
        documented_lines().into_iter().filter(|line| line.starts_with("rabbitmqadmin ")).collect();
    assert!(sent.len() >= 2, "the documents' messages are found: {sent:?}");
    for line in &sent {
        // The older program has `name=value`, the newer one `--name value`.
        let words = words(line);
        let value = |names: &[&str]| {
            let old = words.iter().find_map(|word| {
                let (name, value) = word.split_once('=')?;
                names.contains(&name).then(|| value.to_owned())
            });
            let new = words
                .windows(2)
                .find_map(|pair| names.contains(&pair[0].trim_start_matches('-')).then(|| pair[1].clone()));
            old.or(new).unwrap_or_else(|| panic!("none of {names:?} in: {line}"))
        };
        assert_eq!(value(&["exchange"]), topology::COMMANDS, "{line}");
        let key = value(&["routing_key", "routing-key"]);
        let kind = CommandKind::from_word(&key);
        let kind = kind.unwrap_or_else(|| panic!("no command {key} in: {line}"));
        let read = Sent::from_json(kind, value(&["payload"]).as_bytes());
        assert!(read.is_ok(), "{line}: {read:?}");
    }
}

#[test]
fn every_command_in_the_documents_table_can_be_sent_as_it_says() {
    let example = |field: &str| match field {
        "qty" | "amount" | "unit_price" | "from_seq" | "to_seq" => Value::from(5),
        other => Value::from(other),
    };
    let mut tried = BTreeSet::new();
    let rows = DOCUMENTS.iter().flat_map(|(_, document)| document.lines());
    for row in rows.filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for key in quoted(cells[1], '`') {
            let Some(kind) = CommandKind::from_word(key) else { continue };
            let fields: Vec<&str> =
                quoted(cells[2], '`').into_iter().filter(|name| *name != "productId").collect();
            let is_either = cells[2].contains(" or `") && !cells[2].contains("(or");
            let bodies =
                if is_either { fields.iter().map(|field| vec![*field]).collect() } else { vec![fields] };
            for fields in bodies {
                let body: serde_json::Map<String, Value> =
                    fields.iter().map(|field| ((*field).to_owned(), example(field))).collect();
                let read = Sent::from_json(kind, Value::from(body.clone()).to_string().as_bytes());
                assert!(read.is_ok(), "{key} {body:?}: {read:?}");
                tried.insert(key);
            }
        }
    }
    assert_eq!(tried.len(), CommandKind::all().count(), "the table has every command: {tried:?}");
}
