//! The key that begins and ends a recording, and what is heard of it.

use skstore_domain::signals::{Beat, Service};

use super::state::{News, Recording};
use crate::dashboard::message::Effect;
use crate::dashboard::state::{SILENT_AFTER, State};
use crate::dashboard::toasts::state::Notice;
use crate::text::{Text, times};

/// Why nothing can be recorded now, nor a recording ended; `None` if it can.
pub(in crate::dashboard::screens::health) fn refusal(state: &State) -> Option<Text> {
    match &state.recording {
        Recording::Running(_) => return None,
        Recording::Beginning(_) | Recording::Ending(_) => return Some(Text::WhyRecordingChanges),
        Recording::Idle => {}
    }
    let mut heard = heard(state);
    match (heard.next(), heard.next()) {
        (None, _) => Some(Text::WhyNoBreaker),
        (Some(_), Some(_)) => Some(Text::WhySeveralBreakers),
        (Some(beat), None) => beat.calls.is_none().then_some(Text::WhyNoCallsTold),
    }
}

/// Order workers that are heard of.
fn heard(state: &State) -> impl Iterator<Item = &Beat> {
    let services = state.health.services.iter();
    services.filter(|beat| beat.service == Service::Order && state.now.since(beat.at) <= SILENT_AFTER)
}

/// Begins a recording, or ends the one that there is.
pub(in crate::dashboard::screens::health) fn toggle(state: &mut State) -> Vec<Effect> {
    if state.recording.stop() {
        return vec![Effect::StopRecording];
    }
    let Some(instance) = heard(state).next().map(|beat| beat.instance.clone()) else { return Vec::new() };
    state.recording = Recording::Beginning(instance.clone());
    let name = format!("breaker-{}", times::for_a_file(state.now, &state.look.zone));
    vec![Effect::StartRecording { instance, name }]
}

/// Takes in what is heard of the recording, and says what a person has to know.
pub(crate) fn hear(state: &mut State, news: News) {
    let now = state.now;
    match news {
        News::Seen(calls) => {
            if state.recording.seen(calls, now)
                && let Some(running) = state.recording.running()
            {
                let begun = Notice::RecordingBegun(running.instance.clone());
                state.toasts.say(begun, now);
            }
        }
        News::Ended(ended) => {
            state.recording = Recording::Idle;
            state.toasts.say(Notice::Recorded(ended), now);
        }
        News::Failed(trouble) => {
            state.recording = Recording::Idle;
            state.toasts.say(Notice::NotRecorded(trouble), now);
        }
    }
}
