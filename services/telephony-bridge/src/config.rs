//! This service's settings: how the carrier is reached and how it reaches us.

use std::time::Duration;

use chrono::TimeDelta;
use common::config::{ConfigError, Secret, Settings};
use twilio::AccountSid;
use twilio::rest::Client;
use url::{Host, Url};

use crate::domain::deadlines::Deadlines;

/// Which carrier, and how fast.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// How the carrier reaches the voice paths.
    pub(crate) voice_url: String,
    /// The account of projects that have none of their own, as `ECHO_CARRIER` says; absent when none is set.
    pub(crate) operator: Option<AccountConfig>,
    /// The account of projects that have chosen the sandbox; absent where there is no sandbox carrier.
    pub(crate) sandbox: Option<AccountConfig>,
    /// Where the REST API of the projects' own accounts is.
    pub(crate) twilio_api: Url,
    /// Whether that API is Twilio's own, which cannot reach our voice paths on this machine.
    pub(crate) out_of_twilios_reach: bool,
    /// Whether signatures are checked. Off for development only.
    pub(crate) signatures: bool,
    /// How long the carrier waits for an answer of ours.
    pub(crate) deadlines: Deadlines,
    /// A call that has not been heard of for this long is asked about.
    pub(crate) check_after: TimeDelta,
    /// A call that may have been dialled is looked for this long; then its outcome is reported as unknown.
    pub(crate) evidence_within: TimeDelta,
}

/// An account with the carrier.
#[derive(Clone, Debug)]
pub(crate) struct AccountConfig {
    pub(crate) sid: AccountSid,
    pub(crate) auth_token: Secret,
    /// The number that calls come from.
    pub(crate) from: String,
    pub(crate) api: Url,
    /// The pause between two calls.
    pub(crate) between_calls: TimeDelta,
}

/// What an account's settings are called.
struct Names {
    sid: &'static str,
    token: &'static str,
    from: &'static str,
    api: &'static str,
}

const SANDBOX: Names = Names {
    sid: "ECHO_SANDBOX_ACCOUNT_SID",
    token: "ECHO_SANDBOX_AUTH_TOKEN",
    from: "ECHO_SANDBOX_NUMBER",
    api: "ECHO_SANDBOX_URL",
};
const OPERATOR: Names = Names {
    sid: "ECHO_TWILIO_ACCOUNT_SID",
    token: "ECHO_TWILIO_AUTH_TOKEN",
    from: "ECHO_TWILIO_FROM",
    api: "ECHO_TWILIO_API_URL",
};

impl Config {
    pub(crate) fn load(settings: &Settings) -> Result<Self, ConfigError> {
        let http = settings.get("ECHO_HTTP_ADDR", "127.0.0.1:8080".to_owned())?;
        let public = settings.get("ECHO_PUBLIC_URL", format!("http://{http}"))?;
        let voice_url = settings.get("ECHO_VOICE_URL", public)?;
        let reachable_at = voice_address(&voice_url)?;
        let twilio_api = address(OPERATOR.api, &settings.get(OPERATOR.api, Client::TWILIO.to_owned())?)?;
        let out_of_twilios_reach = is_twilios_own(&twilio_api) && on_this_machine(&reachable_at);
        let (operator, sandbox) = match settings.get("ECHO_CARRIER", "twilio".to_owned())?.as_str() {
            "sandbox" => {
                let sandbox = sandbox(settings, calls_per_second(settings, SANDBOX_PACE)?)?;
                // Whoever chooses the sandbox has a carrier.
                let sandbox = sandbox.ok_or_else(|| missing(SANDBOX.sid, "ECHO_CARRIER=sandbox"))?;
                (Some(sandbox.clone()), Some(sandbox))
            }
            "twilio" => {
                let operator = operator(settings, &twilio_api)?;
                if operator.is_some() && out_of_twilios_reach {
                    let how = "set it to an address on the public internet";
                    let how = format!("Twilio cannot reach {reachable_at}; {how}");
                    return Err(ConfigError::new("ECHO_VOICE_URL", how));
                }
                (operator, sandbox(settings, pause(SANDBOX_PACE))?)
            }
            other => return Err(ConfigError::new("ECHO_CARRIER", format!("`{other}`: sandbox or twilio"))),
        };
        Ok(Self {
            voice_url,
            operator,
            sandbox,
            twilio_api,
            out_of_twilios_reach,
            signatures: signatures(settings)?,
            deadlines: deadlines(settings)?,
            check_after: seconds(settings, "ECHO_CARRIER_CHECK_SECONDS", (30, 1))?,
            evidence_within: seconds(settings, "ECHO_CARRIER_EVIDENCE_SECONDS", (180, 30))?,
        })
    }
}

/// The carrier is given this address with a path behind it, and signs it as it stands.
fn voice_address(text: &str) -> Result<Url, ConfigError> {
    let wrong = |why: &str| {
        let how = format!("`{text}` {why}; it should look like https://echo.example.com");
        ConfigError::new("ECHO_VOICE_URL", how)
    };
    let url = Url::parse(text).map_err(|_| wrong("is no address with a scheme"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(wrong("has more than scheme, host, port and path"));
    }
    if url.host_str().is_some_and(|host| host.contains('_')) {
        return Err(wrong("has an underscore in its host name, which Twilio refuses"));
    }
    Ok(url)
}

fn signatures(settings: &Settings) -> Result<bool, ConfigError> {
    match settings.get("ECHO_TWILIO_SIGNATURES", "on".to_owned())?.as_str() {
        "on" => Ok(true),
        "off" => {
            tracing::warn!(
                "ECHO_TWILIO_SIGNATURES=off: anybody can speak for the carrier; for development only"
            );
            Ok(false)
        }
        other => Err(ConfigError::new("ECHO_TWILIO_SIGNATURES", format!("`{other}`: on or off"))),
    }
}

/// Shorter, and a busy machine says nothing but fillers; longer, and Twilio gives up after its fifteen seconds.
fn deadlines(settings: &Settings) -> Result<Deadlines, ConfigError> {
    let name = "ECHO_CARRIER_ANSWER_MS";
    let milliseconds = settings.get(name, 2_000)?;
    if (1_000..=12_000).contains(&milliseconds) {
        Ok(Deadlines::of(Duration::from_millis(milliseconds)))
    } else {
        Err(ConfigError::new(name, format!("`{milliseconds}`: a number from 1000 to 12000")))
    }
}

/// So many seconds; an hour at most.
fn seconds(
    settings: &Settings,
    name: &'static str,
    (default, least): (i64, i64),
) -> Result<TimeDelta, ConfigError> {
    let seconds = settings.get(name, default)?;
    if (least..=3600).contains(&seconds) {
        Ok(TimeDelta::seconds(seconds))
    } else {
        Err(ConfigError::new(name, format!("`{seconds}`: a number from {least} to 3600")))
    }
}

fn sandbox(settings: &Settings, between_calls: TimeDelta) -> Result<Option<AccountConfig>, ConfigError> {
    let here = settings.get("ECHO_SANDBOX_ADDR", "127.0.0.1:8089".to_owned())?;
    let api = address(SANDBOX.api, &settings.get(SANDBOX.api, format!("http://{here}"))?)?;
    let from = settings.get(SANDBOX.from, "+15005550006".to_owned())?;
    account(settings, &SANDBOX, &from, api, between_calls)
}

fn operator(settings: &Settings, api: &Url) -> Result<Option<AccountConfig>, ConfigError> {
    let from = settings.get(OPERATOR.from, String::new())?;
    account(settings, &OPERATOR, &from, api.clone(), calls_per_second(settings, TWILIO_PACE)?)
}

fn account(
    settings: &Settings,
    names: &Names,
    from: &str,
    api: Url,
    between_calls: TimeDelta,
) -> Result<Option<AccountConfig>, ConfigError> {
    let sid: Option<String> = settings.optional(names.sid)?;
    let token = settings.secret(names.token);
    let (sid, auth_token) = match (sid, token) {
        (None, None) => return Ok(None),
        (Some(sid), Some(token)) => (sid, token),
        (Some(_), None) => return Err(missing(names.token, names.sid)),
        (None, Some(_)) => return Err(missing(names.sid, names.token)),
    };
    if !is_e164(from) {
        let how = format!("`{from}`: the number that calls come from, in E.164, such as +15005550006");
        return Err(ConfigError::new(names.from, how));
    }
    let sid = sid.parse().map_err(|e| ConfigError::new(names.sid, format!("{e}")))?;
    Ok(Some(AccountConfig { sid, auth_token, from: from.to_owned(), api, between_calls }))
}

fn address(name: &'static str, text: &str) -> Result<Url, ConfigError> {
    text.parse().map_err(|e| ConfigError::new(name, format!("`{text}`: {e}")))
}

fn missing(name: &'static str, beside: &str) -> ConfigError {
    ConfigError::new(name, format!("required beside {beside}"))
}

/// How fast Twilio lets an account dial that has agreed on nothing else, calls a second.
const TWILIO_PACE: f64 = 1.0;
/// How fast the sandbox's account dials: nobody shall wait for it.
const SANDBOX_PACE: f64 = 1000.0;

/// The pause between two calls of the account that `ECHO_CARRIER` names.
fn calls_per_second(settings: &Settings, default: f64) -> Result<TimeDelta, ConfigError> {
    let calls = settings.get("ECHO_CALLS_PER_SECOND", default)?;
    if !(0.01..=10_000.0).contains(&calls) {
        let how = format!("`{calls}`: a number from 0.01 to 10000");
        return Err(ConfigError::new("ECHO_CALLS_PER_SECOND", how));
    }
    Ok(pause(calls))
}

/// From calls a second (0.01 to 10000) to the pause between two.
pub(crate) fn pause(calls_per_second: f64) -> TimeDelta {
    TimeDelta::from_std(Duration::from_secs_f64(1.0 / calls_per_second)).unwrap_or(TimeDelta::MAX)
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

pub(crate) fn is_twilios_own(api: &Url) -> bool {
    api.host_str().is_some_and(|host| host == "twilio.com" || host.ends_with(".twilio.com"))
}

fn on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "AC0123456789abcdef0123456789abcdef";
    const TWILIO: [(&str, &str); 3] = [
        ("ECHO_TWILIO_ACCOUNT_SID", SID),
        ("ECHO_TWILIO_AUTH_TOKEN", "top-secret"),
        ("ECHO_TWILIO_FROM", "+15005550006"),
    ];

    fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(&Settings::from_pairs(pairs.iter().copied()))
    }

    /// The operator's account at Twilio, with `changed` settings; an empty value takes one away.
    fn with_twilio(changed: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let public = ("ECHO_VOICE_URL", "https://echo.example.com");
        load(&TWILIO.into_iter().chain([public]).chain(changed.iter().copied()).collect::<Vec<_>>())
    }

    fn blamed(result: Result<Config, ConfigError>) -> String {
        result.expect_err("refused").name
    }

    #[test]
    fn without_an_account_the_service_starts_and_has_none() {
        let config = load(&[]).unwrap();
        assert!(config.operator.is_none() && config.signatures);
        assert_eq!(config.voice_url, "http://127.0.0.1:8080");
    }

    #[test]
    fn twilios_own_api_is_refused_an_address_on_this_machine() {
        for address in [
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:80",
            "http://0.0.0.0",
            "http://127.9.9.9",
        ] {
            assert_eq!(blamed(with_twilio(&[("ECHO_VOICE_URL", address)])), "ECHO_VOICE_URL", "{address}");
            let explicit =
                [("ECHO_VOICE_URL", address), ("ECHO_TWILIO_API_URL", "https://api.dublin.ie1.twilio.com")];
            assert_eq!(blamed(with_twilio(&explicit)), "ECHO_VOICE_URL", "{address}");
        }
        assert_eq!(
            blamed(with_twilio(&[("ECHO_VOICE_URL", "")])),
            "ECHO_VOICE_URL",
            "the default is loopback"
        );
    }

    #[test]
    fn another_api_and_the_sandbox_may_use_an_address_on_this_machine() {
        let local =
            [("ECHO_VOICE_URL", "http://localhost:8080"), ("ECHO_TWILIO_API_URL", "http://127.0.0.1:8089")];
        assert!(with_twilio(&local).unwrap().operator.is_some());
        let sandbox = [
            ("ECHO_CARRIER", "sandbox"),
            ("ECHO_SANDBOX_ACCOUNT_SID", SID),
            ("ECHO_SANDBOX_AUTH_TOKEN", "top-secret"),
        ];
        let account = load(&sandbox).unwrap().operator.unwrap();
        assert_eq!((account.api.as_str(), account.from.as_str()), ("http://127.0.0.1:8089/", "+15005550006"));
        assert_eq!(account.between_calls, TimeDelta::milliseconds(1));
    }

    #[test]
    fn the_sandbox_is_there_beside_twilio_for_projects_that_choose_it() {
        assert!(with_twilio(&[]).unwrap().sandbox.is_none());
        let own = [("ECHO_SANDBOX_ACCOUNT_SID", SID), ("ECHO_SANDBOX_AUTH_TOKEN", "secret")];
        let config = with_twilio(&[own[0], own[1], ("ECHO_CALLS_PER_SECOND", "2")]).unwrap();
        assert_eq!(config.operator.unwrap().between_calls, TimeDelta::milliseconds(500));
        let sandbox = config.sandbox.unwrap();
        assert_eq!(
            (sandbox.from.as_str(), sandbox.between_calls),
            ("+15005550006", TimeDelta::milliseconds(1))
        );
        assert_eq!(blamed(with_twilio(&own[..1])), "ECHO_SANDBOX_AUTH_TOKEN");
    }

    #[test]
    fn projects_cannot_use_twilios_own_api_where_it_cannot_reach_us() {
        assert!(load(&[]).unwrap().out_of_twilios_reach);
        assert!(!load(&[("ECHO_VOICE_URL", "https://echo.example.com")]).unwrap().out_of_twilios_reach);
        assert!(!load(&[("ECHO_TWILIO_API_URL", "http://127.0.0.1:8089")]).unwrap().out_of_twilios_reach);
    }

    #[test]
    fn whoever_chooses_the_sandbox_has_a_carrier() {
        assert_eq!(blamed(load(&[("ECHO_CARRIER", "sandbox")])), "ECHO_SANDBOX_ACCOUNT_SID");
    }

    #[test]
    fn the_page_of_this_service_lists_every_setting_that_is_read() {
        let page = include_str!("../README.md");
        let sandbox = [
            ("ECHO_CARRIER", "sandbox"),
            ("ECHO_SANDBOX_ACCOUNT_SID", SID),
            ("ECHO_SANDBOX_AUTH_TOKEN", "top-secret"),
        ];
        for pairs in [&TWILIO[..], &sandbox[..]] {
            let public = [("ECHO_VOICE_URL", "https://echo.example.com")];
            let settings = Settings::from_pairs(pairs.iter().chain(&public).copied());
            Config::load(&settings).unwrap();
            for line in settings.printed().lines() {
                let (name, _) = line.split_once(" = ").unwrap();
                assert!(page.contains(&format!("`{name}`")), "{name} is missing");
            }
        }
    }

    #[test]
    fn an_account_is_whole_or_absent_and_the_missing_part_is_named() {
        for name in ["ECHO_TWILIO_ACCOUNT_SID", "ECHO_TWILIO_AUTH_TOKEN", "ECHO_TWILIO_FROM"] {
            assert_eq!(blamed(with_twilio(&[(name, "")])), name);
        }
        assert_eq!(blamed(with_twilio(&[("ECHO_TWILIO_ACCOUNT_SID", "AC1")])), "ECHO_TWILIO_ACCOUNT_SID");
        for number in ["5005550006", "+0500", "+1", "+1500555000600000", "+1500 555"] {
            assert_eq!(blamed(with_twilio(&[("ECHO_TWILIO_FROM", number)])), "ECHO_TWILIO_FROM", "{number}");
        }
    }

    #[test]
    fn an_address_that_would_make_relative_or_unsignable_callbacks_is_refused() {
        for address in [
            "echo.example.com",
            "ftp://echo.example.com",
            "https://my_host.example.com",
            "https://echo.example.com/?a=1",
            "https://echo.example.com/#x",
            "https://u:p@echo.example.com",
        ] {
            assert_eq!(blamed(with_twilio(&[("ECHO_VOICE_URL", address)])), "ECHO_VOICE_URL", "{address}");
        }
        assert!(with_twilio(&[("ECHO_VOICE_URL", "https://echo.example.com/voice/")]).is_ok());
    }

    #[test]
    fn switches_and_numbers_out_of_range_are_refused_by_name() {
        for (name, value) in [
            ("ECHO_CARRIER", "pigeon"),
            ("ECHO_TWILIO_SIGNATURES", "maybe"),
            ("ECHO_CALLS_PER_SECOND", "0"),
            ("ECHO_CALLS_PER_SECOND", "NaN"),
            ("ECHO_CARRIER_CHECK_SECONDS", "0"),
            ("ECHO_CARRIER_CHECK_SECONDS", "3601"),
            // The request to dial may take 15 s, and the carrier's books are as far behind.
            ("ECHO_CARRIER_EVIDENCE_SECONDS", "29"),
        ] {
            assert_eq!(blamed(with_twilio(&[(name, value)])), name, "{value}");
        }
        let config =
            with_twilio(&[("ECHO_TWILIO_SIGNATURES", "off"), ("ECHO_CALLS_PER_SECOND", "5")]).unwrap();
        assert!(!config.signatures);
        assert_eq!(config.operator.unwrap().between_calls, TimeDelta::milliseconds(200));
    }

    #[test]
    fn no_debug_text_shows_the_token() {
        assert!(!format!("{:?}", with_twilio(&[]).unwrap()).contains("top-secret"));
    }
}
