//! A caller asked what no document says: it becomes a ticket. Told twice it is one, by its id.

use common::bus::{Meta, Outcome};
use contracts::calls::QuestionUnanswered;

use crate::app::App;
use crate::domain::ticket::Wish;
use crate::ticketing::{self, Opened};

/// Opens it. There is nobody to be told that there are too many, and nothing to be done for an app that is deleted.
pub(crate) async fn handle(app: App, _: Meta, message: QuestionUnanswered) -> Outcome {
    let wish = match Wish::try_from(message) {
        Ok(wish) => wish,
        Err(problem) => return Outcome::Dead(problem.to_string()),
    };
    let opened = ticketing::open(&app, wish).await;
    if opened.as_ref().is_ok_and(|opened| *opened == Opened::TooMany) {
        tracing::warn!(
            limits = ticketing::limits(),
            "a question of a call became no ticket: there are too many"
        );
    }
    opened.map(drop).into()
}
