//! How a polite person answers when their script has nothing to say: agrees to questions, gives the
//! simple facts that they are asked for, and says goodbye when they are thanked.

/// What good manners call for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Say this.
    Say(String),
    /// Press this key.
    Press(String),
    /// Say this and hang up after the answer.
    Leave(String),
    /// Nothing was said, so nothing is answered.
    Wait,
}

/// What a question that contains one of these is answered with; the first row that fits counts.
const FACTS: [(&[&str], &str); 13] = [
    (&["anything else", "something else", "any other", "further question"], "No, that is all, thank you."),
    (&["still there", "hear me"], "Yes, I am here."),
    (&["your name", "who is this", "who am i", "whose name", "what name"], "My name is Alex Example."),
    (&["am i speaking", "am i talking"], "Yes, speaking."),
    (&["is this"], "Yes, it is."),
    (&["how about", "how does", "how would", "what about"], YES),
    (&["how many", "party of"], "Two, please."),
    (&["email", "e-mail"], "Alex at example dot com."),
    (&["phone number", "reach you", "call you back"], "This number is fine."),
    (&["scale", "out of ten", "to ten", "to 10"], "Nine."),
    (&["feedback", "how was"], "Everything was fine."),
    (
        &["what time", "when would", "when should", "when do", "when can", "which day", "what day", "date"],
        "Tomorrow at three in the afternoon.",
    ),
    (
        &["how can i help", "what can i do", "what would you like", "like to order"],
        "I would like to book a table, please.",
    ),
];

/// A question that opens with one of these asks for a fact that the person does not have.
const OPEN_QUESTIONS: [&str; 6] = ["what", "which", "why", "how", "where", "who"];

const YES: &str = "Yes, that works for me.";

const FAREWELLS: [&str; 6] = ["goodbye", "good bye", "bye", "thank", "have a ", "take care"];

const REPEATS: [&str; 7] = [
    "say that again",
    "repeat",
    "did not catch",
    "didn't catch",
    "did not hear",
    "didn't hear",
    "understand",
];

const REQUESTS: [&str; 5] = ["please confirm", "please let", "please tell", "please say", "say yes"];

/// The answer to everything that was said since the person last spoke; `before` is what they said then.
pub(crate) fn reply(heard: &str, before: Option<&str>) -> Manner {
    let heard = heard.to_lowercase().replace('\u{2019}', "'");
    if heard.trim().is_empty() {
        return Manner::Wait;
    }
    if let Some(key) = key_to_press(&heard) {
        return Manner::Press(key.to_owned());
    }
    if let Some(before) = before.filter(|_| contains_any(&heard, &REPEATS)) {
        return Manner::Say(before.to_owned());
    }
    if let Some(question) = last_question(&heard) {
        return Manner::Say(answer_to(question).to_owned());
    }
    if contains_any(&heard, &REQUESTS) {
        return Manner::Say(YES.to_owned());
    }
    if contains_any(&heard, &FAREWELLS) {
        return Manner::Leave("Thank you, goodbye.".to_owned());
    }
    Manner::Say("Okay.".to_owned())
}

fn answer_to(question: &str) -> &'static str {
    if let Some((_, answer)) = FACTS.iter().find(|(signs, _)| contains_any(question, signs)) {
        return answer;
    }
    let opening = question.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    if contains_any(&opening, &OPEN_QUESTIONS) { "I am not sure, sorry." } else { YES }
}

fn contains_any(text: &str, signs: &[&str]) -> bool {
    signs.iter().any(|sign| at_word(text, sign))
}

/// Whether `sign` begins a word of `text`: `when` is not in `whenever`'s middle, `how` is not in `show`.
fn at_word(text: &str, sign: &str) -> bool {
    text.match_indices(sign).any(|(at, _)| {
        text.get(..at).and_then(|before| before.chars().last()).is_none_or(|c| !c.is_alphanumeric())
    })
}

fn last_question(text: &str) -> Option<&str> {
    text.split_inclusive(['.', '!', '?']).rfind(|sentence| sentence.ends_with('?')).map(str::trim)
}

fn key_to_press(text: &str) -> Option<&'static str> {
    const KEYS: [(&str, &str); 10] = [
        ("1", "one"),
        ("2", "two"),
        ("3", "three"),
        ("4", "four"),
        ("5", "five"),
        ("6", "six"),
        ("7", "seven"),
        ("8", "eight"),
        ("9", "nine"),
        ("0", "zero"),
    ];
    let after = text.split_once("press ")?.1.trim_start_matches("the ");
    KEYS.into_iter().find(|(key, word)| after.starts_with(key) || after.starts_with(word)).map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(heard: &str) -> String {
        match reply(heard, None) {
            Manner::Say(text) => text,
            other => panic!("{heard}: {other:?}"),
        }
    }

    #[test]
    fn a_yes_or_no_question_is_agreed_to() {
        assert_eq!(
            says("You have an appointment on Thursday. Does that work for you?"),
            "Yes, that works for me."
        );
        assert_eq!(says("Please confirm your appointment."), "Yes, that works for me.");
        assert_eq!(says("How about Friday?"), "Yes, that works for me.");
        assert_eq!(says("Will you be there when we arrive?"), "Yes, that works for me.");
    }

    #[test]
    fn only_the_last_question_is_answered() {
        assert_eq!(says("How are you? Is that right?"), "Yes, that works for me.");
    }

    #[test]
    fn simple_facts_are_given() {
        assert_eq!(says("For how many people?"), "Two, please.");
        assert_eq!(says("What time would you like?"), "Tomorrow at three in the afternoon.");
        assert_eq!(says("May I have your name?"), "My name is Alex Example.");
        assert_eq!(says("Am I speaking with Alex?"), "Yes, speaking.");
        assert_eq!(says("And why is that?"), "I am not sure, sorry.");
        assert_eq!(says("Is there anything else I can help with?"), "No, that is all, thank you.");
    }

    #[test]
    fn a_farewell_is_returned_and_ends_the_call() {
        assert_eq!(
            reply("Great, thank you. Goodbye!", None),
            Manner::Leave("Thank you, goodbye.".to_owned())
        );
    }

    #[test]
    fn thanks_together_with_a_question_are_no_farewell() {
        assert_eq!(says("Thank you. Is Thursday fine?"), "Yes, that works for me.");
    }

    #[test]
    fn a_key_that_is_asked_for_is_pressed() {
        assert_eq!(reply("To confirm, press 1.", None), Manner::Press("1".to_owned()));
        assert_eq!(reply("Press the two key to cancel.", None), Manner::Press("2".to_owned()));
    }

    #[test]
    fn whoever_was_not_understood_says_it_again() {
        assert_eq!(
            reply("Sorry, I didn\u{2019}t catch that.", Some("At noon.")),
            Manner::Say("At noon.".to_owned())
        );
    }

    #[test]
    fn silence_is_answered_with_silence_and_a_statement_with_a_nod() {
        assert_eq!(reply("  ", None), Manner::Wait);
        assert_eq!(says("This is a reminder."), "Okay.");
        assert_eq!(says("We show it on the screen."), "Okay.");
    }
}
