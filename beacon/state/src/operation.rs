//! What a beacon block brings: one file per operation, each with `verify`, `check` and `apply`.

pub mod crosslink;
pub mod evidence;
pub mod randao;
