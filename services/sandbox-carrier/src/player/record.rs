//! `<Record>`: the person speaks after the beep. And recordings of whole calls, which run beside everything else. A recording is
//! an address that nobody can fetch.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, Utc};
use twilio::RecordingSid;
use twilio::twiml::{Record, StartRecording};

use super::callbacks::Kind;
use super::leg::{Leg, whole_seconds};
use super::verbs::{follow, resolve};
use super::{Flow, Stop, Task};
use crate::client::{Client, Params};
use crate::domain::gather::{Heard, Listening, outcome};
use crate::domain::person::Act;
use crate::domain::plan::{CREATED, Hook, Recording, hears_of_completion};
use crate::domain::transcript::Speaker;
use crate::state::Recorded;
use crate::wall;

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
    let whole = Whole::new(leg, "RecordVerb", wall::now(), lasted);
    if let Some(callback) = record.recording_status_callback.as_deref() {
        match resolve(base, Some(callback), record.recording_status_callback_method) {
            Ok(hook) => whole.post(leg, hook),
            Err(problem) => leg.fault(problem, base),
        }
    }
    let mut extra = whole.told;
    extra.push(("Digits".to_owned(), digits));
    extra
}

/// `<Start><Recording>`: the call is recorded to its end. Its callback has to be an absolute address.
pub(super) fn start(leg: &mut Leg, base: Option<&Hook>, wanted: &StartRecording) {
    let events = wanted.recording_status_callback_event.iter().map(String::as_str);
    let callback = wanted.recording_status_callback.as_deref().filter(|_| hears_of_completion(events));
    let callback = callback.and_then(|url| {
        let resolved = resolve(None, Some(url), wanted.recording_status_callback_method);
        resolved.map_err(|problem| leg.fault(problem, base)).ok()
    });
    leg.start_recording(Recording { source: "StartCallRecordingTwiML", callback });
}

/// A recording that is made.
pub(super) struct Whole {
    source: &'static str,
    started: DateTime<Utc>,
    callback: Option<Hook>,
    sid: String,
    seconds: u64,
    told: Params,
}

/// The recording of a call that is over.
pub(super) fn whole(leg: &Leg, recording: &Recording, started: DateTime<Utc>, lasted: Duration) -> Whole {
    Whole { callback: recording.callback.clone(), ..Whole::new(leg, recording.source, started, lasted) }
}

impl Whole {
    fn new(leg: &Leg, source: &'static str, started: DateTime<Utc>, lasted: Duration) -> Self {
        let config = &leg.shared.config;
        let sid = format!("RE{}", Client::token());
        let seconds = whole_seconds(lasted);
        let root = config.base_url.as_str().trim_end_matches('/');
        let url = format!("{root}/2010-04-01/Accounts/{}/Recordings/{sid}", config.account_sid);
        let told = vec![
            ("RecordingUrl".to_owned(), url),
            ("RecordingSid".to_owned(), sid.clone()),
            ("RecordingDuration".to_owned(), seconds.to_string()),
        ];
        Self { source, started, callback: None, sid, seconds, told }
    }

    /// What the last report of the call says of it: only where the call was created so.
    pub(super) fn told_with_the_end(&self) -> Params {
        if self.source == CREATED { self.told.clone() } else { Params::new() }
    }

    /// It is kept, and whoever asked is told that it is there.
    pub(super) fn report(self, leg: &Leg) {
        if let Ok(sid) = self.sid.parse::<RecordingSid>() {
            let kept = Recorded {
                call_sid: leg.sid.clone(),
                source: self.source,
                started: self.started,
                seconds: self.seconds,
            };
            leg.shared.books(|books| books.recordings.insert(sid, kept, |_| true));
        }
        if let Some(hook) = self.callback.clone() {
            self.post(leg, hook);
        }
    }

    fn post(&self, leg: &Leg, hook: Hook) {
        let mut params: Params = [
            ("AccountSid", leg.shared.config.account_sid.as_str()),
            ("CallSid", leg.sid.as_str()),
            ("RecordingStatus", "completed"),
            ("RecordingChannels", "1"),
            ("RecordingStartTime", &self.started.format("%a, %d %b %Y %H:%M:%S +0000").to_string()),
            ("RecordingSource", self.source),
            ("RecordingTrack", "both"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        params.extend(self.told.iter().cloned());
        leg.post(hook, params, Kind::Other);
    }
}
