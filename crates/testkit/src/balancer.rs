//! A TCP balancer on the loopback interface: what an ingress or a service address is in production. New connections go round
//! the targets; one that refuses is passed over for the next. A connection whose target dies is closed: whoever speaks
//! through it sees that, as through any balancer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// A running balancer. It and its connections end when this is dropped.
pub struct Balancer {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Starts on a free port before `targets`, of which some may not listen yet.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(targets: Vec<SocketAddr>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let targets = Arc::new(Targets { addresses: targets, turn: AtomicUsize::new(0) });
        Ok(Self { address, accepting: tokio::spawn(accept(listener, targets)) })
    }

    /// `http://` and where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

struct Targets {
    addresses: Vec<SocketAddr>,
    turn: AtomicUsize,
}

impl Targets {
    /// A connection to the next target that takes it.
    async fn connect(&self) -> io::Result<TcpStream> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1);
        let mut last = io::Error::other("no targets");
        for address in self.addresses.iter().cycle().skip(first).take(self.addresses.len()) {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(e) => last = e,
            }
        }
        Err(last)
    }
}

async fn accept(listener: TcpListener, targets: Arc<Targets>) {
    let mut connections = JoinSet::new();
    // A connection that breaks while it is accepted concerns nobody else.
    while let Ok((inbound, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(pass(inbound, Arc::clone(&targets)));
    }
}

async fn pass(mut inbound: TcpStream, targets: Arc<Targets>) {
    // Nobody there: the client sees a closed connection.
    let Ok(mut outbound) = targets.connect().await else { return };
    let small_and_soon = inbound.set_nodelay(true).and_then(|()| outbound.set_nodelay(true));
    if small_and_soon.is_ok() {
        // However it ends, both ends see it end.
        let _ = tokio::io::copy_bidirectional(&mut inbound, &mut outbound).await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpSocket;

    use super::*;

    /// Says its letter to everybody who connects.
    async fn says(letter: u8) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                stream.write_all(&[letter]).await.unwrap();
            }
        });
        (address, serving)
    }

    async fn heard(balancer: &Balancer) -> Vec<u8> {
        let mut stream = TcpStream::connect(balancer.address).await.unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        heard
    }

    /// An address that refuses every connection, and that nobody else can come to listen on while the socket is held. A listener
    /// that was closed is not sure to: a child process that is being started has it open until its program begins.
    fn refuses() -> (SocketAddr, TcpSocket) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        (socket.local_addr().unwrap(), socket)
    }

    #[tokio::test]
    async fn connections_go_round() {
        let ((a, _serving_a), (b, _serving_b)) = (says(b'a').await, says(b'b').await);
        let balancer = Balancer::start(vec![a, b]).await.unwrap();
        let round = [heard(&balancer).await, heard(&balancer).await, heard(&balancer).await];
        assert_eq!(round, [b"a", b"b", b"a"]);
    }

    #[tokio::test]
    async fn a_target_that_refuses_is_passed_over() {
        let ((a, _serving), (gone, _held)) = (says(b'a').await, refuses());
        let balancer = Balancer::start(vec![a, gone]).await.unwrap();
        assert_eq!([heard(&balancer).await, heard(&balancer).await], [b"a", b"a"]);
    }

    #[tokio::test]
    async fn without_any_target_a_connection_is_closed_without_a_byte() {
        let (gone, _held) = refuses();
        let balancer = Balancer::start(vec![gone]).await.unwrap();
        assert_eq!(heard(&balancer).await, b"");
    }
}
