//! Writes down every request to the REST API, as far as it is not too large to be one.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use twilio::webhook::decode_form;

use crate::domain::asked::Asked;
use crate::state::Shared;
use crate::wall;

/// Wraps the REST API.
pub(super) async fn book<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let at = wall::now();
    let body = request.extract::<Bytes>().await?;
    request.set_payload(Payload::from(body.clone()));
    let mut parameters = decode_form(request.query_string().as_bytes());
    parameters.extend(decode_form(&body));
    let (method, path) = (request.method().to_string(), request.path().to_owned());
    let shared = request.app_data::<Data<Shared>>().cloned();
    let answer = next.call(request).await?;
    if let Some(shared) = shared {
        let status = answer.status().as_u16();
        shared.book(Asked { at, method, path, parameters, status });
    }
    Ok(answer)
}
