//! Status callbacks: they may come twice, late, out of order or never. Each report is noted once; a call never goes back.

use actix_web::{HttpRequest, HttpResponse, web};

use super::body;
use super::signed::{Refused, Signed};
use crate::app::App;
use crate::progress::{News, note};
use crate::store::attempts::{self, Attempt};

pub(super) async fn report(app: web::Data<App>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let body = match body::read(&app, &http, payload).await {
        Ok(body) => body,
        Err(refused) => return refused,
    };
    let signed = match Signed::check(&app, &http, &body.bytes).await {
        Ok(signed) => signed,
        Err(refused) => return refused.response(&app),
    };
    let Some(news) = News::from_callback(&signed.request) else {
        return HttpResponse::NoContent().finish(); // nothing that we asked for
    };
    // A call that came in has the number's address, which names no attempt.
    let named = signed.attempt();
    let (account, check_after) = (signed.account_sid().to_owned(), app.config.check_after);
    let (sid, over) = (news.sid.clone(), news.status.is_terminal());
    let noted = app
        .write(move |tx| {
            let found = match named {
                Some(id) => attempts::find(tx.conn, id)?,
                None => attempts::of_call(tx.conn, &account, &news.sid)?.filter(Attempt::came_in),
            };
            match found {
                Some(attempt) if attempt.account_sid != account => Ok(Noted::OtherAccount),
                Some(attempt) => {
                    let own = note(tx, attempt, &news, check_after)?;
                    Ok(if own { Noted::Done } else { Noted::OtherCall })
                }
                None => Ok(Noted::Done),
            }
        })
        .await;
    match noted {
        Ok(Noted::Done) => HttpResponse::NoContent().finish(),
        Ok(Noted::OtherCall) => {
            if !over {
                app.end_stranger(&signed.carrier, &sid);
            }
            HttpResponse::NoContent().finish()
        }
        Ok(Noted::OtherAccount) => Refused::OTHER_ACCOUNT.response(&app),
        // The carrier asks again (its retry is in our address); if it gives up, the reconciler finds out.
        Err(error) => {
            tracing::warn!(attempt = ?named, %error, "a status report could not be noted");
            HttpResponse::ServiceUnavailable().finish()
        }
    }
}

enum Noted {
    Done,
    OtherAccount,
    /// The report is about a call that is not this attempt's.
    OtherCall,
}
