//! A customer is to be forgotten: what was and would be sent about them is blanked, and what waits is ended. Told twice it
//! does nothing twice.

use common::bus::{Meta, Outcome};
use contracts::accounts::CustomerErased;
use contracts::ids::{CustomerId, ProjectId};

use crate::app::App;
use crate::store::backlog;

/// Forgets them here.
pub(crate) async fn handle(app: App, _: Meta, message: CustomerErased) -> Outcome {
    let ids = (message.project_id.parse::<ProjectId>(), message.customer_id.parse::<CustomerId>());
    let (project, customer) = match ids {
        (Ok(project), Ok(customer)) => (project, customer),
        (Err(problem), _) | (_, Err(problem)) => return Outcome::Dead(problem.to_string()),
    };
    let forgotten = app.platform.database.write(move |tx| {
        let now = tx.now();
        backlog::forget(tx.conn, project, customer, now)
    });
    forgotten.await.into()
}
