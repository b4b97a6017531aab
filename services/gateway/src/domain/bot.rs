//! A bot: who answers the calls to a user's own number, and what holds where its maker has said nothing.

use common::egress::EgressPolicy;
use url::Url;

use super::webhook::HookUrl;

/// What it says first.
pub(crate) const GREETING: &str = "Hi, welcome to your AI assistant. How can I help you today?";
/// The language that it speaks.
pub(crate) const LANGUAGE: &str = "en-US";
/// Its voice, in every turn.
pub(crate) const VOICE: &str = "man";

/// It answers.
pub(crate) const ACTIVE: &str = "active";
/// Where a bot stands.
pub(crate) const STATUSES: [&str; 2] = [ACTIVE, "disabled"];

/// Where a bot tells what it has learned: an address that may be dialled, as far as that can be told before it is.
pub(crate) fn webhook(policy: &EgressPolicy, text: &str) -> Result<String, String> {
    let address = HookUrl::parse(text)?.into_inner();
    let url = Url::parse(&address).map_err(|e| format!("is no address: {e}"))?;
    policy.check(&url).map_err(|refused| refused.to_string())?;
    Ok(address)
}

/// Where the carrier is to ask for a bot: what its owner enters at Twilio as the number's voice URL.
pub(crate) fn voice_url(base: &str, bot: &str) -> String {
    format!("{base}/v1/voice?bot_id={bot}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_held_to_what_every_webhook_is_held_to() {
        let closed = EgressPolicy::default();
        let good = "https://api.eatery.com/book";
        assert_eq!(webhook(&closed, good).as_deref(), Ok(good));
        for bad in ["api.eatery.com", "http://api.eatery.com/book", "https://10.0.0.1/", "https://u:p@x.com/"]
        {
            assert!(webhook(&closed, bad).is_err(), "{bad}");
        }
        assert!(webhook(&closed, "http://127.0.0.1:9000/").is_err());
        assert!(webhook(&closed.with_loopback(), "http://127.0.0.1:9000/").is_ok());
    }
}
