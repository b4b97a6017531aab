//! "What?", "who is this?", "am I talking to a machine?": turns that ask about the call itself.

use crate::offline::words::Words;

/// Whether the customer wants to hear the last words again.
pub(crate) fn asks_again(words: &Words<'_>) -> bool {
    words.is_any(&[
        "what",
        "pardon",
        "sorry",
        "sorry what",
        "huh",
        "excuse me",
        "come again",
        "hello",
        "hello hello",
        "pardon me",
        "what was that",
        "im sorry",
        "what sorry",
        "again",
        "again please",
        "i beg your pardon",
        "beg your pardon",
        "eh",
        "what what",
        "hm",
        "one more time",
        "one more time please",
    ]) || (words.len() <= 12
        && words.has_any(&[
            "say that again",
            "say it again",
            "repeat that",
            "repeat it",
            "repeat please",
            "please repeat",
            "you repeat",
            "what did you say",
            "didnt hear",
            "did not hear",
            "didnt catch",
            "did not catch",
            "didnt understand",
            "did not understand",
            "dont understand",
            "do not understand",
            "cant hear you",
            "cannot hear you",
            "didnt get that",
            "did not get that",
            "come again",
            "what was the question",
        ]))
}

/// Whether the customer asks who is calling.
pub(crate) fn asks_who(words: &Words<'_>) -> bool {
    words.has_any(&[
        "who is this",
        "whos this",
        "who are you",
        "who is calling",
        "whos calling",
        "who am i speaking",
        "who am i talking",
        "where are you calling from",
        "what company",
        "which company",
        "who is there",
        "whos there",
        "who is speaking",
        "whos speaking",
        "your name",
    ]) && !words.has("your name is")
}

/// Whether the customer asks what the call is about.
pub(crate) fn asks_why(words: &Words<'_>) -> bool {
    words.has_any(&[
        "what is this about",
        "whats this about",
        "what is it about",
        "whats it about",
        "why are you calling",
        "what do you want",
        "whats this regarding",
        "what is this regarding",
        "what is the call about",
    ])
}

/// Whether the customer asks if a machine is speaking.
pub(crate) fn asks_machine(words: &Words<'_>) -> bool {
    words.has_any(&[
        "are you a robot",
        "are you a machine",
        "are you a computer",
        "are you an ai",
        "are you ai",
        "are you real",
        "are you human",
        "are you a human",
        "are you a real person",
        "are you a bot",
        "are you a person",
        "is this a robot",
        "is this a recording",
        "is this a machine",
        "is this a bot",
        "is this ai",
        "is this an ai",
        "is this a real person",
        "am i talking to a robot",
        "am i talking to a machine",
        "is this automated",
        "is this a computer",
    ])
}

/// Whether the customer wants to be connected to a person.
pub(crate) fn asks_person(words: &Words<'_>) -> bool {
    let wish = words.has_any(&[
        "speak to",
        "talk to",
        "speak with",
        "talk with",
        "transfer me",
        "connect me",
        "put me through",
    ]);
    wish && words.has_any(&[
        "a person",
        "real person",
        "a human",
        "someone",
        "somebody",
        "an agent",
        "a representative",
        "your manager",
        "the manager",
        "an operator",
        "transfer me",
        "connect me",
        "put me through",
    ])
}

const STARTS: &[&str] = &[
    "what",
    "whats",
    "when",
    "where",
    "wheres",
    "who",
    "why",
    "how",
    "which",
    "can i",
    "can you",
    "could i",
    "could you",
    "do i",
    "do you",
    "does",
    "is there",
    "are there",
    "should i",
    "will you",
    "will i",
    "will it",
    "would it",
    "is it",
    "are you",
    "may i",
    "did you",
    "have you",
];

/// Whether the words are a question.
pub(crate) fn is_question(words: &Words<'_>) -> bool {
    if words.is_empty() {
        return false;
    }
    let begins = words.starts_with_any(STARTS)
        || ["yes", "no", "ok", "okay", "well", "but", "and", "so", "sorry"].contains(&words.at(0))
            && STARTS.iter().any(|start| words.phrase_at(1, start));
    begins || words.source.contains('?')
}

/// Whether the words hold a question anywhere, also behind an answer.
pub(crate) fn asks_something(words: &Words<'_>) -> bool {
    words.has_any(STARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_again_is_told_from_an_ordinary_question() {
        for text in ["What?", "Pardon?", "sorry", "Could you repeat that please?", "I didn't catch that"] {
            assert!(asks_again(&Words::of(text)), "{text}");
        }
        for text in ["What time was it?", "Sorry, I can't", "Hello, yes it works"] {
            assert!(!asks_again(&Words::of(text)), "{text}");
        }
    }

    #[test]
    fn questions_are_recognised_without_a_question_mark() {
        for text in ["where is your office", "ok what should I bring", "Friday?", "can I bring my dog"] {
            assert!(is_question(&Words::of(text)), "{text}");
        }
        for text in ["yes", "Friday at three", "I will be there", ""] {
            assert!(!is_question(&Words::of(text)), "{text}");
        }
    }
}
