//! What was said in a call, by both sides, as a bystander would write it down.

use serde::Serialize;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// Whoever writes the TwiML.
    Agent,
    /// The person on the phone.
    Person,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Who.
    pub by: Speaker,
    /// What: spoken text, or the keys that were pressed.
    pub text: String,
    /// Seconds since pick-up, on the call's own clock.
    pub at: f64,
    /// Whether these are keys and not speech.
    pub keys: bool,
    /// Whether it was cut off before its end.
    pub interrupted: bool,
    /// For a person's line: whether a `<Gather>` or `<Record>` was listening for it.
    pub listened_to: bool,
}
