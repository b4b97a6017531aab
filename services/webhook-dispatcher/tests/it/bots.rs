//! What bots tell their owners: a delivery like any other, to an endpoint that is the bot's own.

use std::time::Duration;

use common::db::{DbError, sql};
use contracts::accounts::{ProjectDeleted, ProjectPolicy, ProjectPolicyChanged};
use contracts::calls::BotCompleted;
use contracts::ids::{BotId, BusinessId, CallId, DeliveryId, EventId, ProjectId};
use contracts::rpc::RpcError;
use contracts::webhooks::{
    BotWebhooksClient, CallNowOutcome, CallNowRequest, Delivery as Shown, Endpoint, ListBotDeliveriesRequest,
    ListBotDeliveriesResponse, ListDeliveriesRequest, ListEndpointsRequest, MoveBotWebhookRequest,
    RemoveBotWebhookRequest, RetryBotDeliveryRequest, RevealTargetRequest, RotateBotSecretRequest, Target,
    TargetsClient,
};
use diesel::RunQueryDsl as _;
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::receiver::{Receiver, Reply};
use crate::world::{Delivery, World, context};

on_both_engines![
    a_bot_tells_its_owner_once_signed_with_its_secret,
    what_a_bot_did_in_a_call_stands_in_its_log_and_is_not_done_again,
    what_was_not_received_is_sent_again_and_stands_in_the_log_with_every_attempt,
    the_log_is_its_bots_own_and_comes_by_pages_and_status,
    nothing_is_told_to_this_machine_or_its_neighbours,
    what_had_failed_is_sent_again_when_somebody_wants_it,
    both_secrets_are_good_for_a_day_after_a_rotation,
    its_project_does_not_see_the_webhook_of_a_bot_and_has_as_many_endpoints_as_before,
    the_address_is_that_of_the_newest_call_or_the_one_that_the_bot_was_given_since,
    a_webhook_that_wants_nothing_more_is_switched_on_again_by_whoever_cares,
    a_bot_that_is_gone_tells_nothing_any_more,
    with_a_project_go_what_its_bots_told_and_what_they_would_have_told,
    what_a_project_keeps_no_longer_of_its_bots_goes,
];

/// A bot, and where it tells what its calls brought.
struct Bot {
    business: BusinessId,
    id: BotId,
    url: String,
}

/// When the first call came in.
const AT_MS: i64 = 1_773_855_826_714;

impl Bot {
    fn at(url: &str) -> Self {
        Self { business: BusinessId::new(), id: BotId::new(), url: url.to_owned() }
    }

    fn completed(&self, world: &World) -> BotCompleted {
        BotCompleted {
            event_id: EventId::new().to_string(),
            project_id: world.project.to_string(),
            business_id: self.business.to_string(),
            bot_id: self.id.to_string(),
            webhook: self.url.clone(),
            call_id: CallId::new().to_string(),
            carrier_call_sid: "CA0123456789abcdef0123456789abcdef".to_owned(),
            goal: "Book table".to_owned(),
            outcome: "completed".to_owned(),
            collected_json: r#"{"people": 4}"#.to_owned(),
            evidence_json: r#"{"people": {"status": "grounded", "turn": 1, "quote": "for 4"}}"#.to_owned(),
            transcript: "AI: Hi.\nCustomer: A table for 4.".to_owned(),
            started_at_ms: AT_MS,
            ended_at_ms: AT_MS + 42_500,
            duration_ms: 42_500,
            ended_reason: "customer-ended-call".to_owned(),
        }
    }

    /// Somebody rang it.
    async fn tells(&self, world: &World) -> BotCompleted {
        let message = self.completed(world);
        world.publish(std::slice::from_ref(&message)).await;
        message
    }

    async fn secret(&self, world: &World) -> Result<Target, RpcError> {
        let (business_id, owner_id) = (self.business.to_string(), self.id.to_string());
        let request = RevealTargetRequest { business_id, owner_id };
        TargetsClient::new(world.caller()).reveal_target(context(), request).await
    }

    fn log_request(&self) -> ListBotDeliveriesRequest {
        let (business_id, bot_id) = (self.business.to_string(), self.id.to_string());
        ListBotDeliveriesRequest { business_id, bot_id, limit: 100, ..Default::default() }
    }

    async fn log(&self, world: &World) -> ListBotDeliveriesResponse {
        client(world).list_bot_deliveries(context(), self.log_request()).await.unwrap()
    }

    async fn retry(&self, world: &World, delivery: &str) -> Result<Shown, RpcError> {
        let request = RetryBotDeliveryRequest {
            business_id: self.business.to_string(),
            bot_id: self.id.to_string(),
            delivery_id: delivery.to_owned(),
        };
        client(world).retry_bot_delivery(context(), request).await
    }

    async fn move_to(&self, world: &World, url: &str) -> Result<(), RpcError> {
        let request = MoveBotWebhookRequest {
            business_id: self.business.to_string(),
            bot_id: self.id.to_string(),
            url: url.to_owned(),
            project_id: world.project.to_string(),
        };
        client(world).move_bot_webhook(context(), request).await.map(drop)
    }

    async fn rotate(&self, world: &World) -> Result<Target, RpcError> {
        let (business_id, bot_id) = (self.business.to_string(), self.id.to_string());
        client(world).rotate_bot_secret(context(), RotateBotSecretRequest { business_id, bot_id }).await
    }

    async fn remove(&self, world: &World) {
        let (business_id, bot_id) = (self.business.to_string(), self.id.to_string());
        let request = RemoveBotWebhookRequest { business_id, bot_id };
        client(world).remove_bot_webhook(context(), request).await.unwrap();
    }

    async fn act(&self, world: &World) -> CallNowRequest {
        CallNowRequest {
            project_id: world.project.to_string(),
            business_id: self.business.to_string(),
            owner_id: self.id.to_string(),
            url: self.url.clone(),
            event_id: EventId::new().to_string(),
            body_json: "{}".to_owned(),
            deadline_ms: 5000,
        }
    }
}

fn client(world: &World) -> BotWebhooksClient {
    BotWebhooksClient::new(world.caller())
}

async fn a_bot_tells_its_owner_once_signed_with_its_secret(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let bot = Bot::at(&receiver.url);
    let secret = bot.secret(&world).await.unwrap().signing_secret;
    let told = bot.tells(&world).await;
    world.until_one_is("success", 1).await;
    world.publish(std::slice::from_ref(&told)).await;
    let second = bot.tells(&world).await;
    let both = |rows: &[Delivery]| rows.iter().filter(|d| d.status == "success").count() == 2;
    assert_eq!(world.until("two successes", both).await.len(), 2);

    let received = receiver.received();
    let mut ids: Vec<&str> = received.iter().map(|r| r.header("webhook-id")).collect();
    ids.sort_unstable();
    assert_eq!(ids, [&told.event_id, &second.event_id]);
    for request in &received {
        request.assert_signed_with(&secret);
        assert!(request.verifies_with(&secret));
    }
    assert_eq!(
        received[0].json(),
        json!({
            "event_id": told.event_id, "event_name": "bot.completed", "bot_id": told.bot_id,
            "call_sid": "CA0123456789abcdef0123456789abcdef", "timestamp": "2026-03-18T17:44:29.214Z",
            "data": {
                "goal": "Book table", "outcome": "completed", "collected": {"people": 4},
                "evidence": {"people": {"status": "grounded", "turn": 1, "quote": "for 4"}},
                "transcript": "AI: Hi.\nCustomer: A table for 4.", "started_at": "2026-03-18T17:43:46.714Z",
                "ended_at": "2026-03-18T17:44:29.214Z", "duration_seconds": 42.5,
                "ended_reason": "customer-ended-call"
            }
        })
    );
    // A bot whose secret nobody has asked for yet has one all the same.
    let other = Bot::at(&receiver.url);
    other.tells(&world).await;
    let third = receiver.wait_for(3).await.remove(2);
    third.assert_signed_with(&other.secret(&world).await.unwrap().signing_secret);
    assert!(!third.is_signed_with(&secret));
}

async fn what_a_bot_did_in_a_call_stands_in_its_log_and_is_not_done_again(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let bot = Bot::at(&receiver.url);
    receiver.answer_once(Reply::Body(200, br#"{"say": "Booked."}"#));
    receiver.answer_once(Reply::Status(503));
    let mut asked = Vec::new();
    for count in 1..=2 {
        let request = CallNowRequest { body_json: r#"{"n": 1}"#.to_owned(), ..bot.act(&world).await };
        asked.push(request.event_id.clone());
        TargetsClient::new(world.caller()).call_now(context(), request).await.unwrap();
        world.until("the line in the log", |rows| rows.len() == count).await;
    }
    let told = bot.tells(&world).await;
    world.until("the summary", |rows| rows.iter().filter(|d| d.status == "success").count() == 2).await;
    let log = bot.log(&world).await.deliveries;
    let line = |n: usize| (log[n].delivery.clone().unwrap(), log[n].attempts.clone());
    let named = |n: usize| (line(n).0.event_name, line(n).0.event_id);
    assert_eq!(named(0), ("bot.completed".to_owned(), told.event_id));
    assert_eq!(named(1), ("bot.action".to_owned(), asked[1].clone()));
    assert_eq!(named(2), ("bot.action".to_owned(), asked[0].clone()));
    let (booked, attempts) = line(2);
    assert_eq!((&*booked.status, booked.attempt_count, &*booked.payload_json), ("success", 1, r#"{"n": 1}"#));
    let [attempt] = attempts.as_slice() else { panic!("{attempts:?}") };
    assert_eq!(
        (attempt.http_status, attempt.response_body.as_deref()),
        (Some(200), Some(r#"{"say": "Booked."}"#))
    );
    let (failed, attempts) = line(1);
    assert_eq!((&*failed.status, attempts[0].http_status, attempts[0].success), ("failed", Some(503), false));
    assert_eq!(failed.next_retry_at_ms, None);
    let only_failed = ListBotDeliveriesRequest { status: "failed".to_owned(), ..bot.log_request() };
    let only_failed = client(&world).list_bot_deliveries(context(), only_failed).await.unwrap().deliveries;
    assert_eq!(only_failed.len(), 1);
    let again = bot.retry(&world, &failed.id).await.unwrap_err();
    assert!(
        matches!(&again, RpcError::Conflict { code, .. } if code == "delivery_not_repeatable"),
        "{again}"
    );
    assert_eq!(receiver.received().len(), 3, "nothing is done twice");
}

async fn what_was_not_received_is_sent_again_and_stands_in_the_log_with_every_attempt(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Body(500, b"not today"));
    let bot = Bot::at(&receiver.url);
    assert_eq!(bot.log(&world).await, ListBotDeliveriesResponse::default());
    let told = bot.tells(&world).await;
    world.until_one_is("retrying", 1).await;
    world.clock.advance(Duration::from_secs(66));
    world.until_one_is("success", 2).await;
    let page = bot.log(&world).await;
    let [logged] = page.deliveries.as_slice() else { panic!("{page:?}") };
    let shown = logged.delivery.clone().unwrap();
    assert_eq!((&*shown.event_id, &*shown.event_name), (&*told.event_id, "bot.completed"));
    assert_eq!((&*shown.status, shown.attempt_count, shown.next_retry_at_ms), ("success", 2, None));
    assert_eq!(shown.payload_json.as_bytes(), receiver.received()[0].body);
    assert_eq!(receiver.received()[0].body, receiver.received()[1].body);
    let [first, second] = logged.attempts.as_slice() else { panic!("{logged:?}") };
    assert_eq!((first.http_status, first.response_body.as_deref()), (Some(500), Some("not today")));
    assert_eq!((first.attempt_number, first.success, &*first.triggered_by), (1, false, "auto"));
    assert_eq!((second.attempt_number, second.success), (2, true));
}

async fn the_log_is_its_bots_own_and_comes_by_pages_and_status(engine: Engine) {
    let world = World::new(engine).await;
    let (receiver, silent) = (Receiver::start(), Receiver::start());
    let (bot, other) = (Bot::at(&receiver.url), Bot::at(&silent.url));
    let namesake = Bot { business: BusinessId::new(), id: bot.id, url: silent.url.clone() };
    let mut events = Vec::new();
    for count in 1..=3 {
        if count == 2 {
            receiver.answer_once(Reply::Status(410));
        }
        events.push(bot.tells(&world).await.event_id);
        world
            .until("the end of all", |rows| {
                rows.len() == count && rows.iter().all(|d| d.next_retry_at.is_none())
            })
            .await;
    }
    let read = async |request: ListBotDeliveriesRequest| {
        let mut request = request;
        let mut found = Vec::new();
        loop {
            let page = client(&world).list_bot_deliveries(context(), request.clone()).await.unwrap();
            found.extend(page.deliveries.into_iter().map(|d| d.delivery.unwrap().event_id));
            if page.next_after_id.is_empty() {
                return found;
            }
            request.after_id = page.next_after_id;
        }
    };
    events.reverse();
    for limit in [1, 2, 100] {
        assert_eq!(read(ListBotDeliveriesRequest { limit, ..bot.log_request() }).await, events);
        // After the 410 it is switched off: what comes then is kept, and not sent.
        let failed = ListBotDeliveriesRequest { limit, status: "failed".to_owned(), ..bot.log_request() };
        assert_eq!(read(failed).await, events[..2]);
    }
    assert!(read(other.log_request()).await.is_empty());
    assert!(read(namesake.log_request()).await.is_empty());
    let wrong = ListBotDeliveriesRequest { status: "lost".to_owned(), ..bot.log_request() };
    let refused = client(&world).list_bot_deliveries(context(), wrong).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Invalid { field, .. } if field == "status"), "{refused}");
    let id = bot.log(&world).await.deliveries[0].delivery.clone().unwrap().id;
    for stranger in [&other, &namesake] {
        let refused = stranger.retry(&world, &id).await.unwrap_err();
        assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
    }
}

async fn nothing_is_told_to_this_machine_or_its_neighbours(engine: Engine) {
    let world = World::with(engine, &[("ECHO_CARRIER", "twilio")]).await;
    let receiver = Receiver::start();
    for url in [receiver.url.as_str(), "https://10.0.0.1/book"] {
        let bot = Bot::at(url);
        bot.tells(&world).await;
        let refused = || async {
            let log = bot.log(&world).await;
            let attempt = log.deliveries.first().and_then(|d| d.attempts.first()).cloned();
            attempt.filter(|a| a.error_message.is_some()).ok_or(log)
        };
        let attempt = eventually("an attempt that ended", Duration::from_secs(20), refused).await;
        assert!(attempt.error_message.unwrap().contains("in a private, loopback"));
    }
    assert!(receiver.received().is_empty());
}

/// The only delivery of a bot.
async fn only(bot: &Bot, world: &World) -> String {
    let page = bot.log(world).await;
    let [logged] = page.deliveries.as_slice() else { panic!("{page:?}") };
    logged.delivery.clone().unwrap().id
}

async fn what_had_failed_is_sent_again_when_somebody_wants_it(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Status(500));
    let bot = Bot::at(&receiver.url);
    bot.tells(&world).await;
    for (attempt, minutes) in [(1, 1), (2, 5), (3, 30)] {
        world.until_one_is("retrying", attempt).await;
        world.clock.advance(Duration::from_secs(minutes * 66));
    }
    world.until_one_is("failed", 4).await;
    let id = only(&bot, &world).await;
    receiver.answer_once(Reply::Held(200));
    let asked = bot.retry(&world, &id).await.unwrap();
    assert_eq!((&*asked.id, &*asked.status), (&*id, "pending"));
    receiver.wait_for_held(1).await;
    let again = bot.retry(&world, &id).await.unwrap_err();
    assert!(matches!(&again, RpcError::Conflict { code, .. } if code == "delivery_in_progress"), "{again}");
    receiver.release();
    world.until_one_is("success", 5).await;
    let attempts = bot.log(&world).await.deliveries.remove(0).attempts;
    assert_eq!(attempts.last().unwrap().triggered_by, "manual");
    let unknown = bot.retry(&world, &DeliveryId::new().to_string()).await.unwrap_err();
    assert!(matches!(unknown, RpcError::NotFound(_)), "{unknown}");
}

async fn both_secrets_are_good_for_a_day_after_a_rotation(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let bot = Bot::at(&receiver.url);
    let old = bot.secret(&world).await.unwrap().signing_secret;
    let new = bot.rotate(&world).await.unwrap();
    assert_ne!(new.signing_secret, old);
    assert_eq!(bot.secret(&world).await.unwrap(), new);
    let new = new.signing_secret;

    bot.tells(&world).await;
    receiver.wait_for(1).await;
    let request = bot.act(&world).await;
    let acted = TargetsClient::new(world.caller()).call_now(context(), request).await.unwrap();
    assert_eq!(acted.outcome(), CallNowOutcome::Answered);
    for request in receiver.received() {
        assert!(request.verifies_with(&new) && request.verifies_with(&old));
        assert_eq!(request.header("webhook-signature").split(' ').count(), 2);
        assert_eq!(request.header("x-echo-signature"), request.echo_signature(&new));
    }
    world.clock.advance(Duration::from_secs(24 * 3600 + 1));
    bot.tells(&world).await;
    let request = bot.act(&world).await;
    receiver.wait_for(3).await;
    TargetsClient::new(world.caller()).call_now(context(), request).await.unwrap();
    for request in &receiver.received()[2..] {
        request.assert_signed_with(&new);
        assert!(!request.is_signed_with(&old));
    }
    // A bot without a secret has one then.
    let other = Bot::at(&receiver.url);
    let made = other.rotate(&world).await.unwrap();
    assert_eq!(other.secret(&world).await.unwrap(), made);
}

async fn its_project_does_not_see_the_webhook_of_a_bot_and_has_as_many_endpoints_as_before(engine: Engine) {
    let world = World::with(engine, &[("ECHO_WEBHOOK_ENDPOINT_LIMIT", "1")]).await;
    let receiver = Receiver::start();
    let bot = Bot::at(&receiver.url);
    bot.tells(&world).await;
    let row = world.until_one_is("success", 1).await;
    let project_id = world.project.to_string();
    let all = ListEndpointsRequest { project_id: project_id.clone(), limit: 100, after_id: String::new() };
    assert!(world.client().list_endpoints(context(), all).await.unwrap().endpoints.is_empty());
    let hidden =
        Endpoint { id: row.endpoint_id.0.to_string(), project_id: project_id.clone(), ..Endpoint::default() };
    let request = contracts::webhooks::GetEndpointRequest { project_id, endpoint_id: hidden.id.clone() };
    assert!(matches!(world.client().get_endpoint(context(), request).await, Err(RpcError::NotFound(_))));
    assert!(matches!(world.switch(&hidden, "disabled").await, Err(RpcError::NotFound(_))));
    let log = ListDeliveriesRequest {
        project_id: hidden.project_id.clone(),
        endpoint_id: hidden.id.clone(),
        ..Default::default()
    };
    assert!(matches!(world.log().list_deliveries(context(), log).await, Err(RpcError::NotFound(_))));
    let delivery = only(&bot, &world).await;
    assert!(matches!(world.logged(&hidden, &delivery).await, Err(RpcError::NotFound(_))));
    assert!(matches!(world.retry(&hidden, &delivery).await, Err(RpcError::NotFound(_))));

    world.endpoint(&receiver.url).await;
    let full = world.create(&receiver.url, &["call.ended"]).await.unwrap_err();
    assert!(matches!(&full, RpcError::Conflict { code, .. } if code == "webhook_limit_reached"), "{full}");
    // What else happens in the project is not told to the bot's owner.
    world.end_a_call().await;
    let two = |rows: &[Delivery]| rows.iter().filter(|d| d.status == "success").count() == 2;
    assert_eq!(world.until("two successes", two).await.len(), 2);
}

async fn the_address_is_that_of_the_newest_call_or_the_one_that_the_bot_was_given_since(engine: Engine) {
    let world = World::new(engine).await;
    let (first, second, third) = (Receiver::start(), Receiver::start(), Receiver::start());
    let bot = Bot::at(&first.url);
    bot.tells(&world).await;
    first.wait_for(1).await;
    let tells = async |at_ms: i64, url: &str, comes_to: (&Receiver, usize)| {
        let webhook = url.to_owned();
        let message = BotCompleted { webhook, started_at_ms: AT_MS + at_ms, ..bot.completed(&world) };
        world.publish(std::slice::from_ref(&message)).await;
        let received = comes_to.0.wait_for(comes_to.1).await;
        assert_eq!(received.last().unwrap().header("webhook-id"), message.event_id);
    };
    tells(2000, &second.url, (&second, 1)).await;
    // One that came in before, and ended later.
    tells(1000, &first.url, (&second, 2)).await;
    tells(2600, &second.url, (&second, 3)).await;
    tells(2500, &first.url, (&second, 4)).await;
    bot.move_to(&world, &third.url).await.unwrap();
    tells(3000, &second.url, (&third, 1)).await;
    let now = world.clock.now().timestamp_millis() - AT_MS;
    tells(now + 1000, &first.url, (&first, 2)).await;

    // What waits goes to the new address, too, and is not held up by what the old one did.
    first.answer(Reply::Status(500));
    tells(now + 2000, &first.url, (&first, 3)).await;
    let waits = |rows: &[Delivery]| rows.iter().any(|d| d.status == "retrying" && d.lease_until.is_none());
    world.until("a retry to come", waits).await;
    world.execute("UPDATE endpoints SET failed_attempts = 9, consecutive_failures = 7").await;
    bot.move_to(&world, &third.url).await.unwrap();
    world.clock.advance(Duration::from_secs(66));
    third.wait_for(2).await;
    let rows = world.until("all ended", |rows| rows.iter().all(|d| d.status == "success")).await;
    assert!(rows.iter().all(|d| d.lane == "normal"), "{rows:?}");
    let one = "SELECT COUNT(*) AS rows FROM endpoints";
    assert_eq!(count(&world, one).await, 1);
    // A call that began before its owner gave another address is told there, also where it is the first to be told.
    let (old, new) = (Receiver::start(), Receiver::start());
    let other = Bot::at(&old.url);
    other.move_to(&world, &new.url).await.unwrap();
    let request = other.act(&world).await;
    TargetsClient::new(world.caller()).call_now(context(), request).await.unwrap();
    world.publish(&[other.completed(&world)]).await;
    new.wait_for(1).await;
    assert_eq!(old.received().len(), 1, "what the bot did while it ran");
    // What a bot does says nothing about where its summary goes.
    let third_bot = Bot::at(&old.url);
    let request = third_bot.act(&world).await;
    TargetsClient::new(world.caller()).call_now(context(), request).await.unwrap();
    world
        .until("its line in the log", |rows| {
            rows.iter().filter(|d| d.endpoint_id != rows[0].endpoint_id).count() > 2
        })
        .await;
    let message = BotCompleted { webhook: new.url.clone(), ..third_bot.completed(&world) };
    world.publish(&[message]).await;
    new.wait_for(2).await;
}

async fn a_webhook_that_wants_nothing_more_is_switched_on_again_by_whoever_cares(engine: Engine) {
    let world = World::new(engine).await;
    let (receiver, other) = (Receiver::start(), Receiver::start());
    let bot = Bot::at(&receiver.url);
    let gone = async |had: usize| {
        receiver.answer_once(Reply::Status(410));
        let message = bot.tells(&world).await;
        receiver.wait_for(had + 1).await;
        let ended = |rows: &[Delivery]| rows.iter().all(|d| d.next_retry_at.is_none());
        world.until("the end", ended).await;
        message
    };
    gone(0).await;
    // The same address again: kept, and not sent.
    let kept = bot.tells(&world).await;
    let two = |rows: &[Delivery]| rows.len() == 2 && rows.iter().all(|d| d.status == "failed");
    let rows = world.until("two failures", two).await;
    assert_eq!(rows.iter().map(|d| d.attempt_count).collect::<Vec<_>>(), [1, 0]);
    // By hand.
    let id = bot.log(&world).await.deliveries[0].delivery.clone().unwrap().id;
    bot.retry(&world, &id).await.unwrap();
    assert_eq!(receiver.wait_for(2).await[1].header("webhook-id"), kept.event_id);
    bot.tells(&world).await;
    receiver.wait_for(3).await;
    // By saying where to, though it is where it was.
    gone(3).await;
    bot.move_to(&world, &receiver.url).await.unwrap();
    let now = world.clock.now().timestamp_millis();
    let later = |after: i64, url: &str| BotCompleted {
        webhook: url.to_owned(),
        started_at_ms: now + after,
        ..bot.completed(&world)
    };
    world.publish(&[later(1000, &receiver.url)]).await;
    receiver.wait_for(5).await;
    // By a call since the bot has another address.
    gone(5).await;
    world.publish(&[later(2000, &other.url)]).await;
    other.wait_for(1).await;
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = sql::BigInt)]
    rows: i64,
}

async fn count(world: &World, text: &'static str) -> i64 {
    let tables = world.tables();
    let read = tables.read(move |db| diesel::sql_query(text).get_result(db).map_err(DbError::from));
    let count: Count = read.await.unwrap();
    count.rows
}

/// Waits until nothing is left of any endpoint.
async fn until_cleared(world: &World) {
    let look = || async {
        let text = "SELECT (SELECT COUNT(*) FROM endpoints) + (SELECT COUNT(*) FROM deliveries) \
                    + (SELECT COUNT(*) FROM attempts) AS rows";
        let rows = count(world, text).await;
        if rows == 0 { Ok(()) } else { Err(rows) }
    };
    eventually("a log that is cleared away", Duration::from_secs(30), look).await;
}

async fn a_bot_that_is_gone_tells_nothing_any_more(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let (bot, other) = (Bot::at(&receiver.url), Bot::at(&receiver.url));
    receiver.answer_once(Reply::Status(500));
    bot.tells(&world).await;
    world.until_one_is("retrying", 1).await;
    let secret = other.secret(&world).await.unwrap();
    bot.remove(&world).await;
    bot.remove(&world).await;
    assert!(bot.log(&world).await.deliveries.is_empty());
    until_cleared(&world).await;
    // A call that was going on: nothing is told, and no new secret is made of which nobody knows.
    bot.tells(&world).await;
    let request = bot.act(&world).await;
    let acted = TargetsClient::new(world.caller()).call_now(context(), request).await.unwrap();
    assert_eq!(acted.outcome(), CallNowOutcome::Unreachable);
    assert!(acted.problem.contains("is gone"), "{}", acted.problem);
    for refused in [bot.secret(&world).await, bot.rotate(&world).await] {
        assert!(matches!(refused, Err(RpcError::NotFound(_))), "{refused:?}");
    }
    world.clock.advance(Duration::from_secs(66));
    other.tells(&world).await;
    world.until_one_is("success", 1).await;
    assert_eq!(receiver.received().len(), 2);
    assert_eq!(other.secret(&world).await.unwrap(), secret);
    let sealed = "SELECT COUNT(*) AS rows FROM targets WHERE secret <> ''";
    assert_eq!(count(&world, sealed).await, 1);
    // That it was there is known for a week.
    world.clock.advance(Duration::from_hours(24 * 7));
    let look = || async {
        let rows = count(&world, "SELECT COUNT(*) AS rows FROM targets").await;
        if rows == 1 { Ok(()) } else { Err(rows) }
    };
    says(&world, 30, 1).await;
    eventually("the bot to be forgotten", Duration::from_secs(30), look).await;
}

async fn with_a_project_go_what_its_bots_told_and_what_they_would_have_told(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Status(500));
    let bot = Bot::at(&receiver.url);
    bot.tells(&world).await;
    world.until_one_is("retrying", 1).await;
    world.publish(&[ProjectDeleted { project_id: ProjectId::new().to_string() }]).await;
    world.publish(&[ProjectDeleted { project_id: world.project.to_string() }]).await;
    until_cleared(&world).await;
    world.clock.advance(Duration::from_secs(66));
    assert!(bot.log(&world).await.deliveries.is_empty());
    assert_eq!(receiver.received().len(), 1);
}

/// The project says how long it keeps what was sent.
async fn says(world: &World, retention_days: u32, version: i64) {
    let project_id = world.project.to_string();
    let policy =
        ProjectPolicy { project_id: project_id.clone(), version, retention_days, ..ProjectPolicy::default() };
    world.publish(&[ProjectPolicyChanged { project_id, policy: Some(policy) }]).await;
}

async fn what_a_project_keeps_no_longer_of_its_bots_goes(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let bot = Bot::at(&receiver.url);
    bot.tells(&world).await;
    world.until_one_is("success", 1).await;
    receiver.answer(Reply::Status(500));
    bot.tells(&world).await;
    let waits = |rows: &[Delivery]| rows.iter().any(|d| d.status == "retrying" && d.lease_until.is_none());
    world.until("one that waits for its next attempt", waits).await;
    world.clock.advance(Duration::from_hours(24 * 29));
    says(&world, 28, 1).await;
    let rows = world.until("one delivery", |rows| rows.len() == 1).await;
    assert_eq!(rows[0].status, "retrying");
    assert!(world.attempts().await.iter().all(|a| !a.success), "they go with it");
}
