//! Load on a gateway over HTTP: a connection for each client, kept for as long as the gateway keeps it.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use skstore_domain::answers::{Answer, AnswerError, ErrorCode};
use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::json;
use skstore_domain::money::Won;
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::{Account, Item, Order};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::Cursor;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::{Page, Target, Unanswered};

/// How long an answer may take: longer than a gateway waits for its desk, so that what it says of that is heard.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Most bytes of an answer: a page of orders has some 200 KiB.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;
/// Rows that are asked for at once: as many as a gateway gives.
const PAGE: usize = 200;
/// Where there is no port in the address.
const HTTP_PORT: u16 = 80;

type Connection = SendRequest<Full<Bytes>>;

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
    host: String,
    port: u16,
    /// As requests name it.
    named: HeaderValue,
    token: Option<HeaderValue>,
    connections: Vec<Mutex<Option<Connection>>>,
}

impl Gateway {
    /// The gateway at `address`, `http://HOST:PORT`, for so many clients. Nothing is connected until it is asked.
    ///
    /// # Errors
    /// A sentence about what is wrong with the address or the token.
    pub fn at(address: &str, token: Option<&str>, clients: usize) -> Result<Self, String> {
        // What stands before an '@' may be a password.
        let wrong = || match address.contains('@') {
            true => "it must be http://HOST:PORT, without a user and a password".to_owned(),
            false => format!("it must be http://HOST:PORT, not '{address}'"),
        };
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(wrong)?;
        // A port that is none would be passed over.
        let port = authority.port_u16();
        let is_wrong = authority.host().is_empty() || port == Some(0) || authority.as_str().ends_with(':');
        let is_bare = authority.as_str() == authority.host();
        if is_wrong || (port.is_none() && !is_bare) {
            return Err(wrong());
        }
        if !matches!(uri.path_and_query().map(|path| path.as_str()), None | Some("/"))
            || authority.as_str().contains('@')
        {
            return Err(wrong());
        }
        let bearer = |token: &str| {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| "the token has characters that no header may have".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        };
        Ok(Self {
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(HTTP_PORT),
            named: HeaderValue::try_from(authority.as_str()).map_err(|_| wrong())?,
            token: token.map(bearer).transpose()?,
            connections: (0..clients.max(1)).map(|_| Mutex::default()).collect(),
        })
    }

    async fn get(&self, client: usize, path: &str) -> Result<Said, Unanswered> {
        self.ask(client, &Method::GET, path, None, Bytes::new()).await
    }

    async fn post(
        &self,
        client: usize,
        path: &str,
        id: Option<&str>,
        body: &impl Serialize,
    ) -> Result<Said, Unanswered> {
        self.ask(client, &Method::POST, path, id, Bytes::from(json::bytes(body))).await
    }

    /// Asks on the client's connection. What a gateway has closed meanwhile, as it does with idle connections, is asked again
    /// on a new one: every request has an id or changes nothing.
    async fn ask(
        &self,
        client: usize,
        method: &Method,
        path: &str,
        id: Option<&str>,
        body: Bytes,
    ) -> Result<Said, Unanswered> {
        let mut kept = self.connections[client % self.connections.len()].lock().await;
        let used = kept.take().filter(|connection| !connection.is_closed());
        let was_used = used.is_some();
        let mut connection = match used {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let request = || self.request(method, path, id, body.clone());
        let mut said = exchange(&mut connection, request()?).await;
        if was_used && let Err(Unanswered::Lost(why)) = &said {
            // Whatever becomes of the repetition: the first one may have had its effect.
            let lost = |_| Unanswered::Lost(why.clone());
            connection = self.connect().await.map_err(lost)?;
            let again = exchange(&mut connection, request()?).await.map_err(lost)?;
            said = Ok(Said { is_repeat: true, ..again });
        }
        if said.is_ok() {
            *kept = Some(connection);
        }
        said
    }

    async fn connect(&self) -> Result<Connection, Unanswered> {
        let unreachable = |why: String| {
            Unanswered::Unreachable(format!("nobody answers at http://{}:{}: {why}", self.host, self.port))
        };
        let connected = timeout(CONNECT_WITHIN, TcpStream::connect((self.host.as_str(), self.port))).await;
        let stream = connected
            .map_err(|_| unreachable(format!("not within {} s", CONNECT_WITHIN.as_secs())))?
            .map_err(|error| unreachable(error.to_string()))?;
        // Requests are small, and each is waited for.
        let _ = stream.set_nodelay(true);
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| unreachable(error.to_string()))?;
        // It ends with its sender. What goes wrong on it is heard by whoever asks.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(
        &self,
        method: &Method,
        path: &str,
        id: Option<&str>,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, Unanswered> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.named);
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(id) = id {
            request = request.header("idempotency-key", id);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        request.body(Full::new(body)).map_err(|error| Unanswered::Unexpected(error.to_string()))
    }
}

/// What a gateway said.
struct Said {
    status: StatusCode,
    body: Bytes,
    /// Whether the same was asked before and nothing was heard.
    is_repeat: bool,
}

/// What a gateway says of a request that it has not handed on.
const NOTHING_DONE: [&str; 3] = ["busy", "too_many", "unreachable"];

/// What a gateway says when it does not do something.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    order: Option<Box<Order>>,
}

impl Said {
    /// The object that was asked for, or why not.
    fn object<T: DeserializeOwned>(&self) -> Result<Result<T, Answer>, Unanswered> {
        if self.status.is_success() {
            return self.read().map(Ok);
        }
        if matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(Unanswered::Forbidden(self.refusal()));
        }
        let Problem { code, detail, order } = self.read()?;
        if let Some(code) = ErrorCode::from_word(&code) {
            let order = order.map(|order| *order);
            return Ok(Err(Answer { order, ..AnswerError::new(code, detail).into() }));
        }
        if self.is_repeat && NOTHING_DONE.contains(&code.as_str()) {
            return Err(Unanswered::Lost(detail));
        }
        Err(match code.as_str() {
            "busy" | "too_many" => return Ok(Err(AnswerError::new(ErrorCode::TryLater, detail).into())),
            "no_answer" => Unanswered::NoAnswer(detail),
            "lost" => Unanswered::Lost(detail),
            "unreachable" => Unanswered::Unreachable(detail),
            _ => Unanswered::Unexpected(format!("{}: {detail}", self.status)),
        })
    }

    /// As an answer of the desk, whose part `with` makes of the object.
    fn answer<T: DeserializeOwned>(&self, with: fn(T) -> Answer) -> Result<Answer, Unanswered> {
        Ok(self.object()?.map_or_else(|refusal| refusal, with))
    }

    /// Its status, and why, where a gateway says it: what is between may say it otherwise.
    fn refusal(&self) -> String {
        let why = self.read::<Problem>().map(|problem| format!(": {}", problem.detail));
        format!("{}{}", self.status, why.unwrap_or_default())
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Unanswered> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Unanswered::Unexpected(format!("{}, and the body is not understood: {error}", self.status))
        })
    }
}

/// What is listed, in whatever it comes in.
fn refused(answer: &Answer) -> Unanswered {
    let message = answer.error.as_ref().map_or("it was refused", |error| &error.message);
    Unanswered::Unexpected(message.to_owned())
}

async fn exchange(connection: &mut Connection, request: Request<Full<Bytes>>) -> Result<Said, Unanswered> {
    let lost = |why: String| Unanswered::Lost(format!("the connection was lost before the answer: {why}"));
    let exchanged = async {
        // It may still be busy with the end of the last answer.
        connection.ready().await.map_err(|error| lost(error.to_string()))?;
        let response: Response<Incoming> =
            connection.send_request(request).await.map_err(|error| lost(error.to_string()))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let body = body.map_err(|error| lost(error.to_string()))?.to_bytes();
        Ok(Said { status, body, is_repeat: false })
    };
    let within = ANSWER_WITHIN.as_secs();
    let late = |_| Unanswered::NoAnswer(format!("no answer within {within} s; it may still take effect"));
    timeout(ANSWER_WITHIN, exchanged).await.map_err(late)?
}

/// A name as a path or a query may have it.
fn escaped(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[derive(Serialize)]
struct Amount {
    amount: Won,
}

#[derive(Serialize)]
struct Units {
    qty: u64,
}

#[derive(Deserialize)]
struct Shown {
    order: Order,
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<OrderRow>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Products {
    products: Vec<Item>,
}

/// A page's `next` as a cursor: the time in milliseconds and the id.
fn cursor(next: &str) -> Option<Cursor> {
    let (at, id) = next.split_once('.')?;
    Some(Cursor { placed_at: Timestamp(at.parse().ok()?), order_id: OrderId::new(id).ok()? })
}

impl Target for Gateway {
    async fn place(&self, client: usize, place: &Place) -> Result<Answer, Unanswered> {
        let id = place.order_id.as_ref().map(OrderId::as_str);
        self.post(client, "/orders", id, place).await?.answer(Answer::order)
    }

    async fn cancel(&self, client: usize, order: &OrderId) -> Result<Answer, Unanswered> {
        let path = format!("/orders/{order}");
        self.ask(client, &Method::DELETE, &path, None, Bytes::new()).await?.answer(Answer::order)
    }

    async fn order(&self, client: usize, order: &OrderId) -> Result<Answer, Unanswered> {
        self.get(client, &format!("/orders/{order}?ask=true")).await?.answer(Answer::order)
    }

    async fn shown(&self, client: usize, order: &OrderId) -> Result<Option<Order>, Unanswered> {
        match self.get(client, &format!("/orders/{order}")).await?.object::<Shown>()? {
            Ok(shown) => Ok(Some(shown.order)),
            Err(refusal) if refusal.code() == Some(ErrorCode::NotFound) => Ok(None),
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// A gateway gives the orders of all; those of others are passed over by whoever asked.
    async fn page(&self, _: &str, after: Option<&Cursor>) -> Result<Page, Unanswered> {
        let from = after.map(|after| format!("&before={}.{}", after.placed_at.0, after.order_id));
        let path = format!("/orders?limit={PAGE}{}", from.unwrap_or_default());
        let found = self.get(0, &path).await?.object::<Orders>()?.map_err(|refusal| refused(&refusal))?;
        Ok(Page {
            orders: found.orders.into_iter().map(|row| row.order).collect(),
            next: found.next.as_deref().and_then(cursor),
        })
    }

    async fn items(&self, after: Option<&ItemId>) -> Result<Vec<Item>, Unanswered> {
        let from = after.map(|after| format!("&after={}", escaped(after.as_str())));
        let path = format!("/products?limit={PAGE}{}", from.unwrap_or_default());
        let found = self.get(0, &path).await?.object::<Products>()?.map_err(|refusal| refused(&refusal))?;
        Ok(found.products)
    }

    async fn account(&self, client: usize, customer: &Customer) -> Result<Answer, Unanswered> {
        let path = format!("/accounts/{}", escaped(customer.as_str()));
        self.get(client, &path).await?.answer::<Account>(Answer::account)
    }

    async fn top_up(&self, client: usize, top_up: &TopUp) -> Result<Answer, Unanswered> {
        let path = format!("/accounts/{}/topups", escaped(top_up.customer.as_str()));
        let id = top_up.topup_id.as_ref().map(|id| id.as_str());
        self.post(client, &path, id, &Amount { amount: top_up.amount }).await?.answer(Answer::account)
    }

    async fn restock(&self, client: usize, restock: &Restock) -> Result<Answer, Unanswered> {
        let path = format!("/products/{}/restocks", escaped(restock.item_id.as_str()));
        let id = restock.restock_id.as_ref().map(|id| id.as_str());
        self.post(client, &path, id, &Units { qty: restock.qty }).await?.answer(Answer::item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port() {
        for right in
            ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:8080", "http://localhost"]
        {
            assert!(Gateway::at(right, Some("t"), 1).is_ok(), "{right}");
        }
        for wrong in [
            "",
            "127.0.0.1:8080",
            "https://localhost:1",
            "http://u:hunter2@localhost:1",
            "http://u:hunter2@localhost:x",
            "http://localhost/orders",
            "http://localhost:99999",
            "http://localhost:80a",
            "http://localhost:",
            "http://:80",
            "http://localhost:0",
        ] {
            let told = Gateway::at(wrong, None, 1).unwrap_err();
            assert!(told.contains("http://HOST:PORT") && !told.contains("hunter2"), "{wrong}: {told}");
        }
        assert!(Gateway::at("http://localhost", Some("a\nb"), 1).unwrap_err().contains("token"));
    }

    /// A gateway that answers the first request with `first`, breaks off at the second one, and then answers with `then`, or is
    /// gone.
    async fn breaks_off(first: &'static str, then: Option<&'static str>) -> Gateway {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut request = [0; 4096];
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut request).await.unwrap() > 0, "nothing was asked");
            stream.write_all(first.as_bytes()).await.unwrap();
            assert!(stream.read(&mut request).await.unwrap() > 0, "nothing was asked");
            let Some(then) = then else { return };
            drop(stream);
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut request).await.unwrap() > 0, "nothing was asked");
            stream.write_all(then.as_bytes()).await.unwrap();
        });
        Gateway::at(&address, None, 1).unwrap()
    }

    const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 32\r\n\r\n{\"code\":\"busy\",\"detail\":\"later\"}";

    #[tokio::test]
    async fn who_was_cut_off_may_have_ordered_whatever_becomes_of_the_repetition() {
        let place = Place {
            item_id: ItemId::new("10").unwrap(),
            qty: 1,
            customer: None,
            order_id: Some(OrderId::new("a-1").unwrap()),
            unit_price: None,
        };
        for then in [None, Some(BUSY)] {
            let gateway = breaks_off(BUSY, then).await;
            let busy = gateway.place(0, &place).await.unwrap();
            assert_eq!(busy.code(), Some(ErrorCode::TryLater), "a gateway without room has done nothing");
            let cut = gateway.place(0, &place).await.unwrap_err();
            assert_eq!(cut.word(), "lost", "then {then:?}: {cut}");
        }
    }

    #[test]
    fn names_are_escaped_as_addresses_want_it() {
        assert_eq!(escaped("김 a/b?c%"), "%EA%B9%80%20a%2Fb%3Fc%25");
    }
}
