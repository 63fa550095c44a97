//! The view in Redis, for several processes: MyInfo writes it, readers anywhere look.
//!
//! The keys are public, all under `myinfo:`. Values of hashes are those of the objects' JSON, '' where there is
//! none; `named` in them says which rebuild named them last, `counted` of an account what of it is in the sum of all
//! balances, `untold` of a step that the feed has not told of it: none is of use to others.
//!
//! | key | type | holds |
//! |---|---|---|
//! | `order:<id>` | hash | the order; its payment, as Deposit tells it, in the fields `payment.…` |
//! | `timeline:<id>` | hash | its steps: JSON by source and revision |
//! | `account:<customer>`, `item:<id>` | hash | the account, the item |
//! | `service:<instance>` | hash | the last heartbeat; expires |
//! | `breaker:<instance>` | hash | the last change, and all that are kept as JSON in `change:…`; expires |
//! | `orders`, `orders:status:<s>`, `orders:customer:<c>`, `orders:item:<i>` | sorted set | order ids by `placed_at` in ms |
//! | `orders:ids`, `accounts`, `items` | sorted set | names in the order of their bytes |
//! | `counts` | hash | orders by status, `accounts`, `items`, `balances`; `written`: the last change but heartbeats |
//! | `feed` | stream | what happened: events as JSON, each in a field `event`; the first part of an entry's id numbers its last |
//! | `changes` | stream | its last entry is the last change of anything: wait for the next with `XREAD BLOCK` |
//! | `logs` | hash | how much of each service's log was applied: JSON by source |
//! | `services`, `breakers` | sorted set | instances by when they were last heard, in ms |
//! | `epoch`, `waiting`, `forgotten`, `feed:told`, `feed:told:older` | | kept for the scripts |
//!
//! Each write is a Lua script, which Redis runs alone and which takes some milliseconds at most: a large batch is
//! written in pieces, each of which is seen whole or not at all. `epoch` is written by
//! [`View::begin_rebuild`](super::View::begin_rebuild) only; where it is missing the contents were lost. The scripts make
//! the names of keys from what they find, so this is for one Redis (with replicas, if you like), not for a cluster, and
//! one that evicts nothing (`maxmemory-policy noeviction`).

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, Once};

use redis::{Cmd, FromRedisValue, Script};
use skstore_domain::events::Source;
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::signals::{Beat, BreakerChanged};
use tokio::sync::watch;

use self::link::{Failed, Link, script_call};
use self::pieces::{WRITE_AT_ONCE, pieces};
use self::server::Server;
use self::told::Told;
use super::bounds::{
    BREAKER_HISTORY, FEED_ENTRIES, FORGOTTEN_IDS, INSTANCES, SILENT_FOR, STEPS_PER_ORDER, WAITING_ORDERS,
};
use super::{Rebuilds, Swept, ViewError};
use crate::config::address::RedisAddress;

mod checkpoints;
mod fields;
mod foreign;
mod link;
mod pages;
mod pieces;
mod server;
mod told;

/// What all keys begin with.
pub const PREFIX: &str = "myinfo:";

/// Orders forgotten in one script, where many are too many: no fewer than one script may add, or they would
/// never become fewer.
const FORGET_AT_ONCE: usize = WRITE_AT_ONCE;

/// Events in one entry of the feed: enough that the entry itself costs little, and few for those who read only some.
const EVENTS_PER_ENTRY: usize = 32;

/// Objects swept in one script: a millisecond or two.
const SWEEP_AT_ONCE: usize = 100;

macro_rules! script {
    ($($file:literal),+) => {
        LazyLock::new(|| Script::new(concat!($(include_str!($file)),+)))
    };
}

static APPLY: LazyLock<Script> = LazyLock::new(|| {
    let body = concat!(
        include_str!("redis/text_order.lua"),
        include_str!("redis/records.lua"),
        include_str!("redis/apply.lua")
    );
    Script::new(&[fields::names().as_str(), body].concat())
});
static BEAT: LazyLock<Script> = script!("redis/text_order.lua", "redis/records.lua", "redis/beat.lua");
static BEGIN: LazyLock<Script> = script!("redis/text_order.lua", "redis/records.lua", "redis/begin.lua");
static SWEEP: LazyLock<Script> =
    script!("redis/text_order.lua", "redis/records.lua", "redis/pattern.lua", "redis/sweep.lua");
static ADVANCE: LazyLock<Script> = script!("redis/text_order.lua", "redis/records.lua", "redis/advance.lua");
static FEED: LazyLock<Script> = script!("redis/feed.lua");
static LOOK: LazyLock<Script> = script!("redis/text_order.lua", "redis/look.lua");

/// The view in Redis. Clones share it; any thread with a runtime that has a clock may use it.
///
/// Nothing is connected until it is used. A call that fails may have run all the same; every write may be
/// repeated, and is guarded. Each call connects again if it has to; while that keeps failing, calls in between
/// are refused at once.
///
/// Where 64 bits do not hold the sum of all balances, the sum stays as it was.
#[derive(Clone)]
pub struct RedisView {
    link: Link,
    prefix: Arc<str>,
    keep_orders: usize,
    told: Arc<Told>,
    listening: Arc<Once>,
    /// As this process last wrote them, in the words of Redis: seldom does anybody else write them.
    checkpoints: Arc<Mutex<BTreeMap<Source, String>>>,
}

impl RedisView {
    /// The view at `url`, `redis(s)://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, that keeps about `keep_orders`
    /// orders.
    ///
    /// # Errors
    /// [`ViewError::Lost`] when the URL cannot be read; it is not repeated, as it may hold a password.
    pub fn new(url: &str, keep_orders: usize) -> Result<Self, ViewError> {
        Self::with_prefix(url, PREFIX, keep_orders)
    }

    /// One whose keys begin with `prefix`, so that several can be in one database.
    ///
    /// # Errors
    /// As [`RedisView::new`].
    pub fn with_prefix(url: &str, prefix: &str, keep_orders: usize) -> Result<Self, ViewError> {
        let address = RedisAddress::parse(url);
        let address = address.map_err(|error| ViewError::Lost(format!("the URL of the view {error}")))?;
        Self::at(&address, prefix, keep_orders)
    }

    /// The view at `address`, whose keys begin with `prefix`. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ViewError::Lost`] when its thread does not start.
    pub fn at(address: &RedisAddress, prefix: &str, keep_orders: usize) -> Result<Self, ViewError> {
        let prefix: Arc<str> = prefix.into();
        Ok(Self {
            link: Link::new(Server::at(address.clone()))?,
            prefix,
            keep_orders,
            told: Arc::new(Told::new()),
            listening: Arc::new(Once::new()),
            checkpoints: Arc::default(),
        })
    }

    /// The same view over a connection of its own, with nothing known of what is there: as another process has it.
    ///
    /// # Errors
    /// As [`RedisView::at`].
    pub fn as_another_process(&self) -> Result<Self, ViewError> {
        Ok(Self {
            link: Link::new(self.link.server().clone())?,
            prefix: Arc::clone(&self.prefix),
            keep_orders: self.keep_orders,
            told: Arc::new(Told::new()),
            listening: Arc::new(Once::new()),
            checkpoints: Arc::default(),
        })
    }

    /// One script call, or several for a large batch.
    pub(super) async fn apply(&self, writes: &[ViewWrite]) -> Result<(), ViewError> {
        for piece in pieces(writes) {
            let mut call = script_call(&APPLY, &self.prefix);
            call.arg(self.keep_orders).arg(WAITING_ORDERS).arg(FORGOTTEN_IDS).arg(FEED_ENTRIES);
            call.arg(EVENTS_PER_ENTRY).arg(STEPS_PER_ORDER).arg(FORGET_AT_ONCE);
            piece.add_to(&mut call);
            self.write(&APPLY, &call).await?;
        }
        Ok(())
    }

    /// Silence is measured by Redis's clock.
    pub(super) async fn beat(&self, beat: &Beat) -> Result<(), ViewError> {
        let nth = i64::try_from(beat.number).ok().filter(|number| *number > 0).unwrap_or(beat.at.0);
        let mut call = self.signal("beat", &beat.instance, nth);
        call.arg("").arg("");
        fields::add_beat(&mut call, beat);
        self.write(&BEAT, &call).await
    }

    pub(super) async fn breaker_changed(&self, change: &BreakerChanged) -> Result<(), ViewError> {
        let mut call = self.signal("breaker", &change.instance, change.at.0);
        call.arg(format!("change:{}:{}:{}", change.at.0, change.from, change.to));
        call.arg(serde_json::to_string(change).unwrap_or_default());
        fields::add_change(&mut call, change);
        self.write(&BEAT, &call).await
    }

    fn signal(&self, what: &str, instance: &str, nth: i64) -> Cmd {
        let mut call = script_call(&BEAT, &self.prefix);
        let silent_ms = u64::try_from(SILENT_FOR.as_millis()).unwrap_or(u64::MAX);
        call.arg(what).arg(instance).arg(nth).arg(silent_ms).arg(INSTANCES).arg(BREAKER_HISTORY);
        call
    }

    pub(super) async fn clear_foreign(&self) -> Result<usize, ViewError> {
        foreign::clear(&self.link, &self.prefix).await
    }

    /// While one runs it starts over.
    pub(super) async fn begin_rebuild(&self) -> Result<u64, ViewError> {
        self.run(&BEGIN, &script_call(&BEGIN, &self.prefix)).await
    }

    pub(super) async fn finish_rebuild(&self, number: u64) -> Result<Swept, ViewError> {
        let (mut stage, mut cursor) = ("orders".to_owned(), String::new());
        loop {
            let mut call = script_call(&SWEEP, &self.prefix);
            call.arg(number).arg(&stage).arg(&cursor).arg(SWEEP_AT_ONCE).arg(WAITING_ORDERS);
            let swept: Option<(String, String, String)> = self.run(&SWEEP, &call).await?;
            let change;
            (change, stage, cursor) = swept.ok_or(ViewError::Empty)?;
            self.told.tell(&change);
            match stage.as_str() {
                "" => return Ok(Swept::Whole),
                "disputed" => return Ok(Swept::Disputed),
                "superseded" => return Ok(Swept::Superseded),
                _ => {}
            }
        }
    }

    pub(super) async fn rebuilds(&self) -> Result<Rebuilds, ViewError> {
        let mut get = redis::cmd("HMGET");
        get.arg(self.key("epoch", "")).arg("number").arg("rebuilding");
        let (number, rebuilding): (Option<u64>, Option<String>) = self.query(&get).await?;
        Ok(Rebuilds { last: number.unwrap_or_default(), is_running: rebuilding.is_some() })
    }

    /// The number counts changes that were noticed here. The first call makes a second connection, which waits for what
    /// others change.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.listening.call_once(|| {
            let (server, stream) = (self.link.server().clone(), self.key("changes", ""));
            self.link.spawn(told::listen(server, stream, Arc::clone(&self.told)));
        });
        self.told.subscribe()
    }

    async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, ViewError> {
        self.explained(self.link.query(command).await).await
    }

    async fn run<T: FromRedisValue>(&self, script: &Script, call: &Cmd) -> Result<T, ViewError> {
        self.explained(self.link.run(script, call).await).await
    }

    /// The answer. Where there is none because of what was found, the error names that.
    async fn explained<T>(&self, answer: Result<T, Failed>) -> Result<T, ViewError> {
        match answer {
            Ok(answer) => Ok(answer),
            Err(Failed::Lost(why)) => Err(ViewError::Lost(why)),
            Err(Failed::Contents(error)) => Err(foreign::explain(&self.link, &self.prefix, &error).await),
        }
    }

    async fn write(&self, script: &Script, call: &Cmd) -> Result<(), ViewError> {
        let change: Option<String> = self.run(script, call).await?;
        self.told.tell(&change.ok_or(ViewError::Empty)?);
        Ok(())
    }
}

impl std::fmt::Debug for RedisView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisView")
            .field("at", &self.link.server().place())
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
