//! The desk as docker-compose.yml has it: everything in containers of a project of its own, and one container of the dashboard's
//! beside it that commands are run in.

use std::process::Command;
use std::time::{Duration, Instant};

use super::{Desk, SERVICES, all_take_work, until};
use crate::command::said;
use crate::compose::{Compose, IMAGES};
use crate::docker;

/// How long the engine may take to start everything, or to take it down: a health check alone is asked every 5 s.
pub(crate) const UP_WITHIN: Duration = Duration::from_secs(240);
/// How long it may take to start or to end one container. It kills one that does not end within 10 s.
pub(crate) const CHANGED_WITHIN: Duration = Duration::from_secs(90);
/// How often it is looked whether a container does its work.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long one answer of a container to its own health check may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A project, and the container for commands.
#[derive(Debug)]
pub(crate) struct Composed {
    compose: Compose,
}

impl Composed {
    /// Starts everything, with `settings` of the compose file's variables, and waits until all workers take work.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    pub(crate) fn start(settings: &[(&'static str, &'static str)]) -> Result<Self, String> {
        let mut desk = Self { compose: Compose::new(settings)? };
        desk.up()?;
        Ok(desk)
    }

    /// Brings everything up that is not, as people do, and waits until all workers take work.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    pub(crate) fn up(&mut self) -> Result<(), String> {
        self.compose.ask(&["up", "-d"], UP_WITHIN)?;
        for service in ["rabbitmq", "redis", "postgres", "gateway"].iter().chain(&SERVICES) {
            for container in self.compose.containers(service)? {
                well_within(&container, UP_WITHIN)?;
            }
        }
        let name = self.commands();
        let beside = ["run", "-d", "-T", "--no-deps", "--name", &name, "dashboard", "sleep", "infinity"];
        self.compose.ask(&beside, CHANGED_WITHIN)?;
        until(self, "the workers get to work", all_take_work)
    }

    /// Takes everything down, as people do; the volumes stay.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn down(&mut self) -> Result<(), String> {
        docker::ask(&["rm", "--force", "--volumes", &self.commands()])?;
        self.compose.ask(&["down"], UP_WITHIN).map(drop)
    }

    /// The project.
    pub(crate) fn compose(&self) -> &Compose {
        &self.compose
    }

    /// Has so many containers of each service, and waits until all of them do their work.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn scale(&self, services: &[(&str, usize)]) -> Result<(), String> {
        let scales: Vec<String> =
            services.iter().map(|(service, count)| format!("{service}={count}")).collect();
        let mut words = vec!["up", "-d", "--no-deps", "--no-recreate"];
        words.extend(scales.iter().flat_map(|scale| ["--scale", scale]));
        words.extend(services.iter().map(|(service, _)| *service));
        self.compose.ask(&words, CHANGED_WITHIN)?;
        for (service, count) in services {
            let containers = self.compose.containers(service)?;
            if containers.len() != *count {
                return Err(format!(
                    "{count} of {service} were asked for, and there are {}",
                    containers.len()
                ));
            }
            for container in containers {
                well_within(&container, CHANGED_WITHIN)?;
            }
        }
        Ok(())
    }

    fn commands(&self) -> String {
        format!("{}-commands", self.compose.project)
    }
}

/// Waits until a container does its work, by what its health check asks.
///
/// # Errors
/// A sentence that says what it answers instead.
pub(crate) fn well_within(container: &str, time: Duration) -> Result<(), String> {
    let begun = Instant::now();
    while let Err(why) = answers(container) {
        if begun.elapsed() > time {
            return Err(format!("{container} is not well after {} s: {why}", time.as_secs()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Whether a container passes its own health check now. What the engine tells of it is as old as its last look, and stays
/// as it was while it is paused.
fn answers(container: &str) -> Result<(), String> {
    let test = docker::inspect(container, "{{json .Config.Healthcheck.Test}}")?;
    let test: Vec<String> = serde_json::from_str(&test).map_err(|error| format!("{container}: {error}"))?;
    let [kind, words @ ..] = test.as_slice() else { return Err("it has no health check".to_owned()) };
    if kind != "CMD" {
        return Err(format!("its health check is none that can be asked: {kind}"));
    }
    said(Command::new("docker").args(["exec", container]).args(words), ANSWER_WITHIN).map(drop)
}

impl Desk for Composed {
    fn skstore(&self, line: &str) -> Command {
        let mut command = Command::new("docker");
        command.args(["exec", &self.commands(), "skstore", "--json"]).args(line.split(' '));
        command
    }

    fn read(&self, file: &str) -> Result<String, String> {
        docker::ask(&["exec", &self.commands(), "cat", file])
    }

    fn workers(&self, service: &str) -> Result<Vec<String>, String> {
        self.compose.containers(service)
    }

    fn start(&mut self, service: &'static str) -> Result<(), String> {
        let count = self.compose.containers(service)?.len() + 1;
        let scale = format!("{service}={count}");
        let words = ["up", "-d", "--no-deps", "--no-recreate", "--scale", &scale, service];
        self.compose.ask(&words, CHANGED_WITHIN).map(drop)
    }

    fn end(&mut self, worker: &str) -> Result<(), String> {
        said(Command::new("docker").args(["stop", worker]), CHANGED_WITHIN)?;
        self.remove(worker)
    }

    fn hang(&mut self, worker: &str) -> Result<(), String> {
        // Not paused: the engine asks nobody for health who is.
        docker::ask(&["kill", "--signal", "STOP", worker]).map(drop)
    }

    fn kill(&mut self, worker: &str) -> Result<(), String> {
        docker::crash(worker, IMAGES[0])
    }

    fn remove(&mut self, worker: &str) -> Result<(), String> {
        said(Command::new("docker").args(["rm", "--force", worker]), CHANGED_WITHIN).map(drop)
    }

    fn is_well(&self, worker: &str) -> Result<bool, String> {
        let told = docker::inspect(worker, "{{.State.Running}} {{.State.Health.Status}}")?;
        Ok(told.starts_with("true") && !told.ends_with("unhealthy"))
    }

    fn last_words(&mut self) -> Option<String> {
        // The engine starts them again.
        None
    }

    fn logs(&self) -> String {
        format!("`docker logs` of the containers {}… has more", self.compose.project)
    }
}
