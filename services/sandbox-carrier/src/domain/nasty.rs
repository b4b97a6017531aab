//! Unkindness on purpose: which callbacks are lost, late, doubled or swapped, and which REST requests
//! fail before or after they took effect.

use serde::{Deserialize, Serialize};

/// The switches. All off is a carrier at its best.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Nasty {
    /// Every status callback waits this long (milliseconds of real time).
    pub(crate) callbacks_late_ms: u64,
    /// Every status callback is sent twice, with the same idempotency token.
    pub(crate) callbacks_twice: bool,
    /// Neighbouring status callbacks of a call change places.
    pub(crate) callbacks_reordered: bool,
    /// So many status callbacks are not sent at all.
    pub(crate) callbacks_lose_next: u32,
    /// So many REST requests are answered 429, code 20429.
    pub(crate) too_many_requests_next: u32,
    /// So many call creations are answered 500 and not carried out.
    pub(crate) error_before_dialling_next: u32,
    /// So many call creations are carried out and then answered 500.
    pub(crate) error_after_dialling_next: u32,
    /// So many call creations are carried out, and the connection breaks instead of an answer.
    pub(crate) answer_lost_next: u32,
}

/// What becomes of one call creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    /// It is carried out and answered.
    Kind,
    /// 500, nothing happens.
    ErrorBefore,
    /// It is carried out, 500.
    ErrorAfter,
    /// It is carried out, no answer.
    AnswerLost,
}

impl Nasty {
    /// Whether this REST request is turned away with 429.
    pub(crate) fn turns_away(&mut self) -> bool {
        take(&mut self.too_many_requests_next)
    }

    /// Whether this status callback is lost.
    pub(crate) fn loses_callback(&mut self) -> bool {
        take(&mut self.callbacks_lose_next)
    }

    /// What becomes of this call creation.
    pub(crate) fn creation(&mut self) -> Creation {
        if take(&mut self.error_before_dialling_next) {
            Creation::ErrorBefore
        } else if take(&mut self.error_after_dialling_next) {
            Creation::ErrorAfter
        } else if take(&mut self.answer_lost_next) {
            Creation::AnswerLost
        } else {
            Creation::Kind
        }
    }
}

fn take(count: &mut u32) -> bool {
    let some = *count > 0;
    *count = count.saturating_sub(1);
    some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counted_unkindness_ends_after_its_count() {
        let mut nasty = Nasty { too_many_requests_next: 2, ..Nasty::default() };
        assert_eq!([nasty.turns_away(), nasty.turns_away(), nasty.turns_away()], [true, true, false]);
    }

    #[test]
    fn creations_fail_in_the_asked_ways_and_then_succeed() {
        let mut nasty = Nasty { error_before_dialling_next: 1, answer_lost_next: 1, ..Nasty::default() };
        let seen = [nasty.creation(), nasty.creation(), nasty.creation()];
        assert_eq!(seen, [Creation::ErrorBefore, Creation::AnswerLost, Creation::Kind]);
    }

    #[test]
    fn a_misspelt_switch_is_refused() {
        assert!(serde_json::from_str::<Nasty>("{\"callback_twice\": true}").is_err());
    }
}
