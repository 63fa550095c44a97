//! `skstore-worker health`.

use crate::workers::{At, until};

#[tokio::test]
async fn health_tells_what_works_what_hangs_and_what_has_lost_its_broker() {
    let at = At::given();
    assert_eq!(at.health(&[]).unwrap_err(), "skstore-worker: no worker runs here\n");
    let mut order = at.start(&["order", "deposit"], &[]);
    until("they are at work", async || at.health(&["order", "deposit"]).is_ok()).await;
    assert_eq!(at.health(&[]), Ok(()));
    assert_eq!(at.health(&["item"]).unwrap_err(), "skstore-worker: item does not run here\n");

    order.signal("STOP");
    until("a hung process is noticed", async || {
        at.health(&["order"]).is_err_and(|why| why.contains("hangs"))
    })
    .await;
    order.signal("CONT");
    until("it goes on", async || at.health(&["order"]).is_ok()).await;

    at.vhost.call("DELETE", &format!("/api/vhosts/{}", at.vhost.name), "");
    until("a lost broker is noticed", async || {
        at.health(&[]).is_err_and(|why| {
            why.contains("order") && why.contains("is not ready: ") && why.contains("virtual host")
        })
    })
    .await;
    at.vhost.create_again();
    until("they are back at work", async || at.health(&[]).is_ok()).await;

    order.signal("TERM");
    assert!(order.end().await.0.success(), "{}", order.said());
    assert_eq!(at.health(&[]).unwrap_err(), "skstore-worker: no worker runs here\n");

    let killed = at.start(&["item"], &[]);
    until("it is at work", async || at.health(&["item"]).is_ok()).await;
    killed.kill();
    until("a killed process is missed", async || at.health(&[]).is_err_and(|why| why.contains("was killed")))
        .await;
    let _replaced = at.start(&["item"], &[]);
    until("it has a successor", async || at.health(&["item"]).is_ok()).await;
}
