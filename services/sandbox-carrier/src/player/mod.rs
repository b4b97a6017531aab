//! The worker that plays one call: rings a phone, fetches documents, walks their verbs, reports what
//! happens. One task per call; what a REST update says interrupts it wherever it is.

mod callbacks;
mod detection;
mod dial;
mod document;
mod gather;
mod inbound;
mod leg;
mod outbound;
mod params;
mod record;
mod talk;
mod verbs;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::client::Params;
use crate::domain::control::Command;
use crate::domain::plan::Source;
use crate::state::{Job, Shared};
use document::Script;
use leg::Leg;

/// Commands for a leg.
type Commands = mpsc::UnboundedReceiver<Command>;

/// What the player turns to next.
#[derive(Clone, Debug)]
enum Task {
    /// A document that has to be had first; the parameters tell what came in.
    Load { source: Source, extra: Params },
    /// A document that is there.
    Run(Script),
}

impl Task {
    /// A document without news.
    fn load(source: Source) -> Task {
        Task::Load { source, extra: Params::new() }
    }
}

/// Why a conversation is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// The document says so, or has come to its end.
    HungUp,
    /// The person hung up.
    PersonGone,
    /// The time limit is reached.
    TimeIsUp,
}

/// Work of a call that may end it.
type Flow<T> = Result<T, Stop>;

/// Plays a call to its end, and waits until everybody has been told.
pub(crate) async fn play(shared: Arc<Shared>, job: Job) {
    let Job { sid, plan, person, mut commands, inbound } = job;
    let mut side = JoinSet::new();
    let leg = Leg::new(&shared, sid, plan, person, &mut side);
    if inbound {
        inbound::play(leg, &mut commands).await;
    } else {
        outbound::play(leg, &mut commands, &mut side).await;
    }
    while side.join_next().await.is_some() {}
}

/// The next command; waits for ever when nobody can give one any more.
async fn next_command(commands: &mut Commands) -> Command {
    match commands.recv().await {
        Some(command) => command,
        None => std::future::pending().await,
    }
}

/// Waits until somebody ends the call over REST; other updates of a call without a conversation have no
/// effect.
async fn until_ended(commands: &mut Commands) {
    while next_command(commands).await != Command::End {}
}
