//! The reader's own server: `server.js` in a Node process, spoken to through its pipes.

use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines,
};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::echo::PATIENCE;
use crate::modules::{HERE, node_modules};

/// A server that runs. It ends with its standard input, and at the latest when it is dropped.
pub(crate) struct Server {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    reports: Lines<BufReader<ChildStderr>>,
    port: u16,
}

/// A request that the server has answered.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) signature: String,
    pub(crate) headers: serde_json::Map<String, serde_json::Value>,
    pub(crate) body: String,
}

#[derive(Deserialize)]
struct Listening {
    port: u16,
}

#[derive(Deserialize)]
struct Trusted {
    trusted: bool,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let modules = tokio::task::spawn_blocking(node_modules).await.expect("an installation");
        let mut process = Command::new("node")
            .arg("server.js")
            .current_dir(HERE)
            .env("NODE_PATH", modules)
            .env("PORT", "0")
            .env_remove("ECHO_SIGNING_SECRET")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node is needed for this test (see `make test`)");
        let input = process.stdin.take().expect("a pipe");
        let output = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let mut reports = BufReader::new(process.stderr.take().expect("a pipe")).lines();
        let Listening { port } = read(&line(&mut reports).await);
        Self { process, input, output, reports, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/webhooks/echo", self.port)
    }

    /// Sets `ECHO_SIGNING_SECRET`.
    pub(crate) async fn trust(&mut self, secret: &str) {
        self.input.write_all(format!("{secret}\n").as_bytes()).await.expect("a pipe");
        let Trusted { trusted } = read(&line(&mut self.reports).await);
        assert!(trusted);
    }

    /// Waits for the next request that is answered.
    pub(crate) async fn answered(&mut self) -> Answered {
        read(&line(&mut self.reports).await)
    }

    /// Waits for the next line that is printed.
    pub(crate) async fn printed(&mut self) -> String {
        line(&mut self.output).await
    }

    /// Sends a webhook by hand. Answers status and text.
    pub(crate) async fn post(&self, body: &str, signature: &str) -> (u16, String) {
        let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build();
        let request = client.expect("a client").post(self.url()).body(body.to_owned());
        let request =
            request.header("content-type", "application/json").header("x-echo-signature", signature);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    }

    /// Ends it. Answers what it printed beyond what was waited for.
    pub(crate) async fn stop(self) -> String {
        let Self { mut process, input, mut output, .. } = self;
        drop(input);
        let mut rest = String::new();
        in_time("the server's end", output.get_mut().read_to_string(&mut rest)).await.expect("text");
        process.wait().await.expect("an end");
        rest
    }
}

async fn line<T: AsyncBufRead + Unpin>(lines: &mut Lines<T>) -> String {
    let line = in_time("a line from the server", lines.next_line()).await.expect("text");
    line.expect("the server has ended")
}

async fn in_time<T>(what: &str, wanted: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wanted).await.unwrap_or_else(|_| panic!("waited {PATIENCE:?} for {what}"))
}

fn read<T: serde::de::DeserializeOwned>(line: &str) -> T {
    serde_json::from_str(line).unwrap_or_else(|_| panic!("the server complains: {line}"))
}
