// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity >=0.8.20;

/// What every shard has at 0x41746F6C6c000000000000000000000000000001: the way to the other shards.
interface IPortal {
    /// A receipt was sent; it arrives at `shard` once, in the order of `sequence`.
    event Sent(bytes32 indexed id, uint32 indexed shard, address indexed sender, uint64 sequence, uint16 kind, uint256 value, uint64 gas, uint64 deadline, bytes payload);
    /// A receipt from `shard` brought `value` to an account. Its id is also the hash of the transaction that it is shown as.
    event Credited(bytes32 id, uint32 indexed shard, address indexed to, uint256 value);
    /// A receipt from `shard` did not do what it was to do; its value goes back. 1: reverted, 2: ran out of gas or into
    /// another error, 3: arrived after its deadline, 4: there is no code to call, 5: cannot be read, 6: the beacon chain
    /// refused it.
    event Bounced(bytes32 indexed id, uint32 indexed shard, address indexed to, uint8 verdict);
    /// A receipt that was sent from here was answered: 0 if it did what it was to do, else why it bounced.
    event Answered(bytes32 indexed id, address indexed sender, uint8 verdict, uint256 value);
    /// A contract refused what came back to it; it can claim it.
    event Withheld(address indexed owner, uint256 value);

    /// The lane to `shard` is full until the shard has consumed the receipts below `until`.
    error LaneFull(uint32 shard, uint64 until);
    /// There is no such shard.
    error UnknownShard(uint32 shard);
    /// A shard has no lane to itself.
    error SelfLane(uint32 shard);
    /// A call needs gas on the other side.
    error ZeroGas();
    /// The other side would never consume so much gas at once.
    error TooMuchGas(uint64 limit, uint64 found);
    /// More data than a receipt carries.
    error DataTooLarge(uint256 limit, uint256 found);
    /// The deadline, in seconds since the Unix epoch, has passed.
    error DeadlinePassed(uint64 deadline, uint64 time);
    /// Nothing is held for the caller.
    error NothingToClaim(address owner);
    /// The Portal writes its own state only.
    error NotDelegated();
    /// This function takes no value.
    error NotPayable();
    /// A deposit's value is one unit of stake for each seat.
    error WrongStake(uint256 expected, uint256 found);
    /// A deposit registers at least one seat, and at most as many as a beacon block can.
    error WrongSeats(uint256 limit, uint256 found);
    /// A seat's key has 48 bytes, its proof of possession 96.
    error MalformedSeat(uint256 index);

    /// One unit of stake: a BLS public key (48 bytes, compressed) and the proof that its secret is held (96 bytes).
    struct Seat {
        bytes key;
        bytes possession;
    }

    /// Sends the call's value to `to` on `shard`. No code runs there.
    function transfer(uint32 shard, address to) external payable returns (bytes32 id);

    /// Calls `to` on `shard` with the call's value and `gas`, which is paid for here, up to `deadline` (seconds since
    /// the Unix epoch, 0 for never). If it fails, the value comes back; so does what gas is left, at this block's base fee.
    function call(uint32 shard, address to, bytes calldata data, uint64 gas, uint64 deadline) external payable returns (bytes32 id);

    /// The same; how it went is told to the sender by `onReceiptResult`, with `callbackGas`, which is paid for here too.
    function callWithAnswer(uint32 shard, address to, bytes calldata data, uint64 gas, uint64 deadline, uint64 callbackGas) external payable returns (bytes32 id);

    /// Stakes the call's value, one unit for each seat, as a new validator of the beacon chain. The stake belongs to
    /// `withdrawalAccount` on `withdrawalShard`, and goes back there. If the beacon chain refuses, the value comes back.
    /// `validator deposit` makes the call's data.
    function deposit(Seat[] calldata seats, bytes32 beaconNode, bytes32 shardNode, uint32 withdrawalShard, address withdrawalAccount) external payable returns (bytes32 id);

    /// Adds the call's value, one unit for each seat, to the caller's validator.
    function topUp(uint64 validator, Seat[] calldata seats) external payable returns (bytes32 id);

    /// Ends the stake of `units` of the caller's validator, 0 for all. It comes back when it can no longer be punished.
    function exit(uint64 validator, uint64 units) external returns (bytes32 id);

    /// Takes what is held for the caller, to `to`.
    function claim(address to) external returns (uint256 value);

    /// What is held for `owner`.
    function claimable(address owner) external view returns (uint256 value);

    /// Receipts sent to `shard` (2^32 - 1 is the beacon chain), how many of them it is known to have consumed, and how many from it were consumed here.
    function lane(uint32 shard) external view returns (uint64 sent, uint64 acknowledged, uint64 received);

    /// Who a contract of `shard` is here: `msg.sender` of what it calls.
    function standIn(uint32 shard, address sender) external view returns (address caller);
}

/// A contract that wants to know how its receipts went.
interface IReceiptSender {
    /// Receipt `id` was answered; `msg.sender` is the Portal, `msg.value` what came back.
    function onReceiptResult(bytes32 id, bool ok, bytes calldata data) external payable;
}
