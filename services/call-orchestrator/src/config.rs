//! This service's settings: which model speaks, how long what it calls may take, and where phones may be rung.

use std::time::Duration;

use common::config::{ConfigError, Settings};
use llm::Model;

use crate::domain::bot_load::Limits;
use crate::domain::countries::Countries;
use crate::domain::limits::SEARCH_DEADLINE_MS;

/// Settings of the orchestrator.
pub(crate) struct Config {
    /// Who speaks and reads results out of what was said.
    pub(crate) model: Model,
    /// Where phones may be rung.
    pub(crate) countries: Countries,
    /// How long a tool may take.
    pub(crate) tool_deadline: Duration,
    /// How long documents may take.
    pub(crate) search_deadline: Duration,
    /// How many calls bots take.
    pub(crate) bot_limits: Limits,
}

impl Config {
    pub(crate) fn load(settings: &Settings) -> Result<Self, ConfigError> {
        let countries = Countries::new(settings.list("ECHO_ALLOWED_COUNTRIES")?);
        let (tool_deadline, search_deadline) = (tool_deadline(settings)?, search_deadline(settings)?);
        let bot_limits = bot_limits(settings)?;
        Ok(Self { model: Model::load(settings)?, countries, tool_deadline, search_deadline, bot_limits })
    }
}

fn bot_limits(settings: &Settings) -> Result<Limits, ConfigError> {
    let usual = Limits::default();
    let most = |name: &'static str, usual: u32| match settings.get(name, usual)? {
        most @ 1..=10_000 => Ok(most),
        _ => Err(ConfigError::new(name, "must be between 1 and 10000 calls".to_owned())),
    };
    Ok(Limits {
        of_caller: most("ECHO_BOT_CALLER_LIVE_CALLS", usual.of_caller)?,
        of_caller_an_hour: most("ECHO_BOT_CALLER_HOURLY_CALLS", usual.of_caller_an_hour)?,
        of_bot: most("ECHO_BOT_LIVE_CALLS", usual.of_bot)?,
    })
}

/// Within what the dispatcher takes, and what a caller bears.
fn tool_deadline(settings: &Settings) -> Result<Duration, ConfigError> {
    let name = "ECHO_TOOL_DEADLINE_MS";
    match settings.get(name, 3_000_u64)? {
        milliseconds @ 100..=10_000 => Ok(Duration::from_millis(milliseconds)),
        _ => Err(ConfigError::new(name, "must be between 100 and 10000 milliseconds".to_owned())),
    }
}

/// Whoever has asked hears it as silence.
fn search_deadline(settings: &Settings) -> Result<Duration, ConfigError> {
    let name = "ECHO_SEARCH_DEADLINE_MS";
    match settings.get(name, SEARCH_DEADLINE_MS)? {
        milliseconds @ 10..=10_000 => Ok(Duration::from_millis(milliseconds)),
        _ => Err(ConfigError::new(name, "must be between 10 and 10000 milliseconds".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_of_no_country_stops_the_start_and_is_named() {
        let load = |codes| Config::load(&Settings::from_pairs([("ECHO_ALLOWED_COUNTRIES", codes)]));
        let error = load("US,UK").err().unwrap();
        assert_eq!(error.name, "ECHO_ALLOWED_COUNTRIES");
        assert_eq!(error.problem, "`UK` cannot be used: is no ISO country code, such as US");
        assert!(!load(" gb , US ").unwrap().countries.allow("+4930901820"));
        assert!(load("").unwrap().countries.allow("+4930901820"));
    }
}
