// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Counter} from "../src/Counter.sol";
import {vm} from "./Vm.sol";

/// Asks a counter for more than it does.
contract Refused {
    bool public constant IS_SCRIPT = true;

    function run() external {
        vm.startBroadcast(vm.envUint("USER_KEY"));
        Counter(vm.envAddress("COUNTER")).increase(101);
        vm.stopBroadcast();
    }
}
