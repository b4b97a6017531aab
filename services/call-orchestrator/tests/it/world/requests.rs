//! What the gateway asks for.

use contracts::calls::{
    Agent, Business, Call, Customer, GetCallRequest, GetNotificationRequest, ListNotificationsRequest,
    ListNotificationsResponse, Notification, NotificationsClient, PlaceNotificationRequest,
};
use contracts::ids::{AgentId, CustomerId, NotificationId, ProjectId};
use contracts::rpc::RpcError;
use serde_json::json;

use super::World;
use super::{context, neighbours};

/// How an agent of these stories begins: fixed, so that no model is asked for it.
pub(crate) const OPENING: &str = "Hi, is this John? Does Thursday still work for you?";

/// A notification by an agent that collects `confirmed` (boolean) and `day` (a date).
pub(crate) fn by_agent(project: ProjectId) -> PlaceNotificationRequest {
    let schema = json!({
        "type": "object",
        "required": ["confirmed"],
        "properties": {
            "confirmed": {"type": "boolean", "description": "Whether the appointment was confirmed"},
            "day": {"type": "string", "format": "date", "description": "The day that suits them"},
        },
    });
    let agent = Agent {
        id: AgentId::new().to_string(),
        version: 1,
        system_prompt: "You call {{recipient_first_name}} about an appointment.".to_owned(),
        output_schema_json: schema.to_string(),
        first_message: OPENING.to_owned(),
        max_duration_seconds: 600,
        ..Agent::default()
    };
    PlaceNotificationRequest { agent: Some(agent), ..by_message(project) }
}

/// A notification that only brings a message.
pub(crate) fn by_message(project: ProjectId) -> PlaceNotificationRequest {
    PlaceNotificationRequest {
        notification_id: NotificationId::new().to_string(),
        project_id: project.to_string(),
        business: Some(Business { name: "Acme Inc.".to_owned(), ..Business::default() }),
        customer: Some(Customer {
            id: CustomerId::new().to_string(),
            external_id: "user_1".to_owned(),
            first_name: "John".to_owned(),
            last_name: "Smith".to_owned(),
            phone_e164: "+14155552671".to_owned(),
            ..Customer::default()
        }),
        message: "Your bicycle is ready.".to_owned(),
        max_duration_seconds: 120,
        language: "en-US".to_owned(),
        voice: "man".to_owned(),
        ..PlaceNotificationRequest::default()
    }
}

impl World {
    pub(crate) fn notifications(&self) -> NotificationsClient {
        NotificationsClient::new(self.caller())
    }

    /// The way of a neighbour to this service.
    pub(crate) fn caller(&self) -> std::sync::Arc<dyn contracts::rpc::Caller> {
        neighbours::bridge_of(&self.process).caller
    }

    pub(crate) async fn try_place(
        &self,
        request: PlaceNotificationRequest,
    ) -> Result<Notification, RpcError> {
        self.notifications().place_notification(context(), request).await
    }

    pub(crate) async fn place(&self, request: PlaceNotificationRequest) -> Notification {
        self.try_place(request).await.unwrap()
    }

    pub(crate) async fn try_get(&self, project: &str, id: &str) -> Result<Notification, RpcError> {
        let request =
            GetNotificationRequest { project_id: project.to_owned(), notification_id: id.to_owned() };
        self.notifications().get_notification(context(), request).await
    }

    /// A notification of any project, as its project sees it.
    pub(crate) async fn get(&self, id: &str) -> Notification {
        let project = self.project_of(id).await;
        self.try_get(&project, id).await.unwrap()
    }

    async fn project_of(&self, id: &str) -> String {
        use diesel::RunQueryDsl as _;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = common::db::sql::Uuid)]
            project_id: common::db::Id,
        }
        let text = format!("SELECT project_id FROM notifications WHERE id = '{id}'");
        let read = self
            .tables()
            .read(move |db| diesel::sql_query(text).get_result::<Row>(db).map_err(common::db::DbError::from));
        read.await.unwrap().project_id.0.to_string()
    }

    pub(crate) async fn list(&self, limit: u32, after: &str) -> ListNotificationsResponse {
        let request = ListNotificationsRequest {
            project_id: self.project.to_string(),
            limit,
            after_id: after.to_owned(),
            ..ListNotificationsRequest::default()
        };
        self.notifications().list_notifications(context(), request).await.unwrap()
    }

    /// A page of the ids of those that a filter lets through.
    pub(crate) async fn list_where(&self, filter: ListNotificationsRequest) -> Vec<String> {
        let request = ListNotificationsRequest { project_id: self.project.to_string(), limit: 100, ..filter };
        let listed = self.notifications().list_notifications(context(), request).await.unwrap();
        listed.notifications.into_iter().map(|n| n.id).collect()
    }

    /// The project wants a notification stopped.
    pub(crate) async fn stop_it(&self, project: &str, id: &str) -> Result<Notification, RpcError> {
        let request =
            GetNotificationRequest { project_id: project.to_owned(), notification_id: id.to_owned() };
        self.notifications().stop_notification(context(), request).await
    }

    /// The calls made for a notification, newest first.
    pub(crate) async fn calls(&self, id: &str) -> Vec<Call> {
        let request =
            GetNotificationRequest { project_id: self.project.to_string(), notification_id: id.to_owned() };
        self.notifications().list_calls(context(), request).await.unwrap().calls
    }

    pub(crate) async fn try_call(&self, project: &str, id: &str) -> Result<Call, RpcError> {
        let request = GetCallRequest { project_id: project.to_owned(), call_id: id.to_owned() };
        self.notifications().get_call(context(), request).await
    }
}
