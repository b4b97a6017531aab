//! Twilio's own libraries for Python and Node.js as customers of the carrier: what they send is understood, what they get they
//! can read, and both sides believe the same signatures and mean the same by a document.
//!
//! `client.py` and `client.js` do what a test tells them, one line of JSON at a time, and answer with what the library made of
//! the carrier's answer. A test asks both, so that it is said once what Twilio's customers can rely on.

mod calls;
mod documents;
mod refusals;
mod resources;
mod signatures;
mod twilio_async;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::harness::{ACCOUNT, Sandbox, TOKEN};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients");
/// Longer than a library takes for anything on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program with one of the libraries. It ends when it is dropped.
struct Client {
    /// The language, for messages.
    name: &'static str,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// An exception that a library raised because of the carrier's answer.
#[derive(Debug)]
struct Refusal {
    status: u64,
    code: u64,
    message: String,
    /// Python's exception has none: it makes the address out of the code when it is printed.
    more_info: Option<String>,
}

/// Both libraries, with the account's credentials.
async fn both(sandbox: &Sandbox) -> [Client; 2] {
    both_as(sandbox, ACCOUNT, TOKEN).await
}

/// Both libraries, with these credentials.
async fn both_as(sandbox: &Sandbox, user: &str, password: &str) -> [Client; 2] {
    let (python, modules) = tokio::task::spawn_blocking(installed).await.unwrap();
    let mut with_python = Command::new(python);
    // The folder of the sources stays as it is.
    with_python.args(["-B", "client.py"]);
    let mut with_node = Command::new("node");
    with_node.arg("client.js").env("NODE_PATH", modules);
    let arguments = [&sandbox.url, user, password, ACCOUNT];
    [Client::start("Python", with_python, &arguments), Client::start("Node.js", with_node, &arguments)]
}

/// The Python with the library, and the folder of the modules for Node.js.
fn installed() -> (std::path::PathBuf, std::path::PathBuf) {
    let (here, products) = (Path::new(HERE), Path::new(env!("CARGO_TARGET_TMPDIR")));
    let programs = testkit::python::environment(&here.join("requirements.txt"), products);
    (programs.join("python"), testkit::node::modules(here, products))
}

impl Client {
    fn start(name: &'static str, mut program: Command, arguments: &[&str]) -> Client {
        // Neither a proxy nor one of Twilio's regions may come between the library and the carrier.
        for variable in ["HTTP_PROXY", "http_proxy", "TWILIO_EDGE", "TWILIO_REGION"] {
            program.env_remove(variable);
        }
        let started = program
            .args(arguments)
            .current_dir(HERE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut process = started.expect("python3 and node are needed for this test (see `make test`)");
        let input = process.stdin.take().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Client { name, input, output, _process: process }
    }

    /// Has the library do something. What it made of the carrier's answer, or its exception.
    async fn tries(&mut self, order: Value) -> Result<Value, Refusal> {
        self.input.write_all(format!("{order}\n").as_bytes()).await.unwrap();
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        let line = line.expect("an answer in time").unwrap();
        let line = line.unwrap_or_else(|| panic!("{} has ended over {order}", self.name));
        let mut told: Value = serde_json::from_str(&line).unwrap();
        let refused = &told["refused"];
        if refused.is_null() {
            return Ok(told["answer"].take());
        }
        let text = |name: &str| refused[name].as_str().map(str::to_owned);
        let number = |name: &str| refused[name].as_u64().unwrap_or_default();
        Err(Refusal {
            status: number("status"),
            code: number("code"),
            message: text("message").unwrap_or_default(),
            more_info: text("more_info"),
        })
    }

    /// The same for what must work.
    async fn asks(&mut self, order: Value) -> Value {
        let said = format!("{}: {order}", self.name);
        self.tries(order).await.unwrap_or_else(|refusal| panic!("{said}: {refusal:?}"))
    }

    /// The same for what must not.
    async fn is_refused(&mut self, order: Value) -> Refusal {
        let said = format!("{}: {order}", self.name);
        match self.tries(order).await {
            Ok(answer) => panic!("{said} was answered: {answer}"),
            Err(refusal) => refusal,
        }
    }

    async fn creates(&mut self, with: Value) -> Value {
        self.asks(json!({"at": ["calls"], "do": "create", "with": with})).await
    }

    async fn fetches(&mut self, sid: &str) -> Value {
        self.asks(json!({"at": ["calls", sid], "do": "fetch"})).await
    }

    async fn updates(&mut self, sid: &str, with: Value) -> Value {
        self.asks(json!({"at": ["calls", sid], "do": "update", "with": with})).await
    }
}
