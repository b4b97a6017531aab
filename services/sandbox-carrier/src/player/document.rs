//! Documents: had over HTTP or given inline, read as Twilio reads them, with the fallback URL and, at
//! last, an apology when that fails.

use twilio::twiml::{self, Play, Say, Verb};

use super::leg::Leg;
use super::verbs::speak;
use super::{Flow, Stop};
use crate::client::{Answer, Client, Errand, Params};
use crate::domain::fault::{CONTENT_TYPE, HTTP_FAILURE, Problem};
use crate::domain::plan::{Hook, Source};

/// What a caller hears when there is no document to go on with.
const APOLOGY: &str = "We are sorry. An application error has occurred. Goodbye.";

/// A document that can be walked.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) verbs: Vec<Verb>,
    /// Where it came from; relative URLs start there. Nothing for one that was given inline.
    pub(super) base: Option<Hook>,
}

/// Has the document, or the fallback's. Without either the caller hears an apology and the call is over.
pub(super) async fn load(leg: &mut Leg, source: Source, extra: Params) -> Flow<Script> {
    let (hook, problem) = match source {
        Source::Inline(xml) => match read(xml.as_bytes(), leg, None) {
            Ok(verbs) => return Ok(Script { verbs, base: None }),
            Err(problem) => (None, problem),
        },
        Source::Fetch(hook) => match fetch(leg, &hook, extra).await? {
            Ok(script) => return Ok(script),
            Err(problem) => (Some(hook), problem),
        },
    };
    leg.fault(problem.clone(), hook.as_ref());
    let fallback = leg.shared.call(&leg.sid, |call| call.plan.fallback.clone()).flatten();
    if let Some(fallback) = fallback {
        let failed = hook.map(|hook| hook.url).unwrap_or_default();
        let extra = vec![
            ("ErrorCode".to_owned(), problem.code.to_string()),
            ("ErrorUrl".to_owned(), failed.split('#').next().unwrap_or_default().to_owned()),
        ];
        match fetch(leg, &fallback, extra).await? {
            Ok(script) => return Ok(script),
            Err(problem) => leg.fault(problem, Some(&fallback)),
        }
    }
    speak(leg, APOLOGY).await?;
    Err(Stop::HungUp)
}

async fn fetch(leg: &mut Leg, hook: &Hook, extra: Params) -> Flow<Result<Script, Problem>> {
    let mut params = leg.params_now();
    params.extend(extra);
    let shared = std::sync::Arc::clone(&leg.shared);
    let (token, cookies) = (Client::token(), std::sync::Arc::clone(&leg.cookies));
    let signed_wrongly = shared.signs_wrongly();
    let errand = Errand { hook, params: &params, token: &token, cookies: Some(&cookies), signed_wrongly };
    let answer = match leg.abroad(shared.client.send(&errand)).await? {
        Ok(answer) => answer,
        Err(problem) => return Ok(Err(problem)),
    };
    let base = base_of(hook, &answer);
    Ok(interpret(leg, &answer).map(|verbs| Script { verbs, base: Some(base) }))
}

/// The address of a document: as it was given (with its fragment), unless a redirect led elsewhere.
fn base_of(hook: &Hook, answer: &Answer) -> Hook {
    let plain = hook.url.split('#').next().unwrap_or_default();
    let same = url::Url::parse(plain).is_ok_and(|url| url.as_str() == answer.from.url);
    if same { hook.clone() } else { answer.from.clone() }
}

fn interpret(leg: &Leg, answer: &Answer) -> Result<Vec<Verb>, Problem> {
    if answer.status >= 300 {
        return Err(Problem::new(HTTP_FAILURE, format!("the answer was {}", answer.status)));
    }
    let full = answer.content_type.as_deref().unwrap_or_default();
    let kind = full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/xml" | "application/xml" | "text/html" => read(&answer.body, leg, Some(&answer.from)),
        "text/plain" => read(&answer.body, leg, Some(&answer.from)).or_else(|_| {
            let text = String::from_utf8_lossy(&answer.body).into_owned();
            Ok(vec![Verb::Say(Say::new(text))])
        }),
        audio if audio.starts_with("audio/") => {
            let url = Some(answer.from.url.clone());
            Ok(vec![Verb::Play(Play { url, ..Play::default() })])
        }
        "" => Err(Problem::new(HTTP_FAILURE, "the answer has no content type; text/xml would be right")),
        other => Err(Problem::new(
            CONTENT_TYPE,
            format!("`{other}` cannot control a call; text/xml would be right"),
        )),
    }
}

fn read(body: &[u8], leg: &Leg, from: Option<&Hook>) -> Result<Vec<Verb>, Problem> {
    let document = twiml::read(body).map_err(|error| Problem::new(error.code, error.message))?;
    for warning in document.warnings {
        leg.fault(Problem::new(warning.code, warning.message), from);
    }
    if !document.ignored.is_empty() {
        tracing::debug!(call_sid = %leg.sid, verbs = ?document.ignored, "left out, as the sandbox has no media");
    }
    Ok(document.response.verbs)
}
