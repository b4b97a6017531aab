//! What the carrier says: whether the account works, whose the number is, where its calls go, and what time it is.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use common::clock::Clock;
use twilio::rest::{Account, AccountKind, AccountStatus, ApiError, Error, PhoneNumber};
use url::Url;

use super::Finding;
use crate::carrier::{Carrier, connections};
use crate::config::{AccountConfig, Config};
use crate::domain::urls::VoiceUrls;

/// Longer than any of the carrier's answers takes.
const WITHIN: Duration = Duration::from_secs(10);
/// A clock that is further off than this makes dates and deadlines wrong.
const CLOCKS_APART: TimeDelta = TimeDelta::seconds(60);

pub(super) async fn look(config: &Config, account: &AccountConfig) -> Vec<Finding> {
    let Ok(http) = connections() else {
        return vec![Finding::wrong("account", "the HTTP client cannot be set up", "")];
    };
    let carrier = match Carrier::new(http.clone(), None, account.clone()) {
        Ok(carrier) => carrier,
        Err(error) => {
            return vec![Finding::wrong("account", error.to_string(), "correct the carrier's address")];
        }
    };
    let mut found = Vec::new();
    match carrier.look_at_account().await {
        Ok(seen) => {
            found.extend(of_account(&seen));
            found.extend(numbers(config, &carrier).await);
        }
        Err(error) => found.push(no_account(&error, account)),
    }
    found.extend(clocks(&http, &account.api).await);
    found
}

fn of_account(account: &Account) -> Vec<Finding> {
    let sid = &account.sid;
    let first = match &account.status {
        Some(AccountStatus::Suspended | AccountStatus::Closed) => {
            let how = "open the account again in Twilio's console, or set another one";
            Finding::wrong("account", format!("Twilio has suspended or closed {sid}"), how)
        }
        _ => Finding::ok("account", format!("{sid} is there, and its token is right")),
    };
    let trial = (account.kind == Some(AccountKind::Trial)).then(|| {
        let seen = "it is a trial account: it rings verified numbers only, and speaks an announcement first";
        Finding::note("account", seen, "upgrade it in Twilio's console to ring anybody")
    });
    [Some(first), trial].into_iter().flatten().collect()
}

fn no_account(error: &Error, account: &AccountConfig) -> Finding {
    let api = &account.api;
    match error {
        Error::Api(ApiError { status: 401 | 403, .. }) => Finding::wrong(
            "account",
            format!("{} and its token are refused together", account.sid),
            "copy both from Twilio's console (Account Info): the account's own primary token, no API key",
        ),
        Error::Api(error) if error.is_not_found() => Finding::wrong(
            "account",
            format!("{} is no account that is known at {api}", account.sid),
            "correct ECHO_TWILIO_ACCOUNT_SID",
        ),
        Error::Api(error) => Finding::wrong("account", error.to_string(), "try again in a minute"),
        other => Finding::wrong(
            "account",
            format!("{api} gives no useful answer: {other}"),
            "let this machine reach that address; with the sandbox, start it",
        ),
    }
}

async fn numbers(config: &Config, carrier: &Carrier) -> Vec<Finding> {
    let from = &carrier.account.from;
    match carrier.number(from).await {
        Ok(Some(number)) => of_number(from, &number, &VoiceUrls::new(&config.voice_url)),
        Ok(None) => {
            let how = "set ECHO_TWILIO_FROM to a number that Twilio's console lists under this account";
            vec![Finding::wrong("number", format!("{from} is none of the account's numbers"), how)]
        }
        Err(error) => {
            vec![Finding::wrong("number", format!("{from} could not be looked at: {error}"), "try again")]
        }
    }
}

fn of_number(from: &str, number: &PhoneNumber, urls: &VoiceUrls) -> Vec<Finding> {
    let voice =
        number.capabilities.voice != Some(false) && number.voice_receive_mode.as_deref() != Some("fax");
    if !voice {
        let how = "set ECHO_TWILIO_FROM to a number that can, or its receive mode to voice";
        return vec![Finding::wrong("number", format!("{from} cannot make voice calls"), how)];
    }
    vec![
        Finding::ok("number", format!("{from} is the account's, and makes voice calls")),
        incoming(number, urls),
    ]
}

/// Where calls to the number go.
fn incoming(number: &PhoneNumber, urls: &VoiceUrls) -> Finding {
    const WHAT: &str = "incoming calls";
    let ours = without_fragment(&urls.inbound());
    let how = format!(
        "set the number's voice URL to {ours} and its status callback to {}, both POST",
        without_fragment(&urls.inbound_status())
    );
    if let Some(trunk) = &number.trunk_sid {
        return Finding::wrong(
            WHAT,
            format!("they go to the SIP trunk {trunk}"),
            format!("take the number out of it, then {how}"),
        );
    }
    if let Some(application) = &number.voice_application_sid {
        return Finding::wrong(
            WHAT,
            format!("they go to the application {application}"),
            format!("clear it, then {how}"),
        );
    }
    let goes = number.voice_url.as_deref().map(without_fragment).unwrap_or_default();
    if goes.is_empty() {
        return Finding::wrong(WHAT, "they go nowhere: who rings back hears nothing of Echo", how);
    }
    // With a bot's id behind it, a bot answers.
    if goes != ours && !goes.starts_with(&format!("{ours}?bot_id=")) {
        return Finding::wrong(WHAT, format!("they go to {goes}, which is not this Echo"), how);
    }
    if number.voice_method == Some(twilio::HttpMethod::Get) {
        return Finding::wrong(WHAT, "they come here with GET, which is not answered", how);
    }
    if number.status_callback.is_none() {
        return Finding::note(
            WHAT,
            format!("they go to {goes}; their end is not reported and has to be asked for"),
            how,
        );
    }
    Finding::ok(WHAT, format!("they go to {goes}"))
}

fn without_fragment(url: &str) -> String {
    url.split('#').next().unwrap_or_default().to_owned()
}

/// Any answer has the carrier's time in it. One that does not come was told of before.
async fn clocks(http: &reqwest::Client, api: &Url) -> Option<Finding> {
    let answer = http.get(api.clone()).timeout(WITHIN).send().await.ok()?;
    let theirs = answer.headers().get(reqwest::header::DATE)?.to_str().ok()?;
    let theirs = DateTime::parse_from_rfc2822(theirs).ok()?.to_utc();
    Some(of_clocks(Clock::system().now(), theirs))
}

fn of_clocks(ours: DateTime<Utc>, theirs: DateTime<Utc>) -> Finding {
    let apart = (ours - theirs).abs();
    let seconds = apart.num_seconds();
    if apart > CLOCKS_APART {
        let which = if ours > theirs { "ahead of" } else { "behind" };
        let seen = format!("this machine's is {seconds} s {which} the carrier's");
        return Finding::wrong("clock", seen, "let this machine set its clock by NTP");
    }
    Finding::ok("clock", "it goes with the carrier's")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn clocks_may_be_a_minute_apart() {
        assert_eq!(of_clocks(at(60), at(0)).verdict, Verdict::Ok);
        let ahead = of_clocks(at(61), at(0));
        assert!(ahead.verdict == Verdict::Wrong && ahead.seen.contains("61 s ahead"), "{ahead:?}");
        let behind = of_clocks(at(0), at(3_600));
        assert!(behind.verdict == Verdict::Wrong && behind.seen.contains("3600 s behind"), "{behind:?}");
    }
}
