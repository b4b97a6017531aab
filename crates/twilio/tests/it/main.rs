//! The REST client against servers of every kind, and somebody else's client and documents beside ours.

#![cfg(test)]

mod rest;
mod support;
mod witness;
