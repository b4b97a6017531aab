//! A person calls the account's number: the document is requested while it rings, and may refuse the call
//! or let it ring a while before it is answered.

use std::time::Duration;

use twilio::call::CallStatus;
use twilio::twiml::{RejectReason, Verb};

use super::document::{self, Script};
use super::leg::Leg;
use super::outbound::{finish, pick_up};
use super::{Commands, Flow, Stop, Task, talk, until_ended};
use crate::domain::clock::CallClock;
use crate::domain::ending::Ending;

/// What the first document makes of a call that rings.
enum Reception {
    Answer(Script),
    Refuse(Ending),
}

/// Plays the call to its end.
pub(super) async fn play(mut leg: Leg, commands: &mut Commands) {
    leg.enter(CallStatus::Ringing);
    let reception = tokio::select! {
        biased;
        () = until_ended(commands) => Ok(Reception::Refuse(Ending::Canceled)),
        reception = receive(&mut leg) => reception,
    };
    leg.settle();
    match reception {
        Ok(Reception::Answer(script)) => {
            leg.clock = CallClock::new(leg.plan.time_limit);
            pick_up(&mut leg);
            let stop = talk::hold(&mut leg, commands, Task::Run(script)).await;
            finish(&mut leg, stop);
        }
        Ok(Reception::Refuse(ending)) => leg.end(ending),
        Err(stop) => finish(&mut leg, stop),
    }
}

async fn receive(leg: &mut Leg) -> Flow<Reception> {
    let Some(source) = leg.plan.source.clone() else { return Err(Stop::HungUp) };
    let mut script = document::load(leg, source, Vec::new()).await?;
    match script.verbs.first() {
        Some(Verb::Reject(reject)) => Ok(Reception::Refuse(match reject.reason {
            Some(RejectReason::Busy) => Ending::Busy,
            _ => Ending::Rejected,
        })),
        Some(Verb::Pause(pause)) => {
            let length = pause.length.map_or(1, std::num::NonZeroU32::get);
            leg.idle(Duration::from_secs(u64::from(length))).await;
            script.verbs.remove(0);
            Ok(Reception::Answer(script))
        }
        _ => Ok(Reception::Answer(script)),
    }
}
