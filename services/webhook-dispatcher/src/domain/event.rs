//! The events that an endpoint may ask for, and one occurrence of them, ready to be delivered.

use contracts::ids::{CustomerId, EventId, ProjectId};

/// A kind of event, by its public name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventName {
    /// A call was answered.
    Started,
    /// A call that was dialled is over.
    Ended,
    /// A notification is over.
    Summary,
    /// Somebody wants to know whether an endpoint works.
    Test,
    /// A bot has something done while its caller waits: asked of the bot's webhook only.
    BotAction,
    /// A call that a bot answered is over: told to the bot's webhook only.
    BotCompleted,
}

/// Why a list of events cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEvents {
    /// The list is empty.
    #[error("name at least one of call.started, call.ended, call.summary")]
    None,
    /// One of them does not exist.
    #[error("there is no event `{0}`: use call.started, call.ended, call.summary")]
    Unknown(String),
}

impl EventName {
    /// Those that an endpoint may ask for.
    const WANTED: [Self; 3] = [Self::Started, Self::Ended, Self::Summary];
    /// Those that the endpoints of projects are sent.
    pub(crate) const ALL: [Self; 4] = [Self::Started, Self::Ended, Self::Summary, Self::Test];
    /// Those that the webhooks of bots are sent.
    pub(crate) const OF_BOTS: [Self; 2] = [Self::BotAction, Self::BotCompleted];

    /// The public name.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "call.started",
            Self::Ended => "call.ended",
            Self::Summary => "call.summary",
            Self::Test => "webhook.test",
            Self::BotAction => "bot.action",
            Self::BotCompleted => "bot.completed",
        }
    }

    /// The event of an endpoint with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// Reads what an endpoint asks for: at least one, each once, in the order in which they were named.
    pub(crate) fn list<S: AsRef<str>>(names: &[S]) -> Result<Vec<Self>, BadEvents> {
        let mut wanted = Vec::new();
        for name in names {
            let name = name.as_ref();
            let found = Self::WANTED.into_iter().find(|event| event.as_str() == name);
            let event = found.ok_or_else(|| BadEvents::Unknown(name.chars().take(64).collect()))?;
            if !wanted.contains(&event) {
                wanted.push(event);
            }
        }
        if wanted.is_empty() { Err(BadEvents::None) } else { Ok(wanted) }
    }
}

/// Something that happened in a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// The tenant.
    pub(crate) project: ProjectId,
    /// The same in every delivery and attempt.
    pub(crate) id: EventId,
    /// What happened.
    pub(crate) name: EventName,
    /// Whose data is in it.
    pub(crate) customer: Option<CustomerId>,
    /// The body of every attempt.
    pub(crate) payload: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_twice_is_wanted_once() {
        let wanted = EventName::list(&["call.summary", "call.ended", "call.summary"]);
        assert_eq!(wanted, Ok(vec![EventName::Summary, EventName::Ended]));
    }

    #[test]
    fn a_test_is_an_event_that_nobody_asks_for() {
        assert!(EventName::list(&["webhook.test"]).is_err());
        assert_eq!(EventName::parse("webhook.test"), Some(EventName::Test));
    }

    #[test]
    fn an_unknown_event_is_named_with_those_that_exist() {
        let problem = EventName::list(&["call.sumary"]).unwrap_err().to_string();
        assert_eq!(problem, "there is no event `call.sumary`: use call.started, call.ended, call.summary");
        assert_eq!(EventName::list::<&str>(&[]), Err(BadEvents::None));
    }
}
