//! The outbox and its relay: what the bus does not take waits by itself and holds up nothing behind it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::bus::{Cause, Outgoing, PublishError, Publisher};
use common::db::outbox::{self, OutboxNumbers};
use common::db::{DbError, sql};
use common::metrics::Metrics;
use contracts::accounts::CancelNotification;
use contracts::calls::DialRequested;
use contracts::message::Message as _;
use diesel::RunQueryDsl as _;
use testkit::database::{Engine, TestDatabase};
use testkit::on_both_engines;
use testkit::wait::eventually;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

on_both_engines!(
    what_cannot_be_routed_holds_up_nothing_behind_it_and_goes_out_when_it_can,
    what_a_bus_refuses_again_and_again_holds_up_nothing_behind_it,
);

const PATIENCE: Duration = Duration::from_secs(60);
const NO_HURRY: Duration = Duration::ZERO;
/// Longer than anything is set aside.
const HURRY: Duration = Duration::from_secs(31);
/// More than one batch.
const MANY: usize = 250;

type Rule = fn(&Outgoing) -> Result<(), PublishError>;

/// A bus that takes what its rule takes.
struct Bus {
    rule: Mutex<Rule>,
    taken: Mutex<Vec<Uuid>>,
}

#[async_trait]
impl Publisher for Bus {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), PublishError>> {
        let rule = *self.rule.lock().unwrap();
        let answers: Vec<_> = batch.iter().map(rule).collect();
        let taken = batch.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()).map(|(m, _)| m.id);
        self.taken.lock().unwrap().extend(taken);
        answers
    }
}

/// A relay from a database to such a bus.
struct Relay {
    test: TestDatabase,
    bus: Arc<Bus>,
    metrics: Metrics,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

#[derive(diesel::QueryableByName, Debug, PartialEq)]
struct Waiting {
    #[diesel(sql_type = sql::Integer)]
    attempts: i32,
    #[diesel(sql_type = sql::Text)]
    reason: String,
}

impl Relay {
    async fn start(engine: Engine, rule: Rule) -> Self {
        let test = TestDatabase::new(engine, &[]).await;
        let bus = Arc::new(Bus { rule: Mutex::new(rule), taken: Mutex::default() });
        let (metrics, stop) = (Metrics::default(), CancellationToken::new());
        let numbers = OutboxNumbers::new(&metrics).of("gateway");
        let publisher: Arc<dyn Publisher> = bus.clone();
        let relay = outbox::relay(test.database.clone(), publisher, numbers, stop.clone());
        let task = tokio::spawn(relay);
        Self { test, bus, metrics, stop, task }
    }

    /// Stages wishes to dial, and behind them one withdrawal.
    async fn stage(&self, dials: usize) {
        let staged = self.test.database.write(move |tx| {
            let cause = Cause::own("project");
            (0..dials).try_for_each(|_| tx.stage(&DialRequested::default(), &cause))?;
            tx.stage(&CancelNotification::default(), &cause)
        });
        staged.await.map_err(|e: DbError| e.to_string()).unwrap();
    }

    /// `hurry`: what was set aside becomes due at once.
    async fn taken(&self, count: usize, hurry: Duration) {
        eventually("messages to be taken", PATIENCE, || async {
            self.test.clock.advance(hurry);
            let taken = self.bus.taken.lock().unwrap().len();
            if taken >= count { Ok(()) } else { Err(taken) }
        })
        .await;
    }

    async fn waiting(&self) -> Vec<Waiting> {
        let rows = "SELECT attempts, reason FROM outbox WHERE reason IS NOT NULL";
        self.test.database.read(move |db| Ok::<_, DbError>(diesel::sql_query(rows).load(db)?)).await.unwrap()
    }

    async fn end(self) {
        eventually("an empty outbox", PATIENCE, || async {
            let depth = self.test.database.read(outbox::depth).await.unwrap();
            if depth == 0 { Ok(()) } else { Err(depth) }
        })
        .await;
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

fn only_withdrawals(message: &Outgoing) -> Result<(), PublishError> {
    if message.routing_key == CancelNotification::routing_key() {
        return Ok(());
    }
    Err(PublishError::Unroutable(message.routing_key.clone()))
}

async fn what_cannot_be_routed_holds_up_nothing_behind_it_and_goes_out_when_it_can(engine: Engine) {
    let relay = Relay::start(engine, only_withdrawals).await;
    relay.stage(MANY).await;
    relay.taken(1, NO_HURRY).await;
    let waiting = eventually("all others to be set aside", PATIENCE, || async {
        let waiting = relay.waiting().await;
        if waiting.len() == MANY { Ok(waiting) } else { Err(waiting.len()) }
    })
    .await;
    let reason = PublishError::Unroutable(DialRequested::routing_key()).to_string();
    assert!(waiting.iter().all(|row| row.attempts >= 1 && row.reason == reason), "{:?}", waiting[0]);
    let numbers = relay.metrics.rendered();
    assert!(
        numbers.contains(r#"echo_outbox_failures_total{reason="unroutable",service="gateway"}"#),
        "{numbers}"
    );

    *relay.bus.rule.lock().unwrap() = |_| Ok(());
    relay.taken(1 + MANY, HURRY).await;
    relay.end().await;
}

fn withdrawals_or_nothing(message: &Outgoing) -> Result<(), PublishError> {
    only_withdrawals(message).map_err(|_| PublishError::Unconfirmed("refused".to_owned()))
}

/// A whole batch of refused messages looks like a bus that is away; the next batch has its turn all the same.
async fn what_a_bus_refuses_again_and_again_holds_up_nothing_behind_it(engine: Engine) {
    let relay = Relay::start(engine, withdrawals_or_nothing).await;
    relay.stage(MANY).await;
    relay.taken(1, NO_HURRY).await;
    *relay.bus.rule.lock().unwrap() = |_| Ok(());
    relay.taken(1 + MANY, HURRY).await;
    relay.end().await;
}
