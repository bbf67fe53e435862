// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Counter} from "../src/Counter.sol";
import {vm} from "../script/Vm.sol";

/// Runs on the state of a shard: `forge test --fork-url`.
contract ForkTest {
    Counter counter;

    function setUp() public {
        counter = Counter(vm.envAddress("COUNTER"));
    }

    function test_StateIsTheShards() public {
        require(counter.number() == 50, "the counter is not at 50");
        require(counter.increase(1) == 51, "the counter does not count");
    }

    function test_CustomErrorIsExpected() public {
        vm.expectRevert(abi.encodeWithSelector(Counter.TooHigh.selector, 101, 100));
        counter.increase(101);
    }
}
