//! What twilio-async uses of hyper-tls. Its address of Twilio is a constant: this connects to the carrier that `CARRIER` names
//! instead, wherever a request wants to go, and so all of twilio-async itself runs as it is.

use std::task::{Context, Poll};

use hyper::Uri;
use hyper::client::HttpConnector;
use tower_service::Service;

/// Connects to the carrier.
#[derive(Clone, Debug)]
pub struct HttpsConnector<T> {
    http: T,
    carrier: Uri,
}

impl HttpsConnector<HttpConnector> {
    /// # Panics
    /// When `CARRIER` is no address.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "as in hyper-tls")]
    pub fn new() -> Self {
        let carrier = std::env::var("CARRIER").expect("CARRIER says where the carrier is");
        Self { http: HttpConnector::new(), carrier: carrier.parse().expect("an address") }
    }
}

impl Service<Uri> for HttpsConnector<HttpConnector> {
    type Response = <HttpConnector as Service<Uri>>::Response;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = <HttpConnector as Service<Uri>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.http.poll_ready(context)
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.http.call(self.carrier.clone())
    }
}
