//! The carrier has recorded a call: the orchestrator is told which recording it is. It may say so twice, and so do we.

use actix_web::{HttpRequest, HttpResponse, web};
use common::bus::Cause;
use common::db::{DbError, Tx};
use common::trace;

use super::body;
use super::signed::{Refused, Signed};
use crate::app::App;
use crate::events;
use crate::store::attempts::{self, Attempt};

/// What can be fetched. Others are in the making, or silent from end to end and thrown away.
const COMPLETED: &str = "completed";

/// A recording of a call.
#[derive(Clone)]
struct Recorded {
    call_sid: String,
    sid: String,
    seconds: u32,
}

pub(super) async fn report(app: web::Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let body = match body::read(&app, &http, payload).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let signed = match Signed::check(&app, &http, &body.bytes).await {
        Ok(signed) => signed,
        Err(refused) => return refused.response(&app),
    };
    let (Some(id), Some(recorded)) = (signed.attempt(), recorded(&signed)) else {
        return HttpResponse::NoContent().finish();
    };
    let account = signed.account_sid().to_owned();
    let noted = app
        .write(move |tx| match attempts::find(tx.conn, id)? {
            Some(attempt) if attempt.account_sid != account => Ok(false),
            Some(attempt) => Ok(tell(tx, &attempt, &recorded).map(|()| true)?),
            None => Ok(true),
        })
        .await;
    match noted {
        Ok(true) => HttpResponse::NoContent().finish(),
        Ok(false) => Refused::OTHER_ACCOUNT.response(&app),
        Err(error) => {
            tracing::warn!(attempt = %id, %error, "a recording could not be noted");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

fn recorded(signed: &Signed) -> Option<Recorded> {
    let request = &signed.request;
    request.recording_status.as_deref().filter(|status| *status == COMPLETED)?;
    Some(Recorded {
        call_sid: request.call_sid.as_ref()?.to_string(),
        sid: request.recording_sid.as_ref()?.to_string(),
        seconds: request.recording_duration.unwrap_or_default(),
    })
}

/// Only what was asked to be recorded is ours: of another call that claims the attempt, nothing is told.
fn tell(tx: &mut Tx<'_>, attempt: &Attempt, recorded: &Recorded) -> Result<(), DbError> {
    trace::of_call(attempt.call_id);
    trace::of_tenant(attempt.project_id);
    if attempt.carrier_call_sid.as_deref() != Some(recorded.call_sid.as_str()) {
        return Ok(());
    }
    tx.stage(&events::recorded(attempt, &recorded.sid, recorded.seconds), &Cause::own(attempt.project_id))
}
