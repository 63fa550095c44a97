//! The compose file and its Dockerfile, held against what is really there: settings, services, programs and paths.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use skstore_domain::signals::Service;
use skstore_workers::config::{BusUrl, Config, ENVIRONMENT_PREFIX, Sources, ViewUrl};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines below `services:` by service, without their indentation.
fn services(compose: &str) -> BTreeMap<&str, Vec<&str>> {
    let below = compose.split_once("\nservices:\n").expect("there are services").1;
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut current = "";
    for line in below.lines().take_while(|line| line.is_empty() || line.starts_with(' ')) {
        let deeper = line.trim_start();
        match (line.len() - deeper.len(), deeper.strip_suffix(':')) {
            (2, Some(name)) => current = name,
            _ if deeper.is_empty() || deeper.starts_with('#') => {}
            _ => services.entry(current).or_default().push(deeper),
        }
    }
    services
}

/// `${NAME:-default}` as it is where NAME is not set.
fn with_defaults(value: &str) -> String {
    let mut parts = value.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (variable, rest) = part.split_once('}').unwrap_or_else(|| panic!("no end: {value}"));
        whole += variable.split_once(":-").unwrap_or_else(|| panic!("no default: {value}")).1;
        whole += rest;
    }
    whole
}

/// Where the passwords that the servers make up are in the containers of those who log in there.
const SECRETS: &str = "/run/secrets/";

/// What an alias of YAML stands for: `&name value` somewhere before `*name`.
fn resolved<'a>(compose: &'a str, value: &'a str) -> &'a str {
    if let Some(name) = value.strip_prefix('*') {
        let anchor = format!("&{name} ");
        return compose
            .split_once(&anchor)
            .map_or(value, |(_, after)| after.lines().next().unwrap_or_default());
    }
    match value.strip_prefix('&') {
        Some(anchored) => anchored.split_once(' ').map_or(value, |(_, value)| value),
        None => value,
    }
}

#[test]
fn every_setting_of_the_compose_file_and_the_image_is_one_that_the_programs_take() {
    let (compose, image) = (read("docker-compose.yml"), read("config/docker/Dockerfile"));
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&secret, "made-up").unwrap();
    let here = |value: String| match value.strip_prefix(SECRETS) {
        Some(_) => secret.path().display().to_string(),
        None => value,
    };
    let settings: Vec<(String, String)> = compose
        .lines()
        .filter_map(|line| line.trim().split_once(": "))
        .chain(image.lines().flat_map(str::split_whitespace).filter_map(|word| word.split_once('=')))
        .filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX))
        .map(|(name, value)| (name.to_owned(), here(with_defaults(resolved(&compose, value)))))
        .collect();
    assert!(settings.len() >= 4, "{settings:?}");
    let environment = settings.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let config = Config::load(&Sources { environment, ..Sources::default() }).expect("settings that exist");
    assert!(matches!(config.bus.url, BusUrl::Amqp(_)), "the workers share a broker");
    assert!(!matches!(config.view.url, ViewUrl::Embedded), "and a view");
    assert_eq!(config.data_dir, Path::new("/data"));
    // Its container's own address is reached from the host, so it lets in those alone who have a token, of its own volume.
    assert!(config.gateway.listen().ip().is_unspecified(), "the published port leads to the gateway");
    assert_eq!(config.gateway.tokens(), Some(Path::new("/data/tokens")));
}

#[test]
fn nothing_is_reached_from_other_machines() {
    let compose = read("docker-compose.yml");
    let ports = compose.lines().filter_map(|line| line.trim().strip_prefix("- ")).map(with_defaults);
    let ports =
        ports.filter(|port| port.split(':').all(|part| part.parse::<u16>().is_ok() || part.contains('.')));
    let ports: Vec<String> = ports.filter(|port| port.contains(':')).collect();
    assert!(ports.len() >= 4 && ports.iter().all(|port| port.starts_with("127.0.0.1:")), "{ports:?}");
    assert!(ports.contains(&"127.0.0.1:8080:8080".to_owned()), "{ports:?}");
}

#[test]
fn any_of_its_ports_can_be_another_one_where_somebody_has_it_already() {
    let compose = read("docker-compose.yml");
    let published = compose.lines().filter_map(|line| line.trim().strip_prefix("- 127.0.0.1:"));
    for port in published {
        let number = with_defaults(port).split(':').next().unwrap_or_default().to_owned();
        assert!(port.starts_with("${SKSTORE_"), "{number} is fixed");
        assert!(compose.contains(&format!(":-{number}}}:{number}\n")), "{number} is what it is by default");
    }
}

/// An audit reads the store of each service, wherever the view and the queues are.
#[test]
fn the_dashboard_has_the_stores_where_its_settings_name_them() {
    let compose = read("docker-compose.yml");
    let lines = &services(&compose)["dashboard"];
    for line in [
        "SKSTORE__ORDER__STORE__URL: *order-store",
        "SKSTORE__DEPOSIT__STORE__URL: *deposit-store",
        "- store-secret:/run/secrets/store:ro",
        "SKSTORE__ITEM__STORE__URL: sqlite:/stores/item/item.db",
        "- item:/stores/item",
    ] {
        assert!(lines.contains(&line), "the dashboard lacks '{line}'");
    }
    let audit = &services(&compose)["audit"];
    for line in ["environment: *looks", "- item:/stores/item:ro", "profiles: [audit]"] {
        assert!(audit.contains(&line), "the audit lacks '{line}'");
    }
}

/// Whoever logs in somewhere has the password of there, and nobody else's.
#[test]
fn each_service_has_the_passwords_that_its_settings_name() {
    let compose = read("docker-compose.yml");
    let services = services(&compose);
    for (name, has_store) in
        [("order", true), ("deposit", true), ("item", false), ("myinfo", false), ("gateway", false)]
    {
        let lines = &services[name];
        for (what, is_needed) in [("broker", true), ("view", true), ("store", has_store)] {
            let mount = format!("- {what}-secret:{SECRETS}{what}:ro");
            assert_eq!(lines.contains(&mount.as_str()), is_needed, "{name}: {mount}");
        }
        let names_it = lines.iter().any(|line| line.ends_with("PASSWORD_FILE: /run/secrets/store/password"));
        assert_eq!(names_it, has_store, "{name}");
    }
    for server in ["rabbitmq", "redis", "postgres"] {
        let own = services[server].iter().filter(|line| line.ends_with("-secret:/secret")).count();
        assert_eq!(own, 1, "{server} has its own password and no other");
    }
}

#[test]
fn every_worker_and_what_it_leans_on_is_a_service_that_runs_what_the_image_has() {
    let (compose, image) = (read("docker-compose.yml"), read("config/docker/Dockerfile"));
    let services = services(&compose);
    for service in Service::ALL {
        let lines = services.get(service.word()).unwrap_or_else(|| panic!("no service {service}"));
        let has = |line: &str| assert!(lines.contains(&line), "{service} lacks '{line}'");
        has("<<: *worker");
        has(&format!("command: [skstore-worker, {service}]"));
        has(&format!("test: [CMD, skstore-worker, health, {service}]"));
        has(&format!("- {service}:/data"));
        assert!(compose.contains(&format!("\n  {service}:\n")), "the volume of {service}");
    }
    for line in [
        "<<: *worker",
        "command: [skstore-worker, gateway]",
        "test: [CMD, skstore-worker, gateway, health]",
        "- gateway:/data",
    ] {
        assert!(services["gateway"].contains(&line), "gateway lacks '{line}'");
    }
    assert!(services["dashboard"].contains(&"profiles: [dashboard]"), "`up` does not start it");
    for name in ["rabbitmq", "redis", "dashboard"] {
        assert!(services.contains_key(name), "no service {name}");
    }
    for program in ["skstore", "skstore-worker"] {
        assert!(image.contains(&format!("/skstore/target/release/{program} ")), "the image lacks {program}");
    }
    // Whoever is waited for is there, and says when it is well.
    let waited_for = compose.split("depends_on:\n").skip(1).flat_map(|after| {
        let names =
            after.lines().take_while(|line| line.trim().ends_with(':') || line.contains("condition:"));
        names.filter_map(|line| line.trim().strip_suffix(':'))
    });
    for name in waited_for {
        let lines = services.get(name).unwrap_or_else(|| panic!("'{name}' is waited for, but no service"));
        assert!(lines.contains(&"healthcheck:"), "{name} says nothing of its health");
    }
}

#[test]
fn every_file_that_the_compose_file_and_the_image_need_is_there() {
    let (compose, image) = (read("docker-compose.yml"), read("config/docker/Dockerfile"));
    let mounted = compose.lines().filter_map(|line| line.trim().strip_prefix("- ./")?.split(':').next());
    let built = compose.lines().filter_map(|line| line.trim().strip_prefix("dockerfile: "));
    let copied = image
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "))
        .filter(|line| !line.starts_with("--from"));
    let copied = copied.flat_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words[..words.len() - 1].to_vec()
    });
    let paths: Vec<&str> = mounted.chain(built).chain(copied).collect();
    assert!(paths.len() >= 10, "{paths:?}");
    let ignored = read(".dockerignore");
    for path in &paths {
        assert!(root().join(path).exists(), "{path} is needed, but not there");
        let top = path.split('/').next().unwrap_or_default();
        assert!(ignored.lines().any(|line| line == format!("!{top}")), "{top} is not sent to the builder");
    }
    // What the programs have built in.
    for path in ["config/skstore.toml", "config/catalog.toml"] {
        assert!(root().join(path).exists(), "{path}");
    }
}

#[test]
fn every_image_that_is_pulled_has_a_stand_in_for_machines_that_can_pull_none() {
    let (compose, image) = (read("docker-compose.yml"), read("config/docker/Dockerfile"));
    let started = compose.lines().filter_map(|line| line.trim().strip_prefix("image: "));
    let built_from = image.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next());
    let pulled: Vec<&str> = started.chain(built_from).filter(|name| *name != "skstore").collect();
    assert!(pulled.len() >= 4, "{pulled:?}");
    let stand_ins = read("config/docker/standins/make.sh");
    for name in pulled {
        assert!(stand_ins.contains(&format!("\n    {name}) ")), "there is no stand-in for {name}");
    }
}

/// Where either generation of compose is installed, it must take the file.
#[test]
fn compose_itself_takes_the_file() {
    for words in [&["docker-compose"] as &[&str], &["docker", "compose"]] {
        let compose = |more: &[&str]| {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]).args(more).current_dir(root()).output()
        };
        if !compose(&["version"]).is_ok_and(|asked| asked.status.success()) {
            continue;
        }
        let checked = compose(&["--profile", "dashboard", "config", "--quiet"]).expect("it is there");
        assert!(checked.status.success(), "{words:?}: {}", String::from_utf8_lossy(&checked.stderr));
    }
}
