//! A server of one connection at a time that answers what it is told to and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use twilio::AccountSid;
use twilio::rest::{Client, Credentials, Timeouts};

pub(crate) const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub(crate) const CALL: &str = "CA0123456789abcdef0123456789abcdef";
pub(crate) const NUMBER: &str = "PN0123456789abcdef0123456789abcdef";
pub(crate) const SECRET: &str = "token-1";

/// What happens to one request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// Status and body.
    Answer(u16, String),
    /// Read, and never answered.
    Silence,
    /// Read, then the connection is closed.
    Close,
    /// A status and half of the promised body, then the connection is closed.
    Half(u16),
}

pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Gives the replies in order, one per request; then every further request is closed unanswered.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut kept = Vec::new();
            let mut replies = replies.into_iter();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                seen.lock().unwrap().push(request);
                match replies.next().unwrap_or(Reply::Close) {
                    Reply::Answer(status, body) => answer(&mut stream, status, body.len(), &body).await,
                    Reply::Half(status) => answer(&mut stream, status, 100, "{\"sid\":").await,
                    Reply::Silence => kept.push(stream),
                    Reply::Close => {}
                }
            }
        });
        Self { address, requests }
    }

    /// The requests so far, head and body as text.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.address, Duration::from_secs(20))
    }
}

/// A client that connects for a quarter of the time that a whole request may take.
pub(crate) fn client(address: &str, timeout: Duration) -> Client {
    let account: AccountSid = ACCOUNT.parse().unwrap();
    let http = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(timeout / 4)
        .build()
        .unwrap();
    let timeouts = Timeouts { create: timeout, other: timeout };
    Client::new(http, address.parse().unwrap(), Credentials::auth_token(account, SECRET), timeouts).unwrap()
}

async fn answer(stream: &mut TcpStream, status: u16, length: usize, body: &str) {
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    // A client that does not read a long body to its end closes first.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .and_then(|(_, value)| value.trim().parse::<usize>().ok());
            body.len() >= length.unwrap_or(0)
        });
        if whole || read == 0 {
            return text.into_owned();
        }
    }
}

/// The body of a request.
pub(crate) fn body(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}
