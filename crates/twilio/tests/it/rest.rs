//! The REST client against a server that behaves well, badly, and not at all.

use std::time::Duration;

use tokio::net::TcpListener;
use twilio::HttpMethod;
use twilio::call::{CallStatus, Direction};
use twilio::rest::{
    AccountKind, AccountStatus, Call, CallEvent, CallFilter, CreateCall, CreateError, Days, Error,
    Instructions, MachineDetection, MachineDetectionMode, NumberFilter, UpdateCall, UpdateNumber,
};
use twilio::twiml::Trim;
use twilio::webhook::decode_form;

use crate::support::{ACCOUNT, CALL, NUMBER, Reply, Server, body, client};

fn to_url() -> CreateCall {
    let instructions = Instructions::Url { url: "https://example.com/v?a=1&b=2".to_owned(), method: None };
    CreateCall::new("+14155550100", "+15005550006", instructions)
}

async fn create(replies: Vec<Reply>) -> (Result<Call, CreateError>, Server) {
    let server = Server::start(replies).await;
    let outcome = server.client().create_call(&to_url()).await;
    (outcome, server)
}

fn answer(status: u16, body: &str) -> Vec<Reply> {
    vec![Reply::Answer(status, body.to_owned())]
}

fn fresh_call() -> String {
    format!(
        r#"{{"sid":"{CALL}","account_sid":"{ACCOUNT}","parent_call_sid":null,"to":"+14155550100",
        "from":"+15005550006","status":"queued","start_time":null,"duration":null,"price":null,"price_unit":"USD",
        "direction":"outbound-api","answered_by":null,"queue_time":"1000","something_new":{{"a":[1]}}}}"#
    )
}

/// Whether the same create may be sent again; `None` when the outcome is unknown.
fn retry(outcome: Result<Call, CreateError>) -> Option<bool> {
    match outcome {
        Ok(call) => panic!("no call was expected, not {call:?}"),
        Err(CreateError::NotPlaced { retry, .. }) => Some(retry),
        Err(CreateError::Unknown { .. }) => None,
    }
}

#[tokio::test]
async fn a_create_sends_its_form_with_repeated_names_and_basic_auth() {
    let server = Server::start(answer(201, &fresh_call())).await;
    let mut call = to_url();
    call.status_callback = Some("https://example.com/s#rc=2".to_owned());
    call.status_events = CallEvent::ALL.to_vec();
    call.timeout = Some(30);
    call.time_limit = Some(600);
    call.machine_detection = Some(MachineDetection {
        timeout: Some(10),
        async_callback: Some("https://example.com/amd".to_owned()),
        ..MachineDetection::new(MachineDetectionMode::Enable)
    });
    server.client().create_call(&call).await.unwrap();

    let requests = server.requests();
    let head = requests[0].to_ascii_lowercase();
    assert!(
        head.starts_with(&format!("post /2010-04-01/accounts/{ACCOUNT}/calls.json http/1.1").to_lowercase())
    );
    // base64 of ACCOUNT:token-1
    let basic = "authorization: basic QUMwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjp0b2tlbi0x";
    assert!(head.contains(&basic.to_ascii_lowercase()), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"));
    let expected = [
        ("To", "+14155550100"),
        ("From", "+15005550006"),
        ("Url", "https://example.com/v?a=1&b=2"),
        ("StatusCallback", "https://example.com/s#rc=2"),
        ("StatusCallbackEvent", "initiated"),
        ("StatusCallbackEvent", "ringing"),
        ("StatusCallbackEvent", "answered"),
        ("StatusCallbackEvent", "completed"),
        ("Timeout", "30"),
        ("TimeLimit", "600"),
        ("MachineDetection", "Enable"),
        ("MachineDetectionTimeout", "10"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", "https://example.com/amd"),
    ];
    let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    assert_eq!(decode_form(body(&requests[0]).as_bytes()), expected);
}

#[tokio::test]
async fn every_parameter_of_a_create_has_its_name() {
    let server = Server::start(answer(201, &fresh_call())).await;
    let some = |path: &str| Some(format!("https://example.com/{path}"));
    let call = CreateCall {
        fallback_url: some("f"),
        fallback_method: Some(HttpMethod::Get),
        status_callback: some("s"),
        status_callback_method: Some(HttpMethod::Get),
        machine_detection: Some(MachineDetection {
            mode: MachineDetectionMode::DetectMessageEnd,
            timeout: Some(30),
            speech_threshold: Some(2400),
            speech_end_threshold: Some(1200),
            silence_timeout: Some(5000),
            async_callback: some("a"),
            async_callback_method: Some(HttpMethod::Get),
        }),
        record: Some(true),
        recording_channels: Some("dual".to_owned()),
        recording_track: Some("both".to_owned()),
        trim: Some(Trim::DoNotTrim),
        recording_status_callback: some("r"),
        recording_status_callback_method: Some(HttpMethod::Get),
        recording_status_events: vec!["in-progress".to_owned(), "completed".to_owned()],
        send_digits: Some("1w2#".to_owned()),
        others: vec![("CallReason", "Your appointment".to_owned())],
        ..CreateCall::new("+14155550100", "+15005550006", Instructions::Application("AP1".to_owned()))
    };
    server.client().create_call(&call).await.unwrap();
    let names: Vec<_> = decode_form(body(&server.requests()[0]).as_bytes()).into_iter().collect();
    let expected = [
        ("To", "+14155550100"),
        ("From", "+15005550006"),
        ("ApplicationSid", "AP1"),
        ("FallbackUrl", "https://example.com/f"),
        ("FallbackMethod", "GET"),
        ("StatusCallback", "https://example.com/s"),
        ("StatusCallbackMethod", "GET"),
        ("MachineDetection", "DetectMessageEnd"),
        ("MachineDetectionTimeout", "30"),
        ("MachineDetectionSpeechThreshold", "2400"),
        ("MachineDetectionSpeechEndThreshold", "1200"),
        ("MachineDetectionSilenceTimeout", "5000"),
        ("AsyncAmd", "true"),
        ("AsyncAmdStatusCallback", "https://example.com/a"),
        ("AsyncAmdStatusCallbackMethod", "GET"),
        ("Record", "true"),
        ("RecordingChannels", "dual"),
        ("RecordingTrack", "both"),
        ("Trim", "do-not-trim"),
        ("RecordingStatusCallback", "https://example.com/r"),
        ("RecordingStatusCallbackMethod", "GET"),
        ("RecordingStatusCallbackEvent", "in-progress"),
        ("RecordingStatusCallbackEvent", "completed"),
        ("SendDigits", "1w2#"),
        ("CallReason", "Your appointment"),
    ];
    assert_eq!(names, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn a_fresh_call_is_read_with_its_nulls_and_strings() {
    let (outcome, _server) = create(answer(201, &fresh_call())).await;
    let call = outcome.unwrap();
    assert_eq!(call.sid.as_str(), CALL);
    assert_eq!(call.status, Some(CallStatus::Queued));
    assert_eq!(call.direction, Some(Direction::OutboundApi));
    assert_eq!((call.duration, call.price.as_deref()), (None, None));
    assert_eq!(call.queue_time, Some(1000));
}

#[tokio::test]
async fn a_refusal_is_final_and_carries_twilios_code() {
    let json = r#"{"code":21211,"message":"no number","more_info":"https://example.com","status":400}"#;
    let (outcome, server) = create(answer(400, json)).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), Some(21211));
    assert!(matches!(error, CreateError::NotPlaced { retry: false, .. }), "{error:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_refusal_whose_explanation_is_lost_is_still_a_refusal() {
    let (outcome, _server) = create(vec![Reply::Half(400)]).await;
    assert_eq!(retry(outcome), Some(false));
}

#[tokio::test]
async fn a_rate_limit_may_be_tried_again_but_not_by_the_client_itself() {
    let json = r#"{"code":20429,"message":"Too Many Requests","status":429}"#;
    let (outcome, server) = create(answer(429, json)).await;
    assert_eq!(retry(outcome), Some(true));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_server_error_leaves_the_outcome_unknown_and_is_not_repeated() {
    for body in ["<html>oops</html>", ""] {
        let (outcome, server) = create(answer(500, body)).await;
        assert_eq!(retry(outcome), None);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_leaves_the_outcome_unknown() {
    let endless = format!("{{\"sid\":\"{}\"}}", "x".repeat(1024 * 1024));
    for body in ["", "<html/>", "[]", "{}", "{\"sid\":\"CA1\"}", &endless] {
        let (outcome, _server) = create(answer(201, body)).await;
        assert_eq!(retry(outcome), None, "{}", &body[..body.len().min(40)]);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_leaves_the_outcome_unknown() {
    let (outcome, server) = create(answer(307, "")).await;
    assert_eq!(retry(outcome), None);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_leaves_the_outcome_unknown() {
    for reply in [Reply::Close, Reply::Half(201)] {
        let (outcome, server) = create(vec![reply]).await;
        assert_eq!(retry(outcome), None);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn silence_after_sending_leaves_the_outcome_unknown() {
    let server = Server::start(vec![Reply::Silence]).await;
    let client = client(&server.address, Duration::from_millis(300));
    let outcome = client.create_call(&to_url()).await;
    assert_eq!(retry(outcome), None);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_placed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&address, Duration::from_secs(20)).create_call(&to_url()).await.unwrap_err();
    let CreateError::NotPlaced { retry: true, cause: Error::NotSent(message) } = &error else {
        panic!("{error:?}");
    };
    assert!(message.to_ascii_lowercase().contains("refused"), "{message}");
}

#[tokio::test]
async fn a_failed_tls_handshake_means_that_nothing_was_placed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let client = client(&address, Duration::from_secs(20));
    let call = to_url();
    let hang_up = async { drop(listener.accept().await.unwrap()) };
    let (outcome, ()) = tokio::join!(client.create_call(&call), hang_up);
    assert_eq!(retry(outcome), Some(true));
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_means_that_nothing_was_placed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}", listener.local_addr().unwrap());
    let outcome = client(&address, Duration::from_secs(2)).create_call(&to_url()).await;
    assert_eq!(retry(outcome), Some(true));
    drop(listener);
}

#[tokio::test]
async fn updates_say_what_they_change() {
    let url = UpdateCall::Url { url: "https://example.com/x".to_owned(), method: Some(HttpMethod::Get) };
    let twiml = UpdateCall::Twiml("<Response><Hangup/></Response>".to_owned());
    let several = UpdateCall::Several(vec![
        UpdateCall::Twiml("<Response/>".to_owned()),
        UpdateCall::Fallback { url: "https://example.com/f".to_owned(), method: Some(HttpMethod::Get) },
        UpdateCall::StatusCallback {
            url: "https://example.com/s".to_owned(),
            method: Some(HttpMethod::Post),
        },
        UpdateCall::TimeLimit(60),
    ]);
    let cases = [
        (UpdateCall::Cancel, "Status=canceled"),
        (UpdateCall::Complete, "Status=completed"),
        (twiml, "Twiml=%3CResponse%3E%3CHangup%2F%3E%3C%2FResponse%3E"),
        (url, "Url=https%3A%2F%2Fexample.com%2Fx&Method=GET"),
        (
            several,
            "Twiml=%3CResponse%2F%3E&FallbackUrl=https%3A%2F%2Fexample.com%2Ff&FallbackMethod=GET&\
            StatusCallback=https%3A%2F%2Fexample.com%2Fs&StatusCallbackMethod=POST&TimeLimit=60",
        ),
    ];
    for (update, expected) in cases {
        let server = Server::start(answer(200, &fresh_call())).await;
        server.client().update_call(&CALL.parse().unwrap(), &update).await.unwrap();
        let requests = server.requests();
        assert!(requests[0].contains(&format!("/Calls/{CALL}.json ")));
        assert_eq!(body(&requests[0]), expected);
    }
}

#[tokio::test]
async fn an_update_of_a_call_that_is_over_carries_its_code() {
    let server = Server::start(answer(400, r#"{"code":21220,"message":"Invalid call state"}"#)).await;
    let error = server.client().update_call(&CALL.parse().unwrap(), &UpdateCall::Complete).await.unwrap_err();
    assert_eq!(error.code(), Some(21220));
}

#[tokio::test]
async fn a_finished_call_is_read_with_its_times() {
    let json = format!(
        r#"{{"sid":"{CALL}","status":"completed","duration":"15","price":"-0.0085","answered_by":"human",
        "start_time":"Tue, 31 Aug 2010 20:36:28 +0000","end_time":"Tue, 31 Aug 2010 20:36:43 +0000",
        "to_formatted":"(415) 555-0100","from_formatted":"(500) 555-0006","api_version":"2010-04-01","annotation":"",
        "caller_name":"ADA","forwarded_from":"+14155550199","group_sid":"GP1","trunk_sid":"TK1",
        "stir_verstat":"TN-Validation-Passed-A","uri":"/2010-04-01/Accounts/AC1/Calls/CA1.json",
        "subresource_uris":{{"recordings":"/2010-04-01/Accounts/AC1/Calls/CA1/Recordings.json","new":null}}}}"#
    );
    let server = Server::start(answer(200, &json)).await;
    let call = server.client().fetch_call(&CALL.parse().unwrap()).await.unwrap();
    assert!(call.status.unwrap().is_terminal());
    assert_eq!((call.duration, call.price.as_deref()), (Some(15), Some("-0.0085")));
    assert_eq!((call.end_time.unwrap() - call.start_time.unwrap()).num_seconds(), 15);
    let texts = [
        (call.to_formatted, "(415) 555-0100"),
        (call.from_formatted, "(500) 555-0006"),
        (call.api_version, "2010-04-01"),
        (call.caller_name, "ADA"),
        (call.forwarded_from, "+14155550199"),
        (call.group_sid, "GP1"),
        (call.trunk_sid, "TK1"),
        (call.stir_verstat, "TN-Validation-Passed-A"),
        (call.uri, "/2010-04-01/Accounts/AC1/Calls/CA1.json"),
    ];
    for (read, expected) in texts {
        assert_eq!(read.as_deref(), Some(expected));
    }
    assert_eq!(call.annotation, None);
    let recordings = "/2010-04-01/Accounts/AC1/Calls/CA1/Recordings.json".to_owned();
    assert_eq!(call.subresource_uris, [("recordings".to_owned(), recordings)].into());
    assert!(server.requests()[0].starts_with("GET "));
}

#[tokio::test]
async fn an_unknown_call_is_not_found() {
    let server = Server::start(answer(404, r#"{"code":20404,"message":"not found"}"#)).await;
    let error = server.client().fetch_call(&CALL.parse().unwrap()).await.unwrap_err();
    let Error::Api(error) = error else { panic!("{error:?}") };
    assert!(error.is_not_found());
}

#[tokio::test]
async fn what_is_over_is_deleted() {
    let refused =
        r#"{"code":20009,"message":"Cannot delete this resource before it is complete"}"#.to_owned();
    let gone = vec![
        Reply::Answer(204, String::new()),
        Reply::Answer(400, refused),
        Reply::Answer(204, String::new()),
    ];
    let server = Server::start(gone).await;
    let call = CALL.parse().unwrap();
    server.client().delete_call(&call).await.unwrap();
    assert_eq!(server.client().delete_call(&call).await.unwrap_err().code(), Some(20009));
    server.client().release_number(&NUMBER.parse().unwrap()).await.unwrap();
    let requests = server.requests();
    let root = format!("DELETE /2010-04-01/Accounts/{ACCOUNT}");
    assert!(requests[0].starts_with(&format!("{root}/Calls/{CALL}.json ")), "{}", requests[0]);
    assert!(
        requests[2].starts_with(&format!("{root}/IncomingPhoneNumbers/{NUMBER}.json ")),
        "{}",
        requests[2]
    );
}

#[tokio::test]
async fn calls_are_asked_for_by_every_filter() {
    let server = Server::start(vec![page(1, None)]).await;
    let day = |day| chrono::NaiveDate::from_ymd_opt(2026, 1, day);
    let filter = CallFilter {
        from: Some("+15005550006".to_owned()),
        parent_call_sid: Some(CALL.parse().unwrap()),
        started: Days { on: day(1), from: day(2), until: day(3) },
        ended: Days { on: day(4), from: day(5), until: day(6) },
        ..CallFilter::default()
    };
    server.client().list_calls(&filter, 9).await.unwrap();
    let query = format!(
        "Calls.json?From=%2B15005550006&ParentCallSid={CALL}&StartTime=2026-01-01&StartTime%3E=2026-01-02&\
         StartTime%3C=2026-01-03&EndTime=2026-01-04&EndTime%3E=2026-01-05&EndTime%3C=2026-01-06 "
    );
    assert!(server.requests()[0].contains(&query), "{}", server.requests()[0]);
}

fn page(calls: usize, next: Option<&str>) -> Reply {
    let call = fresh_call();
    let next = next.map_or("null".to_owned(), |uri| format!("\"{uri}\""));
    Reply::Answer(200, format!("{{\"calls\":[{}],\"next_page_uri\":{next}}}", vec![call; calls].join(",")))
}

const NEXT: &str = "/2010-04-01/Accounts/AC1/Calls.json?PageSize=2&Page=1&PageToken=PA%2B1";

#[tokio::test]
async fn a_listing_follows_its_pages_to_the_end() {
    let server = Server::start(vec![page(2, Some(NEXT)), page(1, None)]).await;
    let filter = CallFilter {
        to: Some("+14155550100".to_owned()),
        status: Some(CallStatus::InProgress),
        started: Days { from: chrono::NaiveDate::from_ymd_opt(2026, 1, 31), ..Days::default() },
        page_size: Some(2),
        ..CallFilter::default()
    };
    let found = server.client().list_calls(&filter, 100).await.unwrap();
    assert_eq!((found.calls.len(), found.complete), (3, true));
    let requests = server.requests();
    let query = "Calls.json?To=%2B14155550100&Status=in-progress&StartTime%3E=2026-01-31&PageSize=2 ";
    assert!(requests[0].contains(query), "{}", requests[0]);
    assert!(requests[1].starts_with(&format!("GET {NEXT} ")), "{}", requests[1]);
}

#[tokio::test]
async fn a_listing_stops_at_its_bound_and_says_so() {
    let server = Server::start(vec![page(2, Some(NEXT)), page(2, Some(NEXT))]).await;
    let found = server.client().list_calls(&CallFilter::default(), 3).await.unwrap();
    assert_eq!((found.calls.len(), found.complete), (3, false));

    let server = Server::start(vec![page(2, Some(NEXT))]).await;
    let found = server.client().list_calls(&CallFilter::default(), 2).await.unwrap();
    assert_eq!((found.calls.len(), found.complete), (2, false));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_listing_never_takes_the_credentials_to_another_host() {
    let server = Server::start(vec![page(1, Some("https://evil.example/2010-04-01/Calls.json"))]).await;
    let error = server.client().list_calls(&CallFilter::default(), 10).await.unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_number_is_read_and_changed() {
    let json = format!(
        r#"{{"sid":"{NUMBER}","phone_number":"+15005550006","capabilities":{{"voice":true,"sms":"false","mms":null}},
        "voice_url":"https://example.com/v","voice_method":"POST","trunk_sid":null,"voice_application_sid":"",
        "type":"local","origin":"twilio","beta":false,"voice_caller_id_lookup":true,
        "date_created":"Tue, 31 Aug 2010 20:36:28 +0000"}}"#
    );
    let replies = vec![Reply::Answer(200, json.clone()), Reply::Answer(200, json)];
    let server = Server::start(replies).await;
    let sid = NUMBER.parse().unwrap();
    let number = server.client().fetch_number(&sid).await.unwrap();
    assert_eq!((number.capabilities.voice, number.capabilities.sms), (Some(true), Some(false)));
    assert_eq!(number.voice_method, Some(HttpMethod::Post));
    assert_eq!((number.trunk_sid, number.voice_application_sid), (None, None));
    assert_eq!((number.kind.as_deref(), number.origin.as_deref()), (Some("local"), Some("twilio")));
    assert_eq!((number.beta, number.voice_caller_id_lookup), (Some(false), Some(true)));
    assert_eq!(number.date_created.unwrap().timestamp(), 1_283_286_988);

    let update = UpdateNumber {
        voice_url: Some("https://example.com/n".to_owned()),
        trunk_sid: Some(String::new()),
        voice_receive_mode: Some("voice".to_owned()),
        voice_caller_id_lookup: Some(false),
        friendly_name: Some("Eatery".to_owned()),
        ..UpdateNumber::default()
    };
    server.client().update_number(&sid, &update).await.unwrap();
    let requests = server.requests();
    assert!(requests[0].contains(&format!("/IncomingPhoneNumbers/{NUMBER}.json ")));
    let expected = "VoiceUrl=https%3A%2F%2Fexample.com%2Fn&TrunkSid=&VoiceReceiveMode=voice&VoiceCallerIdLookup=false&\
                    FriendlyName=Eatery";
    assert_eq!(body(&requests[1]), expected);
}

#[tokio::test]
async fn a_number_is_found_by_all_its_digits() {
    let page = |number: &str| {
        format!(r#"{{"incoming_phone_numbers":[{{"sid":"{NUMBER}","phone_number":"{number}"}}]}}"#)
    };
    let replies = vec![
        Reply::Answer(200, page("+15005550006")),
        Reply::Answer(200, page("+150055500061")),
        Reply::Answer(200, r#"{"incoming_phone_numbers":[]}"#.to_owned()),
        Reply::Answer(200, "{}".to_owned()),
    ];
    let server = Server::start(replies).await;
    let find = || async { server.client().find_number("+15005550006").await };
    assert_eq!(find().await.unwrap().unwrap().sid.as_str(), NUMBER);
    assert!(find().await.unwrap().is_none(), "a longer one is another one");
    assert!(find().await.unwrap().is_none());
    assert!(matches!(find().await.unwrap_err(), Error::Unreadable { .. }));
    assert!(server.requests()[0].contains("/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006 "));
}

#[tokio::test]
async fn numbers_are_listed_page_by_page() {
    let next = format!("/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers.json?Page=1");
    let page =
        |next: &str| format!(r#"{{"incoming_phone_numbers":[{{"sid":"{NUMBER}"}}],"next_page_uri":{next}}}"#);
    let replies = vec![Reply::Answer(200, page(&format!("\"{next}\""))), Reply::Answer(200, page("null"))];
    let server = Server::start(replies).await;
    let filter = NumberFilter {
        friendly_name: Some("Eatery".to_owned()),
        beta: Some(false),
        origin: Some("twilio".to_owned()),
        page_size: Some(1),
        ..NumberFilter::default()
    };
    let found = server.client().list_numbers(&filter, 10).await.unwrap();
    assert_eq!((found.numbers.len(), found.complete), (2, true));
    let query = "IncomingPhoneNumbers.json?FriendlyName=Eatery&Beta=false&Origin=twilio&PageSize=1 ";
    assert!(server.requests()[0].contains(query), "{}", server.requests()[0]);
    assert!(server.requests()[1].contains(&next), "{}", server.requests()[1]);
}

#[tokio::test]
async fn an_account_is_read_and_wrong_credentials_are_told_apart() {
    let json =
        format!(r#"{{"sid":"{ACCOUNT}","status":"active","type":"Trial","owner_account_sid":"{ACCOUNT}"}}"#);
    let denied = r#"{"code":20003,"message":"Authenticate","status":401}"#.to_owned();
    let server = Server::start(vec![Reply::Answer(200, json), Reply::Answer(401, denied)]).await;
    let account = server.client().fetch_account().await.unwrap();
    assert_eq!((account.status, account.kind), (Some(AccountStatus::Active), Some(AccountKind::Trial)));
    assert!(server.requests()[0].contains(&format!("/2010-04-01/Accounts/{ACCOUNT}.json ")));

    let Error::Api(error) = server.client().fetch_account().await.unwrap_err() else { panic!() };
    assert!(error.is_unauthorized());
}
