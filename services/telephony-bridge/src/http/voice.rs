//! The conversation, document by document. Every request is answered in time (`domain/deadlines.rs`): with a sentence when
//! there is one, else with words of our own.

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, web};
use common::trace;
use contracts::calls::turn_input::Input;
use contracts::calls::{Answered, Silence, Speech, TurnPart};
use prost::Message as _;
use twilio::twiml::{CONTENT_TYPE, Response};
use twilio::webhook::VoiceRequest;

use super::ask::{Question, ask};
use super::body;
use super::bot;
use super::inbound::{self, Begun};
use super::known::{Known, Unknown, look_up};
use super::signed::{Refused, Signed};
use crate::app::{App, count};
use crate::domain::attempt::RecordsFrom;
use crate::domain::document::{
    after_transfer, for_own_words, for_part, hang_up, recorded, turn_away, unknown_call,
};
use crate::domain::patience::{OwnWords, own_words, without_memory};
use crate::domain::urls::{Place, VoiceUrls};
use crate::domain::voice::Voice;
use crate::store::attempts::{self, Attempt};
use crate::store::own_words as own_words_store;

/// Longer speech than a recogniser gives for one turn is cut.
const MAX_SPEECH: usize = 4_000;
/// As many keys as anybody presses.
const MAX_DIGITS: usize = 64;

pub(super) async fn answered(app: web::Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let (body, signed) = match signed(&app, &http, payload).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let place = match signed.place() {
        Some(place) => Some(place),
        None if signed.names_a_bot() => match bot::arrive(&app, &signed, body.began).await {
            Ok(place) => Some(place),
            Err(instead) => return instead,
        },
        None => match inbound::arrive(&app, &signed).await {
            Ok(place) => place,
            Err(away) => return away,
        },
    };
    converse(&app, (&signed, place), Some(Input::Answered(Answered {})), body.began).await
}

pub(super) async fn heard(app: web::Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let (body, signed) = match signed(&app, &http, payload).await {
        Ok(read) => read,
        Err(refused) => return refused,
    };
    let place = match signed.place() {
        None if signed.names_a_bot() => match bot::open_turn(&app, &signed, body.began).await {
            Ok(place) => Some(place),
            Err(instead) => return instead,
        },
        place => place,
    };
    let heard = what_was_heard(&signed.request);
    converse(&app, (&signed, place), Some(heard), body.began).await
}

pub(super) async fn next(app: web::Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    match signed(&app, &http, payload).await {
        Ok((body, signed)) => {
            let place = signed.place();
            converse(&app, (&signed, place), None, body.began).await
        }
        Err(refused) => refused,
    }
}

/// How putting the customer through to a person went. The call ends behind it in any case.
pub(super) async fn transferred(
    app: web::Data<App>,
    http: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let body = match body::read(&app, &http, payload).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let signed = match Signed::check(&app, &http, &body.bytes).await {
        Ok(signed) => signed,
        Err(refused) => return refused.response(&app),
    };
    let Some(place) = signed.place() else { return document(&unknown_call()) };
    let status = signed.request.dial_call_status.as_ref();
    let reached = status.is_some_and(|s| matches!(s.as_str(), "completed" | "answered"));
    let work = async {
        let known = look_up(&app, &signed, place).await?;
        let second = signed.request.dial_call_sid.as_ref().map(ToString::to_string);
        note_transfer(&app, &known.attempt, reached, second).await;
        Ok(())
    };
    match tokio::time::timeout(app.config.deadlines.tables, work).await {
        Ok(Err(Unknown::Refused(refused))) => refused.response(&app),
        Ok(Err(Unknown::NoAttempt | Unknown::OtherCall(_))) => document(&hang_up()),
        // Nothing that is asked for here is in the tables: without them the answer is the same.
        Ok(Ok(()) | Err(Unknown::Away(_))) | Err(_) => document(&after_transfer(reached, &signed.voice())),
    }
}

/// The call to the person has a price of its own, which is asked for with that of the customer's. That nobody was reached is
/// told with the end of the call.
async fn note_transfer(app: &App, attempt: &Attempt, reached: bool, second: Option<String>) {
    let id = attempt.id;
    let noted = app.write(move |tx| {
        let Some(attempt) = attempts::find(tx.conn, id)? else { return Ok(()) };
        let noted = match (reached, &second) {
            (true, Some(second)) => Attempt { second_call_sid: Some(second.clone()), ..attempt },
            (true, None) => return Ok(()),
            (false, _) => Attempt { nobody_reached: true, ..attempt },
        };
        let now = tx.now();
        attempts::save(tx.conn, noted, now)?;
        Ok(())
    });
    if let Err(error) = noted.await {
        tracing::warn!(attempt = %id, %error, "how putting a customer through went could not be noted");
    }
}

/// Speech, keys or silence. Parameters that are missing or empty mean that nothing was heard.
fn what_was_heard(request: &VoiceRequest) -> Input {
    // A NUL cannot be stored, nor spoken.
    let cut = |text: &str, most| text.chars().filter(|c| *c != '\0').take(most).collect::<String>();
    let speech = request.speech_result.as_deref().map(|s| cut(s.trim(), MAX_SPEECH));
    let digits = request.digits.as_deref().map(|d| cut(d, MAX_DIGITS));
    match (speech.filter(|s| !s.is_empty()), digits.filter(|d| !d.is_empty())) {
        (Some(text), _) => {
            #[expect(clippy::cast_possible_truncation, reason = "a confidence has two meaningful digits")]
            let confidence = request.confidence.map(|c| c as f32);
            Input::Speech(Speech { text, confidence })
        }
        (None, Some(digits)) => Input::Digits(digits),
        (None, None) => Input::Silence(Silence {}),
    }
}

/// The body, and what it says once its signature has been checked.
async fn signed(
    app: &App,
    http: &HttpRequest,
    payload: web::Payload,
) -> Result<(body::Body, Signed), HttpResponse> {
    let body = body::read(app, http, payload).await?;
    match Signed::check(app, http, &body.bytes).await {
        Ok(signed) => Ok((body, signed)),
        Err(refused) => Err(refused.response(app)),
    }
}

/// `place`: where the conversation stands; `None` when there is none.
async fn converse(
    app: &App,
    (signed, place): (&Signed, Option<Place>),
    input: Option<Input>,
    began: Instant,
) -> HttpResponse {
    let Some(place) = place else { return document(&unknown_call()) };
    match answer(app, signed, place, input, began).await {
        Ok(response) => document(&response),
        Err(refused) => refused.response(app),
    }
}

pub(super) fn document(response: &Response) -> HttpResponse {
    HttpResponse::Ok().content_type(CONTENT_TYPE).body(response.to_xml())
}

async fn answer(
    app: &App,
    signed: &Signed,
    place: Place,
    input: Option<Input>,
    began: Instant,
) -> Result<Response, Refused> {
    let known = match tokio::time::timeout(app.config.deadlines.tables, look_up(app, signed, place)).await {
        Ok(Ok(known)) => known,
        Ok(Err(Unknown::NoAttempt)) => return Ok(unknown_call()),
        Ok(Err(Unknown::Refused(refused))) => return Err(refused),
        Ok(Err(Unknown::OtherCall(sid))) => {
            app.end_stranger(&signed.carrier, &sid);
            return Ok(hang_up());
        }
        Ok(Err(Unknown::Away(error))) => {
            tracing::warn!(attempt = %place.attempt, %error, "the tables are away");
            return Ok(speak_without_memory(app, signed, place, input.as_ref()));
        }
        Err(_) => {
            tracing::warn!(attempt = %place.attempt, "the tables are too slow");
            return Ok(speak_without_memory(app, signed, place, input.as_ref()));
        }
    };
    let Known { attempt, said, heard } = known;
    trace::of_call(attempt.call_id);
    trace::of_tenant(attempt.project_id);
    if attempt.stop_requested && attempt.live {
        return Ok(hang_up());
    }
    let urls = app.urls.of(attempt.bot).speaking(signed.voice());
    if let Some((words, voice)) = said {
        let same = in_own_words(signed, &urls.speaking(voice), place, words); // the same request, the same document
        return Ok(recording(&urls, (&attempt, attempt.records), place, same));
    }
    let until = began + app.config.deadlines.sentence;
    let (known, records) = match inbound::begin(app, &attempt, place, until).await {
        Begun::Yes(records) => (true, records),
        Begun::NotYet => (false, None),
        Begun::NobodyThere => return Ok(unknown_call()),
        Begun::TooMany => return Ok(in_own_words(signed, &urls, place, OwnWords::TooManyCalls)),
    };
    // Which turn is open has to be known where an address does not say it.
    let opens_a_turn = attempt.bot.is_some() && input.is_some() && place.turn > 0;
    let question = Question::new(attempt.call_id, place, input, heard);
    let whose = (attempt.project_id, attempt.call_id);
    let sentence = async {
        match known {
            true => ask(app, whose, question.clone(), until).await,
            false => None,
        }
    };
    let note = async {
        if opens_a_turn {
            bot::note_turn(app, place, until).await;
        }
    };
    let (part, ()) = tokio::join!(sentence, note);
    let response = match part.as_ref().and_then(|part| for_part(&urls, place, part)) {
        Some(response) => response,
        None => speak_for_ourselves(app, (&urls, place), question, part.as_ref(), began).await,
    };
    Ok(recording(&urls, (&attempt, records), place, response))
}

/// The document; the recording of a call that came in begins with it, where it begins at this place.
fn recording(
    urls: &VoiceUrls,
    (attempt, from): (&Attempt, Option<RecordsFrom>),
    place: Place,
    response: Response,
) -> Response {
    match from.is_some_and(|from| attempt.came_in() && from.is(place)) {
        true => recorded(urls.recording(attempt.id), response),
        false => response,
    }
}

/// The document for own words. A call that still rings need not be picked up to say that it is one too many.
fn in_own_words(signed: &Signed, urls: &VoiceUrls, place: Place, words: OwnWords) -> Response {
    match words {
        OwnWords::TooManyCalls if signed.still_rings() => turn_away(),
        words => for_own_words(urls, place, words),
    }
}

/// Without the tables we know neither call nor words: keep the line, within bounds.
fn speak_without_memory(app: &App, signed: &Signed, place: Place, input: Option<&Input>) -> Response {
    let heard = matches!(input, Some(Input::Speech(_) | Input::Digits(_)));
    let words = if heard { without_memory(place) } else { own_words(place) };
    count(app.numbers.own_words.as_ref(), words.as_str());
    for_own_words(&app.urls.of(signed.bot()).speaking(signed.voice()), place, words)
}

/// Nobody had a sentence in time; `not_yet` is what an orchestrator that lives says instead. What is said is noted, so that the same request gets the same document; what was heard
/// is kept when the orchestrator may not have it.
async fn speak_for_ourselves(
    app: &App,
    (urls, place): (&VoiceUrls, Place),
    question: Question,
    not_yet: Option<&TurnPart>,
    began: Instant,
) -> Response {
    // Whoever has no sentence yet may know how it will be spoken.
    let voice = not_yet.map(Voice::of).filter(|voice| voice.language.is_some());
    let urls = voice.map_or_else(|| urls.clone(), |voice| urls.speaking(voice));
    let words = own_words(place);
    count(app.numbers.own_words.as_ref(), words.as_str());
    let heard = match question {
        Question::Start(request) if not_yet.is_none() => Some(request.encode_to_vec()),
        Question::Start(_) | Question::Next(_) => None,
    };
    let voice = urls.voice_of_the_call().clone();
    let note = app.write(move |tx| {
        own_words_store::note(tx.conn, place, (words, &voice), heard.clone())?;
        if words == OwnWords::Goodbye
            && let Some(attempt) = attempts::find(tx.conn, place.attempt)?
        {
            attempts::save(tx.conn, Attempt { gave_up: true, ..attempt }, tx.now())?;
        }
        Ok(())
    });
    match tokio::time::timeout_at((began + app.config.deadlines.noted).into(), note).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "own words could not be noted"),
        Err(_) => tracing::warn!("own words could not be noted in time"),
    }
    for_own_words(&urls, place, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard_in(request: VoiceRequest) -> Input {
        what_was_heard(&request)
    }

    #[test]
    fn speech_comes_before_keys_and_nothing_is_silence() {
        let speech = VoiceRequest {
            speech_result: Some(" yes\0 ".to_owned()),
            digits: Some("1".to_owned()),
            confidence: Some(0.5),
            ..VoiceRequest::default()
        };
        assert_eq!(heard_in(speech), Input::Speech(Speech { text: "yes".into(), confidence: Some(0.5) }));
        let digits = VoiceRequest { digits: Some("12#".to_owned()), ..VoiceRequest::default() };
        assert_eq!(heard_in(digits), Input::Digits("12#".into()));
        let nothing = VoiceRequest { speech_result: Some("\0".to_owned()), ..VoiceRequest::default() };
        assert_eq!(heard_in(nothing), Input::Silence(Silence {}));
        assert_eq!(heard_in(VoiceRequest::default()), Input::Silence(Silence {}));
    }

    #[test]
    fn what_is_too_long_is_cut() {
        let long = VoiceRequest { speech_result: Some("ü".repeat(5_000)), ..VoiceRequest::default() };
        let Input::Speech(speech) = heard_in(long) else { panic!("speech") };
        assert_eq!(speech.text.chars().count(), MAX_SPEECH);
    }
}
