//! Environments of a business, and what they set for their calls.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, Gateway, Method, customer, id};

/// What holds where a project has set nothing.
fn defaults() -> Value {
    json!({
        "language": "en-US", "voice": "man", "timezone": "UTC", "calling_hours": null, "require_consent": false,
        "allowed_countries": null, "max_concurrent_calls": 10, "max_calls_per_day": null,
        "monthly_spend_cap": null, "retry": {"max_attempts": 1, "delay_seconds": [], "on": []},
        "disclosure_line": null, "record_calls": false, "knowledge_app_id": null, "retention_days": 90
    })
}

async fn make(gateway: &Gateway, account: &Account, body: &Value) -> Value {
    gateway.send(Method::POST, "/api/v1/projects", &account.token, body).await.expect(201)
}

fn path(project: &Value) -> String {
    format!("/v1/projects/{}", id(project))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_7_a_second_project_comes_with_its_first_key_and_everything_in_it_is_apart() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = make(&gateway, &account, &json!({"name": "staging"})).await;
        let key = made["api_key"].as_str().unwrap();
        assert_eq!((&made["name"], &made["settings"]), (&json!("staging"), &defaults()));
        assert_eq!(made["business_id"], account.business.as_str());
        gateway.post("/v1/customers", key, &customer("u")).await.expect(201);
        assert_eq!(gateway.get("/v1/customers", &account.key).await.expect(200), json!([]));

        let all = gateway.bearing(Method::GET, "/api/v1/projects", &account.token).await.expect(200);
        let names: Vec<&Value> = all.as_array().unwrap().iter().map(|p| &p["name"]).collect();
        assert_eq!(names, ["staging", "default"]);
        assert!(!all.to_string().contains("echo_"), "{all}");
        let own = gateway.get("/v1/projects", key).await.expect(200);
        assert_eq!(own, json!([all[0]]));
        assert_eq!(gateway.get(&path(&made), key).await.expect(200), all[0]);
        gateway.get(&path(&made), &account.key).await.assert_error(404, "project_not_found");
        let read = gateway.bearing(Method::GET, &path(&made), &account.token).await;
        assert_eq!(read.expect(200), all[0]);
        let page = gateway.bearing(Method::GET, "/v1/projects?limit=1", &account.token).await;
        let cursor = page.header("x-next-cursor").unwrap().to_owned();
        assert_eq!(page.body, json!([all[0]]));
        let rest = format!("/v1/projects?limit=1&cursor={cursor}");
        assert_eq!(gateway.bearing(Method::GET, &rest, &account.token).await.expect(200), json!([all[1]]));
        assert_eq!(gateway.get(&rest, key).await.expect(200), json!([]));
        assert_eq!(
            gateway.number("SELECT COUNT(*) AS n FROM audit WHERE action = 'project.created'").await,
            1
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_in_an_answer_is_not_kept_for_a_repetition() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let once = || {
            let request = gateway.request(Method::POST, "/v1/projects").bearer_auth(&account.token);
            let request = request.header("Idempotency-Key", "one").json(&json!({"name": "staging"}));
            async { Answer::of(request.send().await.unwrap()).await }
        };
        once().await.expect(201);
        once().await.assert_error(409, "secret_already_shown");
        assert_eq!(gateway.number("SELECT COUNT(*) AS n FROM projects").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_merged_field_by_field_and_null_brings_a_default_back() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let app = id(&gateway.post("/v1/apps", &account.key, &json!({"name": "a"})).await.expect(201));
        let whole = json!({
            "language": "de-DE", "voice": "Polly.Vicki", "timezone": "Europe/Berlin",
            "calling_hours": {"from": "09:00", "to": "20:00", "days": ["mon", "fri"]},
            "require_consent": true, "allowed_countries": ["AT", "DE"], "max_concurrent_calls": 3,
            "max_calls_per_day": 500, "monthly_spend_cap": 99.5,
            "retry": {"max_attempts": 3, "delay_seconds": [60], "on": ["busy"]},
            "disclosure_line": "This is an automated call. It is recorded.", "record_calls": true,
            "knowledge_app_id": app, "retention_days": 30
        });
        let made = make(&gateway, &account, &json!({"name": "staging", "settings": whole})).await;
        assert_eq!(made["settings"], whole);
        let change = async |body: Value| {
            gateway.send(Method::PATCH, &path(&made), &account.token, &body).await.expect(200)
        };
        let changed = change(json!({"settings": {"voice": null, "max_calls_per_day": 7}})).await;
        let mut expected = whole.clone();
        expected["voice"] = json!("man");
        expected["max_calls_per_day"] = json!(7);
        assert_eq!((&changed["settings"], &changed["name"]), (&expected, &json!("staging")));
        let renamed = change(json!({"name": "test"})).await;
        assert_eq!((&renamed["settings"], &renamed["name"]), (&expected, &json!("test")));
        let nothing: Value =
            expected.as_object().unwrap().keys().map(|name| (name.clone(), Value::Null)).collect();
        let empty = change(json!({"settings": nothing})).await;
        assert_eq!(empty["settings"], defaults());
        let same = change(json!({"settings": {"voice": "man"}, "name": null})).await;
        assert_eq!(same, empty);
        let read = gateway.bearing(Method::GET, &path(&made), &account.token).await.expect(200);
        assert_eq!(read, empty);
        let log = gateway.bearing(Method::GET, "/v1/audit?action=project.updated", &account.token).await;
        let log = log.expect(200);
        assert_eq!(log.as_array().unwrap().len(), 3);
        assert_eq!(log[1]["details"], json!({"name": {"from": "staging", "to": "test"}}));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_of_settings_is_told_with_its_version_and_stands_in_the_next_notification() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made =
            make(&gateway, &account, &json!({"name": "staging", "settings": {"retention_days": 5}})).await;
        make(&gateway, &account, &json!({"name": "as it comes"})).await;
        let settings = json!({
            "timezone": "Asia/Kolkata", "calling_hours": {"from": "22:00", "to": "06:30", "days": ["sun"]},
            "monthly_spend_cap": 12.34, "allowed_countries": ["IN"]
        });
        for settings in [settings, json!({"require_consent": true})] {
            let body = json!({"settings": settings});
            gateway.send(Method::PATCH, &path(&made), &account.token, &body).await.expect(200);
        }
        let told = eventually("three policies", Duration::from_secs(10), || async {
            let told = lock(&gateway.fakes.policies).clone();
            if told.len() >= 3 { Ok(told) } else { Err(told) }
        });
        let mut told = told.await;
        assert_eq!(told.len(), 3, "who has set nothing has the defaults, which need no word: {told:?}");
        told.sort_by_key(|told| told.policy.as_ref().unwrap().version);
        assert!(told.iter().all(|told| told.project_id == id(&made)));
        let policies: Vec<_> = told.into_iter().map(|told| told.policy.unwrap()).collect();
        assert_eq!(policies.iter().map(|p| p.version).collect::<Vec<_>>(), [1, 2, 3]);
        let hours = policies[1].calling_hours.clone().unwrap();
        assert_eq!((hours.from_minute, hours.to_minute, hours.weekdays), (1320, 390, vec![7]));
        assert_eq!((policies[1].monthly_spend_cap_cents, policies[1].require_consent), (1234, false));
        assert_eq!((policies[0].retention_days, policies[0].max_concurrent_calls), (5, 10));

        let key = made["api_key"].as_str().unwrap();
        let customer = id(&gateway.post("/v1/customers", key, &customer("u")).await.expect(201));
        let order = json!({"customer_id": customer, "message": "Hello"});
        gateway.post("/v1/notifications", key, &order).await.expect(201);
        assert_eq!(lock(&gateway.fakes.placed)[0].policy.as_ref(), Some(&policies[2]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_recorded_only_where_a_line_announces_it() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let silent = json!({"name": "silent", "settings": {"record_calls": true}});
        let refused = gateway.send(Method::POST, "/api/v1/projects", &account.token, &silent).await;
        let details = refused.expect(400)["details"].clone();
        assert_eq!(details[0]["field"], "settings/record_calls", "{details}");
        assert!(details[0]["problem"].as_str().unwrap().contains("disclosure_line"), "{details}");

        let made = make(&gateway, &account, &json!({"name": "staging"})).await;
        let change = async |settings: Value| {
            let body = json!({"settings": settings});
            gateway.send(Method::PATCH, &path(&made), &account.token, &body).await
        };
        let details = change(json!({"record_calls": true})).await.expect(400)["details"].clone();
        assert_eq!(details[0]["field"], "settings/record_calls", "{details}");
        let line = "This call is recorded.";
        change(json!({"record_calls": true, "disclosure_line": line})).await.expect(200);
        let details = change(json!({"disclosure_line": null})).await.expect(400)["details"].clone();
        assert_eq!(details[0]["field"], "settings/disclosure_line", "{details}");

        let told = eventually("the policy", Duration::from_secs(10), || async {
            lock(&gateway.fakes.policies).last().and_then(|told| told.policy.clone()).ok_or("none")
        });
        let policy = told.await;
        assert_eq!((policy.record_calls, policy.disclosure_line.as_str()), (true, line));
        let read = gateway.bearing(Method::GET, &path(&made), &account.token).await.expect(200);
        assert_eq!(read["settings"]["disclosure_line"], line, "what was refused is not stored");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_project_is_named_and_nothing_is_stored() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let before = gateway.rows().await;
        let post =
            async |body: Value| gateway.send(Method::POST, "/v1/projects", &account.token, &body).await;
        post(json!({})).await.assert_fields(&["name"]);
        post(json!({"name": "x".repeat(201), "settings": []})).await.assert_fields(&["name", "settings"]);
        let own = format!("/v1/projects/{}", account.project);
        for (settings, field) in [
            (json!({"language": 7}), "settings/language"),
            (json!({"timezone": "Mars"}), "settings/timezone"),
            (json!({"calling_hours": {"from": "25:00", "to": "20:00"}}), "settings/calling_hours/from"),
            (json!({"allowed_countries": ["USA"]}), "settings/allowed_countries/0"),
            (json!({"max_concurrent_calls": 0}), "settings/max_concurrent_calls"),
            (json!({"monthly_spend_cap": 0.001}), "settings/monthly_spend_cap"),
            (json!({"retry": {"on": ["sunshine"]}}), "settings/retry/on/0"),
            (json!({"retention_days": "30"}), "settings/retention_days"),
        ] {
            let body = json!({"name": "a", "settings": settings});
            post(body.clone()).await.assert_fields(&[field]);
            gateway.send(Method::PATCH, &own, &account.token, &body).await.assert_fields(&[field]);
        }
        assert_eq!(gateway.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_project_is_gone_with_everything_in_it_on_every_replica() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let replica = gateway.replica().await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = make(&gateway, &account, &json!({"name": "staging"})).await;
        let key = made["api_key"].as_str().unwrap();
        gateway.post_once("/v1/customers", key, "once", &customer("u")).await.expect(201);
        gateway.post("/v1/customers", &account.key, &customer("u")).await.expect(201);
        replica.get("/v1/customers", key).await.expect(200);
        let chosen = |gateway: &Gateway| {
            let request = gateway.request(Method::GET, "/v1/customers").bearer_auth(&account.token);
            let request = request.header("x-echo-project", id(&made));
            async { Answer::of(request.send().await.unwrap()).await }
        };
        chosen(&replica).await.expect(200);

        let gone = gateway.bearing(Method::DELETE, &path(&made), &account.token).await;
        assert_eq!(gone.expect(204), "");
        gateway.get("/v1/customers", key).await.assert_error(401, "unauthorized");
        chosen(&gateway).await.assert_error(404, "project_not_found");
        replica.clock.advance(Duration::from_secs(5));
        replica.get("/v1/customers", key).await.assert_error(401, "unauthorized");
        chosen(&replica).await.assert_error(404, "project_not_found");
        for method in [Method::GET, Method::DELETE] {
            let again = gateway.bearing(method, &path(&made), &account.token).await;
            again.assert_error(404, "project_not_found");
        }
        let body = json!({"name": "b"});
        let change = gateway.send(Method::PATCH, &path(&made), &account.token, &body).await;
        change.assert_error(404, "project_not_found");
        eventually("its rows are removed", Duration::from_secs(10), || async {
            let rows = gateway.rows().await;
            let left: Vec<_> = rows
                .into_iter()
                .filter(|(table, _)| ["customers", "phones", "api_keys", "idempotency_keys"].contains(table))
                .map(|(_, n)| n)
                .collect();
            if left == [1, 1, 1, 0] { Ok(()) } else { Err(left) }
        })
        .await;
        let told = eventually("its end is told", Duration::from_secs(10), || async {
            let told = lock(&gateway.fakes.deleted).clone();
            if told.is_empty() { Err(()) } else { Ok(told) }
        });
        assert_eq!(told.await[0].project_id, id(&made));
        assert_eq!(gateway.get("/v1/customers", &account.key).await.expect(200).as_array().unwrap().len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_project_stays_also_when_two_are_deleted_at_once() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let first = format!("/v1/projects/{}", account.project);
        let last = gateway.bearing(Method::DELETE, &first, &account.token).await;
        last.assert_error(409, "last_project");
        let second = path(&make(&gateway, &account, &json!({"name": "b"})).await);
        let (one, two) = tokio::join!(
            gateway.bearing(Method::DELETE, &first, &account.token),
            gateway.bearing(Method::DELETE, &second, &account.token)
        );
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409], "{} {}", one.body, two.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_has_a_hundred_projects_and_no_more() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    for _ in 1..100 {
        make(&gateway, &account, &json!({"name": "more"})).await;
    }
    let refused = gateway.send(Method::POST, "/v1/projects", &account.token, &json!({"name": "more"})).await;
    refused.assert_error(409, "project_limit_reached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn projects_of_others_are_not_there_and_a_key_changes_none() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let (mine, theirs) =
            (gateway.sign_up("a@acme.example").await, gateway.sign_up("b@acme.example").await);
        for path in [format!("/v1/projects/{}", theirs.project), "/v1/projects/nonsense".to_owned()] {
            gateway.get(&path, &mine.key).await.assert_error(404, "project_not_found");
            for method in [Method::GET, Method::DELETE] {
                let answer = gateway.bearing(method, &path, &mine.token).await;
                answer.assert_error(404, "project_not_found");
            }
            let change = gateway.send(Method::PATCH, &path, &mine.token, &json!({"name": "mine"})).await;
            change.assert_error(404, "project_not_found");
        }
        let own = format!("/v1/projects/{}", mine.project);
        gateway.post("/v1/projects", &mine.key, &json!({"name": "b"})).await.assert_error(403, "forbidden");
        for method in [Method::PATCH, Method::DELETE] {
            let request = gateway.request(method, &own).header("x-api-key", &mine.key);
            let answer = Answer::of(request.json(&json!({"name": "b"})).send().await.unwrap()).await;
            answer.assert_error(403, "forbidden");
        }
        let none = gateway.request(Method::GET, "/v1/projects").send().await.unwrap();
        Answer::of(none).await.assert_error(401, "unauthorized");
    }
}
