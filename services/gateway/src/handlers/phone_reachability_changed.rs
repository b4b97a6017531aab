//! A call has shown whether a customer's number can be reached: one that cannot is not rung again before somebody changes it, or
//! somebody picks up there after all. Who opted out stays so.

use common::bus::{Meta, Outcome};
use contracts::calls::PhoneReachabilityChanged;
use contracts::ids::{BadId, CustomerId, ProjectId};

use crate::app::App;
use crate::domain::phone_book::PhoneStatus;
use crate::store::phones;

pub(crate) async fn handle(app: App, _: Meta, message: PhoneReachabilityChanged) -> Outcome {
    let whose = || -> Result<(ProjectId, CustomerId), BadId> {
        Ok((message.project_id.parse()?, message.customer_id.parse()?))
    };
    let (project, customer) = match whose() {
        Ok(ids) => ids,
        Err(error) => return Outcome::Dead(error.to_string()),
    };
    let change = match message.reachable {
        true => (PhoneStatus::Unreachable, PhoneStatus::Active),
        false => (PhoneStatus::Active, PhoneStatus::Unreachable),
    };
    let phone = message.phone_e164;
    let database = &app.platform.database;
    let noted = database.write(move |tx| phones::change_status(tx.conn, (project, customer), &phone, change));
    Outcome::from(noted.await)
}
