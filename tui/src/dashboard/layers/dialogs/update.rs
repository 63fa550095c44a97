//! Keys in menus and questions.

use skstore_domain::breaker::BreakerMode;

use super::state::{Choice, Confirm, Menu, Question};
use crate::dashboard::keys::Action;
use crate::dashboard::layers::Layer;
use crate::dashboard::message::Effect;
use crate::dashboard::refusal::refusal;
use crate::dashboard::state::State;
use crate::dashboard::toasts::state::Notice;
use crate::text::Text;

/// Does what a key in a menu does.
pub(crate) fn act_in_menu(state: &mut State, mut menu: Menu, action: Action) -> Vec<Effect> {
    match action {
        Action::Up => menu.move_by(-1),
        Action::Down => menu.move_by(1),
        Action::Accept => return menu.choice().map_or_else(Vec::new, |choice| choose(state, choice)),
        _ => {}
    }
    state.layers.push(Layer::Menu(menu));
    Vec::new()
}

/// What makes things worse is asked about first; what ends it is done at once.
pub(crate) fn choose(state: &mut State, choice: Choice) -> Vec<Effect> {
    match choice {
        Choice::Breaker(BreakerMode::Auto) | Choice::Heal => state.send(choice.request()),
        Choice::Fault(service, _) | Choice::Crash(service) if !state.takes_faults(service) => {
            state.toasts.say(Notice::Reason(Text::WhyFaultsForbidden), state.now);
            Vec::new()
        }
        Choice::Breaker(_) | Choice::Fault(..) | Choice::Crash(_) => {
            state.ask(Question::Choice(choice));
            Vec::new()
        }
    }
}

/// Does what a key in a question does.
pub(crate) fn act_in_question(state: &mut State, mut confirm: Confirm, action: Action) -> Vec<Effect> {
    let yes = match action {
        Action::Yes => true,
        Action::Accept => confirm.yes,
        Action::Switch => {
            confirm.yes = !confirm.yes;
            state.layers.push(Layer::Confirm(Box::new(confirm)));
            return Vec::new();
        }
        _ => false,
    };
    if !yes {
        return Vec::new();
    }
    // While it was asked, the order may have ended by itself.
    if let Question::Cancel(asked) = &confirm.question
        && let Some(order) = state.current_order().filter(|order| order.order_id == asked.order_id)
        && order.revision > asked.revision
        && let Some(reason) = refusal(state, Action::CancelOrder)
    {
        state.toasts.say(Notice::Reason(reason), state.now);
        return Vec::new();
    }
    if let Question::Deal(plan) = confirm.question {
        state.dead.is_busy = true;
        return vec![Effect::Deal(plan.0)];
    }
    confirm.question.request().map_or_else(Vec::new, |request| state.send(request))
}
