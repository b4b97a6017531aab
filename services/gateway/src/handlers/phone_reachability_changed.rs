//! A call has shown whether a customer's number can be reached: one that cannot is not rung again before somebody changes it, or
//! somebody picks up there after all. Who opted out stays so. Messages come in any order: what is older than what is known of
//! the number changes nothing.

use common::bus::{Meta, Outcome};
use common::clock::from_millis;
use common::db::Time;
use contracts::calls::PhoneReachabilityChanged;
use contracts::ids::{BadId, CustomerId, ProjectId};

use crate::app::App;
use crate::domain::phone_book::PhoneStatus;
use crate::store::{customers, phones};

pub(crate) async fn handle(app: App, _: Meta, message: PhoneReachabilityChanged) -> Outcome {
    let whose = || -> Result<(ProjectId, CustomerId), BadId> {
        Ok((message.project_id.parse()?, message.customer_id.parse()?))
    };
    let whose = match whose() {
        Ok(ids) => ids,
        Err(error) => return Outcome::Dead(error.to_string()),
    };
    let status = if message.reachable { PhoneStatus::Active } else { PhoneStatus::Unreachable };
    // Messages from before they had a time are told when they come.
    let at = Some(message.at_ms).filter(|ms| *ms > 0).map(from_millis);
    let phone = message.phone_e164;
    let noted = app.platform.database.write(move |tx| {
        let at = Time::from(at.unwrap_or_else(|| tx.now()));
        // Whoever changes the customer's numbers writes back all that they have read of them.
        customers::hold(tx.conn, whose.1)?;
        phones::learn_status(tx.conn, whose, &phone, (status, at))
    });
    Outcome::from(noted.await)
}
