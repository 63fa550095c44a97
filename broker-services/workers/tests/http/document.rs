//! The description of the gateway says what there is, no more and no less.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::served::{JSON, Served};

const PAGE: &str = include_str!("../../../../docs/gateway.md");

/// The methods of each path.
type Routes = BTreeMap<String, BTreeSet<String>>;

async fn described(gateway: &Served) -> Routes {
    let document = gateway.get("/openapi.json").await.body;
    let paths = document["paths"].as_object().expect("paths").iter();
    let methods =
        |path: &Value| path.as_object().expect("methods").keys().map(|word| word.to_uppercase()).collect();
    paths.map(|(path, described)| (path.clone(), methods(described))).collect()
}

/// What the first table of the page has, `{…}` for every name.
fn documented() -> BTreeSet<(String, String)> {
    let rows = PAGE.lines().skip_while(|line| !line.starts_with("| request")).skip(2);
    let requests = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    let mut found = BTreeSet::new();
    for words in requests {
        let mut method = "";
        for word in words.split(['`', ' ', ',']).filter(|word| !word.is_empty()) {
            match word.split('?').next() {
                Some(path) if path.starts_with('/') => {
                    found.insert((method.to_owned(), nameless(path)));
                }
                _ => method = word,
            }
        }
    }
    found
}

fn nameless(path: &str) -> String {
    let segments = path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_is_described_and_whatever_is_described_is_there() {
    let gateway = Served::start().await;
    let routes = described(&gateway).await;
    assert!(routes.len() >= 18, "{routes:?}");
    for (path, methods) in &routes {
        let asked = nameless(path).replace("{}", "x");
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            if methods.contains(method) && path == "/events" {
                continue;
            }
            let reply = gateway.ask(&format!("{method} {asked}"), JSON, "").await;
            let is_there = reply.status != 405 && reply.body["detail"] != "there is no such path";
            assert_eq!(is_there, methods.contains(method), "{method} {path}: {}", reply.body);
            if !is_there {
                let allowed = reply.header("allow").expect("what is allowed").split(',').map(str::to_owned);
                let allowed: BTreeSet<String> = allowed.filter(|word| word != "HEAD").collect();
                assert_eq!(&allowed, methods, "{path}");
            }
        }
    }
    let described =
        routes.iter().flat_map(|(path, methods)| methods.iter().map(|word| (word.clone(), nameless(path))));
    assert_eq!(documented(), described.collect(), "docs/gateway.md has other requests than the gateway");
}

/// All that its description lets one think of, within a minute.
#[cfg(feature = "servers")]
#[tokio::test]
async fn it_keeps_to_its_description_whatever_is_asked() {
    use std::process::{Command, Stdio};

    use serde_json::json;

    let place = std::env::var("SKSTORE_TEST_SCHEMATHESIS").expect("run by: cargo xtask test http");
    let gateway = crate::child::Gateway::start(
        // Workers that would take no work are another test's matter.
        &["payment.timeout_ms=9000", "faults.allowed=false"],
    );
    gateway.ready().await;
    for number in 0..3 {
        let order = json!({ "productId": "10", "order_id": format!("o-{number}"), "customer": "kim" });
        let placed = gateway.ask("POST /orders", JSON, &order.to_string()).await;
        assert!(placed.starts_with("HTTP/1.1 201"), "{placed}");
    }
    let settings = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/schemathesis.toml");
    // It keeps notes where it is.
    let directory = tempfile::tempdir().expect("a directory");
    let output = Command::new("/usr/bin/python3")
        .args(["-m", "schemathesis.cli", "--config-file", settings, "run"])
        .arg(format!("http://{}/openapi.json", gateway.address))
        // Examples of each operation; in all, 45 s of the minute.
        .args(["--max-examples", "30", "--max-time", "45", "--no-color"])
        // It never ends.
        .args(["--exclude-path", "/events"])
        .env("PYTHONPATH", place)
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .expect("Python is there");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("Tested: 26"), "{told}");
    assert!(gateway.ask("GET /accounts", "", "").await.starts_with("HTTP/1.1 200"), "it still answers");
}
