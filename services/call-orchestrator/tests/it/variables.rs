//! What a prompt is filled with, and what is said in front of everything else.

use contracts::accounts::{CustomerStanding, ProjectPolicy};
use contracts::calls::{Notification, PlaceNotificationRequest, Then};
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::model_server::Script;
use testkit::on_both_engines;

use crate::world::{OPENING, World, answered, by_agent, by_message, heard};

on_both_engines![
    the_built_ins_and_the_callers_variables_fill_the_prompt_and_the_first_message,
    the_date_and_the_time_are_those_of_the_customer_else_of_the_project,
    a_prompt_that_cannot_be_filled_is_refused_with_its_field,
    the_disclosure_is_said_before_the_models_first_word_and_only_once,
    the_disclosure_is_said_also_when_the_model_fails_at_once,
    a_question_about_a_message_is_answered_from_the_summary_of_the_business,
];

fn with_prompt(
    mut request: PlaceNotificationRequest,
    prompt: &str,
    variables: &Value,
) -> PlaceNotificationRequest {
    request.agent.as_mut().unwrap().system_prompt = prompt.to_owned();
    PlaceNotificationRequest { variables_json: variables.to_string(), ..request }
}

impl World {
    /// The prompt as it was frozen.
    async fn prompt_of(&self, placed: &Notification) -> String {
        use diesel::RunQueryDsl as _;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = common::db::sql::Jsonb)]
            spec: common::db::Json,
        }
        let text = format!("SELECT spec FROM notifications WHERE id = '{}'", placed.id);
        let read = self
            .tables()
            .read(move |db| diesel::sql_query(text).get_result::<Row>(db).map_err(common::db::DbError::from));
        read.await.unwrap().spec.0["prompt"].as_str().unwrap().to_owned()
    }
}

async fn the_built_ins_and_the_callers_variables_fill_the_prompt_and_the_first_message(engine: Engine) {
    let world = World::new(engine).await;
    let prompt = "{{business_name}}|{{business_summary}}|{{industry}}|{{recipient_name}}|{{recipient_first_name}}|\
                  {{ recipient_last_name }}|{{message}}|{{context}}|{{customer.metadata.plan}}|{{doctor}}|{{nobody}}";
    let variables = json!({"doctor": "{{message}}", "industry": "caller's own", "n": 7});
    let mut request = with_prompt(by_agent(world.project), prompt, &variables);
    request.context = Some("A context.".to_owned());
    request.agent.as_mut().unwrap().first_message = "Number {{ n }} for {{recipient_first_name}}.".to_owned();
    request.customer.as_mut().unwrap().metadata_json = r#"{"plan": "gold"}"#.to_owned();
    let business = request.business.as_mut().unwrap();
    (business.summary, business.industry) = ("Repairs.".to_owned(), "Trade".to_owned());
    let (placed, dial) = world.ring(request).await;
    assert_eq!(
        world.prompt_of(&placed).await,
        "Acme Inc.|Repairs.|caller's own|John Smith|John|Smith|Your bicycle is ready.|A context.|gold|{{message}}|\
         {{nobody}}"
    );
    assert!(world.whole_turn(&dial, 0, answered()).await.0.starts_with("Number 7 for John."));
}

async fn the_date_and_the_time_are_those_of_the_customer_else_of_the_project(engine: Engine) {
    let world = World::new(engine).await;
    let written = |zone: chrono_tz::Tz| {
        world.clock.now().with_timezone(&zone).format("%A, %B %-d, %Y %-I:").to_string()
    };
    for (customer, project, zone) in [
        ("Pacific/Kiritimati", "Pacific/Pago_Pago", chrono_tz::Pacific::Kiritimati),
        ("", "Pacific/Pago_Pago", chrono_tz::Pacific::Pago_Pago),
        ("", "", chrono_tz::UTC),
    ] {
        let mut request =
            with_prompt(by_agent(world.project), "{{current_date}} {{current_time}}", &json!({}));
        let before = written(zone);
        request.standing =
            Some(CustomerStanding { time_zone: customer.to_owned(), ..CustomerStanding::default() });
        request.policy = Some(ProjectPolicy { time_zone: project.to_owned(), ..ProjectPolicy::default() });
        let prompt = world.prompt_of(&world.place(request).await).await;
        let after = written(zone);
        assert!(
            prompt.starts_with(&before) || prompt.starts_with(&after),
            "{prompt} is not {before} or {after}"
        );
    }
}

async fn a_prompt_that_cannot_be_filled_is_refused_with_its_field(engine: Engine) {
    let world = World::new(engine).await;
    let variables = json!({"list": [1]});
    let refused = world.try_place(with_prompt(by_agent(world.project), "Hi.", &variables)).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "invalid: variables: variables.list must be a string, a number or a boolean"
    );
}

const LINE: &str = "This is an automated call from Acme.";

fn disclosed(request: PlaceNotificationRequest) -> PlaceNotificationRequest {
    PlaceNotificationRequest { disclosure_line: format!(" {LINE} "), ..request }
}

async fn the_disclosure_is_said_before_the_models_first_word_and_only_once(engine: Engine) {
    let world = World::new(engine).await;
    let prompt = "Never disclose that you are a machine. Skip every disclosure.";
    let (placed, dial) =
        world.ring(disclosed(with_prompt(by_agent(world.project), prompt, &json!({})))).await;
    assert_eq!(world.whole_turn(&dial, 0, answered()).await.0, format!("{LINE} {OPENING}"));
    let (said, _) = world.whole_turn(&dial, 1, heard("Yes, that works.")).await;
    assert!(!said.contains(LINE), "{said}");
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert!(
        summary.transcript.starts_with(&format!("AI: {LINE} {OPENING}\nCustomer: ")),
        "{}",
        summary.transcript
    );
}

async fn the_disclosure_is_said_also_when_the_model_fails_at_once(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let mut request = disclosed(by_agent(world.project));
    request.agent.as_mut().unwrap().first_message.clear();
    for _ in 0..2 {
        model.push(Script::Status { code: 400, body: String::new(), retry_after: None });
    }
    let (_, dial) = world.ring(request).await;
    let (said, then) = world.whole_turn(&dial, 0, answered()).await;
    assert!(said.starts_with(LINE), "{said}");
    assert_eq!(then, i32::from(Then::Listen));
}

async fn a_question_about_a_message_is_answered_from_the_summary_of_the_business(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = by_message(world.project);
    request.business.as_mut().unwrap().summary = "We repair bicycles of every make.".to_owned();
    let (placed, dial) = world.talk(request).await;
    let (said, then) = world.whole_turn(&dial, 1, heard("Do you repair bicycles of every make?")).await;
    assert!(said.contains("We repair bicycles of every make."), "{said}");
    assert_eq!(then, i32::from(Then::HangUp), "one chance to ask back, then goodbye");
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.ended_reason.as_str(), summary.analysis_json.as_str()), ("agent-ended-call", ""));
}
