//! An answer in parts, on the side that answers: a task runs the method and hands its parts on, a few ahead of the reader and no
//! more. Whoever drops what is read here stops the method; the deadline bounds the whole of it. Both buses answer through here.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contracts::rpc::{Context, RpcError, Server, Streamed};
use futures_util::{FutureExt as _, StreamExt as _, stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::{Cause, rpc_span};
use crate::trace;

/// Parts that lie ready for a reader.
const AHEAD: usize = 8;
/// No stream goes on for longer, whatever its context says.
const LONGEST: Duration = Duration::from_secs(3600);

/// A request for a stream, and who answers it.
pub(super) struct Asked {
    pub(super) server: Arc<dyn Server>,
    pub(super) method: &'static str,
    pub(super) context: Context,
    pub(super) request: Bytes,
}

/// The writing end of what [`channel`] makes.
pub(super) struct Writing {
    pub(super) parts: mpsc::Sender<Bytes>,
    outcome: oneshot::Sender<Result<(), RpcError>>,
}

impl Writing {
    /// The end: a good one, or the error that breaks the stream off. Never waits for the reader.
    pub(super) fn finish(self, outcome: Result<(), RpcError>) {
        // Nobody reads any more: nobody needs to know.
        let _ = self.outcome.send(outcome);
    }
}

/// Parts from a task to a reader, at most `ahead` before they are read. A writer that goes without [`Writing::finish`] breaks
/// the stream off with `lost`: an end is never taken for granted.
pub(super) fn channel(ahead: usize, lost: RpcError) -> (Writing, Streamed<Bytes>) {
    let (parts, reading) = mpsc::channel(ahead);
    let (outcome, ended) = oneshot::channel();
    let read = stream::unfold(Some((reading, ended, lost)), |state| async move {
        let (mut reading, ended, lost): (mpsc::Receiver<Bytes>, oneshot::Receiver<_>, RpcError) = state?;
        match reading.recv().await {
            Some(part) => Some((Ok(part), Some((reading, ended, lost)))),
            None => match ended.await.unwrap_or(Err(lost)) {
                Ok(()) => None,
                Err(error) => Some((Err(error), None)),
            },
        }
    });
    (Writing { parts, outcome }, Box::pin(read))
}

/// Runs the method in a task of `tasks` that holds `permit`. Answers once it has begun to answer in parts.
pub(super) async fn begin(
    tasks: &TaskTracker,
    permit: OwnedSemaphorePermit,
    asked: Asked,
) -> Result<Streamed<Bytes>, RpcError> {
    let deadline = Instant::now() + asked.context.deadline.min(LONGEST);
    let (opened, opening) = oneshot::channel();
    let span = rpc_span(asked.method, &asked.context);
    let cause = Cause::of(&asked.context);
    let work = async move {
        let _permit = permit;
        run(asked, deadline, opened).await;
    };
    tasks.spawn(trace::scope(cause, work).instrument(span));
    opening.await.unwrap_or_else(|_| Err(RpcError::Internal("the answer was lost".to_owned())))
}

async fn run(
    asked: Asked,
    deadline: Instant,
    mut opened: oneshot::Sender<Result<Streamed<Bytes>, RpcError>>,
) {
    let Asked { server, method, context, request } = asked;
    let opening = AssertUnwindSafe(server.stream(method, context, request)).catch_unwind();
    let parts = tokio::select! {
        parts = timeout_at(deadline, opening) => parts,
        // Whoever asked has gone.
        () = opened.closed() => return,
    };
    let parts = match parts {
        Ok(Ok(parts)) => parts,
        Ok(Err(_)) => Err(panicked(method)),
        Err(_) => Err(RpcError::DeadlineExceeded),
    };
    let (writing, reading) = channel(AHEAD, RpcError::Internal("the answer was lost".to_owned()));
    let mut parts = match parts {
        Ok(parts) => parts,
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    if opened.send(Ok(reading)).is_err() {
        return;
    }
    let handing = AssertUnwindSafe(hand_on(&mut parts, &writing.parts)).catch_unwind();
    let outcome = match timeout_at(deadline, handing).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err(panicked(method)),
        Err(_) => Err(RpcError::DeadlineExceeded),
    };
    writing.finish(outcome);
}

/// Until the last part, an error, or a reader that has gone.
async fn hand_on(parts: &mut Streamed<Bytes>, to: &mpsc::Sender<Bytes>) -> Result<(), RpcError> {
    loop {
        let part = tokio::select! {
            part = parts.next() => part,
            () = to.closed() => None,
        };
        let Some(part) = part else { return Ok(()) };
        if to.send(part?).await.is_err() {
            return Ok(());
        }
    }
}

fn panicked(method: &str) -> RpcError {
    tracing::error!(method, "an answer panicked");
    RpcError::Internal("the answer was lost".to_owned())
}
