//! The public verifiers of Standard Webhooks, as npm and pip install them, each in a process of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::modules::{HERE, node_modules};
use crate::server::Answered;

/// What each verifier says about a webhook and each of these secrets. They must agree.
pub(crate) async fn believed(webhook: &Answered, secrets: &[&str]) -> Vec<bool> {
    let came = json!({"secrets": secrets, "headers": webhook.headers, "body": webhook.body}).to_string();
    let modules = tokio::task::spawn_blocking(node_modules).await.expect("an installation");
    let mut node = Command::new("node");
    node.arg("verify.js").env("NODE_PATH", modules);
    let python = tokio::task::spawn_blocking(python).await.expect("an environment");
    let mut pip = Command::new(python);
    pip.arg("verify.py");
    let (by_npm, by_pip) = (asked(node, &came).await, asked(pip, &came).await);
    assert_eq!(by_npm, by_pip, "{came}");
    by_npm
}

fn python() -> PathBuf {
    let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
    testkit::python::environment(&Path::new(HERE).join("requirements.txt"), products).join("python")
}

async fn asked(mut verifier: Command, came: &str) -> Vec<bool> {
    let started = verifier
        .current_dir(HERE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut process = started.expect("a verifier");
    let mut input = process.stdin.take().expect("a pipe");
    input.write_all(came.as_bytes()).await.expect("a pipe");
    drop(input);
    let ended = process.wait_with_output().await.expect("an end");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).expect("an answer for each secret")
}
