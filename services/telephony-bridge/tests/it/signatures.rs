//! Only the carrier is believed.

use testkit::database::Engine;
use testkit::on_both_engines;
use twilio::CallSid;
use twilio::signature::sign;

use crate::line::Line;
use crate::world::World;

on_both_engines![
    a_request_that_the_carrier_has_not_signed_is_refused_and_has_no_effect,
    a_signed_request_is_believed_with_the_port_in_its_address,
    with_signatures_off_anybody_of_the_account_is_believed,
];

const PATHS: [&str; 6] =
    ["voice", "voice-response", "voice-next", "voice-status", "voice-amd", "voice-recording"];
const MORE: [(&str, &str); 3] =
    [("CallStatus", "completed"), ("SequenceNumber", "3"), ("AnsweredBy", "machine_start")];

async fn a_request_that_the_carrier_has_not_signed_is_refused_and_has_no_effect(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    for what in PATHS {
        let path = format!("{}&turn=1", line.path(what));
        let (url, form) = (format!("{}{path}", world.base), line.form(&MORE));
        let right = sign(&world.token, &url, &form);
        let refused = |path: String, form: Vec<(String, String)>, signature: Option<String>| {
            let line = &line;
            async move {
                let answer = line.post_signed(&path, &form, signature.as_deref()).await;
                assert_eq!(answer.status, 403, "{path} {form:?} {signature:?}");
            }
        };
        refused(path.clone(), form.clone(), None).await;
        refused(path.clone(), form.clone(), Some("nonsense".to_owned())).await;
        refused(path.clone(), form.clone(), Some(sign("another token", &url, &form))).await;
        // Another query, an added one, another body.
        refused(path.replace("turn=1", "turn=2"), form.clone(), Some(right.clone())).await;
        refused(format!("{path}&fill=1"), form.clone(), Some(right.clone())).await;
        let mut tampered = form.clone();
        tampered[3].1 = "busy".to_owned();
        refused(path.clone(), tampered, Some(right)).await;
        // Another account, rightly signed with a token that is not its own.
        let mut theirs = form.clone();
        theirs[1].1 = "AC00000000000000000000000000000000".to_owned();
        refused(path.clone(), theirs.clone(), Some(sign(&world.token, &url, &theirs))).await;
        theirs.remove(1);
        refused(path.clone(), theirs.clone(), Some(sign(&world.token, &url, &theirs))).await;
    }
    world.all_handled().await;
    let heard = world.orchestrator.heard.lock().unwrap();
    assert!(heard.progressed.is_empty() && heard.verdicts.is_empty());
    assert_eq!(world.orchestrator.asked(), []);
}

async fn a_signed_request_is_believed_with_the_port_in_its_address(engine: Engine) {
    let world = World::new(engine).await;
    assert!(world.base.starts_with("http://127.0.0.1:"), "{}", world.base);
    let line = Line::running(&world).await;
    let answer = line.post(&line.path("voice"), &[("Caller", "+1 (415) & ü"), ("ToCity", "")]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
    assert_eq!(line.report("in-progress", "2").await, 204);
    // Twilio also says the call's id in the query; the body decides.
    let sid = CallSid::random().unwrap();
    let answer = line.post(&format!("{}&CallSid={sid}", line.path("voice")), &[]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
}

async fn with_signatures_off_anybody_of_the_account_is_believed(engine: Engine) {
    let world = World::with(engine, &[("ECHO_TWILIO_SIGNATURES", "off")]).await;
    let line = Line::running(&world).await;
    let answer = line.post_signed(&line.path("voice"), &line.form(&[]), None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut theirs = line.form(&[]);
    theirs[1].1 = "AC00000000000000000000000000000000".to_owned();
    assert_eq!(line.post_signed(&line.path("voice"), &theirs, None).await.status, 403);
}
