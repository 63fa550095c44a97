//! What was seen, on a page: what was done, a chart and figures where there are any, and what had to hold.

use std::fmt::{Display, Write as _};
use std::path::Path;

/// The page of one demonstration.
#[derive(Debug)]
pub(crate) struct Page {
    name: &'static str,
    /// What to type for it.
    command: String,
    /// What was done, in some sentences.
    story: String,
    chart: String,
    figures: Vec<(String, String)>,
    promises: Vec<Promise>,
}

/// Something that had to hold.
#[derive(Debug)]
struct Promise {
    what: String,
    seen: String,
    holds: bool,
}

impl Page {
    /// Of what `command` shows, called `name`.
    pub(crate) fn new(name: &'static str, command: String, story: String, chart: String) -> Self {
        Self { name, command, story, chart, figures: Vec::new(), promises: Vec::new() }
    }

    /// Adds a figure.
    pub(crate) fn figure(&mut self, what: &str, value: &dyn Display) {
        self.figures.push((what.to_owned(), value.to_string()));
    }

    /// Adds something that had to hold.
    pub(crate) fn promise(&mut self, what: &str, seen: &dyn Display, holds: bool) {
        self.promises.push(Promise { what: what.to_owned(), seen: seen.to_string(), holds });
    }

    /// What did not hold.
    pub(crate) fn broken(&self) -> impl Iterator<Item = String> {
        let broken = self.promises.iter().filter(|promise| !promise.holds);
        broken.map(|promise| format!("{}: {}", promise.what, promise.seen))
    }

    /// The page of what was seen on `machine`.
    pub(crate) fn to_markdown(&self, machine: &str) -> String {
        let Self { name, command, story, chart, figures, promises } = self;
        let mut page = format!("## {name}\n\n`{command}`, {machine}.\n\n{story}\n");
        // A string takes whatever is written.
        if !chart.is_empty() {
            let _ = write!(page, "\n```text\n{chart}\n```\n");
        }
        if !figures.is_empty() {
            page.push_str("\n| | |\n|---|---|\n");
        }
        for (what, value) in figures {
            let _ = writeln!(page, "| {what} | {value} |");
        }
        page.push_str("\n| had to hold | seen | |\n|---|---|---|\n");
        for Promise { what, seen, holds } in promises {
            let _ = writeln!(page, "| {what} | {seen} | {} |", if *holds { "yes" } else { "**no**" });
        }
        page
    }

    /// Puts the page in its place in the document at `path`.
    ///
    /// # Errors
    /// A sentence that names the document.
    pub(crate) fn write(&self, machine: &str, path: &Path) -> Result<(), String> {
        let failed = |why: String| format!("{}: {why}", path.display());
        let document = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let document = replaced(&document, self.name, &self.to_markdown(machine))
            .ok_or_else(|| failed(format!("there is no place for the page '{}'", self.name)))?;
        std::fs::write(path, document).map_err(|error| failed(error.to_string()))
    }
}

/// `document` with `page` between the marks of `name`.
fn replaced(document: &str, name: &str, page: &str) -> Option<String> {
    let (before, rest) = document.split_once(&format!("<!-- {name} -->\n"))?;
    let (_, after) = rest.split_once(&format!("<!-- end of {name} -->"))?;
    Some(format!("{before}<!-- {name} -->\n{page}<!-- end of {name} -->{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_takes_the_place_of_the_one_before() {
        let document = "# Shows\n<!-- heal -->\nold\n<!-- end of heal -->\nrest\n";
        let new = replaced(document, "heal", "new\n").expect("a place");
        assert_eq!(new, "# Shows\n<!-- heal -->\nnew\n<!-- end of heal -->\nrest\n");
        assert_eq!(replaced(document, "breaker", "new\n"), None);
    }

    #[test]
    fn what_did_not_hold_is_said() {
        let mut page = Page::new("heal", "do it".to_owned(), "Story.".to_owned(), String::new());
        page.promise("no order is lost", &0, true);
        page.promise("nobody waits", &"2 s", false);
        assert_eq!(page.broken().collect::<Vec<_>>(), ["nobody waits: 2 s"]);
        assert!(page.to_markdown("a machine").contains("| nobody waits | 2 s | **no** |"));
    }
}
