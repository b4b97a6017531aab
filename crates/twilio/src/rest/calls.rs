//! Calls: placed, looked at, changed, listed.

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;

use super::client::Client;
use super::error::{CreateError, Error};
use super::fields::Fields;
use crate::HttpMethod;
use crate::call::{AnsweredBy, CallStatus, Direction};
use crate::sid::{AccountSid, CallSid};

/// More pages than this are not asked for in one listing, however small they are.
const MAX_PAGES: usize = 50;

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
    /// Where the verdict is posted while the call already runs. Without it the call's instructions wait for the
    /// verdict, in silence, and are requested with it.
    pub async_callback: Option<String>,
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
    /// Told about `status_events`.
    pub status_callback: Option<String>,
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
    /// Told when the recording can be fetched.
    pub recording_status_callback: Option<String>,
    /// Keys sent when it is answered. Switches machine detection off.
    pub send_digits: Option<String>,
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
            status_callback: None,
            status_events: Vec::new(),
            timeout: None,
            time_limit: None,
            machine_detection: None,
            record: None,
            recording_status_callback: None,
            send_digits: None,
        }
    }

    /// The form that is posted. A list is its name, repeated.
    #[must_use]
    pub fn form(&self) -> Vec<(&'static str, String)> {
        let mut form = Form(vec![("To", self.to.clone()), ("From", self.from.clone())]);
        form.instructions(&self.instructions);
        form.text("FallbackUrl", self.fallback_url.as_deref());
        form.text("StatusCallback", self.status_callback.as_deref());
        for event in &self.status_events {
            form.text("StatusCallbackEvent", Some(event.as_str()));
        }
        form.value("Timeout", self.timeout);
        form.value("TimeLimit", self.time_limit);
        if let Some(detection) = &self.machine_detection {
            let mode = match detection.mode {
                MachineDetectionMode::Enable => "Enable",
                MachineDetectionMode::DetectMessageEnd => "DetectMessageEnd",
            };
            form.text("MachineDetection", Some(mode));
            form.value("MachineDetectionTimeout", detection.timeout);
            form.text("AsyncAmd", detection.async_callback.as_ref().map(|_| "true"));
            form.text("AsyncAmdStatusCallback", detection.async_callback.as_deref());
        }
        form.value("Record", self.record);
        form.text("RecordingStatusCallback", self.recording_status_callback.as_deref());
        form.text("SendDigits", self.send_digits.as_deref());
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

    fn url(&mut self, url: &str, method: Option<HttpMethod>) {
        self.text("Url", Some(url));
        self.text("Method", method.map(HttpMethod::as_str));
    }

    fn instructions(&mut self, instructions: &Instructions) {
        match instructions {
            Instructions::Url { url, method } => self.url(url, *method),
            Instructions::Twiml(document) => self.text("Twiml", Some(document)),
        }
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
}

impl UpdateCall {
    fn form(&self) -> Vec<(&'static str, String)> {
        let mut form = Form(Vec::new());
        match self {
            Self::Cancel => form.text("Status", Some("canceled")),
            Self::Complete => form.text("Status", Some("completed")),
            Self::Twiml(document) => form.text("Twiml", Some(document)),
            Self::Url { url, method } => form.url(url, *method),
        }
        form.0
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
    /// Who calls.
    pub from: Option<String>,
    /// The number it came in on or went out from.
    pub phone_number_sid: Option<String>,
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
}

impl Call {
    fn from_fields(fields: &Fields) -> Result<Self, String> {
        Ok(Self {
            sid: fields.sid()?,
            account_sid: fields.parsed("account_sid"),
            parent_call_sid: fields.parsed("parent_call_sid"),
            to: fields.text("to"),
            from: fields.text("from"),
            phone_number_sid: fields.text("phone_number_sid"),
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
        })
    }
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
    /// Begun on or after this day, UTC. Queued calls have not begun and are never found with it.
    pub started_from: Option<NaiveDate>,
    /// Begun on or before this day, UTC.
    pub started_until: Option<NaiveDate>,
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
        form.value("StartTime>", self.started_from);
        form.value("StartTime<", self.started_until);
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
        let mut found = CallList::default();
        let (mut status, mut page) = self.get(self.resource("/Calls"), &filter.query()).await?;
        for pages in 1.. {
            let unreadable = |reason: String| Error::Unreadable { status, reason };
            let next = page.text("next_page_uri");
            let Some(Value::Array(calls)) = page.take("calls") else {
                return Err(unreadable("the page has no calls".to_owned()));
            };
            for call in calls {
                if found.calls.len() == limit {
                    return Ok(found);
                }
                let call = Fields::new(call).and_then(|fields| Call::from_fields(&fields));
                found.calls.push(call.map_err(unreadable)?);
            }
            let Some(next) = next else {
                found.complete = true;
                return Ok(found);
            };
            if pages == MAX_PAGES || found.calls.len() >= limit {
                return Ok(found);
            }
            let url = self
                .next_page(&next)
                .ok_or_else(|| unreadable("its next page is not a path of this API".to_owned()))?;
            (status, page) = self.get(url, &[]).await?;
        }
        Ok(found)
    }
}

fn read(status: u16, fields: &Fields) -> Result<Call, Error> {
    Call::from_fields(fields).map_err(|reason| Error::Unreadable { status, reason })
}
