//! A call as its project sees it: its times, and who said what when.

use chrono::{DateTime, Utc};
use common::clock::to_millis;
use contracts::calls as proto;

use crate::domain::question::Source;
use crate::events::text;
use crate::store::calls::Call;
use crate::store::costs::Costs;
use crate::store::notifications::Found;
use crate::store::recordings::Recording;
use crate::store::timed::TimedTurn;

/// What is known of a call beside its row.
#[derive(Debug, Default)]
pub(crate) struct Beside {
    pub(crate) turns: Vec<TimedTurn>,
    pub(crate) costs: Costs,
    /// What it has brought, where that is kept with the call.
    pub(crate) found: Found,
    pub(crate) recording: Option<Recording>,
}

/// A call to `phone`.
pub(crate) fn call_seen(call: &Call, phone: &str, beside: &Beside) -> proto::Call {
    let Beside { turns, costs, found, recording } = beside;
    let state = &call.state;
    let count = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
    proto::Call {
        id: call.id.to_string(),
        project_id: call.project_id.to_string(),
        notification_id: call.notification_id.to_string(),
        attempt: call.attempt,
        status: state.status.as_str().to_owned(),
        carrier_call_sid: state.carrier_sid.clone().unwrap_or_default(),
        ended_reason: text(state.ended_reason),
        answered_by: call.answered_by.clone().unwrap_or_default(),
        carrier_code: state.carrier_code.unwrap_or_default(),
        to_e164: phone.to_owned(),
        created_at_ms: to_millis(call.created_at),
        dialled_at_ms: call.dialled_at.map(to_millis),
        answered_at_ms: state.started_at.map(to_millis),
        ended_at_ms: state.ended_at.map(to_millis),
        duration_ms: state.talk_time().num_milliseconds(),
        turns: utterances(turns, state.status.is_final()),
        cost_micros: count(costs.cost_micros),
        currency: costs.currency.clone().unwrap_or_default(),
        tokens_in: count(costs.tokens_in),
        tokens_out: count(costs.tokens_out),
        inbound: call.inbound,
        call_result_json: text(found.result.as_ref()),
        evidence_json: text(found.evidence.as_ref()),
        reschedule_outcome_json: text(found.rescheduled.as_ref()),
        recording: recording.as_ref().map(|recording| proto::Recording {
            sid: recording.sid.clone(),
            duration_seconds: recording.duration_seconds,
        }),
    }
}

fn utterances(turns: &[TimedTurn], over: bool) -> Vec<proto::Utterance> {
    let latest = turns.last().map(|turn| turn.number);
    turns
        .iter()
        .flat_map(|turn| [heard(turn), said(turn, over || latest != Some(turn.number))])
        .flatten()
        .collect()
}

fn heard(turn: &TimedTurn) -> Option<proto::Utterance> {
    let words = turn.heard.as_ref().filter(|words| !words.trim().is_empty())?;
    #[expect(clippy::cast_possible_truncation, reason = "it was written from an f32")]
    let confidence = turn.confidence.map(|confidence| confidence as f32);
    Some(proto::Utterance {
        turn: turn.number,
        speaker: "customer".to_owned(),
        text: words.clone(),
        confidence,
        at_ms: to_millis(turn.opened_at),
        interrupted: false,
        latency_ms: None,
        sources: vec![],
    })
}

/// What the agent said: of a turn that was only prepared, or whose words nobody has fetched, nothing. `past`: nothing more of
/// it will be fetched.
fn said(turn: &TimedTurn, past: bool) -> Option<proto::Utterance> {
    let asked = turn.asked_at?;
    let spoken: Vec<&str> =
        turn.sentences.iter().take(turn.handed_out).map(|(text, _)| text.as_str()).collect();
    let (_, ready) = turn.sentences.first().filter(|_| !spoken.is_empty())?;
    let first: DateTime<Utc> = asked.max(*ready);
    Some(proto::Utterance {
        turn: turn.number,
        speaker: "agent".to_owned(),
        text: spoken.join(" "),
        confidence: None,
        at_ms: to_millis(first),
        interrupted: past && spoken.len() < turn.sentences.len(),
        latency_ms: Some((first - asked).num_milliseconds()),
        sources: turn.sources.iter().map(source).collect(),
    })
}

fn source(source: &Source) -> proto::Source {
    proto::Source { id: source.id.clone(), title: source.title.clone(), url: source.url.clone() }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms)
    }

    fn turn(number: u32, asked: Option<i64>, handed_out: usize, ready: &[i64]) -> TimedTurn {
        TimedTurn {
            number,
            heard: (number > 0).then(|| "yes".to_owned()),
            confidence: Some(0.5),
            opened_at: at(asked.unwrap_or_default()),
            asked_at: asked.map(at),
            handed_out,
            sentences: ready.iter().map(|ms| (format!("Said at {ms}."), at(*ms))).collect(),
            sources: vec![],
        }
    }

    #[test]
    fn latency_is_the_time_from_what_was_heard_to_the_first_sentence() {
        let said = utterances(&[turn(0, Some(100), 1, &[40]), turn(1, Some(900), 2, &[1200, 1500])], false);
        let latencies: Vec<_> = said.iter().map(|u| (u.speaker.as_str(), u.latency_ms, u.at_ms)).collect();
        // The first turn was ready before anybody picked up.
        let expected = [("agent", Some(0), 100), ("customer", None, 900), ("agent", Some(300), 1200)];
        assert_eq!(latencies, expected);
        assert_eq!(said[2].text, "Said at 1200. Said at 1500.");
    }

    #[test]
    fn what_was_not_fetched_was_not_said_and_breaks_the_turn_off_once_it_is_past() {
        let broken = [turn(0, Some(0), 1, &[10, 20]), turn(1, Some(30), 1, &[40, 50])];
        let flags = |over| utterances(&broken, over).iter().map(|u| u.interrupted).collect::<Vec<_>>();
        assert_eq!(flags(false), [true, false, false], "the last turn still goes on");
        assert_eq!(flags(true), [true, false, true]);
        assert_eq!(utterances(&[turn(0, None, 0, &[10])], true), [], "prepared, and never asked for");
    }
}
