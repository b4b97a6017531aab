//! `<Gather>`: listens for speech and keys while it speaks (Twilio's docs, voice/twiml/gather).

use std::num::NonZeroU32;

use super::{DtmfKey, Pause, Play, Say};
use crate::HttpMethod;

/// Collects input. With input its action is requested; without, the next verb runs, unless
/// `action_on_empty_result` says otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gather {
    /// What is listened for, keys by default.
    pub input: Option<GatherInput>,
    /// Requested with the result. Without it the current document is requested again, which loops.
    pub action: Option<String>,
    /// How the action is requested.
    pub method: Option<HttpMethod>,
    /// Seconds to wait for a first word or key after the nested verbs, and between keys; 5 by default.
    pub timeout: Option<NonZeroU32>,
    /// The silence that ends speech; the value of `timeout` by default.
    pub speech_timeout: Option<SpeechTimeout>,
    /// Seconds of speech at most. Twilio itself stops at 60.
    pub max_speech_time: Option<NonZeroU32>,
    /// So many keys are an input at once.
    pub num_digits: Option<NonZeroU32>,
    /// The key that ends the input, `#` by default.
    pub finish_on_key: Option<FinishOnKey>,
    /// A language tag with its region, such as `en-US`.
    pub language: Option<String>,
    /// The recogniser. With one of them `speech_timeout` must be a number (warning 13335).
    pub speech_model: Option<String>,
    /// Phrases that are likely to be heard: at most 500, each at most 100 characters and without a comma.
    pub hints: Vec<String>,
    /// Whether the action is requested without input, too.
    pub action_on_empty_result: Option<bool>,
    /// Requested with interim results of speech.
    pub partial_result_callback: Option<String>,
    /// How that is requested.
    pub partial_result_callback_method: Option<HttpMethod>,
    /// Whether speech stops the nested verbs.
    pub barge_in: Option<bool>,
    /// Whether swear words are masked, true by default.
    pub profanity_filter: Option<bool>,
    /// Deprecated: the enhanced variant of the model `phone_call`.
    pub enhanced: Option<bool>,
    /// Only in Twilio's libraries; nobody says what it does.
    pub debug: Option<bool>,
    /// What is heard while it listens.
    pub children: Vec<GatherChild>,
}

/// What a Gather listens for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatherInput {
    /// Keys.
    Dtmf,
    /// Speech.
    Speech,
    /// Both: the first kind that is detected wins.
    DtmfSpeech,
}

impl GatherInput {
    /// Whether keys count.
    #[must_use]
    pub fn hears_keys(self) -> bool {
        self != Self::Speech
    }

    /// Whether speech counts.
    #[must_use]
    pub fn hears_speech(self) -> bool {
        self != Self::Dtmf
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Dtmf => "dtmf",
            Self::Speech => "speech",
            Self::DtmfSpeech => "dtmf speech",
        }
    }
}

/// The silence that ends speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpeechTimeout {
    /// The first pause. Quick, but it cuts off whoever thinks aloud.
    Auto,
    /// So many seconds.
    Seconds(NonZeroU32),
}

/// The key that ends an input. It is not part of the digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishOnKey {
    /// None: every key is input.
    Never,
    /// This one.
    Key(DtmfKey),
}

/// What may stand in a Gather.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatherChild {
    /// Speaks.
    Say(Say),
    /// Plays a recording. Keys (`digits`) are not allowed here.
    Play(Play),
    /// Is silent.
    Pause(Pause),
}

impl From<Say> for GatherChild {
    fn from(say: Say) -> Self {
        Self::Say(say)
    }
}
