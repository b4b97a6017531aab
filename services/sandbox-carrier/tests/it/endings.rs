//! How calls end: unanswered, by a machine, by REST, by the time limit.

use echo_sandbox_carrier::Happening;

use crate::harness::{Sandbox, ask, bye};
use crate::receiver::Receiver;

#[tokio::test]
async fn an_unanswered_call_says_why_and_fetches_nothing() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[]);
    for (to, status, sip, rings) in [
        ("+14155550104", "busy", "486", false),
        ("+14155550105", "no-answer", "487", true),
        ("+14155550106", "no-answer", "603", true),
        ("+14155550114", "failed", "404", false),
    ] {
        let sid = sandbox.call(to, &receiver.url, &[("Timeout", "20")]).await;
        let all = receiver.until_the_end().await;
        let end = all.last().unwrap();
        assert_eq!((end.get("CallStatus"), end.get("SipResponseCode")), (status, sip), "{to}");
        assert_eq!(end.get("CallDuration"), "0");
        assert_eq!(all.iter().any(|got| got.get("CallStatus") == "ringing"), rings, "{to}");
        assert!(!all.iter().any(|got| got.path == "/voice"), "{to} was never answered");
        let (_, call) = sandbox.get(&format!("/Calls/{sid}.json")).await;
        assert_eq!((&call["status"], call["duration"].is_null()), (&status.into(), true));
    }
}

#[tokio::test]
async fn an_asynchronous_verdict_on_a_machine_comes_after_its_beep() {
    let sandbox = Sandbox::at_speed(200.0);
    let mut receiver = Receiver::with(&[("/voice", "<Response><Pause length=\"600\"/></Response>")]);
    let amd = format!("{}/amd", receiver.url);
    let more = [
        ("MachineDetection", "DetectMessageEnd"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", amd.as_str()),
    ];
    let sid = sandbox.call("+14155550107", &receiver.url, &more).await;
    let verdict = receiver.next_at("/amd").await;
    assert_eq!((verdict.get("AnsweredBy"), verdict.get("CallSid")), ("machine_end_beep", sid.as_str()));
    assert!(verdict.get("MachineDetectionDuration").parse::<u64>().unwrap() > 5000);
    let (_, call) = sandbox.get(&format!("/Calls/{sid}.json")).await;
    assert_eq!(call["answered_by"], "machine_end_beep");
}

#[tokio::test]
async fn a_machine_that_is_detected_late_is_told_when_its_greeting_has_been_answered() {
    let sandbox = Sandbox::at_speed(200.0);
    let reply = "<Response><Say>I see.</Say><Pause length=\"600\"/></Response>";
    let mut receiver =
        Receiver::with(&[("/voice", &ask("Hello, is this Alex?", "/heard")), ("/heard", reply)]);
    let amd = format!("{}/amd", receiver.url);
    let more =
        [("MachineDetection", "Enable"), ("AsyncAmd", "true"), ("AsyncAmdStatusCallback", amd.as_str())];
    sandbox.call("+14155550118", &receiver.url, &more).await;
    // In this order: whoever waits for one passes over what came before.
    assert!(receiver.next_at("/heard").await.get("SpeechResult").contains("mailbox"));
    assert_eq!(receiver.next_at("/amd").await.get("AnsweredBy"), "machine_start");
}

#[tokio::test]
async fn an_asynchronous_verdict_on_a_person_is_human() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", "<Response><Pause length=\"600\"/></Response>")]);
    let amd = format!("{}/amd", receiver.url);
    let more =
        [("MachineDetection", "Enable"), ("AsyncAmd", "true"), ("AsyncAmdStatusCallback", amd.as_str())];
    sandbox.call("+14155552671", &receiver.url, &more).await;
    assert_eq!(receiver.next_at("/amd").await.get("AnsweredBy"), "human");
}

#[tokio::test]
async fn a_synchronous_verdict_comes_with_the_first_document() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Please call back."))]);
    sandbox.call("+14155550107", &receiver.url, &[("MachineDetection", "Enable")]).await;
    let voice = receiver.next_at("/voice").await;
    assert_eq!((voice.get("AnsweredBy"), voice.get("MachineDetectionDuration")), ("machine_start", "3600"));
}

#[tokio::test]
async fn a_machine_s_greeting_is_heard_by_whoever_listens_too_early() {
    let sandbox = Sandbox::start();
    let mut receiver =
        Receiver::with(&[("/voice", &ask("Hello, is this Alex?", "/heard")), ("/heard", &bye("Bye."))]);
    let sid = sandbox.call("+14155550107", &receiver.url, &[]).await;
    assert!(receiver.next_at("/heard").await.get("SpeechResult").contains("leave a message after the tone"));
    let greetings = sandbox.transcript(&sid).await.iter().filter(|line| line.contains("voicemail")).count();
    assert_eq!(greetings, 1, "one greeting is one line");
}

#[tokio::test]
async fn a_call_is_completed_in_the_middle_of_a_sentence() {
    let mut sandbox = Sandbox::at_speed(50.0);
    let long = "This sentence is long enough to be interrupted. ".repeat(80);
    let mut receiver = Receiver::with(&[("/voice", &bye(&long))]);
    let sid = sandbox.call("+14155552671", &receiver.url, &[]).await;
    sandbox
        .until(|what| matches!(what, Happening::Said { text, .. } if text.starts_with("This sentence")))
        .await;
    let (status, _) = sandbox.post(&format!("/Calls/{sid}.json"), &[("Status", "completed")]).await;
    assert_eq!(status, 200);
    let end = receiver.until_the_end().await.pop().unwrap();
    assert_eq!(end.get("CallStatus"), "completed");
    assert!(end.get("CallDuration").parse::<u64>().unwrap() < 250, "it would have taken 256 seconds");
    let call = sandbox.look(&format!("calls/{sid}")).await;
    assert_eq!(call["transcript"][1]["interrupted"], true);
}

#[tokio::test]
async fn an_update_with_a_document_drops_what_runs() {
    let mut sandbox = Sandbox::at_speed(50.0);
    let mut receiver =
        Receiver::with(&[("/voice", "<Response><Say>Wait.</Say><Pause length=\"3600\"/></Response>")]);
    let sid = sandbox.call("+14155552671", &receiver.url, &[]).await;
    sandbox.until(|what| matches!(what, Happening::Said { text, .. } if text == "Wait.")).await;
    let twiml = [("Twiml", "<Response><Say>Goodbye.</Say></Response>")];
    let (status, _) = sandbox.post(&format!("/Calls/{sid}.json"), &twiml).await;
    assert_eq!(status, 200);
    receiver.until_the_end().await;
    assert_eq!(sandbox.transcript(&sid).await.last().map(String::as_str), Some("agent: Goodbye."));
    let (status, error) = sandbox.post(&format!("/Calls/{sid}.json"), &twiml).await;
    assert_eq!((status, &error["code"]), (400, &21220.into()), "it is over");
}

#[tokio::test]
async fn a_ringing_call_is_cancelled_with_a_callback_and_a_queued_one_without() {
    let mut sandbox = Sandbox::with(0.1, |config| config.calls_per_second = std::num::NonZeroU32::new(1));
    let mut receiver = Receiver::with(&[]);
    let ringing = sandbox.call("+14155550105", &receiver.url, &[]).await;
    sandbox.until(|what| *what == Happening::Ringing).await;
    let queued = sandbox.call("+14155550105", &receiver.url, &[]).await;
    for sid in [&queued, &ringing] {
        sandbox.post(&format!("/Calls/{sid}.json"), &[("Status", "canceled")]).await;
        assert_eq!(sandbox.until_over().await, ("canceled".to_owned(), 0));
    }
    let all = receiver.until_the_end().await;
    assert_eq!(all.last().unwrap().get("CallStatus"), "canceled");
    assert!(all.iter().all(|got| got.get("CallSid") == ringing), "nothing is said about {queued}");
}

#[tokio::test]
async fn the_time_limit_ends_a_call_to_the_second() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", "<Response><Pause length=\"600\"/></Response>")]);
    sandbox.call("+14155552671", &receiver.url, &[("TimeLimit", "45")]).await;
    let end = receiver.until_the_end().await.pop().unwrap();
    assert_eq!((end.get("CallStatus"), end.get("CallDuration")), ("completed", "45"));
}

#[tokio::test]
async fn an_update_during_detection_replaces_the_first_document() {
    let yaml = "{name: quick, about: test, numbers: ['+14155550199'], answer: after 0s}";
    let mut sandbox = Sandbox::with(1.0, |config| {
        config.people = config.people.clone().with_yaml(yaml).unwrap();
    });
    let mut receiver = Receiver::with(&[("/voice", &bye("Too late."))]);
    let sid = sandbox.call("+14155550199", &receiver.url, &[("MachineDetection", "Enable")]).await;
    sandbox.until(|what| *what == Happening::Answered).await;
    let twiml = [("Twiml", "<Response><Say>New.</Say></Response>")];
    assert_eq!(sandbox.post(&format!("/Calls/{sid}.json"), &twiml).await.0, 200);
    let all = receiver.until_the_end().await;
    assert!(!all.iter().any(|got| got.path == "/voice"));
    assert_eq!(sandbox.transcript(&sid).await, ["agent: New."]);
}
