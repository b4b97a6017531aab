//! The carrier's verdict on who picked up. It races with the conversation: once a person has answered, it
//! comes too late.

use common::bus::{Meta, Outcome};
use contracts::telephony::AnsweredByDetected;

use super::tell;
use crate::app::App;
use crate::domain::call::{AnsweredBy, CallInput, CallStatus, Progress};
use crate::domain::exchange;
use crate::store::turns;

pub(crate) async fn handle(app: App, meta: Meta, message: AnsweredByDetected) -> Outcome {
    let verdict = AnsweredBy::parse(&message.answered_by);
    let (call, attempt) = (message.call_id.clone(), message.attempt_id.clone());
    tell(&app, &meta, (&call, &attempt), move |story| {
        // Who has been judged has picked up: the report that says so may still be on its way.
        if story.call.state.status.rank() < CallStatus::InProgress.rank() {
            let at = story.tx.now();
            story.call_input(CallInput::Progress(Progress {
                status: CallStatus::InProgress,
                sequence: None,
                at,
                duration_seconds: None,
                sip_code: None,
                gave_up: false,
                nobody_reached: false,
            }))?;
        }
        let by_a_person = exchange::is_a_persons(&turns::heard(story.tx.conn, story.call.id)?);
        story.call.answered_by = Some(message.answered_by.clone());
        let policy = story.notification.options.voicemail;
        Ok(CallInput::AnsweredBy { verdict, policy, by_a_person })
    })
    .await
}
