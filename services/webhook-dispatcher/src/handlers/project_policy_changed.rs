//! A project has set something for its calls. Here only one of it counts: how long it keeps what was sent.

use std::sync::Arc;

use common::bus::{Meta, Outcome};
use common::db::DbError;
use contracts::accounts::ProjectPolicyChanged;
use contracts::ids::ProjectId;

use crate::app::App;
use crate::store::retentions;

/// Learns it. Where less is kept than before, what is older goes at once.
pub(crate) async fn handle(app: App, _: Meta, message: ProjectPolicyChanged) -> Outcome {
    let project = match message.project_id.parse::<ProjectId>() {
        Ok(project) => project,
        Err(problem) => return Outcome::Dead(problem.to_string()),
    };
    let Some(policy) = message.policy else { return Outcome::Dead("policy is missing".to_owned()) };
    let shorter = Arc::clone(&app.shorter);
    let done = app.platform.database.write(move |tx| {
        let before = retentions::of(tx.conn, project)?;
        retentions::learn(tx.conn, project, policy.retention_days, policy.version)?;
        if retentions::of(tx.conn, project)? < before {
            tx.after_commit(move || shorter.notify_one());
        }
        Ok::<_, DbError>(())
    });
    done.await.into()
}
