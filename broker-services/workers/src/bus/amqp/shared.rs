//! What all handles of a bus share: the connections, and the thread that drives them.

use std::sync::Arc;
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::answers::Answers;
use super::link::{CONSUMED_FRAME_BYTES, Link, PUBLISHED_FRAME_BYTES};
use super::upkeep::Upkeep;
use crate::bus::BusError;
use crate::config::address::BrokerAddress;

/// What all handles of a bus share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) publishing: Link,
    pub(super) consuming: Link,
    pub(super) answering: Arc<Link>,
    pub(super) answers: Answers,
    /// What sees to it that everything is there.
    pub(super) upkeep: Arc<Upkeep>,
    /// Consumers that are dropped and have not yet given back what they held.
    pub(super) closing: watch::Sender<usize>,
    /// Publishers that are in use, or dropped and still waiting for confirms.
    pub(super) publishers: watch::Sender<usize>,
    /// See [`AmqpBus::turn`](super::AmqpBus::turn).
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
    pub(super) io: Handle,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Shared {
    pub(super) fn new(address: &BrokerAddress) -> Result<Self, BusError> {
        let upkeep = Arc::new(Upkeep::default());
        let link = |name, frame_bytes| Link::new(address.clone(), name, frame_bytes, Arc::clone(&upkeep));
        let publishing = link("skstore publishing", PUBLISHED_FRAME_BYTES);
        let consuming = link("skstore consuming", CONSUMED_FRAME_BYTES);
        let answering = Arc::new(link("skstore answering", PUBLISHED_FRAME_BYTES).without_topology());
        let failed = |error: std::io::Error| {
            BusError::Topology(format!(
                "cannot start the thread of the message bus: {error}; are there too many?"
            ))
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let io = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        let run = move || {
            // It ends when the sender is dropped.
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        };
        thread::Builder::new().name("skstore-amqp".to_owned()).spawn(run).map_err(failed)?;
        let answers = Answers::start(Arc::clone(&answering), &io);
        Ok(Self {
            publishing,
            consuming,
            answering,
            answers,
            upkeep,
            closing: watch::channel(0).0,
            publishers: watch::channel(0).0,
            turn: Arc::default(),
            io,
            _stop: stop,
        })
    }
}
