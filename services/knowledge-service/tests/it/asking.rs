//! Asking for answers, and reading them to their end.

use std::time::Duration;

use common::db::{DbError, sql};
use contracts::knowledge::answer_part::Part;
use contracts::knowledge::{
    AnswerBegun, AnswerPart, AskRequest, GetInsightsRequest, GetInsightsResponse, GiveFeedbackRequest,
};
use contracts::rpc::{Context, RpcError, Streamed};
use diesel::RunQueryDsl as _;
use futures_util::StreamExt as _;
use uuid::Uuid;

use crate::world::World;

/// All that came of a question.
pub(crate) struct Answered {
    pub(crate) id: String,
    pub(crate) begun: Option<AnswerBegun>,
    pub(crate) text: String,
    /// Whether it was unanswered, or how it broke off.
    pub(crate) end: Result<bool, RpcError>,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = sql::BigInt)]
    count: i64,
}

fn context() -> Context {
    Context::within(Duration::from_secs(20))
}

impl World {
    pub(crate) async fn open(
        &self,
        app: &str,
        question: &str,
        conversation: &str,
    ) -> Result<(String, Streamed<AnswerPart>), RpcError> {
        let id = Uuid::now_v7().to_string();
        let request = AskRequest {
            app_id: app.to_owned(),
            answer_id: id.clone(),
            question: question.to_owned(),
            conversation_id: conversation.to_owned(),
        };
        Ok((id, self.answers.ask(context(), request).await?))
    }

    /// An answer, read to its end: it begins once, and nothing follows its end.
    pub(crate) async fn answer(&self, app: &str, question: &str, conversation: &str) -> Answered {
        let (id, mut parts) = self.open(app, question, conversation).await.expect("a stream");
        let (mut begun, mut text) = (None, String::new());
        let end = loop {
            match parts.next().await.expect("an end") {
                Ok(part) => match part.part.expect("a part") {
                    Part::Begun(first) => assert!(begun.replace(first).is_none() && text.is_empty()),
                    Part::Text(more) => text.push_str(&more),
                    Part::Ended(ended) => break Ok(ended.unanswered),
                },
                Err(error) => break Err(error),
            }
        };
        assert!(parts.next().await.is_none(), "something follows the end");
        Answered { id, begun, text, end }
    }

    pub(crate) async fn judge(&self, app: &str, answer: &str, helpful: bool) -> Result<(), RpcError> {
        let request = GiveFeedbackRequest { app_id: app.to_owned(), answer_id: answer.to_owned(), helpful };
        self.answers.give_feedback(context(), request).await.map(drop)
    }

    pub(crate) async fn insights(&self, app: &str, limit: u32) -> GetInsightsResponse {
        let request = GetInsightsRequest { app_id: app.to_owned(), since_ms: 0, limit };
        self.answers.get_insights(context(), request).await.expect("insights")
    }

    /// What a query of the service's tables counts as `count`.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        let query = query.to_owned();
        let tables = self.tables();
        let read = tables.read(move |db| {
            let counted: Count = diesel::sql_query(query).get_result(db)?;
            Ok::<_, DbError>(counted.count)
        });
        read.await.expect("it is counted")
    }

    /// Changes the service's tables.
    pub(crate) async fn change(&self, statement: String) {
        let tables = self.tables();
        let write = tables.write(move |tx| {
            diesel::sql_query(statement).execute(tx.conn)?;
            Ok::<_, DbError>(())
        });
        write.await.expect("it is changed");
    }
}
