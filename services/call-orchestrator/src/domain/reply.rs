//! What a turn says by rule, without asking the model: goodbye after too much silence or a wish not to be called, "say that
//! again" when nothing certain was heard, an apology when the model fails. The words are in `phrases.rs`, in the call's language;
//! everything else is the model's.

use super::call::CallInput;
use super::limits::{FAILURES, MAX_TURNS};
use super::opt_out;
use super::phrases::Phrase;
use super::silence::{self, Heard, Move};
use super::turn::{Then, TurnNumber};

/// Words that need no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// What is spoken.
    pub phrase: Phrase,
    /// What follows.
    pub then: Then,
    /// What it means for the call.
    pub means: Option<CallInput>,
}

/// How a turn is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// With these words.
    Fixed(Fixed),
    /// By the model; with the number of silences in a row, if nothing was heard.
    Model {
        /// Silences in a row, this one included; 0 when something was heard.
        silences: u32,
    },
}

/// Decides how the turn `number` is answered, opened by `current` (with `words`), after turns opened by `previous`.
#[must_use]
pub fn decide(number: TurnNumber, previous: &[Heard], current: Heard, words: Option<&str>) -> Reply {
    if words.is_some_and(opt_out::heard) {
        return goodbye(Phrase::NotAgain, CallInput::OptOut);
    }
    if number.0 >= MAX_TURNS {
        return goodbye(Phrase::LongEnough, CallInput::AgentHungUp);
    }
    match silence::decide(previous, current) {
        Move::Converse => Reply::Model { silences: 0 },
        Move::AskAgain { nth } => Reply::Model { silences: nth },
        Move::AskToRepeat { .. } => {
            Reply::Fixed(Fixed { phrase: Phrase::SayAgain, then: Then::Listen, means: None })
        }
        Move::SayGoodbye => goodbye(Phrase::CannotHear, CallInput::SilenceExhausted),
    }
}

fn goodbye(phrase: Phrase, means: CallInput) -> Reply {
    Reply::Fixed(Fixed { phrase, then: Then::HangUp, means: Some(means) })
}

/// What is said when the model failed, after `failed_before` turns in a row in which it had failed already.
#[must_use]
pub fn after_failure(failed_before: usize) -> Fixed {
    if failed_before + 1 < FAILURES {
        return Fixed { phrase: Phrase::Problem, then: Then::Listen, means: None };
    }
    Fixed { phrase: Phrase::GivingUp, then: Then::HangUp, means: Some(CallInput::AgentGaveUp) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_not_to_be_called_is_heard_in_any_turn_and_ends_the_call_kindly() {
        let heard = Heard::Speech { confidence: Some(0.9) };
        let reply = decide(TurnNumber(3), &[Heard::Answered], heard, Some("Please stop calling me."));
        let Reply::Fixed(fixed) = reply else { panic!("the model was asked") };
        assert_eq!((fixed.then, fixed.means), (Then::HangUp, Some(CallInput::OptOut)));
    }

    #[test]
    fn a_model_that_fails_twice_in_a_row_ends_the_call_with_an_apology() {
        assert_eq!(after_failure(0).then, Then::Listen);
        assert_eq!(after_failure(1).means, Some(CallInput::AgentGaveUp));
    }

    #[test]
    fn a_conversation_that_goes_in_circles_ends() {
        let heard = Heard::Speech { confidence: None };
        let reply = decide(TurnNumber(MAX_TURNS), &[], heard, Some("what?"));
        assert!(matches!(reply, Reply::Fixed(Fixed { then: Then::HangUp, .. })));
    }
}
