//! Record, Dial, partial results, inline documents; what onlookers see.

use crate::harness::{Sandbox, bye, text};
use crate::receiver::Receiver;

const SOMEBODY: &str = "+14155552671";

#[tokio::test]
async fn a_recording_leads_to_its_action() {
    let sandbox = Sandbox::start();
    let voice = "<Response><Say>Do you agree?</Say>\
                 <Record action=\"/recorded\" recordingStatusCallback=\"/ready\"/></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice), ("/recorded", &bye("Thanks."))]);
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    let recorded = all.iter().find(|got| got.path == "/recorded").unwrap();
    assert!(recorded.get("RecordingUrl").starts_with(&sandbox.url));
    assert_eq!(recorded.get("RecordingDuration"), "7", "0.7 s of thought, 1.5 s of speech, 5 s of silence");
    assert!(all.iter().any(|got| got.path == "/ready" && got.get("RecordingStatus") == "completed"));
    assert!(sandbox.transcript(&sid).await.contains(&"person: Yes, that works for me.".to_owned()));
}

#[tokio::test]
async fn a_call_that_is_created_to_be_recorded_is_told_of_at_its_end() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Goodbye, and thank you for your time."))]);
    let ready = format!("{}/ready", receiver.url);
    let wish = [("Record", "true"), ("RecordingStatusCallback", ready.as_str())];
    let sid = sandbox.call(SOMEBODY, &receiver.url, &wish).await;
    let told = receiver.next_at("/ready").await;
    assert_eq!((told.get("CallSid"), told.get("RecordingStatus")), (sid.as_str(), "completed"));
    assert_eq!((told.get("RecordingSource"), told.get("RecordingChannels")), ("OutboundAPI", "1"));
    assert!(told.get("RecordingSid").parse::<twilio::RecordingSid>().is_ok());
    assert!(told.get("RecordingUrl").ends_with(told.get("RecordingSid")));
    let (_, call) = sandbox.get(&format!("/Calls/{sid}.json")).await;
    assert_eq!(call["duration"], told.get("RecordingDuration"));
    assert_ne!(call["duration"], "0");

    let recording = format!("/Recordings/{}.json", told.get("RecordingSid"));
    let (status, kept) = sandbox.get(&recording).await;
    assert_eq!((status, &kept["call_sid"], &kept["duration"]), (200, &call["sid"], &call["duration"]));
    assert_eq!(sandbox.delete(&recording).await, 204);
    assert_eq!((sandbox.delete(&recording).await, sandbox.get(&recording).await.0), (404, 404));
}

#[tokio::test]
async fn a_recording_that_a_document_starts_goes_on_to_the_end_of_the_call() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/next", &bye("And goodbye."))]);
    let document = format!(
        "<Response><Pause length=\"20\"/><Start><Recording recordingStatusCallback=\"{0}/ready\"/></Start>\
         <Pause length=\"30\"/><Start><Recording recordingStatusCallback=\"{0}/again\"/></Start>\
         <Redirect>{0}/next</Redirect></Response>",
        receiver.url
    );
    sandbox.call(SOMEBODY, &receiver.url, &[("Twiml", document.as_str())]).await;
    let told = receiver.next_at("/ready").await;
    assert_eq!(told.get("RecordingSource"), "StartCallRecordingTwiML");
    let seconds: u64 = told.get("RecordingDuration").parse().unwrap();
    assert!((30..50).contains(&seconds), "from its start, in both documents, once: {seconds}");
    assert!(sandbox.fault_codes().await.is_empty());
}

#[tokio::test]
async fn a_dialled_person_is_a_second_leg_with_callbacks_of_its_own() {
    let sandbox = Sandbox::start();
    let voice = "<Response><Dial action=\"/dialled\"><Number statusCallback=\"/leg\" \
                 statusCallbackEvent=\"answered completed\">+14155550199</Number></Dial></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice), ("/dialled", &bye("Goodbye."))]);
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    let dialled = all.iter().find(|got| got.path == "/dialled").unwrap();
    assert_eq!((dialled.get("DialCallStatus"), dialled.get("DialBridged")), ("completed", "true"));
    assert_eq!(dialled.get("DialCallDuration"), "20");
    let leg: Vec<_> = all.iter().filter(|got| got.path == "/leg").collect();
    assert_eq!(leg.iter().map(|got| got.get("CallStatus")).collect::<Vec<_>>(), ["in-progress", "completed"]);
    assert_eq!((leg[0].get("ParentCallSid"), leg[0].get("Direction")), (sid.as_str(), "outbound-dial"));
    let (_, children) = sandbox.get(&format!("/Calls.json?ParentCallSid={sid}")).await;
    assert_eq!(children["calls"][0]["sid"], dialled.get("DialCallSid"));
}

#[tokio::test]
async fn a_dialled_number_that_is_busy_says_so() {
    let sandbox = Sandbox::start();
    let voice = "<Response><Dial action=\"/dialled\">+14155550104</Dial></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice), ("/dialled", &bye("Nobody there."))]);
    sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    assert_eq!(receiver.next_at("/dialled").await.get("DialCallStatus"), "busy");
}

#[tokio::test]
async fn a_call_that_ends_ends_the_leg_that_it_dialled() {
    let mut sandbox = Sandbox::at_speed(20.0);
    let voice = "<Response><Dial timeout=\"600\">+14155550105</Dial></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice)]);
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let rings = |what: &echo_sandbox_carrier::Happening| *what == echo_sandbox_carrier::Happening::Ringing;
    while sandbox.until(rings).await.to != "+14155550105" {}
    sandbox.post(&format!("/Calls/{sid}.json"), &[("Status", "completed")]).await;
    receiver.until_the_end().await;
    let (_, children) = sandbox.get(&format!("/Calls.json?ParentCallSid={sid}")).await;
    assert_eq!(children["calls"][0]["status"], "canceled");
}

#[tokio::test]
async fn partial_results_come_before_the_result() {
    let sandbox = Sandbox::start();
    let voice = "<Response><Gather input=\"speech\" action=\"/heard\" partialResultCallback=\"/partial\">\
                 <Say>Does it suit?</Say></Gather></Response>";
    let mut receiver = Receiver::with(&[("/voice", voice), ("/heard", &bye("Thanks."))]);
    sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    assert_eq!(receiver.next_at("/partial").await.get("UnstableSpeechResult"), "Yes, that works");
}

#[tokio::test]
async fn an_inline_document_is_played() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[]);
    let twiml = "<Response><Say>Only this.</Say><Redirect>relative</Redirect></Response>";
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[("Twiml", twiml)]).await;
    receiver.until_the_end().await;
    assert_eq!(sandbox.transcript(&sid).await, ["person: Hello?", "agent: Only this."]);
    assert_eq!(sandbox.fault_codes().await, [15004], "an inline document has no address");
}

#[tokio::test]
async fn onlookers_see_the_call_as_server_sent_events() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Good morning."))]);
    let mut stream = sandbox.http.get(format!("{}/sandbox/v1/events", sandbox.url)).send().await.unwrap();
    sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    receiver.until_the_end().await;
    let mut seen = String::new();
    while !seen.contains("\"ended\"") {
        seen.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().unwrap()));
    }
    for part in ["\"ringing\"", "\"answered\"", "Good morning.", "\"status\":\"completed\""] {
        assert!(seen.contains(part), "{part} is missing in {seen}");
    }
}

#[tokio::test]
async fn the_book_of_people_names_the_account_s_number() {
    let sandbox = Sandbox::start();
    let book = sandbox.look("people").await;
    assert_eq!(text(&book["account"]["number"]), sandbox.carrier.config().number);
    let numbers: Vec<_> = book["people"].as_array().unwrap().iter().map(|row| text(&row["number"])).collect();
    assert!(numbers.contains(&"+14155550108"));
}
