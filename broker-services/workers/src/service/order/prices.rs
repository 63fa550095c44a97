//! What Item lists, asked for from time to time: events are how Order hears of a price at once, and this is how it hears of one
//! whose event was lost, or came before Order had a store.

use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::answers::{Answer, CatalogPage};
use skstore_domain::checkpoint::LogId;
use skstore_domain::commands::{Command, ItemCommand};
use skstore_domain::ids::ItemId;
use skstore_domain::money::Won;
use skstore_domain::objects::Item;
use tokio::time::Instant;

use crate::bus::{BusError, Consumer, Message, Properties, Publisher, Subscription};
use crate::context::Context;
use crate::topology;

/// From the end of one look at all prices to the next: a lost one is known within a minute, also of thousands of items.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// When a page that did not come is asked for again, at first.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
/// How much later it becomes, twice as late each time: the questions wait in Item's queue until it is back.
const MAX_ASK_AGAIN: Duration = Duration::from_secs(60);

/// An item, and whose catalogue lists it.
pub(super) type Listed = (Item, Option<LogId>);

/// Asks Item for its catalogue, page by page.
pub(super) struct Prices {
    publisher: Publisher,
    answers: Consumer,
    reply_to: String,
    asked: u64,
    /// After which item the open question goes on.
    after: Option<ItemId>,
    ask_at: Instant,
    /// When it is asked again, if no answer comes.
    patience: Duration,
    /// What was heard of each item: only what differs is news.
    heard: BTreeMap<ItemId, (String, Won)>,
}

impl Prices {
    /// # Errors
    /// When the bus cannot be reached.
    pub(super) async fn new(context: &Context, publisher: Publisher) -> Result<Self, BusError> {
        let queue = topology::answers_to(&context.own_name());
        let reply_to = queue.name.clone();
        let answers = context.bus.consumer(vec![Subscription { queue, prefetch: 1 }]).await?;
        Ok(Self {
            publisher,
            answers,
            reply_to,
            asked: 0,
            after: None,
            ask_at: Instant::now(),
            patience: ASK_AGAIN_AFTER,
            heard: BTreeMap::new(),
        })
    }

    /// Waits for items that are listed otherwise than it was heard here. Cancel-safe.
    ///
    /// # Errors
    /// When the connection is lost.
    pub(super) async fn next(&mut self) -> Result<Vec<Listed>, BusError> {
        loop {
            let answers = tokio::select! {
                biased;
                answers = self.answers.receive(1) => answers?,
                () = tokio::time::sleep_until(self.ask_at) => {
                    self.ask();
                    continue;
                }
            };
            let mut news = Vec::new();
            for answer in answers {
                news.extend(self.take(&answer.message));
                answer.unacked.ack();
            }
            if !news.is_empty() {
                return Ok(news);
            }
        }
    }

    fn ask(&mut self) {
        self.asked += 1;
        self.ask_at = Instant::now() + self.patience;
        self.patience = (self.patience * 2).min(MAX_ASK_AGAIN);
        let question = Command::from(ItemCommand::Catalog(self.after.clone()));
        self.publisher.send(Message {
            exchange: topology::COMMANDS.to_owned(),
            routing_key: question.kind().word().to_owned(),
            body: question.to_json().into_bytes().into(),
            properties: Properties {
                reply_to: Some(self.reply_to.clone()),
                correlation_id: Some(self.asked.to_string()),
                ..Properties::default()
            },
        });
    }

    /// What is new in the answer to the open question. Another answer is late, and was asked for again.
    fn take(&mut self, message: &Message) -> Vec<Listed> {
        let is_open = message.properties.correlation_id.as_deref() == Some(&*self.asked.to_string());
        let answer = serde_json::from_slice::<Answer>(&message.body).ok().filter(|_| is_open);
        let Some(CatalogPage { items, next, log }) = answer.and_then(|answer| answer.catalog) else {
            return Vec::new();
        };
        self.patience = ASK_AGAIN_AFTER;
        self.after = next;
        self.ask_at = Instant::now() + if self.after.is_some() { Duration::ZERO } else { LOOK_EVERY };
        let heard = &mut self.heard;
        let is_news = |item: &Item| {
            let listing = (item.name.clone(), item.unit_price);
            heard.insert(item.item_id.clone(), listing.clone()) != Some(listing)
        };
        items.into_iter().filter(is_news).map(|item| (item, log.clone())).collect()
    }
}
