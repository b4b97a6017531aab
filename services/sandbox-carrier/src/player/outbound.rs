//! A call that was created over REST: the queue, the ringing, whoever picks up.

use tokio::task::JoinSet;
use twilio::call::CallStatus;

use super::leg::Leg;
use super::{Commands, Stop, detection, talk, until_ended};
use crate::domain::ending::Ending;
use crate::domain::transcript::Speaker;

/// Plays the call to its end.
pub(super) async fn play(mut leg: Leg, commands: &mut Commands, side: &mut JoinSet<()>) {
    if !queue(&leg, commands).await {
        return leg.end(Ending::CanceledInQueue);
    }
    if let Some(ending) = dial_out(&mut leg, commands).await {
        return leg.end(ending);
    }
    pick_up(&mut leg);
    if let Some(recording) = leg.plan.recording.clone() {
        leg.start_recording(recording);
    }
    let Some(source) = leg.plan.source.clone() else { return leg.end(Ending::Completed) };
    let stop = match detection::run(&mut leg, commands, side, source).await {
        Ok(first) => talk::hold(&mut leg, commands, first).await,
        Err(stop) => stop,
    };
    finish(&mut leg, stop);
}

/// Ends a conversation.
pub(super) fn finish(leg: &mut Leg, stop: Stop) {
    tracing::debug!(call_sid = %leg.sid, ?stop, "the conversation is over");
    leg.end(Ending::Completed);
}

/// Waits for the account's next slot; false if the call was cancelled meanwhile.
async fn queue(leg: &Leg, commands: &mut Commands) -> bool {
    let slot = leg.shared.reserve_slot();
    let queued_for = leg.shared.config.speed.nominal(slot);
    leg.shared.change(&leg.sid, |call| call.queued_for = queued_for);
    tokio::select! {
        biased;
        () = until_ended(commands) => false,
        () = tokio::time::sleep(slot) => true,
    }
}

/// Dials; nothing if the phone is picked up, else how the attempt ended.
pub(super) async fn dial_out(leg: &mut Leg, commands: &mut Commands) -> Option<Ending> {
    let attempt = leg.plan.attempt();
    let to = leg.shared.call(&leg.sid, |call| call.to.clone()).unwrap_or_default();
    leg.shared.count_dialled(&to, attempt);
    leg.enter(CallStatus::Initiated);
    let ringing = leg.person.takes_calls().to_a_call(leg.plan.timeout);
    if ringing.rings {
        leg.shared.count_rang(&to);
        leg.enter(CallStatus::Ringing);
    }
    tokio::select! {
        biased;
        () = until_ended(commands) => Some(Ending::Canceled),
        () = leg.idle(ringing.lasts) => ringing.ends,
    }
}

/// Somebody is on the phone, and says so.
pub(super) fn pick_up(leg: &mut Leg) {
    leg.enter(CallStatus::InProgress);
    if let Some(greeting) = leg.person.greeting().map(str::to_owned) {
        leg.say_line(Speaker::Person, &greeting, false);
    }
}
