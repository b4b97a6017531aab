#![doc = include_str!("../README.md")]
//!
//! # Table of contents
//!
//! | where | what |
//! | --- | --- |
//! | `config` | what a carrier is told at its start |
//! | `service` | how a process runs it, and its settings |
//! | `carrier` | the handle: mount, run, watch |
//! | `http` | the REST slice (`/2010-04-01`) and the controls (`/sandbox/v1`), one file per resource |
//! | `player` | the worker that plays one call: rings, fetches documents, walks their verbs, reports |
//! | `client` | the HTTP client that behaves as Twilio's does |
//! | `state` | the books: calls, faults, counts, switches |
//! | `wall` | the clock for dates |
//! | `domain` | everything pure: people, manners, gather, detection, clock |

mod carrier;
mod client;
mod config;
mod domain;
mod http;
mod player;
mod service;
mod state;
mod wall;

pub use carrier::Carrier;
pub use config::{ApiKey, CarrierConfig};
pub use domain::clock::{Speed, SpeedError};
pub use domain::event::{CarrierEvent, Happening};
pub use domain::people::People;
pub use domain::scenario::{Scenario, ScenarioError};
pub use domain::transcript::{Line, Speaker};
pub use service::SERVICE;
