//! Nobody reaches what is not theirs: every operation of the API's document, tried by everybody who must not get through, with
//! ids of another business and of another project in its path and in its body; and then, so that no refusal is an empty one, by
//! the owner, for whom every one of them works.
//!
//! The operations come from the document of the running Echo, their bodies from its examples. `rows.rs` says of each who may do
//! it: an operation without a row fails here, and so does a row without an operation.

#![cfg(test)]

mod document;
mod echo;
mod matrix;
mod rows;
mod town;

use testkit::database::Engine;
use testkit::on_both_engines;

use crate::document::operations;
use crate::echo::Echo;
use crate::matrix::Matrix;
use crate::rows::with_rows;
use crate::town::Town;

on_both_engines!(nobody_reaches_what_is_not_theirs_by_any_operation);

async fn nobody_reaches_what_is_not_theirs_by_any_operation(engine: Engine) {
    let echo = Echo::start(engine).await;
    let town = Town::build(&echo.base).await;
    let trials = with_rows(operations(&town.document().await));
    let mut matrix = Matrix::new(&town);
    let before = matrix.seen_by_the_owner(&trials).await;
    for trial in &trials {
        matrix.tried_by_strangers(trial).await;
        matrix.tried_by_members(trial).await;
    }
    let after = matrix.seen_by_the_owner(&trials).await;
    matrix.nothing_has_changed(&before, &after);
    for trial in &trials {
        matrix.done_by_the_owner(trial).await;
    }
    matrix.assert_nothing_wrong();
    drop(town);
    echo.stop().await;
}
