//! Updates of a running call: end it, give it another document, move its time limit.

use twilio::CallSid;
use twilio::call::CallStatus;

use super::call_create::{inline, time_limit};
use super::error::ApiError;
use super::form::Form;
use crate::domain::control::Command;
use crate::domain::plan::{Hook, Source};
use crate::state::Shared;

/// What an update asks for.
struct Update {
    status: Option<Wish>,
    source: Option<Source>,
    fallback: Option<Hook>,
    callback: Option<Hook>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    Canceled,
    Completed,
}

/// Carries an update out.
pub(super) fn apply(shared: &Shared, sid: &CallSid, form: &Form, path: &str) -> Result<(), ApiError> {
    let update = read(form)?;
    let limit = form.given("TimeLimit").map(|_| time_limit(form)).transpose()?;
    let state = shared.call(sid, |call| (call.status.clone(), call.parent.is_some()));
    let Some((status, second_leg)) = state else { return Err(ApiError::not_found(path)) };
    let takes_documents = status == CallStatus::InProgress && !second_leg;
    if status.is_terminal() || (update.source.is_some() && !takes_documents) {
        return Err(ApiError::bad(
            21220,
            "Invalid call state: the call is not in progress, or is a dialled leg",
        ));
    }
    shared.change(sid, |call| {
        if let Some(limit) = limit {
            call.plan.time_limit = limit;
        }
        if let Some(fallback) = update.fallback {
            call.plan.fallback = Some(fallback);
        }
        if let Some(callback) = update.callback {
            call.plan.status = Some(callback);
        }
    });
    let command = match (update.status, update.source) {
        (Some(Wish::Completed), _) => Some(Command::End),
        (Some(Wish::Canceled), _) if status != CallStatus::InProgress => Some(Command::End),
        (Some(Wish::Canceled), _) => None,
        (None, source) => source.map(Command::Play),
    };
    if command.is_none_or(|command| shared.command(sid, command)) {
        Ok(())
    } else {
        Err(ApiError::bad(21220, "Invalid call state: the call is over"))
    }
}

fn read(form: &Form) -> Result<Update, ApiError> {
    let status = match form.given("Status") {
        None => None,
        Some("canceled") => Some(Wish::Canceled),
        Some("completed") => Some(Wish::Completed),
        Some(other) => {
            let message = format!("Status is `{other}`, it must be canceled or completed");
            return Err(ApiError::bad(21200, message));
        }
    };
    let source = match form.hook("Url", "Method", 21205)? {
        Some(hook) => Some(Source::Fetch(hook)),
        None => inline(form)?,
    };
    Ok(Update {
        status,
        source,
        fallback: form.hook("FallbackUrl", "FallbackMethod", 21205)?,
        callback: form.hook("StatusCallback", "StatusCallbackMethod", 21609)?,
    })
}
