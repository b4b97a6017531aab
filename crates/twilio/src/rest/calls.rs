//! Calls: placed, looked at, changed, listed.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};

use super::client::Client;
use super::error::{CreateError, Error};
use super::fields::Fields;
use crate::HttpMethod;
use crate::call::{AnsweredBy, CallStatus, Direction};
use crate::sid::{AccountSid, CallSid};
use crate::twiml::Trim;

/// What runs when a call is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instructions {
    /// The document at this URL, requested when the call is answered.
    Url {
        /// Absolute.
        url: String,
        /// How it is requested; POST by default.
        method: Option<HttpMethod>,
    },
    /// This document, at most [`crate::twiml::MAX_INLINE_CHARS`] characters, every URL in it absolute.
    Twiml(String),
    /// What this application (`AP…`) says. It also decides about fallback and callbacks.
    Application(String),
}

/// The events of a call that can be reported to a status callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEvent {
    /// Dialling begins.
    Initiated,
    /// It rings.
    Ringing,
    /// It is answered; the callback's status is then `in-progress`.
    Answered,
    /// It has ended, one way or another.
    Completed,
}

impl CallEvent {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Initiated, Self::Ringing, Self::Answered, Self::Completed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Completed => "completed",
        }
    }
}

/// How a machine is told from a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineDetectionMode {
    /// The verdict comes as soon as it is clear.
    Enable,
    /// The verdict on a machine waits for the end of its greeting, so that a message can be left.
    DetectMessageEnd,
}

/// Answering-machine detection; charged by the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineDetection {
    /// When the verdict comes.
    pub mode: MachineDetectionMode,
    /// Seconds until the verdict is `unknown`, 3 to 60, 30 by default.
    pub timeout: Option<u32>,
    /// Milliseconds, 1 000 to 6 000, 2 400 by default: whoever speaks for less at first is a person.
    pub speech_threshold: Option<u32>,
    /// Milliseconds of silence, 500 to 5 000, 1 200 by default, after which a greeting is over.
    pub speech_end_threshold: Option<u32>,
    /// Milliseconds of silence at the beginning, 2 000 to 10 000, 5 000 by default, after which the verdict is `unknown`.
    pub silence_timeout: Option<u32>,
    /// Where the verdict is told while the call already runs. Without it the call's instructions wait for the
    /// verdict, in silence, and are requested with it.
    pub async_callback: Option<String>,
    /// How it is told, POST by default.
    pub async_callback_method: Option<HttpMethod>,
}

impl MachineDetection {
    /// Detection with everything else at its default: the call's instructions wait for the verdict.
    #[must_use]
    pub fn new(mode: MachineDetectionMode) -> Self {
        Self {
            mode,
            timeout: None,
            speech_threshold: None,
            speech_end_threshold: None,
            silence_timeout: None,
            async_callback: None,
            async_callback_method: None,
        }
    }
}

/// A call to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateCall {
    /// E.164.
    pub to: String,
    /// A number of the account or a verified caller ID, E.164.
    pub from: String,
    /// What runs when it is answered.
    pub instructions: Instructions,
    /// Requested when `instructions` cannot be.
    pub fallback_url: Option<String>,
    /// How that is requested, POST by default.
    pub fallback_method: Option<HttpMethod>,
    /// Told about `status_events`.
    pub status_callback: Option<String>,
    /// How it is told, POST by default.
    pub status_callback_method: Option<HttpMethod>,
    /// Empty means `completed` only.
    pub status_events: Vec<CallEvent>,
    /// Seconds of ringing, at most 600, 60 by default.
    pub timeout: Option<u32>,
    /// Seconds of the whole call.
    pub time_limit: Option<u32>,
    /// Whether a person or a machine answers; not asked by default.
    pub machine_detection: Option<MachineDetection>,
    /// Whether it is recorded; not by default.
    pub record: Option<bool>,
    /// `mono` (the default), or `dual`: both sides apart.
    pub recording_channels: Option<String>,
    /// Which side is recorded: `inbound`, `outbound` or `both`, the default.
    pub recording_track: Option<String>,
    /// Whether silence at both ends of the recording is cut off, yes by default.
    pub trim: Option<Trim>,
    /// Told about the recording.
    pub recording_status_callback: Option<String>,
    /// How it is told, POST by default.
    pub recording_status_callback_method: Option<HttpMethod>,
    /// Of which events: `in-progress`, `completed`, `absent`. Empty means `completed`: it can be fetched.
    pub recording_status_events: Vec<String>,
    /// Keys sent when it is answered. Switches machine detection off.
    pub send_digits: Option<String>,
    /// Parameters to which this crate gives no meaning, such as `CallerId`, `CallReason`, `CallToken`, `Byoc`,
    /// `SipAuthUsername`, `SipAuthPassword` and `ClientNotificationUrl`. They are sent as they are.
    pub others: Vec<(&'static str, String)>,
}

impl CreateCall {
    /// A call with everything else at its default.
    #[must_use]
    pub fn new(to: impl Into<String>, from: impl Into<String>, instructions: Instructions) -> Self {
        Self {
            to: to.into(),
            from: from.into(),
            instructions,
            fallback_url: None,
            fallback_method: None,
            status_callback: None,
            status_callback_method: None,
            status_events: Vec::new(),
            timeout: None,
            time_limit: None,
            machine_detection: None,
            record: None,
            recording_channels: None,
            recording_track: None,
            trim: None,
            recording_status_callback: None,
            recording_status_callback_method: None,
            recording_status_events: Vec::new(),
            send_digits: None,
            others: Vec::new(),
        }
    }

    /// The form that is posted. A list is its name, repeated.
    #[must_use]
    pub fn form(&self) -> Vec<(&'static str, String)> {
        let mut form = Form(vec![("To", self.to.clone()), ("From", self.from.clone())]);
        form.instructions(&self.instructions);
        form.hook(["FallbackUrl", "FallbackMethod"], self.fallback_url.as_deref(), self.fallback_method);
        let callback = ["StatusCallback", "StatusCallbackMethod"];
        form.hook(callback, self.status_callback.as_deref(), self.status_callback_method);
        for event in &self.status_events {
            form.text("StatusCallbackEvent", Some(event.as_str()));
        }
        form.value("Timeout", self.timeout);
        form.value("TimeLimit", self.time_limit);
        if let Some(detection) = &self.machine_detection {
            form.detection(detection);
        }
        form.recording(self);
        form.text("SendDigits", self.send_digits.as_deref());
        form.0.extend(self.others.iter().cloned());
        form.0
    }
}

struct Form(Vec<(&'static str, String)>);

impl Form {
    fn text(&mut self, name: &'static str, value: Option<&str>) {
        self.0.extend(value.map(|value| (name, value.to_owned())));
    }

    fn value(&mut self, name: &'static str, value: Option<impl ToString>) {
        self.0.extend(value.map(|value| (name, value.to_string())));
    }

    /// An address, and how it is requested.
    fn hook(&mut self, [name, how]: [&'static str; 2], url: Option<&str>, method: Option<HttpMethod>) {
        self.text(name, url);
        self.text(how, method.map(HttpMethod::as_str));
    }

    fn url(&mut self, url: &str, method: Option<HttpMethod>) {
        self.hook(["Url", "Method"], Some(url), method);
    }

    fn instructions(&mut self, instructions: &Instructions) {
        match instructions {
            Instructions::Url { url, method } => self.url(url, *method),
            Instructions::Twiml(document) => self.text("Twiml", Some(document)),
            Instructions::Application(sid) => self.text("ApplicationSid", Some(sid)),
        }
    }

    fn detection(&mut self, detection: &MachineDetection) {
        let mode = match detection.mode {
            MachineDetectionMode::Enable => "Enable",
            MachineDetectionMode::DetectMessageEnd => "DetectMessageEnd",
        };
        self.text("MachineDetection", Some(mode));
        self.value("MachineDetectionTimeout", detection.timeout);
        self.value("MachineDetectionSpeechThreshold", detection.speech_threshold);
        self.value("MachineDetectionSpeechEndThreshold", detection.speech_end_threshold);
        self.value("MachineDetectionSilenceTimeout", detection.silence_timeout);
        self.text("AsyncAmd", detection.async_callback.as_ref().map(|_| "true"));
        let callback = ["AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod"];
        self.hook(callback, detection.async_callback.as_deref(), detection.async_callback_method);
    }

    fn recording(&mut self, call: &CreateCall) {
        self.value("Record", call.record);
        self.text("RecordingChannels", call.recording_channels.as_deref());
        self.text("RecordingTrack", call.recording_track.as_deref());
        self.text("Trim", call.trim.map(Trim::as_str));
        let callback = ["RecordingStatusCallback", "RecordingStatusCallbackMethod"];
        self.hook(callback, call.recording_status_callback.as_deref(), call.recording_status_callback_method);
        for event in &call.recording_status_events {
            self.text("RecordingStatusCallbackEvent", Some(event));
        }
    }

    /// A day and the days before and behind it, each with the sign of Twilio's that stands for it.
    fn days(&mut self, names: [&'static str; 3], days: Days) {
        let [on, from, until] = names;
        self.value(on, days.on);
        self.value(from, days.from);
        self.value(until, days.until);
    }
}

/// A change of a call that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpdateCall {
    /// Stops it while it is queued or rings. A queued call that is cancelled reports nothing to its callback.
    Cancel,
    /// Ends it in whatever state it lives.
    Complete,
    /// Interrupts what runs and goes on with this document, every URL in it absolute.
    Twiml(String),
    /// Interrupts what runs and goes on with the document at this URL.
    Url {
        /// Absolute.
        url: String,
        /// How it is requested; POST by default.
        method: Option<HttpMethod>,
    },
    /// From now on this is requested when a document cannot be.
    Fallback {
        /// Absolute.
        url: String,
        /// How it is requested; POST by default.
        method: Option<HttpMethod>,
    },
    /// From now on this is told how the call goes.
    StatusCallback {
        /// Absolute.
        url: String,
        /// How it is told; POST by default.
        method: Option<HttpMethod>,
    },
    /// So many seconds of the whole call.
    TimeLimit(u32),
    /// Several of these in one request.
    Several(Vec<Self>),
}

impl UpdateCall {
    fn form(&self) -> Vec<(&'static str, String)> {
        let mut form = Form(Vec::new());
        self.enter(&mut form);
        form.0
    }

    fn enter(&self, form: &mut Form) {
        match self {
            Self::Cancel => form.text("Status", Some("canceled")),
            Self::Complete => form.text("Status", Some("completed")),
            Self::Twiml(document) => form.text("Twiml", Some(document)),
            Self::Url { url, method } => form.url(url, *method),
            Self::Fallback { url, method } => {
                form.hook(["FallbackUrl", "FallbackMethod"], Some(url), *method);
            }
            Self::StatusCallback { url, method } => {
                form.hook(["StatusCallback", "StatusCallbackMethod"], Some(url), *method);
            }
            Self::TimeLimit(seconds) => form.value("TimeLimit", Some(seconds)),
            Self::Several(updates) => updates.iter().for_each(|update| update.enter(form)),
        }
    }
}

/// A call as Twilio describes it. All but the SID may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Its identifier.
    pub sid: CallSid,
    /// The account that owns it.
    pub account_sid: Option<AccountSid>,
    /// The first leg of a `<Dial>`.
    pub parent_call_sid: Option<CallSid>,
    /// Who is called.
    pub to: Option<String>,
    /// The same as people write it where the number is at home.
    pub to_formatted: Option<String>,
    /// Who calls.
    pub from: Option<String>,
    /// The same as people write it where the number is at home.
    pub from_formatted: Option<String>,
    /// The name of who calls, where it was looked up.
    pub caller_name: Option<String>,
    /// Who passed the call on.
    pub forwarded_from: Option<String>,
    /// How far the network vouches for the caller's number.
    pub stir_verstat: Option<String>,
    /// The number it came in on or went out from.
    pub phone_number_sid: Option<String>,
    /// The trunk that it came through.
    pub trunk_sid: Option<String>,
    /// The group that it belongs to.
    pub group_sid: Option<String>,
    /// Where it stands. Never `initiated` here.
    pub status: Option<CallStatus>,
    /// Who called whom.
    pub direction: Option<Direction>,
    /// When it was asked for; missing right after the creation.
    pub date_created: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub date_updated: Option<DateTime<Utc>>,
    /// When it began; missing while it is queued.
    pub start_time: Option<DateTime<Utc>>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
    /// Seconds; missing for calls that run or were not answered.
    pub duration: Option<u32>,
    /// A negative decimal, some time after the end. Kept as text: money is not a floating-point number.
    pub price: Option<String>,
    /// Its currency.
    pub price_unit: Option<String>,
    /// The verdict of machine detection.
    pub answered_by: Option<AnsweredBy>,
    /// Milliseconds that it waited, or is expected to wait, for its slot.
    pub queue_time: Option<u64>,
    /// What somebody noted about it.
    pub annotation: Option<String>,
    /// The version of the API that made it.
    pub api_version: Option<String>,
    /// Where it is, without the host.
    pub uri: Option<String>,
    /// Where what belongs to it is, by name, without the host.
    pub subresource_uris: BTreeMap<String, String>,
}

impl Call {
    fn from_fields(fields: &Fields) -> Result<Self, String> {
        Ok(Self {
            sid: fields.sid()?,
            account_sid: fields.parsed("account_sid"),
            parent_call_sid: fields.parsed("parent_call_sid"),
            to: fields.text("to"),
            to_formatted: fields.text("to_formatted"),
            from: fields.text("from"),
            from_formatted: fields.text("from_formatted"),
            caller_name: fields.text("caller_name"),
            forwarded_from: fields.text("forwarded_from"),
            stir_verstat: fields.text("stir_verstat"),
            phone_number_sid: fields.text("phone_number_sid"),
            trunk_sid: fields.text("trunk_sid"),
            group_sid: fields.text("group_sid"),
            status: fields.parsed("status"),
            direction: fields.parsed("direction"),
            date_created: fields.date("date_created"),
            date_updated: fields.date("date_updated"),
            start_time: fields.date("start_time"),
            end_time: fields.date("end_time"),
            duration: fields.parsed("duration"),
            price: fields.text("price"),
            price_unit: fields.text("price_unit"),
            answered_by: fields.parsed("answered_by"),
            queue_time: fields.parsed("queue_time"),
            annotation: fields.text("annotation"),
            api_version: fields.text("api_version"),
            uri: fields.text("uri"),
            subresource_uris: fields.texts("subresource_uris"),
        })
    }
}

/// Days, UTC. Everything unset is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Days {
    /// This day.
    pub on: Option<NaiveDate>,
    /// This day or a later one.
    pub from: Option<NaiveDate>,
    /// This day or an earlier one.
    pub until: Option<NaiveDate>,
}

/// Which calls are listed. Everything unset is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallFilter {
    /// Who was called.
    pub to: Option<String>,
    /// Who called.
    pub from: Option<String>,
    /// Where they stand.
    pub status: Option<CallStatus>,
    /// The legs of this call.
    pub parent_call_sid: Option<CallSid>,
    /// When they began. Queued calls have not begun and are never found with it.
    pub started: Days,
    /// When they ended. Calls that run are never found with it.
    pub ended: Days,
    /// Calls in one page, 1 to 1 000, 50 by default.
    pub page_size: Option<u32>,
}

impl CallFilter {
    fn query(&self) -> Vec<(&'static str, String)> {
        let mut form = Form(Vec::new());
        form.text("To", self.to.as_deref());
        form.text("From", self.from.as_deref());
        form.text("Status", self.status.as_ref().map(CallStatus::as_str));
        form.value("ParentCallSid", self.parent_call_sid.as_ref());
        form.days(["StartTime", "StartTime>", "StartTime<"], self.started);
        form.days(["EndTime", "EndTime>", "EndTime<"], self.ended);
        form.value("PageSize", self.page_size);
        form.0
    }
}

/// The result of a listing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallList {
    /// In Twilio's order, newest first.
    pub calls: Vec<Call>,
    /// Whether these are all; `false` when the bound came first. Then absence proves nothing.
    pub complete: bool,
}

impl Client {
    /// Places a call: one HTTP request, never repeated.
    ///
    /// # Errors
    ///
    /// [`CreateError::NotPlaced`] when certainly no call exists, [`CreateError::Unknown`] when one may.
    pub async fn create_call(&self, call: &CreateCall) -> Result<Call, CreateError> {
        let (status, fields) = self.post_create(self.resource("/Calls"), &call.form()).await?;
        Ok(read(status, &fields)?)
    }

    /// Looks at a call. Twilio may answer with a state that is a little old.
    ///
    /// # Errors
    ///
    /// An unknown call is [`Error::Api`] with status 404.
    pub async fn fetch_call(&self, sid: &CallSid) -> Result<Call, Error> {
        let (status, fields) = self.get(self.resource(&format!("/Calls/{sid}")), &[]).await?;
        read(status, &fields)
    }

    /// Changes a call.
    ///
    /// # Errors
    ///
    /// Code 21220 when it is not in a state for that change: in most cases it is over already.
    pub async fn update_call(&self, sid: &CallSid, update: &UpdateCall) -> Result<Call, Error> {
        let (status, fields) = self.post(self.resource(&format!("/Calls/{sid}")), &update.form()).await?;
        read(status, &fields)
    }

    /// Lists calls, following pages until there are `limit` calls or no more.
    ///
    /// # Errors
    ///
    /// One page that fails or cannot be read fails the listing.
    pub async fn list_calls(&self, filter: &CallFilter, limit: usize) -> Result<CallList, Error> {
        let call = |fields: Fields| Call::from_fields(&fields);
        let (calls, complete) = self.list(("/Calls", "calls"), &filter.query(), limit, call).await?;
        Ok(CallList { calls, complete })
    }

    /// Deletes what is kept of a call that is over.
    ///
    /// # Errors
    ///
    /// Code 20009 when it is not over, status 404 when it is not there (any more).
    pub async fn delete_call(&self, sid: &CallSid) -> Result<(), Error> {
        self.delete(self.resource(&format!("/Calls/{sid}"))).await
    }
}

fn read(status: u16, fields: &Fields) -> Result<Call, Error> {
    Call::from_fields(fields).map_err(|reason| Error::Unreadable { status, reason })
}
