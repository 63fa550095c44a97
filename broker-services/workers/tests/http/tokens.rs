//! Who is let in by a token, and to what.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use skstore_workers::config::{Config, Sources};
use skstore_workers::gateway::{Gateway, Role, tokens};
use tokio::time::timeout;

use crate::operator::heard;
use crate::served::{JSON, PATIENCE, Served};

async fn with_tokens() -> Served {
    Served::start_with(&[("gateway.tokens", "tokens")]).await
}

/// A header with a new token, which is in the file from now on.
fn token(path: &Path, name: &str, role: Role) -> String {
    let minted = tokens::mint(name, role).expect("a token");
    tokens::add(path, &minted.line).expect("a file");
    format!("Authorization: Bearer {}\r\n", minted.secret)
}

/// Waits until the gateway has looked at its file: it does once a second.
async fn until_known(gateway: &Served, header: &str) {
    let known = async { while gateway.ask("GET /accounts", header, "").await.status == 401 {} };
    timeout(PATIENCE, known).await.expect("a token is known soon");
}

#[tokio::test]
async fn each_role_does_what_it_is_there_for_and_nothing_else() {
    let gateway = with_tokens().await;
    let path = gateway.file("tokens");
    let [viewer, desk, teller, operator] = Role::ALL.map(|role| token(&path, role.word(), role));
    until_known(&gateway, &operator).await;
    heard(&gateway, &operator).await;
    // Requests, and who of viewer, desk, teller and operator may make them.
    let table = [
        ("GET /orders", "", [true, true, true, true]),
        ("GET /products/10", "", [true, true, true, true]),
        ("POST /orders", r#"{"productId":"10","order_id":"t-1"}"#, [false, true, false, true]),
        ("DELETE /orders/t-1", "", [false, true, false, true]),
        ("POST /orders/t-1/cancel", "", [false, true, false, true]),
        ("POST /accounts/kim/topups", r#"{"amount":1,"topup_id":"t-1"}"#, [false, false, true, true]),
        ("POST /products/10/restocks", r#"{"qty":1,"restock_id":"r-1"}"#, [false, false, true, true]),
        ("PUT /breaker", r#"{"mode":"auto"}"#, [false, false, false, true]),
        ("PUT /faults/item", r#"{"fault":"none"}"#, [false, false, false, true]),
        ("GET /faults", "", [true, true, true, true]),
        ("PUT /products/77", r#"{"name":"배","unit_price":"500"}"#, [false, false, true, true]),
    ];
    for (line, body, may) in table {
        for (header, may) in [&viewer, &desk, &teller, &operator].into_iter().zip(may) {
            let reply = gateway.ask(line, &format!("{JSON}{header}"), body).await;
            if may {
                assert!([200, 201, 202].contains(&reply.status), "{line} {header}: {}", reply.body);
            } else {
                let told = reply.header("www-authenticate").unwrap_or_default();
                let is_refused = reply.status == 403 && told.contains("insufficient_scope");
                assert!(is_refused, "{line} {header}: {}", reply.head);
            }
        }
    }
    let new = gateway.ask("GET /products/77", &viewer, "").await;
    assert_eq!((&new.body["name"], &new.body["unit_price"]), (&json!("배"), &json!(500)), "{}", new.body);
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_and_with_one_from_anywhere() {
    let gateway = with_tokens().await;
    for line in ["GET /orders", "POST /orders", "DELETE /orders/x", "GET /nowhere", "PATCH /orders"] {
        let without = gateway.ask(line, JSON, "{}").await;
        let told = without.header("www-authenticate");
        assert_eq!((without.status, told), (401, Some("Bearer realm=\"skstore\"")), "{line}");
    }
    let viewer = token(&gateway.file("tokens"), "phone", Role::Viewer);
    until_known(&gateway, &viewer).await;
    let far = format!("Host: shop.example\r\nOrigin: http://page.example\r\n{viewer}");
    assert_eq!(gateway.ask("GET /accounts", &far, "").await.status, 200, "from another machine");
    let secret = viewer.split(' ').nth(2).expect("a secret").trim();
    let wrong = [
        viewer.replace("skstore_", "skstore-"),
        viewer.replace("Bearer", "Basic"),
        format!("Authorization: Bearer {secret}x\r\n"),
        format!("Authorization: Bearer {}\r\n", &secret[..secret.len() - 1]),
        "Authorization: Bearer\r\n".to_owned(),
    ];
    for header in wrong {
        let reply = gateway.ask("GET /accounts", &header, "").await;
        let told = reply.header("www-authenticate").unwrap_or_default();
        assert!(reply.status == 401 && told.contains("invalid_token"), "{header}: {}", reply.head);
    }
    let twice = gateway.ask("GET /accounts", &format!("{viewer}{viewer}"), "").await;
    assert_eq!(
        (twice.status, &twice.body["code"]),
        (400, &json!("invalid")),
        "which of the two is meant: {}",
        twice.head
    );
    let page = "Origin: http://page.example\r\n";
    assert_eq!(gateway.ask("GET /accounts", page, "").await.status, 403, "a page without a token");
}

#[tokio::test]
async fn what_would_let_anybody_in_is_refused_at_the_start() {
    let gateway = with_tokens().await;
    let path = gateway.file("other");
    let settings = |tokens: &Path| {
        let tokens = tokens.to_str().expect("a name");
        let flags = [("data_dir", "/nowhere"), ("gateway.listen", "0.0.0.0:0"), ("gateway.tokens", tokens)];
        let flags = flags.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        Config::load(&Sources { flags, ..Sources::default() })
    };
    let told = settings(Path::new("")).expect_err("anybody could come").to_string();
    assert!(told.contains("'gateway.listen'") && told.contains("gateway.tokens"), "{told}");
    let config = settings(&path).expect("settings");
    for (text, mode, expected) in [("shop", 0o600, "line 1 of the file of tokens"), ("", 0o640, "chmod 600")]
    {
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("its owner");
        let desk = gateway.process.desk().await.expect("a desk");
        let told = Gateway::listen(&config.gateway, desk).await.expect_err("it is wrong").to_string();
        assert!(told.contains(expected), "{told}");
    }
}
