//! What the carrier requests: voice documents and callbacks. Every request is verified before anything else is read.

mod answered_by;
mod ask;
mod body;
mod bot;
mod edge;
pub(crate) mod inbound;
mod known;
mod recording;
mod signed;
mod status;
mod voice;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};

use crate::app::App;

pub(crate) use signed::NOT_SIGNED;

/// The voice paths.
pub(crate) fn routes(app: &App) -> impl Fn(&mut ServiceConfig) + Send + Sync + use<> {
    let app = app.clone();
    move |config| {
        let resource =
            |path: &str| web::resource(path).wrap(from_fn(edge::edge)).app_data(web::Data::new(app.clone()));
        config
            .service(resource("/v1/voice").route(web::post().to(voice::answered)))
            .service(resource("/v1/voice-response").route(web::post().to(voice::heard)))
            .service(resource("/v1/voice-next").route(web::post().to(voice::next)))
            .service(resource("/v1/voice-transferred").route(web::post().to(voice::transferred)))
            .service(resource("/v1/voice-status").route(web::post().to(status::report)))
            .service(resource("/v1/voice-recording").route(web::post().to(recording::report)))
            .service(resource("/v1/voice-amd").route(web::post().to(answered_by::verdict)));
    }
}
