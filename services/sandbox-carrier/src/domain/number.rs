//! A number that the account owns, with what Twilio keeps about it (the IncomingPhoneNumber resource).

use std::time::Duration;

use chrono::{DateTime, Utc};
use twilio::HttpMethod;

use super::plan::{Events, Hook, LONGEST_CALL, Plan, Source};

/// Whether a text is a number in E.164: `+`, then 7 to 15 digits that do not begin with 0.
pub(crate) fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The number and its settings. An empty text is a setting that is not made.
#[derive(Clone, Debug)]
pub(crate) struct OwnNumber {
    pub(crate) number: String,
    pub(crate) friendly_name: String,
    pub(crate) voice_url: String,
    pub(crate) voice_method: HttpMethod,
    pub(crate) voice_fallback_url: String,
    pub(crate) voice_fallback_method: HttpMethod,
    pub(crate) status_callback: String,
    pub(crate) status_callback_method: HttpMethod,
    pub(crate) voice_application_sid: String,
    pub(crate) trunk_sid: String,
    pub(crate) voice_caller_id_lookup: bool,
    pub(crate) voice_receive_mode: String,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: DateTime<Utc>,
}

impl OwnNumber {
    /// A number without any settings.
    pub(crate) fn new(number: String, now: DateTime<Utc>) -> OwnNumber {
        OwnNumber {
            friendly_name: number.clone(),
            number,
            voice_url: String::new(),
            voice_method: HttpMethod::Post,
            voice_fallback_url: String::new(),
            voice_fallback_method: HttpMethod::Post,
            status_callback: String::new(),
            status_callback_method: HttpMethod::Post,
            voice_application_sid: String::new(),
            trunk_sid: String::new(),
            voice_caller_id_lookup: false,
            voice_receive_mode: "voice".to_owned(),
            created: now,
            updated: now,
        }
    }

    /// What happens when somebody calls it; nothing if it has no voice URL of effect (an application or a
    /// trunk takes precedence, and this carrier has neither).
    pub(crate) fn plan(&self) -> Option<Plan> {
        if !self.voice_application_sid.is_empty() || !self.trunk_sid.is_empty() {
            return None;
        }
        let source = Source::Fetch(hook(&self.voice_url, self.voice_method)?);
        Some(Plan {
            source: Some(source),
            fallback: hook(&self.voice_fallback_url, self.voice_fallback_method),
            status: hook(&self.status_callback, self.status_callback_method),
            events: Events::COMPLETED,
            timeout: Duration::from_secs(60),
            time_limit: LONGEST_CALL,
            detection: None,
            recording: None,
        })
    }
}

fn hook(url: &str, method: HttpMethod) -> Option<Hook> {
    (!url.is_empty()).then(|| Hook { url: url.to_owned(), method })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plus_and_up_to_fifteen_digits_are_a_number() {
        assert!(is_e164("+14155552671") && is_e164("+4930123456"));
        for wrong in ["14155552671", "+0415555", "+1415555267100000", "+1", "+1 415 555", ""] {
            assert!(!is_e164(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_number_without_a_voice_url_takes_no_calls() {
        let mut number = OwnNumber::new("+15005550006".to_owned(), DateTime::UNIX_EPOCH);
        assert!(number.plan().is_none());
        number.voice_url = "https://h/v1/voice?bot_id=b".to_owned();
        assert!(number.plan().is_some());
    }

    #[test]
    fn an_application_makes_the_voice_url_void() {
        let mut number = OwnNumber::new("+15005550006".to_owned(), DateTime::UNIX_EPOCH);
        number.voice_url = "https://h/voice".to_owned();
        number.voice_application_sid = "AP0".to_owned();
        assert!(number.plan().is_none());
    }
}
