//! `check`: tells a person in plain words what is wrong with the carrier's set-up, and what to do. It reads settings, asks the
//! carrier, and asks the running bridge as the carrier would; it changes nothing and rings nobody.

mod address;
mod carrier;
mod screen;

use common::config::Settings;
use common::runtime::{ExtraCommand, StartError};

use crate::config::Config;

/// The command.
pub const CHECK: ExtraCommand = ExtraCommand {
    name: "check",
    about: "Say what is wrong with the Twilio set-up: account, number, public address, signatures, clock",
    help: "Looks at the account of the settings (ECHO_TWILIO_*, or ECHO_SANDBOX_* with ECHO_CARRIER=sandbox), at its number, \
           at ECHO_VOICE_URL as Twilio would reach it, and asks the running Echo there whether it believes a request that is \
           signed with the account's token. It changes nothing and rings nobody.\n\n\
           Each line begins with `ok`, `note` (worth knowing) or `wrong`; behind `→` stands what to do. Start Echo first: a \
           bridge that does not run cannot be asked.\n\n\
           Exit codes: 0 when all is well, 1 when something is wrong, 2 for a command line or a file that cannot be read.",
    run: |_, settings| Box::pin(run(settings)),
};

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// It has to be put right.
    Wrong,
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which thing, in one or two words.
    pub what: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen.
    pub seen: String,
    /// What to do; empty where there is nothing to do.
    pub to_do: String,
}

impl Finding {
    fn ok(what: &'static str, seen: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Ok, seen: seen.into(), to_do: String::new() }
    }

    fn note(what: &'static str, seen: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Note, seen: seen.into(), to_do: to_do.into() }
    }

    fn wrong(what: &'static str, seen: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Wrong, seen: seen.into(), to_do: to_do.into() }
    }
}

async fn run(settings: Settings) -> Result<(), StartError> {
    let findings = findings(&settings).await;
    screen::show(&findings)?;
    let wrong = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    match wrong {
        0 => Ok(()),
        1 => Err(StartError::Unwell("one thing is wrong".to_owned())),
        many => Err(StartError::Unwell(format!("{many} things are wrong"))),
    }
}

/// Everything that can be found out with these settings, in the order in which it is best put right.
pub async fn findings(settings: &Settings) -> Vec<Finding> {
    let config = match Config::load(settings) {
        Ok(config) => config,
        Err(error) => {
            let how = "correct that setting; `--print-config` shows where each one comes from";
            return vec![Finding::wrong("settings", error.to_string(), how)];
        }
    };
    let Some(account) = config.operator.clone() else {
        let seen = "no account is set: no call can be placed for projects without one of their own";
        let how = "set ECHO_TWILIO_ACCOUNT_SID, ECHO_TWILIO_AUTH_TOKEN and ECHO_TWILIO_FROM, or ECHO_CARRIER=sandbox";
        let mut found = vec![Finding::wrong("account", seen, how)];
        found.extend(address::look(&config, None).await);
        return found;
    };
    let mut found = carrier::look(&config, &account).await;
    found.extend(address::look(&config, Some(&account)).await);
    found
}
