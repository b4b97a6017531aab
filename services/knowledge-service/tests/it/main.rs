//! The knowledge service as others meet it: started in a process, asked over the bus, on both engines.

#![cfg(test)]

mod answers;
mod asking;
mod embeddings;
mod ingest;
mod pages;
mod search;
mod site;
mod start;
mod world;
