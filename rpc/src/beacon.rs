//! The beacon node's REST interface.
