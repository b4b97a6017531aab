//! What a `<Gather>` brings in: the outcome table of Twilio's Gather documentation as a function of what
//! it listens for, how long its prompt is, and what the person does.

use std::num::NonZeroU32;
use std::time::Duration;

use twilio::twiml::{FinishOnKey, Gather, GatherInput, SpeechTimeout};

use super::person::{Act, Reaction};
use super::scenario::Pace;

/// The pause between two keys that a person presses.
const BETWEEN_KEYS: Duration = Duration::from_millis(300);

/// No utterance is recognised beyond this (Twilio: speech is cut at 60 seconds).
const LONGEST_SPEECH: Duration = Duration::from_secs(60);

/// What a `<Gather>` listens for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listening {
    pub(crate) speech: bool,
    pub(crate) keys: bool,
    pub(crate) timeout: Duration,
    pub(crate) speech_timeout: Duration,
    pub(crate) num_digits: Option<usize>,
    pub(crate) finish_on_key: Option<char>,
    pub(crate) barge_in: bool,
}

/// The silence that `speechTimeout="auto"` takes for the end of speech.
const FIRST_PAUSE: Duration = Duration::from_millis(800);

impl From<&Gather> for Listening {
    /// Fills in Twilio's defaults.
    fn from(gather: &Gather) -> Listening {
        let seconds = |n: NonZeroU32| Duration::from_secs(u64::from(n.get()));
        let input = gather.input.unwrap_or(GatherInput::Dtmf);
        let timeout = gather.timeout.map_or(Duration::from_secs(5), seconds);
        let speech_timeout = match gather.speech_timeout {
            None => timeout,
            Some(SpeechTimeout::Auto) => FIRST_PAUSE,
            Some(SpeechTimeout::Seconds(n)) => seconds(n),
        };
        Listening {
            speech: input.hears_speech(),
            keys: input.hears_keys(),
            timeout,
            speech_timeout,
            num_digits: gather.num_digits.and_then(|n| usize::try_from(n.get()).ok()),
            finish_on_key: match gather.finish_on_key {
                None => Some('#'),
                Some(FinishOnKey::Never) => None,
                Some(FinishOnKey::Key(key)) => Some(key.as_char()),
            },
            barge_in: gather.barge_in.unwrap_or(true),
        }
    }
}

/// What came in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Nothing that counts.
    Nothing,
    /// Speech, recognised.
    Speech { text: String, confidence: f64 },
    /// Keys, and the one that finished them if one did.
    Keys { digits: String, finished_on: Option<char> },
    /// The person is gone.
    HungUp,
}

/// How a `<Gather>` went, in time since its beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// How much of the prompt was played.
    pub(crate) prompt: Duration,
    /// When the person did what they did, if it fell into the time of this Gather.
    pub(crate) acted: Option<Duration>,
    /// When it was over.
    pub(crate) over: Duration,
    pub(crate) heard: Heard,
}

/// Plays the table.
pub(crate) fn outcome(listening: &Listening, prompt: Duration, reaction: &Reaction) -> Outcome {
    let acted = match reaction.pace {
        Pace::After(delay) => prompt + delay,
        Pace::Into(into) => into,
    };
    let gives_up = prompt + listening.timeout;
    let nothing = Outcome { prompt, acted: None, over: gives_up, heard: Heard::Nothing };
    if acted > gives_up || reaction.act == Act::Silence {
        return nothing;
    }
    match &reaction.act {
        Act::Silence => nothing,
        Act::HangUp => {
            Outcome { prompt: prompt.min(acted), acted: Some(acted), over: acted, heard: Heard::HungUp }
        }
        Act::Press(keys) if listening.keys => press(listening, prompt, acted, keys),
        Act::Press(_) => Outcome { acted: Some(acted), ..nothing },
        Act::Say { text, lasts, confidence } => {
            let talks_over = acted < prompt;
            if !listening.speech || (talks_over && !listening.barge_in) {
                return Outcome { acted: Some(acted), ..nothing };
            }
            let over = acted + (*lasts).min(LONGEST_SPEECH) + listening.speech_timeout;
            let heard = Heard::Speech { text: text.clone(), confidence: *confidence };
            Outcome { prompt: prompt.min(acted), acted: Some(acted), over, heard }
        }
    }
}

/// The first key stops the prompt, each next one has `timeout` to come.
fn press(listening: &Listening, prompt: Duration, acted: Duration, keys: &str) -> Outcome {
    let mut digits = String::new();
    let mut at = acted;
    let mut finished_on = None;
    let mut over = None;
    for key in keys.chars() {
        match key {
            'w' => at += Duration::from_millis(500),
            'W' => at += Duration::from_secs(1),
            key if listening.finish_on_key == Some(key) => {
                finished_on = Some(key);
                over = Some(at);
            }
            key => {
                digits.push(key);
                if listening.num_digits == Some(digits.chars().count()) {
                    over = Some(at);
                }
                at += BETWEEN_KEYS;
            }
        }
        if over.is_some() {
            break;
        }
    }
    let heard = if digits.is_empty() { Heard::Nothing } else { Heard::Keys { digits, finished_on } };
    let over = over.unwrap_or(at + listening.timeout);
    Outcome { prompt: prompt.min(acted), acted: Some(acted), over, heard }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: Duration = Duration::from_secs(4);

    fn listening() -> Listening {
        Listening {
            speech: true,
            keys: true,
            timeout: Duration::from_secs(5),
            speech_timeout: Duration::from_secs(1),
            num_digits: None,
            finish_on_key: Some('#'),
            barge_in: true,
        }
    }

    fn says(pace: Pace) -> Reaction {
        let act = Act::Say { text: "Yes.".to_owned(), lasts: Duration::from_secs(2), confidence: 0.9 };
        Reaction { act, pace }
    }

    fn presses(keys: &str) -> Reaction {
        Reaction { act: Act::Press(keys.to_owned()), pace: Pace::After(Duration::from_secs(1)) }
    }

    fn keys(listening: &Listening, pressed: &str) -> (Heard, Duration) {
        let outcome = outcome(listening, PROMPT, &presses(pressed));
        (outcome.heard, outcome.over)
    }

    fn typed(digits: &str, finished_on: Option<char>) -> Heard {
        Heard::Keys { digits: digits.to_owned(), finished_on }
    }

    #[test]
    fn silence_falls_through_after_prompt_and_timeout() {
        let silence = Reaction { act: Act::Silence, pace: Pace::After(Duration::ZERO) };
        let outcome = outcome(&listening(), PROMPT, &silence);
        assert_eq!(
            (outcome.heard, outcome.over, outcome.prompt),
            (Heard::Nothing, Duration::from_secs(9), PROMPT)
        );
    }

    #[test]
    fn speech_ends_with_the_silence_behind_it() {
        let outcome = outcome(&listening(), PROMPT, &says(Pace::After(Duration::from_secs(1))));
        assert!(matches!(outcome.heard, Heard::Speech { .. }));
        assert_eq!((outcome.prompt, outcome.over), (PROMPT, Duration::from_secs(8)));
    }

    #[test]
    fn whoever_waits_longer_than_the_timeout_is_not_heard() {
        let outcome = outcome(&listening(), PROMPT, &says(Pace::After(Duration::from_secs(6))));
        assert_eq!((outcome.heard, outcome.acted), (Heard::Nothing, None));
    }

    #[test]
    fn speech_over_the_prompt_stops_it_unless_barging_in_is_off() {
        let interrupts = says(Pace::Into(Duration::from_secs(1)));
        assert_eq!(outcome(&listening(), PROMPT, &interrupts).prompt, Duration::from_secs(1));
        let deaf = Listening { barge_in: false, ..listening() };
        let ignored = outcome(&deaf, PROMPT, &interrupts);
        assert_eq!((ignored.prompt, ignored.heard), (PROMPT, Heard::Nothing));
    }

    #[test]
    fn speech_means_nothing_where_only_keys_count() {
        let keypad = Listening { speech: false, ..listening() };
        let ignored = outcome(&keypad, PROMPT, &says(Pace::After(Duration::from_secs(1))));
        assert_eq!((ignored.heard, ignored.over), (Heard::Nothing, Duration::from_secs(9)));
    }

    #[test]
    fn the_finishing_key_submits_and_is_not_part_of_the_digits() {
        assert_eq!(keys(&listening(), "12#"), (typed("12", Some('#')), Duration::from_millis(5600)));
    }

    #[test]
    fn the_finishing_key_alone_is_no_input() {
        assert_eq!(keys(&listening(), "#").0, Heard::Nothing);
    }

    #[test]
    fn a_full_number_of_digits_submits_at_once() {
        let two = Listening { num_digits: Some(2), ..listening() };
        assert_eq!(keys(&two, "1234"), (typed("12", None), Duration::from_millis(5300)));
    }

    #[test]
    fn digits_without_an_end_are_submitted_after_the_timeout() {
        assert_eq!(keys(&listening(), "7"), (typed("7", None), Duration::from_millis(10_300)));
    }

    #[test]
    fn without_a_finishing_key_hash_is_a_digit() {
        let open = Listening { finish_on_key: None, ..listening() };
        assert_eq!(keys(&open, "1#").0, typed("1#", None));
    }

    #[test]
    fn a_hang_up_ends_the_prompt_and_the_gather() {
        let gone = Reaction { act: Act::HangUp, pace: Pace::Into(Duration::from_secs(1)) };
        let outcome = outcome(&listening(), PROMPT, &gone);
        assert_eq!((outcome.heard, outcome.over), (Heard::HungUp, Duration::from_secs(1)));
    }
}
