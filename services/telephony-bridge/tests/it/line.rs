//! The carrier's side of one call: signed requests to the bridge, and the documents that come back.

use std::time::{Duration, Instant};

use contracts::calls::DialRequested;
use twilio::CallSid;
use twilio::signature;
use twilio::twiml::{GatherChild, Response, Verb, read};

use crate::world::{SILENT, World};

/// A call that the carrier has placed for an attempt.
pub(crate) struct Line<'a> {
    pub(crate) world: &'a World,
    pub(crate) wish: DialRequested,
    pub(crate) sid: String,
}

/// What the bridge answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    pub(crate) took: Duration,
}

impl<'a> Line<'a> {
    /// A call that runs; the sandbox carrier has no part in it.
    pub(crate) async fn running(world: &'a World) -> Self {
        let (wish, sid) = (world.wish(SILENT), CallSid::random().unwrap().to_string());
        world.left_behind(&wish, "placed", Some(&sid)).await;
        Self { world, wish, sid }
    }

    /// The parameters of every request.
    pub(crate) fn form(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let account = self.world.account.as_str();
        let common = [("CallSid", self.sid.as_str()), ("AccountSid", account), ("FromCity", "")];
        common.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    /// The address that the carrier was given for `what`.
    pub(crate) fn path(&self, what: &str) -> String {
        format!("/v1/{what}?attempt={}", self.wish.attempt_id)
    }

    /// A request as the carrier sends it.
    pub(crate) async fn post(&self, path: &str, more: &[(&str, &str)]) -> Answer {
        let form = self.form(more);
        let signed = signature::sign(&self.world.token, &format!("{}{path}", self.world.base), &form);
        self.post_signed(path, &form, Some(&signed)).await
    }

    /// A request with this signature, or without one.
    pub(crate) async fn post_signed(
        &self,
        path: &str,
        form: &[(String, String)],
        signature: Option<&str>,
    ) -> Answer {
        let mut request = self.world.http.post(format!("{}{path}", self.world.base)).form(form);
        if let Some(signature) = signature {
            request = request.header(signature::HEADER, signature);
        }
        Self::sent(request).await
    }

    /// A request as the carrier sends it, with its mark.
    pub(crate) async fn post_marked(&self, path: &str, more: &[(&str, &str)], mark: &str) -> Answer {
        let (form, url) = (self.form(more), format!("{}{path}", self.world.base));
        let signed = signature::sign(&self.world.token, &url, &form);
        let request = self.world.http.post(url).form(&form).header(signature::HEADER, signed);
        Self::sent(request.header("I-Twilio-Idempotency-Token", mark)).await
    }

    pub(crate) async fn sent(request: reqwest::RequestBuilder) -> Answer {
        let began = Instant::now();
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap();
        Answer { status, body, took: began.elapsed() }
    }

    /// The call is answered: the first document.
    pub(crate) async fn pick_up(&self) -> Answer {
        self.post(&self.path("voice"), &[("CallStatus", "in-progress")]).await
    }

    /// A status callback.
    pub(crate) async fn report(&self, status: &str, sequence: &str) -> u16 {
        let more = [("CallStatus", status), ("SequenceNumber", sequence)];
        self.post(&self.path("voice-status"), &more).await.status
    }
}

impl Answer {
    /// The document, which must be one that the carrier takes without a complaint.
    pub(crate) fn document(&self) -> Response {
        assert_eq!(self.status, 200, "{}", self.body);
        let document = read(self.body.as_bytes()).unwrap();
        assert_eq!(document.warnings, [], "{}", self.body);
        document.response
    }

    /// What is spoken.
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

    /// The path and query of the request that comes next; `None` when the call is hung up.
    pub(crate) fn next(&self, world: &World) -> Option<String> {
        match self.document().verbs.pop().unwrap() {
            Verb::Redirect(redirect) => {
                let (url, _) = redirect.url.split_once('#').expect("the fragment for retries");
                Some(url.strip_prefix(&world.base).expect("an absolute address").to_owned())
            }
            Verb::Hangup => None,
            other => panic!("ends with {other:?}"),
        }
    }

    pub(crate) fn listens(&self) -> bool {
        self.document().verbs.iter().any(|verb| matches!(verb, Verb::Gather(_)))
    }

    /// Ends the call without a word.
    pub(crate) fn hangs_up(&self) -> bool {
        self.document().verbs == [Verb::Hangup]
    }
}
