//! The parameters that Twilio sends: with every voice request, with status callbacks, at the end.

use twilio::AccountSid;
use twilio::call::CallStatus;

use crate::client::Params;
use crate::domain::call::Call;
use crate::domain::ending::Ending;
use crate::wall;

/// The parameters of every voice request. What is unknown about the places of the two numbers is sent
/// empty, as Twilio does: it enters the signature.
pub(super) fn standard(account: &AccountSid, call: &Call, status: &CallStatus) -> Params {
    let mut params = Params::new();
    let mut add = |name: &str, value: &str| params.push((name.to_owned(), value.to_owned()));
    add("CallSid", call.sid.as_str());
    add("AccountSid", account.as_str());
    add("ApiVersion", "2010-04-01");
    add("CallStatus", status.as_str());
    add("Direction", call.direction.as_str());
    if let Some(parent) = &call.parent {
        add("ParentCallSid", parent.as_str());
    }
    for (names, number) in [(["From", "Caller"], &call.from), (["To", "Called"], &call.to)] {
        for name in names {
            add(name, number);
            add(&format!("{name}City"), "");
            add(&format!("{name}State"), "");
            add(&format!("{name}Zip"), "");
            add(&format!("{name}Country"), country(number));
        }
    }
    params
}

/// The country of a number, as far as its first digits tell without doubt.
fn country(number: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 9] = [
        ("+1", "US"),
        ("+44", "GB"),
        ("+49", "DE"),
        ("+33", "FR"),
        ("+34", "ES"),
        ("+39", "IT"),
        ("+43", "AT"),
        ("+61", "AU"),
        ("+91", "IN"),
    ];
    PREFIXES.iter().find(|(prefix, _)| number.starts_with(prefix)).map_or("", |(_, country)| country)
}

/// What Twilio may add one day.
pub(super) fn unheard_of() -> Params {
    vec![("CallMood".to_owned(), "so & so".to_owned()), ("CallMood".to_owned(), String::new())]
}

/// What a status callback adds.
pub(super) fn of_progress(sequence: u32) -> Params {
    vec![
        ("Timestamp".to_owned(), wall::now().format("%a, %d %b %Y %H:%M:%S +0000").to_string()),
        ("CallbackSource".to_owned(), "call-progress-events".to_owned()),
        ("SequenceNumber".to_owned(), sequence.to_string()),
    ]
}

/// What the last status callback adds.
pub(super) fn of_the_end(ending: Ending, seconds: u64) -> Params {
    let mut params = vec![
        ("CallDuration".to_owned(), seconds.to_string()),
        ("SipResponseCode".to_owned(), ending.sip_code().to_string()),
    ];
    if ending == Ending::Completed {
        params.push(("Duration".to_owned(), seconds.div_ceil(60).to_string()));
    }
    params
}
