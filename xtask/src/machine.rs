//! What was measured on: without it a number says nothing.

use std::process::Command;

/// One line: date, commit, cores, CPU, compiler.
pub(crate) fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| cpu_model(&info));
    format!(
        "{}, commit {}, {cores} cores, {}, {}",
        first_line("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(|| "date unknown".into()),
        first_line("git", &["describe", "--always", "--dirty"]).unwrap_or_else(|| "unknown".into()),
        cpu.unwrap_or_else(|| format!("{} CPU", std::env::consts::ARCH)),
        first_line("rustc", &["--version"]).unwrap_or_else(|| "rustc unknown".into()),
    )
}

fn cpu_model(info: &str) -> Option<String> {
    let model = info.lines().find_map(|line| line.strip_prefix("model name"))?;
    model.split_once(':').map(|(_, name)| name.trim().to_owned())
}

fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::cpu_model;

    #[test]
    fn the_cpu_is_named_where_linux_names_it() {
        let info = "processor\t: 0\nmodel name\t: Example CPU @ 2.0GHz\nmodel name\t: Example CPU @ 2.0GHz\n";
        assert_eq!(cpu_model(info).as_deref(), Some("Example CPU @ 2.0GHz"));
        assert_eq!(cpu_model("Features: fp asimd\n"), None);
    }
}
