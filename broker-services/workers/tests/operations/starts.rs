//! What may heal without other settings is waited for at the start as well, and shown meanwhile.

use std::time::Duration;

use crate::users::ALL;
use crate::vhost::Vhost;
use crate::workers::{At, command, until};

/// Something that keeps a user out of a broker, and that somebody mends there.
struct Trouble {
    name: &'static str,
    begin: fn(&Vhost, &str),
    /// What is said of it.
    said: &'static str,
    mend: fn(&Vhost, &str),
}

fn limit_path(vhost: &Vhost) -> String {
    format!("/api/vhost-limits/{}/max-connections", vhost.name)
}

fn permission_path(vhost: &Vhost, user: &str) -> String {
    format!("/api/permissions/{}/{user}", vhost.name)
}

fn give_password(vhost: &Vhost, user: &str, password: &str) {
    let body = serde_json::json!({ "password": password, "tags": "" });
    vhost.call("PUT", &format!("/api/users/{user}"), &body.to_string());
}

const TROUBLES: [Trouble; 4] = [
    Trouble {
        name: "a virtual host that is not there yet",
        begin: |vhost, _| drop(vhost.call("DELETE", &format!("/api/vhosts/{}", vhost.name), "")),
        said: "create the virtual host",
        mend: |vhost, user| {
            vhost.create_again();
            vhost.permit(user, ALL);
        },
    },
    Trouble {
        name: "a full virtual host",
        begin: |vhost, _| drop(vhost.call("PUT", &limit_path(vhost), r#"{"value":0}"#)),
        said: "raise the limit",
        mend: |vhost, _| drop(vhost.call("DELETE", &limit_path(vhost), "")),
    },
    Trouble {
        name: "a revoked permission",
        begin: |vhost, user| drop(vhost.call("DELETE", &permission_path(vhost, user), "")),
        said: "give that user permissions",
        mend: |vhost, user| vhost.permit(user, ALL),
    },
    Trouble {
        // A server of users that is down says no to everybody in the same words.
        name: "a user whom nobody vouches for",
        begin: |vhost, user| give_password(vhost, user, "another"),
        said: "correct user and password in bus.url, or that user there",
        mend: |vhost, user| give_password(vhost, user, "secret"),
    },
];

#[tokio::test]
async fn what_can_be_mended_at_the_broker_is_waited_for_and_shown() {
    let check = async |trouble: &Trouble| {
        let at = At::given();
        let user = at.vhost.user("secret", ALL);
        let url = at.vhost.url.replace("guest:guest", &format!("{user}:secret"));
        (trouble.begin)(&at.vhost, &user);
        let mut worker = at.start(&["item"], &[("bus.url", &url)]);
        until(trouble.name, async || {
            at.health(&["item"]).is_err_and(|why| why.contains("is not ready") && why.contains(trouble.said))
        })
        .await;
        assert!(worker.said().contains(trouble.said), "{}: {}", trouble.name, worker.said());
        (trouble.mend)(&at.vhost, &user);
        until(&format!("{} is mended", trouble.name), async || at.health(&["item"]).is_ok()).await;
        worker.signal("TERM");
        assert!(worker.end().await.0.success(), "{}", worker.said());
    };
    let [one, two, three, four] = &TROUBLES;
    tokio::join!(check(one), check(two), check(three), check(four));
}

#[tokio::test]
async fn one_that_waits_ends_when_it_is_told_to() {
    let at = At::given();
    let mut worker = at.start(&["item"], &[("bus.url", "amqp://[2001:db8::1],127.0.0.1:1")]);
    until("it waits", async || at.health(&["item"]).is_err_and(|why| why.contains("127.0.0.1:1"))).await;
    worker.signal("TERM");
    let (status, took) = worker.end().await;
    assert!(status.success() && took < Duration::from_secs(2), "{status} after {took:?}");
}

#[test]
fn settings_that_cannot_be_right_end_it_at_once() {
    /// Nobody is there, which alone would be waited for.
    const ELSEWHERE: [(&str, &str); 2] =
        [("bus.url", "amqp://127.0.0.1:1"), ("view.url", "redis://127.0.0.1:1")];
    let table = [
        ("bus.url", "amqp://u:p@ss@mq", Some(2), "percent-encoded"),
        ("bus.url", "amqp://guest:p@ss/w#rd@127.0.0.1:1", Some(2), "percent-encoded"),
        ("view.url", "redis://:p@ss/w#rd@127.0.0.1:1", Some(2), "percent-encoded"),
        ("view.url", "redis://a,b", Some(2), "one Redis"),
        ("retry.most_ms", "0", Some(2), "retry.most_ms"),
        ("view.url", "embedded:", Some(2), "only one of them would see"),
    ];
    for (key, value, status, part) in table {
        let others = ELSEWHERE.iter().filter(|(other, _)| *other != key).copied();
        let settings: Vec<_> =
            others.chain([(key, value)]).map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let output = command(&["order"], &settings).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), status, "{key}={value}: {said}");
        assert!(said.contains(part), "{key}={value}: {said}");
        for of_the_password in ["p@ss", "w#rd", "ss/w"] {
            assert!(!said.contains(of_the_password), "{key}={value}: a part of the password is told: {said}");
        }
    }
}
