//! Somebody's site: answers as it was told to, and counts who came.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// An answer, down to its bytes.
#[derive(Clone)]
pub(crate) struct Answer {
    head: String,
    body: Vec<u8>,
    /// The body never ends.
    open: bool,
}

impl Answer {
    /// A page of a type; empty: it does not say of which.
    pub(crate) fn page(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::new("200 OK").with("Content-Type", content_type).of(body)
    }

    pub(crate) fn new(status: &str) -> Self {
        Self { head: format!("HTTP/1.1 {status}\r\nConnection: close\r\n"), body: Vec::new(), open: false }
    }

    pub(crate) fn moved(to: &str) -> Self {
        Self::new("302 Found").with("Location", to)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        if !value.is_empty() {
            self.head.push_str(&format!("{name}: {value}\r\n"));
        }
        self
    }

    pub(crate) fn of(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn without_end(mut self) -> Self {
        self.open = true;
        self
    }
}

#[derive(Default)]
struct Seen {
    answers: Mutex<HashMap<String, Answer>>,
    requests: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

/// A site that runs. It has nothing but what it was told, and no robots.txt.
pub(crate) struct Site {
    port: u16,
    seen: Arc<Seen>,
}

impl Site {
    /// On a free port, at every address of this machine that is its own.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("0.0.0.0", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Seen::default());
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *shared.connections.lock().expect("the count") += 1;
                tokio::spawn(answer(stream, Arc::clone(&shared)));
            }
        });
        Self { port, seen }
    }

    /// The address of a path, by the name of a host of this machine.
    pub(crate) fn at(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        self.at("127.0.0.1", path)
    }

    /// From now on this is there.
    pub(crate) fn tell(&self, path: &str, answer: Answer) {
        self.seen.answers.lock().expect("the answers").insert(path.to_owned(), answer);
    }

    /// The requests so far, as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().expect("the requests").clone()
    }

    /// How often a path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        let line = format!("GET {path} HTTP/1.1\r\n");
        self.requests().iter().filter(|request| request.starts_with(&line)).count()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.seen.connections.lock().expect("the count")
    }
}

async fn answer(mut stream: TcpStream, seen: Arc<Seen>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    seen.requests.lock().expect("the requests").push(request);
    let found = seen.answers.lock().expect("the answers").get(&path).cloned();
    let answer = found.unwrap_or_else(|| Answer::new("404 Not Found").of("nothing here"));
    // Whoever has heard enough hangs up.
    let _ = stream.write_all(format!("{}\r\n", answer.head).as_bytes()).await;
    let _ = stream.write_all(&answer.body).await;
    if answer.open {
        let _ = stream.read_u8().await;
    }
}
