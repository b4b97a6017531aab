//! What opened a turn, as its row has it.

use crate::domain::silence::Heard;

/// What opened a turn, with the words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Opening {
    /// The call was picked up.
    Answered,
    /// The customer spoke.
    Speech {
        /// The carrier's transcription.
        text: String,
        /// Its confidence.
        confidence: Option<f32>,
    },
    /// The customer pressed keys.
    Digits(String),
    /// Nothing was heard.
    Silence,
}

impl Opening {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Speech { .. } => "speech",
            Self::Digits(_) => "digits",
            Self::Silence => "silence",
        }
    }

    pub(crate) fn words(&self) -> Option<&str> {
        match self {
            Self::Speech { text, .. } | Self::Digits(text) => Some(text),
            Self::Answered | Self::Silence => None,
        }
    }

    pub(super) fn confidence(&self) -> Option<f32> {
        match self {
            Self::Speech { confidence, .. } => *confidence,
            _ => None,
        }
    }

    pub(super) fn read(kind: &str, words: Option<String>, confidence: Option<f64>) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "it was written from an f32")]
        let confidence = confidence.map(|c| c as f32);
        match (kind, words) {
            ("speech", Some(text)) => Self::Speech { text, confidence },
            ("digits", Some(digits)) => Self::Digits(digits),
            ("silence", _) => Self::Silence,
            _ => Self::Answered,
        }
    }

    /// The same without the words.
    pub(crate) fn heard(&self) -> Heard {
        match self {
            Self::Answered => Heard::Answered,
            Self::Speech { confidence, .. } => Heard::Speech { confidence: *confidence },
            Self::Digits(_) => Heard::Digits,
            Self::Silence => Heard::Silence,
        }
    }
}
