//! What a bot tells its owner: an envelope of its own, for EchoLink.

use common::clock::from_millis;
use contracts::calls::BotCompleted;
use contracts::ids::BadId;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{BadMessage, Event, EventName, object, rfc3339, seconds};

#[derive(Serialize)]
struct BotEnvelope<'a, D> {
    event_id: &'a str,
    event_name: &'static str,
    bot_id: &'a str,
    call_sid: &'a str,
    timestamp: String,
    data: D,
}

#[derive(Serialize)]
struct Completed<'a> {
    goal: &'a str,
    outcome: &'a str,
    /// Always an object: whoever reads it looks for what their goal needs.
    collected: &'a RawValue,
    evidence: &'a RawValue,
    transcript: &'a str,
    started_at: String,
    ended_at: String,
    duration_seconds: f64,
    ended_reason: &'a str,
}

/// `bot.completed`. Its time is the end of the call: the same in every attempt.
pub(crate) fn bot_completed(m: &BotCompleted) -> Result<Event, BadMessage> {
    let nothing: &RawValue = serde_json::from_str("{}").map_err(|_| BadMessage::Json("nothing"))?;
    let ended_at = rfc3339(from_millis(m.ended_at_ms));
    let data = Completed {
        goal: &m.goal,
        outcome: &m.outcome,
        collected: object("collected_json", &m.collected_json)?.unwrap_or(nothing),
        evidence: object("evidence_json", &m.evidence_json)?.unwrap_or(nothing),
        transcript: &m.transcript,
        started_at: rfc3339(from_millis(m.started_at_ms)),
        ended_at: ended_at.clone(),
        duration_seconds: seconds(m.duration_ms),
        ended_reason: &m.ended_reason,
    };
    let envelope = BotEnvelope {
        event_id: &m.event_id,
        event_name: EventName::BotCompleted.as_str(),
        bot_id: &m.bot_id,
        call_sid: &m.carrier_call_sid,
        timestamp: ended_at,
        data,
    };
    let id = |error: BadId| BadMessage::Id(error.to_string());
    Ok(Event {
        project: m.project_id.parse().map_err(id)?,
        id: m.event_id.parse().map_err(id)?,
        name: EventName::BotCompleted,
        customer: None,
        payload: serde_json::to_string(&envelope).map_err(|_| BadMessage::Json("the envelope"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn completed() -> BotCompleted {
        BotCompleted {
            event_id: EVENT.into(),
            project_id: "01890a5d-ac96-774b-bcce-b302099a0001".into(),
            bot_id: "bot_4Zk9mUqQh8vYw2XnRt3L".into(),
            carrier_call_sid: "CA0123456789abcdef0123456789abcdef".into(),
            goal: "Book table".into(),
            outcome: "completed".into(),
            collected_json: r#"{"people":4,"when":"7 PM"}"#.into(),
            evidence_json: r#"{"people":{"status":"grounded","turn":1,"quote":"for 4"}}"#.into(),
            transcript: "AI: Hi.\nCustomer: A table for 4.".into(),
            started_at_ms: 1_773_855_826_714,
            ended_at_ms: 1_773_855_869_214,
            duration_ms: 42_500,
            ended_reason: "customer-ended-call".into(),
            ..BotCompleted::default()
        }
    }

    #[test]
    fn bot_completed_reads_exactly_so() {
        let event = bot_completed(&completed()).unwrap();
        assert_eq!((event.id.to_string().as_str(), event.name), (EVENT, EventName::BotCompleted));
        assert_eq!(
            event.payload,
            concat!(
                r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_name":"bot.completed","#,
                r#""bot_id":"bot_4Zk9mUqQh8vYw2XnRt3L","call_sid":"CA0123456789abcdef0123456789abcdef","#,
                r#""timestamp":"2026-03-18T17:44:29.214Z","data":{"goal":"Book table","outcome":"completed","#,
                r#""collected":{"people":4,"when":"7 PM"},"#,
                r#""evidence":{"people":{"status":"grounded","turn":1,"quote":"for 4"}},"#,
                r#""transcript":"AI: Hi.\nCustomer: A table for 4.","started_at":"2026-03-18T17:43:46.714Z","#,
                r#""ended_at":"2026-03-18T17:44:29.214Z","duration_seconds":42.5,"ended_reason":"customer-ended-call"}}"#
            )
        );
    }

    #[test]
    fn what_was_collected_is_an_object_also_where_nothing_was() {
        let nothing =
            BotCompleted { collected_json: String::new(), evidence_json: String::new(), ..completed() };
        let body: serde_json::Value =
            serde_json::from_str(&bot_completed(&nothing).unwrap().payload).unwrap();
        assert_eq!(
            (&body["data"]["collected"], &body["data"]["evidence"]),
            (&serde_json::json!({}), &serde_json::json!({}))
        );
        let odd = BotCompleted { collected_json: "[1]".into(), ..completed() };
        assert_eq!(bot_completed(&odd), Err(BadMessage::Json("collected_json")));
        let nameless = BotCompleted { event_id: "7".into(), ..completed() };
        assert!(matches!(bot_completed(&nameless), Err(BadMessage::Id(_))));
    }
}
