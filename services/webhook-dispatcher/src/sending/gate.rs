//! Nothing is claimed unless somebody is there to write down what comes of it. The sender takes a hold before it claims, and
//! every attempt carries one until its end is in the table; the finisher stays at work as long as there are holds. So a
//! process that stops first claims no more, and then ends when the last attempt is written down.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

/// Longest wait for the finisher. It is away only while the process stops.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    holds: usize,
    open: bool,
}

/// Between sender and finisher.
pub(crate) struct Gate {
    state: watch::Sender<State>,
    /// Wakes the finisher.
    pub(crate) wanted: Arc<Notify>,
}

/// A reason for the finisher to stay.
pub(crate) struct Hold(watch::Sender<State>);

impl Gate {
    /// Closed, without holds.
    pub(crate) fn new() -> Self {
        Self { state: watch::Sender::new(State::default()), wanted: Arc::default() }
    }

    /// A hold, once the finisher is at work; `None` when it does not come.
    pub(crate) async fn enter(&self) -> Option<Hold> {
        let hold = Hold::new(&self.state);
        let mut state = self.state.subscribe();
        self.wanted.notify_one();
        let opened = tokio::time::timeout(PATIENCE, state.wait_for(|s| s.open)).await;
        matches!(opened, Ok(Ok(_))).then_some(hold)
    }

    /// The finisher is at work.
    pub(crate) fn open(&self) {
        self.state.send_modify(|s| s.open = true);
    }

    /// Resolves when there are no holds.
    pub(crate) async fn idle(&self) {
        // The sender lives in `self`, so the wait ends only with the state that is waited for.
        let _ = self.state.subscribe().wait_for(|s| s.holds == 0).await;
    }

    /// Closes, unless there is a hold by now. Says whether it did.
    pub(crate) fn close_if_idle(&self) -> bool {
        self.state.send_if_modified(|s| {
            let idle = s.holds == 0;
            s.open &= !idle;
            idle
        })
    }
}

impl Hold {
    fn new(state: &watch::Sender<State>) -> Self {
        state.send_modify(|s| s.holds += 1);
        Self(state.clone())
    }

    /// One more.
    pub(crate) fn another(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.send_modify(|s| s.holds = s.holds.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_a_finisher_nobody_enters_and_no_hold_is_left_behind() {
        let gate = Gate::new();
        assert!(gate.enter().await.is_none());
        gate.open();
        assert!(gate.close_if_idle());
    }

    #[tokio::test]
    async fn the_finisher_cannot_leave_before_the_last_hold_is_gone() {
        let gate = Gate::new();
        gate.open();
        let first = gate.enter().await.unwrap();
        let second = first.another();
        drop(first);
        assert!(!gate.close_if_idle());
        drop(second);
        gate.idle().await;
        assert!(gate.close_if_idle());
    }
}
