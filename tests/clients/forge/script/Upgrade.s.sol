// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Delegate} from "../src/Delegate.sol";
import {vm} from "./Vm.sol";

/// An account takes on code by EIP-7702, in the transaction that calls it.
contract Upgrade {
    bool public constant IS_SCRIPT = true;

    function run() external {
        uint256 accountKey = vm.envUint("OTHER_KEY");
        vm.startBroadcast(vm.envUint("USER_KEY"));
        Delegate delegate = new Delegate();
        vm.signAndAttachDelegation(address(delegate), accountKey);
        Delegate(vm.addr(accountKey)).mark(5);
        vm.stopBroadcast();
    }
}
