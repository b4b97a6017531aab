//! The promises between services: the message types generated from `proto/`, the rpc traits and clients, typed ids and
//! routing names, and the names of what a prompt may ask for. Words only: nothing here does I/O or knows a runtime.
//!
//! A message is published under `<service>.<message>.v<n>` ([`message::Message::routing_key`]); its name, version and
//! publisher are constants on the type, derived from where it stands in `proto/`, and never typed a second time.

pub mod ids;
pub mod message;
pub mod rpc;
mod service_name;
pub mod variables;

pub use service_name::ServiceName;

#[expect(missing_docs, reason = "generated; documented in proto/")]
mod generated {
    pub mod accounts {
        include!(concat!(env!("OUT_DIR"), "/echo.accounts.v1.rs"));
    }
    pub mod calls {
        include!(concat!(env!("OUT_DIR"), "/echo.calls.v1.rs"));
    }
    pub mod telephony {
        include!(concat!(env!("OUT_DIR"), "/echo.telephony.v1.rs"));
    }
    pub mod webhooks {
        include!(concat!(env!("OUT_DIR"), "/echo.webhooks.v1.rs"));
    }
    pub mod knowledge {
        include!(concat!(env!("OUT_DIR"), "/echo.knowledge.v1.rs"));
    }
    pub(crate) mod routing {
        include!(concat!(env!("OUT_DIR"), "/routing.rs"));
    }
}

pub use generated::routing::catalogue;
pub use generated::{accounts, calls, knowledge, telephony, webhooks};
