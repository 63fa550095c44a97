//! One who has come: what is asked is answered side by side, as far as answers can be handed over.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::bytes::{Bytes, BytesMut};

use super::answering::{Answering, answer, say};
use crate::desk::Desk;
use crate::desk::asked::Request;
use crate::door::frames::{
    Greeting, MAX_ANSWER, MAX_QUESTION, Outgoing, PROTOCOL, Question, Told, flush, incoming, outgoing, read,
};
use crate::process::readiness::Readiness;
use crate::view::Changes;

/// Questions of one visitor that are answered at once; more stay unread. Twice as many as the charges that Order has under
/// way.
const AT_ONCE: usize = 1024;
/// Answers that wait to be taken; who answers more waits.
const UNTAKEN: usize = 64;
/// How long a visitor may take to take an answer: one who was stopped must not keep it.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a visitor may take to say who it is.
const GREETED_WITHIN: Duration = Duration::from_secs(3);
/// How often it is told at most that the view has changed: more often than anybody draws.
const TOLD_EVERY: Duration = Duration::from_millis(10);

/// What visitors are shown.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) desk: Desk,
    pub(super) readiness: Readiness,
}

pub(super) struct Visit {
    shown: Arc<Shown>,
    leaving: watch::Receiver<bool>,
}

impl Visit {
    pub(super) const fn new(shown: Arc<Shown>, leaving: watch::Receiver<bool>) -> Self {
        Self { shown, leaving }
    }

    /// Greets and answers until the visitor is gone, or this process leaves.
    pub(super) async fn receive(mut self, stream: UnixStream) {
        let (read_half, write_half) = stream.into_split();
        let mut heard = incoming(read_half, MAX_QUESTION);
        let (told, to_tell) = mpsc::channel(UNTAKEN);
        let writer = tokio::spawn(tell(outgoing(write_half, MAX_ANSWER), to_tell));
        if !say(&told, &Told::Greeting(Greeting::own())).await {
            return;
        }
        let first = tokio::time::timeout(GREETED_WITHIN, heard.next()).await;
        let Ok(Some(Ok(first))) = first else { return };
        // Who speaks otherwise has been told so, and tells its own user.
        if !read(&first).is_ok_and(|theirs: Greeting| theirs.protocol == PROTOCOL) {
            return;
        }
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let mut answers = JoinSet::new();
        answers.spawn(tell_of_changes(self.shown.desk.view().changes(), told.clone()));
        loop {
            let next = async {
                let permit = Arc::clone(&permits).acquire_owned().await;
                (permit, heard.next().await)
            };
            let (permit, frame) = tokio::select! {
                biased;
                _ = self.leaving.wait_for(|leaving| *leaving) => break,
                () = told.closed() => return,
                Some(_) = answers.join_next() => continue,
                next = next => next,
            };
            let Some(Ok(frame)) = frame else { return };
            match read::<Question<Request>>(&frame) {
                Ok(Question { id, ask }) => {
                    let answering = Answering { id, told: told.clone() };
                    let shown = Arc::clone(&self.shown);
                    answers.spawn(async move {
                        answer(&shown.desk, &shown.readiness, ask, answering).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    if !refuse(&told, &frame, &error).await {
                        return;
                    }
                }
            }
        }
        Self::take_leave(told, answers, &permits).await;
        let _ = writer.await;
    }

    /// Says that this process leaves, and answers what it has been asked.
    async fn take_leave(told: mpsc::Sender<Bytes>, mut answers: JoinSet<()>, permits: &Semaphore) {
        if !say(&told, &Told::Leaving).await {
            return;
        }
        drop(told);
        // All permits are back once all is answered; only who tells of changes goes on.
        let all = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let _ = permits.acquire_many(all).await;
        answers.shutdown().await;
    }
}

/// Says of what cannot be understood that it cannot; whether the visitor is still there.
async fn refuse(told: &mpsc::Sender<Bytes>, frame: &BytesMut, error: &serde_json::Error) -> bool {
    // One of another version may ask what is new; what it cannot even number is none.
    let Ok(Question { id, .. }) = read::<Question<serde::de::IgnoredAny>>(frame) else { return false };
    say(told, &Told::Refused { id, why: format!("it does not know what is asked: {error}") }).await
}

async fn tell(mut said: Outgoing, mut frames: mpsc::Receiver<Bytes>) {
    while let Some(frame) = frames.recv().await {
        let taken = async {
            said.feed(frame).await?;
            while let Ok(frame) = frames.try_recv() {
                said.feed(frame).await?;
            }
            flush(&mut said).await
        };
        if !matches!(tokio::time::timeout(TAKEN_WITHIN, taken).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn tell_of_changes(mut changes: Changes, told: mpsc::Sender<Bytes>) {
    loop {
        changes.changed().await;
        if !say(&told, &Told::Changed).await {
            return;
        }
        tokio::time::sleep(TOLD_EVERY).await;
    }
}
