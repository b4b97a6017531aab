//! `echo-standalone demo`: the five steps of the quickstart, over HTTP as anybody would take them, with the conversation as it
//! happens and the webhook verified. The customer asks two questions: one is answered from a page that an app knows, the other becomes
//! a ticket. Then it keeps serving.

mod client;
mod receiver;
mod screen;

use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Process, Running, StartError, start, until_told_to_stop};
use serde_json::{Value, json};

use client::{Account, Api, Problem};
use receiver::{Receiver, Verdict};
use screen::Screen;

/// How long the whole story may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// A two-minute call takes seconds.
const SPEED: &str = "4";

/// Runs the demo until Ctrl-C.
pub(crate) async fn run(process: Process, mut settings: Settings) -> Result<(), StartError> {
    let speed = settings.get("ECHO_SANDBOX_SPEED", SPEED.to_owned())?;
    settings.set("ECHO_SANDBOX_SPEED", speed);
    // Whatever is set for real use: a demo rings nobody.
    settings.set("ECHO_CARRIER", "sandbox");
    let log = settings.get("ECHO_LOG", "error".to_owned())?;
    settings.set("ECHO_LOG", log);
    common::telemetry::start(&settings)?;
    let screen = Screen::new();
    let folder = settings.data_dir()?;
    let running = start(process, settings, Clock::system()).await?;
    let offline =
        running.setting("OPENAI_API_KEY").is_empty() && running.setting("OPENAI_BASE_URL").is_empty();
    screen.headline(&format!("{} (data in {})", base(&running), folder.display()), offline);
    let told = tokio::select! {
        told = tell(&running, &screen, &folder) => told,
        stop = until_told_to_stop() => {
            stop?;
            screen.note("stopping");
            running.stop().await;
            return Ok(());
        }
    };
    let kept_receiver = match told {
        Ok(receiver) => receiver,
        Err(problem) => {
            running.stop().await;
            return Err(StartError::Io(std::io::Error::other(problem.0)));
        }
    };
    until_told_to_stop().await?;
    screen.note("stopping");
    kept_receiver.stop().await;
    running.stop().await;
    screen.note("stopped; the data is kept");
    Ok(())
}

fn base(running: &Running) -> String {
    format!("http://{}", running.setting("ECHO_HTTP_ADDR"))
}

async fn tell(running: &Running, screen: &Screen, folder: &std::path::Path) -> Result<Receiver, Problem> {
    let api = Api::new(&base(running), &format!("http://{}", running.setting("ECHO_SANDBOX_ADDR")))?;
    let account = Account::kept(&api, screen, folder).await?;
    let receiver = Receiver::start(account.webhook_port, &account.signing_secret).await?;
    let customer = api.project(&account, "/api/v1/customers", &account.customer_id).await?;
    let phone = customer["phones"][0]["value"].as_str().unwrap_or("the customer").to_owned();
    screen.step("5", &format!("notification: ring {phone}"));
    let placed = api
        .post(
            "/api/v1/notifications",
            Some(&account),
            &json!({
                "customer_id": account.customer_id,
                "agent_id": account.agent_id,
                "variables": {"appointment_time": "Thursday March 20th at 2:00 PM", "doctor_name": "Dr. Patel"},
            }),
        )
        .await?;
    let notification = placed["notification"]["id"].as_str().unwrap_or_default().to_owned();
    let told = tokio::time::timeout(PATIENCE, follow(&api, screen, &receiver, &notification, &phone)).await;
    let (verdict, webhook) =
        told.map_err(|_| Problem("the call did not end within two minutes".to_owned()))??;
    screen.webhook(verdict == Verdict::Genuine, &webhook);
    let ticket = tokio::time::timeout(PATIENCE, opened(&api, &account)).await;
    screen.ticket(&ticket.map_err(|_| Problem("no ticket was opened within two minutes".to_owned()))??);
    what_next(screen, &account, running, &notification);
    Ok(receiver)
}

/// Shows what is said as it is said, until the summary arrives.
async fn follow(
    api: &Api,
    screen: &Screen,
    receiver: &Receiver,
    notification: &str,
    phone: &str,
) -> Result<(Verdict, Value), Problem> {
    let mut shown = 0;
    let mut status = String::new();
    loop {
        if let Some(call) = api.carrier_call(phone).await? {
            let now = call["status"].as_str().unwrap_or_default();
            if now != status {
                screen.call(now);
                now.clone_into(&mut status);
            }
            let lines = call["transcript"].as_array().map(Vec::as_slice).unwrap_or_default();
            for line in lines.iter().skip(shown) {
                screen.said(line["by"] == "agent", line["text"].as_str().unwrap_or_default());
            }
            shown = shown.max(lines.len());
        }
        if let Some(arrived) = receiver.summary_of(notification) {
            return Ok(arrived);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The ticket of the question that the page does not answer, when it is open.
async fn opened(api: &Api, account: &Account) -> Result<Value, Problem> {
    loop {
        if let Some(newest) = api.tickets(account).await?.into_iter().next() {
            return Ok(newest);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn what_next(screen: &Screen, account: &Account, running: &Running, notification: &str) {
    let (base, sandbox) = (base(running), running.setting("ECHO_SANDBOX_ADDR"));
    let curl = |path: &str, body: &str| {
        let body = if body.is_empty() {
            String::new()
        } else {
            format!(" -H 'content-type: application/json' -d '{body}'")
        };
        format!("curl {base}{path} -H 'x-api-key: {}'{body}", account.api_key)
    };
    let customer =
        r#"{"external_id": "user_2", "first_name": "Jane", "last_name": "Doe", "phone": "+14155550101"}"#;
    let placed = format!(
        r#"{{"customer_id": "ITS ID", "agent_id": "{}", "variables": {{"appointment_time": "Friday at 9:00 AM", "doctor_name": "Dr. Patel"}}}}"#,
        account.agent_id
    );
    screen.next(&[
        ("the notification, with its result", curl(&format!("/api/v1/notifications/{notification}"), "")),
        (
            "who else picks up the phone; an account that EchoLink connects; ringing a bot",
            format!("open http://{sandbox}/"),
        ),
        (
            "a chat that answers from the same page",
            format!("open {base}/demo/widget?app_id={}", account.app_id),
        ),
        ("what people are to answer", curl(&format!("/api/apps/tickets?appId={}", account.app_id), "")),
        ("somebody who wants to reschedule", curl("/api/v1/customers", customer)),
        ("ring them", curl("/api/v1/notifications", &placed)),
        ("stop", "Ctrl-C; a second run keeps its data".to_owned()),
    ]);
}
