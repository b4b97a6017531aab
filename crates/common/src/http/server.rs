//! Binds listeners early, so that a taken port is found before anything else has happened, and serves on them later.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web::ServiceConfig;
use actix_web::{App, HttpServer};

use crate::config::ConfigError;

/// Routes of any number of services on one listener.
pub type Routes = Vec<Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>>;

/// Bound listeners by the setting that names their address.
#[derive(Default)]
pub struct Listeners(BTreeMap<&'static str, TcpListener>);

impl Listeners {
    /// Binds `address` for `setting`. A second call for the same setting changes nothing. Answers the bound address.
    ///
    /// # Errors
    /// When the address is taken or is not one of this machine.
    pub fn bind(&mut self, setting: &'static str, address: SocketAddr) -> Result<SocketAddr, ConfigError> {
        let problem =
            |e: std::io::Error| ConfigError::new(setting, format!("cannot listen on {address}: {e}"));
        if let Some(bound) = self.0.get(setting) {
            return bound.local_addr().map_err(problem);
        }
        let listener = listen(address).map_err(problem)?;
        let bound = listener.local_addr().map_err(problem)?;
        self.0.insert(setting, listener);
        Ok(bound)
    }

    /// Gives out the listener of a setting, once.
    pub fn take(&mut self, setting: &str) -> Option<TcpListener> {
        self.0.remove(setting)
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
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
