//! The service as its neighbours see it: messages and rpcs in, signed requests out, rows left behind. Every story is told on
//! both engines.

#![cfg(test)]

mod answers;
mod endpoints;
mod fan_out;
mod lanes;
mod leases;
mod receiver;
mod schedule;
mod targets;
mod world;
