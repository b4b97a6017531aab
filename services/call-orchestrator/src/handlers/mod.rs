//! Messages and rpcs heard, one file each, under its name; `rpc.rs` binds the rpcs to the bus.

pub(crate) mod answered_by_detected;
mod begin_bot_call;
mod begin_inbound;
mod bot_calls;
mod bots;
pub(crate) mod call_priced;
pub(crate) mod call_progressed;
pub(crate) mod call_recorded;
mod calls;
pub(crate) mod cancel_notification;
pub(crate) mod customer_changed;
pub(crate) mod customer_erased;
pub(crate) mod dial_accepted;
pub(crate) mod dial_failed;
pub(crate) mod dial_refused;
mod find_bot;
mod get_notification;
mod list_notifications;
mod next_sentence;
mod place_notification;
mod preview_prompt;
mod preview_rules;
pub(crate) mod project_deleted;
pub(crate) mod project_policy_changed;
pub(crate) mod rpc;
mod simulate;
mod start_turn;
mod stop_notification;
mod suppressions;
mod usage;

use common::bus::{Meta, Outcome};
use common::db::DbError;
use common::trace;
use contracts::ids::{AttemptId, CallId};

use crate::app::App;
use crate::domain::call::CallInput;
use crate::error::OrchestratorError;
use crate::story::Story;

/// Tells a call what the bridge reports about one wish to dial. News of an older wish is not about this call any more.
async fn tell_call(app: &App, meta: &Meta, call_id: &str, attempt_id: &str, input: CallInput) -> Outcome {
    tell(app, meta, (call_id, attempt_id), move |_| Ok(input.clone())).await
}

/// The same, where what is told depends on what is stored.
async fn tell<F>(app: &App, meta: &Meta, (call_id, attempt_id): (&str, &str), input: F) -> Outcome
where
    F: Fn(&mut Story<'_, '_>) -> Result<CallInput, DbError> + Clone + Send + 'static,
{
    let parsed =
        || -> Result<(CallId, AttemptId), OrchestratorError> { Ok((call_id.parse()?, attempt_id.parse()?)) };
    let (call, attempt) = match parsed() {
        Ok(ids) => ids,
        Err(e) => return e.into(),
    };
    trace::of_call(call);
    let (inner, cause) = (app.clone(), meta.cause.clone());
    let told = app
        .write(move |tx| {
            let Some(mut story) = Story::of_call(&inner, tx, &cause, call)? else { return Ok(()) };
            if story.call.attempt_id != Some(attempt) {
                return Ok(());
            }
            let input = input(&mut story)?;
            story.call_input(input)?;
            story.save()?;
            Ok(())
        })
        .await;
    Outcome::from(told)
}
