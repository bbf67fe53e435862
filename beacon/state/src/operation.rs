//! What a beacon block brings: one file per operation, each with `verify`, `check` and `apply`.

mod certified;
pub mod conflict;
pub mod consumption;
pub mod crosslink;
mod divergence;
pub mod evidence;
pub mod randao;
pub mod receipts;

pub use certified::CertifiedError;
pub use divergence::DivergenceError;
