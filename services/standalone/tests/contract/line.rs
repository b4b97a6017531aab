//! The carrier's side of a call that somebody makes: requests with its signature, or with another one, and the documents that
//! come back.

use std::time::Duration;

use serde_json::Value;
use twilio::twiml::{Gather, GatherChild, Response, Verb, read};
use twilio::{CallSid, signature};

use crate::client::new_phone;
use crate::link::{Link, Number};
use crate::shape::text;

/// The kind of what the carrier sends.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A call.
pub(crate) struct Line {
    http: reqwest::Client,
    number: Number,
    /// Where the call comes in.
    pub(crate) voice_url: String,
    /// The carrier's id of it.
    pub(crate) sid: String,
    /// Who calls.
    pub(crate) from: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// The status.
    pub(crate) status: u16,
    /// The kind of the body.
    pub(crate) kind: String,
    /// The body.
    pub(crate) body: String,
}

impl Line {
    /// To a bot of somebody, from a number that nobody else has.
    pub(crate) fn to(link: &Link, bot: &Value) -> Self {
        Self::to_address(&link.number, text(bot, "voice_url"))
    }

    /// To an address that the number's owner has entered at the carrier.
    pub(crate) fn to_address(number: &Number, voice_url: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        Self {
            http: http.expect("a client"),
            number: number.clone(),
            voice_url: voice_url.to_owned(),
            sid: CallSid::random().expect("an id").to_string(),
            from: new_phone(),
        }
    }

    /// Where something heard goes, as the public document shows it.
    pub(crate) fn response_url(&self) -> String {
        let url = self.voice_url.replace("/v1/voice?", "/v1/voice-response?");
        format!("{url}&CallSid={}", self.sid)
    }

    /// The parameters of every request, and more.
    pub(crate) fn form(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let common = [
            ("CallSid", self.sid.as_str()),
            ("AccountSid", &self.number.account_sid),
            ("From", &self.from),
            ("To", &self.number.number),
            ("Direction", "inbound"),
            ("ApiVersion", "2010-04-01"),
        ];
        common.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The call comes in.
    pub(crate) async fn rings(&self) -> Heard {
        self.post(&self.voice_url, &[("CallStatus", "ringing")]).await
    }

    /// Something was said, after this document.
    pub(crate) async fn says(&self, after: &Heard, words: &str) -> Heard {
        self.post(&after.action(), &[("SpeechResult", words), ("Confidence", "0.95")]).await
    }

    /// The call has ended.
    pub(crate) async fn ends(&self) {
        let (base, _) = self.voice_url.split_once("/v1/voice?").expect("the address of a bot");
        let end = [("CallStatus", "completed"), ("CallDuration", "12"), ("SequenceNumber", "0")];
        let told = self.post(&format!("{base}/v1/voice-status"), &end).await;
        assert_eq!(told.status, 204, "{told:?}");
    }

    /// A request as the carrier makes it.
    pub(crate) async fn post(&self, url: &str, more: &[(&str, &str)]) -> Heard {
        let form = self.form(more);
        self.post_signed(url, &form, Some(&self.signature(url, &form))).await
    }

    /// The same with the mark by which the carrier's repeats are known.
    pub(crate) async fn post_marked(&self, url: &str, more: &[(&str, &str)], mark: &str) -> Heard {
        let form = self.form(more);
        let request = self.http.post(url).form(&form).header(signature::IDEMPOTENCY_HEADER, mark);
        heard(request.header(signature::HEADER, self.signature(url, &form))).await
    }

    /// A request with this signature, or without one.
    pub(crate) async fn post_signed(
        &self,
        url: &str,
        form: &[(String, String)],
        signature: Option<&str>,
    ) -> Heard {
        let request = self.http.post(url).form(form);
        heard(match signature {
            Some(signature) => request.header(signature::HEADER, signature),
            None => request,
        })
        .await
    }

    /// These bytes, said to be of this kind, with this signature.
    pub(crate) async fn post_bytes(&self, url: &str, kind: &str, body: Vec<u8>, signature: &str) -> Heard {
        let request = self.http.post(url).header("content-type", kind).body(body);
        heard(request.header(signature::HEADER, signature)).await
    }

    /// What the carrier's signature of a request is.
    pub(crate) fn signature(&self, url: &str, form: &[(String, String)]) -> String {
        signature::sign(&self.number.auth_token, url, form)
    }
}

async fn heard(request: reqwest::RequestBuilder) -> Heard {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.to_owned();
    Heard { status, kind, body: answer.text().await.expect("the whole answer") }
}

impl Heard {
    /// The document, which is one that the carrier takes without a complaint.
    #[track_caller]
    pub(crate) fn document(&self) -> Response {
        assert_eq!(self.status, 200, "{self:?}");
        let document = read(self.body.as_bytes()).expect("TwiML");
        assert_eq!(document.warnings, [], "{}", self.body);
        document.response
    }

    /// What is spoken.
    #[track_caller]
    pub(crate) fn spoken(&self) -> String {
        let mut said = Vec::new();
        for verb in self.document().verbs {
            match verb {
                Verb::Say(say) => said.push(say.text),
                Verb::Gather(gather) => {
                    said.extend(gather.children.into_iter().filter_map(|child| match child {
                        GatherChild::Say(say) => Some(say.text),
                        _ => None,
                    }))
                }
                _ => {}
            }
        }
        said.join(" ")
    }

    /// How it is listened.
    #[track_caller]
    pub(crate) fn gather(&self) -> Gather {
        let gather = self.document().verbs.into_iter().find_map(|verb| match verb {
            Verb::Gather(gather) => Some(gather),
            _ => None,
        });
        gather.unwrap_or_else(|| panic!("nobody listens: {}", self.body))
    }

    /// Where something heard goes; the fragment is for the carrier alone.
    #[track_caller]
    pub(crate) fn action(&self) -> String {
        let action = self.gather().action.expect("an action");
        action.split('#').next().unwrap_or_default().to_owned()
    }

    /// Says something, and hangs up.
    #[track_caller]
    pub(crate) fn says_and_hangs_up(&self) -> bool {
        matches!(self.document().verbs.as_slice(), [Verb::Say(_), Verb::Hangup])
    }

    /// Hangs up without a word.
    #[track_caller]
    pub(crate) fn hangs_up(&self) -> bool {
        self.document().verbs == [Verb::Hangup]
    }
}
