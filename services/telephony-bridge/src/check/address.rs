//! The public address: whether the carrier can reach it, and whether who answers there is this Echo, which believes what the
//! account has signed and nothing else.

use std::net::IpAddr;
use std::time::Duration;

use common::egress::EgressPolicy;
use contracts::ids::AttemptId;
use reqwest::StatusCode;
use twilio::{CallSid, signature};
use url::{Host, Url};

use super::Finding;
use crate::config::{AccountConfig, Config, is_twilios_own};
use crate::domain::urls::VoiceUrls;
use crate::http::NOT_SIGNED;

/// Longer than an answer may take, and the way.
const WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn look(config: &Config, account: Option<&AccountConfig>) -> Vec<Finding> {
    let mut found = vec![place(config, account).await];
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(WITHIN).build();
    let Ok(http) = http else { return found };
    let unsigned = reach(&http, config, account).await;
    let reached = unsigned.is_ok();
    found.push(unsigned.unwrap_or_else(|problem| problem));
    if let (true, Some(account)) = (reached, account) {
        found.push(signed(&http, config, account).await);
    }
    found
}

/// Whether the carrier can know the way.
async fn place(config: &Config, account: Option<&AccountConfig>) -> Finding {
    const WHAT: &str = "public address";
    let (url, how) = (
        &config.voice_url,
        "set ECHO_VOICE_URL to the https address under which the internet reaches this Echo",
    );
    let Ok(parsed) = Url::parse(url) else { return Finding::wrong(WHAT, format!("{url} is none"), how) };
    if account.is_some_and(|account| !is_twilios_own(&account.api)) {
        return Finding::ok(WHAT, format!("{url}; the carrier is not Twilio and may be beside it"));
    }
    if parsed.scheme() != "https" {
        let seen = format!("{url} is not https: what callers say would cross the internet in the clear");
        return Finding::wrong(WHAT, seen, how);
    }
    let addresses = match addresses_of(&parsed).await {
        Ok(addresses) => addresses,
        Err(error) => return Finding::wrong(WHAT, format!("the name in {url} has no address: {error}"), how),
    };
    let public = EgressPolicy::new(Vec::new());
    match addresses.iter().find(|address| !public.permits(**address)) {
        Some(private) => {
            Finding::wrong(WHAT, format!("{url} is at {private}, where the internet cannot come"), how)
        }
        None => Finding::ok(WHAT, format!("{url} is https, and on the public internet")),
    }
}

async fn addresses_of(url: &Url) -> std::io::Result<Vec<IpAddr>> {
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(vec![ip.into()]),
        Some(Host::Ipv6(ip)) => Ok(vec![ip.into()]),
        Some(Host::Domain(name)) => {
            let port = url.port_or_known_default().unwrap_or(443);
            Ok(tokio::net::lookup_host((name, port)).await?.map(|at| at.ip()).collect())
        }
        None => Ok(Vec::new()),
    }
}

/// What Twilio would ask about a call that nobody knows.
struct Question {
    url: String,
    form: Vec<(String, String)>,
}

impl Question {
    fn new(config: &Config, account: Option<&AccountConfig>) -> Self {
        let path = format!("/v1/voice?attempt={}", AttemptId::new());
        let sid = CallSid::random().map(|sid| sid.to_string()).unwrap_or_default();
        let account = account.map(|account| account.sid.to_string()).unwrap_or_default();
        let form = [("CallSid", sid), ("AccountSid", account), ("CallStatus", "in-progress".to_owned())];
        Self {
            url: VoiceUrls::new(&config.voice_url).signed(&path),
            form: form.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        }
    }
}

/// Asks without a signature, and expects to be refused.
async fn reach(
    http: &reqwest::Client,
    config: &Config,
    account: Option<&AccountConfig>,
) -> Result<Finding, Finding> {
    const WHAT: &str = "reaching Echo";
    let (asked, url) = (Question::new(config, account), &config.voice_url);
    let start = "start Echo, or let what stands before it pass /v1/voice* on, unchanged";
    let answer = http.post(&asked.url).form(&asked.form).send().await.map_err(|error| {
        Finding::wrong(WHAT, format!("nobody answers at {url}: {}", whole(&error)), start)
    })?;
    let status = answer.status();
    let body = answer.text().await.unwrap_or_default();
    if status == StatusCode::FORBIDDEN && body == NOT_SIGNED {
        return Ok(Finding::ok(WHAT, format!("it answers at {url}, and refuses what nobody has signed")));
    }
    Err(match status {
        StatusCode::OK if body.contains("<Response>") => Finding::wrong(
            WHAT,
            "it answers, and believes what nobody has signed",
            "start it without ECHO_TWILIO_SIGNATURES=off",
        ),
        status if status.is_redirection() => Finding::wrong(
            WHAT,
            format!("{url} answers {status}: Twilio would follow, and sign another address"),
            "set ECHO_VOICE_URL to the address behind the redirect",
        ),
        status => Finding::wrong(WHAT, format!("what answers at {url} is not Echo: it says {status}"), start),
    })
}

/// Asks with the account's signature, and expects a document.
async fn signed(http: &reqwest::Client, config: &Config, account: &AccountConfig) -> Finding {
    const WHAT: &str = "signatures";
    let asked = Question::new(config, Some(account));
    let signature = signature::sign(account.auth_token.reveal(), &asked.url, &asked.form);
    let request = http.post(&asked.url).form(&asked.form).header(signature::HEADER, signature);
    match request.send().await.map(|answer| answer.status()) {
        Ok(StatusCode::OK) => Finding::ok(WHAT, "what the account has signed is believed"),
        Ok(StatusCode::FORBIDDEN) => Finding::wrong(
            WHAT,
            "Echo does not believe what the account has signed",
            "start Echo with these same settings (ECHO_VOICE_URL, account, token), and let no proxy change path or query",
        ),
        Ok(status) => Finding::wrong(WHAT, format!("Echo answers {status}"), "look into its log"),
        Err(error) => Finding::wrong(WHAT, format!("no answer: {}", whole(&error)), "look into its log"),
    }
}

/// An error with what caused it: reqwest's own text does not say what went wrong.
fn whole(error: &reqwest::Error) -> String {
    let mut text = "it cannot be connected to".to_owned();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(next) = cause {
        text = next.to_string();
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use common::config::Settings;

    use super::super::Verdict;
    use super::*;

    async fn place_of(url: &str, api: &str) -> Finding {
        let settings = [
            ("ECHO_TWILIO_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
            ("ECHO_TWILIO_AUTH_TOKEN", "top-secret"),
            ("ECHO_TWILIO_FROM", "+15005550006"),
            ("ECHO_TWILIO_API_URL", api),
            ("ECHO_VOICE_URL", url),
        ];
        let config = Config::load(&Settings::from_pairs(settings)).unwrap();
        let account = config.operator.clone();
        place(&config, account.as_ref()).await
    }

    #[tokio::test]
    async fn twilio_reaches_what_is_https_and_on_the_public_internet() {
        let twilio = "https://api.twilio.com";
        assert_eq!(place_of("https://93.184.216.34/echo", twilio).await.verdict, Verdict::Ok);
        for (url, why) in [
            ("http://93.184.216.34", "not https"),
            ("https://10.1.2.3", "is at 10.1.2.3"),
            ("https://192.168.1.9:8443", "is at 192.168.1.9"),
            ("https://[fd00::1]", "is at fd00::1"),
            ("https://169.254.169.254", "is at 169.254.169.254"),
        ] {
            let found = place_of(url, twilio).await;
            assert!(found.verdict == Verdict::Wrong && found.seen.contains(why), "{url}: {found:?}");
            assert!(found.to_do.contains("ECHO_VOICE_URL"), "{found:?}");
        }
    }

    #[tokio::test]
    async fn another_carrier_may_be_beside_us() {
        assert_eq!(place_of("http://127.0.0.1:8080", "http://127.0.0.1:8089").await.verdict, Verdict::Ok);
    }
}
