//! For tests only: a database per test on both engines, a broker namespace per test, waiting without sleeping, a TCP proxy
//! that can cut connections and one that balances them, an OpenAI-compatible model server, a webhook receiver, a client of the
//! API, packages for Python and Node.js, programs beside the workspace, and processes and servers that may be killed.
//!
//! `PostgreSQL` and `RabbitMQ` are real: `make test` finds or starts them and names them in `ECHO_TEST_DATABASE_URL` and
//! `ECHO_TEST_AMQP_URL`. A test that needs a server which does not answer fails and says so; it never skips.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on stops with its reason")]

pub mod api;
pub mod balancer;
pub mod beside;
pub mod broker;
pub mod database;
pub mod model_server;
pub mod node;
pub mod processes;
pub mod proxy;
pub mod python;
pub mod receiver;
pub mod servers;
pub mod wait;
