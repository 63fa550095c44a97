//! Claims at a broker: a queue that all who have the claim consume, and that names their owner in an argument. A broker lets
//! nobody declare a queue that is there with another one, so the first owner is the only one until its last consumer is gone.
//! Nothing is ever in that queue.

use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt;
use lapin::Channel;
use lapin::options::{BasicConsumeOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};

use super::declare;
use super::refusal::{Denied, Meaning, asked};
use super::request::leave;
use super::shared::Shared;
use crate::bus::BusError;
use crate::topology::{QueueSpec, claim_of};

/// The argument that names the owner: of those that brokers compare, the one that may be any text. Where it points to does
/// not matter, since nothing dies there.
const OWNER: &str = "x-dead-letter-routing-key";
/// Tries to claim what is found to be nobody's: others try as well.
const ATTEMPTS: usize = 5;

/// See [`Claim`](crate::bus::Claim).
pub struct AmqpClaim {
    /// None where this user may not declare: then nobody is kept out.
    held: Option<(Channel, lapin::Consumer)>,
    shared: Arc<Shared>,
}

impl AmqpClaim {
    pub(super) async fn open(shared: Arc<Shared>, name: String, owner: String) -> Result<Self, BusError> {
        let spec = claim_of(&name);
        for _ in 0..ATTEMPTS {
            let channel = shared.consuming.channel().await?.channel;
            let denied = match take(&channel, &spec, &owner).await? {
                Ok(consumer) => return Ok(Self { held: Some((channel, consumer)), shared }),
                Err(denied) => denied,
            };
            match denied.meaning() {
                // It went with its last consumer, in this very moment.
                Some(Meaning::Missing) => {}
                Some(Meaning::Different) if is_abandoned(&shared, &spec).await? => {}
                Some(Meaning::Different) => {
                    return Err(denied.or(|refusal| BusError::Occupied(refusal.to_string())));
                }
                Some(Meaning::Forbidden) => {
                    tracing::warn!(
                        queue = spec.name,
                        "this user may not declare it, so that nobody is kept from it"
                    );
                    return Ok(Self { held: None, shared });
                }
                _ => return Err(denied.or_of_queue(&spec)),
            }
        }
        Err(BusError::Occupied(format!("others claim '{name}' at this moment")))
    }

    pub(in crate::bus) async fn lost(&mut self) {
        let Some((_, consumer)) = &mut self.held else { return std::future::pending().await };
        // Should somebody put a message in, it stays there, unacked.
        while let Some(Ok(_)) = consumer.next().await {}
    }
}

impl Drop for AmqpClaim {
    fn drop(&mut self) {
        if let Some((channel, _)) = self.held.take() {
            self.shared.io.spawn(async move { leave(&channel).await });
        }
    }
}

impl fmt::Debug for AmqpClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AmqpClaim")
    }
}

/// Declares the queue for its owner, and consumes it.
async fn take(
    channel: &Channel,
    spec: &QueueSpec,
    owner: &str,
) -> Result<Result<lapin::Consumer, Denied>, BusError> {
    let mut arguments = declare::arguments(spec)?;
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert(OWNER.into(), AMQPValue::LongString(owner.into()));
    // Durable, since brokers do away with queues that are neither that nor exclusive.
    let options = QueueDeclareOptions { durable: true, auto_delete: true, ..Default::default() };
    if let Err(denied) = asked(channel.queue_declare(declare::short(&spec.name)?, options, arguments)).await {
        return Ok(Err(denied));
    }
    let (name, options) = (declare::short(&spec.name)?, BasicConsumeOptions::default());
    Ok(asked(channel.basic_consume(name, "".into(), options, FieldTable::default())).await)
}

/// Whether nobody has it: it outlived a restart of the broker, which its consumers did not. Then it is gone now.
async fn is_abandoned(shared: &Shared, spec: &QueueSpec) -> Result<bool, BusError> {
    let channel = shared.consuming.channel().await?.channel;
    match declare::see(&channel, spec).await? {
        Err(denied) if denied.meaning() == Some(Meaning::Missing) => return Ok(true),
        Err(denied) => return Err(denied.or_of_queue(spec)),
        Ok((_, consumers)) if consumers > 0 => {
            let _ = leave(&channel).await;
            return Ok(false);
        }
        Ok(_) => {}
    }
    // If somebody has come meanwhile, it stays.
    let options = QueueDeleteOptions { if_unused: true, ..Default::default() };
    let _ = asked(channel.queue_delete(declare::short(&spec.name)?, options)).await;
    Ok(true)
}
