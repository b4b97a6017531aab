//! The verbs other than Gather. An attribute that is `None` is not written, and Twilio's default holds.

use std::num::NonZeroU32;

use crate::HttpMethod;

/// `<Say>`: speaks a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Say {
    /// `man`, `woman`, `alice`, `Polly.…` or `Google.…`.
    pub voice: Option<String>,
    /// A language tag such as `en-US`.
    pub language: Option<String>,
    /// How often; 0 means until the call ends. Leave it out for a text that may be divided (over 2 500 characters):
    /// each part would be repeated by itself.
    pub loop_: Option<u32>,
    /// What is said, plain text. Runs of white space count as one space.
    pub text: String,
}

impl Say {
    /// This text with the account's voice and language.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// `<Play>`: plays a recording, or keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Play {
    /// The recording. Twilio fetches it without the call's parameters.
    pub url: Option<String>,
    /// Keys to send instead: `0-9 A-D # * w W`.
    pub digits: Option<String>,
    /// How often; 0 means up to 1 000 times.
    pub loop_: Option<u32>,
}

/// `<Pause>`: silence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pause {
    /// Seconds, 1 by default. As the first verb of an inbound call Twilio waits that long before it answers.
    pub length: Option<NonZeroU32>,
}

/// `<Redirect>`: goes on with another document; what follows it never runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redirect {
    /// How the document is requested, POST by default.
    pub method: Option<HttpMethod>,
    /// Where it is, absolute or relative; empty means the current document again.
    pub url: String,
}

/// `<Reject>`: refuses an inbound call, which is then not billed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reject {
    /// What the caller is told, `rejected` by default.
    pub reason: Option<RejectReason>,
}

/// What a refused caller hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectReason {
    /// Not in service; the call ends as `no-answer`.
    Rejected,
    /// The line is busy; the call ends as `busy`.
    Busy,
}

impl RejectReason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Busy => "busy",
        }
    }
}

/// `<Record>`: records the caller, then requests its action. Verbs after it never run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Requested when the recording is over. Without it the current document is requested again.
    pub action: Option<String>,
    /// How the action is requested.
    pub method: Option<HttpMethod>,
    /// Seconds of silence that end it, 5 by default; 0 switches that off.
    pub timeout: Option<u32>,
    /// The keys that end it, all twelve by default.
    pub finish_on_key: Option<Vec<super::DtmfKey>>,
    /// Seconds at most, 3 600 by default.
    pub max_length: Option<NonZeroU32>,
    /// Whether a beep comes first, true by default.
    pub play_beep: Option<bool>,
    /// Whether silence at both ends is cut off, yes by default.
    pub trim: Option<Trim>,
    /// Whether it is transcribed, false by default.
    pub transcribe: Option<bool>,
    /// Requested when the transcription is there.
    pub transcribe_callback: Option<String>,
    /// Requested when the recording can be fetched.
    pub recording_status_callback: Option<String>,
    /// How that is requested.
    pub recording_status_callback_method: Option<HttpMethod>,
    /// For which events: `in-progress`, `completed`, `absent`. Empty means `completed`.
    pub recording_status_callback_event: Vec<String>,
}

/// `<Start><Recording>`: from now on the whole call is recorded, in the background and across documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartRecording {
    /// Requested when the recording can be fetched. Absolute.
    pub recording_status_callback: Option<String>,
    /// How that is requested, POST by default.
    pub recording_status_callback_method: Option<HttpMethod>,
    /// For which events: `in-progress`, `completed`, `absent`. Empty means `completed`.
    pub recording_status_callback_event: Vec<String>,
    /// `mono`, or `dual`: both sides apart.
    pub channels: Option<String>,
    /// Which side: `inbound`, `outbound` or `both`, the default.
    pub track: Option<String>,
    /// Whether silence at both ends is cut off.
    pub trim: Option<Trim>,
}

/// What happens to silence at the ends of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trim {
    /// Cut off.
    TrimSilence,
    /// Kept.
    DoNotTrim,
}

impl Trim {
    /// Twilio's word for it, in REST as in TwiML.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TrimSilence => "trim-silence",
            Self::DoNotTrim => "do-not-trim",
        }
    }
}

/// `<Dial>`: connects the caller with somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dial {
    /// Requested when the other side is gone. Without it the next verb runs.
    pub action: Option<String>,
    /// How the action is requested.
    pub method: Option<HttpMethod>,
    /// Seconds of ringing, 30 by default.
    pub timeout: Option<NonZeroU32>,
    /// Seconds of conversation at most, 14 400 by default.
    pub time_limit: Option<NonZeroU32>,
    /// What the other side sees, the caller's number by default.
    pub caller_id: Option<String>,
    /// Whether the caller can end the second leg with `*`.
    pub hangup_on_star: Option<bool>,
    /// Whether an inbound caller hears ringing, unbilled, until the other side answers.
    pub answer_on_bridge: Option<bool>,
    /// `record-from-answer` and its relatives, `do-not-record` by default.
    pub record: Option<String>,
    /// Whether silence at both ends of the recording is cut off, yes by default.
    pub trim: Option<Trim>,
    /// Which side is recorded: `inbound`, `outbound` or `both`, the default.
    pub recording_track: Option<String>,
    /// Requested when the recording can be fetched.
    pub recording_status_callback: Option<String>,
    /// How that is requested.
    pub recording_status_callback_method: Option<HttpMethod>,
    /// For which events: `in-progress`, `completed`, `absent`. Empty means `completed`.
    pub recording_status_callback_event: Vec<String>,
    /// The country whose ringing the caller hears, such as `us`.
    pub ring_tone: Option<String>,
    /// Whether the parties are rung one after the other, and not all at the same time.
    pub sequential: Option<bool>,
    /// What the other side is shown as the reason for the call, at most 50 characters.
    pub call_reason: Option<String>,
    /// Requested when the other side refers the caller elsewhere.
    pub refer_url: Option<String>,
    /// How that is requested.
    pub refer_method: Option<HttpMethod>,
    /// Who is rung, all at the same time unless they are `sequential`.
    pub nouns: Vec<DialNoun>,
}

impl Dial {
    /// Dials one number.
    #[must_use]
    pub fn number(number: impl Into<String>) -> Self {
        Self { nouns: vec![Number::new(number).into()], ..Self::default() }
    }
}

/// One party of a `<Dial>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DialNoun {
    /// A telephone number; also what stands as plain text in a `<Dial>`.
    Number(Box<Number>),
    /// Any other kind of party: its kind and the text of its element. Its attributes are not kept.
    Other(NounKind, String),
}

impl From<Number> for DialNoun {
    fn from(number: Number) -> Self {
        Self::Number(Box::new(number))
    }
}

/// The kinds of party besides numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NounKind {
    /// A client of Twilio's voice SDK.
    Client,
    /// A conference room.
    Conference,
    /// A queue.
    Queue,
    /// A SIM.
    Sim,
    /// A SIP address.
    Sip,
    /// An application.
    Application,
    /// A WhatsApp number.
    WhatsApp,
}

impl NounKind {
    pub(super) const ALL: [Self; 7] = [
        Self::Client,
        Self::Conference,
        Self::Queue,
        Self::Sim,
        Self::Sip,
        Self::Application,
        Self::WhatsApp,
    ];

    /// The element's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Conference => "Conference",
            Self::Queue => "Queue",
            Self::Sim => "Sim",
            Self::Sip => "Sip",
            Self::Application => "Application",
            Self::WhatsApp => "WhatsApp",
        }
    }
}

/// `<Number>`: a telephone number to dial.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Number {
    /// E.164.
    pub number: String,
    /// A document that the called side hears before both are connected.
    pub url: Option<String>,
    /// How that is requested.
    pub method: Option<HttpMethod>,
    /// Requested as the second leg goes through its life.
    pub status_callback: Option<String>,
    /// How that is requested.
    pub status_callback_method: Option<HttpMethod>,
    /// For which events: `initiated`, `ringing`, `answered`, `completed`. Empty means `completed`.
    pub status_callback_event: Vec<String>,
    /// Keys sent when the other side answers.
    pub send_digits: Option<String>,
    /// Whether a person or a machine answers: `Enable` or `DetectMessageEnd`; not asked by default.
    pub machine_detection: Option<String>,
    /// Seconds until the verdict is `unknown`.
    pub machine_detection_timeout: Option<u32>,
    /// Milliseconds: whoever speaks for less at first is a person.
    pub machine_detection_speech_threshold: Option<u32>,
    /// Milliseconds of silence after which a greeting is over.
    pub machine_detection_speech_end_threshold: Option<u32>,
    /// Milliseconds of silence at the beginning after which the verdict is `unknown`.
    pub machine_detection_silence_timeout: Option<u32>,
    /// Requested with the verdict.
    pub amd_status_callback: Option<String>,
    /// How that is requested.
    pub amd_status_callback_method: Option<HttpMethod>,
    /// The trunk (`BY…`) of one's own carrier that is dialled through.
    pub byoc: Option<String>,
}

impl Number {
    /// This number without further ado.
    #[must_use]
    pub fn new(number: impl Into<String>) -> Self {
        Self { number: number.into(), ..Self::default() }
    }
}
