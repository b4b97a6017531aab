//! What projects call with: an account of their own, the sandbox, or the operator's; and what becomes of it.

use std::time::Duration;

use common::db::{DbError, sql};
use contracts::accounts::ProjectDeleted;
use contracts::calls::DialRequested;
use contracts::ids::ProjectId;
use contracts::rpc::{Context, RpcError};
use contracts::telephony::put_carrier_request::Carrier;
use contracts::telephony::{
    CarriersClient, FindCarrierRequest, GetCarrierRequest, ProjectCarrier, PutCarrierRequest,
    RemoveCarrierRequest, Sandbox, TwilioAccount,
};
use diesel::RunQueryDsl as _;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::other_carrier::{NUMBER, OtherCarrier};
use crate::world::{NOBODY_ANSWERS, PATIENCE, World};

/// Picks up and says yes.
const CONFIRMS: &str = "+14155550101";

on_both_engines![
    a_project_calls_with_its_own_account_beside_one_that_has_none,
    a_call_ends_with_the_account_it_was_made_with,
    a_project_that_chose_the_sandbox_rings_no_real_phone,
    a_call_may_come_from_another_number_of_the_account,
    an_account_that_twilio_refuses_is_not_taken,
    a_number_belongs_to_one_project,
    the_same_account_again_brings_its_new_token,
    each_account_has_a_pace_of_its_own,
    a_token_is_sealed_and_forgotten_a_day_after_its_end,
    a_number_is_set_up_only_when_that_is_wanted,
];

impl World {
    pub(crate) fn carriers(&self) -> CarriersClient {
        CarriersClient::new(self.orchestrator.platform().caller)
    }

    pub(crate) async fn put(&self, project: ProjectId, carrier: Carrier) -> Result<ProjectCarrier, RpcError> {
        let request = PutCarrierRequest { project_id: project.to_string(), carrier: Some(carrier) };
        self.carriers().put_carrier(Context::within(PATIENCE), request).await
    }

    pub(crate) async fn connected(&self, project: ProjectId, own: TwilioAccount) -> ProjectCarrier {
        self.put(project, Carrier::Twilio(own)).await.unwrap()
    }

    async fn carrier_of(&self, project: ProjectId) -> ProjectCarrier {
        let request = GetCarrierRequest { project_id: project.to_string() };
        self.carriers().get_carrier(Context::within(PATIENCE), request).await.unwrap()
    }

    async fn found(&self, project: ProjectId) -> bool {
        let request = FindCarrierRequest { project_id: project.to_string() };
        self.carriers().find_carrier(Context::within(PATIENCE), request).await.unwrap().found
    }
}

pub(crate) fn wish_of(world: &World, project: ProjectId, to: &str) -> DialRequested {
    DialRequested { project_id: project.to_string(), ..world.wish(to) }
}

async fn a_project_calls_with_its_own_account_beside_one_that_has_none(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let own = ProjectId::new();
    let shown = world.connected(own, other.own()).await;
    assert_eq!(
        (shown.kind.as_str(), shown.phone_number.as_str(), shown.calls_per_second),
        ("twilio", NUMBER, 1)
    );
    assert_eq!(shown, world.carrier_of(own).await);
    assert_eq!(world.carrier_of(world.project).await.kind, "operator");

    let (theirs, ours) = (wish_of(&world, own, CONFIRMS), world.wish(CONFIRMS));
    world.publish(&[theirs.clone(), ours.clone()]).await;
    // The conversation, its reports and its end: all signed with the token of the account that dialled.
    world.status(&theirs, "in_progress").await;
    world.status(&ours, "in_progress").await;
    assert_eq!((other.dialled(CONFIRMS).await, world.dialled(CONFIRMS).await), (1, 1));
    let sid = world.accepted(&theirs).await;
    let call = other.says(&format!("calls/{sid}")).await;
    assert_eq!(call["from"], NUMBER);
    eventually("words to be asked for", PATIENCE, || async {
        if world.orchestrator.asked().len() >= 2 { Ok(()) } else { Err(world.orchestrator.asked()) }
    })
    .await;
}

async fn a_call_ends_with_the_account_it_was_made_with(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let own = ProjectId::new();
    world.connected(own, other.own()).await;
    let wish = wish_of(&world, own, NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    other.has(&sid, "ringing").await;

    let remove = RemoveCarrierRequest { project_id: own.to_string() };
    world.carriers().remove_carrier(Context::within(PATIENCE), remove).await.unwrap();
    assert_eq!(world.carrier_of(own).await.kind, "operator");
    world.publish(&[World::stop_of(&wish)]).await;
    other.has(&sid, "canceled").await;
    world.status(&wish, "canceled").await;

    let next = wish_of(&world, own, NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&next)).await;
    world.accepted(&next).await;
    assert_eq!((other.dialled(NOBODY_ANSWERS).await, world.dialled(NOBODY_ANSWERS).await), (1, 1));
}

async fn a_project_that_chose_the_sandbox_rings_no_real_phone(engine: Engine) {
    let other = OtherCarrier::start().await;
    let operators = [
        ("ECHO_CARRIER", "twilio"),
        ("ECHO_TWILIO_API_URL", &other.url),
        ("ECHO_TWILIO_ACCOUNT_SID", &other.account),
        ("ECHO_TWILIO_AUTH_TOKEN", &other.token),
        ("ECHO_TWILIO_FROM", NUMBER),
    ];
    let world = World::with(engine, &operators).await;
    let staging = ProjectId::new();
    let shown = world.put(staging, Carrier::Sandbox(Sandbox {})).await.unwrap();
    assert_eq!((shown.kind.as_str(), shown.phone_number.as_str()), ("sandbox", "+15005550006"));
    assert_eq!(
        world.put(staging, Carrier::Sandbox(Sandbox {})).await.unwrap(),
        shown,
        "the same choice again"
    );
    let (theirs, ours) = (wish_of(&world, staging, NOBODY_ANSWERS), world.wish(NOBODY_ANSWERS));
    world.publish(&[theirs.clone(), ours.clone()]).await;
    world.accepted(&theirs).await;
    world.accepted(&ours).await;
    assert_eq!((other.dialled(NOBODY_ANSWERS).await, world.dialled(NOBODY_ANSWERS).await), (1, 1));
    world.status(&theirs, "ringing").await;
    world.status(&ours, "ringing").await;

    let without = World::without_sandbox(engine).await;
    let refused = without.put(staging, Carrier::Sandbox(Sandbox {})).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Conflict { code, .. } if code == "no_sandbox"), "{refused}");
}

async fn a_call_may_come_from_another_number_of_the_account(engine: Engine) {
    let other = OtherCarrier::start().await;
    let operators = [
        ("ECHO_CARRIER", "twilio"),
        ("ECHO_TWILIO_API_URL", &other.url),
        ("ECHO_TWILIO_ACCOUNT_SID", &other.account),
        ("ECHO_TWILIO_AUTH_TOKEN", &other.token),
        ("ECHO_TWILIO_FROM", "+15005550188"),
    ];
    let world = World::with(engine, &operators).await;
    let named = DialRequested { from_e164: NUMBER.to_owned(), ..world.wish(NOBODY_ANSWERS) };
    world.publish(std::slice::from_ref(&named)).await;
    let sid = world.accepted(&named).await;
    assert_eq!(other.says(&format!("calls/{sid}")).await["from"], NUMBER);
}

async fn an_account_that_twilio_refuses_is_not_taken(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url), ("ECHO_CARRIER", "twilio")]).await;
    let project = world.project;
    let none = "0".repeat(32);
    for (field, wrong) in [
        ("auth_token", TwilioAccount { auth_token: "another".to_owned(), ..other.own() }),
        ("auth_token", TwilioAccount { account_sid: format!("AC{none}"), ..other.own() }),
        ("account_sid", TwilioAccount { account_sid: "AC1".to_owned(), ..other.own() }),
        ("phone_number_sid", TwilioAccount { phone_number_sid: format!("PN{none}"), ..other.own() }),
        ("phone_number_sid", TwilioAccount { phone_number_sid: "x".to_owned(), ..other.own() }),
    ] {
        let refused = world.put(project, Carrier::Twilio(wrong)).await.unwrap_err();
        let RpcError::Invalid { field: blamed, problem } = &refused else { panic!("{refused}") };
        assert_eq!(blamed, field, "{problem}");
        assert!(!problem.contains(&other.token), "{problem}");
    }
    let nothing = world.carrier_of(project).await;
    assert_eq!((nothing.kind.as_str(), nothing.status.as_str()), ("operator", "missing"));
    assert!(!world.found(project).await);

    let own = other.own();
    drop(other);
    let away = world.put(project, Carrier::Twilio(own)).await.unwrap_err();
    assert!(matches!(away, RpcError::Unavailable(_)), "{away}");
}

async fn a_number_belongs_to_one_project(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let (first, second) = (ProjectId::new(), ProjectId::new());
    world.connected(first, other.own()).await;
    let refused = world.put(second, Carrier::Twilio(other.own())).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Conflict { code, .. } if code == "number_in_use"), "{refused}");
    assert_eq!(world.carrier_of(second).await.kind, "operator");
    // It is free again when its project is gone.
    world.publish(&[ProjectDeleted { project_id: first.to_string() }]).await;
    eventually("the number to be free", PATIENCE, || async {
        world.put(second, Carrier::Twilio(other.own())).await.map(drop).map_err(|e| e.to_string())
    })
    .await;
    assert_eq!(world.carrier_of(first).await.kind, "operator");
}

async fn the_same_account_again_brings_its_new_token(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let first = world.connected(world.project, other.own()).await;
    world.clock.advance(Duration::from_secs(5));
    let faster = TwilioAccount { calls_per_second: 7, ..other.own() };
    let second = world.connected(world.project, faster).await;
    assert_eq!(second.calls_per_second, 7);
    assert_eq!(second.created_at_ms, first.created_at_ms, "it is the same carrier");
    assert!(second.updated_at_ms > first.updated_at_ms);
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    world.status(&wish, "ringing").await;
}

async fn each_account_has_a_pace_of_its_own(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let own = ProjectId::new();
    world.connected(own, other.own()).await;
    // One call a second: the sixth has its turn in five seconds, and waits for that outside.
    let theirs: Vec<DialRequested> =
        (0..6).map(|n| wish_of(&world, own, &format!("+1415555020{n}"))).collect();
    world.publish(&theirs).await;
    world.one_put_off().await;
    let ours = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&ours)).await;
    world.accepted(&ours).await;
    let dialled = world.orchestrator.heard.lock().unwrap().accepted.len();
    assert!(dialled < 7, "those of the slow account are not all out");
    for wish in &theirs {
        world.accepted(wish).await;
    }
}

/// The tokens of the projects' accounts, as the table has them.
pub(crate) async fn stored_tokens(world: &World) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Stored {
        #[diesel(sql_type = sql::Text)]
        auth_token: String,
    }
    let tables = world.tables();
    let read = tables.read(|db| {
        let rows: Result<Vec<Stored>, _> =
            diesel::sql_query("SELECT auth_token FROM project_carriers").load(db);
        rows.map_err(DbError::from)
    });
    read.await.unwrap().into_iter().map(|row| row.auth_token).collect()
}

async fn a_token_is_sealed_and_forgotten_a_day_after_its_end(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    world.connected(world.project, other.own()).await;
    let stored = stored_tokens(&world).await;
    assert!(stored.len() == 1 && stored[0].len() > 40 && !stored[0].contains(&other.token), "{stored:?}");
    let remove = RemoveCarrierRequest { project_id: world.project.to_string() };
    world.carriers().remove_carrier(Context::within(PATIENCE), remove).await.unwrap();
    let _kept_for_its_calls = world.replica().await;
    assert_eq!(stored_tokens(&world).await.len(), 1);
    world.clock.advance(Duration::from_secs(26 * 3600));
    let _next_start = world.replica().await;
    eventually("the token to be forgotten", PATIENCE, || async {
        let stored = stored_tokens(&world).await;
        if stored.is_empty() { Ok(()) } else { Err(stored.len()) }
    })
    .await;
}

async fn a_number_is_set_up_only_when_that_is_wanted(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let number_sid = other.number_sid.parse().unwrap();
    world.connected(world.project, other.own()).await;
    assert_eq!(other.rest().fetch_number(&number_sid).await.unwrap().voice_url, None);
    let wanted = TwilioAccount { configure_number: true, ..other.own() };
    world.connected(world.project, wanted.clone()).await;
    let number = other.rest().fetch_number(&number_sid).await.unwrap();
    let starts = |url: &Option<String>, path: &str| {
        url.as_ref().is_some_and(|url| url.starts_with(&format!("{}/v1/{path}#", world.base)))
    };
    assert!(starts(&number.voice_url, "voice"), "{number:?}");
    assert!(starts(&number.status_callback, "voice-status"), "{number:?}");

    let trunk = twilio::rest::UpdateNumber { trunk_sid: Some("TK1".to_owned()), ..Default::default() };
    other.rest().update_number(&number_sid, &trunk).await.unwrap();
    let refused = world.put(world.project, Carrier::Twilio(wanted)).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Conflict { code, .. } if code == "number_has_trunk"), "{refused}");
}
