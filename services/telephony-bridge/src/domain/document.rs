//! The documents the carrier gets. Each names what comes next explicitly: none ends by accident.

use std::num::NonZeroU32;

use contracts::calls::{PartState, Then, TurnPart};
use contracts::ids::BotId;
use contracts::spoken::Spoken;
use twilio::twiml::{
    Dial, Gather, GatherChild, GatherInput, Redirect, Reject, RejectReason, Response, SpeechTimeout,
    StartRecording, Verb,
};
use twilio::{CallSid, HttpMethod};

use super::patience::{OwnWords, at_the_door, without_a_place};
use super::phrases::nobody_to_talk_to;
use super::urls::{Place, VoiceUrls};
use super::voice::Voice;

/// Seconds of silence until the customer counts as silent.
const LISTEN_SECONDS: Option<NonZeroU32> = NonZeroU32::new(5);

/// What the carrier speaks where no language is named.
const SPOKEN_ANYWAY: &str = "en-US";

/// The document for what the orchestrator answered; `None` while there is nothing to say yet.
pub(crate) fn for_part(urls: &VoiceUrls, place: Place, part: &TurnPart) -> Option<Response> {
    let voice = Voice::of(part);
    let urls = &urls.speaking(voice.clone());
    match part.state() {
        PartState::Pending | PartState::Unspecified => None,
        PartState::CallOver => Some(hang_up()),
        PartState::Ready => Some(Response::new(match part.then() {
            Then::NextPart => vec![Verb::Say(voice.say(&part.text)), redirect(urls.next(place.next_part()))],
            Then::Listen => {
                let action = urls.response(Place { sorry: 0, ..place.next_turn() });
                match urls.are_a_bots() {
                    true => speak_and_listen(action, &voice, &part.text),
                    false => listen(action, &voice, &part.text),
                }
            }
            Then::Transfer if !part.transfer_to_e164.is_empty() => {
                let dial = Dial {
                    action: Some(urls.transferred(place)),
                    ..Dial::number(part.transfer_to_e164.as_str())
                };
                vec![Verb::Say(voice.say(&part.text)), Verb::Dial(dial), Verb::Hangup]
            }
            Then::HangUp | Then::Transfer => vec![Verb::Say(voice.say(&part.text)), Verb::Hangup],
        })),
    }
}

/// The same document, with which the carrier begins to record the call: the report about it goes to `callback`.
pub(crate) fn recorded(callback: String, response: Response) -> Response {
    let recording = StartRecording { recording_status_callback: Some(callback), ..StartRecording::default() };
    let mut verbs = vec![Verb::StartRecording(recording)];
    verbs.extend(response.verbs);
    Response::new(verbs)
}

/// The document for when a person has talked with the customer, or nobody was there to.
pub(crate) fn after_transfer(reached: bool, voice: &Voice) -> Response {
    if reached {
        return hang_up();
    }
    let (language, voice) = voice.for_own_words();
    Response::new(vec![Verb::Say(voice.say(nobody_to_talk_to(language))), Verb::Hangup])
}

/// The document for what this service says by itself, in the language and with the voice of the conversation.
pub(crate) fn for_own_words(urls: &VoiceUrls, place: Place, words: OwnWords) -> Response {
    let (language, voice) = urls.voice_of_the_call().for_own_words();
    let text = words.text(language);
    Response::new(match words {
        OwnWords::Filler => vec![Verb::Say(voice.say(text)), redirect(urls.next(place.after_filler()))],
        OwnWords::Apology => {
            let again = Place { sorry: place.sorry.saturating_add(1), ..place.next_turn() };
            // What is heard next is heard in the call's own language, whatever these words are.
            listen_in(urls.voice_of_the_call(), urls.response(again), &voice, text)
        }
        OwnWords::Goodbye | OwnWords::NobodyHere | OwnWords::TooManyCalls => {
            vec![Verb::Say(voice.say(text)), Verb::Hangup]
        }
    })
}

/// The document for somebody who rings a bot while nobody can say whose it is.
pub(crate) fn wait_at_the_door(urls: &VoiceUrls, bot: BotId, fill: u32) -> (OwnWords, Response) {
    let words = at_the_door(fill);
    let say = Verb::Say(Voice::DEFAULT.say(words.text(Spoken::English)));
    let next = match words.are_the_last() {
        true => Verb::Hangup,
        false => redirect(urls.to_bot(bot, fill.saturating_add(1))),
    };
    (words, Response::new(vec![say, next]))
}

/// The document for what was heard in a call to a bot while nobody can say in which turn.
pub(crate) fn say_it_again(urls: &VoiceUrls, bot: BotId, call: &CallSid, sorry: u32) -> (OwnWords, Response) {
    let (words, voice) = (without_a_place(sorry), Voice::DEFAULT);
    let text = words.text(Spoken::English);
    let verbs = match words.are_the_last() {
        true => vec![Verb::Say(voice.say(text)), Verb::Hangup],
        false => listen(urls.response_to_bot(bot, call, sorry.saturating_add(1)), &voice, text),
    };
    (words, Response::new(verbs))
}

/// Refuses a call that still rings: the caller hears an engaged line, and nothing is billed.
pub(crate) fn turn_away() -> Response {
    Response::new(vec![Verb::Reject(Reject { reason: Some(RejectReason::Busy) })])
}

/// Ends the call without a word.
pub(crate) fn hang_up() -> Response {
    Response::new(vec![Verb::Hangup])
}

/// For a call that is not ours to answer.
pub(crate) fn unknown_call() -> Response {
    Response::new(vec![
        Verb::Say(Voice::DEFAULT.say(OwnWords::NobodyHere.text(Spoken::English))),
        Verb::Hangup,
    ])
}

/// Speaks inside the Gather, so that it can be interrupted, and goes on to `action` with or without input.
fn listen(action: String, voice: &Voice, text: &str) -> Vec<Verb> {
    listen_in(voice, action, voice, text)
}

/// The same, hearing in the language of `hears`.
fn listen_in(hears: &Voice, action: String, voice: &Voice, text: &str) -> Vec<Verb> {
    let children = if text.is_empty() { Vec::new() } else { vec![GatherChild::Say(voice.say(text))] };
    let gather = Gather {
        input: Some(GatherInput::DtmfSpeech),
        action: Some(action.clone()),
        timeout: LISTEN_SECONDS,
        speech_timeout: Some(SpeechTimeout::Auto),
        language: hears.language.clone(),
        children,
        ..Gather::default()
    };
    vec![Verb::Gather(gather), redirect(action)]
}

/// In the words of the public document of calls to bots: what is said, and behind it a Gather. A language that is the voice's own
/// is not named in front of what is said.
fn speak_and_listen(action: String, voice: &Voice, text: &str) -> Vec<Verb> {
    let language = voice.language.clone().filter(|language| language != SPOKEN_ANYWAY);
    let say = Voice { language, voice: voice.voice.clone() }.say(text);
    let mut verbs = listen(action, voice, "");
    if let Some(Verb::Gather(gather)) = verbs.first_mut() {
        gather.method = Some(HttpMethod::Post);
    }
    if !text.is_empty() {
        verbs.insert(0, Verb::Say(say));
    }
    verbs
}

fn redirect(url: String) -> Verb {
    Verb::Redirect(Redirect { url, ..Redirect::default() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::attempt::RecordsFrom;
    use contracts::ids::AttemptId;
    use twilio::overrides::CALLBACK_FRAGMENT;
    use twilio::twiml::read;

    const BASE: &str = "https://echo.example.com/carrier";

    fn places() -> impl Strategy<Value = Place> {
        (any::<u32>(), any::<u32>(), 0..4_u32, 0..4_u32).prop_map(|(turn, part, fill, sorry)| Place {
            turn,
            part,
            fill,
            sorry,
            ..Place::start(AttemptId::new())
        })
    }

    fn parts() -> impl Strategy<Value = TurnPart> {
        let texts = prop_oneof![any::<String>(), Just(String::new()), "[a-z&<>\"' ]{0,6000}"];
        let thens =
            prop_oneof![Just(Then::NextPart), Just(Then::Listen), Just(Then::HangUp), Just(Then::Transfer)];
        let languages = prop_oneof![Just(""), Just("en-US"), Just("de-DE")];
        let voices = prop_oneof![Just(""), Just("man"), Just("Polly.Joanna")];
        (texts, thens, languages, voices).prop_map(|(text, then, language, voice)| TurnPart {
            state: PartState::Ready.into(),
            text,
            then: then.into(),
            language: language.to_owned(),
            voice: voice.to_owned(),
            transfer_to_e164: "+14155550100".to_owned(),
        })
    }

    /// The document as the carrier reads it: nothing to complain about, every address absolute with the fragment behind it,
    /// and an end that is said.
    fn as_read(written: &Response) -> Response {
        let xml = written.to_xml();
        let document = read(xml.as_bytes()).unwrap_or_else(|e| panic!("{e}: {xml}"));
        assert_eq!(document.warnings, [], "{xml}");
        assert!(document.ignored.is_empty(), "{xml}");
        let verbs = &document.response.verbs;
        assert!(matches!(verbs.last(), Some(Verb::Hangup | Verb::Redirect(_))), "ends by accident: {xml}");
        for verb in verbs {
            match verb {
                Verb::Redirect(redirect) => assert_absolute(&redirect.url),
                Verb::Gather(gather) => assert_absolute(gather.action.as_deref().expect("an action")),
                Verb::Dial(dial) => assert_absolute(dial.action.as_deref().expect("an action")),
                Verb::StartRecording(recording) => {
                    assert_absolute(recording.recording_status_callback.as_deref().expect("a callback"));
                }
                _ => {}
            }
        }
        document.response
    }

    fn assert_absolute(url: &str) {
        assert!(url.starts_with(&format!("{BASE}/v1/voice")), "{url}");
        assert!(url.ends_with(CALLBACK_FRAGMENT), "{url}");
        let (_, query) = url.trim_end_matches(CALLBACK_FRAGMENT).split_once('?').expect("a query");
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.~-=&".contains(&b);
        assert!(query.bytes().all(plain), "{query} is not safe to sign");
    }

    proptest! {
        #[test]
        fn every_sentence_makes_a_document_that_the_carrier_takes_and_that_says_what_comes_next(
            place in places(), part in parts(), bot in any::<bool>()
        ) {
            let urls = VoiceUrls::new(BASE).of(bot.then(BotId::new));
            let document = as_read(&for_part(&urls, place, &part).expect("a document"));
            let listens = document.verbs.iter().any(|verb| matches!(verb, Verb::Gather(_)));
            let hangs_up = matches!(document.verbs.last(), Some(Verb::Hangup));
            prop_assert_eq!(listens, part.then() == Then::Listen);
            prop_assert_eq!(hangs_up, matches!(part.then(), Then::HangUp | Then::Transfer));
            let dials = document.verbs.iter().any(|verb| matches!(verb, Verb::Dial(_)));
            prop_assert_eq!(dials, part.then() == Then::Transfer);
        }

        #[test]
        fn own_words_are_spoken_and_say_what_comes_next(place in places()) {
            let urls = VoiceUrls::new(BASE);
            for words in OwnWords::ALL {
                let document = as_read(&for_own_words(&urls, place, words));
                let hangs_up = matches!(document.verbs.last(), Some(Verb::Hangup));
                prop_assert_eq!(hangs_up, words.are_the_last());
                let listens = document.verbs.iter().any(|verb| matches!(verb, Verb::Gather(_)));
                prop_assert_eq!(listens, words == OwnWords::Apology);
            }
        }
    }

    #[test]
    fn what_is_not_there_yet_makes_no_document_and_a_call_that_is_over_is_hung_up() {
        let (urls, place) = (VoiceUrls::new(BASE), Place::start(AttemptId::new()));
        let in_state = |state: PartState| TurnPart { state: state.into(), ..TurnPart::default() };
        assert_eq!(for_part(&urls, place, &in_state(PartState::Pending)), None);
        assert_eq!(for_part(&urls, place, &in_state(PartState::Unspecified)), None);
        assert_eq!(for_part(&urls, place, &in_state(PartState::CallOver)), Some(hang_up()));
        as_read(&hang_up());
        as_read(&unknown_call());
        assert_eq!(after_transfer(true, &Voice::DEFAULT), hang_up());
        assert!(matches!(
            as_read(&after_transfer(false, &Voice::DEFAULT)).verbs.as_slice(),
            [Verb::Say(_), Verb::Hangup]
        ));
        let text = "One moment, please.".to_owned();
        let nowhere = TurnPart { then: Then::Transfer.into(), text, ..in_state(PartState::Ready) };
        let document = as_read(&for_part(&urls, place, &nowhere).expect("a document"));
        assert!(
            matches!(document.verbs.as_slice(), [Verb::Say(_), Verb::Hangup]),
            "nobody to put through to"
        );
    }

    #[test]
    fn whoever_waits_for_a_bot_waits_a_few_times_and_hears_an_end() {
        let (urls, bot) = (VoiceUrls::new(BASE), BotId::new());
        let mut fill = 0;
        loop {
            let (words, response) = wait_at_the_door(&urls, bot, fill);
            let document = as_read(&response);
            let Some(Verb::Redirect(redirect)) = document.verbs.last() else {
                assert_eq!((words, document.verbs.last()), (OwnWords::Goodbye, Some(&Verb::Hangup)));
                break;
            };
            fill += 1;
            assert_eq!(redirect.url, format!("{BASE}/v1/voice?bot_id={bot}&fill={fill}{CALLBACK_FRAGMENT}"));
        }
        assert_eq!(fill, 3);
    }

    #[test]
    fn what_was_heard_nowhere_is_asked_for_again_and_not_for_ever() {
        let (urls, bot, call) = (VoiceUrls::new(BASE), BotId::new(), CallSid::random().expect("a sid"));
        for sorry in 0..2 {
            let (words, response) = say_it_again(&urls, bot, &call, sorry);
            let next = format!("/v1/voice-response?bot_id={bot}&amp;CallSid={call}&amp;sorry={}#", sorry + 1);
            assert!(words == OwnWords::Apology && response.to_xml().contains(&next), "{}", response.to_xml());
            as_read(&response);
        }
        let (words, response) = say_it_again(&urls, bot, &call, 2);
        assert_eq!((words, as_read(&response).verbs.last()), (OwnWords::Goodbye, Some(&Verb::Hangup)));
    }

    #[test]
    fn a_recording_begins_before_the_first_word_and_at_one_place_only() {
        let (urls, place) = (VoiceUrls::new(BASE), Place::start(AttemptId::new()));
        let spoken = for_own_words(&urls, place, OwnWords::Filler);
        let document = as_read(&recorded(urls.recording(place.attempt), spoken.clone()));
        assert!(matches!(document.verbs.first(), Some(Verb::StartRecording(_))));
        assert_eq!(document.verbs.get(1..), Some(spoken.verbs.as_slice()));
        let from = RecordsFrom::at(place.after_filler());
        let places = [place, place.after_filler(), place.after_filler().next_part(), place.next_turn()];
        assert_eq!(places.map(|place| from.is(place)), [false, true, false, false]);
    }

    #[test]
    fn a_line_that_is_engaged_costs_nothing() {
        let document = read(turn_away().to_xml().as_bytes()).expect("a document");
        assert_eq!(document.warnings, []);
        assert_eq!(document.response, turn_away());
    }

    #[test]
    fn a_bot_speaks_and_listens_in_the_words_of_the_public_document() {
        let (bot, place) = (BotId::new(), Place::start(AttemptId::new()));
        let part = |language: &str| TurnPart {
            state: PartState::Ready.into(),
            then: Then::Listen.into(),
            text: "Hi, welcome to your AI assistant. How can I help you today?".to_owned(),
            language: language.to_owned(),
            voice: "man".to_owned(),
            ..TurnPart::default()
        };
        let document =
            |urls: &VoiceUrls, language| for_part(urls, place, &part(language)).expect("a document");
        let of_a_bot = VoiceUrls::new(BASE).of(Some(bot));
        let xml = document(&of_a_bot, "en-US").to_xml();
        let said = "<Response><Say voice=\"man\">Hi, welcome to your AI assistant. How can I help you today?</Say><Gather ";
        assert!(xml.contains(said), "{xml}");
        let action = format!("action=\"{BASE}/v1/voice-response?bot_id={bot}&amp;");
        assert!(xml.contains(&action) && xml.contains("method=\"POST\""), "{xml}");
        let german = document(&of_a_bot, "de-DE");
        let Some(Verb::Say(say)) = german.verbs.first() else { panic!("{german:?}") };
        assert_eq!(say.language.as_deref(), Some("de-DE"));
        as_read(&german);
        // What others hear last can be interrupted.
        let other = document(&VoiceUrls::new(BASE), "en-US");
        assert!(matches!(other.verbs.as_slice(), [Verb::Gather(_), Verb::Redirect(_)]), "{other:?}");
    }

    #[test]
    fn own_words_sound_like_the_rest_of_the_call() {
        let place = Place::start(AttemptId::new());
        let german = Voice { language: Some("de-DE".to_owned()), voice: Some("Polly.Vicki".to_owned()) };
        let urls = VoiceUrls::new(BASE).speaking(german.clone());
        let filler = for_own_words(&urls, place, OwnWords::Filler).to_xml();
        let said = r#"<Say voice="Polly.Vicki" language="de-DE">Einen Moment, bitte.</Say>"#;
        assert!(filler.contains(said), "{filler}");
        assert!(filler.contains("&amp;fill=1&amp;lang=de-DE&amp;voice=Polly.Vicki#"), "{filler}");
        let nobody = after_transfer(false, &german).to_xml();
        assert!(nobody.contains("Auf Wiederhören"), "{nobody}");
        // Nobody understands English words from a Japanese voice; what is heard is Japanese all the same.
        let japanese = Voice { language: Some("ja-JP".to_owned()), voice: Some("Polly.Mizuki".to_owned()) };
        let apology = for_own_words(&VoiceUrls::new(BASE).speaking(japanese), place, OwnWords::Apology);
        let Some(Verb::Gather(gather)) = apology.verbs.first() else { panic!("{apology:?}") };
        assert_eq!(gather.language.as_deref(), Some("ja-JP"));
        let [GatherChild::Say(say)] = gather.children.as_slice() else { panic!("{gather:?}") };
        assert_eq!((say.voice.as_deref(), say.language.as_deref()), (None, None));
    }

    #[test]
    fn a_call_to_a_bot_names_it_in_every_address() {
        let (bot, place) = (BotId::new(), Place { turn: 2, ..Place::start(AttemptId::new()) });
        let urls = VoiceUrls::new(BASE).of(Some(bot));
        let ready = TurnPart { state: PartState::Ready.into(), text: "Yes.".into(), ..TurnPart::default() };
        let listen = TurnPart { then: Then::Listen.into(), ..ready.clone() };
        for (part, path) in [(ready, "voice-next"), (listen, "voice-response")] {
            let xml = for_part(&urls, place, &part).expect("a document").to_xml();
            assert!(
                xml.contains(&format!("{BASE}/v1/{path}?bot_id={bot}&amp;attempt={}", place.attempt)),
                "{xml}"
            );
        }
    }

    #[test]
    fn a_sentence_that_was_there_ends_the_patience_and_an_apology_counts() {
        let urls = VoiceUrls::new(BASE);
        let place = Place { turn: 2, part: 1, fill: 2, sorry: 1, ..Place::start(AttemptId::new()) };
        let ready = TurnPart { state: PartState::Ready.into(), text: "Yes.".into(), ..TurnPart::default() };
        let xml = for_part(&urls, place, &ready).expect("a document").to_xml();
        assert!(xml.contains("turn=2&amp;part=2#"), "{xml}");
        let listen = TurnPart { then: Then::Listen.into(), ..ready };
        let xml = for_part(&urls, place, &listen).expect("a document").to_xml();
        assert!(xml.contains("turn=3#"), "{xml}");
        let xml = for_own_words(&urls, place, OwnWords::Filler).to_xml();
        assert!(xml.contains("turn=2&amp;part=1&amp;fill=3&amp;sorry=1#"), "{xml}");
        let xml = for_own_words(&urls, place, OwnWords::Apology).to_xml();
        assert!(xml.contains("turn=3&amp;sorry=2#"), "{xml}");
    }
}
