//! The promises between services: the message types generated from `proto/`, the rpc traits and clients, typed ids and
//! routing names, the names of what a prompt may ask for, of what an
//! agent can do of itself, and of the languages in which Echo has words of its own. Words only: nothing here does I/O or knows a runtime.
//!
//! A message is published under `<service>.<message>.v<n>` ([`message::Message::routing_key`]); its name, version and
//! publisher are constants on the type, derived from where it stands in `proto/`, and never typed a second time.

pub mod ids;
pub mod message;
pub mod reserved_tools;
pub mod rpc;
mod service_name;
pub mod spoken;
pub mod variables;

pub use service_name::ServiceName;

#[expect(missing_docs, reason = "generated; documented in proto/")]
mod generated {
    // Nested like the packages: a part of one package may stand in a message of another.
    pub(crate) mod echo {
        pub(crate) mod accounts {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/echo.accounts.v1.rs"));
            }
        }
        pub(crate) mod calls {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/echo.calls.v1.rs"));
            }
        }
        pub(crate) mod telephony {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/echo.telephony.v1.rs"));
            }
        }
        pub(crate) mod webhooks {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/echo.webhooks.v1.rs"));
            }
        }
        pub(crate) mod knowledge {
            pub mod v1 {
                include!(concat!(env!("OUT_DIR"), "/echo.knowledge.v1.rs"));
            }
        }
    }
    pub(crate) mod routing {
        include!(concat!(env!("OUT_DIR"), "/routing.rs"));
    }
}

pub use generated::echo::accounts::v1 as accounts;
pub use generated::echo::calls::v1 as calls;
pub use generated::echo::knowledge::v1 as knowledge;
pub use generated::echo::telephony::v1 as telephony;
pub use generated::echo::webhooks::v1 as webhooks;
pub use generated::routing::catalogue;
