//! The broker's names as the client library wants them: within the namespace and at most 255 bytes long.

use std::time::Duration;

use contracts::ServiceName;
use lapin::types::ShortString;

use crate::bus::topology::{self, Namespace};
use crate::config::ConfigError;

/// AMQP allows 255 bytes for a name; the longest of ours has about 60 after the namespace.
const LONGEST_NAMESPACE: usize = 100;

/// Makes names.
#[derive(Clone)]
pub(super) struct Names(Namespace);

impl Names {
    pub(super) fn new(namespace: Namespace) -> Result<Self, ConfigError> {
        if namespace.0.len() > LONGEST_NAMESPACE {
            return Err(ConfigError::new("ECHO_AMQP_NAMESPACE", "at most 100 characters"));
        }
        Ok(Self(namespace))
    }

    /// Any name that is not one of the others.
    pub(super) fn of(&self, name: &str) -> ShortString {
        short(&self.0.name(name))
    }

    pub(super) fn events(&self) -> ShortString {
        self.of(topology::EVENTS)
    }

    pub(super) fn rpc(&self) -> ShortString {
        self.of(topology::RPC)
    }

    pub(super) fn give_back(&self) -> ShortString {
        self.of(topology::RETURN)
    }

    pub(super) fn retry_exchange(&self, tier: Duration) -> ShortString {
        self.of(&topology::retry_exchange(tier))
    }

    pub(super) fn retry_queue(&self, tier: Duration) -> ShortString {
        self.of(&topology::retry_queue(tier))
    }

    pub(super) fn dead_queue(&self, service: ServiceName) -> ShortString {
        self.of(&topology::dead_queue(service))
    }

    pub(super) fn rpc_queue(&self, service: ServiceName) -> ShortString {
        self.of(&topology::rpc_queue(service))
    }
}

/// Cut at 255 bytes: the library's own conversion ends the thread instead.
pub(super) fn short(text: &str) -> ShortString {
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    ShortString::try_new(text.get(..end).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_is_cut_between_characters() {
        assert_eq!(short("échо").as_str(), "échо");
        assert_eq!(short(&"é".repeat(200)).as_str().len(), 254);
    }
}
