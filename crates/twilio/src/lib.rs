#![doc = include_str!("../README.md")]

pub mod call;
mod method;
pub mod overrides;
pub mod rest;
pub mod sid;
pub mod signature;
pub mod twiml;
pub mod webhook;

pub use method::HttpMethod;
pub use sid::{AccountSid, CallSid, PhoneNumberSid, RecordingSid};
