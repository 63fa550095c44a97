//! The programs that demonstrations run: as people do, or as the tests have built them.

use std::path::PathBuf;

use crate::step;

/// Which build of the programs is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// As people run it.
    Release,
    /// As the tests have built it.
    Test,
}

impl Build {
    /// Builds the programs where they are not built.
    ///
    /// # Errors
    /// A sentence that says how to repeat it.
    pub(crate) fn make(self) -> Result<(), String> {
        match self {
            Self::Release => {
                let build = ["build", "--release", "-p", "skstore-workers", "-p", "skstore"];
                step::run("release build", &mut step::cargo(&build), "").map(drop)
            }
            // Tests build the programs as well, with the features that they themselves need: without them all would be
            // built once more.
            Self::Test => {
                let tests = ["--test", "cluster", "--test", "terminal_servers"];
                let build =
                    [&["test", "--no-run", "--workspace", "--features", step::FEATURES], &tests[..]].concat();
                step::run("build", &mut step::cargo(&build), "").map(drop)
            }
        }
    }

    /// Where a program of it is.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| step::root().join("target"), PathBuf::from);
        let profile = match self {
            Self::Release => "release",
            Self::Test => "debug",
        };
        target.join(profile).join(name)
    }
}
