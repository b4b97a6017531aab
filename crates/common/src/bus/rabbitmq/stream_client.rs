//! A stream on the side that reads. Frames come in their order or the stream is broken; so many come before they are read and no
//! more; the one who answers hears every few seconds that somebody reads, and is told when nobody does. What does not come to
//! its end says why: a lost connection, a process that is gone, the deadline.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use contracts::rpc::{RpcError, Streamed};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout, timeout_at};
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::rpc_session::{Awaited, Numbered, Session};
use super::stream_server::{SAY_EVERY, WINDOW};
use super::wire::{Frame, Line, Word};
use crate::bus::streams::{self, Writing};

/// Frames that may lie here: all that the other side may send unasked, the first and the last.
pub(super) const AHEAD: usize = WINDOW as usize + 2;
const SAY_WITHIN: Duration = Duration::from_secs(2);
/// What a process had sent before it went arrives within this.
const LAST_WORDS_WITHIN: Duration = Duration::from_secs(1);

/// Waits for frame 0, and lets a task read on.
pub(super) async fn begin(
    session: Arc<Session>,
    mut frames: Awaited<mpsc::Receiver<Numbered>>,
    deadline: Instant,
    token: TaskTrackerToken,
) -> Result<Streamed<Bytes>, RpcError> {
    let first = timeout_at(deadline, frames.frame()).await.map_err(|_| RpcError::DeadlineExceeded)?;
    let line = match first.ok_or_else(connection_lost)? {
        (Some(0), Frame::Open(line)) => line,
        (_, Frame::Broken(error)) => return Err(error),
        (seq, _) => return Err(gap(0, seq)),
    };
    let (writing, reading) = streams::channel(1, RpcError::Unavailable("the reader has stopped".to_owned()));
    let reader = Reader { session, frames, line, next: 1, unsaid: 0, orphaned: false, deadline };
    tokio::spawn(async move {
        reader.run(writing).await;
        drop(token);
    });
    Ok(reading)
}

/// Why reading stopped.
enum Stop {
    /// The other side has said how it ends.
    Told(Result<(), RpcError>),
    /// The other side knows nothing of it yet.
    Here(RpcError),
    /// Nobody reads any more.
    Dropped,
}

struct Reader {
    session: Arc<Session>,
    frames: Awaited<mpsc::Receiver<Numbered>>,
    line: Line,
    /// The number of the next frame.
    next: u64,
    /// Parts that have been read since the other side was last told.
    unsaid: u32,
    /// The process that answers has gone: only what it had sent before can still come.
    orphaned: bool,
    deadline: Instant,
}

/// The next frame, or why there is none.
async fn next(frames: &mut Awaited<mpsc::Receiver<Numbered>>, orphaned: bool) -> Result<Numbered, RpcError> {
    if !orphaned {
        return frames.frame().await.ok_or_else(connection_lost);
    }
    match timeout(LAST_WORDS_WITHIN, frames.frame()).await {
        Ok(frame) => frame.ok_or_else(connection_lost),
        Err(_) => Err(RpcError::Unavailable("the process that answered has gone".to_owned())),
    }
}

impl Reader {
    async fn run(mut self, writing: Writing) {
        let deadline = self.deadline;
        let stopped = tokio::select! {
            stopped = self.read(&writing.parts) => stopped,
            () = sleep_until(deadline) => Stop::Here(RpcError::DeadlineExceeded),
        };
        let (outcome, cancel) = match stopped {
            Stop::Told(outcome) => (outcome, false),
            Stop::Here(error) => (Err(error), true),
            Stop::Dropped => (Ok(()), true),
        };
        writing.finish(outcome);
        if cancel && !matches!(timeout(SAY_WITHIN, self.say(Word::Cancel)).await, Ok(Ok(_))) {
            tracing::debug!("a stream could not be cancelled; the other side will miss its reader");
        }
    }

    async fn read(&mut self, parts: &mpsc::Sender<Bytes>) -> Stop {
        let mut say = interval_at(Instant::now() + SAY_EVERY, SAY_EVERY);
        say.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut unread: Option<Bytes> = None;
        loop {
            tokio::select! {
                frame = next(&mut self.frames, self.orphaned), if unread.is_none() => match self.take(frame) {
                    Ok(part) => unread = Some(part),
                    Err(stop) => return stop,
                },
                room = parts.reserve(), if unread.is_some() => {
                    let (Ok(room), Some(part)) = (room, unread.take()) else { return Stop::Dropped };
                    room.send(part);
                    self.unsaid += 1;
                    if self.unsaid >= WINDOW / 2 && let Err(stop) = self.tell().await {
                        return stop;
                    }
                }
                () = parts.closed() => return Stop::Dropped,
                _ = say.tick() => if let Err(stop) = self.tell().await {
                    return stop;
                },
            }
        }
    }

    fn take(&mut self, frame: Result<Numbered, RpcError>) -> Result<Bytes, Stop> {
        let (seq, frame) = frame.map_err(Stop::Here)?;
        if seq != Some(self.next) {
            return Err(Stop::Here(gap(self.next, seq)));
        }
        self.next += 1;
        match frame {
            Frame::Part(part) => Ok(part),
            Frame::End => Err(Stop::Told(Ok(()))),
            Frame::Broken(error) => Err(Stop::Told(Err(error))),
            Frame::Open(_) => Err(Stop::Here(RpcError::Internal("a stream began twice".to_owned()))),
        }
    }

    /// Says that somebody reads, and how much has been read.
    async fn tell(&mut self) -> Result<(), Stop> {
        let more = std::mem::take(&mut self.unsaid);
        match self.say(Word::More(more)).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.orphaned = true;
                Ok(())
            }
            Err(e) => Err(Stop::Here(RpcError::Unavailable(format!("the connection was lost: {e}")))),
        }
    }

    async fn say(&self, word: Word) -> lapin::Result<bool> {
        self.session.say(&self.line, word).await
    }
}

fn connection_lost() -> RpcError {
    RpcError::Unavailable("the connection was lost in the middle of a stream".to_owned())
}

fn gap(expected: u64, came: Option<u64>) -> RpcError {
    let came = came.map_or_else(|| "a frame without a number".to_owned(), |seq| format!("frame {seq}"));
    RpcError::Internal(format!("the stream has a gap: {came} came in place of frame {expected}"))
}
