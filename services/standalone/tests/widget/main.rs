//! The chat for other people's pages, in a real Chromium: on a page of another origin with a strict policy, over an Echo that says what
//! the test tells it to, and over a whole one. The programs in JavaScript beside this file drive the browser; what they saw is kept as pictures among the
//! build's products.

#![cfg(test)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::runtime::{Running, start};

/// This test's own folder.
const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/widget");
/// Longer than all of a program's tests take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_on_somebody_elses_page() {
    in_chromium("conversation.test.js").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_is_refused_or_means_harm() {
    in_chromium("trouble.test.js").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_to_a_person_and_a_chat_that_shuts_nobody_out() {
    in_chromium("person.test.js").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_echo_behind_it() {
    in_chromium("real.test.js").await;
}

/// Runs the tests of one program over an Echo of its own.
async fn in_chromium(program: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let echo = echo(folder.path()).await;
    let base = format!("http://{}", echo.setting("ECHO_HTTP_ADDR"));
    let node = tokio::process::Command::new("node")
        .args(["--test", "--test-reporter=spec", program])
        .current_dir(HERE)
        .env("NODE_PATH", testkit::node::modules(Path::new(HERE), Path::new(env!("CARGO_TARGET_TMPDIR"))))
        .env("ECHO", &base)
        .env("CHROMIUM", chromium())
        .env("PICTURES", pictures())
        .kill_on_drop(true)
        .output();
    let node = tokio::time::timeout(PATIENCE, node).await.expect("the program ends").expect("node");
    assert!(
        node.status.success(),
        "{program}:\n{}{}",
        String::from_utf8_lossy(&node.stdout),
        String::from_utf8_lossy(&node.stderr)
    );
    echo.stop().await;
}

async fn echo(folder: &Path) -> Running {
    let own = [
        ("ECHO_HTTP_ADDR", "127.0.0.1:0"),
        ("ECHO_OPS_ADDR", "127.0.0.1:0"),
        ("ECHO_SANDBOX_ADDR", "127.0.0.1:0"),
        ("ECHO_DATA_DIR", folder.to_str().expect("a path in UTF-8")),
    ];
    let mut settings = Settings::from_pairs(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
    echo_standalone::prepare(&mut settings).expect("settings");
    start(echo_standalone::PROCESS, settings, Clock::system()).await.expect("Echo starts")
}

/// The browser, by the names under which it is installed.
fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").expect("a PATH");
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file())
        .expect("Chromium is needed for this test (see `make test`)")
}

/// Beside the build's products, where nothing is cleaned up and nothing is checked in.
fn pictures() -> PathBuf {
    let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
    products.parent().unwrap_or(products).join("test-artefacts")
}
