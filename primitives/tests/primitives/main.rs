//! Containers keep their encoding; files that do not hold together are refused.

mod codec;
mod committee;
mod epoch_table;
mod fixtures;
mod genesis;
mod headers;
mod sample;
mod spec;
