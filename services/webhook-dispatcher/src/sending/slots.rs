//! How many attempts may be in flight: in all, to one endpoint, and to all the endpoints that keep failing. An endpoint's
//! place is free when it has answered; the place among all, when that is written down, so that a slow table holds the
//! sender back and not the endpoint.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

use crate::config::Config;
use crate::domain::admission::{Lane, Room};

/// Attempts in flight to one endpoint that keeps failing.
const SLOW_PER_ENDPOINT: usize = 1;

#[derive(Debug, Default)]
struct Taken {
    normal: usize,
    slow: usize,
    by_endpoint: HashMap<Uuid, usize>,
    /// Endpoints for which deliveries were set aside because they were busy.
    crowded: BTreeSet<Uuid>,
}

impl Taken {
    fn lane(&mut self, lane: Lane) -> &mut usize {
        if lane == Lane::Slow { &mut self.slow } else { &mut self.normal }
    }

    fn leave(&mut self, endpoint: Uuid) {
        if let Some(count) = self.by_endpoint.get_mut(&endpoint) {
            *count -= 1;
            if *count == 0 {
                self.by_endpoint.remove(&endpoint);
            }
        }
    }

    /// Endpoints for which something was set aside, with the places that they have free.
    fn refill(&self, per_endpoint: usize) -> Vec<(Uuid, usize)> {
        let places = |id: &Uuid| per_endpoint.saturating_sub(self.by_endpoint.get(id).copied().unwrap_or(0));
        self.crowded.iter().map(|id| (*id, places(id))).filter(|(_, places)| *places > 0).collect()
    }
}

/// The slots of this process.
pub(crate) struct Slots {
    normal: usize,
    slow: usize,
    per_endpoint: usize,
    taken: Arc<Mutex<Taken>>,
}

/// A slot that is taken until it is dropped.
pub(crate) struct Slot {
    taken: Arc<Mutex<Taken>>,
    lane: Lane,
    /// Until it has answered.
    endpoint: Option<Uuid>,
}

impl Slots {
    /// All free.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            normal: config.concurrency,
            slow: config.slow_concurrency,
            per_endpoint: config.per_endpoint,
            taken: Arc::default(),
        }
    }

    /// What may be sent from a lane now.
    pub(crate) fn room(&self, lane: Lane) -> Room {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all = if lane == Lane::Slow { self.slow } else { self.normal };
        Room {
            lane,
            free: all.saturating_sub(*taken.lane(lane)),
            per_endpoint: if lane == Lane::Slow { SLOW_PER_ENDPOINT } else { self.per_endpoint },
            busy: taken.by_endpoint.clone(),
            refill: if lane == Lane::Normal { taken.refill(self.per_endpoint) } else { Vec::new() },
        }
    }

    /// Deliveries were set aside for these endpoints.
    pub(crate) fn crowded(&self, endpoints: impl IntoIterator<Item = Uuid>) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).crowded.extend(endpoints);
    }

    /// Nothing is set aside for these endpoints any more.
    pub(crate) fn drained(&self, endpoints: &[Uuid]) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.crowded.retain(|id| !endpoints.contains(id));
    }

    /// Takes a slot that [`Slots::room`] said was free. Only one task takes slots, so it still is.
    pub(crate) fn take(&self, lane: Lane, endpoint: Uuid) -> Slot {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken.lane(lane) += 1;
        *taken.by_endpoint.entry(endpoint).or_default() += 1;
        Slot { taken: Arc::clone(&self.taken), lane, endpoint: Some(endpoint) }
    }
}

impl Slot {
    /// The endpoint has answered.
    pub(crate) fn answered(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.taken.lock().unwrap_or_else(PoisonError::into_inner).leave(endpoint);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.answered();
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner).lane(self.lane) -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots() -> Slots {
        Slots::new(&Config::read(&common::config::Settings::default()).unwrap())
    }

    #[test]
    fn an_endpoint_is_free_when_it_has_answered_and_the_slot_when_it_is_dropped() {
        let slots = slots();
        let endpoint = Uuid::from_u128(1);
        let mut slot = slots.take(Lane::Slow, endpoint);
        assert_eq!((slots.room(Lane::Slow).free, slots.room(Lane::Normal).free), (15, 64));
        assert_eq!(slots.room(Lane::Normal).busy, HashMap::from([(endpoint, 1)]));
        slot.answered();
        assert!(slots.room(Lane::Normal).busy.is_empty());
        assert_eq!(slots.room(Lane::Slow).free, 15);
        drop(slot);
        assert_eq!((slots.room(Lane::Slow).free, slots.room(Lane::Slow).per_endpoint), (16, 1));
        assert!(slots.room(Lane::Normal).busy.is_empty());
    }

    #[test]
    fn what_was_set_aside_is_asked_back_as_far_as_its_endpoint_has_places() {
        let slots = slots();
        let (busy, idle) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut taken: Vec<_> = (0..8).map(|_| slots.take(Lane::Normal, busy)).collect();
        slots.crowded([busy, idle]);
        assert_eq!(slots.room(Lane::Normal).refill, [(idle, 8)]);
        taken.truncate(5);
        assert_eq!(slots.room(Lane::Normal).refill, [(busy, 3), (idle, 8)]);
        slots.drained(&[idle]);
        assert_eq!(slots.room(Lane::Normal).refill, [(busy, 3)]);
        assert!(slots.room(Lane::Slow).refill.is_empty());
    }
}
