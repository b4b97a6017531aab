//! What the reader accepts, what it complains about, what it refuses.

use std::num::NonZeroU32;

use super::*;
use crate::HttpMethod;
use crate::twiml::{
    DialNoun, FinishOnKey, Gather, GatherChild, GatherInput, NounKind, SpeechTimeout, StartRecording, Verb,
};

fn doc(xml: &str) -> Document {
    read(xml.as_bytes()).unwrap()
}

/// Reads verbs and gives the codes of the warnings.
fn codes(verbs: &str) -> Vec<u32> {
    doc(&format!("<Response>{verbs}</Response>")).warnings.iter().map(|warning| warning.code).collect()
}

fn refusal(xml: &str) -> ReadError {
    read(xml.as_bytes()).unwrap_err()
}

fn gather(attributes: &str) -> Gather {
    let found = doc(&format!("<Response><Gather {attributes}/></Response>"));
    match found.response.verbs.as_slice() {
        [Verb::Gather(gather)] => gather.clone(),
        other => panic!("one Gather was expected, not {other:?}"),
    }
}

fn spoken(say: &str) -> String {
    match doc(&format!("<Response>{say}</Response>")).response.verbs.as_slice() {
        [Verb::Say(say)] => say.text.clone(),
        other => panic!("one Say was expected, not {other:?}"),
    }
}

#[test]
fn a_turn_is_read_whole_and_without_a_warning() {
    let found = doc(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a turn -->\n<Response>\n  <Gather input=\"speech dtmf\" \
         action=\"https://example.com/t?a=1&amp;b=2\" method=\"POST\" language=\"en-US\" timeout=\"5\" \
         speechTimeout=\"auto\" hints=\"yes, no\">\n <Say voice=\"Polly.Joanna-Neural\">For how\n many?</Say>\n  </Gather>\n  \
         <Redirect method=\"GET\">\n https://example.com/s \n</Redirect><Hangup/></Response>\n",
    );
    assert_eq!(found.warnings, []);
    let [Verb::Gather(gather), Verb::Redirect(redirect), Verb::Hangup] = found.response.verbs.as_slice()
    else {
        panic!("{found:?}");
    };
    assert_eq!(gather.input, Some(GatherInput::DtmfSpeech));
    assert_eq!(gather.action.as_deref(), Some("https://example.com/t?a=1&b=2"));
    assert_eq!(gather.speech_timeout, Some(SpeechTimeout::Auto));
    assert_eq!(gather.hints, ["yes", "no"]);
    let [GatherChild::Say(say)] = gather.children.as_slice() else { panic!("{gather:?}") };
    assert_eq!(say.text, "For how many?");
    assert_eq!((redirect.method, redirect.url.as_str()), (Some(HttpMethod::Get), "https://example.com/s"));
}

#[test]
fn only_a_declaration_at_the_very_start_is_accepted() {
    assert!(read(b"<?xml version=\"1.0\"?><Response/>").is_ok());
    assert!(read("\u{FEFF}<?xml version=\"1.0\"?><Response/>".as_bytes()).is_ok());
    assert!(read(b"<Response/>").is_ok());
    for before in ["\n", " ", "<!-- x -->", "x"] {
        let error = refusal(&format!("{before}<?xml version=\"1.0\"?><Response/>"));
        assert_eq!(error.code, 12100, "{before:?}");
    }
}

#[test]
fn what_is_not_a_twiml_document_is_refused() {
    let documents = [
        "",
        "  ",
        "Hello",
        "{\"a\":1}",
        "<response/>",
        "<Answer/>",
        "<Response>",
        "<Response></response>",
        "<Response/><Response/>",
        "<Response/>trailing",
        "<Response><Say>a & b</Say></Response>",
        "<Response><Say>a &nbsp; b</Say></Response>",
        "<Response><Say>a &#0; b</Say></Response>",
        "<Response><Say>a \u{1} b</Say></Response>",
        "<Response><Redirect>https://example.com/?a=1&b=2</Redirect></Response>",
        "<Response><Gather action=\"/x?a=1&b=2\"/></Response>",
        "<Response><Gather action=\"<\"/></Response>",
        "<Response><Gather action=\"&#1;\"/></Response>",
        "<Response><Gather action=\"a\" action=\"b\"/></Response>",
        "<Response><Gather action=/></Response>",
        "<Response><Say></Response></Say>",
    ];
    for xml in documents {
        match read(xml.as_bytes()) {
            Err(error) => assert_eq!(error.code, 12100, "{xml}"),
            Ok(found) => panic!("{xml} was read as {found:?}"),
        }
    }
    assert_eq!(read(b"<Response>\xFF</Response>").unwrap_err().code, 12100);
}

#[test]
fn a_document_of_64_kb_is_read_and_one_byte_more_is_not() {
    let frame = "<Response><!----></Response>".len();
    let fits = format!("<Response><!--{}--></Response>", "x".repeat(MAX_DOCUMENT_BYTES - frame));
    assert!(read(fits.as_bytes()).is_ok());
    assert_eq!(refusal(&format!("{fits} ")).code, 11750);
}

#[test]
fn a_document_nested_without_end_is_refused() {
    let deep = format!("<Response>{}", "<a>".repeat(10_000));
    assert_eq!(refusal(&deep).code, 12100);
}

#[test]
fn unknown_verbs_attributes_and_text_are_warned_about_and_left_out() {
    assert_eq!(codes("<Sing>la</Sing>"), [12200]);
    assert_eq!(codes("<say>hello</say>"), [12200]);
    assert_eq!(codes("<Say Voice=\"man\">hello</Say>"), [12200]);
    assert_eq!(codes("hello"), [12200]);
    assert_eq!(codes("<Hangup><Say>x</Say></Hangup>"), [12200]);
    assert_eq!(codes("<Pause>x</Pause>"), [12200]);
    assert_eq!(codes("<Redirect><Say>x</Say>/next</Redirect>"), [12200]);
    let found = doc("<Response><Sing/><Hangup/></Response>");
    assert_eq!(found.response.verbs, [Verb::Hangup]);
    assert_eq!(doc("<Response xmlns:xsi=\"x\" xsi:a=\"y\"/>").warnings, []);
}

#[test]
fn verbs_that_twilio_knows_and_the_model_does_not_are_named() {
    let found = doc("<Response><Start><Stream url=\"wss://h/s\"/></Start><Hangup/><Echo/></Response>");
    assert_eq!(found.warnings, []);
    assert_eq!(found.ignored, ["Start", "Echo"]);
    assert_eq!(found.response.verbs, [Verb::Hangup]);
}

#[test]
fn a_recording_in_the_background_is_read_and_what_else_stands_there_is_complained_about() {
    let found = doc("<Response><Start><Recording channels=\"dual\" recordingStatusCallback=\"https://h/r\" \
                     recordingStatusCallbackEvent=\"completed absent\"/></Start><Hangup/></Response>");
    assert_eq!((found.warnings.len(), found.ignored.len()), (0, 0));
    let recording = StartRecording {
        recording_status_callback: Some("https://h/r".to_owned()),
        recording_status_callback_event: vec!["completed".to_owned(), "absent".to_owned()],
        channels: Some("dual".to_owned()),
        ..StartRecording::default()
    };
    assert_eq!(found.response.verbs, [Verb::StartRecording(recording), Verb::Hangup]);
    for wrong in [
        "<Start><Say>Hi</Say></Start>",
        "<Start><Recording loud=\"x\"/></Start>",
        "<Start><Recording track=\"left\"/></Start>",
        "<Start>x</Start>",
        "<Dial ringTone=\"us\" sequential=\"perhaps\">+14155550100</Dial>",
        "<Dial recordingTrack=\"left\">+14155550100</Dial>",
        "<Dial><Number machineDetection=\"Maybe\">+14155550100</Number></Dial>",
    ] {
        let found = doc(&format!("<Response>{wrong}</Response>"));
        let codes: Vec<u32> = found.warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [12200], "{wrong}");
    }
}

#[test]
fn a_gather_takes_only_what_may_be_heard() {
    for child in ["<Redirect>/x</Redirect>", "<Hangup/>", "<Gather/>", "<Play digits=\"1\"/>", "<Sing/>"] {
        let xml = format!("<Response><Gather>{child}<Pause/></Gather></Response>");
        let found = doc(&xml);
        assert_eq!(found.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), [13320], "{child}");
        let [Verb::Gather(gather)] = found.response.verbs.as_slice() else { panic!("{found:?}") };
        assert_eq!(gather.children.len(), 1);
    }
}

#[test]
fn every_attribute_of_a_gather_has_its_warning() {
    let cases = [
        ("finishOnKey=\"12\"", 13310),
        ("finishOnKey=\"x\"", 13310),
        ("method=\"PUT\"", 13312),
        ("timeout=\"0\"", 13313),
        ("timeout=\"soon\"", 13313),
        ("numDigits=\"0\"", 13314),
        ("input=\"voice\"", 13326),
        ("speechTimeout=\"never\"", 13327),
        ("speechTimeout=\"0\"", 13327),
        ("maxSpeechTime=\"x\"", 13328),
        ("partialResultCallbackMethod=\"HEAD\"", 13329),
        ("language=\"en\"", 13331),
        ("language=\"en_US\"", 13331),
        ("bargeIn=\"yes\"", 13332),
        ("profanityFilter=\"1\"", 13333),
        ("speechModel=\"best\"", 13334),
        ("speechModel=\"phone_call\" speechTimeout=\"auto\"", 13335),
        ("actionOnEmptyResult=\"perhaps\"", 13338),
    ];
    for (attributes, code) in cases {
        assert_eq!(codes(&format!("<Gather {attributes}/>")), [code], "{attributes}");
    }
    let long = format!("<Gather hints=\"ok,{}\"/>", "x".repeat(101));
    assert_eq!(codes(&long), [13330]);
    let many = format!("<Gather hints=\"{}\"/>", "a,".repeat(501));
    assert_eq!(codes(&many), [13330]);
}

#[test]
fn a_wrong_value_counts_as_absent_and_the_rest_holds() {
    let found = gather("timeout=\"0\" numDigits=\"4\" finishOnKey=\"\" speechTimeout=\"3\"");
    assert_eq!(found.timeout, None);
    assert_eq!(found.num_digits, NonZeroU32::new(4));
    assert_eq!(found.finish_on_key, Some(FinishOnKey::Never));
    assert_eq!(found.speech_timeout, NonZeroU32::new(3).map(SpeechTimeout::Seconds));
}

#[test]
fn the_other_verbs_have_their_warnings_too() {
    let cases = [
        ("<Say/>", 13520),
        ("<Say> \n </Say>", 13520),
        ("<Say voice=\"robot\">x</Say>", 13511),
        ("<Say loop=\"-1\">x</Say>", 13510),
        ("<Say language=\"en\">x</Say>", 13512),
        ("<Play loop=\"x\">/a.mp3</Play>", 13410),
        ("<Pause length=\"0\"/>", 13910),
        ("<Pause length=\"1.5\"/>", 13910),
        ("<Redirect method=\"PUT\">/x</Redirect>", 13710),
        ("<Record method=\"PUT\"/>", 13610),
        ("<Record timeout=\"x\"/>", 13611),
        ("<Record maxLength=\"0\"/>", 13612),
        ("<Record finishOnKey=\"a\"/>", 13613),
        ("<Record transcribe=\"x\"/>", 13614),
        ("<Record playBeep=\"x\"/>", 13616),
        ("<Dial method=\"PUT\">1</Dial>", 13210),
        ("<Dial timeout=\"0\">1</Dial>", 13212),
        ("<Dial hangupOnStar=\"x\">1</Dial>", 13213),
        ("<Dial timeLimit=\"x\">1</Dial>", 13216),
        ("<Dial><Say>x</Say></Dial>", 13215),
        ("<Dial><Number sendDigits=\"x\">1</Number></Dial>", 13222),
        ("<Reject reason=\"tired\"/>", 12200),
    ];
    for (verb, code) in cases {
        assert_eq!(codes(verb), [code], "{verb}");
    }
}

#[test]
fn speech_too_long_for_its_voice_is_warned_about() {
    let text = "x".repeat(3_001);
    assert!(codes(&format!("<Say>{text}</Say>")).is_empty());
    assert!(codes(&format!("<Say voice=\"Google.en-US-Standard-A\">{text}</Say>")).is_empty());
    assert_eq!(codes(&format!("<Say voice=\"Polly.Joanna\">{text}</Say>")), [13521]);
    assert_eq!(codes(&format!("<Say>{}</Say>", "x".repeat(4_097))), [13521]);
}

#[test]
fn speech_is_unescaped_and_its_markup_leaves_the_words() {
    assert_eq!(
        spoken("<Say>Fish &amp; chips &lt;3 &#x41;&#66; &quot;ok&quot;</Say>"),
        "Fish & chips <3 AB \"ok\""
    );
    assert_eq!(spoken("<Say><![CDATA[a <b> & c]]></Say>"), "a <b> & c");
    assert_eq!(spoken("<Say>one<break time=\"1s\"/>two <emphasis>three</emphasis>!</Say>"), "one two three!");
    assert_eq!(spoken("<Say>by <sub alias=\"World Wide Web\">WWW</sub></Say>"), "by World Wide Web");
    assert_eq!(spoken("<Say>a<!-- not said -->b</Say>"), "ab");
    assert_eq!(codes("<Say>a<b>c</b></Say>"), [12200]);
}

#[test]
fn a_dial_keeps_its_parties_in_order() {
    let found = doc(
        "<Response><Dial>+14155550100<Number url=\"/w\">+14155550101</Number><Sip>sip:a@example.com</Sip>\
         </Dial></Response>",
    );
    assert_eq!(found.warnings, []);
    let [Verb::Dial(dial)] = found.response.verbs.as_slice() else { panic!("{found:?}") };
    let [DialNoun::Number(plain), DialNoun::Number(number), DialNoun::Other(kind, address)] =
        dial.nouns.as_slice()
    else {
        panic!("{dial:?}");
    };
    assert_eq!(plain.number, "+14155550100");
    assert_eq!((number.number.as_str(), number.url.as_deref()), ("+14155550101", Some("/w")));
    assert_eq!((*kind, address.as_str()), (NounKind::Sip, "sip:a@example.com"));
}
