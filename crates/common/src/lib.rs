#![doc = include_str!("../README.md")]

pub mod bus;
pub mod clock;
pub mod config;
pub mod crypto;
pub mod db;
pub mod egress;
pub mod http;
pub mod json_schema;
pub mod metrics;
pub mod platform;
mod private;
pub mod runtime;
pub mod service;
pub mod telemetry;
pub mod trace;
