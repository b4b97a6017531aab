//! Slack, as far as incoming webhooks go: takes every message, says `ok` and remembers it.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const TAKEN: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

pub(crate) struct Slack {
    pub(crate) url: String,
    messages: Arc<Mutex<Vec<Value>>>,
}

impl Slack {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/services/T0/B0/secret", listener.local_addr().expect("an address"));
        let messages = Arc::<Mutex<Vec<Value>>>::default();
        let kept = Arc::clone(&messages);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { url, messages }
    }

    pub(crate) fn messages(&self) -> Vec<Value> {
        self.messages.lock().expect("messages").clone()
    }
}

/// Takes one message: it is whole when what follows the head is JSON.
async fn take(mut stream: TcpStream, kept: Arc<Mutex<Vec<Value>>>) -> std::io::Result<()> {
    let (mut request, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut part).await?;
        if read == 0 {
            return Ok(());
        }
        request.extend_from_slice(part.get(..read).unwrap_or_default());
        let text = String::from_utf8_lossy(&request);
        let body = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str(body).ok());
        if let Some(message) = body {
            kept.lock().expect("messages").push(message);
            return stream.write_all(TAKEN).await;
        }
    }
}
