//! The view over HTTP, page by page.

use serde_json::{Value, json};

use crate::served::{Reply, Served};

/// Where the link to the next page leads, if there is one.
fn next(reply: &Reply) -> Option<String> {
    let link = reply.header("link")?;
    let path = link.strip_prefix('<').and_then(|rest| rest.strip_suffix(">; rel=\"next\""));
    Some(path.unwrap_or_else(|| panic!("no link: {link}")).to_owned())
}

/// All that the links from `path` on lead to.
async fn follow(gateway: &Served, path: &str, rows: &str, name: &str) -> Vec<String> {
    let (mut found, mut path) = (Vec::new(), Some(path.to_owned()));
    while let Some(at) = path {
        let page = gateway.get(&at).await;
        assert_eq!(page.status, 200, "{at}: {}", page.body);
        let rows = page.body[rows].as_array().expect("rows").iter();
        found.extend(rows.map(|row| row.pointer(name).and_then(Value::as_str).expect("a name").to_owned()));
        path = next(&page);
        assert_eq!(path.is_some(), page.body["next"] != Value::Null, "{at}");
    }
    found
}

#[tokio::test]
async fn links_lead_through_all_pages_each_once() {
    let gateway = Served::start().await;
    let customers = [("김 철수", "%EA%B9%80%20%EC%B2%A0%EC%88%98"), ("a&b=c", "a&b=c"), ("kim", "kim")];
    for (number, (customer, in_address)) in customers.iter().enumerate() {
        let path = format!("/accounts/{in_address}/topups");
        assert_eq!(gateway.post(&path, "", &json!({ "amount": 1_000_000 })).await.status, 200, "{path}");
        let order = json!({ "productId": "10", "order_id": format!("o-{number}"), "customer": customer });
        assert_eq!(gateway.post("/orders", "", &order).await.status, 201);
    }
    gateway.process.settle().await;
    for root in ["", "/myinfo"] {
        let orders = follow(&gateway, &format!("{root}/orders?limit=1"), "orders", "/order/order_id").await;
        assert_eq!(orders, ["o-2", "o-1", "o-0"], "{root}");
        let found = format!("{root}/orders?limit=1&text=%EC%B2%A0");
        assert_eq!(follow(&gateway, &found, "orders", "/order/order_id").await, ["o-0"], "{root}");
        let by_id = format!("{root}/orders?limit=2&prefix=o-");
        assert_eq!(follow(&gateway, &by_id, "orders", "/order/order_id").await.len(), 3, "{root}");
        for (path, rows, name) in
            [("accounts", "accounts", "/customer"), ("products", "products", "/item_id")]
        {
            let one = follow(&gateway, &format!("{root}/{path}?limit=1"), rows, name).await;
            let all = follow(&gateway, &format!("{root}/{path}?limit=200"), rows, name).await;
            assert!(all.len() > 3 && one == all, "{root}/{path}: {one:?} and {all:?}");
        }
    }
}

#[tokio::test]
async fn counts_and_the_status_are_those_of_the_view() {
    let gateway = Served::start().await;
    assert_eq!(gateway.post("/orders", "", &json!({ "productId": "10", "order_id": "o" })).await.status, 201);
    gateway.process.settle().await;
    let counts = gateway.get("/myinfo/counts").await.body;
    assert_eq!(counts["orders"]["delivering"], json!(1), "{counts}");
    assert!(counts["products"].as_u64() > Some(3) && counts["balances"].as_i64() > Some(0), "{counts}");
    let status = gateway.get("/myinfo/status").await.body;
    let services = status["services"].as_array().expect("services");
    let names: Vec<&str> = services.iter().filter_map(|beat| beat["service"].as_str()).collect();
    assert_eq!(names, ["order", "deposit", "item", "myinfo"], "{status}");
    assert!(services.iter().all(|beat| beat["ready"] == json!(true)), "{status}");
    assert_eq!(services[0]["breaker"]["state"], json!("closed"), "{status}");
    assert_eq!(gateway.get("/myinfo/orders/o").await.body["order"]["status"], json!("delivering"));
    assert_eq!(gateway.get("/myinfo/orders/other").await.status, 404);
}

#[tokio::test]
async fn whether_it_lives_and_is_of_use_is_told_without_a_token() {
    let gateway = Served::start_with(&[("gateway.tokens", "tokens")]).await;
    for (path, word) in [("/livez", "alive"), ("/readyz", "ready")] {
        let reply = gateway.ask(&format!("GET {path}"), "Host: gateway:8080\r\n", "").await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!(word)), "{path}");
    }
}
