//! A conversation held in writing, read as the turns of a call.

use super::silence::Heard;
use super::transcript::{Speaker, Utterance};
use super::turn::TurnNumber;

/// One thing said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Who said it.
    pub speaker: Speaker,
    /// The words.
    pub text: String,
}

/// How a conversation stands when the agent is to speak.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// What was said before, each with its turn.
    pub before: Vec<Utterance>,
    /// What opened the turns before this one.
    pub heard: Vec<Heard>,
    /// The turn that the agent answers.
    pub turn: TurnNumber,
    /// What opens it.
    pub opening: Opening,
}

/// What opens the turn that the agent answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// The call has just been answered.
    Answered,
    /// The customer said this.
    Speech(String),
    /// The customer says nothing.
    Silence,
}

/// Where the conversation stands. The customer's words open a turn; an agent that spoke last is answered by silence.
#[must_use]
pub fn standing(history: &[Said]) -> Standing {
    let mut before = Vec::new();
    let mut heard = vec![Heard::Answered];
    let mut turn = TurnNumber(0);
    let (last, earlier) = match history.split_last() {
        Some((last, earlier)) if last.speaker == Speaker::Customer => (Some(last), earlier),
        _ => (None, history),
    };
    for (index, said) in earlier.iter().enumerate() {
        if said.speaker == Speaker::Customer {
            turn = turn.next();
            heard.push(Heard::Speech { confidence: None });
        } else if index > 0 && earlier[index - 1].speaker == Speaker::Ai {
            // Two answers in a row: the customer had said nothing.
            turn = turn.next();
            heard.push(Heard::Silence);
        }
        before.push(Utterance { turn, speaker: said.speaker, text: one_line(&said.text) });
    }
    match last {
        None if before.is_empty() => Standing { before, heard: Vec::new(), turn, opening: Opening::Answered },
        None => Standing { before, heard, turn: turn.next(), opening: Opening::Silence },
        Some(said) => {
            Standing { before, heard, turn: turn.next(), opening: Opening::Speech(said.text.clone()) }
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[(Speaker, &str)]) -> Vec<Said> {
        lines.iter().map(|(speaker, text)| Said { speaker: *speaker, text: (*text).to_owned() }).collect()
    }

    #[test]
    fn an_empty_conversation_begins_and_a_customers_words_open_the_next_turn() {
        use Speaker::{Ai, Customer};
        assert_eq!(standing(&[]).opening, Opening::Answered);
        let held = standing(&said(&[(Ai, "Hello?"), (Customer, "Yes."), (Ai, "Good."), (Customer, "Bye.")]));
        assert_eq!((held.turn, &held.opening), (TurnNumber(2), &Opening::Speech("Bye.".to_owned())));
        let turns: Vec<_> = held.before.iter().map(|u| u.turn.0).collect();
        assert_eq!(turns, [0, 1, 1]);
        assert_eq!(held.heard, [Heard::Answered, Heard::Speech { confidence: None }]);
    }

    #[test]
    fn an_agent_that_spoke_last_is_answered_by_silence_each_time_anew() {
        use Speaker::Ai;
        let once = standing(&said(&[(Ai, "Hello?")]));
        assert_eq!((once.turn, once.opening), (TurnNumber(1), Opening::Silence));
        let twice = standing(&said(&[(Ai, "Hello?"), (Ai, "Are you there?")]));
        assert_eq!(twice.heard, [Heard::Answered, Heard::Silence]);
        assert_eq!((twice.turn, twice.opening), (TurnNumber(2), Opening::Silence));
    }

    #[test]
    fn a_customer_who_speaks_first_is_heard_in_the_first_turn() {
        let first = standing(&said(&[(Speaker::Customer, "Hello?")]));
        assert_eq!((first.turn, first.opening), (TurnNumber(1), Opening::Speech("Hello?".to_owned())));
    }
}
