//! Agents: all that they may say about their calls, changing them, their versions, and what signs their requests.

use serde_json::{Value, json};

use crate::customers::{delete, patch};
use crate::fakes::lock;
use crate::support::{Account, ENGINES, Gateway, Method, agent, customer, id};

/// An agent with everything that it can set, which knows what an app of its business knows.
async fn everything(gateway: &Gateway, account: &Account) -> Value {
    let app = id(&gateway.post("/v1/apps", &account.key, &json!({"name": "a"})).await.expect(201));
    json!({
        "name": "Table Booker",
        "system_prompt": "Say \"Hello\" and ask how many guests come. Then end the call.",
        "output_schema": {"type": "object", "properties": {"guests": {"type": "integer"}}},
        "language": "en-GB",
        "voice": "Polly.Amy",
        "first_message": "Hello, this is Acme.",
        "max_duration_seconds": 300,
        "voicemail_message": "Please ring us back.",
        "transfer_number": "+442079460018",
        "knowledge_app_id": app,
        "tools": [{
            "name": "free_tables",
            "description": "Looks up free tables.",
            "parameters": {"type": "object", "properties": {"guests": {"type": "integer"}}},
            "url": "https://example.com/tables"
        }],
        "reschedule": {"slots": ["2026-03-19T10:00:00.000Z"]}
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_8_an_agent_has_its_documented_fields_and_ours_beside_them() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let whole = everything(&gateway, &account).await;
        let made = gateway.post("/api/v1/agents", &account.key, &whole).await.expect(201);
        for (field, value) in whole.as_object().unwrap() {
            assert_eq!(&made[field], value, "{field}");
        }
        assert_eq!(made["business_id"], json!(account.business));
        assert_eq!((&made["status"], &made["version"]), (&json!("active"), &json!(1)));
        assert_eq!((&made["required_variables"], &made["warnings"]), (&json!([]), &json!([])));
        let path = format!("/v1/agents/{}", id(&made));
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), made);

        let plain = gateway.post("/v1/agents", &account.key, &agent("a")).await.expect(201);
        assert!(plain.get("output_schema").is_none(), "absent when there is none");
        for field in [
            "language",
            "voice",
            "first_message",
            "voicemail_message",
            "transfer_number",
            "knowledge_app_id",
            "reschedule",
        ] {
            assert_eq!(plain[field], Value::Null, "{field}");
        }
        assert_eq!((&plain["tools"], &plain["max_duration_seconds"]), (&json!([]), &json!(600)));
        assert_eq!(gateway.get("/v1/agents", &account.key).await.expect(200), json!([plain, made]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_8_an_update_changes_what_is_sent_and_makes_a_version() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made =
            gateway.post("/v1/agents", &account.key, &everything(&gateway, &account).await).await.expect(201);
        let path = format!("/v1/agents/{}", id(&made));
        let changes = json!({"name": "Booker", "voice": null, "tools": null, "reschedule": {"url": "https://x.example/b"}});
        let changed = patch(&gateway, &path, &account, &changes).await.expect(200);
        let mut expected = made.clone();
        expected["name"] = json!("Booker");
        expected["voice"] = Value::Null;
        expected["tools"] = json!([]);
        expected["reschedule"] = json!({"url": "https://x.example/b"});
        expected["version"] = json!(2);
        expected["updated_at"] = changed["updated_at"].clone();
        assert_eq!(changed, expected);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), changed);

        for nothing in
            [json!({}), json!({"name": "Booker", "unknown": 1}), json!({"status": "active", "voice": null})]
        {
            assert_eq!(patch(&gateway, &path, &account, &nothing).await.expect(200), changed, "{nothing}");
        }
        let wrong = json!({"name": null, "output_schema": {"type": "object", "properties": {"a": {"type": "whole"}}}, "status": "asleep"});
        let refused = patch(&gateway, &path, &account, &wrong).await;
        refused.assert_fields(&["name", "output_schema/properties/a/type", "status"]);
        patch(&gateway, &path, &account, &json!("x")).await.assert_fields(&[""]);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), changed);
        let without = patch(&gateway, &path, &account, &json!({"output_schema": null})).await.expect(200);
        assert!(without.get("output_schema").is_none());
        assert_eq!(without["version"], 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_updates_at_once_are_two_versions_and_none_is_lost() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made =
            gateway.post("/v1/agents", &account.key, &everything(&gateway, &account).await).await.expect(201);
        let path = format!("/v1/agents/{}", id(&made));
        let changes = [json!({"name": "A"}), json!({"voice": "woman"}), json!({"first_message": "Hi."})];
        let (one, two, three) = tokio::join!(
            patch(&gateway, &path, &account, &changes[0]),
            patch(&gateway, &path, &account, &changes[1]),
            patch(&gateway, &path, &account, &changes[2]),
        );
        for answer in [one, two, three] {
            answer.expect(200);
        }
        let now = gateway.get(&path, &account.key).await.expect(200);
        assert_eq!(now["version"], 4);
        assert_eq!(
            (&now["name"], &now["voice"], &now["first_message"]),
            (&json!("A"), &json!("woman"), &json!("Hi."))
        );
        let versions = gateway.get(&format!("{path}/versions"), &account.key).await.expect(200);
        let numbers: Vec<i64> =
            versions.as_array().unwrap().iter().map(|v| v["version"].as_i64().unwrap()).collect();
        assert_eq!(numbers, [4, 3, 2, 1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_8_a_disabled_agent_stays_readable_cannot_be_used_and_can_be_enabled_again() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made =
            gateway.post("/v1/agents", &account.key, &everything(&gateway, &account).await).await.expect(201);
        let other = gateway.post("/v1/agents", &account.key, &agent("other")).await.expect(201);
        let rung = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        let order = json!({"customer_id": id(&rung), "agent_id": id(&made)});
        let path = format!("/v1/agents/{}", id(&made));

        let disabled = delete(&gateway, &path, &account).await.expect(200);
        assert_eq!((&disabled["status"], &disabled["version"]), (&json!("disabled"), &json!(2)));
        assert_eq!(delete(&gateway, &path, &account).await.expect(200), disabled);
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), disabled);
        gateway.post("/v1/notifications", &account.key, &order).await.assert_error(409, "agent_disabled");
        let list = |query: &'static str| gateway.get(query, &account.key);
        assert_eq!(list("/v1/agents").await.expect(200), json!([other, disabled]));
        assert_eq!(list("/v1/agents?status=active").await.expect(200), json!([other]));
        assert_eq!(list("/v1/agents?status=disabled").await.expect(200), json!([disabled]));

        let enabled = patch(&gateway, &path, &account, &json!({"status": "active"})).await.expect(200);
        assert_eq!((&enabled["status"], &enabled["version"]), (&json!("active"), &json!(3)));
        gateway.post("/v1/notifications", &account.key, &order).await.expect(201);
        let placed = lock(&gateway.fakes.placed)[0].agent.clone().unwrap();
        assert_eq!(placed.version, 3);
        let statuses: Vec<Value> = gateway
            .get(&format!("{path}/versions"), &account.key)
            .await
            .expect(200)
            .as_array()
            .unwrap()
            .iter()
            .map(|version| version["status"].clone())
            .collect();
        assert_eq!(statuses, ["active", "disabled", "active"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn versions_are_listed_from_the_newest_page_by_page_and_read_one_by_one() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let whole = everything(&gateway, &account).await;
        let made = gateway.post("/v1/agents", &account.key, &whole).await.expect(201);
        let path = format!("/v1/agents/{}", id(&made));
        for n in 2..=5 {
            patch(&gateway, &path, &account, &json!({"name": format!("v{n}")})).await.expect(200);
        }
        let mut numbers = Vec::new();
        let mut next = format!("{path}/versions?limit=2");
        loop {
            let answer = gateway.get(&next, &account.key).await;
            let cursor = answer.header("x-next-cursor").map(str::to_owned);
            numbers.extend(
                answer.expect(200).as_array().unwrap().iter().map(|v| v["version"].as_i64().unwrap()),
            );
            let Some(cursor) = cursor else { break };
            next = format!("{path}/versions?limit=2&cursor={cursor}");
        }
        assert_eq!(numbers, [5, 4, 3, 2, 1]);
        let first = gateway.get(&format!("{path}/versions/1"), &account.key).await.expect(200);
        for (field, value) in whole.as_object().unwrap() {
            assert_eq!(&first[field], value, "{field}");
        }
        assert_eq!((&first["agent_id"], &first["created_at"]), (&made["id"], &made["created_at"]));
        assert_eq!(gateway.get(&format!("{path}/versions/3"), &account.key).await.expect(200)["name"], "v3");
        for version in ["0", "6", "-1", "one", "99999999999"] {
            let missing = gateway.get(&format!("{path}/versions/{version}"), &account.key).await;
            missing.assert_error(404, "agent_version_not_found");
        }
        let theirs = gateway.sign_up("b@acme.example").await;
        gateway.get(&format!("{path}/versions"), &theirs.key).await.assert_error(404, "agent_not_found");
        gateway
            .get(&format!("{path}/versions/1"), &theirs.key)
            .await
            .assert_error(404, "agent_version_not_found");
        patch(&gateway, &path, &theirs, &json!({"name": "x"})).await.assert_error(404, "agent_not_found");
        delete(&gateway, &path, &theirs).await.assert_error(404, "agent_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_signing_secret_of_an_agent_is_the_dispatchers() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/agents", &account.key, &agent("a")).await.expect(201);
        let path = format!("/v1/agents/{}/signing-secret", id(&made));
        let secret = gateway.get(&path, &account.key).await.expect(200);
        assert_eq!(secret["signing_secret"], json!(format!("whsec_{:064}", 0)));
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), secret);
        let rotated = gateway.post(&format!("{path}/rotate"), &account.key, &json!({})).await.expect(200);
        assert_eq!(rotated["signing_secret"], json!(format!("whsec_{}", "f".repeat(64))));
        assert_eq!(gateway.get(&path, &account.key).await.expect(200), rotated);
        assert!(lock(&gateway.fakes.targets).contains_key(&(account.business.clone(), id(&made))));

        let theirs = gateway.sign_up("b@acme.example").await;
        gateway.get(&path, &theirs.key).await.assert_error(404, "agent_not_found");
        gateway
            .post(&format!("{path}/rotate"), &theirs.key, &json!({}))
            .await
            .assert_error(404, "agent_not_found");
        gateway.execute("UPDATE memberships SET role = 'viewer'").await;
        for (method, path) in [(Method::GET, path.clone()), (Method::POST, format!("{path}/rotate"))] {
            let request = gateway.request(method, &path).bearer_auth(&account.token);
            assert_eq!(request.send().await.unwrap().status(), 403, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_1_12_the_guidance_of_prompts_comes_back_as_warnings() {
    let gateway = Gateway::start(crate::support::Engine::Sqlite).await;
    let account = gateway.sign_up("jane@acme.example").await;
    let poor = json!({
        "name": "Poor",
        "system_prompt": "You are calling {recipient_name} of {{recipientFirstName}} and want to know the things that are \
                          needed for {{order_id}}. Ask \"Your name? Your age? Your town?\" of the person, and be friendly to them.",
        "output_schema": {"type": "object", "properties": {"favourite_colour": {"type": "string"}}}
    });
    let made = gateway.post("/v1/agents", &account.key, &poor).await.expect(201);
    let said = made["warnings"].as_array().unwrap();
    for part in [
        "{{recipient_first_name}} meant?",
        "{{recipient_name}} meant?",
        "questions at once",
        "call ends",
        "favourite_colour",
    ] {
        assert!(said.iter().any(|warning| warning.as_str().unwrap().contains(part)), "{part}: {said:?}");
    }
    assert_eq!(said.len(), 5, "{said:?}");
    assert_eq!(made["required_variables"], json!(["order_id", "recipientFirstName"]));
}
