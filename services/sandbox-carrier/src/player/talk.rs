//! The conversation: document after document, until one of them, the person, the time limit or a REST
//! update ends it.

use super::document;
use super::leg::Leg;
use super::verbs;
use super::{Commands, Flow, Stop, Task, next_command};
use crate::domain::control::Command;
use crate::domain::fault::{LOOP_GUARD, Problem};

/// So many documents in a row in which no time passes are a loop.
const MOST_IDLE_DOCUMENTS: u32 = 100;

/// Holds the conversation to its end.
pub(super) async fn hold(leg: &mut Leg, commands: &mut Commands, first: Task) -> Stop {
    let mut task = first;
    let mut idle = 0;
    loop {
        let before = leg.clock.played();
        let told = tokio::select! {
            biased;
            command = next_command(commands) => Err(command),
            flow = walk(leg, task) => Ok(flow),
        };
        task = match told {
            Ok(Ok(next)) => next,
            Ok(Err(stop)) => return stop,
            Err(Command::End) => {
                leg.settle();
                return Stop::HungUp;
            }
            Err(Command::Play(source)) => {
                leg.settle();
                Task::load(source)
            }
        };
        idle = if leg.clock.played() == before { idle + 1 } else { 0 };
        if idle >= MOST_IDLE_DOCUMENTS {
            let message = format!("{idle} documents in a row without anything said or waited for: a loop");
            leg.fault(Problem::new(LOOP_GUARD, message), None);
            return Stop::HungUp;
        }
    }
}

/// Walks one document; gives where to go on.
async fn walk(leg: &mut Leg, task: Task) -> Flow<Task> {
    let script = match task {
        Task::Run(script) => script,
        Task::Load { source, extra } => document::load(leg, source, extra).await?,
    };
    for verb in &script.verbs {
        if let Some(next) = verbs::perform(leg, script.base.as_ref(), verb).await? {
            return Ok(next);
        }
    }
    Err(Stop::HungUp)
}
