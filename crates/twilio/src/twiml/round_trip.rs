//! The promise between writer and reader: what is written is read back the same, without a warning.

use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use super::*;
use crate::HttpMethod;

/// Words as a reader gives them back: white space is one space, none at the ends. Includes everything that needs
/// escaping.
fn words() -> impl Strategy<Value = String> {
    vec("[a-zA-Z0-9&<>\"'./?;#äß…語\u{1F600}]{1,12}", 1..12).prop_map(|words| words.join(" "))
}

fn url() -> impl Strategy<Value = String> {
    "https://[a-z]{1,8}\\.example/[a-z]{0,5}\\?[a-z]=[a-z0-9%+&=;'\"<>]{0,20}x"
}

fn seconds() -> impl Strategy<Value = NonZeroU32> {
    (1_u32..5_000).prop_filter_map("not zero", NonZeroU32::new)
}

fn method() -> impl Strategy<Value = HttpMethod> {
    prop_oneof![Just(HttpMethod::Get), Just(HttpMethod::Post)]
}

fn say() -> impl Strategy<Value = Say> {
    let voice = prop_oneof![Just("man".to_owned()), Just("Polly.Joanna-Neural".to_owned())];
    let language = prop_oneof![Just("en-US".to_owned()), Just("arb".to_owned())];
    (of(voice), of(language), of(0_u32..5), words()).prop_map(|(voice, language, loop_, text)| Say {
        voice,
        language,
        loop_,
        text,
    })
}

fn play() -> impl Strategy<Value = Play> {
    (of(url()), of("[0-9A-D#*wW]{1,8}"), of(0_u32..5)).prop_map(|(url, digits, loop_)| Play {
        url,
        digits,
        loop_,
    })
}

fn pause() -> impl Strategy<Value = Pause> {
    of(seconds()).prop_map(|length| Pause { length })
}

fn key() -> impl Strategy<Value = DtmfKey> {
    "[0-9*#]".prop_filter_map("a key", |text| text.chars().next().and_then(DtmfKey::new))
}

fn child() -> impl Strategy<Value = GatherChild> {
    prop_oneof![
        say().prop_map(GatherChild::Say),
        play().prop_map(|play| GatherChild::Play(Play { digits: None, ..play })),
        pause().prop_map(GatherChild::Pause),
    ]
}

fn gather() -> impl Strategy<Value = Gather> {
    let input =
        prop_oneof![Just(GatherInput::Dtmf), Just(GatherInput::Speech), Just(GatherInput::DtmfSpeech)];
    let speech = prop_oneof![
        Just((Some(SpeechTimeout::Auto), None)),
        (of(seconds().prop_map(SpeechTimeout::Seconds)), of(Just("deepgram_nova-3".to_owned()))),
    ];
    let finish = prop_oneof![Just(FinishOnKey::Never), key().prop_map(FinishOnKey::Key)];
    let callbacks = (of(url()), of(method()), of(url()), of(method()));
    let times = (of(seconds()), of(seconds()), of(seconds()));
    let flag = || of(any::<bool>());
    let flags = (flag(), flag(), flag(), flag(), flag());
    let heard = (vec("[a-z&$<]{1,9}( [a-z]{1,9})?", 0..4), vec(child(), 0..4));
    (of(input), speech, of(finish), callbacks, times, flags, heard).prop_map(
        |(input, speech, finish_on_key, callbacks, times, flags, (hints, children))| Gather {
            input,
            action: callbacks.0,
            method: callbacks.1,
            timeout: times.0,
            speech_timeout: speech.0,
            max_speech_time: times.1,
            num_digits: times.2,
            finish_on_key,
            language: Some("de-DE".to_owned()),
            speech_model: speech.1,
            hints,
            action_on_empty_result: flags.0,
            partial_result_callback: callbacks.2,
            partial_result_callback_method: callbacks.3,
            barge_in: flags.1,
            profanity_filter: flags.2,
            enhanced: flags.3,
            debug: flags.4,
            children,
        },
    )
}

fn trim() -> impl Strategy<Value = Trim> {
    prop_oneof![Just(Trim::TrimSilence), Just(Trim::DoNotTrim)]
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::sample::select(words).prop_map(str::to_owned)
}

fn words_of(words: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    let some = proptest::sample::subsequence(words, 0..=words.len());
    some.prop_map(|words| words.into_iter().map(str::to_owned).collect())
}

const TRACKS: &[&str] = &["inbound", "outbound", "both"];
const RECORDING_EVENTS: &[&str] = &["in-progress", "completed", "absent"];

fn record() -> impl Strategy<Value = Record> {
    let callbacks = (of(url()), of(method()), of(url()), of(url()), of(method()));
    let numbers = (of(0_u32..60), of(seconds()), of(vec(key(), 0..5)));
    let events = words_of(RECORDING_EVENTS);
    (callbacks, numbers, of(any::<bool>()), of(any::<bool>()), of(trim()), events).prop_map(
        |(callbacks, numbers, play_beep, transcribe, trim, events)| Record {
            action: callbacks.0,
            method: callbacks.1,
            timeout: numbers.0,
            finish_on_key: numbers.2,
            max_length: numbers.1,
            play_beep,
            trim,
            transcribe,
            transcribe_callback: callbacks.2,
            recording_status_callback: callbacks.3,
            recording_status_callback_method: callbacks.4,
            recording_status_callback_event: events,
        },
    )
}

fn start_recording() -> impl Strategy<Value = StartRecording> {
    let sides = (of(word(&["mono", "dual"])), of(word(TRACKS)), of(trim()));
    (of(url()), of(method()), words_of(RECORDING_EVENTS), sides).prop_map(|(url, method, events, sides)| {
        StartRecording {
            recording_status_callback: url,
            recording_status_callback_method: method,
            recording_status_callback_event: events,
            channels: sides.0,
            track: sides.1,
            trim: sides.2,
        }
    })
}

fn number() -> impl Strategy<Value = Number> {
    let document = ("\\+[1-9][0-9]{6,14}", of(url()), of(method()), of("[0-9wW#]{1,6}"));
    let status = (of(url()), of(method()), words_of(&["initiated", "ringing", "answered", "completed"]));
    let millis = || of(0_u32..9_000);
    let detection = (of(word(&["Enable", "DetectMessageEnd"])), millis(), millis(), millis(), millis());
    let verdict = (of(url()), of(method()), of("BY[0-9a-f]{4}"));
    (document, status, detection, verdict).prop_map(|(document, status, detection, verdict)| Number {
        number: document.0,
        url: document.1,
        method: document.2,
        send_digits: document.3,
        status_callback: status.0,
        status_callback_method: status.1,
        status_callback_event: status.2,
        machine_detection: detection.0,
        machine_detection_timeout: detection.1,
        machine_detection_speech_threshold: detection.2,
        machine_detection_speech_end_threshold: detection.3,
        machine_detection_silence_timeout: detection.4,
        amd_status_callback: verdict.0,
        amd_status_callback_method: verdict.1,
        byoc: verdict.2,
    })
}

fn noun() -> impl Strategy<Value = DialNoun> {
    prop_oneof![
        number().prop_map(DialNoun::from),
        "sip:[a-z&]{1,8}@example\\.com".prop_map(|address| DialNoun::Other(NounKind::Sip, address)),
        "[a-z]{1,8}".prop_map(|name| DialNoun::Other(NounKind::Client, name)),
    ]
}

fn dial() -> impl Strategy<Value = Dial> {
    let flags = (of(any::<bool>()), of(any::<bool>()), of(any::<bool>()));
    let ends = (of(url()), of(method()), of(seconds()), of(seconds()), of("\\+[1-9][0-9]{6,14}"));
    let recording = (of(trim()), of(word(TRACKS)), of(url()), of(method()), words_of(RECORDING_EVENTS));
    let others = (of(word(&["us", "de"])), of("[a-z&<]{1,50}"), of(url()), of(method()));
    (ends, flags, recording, others, vec(noun(), 0..4)).prop_map(|(ends, flags, recording, others, nouns)| {
        Dial {
            action: ends.0,
            method: ends.1,
            timeout: ends.2,
            time_limit: ends.3,
            caller_id: ends.4,
            hangup_on_star: flags.0,
            answer_on_bridge: flags.1,
            sequential: flags.2,
            record: Some("record-from-answer".to_owned()),
            trim: recording.0,
            recording_track: recording.1,
            recording_status_callback: recording.2,
            recording_status_callback_method: recording.3,
            recording_status_callback_event: recording.4,
            ring_tone: others.0,
            call_reason: others.1,
            refer_url: others.2,
            refer_method: others.3,
            nouns,
        }
    })
}

fn verb() -> impl Strategy<Value = Verb> {
    let reason = of(prop_oneof![Just(RejectReason::Rejected), Just(RejectReason::Busy)]);
    prop_oneof![
        say().prop_map(Verb::Say),
        play().prop_map(Verb::Play),
        pause().prop_map(Verb::Pause),
        gather().prop_map(Verb::Gather),
        record().prop_map(Verb::Record),
        start_recording().prop_map(Verb::StartRecording),
        dial().prop_map(Verb::Dial),
        (of(method()), url()).prop_map(|(method, url)| Verb::Redirect(Redirect { method, url })),
        Just(Verb::Hangup),
        reason.prop_map(|reason| Verb::Reject(Reject { reason })),
    ]
}

/// Everything that may be heard, without the white space between the words.
fn heard(document: &Document) -> String {
    let texts = document.response.verbs.iter().filter_map(|verb| match verb {
        Verb::Say(say) => Some(say.text.as_str()),
        _ => None,
    });
    texts.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #[test]
    fn every_document_is_read_back_as_it_was_written(verbs in vec(verb(), 0..5)) {
        let written = Response::new(verbs);
        let found = read(written.to_xml().as_bytes()).unwrap();
        prop_assert_eq!(&found.warnings, &Vec::new());
        prop_assert_eq!(found.response, written);
    }

    #[test]
    fn any_text_at_all_makes_a_document_that_says_it_without_a_warning(
        chars in vec(any::<char>(), 0..40),
        times in 1_usize..80,
    ) {
        let text = chars.into_iter().collect::<String>().repeat(times);
        let found = read(Response::new(vec![Say::new(text.as_str()).into()]).to_xml().as_bytes()).unwrap();
        prop_assert_eq!(&found.warnings, &Vec::new());
        let expected: String =
            text.chars().filter(|c| write::is_xml_char(*c) && !c.is_whitespace()).collect();
        prop_assert_eq!(heard(&found), expected);
    }

    #[test]
    fn no_input_makes_the_reader_fall_over(text in "[<>/&;#\"'=!?A-Za-z\\[\\] -]{0,200}") {
        let _ = read(text.as_bytes());
        let _ = read(format!("<Response>{text}</Response>").as_bytes());
    }
}
