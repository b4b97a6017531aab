//! `<Gather>` and what may stand in it.

use std::num::NonZeroU32;
use std::str::FromStr;

use super::attributes::{Attributes, SCHEMA, Warnings, warn};
use super::tree::Element;
use super::verbs::{elements, language, pause, play, say};
use crate::twiml::write::{MAX_HINT_CHARS, MAX_HINTS};
use crate::twiml::{DtmfKey, FinishOnKey, Gather, GatherChild, GatherInput, SpeechTimeout};

/// A verb that may not stand in a Gather.
const NESTED: u32 = 13320;

/// Recognisers by name. Deepgram's are many and change, so they are known by their maker.
const SPEECH_MODELS: [&str; 9] = [
    "default",
    "numbers_and_commands",
    "phone_call",
    "experimental_conversations",
    "experimental_utterances",
    "googlev2_long",
    "googlev2_short",
    "googlev2_telephony",
    "googlev2_telephony_short",
];

pub(super) fn gather(element: Element, warnings: &mut Warnings) -> Gather {
    let mut a = Attributes::new("Gather", element.attributes, warnings);
    let mut gather = Gather {
        input: a.value("input", 13326, "dtmf, speech or dtmf speech", input),
        action: a.text("action"),
        method: a.method("method", 13312),
        timeout: a.positive("timeout", 13313),
        speech_timeout: a.value("speechTimeout", 13327, "auto or a whole number from 1", speech_timeout),
        max_speech_time: a.positive("maxSpeechTime", 13328),
        num_digits: a.positive("numDigits", 13314),
        finish_on_key: a.value("finishOnKey", 13310, "one of 0-9 # * or empty", finish_on_key),
        language: a.value("language", 13331, "a tag with its region, such as en-US", language),
        speech_model: a.value("speechModel", 13334, "one of Twilio's speech models", speech_model),
        hints: Vec::new(),
        action_on_empty_result: a.boolean("actionOnEmptyResult", 13338),
        partial_result_callback: a.text("partialResultCallback"),
        partial_result_callback_method: a.method("partialResultCallbackMethod", 13329),
        barge_in: a.boolean("bargeIn", 13332),
        profanity_filter: a.boolean("profanityFilter", 13333),
        enhanced: a.boolean("enhanced", SCHEMA),
        debug: a.boolean("debug", SCHEMA),
        children: Vec::new(),
    };
    let hints = a.text("hints");
    a.finish();
    gather.hints = hints.map(|text| read_hints(&text, warnings)).unwrap_or_default();
    if gather.speech_timeout == Some(SpeechTimeout::Auto) && gather.speech_model.is_some() {
        let message = "speechTimeout of <Gather> is auto, with a speechModel it must be a whole number";
        warn(warnings, 13335, message);
    }
    for child in elements("Gather", element.nodes, warnings) {
        gather.children.extend(read_child(child, warnings));
    }
    gather
}

fn read_child(element: Element, warnings: &mut Warnings) -> Option<GatherChild> {
    match element.name.as_str() {
        "Say" => say(element, warnings).map(GatherChild::Say),
        "Pause" => Some(GatherChild::Pause(pause(element, warnings))),
        "Play" => {
            let play = play(element, warnings);
            if play.digits.is_some() {
                warn(warnings, NESTED, "<Play> in <Gather> may not have digits");
                return None;
            }
            Some(GatherChild::Play(play))
        }
        name => {
            let message = format!("<{name}> may not stand in <Gather>, only Say, Play and Pause");
            warn(warnings, NESTED, message);
            None
        }
    }
}

fn input(value: &str) -> Option<GatherInput> {
    let words: Vec<&str> = value.split_whitespace().collect();
    match words.as_slice() {
        ["dtmf"] => Some(GatherInput::Dtmf),
        ["speech"] => Some(GatherInput::Speech),
        ["dtmf", "speech"] | ["speech", "dtmf"] => Some(GatherInput::DtmfSpeech),
        _ => None,
    }
}

fn speech_timeout(value: &str) -> Option<SpeechTimeout> {
    match value {
        "auto" => Some(SpeechTimeout::Auto),
        number => NonZeroU32::from_str(number).ok().map(SpeechTimeout::Seconds),
    }
}

fn finish_on_key(value: &str) -> Option<FinishOnKey> {
    let mut keys = value.chars();
    match (keys.next(), keys.next()) {
        (None, _) => Some(FinishOnKey::Never),
        (Some(key), None) => DtmfKey::new(key).map(FinishOnKey::Key),
        (Some(_), Some(_)) => None,
    }
}

fn speech_model(value: &str) -> Option<String> {
    let known = SPEECH_MODELS.contains(&value) || value.starts_with("deepgram");
    known.then(|| value.to_owned())
}

fn read_hints(text: &str, warnings: &mut Warnings) -> Vec<String> {
    let all: Vec<&str> = text.split(',').map(str::trim).filter(|hint| !hint.is_empty()).collect();
    if all.len() > MAX_HINTS {
        warn(warnings, 13330, format!("<Gather> has {} hints, at most {MAX_HINTS} count", all.len()));
    }
    let (kept, long): (Vec<&str>, Vec<&str>) =
        all.into_iter().take(MAX_HINTS).partition(|hint| hint.chars().count() <= MAX_HINT_CHARS);
    if !long.is_empty() {
        let message = format!("{} hints of <Gather> are longer than {MAX_HINT_CHARS} characters", long.len());
        warn(warnings, 13330, message);
    }
    kept.into_iter().map(str::to_owned).collect()
}
