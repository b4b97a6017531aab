//! What makes a generated type a message: who publishes it, under which name and version. Queues and bindings are derived
//! from these constants.

use crate::ServiceName;

/// A type that travels on the topic exchange. Implemented by the build for everything in a `messages.proto`.
pub trait Message: prost::Message + Default + Send + Sync + 'static {
    /// The service that publishes it.
    const PUBLISHER: ServiceName;
    /// The folder below `proto/echo` where it stands; queues are made per consumer and subject.
    const SUBJECT: &'static str;
    /// Its name in snake case.
    const NAME: &'static str;
    /// Its version, from the package name.
    const VERSION: u32;

    /// `<service>.<message>.v<n>`.
    #[must_use]
    fn routing_key() -> String {
        MessageType::of::<Self>().routing_key()
    }
}

/// The constants of a [`Message`] as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType {
    /// The service that publishes it.
    pub publisher: ServiceName,
    /// Its subject.
    pub subject: &'static str,
    /// Its name in snake case.
    pub name: &'static str,
    /// Its version.
    pub version: u32,
}

impl MessageType {
    /// The constants of `M`.
    #[must_use]
    pub const fn of<M: Message>() -> Self {
        Self { publisher: M::PUBLISHER, subject: M::SUBJECT, name: M::NAME, version: M::VERSION }
    }

    /// `<service>.<message>.v<n>`, for example `call-orchestrator.dial_requested.v1`.
    #[must_use]
    pub fn routing_key(&self) -> String {
        format!("{}.{}.v{}", self.publisher, self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_key_names_publisher_message_and_version() {
        assert_eq!(crate::calls::DialRequested::routing_key(), "call-orchestrator.dial_requested.v1");
        assert_eq!(crate::telephony::CallProgressed::routing_key(), "telephony-bridge.call_progressed.v1");
    }

    #[test]
    fn no_two_messages_share_a_routing_key() {
        let mut keys: Vec<_> = crate::catalogue().iter().map(MessageType::routing_key).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }
}
