//! What is written is what is used, and what cannot be read keeps its secrets.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

fn broker(url: &str) -> BrokerAddress {
    BrokerAddress::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn places(address: &BrokerAddress) -> Vec<String> {
    address.endpoints().iter().map(ToString::to_string).collect()
}

#[test]
fn a_broker_s_url_says_where_and_as_whom() {
    let table = [
        ("amqp://mq", "guest", "guest", "/", "mq:5672"),
        ("amqps://mq", "guest", "guest", "/", "mq:5671"),
        ("amqp://kim:pw@mq:5673/desk", "kim", "pw", "desk", "mq:5673"),
        ("amqp://kim:pw@mq:5672/", "kim", "pw", "/", "mq:5672"),
        ("amqp://kim:pw@mq/%2F", "kim", "pw", "/", "mq:5672"),
        ("amqp://kim:p%40ss%2Fw%23rd@mq", "kim", "p@ss/w#rd", "/", "mq:5672"),
        ("amqp://kim:@mq", "kim", "", "/", "mq:5672"),
        ("amqp://k%C3%AFm:비밀@mq/a%2Fb", "kïm", "비밀", "a/b", "mq:5672"),
        ("amqp://kim:pw@[2001:db8::1]:5672", "kim", "pw", "/", "[2001:db8::1]:5672"),
        ("amqps://kim:pw@[::1]", "kim", "pw", "/", "[::1]:5671"),
        ("amqp://kim:pw@a:5672,b,[::1]:3/v", "kim", "pw", "v", "a:5672,b:5672,[::1]:3"),
        ("amqp://10.0.0.1:5672", "guest", "guest", "/", "10.0.0.1:5672"),
    ];
    for (url, user, password, vhost, at) in table {
        let address = broker(url);
        let told = (address.user(), address.vhost(), places(&address).join(","));
        assert_eq!(told, (user, vhost, at.to_owned()), "{url}");
        assert_eq!(address.password(), Password::given(password.to_owned()), "{url}");
    }
    let asks = broker("amqp://mq/v?heartbeat=10&frame_max=262144");
    assert_eq!((asks.heartbeat_seconds(), asks.frame_bytes()), (Some(10), Some(262_144)));
}

#[test]
fn a_redis_s_url_says_where_and_as_whom() {
    let table = [
        ("redis://r", None, "r:6379", 0),
        ("rediss://r/", None, "r:6379", 0),
        ("redis://:pw@r:6380/2", Some(("", "pw")), "r:6380", 2),
        ("redis://desk:p%3Aw@[::1]/15", Some(("desk", "p:w")), "[::1]:6379", 15),
    ];
    for (url, login, at, database) in table {
        let address = RedisAddress::parse(url).unwrap();
        let login = login
            .map(|(user, password)| Login { user: user.into(), password: Password::given(password.into()) });
        assert_eq!(address.login(), login.as_ref(), "{url}");
        assert_eq!((address.place(), address.database()), (at.to_owned(), database), "{url}");
        assert_eq!(address.is_encrypted(), url.starts_with("rediss"), "{url}");
    }
}

#[test]
fn sentinels_are_asked_by_the_name_that_they_know() {
    let table = [
        ("redis+sentinel://a/desk", "'desk' of the Sentinels a:26379", 0, false),
        (
            "redis+sentinel://:pw@a:1,[::1]/my%20desk/3",
            "'my desk' of the Sentinels a:1,[::1]:26379",
            3,
            false,
        ),
        ("rediss+sentinel://a/desk/0", "'desk' of the Sentinels a:26379", 0, true),
    ];
    for (url, place, database, is_encrypted) in table {
        let address = RedisAddress::parse(url).unwrap();
        assert_eq!((address.place(), address.database()), (place.to_owned(), database), "{url}");
        assert_eq!(address.is_encrypted(), is_encrypted, "{url}");
        let shown = RedisAddress::parse(&address.to_string()).unwrap();
        assert_eq!(shown.place(), address.place(), "{url} is shown as what it is");
    }
    for (url, error) in [
        ("redis+sentinel://a", AddressError::NoSentinelName),
        ("redis+sentinel://a//1", AddressError::NoSentinelName),
        ("redis+sentinel://a/desk/x", AddressError::Database),
        ("redis+sentinel://a/desk/1/2", AddressError::Database),
        ("redis://a,b", AddressError::SeveralHosts),
    ] {
        assert_eq!(RedisAddress::parse(url), Err(error), "{url}");
    }
}

#[test]
fn a_postgresql_s_url_says_where_as_whom_and_in_which_schema() {
    let table = [
        ("postgres://db/desk", None, "db:5432", "desk", "public", false),
        (
            "postgresql://kim:p%40w@a,b:5433/d%2Fk",
            Some(("kim", "p@w")),
            "a:5432,b:5433",
            "d/k",
            "public",
            false,
        ),
        ("postgres://[::1]/d?schema=order", None, "[::1]:5432", "d", "order", false),
        ("postgres://db/d?sslmode=verify-full&schema=o_1", None, "db:5432", "d", "o_1", true),
        ("postgres://db/d?sslmode=disable", None, "db:5432", "d", "public", false),
    ];
    for (url, login, at, database, schema, is_encrypted) in table {
        let address = PostgresAddress::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        let login = login
            .map(|(user, password)| Login { user: user.into(), password: Password::given(password.into()) });
        let places: Vec<String> = address.endpoints().iter().map(ToString::to_string).collect();
        assert_eq!(address.login(), login.as_ref(), "{url}");
        assert_eq!(
            (places.join(","), address.database(), address.schema()),
            (at.to_owned(), database, schema)
        );
        assert_eq!(address.is_encrypted(), is_encrypted, "{url}");
        let shown = address.to_string().replace("***", "p%40w");
        assert_eq!(PostgresAddress::parse(&shown), Ok(address), "{url} is shown as {shown}");
    }
}

#[test]
fn what_cannot_be_read_is_refused_with_what_to_write() {
    let table = [
        ("amqp://u:p@ss/w#rd@mq:5672", "percent-encoded"),
        ("amqp://u:p@ss@mq", "percent-encoded"),
        ("amqp://u:p/ss@mq", "percent-encoded"),
        ("amqp://u:p?ss@mq", "percent-encoded"),
        ("amqp://u:p#ss@mq", "percent-encoded"),
        ("amqp://u:p:ss@mq", "percent-encoded"),
        ("amqp://u:p[s]s@mq", "percent-encoded"),
        ("amqp://u:100%@mq", "percent-encoded"),
        ("amqp://u:p ss@mq", "percent-encoded"),
        ("amqp://u:p@mq/a/b", "percent-encoded"),
        ("amqp://u:%ff@mq", "UTF-8"),
        ("amqp://u:a%00b@mq", "UTF-8"),
        ("amqp://u@mq", "without a password"),
        ("amqp:///vhost", "no host"),
        ("amqp://u:p@", "no host"),
        ("amqp://u:p@a,,b", "no host"),
        ("amqp://u:p@m q", "no host"),
        ("amqp://u:p@한국", "no host"),
        ("amqp://u:p@2001:db8::1:5672", "brackets"),
        ("amqp://u:p@[2001:db8::g]:5672", "brackets"),
        ("amqp://u:p@[fe80::1%25eth0]:5672", "brackets"),
        ("amqp://u:p@[127.0.0.1]:5672", "brackets"),
        ("amqp://u:p@[::1", "brackets"),
        ("amqp://u:p@[::1]5672", "port"),
        ("amqp://u:p@mq:", "port"),
        ("amqp://u:p@mq:0", "port"),
        ("amqp://u:p@mq:+1", "port"),
        ("amqp://u:p@mq:65536", "port"),
        ("amqp://u:p@mq?verify=none", "a parameter 'verify'"),
        ("amqp://mq?secret", "a parameter that is not known"),
        ("amqp://u:p@mq?heartbeat=0", "'heartbeat' that must be given once, as a number from 1 to 60"),
        ("amqp://u:p@mq?heartbeat=2&heartbeat=3", "'heartbeat' that must be given once"),
        ("amqp://u:p@mq?frame_max=x", "'frame_max'"),
        ("http://mq", "must begin with amqp:// or amqps://"),
    ];
    for (url, part) in table {
        let error = BrokerAddress::parse(url).expect_err(url).to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
    let many = format!("amqp://{}", ["a"; MAX_HOSTS + 1].join(","));
    assert_eq!(BrokerAddress::parse(&many), Err(AddressError::TooManyHosts));
    let table = [
        ("redis://a,b", "one Redis"),
        ("redis://r/two", "number of a database"),
        ("redis://r/-1", "number of a database"),
        ("redis://r/99999999999", "number of a database"),
        ("redis://:p@r?db=2", "a parameter 'db'"),
        ("redis://", "no host"),
        ("redis://u:p@r#insecure", "percent-encoded"),
    ];
    for (url, part) in table {
        let error = RedisAddress::parse(url).expect_err(url).to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
    let table = [
        ("postgres://db", "names no database"),
        ("postgres://db/", "names no database"),
        ("postgres://u:p@db/a/b", "percent-encoded"),
        ("postgres://db/d?schema=Order", "'schema' that must be given once, as a name of up to 48"),
        ("postgres://db/d?schema=a;drop", "'schema'"),
        ("postgres://db/d?schema=", "'schema'"),
        ("postgres://db/d?schema=a&schema=b", "'schema'"),
        ("postgres://db/d?sslmode=prefer", "disable or verify-full"),
        ("postgres://u:p@db/d?sslcert=x", "a parameter 'sslcert'"),
        ("mysql://db/d", "must begin with postgres://"),
    ];
    for (url, part) in table {
        let error = PostgresAddress::parse(url).expect_err(url).to_string();
        assert!(error.contains(part), "{url}: {error}");
    }
}

/// A host as it stands in a URL, and as it is meant.
fn host() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        "[a-z0-9][a-z0-9._-]{0,20}".prop_map(|name| (name.clone(), name)),
        any::<[u8; 4]>()
            .prop_map(|ip| std::net::Ipv4Addr::from(ip).to_string())
            .prop_map(|ip| (ip.clone(), ip)),
        any::<[u8; 16]>()
            .prop_map(|ip| std::net::Ipv6Addr::from(ip).to_string())
            .prop_map(|ip| (format!("[{ip}]"), ip)),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[^\0]{1,20}", "[:/?#\\[\\]@% ,=&]{1,12}"]
}

/// A password of characters that no sentence and no part of the URL has three of in a row, between all that separates.
fn password() -> impl Strategy<Value = String> {
    let secret = || "[QXZ]{3,8}";
    let between =
        prop_oneof!["[:/?#\\[\\]@% ,=&;!$'()*+<>\"\\\\^`{|}]{0,3}", "\\PC{0,2}", Just(String::new())];
    (secret(), between, secret()).prop_map(|(one, between, other)| format!("{one}{between}{other}"))
}

fn leaks(told: &str) -> bool {
    told.as_bytes().windows(3).any(|window| window.iter().all(|byte| b"QXZ".contains(byte)))
}

proptest! {
    #[test]
    fn what_is_encoded_comes_out_as_it_went_in(
        user in text(),
        password in text(),
        vhost in text(),
        hosts in prop::collection::vec((host(), 1..=u16::MAX), 1..=MAX_HOSTS),
    ) {
        let at: Vec<String> = hosts.iter().map(|((written, _), port)| format!("{written}:{port}")).collect();
        let (at, secret) = (at.join(","), encode(&password));
        let url = format!("amqp://{}:{secret}@{at}/{}", encode(&user), encode(&vhost));
        let address = broker(&url);
        prop_assert_eq!((address.user(), address.vhost()), (user.as_str(), vhost.as_str()));
        prop_assert_eq!(address.password(), Password::given(password));
        let meant: Vec<_> = hosts.iter().map(|((_, meant), port)| (meant.as_str(), *port)).collect();
        let used: Vec<_> = address.endpoints().iter().map(|at| (at.host.as_str(), at.port)).collect();
        prop_assert_eq!(used, meant);
        // Shown, it is the same URL but for the password.
        let shown = address.to_string().replace("***", &secret);
        prop_assert_eq!(broker(&shown), address);
    }

    #[test]
    fn a_password_that_is_not_encoded_is_refused_or_used_and_never_shown(
        password in password(),
        scheme in prop_oneof![Just("amqp"), Just("amqps"), Just("redis"), Just("rediss"), Just("postgres")],
        path in prop_oneof![Just(""), Just("/"), Just("/1"), Just("/1?heartbeat=5"), Just("?q=1")],
    ) {
        let url = format!("{scheme}://kim:{password}@host:5672{path}");
        let told = if scheme.starts_with("amqp") {
            match BrokerAddress::parse(&url) {
                Ok(address) => {
                    prop_assert_eq!(&places(&address), &["host:5672"]);
                    format!("{address} {address:?} {:?}", address.password())
                }
                Err(error) => format!("{error} {error:?}"),
            }
        } else if scheme == "postgres" {
            match PostgresAddress::parse(&url) {
                Ok(address) => {
                    prop_assert_eq!(&address.endpoints()[0].host, "host");
                    format!("{address} {address:?} {:?}", address.login())
                }
                Err(error) => format!("{error} {error:?}"),
            }
        } else {
            match RedisAddress::parse(&url) {
                Ok(address) => {
                    prop_assert!(address.place().starts_with("host:"));
                    format!("{address} {address:?} {:?}", address.login())
                }
                Err(error) => format!("{error} {error:?}"),
            }
        };
        prop_assert!(!leaks(&told), "{} is told of: {}", url, told);
    }

    #[test]
    fn no_text_makes_it_panic(url in prop_oneof![
        "\\PC{0,60}",
        "(amqps?|rediss?|postgres)://[a-z:@/?#\\[\\]%,=&0-9 ]{0,40}",
    ]) {
        let _ = BrokerAddress::parse(&url);
        let _ = RedisAddress::parse(&url);
        let _ = PostgresAddress::parse(&url);
    }
}
