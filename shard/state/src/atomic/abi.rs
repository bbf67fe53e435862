//! Functions, events and errors of the Atomic, from the interface that contracts import; and what receipts ask of it, which
//! only the Portal may.

#![allow(missing_docs, clippy::too_many_arguments, reason = "documented in the interface itself")]

alloy_sol_types::sol!("../../sdk/solidity/IAtomic.sol");

alloy_sol_types::sol! {
    interface IArrivals {
        function prepare(uint32 coordinator, bytes32 id, uint64 deadline, uint8 leg, address token, address from, address to, uint256 amount) external;
        function decided(uint32 coordinator, bytes32 id, uint8 leg, bool committed) external;
        function answered(bytes32 receipt, uint8 verdict, bytes reason) external;
    }

    interface IToken {
        function balanceOf(address owner) external view returns (uint256);
        function transfer(address to, uint256 amount) external returns (bool);
        function transferFrom(address from, address to, uint256 amount) external returns (bool);
    }
}
