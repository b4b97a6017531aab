//! What the first command of the README shows: the program is run as it is shipped, and its screen is read.

#![cfg(test)]

use std::path::Path;
use std::time::Duration;

use testkit::processes::{Process, Program, free_address};
use testkit::wait::eventually;

/// Longer than the demo's call takes on a busy machine.
const TELLS_WITHIN: Duration = Duration::from_secs(120);

/// A demo with its data in this folder.
fn demo(folder: &Path, run: &str) -> Process {
    let mut environment = vec![("ECHO_DATA_DIR".to_owned(), folder.join("data").display().to_string())];
    for name in ["ECHO_HTTP_ADDR", "ECHO_OPS_ADDR", "ECHO_SANDBOX_ADDR"] {
        environment.push((name.to_owned(), free_address().to_string()));
    }
    Process::start(Program {
        name: format!("the {run} demo"),
        command: vec![env!("CARGO_BIN_EXE_echo-standalone").to_owned(), "demo".to_owned()],
        environment,
        log: folder.join(run),
    })
}

/// Waits for the end of the story, stops the demo as Ctrl-C does, and answers all that was on the screen.
async fn watched(folder: &Path, run: &str) -> String {
    let mut process = demo(folder, run);
    let screen = || std::fs::read_to_string(folder.join(run)).expect("a screen");
    eventually("the story to be told", TELLS_WITHIN, || {
        let (text, ended) = (screen(), process.ended());
        async move {
            assert!(ended.is_none(), "it ended ({ended:?}):\n{text}");
            if text.contains("Still serving") { Ok(()) } else { Err(text) }
        }
    })
    .await;
    let status = process.stop("INT").await;
    assert!(status.success(), "{status}:\n{}", screen());
    screen()
}

/// The line that begins so, without the spaces around it.
fn line<'a>(screen: &'a str, begins: &str) -> &'a str {
    let found = screen.lines().map(str::trim).find(|line| line.starts_with(begins));
    found.unwrap_or_else(|| panic!("no line {begins:?} in:\n{screen}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_tells_its_story_stops_cleanly_and_keeps_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let first = watched(folder.path(), "first").await;
    for shown in [
        "Echo is running  http://127.0.0.1:",
        "sandbox carrier: no real phone rings; offline model",
        "… in progress",
        "Echo      Hi, is this John?",
        "Customer  May I bring my dog?",
        "Customer  Yes, that works for me. Where can I park?",
        "Echo      What I know is this: You can park behind the house, free of charge.",
        "The webhook `call.summary` has arrived, signature verified:",
        "\"confirmed\": true",
        "The page does not answer \"May I bring my dog?\": a ticket is open, to ring +14155550119 back.",
        "stopped; the data is kept",
    ] {
        assert!(first.contains(shown), "{shown:?} is missing in:\n{first}");
    }
    assert!(!first.contains('\u{1b}'), "colours in a file:\n{first}");

    let second = watched(folder.path(), "second").await;
    assert!(second.contains("signature verified"), "{second}");
    let email = line(&first, "1 account").split_whitespace().nth(2).expect("an address");
    let kept = format!("account, app, agent, customer and endpoint of the first run ({email})");
    assert!(second.contains(&kept), "{kept:?} is missing in:\n{second}");
    let notification = |screen: &str| line(screen, "\"notification_id\"").to_owned();
    assert_ne!(notification(&first), notification(&second), "the second run rings anew");
}
