// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Counter} from "../src/Counter.sol";
import {Vm, vm} from "../script/Vm.sol";

/// Runs on the state of a shard: `forge test --fork-url`.
contract ForkTest {
    Counter counter;

    function setUp() public {
        counter = Counter(vm.envAddress("COUNTER"));
    }

    function test_BalanceIsTheShards() public view {
        require(vm.envAddress("USER").balance == vm.envUint("BALANCE"), "the user has another balance");
    }

    function test_StateIsTheShards() public {
        require(counter.number() == 50, "the counter is not at 50");
        require(counter.increase(1) == 51, "the counter does not count");
    }

    function test_LogsAreTheShards() public {
        bytes32[] memory topics = new bytes32[](1);
        topics[0] = Counter.Increased.selector;
        Vm.EthGetLogs[] memory logs = vm.eth_getLogs(0, block.number, address(counter), topics);
        require(logs.length == 10, "the script's ten calls were not all logged");
        require(abi.decode(logs[9].data, (uint256)) == 50, "the last call logged something else");
    }

    function test_CustomErrorIsExpected() public {
        vm.expectRevert(abi.encodeWithSelector(Counter.TooHigh.selector, 101, 100));
        counter.increase(101);
    }
}
