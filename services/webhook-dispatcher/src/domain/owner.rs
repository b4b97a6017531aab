//! In whose name requests into users' systems are signed: an agent or a bot of a business.

use contracts::ids::{BotId, BusinessId};

/// Longest id, in bytes.
const LONGEST: usize = 64;

/// An agent (UUID) or a bot (`bot_…`) of a business.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    /// The tenant.
    pub(crate) business: BusinessId,
    id: String,
}

/// A text that is no id of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of an agent or a bot: 1 to {LONGEST} letters, digits, hyphens and underscores")]
pub(crate) struct BadOwner;

impl Owner {
    /// Reads the id.
    pub(crate) fn parse(business: BusinessId, id: &str) -> Result<Self, BadOwner> {
        let plain = id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if id.is_empty() || id.len() > LONGEST || !plain {
            return Err(BadOwner);
        }
        Ok(Self { business, id: id.to_owned() })
    }

    /// Whether it is a bot.
    pub(crate) fn is_bot(&self) -> bool {
        self.id.parse::<BotId>().is_ok()
    }

    /// Its id.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_and_bots_own_targets_and_nothing_else_does() {
        let business = BusinessId::new();
        for id in ["8cc6199f-9466-46f2-9db7-936f3c2c1c0b", "bot_4Zk9mUqQh8vYw2XnRt3L"] {
            assert_eq!(Owner::parse(business, id).unwrap().id(), id);
        }
        for id in ["", "a b", "a:b", "ä", &"a".repeat(65)] {
            assert_eq!(Owner::parse(business, id), Err(BadOwner), "{id}");
        }
    }
}
