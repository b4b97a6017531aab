//! What the gateway tells and asks about rules: policies, customers, the opt-out list, usage.

use contracts::accounts::{
    CallingHours, Consent, CustomerChanged, CustomerErased, CustomerStanding, ProjectDeleted, ProjectPolicy,
    ProjectPolicyChanged,
};
use contracts::calls::{
    AddSuppressionRequest, Customer, GetUsageRequest, ListSuppressionsRequest, PlaceNotificationRequest,
    PreviewRulesRequest, RuleVerdict, RulesClient, Suppression, SuppressionsClient, UsageClient, UsageDay,
};

use super::{World, by_message, context};

/// A number that is rung in these stories.
pub(crate) const JOHN: &str = "+14155552671";

/// A window of calling hours from so many minutes after now, for an hour; UTC.
pub(crate) fn opens_in(world: &World, minutes: i64) -> CallingHours {
    let at = world.clock.now() + chrono::TimeDelta::minutes(minutes);
    let from = chrono::Timelike::num_seconds_from_midnight(&at.time()) / 60;
    CallingHours { from_minute: from, to_minute: (from + 60 - 1) % 1440 + 1, weekdays: vec![] }
}

/// The consent of a customer.
pub(crate) fn consent(given: bool) -> Option<Consent> {
    Some(Consent { given, at_ms: 1, source: "web-form".to_owned() })
}

impl World {
    /// A policy of this world's project.
    pub(crate) fn policy(&self, version: i64) -> ProjectPolicy {
        ProjectPolicy { project_id: self.project.to_string(), version, ..ProjectPolicy::default() }
    }

    /// Says that the project has set something else, and waits until it was heard.
    pub(crate) async fn change_policy(&self, policy: ProjectPolicy) {
        let message = ProjectPolicyChanged { project_id: policy.project_id.clone(), policy: Some(policy) };
        self.publish(&[message]).await;
        self.quiet().await;
    }

    /// A standing of a customer of this world's project.
    pub(crate) fn standing(&self, customer: &str, version: i64) -> CustomerStanding {
        let (project_id, customer_id) = (self.project.to_string(), customer.to_owned());
        CustomerStanding { project_id, customer_id, version, ..CustomerStanding::default() }
    }

    pub(crate) async fn change_customer(&self, standing: CustomerStanding) {
        let message = CustomerChanged { project_id: standing.project_id.clone(), standing: Some(standing) };
        self.publish(&[message]).await;
        self.quiet().await;
    }

    pub(crate) async fn erase_customer(&self, customer: &str) {
        let (project_id, customer_id) = (self.project.to_string(), customer.to_owned());
        self.publish(&[CustomerErased { project_id, customer_id }]).await;
        self.quiet().await;
    }

    pub(crate) async fn delete_project(&self) {
        self.publish(&[ProjectDeleted { project_id: self.project.to_string() }]).await;
        self.quiet().await;
    }

    /// A message for somebody else than John.
    pub(crate) fn for_number(&self, phone: &str) -> PlaceNotificationRequest {
        let request = by_message(self.project);
        let customer = Customer { phone_e164: phone.to_owned(), ..request.customer.clone().unwrap() };
        PlaceNotificationRequest { customer: Some(customer), ..request }
    }

    pub(crate) fn suppressions(&self) -> SuppressionsClient {
        SuppressionsClient::new(self.caller())
    }

    pub(crate) async fn suppress(&self, phone: &str, reason: &str) -> Suppression {
        let request = AddSuppressionRequest {
            project_id: self.project.to_string(),
            phone_e164: phone.to_owned(),
            reason: reason.to_owned(),
        };
        self.suppressions().add_suppression(context(), request).await.unwrap()
    }

    /// The whole list, read in pages of this size.
    pub(crate) async fn suppressed(&self, limit: u32) -> Vec<Suppression> {
        let (mut all, mut after_id) = (Vec::new(), String::new());
        loop {
            let project_id = self.project.to_string();
            let request = ListSuppressionsRequest { project_id, limit, after_id, ..Default::default() };
            let page = self.suppressions().list_suppressions(context(), request).await.unwrap();
            assert!(page.suppressions.len() <= limit as usize);
            all.extend(page.suppressions);
            after_id = page.next_after_id;
            if after_id.is_empty() {
                return all;
            }
        }
    }

    pub(crate) async fn preview(&self, request: PreviewRulesRequest) -> Vec<RuleVerdict> {
        let client = RulesClient::new(self.caller());
        client.preview_rules(context(), request).await.unwrap().verdicts
    }

    /// What this world's project has used on every day.
    pub(crate) async fn usage(&self) -> Vec<UsageDay> {
        let today = self.clock.now().date_naive();
        let request = GetUsageRequest {
            project_ids: vec![self.project.to_string()],
            first_day: (today - chrono::Days::new(300)).to_string(),
            last_day: (today + chrono::Days::new(2)).to_string(),
        };
        let client = UsageClient::new(self.caller());
        client.get_usage(context(), request).await.unwrap().days
    }
}
