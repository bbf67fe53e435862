// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Attempt} from "../src/Attempt.sol";
import {Counter} from "../src/Counter.sol";
import {vm} from "./Vm.sol";

/// Two contracts and ten calls, broadcast one after the other.
contract Deploy {
    bool public constant IS_SCRIPT = true;

    function run() external returns (address) {
        vm.startBroadcast(vm.envUint("USER_KEY"));
        Counter counter = new Counter(40);
        Attempt attempt = new Attempt();
        for (uint256 i = 0; i < 9; i++) {
            counter.increase(1);
        }
        attempt.increase(counter, 1);
        vm.stopBroadcast();
        return address(counter);
    }
}
