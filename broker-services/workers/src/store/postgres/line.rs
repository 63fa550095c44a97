//! One connection, lent to one at a time, and made anew when it is lost.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::timeout;

use super::failure::Failure;
use super::identity;
use super::news::News;
use super::session::{Purpose, Session};
use crate::config::address::PostgresAddress;

/// How long one round of work may take, all its waiting for others' locks included: far longer than a batch takes, and
/// shorter than people wait.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// A connection. Whoever has it is alone with it.
pub(super) struct Line {
    address: PostgresAddress,
    purpose: Purpose,
    news: Rc<News>,
    session: Mutex<Option<Session>>,
    /// The history of the server on which an incarnation was begun.
    timeline: RefCell<Option<String>>,
}

impl Line {
    /// Not connected yet.
    pub(super) fn new(address: &PostgresAddress, purpose: Purpose, news: &Rc<News>) -> Self {
        let (address, news) = (address.clone(), Rc::clone(news));
        Self { address, purpose, news, session: Mutex::new(None), timeline: RefCell::default() }
    }

    /// Lends the connection to `work`, and ends it unless that comes to a good end: then nothing that was begun on it is left.
    pub(super) async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut place = self.session.lock().await;
        let lent = async {
            let session = match place.take().filter(|session| !session.client.is_closed()) {
                Some(session) => session,
                None => self.connect().await?,
            };
            let done = work(&session).await?;
            *place = Some(session);
            Ok(done)
        };
        timeout(ANSWERS_WITHIN, lent).await.unwrap_or(Err(Failure::Silent(ANSWERS_WITHIN)))
    }

    async fn connect(&self) -> Result<Session, Failure> {
        // Nobody knows what was told to the one before, and whether it had committed.
        self.news.begin_anew();
        let session = Session::connect(&self.address, self.purpose, &self.news).await?;
        if matches!(self.purpose, Purpose::Decide(_)) {
            self.begin(&session).await?;
        }
        Ok(session)
    }

    /// Begins an incarnation with the first connection, and with one to a server that took the place of another: that may
    /// be without the last of what the other had.
    async fn begin(&self, session: &Session) -> Result<(), Failure> {
        let timeline = Some(session.timeline().await?);
        if *self.timeline.borrow() != timeline {
            identity::begin(&session.client).await?;
            self.timeline.replace(timeline);
        }
        Ok(())
    }
}
