//! A desk at the door of the process that has the workers: each question as it is asked there.

use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::commands::Command;
use skstore_domain::signals::{Control, Service};

use super::asked::{Dealing, Dealt, Letter, Listed, Request};
use super::dead::{DeadError, DeadLetter, DeadPage, Disposition, Operation, Summary, Which};
use super::told::{ANSWER_WITHIN, DeskError};
use crate::bus::QueueDepth;
use crate::door::client::{DoorClient, Unanswered};

/// How long parked messages may take until the next of them is told of: the embedded bus confirms what is replayed once
/// its service is done with it.
const NEXT_LETTER_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn ask(door: &DoorClient, command: Command) -> Result<Answer, DeskError> {
    let service = Service::from(command.kind().source());
    match door.ask(&Request::command(&command), ANSWER_WITHIN).await {
        Ok(answered) => answered,
        Err(Unanswered::NotSent(cause)) => Err(DeskError::Unreachable(cause)),
        Err(Unanswered::Lost) => Err(DeskError::Lost { service }),
        Err(Unanswered::TooLate) => Err(DeskError::NoAnswer { service, within: ANSWER_WITHIN }),
    }
}

pub(super) async fn send_control(door: &DoorClient, control: &Control) -> Result<(), DeskError> {
    let told = door.ask(&Request::Control(control.clone()), ANSWER_WITHIN).await;
    told.unwrap_or_else(|error| Err(DeskError::Unreachable(error.to_string())))
}

pub(super) async fn queues(door: &DoorClient) -> Result<Vec<QueueDepth>, DeskError> {
    let told = door.ask(&Request::Queues, ANSWER_WITHIN).await;
    told.unwrap_or_else(|error| Err(DeskError::Unreachable(error.to_string())))
}

pub(super) async fn dead_letters(door: &DoorClient, max: usize) -> Result<DeadPage, DeadError> {
    let mut letters = Vec::new();
    let keep = |letter: Letter| letters.push(DeadLetter::from(letter));
    let total: Result<Listed, DeadError> =
        door.ask_for_parts(&Request::DeadLetters { max }, NEXT_LETTER_WITHIN, keep).await?;
    Ok(DeadPage { letters, total: total?.total })
}

pub(super) async fn dead_letter(door: &DoorClient, id: &str) -> Result<Option<DeadLetter>, DeadError> {
    let asked = Request::DeadLetter { id: id.to_owned() };
    let found: Result<Option<Letter>, DeadError> = door.ask(&asked, NEXT_LETTER_WITHIN).await?;
    Ok(found?.map(DeadLetter::from))
}

pub(super) async fn deal(
    door: &DoorClient,
    operation: Operation,
    which: &Which,
    dry_run: bool,
    mut told: impl FnMut(&DeadLetter, &Disposition),
) -> Result<Summary, DeadError> {
    let asked = Request::Deal(Dealing { operation, which: which.clone(), dry_run });
    let tell = |dealt: Dealt| told(&DeadLetter::from(dealt.letter), &dealt.disposition);
    door.ask_for_parts(&asked, NEXT_LETTER_WITHIN, tell).await?
}

impl From<Unanswered> for DeadError {
    fn from(error: Unanswered) -> Self {
        Self::Unreachable(error.to_string())
    }
}
