//! A customer rings back: a call of their own, with the agent and the context of the notification for which they were rung. One
//! that is over stays as it is, with its one summary; one that waits between two calls goes on with this one.

use common::bus::Cause;
use common::clock::from_millis;
use common::db::Tx;
use common::trace;
use contracts::calls::{BeginInboundRequest, BeginInboundResponse};
use contracts::ids::{AttemptId, CallId, ProjectId};

use crate::app::App;
use crate::domain::call::CallInput;
use crate::error::OrchestratorError;
use crate::rulebook;
use crate::store::calls::{self, Call};
use crate::store::notifications::{self, Notification};
use crate::story::{Story, new_call};

/// The call as the bridge names it.
#[derive(Clone, Copy)]
struct Named {
    project: ProjectId,
    call: CallId,
    attempt: AttemptId,
    answers: CallId,
}

pub(super) async fn begin(
    app: &App,
    request: BeginInboundRequest,
) -> Result<BeginInboundResponse, OrchestratorError> {
    let named = Named {
        project: request.project_id.parse()?,
        call: request.call_id.parse()?,
        attempt: request.attempt_id.parse()?,
        answers: request.answers_call_id.parse()?,
    };
    trace::of_call(named.call);
    let inner = app.clone();
    let records = app.write(move |tx| one(&inner, tx, named, &request)).await?;
    Ok(BeginInboundResponse { records })
}

/// Answers whether it is recorded.
fn one(
    app: &App,
    tx: &mut Tx<'_>,
    named: Named,
    request: &BeginInboundRequest,
) -> Result<bool, OrchestratorError> {
    if let Some(known) = calls::find(tx.conn, named.call)? {
        return Ok(rulebook::records_call(tx.conn, &known)?);
    }
    let nobody = || OrchestratorError::NotFound("call to answer");
    let rung = calls::find(tx.conn, named.answers)?;
    let rung = rung.filter(|call| call.project_id == named.project).ok_or_else(nobody)?;
    let notification = notifications::find(tx.conn, named.project, rung.notification_id)?;
    // A customer who was erased has no number any more, and nobody to talk to.
    let theirs = |n: &Notification| n.phone == request.from_e164 && n.to_bot.is_none();
    let notification = notification.filter(theirs).ok_or_else(nobody)?;
    let records = rulebook::records(tx.conn, &notification)?;
    let before = calls::rung_back(tx.conn, named.project, notification.id)?;
    let call = rings(&notification, named, before + 1, from_millis(request.at_ms).min(tx.now()));
    let cause = Cause::own(named.project);
    let mut story = Story::ring_back(app, tx, &cause, (notification, call))?;
    // It rings, and nobody but the carrier had to be asked for that.
    story.call_input(CallInput::DialRequested)?;
    let carrier_sid = request.carrier_call_sid.clone();
    story.call_input(CallInput::DialAccepted { carrier_sid })?;
    story.save()?;
    Ok(records)
}

fn rings(n: &Notification, named: Named, attempt: u32, at: chrono::DateTime<chrono::Utc>) -> Call {
    Call { inbound: true, attempt_id: Some(named.attempt), ..new_call(n, named.call, attempt, at) }
}
