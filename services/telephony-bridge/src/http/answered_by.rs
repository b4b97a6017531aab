//! The carrier's verdict on who picked up. It comes while the conversation already runs, and counts once.

use actix_web::{HttpRequest, HttpResponse, web};
use common::bus::Cause;
use common::db::{DbError, Tx};
use common::trace;

use super::body;
use super::signed::{Refused, Signed};
use crate::app::App;
use crate::events;
use crate::progress::own_call;
use crate::store::attempts::{self, Attempt};

pub(super) async fn verdict(app: web::Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let body = match body::read(&app, &http, payload).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let signed = match Signed::check(&app, &http, &body.bytes).await {
        Ok(signed) => signed,
        Err(refused) => return refused.response(&app),
    };
    let request = &signed.request;
    let (Some(id), Some(sid), Some(answered_by)) =
        (signed.attempt(), &request.call_sid, &request.answered_by)
    else {
        return HttpResponse::NoContent().finish();
    };
    let (sid, answered_by, account) =
        (sid.to_string(), answered_by.to_string(), signed.account_sid().to_owned());
    let noted = app
        .write(move |tx| match attempts::find(tx.conn, id)? {
            Some(attempt) if attempt.account_sid != account => Ok(false),
            Some(attempt) => Ok(note(tx, attempt, &sid, &answered_by).map(|()| true)?),
            None => Ok(true),
        })
        .await;
    match noted {
        Ok(true) => HttpResponse::NoContent().finish(),
        Ok(false) => Refused::OTHER_ACCOUNT.response(&app),
        Err(error) => {
            tracing::warn!(attempt = %id, %error, "a verdict could not be noted");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

/// The first verdict on a call that still runs is told.
fn note(tx: &mut Tx<'_>, attempt: Attempt, sid: &str, answered_by: &str) -> Result<(), DbError> {
    trace::of_call(attempt.call_id);
    trace::of_tenant(attempt.project_id);
    if !attempt.live || attempt.answered_by.is_some() {
        return Ok(());
    }
    let Some(attempt) = own_call(tx, attempt, sid)? else { return Ok(()) };
    let judged = Attempt { answered_by: Some(answered_by.to_owned()), ..attempt };
    let judged = attempts::save(tx.conn, judged, tx.now())?;
    tx.stage(&events::answered_by_detected(&judged, answered_by), &Cause::own(judged.project_id))
}
