//! The two doors of the carrier: the slice of Twilio's REST API that its customers use, and the controls
//! for those who watch and test, with a page for people.

mod accounts;
mod auth;
mod book;
mod call_create;
mod call_list;
mod call_update;
mod calls;
mod control;
mod error;
mod form;
mod incoming;
mod json;
mod numbers;
mod onlookers;
mod page;
mod recordings;

use std::sync::Arc;

use actix_web::Resource;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};

use crate::state::Shared;
use error::ApiError;

/// Adds both doors, and the page.
pub(crate) fn mount(shared: &Arc<Shared>, cfg: &mut ServiceConfig) {
    let data = Data::from(Arc::clone(shared));
    let calls = web::get().to(calls::list);
    let call = "/Accounts/{account}/Calls/{sid}.json";
    let number = "/Accounts/{account}/IncomingPhoneNumbers/{sid}.json";
    cfg.service(
        web::scope("/2010-04-01")
            .app_data(data.clone())
            .wrap(from_fn(book::book))
            .service(at("/Accounts/{account}/Calls.json").route(calls).route(web::post().to(calls::create)))
            .service(
                at(call)
                    .route(web::get().to(calls::fetch))
                    .route(web::post().to(calls::update))
                    .route(web::delete().to(calls::remove)),
            )
            .service(at("/Accounts/{account}/IncomingPhoneNumbers.json").route(web::get().to(numbers::list)))
            .service(
                at(number)
                    .route(web::get().to(numbers::fetch))
                    .route(web::post().to(numbers::update))
                    .route(web::delete().to(numbers::release)),
            )
            .service(
                at("/Accounts/{account}/Recordings/{sid}.json")
                    .route(web::get().to(recordings::fetch))
                    .route(web::delete().to(recordings::remove)),
            )
            .service(at("/Accounts/{account}.json").route(web::get().to(accounts::fetch)))
            .default_service(web::to(async |request: actix_web::HttpRequest| not_found(request.path()))),
    );
    cfg.route("/", web::get().to(page::page));
    cfg.service(
        web::scope("/sandbox/v1")
            .app_data(data)
            .route("/page.js", web::get().to(page::script))
            .route("/page.css", web::get().to(page::style))
            .route("/account", web::get().to(control::account))
            .route("/people", web::get().to(control::people))
            .route("/calls", web::get().to(control::calls))
            .route("/calls/{sid}", web::get().to(control::call))
            .route("/faults", web::get().to(control::faults))
            .route("/requests", web::get().to(control::requests))
            .route("/rings", web::get().to(control::rings))
            .route("/nasty", web::get().to(control::nasty))
            .route("/nasty", web::post().to(control::set_nasty))
            .route("/incoming", web::post().to(incoming::ring))
            .route("/events", web::get().to(onlookers::events)),
    );
}

/// A resource that refuses the methods it does not have as Twilio does.
fn at(path: &str) -> Resource {
    web::resource(path).default_service(web::to(async || -> Result<String, ApiError> {
        Err(ApiError::new(405, 20004, "Method not allowed"))
    }))
}

fn not_found(path: &str) -> Result<String, ApiError> {
    Err(ApiError::not_found(path))
}
