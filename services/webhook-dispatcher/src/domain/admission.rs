//! Which of the deliveries that have just been claimed may be sent now. A busy endpoint's deliveries step aside into a lane
//! where they are in nobody's way; an endpoint that keeps failing has a lane of its own, with room for one attempt.

use std::collections::HashMap;

use uuid::Uuid;

use super::health::Health;

/// Where a delivery waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Where everything begins.
    Normal,
    /// Its endpoint has as many attempts in flight as it may have; comes back as they end.
    Crowded,
    /// Its endpoint keeps failing, and takes turns with the others that do.
    Slow,
}

impl Lane {
    /// As the table names it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Crowded => "crowded",
            Self::Slow => "slow",
        }
    }

    /// Where the deliveries of an endpoint begin.
    pub(crate) const fn of(health: &Health) -> Self {
        if health.is_slow() { Self::Slow } else { Self::Normal }
    }
}

/// What becomes of a claimed delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Sent now.
    Start,
    /// Waits in that lane.
    Aside(Lane),
    /// Stays where it was.
    Back,
    /// Its endpoint is switched off.
    GiveUp,
}

/// How much may be sent now.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// The lane that was claimed from.
    pub(crate) lane: Lane,
    /// Attempts that may begin.
    pub(crate) free: usize,
    /// Attempts that one endpoint may have in flight.
    pub(crate) per_endpoint: usize,
    /// Attempts in flight by endpoint.
    pub(crate) busy: HashMap<Uuid, usize>,
    /// Endpoints whose deliveries were set aside and may come back, and how many of them.
    pub(crate) refill: Vec<(Uuid, usize)>,
}

impl Room {
    /// Decides about one more delivery to `endpoint`, and takes its place.
    pub(crate) fn admit(&mut self, endpoint: Uuid, health: &Health) -> Admission {
        if !health.active {
            return Admission::GiveUp;
        }
        if health.is_slow() && self.lane != Lane::Slow {
            return Admission::Aside(Lane::Slow);
        }
        let busy = self.busy.entry(endpoint).or_default();
        if *busy >= self.per_endpoint && self.lane != Lane::Slow {
            return Admission::Aside(Lane::Crowded);
        }
        if *busy >= self.per_endpoint || self.free == 0 {
            return Admission::Back;
        }
        *busy += 1;
        self.free -= 1;
        Admission::Start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(lane: Lane, free: usize) -> Room {
        Room { lane, free, per_endpoint: 2, busy: HashMap::new(), refill: vec![] }
    }

    #[test]
    fn what_is_too_much_for_one_endpoint_steps_aside_and_the_next_endpoint_is_served() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut room = room(Lane::Normal, 3);
        let seen = [a, a, a, b, b].map(|endpoint| room.admit(endpoint, &Health::NEW));
        let aside = Admission::Aside(Lane::Crowded);
        assert_eq!(seen, [Admission::Start, Admission::Start, aside, Admission::Start, Admission::Back]);
    }

    #[test]
    fn an_endpoint_that_keeps_failing_is_sent_to_its_own_lane_and_served_from_there() {
        let failing = Health { failed_attempts: 3, ..Health::NEW };
        let endpoint = Uuid::from_u128(1);
        assert_eq!(room(Lane::Normal, 9).admit(endpoint, &failing), Admission::Aside(Lane::Slow));
        let mut slow = Room { per_endpoint: 1, ..room(Lane::Slow, 2) };
        assert_eq!(slow.admit(endpoint, &failing), Admission::Start);
        assert_eq!(slow.admit(endpoint, &failing), Admission::Back);
    }

    #[test]
    fn nothing_is_sent_to_an_endpoint_that_is_switched_off() {
        let off = Health { active: false, ..Health::NEW };
        assert_eq!(room(Lane::Normal, 9).admit(Uuid::from_u128(1), &off), Admission::GiveUp);
    }
}
