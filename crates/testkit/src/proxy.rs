//! A TCP proxy on the loopback interface that cuts connections, or holds them, whenever a test says so.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running proxy. It and its connections end when this is dropped.
pub struct Proxy {
    address: SocketAddr,
    control: Arc<Control>,
    accepting: JoinHandle<()>,
}

struct Control {
    /// Connections of an earlier number are over.
    cuts: watch::Sender<u64>,
    blocked: watch::Sender<bool>,
    closed: watch::Sender<bool>,
    accepted: AtomicUsize,
    /// The ports of clients of which something was held back.
    held: Mutex<Vec<u16>>,
}

impl Proxy {
    /// Starts on a free port in front of `target`.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let control = Arc::new(Control {
            cuts: watch::channel(0).0,
            blocked: watch::channel(false).0,
            closed: watch::channel(false).0,
            accepted: AtomicUsize::new(0),
            held: Mutex::default(),
        });
        let accepting = tokio::spawn(accept(listener, target, Arc::clone(&control)));
        Ok(Self { address, control, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// How many connections it has let through so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.control.accepted.load(Ordering::SeqCst)
    }

    /// Cuts every connection that stands. New ones are let through.
    pub fn cut(&self) {
        self.control.cuts.send_modify(|n| *n += 1);
    }

    /// From now on there is nobody at the target: connections are cut, the new ones at once.
    pub fn close(&self) {
        self.control.closed.send_replace(true);
        self.cut();
    }

    /// New connections are let through again.
    pub fn open(&self) {
        self.control.closed.send_replace(false);
    }

    /// From now on nothing passes in either direction, on old and new connections; nothing is closed.
    pub fn block(&self) {
        self.control.blocked.send_replace(true);
    }

    /// The ports from which those clients speak of whose words something was held back, now or before.
    #[must_use]
    pub fn held(&self) -> Vec<u16> {
        self.control.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was held back passes, and everything after it.
    pub fn unblock(&self) {
        self.control.blocked.send_replace(false);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, control: Arc<Control>) {
    // A connection that breaks while it is accepted concerns nobody else.
    while let Ok((inbound, _)) = listener.accept().await {
        if *control.closed.borrow() {
            continue;
        }
        control.accepted.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(pass(inbound, target, Arc::clone(&control)));
    }
}

async fn pass(inbound: TcpStream, target: SocketAddr, control: Arc<Control>) {
    let mut cuts = control.cuts.subscribe();
    let both = async {
        let client = inbound.peer_addr()?.port();
        let outbound = TcpStream::connect(target).await?;
        let (from_client, to_client) = inbound.into_split();
        let (from_target, to_target) = outbound.into_split();
        tokio::try_join!(
            copy(from_client, to_target, &control, Some(client)),
            copy(from_target, to_client, &control, None),
        )
        .map(drop)
    };
    tokio::select! {
        _ = cuts.changed() => {}
        // Either side has closed, or there is nobody at the target: both ends see a closed connection.
        _ = both => {}
    }
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    control: &Control,
    client: Option<u16>,
) -> io::Result<()> {
    let mut blocked = control.blocked.subscribe();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if let Some(client) = client.filter(|_| read > 0 && *blocked.borrow()) {
            control.held.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
        if blocked.wait_for(|blocked| !blocked).await.is_err() || read == 0 {
            return to.shutdown().await;
        }
        to.write_all(buffer.get(..read).unwrap_or_default()).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn echo_server() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        address
    }

    async fn says(stream: &mut TcpStream, word: &[u8; 4]) -> io::Result<[u8; 4]> {
        stream.write_all(word).await?;
        let mut heard = [0; 4];
        stream.read_exact(&mut heard).await?;
        Ok(heard)
    }

    #[tokio::test]
    async fn a_cut_ends_the_connections_that_stand_and_lets_new_ones_through() {
        let proxy = Proxy::start(echo_server().await).await.unwrap();
        let mut first = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(says(&mut first, b"ping").await.unwrap(), *b"ping");
        proxy.cut();
        assert!(says(&mut first, b"dead").await.is_err());
        let mut second = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(says(&mut second, b"ping").await.unwrap(), *b"ping");
    }

    #[tokio::test]
    async fn closed_it_lets_nobody_through_until_it_is_open() {
        let proxy = Proxy::start(echo_server().await).await.unwrap();
        let mut first = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(says(&mut first, b"ping").await.unwrap(), *b"ping");
        proxy.close();
        assert!(says(&mut first, b"dead").await.is_err());
        let mut second = TcpStream::connect(proxy.addr()).await.unwrap();
        assert!(says(&mut second, b"dead").await.is_err());
        proxy.open();
        let mut third = TcpStream::connect(proxy.addr()).await.unwrap();
        assert_eq!(says(&mut third, b"ping").await.unwrap(), *b"ping");
    }

    #[tokio::test]
    async fn what_was_sent_while_blocked_arrives_afterwards() {
        let proxy = Proxy::start(echo_server().await).await.unwrap();
        let mut stream = TcpStream::connect(proxy.addr()).await.unwrap();
        proxy.block();
        let held = tokio::time::timeout(Duration::from_millis(100), says(&mut stream, b"wait")).await;
        assert!(held.is_err(), "{held:?}");
        proxy.unblock();
        let mut heard = [0; 4];
        stream.read_exact(&mut heard).await.unwrap();
        assert_eq!(heard, *b"wait");
    }
}
