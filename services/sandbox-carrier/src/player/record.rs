//! `<Record>`: the person speaks after the beep; the recording is an address that nobody can fetch.

use std::num::NonZeroU32;
use std::time::Duration;

use twilio::twiml::Record;

use super::leg::{Leg, whole_seconds};
use super::verbs::{follow, resolve};
use super::{Flow, Stop, Task};
use crate::client::{Client, Params};
use crate::domain::gather::{Heard, Listening, outcome};
use crate::domain::person::Act;
use crate::domain::plan::Hook;
use crate::domain::transcript::Speaker;

/// The beep.
const BEEP: Duration = Duration::from_secs(1);

/// Performs the verb; its action is always requested.
pub(super) async fn run(leg: &mut Leg, base: Option<&Hook>, record: &Record) -> Flow<Task> {
    if record.play_beep != Some(false) {
        leg.wait(BEEP).await?;
    }
    let silence = Duration::from_secs(u64::from(record.timeout.unwrap_or(5)));
    let most = Duration::from_secs(u64::from(record.max_length.map_or(3600, NonZeroU32::get)));
    let listening = Listening {
        speech: true,
        keys: true,
        timeout: if silence.is_zero() { most } else { silence },
        speech_timeout: silence,
        num_digits: Some(1),
        finish_on_key: None,
        barge_in: true,
    };
    let reaction = leg.person.answer(leg.clock.elapsed());
    let outcome = outcome(&listening, Duration::ZERO, &reaction);
    let over = outcome.over.min(most);
    let acted = outcome.acted.unwrap_or(over).min(over);
    leg.wait(acted).await?;
    match &reaction.act {
        Act::Say { text, .. } => leg.say_line(Speaker::Person, text, true),
        Act::Press(keys) => leg.key_line(keys, true),
        Act::Silence | Act::HangUp => {}
    }
    leg.wait(over - acted).await?;
    let digits = match outcome.heard {
        Heard::HungUp => return Err(Stop::PersonGone),
        Heard::Keys { digits, .. } => digits,
        Heard::Nothing | Heard::Speech { .. } => String::new(),
    };
    let extra = recording(leg, base, record, over, digits);
    follow(leg, base, record.action.as_deref(), record.method, extra)
}

/// The parameters of the recording; whoever asked is told that it is there.
fn recording(leg: &Leg, base: Option<&Hook>, record: &Record, lasted: Duration, digits: String) -> Params {
    let config = &leg.shared.config;
    let sid = format!("RE{}", Client::token());
    let root = config.base_url.as_str().trim_end_matches('/');
    let url = format!("{root}/2010-04-01/Accounts/{}/Recordings/{sid}", config.account_sid);
    let duration = whole_seconds(lasted).to_string();
    let told = vec![
        ("RecordingUrl".to_owned(), url),
        ("RecordingSid".to_owned(), sid),
        ("RecordingDuration".to_owned(), duration),
    ];
    if let Some(callback) = record.recording_status_callback.as_deref() {
        match resolve(base, Some(callback), record.recording_status_callback_method) {
            Ok(hook) => {
                let mut params = vec![
                    ("AccountSid".to_owned(), config.account_sid.to_string()),
                    ("CallSid".to_owned(), leg.sid.to_string()),
                    ("RecordingStatus".to_owned(), "completed".to_owned()),
                    ("RecordingChannels".to_owned(), "1".to_owned()),
                    ("RecordingSource".to_owned(), "RecordVerb".to_owned()),
                ];
                params.extend(told.iter().cloned());
                leg.post(hook, params, false);
            }
            Err(problem) => leg.fault(problem, base),
        }
    }
    let mut extra = told;
    extra.push(("Digits".to_owned(), digits));
    extra
}
