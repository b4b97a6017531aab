//! What happens when a phone rings: somebody picks up after a while, a machine does, or nobody.

use serde::Deserialize;
use std::time::Duration;

use super::clock::speaking_time;
use super::ending::Ending;
use super::span;

/// How a number takes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// A person picks up.
    After(Duration),
    /// The line is engaged.
    Busy,
    /// It rings until the caller gives up.
    Nobody,
    /// The call is declined.
    Reject,
    /// A machine picks up, plays its greeting and records.
    Voicemail(Voicemail),
    /// There is no such number: the carrier refuses to dial it.
    Invalid,
    /// The number looks right, but no network knows it: the call fails.
    Unreachable,
}

/// An answering machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Voicemail {
    /// What it says.
    pub(crate) greeting: String,
    /// Whether a beep ends the greeting.
    pub(crate) beep: bool,
    /// How long it lets the phone ring.
    pub(crate) after: Duration,
    /// Whether an asynchronous verdict comes only when the other side has begun to answer the greeting.
    pub(crate) detected_late: bool,
}

impl Voicemail {
    /// From pick-up to the end of the greeting, beep included.
    pub(crate) fn greeting_time(&self) -> Duration {
        speaking_time(&self.greeting) + Duration::from_secs(u64::from(self.beep))
    }
}

/// What a caller meets who dials a number and gives up after a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ringing {
    /// Whether the phone rings at all.
    pub(crate) rings: bool,
    /// Until something happens.
    pub(crate) lasts: Duration,
    /// How it ends; nothing means that it is picked up.
    pub(crate) ends: Option<Ending>,
}

/// How long the network takes to say that a line is engaged or unknown.
const NETWORK: Duration = Duration::from_secs(1);

/// How long it takes to decline a call.
const DECLINING: Duration = Duration::from_secs(3);

impl Answer {
    /// What happens when it is called by somebody who waits for `timeout`.
    pub(crate) fn to_a_call(&self, timeout: Duration) -> Ringing {
        let (rings, lasts, ends) = match self {
            Answer::After(after) => (true, *after, None),
            Answer::Voicemail(machine) => (true, machine.after, None),
            Answer::Busy => (false, NETWORK, Some(Ending::Busy)),
            Answer::Invalid | Answer::Unreachable => (false, NETWORK, Some(Ending::Failed)),
            Answer::Reject => (true, DECLINING, Some(Ending::Rejected)),
            Answer::Nobody => (true, Duration::MAX, None),
        };
        if lasts < timeout {
            Ringing { rings, lasts, ends }
        } else {
            Ringing { rings, lasts: timeout, ends: Some(Ending::NoAnswer) }
        }
    }
}

/// The `answer:` of a scenario file as it is written there.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum WrittenAnswer {
    /// `after 2s`, `busy`, `no_answer`, …
    Word(String),
    /// `{voicemail: {greeting: …}}`
    Machine {
        /// The machine.
        voicemail: WrittenVoicemail,
    },
}

/// The `voicemail:` of a scenario file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WrittenVoicemail {
    greeting: String,
    #[serde(default = "yes")]
    beep: bool,
    after: Option<span::Span>,
    #[serde(default)]
    detected_late: bool,
}

fn yes() -> bool {
    true
}

impl TryFrom<WrittenAnswer> for Answer {
    type Error = String;

    fn try_from(written: WrittenAnswer) -> Result<Answer, String> {
        let word = match written {
            WrittenAnswer::Machine { voicemail } => {
                let after = voicemail.after.map_or(Duration::from_secs(15), |span| span.0);
                let WrittenVoicemail { greeting, beep, detected_late, .. } = voicemail;
                return Ok(Answer::Voicemail(Voicemail { greeting, beep, after, detected_late }));
            }
            WrittenAnswer::Word(word) => word,
        };
        match word.trim() {
            "busy" => Ok(Answer::Busy),
            "no_answer" => Ok(Answer::Nobody),
            "reject" => Ok(Answer::Reject),
            "invalid" => Ok(Answer::Invalid),
            "unreachable" => Ok(Answer::Unreachable),
            other => other.strip_prefix("after ").and_then(span::parse).map(Answer::After).ok_or_else(|| {
                format!(
                    "`answer: {other}` is not known: write `after 2s`, `busy`, `no_answer`, `reject`, \
                     `invalid`, `unreachable` or `{{voicemail: {{greeting: …}}}}`"
                )
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<Answer, String> {
        serde_norway::from_str::<WrittenAnswer>(yaml).map_err(|error| error.to_string())?.try_into()
    }

    #[test]
    fn every_way_to_take_a_call_can_be_written() {
        assert_eq!(read("after 2s"), Ok(Answer::After(Duration::from_secs(2))));
        assert_eq!(read("busy"), Ok(Answer::Busy));
        assert_eq!(read("no_answer"), Ok(Answer::Nobody));
        assert_eq!(read("reject"), Ok(Answer::Reject));
        assert_eq!(read("invalid"), Ok(Answer::Invalid));
        assert_eq!(read("unreachable"), Ok(Answer::Unreachable));
    }

    #[test]
    fn whoever_rings_shorter_than_the_phone_takes_gets_no_answer() {
        let answer = Answer::After(Duration::from_secs(20));
        assert_eq!(answer.to_a_call(Duration::from_secs(60)).ends, None);
        let short = answer.to_a_call(Duration::from_secs(10));
        assert_eq!((short.ends, short.lasts), (Some(Ending::NoAnswer), Duration::from_secs(10)));
        assert_eq!(Answer::Nobody.to_a_call(Duration::from_secs(60)).ends, Some(Ending::NoAnswer));
    }

    #[test]
    fn an_engaged_line_does_not_ring() {
        let engaged = Answer::Busy.to_a_call(Duration::from_secs(60));
        assert_eq!((engaged.rings, engaged.ends), (false, Some(Ending::Busy)));
    }

    #[test]
    fn a_machine_beeps_unless_told_otherwise() {
        let Ok(Answer::Voicemail(machine)) = read("voicemail: {greeting: fifteen letters}") else {
            panic!("not read as a machine");
        };
        assert_eq!(machine.greeting_time(), Duration::from_secs(2), "one second of speech and the beep");
    }

    #[test]
    fn an_unknown_answer_says_what_would_be_right() {
        assert!(read("perhaps").unwrap_err().contains("write `after 2s`"));
    }
}
