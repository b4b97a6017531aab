//! Ports: bound first, so that a taken one is found before anything is made; listened on last, when there is somebody to
//! answer. In between, connections are refused, and a balancer passes on to another replica.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};
use tokio::net::TcpSocket;

/// Routes of any number of services on one listener.
pub type Routes = Vec<Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>>;

/// Connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: cannot listen on {address}: {problem}")]
pub struct ListenError {
    /// The setting that names the address.
    pub setting: &'static str,
    /// The address.
    pub address: SocketAddr,
    /// What the operating system says.
    pub problem: Error,
}

/// Bound ports by the setting that names their address.
#[derive(Default)]
pub struct Ports(BTreeMap<&'static str, (TcpSocket, SocketAddr)>);

impl Ports {
    /// Takes `address` for `setting`, without listening. A second call for the same setting changes nothing. Answers the
    /// bound address.
    ///
    /// # Errors
    /// When the address is taken or is not one of this machine.
    pub fn bind(&mut self, setting: &'static str, address: SocketAddr) -> Result<SocketAddr, ListenError> {
        if let Some((_, bound)) = self.0.get(setting) {
            return Ok(*bound);
        }
        let problem = |problem| ListenError { setting, address, problem };
        let socket = bound(address).map_err(problem)?;
        let bound = socket.local_addr().map_err(problem)?;
        self.0.insert(setting, (socket, bound));
        Ok(bound)
    }

    /// Listens on the port of a setting, once.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn listen(&mut self, setting: &'static str) -> Result<Option<TcpListener>, ListenError> {
        let Some((socket, address)) = self.0.remove(setting) else { return Ok(None) };
        let listening = || {
            // Only now: a port that may be reused could be bound twice until one of the two listens.
            socket.set_reuseaddr(true)?;
            socket.listen(BACKLOG)?.into_std()
        };
        listening().map(Some).map_err(|problem| ListenError { setting, address, problem })
    }
}

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    match bind(address, false) {
        // Perhaps only by connections of the process before this one, which the system has not forgotten yet.
        Err(e) if e.kind() == ErrorKind::AddrInUse => bind(address, true),
        other => other,
    }
}

fn bind(address: SocketAddr, reuse: bool) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(reuse)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Serves `routes` on `listener` until the handle is told to stop.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, routes: Routes, workers: usize) -> std::io::Result<ServerHandle> {
    let routes = Arc::new(routes);
    let server = HttpServer::new(move || {
        let routes = Arc::clone(&routes);
        App::new().configure(move |config| {
            for add in routes.iter() {
                add(config);
            }
        })
    })
    .workers(workers)
    .disable_signals()
    .shutdown_timeout(10)
    .keep_alive(Duration::from_secs(75))
    .client_request_timeout(Duration::from_secs(10))
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}
