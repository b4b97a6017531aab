//! The addresses that the carrier is given. Absolute, with the attempt and the turn in the query, so that a repeated or
//! late request is recognised, the bot in front of them in a call to one, and language and voice behind them; ending in the fragment that asks the carrier to
//! try again when an answer is lost.

use contracts::ids::{AttemptId, BotId};
use twilio::CallSid;
use twilio::overrides::CALLBACK_FRAGMENT;

use super::voice::Voice;

/// Builds callback addresses on the public voice address.
#[derive(Clone, Debug)]
pub(crate) struct VoiceUrls {
    base: String,
    /// Whose call it is, in front of every query of the conversation.
    bot: Option<BotId>,
    /// How it is spoken, behind every query of the conversation.
    voice: Voice,
}

/// Where a conversation stands, as it rides in the query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which attempt.
    pub(crate) attempt: AttemptId,
    /// Which turn.
    pub(crate) turn: u32,
    /// Which sentence of it.
    pub(crate) part: u32,
    /// How many fillers have been spoken while waiting for it.
    pub(crate) fill: u32,
    /// How many turns in a row have ended in an apology.
    pub(crate) sorry: u32,
}

impl Place {
    /// The first turn of an attempt.
    #[cfg(test)]
    pub(crate) const fn start(attempt: AttemptId) -> Self {
        Self { attempt, turn: 0, part: 0, fill: 0, sorry: 0 }
    }

    /// The turn after this one.
    pub(crate) const fn next_turn(self) -> Self {
        Self { turn: self.turn.saturating_add(1), part: 0, fill: 0, ..self }
    }

    /// The sentence after this one. A sentence was there, so the patience starts anew.
    pub(crate) const fn next_part(self) -> Self {
        Self { part: self.part.saturating_add(1), fill: 0, sorry: 0, ..self }
    }

    /// The same sentence, asked for again after a filler.
    pub(crate) const fn after_filler(self) -> Self {
        Self { fill: self.fill.saturating_add(1), ..self }
    }
}

impl VoiceUrls {
    /// `base` is how the carrier reaches this service, without a slash at the end.
    pub(crate) fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), bot: None, voice: Voice::DEFAULT }
    }

    /// The same for a call to this bot, if it is to one.
    pub(crate) fn of(&self, bot: Option<BotId>) -> Self {
        Self { bot, ..self.clone() }
    }

    /// The same for a conversation that is spoken like this.
    pub(crate) fn speaking(&self, voice: Voice) -> Self {
        Self { voice, ..self.clone() }
    }

    /// How the conversation is spoken.
    pub(crate) const fn voice_of_the_call(&self) -> &Voice {
        &self.voice
    }

    /// Whether they are those of a call to a bot.
    pub(crate) const fn are_a_bots(&self) -> bool {
        self.bot.is_some()
    }

    /// The public address of a request, as the carrier signed it: our base and its raw path and query.
    pub(crate) fn signed(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.base)
    }

    /// Fetched when the call is answered.
    pub(crate) fn voice(&self, attempt: AttemptId) -> String {
        format!("{}/v1/voice?attempt={attempt}{CALLBACK_FRAGMENT}", self.base)
    }

    /// Fetched when somebody calls a number of ours.
    pub(crate) fn inbound(&self) -> String {
        format!("{}/v1/voice{CALLBACK_FRAGMENT}", self.base)
    }

    /// Fetched when somebody calls a number that a bot answers; `fill`: how often they have been asked to wait.
    pub(crate) fn to_bot(&self, bot: BotId, fill: u32) -> String {
        let waited = if fill > 0 { format!("&fill={fill}") } else { String::new() };
        format!("{}/v1/voice?bot_id={bot}{waited}{CALLBACK_FRAGMENT}", self.base)
    }

    /// Told what was heard in a call to a bot, where nobody can say which attempt it is.
    pub(crate) fn response_to_bot(&self, bot: BotId, call: &CallSid, sorry: u32) -> String {
        let (base, sorry) = (&self.base, if sorry > 0 { format!("&sorry={sorry}") } else { String::new() });
        format!("{base}/v1/voice-response?bot_id={bot}&CallSid={call}{sorry}{CALLBACK_FRAGMENT}")
    }

    /// Told when such a call has ended.
    pub(crate) fn inbound_status(&self) -> String {
        format!("{}/v1/voice-status{CALLBACK_FRAGMENT}", self.base)
    }

    /// Told what was heard.
    pub(crate) fn response(&self, place: Place) -> String {
        self.at("voice-response", place)
    }

    /// Asked for a further sentence.
    pub(crate) fn next(&self, place: Place) -> String {
        self.at("voice-next", place)
    }

    /// Told how putting a customer through to a person went.
    pub(crate) fn transferred(&self, place: Place) -> String {
        self.at("voice-transferred", place)
    }

    fn at(&self, path: &str, Place { attempt, turn, part, fill, sorry }: Place) -> String {
        let bot = self.bot.map_or_else(String::new, |bot| format!("bot_id={bot}&"));
        let mut url = format!("{}/v1/{path}?{bot}attempt={attempt}&turn={turn}", self.base);
        for (name, value) in [("part", part), ("fill", fill), ("sorry", sorry)] {
            if value > 0 {
                url.push_str(&format!("&{name}={value}"));
            }
        }
        url + &self.voice.in_an_address() + CALLBACK_FRAGMENT
    }

    /// Told how the call goes.
    pub(crate) fn status(&self, attempt: AttemptId) -> String {
        format!("{}/v1/voice-status?attempt={attempt}{CALLBACK_FRAGMENT}", self.base)
    }

    /// Told when the recording is there.
    pub(crate) fn recording(&self, attempt: AttemptId) -> String {
        format!("{}/v1/voice-recording?attempt={attempt}{CALLBACK_FRAGMENT}", self.base)
    }

    /// Told who, or what, answered.
    pub(crate) fn answered_by(&self, attempt: AttemptId) -> String {
        format!("{}/v1/voice-amd?attempt={attempt}{CALLBACK_FRAGMENT}", self.base)
    }
}
