// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity >=0.8.20;

/// What every shard has at 0x41746F6C6c000000000000000000000000000002: transfers on several shards of which all take effect
/// or none does. Each amount goes into escrow on its shard; one shard, the coordinator, decides when all answers are in.
interface IAtomic {
    /// One transfer of a bundle: `amount` of `token` (an ERC-20; zero is the native coin) on `shard`, from `from` to `to`.
    struct Leg { uint32 shard; address token; address from; address to; uint256 amount; }

    /// On the coordinator: a bundle was opened.
    event Opened(bytes32 indexed id, address indexed opener, uint64 deadline, Leg[] legs);
    /// A leg's amount is in escrow on this shard.
    event Escrowed(bytes32 indexed id, uint8 leg, address indexed from, address token, uint256 amount);
    /// A leg cannot be escrowed: on its shard, and on the coordinator when it is told. The verdicts are the Portal's; the
    /// reason is what it reverted with.
    event Refused(bytes32 indexed id, uint8 leg, uint8 verdict, bytes reason);
    /// All legs take effect: on the coordinator when it is decided, on the others when they are told.
    event Committed(bytes32 indexed id);
    /// No leg takes effect: on the coordinator when it is decided, on the others when they are told.
    event Aborted(bytes32 indexed id);
    /// A leg's escrow went to `owner`: who it was for, or after an abort who it came from.
    event Released(bytes32 indexed id, uint8 leg, address indexed owner, address token, uint256 amount);

    /// A bundle has from `least` to `most` legs.
    error LegCount(uint256 least, uint256 most, uint256 found);
    /// There is no such shard.
    error UnknownShard(uint32 shard);
    /// A leg of nothing.
    error ZeroAmount(uint8 leg);
    /// The token is one of the contracts that belong to the shard itself.
    error BadToken(address token);
    /// The deadline, in seconds since the Unix epoch, has passed.
    error DeadlinePassed(uint64 deadline, uint64 time);
    /// The deadline, in seconds since the Unix epoch, has not passed.
    error DeadlineAhead(uint64 deadline, uint64 time);
    /// No leg is the caller's: who has nothing in a bundle cannot use it up.
    error NotParty(address caller);
    /// The bundle was opened before.
    error AlreadyOpened(bytes32 id);
    /// The bundle is not one that waits for answers: 0 was never opened, 2 is committed, 3 is aborted.
    error NotOpen(bytes32 id, uint8 status);
    /// No leg on this shard is the caller's.
    error NoLeg(address caller);
    /// The owner has not consented to this leg of this bundle.
    error NoConsent(bytes32 id, uint8 leg, address owner);
    /// The owner has too little.
    error BalanceTooLow(address owner, uint256 needed, uint256 found);
    /// The token did not move the amount.
    error TokenRefused(address token, address owner, uint256 amount);
    /// Another amount arrived than was to.
    error WrongAmount(address token, uint256 expected, uint256 found);
    /// There is no such escrow.
    error NoEscrow(bytes32 id, uint8 leg);
    /// The coordinator has not decided yet, as far as is known here.
    error Undecided(bytes32 id, uint8 leg);
    /// The lane to `shard` has no place for a prepare and its decision until the shard has consumed the receipts below
    /// `until`.
    error LaneFull(uint32 shard, uint64 until);
    /// The other side would never consume so much gas at once.
    error TooMuchGas(uint64 limit, uint64 found);
    /// A token called back.
    error Reentered();
    /// The Atomic writes its own state only.
    error NotDelegated();
    /// No function takes value.
    error NotPayable();

    /// Id of a bundle. Which of its parties opens it does not enter.
    function bundleId(uint32 coordinator, Leg[] calldata legs, uint64 deadline, bytes32 salt) external view returns (bytes32 id);

    /// Allows the caller's legs on this shard to be escrowed, once, for exactly this bundle. For tokens, the Atomic needs
    /// the token's own allowance beside it.
    function consent(uint32 coordinator, Leg[] calldata legs, uint64 deadline, bytes32 salt) external returns (bytes32 id);

    /// Takes back the consent to what is not in escrow yet.
    function revoke(bytes32 id) external;

    /// Whether `owner` allows a leg of the bundle that is not in escrow yet.
    function consented(bytes32 id, address owner) external view returns (bool);

    /// Opens a bundle of which this shard is the coordinator: by the owner of a leg on any shard, once, before the deadline
    /// (seconds since the Unix epoch). Legs on this shard are escrowed at once, those of the caller without further
    /// consent; the gas that is used pays for everything on the other shards too.
    function open(Leg[] calldata legs, uint64 deadline, bytes32 salt) external returns (bytes32 id);

    /// Aborts a bundle, of which this shard is the coordinator, that still waits for answers after its deadline.
    function expire(bytes32 id) external;

    /// Tries again to pay out an escrow on this shard that is decided, and that the token refused to pay out before.
    function release(bytes32 id, uint8 leg) external;

    /// What the coordinator knows of a bundle. Status: 0 never opened, 1 waits for answers, 2 committed, 3 aborted; waiting:
    /// the legs without an answer, one bit each.
    function bundle(bytes32 id) external view returns (uint8 status, uint8 waiting, uint64 deadline);

    /// What is in escrow on this shard for a leg. Status: 0 nothing, 1 undecided, 2 to be paid to `to`, 3 to `from`.
    function escrow(bytes32 id, uint8 leg) external view returns (uint8 status, address token, address from, address to, uint256 amount);
}
