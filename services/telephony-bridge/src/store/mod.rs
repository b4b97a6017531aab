//! This service's tables, one file each. The project comes first in every query, except where the question is the
//! carrier's, who knows no project: those ask by attempt or by account.

pub(crate) mod accounts;
pub(crate) mod attempts;
pub(crate) mod bot_turns;
pub(crate) mod erasures;
pub(crate) mod numbers;
pub(crate) mod own_words;
pub(crate) mod price_checks;
pub(crate) mod project_carriers;
pub(crate) mod reports;
mod schema;
