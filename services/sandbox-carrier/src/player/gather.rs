//! `<Gather>`: speaks its prompt, lets the person act, and requests its action with what came in.

use std::time::Duration;

use twilio::twiml::{Gather, GatherChild};

use super::callbacks::Kind;
use super::leg::Leg;
use super::verbs::{follow, loops, pause_length, resolve, sound};
use super::{Flow, Stop, Task};
use crate::client::Params;
use crate::domain::clock::speaking_time;
use crate::domain::gather::{Heard, Listening, Outcome, outcome};
use crate::domain::nasty::Words;
use crate::domain::person::{Act, Reaction};
use crate::domain::plan::Hook;
use crate::domain::transcript::Speaker;

/// Part of a prompt: what is heard (nothing is a pause), and for how long.
struct Piece {
    text: Option<String>,
    lasts: Duration,
}

/// Performs the verb; nothing means that the document goes on behind it.
pub(super) async fn run(leg: &mut Leg, base: Option<&Hook>, gather: &Gather) -> Flow<Option<Task>> {
    let listening = Listening::from(gather);
    let pieces = prompt(gather);
    for text in pieces.iter().filter_map(|piece| piece.text.as_deref()) {
        leg.person.hear(text);
    }
    let length = pieces.iter().map(|piece| piece.lasts).sum();
    let reaction = leg.person.answer(leg.clock.elapsed());
    let outcome = outcome(&listening, length, &reaction);
    act_out(leg, &pieces, &reaction, &outcome, base.zip(Some(gather))).await?;
    let extra = match outcome.heard {
        Heard::HungUp => return Err(Stop::PersonGone),
        Heard::Nothing if gather.action_on_empty_result == Some(true) => Params::new(),
        Heard::Nothing => return Ok(None),
        Heard::Speech { text, confidence } => {
            let (words, unsure) =
                leg.shared.books(|books| (books.nasty.words(), books.nasty.confidence_missing));
            spoken(text, Some(confidence).filter(|_| !unsure), words)
        }
        Heard::Keys { digits, finished_on } => typed(digits, finished_on),
    };
    follow(leg, base, gather.action.as_deref(), gather.method, extra).map(Some)
}

fn prompt(gather: &Gather) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for child in &gather.children {
        match child {
            GatherChild::Say(say) => {
                for _ in 0..loops(say.loop_) {
                    pieces.push(Piece { lasts: speaking_time(&say.text), text: Some(say.text.clone()) });
                }
            }
            GatherChild::Play(play) => {
                let (text, lasts) = sound(play);
                pieces.push(Piece { text: Some(text), lasts });
            }
            GatherChild::Pause(pause) => pieces.push(Piece { text: None, lasts: pause_length(pause) }),
        }
    }
    pieces
}

/// Lets the time of the outcome pass, with everybody's lines at their places.
async fn act_out(
    leg: &mut Leg,
    pieces: &[Piece],
    reaction: &Reaction,
    outcome: &Outcome,
    partials: Option<(&Hook, &Gather)>,
) -> Flow<()> {
    let mut left = outcome.prompt;
    for piece in pieces {
        if left.is_zero() && !piece.lasts.is_zero() {
            break;
        }
        if let Some(text) = &piece.text {
            leg.say_line(Speaker::Agent, text, false);
        }
        let part = piece.lasts.min(left);
        if piece.text.is_some() {
            leg.speak_for(part).await?;
        } else {
            leg.wait(part).await?;
        }
        if part < piece.lasts && piece.text.is_some() {
            leg.cut_last_line();
        }
        left -= part;
    }
    let mut now = outcome.prompt;
    if let Some(acted) = outcome.acted {
        let until = acted.saturating_sub(now);
        leg.wait(until).await?;
        now += until;
        person_line(leg, &reaction.act, &outcome.heard);
        if let (Heard::Speech { text, .. }, Some((base, gather))) = (&outcome.heard, partials) {
            partial_result(leg, base, gather, text);
        }
    }
    leg.wait(outcome.over.saturating_sub(now)).await
}

fn person_line(leg: &Leg, act: &Act, heard: &Heard) {
    match act {
        Act::Say { text, .. } => {
            leg.say_line(Speaker::Person, text, matches!(heard, Heard::Speech { .. }));
        }
        Act::Press(keys) => leg.key_line(keys, matches!(heard, Heard::Keys { .. })),
        Act::Silence | Act::HangUp => {}
    }
}

fn spoken(text: String, confidence: Option<f64>, words: Words) -> Params {
    let text = match words {
        Words::AsTheyAre => Some(text),
        Words::Empty => Some(String::new()),
        Words::Missing => None,
    };
    let confidence = confidence.map(|confidence| ("Confidence".to_owned(), confidence.to_string()));
    text.map(|text| ("SpeechResult".to_owned(), text)).into_iter().chain(confidence).collect()
}

fn typed(digits: String, finished_on: Option<char>) -> Params {
    vec![
        ("Digits".to_owned(), digits),
        ("FinishedOnKey".to_owned(), finished_on.map(String::from).unwrap_or_default()),
        ("msg".to_owned(), "Gather End".to_owned()),
    ]
}

/// One interim result: the first half of the words.
fn partial_result(leg: &Leg, base: &Hook, gather: &Gather, text: &str) {
    let Some(url) = gather.partial_result_callback.as_deref() else { return };
    let hook = match resolve(Some(base), Some(url), gather.partial_result_callback_method) {
        Ok(hook) => hook,
        Err(problem) => return leg.fault(problem, Some(base)),
    };
    let words: Vec<&str> = text.split_whitespace().collect();
    let half = words.iter().take(words.len().div_ceil(2)).copied().collect::<Vec<_>>().join(" ");
    let mut params = leg.params_now();
    params.extend([
        ("UnstableSpeechResult".to_owned(), half),
        ("StableSpeechResult".to_owned(), String::new()),
        ("Stability".to_owned(), "0.5".to_owned()),
        ("SequenceNumber".to_owned(), "0".to_owned()),
    ]);
    leg.post(hook, params, Kind::Partial);
}
