//! Signatures: the libraries believe what the carrier signs, our checker believes what the libraries compute, and nobody
//! believes what was changed on its way.

use serde_json::json;
use twilio::signature;

use super::{Client, both};
use crate::harness::{NUMBER, Sandbox, TOKEN, ask, bye, text};
use crate::receiver::{Receiver, Signed};

type Form = Vec<(String, String)>;

impl Signed {
    fn over(url: &str, form: &[(&str, &str)], signature: String) -> Signed {
        let form = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Signed { url: url.to_owned(), form, signature }
    }

    /// This one with something else in it than was signed, in every way that a request has.
    fn changed(&self) -> Vec<Signed> {
        let with_form = |form: Form| Signed { form, ..self.clone() };
        let mut more = self.form.clone();
        more.push(("Extra".to_owned(), String::new()));
        // Up to the path: it begins with another letter then.
        let host = self.url.split_inclusive('/').take(3).collect::<String>();
        let host = host.as_str();
        let (first, rest) = self.signature.split_at(1);
        let other = if first == "A" { "B" } else { "A" };
        let mut all = vec![
            with_form(more),
            Signed { url: self.url.replacen(host, &format!("{host}x"), 1), ..self.clone() },
            Signed {
                url: format!("{}{}b=3", self.url, if self.url.contains('?') { '&' } else { '?' }),
                ..self.clone()
            },
            Signed { signature: format!("{other}{rest}"), ..self.clone() },
            Signed { signature: String::new(), ..self.clone() },
        ];
        if let Some((last, before)) = self.form.split_last() {
            all.push(with_form(before.to_vec()));
            all.push(with_form([before, &[(last.0.clone(), format!("{}x", last.1))]].concat()));
        }
        all
    }
}

impl Client {
    async fn believes(&mut self, signed: &Signed, token: &str) -> bool {
        let order = json!({
            "do": "validate", "token": token, "url": signed.url, "form": signed.form, "signature": signed.signature,
        });
        self.asks(order).await.as_bool().unwrap()
    }

    async fn signs(&mut self, url: &str, form: &[(&str, &str)]) -> Signed {
        let order = json!({"do": "sign", "token": TOKEN, "url": url, "form": form});
        Signed::over(url, form, text(&self.asks(order).await).to_owned())
    }
}

fn we_believe(signed: &Signed) -> bool {
    signature::verify(TOKEN, &signed.url, &signed.form, &signed.signature)
}

/// Requests of all kinds, as the carrier makes them in two calls: one with `POST`, one with `GET`.
async fn caught(sandbox: &Sandbox) -> Vec<(String, Signed)> {
    let mut receiver = Receiver::start(|got, before| match (got.path.as_str(), before) {
        ("/voice", _) => (200, ask("Can you come – on Tuesday?", "/heard?bot_id=b%C3%B6t+1&amp;empty=")),
        ("/heard", 0) => (200, ask("Sure?", "/heard?turn=2")),
        ("/heard", _) => (200, bye("Bye.")),
        _ => (200, String::new()),
    });
    let mut caught = Vec::new();
    for method in ["POST", "GET"] {
        let voice = format!("{}/voice?attempt=a1&note=it%27s+here#rc=2", receiver.url);
        let more = [("Url", voice.as_str()), ("Method", method), ("StatusCallbackMethod", method)];
        sandbox.call("+14155550113", &receiver.url, &more).await;
        for got in receiver.until_the_end().await {
            caught.push((format!("{} {}", got.method, got.path), got.signed));
        }
    }
    caught
}

#[tokio::test]
async fn the_libraries_believe_what_the_carrier_signs_and_nothing_else() {
    let sandbox = Sandbox::start();
    let caught = caught(&sandbox).await;
    for kind in ["POST /voice", "GET /voice", "POST /heard", "POST /status", "GET /status"] {
        assert!(caught.iter().any(|(found, _)| found == kind), "no {kind} among {caught:?}");
    }
    assert!(caught.iter().any(|(_, signed)| signed.form.iter().any(|(_, value)| value.is_empty())));
    for mut client in both(&sandbox).await {
        for (kind, signed) in &caught {
            assert!(client.believes(signed, TOKEN).await, "{}: {kind}: {signed:?}", client.name);
            assert!(!client.believes(signed, "another token").await, "{}: {kind}", client.name);
            for changed in signed.changed() {
                assert!(!client.believes(&changed, TOKEN).await, "{}: {kind}: {changed:?}", client.name);
            }
        }
    }
}

#[tokio::test]
async fn an_inbound_call_is_believed_too() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("We are closed."))]);
    let (_, page) = sandbox.get("/IncomingPhoneNumbers.json").await;
    let path = format!("/IncomingPhoneNumbers/{}.json", text(&page["incoming_phone_numbers"][0]["sid"]));
    let (voice, over) = (format!("{}/voice?bot_id=1", receiver.url), format!("{}/status", receiver.url));
    sandbox.post(&path, &[("VoiceUrl", &voice), ("StatusCallback", &over)]).await;
    sandbox.control("incoming", json!({"from": "+14155550117", "to": NUMBER})).await;
    let caught = receiver.until_the_end().await;
    assert_eq!(caught.iter().map(|got| got.path.as_str()).collect::<Vec<_>>(), ["/voice", "/status"]);
    for mut client in both(&sandbox).await {
        for got in &caught {
            assert!(client.believes(&got.signed, TOKEN).await, "{}: {got:?}", client.name);
        }
    }
}

const URLS: [&str; 10] = [
    "https://app.example/v",
    "https://app.example/v?bot_id=1&b=2",
    "https://app.example/v?note=it%27s+here&empty=&name=J%C3%BCrgen%20%E8%AA%9E&plus=%2B1",
    "https://app.example/v?raw=it's,(all)*fine!&a=1&a=2&a=1",
    "https://app.example:443/v?a=1",
    "https://app.example:8443/v?a=1",
    "http://app.example/v?a=1",
    "http://app.example:80/v?a=1",
    "http://app.example:8080/v?a=b:80@c",
    "https://user:pass@app.example/v?a=1",
];

const FORMS: [&[(&str, &str)]; 7] = [
    &[],
    &[("CallSid", "CA123"), ("From", "+14155550100"), ("To", "+18005551212")],
    &[("FromCity", ""), ("Digits", ""), ("msg", "Gather End")],
    &[("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234"), ("Sid", "1"), ("SidAccount", "2")],
    &[("SpeechResult", "Ja, für vier – bitte 語 😀"), ("Confidence", "0.95"), ("Größe", "ß")],
    &[("b", "1"), ("B", "2"), ("a", "3"), ("A_", "4"), ("A", "5"), ("A1", "6")],
    &[("text", " lines\r\nand\ttabs & = + % \"quotes\" "), ("a&b", "c=d")],
];

#[tokio::test]
async fn our_checker_believes_what_the_libraries_sign_and_nothing_else() {
    let sandbox = Sandbox::start();
    for mut client in both(&sandbox).await {
        for (url, form) in URLS.iter().flat_map(|url| FORMS.map(|form| (url, form))) {
            let signed = client.signs(url, form).await;
            assert!(we_believe(&signed), "{}: {signed:?}", client.name);
            for changed in signed.changed() {
                assert!(!we_believe(&changed), "{}: {changed:?}", client.name);
            }
        }
    }
}

#[tokio::test]
async fn the_libraries_believe_what_we_sign() {
    let sandbox = Sandbox::start();
    for mut client in both(&sandbox).await {
        for (url, form) in URLS.iter().flat_map(|url| FORMS.map(|form| (url, form))) {
            let mut ours = Signed::over(url, form, String::new());
            ours.signature = signature::sign(TOKEN, url, &ours.form);
            assert!(client.believes(&ours, TOKEN).await, "{}: {ours:?}", client.name);
            assert_eq!(client.signs(url, form).await.signature, ours.signature, "{}", client.name);
        }
    }
}

#[tokio::test]
async fn a_port_that_a_proxy_took_away_or_added_changes_nothing() {
    let sandbox = Sandbox::start();
    for mut client in both(&sandbox).await {
        for (seen, signed_over) in [
            ("https://app.example:8443/v?a=1", "https://app.example/v?a=1"),
            ("https://app.example/v?a=1", "https://app.example:443/v?a=1"),
            ("http://app.example/v?a=1", "http://app.example:80/v?a=1"),
        ] {
            let signed = client.signs(signed_over, FORMS[1]).await;
            let seen = Signed { url: seen.to_owned(), ..signed };
            assert!(we_believe(&seen) && client.believes(&seen, TOKEN).await, "{}: {seen:?}", client.name);
        }
        let other_port = client.signs("http://app.example:8080/v", FORMS[1]).await;
        let other_port = Signed { url: "http://app.example:8081/v".to_owned(), ..other_port };
        assert!(!we_believe(&other_port) && !client.believes(&other_port, TOKEN).await, "{}", client.name);
    }
}
