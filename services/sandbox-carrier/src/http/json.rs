//! Twilio's JSON for calls, numbers and pages.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use twilio::call::{CallStatus, Direction};

use crate::config::CarrierConfig;
use crate::domain::call::Call;
use crate::domain::number::OwnNumber;
use crate::wall;

/// The price is known this long after the end.
const PRICE_DELAY: Duration = Duration::from_secs(5);

/// What a started minute costs, in hundredths of a US cent.
const MINUTE_PRICE: u64 = 140;

/// Twilio's way to write a date.
pub(super) fn date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// A call as its resource shows it.
pub(super) fn call(config: &CarrierConfig, call: &Call) -> Value {
    let account = &config.account_sid;
    let path = format!("/2010-04-01/Accounts/{account}/Calls/{}", call.sid);
    let ours = if call.direction == Direction::Inbound { &call.to } else { &call.from };
    let number_sid = config.numbers().contains(ours).then(|| config.number_sid(ours).ok()).flatten();
    let seconds = call.duration.map(|lasted| (lasted + Duration::from_millis(500)).as_secs());
    json!({
        "sid": call.sid,
        "account_sid": account,
        "parent_call_sid": call.parent,
        "to": call.to,
        "to_formatted": formatted(&call.to),
        "from": call.from,
        "from_formatted": formatted(&call.from),
        "phone_number_sid": number_sid,
        "status": call.shown_status(),
        "start_time": call.started.map(date),
        "end_time": call.ended.map(date),
        "duration": seconds.map(|seconds| seconds.to_string()),
        "price": price(config, call, seconds),
        // ISO 4217's code for tests: nobody pays this.
        "price_unit": "XTS",
        "direction": call.direction.as_str(),
        "answered_by": call.answered_by.as_ref().map(ToString::to_string),
        "annotation": null,
        "api_version": "2010-04-01",
        "forwarded_from": null,
        "group_sid": null,
        "caller_name": null,
        "queue_time": call.queued_for.as_millis().to_string(),
        "trunk_sid": null,
        "date_created": date(call.created),
        "date_updated": date(call.updated.unwrap_or(call.created)),
        "uri": format!("{path}.json"),
        "subresource_uris": subresources(&path),
    })
}

/// The same right after its creation, when nothing has a date yet.
pub(super) fn fresh_call(config: &CarrierConfig, created: &Call) -> Value {
    let mut body = call(config, created);
    for name in ["date_created", "date_updated", "start_time", "end_time", "duration", "price"] {
        body[name] = Value::Null;
    }
    body["status"] = json!(CallStatus::Queued.as_str());
    body
}

fn subresources(path: &str) -> Value {
    let names = [
        "notifications",
        "recordings",
        "payments",
        "events",
        "siprec",
        "streams",
        "transcriptions",
        "user_defined_message_subscriptions",
        "user_defined_messages",
    ];
    let uri = |name: &str| -> String {
        let pascal: String = name
            .split('_')
            .map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            })
            .collect();
        format!("{path}/{pascal}.json")
    };
    names.iter().map(|name| ((*name).to_owned(), json!(uri(name)))).collect()
}

fn price(config: &CarrierConfig, call: &Call, seconds: Option<u64>) -> Option<String> {
    let known_at = call.ended? + chrono::Duration::from_std(config.speed.on_the_wall(PRICE_DELAY)).ok()?;
    let minutes = seconds.filter(|_| known_at <= wall::now())?.div_ceil(60).max(1);
    let price = minutes * MINUTE_PRICE;
    Some(format!("-{}.{:04}", price / 10_000, price % 10_000))
}

/// `(415) 555-0100` for a North American number, any other as it is.
fn formatted(number: &str) -> String {
    let parts = number
        .strip_prefix("+1")
        .filter(|digits| digits.len() == 10)
        .and_then(|digits| Some((digits.get(..3)?, digits.get(3..6)?, digits.get(6..)?)));
    match parts {
        Some((area, exchange, line)) => format!("({area}) {exchange}-{line}"),
        None => number.to_owned(),
    }
}

/// One of the account's numbers as its resource shows it.
pub(super) fn number(config: &CarrierConfig, own: &OwnNumber) -> Value {
    let account = &config.account_sid;
    let sid = config.number_sid(&own.number).ok();
    let name = sid.as_ref().map(ToString::to_string).unwrap_or_default();
    let optional = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "sid": sid,
        "account_sid": account,
        "phone_number": own.number,
        "friendly_name": own.friendly_name,
        "capabilities": {"voice": true, "sms": false, "mms": false, "fax": false},
        "status": "in-use",
        "type": "local",
        "origin": "twilio",
        "beta": false,
        "address_requirements": "none",
        "address_sid": null,
        "api_version": "2010-04-01",
        "voice_url": own.voice_url,
        "voice_method": own.voice_method.as_str(),
        "voice_fallback_url": own.voice_fallback_url,
        "voice_fallback_method": own.voice_fallback_method.as_str(),
        "voice_application_sid": optional(&own.voice_application_sid),
        "voice_caller_id_lookup": own.voice_caller_id_lookup,
        "voice_receive_mode": own.voice_receive_mode,
        "trunk_sid": optional(&own.trunk_sid),
        "status_callback": own.status_callback,
        "status_callback_method": own.status_callback_method.as_str(),
        "date_created": date(own.created),
        "date_updated": date(own.updated),
        "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{name}.json"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn north_american_numbers_are_formatted() {
        assert_eq!(formatted("+14158675309"), "(415) 867-5309");
        assert_eq!(formatted("+4930123456"), "+4930123456");
    }

    #[test]
    fn dates_are_written_as_twilio_does() {
        let at = DateTime::parse_from_rfc3339("2010-08-01T20:36:28Z").unwrap().to_utc();
        assert_eq!(date(at), "Sun, 01 Aug 2010 20:36:28 +0000");
    }
}
