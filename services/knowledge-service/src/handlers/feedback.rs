//! `Answers.GiveFeedback`.

use contracts::knowledge::{GiveFeedbackRequest, GiveFeedbackResponse};
use contracts::rpc::RpcError;
use uuid::Uuid;

use super::away_or_broken;
use crate::app::App;
use crate::domain::query::AppId;
use crate::store::answers;

pub(super) async fn give(app: &App, request: &GiveFeedbackRequest) -> Result<GiveFeedbackResponse, RpcError> {
    let app_id = AppId::parse(&request.app_id)?;
    let unknown = || RpcError::NotFound("answer".to_owned());
    let id: Uuid = request.answer_id.parse().map_err(|_| unknown())?;
    let helpful = request.helpful;
    let write = app.database.write(move |tx| answers::judge(tx.conn, &app_id, (id, helpful)));
    match write.await.map_err(away_or_broken)? {
        true => Ok(GiveFeedbackResponse {}),
        false => Err(unknown()),
    }
}
