//! What comes to the carrier's addresses and is not as it should be: the documented answer, and nothing else happens.

use std::sync::Arc;

use serde_json::{Value, json};
use twilio::signature::sign;

use crate::echo::Echo;
use crate::inbox::Inbox;
use crate::line::{FORM, Heard, Line};
use crate::link::Link;
use crate::promises;
use crate::shape::{elements, text};

promises! {
    a_body_of_another_kind_is_not_believed;
    a_request_without_a_call_is_an_apology_and_no_call;
    a_request_that_is_larger_than_any_of_the_carriers_is_413_and_unheard;
    speech_is_cut_where_no_recogniser_says_more;
    bytes_that_are_no_text_are_not_believed_or_harmless;
    markup_in_what_was_said_stays_text;
    the_call_of_another_bot_is_an_apology;
    a_signature_of_another_address_is_403;
    an_account_that_is_not_the_bots_is_403;
    turns_that_come_again_or_ahead_of_their_time_say_nothing_twice;
    another_method_is_not_answered;
}

const GREETING: &str = "Hi, welcome to your AI assistant. How can I help you today?";

/// Somebody rings a bot by hand.
struct Rung {
    link: Link,
    inbox: Inbox,
    bot: Value,
    line: Line,
    first: Heard,
}

impl Rung {
    async fn new(echo: &Echo) -> Self {
        let (link, inbox) = (Link::new(echo).await, Inbox::start());
        let bot = link.bot(&inbox.url).await;
        let line = Line::to(&link, &bot);
        let first = line.rings().await;
        assert_eq!(first.spoken(), GREETING);
        Self { link, inbox, bot, line, first }
    }

    /// Everything that there is to see of calls.
    async fn calls(&self) -> Vec<Value> {
        let all = self.link.api.get("/v1/calls").await.is(200);
        let mut read = Vec::new();
        for call in elements(&all) {
            read.push(self.link.api.get(&format!("/v1/calls/{}", text(call, "call_id"))).await.is(200));
        }
        read
    }

    /// Nothing has happened since there was this to see, and the call goes on.
    async fn is_as(&self, before: &[Value]) {
        assert_eq!(self.calls().await, before);
        assert_eq!(self.inbox.events(), Vec::<Value>::new());
        let answer = self.line.says(&self.first, "A table, please").await;
        assert!(answer.spoken().contains("For how many"), "{}", answer.body);
    }

    /// What the caller has said so far.
    async fn heard(&self) -> Vec<String> {
        let calls = self.calls().await;
        let turns = elements(&calls[0]["turns"]).iter().filter(|turn| turn["speaker"] == "customer");
        turns.map(|turn| text(turn, "text").to_owned()).collect()
    }
}

async fn a_body_of_another_kind_is_not_believed(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let (before, url) = (rung.calls().await, rung.first.action());
    let said = json!({"CallSid": rung.line.sid, "SpeechResult": "Hello?"}).to_string();
    let empty = rung.line.signature(&url, &[]);
    for (kind, body) in
        [("application/json", said.as_str()), ("text/plain", "SpeechResult=Hello"), (FORM, "{]"), ("", "")]
    {
        let answer = rung.line.post_bytes(&url, kind, body.into(), &empty).await;
        assert_eq!(answer.status, 403, "{kind}: {answer:?}");
    }
    rung.is_as(&before).await;
}

async fn a_request_without_a_call_is_an_apology_and_no_call(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let before = rung.calls().await;
    let heard = format!("{}/v1/voice-response?bot_id={}", echo.base, text(&rung.bot, "bot_id"));
    for url in [&rung.line.voice_url, &heard] {
        for sid in [None, Some(""), Some("7"), Some("CA%00")] {
            let mut form: Vec<_> =
                rung.line.form(&[]).into_iter().filter(|(name, _)| name != "CallSid").collect();
            form.extend(sid.map(|sid| ("CallSid".to_owned(), sid.to_owned())));
            let signed = rung.line.signature(url, &form);
            let answer = rung.line.post_signed(url, &form, Some(&signed)).await;
            assert!(answer.says_and_hangs_up(), "{url} {sid:?}: {answer:?}");
        }
    }
    rung.is_as(&before).await;
}

async fn a_request_that_is_larger_than_any_of_the_carriers_is_413_and_unheard(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let before = rung.calls().await;
    let long = "word ".repeat(60_000);
    assert_eq!(rung.line.says(&rung.first, &long).await.status, 413);
    rung.is_as(&before).await;
}

async fn speech_is_cut_where_no_recogniser_says_more(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let long = "table ".repeat(17_000);
    let answer = rung.line.says(&rung.first, &long).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(rung.heard().await, [long.chars().take(4_000).collect::<String>().trim()]);
}

async fn bytes_that_are_no_text_are_not_believed_or_harmless(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let (before, url) = (rung.calls().await, rung.first.action());
    // Bytes that are no UTF-8 are read with a mark in their place: whoever signed them so is believed, nobody else.
    let account = format!("AccountSid={}&CallSid={}", rung.link.number.account_sid, rung.line.sid);
    let body = [account.as_bytes(), b"&SpeechResult=\xff\xfe"].concat();
    let answer = rung.line.post_bytes(&url, FORM, body, "c2lnbmF0dXJl").await;
    assert_eq!(answer.status, 403, "{answer:?}");
    rung.is_as(&before).await;
    let next = rung.line.says(&rung.first, "A table, please").await;
    let answer = rung.line.says(&next, "four\0 \u{fffd}\u{202e} people").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!rung.heard().await.concat().contains('\0'));
}

async fn markup_in_what_was_said_stays_text(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let said = "</Say><Hangup/>&amp; <Dial>+15005550006</Dial> a table";
    let answer = rung.line.says(&rung.first, said).await;
    assert!(!answer.body.contains("<Dial") && !answer.body.contains("<Hangup"), "{}", answer.body);
    answer.gather();
    assert_eq!(rung.heard().await, [said]);
}

async fn the_call_of_another_bot_is_an_apology(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let before = rung.calls().await;
    let sibling = rung.link.bot(&rung.inbox.url).await;
    let (own, other) = (text(&rung.bot, "bot_id"), text(&sibling, "bot_id"));
    let url = rung.line.response_url().replace(own, other);
    let answer = rung.line.post(&url, &[("SpeechResult", "Hello?")]).await;
    assert!(answer.says_and_hangs_up(), "{answer:?}");
    let answer = rung.line.post(text(&sibling, "voice_url"), &[("CallStatus", "ringing")]).await;
    assert!(answer.says_and_hangs_up(), "{answer:?}");
    // Nor does it help to leave our own part of the address as it was.
    let answer =
        rung.line.post(&rung.first.action().replace(own, other), &[("SpeechResult", "Hello?")]).await;
    assert!(answer.says_and_hangs_up(), "{answer:?}");
    rung.is_as(&before).await;
}

async fn a_signature_of_another_address_is_403(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let before = rung.calls().await;
    let sibling = rung.link.bot(&rung.inbox.url).await;
    let url = rung.first.action();
    let form = rung.line.form(&[("SpeechResult", "Hello?")]);
    for other in [
        url.replace(text(&rung.bot, "bot_id"), text(&sibling, "bot_id")),
        url.replace("turn=1", "turn=2"),
        url.replace("voice-response", "voice"),
        format!("{url}&CallSid=CA0123456789abcdef0123456789abcdef"),
        rung.line.voice_url.clone(),
    ] {
        assert_ne!(other, url);
        let signed = rung.line.signature(&other, &form);
        assert_eq!(rung.line.post_signed(&url, &form, Some(&signed)).await.status, 403, "{other}");
        let signed = rung.line.signature(&url, &form);
        assert_eq!(rung.line.post_signed(&other, &form, Some(&signed)).await.status, 403, "{other}");
    }
    rung.is_as(&before).await;
}

async fn an_account_that_is_not_the_bots_is_403(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let before = rung.calls().await;
    let stranger = "AC0123456789abcdef0123456789abcdef";
    for url in [rung.line.voice_url.clone(), rung.line.response_url(), rung.first.action()] {
        let mut form = rung.line.form(&[("SpeechResult", "Hello?")]);
        form[1].1 = stranger.to_owned();
        let (with_ours, with_theirs) = (rung.line.signature(&url, &form), sign("their token", &url, &form));
        for signed in [with_ours, with_theirs] {
            assert_eq!(rung.line.post_signed(&url, &form, Some(&signed)).await.status, 403, "{url}");
        }
        // The account is that of the body; one in the address is not asked for where the body has one.
        let url = format!("{url}&AccountSid={}", rung.link.number.account_sid);
        let signed = rung.line.signature(&url, &form);
        assert_eq!(rung.line.post_signed(&url, &form, Some(&signed)).await.status, 403, "{url}");
    }
    rung.is_as(&before).await;
}

async fn turns_that_come_again_or_ahead_of_their_time_say_nothing_twice(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let line = &rung.line;
    let second = line.says(&rung.first, "A table, please").await;
    let third = line.says(&second, "For four people").await;
    assert!(third.spoken().contains("When"), "{}", third.body);
    // Late repeats, in the wrong order.
    assert_eq!(line.says(&rung.first, "A table, please").await.body, second.body);
    assert_eq!(line.says(&second, "For eight people").await.body, third.body);
    assert_eq!(line.rings().await.body, rung.first.body);
    let fourth = line.says(&third, "Tomorrow at seven in the evening").await;
    assert!(fourth.spoken().contains("name"), "{}", fourth.body);
    let expected = ["A table, please", "For four people", "Tomorrow at seven in the evening"];
    assert_eq!(rung.heard().await, expected);
}

async fn another_method_is_not_answered(echo: Arc<Echo>) {
    let rung = Rung::new(&echo).await;
    let before = rung.calls().await;
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    for url in [&rung.line.voice_url, &rung.first.action()] {
        let signed = rung.line.signature(url, &[]);
        let request = http.get(url).header(twilio::signature::HEADER, signed);
        let status = request.send().await.expect("an answer").status().as_u16();
        assert!(matches!(status, 404 | 405), "{status}");
    }
    rung.is_as(&before).await;
}
