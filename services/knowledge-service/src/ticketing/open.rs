//! Opens a ticket and has the app's people told, in one transaction.

use chrono::TimeDelta;
use common::bus::Cause;
use common::clock::to_millis;
use common::db::{DbError, Id, Time, Tx};
use contracts::knowledge::TicketOpened;
use uuid::Uuid;

use super::before::{Before, before};
use crate::app::App;
use crate::domain::ticket::{Status, Wish, same_question};
use crate::domain::transcript;
use crate::store::tickets::{self, Ticket};
use crate::store::{apps, sources, ticket_parts};

/// The same question of the same person is the same ticket for so long.
const SAME: TimeDelta = TimeDelta::minutes(10);
/// Tickets of an app that wait for somebody.
const MOST_WAITING: i64 = 10_000;
/// Tickets of one person within an hour.
const MOST_OF_A_PERSON: usize = 30;
const AN_HOUR: TimeDelta = TimeDelta::hours(1);

/// What has become of a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// It is a ticket, now or since earlier.
    As(Uuid),
    /// The app has too many that wait, or the person has opened too many.
    TooMany,
    /// The app is deleted.
    NoApp,
    /// The last question of a conversation is wanted, and the app has no such conversation.
    NoConversation,
}

/// What is too many, for people.
pub(crate) fn limits() -> String {
    format!(
        "at most {MOST_WAITING} tickets of an app wait, and {MOST_OF_A_PERSON} of a person are opened in an hour; resolve some first"
    )
}

/// Opens it.
pub(crate) async fn open(app: &App, wish: Wish) -> Result<Opened, DbError> {
    let Some(before) = before(app, &wish).await? else { return Ok(Opened::NoConversation) };
    app.database.write(move |tx| store(tx, &wish, before)).await
}

fn store(tx: &mut Tx<'_>, wish: &Wish, before: Before) -> Result<Opened, DbError> {
    if !apps::hold(tx.conn, &wish.app)? {
        return Ok(Opened::NoApp);
    }
    if tickets::find(tx.conn, &wish.app, wish.id)?.is_some() {
        return Ok(Opened::As(wish.id));
    }
    let now = tx.now();
    let person = (wish.email.as_deref(), wish.phone.as_deref(), wish.conversation);
    let most = i64::try_from(MOST_OF_A_PERSON).unwrap_or(i64::MAX);
    let window = (Time::from(now - AN_HOUR), most);
    let lately = tickets::of_person(tx.conn, &wish.app, person, window)?;
    let mut young = lately.iter().filter(|ticket| ticket.created_at.0 > now - SAME);
    if let Some(same) = young.find(|ticket| same_question(&ticket.question, &before.question)) {
        return Ok(Opened::As(same.id.0));
    }
    if lately.len() >= MOST_OF_A_PERSON || tickets::waiting(tx.conn, &wish.app)? >= MOST_WAITING {
        return Ok(Opened::TooMany);
    }
    write(tx, wish, before).map(|()| Opened::As(wish.id))
}

fn write(tx: &mut Tx<'_>, wish: &Wish, before: Before) -> Result<(), DbError> {
    let Before { question, lines, mut trace, at } = before;
    let now = Time::from(tx.now());
    let ticket = Ticket {
        app_id: wish.app.as_str().to_owned(),
        id: Id(wish.id),
        status: Status::Open.name().to_owned(),
        email: wish.email.clone(),
        phone: wish.phone.clone(),
        question,
        url: wish.url.clone(),
        conversation_id: wish.conversation.map(Id),
        created_at: now,
        updated_at: now,
    };
    tickets::insert(tx.conn, &ticket)?;
    // Nothing is kept of a source that was deleted, or was given another text, while the ticket was made.
    let found = trace.iter().map(|found| found.source).collect();
    let unchanged = sources::unchanged(tx.conn, &wish.app, (found, at))?;
    trace.retain(|found| unchanged.contains(&found.source));
    ticket_parts::insert(tx.conn, &wish.app, wish.id, (&lines, &trace))?;
    let message = TicketOpened {
        app_id: ticket.app_id.clone(),
        ticket_id: wish.id.to_string(),
        email: ticket.email.unwrap_or_default(),
        phone: ticket.phone.unwrap_or_default(),
        question: ticket.question,
        url: ticket.url.unwrap_or_default(),
        transcript: transcript::readable(&lines),
        at_ms: to_millis(now.0),
    };
    tx.stage(&message, &Cause::own(&ticket.app_id))
}
