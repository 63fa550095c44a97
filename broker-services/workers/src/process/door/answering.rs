//! Each question, answered from the desk and its view.

use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;

use crate::desk::Desk;
use crate::desk::asked::{Dealing, Dealt, Letter, Listed, Request, command};
use crate::desk::told::DeskError;
use crate::door::frames::{MAX_ANSWER, Told, to_frame};
use crate::process::readiness::Readiness;
use crate::view::View;
use crate::view::asked::ViewRequest;

/// Where an answer goes.
pub(super) struct Answering {
    pub(super) id: u64,
    pub(super) told: mpsc::Sender<Bytes>,
}

impl Answering {
    async fn part(&self, part: &impl Serialize) {
        if let Ok(part) = serde_json::value::to_raw_value(part) {
            say(&self.told, &Told::Part { id: self.id, part }).await;
        }
    }

    async fn with(&self, answer: &impl Serialize) {
        match serde_json::value::to_raw_value(answer) {
            Ok(answer) => self.say(Told::Answer { id: self.id, answer }).await,
            Err(error) => self.refuse(error.to_string()).await,
        }
    }

    async fn refuse(&self, why: String) {
        say(&self.told, &Told::Refused { id: self.id, why }).await;
    }

    async fn say(&self, told: Told) {
        match to_frame(&told, MAX_ANSWER) {
            Ok(frame) => drop(self.told.send(frame).await),
            Err(why) => self.refuse(format!("the answer is too long: {why}")).await,
        }
    }
}

/// Whether the visitor is still there to hear `what`.
pub(super) async fn say(told: &mpsc::Sender<Bytes>, what: &Told) -> bool {
    match to_frame(what, MAX_ANSWER) {
        Ok(frame) => told.send(frame).await.is_ok(),
        Err(_) => false,
    }
}

/// Answers `request`.
pub(super) async fn answer(desk: &Desk, readiness: &Readiness, request: Request, to: Answering) {
    match request {
        Request::Ready => {
            readiness.ready().await;
            to.with(&()).await;
        }
        Request::Command { kind, body } => match command(&kind, &body) {
            Ok(command) => to.with(&desk.ask(command).await).await,
            Err(why) => to.refuse(why).await,
        },
        Request::Control(control) => to.with(&desk.send_control(&control).await).await,
        Request::Queues => to.with(&desk.queues().await).await,
        Request::DeadLetters { max } => match desk.dead_letters(max).await {
            Ok(page) => {
                for letter in &page.letters {
                    to.part(&Letter::from(letter)).await;
                }
                to.with(&Ok::<_, DeskError>(Listed { total: page.total })).await;
            }
            Err(error) => to.with(&Err::<Listed, _>(error)).await,
        },
        Request::DeadLetter { id } => {
            let found = desk.dead_letter(&id).await;
            to.with(&found.map(|letter| letter.as_ref().map(Letter::from))).await;
        }
        Request::Deal(dealing) => deal(desk, &dealing, &to).await,
        Request::View(asked) => show(desk.view(), asked, &to).await,
    }
}

/// Tells piece by piece what became of parked messages: what is dealt with is done, also if nobody hears of it any more.
async fn deal(desk: &Desk, dealing: &Dealing, to: &Answering) {
    let Dealing { operation, which, dry_run } = dealing;
    let (dealt, mut to_tell) = mpsc::unbounded_channel();
    let each = |letter: &_, disposition: &_| {
        let _ = dealt.send(Dealt { letter: Letter::from(letter), disposition: Clone::clone(disposition) });
    };
    let mut dealing = std::pin::pin!(desk.deal(*operation, which, *dry_run, each));
    let summary = loop {
        tokio::select! {
            biased;
            summary = &mut dealing => break summary,
            Some(one) = to_tell.recv() => to.part(&one).await,
        }
    };
    while let Ok(one) = to_tell.try_recv() {
        to.part(&one).await;
    }
    to.with(&summary).await;
}

async fn show(view: &View, asked: ViewRequest, to: &Answering) {
    match asked {
        ViewRequest::Orders { filter, after, max } => {
            to.with(&view.orders(&filter, after.as_ref(), max).await).await;
        }
        ViewRequest::OrdersBefore { filter, before, max } => {
            to.with(&view.orders_before(&filter, before.as_ref(), max).await).await;
        }
        ViewRequest::Order(id) => to.with(&view.order(&id).await).await,
        ViewRequest::Accounts { after, max } => to.with(&view.accounts(after.as_ref(), max).await).await,
        ViewRequest::Items { after, max } => to.with(&view.items(after.as_ref(), max).await).await,
        ViewRequest::Counts => to.with(&view.counts().await).await,
        ViewRequest::Written => to.with(&view.written().await).await,
        ViewRequest::Health => to.with(&view.health().await).await,
        ViewRequest::Feed { after, max } => to.with(&view.feed(after, max).await).await,
        ViewRequest::Rebuilds => to.with(&view.rebuilds().await).await,
        ViewRequest::Checkpoints => to.with(&view.checkpoints().await).await,
    }
}
