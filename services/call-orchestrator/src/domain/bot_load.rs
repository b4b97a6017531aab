//! How many calls a caller and a bot may have: whoever rings costs the business money, and nobody asked whether they may.

use super::limits::{BOT_CALLS, BOT_CALLS_OF_CALLER, BOT_CALLS_OF_CALLER_AN_HOUR};

/// The most there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Calls of one caller at the same time.
    pub of_caller: u32,
    /// Calls of one caller in an hour.
    pub of_caller_an_hour: u32,
    /// Calls of one bot at the same time.
    pub of_bot: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            of_caller: BOT_CALLS_OF_CALLER,
            of_caller_an_hour: BOT_CALLS_OF_CALLER_AN_HOUR,
            of_bot: BOT_CALLS,
        }
    }
}

/// What there is, without the call that is asked about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Calls of this caller that are alive.
    pub of_caller: u32,
    /// Calls of this caller in the last hour, those that are alive among them.
    pub of_caller_an_hour: u32,
    /// Calls of this bot that are alive.
    pub of_bot: u32,
}

/// Why one more is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The caller has as many as they may: which limit it is.
    Caller(String),
    /// The bot has as many as it may.
    Bot(u32),
}

/// Decides about one more call.
///
/// # Errors
/// Why there may be none.
pub fn judge(limits: &Limits, load: &Load) -> Result<(), Refusal> {
    if load.of_caller >= limits.of_caller {
        return Err(Refusal::Caller(format!("{} at the same time", limits.of_caller)));
    }
    if load.of_caller_an_hour >= limits.of_caller_an_hour {
        return Err(Refusal::Caller(format!("{} in an hour", limits.of_caller_an_hour)));
    }
    if load.of_bot >= limits.of_bot {
        return Err(Refusal::Bot(limits.of_bot));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_call_that_may_be_is_let_in_and_the_next_is_not() {
        let said = |of_caller, of_caller_an_hour, of_bot| {
            judge(&Limits::default(), &Load { of_caller, of_caller_an_hour, of_bot })
        };
        assert_eq!(said(2, 19, 19), Ok(()));
        assert_eq!(said(3, 3, 3), Err(Refusal::Caller("3 at the same time".to_owned())));
        assert_eq!(said(0, 20, 0), Err(Refusal::Caller("20 in an hour".to_owned())));
        assert_eq!(said(0, 0, 20), Err(Refusal::Bot(20)));
    }
}
