//! A project of docker-compose.yml, run as it is: under a name and at ports of its own, so that nothing that runs on the machine
//! already is touched.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::command::said;
use crate::docker;
use crate::servers::free_ports;
use crate::step;

/// Both generations of the tool.
const TOOLS: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
/// The images that the file names, without which nothing can be started.
pub(crate) const IMAGES: [&str; 4] = ["skstore", "rabbitmq:4-management", "redis:7-alpine", "postgres:17"];
/// The broker's password in a project of this program's, which nobody but it reaches.
pub(crate) const PASSWORD: &str = "skstore";
/// How long the tool may take to say its version.
const SHORTLY: Duration = Duration::from_secs(30);

/// What does away with a project once the process that started it lets go of its input. Its arguments: the project, and how to
/// take it down. First the containers by themselves: also those that were started beside the file's services, and paused ones.
const WATCH: &str = r#"
read -r _
docker ps --all --quiet --filter "label=com.docker.compose.project=$1" | xargs -r docker rm --force --volumes
shift
exec "$@" down --volumes --remove-orphans"#;

/// Ports of this machine.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ports {
    amqp: u16,
    redis: u16,
    pub(crate) management: u16,
    pub(crate) gateway: u16,
}

/// A project. It ends, with its containers, networks and volumes, when this is dropped, or with this process.
#[derive(Debug)]
pub(crate) struct Compose {
    tool: &'static [&'static str],
    pub(crate) project: String,
    pub(crate) ports: Ports,
    settings: Vec<(&'static str, &'static str)>,
    watchdog: Child,
}

/// The tool that is there, the newer one if both are.
fn tool() -> Result<&'static [&'static str], String> {
    let works =
        |words: &&&[&str]| said(Command::new(words[0]).args(&words[1..]).arg("version"), SHORTLY).is_ok();
    TOOLS.iter().find(works).copied().ok_or_else(|| {
        "Neither `docker compose` nor docker-compose works here. Debian has the latter: apt-get install docker-compose"
            .to_owned()
    })
}

impl Compose {
    /// A project that has nothing yet, with `settings` of the file's variables.
    ///
    /// # Errors
    /// A sentence that says what is missing on this machine.
    pub(crate) fn new(settings: &[(&'static str, &'static str)]) -> Result<Self, String> {
        if !docker::is_there() {
            return Err("`docker version` finds no container engine here".to_owned());
        }
        let tool = tool()?;
        let [amqp, management, redis, gateway] = free_ports()?;
        let project = format!("skstore-{}-{amqp}", std::process::id());
        let watchdog = Command::new("sh")
            .args(["-c", WATCH, "watchdog", &project])
            .args(tool)
            .args(["--project-name", &project])
            .current_dir(step::root())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C reaches all of ours.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("sh: {error}"))?;
        let ports = Ports { amqp, redis, management, gateway };
        Ok(Self { tool, project, ports, settings: settings.to_vec(), watchdog })
    }

    /// The tool with `words`, about this project.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.tool[0]);
        command.args(&self.tool[1..]).args(["--project-name", &self.project]).args(words);
        let Ports { amqp, redis, management, gateway } = self.ports;
        command
            .current_dir(step::root())
            .env("SKSTORE_AMQP_PORT", amqp.to_string())
            .env("SKSTORE_REDIS_PORT", redis.to_string())
            .env("SKSTORE_MANAGEMENT_PORT", management.to_string())
            .env("SKSTORE_GATEWAY_PORT", gateway.to_string())
            .env("SKSTORE_PASSWORD", PASSWORD)
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .envs(self.settings.iter().copied());
        command
    }

    /// What the tool says to `words`.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn ask(&self, words: &[&str], within: Duration) -> Result<String, String> {
        said(&mut self.command(words), within)
    }

    /// The containers of a service, the oldest first.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn containers(&self, service: &str) -> Result<Vec<String>, String> {
        let labels = [
            format!("label=com.docker.compose.project={}", self.project),
            format!("label=com.docker.compose.service={service}"),
            // Those of `run` are somebody's command.
            "label=com.docker.compose.oneoff=False".to_owned(),
        ];
        let mut words = vec!["ps", "--all", "--format", "{{.Names}}"];
        words.extend(labels.iter().flat_map(|label| ["--filter", label]));
        let said = docker::ask(&words)?;
        Ok(said.lines().rev().map(str::to_owned).collect())
    }

    /// The network that its containers are on.
    pub(crate) fn network(&self) -> String {
        format!("{}_default", self.project)
    }
}

impl Drop for Compose {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        // It is in nobody's way any more, whatever became of it.
        let _ = self.watchdog.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_images_are_those_that_the_file_names() {
        let file = include_str!("../../docker-compose.yml");
        let mut named: Vec<&str> =
            file.lines().filter_map(|line| line.trim().strip_prefix("image: ")).collect();
        named.sort_unstable();
        let mut known = IMAGES;
        known.sort_unstable();
        assert_eq!(named, known);
    }
}
