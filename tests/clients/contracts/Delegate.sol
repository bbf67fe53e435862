// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Code that an account takes on by EIP-7702.
contract Delegate {
    event Marked(address indexed account, uint256 mark);

    function mark(uint256 value) external {
        emit Marked(address(this), value);
    }

    function isDelegate() external pure returns (bool) {
        return true;
    }
}
