//! The service as its neighbours see it: messages and rpcs in, signed requests out, rows left behind. Every story is told on
//! both engines.

#![cfg(test)]

mod answers;
mod bots;
mod changes;
mod endpoints;
mod erasure;
mod fan_out;
mod lanes;
mod leases;
mod log;
mod mails;
mod manual;
mod receiver;
mod retention;
mod schedule;
mod smtp;
mod targets;
mod tickets;
mod world;
