//! Opens the dashboard as the settings have it.

use std::ffi::OsString;

use skstore::dashboard::{DashboardOptions, run};
use skstore::log_tail::LogTail;
use skstore::text::Language;
use skstore_workers::desk::Desk;
use skstore_workers::desk::config::Config;
use skstore_workers::desk::signals::asked_to_stop;

use super::environment::variable;
use super::failure::Failure;

/// Shows the dashboard until somebody leaves it or wants the process to end.
///
/// # Errors
/// [`Failure::Unreachable`] when the terminal cannot be used, [`Failure::Usage`] when the settings' keys are wrong.
pub(crate) async fn open(
    desk: Desk,
    config: &Config,
    environment: &[(OsString, OsString)],
    language: Language,
    (log, gateway): (LogTail, Option<Result<String, String>>),
) -> Result<(), Failure> {
    let options = DashboardOptions { log, gateway, ..options(config, environment, language)? };
    tokio::select! {
        biased;
        // The terminal is given back when the dashboard is dropped.
        stopped = asked_to_stop() => Ok(stopped?),
        left = Box::pin(run(desk, options)) => left.map_err(|error| Failure::Unreachable(error.to_string())),
    }
}

fn options(
    config: &Config,
    environment: &[(OsString, OsString)],
    language: Language,
) -> Result<DashboardOptions, Failure> {
    let variable = |name: &str| variable(environment, name);
    let data_at = format!("{} {}", config.bus.url, config.data_dir.display());
    let mut options = DashboardOptions::new(config, variable, data_at).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Failure::Usage(errors.join("\n"))
    })?;
    options.look.language = language;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use skstore::dashboard::keys::{Action, Chord, Scope};
    use skstore::theme::ThemeName;
    use skstore_workers::desk::config::Sources;

    use super::*;

    fn of(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> DashboardOptions {
        let flags = [("data_dir", "/d")].iter().chain(flags);
        let flags = flags.map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let environment: Vec<(OsString, OsString)> =
            environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        options(&config, &environment, Language::Korean).unwrap()
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
        let console = [("TERM", "linux"), ("LANG", "ko_KR.UTF-8")];
        for (flags, is_ascii) in [(&[][..], true), (&[("ui.ascii", "false")], false)] {
            assert_eq!(of(flags, &console).look.glyphs.is_ascii, is_ascii, "a Linux console, {flags:?}");
        }
        assert_eq!(of(&[], &[("NO_COLOR", "1"), ("TERM", "xterm")]).look.theme, ThemeName::None);
    }

    #[test]
    fn the_mouse_is_left_alone_and_the_screen_calm_if_that_is_wished() {
        let of = |flags: &[(&str, &str)]| {
            let options = of(flags, &[]);
            (options.has_mouse, options.is_calm)
        };
        assert_eq!(of(&[]), (true, false));
        assert_eq!(of(&[("ui.mouse", "false")]), (false, false));
        assert_eq!(of(&[("ui.reduced_motion", "true")]), (true, true));
    }

    #[test]
    fn chosen_keys_count_and_wrong_ones_are_told_before_anything_is_shown() {
        let chosen = of(&[("keys.new_order", "ctrl-n")], &[]);
        assert_eq!(chosen.keys.shown(Scope::Orders, Action::NewOrder), Some(Chord::ctrl('n')));
        let flags = [("data_dir", "/d"), ("keys.new_order", "q"), ("keys.fly", "x"), ("ui.mouse", "false")];
        let flags = flags.map(|(key, value)| (key.into(), value.into())).to_vec();
        let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
        let Err(Failure::Usage(told)) = options(&config, &[], Language::English) else {
            panic!("wrong keys are taken")
        };
        assert!(told.contains("unknown setting 'keys.fly'"), "{told}");
        assert!(told.contains("the key q would mean both 'new_order' and 'quit'"), "{told}");
    }
}
