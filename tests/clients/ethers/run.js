// ethers 6: everything its users do, over HTTP and WebSocket.
import {
  Contract,
  ContractFactory,
  JsonRpcProvider,
  NonceManager,
  Wallet,
  WebSocketProvider,
  ZeroAddress,
  isError,
  parseEther,
  parseUnits,
} from "ethers";
import assert from "node:assert/strict";
import { KEY, RPC, WS, artifact, check, finish, until } from "../lib/checks.js";

const provider = new JsonRpcProvider(RPC, undefined, { pollingInterval: 200, cacheTimeout: -1 });
const bank = new Wallet(KEY, provider);
// A new account for each run: its nonces start at zero.
const user = new Wallet(Wallet.createRandom().privateKey, provider);
const other = Wallet.createRandom().address;
const deploy = async (name, ...args) => {
  const { abi, bytecode } = artifact(name);
  const contract = await new ContractFactory(abi, bytecode, user).deploy(...args);
  return contract.waitForDeployment();
};
const refusal = (promise) =>
  promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
let counter;

await check("balance: a receipt's effect is in latest at once", async () => {
  await (await bank.sendTransaction({ to: user.address, value: parseEther("10") })).wait();
  assert.equal(await provider.getBalance(user.address), parseEther("10"));
  assert.equal(await provider.getBalance(other), 0n);
});

for (const type of [0, 1, 2]) {
  await check(`send: type ${type}`, async () => {
    const before = await provider.getBalance(other);
    const accessList = type === 1 ? [{ address: other, storageKeys: [] }] : undefined;
    const receipt = await (await user.sendTransaction({ to: other, value: 7n, type, accessList })).wait();
    assert.equal(receipt.status, 1);
    assert.equal(receipt.type, type);
    assert.equal((await provider.getTransaction(receipt.hash)).type, type);
    assert.equal(await provider.getBalance(other), before + 7n);
  });
}

await check("send: type 4 sets and clears an account's code", async () => {
  const delegate = await deploy("Delegate");
  const target = await delegate.getAddress();
  const account = new Wallet(Wallet.createRandom().privateKey, provider);
  const { chainId } = await provider.getNetwork();
  const set = await account.authorize({ address: target, nonce: 0, chainId });
  const asDelegate = delegate.attach(account.address);
  const receipt = await (await asDelegate.mark(5n, { type: 4, authorizationList: [set] })).wait();
  assert.equal(receipt.type, 4);
  assert.equal(receipt.logs[0].address, account.address);
  assert.equal(await provider.getCode(account.address), `0xef0100${target.slice(2)}`.toLowerCase());
  assert.equal(await asDelegate.isDelegate(), true);
  const clear = await account.authorize({ address: ZeroAddress, nonce: 1, chainId });
  await (await user.sendTransaction({ to: other, type: 4, authorizationList: [clear] })).wait();
  assert.equal(await provider.getCode(account.address), "0x");
});

await check("send: type 3 is refused, in words", async () => {
  const { chainId } = await provider.getNetwork();
  const blob = await user.signTransaction({
    type: 3,
    chainId,
    to: other,
    nonce: await user.getNonce(),
    gasLimit: 21_000n,
    maxFeePerGas: parseUnits("20", "gwei"),
    maxPriorityFeePerGas: parseUnits("1", "gwei"),
    maxFeePerBlobGas: 1n,
    blobVersionedHashes: [`0x01${"0".repeat(62)}`],
  });
  const error = await refusal(provider.broadcastTransaction(blob));
  assert.match(error.message, /transaction type not supported/);
});

await check("deploy, call and write", async () => {
  counter = await deploy("Counter", 40n);
  assert.equal(await counter.number(), 40n);
  assert.equal(await counter.increase.staticCall(2n), 42n);
  await (await counter.increase(2n)).wait();
  assert.equal(await counter.number(), 42n);
});

await check("logs: by event, by indexed argument, by range", async () => {
  const [log, ...more] = await counter.queryFilter(counter.filters.Increased(user.address), 0);
  assert.equal(log.args.number, 42n);
  assert.equal(more.length, 0);
  assert.deepEqual(await counter.queryFilter(counter.filters.Increased(other), 0), []);
  assert.equal((await provider.getBlock(log.blockNumber)).hash, log.blockHash);
});

await check("events: the polling provider delivers each once", async () => {
  const numbers = [];
  await counter.on("Increased", (_, number) => numbers.push(number));
  await until("the provider polls", async () => (await provider.getBlockNumber()) > 0);
  await (await counter.increase(1n)).wait();
  await until("the log arrives", () => numbers.length > 0);
  await counter.removeAllListeners();
  assert.deepEqual(numbers, [await counter.number()]);
});

await check("subscription: new heads and logs over WebSocket", async () => {
  const live = new WebSocketProvider(WS);
  const [heads, numbers] = [[], []];
  await live.on("block", (number) => heads.push(number));
  await counter.connect(live).on("Increased", (_, number) => numbers.push(number));
  await until("a first head arrives", () => heads.length > 0);
  await (await counter.increase(1n)).wait();
  await until("the log arrives", () => numbers.length > 0);
  await until("heads go on", () => heads.length >= 4);
  await live.destroy();
  assert.deepEqual(numbers, [await counter.number()]);
  assert.deepEqual(heads, heads.map((_, index) => heads[0] + index));
});

await check("subscription: pending transactions over WebSocket", async () => {
  const live = new WebSocketProvider(WS);
  const hashes = [];
  await live.on("pending", (hash) => hashes.push(hash));
  await live.getBlockNumber(); // the subscription was sent before this request
  const sent = await user.sendTransaction({ to: other, value: 1n });
  await until("the hash arrives", () => hashes.includes(sent.hash));
  await live.destroy();
  await sent.wait();
});

await check("revert: custom error, reason, panic", async () => {
  const custom = await refusal(counter.increase.staticCall(101n));
  assert.ok(isError(custom, "CALL_EXCEPTION"), `expected CALL_EXCEPTION, found ${custom}`);
  assert.equal(custom.revert.name, "TooHigh");
  assert.deepEqual([...custom.revert.args], [101n, 100n]);
  assert.equal((await refusal(counter.refuse())).reason, "not today");
  assert.match((await refusal(counter.divide(0n))).reason, /Panic due to DIVIDE_BY_ZERO\(18\)/);
});

await check("revert: an estimate refuses too, a transaction with gas is mined as reverted", async () => {
  const estimate = await refusal(counter.increase.estimateGas(101n));
  assert.equal(counter.interface.parseError(estimate.data).name, "TooHigh");
  const sent = await counter.increase(101n, { gasLimit: 100_000n });
  const error = await refusal(sent.wait());
  assert.ok(isError(error, "CALL_EXCEPTION"), `expected CALL_EXCEPTION, found ${error}`);
  assert.equal(error.receipt.status, 0);
});

await check("gas: an estimate is enough, for a contract that catches its callee's failure too", async () => {
  assert.equal(await user.estimateGas({ to: other, value: 1n }), 21_000n);
  const attempt = await deploy("Attempt");
  await (await attempt.increase(await counter.getAddress(), 1n)).wait();
  assert.equal(await attempt.done(), true);
});

await check("fees: ethers' own fee data", async () => {
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
  assert.ok(gasPrice > 0n);
  assert.ok(maxFeePerGas > maxPriorityFeePerGas);
});

await check("nonce: twenty sends in a row, none waited for", async () => {
  const before = await user.getNonce("pending");
  const sent = [];
  for (let index = 0; index < 20; index += 1) {
    sent.push(await user.sendTransaction({ to: other, value: 1n }));
  }
  assert.deepEqual(sent.map(({ nonce }) => nonce), sent.map((_, index) => before + index));
  await Promise.all(sent.map((transaction) => transaction.wait()));
  assert.equal(await user.getNonce(), before + 20);
});

await check("nonce: twenty sends at once, with ethers' nonce manager", async () => {
  const managed = new Wallet(Wallet.createRandom().privateKey, provider);
  await (await user.sendTransaction({ to: managed.address, value: parseEther("1") })).wait();
  const manager = new NonceManager(managed);
  const send = () => manager.sendTransaction({ to: other, value: 1n });
  const sent = await Promise.all(Array.from({ length: 20 }, send));
  await Promise.all(sent.map((transaction) => transaction.wait()));
  assert.equal(await managed.getNonce(), 20);
});

await check("nonce: a replacement pays more, and ethers sees it replaced", async () => {
  const next = await user.getNonce();
  const fees = (gwei) => ({
    maxFeePerGas: parseUnits(`${10 * gwei}`, "gwei"),
    maxPriorityFeePerGas: parseUnits(`${gwei}`, "gwei"),
  });
  // One above the next: it waits in the pool until the gap is filled.
  const waiting = { to: other, nonce: next + 1, gasLimit: 21_000n };
  const first = await user.sendTransaction({ ...waiting, ...fees(2), value: 1n });
  const cheap = await refusal(user.sendTransaction({ ...waiting, ...fees(2), value: 2n }));
  assert.ok(isError(cheap, "REPLACEMENT_UNDERPRICED"), `expected REPLACEMENT_UNDERPRICED, found ${cheap}`);
  const replaced = refusal(first.wait());
  const second = await user.sendTransaction({ ...waiting, ...fees(4), value: 2n });
  await user.sendTransaction({ to: other, value: 1n, nonce: next, gasLimit: 21_000n });
  assert.equal((await second.wait()).status, 1);
  const error = await replaced;
  assert.ok(isError(error, "TRANSACTION_REPLACED"), `expected TRANSACTION_REPLACED, found ${error}`);
  assert.equal(error.replacement.hash, second.hash);
});

await check("nonce: what was used is refused as NONCE_EXPIRED", async () => {
  const used = user.sendTransaction({ to: other, nonce: 0, gasLimit: 21_000n, value: 3n });
  const error = await refusal(used);
  assert.ok(isError(error, "NONCE_EXPIRED"), `expected NONCE_EXPIRED, found ${error}`);
});

await check("funds: too much is refused as INSUFFICIENT_FUNDS", async () => {
  const error = await refusal(user.sendTransaction({ to: other, value: parseEther("1000000"), gasLimit: 21_000n }));
  assert.ok(isError(error, "INSUFFICIENT_FUNDS"), `expected INSUFFICIENT_FUNDS, found ${error}`);
});

await check("blocks: by tag, with and without transactions", async () => {
  const [finalized, safe, latest] = [
    await provider.getBlock("finalized"),
    await provider.getBlock("safe"),
    await provider.getBlock("latest"),
  ];
  assert.ok(finalized.number <= safe.number && safe.number <= latest.number);
  assert.ok(await provider.send("eth_getBlockByNumber", ["pending", true]), "the pending block is null");
  const { blockNumber, hash } = await (await user.sendTransaction({ to: other, value: 1n })).wait();
  const block = await provider.getBlock(blockNumber, true);
  assert.ok(block.prefetchedTransactions.some((transaction) => transaction.hash === hash));
});

finish();
