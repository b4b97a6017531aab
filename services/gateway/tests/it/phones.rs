//! The numbers of a customer: how many there are, which one is rung, and in which state they are.

use std::time::Duration;

use contracts::calls::PhoneReachabilityChanged;
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::customers::{delete, patch};
use crate::fakes::lock;
use crate::support::{Account, ENGINES, Gateway, customer, id};

struct Book {
    gateway: Gateway,
    account: Account,
    path: String,
}

impl Book {
    async fn of_one(engine: crate::support::Engine) -> Self {
        let gateway = Gateway::start(engine).await;
        let account = gateway.sign_up("jane@acme.example").await;
        let made = gateway.post("/v1/customers", &account.key, &customer("user_1")).await.expect(201);
        Self { gateway, account, path: format!("/v1/customers/{}", id(&made)) }
    }

    async fn add(&self, body: &Value) -> crate::support::Answer {
        self.gateway.post(&format!("{}/phones", self.path), &self.account.key, body).await
    }

    async fn phones(&self) -> Vec<Value> {
        let whole = self.gateway.get(&self.path, &self.account.key).await.expect(200);
        whole["phones"].as_array().unwrap().clone()
    }

    async fn primary(&self) -> String {
        let phones = self.phones().await;
        let primary: Vec<&Value> = phones.iter().filter(|p| p["is_primary"] == true).collect();
        assert_eq!(primary.len(), 1, "{phones:?}");
        primary[0]["value"].as_str().unwrap().to_owned()
    }

    fn at(&self, phone: &Value) -> String {
        format!("{}/phones/{}", self.path, id(phone))
    }

    async fn order(&self) -> crate::support::Answer {
        let customer = self.path.rsplit('/').next().unwrap();
        let order = json!({"customer_id": customer, "message": "Hello"});
        self.gateway.post("/v1/notifications", &self.account.key, &order).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_added_and_the_primary_one_moves() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        let second = book.add(&json!({"value": "+442079460018"})).await.expect(201);
        assert_eq!((&second["is_primary"], &second["status"]), (&json!(false), &json!("active")));
        assert_eq!(book.primary().await, "+14155552671");
        let third = book.add(&json!({"value": "+33612345678", "is_primary": true})).await.expect(201);
        assert_eq!(third["is_primary"], true);
        assert_eq!(book.primary().await, "+33612345678");
        let moved =
            patch(&book.gateway, &book.at(&second), &book.account, &json!({"is_primary": true})).await;
        assert_eq!(moved.expect(200)["is_primary"], true);
        assert_eq!(book.primary().await, "+442079460018");
        book.order().await.expect(201);
        let rung = lock(&book.gateway.fakes.placed)[0].customer.clone().unwrap().phone_e164;
        assert_eq!(rung, "+442079460018");
        assert_eq!(book.phones().await.len(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_cannot_be_one_or_is_there_already_is_refused() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        book.add(&json!({"value": "4155552671"})).await.assert_fields(&["value"]);
        book.add(&json!({})).await.assert_fields(&["value"]);
        book.add(&json!({"value": "+442079460018", "is_primary": "yes"}))
            .await
            .assert_fields(&["is_primary"]);
        book.add(&json!({"value": "+14155552671"})).await.assert_error(409, "phone_taken");
        let other = book.add(&json!({"value": "+442079460018"})).await.expect(201);
        let same = json!({"value": "+14155552671"});
        patch(&book.gateway, &book.at(&other), &book.account, &same).await.assert_error(409, "phone_taken");
        let wrong = json!({"value": "+1", "status": "asleep"});
        patch(&book.gateway, &book.at(&other), &book.account, &wrong)
            .await
            .assert_fields(&["value", "status"]);
        let nobody = format!("{}/phones/{}", book.path, "0198c0de-0000-7000-8000-000000000001");
        patch(&book.gateway, &nobody, &book.account, &json!({})).await.assert_error(404, "phone_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_numbers_fit_and_no_more() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        for n in 1..20 {
            book.add(&json!({"value": format!("+141555520{n:02}")})).await.expect(201);
        }
        book.add(&json!({"value": "+14155552099"})).await.assert_error(409, "phone_limit_reached");
        assert_eq!(book.phones().await.len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_primary_number_goes_last_and_without_one_nobody_is_rung() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        let first = book.phones().await[0].clone();
        let second = book.add(&json!({"value": "+442079460018"})).await.expect(201);
        delete(&book.gateway, &book.at(&first), &book.account).await.assert_error(409, "phone_is_primary");
        let stays = json!({"is_primary": false});
        patch(&book.gateway, &book.at(&first), &book.account, &stays)
            .await
            .assert_error(409, "phone_is_primary");
        assert_eq!(delete(&book.gateway, &book.at(&second), &book.account).await.status, 204);
        assert_eq!(delete(&book.gateway, &book.at(&first), &book.account).await.status, 204);
        delete(&book.gateway, &book.at(&first), &book.account).await.assert_error(404, "phone_not_found");
        assert!(book.phones().await.is_empty());
        book.order().await.assert_error(409, "no_phone");
        let again = book.add(&json!({"value": "+14155552671"})).await.expect(201);
        assert_eq!(again["is_primary"], true);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_show_whether_a_number_can_be_reached_and_who_opted_out_stays_so() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        let first = book.phones().await[0].clone();
        let shown = |reachable| PhoneReachabilityChanged {
            project_id: book.account.project.clone(),
            customer_id: book.path.rsplit('/').next().unwrap().to_owned(),
            phone_e164: first["value"].as_str().unwrap().to_owned(),
            reachable,
            at_ms: 0,
        };
        let becomes = async |status: &str| {
            let look = || async {
                let now = book.phones().await[0]["status"].clone();
                if now == status { Ok(()) } else { Err(now) }
            };
            eventually("the status of the number", Duration::from_secs(30), look).await;
        };
        book.gateway.heard(&shown(false)).await;
        becomes("unreachable").await;
        book.order().await.assert_error(409, "phone_not_active");
        book.gateway.heard(&shown(true)).await;
        becomes("active").await;
        book.order().await.expect(201);
        // Of somebody else's number, and of one that opted out, nothing is changed.
        let opted_out = json!({"status": "opted_out"});
        patch(&book.gateway, &book.at(&first), &book.account, &opted_out).await.expect(200);
        let second = book.add(&json!({"value": "+442079460018"})).await.expect(201);
        book.gateway.heard(&shown(true)).await;
        book.gateway
            .heard(&PhoneReachabilityChanged { phone_e164: "+442079460018".into(), ..shown(false) })
            .await;
        let look = || async {
            let phones = book.phones().await;
            let of = |id: &Value| phones.iter().find(|p| p["id"] == *id).unwrap()["status"].clone();
            let both = (of(&first["id"]), of(&second["id"]));
            if both == (json!("opted_out"), json!("unreachable")) { Ok(()) } else { Err(both) }
        };
        eventually("the second number to be marked", Duration::from_secs(30), look).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_call_showed_before_what_is_known_changes_nothing() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        let first = book.phones().await[0].clone();
        let second = book.add(&json!({"value": "+442079460018"})).await.expect(201);
        let shown = |of: &Value, reachable, at_ms| PhoneReachabilityChanged {
            project_id: book.account.project.clone(),
            customer_id: book.path.rsplit('/').next().unwrap().to_owned(),
            phone_e164: of["value"].as_str().unwrap().to_owned(),
            reachable,
            at_ms,
        };
        let begun = book.gateway.clock.now().timestamp_millis();
        // Each round ends with the second number's, which is heard whatever became of the first.
        let mut round = 0;
        let mut hears = async |messages: &[(bool, i64)], expected: &str| {
            for (reachable, at_ms) in messages {
                book.gateway.heard(&shown(&first, *reachable, begun + at_ms)).await;
            }
            round += 1;
            let reachable = round % 2 == 0;
            book.gateway.heard(&shown(&second, reachable, begun + round)).await;
            let last = if reachable { "active" } else { "unreachable" };
            let look = || async {
                let phones = book.phones().await;
                let of = |id: &Value| phones.iter().find(|p| p["id"] == *id).unwrap()["status"].clone();
                let both = (of(&first["id"]), of(&second["id"]));
                if both == (json!(expected), json!(last)) { Ok(()) } else { Err(both) }
            };
            eventually("both numbers", Duration::from_secs(30), look).await;
        };
        // Somebody else may have had the number then.
        hears(&[(false, -60_000)], "active").await;
        hears(&[(false, 1000)], "unreachable").await;
        hears(&[(true, 500)], "unreachable").await;
        hears(&[(true, 2000)], "active").await;
        // That somebody picked up again is newer knowledge, though it changes nothing.
        hears(&[(true, 4000)], "active").await;
        hears(&[(false, 3000)], "active").await;
        // And so is what somebody says.
        book.gateway.clock.advance(Duration::from_secs(60));
        patch(&book.gateway, &book.at(&first), &book.account, &json!({"status": "active"})).await.expect(200);
        hears(&[(false, 5000)], "active").await;
        hears(&[(false, 120_000)], "unreachable").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_not_active_is_not_rung() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        let first = book.phones().await[0].clone();
        for status in ["unreachable", "opted_out"] {
            let changed =
                patch(&book.gateway, &book.at(&first), &book.account, &json!({"status": status})).await;
            assert_eq!(changed.expect(200)["status"], status);
            let refused = book.order().await;
            refused.assert_error(409, "phone_not_active");
            assert!(refused.body["message"].as_str().unwrap().contains(status));
        }
        patch(&book.gateway, &book.at(&first), &book.account, &json!({"status": "active"})).await.expect(200);
        book.order().await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_numbers_at_once_leave_one_primary() {
    for engine in ENGINES {
        let book = Book::of_one(engine).await;
        let (a, b) = (
            json!({"value": "+442079460018", "is_primary": true}),
            json!({"value": "+33612345678", "is_primary": true}),
        );
        let (one, two) = tokio::join!(book.add(&a), book.add(&b));
        one.expect(201);
        two.expect(201);
        book.primary().await;
        assert_eq!(book.phones().await.len(), 3);
    }
}
