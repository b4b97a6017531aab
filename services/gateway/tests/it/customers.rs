//! Customers: all that is known about them, changing it, and forgetting them.

use std::time::Duration;

use common::clock::from_millis;
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Gateway, Method, customer, id};

/// A request with a body and a key, by any method.
pub(crate) async fn send(
    gateway: &Gateway,
    method: Method,
    path: &str,
    account: &Account,
    body: &Value,
) -> Answer {
    let request = gateway.request(method, path).header("x-api-key", &account.key);
    Answer::of(request.json(body).send().await.unwrap()).await
}

pub(crate) async fn patch(gateway: &Gateway, path: &str, account: &Account, body: &Value) -> Answer {
    send(gateway, Method::PATCH, path, account, body).await
}

pub(crate) async fn delete(gateway: &Gateway, path: &str, account: &Account) -> Answer {
    let request = gateway.request(Method::DELETE, path).header("x-api-key", &account.key);
    Answer::of(request.send().await.unwrap()).await
}

fn everything() -> Value {
    json!({
        "external_id": "user_1",
        "first_name": "Zoë",
        "last_name": "Smith",
        "phone": "+14155552671",
        "metadata": {"plan": "gold"},
        "timezone": "America/New_York",
        "language": "en-US",
        "email": "zoe@example.com",
        "consent": {"given": true, "at": "2026-03-18T17:43:46.714Z", "source": "web-form"}
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_9_a_customer_has_its_documented_fields_and_ours_beside_them() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/api/v1/customers", &account.key, &everything()).await.expect(201);
        for field in
            ["external_id", "first_name", "last_name", "metadata", "timezone", "language", "email", "consent"]
        {
            assert_eq!(made[field], everything()[field], "{field}");
        }
        assert_eq!(made["project_id"], json!(account.project));
        let phones = made["phones"].as_array().unwrap();
        assert_eq!(phones.len(), 1);
        assert_eq!(phones[0]["value"], "+14155552671");
        assert_eq!(phones[0]["is_primary"], true);
        assert_eq!(phones[0]["status"], "active");
        assert_eq!(phones[0]["customer_id"], made["id"]);
        let path = format!("/v1/customers/{}", id(&made));
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), made);
        let plain = gateway.post("/v1/customers", &account.key, &customer("user_2")).await.expect(201);
        for field in ["timezone", "language", "email", "consent"] {
            assert_eq!(plain[field], Value::Null, "{field}");
        }
        assert_eq!(plain["metadata"], json!({}));
        assert_eq!(gateway.get("/v1/customers", &account.key).await.expect(200), json!([plain, made]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_9_a_customer_is_looked_up_by_external_id() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("a/ü 1")).await.expect(201);
        gateway.post("/v1/customers", &account.key, &customer("other")).await.expect(201);
        let found = gateway.get("/v1/customers?external_id=a%2F%C3%BC+1", &account.key).await;
        assert_eq!(found.expect(200), json!([made]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_without_a_time_counts_from_now_and_names_where_it_came_in() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let mut body = customer("user_1");
        body["consent"] = json!({"given": false});
        let made = gateway.post("/v1/customers", &account.key, &body).await.expect(201);
        assert_eq!(made["consent"]["given"], false);
        assert_eq!(made["consent"]["source"], "api");
        assert_eq!(made["consent"]["at"], made["created_at"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_names_what_changes_and_null_removes() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &everything()).await.expect(201);
        let path = format!("/v1/customers/{}", id(&made));
        let changes = json!({"first_name": "Zoe", "email": null, "metadata": {"room": 7}, "unknown": 1});
        let changed = patch(&gateway, &path, &account, &changes).await.expect(200);
        let mut expected = made.clone();
        expected["first_name"] = json!("Zoe");
        expected["email"] = Value::Null;
        expected["metadata"] = json!({"room": 7});
        assert_eq!(changed, expected);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), expected);

        let emptied = json!({"timezone": null, "language": null, "metadata": null, "consent": null});
        let emptied = patch(&gateway, &path, &account, &emptied).await.expect(200);
        assert_eq!((&emptied["timezone"], &emptied["consent"]), (&Value::Null, &Value::Null));
        assert_eq!(emptied["metadata"], json!({}));
        assert_eq!(patch(&gateway, &path, &account, &json!({})).await.expect(200), emptied);

        let wrong =
            json!({"first_name": null, "last_name": "", "timezone": "Berlin", "phone": "+14155552672"});
        let refused = patch(&gateway, &path, &account, &wrong).await;
        refused.assert_fields(&["phone", "first_name", "last_name", "timezone"]);
        patch(&gateway, &path, &account, &json!([])).await.assert_fields(&[""]);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), emptied);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_9_a_taken_external_id_is_a_conflict_also_when_it_is_changed() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let other = gateway.post("/v1/customers", &account.key, &customer("user_2")).await.expect(201);
        gateway
            .post("/v1/customers", &account.key, &customer("user_1"))
            .await
            .assert_error(409, "external_id_taken");
        let path = format!("/v1/customers/{}", id(&other));
        let taken = patch(&gateway, &path, &account, &json!({"external_id": "user_1"})).await;
        taken.assert_error(409, "external_id_taken");
        assert_eq!(
            patch(&gateway, &path, &account, &json!({"external_id": "user_3"})).await.expect(200)["external_id"],
            "user_3"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_changes_at_once_both_count() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let path = format!("/v1/customers/{}", id(&made));
        let changes = [json!({"first_name": "A"}), json!({"last_name": "B"}), json!({"language": "fr"})];
        let (one, two, three) = tokio::join!(
            patch(&gateway, &path, &account, &changes[0]),
            patch(&gateway, &path, &account, &changes[1]),
            patch(&gateway, &path, &account, &changes[2]),
        );
        for answer in [one, two, three] {
            answer.expect(200);
        }
        let now = gateway.get(&path, &account.key).await.expect(200);
        assert_eq!(
            (&now["first_name"], &now["last_name"], &now["language"]),
            (&json!("A"), &json!("B"), &json!("fr"))
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_time_zone_or_consent_is_told_with_its_version_and_no_other() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let path = format!("/v1/customers/{}", id(&made));
        for changes in [
            json!({"first_name": "Zoe"}),
            json!({"timezone": "Asia/Kolkata"}),
            json!({"timezone": "Asia/Kolkata"}),
            json!({"consent": {"given": false, "at": "2026-03-18T17:43:46.714Z", "source": "letter"}}),
        ] {
            patch(&gateway, &path, &account, &changes).await.expect(200);
        }
        let told = eventually("two changes", Duration::from_secs(10), || async {
            let told = lock(&gateway.fakes.changed).clone();
            if told.len() >= 2 { Ok(told) } else { Err(told) }
        })
        .await;
        let standings: Vec<_> = told.into_iter().map(|told| told.standing.unwrap()).collect();
        assert_eq!(standings.iter().map(|s| s.version).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(standings[1].time_zone, "Asia/Kolkata");
        assert_eq!((&standings[1].customer_id, &standings[1].project_id), (&id(&made), &account.project));
        let consent = standings[1].consent.clone().unwrap();
        assert_eq!((consent.given, consent.source.as_str()), (false, "letter"));
        assert_eq!(from_millis(consent.at_ms).to_rfc3339(), "2026-03-18T17:43:46.714+00:00");

        let order = json!({"customer_id": id(&made), "message": "Hello"});
        gateway.post("/v1/notifications", &account.key, &order).await.expect(201);
        assert_eq!(lock(&gateway.fakes.placed)[0].standing.clone().unwrap(), standings[1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_erased_customer_is_gone_and_everybody_is_told() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let kept = || async {
            let rows = gateway.rows().await;
            rows.into_iter().filter(|(table, _)| *table != "audit").collect::<Vec<_>>()
        };
        let before = kept().await;
        let made = gateway.post_once("/v1/customers", &account.key, "k1", &everything()).await.expect(201);
        let order = json!({"customer_id": id(&made), "message": "Hello"});
        gateway.post_once("/v1/notifications", &account.key, "k2", &order).await.expect(201);
        let path = format!("/v1/customers/{}", id(&made));
        let answer = delete(&gateway, &path, &account).await;
        assert_eq!((answer.status, answer.body), (204, json!("")));
        let erased = eventually("the erasure", Duration::from_secs(10), || async {
            lock(&gateway.fakes.erased).first().cloned().ok_or("nothing yet")
        })
        .await;
        assert_eq!((erased.customer_id, erased.project_id), (id(&made), account.project.clone()));
        gateway.get(&path, &account.key).await.assert_error(404, "customer_not_found");
        delete(&gateway, &path, &account).await.assert_error(404, "customer_not_found");
        patch(&gateway, &path, &account, &json!({"first_name": "A"}))
            .await
            .assert_error(404, "customer_not_found");
        gateway.post("/v1/notifications", &account.key, &order).await.assert_error(404, "customer_not_found");
        // Kept answers had their name and number in them, too.
        eventually("an empty outbox", Duration::from_secs(10), || async {
            let now = kept().await;
            if now == before { Ok(()) } else { Err(now) }
        })
        .await;
        let audit =
            gateway.request(Method::GET, "/v1/audit?action=customer.erased").bearer_auth(&account.token);
        let audit = Answer::of(audit.send().await.unwrap()).await.expect(200);
        assert_eq!(audit[0]["target"]["id"], made["id"], "{audit}");
        gateway.post("/v1/customers", &account.key, &everything()).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_of_another_project_cannot_be_changed_or_erased() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let mine = gateway.sign_up("a@acme.example").await;
        let theirs = gateway.sign_up("b@acme.example").await;
        let made = gateway.post("/v1/customers", &theirs.key, &customer("user_1")).await.expect(201);
        let path = format!("/v1/customers/{}", id(&made));
        let phone = format!("{path}/phones/{}", id(&made["phones"][0]));
        let body = json!({"first_name": "Mallory", "value": "+14155552672"});
        for (method, path) in [
            (Method::PATCH, &path),
            (Method::DELETE, &path),
            (Method::POST, &format!("{path}/phones")),
            (Method::PATCH, &phone),
            (Method::DELETE, &phone),
        ] {
            send(&gateway, method, path, &mine, &body).await.assert_error(404, "customer_not_found");
        }
        assert_eq!(gateway.get(&path, &theirs.key).await.expect(200), made);
    }
}
