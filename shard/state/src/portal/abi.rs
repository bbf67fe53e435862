//! Functions, events and errors of the Portal, from the interface that contracts import.

#![allow(missing_docs, clippy::too_many_arguments, reason = "documented in the interface itself")]

alloy_sol_types::sol!("../../sdk/solidity/IPortal.sol");
