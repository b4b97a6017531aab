//! What the service hears and answers on the bus: one file per message, one per rpc or, where they share what they do, for several.

pub(crate) mod app_deleted;
mod ask;
mod feedback;
mod ingest;
mod ingest_url;
mod insights;
pub(crate) mod question_unanswered;
mod search;
mod sources;
mod tickets;

use async_trait::async_trait;
use common::db::DbError;
use contracts::knowledge::{
    AnswerPart, AnswersRpc, AskRequest, ChangeTicketRequest, DeleteSourceRequest, DeleteSourceResponse,
    GetInsightsRequest, GetInsightsResponse, GetTicketRequest, GiveFeedbackRequest, GiveFeedbackResponse,
    IngestRequest, IngestResponse, IngestUrlRequest, KnowledgeRpc, ListSourcesRequest, ListSourcesResponse,
    ListTicketsRequest, ListTicketsResponse, OpenTicketRequest, OpenTicketResponse, SearchRequest,
    SearchResponse, Ticket, TicketsRpc,
};
use contracts::rpc::{Context, RpcError, Streamed};

use crate::app::App;

#[async_trait]
impl KnowledgeRpc for App {
    async fn search(&self, _: Context, request: SearchRequest) -> Result<SearchResponse, RpcError> {
        search::search(self, request).await
    }

    async fn ingest(&self, _: Context, request: IngestRequest) -> Result<IngestResponse, RpcError> {
        ingest::ingest(self, request).await
    }

    async fn ingest_url(&self, _: Context, request: IngestUrlRequest) -> Result<IngestResponse, RpcError> {
        ingest_url::ingest_url(self, request).await
    }

    async fn list_sources(
        &self,
        _: Context,
        request: ListSourcesRequest,
    ) -> Result<ListSourcesResponse, RpcError> {
        sources::list(self, &request).await
    }

    async fn delete_source(
        &self,
        _: Context,
        request: DeleteSourceRequest,
    ) -> Result<DeleteSourceResponse, RpcError> {
        sources::delete(self, &request).await
    }
}

#[async_trait]
impl AnswersRpc for App {
    async fn ask(&self, _: Context, request: AskRequest) -> Result<Streamed<AnswerPart>, RpcError> {
        ask::ask(self, request).await
    }

    async fn give_feedback(
        &self,
        _: Context,
        request: GiveFeedbackRequest,
    ) -> Result<GiveFeedbackResponse, RpcError> {
        feedback::give(self, &request).await
    }

    async fn get_insights(
        &self,
        _: Context,
        request: GetInsightsRequest,
    ) -> Result<GetInsightsResponse, RpcError> {
        insights::get(self, &request).await
    }
}

#[async_trait]
impl TicketsRpc for App {
    async fn open_ticket(
        &self,
        _: Context,
        request: OpenTicketRequest,
    ) -> Result<OpenTicketResponse, RpcError> {
        tickets::open(self, request).await
    }

    async fn list_tickets(
        &self,
        _: Context,
        request: ListTicketsRequest,
    ) -> Result<ListTicketsResponse, RpcError> {
        tickets::list(self, &request).await
    }

    async fn get_ticket(&self, _: Context, request: GetTicketRequest) -> Result<Ticket, RpcError> {
        tickets::get(self, &request).await
    }

    async fn change_ticket(&self, _: Context, request: ChangeTicketRequest) -> Result<Ticket, RpcError> {
        tickets::change(self, &request).await
    }
}

/// The app is deleted.
pub(crate) fn no_app() -> RpcError {
    RpcError::NotFound("app".to_owned())
}

pub(crate) fn away_or_broken(error: DbError) -> RpcError {
    if error.is_away() {
        RpcError::Unavailable(error.to_string())
    } else {
        RpcError::Internal(error.to_string())
    }
}
