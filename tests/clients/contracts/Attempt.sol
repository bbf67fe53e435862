// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Counter} from "./Counter.sol";

/// Calls a counter and answers false where it reverts: what succeeds with too little gas, and does nothing.
contract Attempt {
    bool public done;

    function increase(Counter counter, uint256 by) external returns (bool) {
        try counter.increase(by) {
            done = true;
        } catch {}
        return done;
    }
}
