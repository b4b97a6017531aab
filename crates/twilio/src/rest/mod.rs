//! The REST API of 2010-04-01, as much of it as placing and following calls takes.
//!
//! A [`Client`] sends each request once. It does not retry: whether a request may be repeated is for its caller to
//! decide, and for [`Client::create_call`] the answer is hardly ever yes.

mod accounts;
mod calls;
mod client;
mod error;
mod fields;
mod numbers;
mod recordings;

pub use accounts::{Account, AccountKind, AccountStatus};
pub use calls::{
    Call, CallEvent, CallFilter, CallList, CreateCall, Days, Instructions, MachineDetection,
    MachineDetectionMode, UpdateCall,
};
pub use client::{BaseUrlError, Client, Credentials, Timeouts};
pub use error::{ApiError, CreateError, Error};
pub use numbers::{Capabilities, NumberFilter, NumberList, PhoneNumber, UpdateNumber};
