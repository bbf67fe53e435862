// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Counts, says so in a log, and refuses in each way a contract can.
contract Counter {
    uint256 public number;

    event Increased(address indexed by, uint256 number);

    error TooHigh(uint256 wanted, uint256 limit);

    constructor(uint256 initial) {
        number = initial;
    }

    /// Refuses more than a hundred with a custom error.
    function increase(uint256 by) external returns (uint256) {
        if (by > 100) revert TooHigh(by, 100);
        number += by;
        emit Increased(msg.sender, number);
        return number;
    }

    /// Refuses with a reason.
    function refuse() external pure {
        require(false, "not today");
    }

    /// Panics with code 0x12.
    function divide(uint256 by) external pure returns (uint256) {
        return 1 / by;
    }
}
