//! Asks the carrier what calls cost: it knows some time after their end, and says it only when asked. A price is told once; one
//! that does not come within a day is given up. A call that was put through to a person is two calls there, and has one price
//! here.

use std::time::Duration;

use common::bus::Cause;
use tokio::task::JoinSet;

use crate::app::{App, count};
use crate::domain::price::{Price, next_question};
use crate::error::BridgeError;
use crate::events;
use crate::store::price_checks::{self, PriceCheck};

/// Longer than asking takes.
const HOLD: Duration = Duration::from_secs(60);
/// Prices that are asked for at the same moment: calls that run come first, and the carrier limits concurrent requests.
const AT_A_TIME: u32 = 10;

/// One round: until nothing is due.
pub(crate) async fn run(app: App) -> Result<(), BridgeError> {
    loop {
        let due = app
            .write(|tx| {
                let now = tx.now();
                Ok(price_checks::claim(tx.conn, now, HOLD, AT_A_TIME)?)
            })
            .await?;
        let more = due.len() >= AT_A_TIME as usize;
        let mut asked = JoinSet::new();
        for check in due {
            let app = app.clone();
            asked.spawn(async move { one(&app, check).await });
        }
        asked.join_all().await;
        if !more {
            return Ok(());
        }
    }
}

async fn one(app: &App, check: PriceCheck) {
    let price = ask(app, &check).await.unwrap_or_else(|error| {
        tracing::warn!(call = %check.call_id, %error, "the carrier could not be asked for a price");
        None
    });
    let id = check.call_id;
    if let Err(error) = note(app, check, price).await {
        tracing::warn!(call = %id, %error, "a price could not be noted; it is asked for again in a minute");
    }
}

async fn ask(app: &App, check: &PriceCheck) -> Result<Option<Price>, BridgeError> {
    let carrier = app.carriers.of_account(check.carrier_id, &check.account_sid).await?;
    let call = carrier.look_at(&check.carrier_call_sid).await?;
    let Some(price) = call.as_ref().and_then(Price::of) else { return Ok(None) };
    let Some(second) = &check.second_call_sid else { return Ok(Some(price)) };
    let second = carrier.look_at(second).await?;
    let Some(second) = second.as_ref().and_then(Price::of) else { return Ok(None) };
    let both = price.clone().and(&second);
    if both.is_none() {
        tracing::warn!(call = %check.call_id, "a call's two prices cannot be added; the first one is told");
    }
    Ok(both.or(Some(price)))
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Told,
    Later,
    GivenUp,
    /// Somebody else has settled it.
    Settled,
}

async fn note(app: &App, check: PriceCheck, price: Option<Price>) -> Result<(), BridgeError> {
    let call = check.call_id;
    let asked = app.write(move |tx| {
        let now = tx.now();
        let again = next_question(check.ended_at, check.asked + 1, now);
        if let (None, Some(again)) = (&price, again) {
            price_checks::ask_again(tx.conn, &check, again)?;
            return Ok(Asked::Later);
        }
        if !price_checks::settle(tx.conn, &check)? {
            return Ok(Asked::Settled);
        }
        let Some(price) = &price else { return Ok(Asked::GivenUp) };
        tx.stage(&events::priced(&check, price), &Cause::own(check.project_id))?;
        Ok(Asked::Told)
    });
    match asked.await? {
        Asked::Told => count(app.numbers.prices.as_ref(), "told"),
        Asked::GivenUp => {
            tracing::warn!(%call, "the carrier has not said within a day what a call costs; it is not asked any more");
            count(app.numbers.prices.as_ref(), "given_up");
        }
        Asked::Later | Asked::Settled => {}
    }
    Ok(())
}
