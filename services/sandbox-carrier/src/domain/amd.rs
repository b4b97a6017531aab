//! Answering-machine detection: the verdict on whoever picked up, and when it is there (Twilio's docs,
//! voice/answering-machine-detection).

use std::time::Duration;

use twilio::call::AnsweredBy;

use super::answer::Answer;
use super::clock::speaking_time;
use super::person::Person;
use super::plan::Hook;

/// What the caller asked of the detection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detection {
    pub(crate) mode: Mode,
    /// No verdict by then means `unknown`.
    pub(crate) timeout: Duration,
    /// First speech longer than this is a machine.
    pub(crate) speech_threshold: Duration,
    /// The silence after speech that makes it complete.
    pub(crate) speech_end: Duration,
    /// Silence for so long from the start means `unknown`.
    pub(crate) silence_timeout: Duration,
    /// Whether the call goes on meanwhile.
    pub(crate) asynchronous: bool,
    /// Where an asynchronous verdict goes.
    pub(crate) callback: Option<Hook>,
}

/// `MachineDetection`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A verdict as soon as there is one.
    Enable,
    /// A machine is told only when its greeting has ended.
    DetectMessageEnd,
}

/// The verdict, and how long after pick-up it is there.
pub(crate) fn verdict(detection: &Detection, person: &Person) -> (AnsweredBy, Duration) {
    let greeting = person.greeting().map(speaking_time);
    let (answered_by, after) = match (person.takes_calls(), greeting) {
        (Answer::Voicemail(machine), _) => match detection.mode {
            Mode::Enable => (AnsweredBy::MachineStart, detection.speech_threshold + detection.speech_end),
            Mode::DetectMessageEnd if machine.beep => (AnsweredBy::MachineEndBeep, machine.greeting_time()),
            Mode::DetectMessageEnd => {
                (AnsweredBy::MachineEndSilence, machine.greeting_time() + detection.speech_end)
            }
        },
        (_, Some(greeting)) => (AnsweredBy::Human, greeting + detection.speech_end),
        (_, None) => (AnsweredBy::Unknown, detection.silence_timeout),
    };
    if after > detection.timeout { (AnsweredBy::Unknown, detection.timeout) } else { (answered_by, after) }
}

#[cfg(test)]
mod tests {
    use super::super::people::People;
    use super::*;
    use std::sync::Arc;

    fn detection(mode: Mode) -> Detection {
        Detection {
            mode,
            timeout: Duration::from_secs(30),
            speech_threshold: Duration::from_millis(2400),
            speech_end: Duration::from_millis(1200),
            silence_timeout: Duration::from_secs(5),
            asynchronous: false,
            callback: None,
        }
    }

    fn person(number: &str) -> Person {
        Person::new(Arc::clone(People::builtin().unwrap().at(number)))
    }

    #[test]
    fn somebody_who_says_hello_is_human() {
        let (answered_by, after) = verdict(&detection(Mode::Enable), &person("+14155552671"));
        assert_eq!((answered_by, after), (AnsweredBy::Human, Duration::from_millis(1600)));
    }

    #[test]
    fn a_machine_is_told_at_once_or_after_its_beep() {
        let machine = person("+14155550107");
        assert_eq!(verdict(&detection(Mode::Enable), &machine).0, AnsweredBy::MachineStart);
        let (answered_by, after) = verdict(&detection(Mode::DetectMessageEnd), &machine);
        assert_eq!(answered_by, AnsweredBy::MachineEndBeep);
        assert!(after > Duration::from_secs(7), "the greeting is played to its end");
    }

    #[test]
    fn a_machine_without_beep_ends_in_silence() {
        let machine = person("+14155550115");
        assert_eq!(verdict(&detection(Mode::DetectMessageEnd), &machine).0, AnsweredBy::MachineEndSilence);
    }

    #[test]
    fn silence_and_a_lack_of_time_give_no_verdict() {
        assert_eq!(verdict(&detection(Mode::Enable), &person("+14155550110")).0, AnsweredBy::Unknown);
        let hasty = Detection { timeout: Duration::from_secs(3), ..detection(Mode::DetectMessageEnd) };
        let (answered_by, after) = verdict(&hasty, &person("+14155550107"));
        assert_eq!((answered_by, after), (AnsweredBy::Unknown, Duration::from_secs(3)));
    }
}
