//! The images that docker-compose.yml and the Dockerfile name: those that nobody can pull here are stood in for.

use std::process::Command;
use std::time::Duration;

use crate::command::said;
use crate::compose::IMAGES;
use crate::docker;
use crate::step;

/// Makes images from Debian's packages.
const STAND_INS: &str = "config/docker/standins/make.sh";
/// How the image of the project is made.
const DOCKERFILE: &str = "config/docker/Dockerfile";
/// What is built from.
const BASES: [&str; 2] = ["debian:bookworm-slim", "rust:1-slim-bookworm"];
/// The mark of an image that stands in for another one.
const MARK: &str = "skstore.stands-in";
/// How long a registry may take for an image, and the stand-ins may all together.
const PULLED_WITHIN: Duration = Duration::from_secs(300);
const MADE_WITHIN: Duration = Duration::from_secs(900);
/// How long the build of everything may take.
const BUILT_WITHIN: Duration = Duration::from_secs(3600);

/// What everything is started with, and what the project's own image is built from.
fn needed() -> impl Iterator<Item = &'static str> {
    BASES.into_iter().chain(IMAGES).filter(|name| *name != IMAGES[0])
}

/// Pulls the images that are missing, and has those that cannot be pulled stood in for.
///
/// # Errors
/// A sentence that says what has failed.
pub(super) fn make_missing() -> Result<(), String> {
    if !docker::is_there() {
        return Err("`docker version` finds no container engine here".to_owned());
    }
    let missing: Vec<&str> = needed().filter(|name| !docker::has_image(name)).collect();
    let pulled =
        |name: &&&str| said(Command::new("docker").args(["pull", "--quiet", name]), PULLED_WITHIN).is_ok();
    let missing: Vec<&str> = missing.iter().filter(|name| !pulled(name)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("── {} cannot be pulled, and are made from Debian's packages", missing.join(", "));
    let mut make = Command::new("sh");
    make.arg(step::root().join(STAND_INS)).args(&missing);
    said(&mut make, MADE_WITHIN).map(drop)
}

/// Whether everything can be started with what is there.
///
/// # Errors
/// A sentence that names what is missing.
pub(super) fn find() -> Result<(), String> {
    match IMAGES.iter().find(|name| !docker::has_image(name)) {
        Some(missing) => Err(format!("There is no image {missing}: leave out --built")),
        None => Ok(()),
    }
}

/// Builds the image of the project.
///
/// # Errors
/// A sentence that says what has failed.
pub(super) fn build() -> Result<(), String> {
    println!("── docker build: minutes where much has changed");
    let mut build = Command::new("docker");
    build.args(["build", "--tag", IMAGES[0], "--file", DOCKERFILE, "."]).current_dir(step::root());
    said(&mut build, BUILT_WITHIN).map(drop)
}

/// What the images are, for people.
pub(super) fn described() -> String {
    let label = format!("{{{{index .Config.Labels \"{MARK}\"}}}}");
    let stands_in = |name: &&str| {
        docker::ask(&["image", "inspect", "--format", &label, name]).is_ok_and(|said| said.trim() == "yes")
    };
    let stand_ins: Vec<&str> = needed().filter(stands_in).collect();
    if stand_ins.is_empty() {
        "with the images of the registry".to_owned()
    } else {
        format!("with stand-ins from Debian's packages for {}", stand_ins.join(", "))
    }
}
