//! Status callbacks: they may come twice, late, out of order or never. Each report is noted once; a call never goes back.

use actix_web::{HttpRequest, HttpResponse, web};

use super::body;
use super::inbound::begin_and_end;
use super::signed::{Refused, Signed};
use crate::app::App;
use crate::error::BridgeError;
use crate::progress::{Heard, News, hear};
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
    let written = news.clone();
    let noted = app
        .write(move |tx| {
            let found = match named {
                Some(id) => attempts::find(tx.conn, id)?,
                None => attempts::of_call(tx.conn, &account, &written.sid)?.filter(Attempt::came_in),
            };
            match found {
                Some(attempt) if attempt.account_sid != account => Ok(Noted::OtherAccount),
                Some(attempt) => Ok(match hear(tx, attempt, &written, check_after)? {
                    Heard::Noted => Noted::Done,
                    Heard::OtherCall => Noted::OtherCall,
                    Heard::EndsUntold(attempt) => Noted::EndsUntold(attempt),
                }),
                None => Ok(Noted::Done),
            }
        })
        .await;
    let noted = match noted {
        Ok(Noted::EndsUntold(attempt)) => ended_untold(&app, &attempt, news).await,
        noted => noted,
    };
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
        Ok(Noted::EndsUntold(_)) => HttpResponse::ServiceUnavailable().finish(),
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
    /// The call is over, and the orchestrator may not know that there was one.
    EndsUntold(Box<Attempt>),
}

async fn ended_untold(app: &App, attempt: &Attempt, news: News) -> Result<Noted, BridgeError> {
    let told = begin_and_end(app, attempt, news, app.config.deadlines.told).await?;
    Ok(if told { Noted::Done } else { Noted::EndsUntold(Box::new(attempt.clone())) })
}
