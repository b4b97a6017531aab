//! What the carrier is answered: `/v1/voice` and `/v1/voice-response`, as whoever calls hears them.

use std::sync::Arc;

use serde_json::{Value, json};
use twilio::HttpMethod;
use twilio::signature::sign;
use twilio::twiml::{GatherInput, Verb};

use crate::echo::Echo;
use crate::line::Line;
use crate::link::Link;
use crate::promises;
use crate::shape::{elements, text};

promises! {
    the_first_document_says_the_greeting_word_for_word_and_listens;
    the_carriers_requests_need_no_credential_and_are_answered_with_xml;
    what_is_heard_goes_to_voice_response_with_the_bot_in_the_address;
    what_was_said_is_answered_and_listened_on;
    a_request_with_bot_and_call_in_the_query_alone_is_a_turn_too;
    the_voice_is_the_bots_in_every_turn;
    a_language_that_is_not_the_default_is_spoken_and_listened_in;
    an_unknown_bot_is_a_spoken_apology_with_200_and_the_end;
    a_disabled_bot_apologises_too;
    a_missing_or_wrong_signature_is_403;
    an_unknown_account_is_403;
    a_repeated_turn_is_the_same_document;
    a_repeat_without_a_turn_is_known_by_the_carriers_mark;
    a_new_turn_of_a_call_that_is_over_is_hung_up;
    the_same_turn_is_the_stored_document_also_after_the_end;
    silence_is_asked_about_and_ends_the_call;
    a_call_is_listed_and_read_by_both_its_ids;
    calls_of_somebody_else_are_404;
}

const HOOK: &str = "https://api.eatery.com/book";
const GREETING: &str = "Hi, welcome to your AI assistant. How can I help you today?";

async fn rung(echo: &Echo) -> (Link, Value, Line) {
    let link = Link::new(echo).await;
    let bot = link.bot(HOOK).await;
    let line = Line::to(&link, &bot);
    (link, bot, line)
}

async fn the_first_document_says_the_greeting_word_for_word_and_listens(echo: Arc<Echo>) {
    let (_, bot, line) = rung(&echo).await;
    let first = line.rings().await;
    let documented = format!("<Response><Say voice=\"man\">{GREETING}</Say><Gather ");
    assert!(first.body.contains(&documented), "{}", first.body);
    let gather = first.gather();
    // Keys are heard beside speech.
    assert_eq!(gather.input, Some(GatherInput::DtmfSpeech));
    assert_eq!(gather.method, Some(HttpMethod::Post));
    let id = text(&bot, "bot_id");
    let expected = format!("{}/v1/voice-response?bot_id={id}&", echo.base);
    assert!(first.action().starts_with(&expected), "{}", first.body);
    // Whoever says nothing is not left alone: the call goes on behind the Gather.
    assert!(matches!(first.document().verbs.last(), Some(Verb::Redirect(_))), "{}", first.body);
}

async fn the_carriers_requests_need_no_credential_and_are_answered_with_xml(echo: Arc<Echo>) {
    let (_, _, line) = rung(&echo).await;
    let first = line.rings().await;
    assert_eq!(first.status, 200);
    assert!(first.kind.starts_with("text/xml"), "{}", first.kind);
    assert!(first.body.starts_with("<?xml"), "{}", first.body);
}

async fn what_is_heard_goes_to_voice_response_with_the_bot_in_the_address(echo: Arc<Echo>) {
    let (_, bot, line) = rung(&echo).await;
    let mut heard = line.rings().await;
    let expected = format!("{}/v1/voice-response?bot_id={}&", echo.base, text(&bot, "bot_id"));
    for words in ["I want to book a table for 4", "Tomorrow at seven."] {
        heard = line.says(&heard, words).await;
        assert!(heard.action().starts_with(&expected), "{}", heard.body);
    }
}

async fn what_was_said_is_answered_and_listened_on(echo: Arc<Echo>) {
    let (_, _, line) = rung(&echo).await;
    let first = line.rings().await;
    let second = line.says(&first, "I would like to book a table, please").await;
    let verbs = second.document().verbs;
    assert!(
        matches!(verbs.as_slice(), [Verb::Say(_), Verb::Gather(_), Verb::Redirect(_)]),
        "{}",
        second.body
    );
    assert!(second.spoken().contains("For how many"), "{}", second.body);
    let third = line.says(&second, "For four people").await;
    assert!(third.spoken().contains("When"), "{}", third.body);
    let fourth = line.says(&third, "Tomorrow at seven in the evening").await;
    assert!(fourth.spoken().contains("name"), "{}", fourth.body);
}

async fn a_request_with_bot_and_call_in_the_query_alone_is_a_turn_too(echo: Arc<Echo>) {
    let (_, _, line) = rung(&echo).await;
    // As the document shows both.
    let voice = format!("{}&CallSid={}", line.voice_url, line.sid);
    let form: Vec<_> = line.form(&[]).into_iter().filter(|(name, _)| name != "CallSid").collect();
    let first = line.post_signed(&voice, &form, Some(&line.signature(&voice, &form))).await;
    assert_eq!(first.spoken(), GREETING);
    let url = line.response_url();
    let mut heard = form.clone();
    heard.push(("SpeechResult".to_owned(), "I want to book a table for 4".to_owned()));
    heard.push(("Confidence".to_owned(), "0.95".to_owned()));
    let second = line.post_signed(&url, &heard, Some(&line.signature(&url, &heard))).await;
    assert!(second.spoken().contains("When"), "{}", second.body);
}

async fn the_voice_is_the_bots_in_every_turn(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    for voice in ["man", "woman"] {
        let mut bot = link.bot(HOOK).await;
        let path = format!("/v1/bots/{}", text(&bot, "bot_id"));
        bot = link.api.patch(&path, &json!({"voice": voice})).await.is(200);
        let line = Line::to(&link, &bot);
        let mut heard = line.rings().await;
        for words in ["A table, please", "For four people"] {
            assert!(heard.body.contains(&format!("<Response><Say voice=\"{voice}\">")), "{}", heard.body);
            heard = line.says(&heard, words).await;
        }
        assert!(heard.body.contains(&format!("<Say voice=\"{voice}\">")), "{}", heard.body);
    }
}

async fn a_language_that_is_not_the_default_is_spoken_and_listened_in(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    let path = format!("/v1/bots/{}", text(&bot, "bot_id"));
    let bot = link.api.patch(&path, &json!({"language": "de-DE", "greeting": "Guten Tag."})).await.is(200);
    let first = Line::to(&link, &bot).rings().await;
    assert!(first.body.contains("<Say voice=\"man\" language=\"de-DE\">Guten Tag."), "{}", first.body);
    assert_eq!(first.gather().language.as_deref(), Some("de-DE"));
}

async fn an_unknown_bot_is_a_spoken_apology_with_200_and_the_end(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    link.api.delete(&format!("/v1/bots/{}", text(&bot, "bot_id"))).await.is(204);
    for id in [text(&bot, "bot_id"), "bot_4Zk9mUqQh8vYw2XnRt3L", "bot_abc123", "7"] {
        let line = Line::to_address(&link.number, &format!("{}/v1/voice?bot_id={id}", echo.base));
        let answer = line.rings().await;
        assert!(answer.says_and_hangs_up() && answer.spoken().contains("sorry"), "{}", answer.body);
        let answer = line.post(&line.response_url(), &[("SpeechResult", "Hello?")]).await;
        assert!(answer.says_and_hangs_up() && answer.spoken().contains("sorry"), "{}", answer.body);
    }
    assert_eq!(link.api.get("/v1/calls").await.is(200), json!([]));
}

async fn a_disabled_bot_apologises_too(echo: Arc<Echo>) {
    let (link, bot, line) = rung(&echo).await;
    let path = format!("/v1/bots/{}", text(&bot, "bot_id"));
    link.api.patch(&path, &json!({"status": "disabled"})).await.is(200);
    let answer = line.rings().await;
    assert!(answer.says_and_hangs_up(), "{}", answer.body);
    link.api.patch(&path, &json!({"status": "active"})).await.is(200);
    assert_eq!(Line::to(&link, &bot).rings().await.spoken(), GREETING);
}

async fn a_missing_or_wrong_signature_is_403(echo: Arc<Echo>) {
    let (link, _, line) = rung(&echo).await;
    for url in [line.voice_url.clone(), line.response_url()] {
        let form = line.form(&[("SpeechResult", "Hello?")]);
        let forged = sign("0123456789abcdef0123456789abcdef", &url, &form);
        let of_another_address = line.signature("https://example.com/v1/voice", &form);
        let of_other_words = line.signature(&url, &line.form(&[("SpeechResult", "Goodbye.")]));
        for wrong in [
            None,
            Some(""),
            Some("nonsense"),
            Some(&forged),
            Some(&of_another_address),
            Some(&of_other_words),
        ] {
            let answer = line.post_signed(&url, &form, wrong).await;
            assert_eq!(answer.status, 403, "{url} {wrong:?}");
        }
    }
    assert_eq!(link.api.get("/v1/calls").await.is(200), json!([]));
}

async fn an_unknown_account_is_403(echo: Arc<Echo>) {
    let (link, _, line) = rung(&echo).await;
    for account in ["AC0123456789abcdef0123456789abcdef", "AC1", ""] {
        let mut form = line.form(&[]);
        form[1].1 = account.to_owned();
        let signed = line.signature(&line.voice_url, &form);
        assert_eq!(line.post_signed(&line.voice_url, &form, Some(&signed)).await.status, 403, "{account}");
    }
    assert_eq!(link.api.get("/v1/calls").await.is(200), json!([]));
}

async fn a_repeated_turn_is_the_same_document(echo: Arc<Echo>) {
    let (link, _, line) = rung(&echo).await;
    let first = line.rings().await;
    assert_eq!(line.rings().await.body, first.body);
    let second = line.says(&first, "A table, please").await;
    assert_eq!(line.says(&first, "A table, please").await.body, second.body);
    // Whatever it says now: the turn was answered.
    assert_eq!(line.says(&first, "Goodbye").await.body, second.body);
    let call = link.api.get(&format!("/v1/calls/{}", line.sid)).await.is(200);
    let said = elements(&call["turns"]).iter().filter(|turn| turn["speaker"] == "customer");
    assert_eq!(said.map(|turn| &turn["text"]).collect::<Vec<_>>(), ["A table, please"], "{call}");
}

async fn a_repeat_without_a_turn_is_known_by_the_carriers_mark(echo: Arc<Echo>) {
    let (_, _, line) = rung(&echo).await;
    line.rings().await;
    let (url, words) = (line.response_url(), [("SpeechResult", "A table, please")]);
    let first = line.post_marked(&url, &words, "one").await;
    assert!(first.spoken().contains("For how many"), "{}", first.body);
    assert_eq!(line.post_marked(&url, &words, "one").await.body, first.body);
    let next = line.post_marked(&url, &[("SpeechResult", "For four people")], "two").await;
    assert!(next.spoken().contains("When"), "{}", next.body);
    assert_eq!(line.post_marked(&url, &words, "one").await.body, first.body);
}

async fn a_new_turn_of_a_call_that_is_over_is_hung_up(echo: Arc<Echo>) {
    let (link, _, line) = rung(&echo).await;
    let first = line.rings().await;
    line.ends().await;
    link.over(&line.sid).await;
    assert!(line.says(&first, "A table, please").await.hangs_up());
    assert!(line.post(&line.response_url(), &[("SpeechResult", "A table, please")]).await.hangs_up());
}

async fn the_same_turn_is_the_stored_document_also_after_the_end(echo: Arc<Echo>) {
    let (link, bot, line) = rung(&echo).await;
    let first = line.rings().await;
    let second = line.says(&first, "A table, please").await;
    line.ends().await;
    link.over(&line.sid).await;
    assert_eq!(line.rings().await.body, first.body);
    assert_eq!(line.says(&first, "A table, please").await.body, second.body);
    // Also when the bot is gone.
    link.api.delete(&format!("/v1/bots/{}", text(&bot, "bot_id"))).await.is(204);
    assert_eq!(line.rings().await.body, first.body);
    assert_eq!(line.says(&first, "A table, please").await.body, second.body);
}

async fn silence_is_asked_about_and_ends_the_call(echo: Arc<Echo>) {
    let (link, _, line) = rung(&echo).await;
    let mut heard = line.rings().await;
    let mut asked = 0;
    while !heard.says_and_hangs_up() {
        asked += 1;
        assert!(asked < 6, "{}", heard.body);
        heard = line.post(&heard.action(), &[]).await;
    }
    assert!(asked > 1, "nobody was asked whether they are there");
    line.ends().await;
    assert_eq!(link.over(&line.sid).await["outcome"], "abandoned");
}

async fn a_call_is_listed_and_read_by_both_its_ids(echo: Arc<Echo>) {
    let (link, bot, line) = rung(&echo).await;
    let first = line.rings().await;
    line.says(&first, "A table, please").await;
    let running = link.api.get(&format!("/v1/calls/{}", line.sid)).await.is(200);
    assert_eq!((&running["outcome"], &running["ended_at"]), (&json!(null), &json!(null)), "{running}");
    line.ends().await;
    let call = link.over(&line.sid).await;
    assert_eq!(call["bot_id"], bot["bot_id"]);
    assert_eq!(call["call_sid"], line.sid.as_str());
    assert_eq!((&call["from"], &call["to"]), (&json!(line.from), &json!(link.number.number)));
    let speakers = elements(&call["turns"]).iter().map(|turn| text(turn, "speaker"));
    assert_eq!(speakers.collect::<Vec<_>>(), ["agent", "customer", "agent"], "{call}");
    assert_eq!(link.api.get(&format!("/v1/calls/{}", text(&call, "call_id"))).await.is(200), call);
    let mut listed = call.clone();
    listed.as_object_mut().expect("an object").remove("turns");
    assert_eq!(link.api.get("/v1/calls").await.is(200), json!([listed]));
    let of_the_bot = format!("/v1/calls?bot_id={}", text(&bot, "bot_id"));
    assert_eq!(link.api.get(&of_the_bot).await.is(200), json!([listed]));
    let of_another = "/v1/calls?bot_id=bot_4Zk9mUqQh8vYw2XnRt3L";
    assert_eq!(link.api.get(of_another).await.is(200), json!([]));
}

async fn calls_of_somebody_else_are_404(echo: Arc<Echo>) {
    let (_, _, line) = rung(&echo).await;
    line.rings().await;
    let other = Link::new(&echo).await;
    other.api.get(&format!("/v1/calls/{}", line.sid)).await.link_refuses(404, "call not found");
    assert_eq!(other.api.get("/v1/calls").await.is(200), json!([]));
}
