//! Faults of a few made-up dependencies.

use serde_json::json;

use super::*;

const RULES: &str = r#"
    licenses.allow = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"]
    sources.allow-registry = ["https://crates"]
    bans.deny = [{ crate = "openssl", reason = "rustls is used" }]
    bans.skip = [{ crate = "nom@7.1.3", reason = "lapin" }, { crate = "syn@1.0.0" }]
"#;

/// Each as name, version, licence and source.
fn found(packages: &[[&str; 4]]) -> Vec<String> {
    let package = |[name, version, license, source]: &[&str; 4]| json!({ "name": name, "version": version, "license": license, "source": source });
    let metadata = json!({ "packages": packages.iter().map(package).collect::<Vec<_>>() });
    faults(DeTable::parse(RULES).expect("TOML").get_ref(), &metadata)
}

#[test]
fn each_fault_names_the_crate_and_the_remedy() {
    let crates = "registry+https://crates";
    let of = |name, version| [name, version, "MIT", crates];
    let both = [of("syn", "1.0.0"), of("syn", "2.0.0"), of("nom", "7.1.3"), of("nom", "8.0.0")];
    let unwanted = [
        of("openssl", "0.10.1"),
        of("nix", "0.28.0"),
        of("nix", "0.32.0"),
        ["copyleft", "1.0.0", "GPL-3.0", crates],
        ["fork", "0.1.0", "MIT", "git+https://elsewhere"],
    ];
    let found = found(&[both.as_slice(), &unwanted].concat());
    let expected = [
        "syn@1.0.0 is skipped without a reason",
        "nix is there in versions 0.28.0 and 0.32.0.",
        "openssl 0.10.1 is banned: rustls is used. Do without it",
        "copyleft 1.0.0 has the licence GPL-3.0,",
        "fork 0.1.0 comes from git+https://elsewhere,",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(found.iter().zip(expected).all(|(found, start)| found.starts_with(start)), "{found:#?}");
}

#[test]
fn a_reason_that_is_needed_no_more_is_a_fault() {
    let found = found(&[["nom", "7.1.3", "MIT", "registry+https://crates"]]);
    assert!(found[0].starts_with("nom@7.1.3 is skipped, but is not one of several versions"), "{found:#?}");
}

#[test]
fn licences_are_read_as_expressions() {
    let allowed = ["MIT", "Apache-2.0", "ISC", "Apache-2.0 WITH LLVM-exception"];
    for expression in ["MIT OR GPL-3.0", "GPL-3.0/MIT", "(MIT OR X) AND ISC", "X OR MIT AND ISC"] {
        assert!(is_allowed(expression, &allowed), "{expression}");
    }
    for expression in ["", "X", "MIT AND X", "(MIT", "MIT)", "MIT OR", "ISC WITH Y", "(MIT OR X) AND Y"] {
        assert!(!is_allowed(expression, &allowed), "{expression}");
    }
}
