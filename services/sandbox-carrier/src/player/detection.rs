//! Answering-machine detection in a call: the synchronous verdict delays the first document, the
//! asynchronous one is sent while the conversation runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinSet;
use twilio::CallSid;
use twilio::call::AnsweredBy;

use super::leg::Leg;
use super::{Commands, Flow, Stop, Task, next_command};
use crate::client::{Client, Errand, Params};
use crate::domain::amd;
use crate::domain::call::Call;
use crate::domain::control::Command;
use crate::domain::event::{CarrierEvent, Happening};
use crate::domain::fault::{NO_AMD_CALLBACK, Problem};
use crate::domain::plan::{Hook, Source};
use crate::domain::transcript::Speaker;
use crate::state::Shared;

/// Detects as the plan asks, and gives what the conversation begins with: the first document, to which a
/// synchronous verdict is added, or the one of an update that came meanwhile.
pub(super) async fn run(
    leg: &mut Leg,
    commands: &mut Commands,
    side: &mut JoinSet<()>,
    source: Source,
) -> Flow<Task> {
    let Some(detection) = leg.plan.detection.clone() else { return Ok(Task::load(source)) };
    let (answered_by, after) = amd::verdict(&detection, &leg.person);
    if detection.asynchronous {
        match detection.callback {
            Some(hook) => {
                let told = if leg.person.is_detected_late() {
                    Told::WhenAnswered(leg.shared.watch())
                } else {
                    Told::After(after)
                };
                let report = Report { hook, answered_by, told };
                side.spawn(report.deliver(Arc::clone(&leg.shared), leg.sid.clone()));
            }
            None => {
                let message = "AsyncAmd without AsyncAmdStatusCallback: nobody learns the verdict";
                leg.fault(Problem::new(NO_AMD_CALLBACK, message), None);
            }
        }
        return Ok(Task::load(source));
    }
    let told = tokio::select! {
        biased;
        command = next_command(commands) => Err(command),
        waited = leg.wait(after) => Ok(waited),
    };
    leg.settle();
    match told {
        Ok(waited) => waited?,
        Err(Command::End) => return Err(Stop::HungUp),
        Err(Command::Play(source)) => return Ok(Task::load(source)),
    }
    let extra = verdict_params(&answered_by, after);
    leg.shared.change(&leg.sid, |call| call.answered_by = Some(answered_by));
    Ok(Task::Load { source, extra })
}

/// An asynchronous verdict on its way.
struct Report {
    hook: Hook,
    answered_by: AnsweredBy,
    told: Told,
}

/// When a verdict is there.
enum Told {
    /// So long after the pick-up.
    After(Duration),
    /// When the other side begins to answer a greeting that it has listened to.
    WhenAnswered(broadcast::Receiver<CarrierEvent>),
}

impl Told {
    /// Waits for the moment. Answers how long it took, on the call's clock.
    async fn wait(self, shared: &Shared, sid: &CallSid) -> Duration {
        let began = Instant::now();
        match self {
            Self::After(after) => {
                tokio::time::sleep(shared.config.speed.on_the_wall(after)).await;
                after
            }
            Self::WhenAnswered(events) => {
                answered(events, shared, sid).await;
                shared.config.speed.nominal(began.elapsed())
            }
        }
    }
}

/// Waits until somebody speaks who has heard the greeting, or the call is over.
async fn answered(mut events: broadcast::Receiver<CarrierEvent>, shared: &Shared, sid: &CallSid) {
    loop {
        let spoken = match events.recv().await {
            Ok(event) if event.call_sid != *sid => false,
            Ok(event) => match event.what {
                Happening::Said { by, .. } => by == Speaker::Agent,
                Happening::Ended { .. } => return,
                _ => false,
            },
            // Whoever has missed something looks at what was written down.
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return,
        };
        let heard = |call: &Call| call.transcript.iter().any(|line| line.listened_to);
        if spoken && shared.call(sid, heard) != Some(false) {
            return;
        }
    }
}

impl Report {
    /// Waits for the verdict and sends it, if the call still runs then.
    async fn deliver(self, shared: Arc<Shared>, sid: CallSid) {
        let took = self.told.wait(&shared, &sid).await;
        let extra = verdict_params(&self.answered_by, took);
        let live = shared.change(&sid, |call| {
            let live = !call.is_over();
            if live {
                call.answered_by = Some(self.answered_by);
            }
            live
        });
        if live != Some(true) {
            return;
        }
        let mut params = vec![
            ("CallSid".to_owned(), sid.to_string()),
            ("AccountSid".to_owned(), shared.config.account_sid.to_string()),
        ];
        params.extend(extra);
        let (token, signed_wrongly) = (Client::token(), shared.signs_wrongly());
        let errand =
            Errand { hook: &self.hook, params: &params, token: &token, cookies: None, signed_wrongly };
        if let Err(problem) = shared.client.send(&errand).await {
            shared.fault(&sid, problem, Some(&self.hook.url));
        }
    }
}

fn verdict_params(answered_by: &AnsweredBy, took: Duration) -> Params {
    vec![
        ("AnsweredBy".to_owned(), answered_by.to_string()),
        ("MachineDetectionDuration".to_owned(), took.as_millis().to_string()),
    ]
}
