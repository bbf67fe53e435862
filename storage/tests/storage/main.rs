//! What a store promises, on both backends.

mod behaviour;
mod crash;
mod kill;
mod model;
mod support;
