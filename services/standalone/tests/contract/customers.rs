//! Customers: the people of a project.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, new_customer, new_phone};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{elements, has, ids, text, times};

promises! {
    a_customer_has_the_documented_fields;
    a_phone_has_the_documented_fields;
    a_customer_needs_external_id_names_and_phone;
    making_a_customer_answers_201_with_one_primary_phone;
    an_external_id_is_unique_in_its_project;
    a_phone_number_is_e164;
    metadata_is_optional_and_of_free_form;
    listing_customers_answers_an_array;
    one_customer_is_read_by_their_id;
    a_customer_is_found_by_their_external_id;
    a_customer_belongs_to_the_project_of_the_key;
}

async fn a_customer_has_the_documented_fields(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    let documented =
        ["id", "project_id", "external_id", "first_name", "last_name", "metadata", "phones", "created_at"];
    has(&customer, &documented);
    ids(&customer, &["id", "project_id"]);
    times(&customer, &["created_at"]);
    assert!(customer["metadata"].is_object(), "{customer}");
}

async fn a_phone_has_the_documented_fields(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    let phone = &customer["phones"][0];
    has(phone, &["id", "customer_id", "value", "is_primary", "status", "created_at"]);
    ids(phone, &["id", "customer_id"]);
    times(phone, &["created_at"]);
    assert_eq!(phone["customer_id"], customer["id"]);
    assert_eq!(phone["status"], "active");
}

async fn a_customer_needs_external_id_names_and_phone(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for name in ["external_id", "first_name", "last_name", "phone"] {
        for wrong in [Value::Null, json!(1), json!("")] {
            let mut body = new_customer(&new_phone());
            body[name] = wrong;
            own.api.post("/api/v1/customers", &body).await.refuses(400, name);
        }
    }
}

async fn making_a_customer_answers_201_with_one_primary_phone(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let number = new_phone();
    let body = new_customer(&number);
    let made = own.api.post("/api/v1/customers", &body).await.is(201);
    for name in ["external_id", "first_name", "last_name"] {
        assert_eq!(made[name], body[name]);
    }
    assert_eq!(elements(&made["phones"]).len(), 1);
    assert_eq!(made["phones"][0]["value"], number.as_str());
    assert_eq!(made["phones"][0]["is_primary"], true);
}

async fn an_external_id_is_unique_in_its_project(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    let body = new_customer(&new_phone());
    own.api.post("/api/v1/customers", &body).await.is(201);
    own.api.post("/api/v1/customers", &body).await.is(409);
    other.api.post("/api/v1/customers", &body).await.is(201);
}

async fn a_phone_number_is_e164(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for wrong in ["4155552671", "+1", "+1415555267100000", "call me", "+1 (hello)"] {
        own.api.post("/api/v1/customers", &new_customer(wrong)).await.refuses(400, "phone");
    }
    let made = own.customer_at("+971501234567").await;
    assert_eq!(made["phones"][0]["value"], "+971501234567");
}

async fn metadata_is_optional_and_of_free_form(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    assert_eq!(own.customer().await["metadata"], json!({}));
    let (mut body, metadata) =
        (new_customer(&new_phone()), json!({"plan": "gold", "since": 2019, "tags": ["a", {"b": null}]}));
    body["metadata"] = metadata.clone();
    let made = own.api.post("/api/v1/customers", &body).await.is(201);
    assert_eq!(made["metadata"], metadata);
    body["metadata"] = json!("gold");
    own.api.post("/api/v1/customers", &body).await.refuses(400, "metadata");
}

async fn listing_customers_answers_an_array(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    assert_eq!(own.api.get("/api/v1/customers").await.is(200), json!([]));
    let (first, second) = (own.customer().await, own.customer().await);
    assert_eq!(own.api.get("/api/v1/customers").await.is(200), json!([second, first]));
}

async fn one_customer_is_read_by_their_id(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (customer, _) = (own.customer().await, own.customer().await);
    let path = format!("/api/v1/customers/{}", text(&customer, "id"));
    assert_eq!(own.api.get(&path).await.is(200), customer);
}

async fn a_customer_is_found_by_their_external_id(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (customer, _) = (own.customer().await, own.customer().await);
    let path = format!("/api/v1/customers?external_id={}", text(&customer, "external_id"));
    assert_eq!(own.api.get(&path).await.is(200), json!([customer]));
    assert_eq!(own.api.get("/api/v1/customers?external_id=nobody").await.is(200), json!([]));
}

async fn a_customer_belongs_to_the_project_of_the_key(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    let customer = own.customer().await;
    assert_eq!(customer["project_id"], own.project.as_str());
    assert_eq!(other.api.get("/api/v1/customers").await.is(200), json!([]));
}
