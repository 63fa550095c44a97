//! Opens the dashboard as the settings have it.

use std::ffi::OsString;

use skstore::dashboard::{DashboardOptions, run};
use skstore::log_tail::LogTail;
use skstore::text::Language;
use skstore_workers::config::Config;
use skstore_workers::desk::Desk;
use skstore_workers::signals::asked_to_stop;

use super::failure::Failure;

/// Shows the dashboard until somebody leaves it or wants the process to end.
///
/// # Errors
/// [`Failure::Unreachable`] when the terminal cannot be used.
pub(crate) async fn open(
    desk: Desk,
    config: &Config,
    environment: &[(OsString, OsString)],
    language: Language,
    log: LogTail,
) -> Result<(), Failure> {
    let options = DashboardOptions { log, ..options(config, environment, language) };
    tokio::select! {
        biased;
        // The terminal is given back when the dashboard is dropped.
        stopped = asked_to_stop() => Ok(stopped?),
        left = Box::pin(run(desk, options)) => left.map_err(|error| Failure::Unreachable(error.to_string())),
    }
}

fn options(config: &Config, environment: &[(OsString, OsString)], language: Language) -> DashboardOptions {
    let variable = |name: &str| {
        let found = environment.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.to_string_lossy().into_owned())
    };
    let data_at = format!("{} {}", config.bus.url, config.data_dir.display());
    let mut options = DashboardOptions::new(config, variable, data_at);
    options.look.language = language;
    options
}

#[cfg(test)]
mod tests {
    use skstore::theme::ThemeName;
    use skstore_workers::config::Sources;

    use super::*;

    fn of(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> DashboardOptions {
        let flags = [("data_dir", "/d")].iter().chain(flags);
        let flags = flags.map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let environment: Vec<(OsString, OsString)> =
            environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        options(&config, &environment, Language::Korean)
    }

    #[test]
    fn the_settings_are_over_the_terminal() {
        let terminal = [("TERM", "xterm-256color"), ("LANG", "ko_KR.UTF-8")];
        let auto = of(&[], &terminal).look;
        assert_eq!((auto.theme, auto.glyphs.is_ascii), (ThemeName::Dark, false));
        assert_eq!(auto.language, Language::Korean);
        assert_eq!(auto.data_at, "embedded: /d");
        for (word, theme) in [
            ("dark", ThemeName::Dark),
            ("light", ThemeName::Light),
            ("ansi", ThemeName::Ansi),
            ("none", ThemeName::None),
        ] {
            assert_eq!(of(&[("ui.theme", word)], &terminal).look.theme, theme, "{word}");
        }
        assert!(of(&[("ui.ascii", "true")], &terminal).look.glyphs.is_ascii);
        assert_eq!(of(&[], &[("NO_COLOR", "1"), ("TERM", "xterm")]).look.theme, ThemeName::None);
    }
}
