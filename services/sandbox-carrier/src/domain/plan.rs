//! What a caller wants to happen with a leg: whom to tell, what to play, how long to ring.

use std::time::Duration;

use twilio::HttpMethod;
use twilio::call::CallStatus;

use super::amd::Detection;

/// A URL that is requested, and how. The URL is kept as it was given, fragment included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) method: HttpMethod,
}

/// Where a document comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// It is requested.
    Fetch(Hook),
    /// It was given.
    Inline(String),
}

/// The four moments of a call that somebody can ask to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Events {
    pub(crate) initiated: bool,
    pub(crate) ringing: bool,
    pub(crate) answered: bool,
    pub(crate) completed: bool,
}

impl Events {
    /// What is sent when nothing was asked for.
    pub(crate) const COMPLETED: Events =
        Events { initiated: false, ringing: false, answered: false, completed: true };

    /// The events of these words; `completed` alone if there are none, unknown words are ignored.
    pub(crate) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Events {
        let words: Vec<&str> = words.collect();
        if words.is_empty() {
            return Events::COMPLETED;
        }
        Events {
            initiated: words.contains(&"initiated"),
            ringing: words.contains(&"ringing"),
            answered: words.contains(&"answered"),
            completed: words.contains(&"completed"),
        }
    }

    /// Whether a call that enters `status` is told.
    pub(crate) fn include(self, status: &CallStatus) -> bool {
        match status {
            CallStatus::Initiated => self.initiated,
            CallStatus::Ringing => self.ringing,
            CallStatus::InProgress => self.answered,
            status => self.completed && status.is_terminal(),
        }
    }
}

/// The whole wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The first document; none on the second leg of a `<Dial>`.
    pub(crate) source: Option<Source>,
    /// Where to turn when a document cannot be had.
    pub(crate) fallback: Option<Hook>,
    /// Who hears of the call's life.
    pub(crate) status: Option<Hook>,
    pub(crate) events: Events,
    /// How long it rings at most.
    pub(crate) timeout: Duration,
    /// How long the conversation lasts at most.
    pub(crate) time_limit: Duration,
    pub(crate) detection: Option<Detection>,
    /// It is recorded from the moment when somebody picks up.
    pub(crate) recording: Option<Recording>,
}

/// A recording of a whole call, and who is told when it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recording {
    /// Twilio's word for what asked for it.
    pub(crate) source: &'static str,
    pub(crate) callback: Option<Hook>,
}

/// A call that was created to be recorded.
pub(crate) const CREATED: &str = "OutboundAPI";

/// Whether somebody who asked for these events of a recording hears that it is there; without any, they do.
pub(crate) fn hears_of_completion<'a>(events: impl Iterator<Item = &'a str>) -> bool {
    let events: Vec<&str> = events.collect();
    events.is_empty() || events.contains(&"completed")
}

/// Twilio's longest call.
pub(crate) const LONGEST_CALL: Duration = Duration::from_secs(14_400);

impl Plan {
    /// The value of the query parameter `attempt` in the document's URL, else in the callback's: the
    /// caller's own name for this try, by which its rings are counted.
    pub(crate) fn attempt(&self) -> Option<String> {
        let document = match &self.source {
            Some(Source::Fetch(hook)) => Some(hook),
            _ => None,
        };
        document.into_iter().chain(&self.status).find_map(|hook| attempt_in(&hook.url))
    }
}

fn attempt_in(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    url.query_pairs().find(|(name, _)| name == "attempt").map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_choice_only_the_end_is_told() {
        let events = Events::of(std::iter::empty());
        assert!(events.include(&CallStatus::NoAnswer));
        assert!(!events.include(&CallStatus::Ringing));
    }

    #[test]
    fn of_a_recording_its_completion_is_told_unless_something_else_was_chosen() {
        for (events, told) in [(vec![], true), (vec!["absent"], false), (vec!["absent", "completed"], true)] {
            assert_eq!(hears_of_completion(events.into_iter()), told);
        }
    }

    #[test]
    fn answered_is_told_as_in_progress() {
        let events = Events::of(["answered"].into_iter());
        assert!(events.include(&CallStatus::InProgress));
        assert!(!events.include(&CallStatus::Completed));
    }

    #[test]
    fn the_attempt_is_read_from_the_document_s_url_or_the_callback_s() {
        let hook = |url: &str| Hook { url: url.to_owned(), method: HttpMethod::Post };
        let mut plan = Plan {
            source: Some(Source::Fetch(hook("http://h/v1/voice?attempt=a1&turn=0#rc=2"))),
            fallback: None,
            status: Some(hook("http://h/v1/voice-status?attempt=a2")),
            events: Events::COMPLETED,
            timeout: Duration::from_secs(60),
            time_limit: LONGEST_CALL,
            detection: None,
            recording: None,
        };
        assert_eq!(plan.attempt().as_deref(), Some("a1"));
        plan.source = Some(Source::Inline(String::new()));
        assert_eq!(plan.attempt().as_deref(), Some("a2"));
    }
}
