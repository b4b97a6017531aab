//! A mail server on loopback: speaks as much SMTP as it takes, answers as it is told and keeps what it was given.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::wait::eventually;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What came with one mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Header and body, as sent.
    pub(crate) text: String,
}

impl Letter {
    /// The value of a header line that stands exactly once.
    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        let found: Vec<&str> =
            head.lines().filter_map(|l| l.strip_prefix(name)?.strip_prefix(": ")).collect();
        assert_eq!(found.len(), 1, "{name} in {head}");
        found[0]
    }
}

#[derive(Default)]
struct State {
    letters: Vec<Letter>,
    /// Answers to the next recipients in place of 250.
    replies: VecDeque<&'static str>,
    recipients: usize,
}

pub(crate) struct MailServer {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, Arc::clone(&shared)));
            }
        });
        Self { url, state }
    }

    /// The next recipient is answered like this, for example `450 later`.
    pub(crate) fn answer_once(&self, reply: &'static str) {
        self.state.lock().unwrap().replies.push_back(reply);
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.state.lock().unwrap().letters.clone()
    }

    /// Waits for that many recipients, taken or not.
    pub(crate) async fn wait_for(&self, recipients: usize) {
        let look = || async {
            let seen = self.state.lock().unwrap().recipients;
            if seen >= recipients { Ok(()) } else { Err(seen) }
        };
        eventually(&format!("{recipients} recipients"), Duration::from_secs(20), look).await;
    }
}

async fn talk(stream: TcpStream, state: Arc<Mutex<State>>) -> std::io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 sink ESMTP\r\n").await?;
    let mut letter = Letter::default();
    while let Some(line) = lines.next_line().await? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let reply = match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => "250-sink\r\n250 8BITMIME".to_owned(),
            "MAIL" => {
                letter = Letter { from: rest.to_owned(), ..Letter::default() };
                "250 ok".to_owned()
            }
            "RCPT" => {
                let mut state = state.lock().unwrap();
                state.recipients += 1;
                letter.to.push(rest.to_owned());
                state.replies.pop_front().unwrap_or("250 ok").to_owned()
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    letter.text.push_str(line.strip_prefix('.').unwrap_or(&line));
                    letter.text.push_str("\r\n");
                }
                state.lock().unwrap().letters.push(std::mem::take(&mut letter));
                "250 taken".to_owned()
            }
            "QUIT" => "221 bye".to_owned(),
            _ => "250 ok".to_owned(),
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await?;
    }
    Ok(())
}
