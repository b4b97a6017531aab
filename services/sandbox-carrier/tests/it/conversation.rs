//! People on the phone: what they hear, say and press.

use crate::harness::{Sandbox, ask, bye};
use crate::receiver::Receiver;

const CONFIRMS: &str = "+14155552671";

#[tokio::test]
async fn cookies_come_back_in_the_same_call_and_not_with_its_callbacks() {
    let sandbox = Sandbox::start();
    // The receiver sets one with every document.
    let mut receiver = Receiver::with(&[
        ("/voice", "<Response><Redirect>/next</Redirect></Response>"),
        ("/next", &bye("Goodbye.")),
    ]);
    for _ in 0..2 {
        sandbox.call("+14155552671", &receiver.url, &[]).await;
        let all = receiver.until_the_end().await;
        let cookie = |path: &str| {
            let got = all.iter().filter(|got| got.path == path);
            got.map(|got| got.cookie.as_str()).collect::<Vec<_>>()
        };
        assert_eq!((cookie("/voice"), cookie("/next")), (vec![""], vec!["last=/voice"]));
        assert_eq!(cookie("/status"), [""; 4]);
    }
}

#[tokio::test]
async fn a_person_confirms_and_every_step_is_reported() {
    let sandbox = Sandbox::start();
    let question = ask("You have an appointment on Thursday. Does that work for you?", "/heard?turn=1");
    let mut receiver = Receiver::with(&[("/voice", &question), ("/heard", &bye("Thank you. Goodbye."))]);
    let sid = sandbox.call(CONFIRMS, &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;

    let voice = all.iter().find(|got| got.path == "/voice").unwrap();
    assert_eq!((voice.method.as_str(), voice.get("CallStatus")), ("POST", "in-progress"));
    assert_eq!((voice.get("CallSid"), voice.get("Direction")), (sid.as_str(), "outbound-api"));
    assert!(voice.has("ToCity") && voice.get("ToCity").is_empty(), "unknown places are sent empty");
    assert_eq!((voice.get("ToCountry"), voice.get("Called")), ("US", CONFIRMS));

    let heard = all.iter().find(|got| got.path == "/heard").unwrap();
    assert_eq!(heard.query, "turn=1");
    assert_eq!((heard.get("SpeechResult"), heard.get("Confidence")), ("Yes, that works for me.", "0.92"));

    let reports: Vec<_> = all.iter().filter(|got| got.path == "/status").collect();
    let statuses: Vec<_> = reports.iter().map(|got| got.get("CallStatus")).collect();
    assert_eq!(statuses, ["initiated", "ringing", "in-progress", "completed"]);
    let sequence: Vec<_> = reports.iter().map(|got| got.get("SequenceNumber")).collect();
    assert_eq!(sequence, ["0", "1", "2", "3"]);
    let end = reports.last().unwrap();
    assert_eq!((end.get("SipResponseCode"), end.get("Duration")), ("200", "1"));
    // 4.0 s question, 0.7 s thought, 1.53 s answer, 0.8 s silence, 1.27 s goodbye: 8.3 s.
    let lasted: u64 = end.get("CallDuration").parse().unwrap();
    assert!((8..=12).contains(&lasted), "{lasted}");

    assert_eq!(
        sandbox.transcript(&sid).await,
        [
            "person: Hello?",
            "agent: You have an appointment on Thursday. Does that work for you?",
            "person: Yes, that works for me.",
            "agent: Thank you. Goodbye.",
        ]
    );
    assert_eq!(sandbox.fault_codes().await, [0_u64; 0], "nothing was wrong with documents or callbacks");
    let (_, call) = sandbox.get(&format!("/Calls/{sid}.json")).await;
    assert_eq!((&call["status"], &call["duration"]), (&"completed".into(), &lasted.to_string().into()));
}

#[tokio::test]
async fn whoever_cannot_come_names_another_time() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, before| match (got.path.as_str(), before) {
        ("/voice", _) => (200, ask("Does Thursday at two work for you?", "/heard")),
        ("/heard", 0) => (200, ask("What day and time would suit you?", "/heard")),
        ("/heard", _) => (200, bye("I will note that.")),
        _ => (200, String::new()),
    });
    sandbox.call("+14155550101", &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    let said: Vec<_> =
        all.iter().filter(|got| got.path == "/heard").map(|got| got.get("SpeechResult")).collect();
    assert_eq!(said, ["No, that does not work for me. Can we reschedule?", "Friday at ten in the morning."]);
}

#[tokio::test]
async fn silence_falls_through_the_gather() {
    let sandbox = Sandbox::start();
    let mut receiver =
        Receiver::with(&[("/voice", &ask("Anybody there?", "/heard")), ("/silent", &bye("Goodbye."))]);
    sandbox.call("+14155550110", &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    assert!(all.iter().any(|got| got.path == "/silent"));
    assert!(!all.iter().any(|got| got.path == "/heard"));
}

#[tokio::test]
async fn silence_is_an_empty_result_where_one_is_wanted() {
    let sandbox = Sandbox::start();
    let voice = "<Response><Gather input=\"speech\" action=\"/heard\" actionOnEmptyResult=\"true\">\
                 <Say>Well?</Say></Gather></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice), ("/heard", &bye("Goodbye."))]);
    sandbox.call("+14155550110", &receiver.url, &[]).await;
    let heard = receiver.next_at("/heard").await;
    assert!(!heard.has("SpeechResult") && !heard.has("Digits"));
}

#[tokio::test]
async fn keys_are_gathered() {
    let sandbox = Sandbox::start();
    let voice =
        "<Response><Gather action=\"/heard\" numDigits=\"1\"><Say>Press a key.</Say></Gather></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice), ("/heard", &bye("Noted."))]);
    sandbox.call("+14155550113", &receiver.url, &[]).await;
    let heard = receiver.next_at("/heard").await;
    assert_eq!((heard.get("Digits"), heard.get("FinishedOnKey"), heard.get("msg")), ("1", "", "Gather End"));
    assert!(heard.has("FinishedOnKey"));
}

#[tokio::test]
async fn somebody_who_talks_over_the_prompt_cuts_it_short() {
    let sandbox = Sandbox::start();
    let long = "This is a rather long sentence about an appointment that nobody wants to hear to its end.";
    let mut receiver = Receiver::with(&[("/voice", &ask(long, "/heard")), ("/heard", &bye("Fine."))]);
    let sid = sandbox.call("+14155550109", &receiver.url, &[]).await;
    assert_eq!(receiver.next_at("/heard").await.get("SpeechResult"), "Yes yes, that works for me.");
    let call = sandbox.look(&format!("calls/{sid}")).await;
    let prompt = &call["transcript"][1];
    assert_eq!((&prompt["text"], &prompt["interrupted"]), (&long.into(), &true.into()));
}

#[tokio::test]
async fn somebody_hangs_up_in_the_middle_and_no_action_is_requested() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, before| match (got.path.as_str(), before) {
        ("/voice", _) => (200, ask("Do you have a minute?", "/heard")),
        ("/heard", _) => (200, ask("We would like to tell you about your next appointment.", "/never")),
        _ => (200, String::new()),
    });
    sandbox.call("+14155550111", &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    assert!(all.iter().any(|got| got.path == "/heard") && !all.iter().any(|got| got.path == "/never"));
    assert_eq!(all.last().unwrap().get("CallStatus"), "completed");
}

#[tokio::test]
async fn a_mumbling_person_is_understood_with_low_confidence() {
    let sandbox = Sandbox::start();
    let mut receiver =
        Receiver::with(&[("/voice", &ask("Does it suit?", "/heard")), ("/heard", &bye("Hm."))]);
    sandbox.call("+14155550116", &receiver.url, &[]).await;
    assert_eq!(receiver.next_at("/heard").await.get("Confidence"), "0.21");
}

#[tokio::test]
async fn a_scenario_of_ones_own_is_played() {
    let yaml = "{name: mine, about: test, numbers: ['+493012345678'], answer: after 1s, \
                script: [{heard: 'colou?r', say: Green., confidence: 0.5}]}";
    let sandbox = Sandbox::with(1000.0, |config| {
        config.people = config.people.clone().with_yaml(yaml).unwrap();
    });
    let mut receiver =
        Receiver::with(&[("/voice", &ask("Which COLOR?", "/heard")), ("/heard", &bye("Thanks."))]);
    sandbox.call("+493012345678", &receiver.url, &[]).await;
    let heard = receiver.next_at("/heard").await;
    assert_eq!((heard.get("SpeechResult"), heard.get("ToCountry")), ("Green.", "DE"));
}

#[tokio::test]
async fn whoever_wants_no_calls_says_so_and_is_gone_after_the_answer() {
    let sandbox = Sandbox::start();
    let answer =
        "<Response><Say>We will not call you again.</Say><Pause length=\"600\"/><Say>Never.</Say></Response>";
    let mut receiver = Receiver::with(&[("/voice", &ask("Good morning.", "/heard")), ("/heard", answer)]);
    let sid = sandbox.call("+14155550103", &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    let heard = all.iter().find(|got| got.path == "/heard").unwrap();
    assert_eq!(heard.get("SpeechResult"), "Please stop calling me.");
    let transcript = sandbox.transcript(&sid).await;
    assert_eq!(transcript.last().map(String::as_str), Some("agent: We will not call you again."));
    assert!(all.last().unwrap().get("CallDuration").parse::<u64>().unwrap() < 60);
}

#[tokio::test]
async fn a_screener_asks_and_does_not_put_the_call_through() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, _| match got.path.as_str() {
        "/voice" | "/heard" => (200, ask("This is the clinic about an appointment.", "/heard")),
        _ => (200, String::new()),
    });
    sandbox.call("+14155550108", &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    let said: Vec<_> =
        all.iter().filter(|got| got.path == "/heard").map(|got| got.get("SpeechResult")).collect();
    assert_eq!(said.len(), 3);
    assert!(said[0].contains("state your name") && said[2].contains("not available"), "{said:?}");
}
