//! The knowledge service as others meet it: started in a process, asked over the bus, on both engines.

#![cfg(test)]

mod embeddings;
mod ingest;
mod search;
mod start;
mod world;
