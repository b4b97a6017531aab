//! Lists: bare arrays, newest first, page by page.

use serde_json::{Value, json};

use crate::support::{ENGINES, Engine, Gateway, agent, customer, id};

/// All items of a list, walked by its cursors; each page has `limit` items but the last.
async fn walk(gateway: &Gateway, path: &str, key: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = format!("{path}?limit={limit}");
    loop {
        let answer = gateway.get(&next, key).await;
        let (cursor, link) =
            (answer.header("x-next-cursor").map(str::to_owned), answer.header("link").map(str::to_owned));
        let page = answer.expect(200).as_array().unwrap().clone();
        let full = page.len() == limit;
        all.extend(page);
        let (Some(cursor), Some(link)) = (cursor, link) else { return all };
        assert!(full && link.contains(&cursor), "{link}");
        let address = link.strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\"")).unwrap();
        next = address.strip_prefix(&gateway.url).expect("an address of this gateway").to_owned();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_walked_from_the_newest_to_the_oldest_without_a_gap() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let (mut customers, mut agents, mut notifications) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..5 {
            let made = gateway
                .post("/v1/customers", &account.key, &customer(&format!("user_{n}")))
                .await
                .expect(201);
            let order = json!({"customer_id": id(&made), "message": "Hello"});
            let placed = gateway.post("/v1/notifications", &account.key, &order).await.expect(201);
            notifications.insert(0, placed["notification"].clone());
            customers.insert(0, made);
            agents.insert(0, gateway.post("/v1/agents", &account.key, &agent("a")).await.expect(201));
        }
        for limit in [1, 2, 5, 100] {
            assert_eq!(walk(&gateway, "/api/v1/customers", &account.key, limit).await, customers);
            assert_eq!(walk(&gateway, "/v1/agents", &account.key, limit).await, agents);
            assert_eq!(walk(&gateway, "/v1/notifications", &account.key, limit).await, notifications);
        }
        let active = gateway.get("/v1/agents?status=active&limit=2", &account.key).await;
        assert!(active.header("link").unwrap().contains("status=active&limit=2&cursor="));
        assert_eq!(gateway.get("/v1/agents?status=disabled", &account.key).await.expect(200), json!([]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_is_the_default_and_the_most() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for n in 0..101 {
        gateway.post("/v1/customers", &account.key, &customer(&format!("user_{n}"))).await.expect(201);
    }
    let first = gateway.get("/v1/customers", &account.key).await;
    assert!(first.header("x-next-cursor").is_some());
    assert_eq!(first.expect(200).as_array().unwrap().len(), 100);
    assert_eq!(walk(&gateway, "/v1/customers", &account.key, 100).await.len(), 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_parameters_are_named() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("cursor=nonsense", "cursor"),
        ("external_id=", "external_id"),
        ("external_id=a%00b", "external_id"),
        ("external_id=%ff", "external_id"),
    ] {
        gateway.get(&format!("/v1/customers?{query}"), &account.key).await.assert_fields(&[field]);
    }
    gateway.get("/v1/agents?status=asleep", &account.key).await.assert_fields(&["status"]);
    assert_eq!(gateway.get("/v1/customers?external_id=nobody", &account.key).await.expect(200), json!([]));
}
