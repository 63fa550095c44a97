//! The bus over an AMQP 0-9-1 broker: RabbitMQ 3.10 or later.
//!
//! Three connections. One publishes and one consumes: a broker short of memory or disk stops reading from those that
//! publish, and acks have to get through all the same. The third, made when it is needed, answers outside callers: they say
//! where to, and a broker may close a connection over that. All are driven by one thread of their own, so that handles
//! work from any runtime and a service that is busy does not miss heartbeats.
//!
//! A lost connection is nobody's state: receipts say [`PublishOutcome::Unknown`](crate::bus::PublishOutcome::Unknown), consumers
//! end with [`BusError::Lost`], and the next call that needs a connection makes one and declares the topology.
//! [`AmqpPublisher`]s recover by themselves; an [`AmqpConsumer`] is done, and its owner opens another.

mod acks;
mod answers;
mod blocked;
mod claim;
mod clean;
mod confirms;
mod consumer;
mod cut;
mod declare;
mod inspection;
mod kit;
mod link;
mod load;
mod management;
mod properties;
mod publisher;
mod refusal;
mod request;
mod retry;
mod shared;
mod size;
mod upkeep;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lapin::Channel;
use skstore_domain::time::Timestamp;
use tokio::time::{sleep, timeout};

use super::{BusError, Noticed, QueueDepth, Subscription};
use crate::config::address::BrokerAddress;
use crate::config::address::management::ManagementAt;
use crate::topology;
pub use claim::AmqpClaim;
pub use consumer::AmqpConsumer;
pub use declare::Part;
pub use inspection::{Inspection, Overruling};
use management::Management;
pub use management::Unseen;
pub use publisher::{AmqpPublisher, CONFIRM_WITHIN, MAX_UNCONFIRMED, MAX_UNCONFIRMED_BYTES};
use request::{CLOSE_WITHIN, close, leave};
use shared::Shared;
pub use size::TOO_LONG_BYTES;

/// A broker. Clones share its connections, which are closed with the last of them and of what they have
/// opened.
#[derive(Clone)]
pub struct AmqpBus {
    shared: Arc<Shared>,
}

impl AmqpBus {
    /// The broker at `address`, which is connected to when it is needed.
    ///
    /// # Errors
    /// [`BusError::Topology`] when there is no thread for its connections.
    pub fn of(address: &BrokerAddress) -> Result<Self, BusError> {
        Ok(Self { shared: Arc::new(Shared::new(address)?) })
    }

    /// Connects to the broker at `url`, as [`BrokerAddress`] reads it, and declares the whole [`crate::topology`].
    ///
    /// # Errors
    /// As [`Self::connect_to`]; [`BusError::Topology`] also when the URL cannot be read.
    pub async fn connect(url: &str) -> Result<Self, BusError> {
        let address = BrokerAddress::parse(url);
        let address = address.map_err(|error| BusError::Topology(format!("bus.url {error}")))?;
        Self::connect_to(&address).await
    }

    /// Connects to the broker at `address` and declares the whole [`crate::topology`].
    ///
    /// # Errors
    /// [`BusError::Lost`] when it cannot be reached: try again. [`BusError::Topology`] when a person has to put
    /// something right, here or there: tried again later, it may be.
    pub async fn connect_to(address: &BrokerAddress) -> Result<Self, BusError> {
        let bus = Self::of(address)?;
        let shared = Arc::clone(&bus.shared);
        bus.run(async move { shared.consuming.channel().await.map(drop) }).await?;
        Ok(bus)
    }

    /// Looks at the broker at `address` and at its `management` API, and changes nothing there.
    ///
    /// # Errors
    /// As [`Self::connect_to`].
    pub async fn inspect(address: &BrokerAddress, management: &ManagementAt) -> Result<Inspection, BusError> {
        let bus = Self::of(address)?;
        let (shared, management) = (Arc::clone(&bus.shared), Management::new(address, management));
        let looking = async move {
            let connection = shared.consuming.bare().await?;
            let found = inspection::inspect(&connection, management).await;
            close(connection).await;
            found
        };
        bus.run(looking).await
    }

    /// Whether the broker at `address` takes a message of more than [`TOO_LONG_BYTES`], such as nobody means to send. It is
    /// sent one, to nobody.
    ///
    /// # Errors
    /// As [`Self::connect_to`].
    pub async fn takes_too_long(address: &BrokerAddress) -> Result<bool, BusError> {
        let bus = Self::of(address)?;
        // The one that declares nothing.
        let link = Arc::clone(&bus.shared.answering);
        bus.run(async move { size::takes_too_long(&link).await }).await
    }

    /// From now on, for as long as this bus is in use, everything is looked for `every` so often, and at once when
    /// answers fail to come; what is missing is put back and [told](super::Bus::noticed). For processes with workers:
    /// others come and go.
    pub fn look_after(&self, every: Duration, management: &ManagementAt) {
        let upkeep = Arc::clone(&self.shared.upkeep);
        upkeep.take_charge(Management::new(self.shared.consuming.address(), management));
        let weak = Arc::downgrade(&self.shared);
        self.shared.io.spawn(async move {
            loop {
                upkeep.due(every).await;
                let Some(shared) = weak.upgrade() else { return };
                upkeep.look(shared.consuming.standing()).await;
                drop(shared);
                sleep(upkeep::PAUSE).await;
            }
        });
    }

    pub(super) fn noticed(&self, now: Timestamp) -> Noticed {
        self.shared.upkeep.noticed(self.shared.publishing.blocked(), now)
    }

    pub(super) fn suspect(&self) {
        self.shared.upkeep.suspect();
    }

    /// Why the broker reads nothing that is published, if it does not. A connection that has not published for some
    /// time does not know, so this publishes something that goes nowhere.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn probe_block(&self) -> Result<Option<String>, BusError> {
        let shared = Arc::clone(&self.shared);
        self.run(async move { blocked::probe(&*shared.publishing.standing().await?).await }).await
    }

    /// Something to publish with, on a channel of its own.
    pub(super) async fn publisher(&self) -> Result<AmqpPublisher, BusError> {
        self.run(AmqpPublisher::open(Arc::clone(&self.shared))).await
    }

    /// Declares those queues that are not there. An exclusive one is gone soon after its consumer is dropped.
    pub(super) async fn consume(&self, queues: Vec<Subscription>) -> Result<AmqpConsumer, BusError> {
        self.run(AmqpConsumer::open(Arc::clone(&self.shared), queues)).await
    }

    pub(super) async fn claim(&self, name: &str, owner: &str) -> Result<AmqpClaim, BusError> {
        self.run(AmqpClaim::open(Arc::clone(&self.shared), name.to_owned(), owner.to_owned())).await
    }

    /// Consumes one queue, and tells how many messages wait in it.
    pub(super) async fn consume_counted(
        &self,
        queue: Subscription,
    ) -> Result<(AmqpConsumer, usize), BusError> {
        self.run(AmqpConsumer::open_counted(Arc::clone(&self.shared), queue)).await
    }

    /// A broker tells what is ready, not what is in consumers' hands.
    pub(super) async fn depths(&self) -> Result<Vec<QueueDepth>, BusError> {
        let shared = Arc::clone(&self.shared);
        self.run(async move {
            // A queue that is gone ends the channel that asks for it, and nobody else's.
            let opened = shared.consuming.channel().await?;
            let told = depths(&opened.channel).await;
            if matches!(told, Err(BusError::Lost(_))) {
                shared.consuming.forget(opened.generation).await;
            } else if told.is_ok() {
                let _ = leave(&opened.channel).await;
            }
            told
        })
        .await
    }

    /// Whoever holds this may take parked messages in hand, as far as this process goes.
    pub(super) fn turn(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(&self.shared.turn)
    }

    /// Says goodbye to the broker once everything that was acked has reached it. What is dropped without this
    /// ends as well, but a process may be gone before its last acks are.
    pub async fn close(&self) {
        let shared = Arc::clone(&self.shared);
        let goodbye = async move {
            let mut closing = shared.closing.subscribe();
            let mut publishers = shared.publishers.subscribe();
            let settled = async {
                let _ = closing.wait_for(|closing| *closing == 0).await;
                // What was handed over last goes out before the goodbye.
                let _ = publishers.wait_for(|publishers| *publishers == 0).await;
                shared.answers.finish().await;
            };
            let _ = timeout(CLOSE_WITHIN, settled).await;
            shared.consuming.close().await;
            shared.publishing.close().await;
            shared.answering.close().await;
            Ok(())
        };
        // An error means that the thread is gone, and with it the connections.
        let _ = self.run(goodbye).await;
    }

    /// Runs `work` on the thread of the connections. It goes on when the caller is dropped, and ends whole.
    async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, BusError>> + Send + 'static,
    ) -> Result<T, BusError> {
        self.shared.io.spawn(work).await.unwrap_or_else(|error| {
            Err(BusError::Lost(format!("the thread of its connections has ended: {error}")))
        })
    }
}

impl fmt::Debug for AmqpBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AmqpBus")
    }
}

async fn depths(channel: &Channel) -> Result<Vec<QueueDepth>, BusError> {
    let mut depths = Vec::new();
    for queue in topology::queues() {
        let (ready, consumers) = declare::look(channel, &queue).await?;
        depths.push(QueueDepth { name: queue.name.into(), ready, unacked: None, consumers });
    }
    depths.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    Ok(depths)
}
