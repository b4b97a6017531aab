//! Answering-machine detection in a call: the synchronous verdict delays the first document, the
//! asynchronous one is sent while the conversation runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use twilio::CallSid;
use twilio::call::AnsweredBy;

use super::leg::Leg;
use super::{Commands, Flow, Stop, Task, next_command};
use crate::client::{Client, Params};
use crate::domain::amd;
use crate::domain::control::Command;
use crate::domain::fault::{NO_AMD_CALLBACK, Problem};
use crate::domain::plan::{Hook, Source};
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
    let extra = verdict_params(&answered_by, after.as_millis());
    if detection.asynchronous {
        match detection.callback {
            Some(hook) => {
                let report = Report { hook, answered_by, after, extra };
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
    leg.shared.change(&leg.sid, |call| call.answered_by = Some(answered_by));
    Ok(Task::Load { source, extra })
}

/// An asynchronous verdict on its way.
struct Report {
    hook: Hook,
    answered_by: AnsweredBy,
    after: Duration,
    extra: Params,
}

impl Report {
    /// Waits for the verdict and sends it, if the call still runs then.
    async fn deliver(self, shared: Arc<Shared>, sid: CallSid) {
        tokio::time::sleep(shared.config.speed.on_the_wall(self.after)).await;
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
        params.extend(self.extra);
        if let Err(problem) = shared.client.send(&self.hook, &params, &Client::token()).await {
            shared.fault(&sid, problem, Some(&self.hook.url));
        }
    }
}

fn verdict_params(answered_by: &AnsweredBy, millis: u128) -> Params {
    vec![
        ("AnsweredBy".to_owned(), answered_by.to_string()),
        ("MachineDetectionDuration".to_owned(), millis.to_string()),
    ]
}
