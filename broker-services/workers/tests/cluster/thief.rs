//! A way to the broker on which some of what it delivers is lost: the thief swallows it, and acks it in the receiver's name.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use fastrand::Rng;

use super::frames::{CONSUME, CONSUME_OK, Contents, DELIVER, Frame};

/// What a client says first.
const GREETING_BYTES: usize = 8;
/// A bit of basic.consume: what is delivered needs no ack.
const NO_ACK: u8 = 2;

/// Hands on connections to a broker until it is dropped. Threads of its own do it.
pub(crate) struct Thief {
    at: SocketAddr,
    den: Arc<Den>,
}

/// What its threads share.
struct Den {
    broker: SocketAddr,
    /// One of so many deliveries is stolen.
    one_of: u32,
    is_closed: AtomicBool,
    steals: AtomicBool,
    chance: Mutex<Rng>,
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// Deliveries of a queue, and how many of them were stolen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) delivered: usize,
    pub(crate) stolen: usize,
}

impl Thief {
    /// Stands before the broker at this port of this machine.
    pub(crate) fn before(broker_port: u16, one_of: u32, seed: u64) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let at = listener.local_addr().expect("an address");
        let den = Arc::new(Den {
            broker: (Ipv4Addr::LOCALHOST, broker_port).into(),
            one_of,
            is_closed: AtomicBool::new(false),
            steals: AtomicBool::new(true),
            chance: Mutex::new(Rng::with_seed(seed)),
            seen: Mutex::default(),
        });
        let accepting = Arc::clone(&den);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.is_closed.load(Ordering::Relaxed) {
                    return;
                }
                // One that does not come about is for its client to make again.
                let _ = client.and_then(|client| Way::open(&accepting, client));
            }
        });
        Self { at, den }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }

    /// From now on nothing is lost any more.
    pub(crate) fn retire(&self) {
        self.den.steals.store(false, Ordering::Relaxed);
    }

    /// What has come by while something was stolen, by queue.
    pub(crate) fn seen(&self) -> BTreeMap<String, Seen> {
        locked(&self.den.seen).clone()
    }
}

impl Drop for Thief {
    fn drop(&mut self) {
        self.den.is_closed.store(true, Ordering::Relaxed);
        // Wakes whoever accepts.
        let _ = TcpStream::connect(self.at);
    }
}

impl Den {
    /// Whether the next message of this consumer is stolen. Ours have the names of their queues.
    fn wants(&self, consumer: &[u8]) -> bool {
        if !self.steals.load(Ordering::Relaxed) {
            return false;
        }
        let wants = locked(&self.chance).u32(..self.one_of) == 0;
        let name = String::from_utf8_lossy(consumer);
        // Without what is of one instance only.
        let queue =
            name.split('#').next().unwrap_or_default().split('.').take(2).collect::<Vec<_>>().join(".");
        let mut seen = locked(&self.seen);
        let seen = seen.entry(queue).or_default();
        seen.delivered += 1;
        seen.stolen += usize::from(wants);
        wants
    }
}

/// A connection, as its client's side and its broker's side know it.
struct Way {
    broker: BufWriter<TcpStream>,
    /// What the client publishes.
    contents: Contents,
    /// Of what was stolen while the client was in the midst of a message on that channel.
    acks: Vec<Frame>,
    consumers: Consumers,
}

/// Which consumers need no acks.
#[derive(Default)]
struct Consumers {
    /// Asked for and not yet named, in their order.
    asked: BTreeMap<u16, VecDeque<bool>>,
    no_acks: BTreeSet<(u16, Vec<u8>)>,
}

impl Way {
    fn open(den: &Arc<Den>, client: TcpStream) -> io::Result<()> {
        let broker = TcpStream::connect(den.broker)?;
        client.set_nodelay(true)?;
        broker.set_nodelay(true)?;
        let sides = [client.try_clone()?, broker.try_clone()?];
        let from = [BufReader::new(client.try_clone()?), BufReader::new(broker.try_clone()?)];
        let way = Arc::new(Mutex::new(Self {
            broker: BufWriter::new(broker),
            contents: Contents::default(),
            acks: Vec::new(),
            consumers: Consumers::default(),
        }));
        let end = move |sides: &[TcpStream; 2]| {
            sides.iter().for_each(|side| drop(side.shutdown(Shutdown::Both)));
        };
        let [from_client, from_broker] = from;
        let (up, others) = (Arc::clone(&way), [sides[0].try_clone()?, sides[1].try_clone()?]);
        thread::spawn(move || {
            // Either side may end it, at any byte.
            let _ = Self::up(&up, from_client);
            end(&others);
        });
        let den = Arc::clone(den);
        thread::spawn(move || {
            let _ = Self::down(&way, &den, from_broker, BufWriter::new(client));
            end(&sides);
        });
        Ok(())
    }

    /// From the client to the broker.
    fn up(way: &Mutex<Self>, mut client: BufReader<TcpStream>) -> io::Result<()> {
        let mut greeting = [0; GREETING_BYTES];
        client.read_exact(&mut greeting)?;
        locked(way).broker.write_all(&greeting)?;
        locked(way).broker.flush()?;
        loop {
            let frame = Frame::read(&mut client)?;
            let mut way = locked(way);
            way.consumers.hear_client(&frame);
            way.broker.write_all(frame.bytes())?;
            way.contents.pass(&frame);
            way.send_acks()?;
            if client.buffer().is_empty() {
                way.broker.flush()?;
            }
        }
    }

    /// From the broker to the client, but for what is stolen.
    fn down(
        way: &Mutex<Self>,
        den: &Den,
        mut broker: BufReader<TcpStream>,
        mut client: BufWriter<TcpStream>,
    ) -> io::Result<()> {
        let mut stolen = Contents::default();
        loop {
            let frame = Frame::read(&mut broker)?;
            if stolen.is_amid(frame.channel()) || locked(way).steals(den, &frame)? {
                stolen.pass(&frame);
            } else {
                client.write_all(frame.bytes())?;
            }
            if broker.buffer().is_empty() {
                client.flush()?;
            }
        }
    }

    /// Whether this is the beginning of what is stolen; then it is acked.
    fn steals(&mut self, den: &Den, frame: &Frame) -> io::Result<bool> {
        let channel = frame.channel();
        self.consumers.hear_broker(frame);
        let delivered = frame.arguments(DELIVER).and_then(|mut told| Some((told.text()?, told.longlong()?)));
        let Some((consumer, delivery)) = delivered else { return Ok(false) };
        if !den.wants(consumer) {
            return Ok(false);
        }
        if !self.consumers.no_acks.contains(&(channel, consumer.to_vec())) {
            self.acks.push(Frame::ack(channel, delivery));
            self.send_acks()?;
            self.broker.flush()?;
        }
        Ok(true)
    }

    /// Sends the acks that do not fall into the midst of a message.
    fn send_acks(&mut self) -> io::Result<()> {
        let Self { broker, contents, acks, .. } = self;
        for ack in acks.extract_if(.., |ack| !contents.is_amid(ack.channel())) {
            broker.write_all(ack.bytes())?;
        }
        Ok(())
    }
}

impl Consumers {
    fn hear_client(&mut self, frame: &Frame) {
        let no_ack = frame.arguments(CONSUME).and_then(|mut asked| {
            let (_reserved, _queue, _consumer) = (asked.short()?, asked.text()?, asked.text()?);
            asked.octet().map(|bits| bits & NO_ACK != 0)
        });
        if let Some(no_ack) = no_ack {
            self.asked.entry(frame.channel()).or_default().push_back(no_ack);
        }
    }

    fn hear_broker(&mut self, frame: &Frame) {
        let channel = frame.channel();
        let Some(consumer) = frame.arguments(CONSUME_OK).and_then(|mut named| named.text()) else { return };
        if self.asked.get_mut(&channel).and_then(VecDeque::pop_front) == Some(true) {
            self.no_acks.insert((channel, consumer.to_vec()));
        } else {
            self.no_acks.remove(&(channel, consumer.to_vec()));
        }
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}
