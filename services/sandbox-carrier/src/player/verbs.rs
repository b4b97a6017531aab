//! The verbs: what each of them lets the person hear, how long that takes, and where it leads.

use std::num::NonZeroU32;
use std::time::Duration;

use twilio::HttpMethod;
use twilio::twiml::{Pause, Play, Redirect, Verb};
use url::Url;

use super::leg::Leg;
use super::{Flow, Stop, Task, dial, gather, record};
use crate::client::Params;
use crate::domain::clock::speaking_time;
use crate::domain::fault::{Problem, RELATIVE_URL};
use crate::domain::plan::{Hook, Source};
use crate::domain::transcript::Speaker;

/// Nobody plays a recording here: each lasts so long.
pub(super) const RECORDING: Duration = Duration::from_secs(5);

/// Twilio's bound for `loop="0"`.
const MOST_LOOPS: u32 = 1000;

/// How long somebody who wants to leave waits in silence.
const PATIENCE: Duration = Duration::from_secs(1);

/// Performs one verb; gives where the call goes on if the verb leads away from its document.
pub(super) async fn perform(leg: &mut Leg, base: Option<&Hook>, verb: &Verb) -> Flow<Option<Task>> {
    match verb {
        Verb::Say(say) => {
            for _ in 0..loops(say.loop_) {
                speak(leg, &say.text).await?;
            }
            Ok(None)
        }
        Verb::Play(play) => {
            let (text, length) = sound(play);
            for _ in 0..loops(play.loop_) {
                utter(leg, &text, length).await?;
            }
            Ok(None)
        }
        Verb::Pause(pause) => {
            rest(leg, pause_length(pause)).await?;
            Ok(None)
        }
        Verb::Gather(wanted) => gather::run(leg, base, wanted).await,
        Verb::Record(wanted) => record::run(leg, base, wanted).await.map(Some),
        Verb::StartRecording(wanted) => {
            record::start(leg, base, wanted);
            Ok(None)
        }
        Verb::Dial(wanted) => dial::run(leg, base, wanted).await,
        Verb::Redirect(redirect) => redirected(leg, base, redirect).map(Some),
        Verb::Hangup | Verb::Reject(_) => Err(Stop::HungUp),
    }
}

/// How often a verb with this `loop` is performed.
pub(super) fn loops(wanted: Option<u32>) -> u32 {
    match wanted.unwrap_or(1) {
        0 => MOST_LOOPS,
        times => times.min(MOST_LOOPS),
    }
}

/// The length of a `<Pause>`.
pub(super) fn pause_length(pause: &Pause) -> Duration {
    Duration::from_secs(u64::from(pause.length.map_or(1, NonZeroU32::get)))
}

/// What a `<Play>` sounds like in a transcript, and its length.
pub(super) fn sound(play: &Play) -> (String, Duration) {
    match (&play.digits, &play.url) {
        (Some(digits), _) => (format!("[keys {digits}]"), Duration::from_millis(500)),
        (None, Some(url)) => (format!("[recording {url}]"), RECORDING),
        (None, None) => ("[recording]".to_owned(), Duration::ZERO),
    }
}

/// The agent says something, and nobody listens for an answer.
pub(super) async fn speak(leg: &mut Leg, text: &str) -> Flow<()> {
    utter(leg, text, speaking_time(text)).await
}

async fn utter(leg: &mut Leg, text: &str, length: Duration) -> Flow<()> {
    leg.say_line(Speaker::Agent, text, false);
    leg.person.hear(text);
    if let Some(at) = leg.person.walks_away_within(length) {
        leg.speak_for(at).await?;
        leg.cut_last_line();
        return Err(Stop::PersonGone);
    }
    leg.speak_for(length).await?;
    if leg.person.is_leaving() { Err(Stop::PersonGone) } else { Ok(()) }
}

async fn rest(leg: &mut Leg, length: Duration) -> Flow<()> {
    if leg.person.is_leaving() && length >= PATIENCE {
        leg.wait(PATIENCE).await?;
        return Err(Stop::PersonGone);
    }
    leg.wait(length).await
}

fn redirected(leg: &Leg, base: Option<&Hook>, redirect: &Redirect) -> Flow<Task> {
    let url = Some(redirect.url.as_str()).filter(|url| !url.is_empty());
    follow(leg, base, url, redirect.method, Params::new())
}

/// The request that an action leads to; without an `action` the document itself again, as Twilio does.
pub(super) fn follow(
    leg: &Leg,
    base: Option<&Hook>,
    url: Option<&str>,
    method: Option<HttpMethod>,
    extra: Params,
) -> Flow<Task> {
    match resolve(base, url, method) {
        Ok(hook) => Ok(Task::Load { source: Source::Fetch(hook), extra }),
        Err(problem) => {
            leg.fault(problem, base);
            Err(Stop::HungUp)
        }
    }
}

/// An absolute URL from one in a document.
pub(super) fn resolve(
    base: Option<&Hook>,
    url: Option<&str>,
    method: Option<HttpMethod>,
) -> Result<Hook, Problem> {
    let method = method.unwrap_or(HttpMethod::Post);
    match (url, base) {
        (None, Some(base)) => Ok(Hook { url: base.url.clone(), method }),
        (Some(url), _) if Url::parse(url).is_ok() => Ok(Hook { url: url.to_owned(), method }),
        (Some(url), Some(base)) => {
            let joined = Url::parse(&base.url).and_then(|base| base.join(url));
            let url = joined
                .map_err(|error| Problem::new(RELATIVE_URL, format!("`{url}` leads nowhere: {error}")))?;
            Ok(Hook { url: url.to_string(), method })
        }
        (url, None) => {
            let url = url.unwrap_or_default();
            let message = format!("an inline document needs absolute URLs, `{url}` is none");
            Err(Problem::new(RELATIVE_URL, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Hook {
        Hook { url: "https://h/v1/voice?bot_id=b#rc=2".to_owned(), method: HttpMethod::Get }
    }

    #[test]
    fn an_absolute_url_is_kept_as_it_was_written() {
        let url = "https://other/x?a=%27b%27#rt=4000";
        assert_eq!(resolve(Some(&base()), Some(url), None).unwrap().url, url);
    }

    #[test]
    fn a_relative_url_starts_at_the_document() {
        let hook = resolve(Some(&base()), Some("next?turn=2"), Some(HttpMethod::Get)).unwrap();
        assert_eq!((hook.url.as_str(), hook.method), ("https://h/v1/next?turn=2", HttpMethod::Get));
    }

    #[test]
    fn without_an_action_the_document_is_requested_again() {
        assert_eq!(resolve(Some(&base()), None, None).unwrap().url, base().url);
    }

    #[test]
    fn an_inline_document_needs_absolute_urls() {
        assert_eq!(resolve(None, Some("next"), None).unwrap_err().code, RELATIVE_URL);
        assert!(resolve(None, Some("https://h/next"), None).is_ok());
    }

    #[test]
    fn a_loop_of_zero_is_very_long_but_not_endless() {
        assert_eq!((loops(None), loops(Some(3)), loops(Some(0))), (1, 3, 1000));
    }
}
