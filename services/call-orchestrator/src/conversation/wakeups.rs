//! Wakes requests in this replica that wait for a sentence, when this replica has stored one. A sentence of another replica
//! is found by polling.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use contracts::ids::CallId;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

type Waiting = Arc<Mutex<HashMap<CallId, Place>>>;

/// Who waits, by call.
#[derive(Clone, Default)]
pub(crate) struct Wakeups(Waiting);

#[derive(Default)]
struct Place {
    waiters: usize,
    notify: Arc<Notify>,
}

/// A place in the queue of those who wait; gone when it is dropped.
pub(crate) struct Waiter {
    call: CallId,
    notify: Arc<Notify>,
    waiting: Waiting,
}

impl Wakeups {
    /// Waits for news of a call.
    pub(crate) fn wait_for(&self, call: CallId) -> Waiter {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = waiting.entry(call).or_default();
        place.waiters += 1;
        Waiter { call, notify: Arc::clone(&place.notify), waiting: Arc::clone(&self.0) }
    }

    /// There is news of a call.
    pub(crate) fn wake(&self, call: CallId) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = waiting.get(&call) {
            place.notify.notify_waiters();
        }
    }
}

impl Waiter {
    /// Resolves at the next news. Made before the table is read, so that nothing falls between reading and waiting: from then
    /// on it is woken even if it has not been polled.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.notify.notified()
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = waiting.get_mut(&self.call) {
            place.waiters -= 1;
            if place.waiters == 0 {
                waiting.remove(&self.call);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn news_between_looking_and_waiting_is_not_lost() {
        let (wakeups, call) = (Wakeups::default(), CallId::new());
        let waiter = wakeups.wait_for(call);
        let woken = waiter.notified();
        wakeups.wake(call);
        assert_eq!(woken.now_or_never(), Some(()));
        assert_eq!(waiter.notified().now_or_never(), None, "old news");
    }

    #[test]
    fn all_who_wait_for_a_call_are_woken_and_nobody_else() {
        let (wakeups, call) = (Wakeups::default(), CallId::new());
        let (one, two, other) =
            (wakeups.wait_for(call), wakeups.wait_for(call), wakeups.wait_for(CallId::new()));
        let (first, second, third) = (one.notified(), two.notified(), other.notified());
        wakeups.wake(call);
        assert_eq!((first.now_or_never(), second.now_or_never()), (Some(()), Some(())));
        assert_eq!(third.now_or_never(), None);
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_gone() {
        let (wakeups, call) = (Wakeups::default(), CallId::new());
        let (one, two) = (wakeups.wait_for(call), wakeups.wait_for(call));
        drop(one);
        let woken = two.notified();
        wakeups.wake(call);
        assert_eq!(woken.now_or_never(), Some(()));
        drop(two);
        assert!(wakeups.0.lock().unwrap().is_empty());
    }
}
