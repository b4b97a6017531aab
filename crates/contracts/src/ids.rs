//! One id type per noun. Ids are UUIDv7, made by the program: they sort by the time they were made. A bot's and an
//! app's are written in a form of their own ([`BotId`], [`AppId`]).

mod coded;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use coded::{AppId, BotId};

/// A text that is no id where one was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {noun} id: expected one such as {}", example(noun))]
pub struct BadId {
    noun: &'static str,
    text: String,
}

impl BadId {
    /// With as much of the text as can be shown.
    fn of(noun: &'static str, text: &str) -> Self {
        Self { noun, text: text.chars().take(64).collect() }
    }
}

/// What an id looks like.
fn example(noun: &str) -> &'static str {
    match noun {
        AppId::NOUN => "app_2Wm7cTrNp5xKd9JvHs4B",
        BotId::NOUN => "bot_4Zk9mUqQh8vYw2XnRt3L",
        _ => "8cc6199f-9466-46f2-9db7-936f3c2c1c0b",
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $noun:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id that sorts after the ones made before it.
            #[must_use]
            pub fn new() -> Self { Self(Uuid::now_v7()) }
            /// The noun that this id stands for, as error texts say it.
            pub const NOUN: &'static str = $noun;
        }

        impl Default for $name {
            fn default() -> Self { Self::new() }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Uuid::parse_str(text).map(Self)
                    .map_err(|_| BadId::of($noun, text))
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Uuid { id.0 }
        }
    )*};
}

ids! {
    /// A person with a password.
    UserId = "user";
    /// A top-level account.
    BusinessId = "business";
    /// An isolated environment of a business: the tenant of almost every row.
    ProjectId = "project";
    /// A key of a project.
    ApiKeyId = "API key";
    /// A key of an app.
    AppKeyId = "app key";
    /// A reusable voice persona.
    AgentId = "agent";
    /// A person who may be rung.
    CustomerId = "customer";
    /// A number of a customer.
    PhoneId = "phone";
    /// One requested conversation.
    NotificationId = "notification";
    /// One call made for a notification.
    CallId = "call";
    /// One wish to dial; stands in every callback URL.
    AttemptId = "dial attempt";
    /// A carrier account that a project has connected.
    CarrierId = "carrier";
    /// A place that receives events.
    EndpointId = "webhook endpoint";
    /// One event to one endpoint.
    DeliveryId = "delivery";
    /// One occurrence that webhooks tell of.
    EventId = "event";
    /// A document that an app knows.
    SourceId = "source";
    /// A message on the bus.
    MessageId = "message";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        let id = CallId::new();
        assert_eq!(id.to_string().parse::<CallId>(), Ok(id));
    }

    #[test]
    fn a_bad_id_is_named_with_its_noun() {
        let problem = "abc".parse::<AgentId>().unwrap_err().to_string();
        assert!(problem.starts_with("`abc` is no agent id"), "{problem}");
    }
}
