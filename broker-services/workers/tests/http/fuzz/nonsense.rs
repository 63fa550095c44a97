//! Requests each of which is wrong somewhere, in one way or another.

use fastrand::Rng;
use serde_json::Value;

/// A request that nobody may carry out.
pub(crate) struct Request {
    pub(crate) bytes: Vec<u8>,
    /// Whether the other side can see that there is no more of it.
    pub(crate) is_whole: bool,
}

/// An order that would be placed if it came in good order.
const ORDER: &str = r#"{"productId":"10","qty":"5"}"#;
const HOST: &str = "Host: localhost\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
const PATHS: [&str; 6] = [
    "/orders",
    "/accounts/kim/topups",
    "/products/10/restocks",
    "/orders/sense/cancel",
    "/products/10",
    "/myinfo/orders",
];
/// Methods, real and not, that no path takes.
const METHODS: [&str; 12] = [
    "PATCH",
    "TRACE",
    "OPTIONS",
    "CONNECT",
    "post",
    "POST\t",
    "P\u{f6}ST",
    "G ET",
    "",
    "\0",
    "PROPFIND",
    "PRI",
];

pub(crate) fn nonsense(rng: &mut Rng) -> Request {
    let kinds: [fn(&mut Rng) -> Request; 12] = [
        noise,
        method,
        line,
        headers,
        bomb,
        lengths,
        chunks,
        broken_json,
        wrong_values,
        media,
        from_elsewhere,
        parameters,
    ];
    kinds[rng.usize(..kinds.len())](rng)
}

fn whole(bytes: impl Into<Vec<u8>>) -> Request {
    Request { bytes: bytes.into(), is_whole: true }
}

fn cut(bytes: impl Into<Vec<u8>>) -> Request {
    Request { bytes: bytes.into(), is_whole: false }
}

fn one_of<'a>(rng: &mut Rng, of: &[&'a str]) -> &'a str {
    of[rng.usize(..of.len())]
}

fn bytes(rng: &mut Rng, max: usize) -> Vec<u8> {
    let count = rng.usize(1..=max);
    (0..count).map(|_| rng.u8(..)).collect()
}

/// A request as it should be, but for what is in it.
fn posted(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\n{HOST}{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Bytes that are no HTTP at all.
fn noise(rng: &mut Rng) -> Request {
    let mut noise = bytes(rng, 300);
    // Not the beginning of anything.
    noise[0] |= 0x80;
    noise.extend_from_slice(b"\r\n\r\n");
    cut(noise)
}

fn method(rng: &mut Rng) -> Request {
    let (method, path) = (one_of(rng, &METHODS), one_of(rng, &PATHS));
    cut(format!("{method} {path} HTTP/1.1\r\n{HOST}{JSON}Content-Length: {}\r\n\r\n{ORDER}", ORDER.len()))
}

/// A first line that is wrong in its path or version.
fn line(rng: &mut Rng) -> Request {
    let path = one_of(
        rng,
        &["/orders/%zz", "/orders/%00", "/accounts/%ff%fe", "//", "/../orders", "*", "/orders?%", "/\u{80}"],
    );
    let version = one_of(
        rng,
        &["HTTP/1.1", "HTTP/1.1", "HTTP/9.9", "HTTP/1.", "http/1.1", "HTTP/1.1 x", "", "HTTP/2.0"],
    );
    let long = "/x".repeat(rng.usize(0..12_000));
    cut(format!("GET {path}{long} {version}\r\n{HOST}\r\n"))
}

/// Headers that cannot be, about an order that could be placed.
fn headers(rng: &mut Rng) -> Request {
    let wrong = one_of(
        rng,
        &[
            "No colon\r\n",
            ": no name\r\n",
            "Na me: x\r\n",
            "Idempotency-Key: a\r\nIdempotency-Key: b\r\n",
            "Idempotency-Key: a b\r\n",
            "Idempotency-Key: \r\n",
            "Nul: \0\r\n",
            "Host: evil.example\r\n",
            "Idempotency-Key: \u{ae40}\r\n",
        ],
    );
    cut(posted("/orders", &format!("{JSON}{wrong}"), ORDER.as_bytes()))
}

/// Too many headers, or too long ones.
fn bomb(rng: &mut Rng) -> Request {
    let headers = if rng.bool() {
        (0..rng.usize(70..500)).map(|number| format!("X-{number}: 1\r\n")).collect()
    } else {
        format!("X: {}\r\n", "x".repeat(rng.usize(17_000..40_000)))
    };
    cut(posted("/orders", &format!("{JSON}{headers}"), ORDER.as_bytes()))
}

/// Lengths that are none, or not those of the body.
fn lengths(rng: &mut Rng) -> Request {
    let length = one_of(
        rng,
        &[
            "Content-Length: -1\r\n",
            "Content-Length: 1e3\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 28\r\nContent-Length: 29\r\n",
            "Content-Length: 0x1c\r\n",
            "Content-Length: 500\r\n",
            "Content-Length: 70000\r\nExpect: 100-continue\r\n",
            "Content-Length: 3\r\n",
            "Content-Length: \r\n",
            "Transfer-Encoding: gzip\r\n",
            "Transfer-Encoding: chunked, gzip\r\n",
            "Content-Length: 27\r\n",
        ],
    );
    cut(format!("POST /orders HTTP/1.1\r\n{HOST}{JSON}{length}\r\n{ORDER}"))
}

/// Chunks that are none.
fn chunks(rng: &mut Rng) -> Request {
    let size = one_of(
        rng,
        &["zz", "-1", "ffffffffffffffffff", "1c;\0", "", "1c\n", "7fffffffffffffff", "1b", "1d", "0"],
    );
    let length = if rng.bool() { "Content-Length: 4\r\n" } else { "" };
    let head = format!("POST /orders HTTP/1.1\r\n{HOST}{JSON}{length}Transfer-Encoding: chunked\r\n\r\n");
    let mut request = format!("{head}{size}\r\n{ORDER}\r\n").into_bytes();
    request.extend(bytes(rng, 20));
    cut(request)
}

/// What is no JSON: an order that was mutilated.
fn broken_json(rng: &mut Rng) -> Request {
    let mut body = ORDER.as_bytes().to_vec();
    for _ in 0..rng.usize(1..6) {
        let at = rng.usize(..body.len());
        match rng.u8(..4) {
            0 => body[at] = rng.u8(..),
            1 => body.truncate(at.max(1)),
            2 => body.insert(at, rng.u8(..)),
            _ => drop(body.splice(at..at, b"[{\"a\":".repeat(rng.usize(1..2000)))),
        }
    }
    if serde_json::from_slice::<Value>(&body).is_ok() {
        body = b"{".to_vec();
    }
    whole(posted(one_of(rng, &PATHS[..3]), JSON, &body))
}

/// JSON that says what cannot be.
fn wrong_values(rng: &mut Rng) -> Request {
    let wrong = [
        ("/orders", r#"{"productId":"10","qty":0}"#),
        ("/orders", r#"{"productId":"10","qty":1001}"#),
        ("/orders", r#"{"productId":"10","qty":1.5}"#),
        ("/orders", r#"{"productId":"10","qty":"five"}"#),
        ("/orders", r#"{"productId":"10","qty":1,"qty":1}"#),
        ("/orders", r#"{"productId":"10","item_id":"11"}"#),
        ("/orders", r#"{"productId":["10"]}"#),
        ("/orders", r#"{"productId":"10","order_id":"a b"}"#),
        ("/orders", r#"{"productId":"10","customer":"\u0000"}"#),
        ("/orders", r#"{"productId":"10","customer":"\ud800"}"#),
        ("/orders", r#"{"productId":"10","unit_price":1}"#),
        ("/orders", r#"[{"productId":"10"}]"#),
        ("/orders", "null"),
        ("/accounts/kim/topups", r#"{"amount":-5}"#),
        ("/accounts/kim/topups", r#"{"amount":99999999999999999999}"#),
        ("/accounts/kim/topups", r#"{"amount":1,"customer":"lee"}"#),
        ("/accounts/%00/topups", r#"{"amount":1}"#),
        ("/accounts/%ff/topups", r#"{"amount":1}"#),
        ("/products/10/restocks", r#"{"qty":0}"#),
        ("/products/10/restocks", r#"{"qty":1e3}"#),
        ("/products/nowhere/restocks", r#"{"qty":1}"#),
    ];
    let (path, body) = wrong[rng.usize(..wrong.len())];
    whole(posted(path, JSON, body.as_bytes()))
}

/// An order as something else than JSON, or packed.
fn media(rng: &mut Rng) -> Request {
    let kind = one_of(
        rng,
        &["", "Content-Type: text/plain\r\n", "Content-Type: application/jsonx\r\n", "Content-Type: \r\n"],
    );
    let packed = [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), &bytes(rng, 40)].concat();
    if rng.bool() {
        return whole(posted("/orders", kind, ORDER.as_bytes()));
    }
    whole(posted("/orders", &format!("{JSON}Content-Encoding: gzip\r\n"), &packed))
}

/// An order that comes from where it may not.
fn from_elsewhere(rng: &mut Rng) -> Request {
    let host = one_of(
        rng,
        &[
            "",
            "Host: evil.example\r\n",
            "Host: localhost.evil\r\n",
            "Host: localhost\r\nOrigin: http://evil\r\n",
            "Host: \r\n",
        ],
    );
    cut(format!("POST /orders HTTP/1.1\r\n{host}{JSON}Content-Length: {}\r\n\r\n{ORDER}", ORDER.len()))
}

/// Parameters that are none.
fn parameters(rng: &mut Rng) -> Request {
    let path = one_of(
        rng,
        &[
            "/orders?limit=-1",
            "/orders?limit=201",
            "/orders?before=x.y",
            "/orders?status=new",
            "/orders?a=b",
            "/orders?limit=1&limit=2",
            "/accounts?after=%ff",
            "/events?after=7",
            "/orders/sense?ask=maybe",
            "/products?limit=99999999999999999999",
        ],
    );
    whole(format!("GET {path} HTTP/1.1\r\n{HOST}\r\n"))
}
