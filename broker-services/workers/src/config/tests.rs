//! What the settings promise, by table.

use proptest::{prop_assert, proptest};

use super::address::Password;
use super::keys::{KEYS, Rule};
use super::*;
use skstore_domain::breaker::BreakerSettings;
use skstore_domain::faults::Fault;
use skstore_domain::signals::Service;

/// Sources with a home directory and nothing else.
fn home() -> Sources {
    Sources { environment: vec![("HOME".into(), "/home/kim".into())], ..Sources::default() }
}

fn with_environment(pairs: &[(&str, &str)]) -> Sources {
    let mut sources = home();
    sources.environment.extend(pairs.iter().map(|(name, value)| (name.into(), value.into())));
    sources
}

fn with_flags(pairs: &[(&str, &str)]) -> Sources {
    let flags = pairs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Sources { flags, ..home() }
}

/// Sources with a file of this text, which lives as long as the guard.
fn with_file(text: &str) -> (Sources, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("my.toml");
    std::fs::write(&path, text).unwrap();
    (Sources { file: Some(path), ..home() }, dir)
}

fn password(text: &str) -> Password {
    Password::given(text.to_owned())
}

fn error(sources: &Sources) -> String {
    Config::load(sources).map(|_| ()).expect_err("these settings are wrong").to_string()
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let config = Config::load(&home()).unwrap();
    assert_eq!(config.data_dir, Path::new("/home/kim/.local/share/skstore"));
    assert_eq!(config.bus.url, BusUrl::Embedded);
    assert_eq!(config.view.url, ViewUrl::Embedded);
    assert_eq!(
        config.store_url(Service::Order).unwrap().to_string(),
        "sqlite:/home/kim/.local/share/skstore/order.db"
    );
    assert_eq!(config.store_url(Service::MyInfo), None);
    assert_eq!(config.log.file, Path::new("/home/kim/.local/share/skstore/skstore.log"));
    assert_eq!(config.payment.timeout.as_millis(), 300);
    assert_eq!(config.breaker, BreakerSettings::default());
    assert!(Service::ALL.iter().all(|service| config.faults.of(*service) == Fault::None));
    assert_eq!(config.catalog_path(), None);
}

#[test]
fn a_whole_number_is_one_however_toml_writes_it() {
    for (written, expected) in [("5e2", 500), ("500.0", 500), ("0x1f4", 500), ("1_000", 1000)] {
        let (sources, _dir) = with_file(&format!("[payment]\ntimeout_ms = {written}\n"));
        assert_eq!(Config::load(&sources).unwrap().payment.timeout.as_millis(), expected, "{written}");
    }
    for (written, quoted) in
        [("500.5", "500.5"), ("9e9", "9000000000.0"), ("-1e300", "-1e300"), ("nan", "NaN")]
    {
        let (sources, _dir) = with_file(&format!("[payment]\ntimeout_ms = {written}\n"));
        let told = error(&sources);
        assert!(
            told.ends_with(&format!("must be a whole number from 10 to 60000 (ms), not {quoted}")),
            "{told}"
        );
    }
}

#[test]
fn what_is_no_file_of_settings_is_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let large = dir.path().join("large.toml");
    std::fs::File::create(&large).unwrap().set_len(crate::files::MAX_BYTES + 1).unwrap();
    let binary = dir.path().join("binary.toml");
    std::fs::write(&binary, [0xff]).unwrap();
    for (path, expected) in [
        (Path::new("/dev/zero"), "it is no file"),
        (dir.path(), "it is a directory"),
        (&large, "it is larger than 1 MiB"),
        (&binary, "it is no text in UTF-8"),
        (Path::new("/nowhere/my.toml"), ""),
    ] {
        let named = format!("{} cannot be read: {expected}", path.display());
        let settings = error(&Sources { file: Some(path.to_owned()), ..home() });
        assert!(settings.starts_with(&format!("the configuration file {named}")), "{settings}");
        let catalogue = crate::catalog::Catalog::load(Some(path)).unwrap_err().to_string();
        assert!(catalogue.starts_with(&format!("the catalogue {named}")), "{catalogue}");
    }
}

#[test]
fn a_later_source_wins() {
    let (mut sources, _dir) = with_file("[payment]\ntimeout_ms = 1\n[batch]\nmax_messages = 1\n");
    assert!(error(&sources).contains("payment.timeout_ms"), "the file counts");
    std::fs::write(sources.file.as_ref().unwrap(), "payment.timeout_ms = 11\nbatch.max_messages = 12\n")
        .unwrap();
    let of = |sources: &Sources| {
        let config = Config::load(sources).unwrap();
        (config.payment.timeout.as_millis(), config.batch.max_messages)
    };
    assert_eq!(of(&home()), (300, 256), "the built-in file");
    assert_eq!(of(&sources), (11, 12), "a file is over it");
    sources.environment.push(("SKSTORE__PAYMENT__TIMEOUT_MS".into(), "13".into()));
    assert_eq!(of(&sources), (13, 12), "the environment is over the file");
    sources.flags.push(("payment.timeout_ms".into(), "14".into()));
    assert_eq!(of(&sources), (14, 12), "a flag is over the environment");
    sources.flags.push(("payment.timeout_ms".into(), "15".into()));
    assert_eq!(of(&sources), (15, 12), "the last flag wins");
}

#[test]
fn the_usual_file_is_read_if_it_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut sources = Sources::default();
    sources.environment.push(("HOME".into(), "/nowhere".into()));
    sources.environment.push(("XDG_CONFIG_HOME".into(), dir.path().into()));
    assert_eq!(Config::load(&sources).unwrap().batch.max_messages, 256);
    std::fs::create_dir(dir.path().join("skstore")).unwrap();
    std::fs::write(dir.path().join("skstore/skstore.toml"), "batch.max_messages = 7").unwrap();
    assert_eq!(Config::load(&sources).unwrap().batch.max_messages, 7);
    sources.file = Some(dir.path().join("other.toml"));
    assert!(
        error(&sources).contains("other.toml cannot be read: No such file"),
        "a named file must be there"
    );
}

#[test]
fn an_unknown_key_is_named_with_its_place() {
    let (file, _dir) = with_file("[breaker]\nwindow = 5\n");
    let path = file.file.clone().unwrap().display().to_string();
    let (section, _dir2) = with_file("[redis]\nurl = \"x\"\n");
    let (empty, _dir3) = with_file("[redis]\n");
    let (scalar, _dir4) = with_file("bus = \"embedded:\"\n");
    let table = [
        (
            file,
            format!("unknown setting 'breaker.window' from the file {path}; [breaker] has: breaker.window_ms,"),
        ),
        (section, "unknown setting 'redis.url' from the file".into()),
        (empty, "unknown setting 'redis' from the file".into()),
        (scalar, "unknown setting 'bus' from the file".into()),
        (
            with_environment(&[("SKSTORE__BUS__URI", "x")]),
            "unknown setting 'bus.uri' from the environment variable SKSTORE__BUS__URI; [bus] has: bus.url"
                .into(),
        ),
        (
            with_flags(&[("ui", "ko")]),
            "unknown setting 'ui' from the command line; [ui] has: ui.language, ui.theme, ui.ascii, ui.mouse, \
             ui.reduced_motion, ui.time"
                .into(),
        ),
        (
            with_flags(&[("", "ko")]),
            "unknown setting '' from the command line; there are: data_dir, max_unsent_events, drain_ms, bus,"
                .into(),
        ),
    ];
    for (sources, expected) in table {
        let error = error(&sources);
        assert!(error.starts_with(&expected), "{error}\n  instead of: {expected}");
    }
}

#[test]
fn a_bad_value_is_told_what_it_must_be() {
    let table = [
        ("payment.timeout_ms", "fast", "must be a whole number from 10 to 60000 (ms), not 'fast'"),
        ("payment.timeout_ms", "9", "must be a whole number from 10 to 60000 (ms), not '9'"),
        ("payment.timeout_ms", "300.5", "must be a whole number from 10 to 60000 (ms), not '300.5'"),
        ("payment.timeout_ms", "99999999999999999999", "must be a whole number from 10 to 60000 (ms)"),
        ("ui.mouse", "yes", "must be true or false, not 'yes'"),
        ("ui.ascii", "yes", "must be true, false or \"auto\", not 'yes'"),
        ("ui.time", "KST", "must be one of local, utc, not 'KST'"),
        ("ui.language", "fr", "must be one of auto, ko, en, not 'fr'"),
        (
            "faults.deposit",
            "slow",
            "must be none, slow:MILLISECONDS (1 to 60000), lost-replies:PERCENT (1 to 100), silent or stopped, not 'slow'",
        ),
        ("order.walk_in", "", "is no customer: '' must have 1 to 64 characters"),
        (
            "view.url",
            "amqp://me:secret@h",
            "asks for RabbitMQ (amqp://HOST), which this build cannot use here",
        ),
        ("bus.url", "redis://me:secret@h", "asks for Redis (redis://HOST), which this build cannot use here"),
        ("bus.url", "amqp:///vhost", "names no host"),
        (
            "bus.url",
            "amqp://me:se@secret#x@h",
            "cannot be read: user, password and virtual host must be percent-encoded",
        ),
        ("view.url", "redis://me:secret@a,b", "names several hosts"),
        (
            "item.store.url",
            "sqlite://data/item.db",
            "has slashes in front of a path that may be meant otherwise",
        ),
        ("bus.url", "postgres://me:secret@h/x", "asks for PostgreSQL (postgres://), which this build cannot"),
        ("item.store.url", "redis://me:secret@h", "asks for Redis (redis://HOST), which this build cannot"),
        ("item.store.url", "postgres://me:secret@h", "names no database"),
        ("item.store.url", "sqlite:", "is no URL that it can be; this build takes 'sqlite:PATH'"),
        ("bus.url", "embedded", "is no URL that it can be; this build takes 'embedded:' or 'amqp"),
        ("data_dir", "a\nb", "must not contain control characters"),
    ];
    for (key, value, expected) in table {
        let error = error(&with_flags(&[(key, value)]));
        let start = format!("the setting '{key}' from the command line {expected}");
        assert!(error.starts_with(&start), "{error}\n  instead of: {start}");
        assert!(!error.contains("secret"), "a password was shown: {error}");
    }
}

#[test]
fn a_file_has_types() {
    let table = [
        ("payment.timeout_ms = 300.5", "must be a whole number from 10 to 60000 (ms), not 300.5"),
        ("payment.timeout_ms = true", "must be a whole number from 10 to 60000 (ms), not true"),
        ("payment.timeout_ms = [300]", "must be a whole number from 10 to 60000 (ms), not a list"),
        ("payment.timeout_ms = { s = 1 }", "must be a whole number from 10 to 60000 (ms), not a table"),
        ("order.walk_in = 7", "must be a text in quotes, not 7"),
        ("ui.ascii = 1", "must be true, false or \"auto\", not 1"),
        ("payment.timeout_ms = = 5", "is not valid TOML: TOML parse error at line 1"),
    ];
    for (text, expected) in table {
        let (sources, _dir) = with_file(text);
        let error = error(&sources);
        assert!(error.contains(expected) && error.contains("my.toml"), "{error}\n  instead of: {expected}");
    }
}

#[test]
fn settings_that_do_not_fit_together_are_refused() {
    let table = [
        (vec![("payment.timeout_ms", "20000")], "'sweeper.abort_after_ms' (10000) must be more than"),
        (vec![("retry.most_ms", "10")], "'retry.most_ms' (10) must be at least 'retry.first_ms' (50)"),
        (
            vec![("order.store.url", "sqlite:/d/a.db"), ("item.store.url", "sqlite:/d/a.db")],
            "names the same file as 'order.store.url'",
        ),
        (
            vec![
                ("order.store.url", "postgres://a,b/desk"),
                ("item.store.url", "postgresql://u:p@b:5432/desk"),
            ],
            "names the same schema of a database (?schema=NAME names another) as 'order.store.url'",
        ),
    ];
    for (flags, expected) in table {
        let error = error(&with_flags(&flags));
        assert!(error.contains(expected), "{error}\n  instead of: {expected}");
        assert!(error.contains("from the command line"), "blames the wrong source: {error}");
    }
}

#[test]
fn paths_start_where_they_should() {
    let table = [
        (home(), "/home/kim/.local/share/skstore"),
        (with_environment(&[("XDG_DATA_HOME", "/data")]), "/data/skstore"),
        (with_environment(&[("XDG_DATA_HOME", "data")]), "/home/kim/.local/share/skstore"),
        (with_flags(&[("data_dir", "~/desk")]), "/home/kim/desk"),
        (with_flags(&[("data_dir", "/d")]), "/d"),
        (with_environment(&[("SKSTORE__DATA_DIR", "/d")]), "/d"),
        (with_environment(&[("SKSTORE__DATA_DIR", "")]), "/home/kim/.local/share/skstore"),
    ];
    for (sources, expected) in table {
        let config = Config::load(&sources).unwrap();
        assert_eq!(config.data_dir, Path::new(expected));
        assert_eq!(config.store_url(Service::Item), Some(&StoreUrl::Sqlite(config.data_dir.join("item.db"))));
    }
    let elsewhere =
        Config::load(&with_flags(&[("data_dir", "/d"), ("item.store.url", "sqlite:i.db")])).unwrap();
    assert_eq!(elsewhere.store_url(Service::Item), Some(&StoreUrl::Sqlite("/d/i.db".into())));
    assert_eq!(error(&Sources::default()), ConfigError::NoHome.to_string());
}

#[test]
fn services_may_have_their_stores_in_schemas_of_one_database() {
    let at = |schema: &str| format!("postgres://kim:pw@db/desk?schema={schema}");
    let (order, deposit) = (at("order"), at("deposit"));
    let flags = [("order.store.url", order.as_str()), ("deposit.store.url", deposit.as_str())];
    let config = Config::load(&with_flags(&flags)).unwrap();
    let Some(StoreUrl::Postgres(address)) = config.store_url(Service::Deposit) else { panic!("{config:?}") };
    assert_eq!(address.schema(), "deposit");
    assert_eq!(
        address.login().map(|login| &login.password),
        Some(&password("pw")),
        "it is not lost on the way"
    );
    assert!(matches!(config.store_url(Service::Item), Some(StoreUrl::Sqlite(_))));
}

#[test]
#[cfg(unix)]
fn an_environment_that_is_not_unicode_hurts_only_our_own_keys() {
    use std::os::unix::ffi::OsStringExt;
    let garbage = || OsString::from_vec(vec![0xff]);
    let mut sources = home();
    sources.environment.push((garbage(), garbage()));
    sources.environment.push(("PATH".into(), garbage()));
    assert!(Config::load(&sources).is_ok());
    sources.environment.push(("SKSTORE__LOG__FILE".into(), garbage()));
    assert!(error(&sources).ends_with("from the environment variable SKSTORE__LOG__FILE is not Unicode"));
}

/// The keys of a TOML text in its own order, and whether a comment stands right above each.
fn keys_of(toml: &str) -> Vec<(String, bool)> {
    let mut section = String::new();
    let mut commented = false;
    let mut keys = Vec::new();
    for line in toml.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            keys.push((format!("{section}{key}"), commented));
        }
        commented = line.starts_with("# ");
    }
    keys
}

#[test]
fn every_key_is_explained_in_the_built_in_file() {
    let in_file = keys_of(DEFAULTS);
    let names: Vec<_> = in_file.iter().map(|(name, _)| name.as_str()).collect();
    let known: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    assert_eq!(names, known, "config/skstore.toml and the list of keys differ");
    for (name, commented) in in_file {
        assert!(commented, "'{name}' has no comment right above it in config/skstore.toml");
    }
}

#[test]
fn keys_of_the_dashboard_are_taken_by_the_names_of_actions() {
    let config = Config::load(&with_flags(&[("keys.new_order", "o ctrl-n"), ("keys.quit", "")])).unwrap();
    let keys: Vec<_> = config.keys.iter().map(|(action, keys)| (action.as_str(), keys.as_str())).collect();
    assert_eq!(keys, [("new_order", "o ctrl-n"), ("quit", "")]);
    let error = Config::load(&with_flags(&[("keys.NewOrder", "o")])).unwrap_err().to_string();
    assert!(error.contains("unknown setting 'keys.NewOrder'"), "{error}");
}

#[test]
fn every_range_is_told_in_the_built_in_file() {
    for key in KEYS {
        if let Rule::Number { min, max, .. } = key.rule {
            // A bound that depends on another key is told in words.
            let told = format!("{min} to {max}");
            let upper = format!("at most {max}");
            let about = comment_above(DEFAULTS, key.name);
            assert!(
                about.contains(&told) || about.contains(&upper),
                "'{}' lacks '{told}': {about}",
                key.name
            );
        }
    }
}

fn comment_above(toml: &str, key: &str) -> String {
    let (section, name) = key.rsplit_once('.').unwrap_or(("", key));
    let header = format!("[{section}]");
    let lines: Vec<_> = toml.lines().collect();
    let start = if section.is_empty() { 0 } else { lines.iter().position(|line| *line == header).unwrap() };
    let at = lines[start..].iter().position(|line| line.starts_with(&format!("{name} = "))).unwrap() + start;
    let mut above: Vec<_> = lines[..at].iter().rev().take_while(|line| line.starts_with('#')).collect();
    above.reverse();
    above.iter().map(|line| line.trim_start_matches("# ")).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_word_and_bound_is_one_that_the_types_take() {
    for key in KEYS {
        let values: Vec<String> = match key.rule {
            Rule::Word(words) => words.iter().map(ToString::to_string).collect(),
            Rule::Switch => vec!["true".into(), "false".into()],
            Rule::SwitchOrAuto => vec!["true".into(), "false".into(), "auto".into()],
            Rule::Fault => vec![
                "none".into(),
                "slow:400".into(),
                "lost-replies:5".into(),
                "silent".into(),
                "stopped".into(),
            ],
            Rule::Number { min, max, .. } => vec![min.to_string(), max.to_string()],
            Rule::Management => vec!["auto".into(), "off".into(), "https://u:p@mq:1".into()],
            Rule::Listen => vec![String::new(), "127.0.0.1:0".into(), "[::1]:65535".into()],
            Rule::Path
            | Rule::KeyNames
            | Rule::Store
            | Rule::Bus
            | Rule::View
            | Rule::Customer
            | Rule::User
            | Rule::Password => continue,
        };
        for value in values {
            let mut flags = vec![(key.name.to_owned(), value.clone())];
            // Bounds that depend on another key are moved out of the way.
            match key.name {
                "payment.timeout_ms" => flags.push(("sweeper.abort_after_ms".into(), "600000".into())),
                "sweeper.abort_after_ms" => flags.push(("payment.timeout_ms".into(), "10".into())),
                "retry.first_ms" => flags.push(("retry.most_ms".into(), "60000".into())),
                "retry.most_ms" => flags.push(("retry.first_ms".into(), "1".into())),
                _ => {}
            }
            let loaded = Config::load(&Sources { flags, ..home() });
            assert!(loaded.is_ok(), "{} = {value}: {}", key.name, loaded.unwrap_err());
        }
    }
}

#[test]
fn a_view_in_redis_is_named_by_its_url_and_its_password_is_never_shown() {
    for scheme in ["redis", "rediss"] {
        let url = format!("{scheme}://desk:007secret@redis.example:6380/2");
        let config = Config::load(&with_flags(&[("view.url", &url)])).unwrap();
        let ViewUrl::Redis(address) = &config.view.url else { panic!("{:?}", config.view.url) };
        assert_eq!(address.login().unwrap().password, password("007secret"));
        for shown in [config.view.url.to_string(), format!("{config:?}")] {
            assert!(!shown.contains("007secret"), "the password is in {shown:?}");
            assert!(shown.contains("redis.example:6380/2"), "{shown:?} does not say which Redis");
        }
    }
    for bad in ["redis://", "redis:", "rediss://", "redis://x:007secret@h:notaport"] {
        let problem = error(&with_flags(&[("view.url", bad)]));
        assert!(!problem.contains("007secret"), "{problem:?}");
        let says = ["redis", "HOST", "percent-encoded", "65535"].iter().any(|part| problem.contains(part));
        assert!(says, "{problem:?} does not say what it may be");
    }
}

#[test]
fn a_broker_s_password_is_used_and_never_shown() {
    let table = [
        ("amqp://kim:hunter2@mq:5672/desk", "hunter2", "amqp://kim:***@mq:5672/desk"),
        ("amqps://kim:hun%40ter2%2F@mq", "hun@ter2/", "amqps://kim:***@mq:5671"),
        ("amqp://mq", "guest", "amqp://mq:5672"),
        ("amqp://kim:hunter2@mq/", "hunter2", "amqp://kim:***@mq:5672"),
        ("amqp://kim:hunter2@[2001:db8::1],b:1/v", "hunter2", "amqp://kim:***@[2001:db8::1]:5672,b:1/v"),
    ];
    for (url, password, shown) in table {
        let config = Config::load(&with_flags(&[("bus.url", url)])).unwrap();
        let BusUrl::Amqp(address) = &config.bus.url else { panic!("{:?}", config.bus.url) };
        assert_eq!(address.password(), self::password(password));
        for told in [config.bus.url.to_string(), format!("{:?}", config.bus)] {
            assert!(told.contains(shown) && !told.contains("ter2"), "{told}");
        }
    }
}

proptest! {
    /// Wherever it is written, and however wrongly: quotes and backslashes end a text in a file, a `=` ends a key. Of such
    /// letters there are none in paths and sentences.
    #[test]
    fn no_mistake_around_a_password_tells_a_part_of_it(
        one in "[ЖЩЮ]{3,8}",
        between in "[:/?#@%=\"'\\\\ \\[\\]]{0,4}",
        other in "[ЖЩЮ]{3,8}",
    ) {
        let url = format!("amqp://kim:{one}{between}{other}@mq:5672");
        let (file, _dir) = with_file(&format!("[bus]\nurl = \"{url}\"\n"));
        let in_environment = Sources {
            environment: vec![("SKSTORE__BUS__URL".into(), url.clone().into())],
            ..with_flags(&[("data_dir", "/d")])
        };
        for sources in [with_flags(&[("data_dir", "/d"), ("bus.url", &url)]), in_environment, file] {
            let told = match Config::load(&sources) {
                Ok(config) => format!("{config:?} {}", config.bus.url),
                Err(error) => format!("{error} {error:?}"),
            };
            let leaks = |letter: char| "ЖЩЮ".contains(letter);
            prop_assert!(!told.contains(leaks), "{url}: {told}");
        }
    }
}

/// A URL's key, one that its server is at, and what the login's keys begin with.
const SERVERS: [(&str, &str, &str); 5] = [
    ("bus.url", "amqp://mq", "bus"),
    ("view.url", "redis://r", "view"),
    ("order.store.url", "postgres://db/desk?schema=o", "order.store"),
    ("deposit.store.url", "postgres://db/desk?schema=d", "deposit.store"),
    ("item.store.url", "postgres://db/desk?schema=i", "item.store"),
];

#[test]
fn a_login_may_stand_apart_from_the_url_and_its_password_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("secret"), "hun@ter2\n").unwrap();
    let data_dir = dir.path().to_str().unwrap();
    for (url_key, url, section) in SERVERS {
        let user = format!("{section}.user");
        let (given, file) = (format!("{section}.password"), format!("{section}.password_file"));
        for (key, value) in [(&given, "hun@ter2"), (&file, "secret")] {
            let flags =
                [("data_dir", data_dir), (url_key, url), (user.as_str(), "k@m"), (key.as_str(), value)];
            let config = Config::load(&with_flags(&flags)).unwrap_or_else(|error| panic!("{key}: {error}"));
            let login = match section {
                "bus" => match &config.bus.url {
                    BusUrl::Amqp(address) => (address.user().to_owned(), address.password()),
                    BusUrl::Embedded => panic!("{config:?}"),
                },
                "view" => match &config.view.url {
                    ViewUrl::Redis(address) => {
                        address.login().map(|login| (login.user.clone(), login.password.clone())).unwrap()
                    }
                    ViewUrl::Embedded => panic!("{config:?}"),
                },
                store => {
                    let service = *Service::ALL.iter().find(|it| store.starts_with(it.word())).unwrap();
                    let Some(StoreUrl::Postgres(address)) = config.store_url(service) else {
                        panic!("{config:?}")
                    };
                    address.login().map(|login| (login.user.clone(), login.password.clone())).unwrap()
                }
            };
            assert_eq!((login.0.as_str(), login.1.read().unwrap().reveal()), ("k@m", "hun@ter2"), "{key}");
            assert!(!format!("{config:?}").contains("hun@ter2"), "{key}");
        }
    }
}

#[test]
fn a_login_that_does_not_fit_its_url_is_refused_without_being_repeated() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("empty"), "\n").unwrap();
    let empty = dir.path().join("empty");
    let empty = empty.to_str().unwrap();
    let mq = ("bus.url", "amqp://mq");
    type Row<'a> = (&'a [(&'a str, &'a str)], &'static str, &'static str);
    let table: [Row<'_>; 10] = [
        (&[("bus.user", "kim")], "'bus.user'", "'bus.url' names none"),
        (&[("item.store.password", "hunter2")], "'item.store.password'", "'item.store.url' names none"),
        (&[("bus.url", "amqp://a:b@mq"), ("bus.user", "kim")], "'bus.user'", "so does 'bus.url'"),
        (&[mq, ("bus.user", "kim")], "'bus.user'", "'bus.password_file'"),
        (&[mq, ("bus.password", "hunter2")], "'bus.password'", "'bus.user'"),
        (
            &[mq, ("bus.user", "kim"), ("bus.password", "hunter2"), ("bus.password_file", empty)],
            "'bus.password_file'",
            "'bus.password'",
        ),
        (&[mq, ("bus.user", "kim"), ("bus.password_file", empty)], "'bus.password_file'", "is empty"),
        (&[mq, ("bus.user", "kim"), ("bus.password_file", "/no/file")], "'bus.password_file'", "/no/file"),
        (&[mq, ("bus.user", "kim"), ("bus.password", "hunter2\u{7}")], "'bus.password'", "control"),
        (&[("view.url", "redis://:pw@r"), ("view.password", "hunter2")], "'view.password'", "'view.url'"),
    ];
    for (flags, blamed, says) in table {
        let problem = error(&with_flags(flags));
        assert!(problem.contains(blamed) && problem.contains(says), "{flags:?}: {problem}");
        assert!(!problem.contains("hunter2"), "{flags:?}: {problem}");
    }
}

#[test]
fn a_view_is_in_redis_alone_with_or_without_a_user() {
    let flags = [("view.url", "redis+sentinel://a,b:1/desk/2"), ("view.password", "hunter2")];
    let config = Config::load(&with_flags(&flags)).unwrap();
    let ViewUrl::Redis(address) = &config.view.url else { panic!("{:?}", config.view.url) };
    assert_eq!(address.place(), "'desk' of the Sentinels a:26379,b:1");
    assert_eq!(address.login().unwrap().user, "");
}
