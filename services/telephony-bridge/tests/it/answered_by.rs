//! The verdict on who picked up is told once, while the call runs.

use testkit::database::Engine;
use testkit::on_both_engines;
use twilio::CallSid;

use crate::line::Line;
use crate::world::World;

on_both_engines![
    a_verdict_is_told_once_while_the_call_runs,
    a_verdict_on_another_call_or_after_the_end_is_not_told,
    a_machine_that_picks_up_is_told,
];

async fn verdict(line: &Line<'_>, answered_by: &str) {
    let more = [("AnsweredBy", answered_by), ("MachineDetectionDuration", "2300")];
    assert_eq!(line.post(&line.path("voice-amd"), &more).await.status, 204);
}

fn told(world: &World) -> Vec<String> {
    world.orchestrator.heard.lock().unwrap().verdicts.iter().map(|m| m.answered_by.clone()).collect()
}

async fn a_verdict_is_told_once_while_the_call_runs(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    for answered_by in ["machine_start", "machine_start", "human"] {
        verdict(&line, answered_by).await;
    }
    world.heard("the verdict", |heard| heard.verdicts.first().map(drop)).await;
    world.all_handled().await;
    assert_eq!(told(&world), ["machine_start"]);
}

async fn a_verdict_on_another_call_or_after_the_end_is_not_told(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let sid = CallSid::random().unwrap().to_string();
    verdict(&Line { world: &world, wish: line.wish.clone(), sid }, "machine_start").await;
    assert_eq!(line.report("completed", "3").await, 204);
    verdict(&line, "machine_start").await;
    world.status(&line.wish, "completed").await;
    world.all_handled().await;
    assert_eq!(told(&world), Vec::<String>::new());
}

async fn a_machine_that_picks_up_is_told(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish("+14155550107");
    world.publish(std::slice::from_ref(&wish)).await;
    world.heard("the verdict", |heard| heard.verdicts.first().map(drop)).await;
    assert_eq!(told(&world), ["machine_start"]);
}
