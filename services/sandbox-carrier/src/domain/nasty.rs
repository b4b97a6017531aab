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
    /// Nobody is told that it rings, as with carriers that do not hear it themselves.
    pub(crate) ringing_untold: bool,
    /// Interim results come this much later (milliseconds of real time): mostly behind the result.
    pub(crate) partials_late_ms: u64,
    /// So many results of speech have empty words.
    pub(crate) speech_empty_next: u32,
    /// So many results of speech have no words at all.
    pub(crate) speech_missing_next: u32,
    /// Results of speech come without `Confidence`.
    pub(crate) confidence_missing: bool,
    /// So many requests are signed with another token than the customer has, as while one is replaced.
    pub(crate) wrong_signature_next: u32,
    /// Requests have a parameter that nobody has heard of.
    pub(crate) parameters_unknown: bool,
    /// So many REST requests are answered 429, code 20429.
    pub(crate) too_many_requests_next: u32,
    /// So many call creations are answered 500 and not carried out.
    pub(crate) error_before_dialling_next: u32,
    /// So many call creations are carried out and then answered 500.
    pub(crate) error_after_dialling_next: u32,
    /// So many call creations are carried out, and the connection breaks instead of an answer.
    pub(crate) answer_lost_next: u32,
    /// A call creation is carried out at once, and answered this much later (milliseconds of real time).
    pub(crate) answer_late_ms: u64,
    /// The account is a trial: it rings the numbers of `verified` only.
    pub(crate) trial: bool,
    pub(crate) verified: Vec<String>,
    /// Twilio has suspended the account: nobody is rung.
    pub(crate) suspended: bool,
    /// Beginnings of numbers, such as `+49`, which the account has no permission to ring.
    pub(crate) barred: Vec<String>,
    /// A call is shown as it was this long ago (milliseconds of real time): one that is younger is not there.
    pub(crate) fetch_behind_ms: u64,
}

/// What arrives of the words that were understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    AsTheyAre,
    Empty,
    Missing,
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

    /// Why the account may not ring this number: HTTP status, code and words.
    pub(crate) fn forbids(&self, to: &str) -> Option<(u16, u32, &'static str)> {
        if self.suspended {
            Some((403, 20005, "Account is not active"))
        } else if self.trial && !self.verified.iter().any(|number| number == to) {
            Some((
                400,
                21219,
                "The number is unverified. Trial accounts may only make calls to verified numbers",
            ))
        } else if self.barred.iter().any(|prefix| to.starts_with(prefix.as_str())) {
            Some((400, 21215, "The account has no permission to call this country"))
        } else {
            None
        }
    }

    /// Whether this status callback is lost.
    pub(crate) fn loses_callback(&mut self) -> bool {
        take(&mut self.callbacks_lose_next)
    }

    /// Whether this request is signed with another token.
    pub(crate) fn signs_wrongly(&mut self) -> bool {
        take(&mut self.wrong_signature_next)
    }

    /// What arrives of these words.
    pub(crate) fn words(&mut self) -> Words {
        if take(&mut self.speech_empty_next) {
            Words::Empty
        } else if take(&mut self.speech_missing_next) {
            Words::Missing
        } else {
            Words::AsTheyAre
        }
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
    fn an_account_rings_whom_it_may() {
        let code = |nasty: &Nasty| nasty.forbids("+4930123456").map(|(_, code, _)| code);
        let mut nasty = Nasty { trial: true, ..Nasty::default() };
        assert_eq!(code(&nasty), Some(21219));
        nasty.verified = vec!["+4930123456".to_owned()];
        assert_eq!(code(&nasty), None);
        nasty.barred = vec!["+33".to_owned(), "+49".to_owned()];
        assert_eq!(code(&nasty), Some(21215));
        nasty.suspended = true;
        assert_eq!(code(&nasty), Some(20005));
    }

    #[test]
    fn a_misspelt_switch_is_refused() {
        assert!(serde_json::from_str::<Nasty>("{\"callback_twice\": true}").is_err());
    }
}
