//! The document says of every operation which role it needs; here is held against it what the operations do.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Account, Answer, ENGINES, Gateway, Method, id};

/// From the weakest to the strongest.
const ROLES: [&str; 4] = ["viewer", "developer", "admin", "owner"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_asks_for_the_role_that_the_document_names() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let owner = gateway.sign_up("owner@acme.example").await;
        let document = Answer::of(gateway.request(Method::GET, "/openapi.json").send().await.unwrap()).await;
        let app = gateway.post("/v1/apps", &owner.key, &json!({"name": "Help"})).await.expect(201);
        let operations = operations(&document.expect(200), &owner, &id(&app));
        assert!(operations.len() > 50, "{} operations", operations.len());
        for (role, token) in tokens(&gateway, &owner).await {
            for (method, path, needed) in &operations {
                let answer = gateway.bearing(method.clone(), path, &token).await;
                let may = place(role) >= place(needed);
                assert_eq!(answer.status != 403, may, "{role}: {method} {path}: {}", answer.body);
            }
        }
        for (method, path, needed) in &operations {
            let request = gateway.request(method.clone(), path).header("x-api-key", &owner.key);
            let answer = Answer::of(request.send().await.unwrap()).await;
            let may = place("developer") >= place(needed);
            assert_eq!(answer.status != 403, may, "a key: {method} {path}: {}", answer.body);
        }
    }
}

fn place(role: &str) -> usize {
    ROLES.iter().position(|known| *known == role).unwrap_or_else(|| panic!("`{role}` is no role"))
}

/// Method, path and the role that is needed. Where a path names a thing there is none of that id.
fn operations(document: &Value, owner: &Account, app: &str) -> Vec<(Method, String, String)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let told = operation["description"].as_str().unwrap_or_default();
            let Some((_, rest)) = told.split_once("Needs at least the role `") else {
                let makes_accounts = path.starts_with("/auth/") || path == "/v1/connect-twilio";
                let is_open = operation["security"][0] == json!({});
                assert!(makes_accounts || is_open, "{method} {path} does not say what it needs");
                continue;
            };
            let role = rest.split('`').next().unwrap().to_owned();
            let nobody = Uuid::now_v7().to_string();
            let path = ["id", "key_id", "phone", "delivery", "delivery_id"]
                .iter()
                .fold(path.replace("{project}", &owner.project), |path, name| {
                    path.replace(&format!("{{{name}}}"), &nobody)
                })
                .replace("{version}", "1")
                .replace("{appId}", app);
            let path = if path.starts_with("/api/apps/") { format!("{path}?appId={app}") } else { path };
            found.push((method.to_uppercase().parse().unwrap(), path, role));
        }
    }
    found
}

/// A member of each role, by their token.
async fn tokens(gateway: &Gateway, owner: &Account) -> Vec<(&'static str, String)> {
    let mut tokens = vec![("owner", owner.token.clone())];
    for role in ["viewer", "developer", "admin"] {
        let asked = json!({"email": format!("{role}@acme.example"), "role": role});
        let invited = gateway.send(Method::POST, "/v1/members", &owner.token, &asked).await.expect(201);
        let newcomer = json!({
            "token": invited["token"], "password": "YourPassword123!", "first_name": "Max", "last_name": "Doe"
        });
        let session = gateway.auth("/auth/invitations/accept", &newcomer).await.expect(200);
        tokens.push((role, session["access_token"].as_str().unwrap().to_owned()));
    }
    tokens
}
