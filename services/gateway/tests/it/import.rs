//! Many customers in one request.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::customers::patch;
use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Gateway, Method, customer, id};

const HEADER: &str = "external_id,first_name,last_name,phone,timezone,language,email,consent_given,consent_at,consent_source,metadata.plan,note\n";
const LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv";

struct World {
    gateway: Gateway,
    account: Account,
}

impl World {
    async fn new(engine: crate::support::Engine) -> Self {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        Self { gateway, account }
    }

    fn request(&self, query: &str, kind: &str, file: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        let request = self.gateway.request(Method::POST, &format!("/v1/customers/import{query}"));
        request.header("x-api-key", &self.account.key).header("content-type", kind).body(file)
    }

    async fn import(&self, query: &str, kind: &str, file: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.request(query, kind, file).send().await.unwrap()).await
    }

    async fn found(&self, external_id: &str) -> Value {
        let path = format!("/v1/customers?external_id={external_id}");
        let found = self.gateway.get(&path, &self.account.key).await.expect(200);
        found.as_array().unwrap().first().cloned().unwrap_or(Value::Null)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_rows_of_csv_are_in_and_each_bad_one_is_named_with_its_line() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let file = format!(
            "{HEADER}\
             u1,\"An\nna\",Smith,+14155552671,,,,,,,,\n\
             u2,Zoë,\"O\"\"Neil, Jr\",+442079460018,Europe/London,en-GB,zoe@example.com,yes,2026-03-18T17:43:46Z,web-form,gold,x\n\
             u3,John,Smith,4155552671,,,,,,,,\n\
             ,John,,+14155552671,,,,,,,,\n\
             u5,John,Smith,+14155552671,Berlin,,,,,,,\n\
             u6,John,Smith,+14155552671,,,,maybe,,,,\n\
             u2,John,Smith,+14155552671,,,,,,,,\n\
             u8,John\n\
             u9,John,Smith,+14155552671,,,,,,,,\n"
        );
        let told = world.import("", CSV, file).await.expect(200);
        assert_eq!(told["imported"], 2, "{told}");
        assert_eq!(told["rejected_count"], 7);
        let named: Vec<(u64, Value, &str)> = told["rejected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                (row["line"].as_u64().unwrap(), row["external_id"].clone(), row["field"].as_str().unwrap())
            })
            .collect();
        let expected = [
            (2, json!("u1"), "first_name"),
            (5, json!("u3"), "phone"),
            (6, Value::Null, "external_id"),
            (7, json!("u5"), "timezone"),
            (8, json!("u6"), "consent_given"),
            (9, json!("u2"), "external_id"),
            (10, Value::Null, ""),
        ];
        assert_eq!(named, expected, "{told}");
        assert!(told["rejected"][5]["problem"].as_str().unwrap().contains("line 4"));
        let made = world.found("u2").await;
        assert_eq!((&made["first_name"], &made["last_name"]), (&json!("Zoë"), &json!("O\"Neil, Jr")));
        assert_eq!(made["metadata"], json!({"plan": "gold"}));
        assert_eq!((&made["timezone"], &made["language"]), (&json!("Europe/London"), &json!("en-GB")));
        assert_eq!(
            made["consent"],
            json!({"given": true, "at": "2026-03-18T17:43:46.000Z", "source": "web-form"})
        );
        let phone = &made["phones"][0];
        assert_eq!((&phone["value"], &phone["is_primary"]), (&json!("+442079460018"), &json!(true)));
        let path = format!("/v1/customers/{}", id(&made));
        assert_eq!(world.gateway.get(&path, &world.account.key).await.expect(200), made);
        patch(&world.gateway, &path, &world.account, &json!({"email": null})).await.expect(200);
        let plain = world.found("u9").await;
        assert_eq!((&plain["metadata"], &plain["consent"]), (&json!({}), &Value::Null));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_lines_of_json_are_in_and_each_bad_one_is_named() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        world.gateway.post("/v1/customers", &world.account.key, &customer("taken")).await.expect(201);
        let mut rich = customer("u1");
        rich["metadata"] = json!({"a": {"b": [1, 2.5, null, true, 18_446_744_073_709_551_615_u64]}});
        rich["consent"] = json!({"given": false});
        let mut file = format!("{rich}\n\n{}\nno json\n[]\n", customer("taken")).into_bytes();
        file.extend(b"{\"external_id\": \"\xff\"}\n");
        file.extend(format!("{}", customer("u7")).into_bytes());
        let told = world.import("", LINES, file).await.expect(200);
        assert_eq!(told["imported"], 2, "{told}");
        let named: Vec<(u64, &str)> = told["rejected"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["line"].as_u64().unwrap(), row["field"].as_str().unwrap()))
            .collect();
        assert_eq!(named, [(3, "external_id"), (4, ""), (5, ""), (6, "")]);
        assert!(told["rejected"][3]["problem"].as_str().unwrap().contains("UTF-8"));
        let made = world.found("u1").await;
        assert_eq!(made["metadata"], rich["metadata"]);
        assert_eq!(
            (&made["consent"]["given"], &made["consent"]["source"]),
            (&json!(false), &json!("import"))
        );
        // They are customers like any other.
        let order = json!({"customer_id": made["id"], "message": "Hello"});
        world.gateway.post("/v1/notifications", &world.account.key, &order).await.expect(201);
        assert_eq!(lock(&world.gateway.fakes.placed)[0].customer.clone().unwrap().phone_e164, "+14155552671");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_taken_external_id_updates_its_customer_when_that_is_asked_for() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let mut first = customer("u1");
        first["metadata"] = json!({"plan": "gold"});
        first["email"] = json!("john@example.com");
        let made = world.gateway.post("/v1/customers", &world.account.key, &first).await.expect(201);
        let file = format!(
            "{HEADER}u1,Jim,Smith,+442079460018,Asia/Kolkata,,,,,,,\nu2,New,Smith,+33612345678,,,,,,,,\n\
             u2,Newer,Smith,+33612345678,,,,,,,,\n"
        );
        let told = world.import("?on_conflict=update", CSV, file.clone()).await.expect(200);
        assert_eq!(told, json!({"imported": 3, "rejected": [], "rejected_count": 0}));
        let now = world.found("u1").await;
        assert_eq!((&now["id"], &now["first_name"]), (&made["id"], &json!("Jim")));
        assert_eq!((&now["metadata"], &now["email"]), (&made["metadata"], &made["email"]));
        let phones: Vec<(&Value, &Value)> =
            now["phones"].as_array().unwrap().iter().map(|p| (&p["value"], &p["is_primary"])).collect();
        assert_eq!(
            phones,
            [(&json!("+14155552671"), &json!(false)), (&json!("+442079460018"), &json!(true))]
        );
        assert_eq!(world.found("u2").await["first_name"], "Newer");
        let changed = eventually("the change", Duration::from_secs(10), || async {
            lock(&world.gateway.fakes.changed).first().cloned().ok_or("nothing yet")
        })
        .await;
        assert_eq!(changed.standing.unwrap().time_zone, "Asia/Kolkata");
        // The same again changes nothing.
        let again = world.import("?on_conflict=update", CSV, file).await.expect(200);
        assert_eq!(again["imported"], 3);
        assert_eq!(world.found("u1").await, now);
        let rejected =
            world.import("?on_conflict=reject", LINES, customer("u1").to_string()).await.expect(200);
        assert_eq!(rejected["rejected"][0]["problem"], "is taken");
        world.import("?on_conflict=merge", LINES, "").await.assert_fields(&["on_conflict"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_customers_are_taken_in_by_one_request() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let mut file = HEADER.to_owned();
        for n in 1..=10_000 {
            writeln!(file, "row{n},John,Smith,+1415{:07},America/New_York,,,,,,,", 2_000_000 + n).unwrap();
        }
        let answer = world.request("", CSV, file).header("Idempotency-Key", "k").send().await.unwrap();
        let told = Answer::of(answer).await.expect(200);
        assert_eq!(told, json!({"imported": 10_000, "rejected": [], "rejected_count": 0}));
        let rows = world.gateway.rows().await;
        assert!(rows.contains(&("customers", 10_000)) && rows.contains(&("phones", 10_000)), "{rows:?}");
        for n in [1, 500, 501, 10_000] {
            let made = world.found(&format!("row{n}")).await;
            assert_eq!(made["phones"][0]["value"], json!(format!("+1415{:07}", 2_000_000 + n)));
            assert_eq!(made["timezone"], "America/New_York");
        }
        // The last row is the newest.
        let newest = world.gateway.get("/v1/customers?limit=1", &world.account.key).await.expect(200);
        assert_eq!(newest[0]["external_id"], "row10000");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_import_under_the_same_key_answers_the_same_also_after_it_broke_off() {
    for engine in ENGINES {
        let world = World::new(engine).await;
        let file = format!("{HEADER}u1,John,Smith,+14155552671,,,,,,,,\nu2,,,,,,,,,,,\n");
        let send = |file: String, query: &'static str| {
            let request = world.request(query, CSV, file).header("Idempotency-Key", "k");
            async { Answer::of(request.send().await.unwrap()).await }
        };
        let first = send(file.clone(), "").await;
        assert_eq!(first.header("idempotent-replayed"), None);
        let first = first.expect(200);
        assert_eq!((&first["imported"], &first["rejected_count"]), (&json!(1), &json!(1)));
        let again = send(file.clone(), "").await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"));
        assert_eq!(again.expect(200), first);
        send(format!("{file}u3,a,b,+14155552671,,,,,,,,\n"), "")
            .await
            .assert_error(422, "idempotency_mismatch");
        send(file.clone(), "?on_conflict=update").await.assert_error(422, "idempotency_mismatch");
        // As if whoever worked on it had died before it could keep its answer.
        world
            .gateway
            .execute("UPDATE idempotency_keys SET status = NULL, answer = NULL, lease_until = NULL")
            .await;
        assert_eq!(send(file, "").await.expect(200), first);
        assert!(world.gateway.rows().await.contains(&("customers", 1)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_cannot_be_a_file_of_customers_leaves_nothing_behind() {
    let world = World::new(crate::support::Engine::Sqlite).await;
    let before = world.gateway.rows().await;
    let good = customer("u1").to_string();
    for kind in ["application/json", "text/plain", "text/csv; charset=latin1", ""] {
        world.import("", kind, good.clone()).await.assert_error(415, "unsupported_media_type");
    }
    let large = format!("{good}\n{}", " ".repeat(16 * 1024 * 1024));
    world.import("", LINES, large).await.assert_error(413, "payload_too_large");
    world.import("", CSV, "external_id,phone,phone\n").await.assert_fields(&[
        "first_name",
        "last_name",
        "phone",
    ]);
    world.import("", CSV, "").await.assert_fields(&["external_id", "first_name", "last_name", "phone"]);
    assert_eq!(world.gateway.rows().await, before);
    let nothing = json!({"imported": 0, "rejected": [], "rejected_count": 0});
    assert_eq!(world.import("", LINES, "\n\n").await.expect(200), nothing);
    assert_eq!(world.import("", CSV, HEADER).await.expect(200), nothing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_most_ten_thousand_rejected_rows_are_named_and_all_are_counted() {
    let world = World::new(crate::support::Engine::Sqlite).await;
    let told = world.import("", LINES, "{}\n".repeat(10_500)).await.expect(200);
    assert_eq!((&told["imported"], &told["rejected_count"]), (&json!(0), &json!(10_500)));
    let named = told["rejected"].as_array().unwrap();
    assert_eq!((named.len(), &named[9_999]["line"]), (10_000, &json!(10_000)));
    assert_eq!(named[0]["problem"], "is required (and 3 more wrong fields)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_has_at_most_twenty_numbers_also_by_import() {
    let world = World::new(crate::support::Engine::Sqlite).await;
    let made = world.gateway.post("/v1/customers", &world.account.key, &customer("u1")).await.expect(201);
    let path = format!("/v1/customers/{}/phones", id(&made));
    for n in 1..20 {
        let body = json!({"value": format!("+141555520{n:02}")});
        world.gateway.post(&path, &world.account.key, &body).await.expect(201);
    }
    let mut row = customer("u1");
    row["first_name"] = json!("Jim");
    row["phone"] = json!("+442079460018");
    let told = world.import("?on_conflict=update", LINES, row.to_string()).await.expect(200);
    assert_eq!((&told["imported"], &told["rejected"][0]["field"]), (&json!(0), &json!("phone")));
    assert_eq!(world.found("u1").await["first_name"], "John");
}
