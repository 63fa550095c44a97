//! One who comes to the door again and again: a connection after the other, and the questions that are not answered yet.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};

use super::asked::{Asked, Piece};
use crate::bus::BusState;
use crate::door::frames::{
    Greeting, Incoming, MAX_ANSWER, MAX_QUESTION, Outgoing, PROTOCOL, Question, Told, flush, incoming,
    outgoing, read, to_frame,
};
use crate::door::socket;

/// How long whoever is there may take to greet: many times what it takes unless it was stopped.
const GREETED_WITHIN: Duration = Duration::from_secs(3);
/// How long is waited until the door is tried again; each further try waits twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(10);
/// How long at most: whoever has the workers next has them within a few of these.
const MAX_RETRY: Duration = Duration::from_millis(320);
/// Questions that are not answered yet; more wait. Twice what a large load has under way.
const UNANSWERED: usize = 1024;

/// Why somebody is not let in.
#[derive(Debug)]
pub(super) enum NotLetIn {
    /// Nobody is there any more.
    Gone(String),
    /// Somebody is, and speaks otherwise or says nothing.
    Refused(String),
}

/// Why a connection ends.
enum End {
    /// Nobody asks any more.
    Unwanted,
    Lost(String),
}

pub(super) struct Coming {
    data_dir: PathBuf,
    questions: mpsc::Receiver<Asked>,
    told: watch::Sender<BusState>,
    changed: watch::Sender<u64>,
    unanswered: BTreeMap<u64, Asked>,
    next: u64,
}

impl Coming {
    pub(super) const fn new(
        data_dir: PathBuf,
        questions: mpsc::Receiver<Asked>,
        told: watch::Sender<BusState>,
        changed: watch::Sender<u64>,
    ) -> Self {
        Self { data_dir, questions, told, changed, unanswered: BTreeMap::new(), next: 0 }
    }

    /// Goes in by `stream`, says so, and stays, over every loss of who is there, until nobody asks any more.
    pub(super) async fn stay(
        mut self,
        stream: std::os::unix::net::UnixStream,
        let_in: SyncSender<Result<(), NotLetIn>>,
    ) {
        let mut connection = match greet(stream).await {
            Ok(connection) => {
                if let_in.send(Ok(())).is_err() {
                    return;
                }
                connection
            }
            Err(error) => return drop(let_in.send(Err(error))),
        };
        loop {
            let cause = match self.talk(connection).await {
                End::Unwanted => return,
                End::Lost(cause) => cause,
            };
            self.forget_what_cannot_be_repeated();
            let Some(again) = self.come_again(cause).await else { return };
            connection = again;
            self.told.send_replace(BusState::Up);
            // Whatever has changed meanwhile, nobody was told of it.
            self.changed.send_modify(|changes| *changes += 1);
        }
    }

    /// Asks and hears until the other side is gone.
    async fn talk(&mut self, (mut heard, said): (Incoming, Outgoing)) -> End {
        // A task writes, so that answers are read meanwhile: both sides writing would wait for each other.
        let (questions, to_send) = mpsc::unbounded_channel();
        let writer = tokio::spawn(write(said, to_send));
        let mut is_leaving = false;
        for (id, asked) in &self.unanswered {
            send(&questions, *id, asked);
        }
        let end = loop {
            tokio::select! {
                biased;
                frame = heard.next() => match frame {
                    Some(Ok(frame)) => match read(&frame) {
                        Ok(Told::Leaving) => is_leaving = true,
                        Ok(told) => self.hear(told),
                        Err(error) => break End::Lost(format!("what it says cannot be read: {error}")),
                    },
                    Some(Err(error)) => break End::Lost(error.to_string()),
                    None => break End::Lost("it has ended".to_owned()),
                },
                asked = self.questions.recv(), if self.unanswered.len() < UNANSWERED => {
                    let Some(asked) = asked else { break End::Unwanted };
                    self.next += 1;
                    if !is_leaving {
                        send(&questions, self.next, &asked);
                    }
                    self.unanswered.insert(self.next, asked);
                    if self.unanswered.len() == UNANSWERED {
                        self.unanswered.retain(|_, asked| !asked.answers.is_closed());
                    }
                }
            }
        };
        writer.abort();
        end
    }

    fn hear(&mut self, told: Told) {
        match told {
            Told::Part { id, part } => {
                if let Some(asked) = self.unanswered.get(&id) {
                    let _ = asked.answers.send(Piece::Part(part));
                }
            }
            Told::Answer { id, answer } => self.end(id, Piece::Last(answer)),
            Told::Refused { id, why } => self.end(id, Piece::Refused(why)),
            Told::Changed => self.changed.send_modify(|changes| *changes += 1),
            Told::Greeting(_) | Told::Leaving => {}
        }
    }

    fn end(&mut self, id: u64, piece: Piece) {
        if let Some(asked) = self.unanswered.remove(&id) {
            // Whoever stopped waiting has dropped the other end.
            let _ = asked.answers.send(piece);
        }
    }

    fn forget_what_cannot_be_repeated(&mut self) {
        self.unanswered.retain(|_, asked| {
            let was_sent = asked.was_sent.load(Ordering::Acquire);
            if was_sent && !asked.is_repeatable {
                let _ = asked.answers.send(Piece::Lost);
                return false;
            }
            !asked.answers.is_closed()
        });
    }

    /// Tries until somebody is there; `None` once nobody asks any more.
    async fn come_again(&mut self, mut cause: String) -> Option<(Incoming, Outgoing)> {
        let mut wait = RETRY_FIRST;
        loop {
            self.told.send_replace(BusState::Lost { cause, retry_in: wait });
            tokio::select! {
                biased;
                () = self.told.closed() => return None,
                () = tokio::time::sleep(wait) => {}
            }
            let tried = match socket::connect(&self.data_dir) {
                Ok(stream) => greet(stream).await,
                Err(error) => Err(NotLetIn::Gone(format!("nobody has the workers now ({error})"))),
            };
            match tried {
                Ok(connection) => return Some(connection),
                Err(NotLetIn::Gone(why) | NotLetIn::Refused(why)) => cause = why,
            }
            wait = (wait * 2).min(MAX_RETRY);
        }
    }
}

fn send(questions: &mpsc::UnboundedSender<tokio_util::bytes::Bytes>, id: u64, asked: &Asked) {
    match to_frame(&Question { id, ask: &asked.request }, MAX_QUESTION) {
        Ok(frame) => {
            // From here on it may be read by the other side.
            asked.was_sent.store(true, Ordering::Release);
            let _ = questions.send(frame);
        }
        Err(why) => drop(asked.answers.send(Piece::Refused(why))),
    }
}

async fn write(mut said: Outgoing, mut frames: mpsc::UnboundedReceiver<tokio_util::bytes::Bytes>) {
    while let Some(frame) = frames.recv().await {
        if said.feed(frame).await.is_err() {
            return;
        }
        while let Ok(frame) = frames.try_recv() {
            if said.feed(frame).await.is_err() {
                return;
            }
        }
        if flush(&mut said).await.is_err() {
            return;
        }
    }
}

/// Says who comes, and hears who is there.
async fn greet(stream: std::os::unix::net::UnixStream) -> Result<(Incoming, Outgoing), NotLetIn> {
    let gone = |error: std::io::Error| NotLetIn::Gone(error.to_string());
    let (read_half, write_half) = UnixStream::from_std(stream).map_err(gone)?.into_split();
    let (mut heard, mut said) = (incoming(read_half, MAX_ANSWER), outgoing(write_half, MAX_QUESTION));
    let own = to_frame(&Greeting::own(), MAX_QUESTION).map_err(NotLetIn::Refused)?;
    said.send(own).await.map_err(gone)?;
    let silent = || {
        let waited = GREETED_WITHIN.as_secs();
        NotLetIn::Refused(format!("it has not answered at its socket for {waited} s: was it stopped?"))
    };
    let first = tokio::time::timeout(GREETED_WITHIN, heard.next()).await.map_err(|_| silent())?;
    let first = first.ok_or_else(|| NotLetIn::Gone("it has ended".to_owned()))?.map_err(gone)?;
    match read(&first) {
        Ok(Told::Greeting(theirs)) if theirs.protocol == PROTOCOL => Ok((heard, said)),
        Ok(Told::Greeting(theirs)) => Err(NotLetIn::Refused(format!(
            "process {} is skstore {} and speaks protocol {} at its socket, this is {} and speaks {PROTOCOL}: use the \
             same version",
            theirs.pid,
            theirs.version,
            theirs.protocol,
            Greeting::own().version
        ))),
        Ok(_) | Err(_) => Err(NotLetIn::Refused("what it says at its socket cannot be read".to_owned())),
    }
}
