//! Somebody wants a person to answer: the people of the app are told. The ticket's id makes a message that comes twice harmless.
//! Where the app has not said yet whom to tell, the ticket waits for that.

use std::sync::Arc;

use common::bus::{Meta, Outcome};
use common::db::{DbError, Tx};
use contracts::ids::AppId;
use contracts::knowledge::TicketOpened;
use uuid::Uuid;

use crate::app::App;
use crate::domain::ticket::{Channel, OF_USE, Ticket, mail_notice, slack_notice};
use crate::sending::secrets::{self, Row};
use crate::store::apps::{self, Known};
use crate::store::{notices, tickets};

/// A ticket as it is kept.
struct Opened {
    app: AppId,
    id: Uuid,
    sealed: String,
}

/// Keeps it with a notice for each place where it is told.
pub(crate) async fn handle(app: App, _: Meta, message: TicketOpened) -> Outcome {
    let opened = match Opened::read(&app, message) {
        Ok(opened) => opened,
        Err(problem) => return Outcome::Dead(problem),
    };
    let (due, by_mail) = (Arc::clone(&app.notices_due), app.mailer.is_some());
    let kept = app.platform.database.write(move |tx| {
        opened.keep(tx, by_mail)?;
        tx.after_commit(move || due.notify());
        Ok::<_, DbError>(())
    });
    kept.await.into()
}

impl Opened {
    fn read(app: &App, message: TicketOpened) -> Result<Self, String> {
        let of = message.app_id.parse::<AppId>().map_err(|e| e.to_string())?;
        let id = message.ticket_id.parse::<Uuid>().map_err(|_| "ticket_id is no UUID".to_owned())?;
        let text = serde_json::to_string(&Ticket::opened(id, message)).map_err(|e| e.to_string())?;
        let sealed = secrets::seal_text(&app.platform.keys.master, &Row::ticket(id), &text);
        Ok(Self { app: of, id, sealed: sealed.map_err(|e| e.to_string())? })
    }

    fn keep(&self, tx: &mut Tx<'_>, by_mail: bool) -> Result<(), DbError> {
        let now = tx.now();
        apps::lock(tx.conn, self.app)?;
        let known = apps::find(tx.conn, self.app)?;
        let gone = known.as_ref().is_some_and(Known::is_removed);
        if gone || tickets::is_there(tx.conn, self.app, self.id)? {
            return Ok(());
        }
        tickets::insert(tx.conn, self.app, (self.id, &self.sealed), now)?;
        match known.filter(Known::has_spoken) {
            Some(known) => tell(tx, (self.app, &known), self.id, by_mail),
            None => Ok(()),
        }
    }
}

/// Makes the notices of a ticket. `by_mail`: there is a mail server. The app is locked.
pub(super) fn tell(
    tx: &mut Tx<'_>,
    (app, known): (AppId, &Known),
    ticket: Uuid,
    by_mail: bool,
) -> Result<(), DbError> {
    let now = tx.now();
    let emails = known.emails()?;
    let mut places = Vec::new();
    if let Some(due) = known.slack_at(now) {
        places.push((slack_notice(ticket), Channel::Slack, due));
    }
    if by_mail {
        places.extend(emails.iter().map(|address| (mail_notice(ticket, address), Channel::Mail, now)));
    } else if !emails.is_empty() {
        tracing::warn!(%app, %ticket, "nobody is told of a ticket by mail: ECHO_SMTP_URL is not set");
    }
    places.sort_by_key(|(id, ..)| *id);
    places.dedup_by_key(|(id, ..)| *id); // who stands twice in the list is told once
    notices::insert(tx, (app, ticket), &places, now + OF_USE)?;
    tickets::told(tx.conn, app, ticket, now)?;
    tickets::blank_if_over(tx.conn, app, common::db::Id(ticket))
}
