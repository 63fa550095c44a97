//! What a demonstration runs on: processes of this machine, or containers of its engine.

use std::path::Path;

use crate::build::Build;
use crate::compose::IMAGES;
use crate::desk::Desk;
use crate::desk::composed::Composed;
use crate::desk::processes::Processes;
use crate::docker;

/// What it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Processes of a build.
    Processes(Build),
    /// docker-compose.yml, with the images that are there.
    Containers,
}

impl Stage {
    /// What `word` asks for: `processes`, `compose`, or `auto`, which is containers where all images are there.
    pub(super) fn named(word: &str, build: Build) -> Option<Self> {
        match word {
            "processes" => Some(Self::Processes(build)),
            "compose" => Some(Self::Containers),
            "auto" if IMAGES.iter().all(|name| docker::has_image(name)) => Some(Self::Containers),
            "auto" => Some(Self::Processes(build)),
            _ => None,
        }
    }

    /// Makes what it needs.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn prepare(self) -> Result<(), String> {
        match self {
            Self::Processes(build) => build.make(),
            Self::Containers => match IMAGES.iter().find(|name| !docker::has_image(name)) {
                Some(missing) => Err(format!(
                    "There is no image {missing}; `cargo xtask engine compose` makes what is missing"
                )),
                None => Ok(()),
            },
        }
    }

    /// A desk whose workers may be made to misbehave if `faults`.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    pub(super) fn open(self, faults: bool) -> Result<Box<dyn Desk>, String> {
        match self {
            Self::Processes(build) => {
                let settings: &[_] = if faults { &[("SKSTORE__FAULTS__ALLOWED", "true")] } else { &[] };
                let first = build.program("skstore-worker");
                Ok(Box::new(Processes::start(build, &first, settings)?))
            }
            Self::Containers => {
                let settings: &[_] = if faults { &[("SKSTORE_FAULTS", "true")] } else { &[] };
                Ok(Box::new(Composed::start(settings)?))
            }
        }
    }

    /// A desk whose first workers are of another version: the program at `first`.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    pub(super) fn open_with(self, first: &Path) -> Result<Box<dyn Desk>, String> {
        match self {
            Self::Processes(build) => Ok(Box::new(Processes::start(build, first, &[])?)),
            Self::Containers => {
                Err("another version to begin with is a program: --engine processes".to_owned())
            }
        }
    }

    /// What to add to a command to have the same again.
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Processes(_) => "",
            Self::Containers => " --engine compose",
        }
    }

    /// What to add to a story.
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Processes(_) => "",
            Self::Containers => " Everything runs in the containers of docker-compose.yml.",
        }
    }
}
