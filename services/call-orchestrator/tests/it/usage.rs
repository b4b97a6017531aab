//! What a project has used, counted once.

use std::time::Duration;

use common::clock::from_millis;
use contracts::accounts::ProjectPolicy;
use contracts::calls::DialRequested;
use contracts::ids::{CallId, ProjectId};
use contracts::telephony::CallPriced;
use serde_json::json;
use testkit::database::Engine;
use testkit::model_server::Script;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, by_agent, by_message, completed, heard};

on_both_engines![
    calls_are_counted_once_on_the_day_on_which_they_end,
    the_models_tokens_are_added_up_by_call_and_by_day,
    a_price_that_is_told_twice_is_counted_once,
    a_month_that_has_cost_as_much_as_it_may_lets_the_next_call_wait,
    different_currencies_are_not_added_up_and_a_test_carriers_money_is_none,
];

/// What the bridge tells of a call's price.
fn priced(dial: &DialRequested, micros: i64) -> CallPriced {
    CallPriced {
        attempt_id: dial.attempt_id.clone(),
        call_id: dial.call_id.clone(),
        project_id: dial.project_id.clone(),
        amount_micros: micros,
        currency: "USD".to_owned(),
    }
}

impl World {
    /// Tells what a call costs, and waits until it is known.
    async fn tell_price(&self, messages: &[CallPriced]) {
        self.publish(messages).await;
        self.quiet().await;
    }
}

async fn the_models_tokens_are_added_up_by_call_and_by_day(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let counted = |answer, tokens| Script::Counted { answer: Box::new(answer), tokens };
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    assert_eq!(world.calls(&placed.id).await[0].tokens_in, None, "a fixed opening asks no model");
    model.push(counted(Script::Say(vec!["Good.".to_owned()]), (100, 5)));
    world.whole_turn(&dial, 1, heard("Yes, that works for me.")).await;
    // Longer than anybody listens: what it costs is said behind what is spoken.
    model.push(counted(Script::Say(vec!["A sentence. ".repeat(100); 4]), (110, 900)));
    world.whole_turn(&dial, 2, heard("Tell me more.")).await;
    let read = json!({"value": {"confirmed": true}, "evidence": {}, "summary": "They agreed."});
    model.push(counted(Script::Json(read), (300, 40)));
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    let look = || async {
        let call = world.calls(&placed.id).await.remove(0);
        let used = (call.tokens_in, call.tokens_out);
        if used == (Some(510), Some(945)) { Ok(()) } else { Err(used) }
    };
    eventually("the tokens of the call", PATIENCE, look).await;
    let days = world.usage().await;
    assert_eq!((days.len(), days[0].tokens_in, days[0].tokens_out), (1, Some(510), Some(945)));
}

async fn a_price_that_is_told_twice_is_counted_once(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.complete(&dial, 9).await;
    let ended = from_millis(world.summary(&placed.id).await.ended_at_ms).date_naive().to_string();
    world.pass(Duration::from_secs(24 * 3600)).await;
    world.tell_price(&[priced(&dial, 14_000), priced(&dial, 14_000)]).await;
    world.tell_price(&[priced(&dial, 99_000)]).await;
    let call = world.calls(&placed.id).await.remove(0);
    assert_eq!((call.cost_micros, call.currency.as_str()), (Some(14_000), "USD"));
    let days = world.usage().await;
    assert_eq!(
        days.iter().map(|d| (d.day.clone(), d.cost_micros)).collect::<Vec<_>>(),
        [(ended, Some(14_000))]
    );
    // Of a call that is not this project's, nothing is written down.
    let other = CallPriced { project_id: ProjectId::new().to_string(), ..priced(&dial, 5) };
    world.tell_price(&[other, CallPriced { call_id: CallId::new().to_string(), ..priced(&dial, 5) }]).await;
    assert_eq!((world.count("call_costs").await, world.count("usage_days").await), (1, 1));
}

async fn a_month_that_has_cost_as_much_as_it_may_lets_the_next_call_wait(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { monthly_spend_cap_cents: 5, ..world.policy(2) }).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    world.tell_price(&[priced(&dial, 49_999)]).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    assert_eq!(placed.status, "in_progress", "a cent is left");
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    world.tell_price(&[priced(&dial, 1)]).await;
    let waits = world.place(by_agent(world.project)).await;
    assert_eq!((waits.status.as_str(), waits.blocked_by.as_str()), ("queued", "monthly_spend_cap"));
    assert!(world.dials_of(&waits.call_id).is_empty());
}

async fn calls_are_counted_once_on_the_day_on_which_they_end(engine: Engine) {
    let world = World::new(engine).await;
    assert!(world.usage().await.is_empty());
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.whole_turn(&dial, 1, heard("Yes, Thursday works.")).await;
    world.pass(Duration::from_secs(60)).await;
    let now = world.clock.now().timestamp_millis();
    // The carrier says it twice, and once more with another number.
    let report = completed(&dial, 9, now, 45);
    world.publish(&[report.clone(), report, completed(&dial, 10, now, 45)]).await;
    let talked = world.summary(&placed.id).await.duration_ms;
    assert!(talked >= 45_000, "{talked}");

    let (unanswered, ringing) = world.ring(by_message(world.project)).await;
    world.publish(&[crate::world::progressed(&ringing, "no_answer", 3, now)]).await;
    world.summary(&unanswered.id).await;
    // One that was never dialled is no call.
    world.suppress("+14155552671", "").await;
    world.place(by_message(world.project)).await;
    world.quiet().await;

    let days = world.usage().await;
    assert_eq!(days.len(), 1, "{days:?}");
    let day = &days[0];
    assert_eq!(day.day, world.clock.now().date_naive().to_string());
    assert_eq!((day.calls, day.answered, day.talk_ms), (2, 1, talked.unsigned_abs()));
    assert_eq!((day.tokens_in, day.tokens_out, day.cost_micros), (None, None, None));

    world.pass(Duration::from_secs(24 * 3600)).await;
    let (next, dial) = world.ring(world.for_number("+14155550001")).await;
    let now = world.clock.now().timestamp_millis();
    world.publish(&[crate::world::progressed(&dial, "busy", 3, now)]).await;
    world.summary(&next.id).await;
    let days = world.usage().await;
    assert_eq!(days.iter().map(|d| d.calls).collect::<Vec<_>>(), [2, 1]);
}

async fn different_currencies_are_not_added_up_and_a_test_carriers_money_is_none(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { monthly_spend_cap_cents: 5, ..world.policy(2) }).await;
    for (micros, currency) in [(40_000, "USD"), (30_000, "EUR"), (90_000, "XTS")] {
        let (placed, dial) = world.talk(by_agent(world.project)).await;
        world.complete(&dial, 9).await;
        world.summary(&placed.id).await;
        world.tell_price(&[CallPriced { currency: currency.to_owned(), ..priced(&dial, micros) }]).await;
        let call = world.calls(&placed.id).await.remove(0);
        assert_eq!((call.cost_micros, call.currency.as_str()), (micros.try_into().ok(), currency));
    }
    assert_eq!(world.usage().await[0].cost_micros, Some(40_000));
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    assert_eq!(placed.status, "in_progress", "a cent of each is left");
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    world.tell_price(&[CallPriced { currency: "EUR".to_owned(), ..priced(&dial, 20_000) }]).await;
    assert_eq!(world.usage().await[0].cost_micros, Some(50_000));
    let waits = world.place(by_agent(world.project)).await;
    assert_eq!(waits.blocked_by, "monthly_spend_cap");
}
