//! A knowledge-service that keeps tickets in the test's memory.

use async_trait::async_trait;
use contracts::knowledge::{
    ChangeTicketRequest, GetTicketRequest, ListTicketsRequest, ListTicketsResponse, OpenTicketRequest,
    OpenTicketResponse, Ticket, TicketsRpc, TraceLine,
};
use contracts::rpc::{Context, RpcError};

use super::knowledge::Knowledge;
use super::{AT_MS, lock};

impl Knowledge {
    fn ticket(&self, app: &str, id: &str, change: impl FnOnce(&mut Ticket)) -> Result<Ticket, RpcError> {
        let mut tickets = lock(&self.0.tickets);
        let found = tickets.iter_mut().find(|(of, ticket)| of == app && ticket.id == id);
        let (_, ticket) = found.ok_or_else(|| RpcError::NotFound("ticket".into()))?;
        change(ticket);
        Ok(ticket.clone())
    }
}

#[async_trait]
impl TicketsRpc for Knowledge {
    async fn open_ticket(
        &self,
        _: Context,
        request: OpenTicketRequest,
    ) -> Result<OpenTicketResponse, RpcError> {
        if let Some(error) = lock(&self.0.cannot_open).pop_front() {
            return Err(error);
        }
        let passage = TraceLine {
            title: "Prices".into(),
            url: String::new(),
            score: 0.5,
            text: "The pro plan is $49/month.".into(),
        };
        let ticket = Ticket {
            id: request.ticket_id.clone(),
            status: "open".into(),
            email: request.email,
            phone: request.phone,
            question: request.question,
            url: request.url,
            transcript: request.history,
            trace: vec![passage],
            conversation_id: request.conversation_id,
            created_at_ms: AT_MS,
            updated_at_ms: AT_MS,
        };
        lock(&self.0.tickets).push((request.app_id, ticket));
        Ok(OpenTicketResponse { ticket_id: request.ticket_id })
    }

    async fn list_tickets(
        &self,
        _: Context,
        request: ListTicketsRequest,
    ) -> Result<ListTicketsResponse, RpcError> {
        let tickets = lock(&self.0.tickets);
        let own = tickets.iter().rev().filter(|(app, _)| *app == request.app_id).map(|(_, ticket)| ticket);
        let wanted = own.filter(|ticket| request.status.is_empty() || ticket.status == request.status);
        let mut rest = wanted.skip_while(|t| !request.after_id.is_empty() && t.id >= request.after_id);
        let most = usize::try_from(request.limit).unwrap();
        let short = |ticket: &Ticket| Ticket { transcript: Vec::new(), trace: Vec::new(), ..ticket.clone() };
        let page: Vec<Ticket> = rest.by_ref().take(most).map(short).collect();
        let last = page.last().map(|ticket| ticket.id.clone()).unwrap_or_default();
        let next_after_id = if rest.next().is_some() { last } else { String::new() };
        Ok(ListTicketsResponse { tickets: page, next_after_id })
    }

    async fn get_ticket(&self, _: Context, request: GetTicketRequest) -> Result<Ticket, RpcError> {
        self.ticket(&request.app_id, &request.ticket_id, |_| {})
    }

    async fn change_ticket(&self, _: Context, request: ChangeTicketRequest) -> Result<Ticket, RpcError> {
        self.ticket(&request.app_id, &request.ticket_id, |ticket| ticket.status = request.status)
    }
}
