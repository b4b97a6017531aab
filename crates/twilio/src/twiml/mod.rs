//! TwiML: the document that says what happens next in a call (Twilio's docs, voice/twiml).
//!
//! [`Response`] is the model, [`Response::to_xml`] writes it, [`read()`] reads a document as tolerantly as Twilio does
//! and says what Twilio would complain about. A call that reaches the end of a document is hung up.

mod gather;
mod keys;
mod read;
mod split;
mod verbs;
mod write;

#[cfg(test)]
mod round_trip;

pub use gather::{FinishOnKey, Gather, GatherChild, GatherInput, SpeechTimeout};
pub use keys::DtmfKey;
pub use read::{Document, ReadError, Warning, read};
pub use verbs::{
    Dial, DialNoun, NounKind, Number, Pause, Play, Record, Redirect, Reject, RejectReason, Say,
    StartRecording, Trim,
};

/// Twilio refuses a document of more bytes (error 11750).
pub const MAX_DOCUMENT_BYTES: usize = 64 * 1024;

/// Twilio refuses inline TwiML of more characters in a REST request (error 32018).
pub const MAX_INLINE_CHARS: usize = 4_000;

/// The content type of an answer with TwiML.
pub const CONTENT_TYPE: &str = "text/xml; charset=utf-8";

/// A document: verbs that run one after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Response {
    /// In the order in which they run.
    pub verbs: Vec<Verb>,
}

impl Response {
    /// A document of these verbs.
    #[must_use]
    pub fn new(verbs: Vec<Verb>) -> Self {
        Self { verbs }
    }

    /// The document as text: declaration first, everything escaped, characters that XML 1.0 forbids left out. A `Say`
    /// that is too long for one verb becomes several, one with nothing to say is left out.
    #[must_use]
    pub fn to_xml(&self) -> String {
        write::response(self)
    }
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub enum Verb {
    /// Speaks a text.
    Say(Say),
    /// Plays a recording or keys.
    Play(Play),
    /// Is silent.
    Pause(Pause),
    /// Collects speech or keys.
    Gather(Gather),
    /// Records the caller.
    Record(Record),
    /// Begins to record the whole call.
    StartRecording(StartRecording),
    /// Connects the caller with somebody else.
    Dial(Dial),
    /// Goes on with another document.
    Redirect(Redirect),
    /// Ends the call.
    Hangup,
    /// Refuses an inbound call without answering it. Only as the first verb.
    Reject(Reject),
}

macro_rules! into_verb {
    ($($name:ident),+) => {
        $(impl From<$name> for Verb {
            fn from(verb: $name) -> Self {
                Self::$name(verb)
            }
        })+
    };
}
into_verb!(Say, Play, Pause, Gather, Record, StartRecording, Dial, Redirect, Reject);
