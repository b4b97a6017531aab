//! Whether a person has answered the agent. The carrier's verdict on who picked up comes while the conversation already runs,
//! and a machine's greeting is heard like anything else that is said: the first thing heard proves nothing.

use super::silence::Heard;

/// Utterances that only a person makes: what was said at pick-up, and an answer to the agent's reply to it.
const UTTERANCES_OF_A_PERSON: usize = 2;

/// Whether what was heard in a call comes from a person, whatever the carrier believes. Machines press no keys.
#[must_use]
pub fn is_a_persons(heard: &[Heard]) -> bool {
    let keys = heard.iter().any(|heard| matches!(heard, Heard::Digits));
    let utterances = heard.iter().filter(|heard| matches!(heard, Heard::Speech { .. })).count();
    keys || utterances >= UTTERANCES_OF_A_PERSON
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEECH: Heard = Heard::Speech { confidence: Some(0.9) };

    #[test]
    fn the_first_thing_that_is_heard_may_be_a_greeting() {
        assert!(!is_a_persons(&[]));
        assert!(!is_a_persons(&[Heard::Answered, Heard::Silence, SPEECH, Heard::Silence]));
    }

    #[test]
    fn whoever_answers_a_second_time_is_a_person() {
        assert!(is_a_persons(&[Heard::Answered, SPEECH, Heard::Silence, SPEECH]));
    }

    #[test]
    fn whoever_presses_a_key_is_a_person() {
        assert!(is_a_persons(&[Heard::Answered, Heard::Digits]));
    }
}
