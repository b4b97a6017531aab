//! What to do when nothing, or nothing certain, was heard: ask again, ask to repeat, or say goodbye.
//!
//! Counted from the turns themselves, so that every replica counts alike.

use super::limits::{ASK_AGAIN_AT_MOST, ASK_TO_REPEAT_AT_MOST, LOW_CONFIDENCE};

/// What opened a turn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Heard {
    /// The call was picked up.
    Answered,
    /// Recognised speech, with the carrier's confidence (0–1) where it gave one.
    Speech {
        /// The confidence.
        confidence: Option<f32>,
    },
    /// Keys.
    Digits,
    /// Nothing until the time-out.
    Silence,
}

impl Heard {
    /// Whether it is speech that may well have been misheard.
    #[must_use]
    pub fn is_uncertain(self) -> bool {
        matches!(self, Self::Speech { confidence: Some(confidence) }
            if confidence > 0.0 && confidence < LOW_CONFIDENCE)
    }
}

/// What the turn does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Answer what was heard.
    Converse,
    /// Ask whether the customer is there, for the `nth` time (from 1).
    AskAgain {
        /// Which time.
        nth: u32,
    },
    /// Ask the customer to repeat, for the `nth` time in a row (from 1).
    AskToRepeat {
        /// Which time.
        nth: u32,
    },
    /// Say goodbye and hang up: the silence budget is used up.
    SayGoodbye,
}

/// Decides about a turn opened by `current`, after turns opened by `previous` (oldest first).
///
/// Silence and uncertain speech are counted over the turns since something was last understood, so that the
/// two cannot take turns for ever.
#[must_use]
pub fn decide(previous: &[Heard], current: Heard) -> Move {
    let mut budget = Budget::default();
    for heard in previous {
        budget.hear(*heard);
    }
    budget.hear(current)
}

/// What happened since something was last understood.
#[derive(Default)]
struct Budget {
    silences: u32,
    repeats: u32,
}

impl Budget {
    fn hear(&mut self, heard: Heard) -> Move {
        if heard == Heard::Silence {
            self.silences += 1;
            if self.silences > ASK_AGAIN_AT_MOST {
                return Move::SayGoodbye;
            }
            return Move::AskAgain { nth: self.silences };
        }
        if heard.is_uncertain() && self.repeats < ASK_TO_REPEAT_AT_MOST {
            self.repeats += 1;
            return Move::AskToRepeat { nth: self.repeats };
        }
        *self = Self::default();
        Move::Converse
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: Heard = Heard::Speech { confidence: Some(0.9) };
    const MUMBLED: Heard = Heard::Speech { confidence: Some(0.39) };

    #[test]
    fn silence_is_asked_about_twice_and_then_the_call_ends() {
        let mut turns = vec![Heard::Answered];
        let mut moves = Vec::new();
        for _ in 0..3 {
            moves.push(decide(&turns, Heard::Silence));
            turns.push(Heard::Silence);
        }
        assert_eq!(moves, [Move::AskAgain { nth: 1 }, Move::AskAgain { nth: 2 }, Move::SayGoodbye]);
    }

    #[test]
    fn something_understood_gives_the_whole_budget_back() {
        let turns = [Heard::Silence, Heard::Silence, SAID];
        assert_eq!(decide(&turns, Heard::Silence), Move::AskAgain { nth: 1 });
        let turns = [Heard::Silence, Heard::Silence, Heard::Digits];
        assert_eq!(decide(&turns, Heard::Silence), Move::AskAgain { nth: 1 });
    }

    #[test]
    fn uncertain_speech_is_asked_about_twice_in_a_row_and_then_believed() {
        assert_eq!(decide(&[Heard::Answered], MUMBLED), Move::AskToRepeat { nth: 1 });
        assert_eq!(decide(&[MUMBLED], MUMBLED), Move::AskToRepeat { nth: 2 });
        assert_eq!(decide(&[MUMBLED, MUMBLED], MUMBLED), Move::Converse);
        let believed = [MUMBLED, MUMBLED, MUMBLED];
        assert_eq!(decide(&believed, MUMBLED), Move::AskToRepeat { nth: 1 }, "the row was broken");
    }

    #[test]
    fn mumbling_does_not_keep_a_silent_call_alive() {
        let turns = [Heard::Silence, MUMBLED, Heard::Silence, MUMBLED];
        assert_eq!(decide(&turns, Heard::Silence), Move::SayGoodbye);
    }

    #[test]
    fn speech_without_a_usable_confidence_is_believed() {
        for confidence in [None, Some(0.0), Some(LOW_CONFIDENCE), Some(1.0)] {
            assert_eq!(decide(&[], Heard::Speech { confidence }), Move::Converse, "{confidence:?}");
        }
    }
}
