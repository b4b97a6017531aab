//! Businesses, their people, and the projects that keep everything apart.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client, appointment, new_customer, new_phone, new_signup};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{elements, has, ids, is_secret, text};

promises! {
    a_business_is_made_at_signup_with_name_summary_and_industry;
    people_belong_to_the_business;
    a_project_has_an_id_and_a_name;
    a_second_project_comes_with_a_key_of_its_own;
    a_project_keeps_its_keys_customers_notifications_and_endpoints_to_itself;
    an_agent_belongs_to_the_business_and_serves_every_project;
}

/// A second project of the same business: its id and a client with its key.
async fn staging(echo: &Echo, own: &Account) -> (String, Client) {
    let made = own.person(echo).post("/api/v1/projects", &json!({"name": "staging"})).await.is(201);
    assert_eq!(made["name"], "staging");
    (text(&made, "id").to_owned(), own.api.with_key(text(&made, "api_key")))
}

async fn a_business_is_made_at_signup_with_name_summary_and_industry(echo: Arc<Echo>) {
    let signup = new_signup();
    let own = Account::of(&echo, Client::stranger(&echo).post("/auth/signup", &signup).await.is(201));
    let business = own.person(&echo).get("/api/v1/business").await.is(200);
    assert_eq!(business["id"], own.signup["business"]["id"]);
    assert_eq!(business["name"], signup["business_name"]);
    assert_eq!(business["summary"], signup["business_summary"]);
    assert_eq!(business["industry"], signup["industry"]);
}

async fn people_belong_to_the_business(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let members = own.person(&echo).get("/api/v1/members").await.is(200);
    assert_eq!(elements(&members).len(), 1, "{members}");
    assert!(members.to_string().contains(text(&own.signup["user"], "email")), "{members}");
}

async fn a_project_has_an_id_and_a_name(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let project = own.api.get(&format!("/api/v1/projects/{}", own.project)).await.is(200);
    has(&project, &["id", "name"]);
    assert_eq!(project["id"], own.project.as_str());
    assert_eq!(project["name"], "default");
}

async fn a_second_project_comes_with_a_key_of_its_own(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.person(&echo).post("/api/v1/projects", &json!({"name": "staging"})).await.is(201);
    ids(&made, &["id"]);
    assert!(is_secret(text(&made, "api_key"), "echo_"), "{made}");
    assert_ne!(text(&made, "api_key"), own.key());
    let keyed = own.api.with_key(text(&made, "api_key"));
    let customer = keyed.post("/api/v1/customers", &new_customer(&new_phone())).await.is(201);
    assert_eq!(customer["project_id"], made["id"]);
}

async fn a_project_keeps_its_keys_customers_notifications_and_endpoints_to_itself(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (project, staging) = staging(&echo, &own).await;
    let placed = own.ring().await;
    let (_inbox, endpoint) = own.listen(&["call.summary"]).await;
    for path in ["customers", "notifications", &format!("projects/{project}/webhooks")] {
        assert_eq!(staging.get(&format!("/api/v1/{path}")).await.is(200), json!([]), "{path}");
    }
    let notification = &placed["notification"];
    for path in [
        format!("/api/v1/customers/{}", text(notification, "customer_id")),
        format!("/api/v1/notifications/{}", text(notification, "id")),
        format!("{}/{}", own.webhooks(), text(&endpoint, "id")),
    ] {
        own.api.get(&path).await.is(200);
        staging.get(&path).await.is(404);
    }
    let keys = [&own.api, &staging].map(|api| api.get("/api/v1/api-keys"));
    let [ours, theirs] = keys;
    let (ours, theirs) = (ours.await.is(200), theirs.await.is(200));
    let ids = |keys: &Value| elements(keys).iter().map(|key| key["id"].clone()).collect::<Vec<_>>();
    assert!(ids(&ours).iter().all(|id| !ids(&theirs).contains(id)), "{ours} {theirs}");
}

async fn an_agent_belongs_to_the_business_and_serves_every_project(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (project, staging) = staging(&echo, &own).await;
    let agent = own.agent().await;
    assert_eq!(agent["business_id"], own.signup["business"]["id"]);
    assert_eq!(staging.get("/api/v1/agents").await.is(200), json!([agent]));
    let customer = staging.post("/api/v1/customers", &new_customer(&new_phone())).await.is(201);
    let placed = staging.post("/api/v1/notifications", &appointment(&customer, &agent)).await.is(201);
    assert_eq!(placed["notification"]["project_id"], project.as_str());
    assert_eq!(placed["notification"]["agent_id"], agent["id"]);
}
