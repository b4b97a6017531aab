//! What calls cost, kept twice in one transaction: with the call, and in the project's usage of the day. Model and carrier say
//! it at moments of their own; neither is waited for.

use common::db::{DbError, Tx};
use contracts::ids::{CallId, ProjectId};
use llm::Tokens;

use crate::app::App;
use crate::store::calls::Call;
use crate::store::{costs, usage};

/// The currency of a carrier for tests (ISO 4217): nobody pays it.
const NO_MONEY: &str = "XTS";

/// Adds up what the answers of a model have cost. Empty where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meter(Option<Tokens>);

impl Meter {
    /// One more answer.
    pub(crate) fn add(&mut self, used: Option<Tokens>) {
        self.0 = match (self.0, used) {
            (Some(before), Some(used)) => Some(before.and(used)),
            (before, used) => before.or(used),
        };
    }

    /// Counts it for a project without any call, on this day.
    pub(crate) async fn count_for(self, app: &App, project: ProjectId) {
        let Some(used) = self.0 else { return };
        let counted = app
            .write(move |tx| {
                let now = tx.now();
                Ok(usage::add_tokens(tx.conn, project, now, used)?)
            })
            .await;
        if let Err(error) = counted {
            tracing::warn!(%project, %error, "what the model used could not be counted");
        }
    }

    /// Writes it down, on the day on which it was used. A conversation does not fail because it could not be counted.
    pub(crate) async fn write_down(self, app: &App, project: ProjectId, call: CallId) {
        let Some(used) = self.0 else { return };
        let written = app
            .write(move |tx| {
                let now = tx.now();
                costs::add_tokens(tx.conn, project, call, used)?;
                Ok(usage::add_tokens(tx.conn, project, now, used)?)
            })
            .await;
        if let Err(error) = written {
            tracing::warn!(%call, %error, "what the model used could not be counted");
        }
    }
}

/// The carrier has said what a call costs: it counts on the day on which the call ended. A second time says nothing new.
pub(crate) fn priced(tx: &mut Tx<'_>, call: &Call, price: (i64, &str)) -> Result<(), DbError> {
    if !costs::set_price(tx.conn, call.project_id, call.id, price)? {
        return Ok(());
    }
    if price.1 == NO_MONEY {
        return Ok(());
    }
    let at = call.state.ended_at.unwrap_or_else(|| tx.now());
    usage::add_cost(tx.conn, call.project_id, at, price)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_says_nothing_is_not_one_that_costs_nothing() {
        let mut meter = Meter::default();
        meter.add(None);
        assert_eq!(meter, Meter(None));
        meter.add(Some(Tokens { read: 3, written: 1 }));
        meter.add(None);
        meter.add(Some(Tokens { read: 2, written: 5 }));
        assert_eq!(meter, Meter(Some(Tokens { read: 5, written: 6 })));
    }
}
