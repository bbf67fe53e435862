// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What is used here of forge's cheat codes.
interface Vm {
    function envAddress(string calldata name) external view returns (address);
    function envUint(string calldata name) external view returns (uint256);
    function startBroadcast(uint256 key) external;
    function stopBroadcast() external;
    function expectRevert(bytes calldata data) external;
}

Vm constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
